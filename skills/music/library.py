"""The songs that can be played: the wearer's music folder, then the tunes that ship.

The folder is `GLASSES_MUSIC`, else `~/Music`. Titles come from file names (`01 - Artist - Title`,
`Title`) and, where there are any, from the files' tags (`tags`). With an MPD, the songs are its.
"""

from __future__ import annotations

import os
import re
import unicodedata
from contextlib import suppress
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from agent.environment import STARTED
from agent.skill.data import Row, table
from skills.music import mpd, tags
from skills.music.search import Index
from skills.music.track import Track

TUNES = Path(__file__).with_name("tunes")
FOLDER = Path(STARTED.get("GLASSES_MUSIC") or "~/Music").expanduser()
"""The wearer's songs."""
SUFFIXES = frozenset({".flac", ".mp3", ".ogg", ".wav", ".m4a"})
MOST_FILES = 60_000
"""Files read from the folder; a phone's worth of music."""
MOST_SAID = 100
"""Titles given to the speech grammar; any other is found by how it sounds."""


_NUMBER = re.compile(r"^(?:0\d{0,2}[\s.\-_]*|\d{1,3}(?:\s*[.)]|\s+-|-)\s*)(?=[^\d\s._-])")
"""A track number, such as `01 `, `7. ` or `7 - `; not the number of "99 Luftballons"."""
_LEADING = re.compile(r"^\d{1,3}\s+(?=\D)")
"""A track number, or a part of the title: nobody can tell."""


def folder() -> Path:
    """Return the wearer's music folder, which need not exist."""
    return FOLDER


def tracks() -> tuple[Track, ...]:
    """Return every track, read again when a folder changed."""
    if mpd.address() is not None:
        return mpd.tracks()
    root = folder()
    return _own(root, _stamp(root))


def titles(language: str) -> dict[str, str]:
    """Return what can be said for a song, with its title; the tunes that ship always fit in."""
    said: dict[str, str] = {}
    for track in chain(shipped() if mpd.address() is None else (), tracks()):
        for name in track.said(language):
            said.setdefault(name, track.title)
        if len(said) >= MOST_SAID:
            break
    return dict(list(said.items())[:MOST_SAID])


def find(wanted: str) -> Track | None:
    """Return the first track that `named` finds."""
    return next(iter(named(wanted)), None)


def named(wanted: str) -> tuple[Track, ...]:
    """Return what is called so, as `Index.named` does."""
    return index().named(wanted)


def index() -> Index:
    """Return the index of all there is now."""
    every = tracks()
    if _indexed.get("of") is not every:
        _indexed.update(of=every, index=Index(every))
    found: Index = _indexed["index"]
    return found


_indexed: dict[str, Any] = {}


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
        paths = _files([where for where, _ in stamp])
        own = tags.read(root, paths, {path: _track(path) for path in paths})
        cached = _read[root] = (stamp, (*own, *shipped()))
    return cached[1]


def files(root: Path) -> list[Path]:
    """Return the sound files of a folder and those inside it."""
    return _files([where for where, _ in _stamp(root)])


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
