"""Who is on the lens: one outcome for each request, and nobody keeps the others off it."""

import threading
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.display.arbiter import (
    LONGEST_TURN_MS,
    OWNERS,
    WAITING_EACH,
    Arbiter,
)
from agent.display.layout import SHORTEST_DWELL_MS
from agent.display.request import Priority, Request
from agent.messages import Reply
from hardware.profiles import load

PROFILE = load("quark-s1")
LONG = "\n".join(f"This is line number {n} of a long answer" for n in range(20))


class Lens:
    """A display that remembers, and a clock."""

    def __init__(self, profile=PROFILE):
        self.profile = profile
        self.now_ms = 0.0
        self.lit = None
        self.history = []
        self.outcomes = []
        self.refuses = False
        self.arbiter = Arbiter(self.light, lambda: self.profile, self.outcomes.append)

    def light(self, frame):
        if self.refuses:
            return "unplugged"
        self.lit = frame
        self.history.append((self.now_ms, self.text))
        return None

    @property
    def text(self):
        return "" if self.lit is None else "\n".join(line.text for line in self.lit.lines)

    def offer(self, text, priority=Priority.BACKGROUND, owner="a", **more):
        kind = more.pop("kind", "answer")
        return self.arbiter.offer(
            Request(Reply(text, kind=kind), owner, priority, **more), self.now_ms
        )

    def show(self, *args, **more):
        ticket = self.offer(*args, **more)
        self.arbiter.advance(self.now_ms)
        return ticket

    def asked(self, text, **more):
        return self.show(text, Priority.FOREGROUND, at_once=True, **more)

    def pass_ms(self, ms):
        """Let time pass as the loop does: to each moment at which something is due."""
        until_ms = self.now_ms + ms
        for _ in range(10_000):
            due_ms = self.arbiter.due_ms()
            if due_ms is None or due_ms > until_ms:
                break
            self.now_ms = due_ms
            self.arbiter.advance(self.now_ms)
        else:
            raise AssertionError("time stands still")
        self.now_ms = until_ms
        self.arbiter.advance(self.now_ms)


@pytest.fixture
def lens():
    return Lens()


def test_the_levels_cover_each_other_and_come_back(lens):
    lens.show("home", Priority.DASHBOARD, stays_ms=60_000.0)
    lens.pass_ms(1000)
    lens.show("news", Priority.BACKGROUND, owner="b", stays_ms=60_000.0)
    lens.asked("answer", stays_ms=8_000.0)
    lens.show("pay?", Priority.PROPOSAL, owner="pay", at_once=True, stays_ms=30_000.0)
    lens.show("fire", Priority.ALERT, owner="c", stays_ms=3_000.0)
    assert [text for _, text in lens.history] == ["home", "news", "answer", "pay?", "fire"]
    seen = []
    for _ in range(170):
        if not seen or seen[-1] != lens.text:
            seen.append(lens.text)
        lens.pass_ms(1000)
    assert seen == ["fire", "pay?", "answer", "news", "home", ""]


def test_time_stands_still_for_what_is_covered(lens):
    lens.asked("answer", stays_ms=8_000.0)
    lens.pass_ms(7_000)
    lens.show("fire", Priority.ALERT, owner="c", stays_ms=20_000.0)
    lens.pass_ms(20_000)
    assert lens.text == "answer"
    lens.pass_ms(1_000)
    assert lens.text == ""


def test_an_alert_is_lit_at_once_whatever_was_lit_a_moment_ago(lens):
    lens.show("news")
    lens.now_ms += 1
    assert lens.show("fire", Priority.ALERT, owner="b").outcome.kind == "shown"
    assert lens.text == "fire"


def test_what_comes_by_itself_waits_for_the_lens(lens):
    lens.show("1", key="k")
    tickets = [lens.show(str(n), key="k") for n in range(2, 6)]
    assert lens.text == "1"
    assert [t.outcome and t.outcome.kind for t in tickets] == ["replaced"] * 3 + [None]
    lens.pass_ms(PROFILE.update_ms - 1)
    assert lens.text == "1"
    lens.pass_ms(1)
    assert lens.text == "5"
    assert tickets[-1].outcome.kind == "shown"


def test_an_answer_takes_the_place_of_the_one_before_and_of_what_waited(lens):
    lens.asked("first")
    waiting = lens.show("more of it", Priority.FOREGROUND)
    lens.asked("second", owner="b")
    assert (lens.text, waiting.outcome.kind) == ("second", "replaced")
    lens.pass_ms(100_000)
    assert lens.text == "second"


