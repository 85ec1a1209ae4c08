"""The music player that is set, beside the glasses' own speaker; and how it makes room for speech.

While the wearer speaks it is quieter. What they then ask of its volume is asked of the volume that
it had before: whatever reaches for the player ends that first.
"""

from __future__ import annotations

from contextlib import suppress
from threading import RLock

from hardware.base import QUIETER, DeviceError
from skills.music import mpd, mpris
from skills.music.mpd import Mpd
from skills.music.mpris import Mpris


def found() -> Mpd | Mpris | None:
    """Return the player that is set; None where music plays on the speaker. Raises DeviceError."""
    if (name := mpris.named(mpd.SERVER)) is not None:
        return mpris.player(name)
    at = mpd.address()
    return None if at is None else mpd.player(*at)


class Beside:
    """The player as the agent knows it: something that can be made quieter for a while."""

    def __init__(self) -> None:
        """Touch nothing yet."""
        self._lock = RLock()
        self._made: tuple[Mpd | Mpris, int, int] | None = None  # which, its volume, and the lower

    def quieter(self, on: bool) -> None:
        """Make what plays quieter, or as loud as it was; nothing where nothing plays."""
        with self._lock, suppress(DeviceError):  # who cannot be reached makes no sound to mind
            if not on:
                self.restore()
            elif self._made is None and (player := found()) is not None:
                now = player.now()
                if now is not None and not now.paused and (level := player.volume) > 0:
                    lower = round(level * QUIETER)
                    player.volume = lower
                    self._made = player, level, lower

    def restore(self) -> None:
        """Make it as loud as it was, unless somebody has set its volume since."""
        with self._lock:
            made, self._made = self._made, None
            if made is not None and made[0].volume == made[2]:
                made[0].volume = made[1]


BESIDE = Beside()
"""The one of this process."""


def asked() -> Mpd | Mpris | None:
    """Return the player that is set, as loud as it was before somebody spoke."""
    player = found()
    if player is not None:
        with suppress(DeviceError):
            BESIDE.restore()
    return player
