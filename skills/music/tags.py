"""What the files themselves tell of their songs: title, artist, album, genre, length.

Reading 50,000 files takes minutes, so it is done once and kept in a small database; a file is read
again when it has changed. A few new files are read at once, more of them by `glasses music scan`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from agent import config, private
from agent.environment import STARTED
from skills.music.track import Track

AT_ONCE = 100
"""New files that are read while the wearer waits."""
TELL_EVERY = 50
"""Files between two words about how far it is, and between two that are kept."""
LONGEST = 200
"""Characters of a tag."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS song (path TEXT PRIMARY KEY, changed INTEGER, title TEXT, artist TEXT,
    album TEXT, genre TEXT, length_s REAL)
"""

Told = tuple[str, str, str, str, float]
"""Title, artist, album, genre, seconds."""


def file() -> Path:
    """Return where the tags are kept."""
    return config.load(STARTED).data / "music" / "tags.db"


def read(root: Path, paths: Iterable[Path], named: Mapping[Path, Track]) -> tuple[Track, ...]:
    """Return songs with what their tags tell beside what their names do."""
    known = kept(root)
    new = [path for path in paths if str(path) not in known and _content(path)]
    if new and len(new) <= AT_ONCE:
        known |= scan(new)
    return tuple(_tagged(track, known.get(str(path))) for path, track in named.items())


def _tagged(track: Track, told: Told | None) -> Track:
    if told is None:
        return track
    title, artist, album, genre, length_s = told
    return replace(
        track,
        title=title or track.title,
        artist=artist or track.artist,
        also="" if title else track.also,
        album=album,
        genre=genre,
        length_s=length_s,
    )


def scan(paths: Iterable[Path], tell: Callable[[int], None] = lambda _: None) -> dict[str, Told]:
    """Read the tags of files and keep them; files that cannot be read have none."""
    found: dict[str, Told] = {}
    with suppress(sqlite3.Error, OSError), closing(sqlite3.connect(private.file(file()))) as base:
        base.execute(_SCHEMA)
        for number, path in enumerate(paths, start=1):
            told = found[str(path)] = _of(path)
            row = (str(path), _changed(path), *told)
            base.execute("INSERT OR REPLACE INTO song VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            if number % TELL_EVERY == 0:
                base.commit()
                tell(number)
        base.commit()
    return found


def kept(root: Path) -> dict[str, Told]:
    """Return what is known of the files of a folder that have not changed."""
    if not file().is_file():
        return {}
    with suppress(sqlite3.Error, OSError), closing(sqlite3.connect(private.file(file()))) as base:
        rows = base.execute(
            "SELECT * FROM song WHERE path >= ? AND path < ?", (f"{root}/", f"{root}0")
        ).fetchall()
        return {row[0]: tuple(row[2:]) for row in rows if row[1] == _changed(Path(row[0]))}
    return {}


def _changed(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_mtime_ns
    return 0


def _content(path: Path) -> bool:
    with suppress(OSError):
        return path.stat().st_size > 0
    return False


def _of(path: Path) -> Told:
    """Return the tags of one file; nothing where it has none, or is no sound file at all."""
    import mutagen

    try:
        read = mutagen.File(path, easy=True)
    except Exception:  # it parses what anybody may have written, and raises what it likes
        return "", "", "", "", 0.0
    if read is None:
        return "", "", "", "", 0.0
    title, artist, album, genre = (
        _first(read, key) for key in ("title", "artist", "album", "genre")
    )
    length_s = float(getattr(read.info, "length", 0.0) or 0.0)
    return title, artist, album, genre, length_s


def _first(read: Mapping[str, list[str]], key: str) -> str:
    try:
        value = str(read[key][0])
    except (KeyError, IndexError, TypeError, ValueError):
        return ""
    return " ".join(_decoded(value).split())[:LONGEST]


def _decoded(text: str) -> str:
    """Return a tag as it was meant: old taggers wrote GBK, or UTF-8, and called it Latin-1."""
    if text.isascii() or any(ord(char) > 0xFF for char in text):
        return text
    raw = text.encode("latin-1")
    for encoding in ("utf-8", "gb2312"):  # either is refused by what is really Latin-1
        with suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    return text
