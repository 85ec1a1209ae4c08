"""A look up, at what is on the lens, told from where the wearer usually looks."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal

from agent.body.orientation import Felt

Look = Literal["glance", "lower"]


@dataclass(frozen=True, slots=True)
class GlanceOptions:
    """What a glance is. The values are choices; glasses leave the angle to their wearers."""

    raise_deg: float = 15.0
    """How far above where the wearer usually looks a glance is."""
    lower_deg: float = 8.0
    """Below this the head is down again."""
    hold_ms: float = 300.0
    """How long the head must stay up, and down."""
    raised_deg: float = 8.0
    """How far the gyroscope must have seen it go up within `raised_ms`: not a car that starts."""
    raised_ms: float = 1500.0
    """See `raised_deg`."""
    usual_s: float = 20.0
    """Time constant of where the wearer usually looks."""
    longest_s: float = 20.0
    """After this long, up is where the wearer usually looks."""


class Glance:
    """Tells a look up, at what is on the lens, from where the wearer usually looks."""

    def __init__(self, options: GlanceOptions | None = None) -> None:
        """Look ahead."""
        self.options = options or GlanceOptions()
        self._usual: float | None = None
        self._age_s = 0.0
        self._up = False
        self._since_ms: float | None = None  # it has been beyond the threshold, up or down
        self._up_ms = 0.0
        self._angle = 0.0  # pitch in degrees, as the gyroscope alone has it
        self._angles: deque[tuple[float, float]] = deque()

    def feel(self, felt: Felt) -> Look | None:
        """Take a reading; return what begins or ends with it."""
        o = self.options
        self._angle += math.degrees(felt.rates[0]) * felt.step_ms / 1000
        if not felt.step_ms:
            self._angles.clear()
            self._since_ms = None
        if self._usual is None:
            self._usual = felt.pitch_deg
        self._angles.append((felt.at_ms, self._angle))
        while felt.at_ms - self._angles[0][0] > o.raised_ms:
            self._angles.popleft()
        above = felt.pitch_deg - self._usual
        self._get_used(felt, above)
        if self._up and felt.at_ms - self._up_ms > o.longest_s * 1000:
            self._usual, self._up, self._since_ms = felt.pitch_deg, False, None
            return "lower"
        beyond = above < o.lower_deg if self._up else above >= o.raise_deg
        if not beyond:
            self._since_ms = None
            return None
        if self._since_ms is None:
            raised = self._angle - min(angle for _, angle in self._angles)
            if not self._up and raised < o.raised_deg:
                return None
            self._since_ms = felt.at_ms
        if felt.at_ms - self._since_ms < o.hold_ms:
            return None
        self._up, self._since_ms, self._up_ms = not self._up, None, felt.at_ms
        return "glance" if self._up else "lower"

    def _get_used(self, felt: Felt, above: float) -> None:
        """Follow where the wearer usually looks; much slower where that is a book."""
        o = self.options
        if self._up or self._usual is None or above >= o.raise_deg:
            return
        self._age_s += felt.step_ms / 1000
        near = above > -o.raise_deg
        constant_s = min(o.usual_s, max(self._age_s, 0.01)) if near else 6 * o.usual_s
        self._usual += above * felt.step_ms / 1000 / constant_s
