"""How heads move: nods and steps, rides and talk, as smooth functions of time.

A move gives the pose of the head at a time; moves add up, so a nod on a walk is the sum of both.
`record` makes the readings of an IMU of them, with the noise of a real one:

    record([walk(), nod(at_s=2.0)], seconds=5.0)

Sizes and rates are those of the literature where a docstring names one; the rest are estimates
that are kept wide. They are for tests and the simulator: recordings of people would be better.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from hardware.base import Motion

G = 9.80665
"""Standard gravity in m/s²."""
RATE_HZ = 100

Vector = tuple[float, float, float]


class Pose(NamedTuple):
    """Where the head looks and how it is pushed about, at one time."""

    pitch: float = 0.0
    """Radians about the axis to the right: looking up is positive."""
    yaw: float = 0.0
    """Radians about the vertical: turning left is positive."""
    roll: float = 0.0
    """Radians about the axis to the back: leaning left is positive."""
    right: float = 0.0
    """Acceleration of the neck in m/s², to the right of where the head looks."""
    up: float = 0.0
    """The same, upwards; gravity is not in it."""
    back: float = 0.0
    """The same, backwards."""


Move = Callable[[float], Pose]
"""The pose at a time in seconds; `Pose()` before it begins, and after where it ends level."""

LEVEL = Pose()


# -- gestures -------------------------------------------------------------------------------------


def nod(
    at_s: float = 0.0,
    *,
    degrees: float = 14.0,
    hz: float = 1.6,
    cycles: int = 2,
    decline: float = 0.9,
    skew: float = 0.5,
    stray: float = 0.08,
) -> Move:
    """Nod: the head goes down by `degrees` and up again, `cycles` times.

    Each cycle is `decline` as deep as the one before: nods get smaller (Mori, Den and Jokinen,
    Structure of nods in conversation, PLOS One 2025). `skew` is the part of a cycle that goes
    down; `stray` is how much of the movement goes into yaw, and half as much into roll.
    """

    def pose(t: float) -> Pose:
        done = (t - at_s) * hz
        if not 0 <= done < cycles:
            return LEVEL
        depth = math.radians(degrees) * decline ** int(done)
        part = done % 1
        part = part / skew / 2 if part < skew else 0.5 + (part - skew) / (1 - skew) / 2
        down = depth * (1 - math.cos(math.tau * part)) / 2
        return Pose(-down, stray * down, stray / 2 * down)

    return pose


def shake(
    at_s: float = 0.0,
    *,
    degrees: float = 15.0,
    hz: float = 1.8,
    cycles: int = 2,
    decline: float = 0.9,
    stray: float = 0.08,
) -> Move:
    """Shake: the head turns left and right by `degrees` to each side, `cycles` times."""

    def pose(t: float) -> Pose:
        done = (t - at_s) * hz
        if not 0 <= done < cycles:
            return LEVEL
        # sin·|sin| would begin at rest, but is no longer a swing: ease the two ends instead
        ease = min(1.0, done * 4, (cycles - done) * 4)
        side = math.radians(degrees) * decline**done * _smooth(ease) * math.sin(math.tau * done)
        return Pose(stray * side, side, stray / 2 * side)

    return pose


def glance(
    at_s: float = 0.0, *, degrees: float = 22.0, hold_s: float = 1.2, move_s: float = 0.35
) -> Move:
    """Raise the head by `degrees`, hold it there, and lower it: a look at what is on the lens."""
    return _there_and_back(at_s, Pose(pitch=math.radians(degrees)), hold_s, move_s)


# -- what is no gesture ---------------------------------------------------------------------------


def look_down(
    at_s: float = 0.0, *, degrees: float = 35.0, hold_s: float = 4.0, move_s: float = 0.5
) -> Move:
    """Look down at a phone or a step, and up again."""
    return _there_and_back(at_s, Pose(pitch=-math.radians(degrees)), hold_s, move_s)


def turn(
    at_s: float = 0.0, *, degrees: float = 50.0, hold_s: float = 0.8, move_s: float = 0.45
) -> Move:
    """Look to the left (to the right below 0) and back. Heads dip a little as they turn."""
    there = Pose(pitch=-0.06 * math.radians(abs(degrees)), yaw=math.radians(degrees))
    return _there_and_back(at_s, there, hold_s, move_s)


def still(*, degrees: float = 0.5, seed: int = 0) -> Move:
    """Stand or sit: sway and breath, slower than 1 Hz."""
    return _restless(seed, (0.08, 1.0), (degrees, degrees, degrees / 2), (0.03, 0.03, 0.03))


def talk(*, degrees: float = 1.6, seed: int = 0) -> Move:
    """Talk: slow shifts, and beats that go with the syllables; `degrees` is their usual size."""
    slow = _restless(seed, (0.1, 0.8), (degrees, degrees * 1.5, degrees), (0.05, 0.05, 0.05))
    beats = _restless(seed + 1, (0.8, 4.5), (degrees, degrees / 2, degrees / 3), (0.1, 0.15, 0.1))
    return together(slow, beats)


def chew(*, degrees: float = 0.6, hz: float = 1.5, seed: int = 0) -> Move:
    """Chew: the jaw goes at `hz` and takes the head along a little."""
    return _cyclic(hz, seed, Pose(math.radians(degrees), 0, math.radians(degrees / 3), 0, 0.25, 0))


def bob(at_s: float = 0.0, *, degrees: float = 9.0, hz: float = 1.9, seconds: float = 20.0) -> Move:
    """Bob the head to music, on and on: each beat looks like a nod."""
    return during(at_s, at_s + seconds, nod(at_s, degrees=degrees, hz=hz, cycles=10**6, decline=1))


def fidget(seconds: float, *, each_s: float = 4.0, seed: int = 0) -> Move:
    """Look about, lean, look down and up, settle the glasses, at random, every `each_s` or so."""
    rng = random.Random(seed)
    moves: list[Move] = []
    at_s = rng.uniform(0.3, each_s)
    while at_s < seconds:
        there = Pose(*(math.radians(rng.gauss(0, size)) for size in (12, 22, 6)))
        hold_s, move_s = rng.expovariate(1 / 1.2), rng.uniform(0.25, 0.8)
        if rng.random() < 0.15:  # a hand at the frame: short pushes
            push = _there_and_back(at_s, Pose(0.03, 0.02, 0.03, 2.0, 3.0, 2.0), 0.05, 0.12)
            moves.append(push)
        moves.append(_there_and_back(at_s, there, hold_s, move_s))
        at_s += 2 * move_s + hold_s + rng.expovariate(1 / each_s)
    return together(*moves)


def walk(
    *,
    hz: float = 1.9,
    bounce_m: float = 0.02,
    degrees: float = 1.8,
    tilt: float = 0.0,
    seed: int = 0,
) -> Move:
    """Walk at `hz` steps a second; the head goes up and down by `bounce_m` to either side.

    4 cm from top to bottom and 1.6 … 2.2 steps a second are usual. The neck makes up for it by
    pitching the head by a few degrees in time with the steps, and yaw and roll follow the stride,
    which is two steps (Hirasaki et al., Exp Brain Res 127, 1999; Pozzo et al., Exp Brain Res 82,
    1990). `tilt` is where the wearer looks, in degrees.
    """
    push = bounce_m * (math.tau * hz) ** 2
    angle = math.radians(degrees)
    step = _cyclic(hz, seed, Pose(angle, 0, 0, 0, push, 0.35 * push), harmonic=0.25)
    stride = Pose(0.2 * angle, 1.2 * angle, 0.7 * angle, 0.3 * push, 0.1 * push, 0)
    sway = _cyclic(hz / 2, seed, stride, wander_seed=seed)
    held = Pose(pitch=math.radians(tilt))
    return together(step, sway, lambda _: held)


def run(*, hz: float = 2.7, bounce_m: float = 0.04, degrees: float = 4.0, seed: int = 0) -> Move:
    """Run: as walking, higher, faster and less steady (head pitch stays below 20°, Pozzo 1990)."""
    return walk(hz=hz, bounce_m=bounce_m, degrees=degrees, seed=seed)


def stairs(*, hz: float = 1.6, down: bool = True, seed: int = 0) -> Move:
    """Take stairs, with an eye on the steps: head down, and a harder landing on the way down."""
    bounce_m, degrees = (0.03, 3.2) if down else (0.025, 2.6)
    return walk(hz=hz, bounce_m=bounce_m, degrees=degrees, tilt=-25 if down else -12, seed=seed)


def ride(
    *,
    rms: float = 0.5,
    degrees: float = 1.0,
    bumps_s: float = 12.0,
    seconds: float = 60.0,
    seed: int = 0,
) -> Move:
    """Ride a car or a bus: shaking over a broad band, braking, and bumps that ring out.

    `rms` is the vertical acceleration in m/s²; 0.3 … 0.7 on the seat is usual (ISO 2631-1's
    surveys). `degrees` is how far the head pitches with it. A bump comes every `bumps_s` or so:
    the body of the car swings at 1 … 2 Hz, and the head follows.
    """
    rng = random.Random(seed)
    lean, push = (degrees, degrees / 2, degrees), (rms / 2, rms * 0.7, rms / 2)
    body = _restless(seed, (0.9, 3.0), lean, push)
    wheels = _restless(seed + 1, (5.0, 14.0), _scaled(lean, 1 / 8), _scaled(push, 0.7))
    moves = [body, wheels]
    at_s = rng.expovariate(1 / bumps_s)
    while at_s < seconds:
        hz, size = rng.uniform(1.0, 2.0), rng.uniform(1.0, 3.0)
        swing = Pose(math.radians(1.3 * degrees * size), 0, 0, 0, 1.2 * size, 0.4 * size)
        moves.append(_ring(at_s, hz, rng.uniform(0.2, 0.4), swing))
        if rng.random() < 0.4:
            brake = Pose(pitch=math.radians(-2 * degrees), back=rng.uniform(-2.5, 2.5))
            moves.append(_there_and_back(at_s + 3, brake, rng.uniform(1, 4), 0.8))
        at_s += rng.expovariate(1 / bumps_s)
    return together(*moves)


# -- putting moves together -----------------------------------------------------------------------


def together(*moves: Move) -> Move:
    """Add moves up."""
    return lambda t: _sum(move(t) for move in moves)


def during(begin_s: float, end_s: float, move: Move, fade_s: float = 0.5) -> Move:
    """Do a move from `begin_s` to `end_s`, setting in and dying away over `fade_s`."""

    def pose(t: float) -> Pose:
        much = _smooth(min(1.0, (t - begin_s) / fade_s, (end_s - t) / fade_s))
        return Pose(*(much * value for value in move(t))) if much > 0 else LEVEL

    return pose


@dataclass(frozen=True, slots=True)
class Sensor:
    """What an IMU adds. The defaults are Bosch's BMI270 (data sheet BST-BMI270-DS000)."""

    acceleration_density: float = 160e-6 * G
    """Noise of the accelerometer in m/s² per √Hz: 160 µg/√Hz."""
    rotation_density: float = math.radians(0.007)
    """Noise of the gyroscope in rad/s per √Hz: 7 mdps/√Hz."""
    acceleration_offset: float = 0.02 * G
    """Its standard deviation from part to part, in m/s²: ±20 mg."""
    rotation_offset: float = math.radians(0.5)
    """The same in rad/s: ±0.5 dps."""
    acceleration_most: float = 8 * G
    """Where the accelerometer clips, in m/s²."""
    rotation_most: float = math.radians(1000)
    """Where the gyroscope clips, in rad/s."""
    arm_m: Vector = (0.07, 0.10, -0.09)
    """Where it sits, from the joint of head and neck, in metres: in a temple of the glasses."""


