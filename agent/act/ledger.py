"""The ledger: every payment that was agreed to, what became of it, and where the money went.

One book for the wallet, for every other provider and for whatever a skill carries out itself. It is
kept by double entry: what is submitted goes from the account that pays `in transit`, and from there
to the payee, or back. Each posting adds up to nothing, so money is neither made nor lost.

    payment   provider's account ─▶ transit ─▶ payee:…
    refund    payee:… ─▶ transit ─▶ provider's account
    top-up    outside ─▶ transit ─▶ provider's account
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import cast

from agent.act import chain, earlier, states
from agent.act.books import STEPS, WAIT_S, Books, Step
from agent.act.limits import Limit
from agent.act.states import State
from agent.language.money import from_minor, to_minor
from agent.messages import Order, OrderKind
from agent.skill.payments import Entry, LedgerError, Why

TRANSIT, OUTSIDE, OPENING = "transit", "outside", "opening"
"""Accounts of nobody: on the way, where top-ups come from, and what there was at the beginning."""
MOST_TEXT = 500
"""Most characters that are kept of what a provider says."""

_ENTRY = (
    "number, at, skill, provider, owner, kind, of, key, payee, account, currency, minor, details,"
    " state, reference, note, changed"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order has to keep to."""

    limit: Limit | None = None
    """Of its currency; None where none holds."""
    opening: Decimal | None = None
    """What the account that pays begins with, where it can hold no less than nothing."""


class Ledger:
    """The ledger of one data folder; any number of threads and processes may use it at once."""

    def __init__(self, folder: Path, wait_s: float = WAIT_S, steps: Sequence[Step] = STEPS) -> None:
        """Touch nothing yet: the file is made by the first payment."""
        bring = partial(earlier.bring, folder)
        self._books = Books(folder / "ledger.sqlite", wait_s, steps, bring)
        self._folder = folder

    @property
    def path(self) -> Path:
        """The file."""
        return self._books.path

    @property
    def _there(self) -> bool:
        """Whether anything was ever written, by an earlier version too."""
        return self._books.path.exists() or earlier.there(self._folder)

    def close(self) -> None:
        """Let go of the file; it is opened again when it is used again."""
        self._books.close()

    # -- what happens to a payment ----------------------------------------------------------------

    def begin(
        self, order: Order, now: datetime, skill: str, provider: str = "", owner: str = "",
        terms: Terms = Terms(),
    ) -> Entry:  # fmt: skip
        """Write down that it was agreed to and is submitted now; only then may it be sent.

        Whether it keeps to its terms is looked at in the same transaction, so that two processes
        cannot go beyond a limit together. Raises LedgerError; nothing was written then.
        """
        with self._books.writing() as db:
            minor = _checked(db, order, now, skill, provider, terms)
            at = _stamp(db, now)
            if terms.opening:
                _open_account(db, _payer(skill, provider), order.currency, terms.opening, at)
            (number,) = db.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM payments").fetchone()
            details = json.dumps(dict(order.details), sort_keys=True)
            db.execute(
                f"INSERT INTO payments ({chain.PAYMENT}) VALUES ({', '.join('?' * 13)})",
                (
                    order.key, number, at, skill, provider, owner, order.kind, order.of,
                    order.payee, order.account or order.payee, order.currency, minor, details,
                ),
            )  # fmt: skip
            chain.append(db, at, order.key, "confirmed")
            source, _ = _ways(order, skill, provider)
            moves = _moves(source, TRANSIT, order.currency, minor)
            chain.append(db, at, order.key, "submitted", moves=moves)
            return _must_find(db, order.key)

    def end(
        self,
        key: str,
        to: State,
        now: datetime,
        reference: str = "",
        note: str = "",
        settled: bool = False,
    ) -> Entry:
        """Write down what became of a payment; what is known already is not written twice.

        `settled` says that the provider need not be asked again. Raises LedgerError; IllegalStep
        for what contradicts what is known, which is not written.
        """
        with self._books.writing() as db:
            entry = _must_find(db, key)
            at = _stamp(db, now)
            if entry.state != to and not (to == "paid" and entry.state == "settled"):
                states.step(cast(State, entry.state), to)
                source, target = _ways(entry.order, entry.skill, entry.provider)
                goal = {"paid": target, "refused": source}.get(to)
                minor = to_minor(entry.order.amount, entry.order.currency)
                moves = _moves(TRANSIT, goal, entry.order.currency, minor) if goal else ()
                chain.append(db, at, key, to, clean(reference), clean(note), moves)
            elif entry.state == to:
                reference, note = reference or entry.reference, note or entry.note
            if settled and _must_find(db, key).state == "paid":
                chain.append(db, at, key, "settled", clean(reference), clean(note))
            return _must_find(db, key)

    # -- what it tells ----------------------------------------------------------------------------

    def find(self, key: str) -> Entry | None:
        """Return a payment by its key. Raises LedgerError."""
        if not self._there:
            return None
        with self._books.reading() as db:
            return _find(db, key)

    def entries(self, limit: int | None = None, states: Iterable[State] = ()) -> list[Entry]:
        """Return the last payments, newest first; with `states` only those that are in one.

        Raises LedgerError.
        """
        if not self._there:
            return []
        wanted = tuple(states)
        where = f"WHERE state IN ({', '.join('?' * len(wanted))})" if wanted else ""
        with self._books.reading() as db:
            rows = db.execute(
                f"SELECT {_ENTRY} FROM now {where} ORDER BY number DESC LIMIT ?",
                (*wanted, -1 if limit is None else limit),
            )
            return [_entry(row) for row in rows]

    def since(self, at: datetime) -> int:
        """Return how many payments were agreed to at or after a moment. Raises LedgerError."""
        if not self._there:
            return 0
        with self._books.reading() as db:
            found = db.execute("SELECT count(*) FROM payments WHERE at >= ?", (_text(at),))
            return int(found.fetchone()[0])

    def last_same(self, order: Order, since: datetime) -> Entry | None:
        """Return the last payment of the same amount to the same payee, if it was not refused.

        Raises LedgerError.
        """
        if not self._there:
            return None
        minor = to_minor(order.amount, order.currency)
        with self._books.reading() as db:
            row = db.execute(
                f"SELECT {_ENTRY} FROM now WHERE currency = ? AND at >= ? AND minor = ?"
                " AND account = ? AND kind = ? AND state != 'refused' ORDER BY number DESC LIMIT 1",
                (
                    order.currency, _text(since), minor, order.account or order.payee, order.kind,
                ),
            ).fetchone()  # fmt: skip
            return None if row is None else _entry(row)

    def balance(self, account: str, currency: str, opening: Decimal = Decimal(0)) -> Decimal:
        """Return what an account holds; `opening` before the first posting to it.

        Raises LedgerError.
        """
        if not self._there:
            return opening
        with self._books.reading() as db:
            found = _balance(db, account, currency)
            return opening if found is None else from_minor(found, currency)

    def refunded(self, key: str) -> Decimal:
        """Return how much of a payment was given back or may have been. Raises LedgerError."""
        if (entry := self.find(key)) is None:
            return Decimal(0)
        with self._books.reading() as db:
            return from_minor(_refunded(db, key), entry.order.currency)

    def check(
        self, order: Order, now: datetime, skill: str, provider: str = "",
        terms: Terms = Terms(),
    ) -> None:  # fmt: skip
        """Raise LedgerError where `begin` would, as things stand."""
        if not self._there:
            _fits(order, 0, 0, terms)
            _covers(order, None, terms)
            return
        with self._books.reading() as db:
            _checked(db, order, now, skill, provider, terms)

    def verify(self) -> None:
        """Look at every line. Raises LedgerError where one was changed or lost."""
        if self._there:
            self._books.close()
            with self._books.reading():
                pass


