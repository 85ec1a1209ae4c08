"""Walking and standing."""

import pytest

from agent.body import Body
from hardware.moves import (
    bob,
    chew,
    during,
    fidget,
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

pytestmark = pytest.mark.slow


def gaits(moves, seconds, **sensor):
    body = Body()
    return [
        (motion.at_ms / 1000, movement)
        for motion in record(moves, seconds, **sensor)
        for movement in body.feel(motion)
        if movement in ("walking", "standing")
    ]


@pytest.mark.parametrize("rate_hz", [50, 100, 200])
@pytest.mark.parametrize("hz", [1.6, 1.9, 2.2])
def test_walking_and_standing_are_noticed_within_three_seconds(hz, rate_hz):
    moves = [still(), during(4, 14, walk(hz=hz, seed=rate_hz), 0.4)]
    (began, walking), (ended, standing) = gaits(moves, 20, rate_hz=rate_hz)
    assert (walking, standing) == ("walking", "standing")
    assert 4 < began <= 7
    assert 14 - 0.4 < ended <= 17


@pytest.mark.parametrize("move", [run(), stairs(), walk(hz=1.4, bounce_m=0.015)])
def test_runs_stairs_and_strolls_are_walks(move):
    found = gaits([still(), during(4, 14, move)], 20)
    assert [gait for _, gait in found] == ["walking", "standing"]


@pytest.mark.parametrize(
    "move",
    [
        still(degrees=1.5),
        talk(degrees=2.0),
        chew(degrees=1.0),
        fidget(60),
        ride(rms=0.7, degrees=1.5, seconds=60),
        bob(5, degrees=12, seconds=30),
        during(5, 25, walk(hz=4.5, bounce_m=0.003, degrees=0.5)),  # laughter
        nod(5, degrees=25, hz=2.5, cycles=8),
        shake(5, degrees=30, hz=2.5, cycles=8),
        look_down(5),
        turn(5),
    ],
)
def test_nothing_else_is(move):
    assert gaits([still(), move], 60) == []


def test_a_walk_is_one_walk_whatever_the_head_does_on_it():
    moves = [still(), during(4, 34, walk()), talk(), nod(12), shake(16), turn(20), look_down(24)]
    assert [gait for _, gait in gaits(moves, 40)] == ["walking", "standing"]


@pytest.mark.parametrize("rate_hz", [50, 60, 104, 200])
def test_steps_a_second(rate_hz):
    body = Body()
    for motion in record([walk(hz=1.8)], 6, rate_hz=rate_hz):
        body.feel(motion)
    assert body.walking
    assert body.steps_hz == pytest.approx(1.8, abs=0.2)


def test_standing_has_no_steps():
    body = Body()
    for motion in record([still()], 3):
        body.feel(motion)
    assert not body.walking
    assert body.steps_hz is None


def test_a_gap_ends_no_walk_and_begins_none():
    moves = [during(0, 10, walk()), still()]
    motions = [m for m in record(moves, 20) if not 6_000 < m.at_ms < 7_000]
    body = Body()
    found = [(m.at_ms, seen) for m in motions for seen in body.feel(m)]
    assert [seen for _, seen in found] == ["walking", "standing"]
    assert found[1][0] > 9_500
