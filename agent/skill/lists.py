"""Notes and lists: one SQLite file of the wearer's own, behind `ctx.lists` for every skill.

What the wearer asked to have remembered is elsewhere (`agent.skill.notes`): models are told that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent import private

FILE = "notes.sqlite"
SHOPPING = "shopping"
"""The list of what is to be bought, which the shop keeps."""
MOST = 5000
"""Most notes and things on lists together."""
LONGEST = 2000
"""Characters of one."""


@dataclass(frozen=True, slots=True)
class Item:
    """One note, or one thing on a list."""

    id: int
    """Its number."""
    text: str
    """What it says."""
    at: str
    """When it was written, ISO 8601, local."""
    done: bool = False
    """Whether it was ticked off."""


class Full(Exception):
    """There is no room for more."""


class Lists:
    """Everything one wearer has written down; a list has a name, notes have none.

    All methods raise OSError where the file can be neither read nor written.
    """

    def __init__(self, folder: Path) -> None:
        """Keep it in `folder`, which is made with the first note."""
        self._path = folder / FILE

    def add(self, *texts: str, at: str, name: str = "") -> None:
        """Write down, all or none. Raises Full."""
        with self._open() as db:
            (count,) = db.execute("SELECT count(*) FROM notes").fetchone()
            if count + len(texts) > MOST:
                raise Full
            db.executemany(
                "INSERT INTO notes (list, text, at) VALUES (?, ?, ?)",
                [(name, _clean(text), at) for text in texts],
            )

    def of(self, name: str = "") -> list[Item]:
        """Return what is on a list in order, or the notes, the latest first."""
        if not self._path.exists():
            return []
        order = "id" if name else "id DESC"
        with self._open() as db:
            rows = db.execute(
                f"SELECT id, text, at, done FROM notes WHERE list = ? ORDER BY {order}", (name,)
            ).fetchall()
        return [Item(id, text, at, bool(done)) for id, text, at, done in rows]

    def lists(self) -> list[str]:
        """Return the names of the lists that hold something."""
        if not self._path.exists():
            return []
        with self._open() as db:
            rows = db.execute("SELECT DISTINCT list FROM notes WHERE list <> ''").fetchall()
        return [name for (name,) in rows]

    def replace(self, name: str, *texts: str, at: str) -> None:
        """Make a list this, at once or not at all; what stays on it keeps when it was written."""
        with self._open() as db:
            rows = db.execute("SELECT text, at FROM notes WHERE list = ?", (name,)).fetchall()
            db.execute("DELETE FROM notes WHERE list = ?", (name,))
            db.executemany(
                "INSERT INTO notes (list, text, at) VALUES (?, ?, ?)",
                [(name, one, dict(rows).get(one, at)) for one in map(_clean, texts)],
            )

    def tick(self, *ids: int, done: bool = True) -> None:
        """Tick things off, or not any more."""
        with self._open() as db:
            db.executemany("UPDATE notes SET done = ? WHERE id = ?", [(done, id) for id in ids])

    def remove(self, *ids: int) -> list[tuple[object, ...]]:
        """Take things away; return what `restore` puts back."""
        with self._open() as db:
            marks = ",".join("?" * len(ids))
            rows = db.execute(f"SELECT * FROM notes WHERE id IN ({marks})", ids).fetchall()
            db.execute(f"DELETE FROM notes WHERE id IN ({marks})", ids)
        return rows

    def restore(self, rows: list[tuple[object, ...]]) -> None:
        """Put back what was taken away."""
        with self._open() as db:
            db.executemany("INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?, ?)", rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(private.file(self._path), timeout=5.0)) as db:
                db.execute("PRAGMA synchronous = FULL")
                db.execute(
                    "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY AUTOINCREMENT,"
                    " list TEXT, text TEXT, at TEXT, done INTEGER DEFAULT 0)"
                )
                with db:
                    yield db
        except sqlite3.Error as error:
            raise OSError(f"{self._path} cannot be used ({error})") from error


def _clean(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST]
