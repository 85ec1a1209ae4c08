"""The file of the ledger: opened, checked, laid out, migrated; never repaired and never guessed at.

SQLite in WAL mode with `synchronous = FULL`: a commit is on the disk when it returns
(sqlite.org/pragma.html#pragma_synchronous). Rows are only ever added: triggers refuse the rest, and
each line has a hash over itself and the one before (`agent.act.chain`). Before an older layout is
migrated the file is copied. What is damaged, newer than this version or cannot be read is left
exactly as it is.

Nothing here opens the file but SQLite: closing any other descriptor of it would drop the locks that
SQLite holds (fcntl(2)), and another process might take the log for its own.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from agent import private
from agent.act import chain
from agent.skill.payments import LedgerError

WAIT_S = 5.0
"""How long to wait for another process that writes."""

POLL_S = 0.01
"""How often to try what SQLite does not wait for."""

Step = Callable[[sqlite3.Connection], None]


def _first(db: sqlite3.Connection) -> None:
    """Lay out payments, what became of each, and where its money went."""
    for statement in (
        """CREATE TABLE payments (
            key TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, at TEXT NOT NULL,
            skill TEXT NOT NULL, provider TEXT NOT NULL, owner TEXT NOT NULL, kind TEXT NOT NULL,
            of TEXT NOT NULL, payee TEXT NOT NULL, account TEXT NOT NULL, currency TEXT NOT NULL,
            minor INTEGER NOT NULL CHECK (minor >= 0), details TEXT NOT NULL) STRICT""",
        """CREATE TABLE events (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, key TEXT NOT NULL,
            state TEXT NOT NULL, reference TEXT NOT NULL, note TEXT NOT NULL,
            hash TEXT NOT NULL) STRICT""",
        """CREATE TABLE postings (
            seq INTEGER NOT NULL REFERENCES events (seq), account TEXT NOT NULL,
            currency TEXT NOT NULL, minor INTEGER NOT NULL) STRICT""",
        "CREATE INDEX events_of ON events (key, seq)",
        "CREATE INDEX postings_of ON postings (seq)",
        "CREATE INDEX balance_of ON postings (account, currency, minor)",
        "CREATE INDEX payments_at ON payments (currency, at)",
        "CREATE VIEW now AS SELECT p.*, e.seq, e.state, e.reference, e.note, e.at AS changed"
        " FROM payments p JOIN events e"
        " ON e.seq = (SELECT max(seq) FROM events WHERE key = p.key)",
    ):
        db.execute(statement)
    for table in ("payments", "events", "postings"):
        for change in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER no_{change.lower()}_of_{table} BEFORE {change} ON {table}"
                " BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END"
            )


STEPS: tuple[Step, ...] = (_first,)
"""What makes each layout from the one before; `user_version` is how many were done."""


class Books:
    """One ledger's file. A connection lasts for one piece of work; safe across threads."""

    def __init__(
        self,
        path: Path,
        wait_s: float = WAIT_S,
        steps: Sequence[Step] = STEPS,
        bring: Step | None = None,
    ) -> None:
        """Touch nothing yet. `bring` fills a new ledger with what an earlier version kept."""
        self.path = path
        self._wait_s = wait_s
        self._steps = steps
        self._bring = bring
        self._lock = threading.Lock()
        self._sound: tuple[int, int] | None = None  # the file that was checked, by device and inode
        self._idle: sqlite3.Connection | None = None  # so that no close folds the log in

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            idle, self._idle, self._sound = self._idle, None, None
            if idle is not None:
                idle.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one moment. Raises LedgerError."""
        with self._open() as db:
            db.execute("BEGIN")
            yield db
            db.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection on which all is written or nothing, on the disk when it ends.

        Raises LedgerError, and then nothing was written; but where the disk failed at the very end
        (`full`), only reading can tell.
        """
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Check, open, hand out and close; SQLite's errors become a LedgerError here."""
        try:
            private.file(self.path)
            self._check()
            with closing(_connect(self.path, self._wait_s)) as db:
                db.execute("PRAGMA synchronous = FULL")
                yield db
        except sqlite3.DatabaseError as error:
            raise _told(error) from None
        except OSError as error:
            raise _unusable(error) from None

    def _check(self) -> None:
        """Look at the whole file before anything is written to it, once."""
        with self._lock:
            if not self.path.is_file():
                raise LedgerError("closed", f"{self.path} is no file: nothing was written")
            found = self.path.stat()
            if self._sound == (found.st_dev, found.st_ino):
                return
            if found.st_size:  # SQLite makes a file empty, then fills it
                with closing(_connect(self.path, self._wait_s, "ro")) as db:
                    db.execute("BEGIN")  # one look: another process may be laying it out just now
                    verify(db, len(self._steps))
            self._lay_out()
            if self._idle is not None:
                self._idle.close()
            self._idle = _connect(self.path, self._wait_s, threads=True)
            self._idle.execute("SELECT count(*) FROM sqlite_master").fetchone()
            self._sound = (found.st_dev, found.st_ino)

    def _lay_out(self) -> None:
        """Bring the file to our layout, whichever process comes first; copy an older one before."""
        with closing(_connect(self.path, self._wait_s)) as db:
            _use_wal(db, self._wait_s)
            db.execute("PRAGMA synchronous = FULL")
            if _version(db) == len(self._steps):
                return
            db.execute("BEGIN IMMEDIATE")
            if (done := _version(db)) > 0:
                self._back_up(done)
            for step in self._steps[done:]:
                step(db)
            if not done and self._bring is not None:
                self._bring(db)
            db.execute(f"PRAGMA user_version = {len(self._steps)}")
            db.execute("COMMIT")

    def _back_up(self, version: int) -> None:
        """Copy the ledger as it is, whole, beside it; the copy is on the disk when this returns."""
        copy = self.path.with_name(f"{self.path.name}.layout-{version}")
        if copy.exists():
            return  # made by one who lost power before the migration was done
        with (
            closing(_connect(self.path, self._wait_s, "ro")) as db,
            closing(sqlite3.connect(":memory:")) as whole,
        ):
            db.backup(whole)
            whole.execute("PRAGMA journal_mode = MEMORY")
            private.write(copy, whole.serialize())


