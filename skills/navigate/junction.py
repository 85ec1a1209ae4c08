"""The sketch of a junction: the way and the streets that leave it, with the way in pointing up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import cos, radians, sin

from hardware.base import Sketch, Stroke
from skills.navigate.atlas import Map
from skills.navigate.course import Course
from skills.navigate.roads import between
from skills.navigate.streets import EARTH_M, Point, bearing_deg, distance_m

SEEN_M = 45.0
"""What half the width of the sketch stands for: the next turn, and not the one after it."""
BEFORE, AFTER, ARM = 1.5, 0.8, 0.9
"""How much of the way in, the way on and of other streets is drawn, over that."""
LOOK_M = 15.0
"""How much of the way in tells what is up."""
SAME_DEG = 25.0
"""An arm so near to the way is the way."""
BACK_DEG = 165.0
"""From here on the way on would cover the way in: that is no junction to be drawn."""
HEAD, HEAD_DEG = 0.36, 140.0
"""Length of the two sides of the arrow's head, and how far they are bent back."""
SIDE = 0.5
"""Brightness of the other streets."""
WAY, STREET = 0.15, 0.09
"""How thick they are."""

Spot = tuple[float, float]
"""Right and down, as in a stroke."""


def ahead(course: Course, step: int, on: Map) -> Sketch:
    """Sketch the junction at the end of a step; empty at the end of the way."""
    if step + 1 >= len(course.steps):
        return ()
    at_m = course.turn_m(step)
    return sketch(course.line, at_m, on.arms(between(list(course.line), at_m, at_m)[0]))


def sketch(line: Sequence[Point], at_m: float, arms: Sequence[float]) -> Sketch:
    """Sketch the junction that lies so many metres along a way; empty where there is none to draw.

    `arms` are the bearings of all streets that leave it.
    """
    way = list(line)
    whole = sum(distance_m(a, b) for a, b in pairwise(way))
    if not 1.0 < at_m < whole - 1.0:
        return ()
    before = between(way, max(0.0, at_m - BEFORE * SEEN_M), at_m)
    after = between(way, at_m, min(whole, at_m + AFTER * SEEN_M))
    middle = after[0]
    up = bearing_deg(between(way, max(0.0, at_m - LOOK_M), at_m)[0], middle)
    on = bearing_deg(middle, between(way, at_m, min(whole, at_m + LOOK_M))[-1])
    if abs(_turned(on, up)) > BACK_DEG:
        return ()
    others = [arm for arm in arms if all(abs(_turned(arm, d)) > SAME_DEG for d in (on, up + 180))]
    streets = [Stroke(((0.0, 0.0), _to(arm - up, ARM)), SIDE, STREET) for arm in others]
    walked = tuple(_placed(point, middle, up) for point in (*before, *after[1:]))
    x, y = walked[0]
    if at_m < AFTER * SEEN_M:  # where the walk begins the wearer stands, and is shown to come from
        walked = (x, max(y, AFTER)), *walked
    tip = walked[-1]
    goes = (
        bearing_deg(between(way, at_m, at_m + AFTER * SEEN_M - HEAD * SEEN_M)[-1], after[-1]) - up
    )
    sides = [_plus(tip, _to(goes + bend, HEAD)) for bend in (HEAD_DEG, -HEAD_DEG)]
    return (*streets, Stroke(walked, 1.0, WAY), Stroke((sides[0], tip, sides[1]), 1.0, WAY))


def _turned(one: float, other: float) -> float:
    return (one - other + 180) % 360 - 180


def _to(deg: float, far: float) -> Spot:
    """Return where one comes from the middle, `deg` clockwise from up."""
    return round(far * sin(radians(deg)), 3), round(-far * cos(radians(deg)), 3)


def _plus(one: Spot, other: Spot) -> Spot:
    return one[0] + other[0], one[1] + other[1]


def _placed(point: Point, middle: Point, up_deg: float) -> Spot:
    """Turn a point so that `up_deg` is up; over a hundred metres the earth is flat."""
    metres = radians(1.0) * EARTH_M / SEEN_M
    north = (point[0] - middle[0]) * metres
    east = (point[1] - middle[1]) * metres * cos(radians(middle[0]))
    angle = radians(up_deg)
    return (
        round(east * cos(angle) - north * sin(angle), 3),
        round(-(east * sin(angle) + north * cos(angle)), 3),
    )
