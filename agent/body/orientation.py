"""Which way is up, as the head feels it: readings of an IMU in terms of a neck.

A complementary filter: the gyroscope tells how "up" moves from one reading to the next, and the
accelerometer, which is right in the long run, pulls it back by a little (Mahony, Hamel and
Pflimlin, Nonlinear complementary filters on the special orthogonal group, IEEE TAC 53, 2008; here
on the direction of gravity alone, since nothing needs north).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hardware.base import Motion

Vector = tuple[float, float, float]

G = 9.80665
"""Standard gravity in m/s²."""
PULL_S = 5.0
"""Time constant of the filter. A car that brakes by 3 m/s² for 3 s tilts it by 8°; a gyroscope
that is off by 0.5 °/s, the BMI270's tolerance, tilts it by 2.5°."""
TRUSTED = 0.3
"""How far what is felt may be from 1 g, in g, to be taken for gravity at all."""
GAP_MS = 200.0
"""Readings farther apart do not belong together: angles between them are not known."""


@dataclass(frozen=True, slots=True)
class Felt:
    """One reading in terms of a neck."""

    at_ms: float
    """When, on the IMU's clock."""
    pitch_deg: float
    """How far the head looks above the horizon."""
    rates: Vector
    """rad/s: pitch (up), yaw (left), roll (to the left)."""
    swing: Vector
    """rad/s², how these change."""
    lift: float
    """Acceleration upwards in m/s², without gravity."""
    step_ms: float
    """Time since the reading before; 0 after a gap, where what was before does not count."""


class Orientation:
    """Keeps track of which way is up."""

    def __init__(self) -> None:
        """Know nothing until the first reading."""
        self._up: Vector | None = None
        self._age_s = 0.0
        self._before: Motion | None = None

    def feel(self, motion: Motion) -> Felt | None:
        """Take a reading; None for one that is no use: not finite, or not later than the last."""
        before = self._before
        if not all(map(math.isfinite, (motion.at_ms, *motion.acceleration, *motion.rotation))):
            return None
        if before is not None and motion.at_ms <= before.at_ms:
            if motion.at_ms > before.at_ms - 1000:
                return None
            before = None  # the clock began anew
        gap = before is None or motion.at_ms - before.at_ms > GAP_MS
        step_s = 0.0 if gap or before is None else (motion.at_ms - before.at_ms) / 1000
        if gap:
            self._up, self._age_s = None, 0.0
        up = self._turned(motion, step_s)
        last = motion.rotation if gap or before is None else before.rotation
        self._before = motion
        per_s = 1 / step_s if step_s else 0.0
        turned = zip(motion.rotation, last, strict=True)
        x, y, z = ((now - then) * per_s for now, then in turned)
        pitch_deg = math.degrees(math.asin(min(max(-up[2], -1.0), 1.0)))
        lift = _dot(motion.acceleration, up) - G
        return Felt(motion.at_ms, pitch_deg, motion.rotation, (x, y, z), lift, step_s * 1000)

    def _turned(self, motion: Motion, step_s: float) -> Vector:
        """Return the direction of "up" in the frame of the head now."""
        force = motion.acceleration
        size = math.sqrt(_dot(force, force))
        if self._up is None:
            self._up = (force[0] / size, force[1] / size, force[2] / size) if size else (0, 1, 0)
            return self._up
        self._age_s += step_s
        u, w = self._up, motion.rotation
        pull = 0.0
        if abs(size / G - 1) < TRUSTED:  # at first a mean of all that was felt
            pull = min(1.0, step_s / min(PULL_S, self._age_s))
        x = u[0] + step_s * (u[1] * w[2] - u[2] * w[1])
        y = u[1] + step_s * (u[2] * w[0] - u[0] * w[2])
        z = u[2] + step_s * (u[0] * w[1] - u[1] * w[0])
        if pull:
            x += pull * (force[0] / size - x)
            y += pull * (force[1] / size - y)
            z += pull * (force[2] / size - z)
        norm = math.sqrt(x * x + y * y + z * z) or 1.0
        self._up = (x / norm, y / norm, z / norm)
        return self._up


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
