"""Slots read from an action's own sentences: by type, by list, and where free words stand."""

from datetime import datetime, timedelta
from typing import Annotated

import pytest

from agent import Context, OneOf, skill
from agent.derive import grammar
from agent.plugins.skills import Skills
from agent.understand.spans import MOST, lacking, spans
from tests.agent.understand.test_templates import installed


@pytest.fixture(scope="module")
def actions():
    return Skills.discover().actions


@pytest.mark.parametrize(
    ("action", "text", "slots"),
    [
        ("reminders.remind", "remind me to call the vet tomorrow",
         {"what": "call the vet", "when": "tomorrow"}),
        ("reminders.remind", "set a reminder to feed the dogs", {"what": "feed the dogs"}),
        ("reminders.remind", "remind me tomorrow at six about the meeting with bob",
         {"what": "the meeting with bob", "when": "tomorrow at six"}),
        ("reminders.timer", "i need to have a timer for 10 minutes", {"after": "10 minutes"}),
        ("reminders.timer", "could you start a timer please", {}),
        ("reminders.more_time", "add another five minutes to the pizza timer",
         {"after": "five minutes", "name": "pizza"}),
        ("reminders.remind_there", "don't let me forget to buy milk when i get to the station",
         {"what": "buy milk", "place": "the station"}),
        ("calendar.add_event", "please set a meeting with fred on friday at 5 pm",
         {"what": "a meeting with fred", "when": "on friday at 5 pm"}),
        ("calendar.add_event", "add my doctor appointment on march 25th at 3:00 to my calendar",
         {"what": "my doctor appointment", "when": "on march 25th at 3:00"}),
        ("notes.add_item", "put laundry on my chore list", {"item": "laundry", "name": "chore"}),
        ("weather.elsewhere", "what will the weather be like in madrid tomorrow",
         {"place": "madrid", "day": "tomorrow"}),
        ("convert.percent", "i need to know what is 85% of 1500", {"a": "85%", "b": "1500"}),
        ("reminders.remind", "提醒我明天早上八点开会", {"what": "开会", "when": "明天早上八点"}),
        ("reminders.remind_in", "十分钟以后提醒我关火", {"what": "关火", "after": "十分钟"}),
        ("reminders.timer", "帮我计时十分钟吧", {"after": "十分钟"}),
    ],
)  # fmt: skip
def test_slots_are_pieces_of_what_was_said(actions, action, text, slots):
    found = spans(actions[action], text, "en" if text.isascii() else "zh")
    assert found == slots
    assert all(words in text for words in found.values())


def test_a_plugins_slots_are_read_from_its_sentences_alone():
    @skill(
        "book a table [for {guests}] at {place} [{when}]",
        "reserve (a table|seats) at {place} under {name}",
    )
    def book(
        place: str,
        ctx: Context,
        guests: Annotated[int, OneOf({"two": 2, "four": 4})] = 2,
        when: datetime | None = None,
        name: str = "",
    ) -> str:
        return place

    action = installed(book)["demo.book"]
    said = "we'd love to get seats at the golden lion tomorrow evening"
    assert spans(action, said, "en") == {"place": "the golden lion", "when": "tomorrow evening"}
    said = "four of us want to eat at luigi's under kim"
    found = spans(action, said, "en")
    assert found == {"guests": "four", "place": "luigi's", "name": "kim"}


def test_a_part_of_a_number_is_no_value():
    @skill("wait {after}")
    def wait(after: timedelta) -> str:
        return str(after)

    action = installed(wait)["demo.wait"]
    assert spans(action, "i would wait minus two minutes", "en") == {}
    assert spans(action, "just wait for two hours and five minutes", "en") == {
        "after": "two hours and five minutes"
    }


@pytest.mark.parametrize("text", ["", "   ", "…", "um", "a " * (MOST + 1), "哈" * (MOST + 1)])
def test_nothing_is_made_up(actions, text):
    for name in ("reminders.remind", "notes.add_item", "weather.elsewhere"):
        found = spans(actions[name], text, "en" if text.isascii() else "zh")
        assert all(words and words in text for words in found.values())


def test_a_language_without_sentences_has_no_slots(actions):
    assert spans(actions["reminders.remind"], "remind me to eat tomorrow", "de") == {}


def test_words_around_a_slot():
    around = grammar.around("remind me (to|about) {what} [when i get] [to] {place}", ())
    assert around["what"].before == {"to", "about"}
    assert around["what"].after == {"when", "to", "{place}"}
    assert around["place"].leading == {"when", "i", "get", "to"}
    assert around["place"].before == {"get", "to", "{what}"}
    assert around["place"].after == {grammar.EDGE}
    assert grammar.around("{what} please", ())["what"].before == {grammar.EDGE}


def test_fewest_slots_that_a_template_is_said_with():
    needed = grammar.needed
    assert needed("remind me {when} to {what} [in {place}]", ()) == {frozenset(("when", "what"))}
    assert needed("(wake me {when}|set {name}|alarm)", ()) == {frozenset()}
    assert needed("(wake me {when}|set {name} [{when}])", ()) == {
        frozenset(("when",)), frozenset(("name",))
    }  # fmt: skip


@pytest.mark.parametrize(
    ("action", "slots", "missing"),
    [
        ("reminders.remind_in", {}, ("what", "after")),
        ("reminders.remind_in", {"after"}, ("what",)),
        ("reminders.remind_again", {"what"}, ("again",)),
        ("reminders.remind", {"when"}, ("what",)),
        ("reminders.timer", {"after"}, ()),
        ("reminders.cancel_timer", set(), ()),
        ("time.clock", set(), ()),
        ("convert.reckon_out", {"a"}, ("op", "b")),
    ],
)
def test_what_no_sentence_leaves_out_is_asked_for(actions, action, slots, missing):
    assert lacking(actions[action], slots, "en") == missing