def verify(db: sqlite3.Connection, version: int) -> None:
    """Raise LedgerError unless the file is a ledger that nobody has changed; it is only read."""
    (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise LedgerError("damaged", "the ledger is damaged and was left as it is")
    there = _version(db)
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if there > version:
        reason = f"the ledger is of a newer version (layout {there}, this knows {version})"
        raise LedgerError("newer", f"{reason}: it was left as it is; update the glasses")
    if there == 0 and tables:
        raise LedgerError("damaged", "the file of the ledger is no ledger; it was left as it is")
    if there == 0:
        return
    if (line := chain.broken(db)) is not None:
        raise LedgerError("damaged", f"line {line} of the ledger was changed or lost")


def _version(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def _connect(
    path: Path, wait_s: float, mode: str = "rw", threads: bool = False
) -> sqlite3.Connection:
    where = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(
        where, uri=True, timeout=wait_s, isolation_level=None, check_same_thread=not threads
    )


def _use_wal(db: sqlite3.Connection, wait_s: float) -> None:
    """Switch to WAL; two processes that do it at once get "locked" without any waiting."""
    until = time.monotonic() + wait_s
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > until:
                raise
        time.sleep(POLL_S)


def _is_busy(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _told(error: sqlite3.DatabaseError) -> LedgerError:
    """Return what SQLite's error means for the ledger."""
    code = (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF
    if _is_busy(error):
        return LedgerError("busy", "another process holds the ledger; nothing was written")
    if code == sqlite3.SQLITE_READONLY:
        return LedgerError("read-only", "the ledger cannot be written to; nothing was written")
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return LedgerError("full", f"the disk failed or is full while the ledger is used: {error}")
    if code == sqlite3.SQLITE_CANTOPEN:
        return LedgerError("closed", f"the ledger cannot be opened: {error}")
    return LedgerError("damaged", f"the ledger is damaged and was left as it is: {error}")


def _unusable(error: OSError) -> LedgerError:
    with suppress(ValueError):
        import errno

        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return LedgerError("full", "the disk is full; nothing was written")
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            return LedgerError("read-only", "the ledger cannot be written to; nothing was written")
    return LedgerError("closed", f"the ledger cannot be opened: {error.strerror}")