BMI270 = Sensor()


def record(
    moves: Iterable[Move],
    seconds: float,
    *,
    rate_hz: int = RATE_HZ,
    seed: int = 0,
    sensor: Sensor = BMI270,
) -> list[Motion]:
    """Return what an IMU reads of moves that begin at 0; `seed` makes its noise."""
    move = together(*moves)
    poses = (move((k - 1) / rate_hz) for k in range(int(seconds * rate_hz) + 2))
    return list(readings(poses, rate_hz, seed, sensor))


def readings(
    poses: Iterable[Pose],
    rate_hz: int,
    seed: int = 0,
    sensor: Sensor = BMI270,
    start: int = 0,
) -> Iterator[Motion]:
    """Turn poses at `rate_hz` into readings; the first and the last pose only give the motion.

    `start` is the number of the first reading, which is `start / rate_hz` seconds on its clock.
    """
    rng = random.Random(f"imu {seed}")
    bandwidth = math.sqrt(rate_hz / 2)  # of the noise: a reading is filtered to half its rate
    offset = _random(rng, sensor.acceleration_offset)
    drift = _random(rng, sensor.rotation_offset)
    noise, wobble = sensor.acceleration_density * bandwidth, sensor.rotation_density * bandwidth
    dt = 1 / rate_hz
    last: Vector | None = None
    here: list[Pose] = []
    for pose in poses:
        here.append(pose)
        if len(here) < 3:
            continue
        rate = _rate(here[0], here[1], here[2], dt)
        turning = _scaled(_add(rate, _scaled(last or rate, -1)), rate_hz)
        last = rate
        push = _felt(here[1], rate, turning, sensor.arm_m)
        yield Motion(
            start * 1000 / rate_hz,
            _clipped(_add(push, offset, _random(rng, noise)), sensor.acceleration_most),
            _clipped(_add(rate, drift, _random(rng, wobble)), sensor.rotation_most),
        )
        start += 1
        del here[0]


