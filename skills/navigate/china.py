"""Coordinates in China: WGS-84, which satellites tell, and GCJ-02, which maps there are drawn in.

The transform and its constants are public (Krasovsky 1940 ellipsoid: a = 6,378,245 m,
e² = 0.00669342162296594323); its inverse is found by correcting a few times what it gives.
"""

from __future__ import annotations

from math import cos, pi, radians, sin, sqrt

from skills.navigate.streets import Point

_A = 6_378_245.0
_EE = 0.00669342162296594323
_ROUNDS = 5
"""Corrections of the inverse; each makes the error some 30,000 times smaller."""


def within(point: Point) -> bool:
    """Return whether the transform is meant for a point: in the box that everybody uses."""
    return 0.8293 <= point[0] <= 55.8271 and 72.004 <= point[1] <= 137.8347


def to_gcj(point: Point) -> Point:
    """Return a WGS-84 point in GCJ-02; the same point outside China."""
    if not within(point):
        return point
    north, east = _shift(point)
    return point[0] + north, point[1] + east


def to_wgs(point: Point) -> Point:
    """Return a GCJ-02 point in WGS-84; the same point outside China."""
    if not within(point):
        return point
    guess = point
    for _ in range(_ROUNDS):
        north, east = _shift(guess)
        guess = point[0] - north, point[1] - east
    return guess


def _shift(point: Point) -> tuple[float, float]:
    x, y = point[1] - 105.0, point[0] - 35.0
    common = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + common
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + common
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    lat = radians(point[0])
    magic = 1 - _EE * sin(lat) ** 2
    north = north * 180 / (_A * (1 - _EE) / (magic * sqrt(magic)) * pi)
    east = east * 180 / (_A / sqrt(magic) * cos(lat) * pi)
    return north, east
