"""Which way is up."""

import math
from dataclasses import replace

import pytest

from agent.body import Orientation
from hardware.base import Motion
from hardware.moves import G, Pose, during, glance, look_down, record, ride, still, walk


def felt(motions):
    orientation = Orientation()
    return [orientation.feel(motion) for motion in motions]


def held(pitch):
    pose = Pose(pitch=math.radians(pitch))
    return lambda t: pose


@pytest.mark.parametrize("pitch", [-60, -20, 0, 35, 80])
def test_a_head_that_is_held(pitch):
    last = felt(record([held(pitch)], 5))[-1]
    assert last.pitch_deg == pytest.approx(pitch, abs=4)
    assert last.lift == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("move", [glance(2, degrees=25, hold_s=1), look_down(2, degrees=30)])
def test_it_follows_the_head_at_once(move):
    found = felt(record([still(), move], 3.5))
    truth = math.degrees(move(2.9).pitch)
    assert found[290].pitch_deg - found[190].pitch_deg == pytest.approx(truth, abs=3)


@pytest.mark.parametrize("around", [walk(), ride(seconds=60)])
def test_walks_and_rides_do_not_tilt_it(around):
    pitches = [f.pitch_deg for f in felt(record([around], 60))[500:]]
    assert max(pitches) - min(pitches) < 14
    assert abs(sum(pitches) / len(pitches)) < 4


def test_a_car_that_brakes_tilts_it_by_eight_degrees_at_most():
    brake = during(10, 13.5, lambda t: Pose(back=3.0), 0.5)
    pitches = [f.pitch_deg for f in felt(record([still(), brake], 16))[500:]]
    assert 2 < max(pitches) - min(pitches) < 9


def test_lift_is_the_bounce_of_a_walk_without_gravity():
    lifts = [f.lift for f in felt(record([walk(hz=2.0, bounce_m=0.02)], 20))[500:]]
    assert abs(sum(lifts) / len(lifts)) < 0.4
    assert 2 < max(lifts) < 6


LEVEL = Motion(0.0, (0.0, G, 0.0), (0.0, 0.0, 0.0))


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_ignored(nonsense):
    orientation = Orientation()
    orientation.feel(LEVEL)
    for bad in (
        replace(LEVEL, at_ms=nonsense),
        replace(LEVEL, at_ms=10.0, acceleration=(0.0, nonsense, 0.0)),
        replace(LEVEL, at_ms=10.0, rotation=(nonsense, 0.0, 0.0)),
    ):
        assert orientation.feel(bad) is None
    assert orientation.feel(replace(LEVEL, at_ms=20.0)).step_ms == 20.0


def test_what_comes_late_or_twice_is_ignored():
    orientation = Orientation()
    orientation.feel(replace(LEVEL, at_ms=100.0))
    assert orientation.feel(replace(LEVEL, at_ms=100.0)) is None
    assert orientation.feel(replace(LEVEL, at_ms=90.0)) is None
    assert orientation.feel(replace(LEVEL, at_ms=110.0)).step_ms == 10.0


@pytest.mark.parametrize("then", [100_000.0 + 1_000, 0.0])
def test_after_a_gap_or_with_a_new_clock_it_begins_anew(then):
    orientation = Orientation()
    for motion in record([held(40)], 1):
        orientation.feel(replace(motion, at_ms=motion.at_ms + 99_000))
    level = orientation.feel(replace(LEVEL, at_ms=then))
    assert (level.step_ms, level.pitch_deg) == (0.0, 0.0)


def test_free_fall_and_silence_do_not_confuse_it():
    orientation = Orientation()
    nothing = Motion(0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    assert orientation.feel(nothing).pitch_deg == 0
    assert orientation.feel(replace(nothing, at_ms=10.0)).lift == pytest.approx(-G)