# -- mechanics ------------------------------------------------------------------------------------


def _rate(before: Pose, now: Pose, after: Pose, dt: float) -> Vector:
    """Return the rotation in rad/s about the head's own axes: yaw, then pitch, then roll."""
    pitch, yaw, roll = ((a - b) / (2 * dt) for a, b in zip(after[:3], before[:3], strict=True))
    turned = (pitch, yaw * math.cos(now.pitch), -yaw * math.sin(now.pitch))
    return _add(_leaned(turned, now.roll), (0.0, 0.0, roll))


def _felt(pose: Pose, rate: Vector, turning: Vector, arm: Vector) -> Vector:
    """Return what an accelerometer on the head feels: gravity, pushes, and its own circling."""
    cos, sin = math.cos(pose.pitch), math.sin(pose.pitch)
    up, back = pose.up + G, pose.back
    neck = _leaned((pose.right, cos * up + sin * back, cos * back - sin * up), pose.roll)
    return _add(neck, _cross(rate, _cross(rate, arm)), _cross(turning, arm))


def _leaned(v: Vector, roll: float) -> Vector:
    """Return a vector as a head sees it that leans by `roll`."""
    cos, sin = math.cos(roll), math.sin(roll)
    return (cos * v[0] + sin * v[1], cos * v[1] - sin * v[0], v[2])


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _add(*vectors: Vector) -> Vector:
    x, y, z = map(sum, zip(*vectors, strict=True))
    return (x, y, z)


