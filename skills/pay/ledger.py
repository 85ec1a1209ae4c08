"""The ledger: one SQLite file on the device, one row for each payment, written exactly once.

The idempotency key is the primary key, so recording the same key again gives the first receipt
back. Rows survive power loss: WAL with `synchronous = FULL` syncs the log at every commit
(sqlite.org/pragma.html#pragma_synchronous). A file that is damaged is never written to.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent import private

VERSION = 1
"""Layout of the file, kept in its `user_version`."""
WAIT_S = 3.0
"""How long to wait for another process that writes."""

_TABLE = """
CREATE TABLE payments (
    key TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    made_at TEXT NOT NULL,
    payee TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents > 0),
    currency TEXT NOT NULL
) STRICT
"""


class LedgerError(Exception):
    """The ledger cannot be used, and nothing was recorded; the message says why."""


class Damaged(LedgerError):
    """The file is not a sound ledger. It was left exactly as it is."""


class Busy(LedgerError):
    """Another process kept the ledger locked for too long."""


class KeyReused(LedgerError):
    """The key stands for another payment already."""


class Unknown(LedgerError):
    """The disk failed while a payment was written: recorded or not, only the key can tell."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What is to be recorded."""

    payee: str
    """Id of the payee."""
    cents: int
    """Amount in hundredths of the currency; above zero."""
    currency: str
    """ISO 4217 code."""

    def __post_init__(self) -> None:
        """Refuse what can be no payment with ValueError."""
        if self.cents <= 0 or not self.payee or not self.currency:
            raise ValueError("a payment has a payee, a currency and an amount above zero")


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded payment."""

    number: int
    """Counts from 1 in the order of recording."""
    made_at: datetime
    """When, with its offset from UTC."""
    payment: Payment
    """What."""

    @property
    def reference(self) -> str:
        """What the wearer can look it up by."""
        return f"P{self.number}"


class Ledger:
    """The payments of one device."""

    def __init__(self, path: Path, wait_s: float = WAIT_S) -> None:
        """Open nothing yet: every call opens the file, and closes it again."""
        self._path = path
        self._wait_s = wait_s

    def record(self, key: str, payment: Payment, now: datetime) -> Entry:
        """Record a payment once; the same key and payment again return the first entry.

        Raises Unknown when the outcome cannot be told, another LedgerError when nothing was
        recorded.
        """
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            if found := _find(db, key):
                if found.payment != payment:
                    raise KeyReused("this key stands for another payment; nothing was recorded")
                return found
            db.execute(
                "INSERT INTO payments SELECT ?, COALESCE(MAX(number), 0) + 1, ?, ?, ?, ?"
                " FROM payments",
                (
                    key, now.astimezone().isoformat(timespec="seconds"),
                    payment.payee, payment.cents, payment.currency,
                ),
            )  # fmt: skip
            entry = _find(db, key)
            try:
                db.execute("COMMIT")
            except sqlite3.Error as error:
                raise Unknown(f"the disk failed while writing: {error}") from None
        if entry is None:
            raise Unknown("the payment cannot be read back")
        return entry

    def find(self, key: str) -> Entry | None:
        """Return what was recorded under a key, or None. Raises LedgerError."""
        with self._open() as db:
            return _find(db, key)

    def entries(self, limit: int | None = None) -> list[Entry]:
        """Return the last payments, newest first; all when there is no limit.

        Raises LedgerError.
        """
        with self._open() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM payments ORDER BY number DESC LIMIT ?",
                (-1 if limit is None else limit,),
            )
            return [_entry(row) for row in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Check, open, hand out and close; SQLite's errors become a LedgerError here."""
        try:
            private.file(self._path)
            _check(self._path, self._wait_s)
            with closing(_connect(self._path, self._wait_s)) as db:
                _create(db, self._wait_s)
                yield db
        except sqlite3.OperationalError as error:
            if _is_busy(error):
                raise Busy("another process holds the ledger; nothing was recorded") from None
            raise LedgerError(f"the ledger cannot be used: {error}") from None
        except (sqlite3.DatabaseError, ValueError) as error:
            raise Damaged(f"the ledger is damaged and was left as it is: {error}") from None
        except OSError as error:
            raise LedgerError(f"the ledger cannot be used: {error}") from None


_COLUMNS = "number, made_at, payee, cents, currency"


def _find(db: sqlite3.Connection, key: str) -> Entry | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM payments WHERE key = ?", (key,)).fetchone()
    return None if row is None else _entry(row)


def _entry(row: tuple[int, str, str, int, str]) -> Entry:
    number, made_at, payee, cents, currency = row
    return Entry(number, datetime.fromisoformat(made_at), Payment(payee, cents, currency))


def _connect(path: Path, wait_s: float, mode: str = "rwc") -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=wait_s, isolation_level=None
    )


def _check(path: Path, wait_s: float) -> None:
    """Read the whole file before anything may write to it: a read-only connection cannot."""
    if not path.exists() or path.stat().st_size == 0:  # SQLite makes a file empty, then fills it
        return
    with closing(_connect(path, wait_s, mode="ro")) as db:
        db.execute("BEGIN")  # one look: another process may be making the table just now
        (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise Damaged("the ledger is damaged and was left as it is: quick_check failed")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version not in (0, VERSION) or (version == 0 and tables):
            raise Damaged(f"the ledger has layout {version}, this is layout {VERSION}")


def _create(db: sqlite3.Connection, wait_s: float) -> None:
    """Set the connection up and make the table, whichever process comes first."""
    _use_wal(db, wait_s)
    db.execute("PRAGMA synchronous = FULL")
    if db.execute("PRAGMA user_version").fetchone() == (VERSION,):
        return
    db.execute("BEGIN IMMEDIATE")
    if db.execute("PRAGMA user_version").fetchone() != (VERSION,):
        db.execute(_TABLE)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")


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
        time.sleep(0.01)


def _is_busy(error: sqlite3.Error) -> bool:
    return (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
