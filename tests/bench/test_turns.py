"""How turns are judged: pure, on turns made by hand, and once through a whole agent."""

from pathlib import Path

import pytest

from agent.messages import Intent, NotRecognized, Transcript
from agent.turn import Timings, Turn
from tests.bench.turns import Clip, final_turns, judge, percentile, point, summary
from tests.shared import Order

pytestmark = pytest.mark.slow

CLIP = Clip(Order(Path("clip.flac"), "orderDrink", {"coffeeDrink": "latte"}), 3000.0)


def turn(endpoint_ms, drink="latte", replaces=False, glyph_ms=None):
    meant = Intent("barista", "orderDrink", {"coffeeDrink": drink, "size": None}, "", "templates")
    return Turn(
        "clip", Transcript("a latte"), meant if drink else NotRecognized("no"),
        timings=Timings(endpoint=endpoint_ms, first_glyph=glyph_ms), replaces=replaces,
    )  # fmt: skip


def test_a_turn_that_ends_after_the_speech_cuts_nobody_off():
    outcome = judge([turn(3150, glyph_ms=3160)], CLIP)
    assert outcome.right
    assert not outcome.cut()
    assert outcome.waits_ms == {"endpoint": 150, "first_glyph": 160}


def test_a_turn_that_ends_before_it_cuts_off_however_little():
    outcome = judge([turn(2950)], CLIP)
    assert outcome.early_ms == 50
    assert outcome.cut()
    assert not outcome.cut(tolerance_ms=100)


def test_a_reopened_turn_that_ends_right_cut_nobody_off():
    outcome = judge([turn(1500, drink="mocha"), turn(3200, replaces=True)], CLIP)
    assert (outcome.right, outcome.cut(), outcome.reopened) == (True, False, 1)
    assert outcome.waits_ms["endpoint"] == 200
    at = point(1.0, [outcome])
    assert (at.cut_percent, at.reopened_too_percent) == (0, 100)


def test_a_reopened_turn_that_ends_wrong_did():
    outcome = judge([turn(1500), turn(3200, drink="mocha", replaces=True)], CLIP)
    assert (outcome.right, outcome.cut(), outcome.reopened) == (False, True, 1)
    assert outcome.early_ms == 1500


def test_a_second_turn_of_its_own_is_a_cut_off_even_if_it_is_right():
    outcome = judge([turn(1500, drink=None), turn(3200)], CLIP)
    assert (outcome.right, outcome.cut(), outcome.reopened) == (False, True, 0)


def test_what_was_passed_over_in_silence_counts_unless_the_command_came_out_right():
    assert judge([turn(3200, drink="mocha")], CLIP, ended_ms=[900, 3200]).cut()
    assert not judge([turn(3200)], CLIP, ended_ms=[900, 3200]).cut()


def test_no_turn_at_all_is_no_cut_off_and_no_wait():
    outcome = judge([], CLIP)
    assert (outcome.right, outcome.cut(), outcome.waits_ms) == (False, False, {})
    assert summary([outcome])["unanswered_percent"] == 100


def test_a_turn_that_replaces_nothing_stands_for_itself():
    first = turn(1000, replaces=True)
    assert final_turns([first]) == [[first]]


def test_waits_are_those_of_the_clips_that_were_not_cut_off():
    outcomes = [judge([turn(end)], CLIP) for end in (1000, 3100, 3200, 3300)]
    at = point(1.0, outcomes)
    assert (at.cut_percent, at.wait_p50_ms) == (25, 200)
    assert summary(outcomes)["endpoint_p50_ms"] == 200


@pytest.mark.parametrize(("share", "value"), [(0, 1), (0.5, 3), (0.95, 4)])
def test_percentiles_are_by_rank(share, value):
    assert percentile([4, 1, 3, 2], share) == value


def test_the_percentile_of_nothing_is_not_a_number():
    assert str(percentile([], 0.5)) == "nan"