def _scaled(a: Vector, by: float) -> Vector:
    return (a[0] * by, a[1] * by, a[2] * by)


def _random(rng: random.Random, size: float) -> Vector:
    return (rng.gauss(0, size), rng.gauss(0, size), rng.gauss(0, size))


def _clipped(a: Vector, most: float) -> Vector:
    x, y, z = (min(max(value, -most), most) for value in a)
    return (x, y, z)


# -- shapes ---------------------------------------------------------------------------------------


def _sum(poses: Iterable[Pose]) -> Pose:
    return Pose(*map(sum, zip(LEVEL, *poses, strict=True)))


def _smooth(part: float) -> float:
    """Go from 0 to 1 with no jerk at either end: Flash and Hogan's minimum jerk (1985)."""
    part = min(max(part, 0.0), 1.0)
    return part**3 * (10 - 15 * part + 6 * part**2)


def _there_and_back(at_s: float, there: Pose, hold_s: float, move_s: float) -> Move:
    def pose(t: float) -> Pose:
        done = t - at_s
        if not 0 < done < 2 * move_s + hold_s:
            return LEVEL
        much = _smooth(min(done, 2 * move_s + hold_s - done) / move_s)
        return Pose(*(much * value for value in there))

    return pose


def _ring(at_s: float, hz: float, damping: float, size: Pose) -> Move:
    """Swing at `hz` and die away, as a car's body does after a bump."""

    def pose(t: float) -> Pose:
        done = (t - at_s) * math.tau * hz
        if not 0 < done < 40:
            return LEVEL
        much = math.exp(-damping * done) * math.sin(done) * _smooth(done)
        return Pose(*(much * value for value in size))

    return pose


def _cyclic(
    hz: float, seed: int, size: Pose, harmonic: float = 0.0, wander_seed: int | None = None
) -> Move:
    """Repeat at `hz` as people do: rate and size wander by some percent.

    Each part of `size` has a phase of its own. Two with one `wander_seed` keep in step.
    """
    wander = random.Random(f"wander {seed if wander_seed is None else wander_seed}")
    slow = [(wander.uniform(0.03, 0.25), wander.uniform(0, math.tau)) for _ in range(3)]
    phases = [random.Random(f"phase {seed} {hz}").uniform(0, math.tau) for _ in size]
    phases[4] = 0.0

    def pose(t: float) -> Pose:
        drift = sum(math.sin(math.tau * f * t + p) for f, p in slow) / 3
        turn = math.tau * hz * (t + 0.08 * drift)
        much = 1 + 0.2 * drift
        wave = [math.sin(turn + p) + harmonic * math.sin(2 * turn + 2.3 * p) for p in phases]
        return Pose(*(much * s * w for s, w in zip(size, wave, strict=True)))

    return pose


def _restless(
    seed: int, band_hz: tuple[float, float], degrees: Vector, push: Vector, waves: int = 7
) -> Move:
    """Move at random within a band: `degrees` and `push` (m/s²) are standard deviations."""
    rng = random.Random(f"restless {seed} {band_hz}")
    low, high = map(math.log, band_hz)
    sizes = [*(math.radians(size) for size in degrees), *push]
    scale = math.sqrt(2 / waves)
    parts = [
        [
            (size * scale, math.tau * math.exp(rng.uniform(low, high)), rng.uniform(0, math.tau))
            for _ in range(waves)
        ]
        for size in sizes
    ]

    def pose(t: float) -> Pose:
        return Pose(*(sum(a * math.sin(w * t + p) for a, w, p in part) for part in parts))

    return pose
