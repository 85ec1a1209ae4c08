"""Nods, shakes and looks up, and what is none of them."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.body import Body
from hardware.base import Motion
from hardware.moves import (
    Pose,
    bob,
    during,
    fidget,
    glance,
    look_down,
    nod,
    record,
    ride,
    run,
    shake,
    stairs,
    still,
    talk,
    turn,
    walk,
)
from tests.bench.gestures import gaits, negatives, part, positives
from tests.pace import spending

pytestmark = pytest.mark.slow

GESTURES = ("nod", "shake", "glance", "lower")


def seen(moves, seconds, **sensor):
    return felt(record([still(), *moves], seconds, **sensor))


def felt(motions):
    body = Body()
    return [
        (motion.at_ms / 1000, movement)
        for motion in motions
        for movement in body.feel(motion)
        if movement in GESTURES
    ]


def names(found):
    return [name for _, name in found]


@pytest.mark.parametrize("rate_hz", [50, 100, 200])
@pytest.mark.parametrize(
    ("degrees", "hz", "cycles"),
    [(8, 0.8, 2), (8, 3.0, 2), (14, 1.6, 2), (25, 2.0, 4), (25, 3.0, 3)],
)
def test_a_nod_is_seen_once_and_soon(degrees, hz, cycles, rate_hz):
    found = seen([nod(4, degrees=degrees, hz=hz, cycles=cycles)], 10, rate_hz=rate_hz)
    assert names(found) == ["nod"]
    assert 4 + 1.9 / hz < found[0][0] <= 4 + cycles / hz + 0.5


@pytest.mark.parametrize("rate_hz", [50, 100, 200])
@pytest.mark.parametrize(
    ("degrees", "hz", "cycles"), [(8, 1.0, 2), (15, 1.8, 2), (30, 2.5, 3), (10, 3.0, 4)]
)
def test_a_shake_is_seen_once_and_soon(degrees, hz, cycles, rate_hz):
    found = seen([shake(4, degrees=degrees, hz=hz, cycles=cycles)], 10, rate_hz=rate_hz)
    assert names(found) == ["shake"]
    assert 4 < found[0][0] <= 4 + cycles / hz + 0.7


def test_a_chin_that_goes_up_first_is_a_nod_too():
    lift = during(3.7, 4.3, lambda t: Pose(pitch=math.radians(6)), 0.3)
    assert names(seen([lift, nod(4.2, degrees=15)], 8)) == ["nod"]


def test_whether_the_head_was_at_rest_before_a_nod():
    rested = []
    for around in ([], [ride(rms=0.4, degrees=0.8)]):
        body = Body()
        for motion in record([still(), *around, nod(8)], 12):
            if "nod" in body.feel(motion):
                rested.append(body.rested)
    assert rested == [True, False]


@pytest.mark.parametrize("around", [walk(), ride(rms=0.4, degrees=0.8)])
def test_gestures_are_seen_on_the_way(around):
    moves = [around, nod(6, degrees=18), shake(10), glance(14, degrees=25), nod(20, degrees=18)]
    assert names(seen(moves, 25)) == ["nod", "shake", "glance", "lower", "nod"]


@pytest.mark.parametrize(
    "move",
    [
        nod(4, degrees=20, cycles=1),
        nod(4, degrees=4, cycles=4),
        nod(4, degrees=10, hz=0.4, cycles=3),
        bob(4, degrees=12, hz=1.0),
        bob(4, degrees=12, hz=2.0),
        look_down(4, hold_s=0.1),
        look_down(4, hold_s=5),
        turn(4, degrees=70),
        shake(4, degrees=20, cycles=1),
        shake(4, degrees=3, cycles=4),
        stairs(),
        run(),
        during(4, 6, walk(degrees=3.0), 0.3),
        during(4, 6.5, stairs(), 0.3),
        ride(rms=1.0, degrees=1.5, bumps_s=5),
        talk(degrees=1.8),
        fidget(30, each_s=1.5),
    ],
)
def test_what_is_no_nod_and_no_shake(move):
    found = names(seen([move], 30))
    assert "nod" not in found
    assert "shake" not in found


def test_looking_down_twice_at_a_phone_is_no_nod():
    twice = [look_down(4, hold_s=0.8, move_s=0.4), look_down(6.0, hold_s=0.8, move_s=0.4)]
    assert seen(twice, 12) == []


def test_looking_to_both_sides_of_a_street_is_no_shake():
    both = [turn(4, degrees=60, hold_s=0.2), turn(5.0, degrees=-60, hold_s=0.2)]
    assert seen(both, 10) == []


def test_a_head_that_goes_round_is_neither():
    circle = [nod(4, degrees=20, hz=1.5, cycles=3), shake(4, degrees=10, hz=1.5, cycles=3)]
    assert seen(circle, 10) == []


def test_a_frame_that_is_shaken_by_hand_is_no_nod():
    """It turns as a nod does, and is lifted as no neck can."""
    tug = during(4, 5.4, lambda t: Pose(up=9 * math.sin(math.tau * 1.6 * t)), 0.2)
    assert names(seen([nod(4)], 8)) == ["nod"]
    assert seen([nod(4), tug], 8) == []


def test_a_nod_that_ends_elsewhere_is_none():
    assert seen([nod(4, cycles=2), look_down(5.2, move_s=0.3, hold_s=3)], 7.5) == []


def test_two_nods_are_two():
    assert names(seen([nod(4), nod(8)], 12)) == ["nod", "nod"]


# -- looks up -------------------------------------------------------------------------------------


def test_a_glance_is_seen_when_it_is_held_and_when_it_is_over():
    (up, one), (down, other) = seen([glance(4, degrees=22, hold_s=3, move_s=0.35)], 10)
    assert (one, other) == ("glance", "lower")
    assert 4.3 < up <= 4 + 0.35 + 0.35
    assert 7.35 < down <= 7.7 + 0.35


@pytest.mark.parametrize(
    "move",
    [
        glance(4, degrees=10),
        glance(4, degrees=30, hold_s=0.0, move_s=0.2),
        look_down(4, degrees=40, hold_s=8),
        during(4, 8, lambda t: Pose(back=-4.0), 0.5),
    ],
)
def test_what_is_no_look_up(move):
    assert seen([move], 15) == []


def test_where_the_wearer_usually_looks_may_be_up_or_down():
    for tilt in (-25, 20):
        leaning = lambda t, tilt=tilt: Pose(pitch=math.radians(tilt))  # noqa: E731
        assert names(seen([leaning, glance(6)], 12)) == ["glance", "lower"]


def test_who_leans_back_for_good_looks_there_from_then_on():
    leaning = glance(4, degrees=30, hold_s=100)
    found = seen([leaning, glance(40)], 45)
    assert names(found) == ["glance", "lower", "glance", "lower"]
    assert found[1][0] == pytest.approx(found[0][0] + 20, abs=1)


# -- bad input ------------------------------------------------------------------------------------


def test_half_a_nod_before_a_gap_and_half_after_is_none():
    motions = record([still(), nod(4, hz=1.0, cycles=2)], 9)
    gap = [m for m in motions if not 4_950 < m.at_ms < 5_250]
    assert names(felt(motions)) == ["nod"]
    assert felt(gap) == []


def test_a_lost_reading_now_and_then_does_no_harm():
    motions = record([still(), nod(4), shake(8)], 12)
    assert names(felt([m for n, m in enumerate(motions) if n % 7])) == ["nod", "shake"]


def test_readings_that_are_no_numbers_do_no_harm():
    bad = Motion(0.0, (math.nan,) * 3, (math.inf,) * 3)
    motions = []
    for motion in record([still(), nod(4)], 8):
        motions += [motion, replace(bad, at_ms=motion.at_ms + 5)]
    assert names(felt(motions)) == ["nod"]


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_noise_of_any_size_raises_nothing(data):
    numbers = st.floats(-2000, 2000)
    vectors = st.tuples(numbers, numbers, numbers)
    body = Body()
    at_ms = 0.0
    for _ in range(50):
        at_ms += data.draw(st.sampled_from((5.0, 10.0, 20.0, 300.0, -3.0)))
        body.feel(Motion(at_ms, data.draw(vectors), data.draw(vectors)))


# -- many -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_minute_of_each_thing_that_is_no_gesture():
    found = negatives(hours=1 / 60, seed=7, fitted=False)
    assert {kind: f.counts["nod"] for kind, f in found.items() if f.counts["nod"]} == {}
    assert sum(f.counts["shake"] for f in found.values()) <= 1


@pytest.mark.slow
def test_most_gestures_are_seen_and_soon():
    for (gesture, context), (share, waits) in positives(10, seed=7, fitted=False).items():
        if gesture == "paying nod" and context != "still":
            assert share == 0, context  # out of movement the yes has to be said
            continue
        assert share >= (0.8 if context == "still" else 0.6), (gesture, context)
        assert part(waits, 0.95) < 800


@pytest.mark.slow
def test_gaits_of_all_kinds_are_seen_within_three_seconds():
    for waits in gaits(12, seed=7, fitted=False).values():
        assert waits[-1] <= 3000


def test_it_costs_little():
    motions = record([still(), walk()], 20)
    body = Body()
    with spending() as spent:
        for motion in motions:
            body.feel(motion)
    assert spent.yards < 20 * 100  # of 20 s: a tenth of a core
