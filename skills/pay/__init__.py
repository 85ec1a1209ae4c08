"""Propose a payment, and record it on this device once the wearer has said yes.

No bank stands behind it, and every receipt says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

from agent import Context, NotCommitted, OneOf, Proposal, Receipt, Reply, hookimpl, skill
from agent import Payment as Shown
from agent.skill.data import DataError
from skills.pay import accounts, address_book
from skills.pay.address_book import Payee
from skills.pay.ledger import (
    Busy,
    Damaged,
    Entry,
    KeyReused,
    Ledger,
    LedgerError,
    Payment,
    Unknown,
)

CURRENCY = "USD"
LIMIT = Decimal(500)
"""Most that one payment may be, in `CURRENCY`."""
SHOWN = 10
"""Payments in one history card."""

To = Annotated[str, OneOf(address_book.names)]


@skill(
    "pay {amount} to {payee}",
    "pay {payee} {amount}",
    "send {amount} to {payee}",
    "send {payee} {amount}",
    "transfer {amount} to {payee}",
    "give {payee} {amount}",
    risk="money",
    permissions={"money": "to record payments on this device"},
)
def pay(amount: Decimal, payee: To, ctx: Context) -> Reply:
    """Propose a payment to someone in the address book."""
    try:
        to = address_book.book().get(payee)
        ledger = _ledger(ctx)
        ledger.entries(limit=1)  # a broken ledger is told now, not after the yes
    except (DataError, LedgerError) as error:
        return _broken(error, ctx)
    if to is None:
        return _known(ctx, title=ctx.say("Not in the address book"))
    if refusal := _refusal(amount, ctx):
        return Reply(refusal, title=ctx.say("Not paid"), kind="alert")
    payment = Payment(to.id, int(_cents(amount)), CURRENCY)
    offer = Shown(Decimal(_written(payment.cents)), payment.currency, to.shown(ctx.language))
    return Proposal(
        title=ctx.say("Payment"),
        text=ctx.say("Recorded here only: no bank."),  # amount and payee are the agent's to show
        kind="proposal",
        amount=offer.amount,
        currency=offer.currency,
        payee=offer.payee,
        commit=lambda key, shown: _commit(key, shown, (offer, payment), ledger, ctx),
    )


@skill(
    "what did i pay [{when}]",
    "what have i paid [{when}]",
    "show [me] my payments [{when}]",
    "show [me] my last payments",
    "what were my last payments",
    "(did|have) i [already|ever] (pay|paid|send|sent) {payee} [{amount}] [{when}]",
    "(did|have) i [already|ever] (pay|paid|send|sent) {amount} to {payee} [{when}]",
    "(when|how much) did i (pay|send) [to] {payee} [{when}]",
)
def history(
    ctx: Context,
    when: Literal["today"] | None = None,
    payee: To | None = None,
    amount: Decimal | None = None,
) -> Reply:
    """List the last payments: of today, to somebody, or of an amount."""
    try:
        entries = _ledger(ctx).entries()
        known = address_book.book()
    except (DataError, LedgerError) as error:
        return _broken(error, ctx)
    if when == "today":
        today = ctx.clock().astimezone().date()
        entries = [one for one in entries if one.made_at.astimezone().date() == today]
    if payee is not None and (to := known.get(payee)) is not None:
        entries = [one for one in entries if one.payment.payee == to.id]
    if amount is not None:
        entries = [one for one in entries if one.payment.cents == amount * 100]
    if not entries:
        if payee is not None or amount is not None:
            return Reply(ctx.say("No such payment."))
        return Reply(ctx.say("No payments today." if when else "No payments yet."))
    total = _dollars(sum(one.payment.cents for one in entries))
    title = ctx.say("Today: {total}", total=total) if when else ctx.say("Last payments")
    lines = [_line(one, known, ctx) for one in entries[:SHOWN]]
    if left := len(entries) - len(lines):
        lines.append("… " + ctx.say("and {n} more", n=left))
    return Reply("\n".join(lines), title=title, kind="list")


@skill(
    "who can i pay",
    "who can i send money to",
    "who is in my address book",
    "show [me] my address book",
)
def payees(ctx: Context) -> Reply:
    """List who can be paid."""
    try:
        return _known(ctx, title=ctx.say("You can pay"))
    except DataError as error:
        return _broken(error, ctx)


def _refusal(amount: Decimal, ctx: Context) -> str | None:
    """Say why an amount cannot be paid, or None when it can."""
    currency = getattr(amount, "currency", None) or CURRENCY
    if currency != CURRENCY:
        return ctx.say("Only {ours} here, not {theirs}.", ours=CURRENCY, theirs=currency)
    if not amount.is_finite() or amount <= 0:
        return ctx.say("That is not an amount in dollars and cents.")
    if amount > LIMIT:
        return ctx.say("The limit is {limit} a payment.", limit=_dollars(int(_cents(LIMIT))))
    if _cents(amount).denominator != 1:
        return ctx.say("That is not an amount in dollars and cents.")
    return None


def _cents(amount: Decimal) -> Fraction:
    """Return an amount in cents: exactly, whatever decimal context is set."""
    return Fraction(amount) * 100


def _commit(
    key: str, shown: Shown, proposed: tuple[Shown, Payment], ledger: Ledger, ctx: Context
) -> Receipt:
    """Record the payment under its key, if its amount, currency and payee are what was shown.

    Raises NotCommitted when it is certain that nothing was recorded, Unknown when it is not.
    """
    offer, payment = proposed
    if shown != offer:
        raise NotCommitted(ctx.say("Something else was shown."))
    try:
        entry = ledger.record(key, payment, ctx.clock())
    except Unknown as error:
        raise OutcomeUnknown(_why(error, ctx)) from None
    except LedgerError as error:
        raise NotCommitted(_why(error, ctx)) from None
    if entry.payment != payment:
        raise OutcomeUnknown(ctx.say("The ledger holds something else."))
    return Receipt(
        ctx.say("Recorded in the ledger on this device. No bank is connected: no money has moved."),
        entry.reference,
        offer,
    )


class OutcomeUnknown(OSError):
    """The disk failed while the payment was written; the gate reports it as unknown."""


def _ledger(ctx: Context) -> Ledger:
    return Ledger(ctx.folder / "ledger.sqlite")


def _broken(error: Exception, ctx: Context) -> Reply:
    return Reply(_why(error, ctx), title=ctx.say("Cannot pay"), kind="alert")


def _why(error: Exception, ctx: Context) -> str:
    if isinstance(error, Damaged):
        return ctx.say("The ledger is damaged. It was left untouched.")
    if isinstance(error, Busy):
        return ctx.say("The ledger is in use. Try again.")
    if isinstance(error, KeyReused):
        return ctx.say("That key belongs to another payment.")
    if isinstance(error, Unknown):
        return ctx.say("The disk failed while writing.")
    if isinstance(error, DataError):
        return ctx.say("The address book cannot be read.")
    return ctx.say("The ledger cannot be opened.")


def _known(ctx: Context, title: str) -> Reply:
    names = [payee.shown(ctx.language) for payee in address_book.book().values()]
    return Reply("\n".join(names), title=title, kind="list")


def _line(entry: Entry, known: dict[str, Payee], ctx: Context) -> str:
    payee = known.get(entry.payment.payee)
    name = payee.shown(ctx.language) if payee else entry.payment.payee
    return f"{_dollars(entry.payment.cents)} {name} {_day(entry.made_at, ctx)}"


def _day(made_at: datetime, ctx: Context) -> str:
    """Show the time when it was today, else the date."""
    local = made_at.astimezone()
    same = local.date() == ctx.clock().astimezone().date()
    return f"{local:%H:%M}" if same else f"{local:%Y-%m-%d}"


def _dollars(cents: int) -> str:
    return f"${_written(cents)}"


def _written(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Add the actions."""
    register(pay, history, payees, accounts.bill, accounts.transfer)
