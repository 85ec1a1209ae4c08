"""What the skill asks of whatever plays: the glasses' own speaker, or a music server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from skills.music.track import Track

QUEUED = 500
"""Songs that are given to a music server at once: a day and a half of them."""

Loop = Literal["off", "one", "all"]


@dataclass(frozen=True, slots=True)
class Now:
    """What is in play."""

    track: Track
    """The song."""
    index: int
    """Its place in the queue, from 0."""
    total: int
    """How many songs the queue has."""
    paused: bool = False
    """Whether it is held."""
    position_s: float = 0.0
    """How far into it."""


class Player(Protocol):
    """Plays a queue of songs. Every method raises DeviceError where it cannot be reached."""

    goes_on: bool
    """Whether “play music” goes on with a queue of its own, and not with the wearer's songs."""
    volume: int
    """0 … 100."""

    def start(self, tracks: Sequence[Track], index: int) -> None:
        """Play these, from one of them on."""
        ...

    def enqueue(self, track: Track, soon: bool) -> None:
        """Put a song next in the queue, or at its end."""
        ...

    def now(self) -> Now | None:
        """Return what is in play, held or not; None when nothing is."""
        ...

    def pause(self) -> None:
        """Hold the song."""
        ...

    def resume(self) -> None:
        """Go on with it."""
        ...

    def stop(self) -> None:
        """Be silent, and forget the queue."""
        ...

    def move(self, by: int) -> None:
        """Play another song of the queue, so many places on; the queue is a circle."""
        ...

    def seek(self, to_s: float) -> None:
        """Go to a place in the song."""
        ...

    def shuffle(self) -> None:
        """Mix what comes after the present song."""
        ...

    def loop(self, what: Loop) -> None:
        """Repeat one song, the whole queue, or nothing."""
        ...