def test_a_passing_card_gives_the_answer_back(lens):
    lens.asked("answer")
    lens.asked("that is all", owner="agent", passing=True, stays_ms=3_000.0)
    assert lens.text == "that is all"
    lens.pass_ms(3_000)
    assert lens.text == "answer"


def test_owners_take_turns_and_none_starves(lens):
    lens.show("a 0", owner="a", key="k")
    other = lens.show("b", owner="b")
    for n in range(1, 200):  # a never stops
        lens.pass_ms(100)
        lens.show(f"a {n}", owner="a", key="k")
        if other.outcome is not None:
            break
    assert other.outcome.kind == "shown"
    assert lens.now_ms <= SHORTEST_DWELL_MS + PROFILE.update_ms + 100


def test_endless_alerts_do_not_keep_everybody_else_off(lens):
    other = lens.show("news", owner="b", waits_ms=60_000.0)
    lens.asked("answer", owner="c", stays_ms=2_000.0)
    kinds = Counter()
    for n in range(300):
        ticket = lens.show(f"alarm {n}", Priority.ALERT, owner="a", stays_ms=5_000.0)
        kinds[ticket.outcome.kind if ticket.outcome else "waits"] += 1
        lens.pass_ms(100)
    assert kinds["refused"] >= 290
    assert other.outcome.kind == "shown"


def test_pages_turn_by_themselves_and_by_hand(lens):
    lens.arbiter.turns_pages = True
    lens.asked(LONG)
    first = lens.text
    assert lens.lit.pages > 2
    lens.pass_ms(20_000)
    assert lens.lit.page > 1
    assert lens.arbiter.turn(-1, lens.now_ms)
    page = lens.lit.page
    lens.pass_ms(60_000)
    assert lens.lit.page == page  # from then on only by hand
    while lens.arbiter.turn(-1, lens.now_ms):
        pass
    assert lens.text == first


def test_in_text_mode_pages_wait(lens):
    lens.asked(LONG)
    lens.pass_ms(600_000)
    assert lens.lit.page == 1


def test_an_answer_that_has_gone_can_be_called_back(lens):
    lens.asked("answer", stays_ms=1_000.0)
    lens.pass_ms(5_000)
    assert lens.text == ""
    assert lens.arbiter.turn(0, lens.now_ms)
    assert lens.text == "answer"
    lens.pass_ms(999)
    assert lens.text == "answer"
    lens.pass_ms(1)
    assert lens.text == ""


def test_what_waits_too_long_is_told_so(lens):
    lens.asked("answer")
    ticket = lens.show("news", waits_ms=5_000.0)
    lens.pass_ms(4_999)
    assert ticket.outcome is None
    lens.pass_ms(1)
    assert (ticket.outcome.kind, ticket.outcome.reason) == ("expired", "waited 5 s")


def test_more_than_can_wait_is_refused_with_the_reason(lens):
    lens.asked("answer")
    own = [lens.offer(str(n)) for n in range(WAITING_EACH + 1)]
    assert own[-1].outcome.kind == "refused"
    assert own[-1].outcome.reason == f"{WAITING_EACH} of its own wait"
    others = [lens.offer("x", owner=f"o{n}") for n in range(OWNERS)]
    assert others[-1].outcome.reason == f"{OWNERS} others wait"
    assert all(t.outcome is None for t in [*own[:-1], *others[:-1]])


def test_a_display_that_refuses_is_told_to_who_asked(lens):
    lens.refuses = True
    assert lens.asked("answer").outcome.reason == "unplugged"
    lens.refuses = False
    lens.pass_ms(1_000)
    assert lens.text == ""


def test_a_skill_that_is_gone_leaves_nothing(lens):
    lens.show("a", owner="a")
    waiting = lens.show("more", owner="a")
    lens.show("b", owner="b")
    lens.arbiter.withdraw("a", lens.now_ms)
    lens.pass_ms(PROFILE.update_ms)
    assert (lens.text, waiting.outcome.reason) == ("b", "a is gone")


def test_while_walking_only_alerts_and_directions_come_by_themselves(lens):
    lens.arbiter.quiet = True
    waiting = lens.show("news", waits_ms=60_000.0)
    route = lens.show("→ left\nHigh Street", owner="navigate", kind="route")
    lens.pass_ms(1_000)
    assert (waiting.outcome, route.outcome.kind) == (None, "shown")
    lens.arbiter.drop(Priority.BACKGROUND, lens.now_ms)
    assert waiting.outcome.kind == "refused"
    assert lens.show("fire", Priority.ALERT).outcome.kind == "shown"


