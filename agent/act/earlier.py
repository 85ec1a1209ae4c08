"""What an earlier version kept: the gate's list of commits, and the names in the skill's ledger.

Both are read once, when the ledger is made, and stay where they are: they are their own backup.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from agent.act import chain
from agent.language.money import to_minor

log = logging.getLogger(__name__)

GATE, LEDGER = "gate.sqlite", "pay/ledger.sqlite"
ENDS = {
    "done": ("paid", "settled"),
    "failed": ("refused",),
    "committing": ("unknown",),
    "unknown": ("unknown",),
}
"""Through which states each of its own came."""


def there(folder: Path) -> bool:
    """Whether an earlier version has kept anything."""
    return (folder / GATE).exists()


def bring(folder: Path, db: sqlite3.Connection) -> None:
    """Write what was kept into a new ledger, in the order in which it happened.

    What cannot be read is told and left out; its file stays.
    """
    if not there(folder):
        return
    names: dict[str, str] = {}
    with suppress(sqlite3.DatabaseError), closing(_open(folder / LEDGER)) as kept:
        names = dict(kept.execute("SELECT key, payee FROM payments"))
    try:
        with closing(_open(folder / GATE)) as kept:
            rows = kept.execute(
                "SELECT key, skill, amount, currency, payee, at, state, reference FROM commits"
                " ORDER BY rowid"
            ).fetchall()
    except sqlite3.DatabaseError:
        log.warning("%s cannot be read: what it holds is not in the ledger", folder / GATE)
        return
    for number, row in enumerate(rows, start=1):
        key, skill, amount, currency, payee, at, state, reference = map(str, row)
        try:
            minor, when = to_minor(Decimal(amount), currency), _utc(at)
        except (InvalidOperation, ValueError):
            log.warning("a row of %s cannot be read and is not in the ledger", folder / GATE)
            continue
        account = names.get(key, payee)
        db.execute(
            f"INSERT INTO payments ({chain.PAYMENT}) VALUES ({', '.join('?' * 13)})",
            (
                key,
                number,
                when,
                skill,
                "",
                "",
                "payment",
                "",
                payee,
                account,
                currency,
                minor,
                "{}",
            ),
        )
        _lines(db, key, when, ENDS.get(state, ("unknown",)), reference,
               (f"skill:{skill}", f"payee:{account}", currency, minor))  # fmt: skip


def _lines(
    db: sqlite3.Connection, key: str, at: str, ends: tuple[str, ...], reference: str,
    way: tuple[str, str, str, int],
) -> None:  # fmt: skip
    """Write a payment's lines; `way` is from whom to whom, in which currency, and how much."""
    source, target, currency, minor = way

    def moved(one: str, other: str) -> chain.Moves:
        return ((one, currency, -minor), (other, currency, minor)) if minor else ()

    chain.append(db, at, key, "confirmed")
    chain.append(db, at, key, "submitted", moves=moved(source, "transit"))
    for state in ends:
        goal = {"paid": target, "refused": source}.get(state)
        chain.append(db, at, key, state, reference, moves=moved("transit", goal) if goal else ())


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)


def _utc(text: str) -> str:
    """Return a time as the ledger writes it; SQLite wrote it in UTC. Raises ValueError."""
    at = datetime.fromisoformat(text)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
