"""Whether the wearer walks.

The method is that of Zee (Rai et al., MobiCom 2012), which Brajdic and Harle found among the best
two (Walk detection and step counting on unconstrained smartphones, UbiComp 2013): who walks repeats
himself, so the acceleration is held against itself some time ago, and where the normalised
auto-correlation is high at a lag that can be a step, and there is movement at all, it is walking.
Adapted to a head: the lag is one step instead of two, since heads do not swing like trousers'
pockets; the acceleration is the vertical one; and what a turning head makes itself does not count.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from operator import mul
from typing import Literal

from agent.body.orientation import Felt

Gait = Literal["walking", "standing"]


@dataclass(frozen=True, slots=True)
class WalkingOptions:
    """When it is walking. Where no source is named, the value was fitted to simulated motion."""

    bin_ms: float = 20.0
    """Readings are averaged over this: 50 Hz, as in Zee."""
    window_ms: float = 1400.0
    """How much is held against what was before it."""
    step_ms: tuple[float, float] = (340.0, 860.0)
    """Lags that can be a step: 1.2 … 2.9 a second, a stroll to a run."""
    alike: float = 0.7
    """Auto-correlation from which on it is walking: Zee's."""
    unlike: float = 0.4
    """Below this for `unlike_ms` it is walking no more, though something shakes."""
    unlike_ms: float = 2500.0
    """See `unlike`."""
    moving_mps2: float = 0.45
    """Standard deviation of the acceleration below which nobody walks. Zee has 0.1 for pockets;
    a head that strolls has 0.6 and more."""
    still_ms: float = 800.0
    """Time that is looked at for stillness, which ends a walk."""
    lever_m: float = 0.17
    """Farthest that the glasses can be in front of the joint of the neck: a head that nods lifts
    them by no more than this times how its turning changes. That is no step."""
    every_ms: float = 200.0
    """How often it is looked."""
    looks: int = 3
    """How many looks in a row must find walking."""


class Walking:
    """Tells walking (also running, also stairs) from everything else."""

    def __init__(self, options: WalkingOptions | None = None) -> None:
        """Stand."""
        self.options = options or WalkingOptions()
        self.walking = False
        """How it is now."""
        self.steps_hz: float | None = None
        """Steps a second, while walking."""
        self._forget()

    def _forget(self) -> None:
        o = self.options
        size = int((o.window_ms + o.step_ms[1]) / o.bin_ms) + 1
        self._lifts: deque[float] = deque(maxlen=size)
        self._swings: deque[float] = deque(maxlen=size)
        self._bin: list[Felt] = []
        self._number = 0
        self._looked_ms = 0.0
        self._found = 0
        self._unlike_ms = 0.0

    def feel(self, felt: Felt) -> Gait | None:
        """Take a reading; return the new gait when it changes."""
        o = self.options
        if not felt.step_ms:
            self._forget()
        number = int(felt.at_ms / o.bin_ms)
        if self._bin and number > self._number:
            for _ in range(number - self._number):  # more than one where readings are few
                self._lifts.append(sum(f.lift for f in self._bin) / len(self._bin))
                self._swings.append(sum(f.swing[0] for f in self._bin) / len(self._bin))
            self._bin.clear()
        self._number = number
        self._bin.append(felt)
        if felt.at_ms - self._looked_ms < o.every_ms and self._looked_ms:
            return None
        self._looked_ms = felt.at_ms
        return self._look()

    def _look(self) -> Gait | None:
        o = self.options
        lifts = list(self._lifts)
        recent = int(o.still_ms / o.bin_ms)
        if len(lifts) < recent:
            return None
        still = _deviation(lifts[-recent:]) < o.moving_mps2
        if still:
            self._found = 0
            return self._became(False)
        alike, lag = self._alike(lifts)
        if alike >= o.alike and self._is_lifted(lifts):
            self._found += 1
            self._unlike_ms = 0.0
            if self.walking or self._found >= o.looks:
                self.steps_hz = 1000 / (lag * o.bin_ms)
                return self._became(True)
            return None
        self._found = 0
        self._unlike_ms = self._unlike_ms + o.every_ms if alike < o.unlike else 0.0
        return self._became(False) if self._unlike_ms >= o.unlike_ms else None

    def _is_lifted(self, lifts: list[float]) -> bool:
        """Say whether more moves the glasses than the turning of the head."""
        swings = list(self._swings)
        turning = math.sqrt(sum(map(mul, swings, swings)) / len(swings))
        return _deviation(lifts) > self.options.lever_m * turning

    def _alike(self, lifts: list[float]) -> tuple[float, int]:
        """Return the highest normalised auto-correlation, and its lag in bins.

        0 where it is a multiple of something faster than steps, such as laughter.
        """
        o = self.options
        first, last = (round(lag_ms / o.bin_ms) for lag_ms in o.step_ms)
        best, lag = max((self._correlation(lifts, lag), lag) for lag in range(first, last + 1))
        faster = (round(lag / part) for part in (2, 3, 4, 5) if round(lag / part) < first)
        if best > 0 and any(self._correlation(lifts, n) >= o.alike for n in faster):
            return 0.0, lag
        return best, lag

    def _correlation(self, lifts: list[float], lag: int) -> float:
        """Return how alike what was last is to what was `lag` bins before it, -1 … 1."""
        size = int(self.options.window_ms / self.options.bin_ms)
        now, then = lifts[-size:], lifts[-size - lag : -lag]
        if len(then) < size:
            return 0.0
        mean_now, mean_then = sum(now) / size, sum(then) / size
        both = sum(map(mul, now, then)) - size * mean_now * mean_then
        power = sum(map(mul, now, now)) - size * mean_now * mean_now
        other = sum(map(mul, then, then)) - size * mean_then * mean_then
        return both / math.sqrt(power * other) if power > 0 and other > 0 else 0.0

    def _became(self, walking: bool) -> Gait | None:
        if walking == self.walking:
            return None
        self.walking, self._unlike_ms = walking, 0.0
        if not walking:
            self.steps_hz = None
        return "walking" if walking else "standing"


def _deviation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
