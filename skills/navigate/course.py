"""A way as it is walked: where on it a position belongs, and how far it is to what comes next.

A position is matched to the way that is walked, not to any street: near where it was a moment ago,
so that a way which comes by the same corner twice is not mixed up, and anywhere on it after a while
without positions. The progress never runs back by less than the position may be wrong, so that the
distance on the lens counts down and does not tremble.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise

from skills.navigate.atlas import Way
from skills.navigate.streets import Point, Step, distance_m, onto

BEHIND_M, AHEAD_M = 30.0, 60.0
"""How far before and beyond the last place on the way the next one is looked for, beside what was
walked and how wrong the position may be."""


class Course:
    """One way, and how far along it the wearer is."""

    def __init__(self, way: Way) -> None:
        """Stand at its beginning."""
        self.steps: tuple[Step, ...] = way.steps
        self.line: tuple[Point, ...] = way.line
        pieces = [distance_m(a, b) for a, b in pairwise(way.line)]
        self._ends = [0.0, *accumulate(pieces)]
        """Metres along the line of each of its points."""
        stretch = self.metres / (way.metres or 1.0)  # steps leave out what is too short to walk
        self._turns = [stretch * far for far in accumulate(step.metres for step in way.steps)]
        """Metres along the line of the end of each step."""
        self.along_m = 0.0
        """How far along it the wearer is."""

    @property
    def metres(self) -> float:
        """How long it is."""
        return self._ends[-1]

    @property
    def left_m(self) -> float:
        """How much of it is left."""
        return max(0.0, self.metres - self.along_m)

    @property
    def now(self) -> int:
        """Which step is being walked, from 0."""
        return min(bisect_right(self._turns, self.along_m), len(self.steps) - 1)

    @property
    def turns_in_m(self) -> float:
        """How far it is to the end of the present step."""
        return max(0.0, self._turns[self.now] - self.along_m)

    def turn_m(self, step: int) -> float:
        """Return how far along the line a step ends."""
        return self._turns[step]

    def follow(self, point: Point, moved_m: float, error_m: float) -> float:
        """Take a position, so far from the last one; return how far from the way it is, in metres.

        Where it is farther off than it may be wrong the progress stays as it was.
        """
        reach = moved_m + error_m
        low, high = self.along_m - BEHIND_M - reach, self.along_m + AHEAD_M + reach
        off, along = self._nearest(point, low, high)
        if off > error_m:
            elsewhere = self._nearest(point, 0.0, self.metres)
            if elsewhere[0] <= error_m:
                off, along = elsewhere
        if off <= error_m and not 0 < self.along_m - along < error_m:
            self.along_m = along
        return off

    def _nearest(self, point: Point, low_m: float, high_m: float) -> tuple[float, float]:
        """Return how far a part of the line is, and how far along it the nearest spot is."""
        first = max(0, bisect_right(self._ends, low_m) - 1)
        last = max(first + 1, bisect_right(self._ends, high_m))
        best = float("inf"), self.along_m
        for at in range(first, min(last, len(self.line) - 1)):
            spot = onto(point, self.line[at], self.line[at + 1])
            along = self._ends[at] + distance_m(self.line[at], spot)
            best = min(best, (distance_m(point, spot), along))
        return best

    def points(self, every_m: float) -> list[tuple[float, Point]]:
        """Return points of the whole way so near to each other, with their metres along it."""
        found: list[tuple[float, Point]] = []
        for at, (one, other) in enumerate(pairwise(self.line)):
            length = self._ends[at + 1] - self._ends[at]
            for n in range(max(1, round(length / every_m))):
                share = n * every_m / length if length else 0.0
                lat = one[0] + share * (other[0] - one[0])
                found.append(
                    (self._ends[at] + n * every_m, (lat, one[1] + share * (other[1] - one[1])))
                )
        return [*found, (self.metres, self.line[-1])]
