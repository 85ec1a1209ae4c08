"""Which model may think: power, memory and waiting, down soon and up later."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.body.mind import Mind, MindOptions
from agent.body.power import RUNGS, STEPS

BOTH = {"large": 1300.0, "small": 600.0}
O = MindOptions()  # noqa: E741


@pytest.fixture
def mind():
    return Mind(BOTH)


@pytest.mark.parametrize(
    ("step", "rung"),
    [
        ("normal", "large"),
        ("dimmer", "large"),
        ("slower", "small"),
        ("smaller", "pocket"),
        ("text", "templates"),
    ],
)
def test_it_follows_the_power(mind, step, rung):
    mind.power(next(one for one in STEPS if one.name == step))
    assert mind.rung == rung


def test_without_a_smaller_one_the_larger_one_thinks_as_long_as_there_is_power():
    mind = Mind({"large": 1300.0})
    mind.power(STEPS[2])
    assert mind.rung == "large"
    mind.power(STEPS[3])
    assert mind.rung == "pocket"


def test_short_memory_takes_one_rung_at_a_time(mind):
    mind.memory(100, 0)
    assert mind.rung == "large", "one bad reading is none"
    mind.memory(100, O.down_ms)
    assert mind.rung == "small"
    mind.memory(100, O.down_ms + 1)
    mind.memory(100, 2 * O.down_ms + 1)
    assert mind.rung == "pocket"
    mind.memory(1, 9 * O.down_ms)
    mind.memory(1, 19 * O.down_ms)
    assert mind.rung == "pocket", "what needs no memory stays"


def test_a_larger_one_needs_room_for_itself_and_time(mind):
    mind.memory(100, 0)
    mind.memory(100, O.down_ms)
    room = O.low_mb + O.margin_mb + BOTH["large"]
    mind.memory(room - 1, 10_000)
    mind.memory(room - 1, 90_000)
    assert mind.rung == "small"
    mind.memory(room, 100_000)
    mind.memory(room, 100_000 + O.up_ms - 1)
    assert mind.rung == "small"
    mind.memory(room, 100_000 + O.up_ms)
    assert mind.rung == "large"


def test_slow_answers_take_a_smaller_one_which_is_left_after_a_while(mind):
    for wait_s in (9.0, 1.0, 9.0):
        mind.answered(wait_s, 0)
    assert mind.rung == "small"
    mind.look(O.again_ms - 1)
    assert mind.rung == "small"
    mind.look(O.again_ms)
    assert mind.rung == "large"
    for _ in range(3):
        mind.answered(9.0, O.again_ms)
    mind.look(2.9 * O.again_ms)
    assert mind.rung == "small", "each time it waits twice as long"
    mind.look(3 * O.again_ms)
    assert mind.rung == "large"


def test_one_slow_answer_is_none(mind):
    for wait_s in (9.0, 1.0, 1.0, 1.0, 9.0):
        mind.answered(wait_s, 0)
    assert mind.rung == "large"


@given(
    st.lists(st.tuples(st.floats(0, 4000), st.floats(0, 20), st.sampled_from(STEPS)), max_size=60)
)
def test_whatever_is_told_it_never_moves_up_twice_within_a_while(told):
    mind, now_ms, ups = Mind(BOTH), 0.0, []
    mind.power(STEPS[0])
    for free_mb, wait_s, _ in told:
        now_ms += 2_000
        before = RUNGS.index(mind.rung)
        mind.memory(free_mb, now_ms)
        mind.answered(wait_s, now_ms)
        mind.look(now_ms)
        after = RUNGS.index(mind.rung)
        assert mind.rung != "templates"
        if after < before:
            ups.append(now_ms)
    assert all(later - before >= O.down_ms for before, later in pairwise(ups))


@given(st.sampled_from(STEPS), st.floats(0, 8000), st.floats(0, 60))
def test_no_rung_is_above_what_the_power_allows(step, free_mb, wait_s):
    mind = Mind(BOTH)
    mind.power(step)
    for now_ms in (0, 5_000, 50_000, 500_000):
        mind.memory(free_mb, now_ms)
        mind.answered(wait_s, now_ms)
        mind.look(now_ms)
        assert RUNGS.index(mind.rung) >= RUNGS.index(step.model)
