"""Simulated heads: what an IMU reads of them."""

import math

import pytest

from hardware.moves import (
    G,
    Pose,
    Sensor,
    during,
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
    together,
    turn,
    walk,
)

PERFECT = Sensor(0.0, 0.0, 0.0, 0.0, arm_m=(0.0, 0.0, 0.0))


def held(pitch=0.0, yaw=0.0, roll=0.0):
    pose = Pose(math.radians(pitch), math.radians(yaw), math.radians(roll))
    return lambda t: pose


def angle(motions, axis):
    """The angle that a gyroscope adds up to, in degrees, reading by reading."""
    total, found = 0.0, []
    for motion in motions:
        total += math.degrees(motion.rotation[axis]) / 100
        found.append(total)
    return found


def deviation(values):
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


@pytest.mark.parametrize(
    ("pose", "felt"),
    [
        (held(), (0, G, 0)),
        (held(pitch=30), (0, G * math.cos(math.radians(30)), -G / 2)),
        (held(pitch=-30), (0, G * math.cos(math.radians(30)), G / 2)),
        (held(roll=30), (G / 2, G * math.cos(math.radians(30)), 0)),
        (held(yaw=70), (0, G, 0)),
    ],
)
def test_gravity_on_a_head_that_is_held(pose, felt):
    motion = record([pose], 0.1, sensor=PERFECT)[5]
    assert motion.acceleration == pytest.approx(felt, abs=1e-9)
    assert motion.rotation == pytest.approx((0, 0, 0), abs=1e-9)


def test_signs_of_the_rotations():
    down = angle(record([nod(degrees=20, hz=1, cycles=1, stray=0)], 1, sensor=PERFECT), 0)
    assert min(down) == pytest.approx(-20, abs=0.5)
    assert down[-1] == pytest.approx(0, abs=0.5)
    up = angle(record([glance(degrees=22)], 1, sensor=PERFECT), 0)
    assert max(up) == pytest.approx(22, abs=0.5)
    left = angle(record([turn(degrees=50)], 1, sensor=PERFECT), 1)
    assert max(left) == pytest.approx(50, abs=0.5)


def test_a_head_that_is_turned_while_it_looks_down_rotates_about_its_own_axes():
    turning = together(held(pitch=-60), turn(degrees=40, move_s=0.5))
    motions = record([turning], 0.5, sensor=PERFECT)
    yaw, roll = angle(motions, 1)[-1], angle(motions, 2)[-1]
    assert yaw == pytest.approx(40 * math.cos(math.radians(60)), abs=1.5)
    assert roll == pytest.approx(40 * math.sin(math.radians(60)), abs=2.5)


def test_glasses_on_a_turning_head_feel_it():
    still_, nodding = record([still()], 2), record([nod(degrees=20, hz=2)], 2)
    assert deviation([m.acceleration[1] for m in still_]) < 0.1
    assert deviation([m.acceleration[1] for m in nodding]) > 0.5


def test_nods_get_smaller():
    pitch = angle(record([nod(degrees=20, hz=1, cycles=3, decline=0.7)], 3, sensor=PERFECT), 0)
    depths = [-min(pitch[k : k + 100]) for k in (0, 100, 200)]
    assert depths == pytest.approx([20, 14, 9.8], abs=0.5)


def test_the_noise_is_that_of_the_data_sheet():
    motions = record([held()], 60, rate_hz=100, seed=3)
    acceleration = deviation([m.acceleration[0] for m in motions])
    rotation = deviation([m.rotation[0] for m in motions])
    assert acceleration == pytest.approx(160e-6 * G * math.sqrt(50), rel=0.05)
    assert rotation == pytest.approx(math.radians(0.007) * math.sqrt(50), rel=0.05)


def test_an_offset_is_that_of_the_part():
    offsets = [record([held()], 0.5, seed=seed)[9].rotation[0] for seed in range(40)]
    assert 0.2 < math.degrees(deviation(offsets)) < 1.0


def test_it_clips():
    wild = [nod(degrees=170, hz=5, cycles=5)]
    motions = record(wild, 1)
    assert max(abs(m.rotation[0]) for m in motions) == math.radians(1000)
    assert max(max(map(abs, m.acceleration)) for m in motions) == 8 * G


def test_the_same_seed_is_the_same_head():
    moves = lambda: [walk(seed=4), talk(seed=5), ride(seed=6)]  # noqa: E731
    assert record(moves(), 3, seed=1) == record(moves(), 3, seed=1)
    assert record(moves(), 3, seed=1) != record(moves(), 3, seed=2)


@pytest.mark.parametrize("rate_hz", [50, 100, 200])
def test_readings_come_at_their_rate(rate_hz):
    motions = record([still()], 2, rate_hz=rate_hz)
    assert len(motions) == 2 * rate_hz
    assert [m.at_ms for m in motions[:3]] == [0, 1000 / rate_hz, 2000 / rate_hz]


@pytest.mark.parametrize(
    ("move", "low", "high"),
    [
        (still(), 0.0, 0.1),
        (walk(), 1.2, 3.0),
        (stairs(), 1.2, 3.5),
        (run(), 5.0, 12.0),
        (ride(), 0.3, 1.5),
    ],
)
def test_moves_are_as_rough_as_people_are(move, low, high):
    sizes = [math.dist(m.acceleration, (0, 0, 0)) for m in record([move], 30)]
    assert low <= deviation(sizes) <= high


@pytest.mark.parametrize("move", [walk(), run(), stairs()])
def test_no_walk_pitches_the_head_faster_than_heads_were_seen_to(move):
    fastest = max(abs(m.rotation[0]) for m in record([move], 30))
    assert math.degrees(fastest) < 185  # Pozzo et al. 1989, over all tasks


def test_a_walk_is_periodic_in_its_steps():
    pushes = [m.acceleration[1] - G for m in record([walk(hz=2.0)], 20)]

    def alike(lag):
        pairs = zip(pushes, pushes[lag:], strict=False)
        return sum(a * b for a, b in pairs) / sum(a * a for a in pushes)

    assert alike(50) > 0.6
    assert alike(25) < 0.1


@pytest.mark.parametrize("move", [nod(1), shake(1), glance(1), look_down(1), turn(1)])
def test_moves_begin_and_end_at_rest(move):
    assert move(0.99) == Pose()
    assert move(60) == Pose()
    assert max(map(abs, move(1.001))) < 0.01


def test_during_sets_in_and_dies_away():
    move = during(2, 4, held(pitch=10), fade_s=0.5)
    pitches = [math.degrees(move(t).pitch) for t in (1.9, 2.25, 3, 3.75, 4.1)]
    assert pitches == pytest.approx([0, 5, 10, 5, 0])
