"""What the wearer says with the head: yes and no.

A nod may confirm a payment, so it has to be meant. An angle is cut into swings, from one turning
point to the next, and a nod is a run of them: down, up, down, up, each wide and fast enough, all
of a size, wider than what the head did before, ending where it began and then at rest. Turning
about another axis, and movement that lifts the glasses more than a turning head can, is none.

That swings must stand out from what the head did before follows GlassGesture (Yi et al., INFOCOM
2016), which raises its thresholds when the wearer walks and runs, and asks for repetition because
people do once what they do not mean. That the accelerometer has to agree with the gyroscope follows
US 2026/0147407 (Google).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Literal

from agent.body.orientation import Felt

Gesture = Literal["nod", "shake"]

_AXES: dict[Gesture, int] = {"nod": 0, "shake": 1}
"""Which rotation each is: about the axis to the right, about the one up."""


@dataclass(frozen=True, slots=True)
class GestureOptions:
    """What a gesture is. Where no source is named, the value was fitted to simulated motion."""

    nod_deg: float = 5.5
    """Smallest swing of a nod."""
    shake_deg: float = 6.5
    """Smallest swing of a shake, from one side to the other."""
    least_dps: float = 14.0
    """Angular speed that each swing must reach, in °/s."""
    half_ms: tuple[float, float] = (100.0, 850.0)
    """Least and most time from one swing to the next: half of a cycle of 0.6 … 5 Hz."""
    even: tuple[float, float] = (1.7, 2.3)
    """The longest of these times, in terms of the shortest: from rest, and amid other movement."""
    over_ms: float = 1500.0
    """Most time from the last swing until it is seen."""
    swings: tuple[int, int] = (4, 10)
    """Fewest and most swings: two cycles, and five. Who goes on bobs to music."""
    regular: float = 0.4
    """Smallest swing, as a part of the widest."""
    drift_dps: float = 3.0
    """Most that a gyroscope shows of a head that is still, in °/s. The BMI270's tolerance is 0.5,
    and parts that were soldered were seen at 3."""
    drift_s: float = 10.0
    """Time constant with which that is found out."""
    over_before: float = 2.0
    """How much wider than the swings before each must be."""
    before_ms: float = 2500.0
    """How far back these are looked for."""
    before_count: int = 3
    """How many of them there must be: two may be a look aside, three are a habit."""
    level: float = 0.5
    """How far from its beginning it may end, as a part of the widest swing."""
    sideways: float = 0.7
    """Most turning about either other axis, as a part of that about its own."""
    lever_m: float = 0.17
    """Farthest that the glasses can be from the joint of the neck, forwards or upwards."""
    lifted_mps2: float = 0.5
    """Vertical acceleration that no lever explains, and may be there all the same."""
    lifted: float = 2.0
    """How much more of it there may be than before, in power: steps are not all alike."""
    after: float = 0.6
    """Widest swing after it, as a part of its own: a shake ends with half a swing."""
    rest: float = 1.0
    """How long the head rests after it, in terms of a swing. In a swing that goes on, an angle
    moves by half in that time, so two beats of many are no gesture."""
    rest_ms: float = 300.0
    """How long at least."""
    rest_deg: float = 0.25
    """How far it may move in that rest, as a part of the swings."""
    rest_before: float = 1.2
    """How far it may move at any rate, in terms of the swings before: steps go on."""
    rest_most: float = 0.38
    """And never by more than this part of the swings."""
    calm_deg: float = 2.75
    """Swings up to which the head was at rest: half the smallest nod."""
    calm_mps2: float = 0.5
    """Vertical acceleration, root mean square, up to which it was: walking begins about there
    (`WalkingOptions.moving_mps2`)."""


@dataclass(frozen=True, slots=True)
class Swing:
    """An angle on its way from one turning point to the next."""

    peak_ms: float
    """When it was fastest."""
    degrees: float
    """How far, and which way."""
    peak_dps: float
    """How fast at most, in °/s."""


class Swings:
    """Cuts an angle into swings.

    They are timed by their fastest moments, since a turning point at rest has no moment.
    """

    REVERSAL_DEG = 1.0
    """An angle that goes back by less has not turned."""

    def __init__(self, angle: float = 0.0) -> None:
        """Begin at rest, at an angle."""
        self.done: deque[Swing] = deque(maxlen=48)
        self._turn = self._far = angle
        self._way = 1
        self._peak_ms = self._peak_dps = 0.0

    def feel(self, at_ms: float, angle: float, dps: float) -> None:
        """Take an angle in degrees and its rate."""
        if (angle - self._far) * self._way <= -self.REVERSAL_DEG:
            self.done.append(self.current)
            self._turn, self._way, self._peak_dps = self._far, -self._way, 0.0
        if (angle - self._far) * self._way >= 0:
            self._far = angle
        if dps * self._way > self._peak_dps:
            self._peak_ms, self._peak_dps = at_ms, dps * self._way

    @property
    def current(self) -> Swing:
        """The swing that goes on, as far as it has come."""
        return Swing(self._peak_ms, self._far - self._turn, self._peak_dps)


class Gestures:
    """Tells gestures from everything else that heads do."""

    KEPT_MS = 13_000.0
    """How long readings are remembered: five slow cycles and what was before them."""

    def __init__(self, options: GestureOptions | None = None) -> None:
        """Hold the head still."""
        self.options = options or GestureOptions()
        self.rested = False
        """Whether the head was at rest before the last gesture: no habit, and nothing lifted it."""
        self._since_ms = 0.0
        self._forget()

    def _forget(self) -> None:
        self._angles = (0.0, 0.0)  # pitch and yaw in degrees, as the gyroscope alone has them
        self._swings = {"nod": Swings(), "shake": Swings()}
        self._kept: deque[tuple[Felt, tuple[float, float]]] = deque()
        self._seen_ms = {"nod": -math.inf, "shake": -math.inf}
        self._drifts = [0.0, 0.0]
        self._age_s = 0.0

    def feel(self, felt: Felt) -> Gesture | None:
        """Take a reading; return the gesture that is complete with it."""
        if not felt.step_ms:
            self._forget()
            self._since_ms = felt.at_ms
        step_s = felt.step_ms / 1000
        self._age_s += step_s
        dps = [self._driftless(axis, felt.rates[axis], step_s) for axis in _AXES.values()]
        self._angles = (self._angles[0] + dps[0] * step_s, self._angles[1] + dps[1] * step_s)
        self._kept.append((felt, self._angles))
        while felt.at_ms - self._kept[0][0].at_ms > self.KEPT_MS:
            self._kept.popleft()
        for gesture, axis in _AXES.items():
            self._swings[gesture].feel(felt.at_ms, self._angles[axis], dps[axis])
        for gesture, axis in _AXES.items():
            if self._is(gesture, axis, felt.at_ms):
                self._seen_ms[gesture] = felt.at_ms
                return gesture
        return None

    def _driftless(self, axis: int, rate: float, step_s: float) -> float:
        """Return a rate in °/s without what the gyroscope shows of a head that is still.

        Heads come back, so in the long run that is the mean. Fast movement counts for little.
        """
        o, dps = self.options, math.degrees(rate)
        slow = min(max(dps, -o.drift_dps), o.drift_dps)
        constant_s = min(o.drift_s, max(self._age_s, step_s, 0.01))
        self._drifts[axis] += (slow - self._drifts[axis]) * step_s / constant_s
        return dps - self._drifts[axis]

    def _is(self, gesture: Gesture, axis: int, now_ms: float) -> bool:
        """Say whether the gesture is complete now."""
        o = self.options
        run, before, after = self._run(gesture, now_ms)
        if not o.swings[0] <= len(run) <= o.swings[1]:
            return False
        sizes = [abs(swing.degrees) for swing in run]
        mean = sum(sizes) / len(sizes)
        off = sum(swing.degrees for swing in [*run, *after])
        if min(sizes) < o.over_before * before or abs(off) > o.level * max(sizes):
            return False
        wobble = max(o.after * mean, o.rest_before * before)
        if any(abs(swing.degrees) > wobble for swing in after):
            return False
        times = [after.peak_ms - swing.peak_ms for swing, after in pairwise(run)]
        if max(times) > o.even[before > 0] * min(times):
            return False
        half_ms = sum(times) / len(times)
        rest_ms = max(o.rest_ms, o.rest * half_ms)
        since_rest = takewhile(lambda kept: kept[0].at_ms >= now_ms - rest_ms, reversed(self._kept))
        rest = [angles[axis] for _, angles in since_rest]
        restless = max(o.rest_deg * mean, min(o.rest_before * before, o.rest_most * mean))
        if max(rest) - min(rest) > restless:
            return False
        begin_ms, end_ms = run[0].peak_ms - half_ms / 2, run[-1].peak_ms + half_ms / 2
        if not self._is_of_the_neck(axis, begin_ms, end_ms):
            return False
        earlier = (f.lift for f, _ in self._kept if begin_ms - o.before_ms <= f.at_ms < begin_ms)
        self.rested = before <= o.calm_deg and _power(earlier) <= o.calm_mps2**2
        return True

    def _run(self, gesture: Gesture, now_ms: float) -> tuple[list[Swing], float, list[Swing]]:
        """Return the last wide swings of a size, how wide those before were, and those after."""
        o = self.options
        least = o.nod_deg if gesture == "nod" else o.shake_deg
        swings = [*self._swings[gesture].done, self._swings[gesture].current]
        after: list[Swing] = []
        while swings and abs(swings[-1].degrees) < least:  # what is left of it, or steps
            after.append(swings.pop())
        if not swings or swings[-1].peak_ms < now_ms - o.over_ms:
            return [], 0.0, []
        wide: list[Swing] = []
        seen_ms = self._seen_ms[gesture]
        while swings and swings[-1].peak_ms > seen_ms and self._is_meant(swings[-1], least, wide):
            wide.insert(0, swings.pop())
        for start, end in self._parts(gesture, wide):
            run = wide[start:end]
            sizes = [abs(swing.degrees) for swing in run]
            if min(sizes) >= o.regular * max(sizes):
                since_ms = run[0].peak_ms - o.before_ms
                others = (s for s in swings + wide[:start] if s.peak_ms >= since_ms)
                before = sorted((abs(s.degrees) for s in others), reverse=True)
                habit = before[o.before_count - 1] if len(before) >= o.before_count else 0.0
                return run, habit, wide[end:] + after
        return [], 0.0, []

    def _parts(self, gesture: Gesture, wide: list[Swing]) -> Iterator[tuple[int, int]]:
        """Yield where the gesture may begin and end among wide swings, the longest first."""
        last = len(wide)
        for long in range(last, self.options.swings[0] - 1, -1):
            for start in range(last - long, -1, -1):
                end = start + long
                fits = end >= last - 1
                if gesture == "nod":
                    fits = end == last and wide[start].degrees < 0 < wide[-1].degrees
                if fits:
                    yield start, end

    def _is_meant(self, swing: Swing, least: float, after: list[Swing]) -> bool:
        o = self.options
        if abs(swing.degrees) < least or swing.peak_dps < o.least_dps:
            return False
        return not after or o.half_ms[0] <= after[0].peak_ms - swing.peak_ms <= o.half_ms[1]

    def _is_of_the_neck(self, axis: int, begin_ms: float, end_ms: float) -> bool:
        """Say whether the head turned about this axis, and nothing lifted it beside."""
        o = self.options
        if begin_ms - o.before_ms < self._since_ms:
            return False  # what the head did before is not known
        during = [f for f, _ in self._kept if begin_ms <= f.at_ms <= end_ms]
        third_ms = o.before_ms / 3
        calmest = min(  # a walk that has just begun excuses nothing
            _power(f.lift for f, _ in self._kept if from_ms <= f.at_ms < from_ms + third_ms)
            for from_ms in (begin_ms - (n + 1) * third_ms for n in range(3))
        )
        turned = [sum(abs(f.rates[i]) * f.step_ms for f in during) for i in range(3)]
        if any(turned[i] > o.sideways * turned[axis] for i in range(3) if i != axis):
            return False
        swing, lift = _power(f.swing[axis] for f in during), _power(f.lift for f in during)
        both = sum(f.swing[axis] * f.lift for f in during) / len(during) if during else 0.0
        lever_m = both / swing if swing else 0.0  # what explains the lift best
        if abs(lever_m) > o.lever_m + (math.sqrt(calmest / swing) if swing else 0.0):
            return False
        circling = o.lever_m * math.sqrt(_power(f.rates[axis] ** 2 for f in during))
        return lift - lever_m * both <= o.lifted * calmest + (circling + o.lifted_mps2) ** 2


def _power(values: Iterable[float]) -> float:
    """Return the mean square; 0 of nothing."""
    squares = [value * value for value in values]
    return sum(squares) / len(squares) if squares else 0.0
