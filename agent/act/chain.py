"""The chain: each line of the ledger carries a hash over itself and the line before it.

Whoever changes a payment, an outcome or a posting, takes a line out or puts one between, breaks it
from there on. That the last lines are gone shows by the count that SQLite keeps of all there were.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from typing import Any

GENESIS = hashlib.sha256(b"glasses ledger").hexdigest()
"""What comes before the first line."""

Moves = tuple[tuple[str, str, int], ...]
"""Postings of one line: account, currency, minor units."""

EVENT = "seq, at, key, state, reference, note"
PAYMENT = (
    "key, number, at, skill, provider, owner, kind, of, payee, account, currency, minor, details"
)


def link(
    before: str, event: Sequence[Any], payment: Sequence[Any] | None, postings: Sequence[Any]
) -> str:
    """Return the hash of a line: SHA-256 over the hash before it and all that it says."""
    line = [before, list(event), payment and list(payment), [list(one) for one in postings]]
    text = json.dumps(line, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def append(
    db: sqlite3.Connection, at: str, key: str, state: str, reference: str = "", note: str = "",
    moves: Moves = (),
) -> None:  # fmt: skip
    """Add a line, linked to the last one; with the first of a payment goes what was agreed to."""
    last = db.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    seq, before = (last[0] + 1, last[1]) if last else (1, GENESIS)
    event = (seq, at, key, state, reference, note)
    first = db.execute("SELECT 1 FROM events WHERE key = ?", (key,)).fetchone() is None
    query = f"SELECT {PAYMENT} FROM payments WHERE key = ?"
    payment = db.execute(query, (key,)).fetchone() if first else None
    digest = link(before, event, payment, moves)
    db.execute(f"INSERT INTO events ({EVENT}, hash) VALUES (?, ?, ?, ?, ?, ?, ?)", (*event, digest))
    db.executemany(
        "INSERT INTO postings (seq, account, currency, minor) VALUES (?, ?, ?, ?)",
        [(seq, *move) for move in moves],
    )


def broken(db: sqlite3.Connection) -> int | None:
    """Return the number of the first line that is not as it was written; None where all are."""
    payments = {row[0]: row for row in db.execute(f"SELECT {PAYMENT} FROM payments")}
    postings: dict[int, list[Any]] = {}
    for seq, *posting in db.execute(
        "SELECT seq, account, currency, minor FROM postings ORDER BY seq, rowid"
    ):
        postings.setdefault(seq, []).append(posting)
    before, last = GENESIS, 0
    for *event, digest in db.execute(f"SELECT {EVENT}, hash FROM events ORDER BY seq"):
        seq, key = event[0], event[2]
        payment = payments.pop(key, None)  # it is part of its first line
        sums: dict[str, int] = {}
        for _, currency, minor in postings.get(seq, ()):
            sums[currency] = sums.get(currency, 0) + minor
        if seq != last + 1 or any(sums.values()):
            return last + 1
        if link(before, event, payment, postings.pop(seq, ())) != digest:
            return int(seq)
        before, last = digest, seq
    counted = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    if payments or postings or (counted is not None and counted[0] != last):
        return last + 1
    return None