def clean(text: str) -> str:
    """Return a text of the world's as the ledger keeps it: short, on one line, no hidden signs."""
    plain = "".join(c if c.isprintable() else " " for c in text[: 2 * MOST_TEXT])
    return re.sub(r"\s+", " ", plain).strip()[:MOST_TEXT]


# -- where money goes -----------------------------------------------------------------------------


def _payer(skill: str, provider: str) -> str:
    return provider or f"skill:{skill}"


def _ways(order: Order, skill: str, provider: str) -> tuple[str, str]:
    """Return the accounts that an order takes from and gives to."""
    payer, payee = _payer(skill, provider), f"payee:{order.account or order.payee}"
    match order.kind:
        case "payment":
            return payer, payee
        case "refund":
            return payee, payer
        case "top-up":
            return OUTSIDE, payer


def _moves(source: str, target: str, currency: str, minor: int) -> chain.Moves:
    return ((source, currency, -minor), (target, currency, minor)) if minor else ()


def _open_account(
    db: sqlite3.Connection, account: str, currency: str, opening: Decimal, at: str
) -> None:
    if _balance(db, account, currency) is None:
        moves = _moves(OPENING, account, currency, to_minor(opening, currency))
        chain.append(db, at, f"{OPENING}:{account}:{currency}", "settled", moves=moves)


def _balance(db: sqlite3.Connection, account: str, currency: str) -> int | None:
    """Return what an account holds in minor units; None where nothing was ever posted to it."""
    (found,) = db.execute(
        "SELECT sum(minor) FROM postings WHERE account = ? AND currency = ?", (account, currency)
    ).fetchone()
    return None if found is None else int(found)


# -- what an order has to keep to -----------------------------------------------------------------


