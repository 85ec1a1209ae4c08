"""The songs that can be played: the wearer's music folder, then the tunes that ship.

The folder is `GLASSES_MUSIC`, else `~/Music`. Titles come from file names (`01 - Artist - Title`,
`Title`); tags are not read, since that would open every file before every turn.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from agent.environment import STARTED
from agent.language.folding import compared
from agent.skill.data import Row, table

TUNES = Path(__file__).with_name("tunes")
FOLDER = Path(STARTED.get("GLASSES_MUSIC") or "~/Music").expanduser()
"""The wearer's songs."""
SUFFIXES = frozenset({".flac", ".mp3", ".ogg", ".wav", ".m4a"})
MOST_FILES = 5_000
"""Files read from the folder; a phone's worth of music."""
MOST_SAID = 100
"""Titles given to the speech grammar; any title can be typed."""


_NUMBER = re.compile(r"^(?:0\d{0,2}[\s.\-_]*|\d{1,3}(?:\s*[.)]|\s+-|-)\s*)(?=[^\d\s._-])")
"""A track number, such as `01 `, `7. ` or `7 - `; not the number of "99 Luftballons"."""
_LEADING = re.compile(r"^\d{1,3}\s+(?=\D)")
"""A track number, or a part of the title: nobody can tell."""


@dataclass(frozen=True, slots=True)
class Track:
    """One sound file."""

    path: Path
    """The file."""
    title: str
    """What is shown."""
    artist: str = ""
    """Who plays it, if the file name tells."""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """Other names by language, for the tunes that ship; the first is shown."""
    by: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Who wrote it by language, for the tunes that ship."""
    also: str = ""
    """The title without a number before it that may count tracks or belong to the title."""

    def shown(self, language: str) -> str:
        """Return the title to show."""
        return next(iter(self.names.get(language, ())), self.title)

    def author(self, language: str) -> str:
        """Return who plays it or wrote it; "" when that is not known."""
        return self.artist or self.by.get(language, self.by.get("en", ""))

    def said(self, language: str) -> tuple[str, ...]:
        """Return what can be said for it."""
        names = self.names.get(language) or (self.title, self.also)
        return tuple(filter(None, map(sayable, names)))


def folder() -> Path:
    """Return the wearer's music folder, which need not exist."""
    return FOLDER


def tracks() -> tuple[Track, ...]:
    """Return every track, read again when a folder changed."""
    root = folder()
    return (*_own(root, _stamp(root)), *shipped())


def titles(language: str) -> dict[str, str]:
    """Return what can be said for a song, with its title; the tunes that ship always fit in."""
    said: dict[str, str] = {}
    for track in (*shipped(), *tracks()):
        for name in track.said(language):
            said.setdefault(name, track.title)
    return dict(list(said.items())[:MOST_SAID])


def find(wanted: str) -> Track | None:
    """Return the first track that `named` finds."""
    return next(iter(named(wanted)), None)


def named(wanted: str) -> tuple[Track, ...]:
    """Return the track of that title or name, else all by that artist, else the one with its words.

    Accents and punctuation do not count: "motorhead" is "Motörhead". Of an artist's name a part is
    enough: "beethoven", and "finches" for "The Finches".
    """
    every = tracks()
    if not (key := _key(wanted)):
        return ()
    title, artist = _parted(wanted)
    for track in every:
        if key in _keys(track):
            return (track,)
    for track in every:
        if title in _keys(track) and artist in _artists(track):
            return (track,)
    words = set(key.split())
    for fits in (key.__eq__, lambda name: words <= set(name.split())):
        if found := tuple(track for track in every if any(map(fits, _artists(track)))):
            return found
    close = tuple(track for track in every if words <= set(_key(track.title).split()))
    return close if len(close) == 1 else ()


def _parted(wanted: str) -> tuple[str, str]:
    """Return title and artist of "title by artist", 歌手的歌名; empty where it is neither."""
    title, by, artist = wanted.rpartition(" by ")
    if not by:
        artist, by, title = wanted.partition("的")
    return (_key(title), _key(artist)) if by else ("", "")


def _keys(track: Track) -> set[str]:
    return {_key(said) for language in ("en", "zh") for said in track.said(language)}


def _artists(track: Track) -> set[str]:
    return {_key(name) for name in (track.artist, *track.by.values()) if name}


def _key(text: str) -> str:
    """Return a title or name as it is compared."""
    return compared(sayable(text))


def sayable(title: str) -> str:
    """Return a title as it is said: lower case words, nothing that means more in a template."""
    bare = re.sub(r"[(\[{<].*?[)\]}>]", " ", title.casefold().replace("’", "'"))
    words = (word.strip("'") for word in re.sub(r"[^\w']|_", " ", bare).split())
    return " ".join(filter(None, words))


def _stamp(root: Path) -> tuple[tuple[str, int], ...]:
    """Return every folder with the time its content changed: cheap, and enough to see a change."""
    stamps: list[tuple[str, int]] = []
    for where, _, _ in os.walk(root):
        with suppress(OSError):  # a folder may go away while we look
            stamps.append((where, Path(where).stat().st_mtime_ns))
        if len(stamps) >= MOST_FILES:
            break
    return tuple(stamps)


_read: dict[Path, tuple[tuple[tuple[str, int], ...], tuple[Track, ...]]] = {}


def _own(root: Path, stamp: tuple[tuple[str, int], ...]) -> tuple[Track, ...]:
    if (cached := _read.get(root)) is None or cached[0] != stamp:
        cached = _read[root] = (stamp, tuple(map(_track, _files([where for where, _ in stamp]))))
    return cached[1]


def _files(folders: list[str]) -> list[Path]:
    found: list[Path] = []
    for where in folders:
        try:
            inside = sorted(Path(where).iterdir())
        except OSError:  # a folder that is gone or closed to us has no songs
            continue
        found += [p for p in inside if p.suffix.lower() in SUFFIXES and p.is_file()]
        if len(found) >= MOST_FILES:
            break
    return found[:MOST_FILES]


def _track(path: Path) -> Track:
    # macOS writes names apart, letter and accent; everybody else, and speech, together.
    stem = unicodedata.normalize("NFC", path.stem).replace("_", " ").strip()
    stem = _NUMBER.sub("", stem) or stem
    artist, dash, title = stem.partition(" - ")
    if not dash:
        return Track(path, stem or path.stem, also=_LEADING.sub("", stem))
    title = title.strip() or stem
    return Track(path, title, artist.strip(), also=_LEADING.sub("", title))


@cache
def shipped() -> tuple[Track, ...]:
    """Return the tunes that ship. Raises DataError."""
    return tuple(_tune(key, row) for key, row in table(TUNES / "tunes.json").each())


def _tune(key: str, row: Row) -> Track:
    names, by = row.only("names", "by").inside("names"), row.inside("by")
    known = {language: names.texts(language) for language in ("en", "zh")}
    return Track(
        TUNES / f"{key}.ogg",
        known["en"][0],
        names=known,
        by={language: by.text(language) for language in ("en", "zh")},
    )
