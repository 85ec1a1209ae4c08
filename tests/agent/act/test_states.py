"""The state machine of a payment, walked at random."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.act.states import MOVED, NEXT, OPEN, IllegalStep, step

STATES = sorted(NEXT)


class Walk(RuleBasedStateMachine):
    """Whatever is asked for, a payment goes only where it may, and money moves once."""

    def __init__(self):
        super().__init__()
        self.state, self.passed = "proposed", ["proposed"]

    @rule(to=st.sampled_from(STATES))
    def ask_for(self, to):
        before = self.state
        try:
            self.state = step(before, to)
        except IllegalStep:
            assert to not in NEXT[before]
        else:
            assert to in NEXT[before]
            self.passed.append(to)

    @invariant()
    def no_state_is_passed_twice(self):
        assert len(set(self.passed)) == len(self.passed)

    @invariant()
    def nothing_is_sent_before_a_yes_and_nothing_paid_before_it_was_sent(self):
        if "submitted" in self.passed:
            assert self.passed.index("confirmed") < self.passed.index("submitted")
        if "paid" in self.passed:
            assert "submitted" in self.passed
            assert "refused" not in self.passed


TestWalk = Walk.TestCase


@given(st.lists(st.sampled_from(STATES), max_size=12))
def test_what_ended_stays_ended(steps):
    for end in ("refused", "settled"):
        for to in steps:
            with pytest.raises(IllegalStep, match="cannot become"):
                step(end, to)


def test_every_state_can_be_reached_and_every_open_one_can_end():
    reached, waiting = {"proposed"}, ["proposed"]
    while waiting:
        for to in NEXT[waiting.pop()] - reached:
            reached.add(to)
            waiting.append(to)
    assert reached == set(NEXT)
    assert all({"refused"} & NEXT[state] for state in OPEN)
    assert {"paid", "settled"} == set(MOVED)