def _checked(
    db: sqlite3.Connection, order: Order, now: datetime, skill: str, provider: str, terms: Terms
) -> int:
    """Return the amount in minor units. Raises LedgerError where it goes beyond its terms."""
    if _find(db, order.key) is not None:
        raise LedgerError("known", "a payment with this key is in the ledger already")
    minor = _amount(order)
    if order.kind == "refund":
        _refundable(db, order, minor)
    if order.kind != "payment":
        return minor
    today = _text(_day(_later(db, now)))
    day, payee = _spent(db, order, today, "1"), _spent(db, order, today, "account = :account")
    _fits(order, day, payee, terms)
    _covers(order, _balance(db, _payer(skill, provider), order.currency), terms)
    return minor


def _amount(order: Order) -> int:
    try:
        minor = to_minor(order.amount, order.currency)
    except ValueError as error:
        raise LedgerError("amount", str(error)) from None
    if minor < 0 or (minor == 0 and order.payee):
        raise LedgerError("amount", "an amount to pay is above zero")
    return minor


def _refundable(db: sqlite3.Connection, order: Order, minor: int) -> None:
    paid = _find(db, order.of)
    if paid is None or paid.state not in states.MOVED or paid.order.kind != "payment":
        raise LedgerError("refund", "there is no such payment to give back")
    left = to_minor(paid.order.amount, paid.order.currency) - _refunded(db, order.of)
    if order.currency != paid.order.currency or minor > left:
        limit = from_minor(left, paid.order.currency)
        raise LedgerError("refund", "more than is left of the payment", limit)


def _refunded(db: sqlite3.Connection, key: str) -> int:
    (found,) = db.execute(
        "SELECT COALESCE(sum(minor), 0) FROM now WHERE of = ? AND kind = 'refund'"
        " AND state != 'refused'",
        (key,),
    ).fetchone()
    return int(found)


def _fits(order: Order, day: int, payee: int, terms: Terms) -> None:
    """Raise LedgerError where a payment goes beyond a limit; `day` and `payee` were spent today."""
    minor, limit = _amount(order), terms.limit
    if limit is None:
        return
    beyond: tuple[tuple[Why, int, int], ...] = (
        ("payment", minor, limit.payment),
        ("day", minor + day, limit.day),
        ("payee", minor + payee, limit.payee),
    )
    for why, wanted, most in beyond:
        if wanted > most:
            raise LedgerError(why, f"beyond the limit: {why}", from_minor(most, order.currency))


def _covers(order: Order, there: int | None, terms: Terms) -> None:
    """Raise LedgerError where the account that pays does not hold enough."""
    if terms.opening is None or order.kind != "payment":
        return
    there = to_minor(terms.opening, order.currency) if there is None else there
    if _amount(order) > there:
        holds = from_minor(max(there, 0), order.currency)
        raise LedgerError("funds", "the account does not hold enough", holds)


def _spent(db: sqlite3.Connection, order: Order, since: str, where: str) -> int:
    (found,) = db.execute(
        f"SELECT COALESCE(sum(minor), 0) FROM now WHERE currency = :currency AND at >= :since"
        f" AND kind = 'payment' AND state != 'refused' AND {where}",
        {"currency": order.currency, "since": since, "account": order.account or order.payee},
    ).fetchone()
    return int(found)


# -- lines ----------------------------------------------------------------------------------------


def _find(db: sqlite3.Connection, key: str) -> Entry | None:
    row = db.execute(f"SELECT {_ENTRY} FROM now WHERE key = ?", (key,)).fetchone()
    return None if row is None else _entry(row)


def _must_find(db: sqlite3.Connection, key: str) -> Entry:
    if (entry := _find(db, key)) is None:
        raise LedgerError("damaged", "a payment is not in the ledger that has to be")
    return entry


def _entry(row: tuple[object, ...]) -> Entry:
    (number, at, skill, provider, owner, kind, of, key, payee, account, currency, minor, details,
     state, reference, note, changed) = map(str, row)  # fmt: skip
    order = Order(
        key, from_minor(int(minor), currency), currency, payee, account, json.loads(details),
        cast(OrderKind, kind), of,
    )  # fmt: skip
    when, since = datetime.fromisoformat(at), datetime.fromisoformat(changed)
    return Entry(int(number), when, order, skill, provider, owner, state, reference, note, since)


# -- time -----------------------------------------------------------------------------------------


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _later(db: sqlite3.Connection, now: datetime) -> datetime:
    """Return now, or when the last line was written where the clock has jumped back since.

    A day back or more, and the clock was wrong then: it is believed again.
    """
    row = db.execute("SELECT at FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    now = now.astimezone()
    last = datetime.fromisoformat(row[0]).astimezone() if row else now
    return last if now < last < now + timedelta(days=1) else now


def _stamp(db: sqlite3.Connection, now: datetime) -> str:
    return _text(_later(db, now))


def _day(now: datetime) -> datetime:
    """Return when the day began, by the clock on the wall."""
    return now.astimezone() - timedelta(
        hours=now.hour, minutes=now.minute, seconds=now.second, microseconds=now.microsecond
    )