def test_a_card_is_laid_out_again_for_another_lens(lens):
    lens.asked(LONG)
    lens.profile = replace(PROFILE, lines=2)
    lens.arbiter.advance(lens.now_ms)
    assert len(lens.lit.lines) == 2


def test_those_that_wait_at_the_end_are_told_that_they_did(lens):
    lens.asked("answer")
    ticket = lens.show("news")
    assert [r.reply.text for r in lens.arbiter.standing()] == ["answer", "news"]
    lens.arbiter.close(lens.now_ms)
    assert ticket.outcome.kind == "queued"


def test_a_thread_can_wait_for_the_outcome(lens):
    lens.asked("answer", stays_ms=1_000.0)
    ticket = lens.offer("news")
    assert ticket.wait(0.001) is None
    got = []
    thread = threading.Thread(target=lambda: got.append(ticket.wait(60)))
    thread.start()
    lens.pass_ms(2_000)
    thread.join()
    assert got[0].kind == "shown"


def test_a_flood_is_bounded_and_every_request_is_answered():
    lens = Lens()
    tickets = []
    for n in range(20_000):
        key = "k" if n % 3 else ""
        tickets.append(lens.offer(str(n), owner=f"o{n % 50}", key=key))
        if n % 10 == 0:
            lens.now_ms += 1.0
            lens.arbiter.advance(lens.now_ms)
        assert len(lens.arbiter.standing()) <= OWNERS * (WAITING_EACH + 2)
    lens.pass_ms(120_000)
    assert all(ticket.outcome is not None for ticket in tickets)
    assert len(lens.outcomes) == len(tickets)


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("offer"),
            st.sampled_from(sorted(Priority)),
            st.sampled_from("abc"),
            st.sampled_from(["", "", "k"]),
            st.sampled_from([None, 500.0, 9_000.0]),
            st.booleans(),
            st.booleans(),
        ),
        st.tuples(st.just("wait"), st.sampled_from([1.0, 300.0, 2_000.0, 11_000.0])),
        st.tuples(st.just("turn"), st.sampled_from([-1, 0, 1])),
        st.tuples(st.just("drop"), st.sampled_from(sorted(Priority))),
        st.tuples(st.just("withdraw"), st.sampled_from("abc")),
        st.tuples(st.just("quiet"), st.booleans()),
        st.tuples(st.just("refuse"), st.booleans()),
        st.tuples(st.just("clear")),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_whatever_happens_each_request_has_one_outcome_and_a_proposal_is_hidden_only_by_an_alert(
    steps,
):
    lens = Lens()
    lens.arbiter.turns_pages = True
    tickets = []
    for number, (what, *given_) in enumerate(steps):
        match what:
            case "offer":
                priority, owner, key, stays_ms, at_once, passing = given_
                tickets.append(
                    lens.show(
                        f"{owner} {number}", priority, owner, key=key, stays_ms=stays_ms,
                        at_once=at_once, passing=at_once and passing,
                    )
                )  # fmt: skip
            case "wait":
                lens.pass_ms(given_[0])
            case "turn":
                lens.arbiter.turn(given_[0], lens.now_ms)
            case "drop":
                lens.arbiter.drop(given_[0], lens.now_ms)
            case "withdraw":
                lens.arbiter.withdraw(given_[0], lens.now_ms)
            case "quiet":
                lens.arbiter.quiet = given_[0]
            case "refuse":
                lens.refuses = given_[0]
            case "clear":
                lens.arbiter.clear(lens.now_ms)
        lens.arbiter.advance(lens.now_ms)
        lit, standing = lens.arbiter.lit, lens.arbiter.standing()
        shown = {id(t.request) for t in tickets if t.outcome and t.outcome.kind == "shown"}
        covering = [r for r in standing if r.priority > Priority.FOREGROUND and id(r) in shown]
        if covering:  # nothing below a proposal that was shown, or an alert, is lit
            assert lit is not None
            assert lit.priority > Priority.FOREGROUND
    lens.refuses = lens.arbiter.quiet = False
    lens.pass_ms(LONGEST_TURN_MS * 40)
    lens.arbiter.close(lens.now_ms)
    assert Counter(id(o.request) for o in lens.outcomes) == Counter(id(t.request) for t in tickets)
    assert all(ticket.outcome in lens.outcomes for ticket in tickets)
    texts = [t.request.reply.text for t in tickets if t.outcome.kind == "shown"]
    ever = "\n".join(text for _, text in lens.history)
    assert all(text in ever for text in texts)  # what was told to be shown was
