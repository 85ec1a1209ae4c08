"""After a payment: whether it went through, its receipt, giving it back; and the limits."""

from __future__ import annotations

from typing import Annotated

from agent import Context, OneOf, Proposal, Reply, skill
from agent.errors import ConfigError
from agent.language import money
from agent.skill.data import DataError
from agent.skill.payments import Entry, LedgerError
from skills.pay import address_book, records

To = Annotated[str, OneOf(address_book.names)]


@skill(
    "did (that|it|the payment|my [last] payment) go through",
    "(was|is) (that|it|the payment|my [last] payment) paid",
    "what became of (my [last] payment|that payment|the payment)",
    "did my payment to {payee} go through",
    permissions={"money": "to tell what became of a payment"},
)
def status(ctx: Context, payee: To | None = None) -> Reply:
    """Tell what became of the last payment, and ask the provider where that is not known."""
    try:
        entry = _last(ctx, payee)
        if entry is not None:
            entry = ctx.payments.ask(entry.order.key) or entry
        if entry is None:
            return Reply(ctx.say("No such payment." if payee else "No payments yet."))
        lines = [_became(entry, ctx), records.line(entry, address_book.book(), ctx)]
    except (LedgerError, DataError) as error:
        return records.broken(error, ctx)
    return Reply("\n".join(lines))


@skill(
    "(show|read) [me] (my|the|that) [last] receipt",
    "(show|read) [me] the receipt of my [last] payment [to {payee}]",
    "[my|the] receipt please",
    permissions={"money": "to show a receipt"},
)
def receipt(ctx: Context, payee: To | None = None) -> Reply:
    """Show the receipt of the last payment."""
    try:
        entry = _last(ctx, payee)
        if entry is None:
            return Reply(ctx.say("No such payment." if payee else "No payments yet."))
        back = ctx.payments.refunded(entry.order.key)
        name = records.line(entry, address_book.book(), ctx)
    except (LedgerError, DataError) as error:
        return records.broken(error, ctx)
    order = entry.order
    lines = [name, _became(entry, ctx), f"{entry.at.astimezone():%Y-%m-%d %H:%M}"]
    if back:
        given = money.shown(money.to_minor(back, order.currency), order.currency)
        lines.append(ctx.say("Given back: {money}", money=given))
    paid_by = entry.provider or entry.skill
    lines.append(f"{entry.mark} {paid_by} {entry.reference}".strip())
    return Reply("\n".join(lines), title=ctx.say("Receipt"))


@skill(
    "refund (that|it|my [last] payment|the [last] payment)",
    "(get|give) me my money back [from {payee}]",
    "i want my money back [from {payee}]",
    risk="money",
    permissions={"money": "to have a payment given back"},
)
def refund(ctx: Context, payee: To | None = None) -> Reply:
    """Propose to have the last payment given back, as much as is left of it."""
    try:
        entry = _last(ctx, payee)
        if entry is None or entry.state not in ("paid", "settled") or not entry.provider:
            return Reply(ctx.say("There is no payment that can be given back."))
        left = entry.order.amount - ctx.payments.refunded(entry.order.key)
    except LedgerError as error:
        return records.broken(error, ctx)
    if left <= 0:
        return Reply(ctx.say("It was given back already."))
    order = entry.order
    return Proposal(
        title=ctx.say("Refund"),
        text=ctx.say("Back to you, of {mark}.", mark=entry.mark),
        kind="proposal",
        amount=left,
        currency=order.currency,
        payee=ctx.say("you, from {payee}", payee=order.payee),
        account=order.account,
        provider=entry.provider,
        details=order.details,
        order="refund",
        of=order.key,
    )


@skill(
    "(what are|what's|show [me]) my [payment|spending] (limits|limit)",
    "how much (can|may) i pay",
)
def limits(ctx: Context) -> Reply:
    """Tell how much may be paid at once, in a day and without the PIN."""
    from agent.act.limits import load

    try:
        currency = money.currency(ctx.language)
        limit = load(ctx.folder.parent).of.get(currency)
    except ConfigError as error:
        return records.broken(error, ctx)
    if limit is None:
        return Reply(ctx.say("No limit is set for {currency}.", currency=currency))
    lines = [
        ctx.say("{money} a payment", money=money.shown(limit.payment, currency)),
        ctx.say("{money} a day", money=money.shown(limit.day, currency)),
        ctx.say("{money} a day to one payee", money=money.shown(limit.payee, currency)),
        ctx.say("PIN above {money}", money=money.shown(limit.pin, currency)),
    ]
    return Reply("\n".join(lines), title=ctx.say("Limits"), kind="list")


def _last(ctx: Context, payee: str | None) -> Entry | None:
    """Return the last payment, or the last to somebody; whatever became of it. Raises LedgerError.

    What was given back or topped up is none.
    """
    made = (one for one in ctx.payments.entries() if one.order.kind == "payment")
    return next((one for one in made if payee in (None, one.order.account)), None)


def _became(entry: Entry, ctx: Context) -> str:
    match entry.state:
        case "paid" | "settled":
            return ctx.say("Yes, it was paid.")
        case "refused":
            return ctx.say("No, it was not paid.")
    return ctx.say("Not known yet. Do not pay again.")
