"""Pay somebody from the address book, and tell what was paid and what became of it.

An action only proposes. The agent shows amount and payee, waits for a yes, asks for the PIN above a
limit, writes it into its ledger and only then has it paid.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Literal

from agent import Context, OneOf, Proposal, Reply, hookimpl, skill
from agent.errors import ConfigError
from agent.language import money
from agent.skill.data import DataError
from agent.skill.payments import LedgerError
from skills.pay import (
    accounts,
    address_book,
    afterwards,
    alipay_bot,
    handover,
    links,
    records,
    scanned,
    wallet,
)

To = Annotated[str, OneOf(address_book.names)]


@skill(
    "pay {amount} to {payee}",
    "pay {payee} {amount}",
    "send {amount} to {payee}",
    "send {payee} {amount}",
    "transfer {amount} to {payee}",
    "give {payee} {amount}",
    risk="money",
    permissions={"money": "to pay from your wallet"},
)
def pay(amount: Decimal, payee: To, ctx: Context) -> Reply:
    """Propose a payment to someone in the address book."""
    try:
        to = address_book.book().get(payee)
        sum_ = records.amount(amount, ctx)
    except (DataError, ConfigError) as error:
        return records.broken(error, ctx)
    except ValueError:
        return Reply(
            ctx.say("That is not an amount to pay."), title=ctx.say("Not paid"), kind="alert"
        )
    if to is None:
        return records.known(ctx, title=ctx.say("Not in the address book"))
    return Proposal(
        title=ctx.say("Payment"),
        text=ctx.say("From your wallet here; no bank."),  # amount and payee are the agent's to show
        kind="proposal",
        amount=sum_,
        currency=sum_.currency or "",
        payee=to.shown(ctx.language),
        account=to.id,
        provider=wallet.NAME,
    )


NO_PAYMENTS = {
    "today": "No payments today.",
    "this week": "No payments this week.",
    "this month": "No payments this month.",
}
TOTALS = {
    "today": "Today: {total}",
    "this week": "This week: {total}",
    "this month": "This month: {total}",
}
"""What is told of a time, by what it is called."""


@skill(
    "what did i pay [{when}]",
    "what have i paid [{when}]",
    "show [me] my payments [{when}]",
    "show [me] my last payments",
    "what were my last payments",
    "(did|have) i [already|ever] (pay|paid|send|sent) {payee} [{amount}] [{when}]",
    "(did|have) i [already|ever] (pay|paid|send|sent) {amount} to {payee} [{when}]",
    "(when|how much) did i (pay|send) [to] {payee} [{when}]",
    permissions={"money": "to tell what you paid"},
)
def history(
    ctx: Context,
    when: Literal["today", "this week", "this month"] | None = None,
    payee: To | None = None,
    amount: Decimal | None = None,
) -> Reply:
    """List the last payments: of today, a week or a month, to somebody, or of an amount."""
    try:
        entries = records.paid(ctx.payments.entries())
        known = address_book.book()
    except (DataError, LedgerError) as error:
        return records.broken(error, ctx)
    if when is not None:
        since = records.since(when, ctx.clock().astimezone().date())
        entries = [one for one in entries if one.at.astimezone().date() >= since]
    if payee is not None:
        entries = [one for one in entries if one.order.account == payee]
    if amount is not None:
        entries = [one for one in entries if one.order.amount == amount]
    if not entries:
        if payee is not None or amount is not None:
            return Reply(ctx.say("No such payment."))
        return Reply(ctx.say(NO_PAYMENTS[when] if when else "No payments yet."))
    total = records.total(entries)
    title = ctx.say(TOTALS[when] if when else "Last payments", total=total)
    lines = [records.line(one, known, ctx) for one in entries[: records.SHOWN]]
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
        return records.known(ctx, title=ctx.say("You can pay"))
    except DataError as error:
        return records.broken(error, ctx)


@skill(
    "top up [my|the] wallet with {amount}",
    "(add|put) {amount} (to|into|in) [my|the] wallet",
    risk="money",
    permissions={"money": "to fill your wallet"},
)
def top_up(ctx: Context, amount: Decimal) -> Reply:
    """Propose to put money into the wallet of these glasses."""
    try:
        sum_ = records.amount(amount, ctx)
    except ConfigError as error:
        return records.broken(error, ctx)
    except ValueError:
        return Reply(ctx.say("That is not an amount to pay."), kind="alert")
    return Proposal(
        title=ctx.say("Top up"),
        text=ctx.say("Into your wallet here; no bank."),
        kind="proposal",
        amount=sum_,
        currency=sum_.currency or "",
        payee=ctx.say("your wallet"),
        account=wallet.NAME,
        provider=wallet.NAME,
        order="top-up",
    )


@skill(
    "(what is|what's) (in|on) my wallet",
    "how much [money] (is|do i have) (in|on) my wallet",
    "(what is|what's|show [me]) my [wallet] balance",
    permissions={"money": "to look into your wallet"},
)
def balance(ctx: Context) -> Reply:
    """Tell what the wallet holds."""
    try:
        home = money.currency(ctx.language)
        kept = {entry.order.currency for entry in ctx.payments.entries()} - {home}
        held = {
            code: ctx.payments.balance(wallet.NAME, code, wallet.Wallet().opening(code))
            for code in (home, *sorted(kept))
        }
    except (LedgerError, ConfigError) as error:
        return records.broken(error, ctx)
    lines = [money.shown(money.to_minor(sum_, code), code) for code, sum_ in held.items()]
    return Reply(
        "\n".join([*lines, ctx.say("On these glasses only; no bank.")]), title=ctx.say("Wallet")
    )


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Add the actions."""
    register(pay, history, payees, top_up, balance)
    register(afterwards.status, afterwards.receipt, afterwards.refund, afterwards.limits)
    register(links.pay_link, scanned.pay_code, handover.hand_over)
    register(accounts.bill, accounts.transfer)


@hookimpl
def register_devices(provide: Callable[..., None]) -> None:
    """Bring the wallet and Alipay's."""
    provide("payment", lambda config: wallet.Wallet(), wallet.NAME)
    provide("payment", lambda config: alipay_bot.AlipayBot(), alipay_bot.NAME)
