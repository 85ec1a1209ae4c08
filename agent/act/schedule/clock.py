"""The believed clock: the wall's, unless it jumps too far to be right.

A clock is corrected by seconds, or by an hour; that is taken at once. One that jumps by half a day
or a year is believed only when it has stayed so for a while: until then time goes on as a clock
tells it that nobody sets.
"""

from __future__ import annotations

from dataclasses import dataclass

SET_S = 2.0
"""A clock that parts by more from the one that nobody sets was set."""
FAR_S = 12 * 3600.0
"""A jump by more is doubted: no zone and no daylight saving moves a clock so far."""
DOUBT_S = 600.0
"""How long a far jump has to last to be believed."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What time it is believed to be."""

    now_s: float
    """Seconds since 1970."""
    set_by_s: float = 0.0
    """By how much the clock was found to have been set."""

    @property
    def far_back(self) -> bool:
        """Whether what came by this clock may come again, rightly this time."""
        return self.set_by_s < -FAR_S


class Clock:
    """Follows the clock of the wall."""

    def __init__(self, behind_s: float = 0.0) -> None:
        """Believe the first thing it shows.

        Where that is far behind what it showed before, it has lost its own power: what it is set
        to next is believed too.
        """
        self._apart_s: float | None = None  # the wall's clock less the one that nobody sets
        self._lost = behind_s > FAR_S
        self._since_s: float | None = None  # when a far jump was first seen

    @property
    def begun(self) -> bool:
        """Whether it has been looked at."""
        return self._apart_s is not None

    def look(self, wall_s: float, uptime_s: float) -> Looked:
        """Return the time to go by, given both clocks."""
        apart_s = wall_s - uptime_s
        if self._apart_s is None:
            self._apart_s = apart_s
        by_s = apart_s - self._apart_s
        if abs(by_s) <= SET_S:
            self._apart_s, self._since_s = apart_s, None  # it drifts
            return Looked(wall_s)
        if abs(by_s) > FAR_S and not (self._lost and by_s > 0):
            self._since_s = uptime_s if self._since_s is None else self._since_s
            if uptime_s - self._since_s < DOUBT_S:
                return Looked(uptime_s + self._apart_s)
        self._apart_s, self._since_s, self._lost = apart_s, None, False
        return Looked(wall_s, by_s)
