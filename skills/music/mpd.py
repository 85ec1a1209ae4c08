"""Music that an MPD plays: the Music Player Daemon, by its own protocol (python-mpd2).

It is used where `GLASSES_PLAYER` is `mpd://HOST:PORT`. Its songs are then the library, and its
queue goes on by itself, whatever becomes of the agent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import Any

from agent.environment import STARTED
from hardware.base import DeviceError
from skills.music import mpris
from skills.music.port import QUEUED, Loop, Now
from skills.music.track import Track

SERVER = STARTED.get("GLASSES_PLAYER", "")
"""The player that is set."""
PORT = 6600
TIMEOUT_S = 5.0
"""Longest an answer may take: a list of 50,000 songs is one."""


def address() -> tuple[str, int] | None:
    """Return host and port of the MPD that is set; None where none is. Raises DeviceError."""
    if not SERVER or mpris.named(SERVER) is not None:
        return None
    found = re.fullmatch(r"mpd://([\w.-]+)(?::(\d{1,5}))?/?", SERVER)
    if not found:
        raise DeviceError(
            f"GLASSES_PLAYER is {SERVER!r}: write mpd://HOST, mpd://HOST:PORT or mpris"
        )
    return found[1], int(found[2] or PORT)


@lru_cache(maxsize=2)
def player(host: str, port: int) -> Mpd:
    """Return the player at an address, the same each time: one connection is kept."""
    return Mpd(host, port)


def tracks() -> tuple[Track, ...]:
    """Return all songs of the MPD that is set, read again when its database changed."""
    at = address()
    return () if at is None else player(*at).library()


class Mpd:
    """One MPD. Every method raises DeviceError where it cannot be reached."""

    goes_on = False

    def __init__(self, host: str, port: int) -> None:
        """Connect when it is first asked."""
        self._at = host, port
        self._lock = RLock()
        self._link: Any = None
        self._library: tuple[str, tuple[Track, ...]] = "", ()

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """Give the connection to one caller, a new one where the last was lost."""
        from mpd import MPDClient, MPDError

        with self._lock:
            try:
                if self._link is None:
                    self._link = MPDClient()
                    self._link.timeout = TIMEOUT_S
                    self._link.connect(*self._at)
                else:
                    try:
                        self._link.ping()
                    except (MPDError, OSError):  # it was restarted, or ended an idle connection
                        self._link.disconnect()
                        self._link.connect(*self._at)
                yield self._link
            except (MPDError, OSError) as error:
                self._link = None
                host, port = self._at
                why = " ".join(str(error).split())[:80] or type(error).__name__
                raise DeviceError(f"MPD at {host}:{port}: {why}: is it running?") from None

    def library(self) -> tuple[Track, ...]:
        """Return all its songs."""
        with self._client() as client:
            stamp = client.stats().get("db_update", "0") + client.stats().get("songs", "")
            if stamp != self._library[0]:
                songs = [row for row in client.listallinfo() if "file" in row]
                self._library = stamp, tuple(map(_track, songs))
            return self._library[1]

    def start(self, tracks: Sequence[Track], index: int) -> None:
        """Play the tracks from one on, at most QUEUED of them."""
        first = max(0, min(index, len(tracks) - QUEUED))
        with self._client() as client:
            client.command_list_ok_begin()
            client.clear()
            for track in tracks[first : first + QUEUED]:
                client.add(str(track.path))
            client.play(index - first)
            client.command_list_end()

    def enqueue(self, track: Track, soon: bool) -> None:
        """Put a track at the end of the queue, or next in it."""
        with self._client() as client:
            if soon and (at := client.status().get("song")) is not None:
                client.addid(str(track.path), int(at) + 1)
            else:
                client.add(str(track.path))

    def now(self) -> Now | None:
        """Return what is in play; None when it is stopped."""
        with self._client() as client:
            status = client.status()
            song = client.currentsong() if status.get("state") != "stop" else {}
        if not song:
            return None
        return Now(
            _track(song),
            int(status.get("song", 0)),
            int(status.get("playlistlength", 1)),
            status["state"] == "pause",
            float(status.get("elapsed", 0.0)),
        )

    def pause(self) -> None:
        """Hold the song."""
        with self._client() as client:
            client.pause(1)

    def resume(self) -> None:
        """Go on with it."""
        with self._client() as client:
            client.pause(0)

    def stop(self) -> None:
        """Be silent."""
        with self._client() as client:
            client.stop()

    def move(self, by: int) -> None:
        """Play another song of the queue, so many places on; the queue is a circle."""
        with self._client() as client:
            status = client.status()
            many = int(status.get("playlistlength", 0))
            if many:
                client.play((int(status.get("song", 0)) + by) % many)

    def seek(self, to_s: float) -> None:
        """Go to a place in the song."""
        with self._client() as client:
            client.seekcur(max(0.0, to_s))

    def shuffle(self) -> None:
        """Mix what comes after the present song."""
        with self._client() as client:
            status = client.status()
            after, many = int(status.get("song", 0)) + 1, int(status.get("playlistlength", 0))
            if after < many:
                client.shuffle(f"{after}:{many}")

    def loop(self, what: Loop) -> None:
        """Repeat `one` song, `all` of the queue, or nothing (`off`)."""
        with self._client() as client:
            client.repeat(int(what != "off"))
            client.single(int(what == "one"))

    @property
    def volume(self) -> int:
        """0 … 100; 0 where it has no mixer."""
        with self._client() as client:
            return max(0, int(client.status().get("volume", 0)))

    @volume.setter
    def volume(self, level: int) -> None:
        with self._client() as client:
            client.setvol(level)


def _track(song: dict[str, Any]) -> Track:
    path = Path(song["file"])
    title = _one(song.get("title")) or path.stem
    return Track(
        path,
        title,
        _one(song.get("artist")),
        album=_one(song.get("album")),
        genre=_one(song.get("genre")),
        length_s=float(song.get("duration", 0.0)),
    )


def _one(value: Any) -> str:
    return str(value[0] if isinstance(value, list) else value or "")
