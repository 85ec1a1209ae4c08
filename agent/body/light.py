"""How bright the display is: as the light around it asks, as bright as the power allows."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrightnessOptions:
    """How bright the lens is, by the light around."""

    dark_lux: float = 1.0
    """At or below this the lens is at its dimmest: a night without a moon."""
    bright_lux: float = 100_000.0
    """At or above this it is at its brightest: full sun."""
    dimmest: float = 0.15
    """Light of the lens in the dark; less would hide what is dim on a card."""
    up_s: float = 0.5
    """Time constant towards brighter: who steps into the sun sees nothing until then."""
    down_s: float = 2.0
    """Time constant towards dimmer: eyes take longer, and shadows pass. Android too is slower
    that way (`AutomaticBrightnessController`: 4 s against 8 s)."""
    step: float = 0.04
    """Smallest change that is made: below it every frame would be drawn anew for nothing."""


def brightness(lux: float, options: BrightnessOptions | None = None) -> float:
    """Return the light of the lens, 0 … 1, for a steady illuminance.

    It grows with the logarithm of the illuminance, as brightness looks to the eye (Fechner), from
    1 to 100,000 lux: the scale that Microsoft gives for light sensors, log10(lux) / 5 (Using Light
    Sensor Data). The curve is the same as it would be for a screen; a lens that adds its light to
    the world could do with more in the sun than it has.
    """
    o = options or BrightnessOptions()
    low, high = math.log10(o.dark_lux), math.log10(o.bright_lux)
    part = (math.log10(max(lux, o.dark_lux)) - low) / (high - low)
    return o.dimmest + (1 - o.dimmest) * min(part, 1.0)


class Brightness:
    """The light of the lens as the light around changes: smooth, and steady when it is."""

    def __init__(self, options: BrightnessOptions | None = None) -> None:
        """Begin with the first reading."""
        self.options = options or BrightnessOptions()
        self.light = 1.0
        """0 … 1, what the lens is lit with."""
        self._smooth: float | None = None
        self._before_ms = 0.0

    def follow(self, lux: float, now_ms: float) -> float:
        """Take an illuminance in lux; return the light. What is no number changes nothing."""
        if not math.isfinite(lux):
            return self.light
        o, wanted = self.options, brightness(lux, self.options)
        if self._smooth is None:
            self._smooth = self.light = wanted
        passed_s = max(0.0, now_ms - self._before_ms) / 1000
        constant_s = o.up_s if wanted > self._smooth else o.down_s
        self._smooth += (wanted - self._smooth) * (1 - math.exp(-passed_s / constant_s))
        self._before_ms = now_ms
        if abs(self._smooth - self.light) >= o.step:
            self.light = self._smooth
        return self.light
