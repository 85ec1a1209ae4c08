"""How payments are told: amounts in the wearer's currency, lines, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from agent import Context, Reply
from agent.errors import ConfigError
from agent.language import money
from agent.language.numbers import Money
from agent.skill.data import DataError
from agent.skill.payments import Entry, LedgerError
from skills.pay import address_book
from skills.pay.address_book import Payee

SHOWN = 10
"""Payments in one history card."""


def amount(said: Decimal, ctx: Context) -> Money:
    """Return an amount with its currency: the one that was said with it, else the wearer's.

    Raises ValueError for what cannot be paid, ConfigError for settings that cannot be read.
    """
    currency = getattr(said, "currency", None) or money.currency(ctx.language)
    minor = money.to_minor(said, currency)
    if minor <= 0:
        raise ValueError("an amount to pay is above zero")
    return Money(money.from_minor(minor, currency), currency)


def paid(entries: Iterable[Entry]) -> list[Entry]:
    """Return what was paid or may have been: no top-ups, and nothing that was refused."""
    return [one for one in entries if one.order.kind != "top-up" and one.state != "refused"]


def shown(entry: Entry) -> str:
    """Return the amount of a payment; one that was given back is below zero."""
    order = entry.order
    minor = money.to_minor(order.amount, order.currency)
    return money.shown(-minor if order.kind == "refund" else minor, order.currency)


def total(entries: Iterable[Entry]) -> str:
    """Return what payments add up to, by currency."""
    sums: dict[str, int] = {}
    for entry in entries:
        order = entry.order
        minor = money.to_minor(order.amount, order.currency)
        sign = -1 if order.kind == "refund" else 1
        sums[order.currency] = sums.get(order.currency, 0) + sign * minor
    return " + ".join(money.shown(minor, code) for code, minor in sums.items())


def line(entry: Entry, book: dict[str, Payee], ctx: Context) -> str:
    """Return a payment in one line."""
    to = book.get(entry.order.account)
    name = to.shown(ctx.language) if to else entry.order.payee
    open_ = "" if entry.state in ("paid", "settled") else " " + ctx.say("(unknown)")
    return f"{shown(entry)} {name} {moment(entry.at, ctx)}{open_}"


def moment(at: datetime, ctx: Context) -> str:
    """Show the time when it was today, else the date."""
    local = at.astimezone()
    same = local.date() == ctx.clock().astimezone().date()
    return f"{local:%H:%M}" if same else f"{local:%Y-%m-%d}"


def known(ctx: Context, title: str) -> Reply:
    """List who is in the address book. Raises DataError."""
    names = [payee.shown(ctx.language) for payee in address_book.book().values()]
    return Reply("\n".join(names), title=title, kind="list")


def broken(error: Exception, ctx: Context) -> Reply:
    """Say what cannot be read, and that nothing was paid."""
    return Reply(_why(error, ctx), title=ctx.say("Cannot pay"), kind="alert")


def _why(error: Exception, ctx: Context) -> str:
    if isinstance(error, DataError):
        return ctx.say("The address book cannot be read.")
    if isinstance(error, ConfigError):
        return ctx.say("The settings cannot be read.")
    match error.why if isinstance(error, LedgerError) else "":
        case "damaged":
            return ctx.say("The ledger is damaged. It was left untouched.")
        case "newer":
            return ctx.say("The ledger is of a newer version. Update the glasses.")
        case "busy":
            return ctx.say("The ledger is in use. Try again.")
    return ctx.say("The ledger cannot be opened.")


def since(when: str, today: date) -> date:
    """Return the first day of a time that is called so: today, this week, this month."""
    if when == "this week":
        return today - timedelta(days=today.weekday())
    return today.replace(day=1) if when == "this month" else today
