import time
from dataclasses import replace

from agent.check.said import check_said, mismatch
from agent.check.sample import Sample, samples
from agent.messages import Intent, NotRecognized
from agent.plugins import Skills
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


def test_everything_that_ships_arrives_with_the_coffee_plugin_beside_it():
    skills = Skills.discover([str(PLUGIN)])
    began = time.monotonic()
    said = list(check_said(skills.actions, every_sample(skills)))
    assert [(s.sample.text, s.wrong) for s in said if s.wrong] == []
    assert len(said) > 900
    assert time.monotonic() - began < 10


def test_a_sentence_that_another_skill_takes_is_noticed(install):
    one = '@skill("water the (lawn|roses)")\ndef water() -> Reply: ...\n'
    two = '@skill("water the roses")\ndef roses() -> Reply: ...\n'
    skills = install(one, two)
    wrong = [(s.sample.action, s.sample.text, s.wrong) for s in check_said(skills.actions, every_sample(skills)) if s.wrong]  # fmt: skip
    assert wrong == [("plug1.roses", "water the roses", "plug0.water none")]


def test_a_slot_that_takes_too_much_is_noticed(install):
    skills = install('@skill("note {text} [now please]")\ndef note(text: str) -> Reply: ...\n')
    taken = [s.wrong for s in check_said(skills.actions, every_sample(skills)) if s.wrong]
    assert all(wrong.startswith("slots text=") for wrong in taken)


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
