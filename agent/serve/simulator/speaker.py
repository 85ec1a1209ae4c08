"""The speaker that a page is: it plays the tune, here it is known where it has come to."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path

from agent.serve.simulator.to_page import Play
from hardware.base import DeviceError


class PageSpeaker:
    """Plays sound files in a page; `tell` is given what the page is to do.

    `clock` answers seconds. A page fetches a file by the key that it is told; nothing else on this
    machine can be fetched.
    """

    name = "browser"
    available = True

    def __init__(
        self, tell: Callable[[Play], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._volume = 70
        self._path: Path | None = None
        self._key = ""
        self._held_s = 0.0
        self._since: float | None = None

    def play(self, path: Path, at_s: float = 0.0) -> None:
        """Start a file, so many seconds in. Raises DeviceError where there is none."""
        if not path.is_file():
            raise DeviceError(f"{path} does not exist: check the name")
        self._path, self._key = path, secrets.token_urlsafe(12)
        self._held_s, self._since = max(0.0, at_s), self._clock()
        self._say("play")

    def pause(self) -> None:
        """Hold the position."""
        if self._since is not None:
            self._held_s, self._since = self.position_s, None
            self._say("pause")

    def resume(self) -> None:
        """Go on from the held position."""
        if self._path is not None and self._since is None:
            self._since = self._clock()
            self._say("resume")

    def stop(self) -> None:
        """Silence, position forgotten."""
        if self._path is not None:
            self._say("stop")
        self._path, self._key, self._held_s, self._since = None, "", 0.0, None

    def played(self, key: str) -> None:
        """Note that the page has come to the end of a tune."""
        if key == self._key:
            self._path, self._key, self._held_s, self._since = None, "", self.position_s, None

    def now(self) -> Play | None:
        """Return what a page that has just come is to play; None where it is quiet."""
        if self.playing is None:
            return None
        return Play("play", self._key, self._volume, round(self.position_s, 2))

    def file(self, key: str) -> Path | None:
        """Return the file behind a key while it is being played."""
        return self._path if self._key and secrets.compare_digest(key, self._key) else None

    @property
    def playing(self) -> Path | None:
        """The file that sounds now."""
        return self._path if self._since is not None else None

    @property
    def position_s(self) -> float:
        """Seconds into the file."""
        return self._held_s + (0.0 if self._since is None else self._clock() - self._since)

    @property
    def volume(self) -> int:
        """0 … 100."""
        return self._volume

    @volume.setter
    def volume(self, volume: int) -> None:
        self._volume = max(0, min(100, volume))
        self._say("volume")

    def _say(self, do: str) -> None:
        self._tell(Play(do, self._key, self._volume, round(self.position_s, 2)))
