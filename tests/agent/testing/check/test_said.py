from dataclasses import replace

import pytest

from agent.derive.sample import Sample, samples
from agent.messages import Intent, NotRecognized
from agent.plugins.skills import Skills
from agent.testing.check.said import check_said, mismatch
from tests.pace import spending
from tests.shared import PLUGIN

SAMPLE = Sample("pay.pay", "pay {payee} {memo}", "en", "", {"payee": "anna", "memo": "x"}, frozenset({"memo"}))  # fmt: skip


def every_sample(skills, seed=0):
    return [
        sample
        for action in skills.actions.values()
        for language in action.languages
        for found in samples(action, language, seed=seed).values()
        for sample in found
    ]


@pytest.mark.slow
def test_everything_that_ships_arrives_with_the_coffee_plugin_beside_it():
    skills = Skills.discover([str(PLUGIN)])
    with spending() as spent:
        said = list(check_said(skills.actions, every_sample(skills)))
    assert [(s.sample.text, s.wrong) for s in said if s.wrong] == []
    assert len(said) > 900
    assert spent.yards < 2 * len(said)


def test_a_sentence_that_another_skill_takes_is_noticed(install):
    one = '@skill("water the (lawn|roses)")\ndef water() -> Reply: ...\n'
    two = '@skill("water the roses")\ndef roses() -> Reply: ...\n'
    skills = install(one, two)
    wrong = [(s.sample.action, s.sample.text, s.wrong) for s in check_said(skills.actions, every_sample(skills)) if s.wrong]  # fmt: skip
    assert wrong == [("plug1.roses", "water the roses", "plug0.water none")]


def wrong_of(skills, *samples):
    said = check_said(skills.actions, samples)
    return [(one.sample.text, one.wrong) for one in said if one.wrong]


def test_a_slot_that_takes_too_much_is_noticed(install):
    """A word of the sentence among those of its slot ends it early; the next one takes the rest."""
    tell = '@skill("tell {who} little {what}")\ndef tell(who: str, what: str) -> Reply: ...\n'
    skills = install(tell)
    drawn = every_sample(skills)
    assert wrong_of(skills, *drawn) == [
        (
            sample.text,
            f"slots who=my what=brother little {sample.slots['what']}"
            f" instead of who=my little brother what={sample.slots['what']}",
        )
        for sample in drawn
        if sample.slots["who"] == "my little brother"
    ]
    assert {sample.slots["who"] for sample in drawn} > {"water", "my little brother"}


def test_what_may_be_said_is_checked_beside_what_is_drawn(install):
    note = '@skill("note {text} for {who}")\ndef note(text: str, who: str) -> Reply: ...\n'
    slots = {"text": "cake for two", "who": "anna"}
    said = Sample("plug0.note", "", "en", "note cake for two for anna", slots, frozenset(slots))
    ((_, wrong),) = wrong_of(install(note), said)
    assert wrong == "slots text=cake who=two for anna instead of text=cake for two who=anna"


def test_words_that_may_follow_a_slot_are_not_the_slots(install):
    skills = install('@skill("note {text} [now please]")\ndef note(text: str) -> Reply: ...\n')
    drawn = every_sample(skills)
    assert {sample.text.endswith(" now please") for sample in drawn} == {True, False}
    assert wrong_of(skills, *drawn) == []


def test_what_counts_as_the_same_call():
    call = Intent("pay", "pay", {"payee": "anna", "memo": "x"}, "templates", "en")
    assert mismatch(SAMPLE, call) == ""
    other = replace(call, slots={"payee": "anna", "memo": "y"})
    assert mismatch(SAMPLE, other) == "slots payee=anna memo=y instead of payee=anna memo=x"
    assert mismatch(SAMPLE, other, free_matters=False) == ""
    unsaid = replace(call, slots={"payee": "anna"})
    assert mismatch(SAMPLE, unsaid, free_matters=False)
    assert mismatch(SAMPLE, replace(call, action="history", slots={})) == "pay.history none"
    assert mismatch(SAMPLE, NotRecognized()) == mismatch(SAMPLE, None) == "not recognised"
