from datetime import timedelta

import pytest

from agent.derive.sample import samples, uncovered
from agent.language.numbers import Money
from agent.plugins.skills import Skills

EXAMPLE = """
@skill("(turn|switch) [the] lamp[s] (on|off) [in {room}] [at {level} percent]", "glow", "(a;b;c) z")
def light(room: Annotated[str, OneOf({"kitchen": 1, "(hall|entry)": 2})] = "",
          level: Annotated[int, Range(5, 7)] = 5) -> Reply: ...
"""


@pytest.mark.slow
def test_every_branch_of_the_skills_that_ship_is_drawn():
    for action in Skills.discover().actions.values():
        for language in action.languages:
            assert uncovered(action, language) == 0, (action.name, language)
            assert all(samples(action, language).values()), (action.name, language)


def test_branches_options_orders_and_values_are_all_said(install):
    (action,) = install(EXAMPLE).actions.values()
    found = samples(action, "en")
    first = " ".join(f" {s.text} " for s in found["(turn|switch) [the] lamp[s] (on|off) [in {room}] [at {level} percent]"])  # fmt: skip
    for said in (
        " turn ",
        " switch ",
        " the ",
        " lamp ",
        " lamps ",
        " on ",
        " off ",
        " kitchen ",
        " percent ",
    ):
        assert said in first, said
    assert [s.text for s in found["glow"]] == ["glow"]
    assert {s.text[0] for s in found["(a;b;c) z"]} == {"a", "b", "c"}


def test_slots_are_what_was_said(install):
    (action,) = install(EXAMPLE).actions.values()
    for sample in samples(action, "en")[action.declaration.sentences[0]]:
        room = {"kitchen": 1, "hall": 2, "entry": 2}
        said = [value for word, value in room.items() if f"in {word}" in sample.text]
        assert sample.slots.get("room") == (said[0] if said else None)
        level = {"five": 5, "six": 6, "seven": 7}
        said = [value for word, value in level.items() if f"at {word} percent" in sample.text]
        assert sample.slots.get("level") == (said[0] if said else None)
        assert not sample.free


def test_a_seed_repeats_and_another_differs(install):
    (action,) = install(EXAMPLE).actions.values()

    def texts(seed):
        return [s.text for found in samples(action, "en", 40, seed).values() for s in found]

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)
    assert len(texts(1)) == len(set(texts(1)))


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_than_asked_for(install, limit):
    (action,) = install(EXAMPLE).actions.values()
    assert max(map(len, samples(action, "en", limit).values())) <= limit


def test_an_empty_list_leaves_nothing_to_say(install):
    (action,) = install(
        '@skill("open {door}")\ndef open_it(door: Annotated[str, OneOf(lambda: [])]) -> Reply: ...\n'
    ).actions.values()
    assert samples(action, "en") == {"open {door}": []}


def test_free_text_and_open_lists_take_words_of_ours(install):
    note, song = install(
        """
        @skill("note {text}")
        def note(text: str) -> Reply: ...
        @skill("hum {song}")
        def hum(song: Annotated[str, OneOf(["la la"], open=True)]) -> Reply: ...
        """
    ).actions.values()
    assert all(s.free == {"text"} for s in samples(note, "en")["note {text}"])
    drawn = samples(song, "en")["hum {song}"]
    assert {bool(s.free) for s in drawn} == {True, False}
    assert [s.text for s in samples(song, "en", off_list=False)["hum {song}"]] == ["hum la la"]


def test_chinese_says_numbers_in_chinese(write):
    skills = Skills()
    zh = """\
    language: zh
    intents:
      tip:
        data: [{sentences: ["打赏{amount}"]}]
      wait:
        data: [{sentences: ["等{time}"]}]
    """
    body = """
    from datetime import timedelta
    @skill("tip {amount}", risk="money", permissions=MONEY)
    def tip(amount: Decimal) -> Reply: ...
    @skill("wait {time}")
    def wait(time: timedelta) -> Reply: ...
    """
    assert skills.add(write("tips", body, zh)) is None
    tip, wait = skills.actions.values()
    for action, kind in ((tip, Money), (wait, timedelta)):
        (found,) = samples(action, "zh").values()
        assert len(found) > 2
        assert not any(c.isascii() for s in found for c in s.text)
        assert all(isinstance(v, kind) for s in found for v in s.slots.values())
