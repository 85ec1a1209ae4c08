"""The wearer's playlists: a small JSON file in the skill's folder, song titles by playlist."""

from __future__ import annotations

import json
import re
from pathlib import Path

from agent import private
from hardware import reading

NAME = "playlists.json"
MOST = 100
"""Playlists, and five times as many songs on each."""
LONGEST = 60
"""Characters of a name."""

_OFTEN = {
    "en": (
        "favorites", "workout", "running", "party", "driving", "chill", "sleep", "study",
        "summer", "dinner", "road trip", "morning", "jazz", "rock", "pop", "classical",
    ),
    "zh": ("最爱", "运动", "跑步", "聚会", "开车", "放松", "睡前", "学习", "夏天", "早晨"),
}  # fmt: skip
_AROUND = re.compile(r"^(?:(?:my|the|a)\s+|我的)|(?:\s+playlist|的?(?:歌单|播放列表))$")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class PlaylistsError(Exception):
    """The file cannot be read or written; it was left as it is."""


class Playlists:
    """The playlists of one wearer; a change replaces the file whole."""

    def __init__(self, folder: Path) -> None:
        """Keep them in `folder`, which is made when the first song is put on one."""
        self._path = folder / NAME

    def titles(self, name: str) -> list[str] | None:
        """Return the songs of a playlist in order; None when there is no such playlist.

        Raises PlaylistsError.
        """
        return self._read().get(plain(name))

    def add(self, title: str, name: str) -> bool:
        """Put a song on a playlist, a new one if need be; False when it was there already.

        Raises PlaylistsError, also when there are too many.
        """
        lists = self._read()
        titles = lists.setdefault(plain(name), [])
        if title in titles:
            return False
        titles.append(title)
        if len(lists) > MOST or len(titles) > 5 * MOST:
            raise PlaylistsError(f"{self._path}: {MOST} playlists of {5 * MOST} songs are the most")
        self._write(lists)
        return True

    def remove(self, title: str, name: str) -> None:
        """Take a song off a playlist, which goes when it is empty. Raises PlaylistsError."""
        lists = self._read()
        left = [other for other in lists.pop(plain(name), []) if other != title]
        self._write({**lists, plain(name): left} if left else lists)

    def _read(self) -> dict[str, list[str]]:
        private.close(self._path)
        try:
            raw = reading.from_json(reading.read_text(self._path))
            return {str(name): _titles(titles) for name, titles in raw.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise PlaylistsError(f"{self._path}: cannot be read: {type(error).__name__}") from None

    def _write(self, lists: dict[str, list[str]]) -> None:
        """Replace the file whole: the battery may be pulled at any instruction."""
        try:
            private.write(self._path, json.dumps(lists, ensure_ascii=False, indent=1))
        except OSError as error:
            raise PlaylistsError(f"{self._path}: cannot be written: {error.strerror}") from None


def _titles(titles: object) -> list[str]:
    """Return the songs on a playlist. Raises TypeError for anything but a list of titles."""
    if not isinstance(titles, list) or not all(isinstance(title, str) for title in titles):
        raise TypeError("a playlist is a list of titles")
    return titles


def plain(name: str) -> str:
    """Return a playlist's name as it is kept: without case, “my” and “playlist”."""
    words = " ".join(_UNPRINTABLE.sub(" ", name).casefold().split())
    return _AROUND.sub("", words)[:LONGEST].strip() or words[:LONGEST]


def often(language: str) -> tuple[str, ...]:
    """Return the names that speech listens for; any other name works too."""
    return _OFTEN.get(language, _OFTEN["en"])
