"""Music that another program of this machine plays, over D-Bus: MPRIS 2.2 of freedesktop.org.

It is used where `GLASSES_PLAYER` is `mpris`, for whichever program plays, or `mpris://NAME` for one
of them, such as `mpris://vlc`. Its queue is its own: songs of the wearer's library are opened there
one at a time, and what it plays by itself is paused, skipped and made louder as anything else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import Any
from urllib.parse import unquote, urlparse

from hardware.base import DeviceError
from skills.music.port import Loop, Now
from skills.music.track import Track

PREFIX = "org.mpris.MediaPlayer2."
PATH = "/org/mpris/MediaPlayer2"
PLAYER = "org.mpris.MediaPlayer2.Player"
PROPERTIES = "org.freedesktop.DBus.Properties"
BUS = "org.freedesktop.DBus"
TIMEOUT_S = 3.0
"""Longest an answer may take."""
_LOOPS: dict[Loop, str] = {"off": "None", "one": "Track", "all": "Playlist"}


def named(setting: str) -> str | None:
    """Return the program that a setting names, "" for any; None where it is no MPRIS.

    Raises DeviceError.
    """
    if not setting.startswith("mpris"):
        return None
    found = re.fullmatch(r"mpris(?:://([A-Za-z_][\w.-]*)?/?)?", setting)
    if not found:
        raise DeviceError(f"GLASSES_PLAYER is {setting!r}: write mpris or mpris://NAME")
    return found[1] or ""


@lru_cache(maxsize=2)
def player(name: str) -> Mpris:
    """Return the player of that name, the same each time."""
    return Mpris(name)


class Mpris:
    """One program. Every method raises DeviceError where it cannot be reached."""

    goes_on = True

    def __init__(self, name: str = "") -> None:
        """Look for it when it is first asked."""
        self._name = name
        self._lock = RLock()

    # -- the bus ----------------------------------------------------------------------------------

    def _call(self, member: str, signature: str = "", *body: Any, interface: str = PLAYER) -> Any:
        """Call a method of the program, and return what it answers."""
        with self._lock:
            try:
                return asyncio.run(
                    asyncio.wait_for(self._asked(interface, member, signature, body), TIMEOUT_S)
                )
            except TimeoutError:
                raise DeviceError(f"{self._shown} does not answer: is it busy?") from None

    async def _asked(
        self, interface: str, member: str, signature: str, body: tuple[Any, ...]
    ) -> Any:
        from dbus_fast import Message
        from dbus_fast.aio import MessageBus
        from dbus_fast.errors import DBusError

        try:
            bus = await MessageBus().connect()
        except Exception as error:  # the library's own, and whatever an address may raise
            why = type(error).__name__
            raise DeviceError(
                f"there is no session bus ({why}): is DBUS_SESSION_BUS_ADDRESS right?"
            ) from None

        async def ask(to: str, path: str, of: str, what: str, form: str = "", *said: Any) -> Any:
            answer = await bus.call(Message(to, path, of, what, signature=form, body=list(said)))
            if answer is None or answer.error_name:
                why = str(answer.body[0]) if answer and answer.body else "no reason given"
                raise DeviceError(f"{self._shown} refuses: {' '.join(why.split())[:80]}")
            return answer.body[0] if answer.body else None

        try:
            names = await ask(BUS, "/org/freedesktop/DBus", BUS, "ListNames")
            there = sorted(name for name in names if name.startswith(PREFIX + self._name))
            if not there:
                raise DeviceError(f"{self._shown} is not there: start it, then ask again")
            if len(there) > 1:  # the one that plays
                for name in there:
                    with suppress(DeviceError):
                        state = await ask(
                            name, PATH, PROPERTIES, "Get", "ss", PLAYER, "PlaybackStatus"
                        )
                        if state.value == "Playing":
                            there = [name]
                            break
            return await ask(there[0], PATH, interface, member, signature, *body)
        except (DBusError, OSError, EOFError) as error:
            raise DeviceError(f"{self._shown} went away ({type(error).__name__})") from None
        finally:
            bus.disconnect()

    @property
    def _shown(self) -> str:
        return f"the player {self._name}" if self._name else "a player with MPRIS"

    def _all(self) -> dict[str, Any]:
        told = self._call("GetAll", "s", PLAYER, interface=PROPERTIES)
        return {key: variant.value for key, variant in told.items()}

    def _set(self, name: str, signature: str, value: Any) -> None:
        from dbus_fast import Variant

        self._call("Set", "ssv", PLAYER, name, Variant(signature, value), interface=PROPERTIES)

    # -- what a player does -----------------------------------------------------------------------

    def start(self, tracks: Sequence[Track], index: int) -> None:
        """Open one of these; the program's own queue goes on after it."""
        self._call("OpenUri", "s", tracks[index].path.absolute().as_uri())

    def enqueue(self, track: Track, soon: bool) -> None:
        """Take no song. Raises DeviceError: MPRIS has no way to put one into a queue."""
        raise DeviceError(f"{self._shown} takes no songs for later: say “play” and the song")

    def now(self) -> Now | None:
        """Return what is in play; None when it is stopped."""
        told = self._all()
        state, about = told.get("PlaybackStatus"), told.get("Metadata") or {}
        if state not in ("Playing", "Paused"):
            return None
        return Now(_track(about), 0, 1, state == "Paused", max(0.0, told.get("Position", 0) / 1e6))

    def pause(self) -> None:
        """Hold the song."""
        self._call("Pause")

    def resume(self) -> None:
        """Go on with it."""
        self._call("Play")

    def stop(self) -> None:
        """Be silent."""
        self._call("Stop")

    def move(self, by: int) -> None:
        """Play another song of its queue; 0 begins the present one again."""
        for _ in range(abs(by)):
            self._call("Next" if by > 0 else "Previous")
        if not by:
            self.seek(0.0)

    def seek(self, to_s: float) -> None:
        """Go to a place in the song."""
        now = self.now()
        self._call("Seek", "x", round((to_s - (now.position_s if now else 0.0)) * 1e6))

    def shuffle(self) -> None:
        """Mix its queue."""
        self._set("Shuffle", "b", True)

    def loop(self, what: Loop) -> None:
        """Repeat `one` song, `all` of its queue, or nothing (`off`)."""
        self._set("LoopStatus", "s", _LOOPS[what])

    @property
    def volume(self) -> int:
        """0 … 100."""
        return max(0, min(100, round(100 * float(self._all().get("Volume", 0.0)))))

    @volume.setter
    def volume(self, level: int) -> None:
        self._set("Volume", "d", level / 100)


def _track(about: dict[str, Any]) -> Track:
    """Read a song from the program's metadata, which may be of any kind."""
    told = {key: getattr(value, "value", value) for key, value in about.items()}
    path = Path(unquote(urlparse(_one(told.get("xesam:url"))).path))
    length = told.get("mpris:length", 0)
    return Track(
        path,
        _one(told.get("xesam:title")) or path.stem or "?",
        _one(told.get("xesam:artist")),
        album=_one(told.get("xesam:album")),
        genre=_one(told.get("xesam:genre")),
        length_s=length / 1e6 if isinstance(length, int | float) else 0.0,
    )


def _one(value: Any) -> str:
    first = value[0] if isinstance(value, list) and value else value
    return " ".join(first.split())[:200] if isinstance(first, str) else ""
