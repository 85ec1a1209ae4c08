"""The lens on a loop's clock: what is lit when, and what a display may do to it."""

import asyncio
import threading

import pytest

from agent.display.lens import LEAST_MS, PASSING_MS, Lens
from agent.display.request import Priority
from agent.messages import Proposal, Reply
from agent.testing import VirtualClock
from hardware.base import DeviceError
from hardware.display import MemoryDisplay
from hardware.profiles import load
from tests.pace import PATIENCE_S

PROFILE = load("quark-s1")
LONG = "\n".join(f"This is line number {n} of a long answer" for n in range(20))


@pytest.fixture
def clock():
    clock = VirtualClock(PATIENCE_S)
    yield clock
    clock.close()


@pytest.fixture
def display():
    return MemoryDisplay(PROFILE)


@pytest.fixture
def lens(display):
    return Lens(lambda: display)


def run(clock, function, *args):
    """Call a function on the loop, where the lens belongs."""

    async def call():
        return function(*args)

    return clock.run(call())


def test_an_answer_is_lit_at_once_and_goes_when_it_could_be_read_twice(clock, lens, display):
    fault, pages, lit = run(clock, lens.light, Reply("42"), "en")
    assert (fault, len(pages), lit, display.text) == (None, 1, True, "42")
    clock.advance(LEAST_MS / 1000 - 0.001)
    assert display.text == "42"
    clock.advance(0.001)
    assert not display.lit


def test_pages_are_turned_within_the_reply(clock, lens, display):
    assert run(clock, lens.turn, 0) == (None, False)
    run(clock, lens.light, Reply(LONG), "en")
    first = display.text
    assert [run(clock, lens.turn, step)[1] for step in (-1, 1, -1, -1)] == [
        False,
        True,
        True,
        False,
    ]
    assert display.text == first


def test_pages_turn_by_themselves_only_while_somebody_wears_it(clock, lens, display):
    run(clock, lens.light, Reply(LONG), "en")
    clock.advance(20)
    assert display.frames[-1].page == 1
    run(clock, lens.live, True)
    run(clock, lens.light, Reply(LONG), "en")
    clock.advance(20)
    assert display.frames[-1].page > 1


def test_a_passing_card_leaves_the_reply_in_reach_and_gives_it_back(clock, lens, display):
    run(clock, lens.light, Reply(LONG), "en")
    first = display.text
    run(clock, lambda: lens.light(Reply("that is all"), "en", passing=True))
    assert display.text == "that is all"
    clock.advance(PASSING_MS / 1000)
    assert display.text == first
    assert run(clock, lens.turn, 1) == (None, True)


def test_an_open_microphone_is_marked_whatever_is_shown(clock, lens, display):
    run(clock, lens.listening, True)
    assert (display.listening, display.text) == (True, "")
    run(clock, lens.light, Reply("a"), "en")
    assert (display.listening, display.text) == (True, "a")
    run(clock, lens.blank)
    assert (display.listening, display.text) == (True, "")
    run(clock, lens.listening, False)
    assert not display.lit


def test_the_mark_is_drawn_only_when_it_changes(clock, lens, display):
    for _ in range(3):
        run(clock, lens.listening, True)
    assert len(display.frames) == 1


def test_while_walking_two_rows_are_lit_and_then_all_again(clock, lens, display):
    run(clock, lens.light, Reply(LONG), "en")
    assert len(display.frames[-1].lines) == PROFILE.lines
    run(clock, lens.walking, True)
    assert len(display.frames[-1].lines) == 2
    run(clock, lens.walking, False)
    assert len(display.frames[-1].lines) == PROFILE.lines


def test_everything_is_dimmed_at_once(clock, lens, display):
    run(clock, lens.light, Reply("a"), "en")
    run(clock, lens.dim, 0.5)
    assert (display.text, display.frames[-1].light) == ("a", 0.5)


def test_a_skill_may_ask_for_the_lens_on_a_thread_of_its_own(clock, lens, display):
    got = []

    async def main():
        lens.light(Reply("answer"), "en")
        asked = threading.Thread(
            target=lambda: got.append(lens.offer(Reply("fire", kind="alert"), Priority.ALERT, "a"))
        )
        asked.start()
        while not got or got[0].outcome is None:
            await asyncio.sleep(0.01)

    clock.run(main())
    assert (got[0].outcome.kind, display.text) == ("shown", "! fire")
    clock.advance(60)
    assert not display.lit


def test_each_outcome_is_reported_once(clock, lens):
    told = []
    lens.on_outcome = told.append
    run(clock, lens.light, Reply("answer"), "en")
    for n in range(4):
        run(clock, lambda n=n: lens.offer(Reply(str(n)), Priority.BACKGROUND, "a", key="k"))
    clock.advance(60)
    run(clock, lens.close)
    assert [outcome.kind for outcome in told] == [
        "shown",
        "replaced",
        "replaced",
        "replaced",
        "shown",
    ]


def test_a_question_is_what_is_lit_until_an_alert_covers_it(clock, lens):
    run(clock, lens.light, Proposal("4 USD", payee="Anna"), "en")
    assert lens.lit.priority is Priority.PROPOSAL
    run(clock, lens.offer, Reply("hot", kind="alert"), Priority.ALERT)
    clock.advance(0)
    assert lens.lit.priority is Priority.ALERT
    assert run(clock, lens.drop_alert)
    assert lens.lit.priority is Priority.PROPOSAL
    assert not run(clock, lens.drop_alert)


class Broken(MemoryDisplay):
    def show(self, frame):
        raise self.error

    def clear(self):
        raise self.error


def test_what_a_display_raises_is_told_and_goes_no_further(clock):
    display = Broken(PROFILE)
    lens = Lens(lambda: display)
    display.error = DeviceError("the lens is off: switch it on")
    fault, _, lit = run(clock, lens.light, Reply("a"), "en")
    assert (fault, lit) == ("the lens is off: switch it on", False)
    display.error = ZeroDivisionError("12 to anna")  # may hold what was said
    assert run(clock, lens.light, Reply("a"), "en")[0] == "ZeroDivisionError"
    assert run(clock, lens.blank) == "ZeroDivisionError"
    run(clock, lens.listening, True)
