"""A code in view is paid: looked at, the amount said, confirmed, and paid once.

What the code says is words from the world. It fills payee and amount of a proposal, and the wearer
sees both before anything is paid; whatever is not right about it ends here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal

from agent import Context, Proposal, Reply, skill
from agent.errors import EngineError
from agent.language import money
from agent.language.numbers import Money
from agent.language.world import world_text
from agent.look import choice, codes
from agent.look.choice import SIDES, Side
from agent.look.codes import Code
from agent.look.meaning import Alipay, Broken, Link, Meaning, Merchant, OtherWallet, meaning
from agent.skill.payments import LedgerError
from skills.pay import alipay_bot, links, records, wallet


@skill(
    "pay (this|the) [payment|qr] code",
    "pay (this|the) (shop|merchant)",
    "pay {amount} (to|for|with|by|at) (this|the) [payment|qr] code",
    "pay {amount} to (this|the) (shop|merchant)",
    "pay (this|the) [payment|qr] code {amount}",
    "pay [{amount} to] the {side} code",
    "pay the {side} code {amount}",
    "pay [{amount}] by scanning",
    "scan and pay [{amount}]",
    "scan (this|the) [payment|qr] code and pay [{amount}]",
    risk="money",
    permissions={"money": "to pay from your wallet", "camera": "to see the code"},
)
def pay_code(ctx: Context, amount: Decimal | None = None, side: Side | None = None) -> Reply:
    """Propose to pay the shop whose code is in view."""
    now = ctx.clock().timestamp()
    try:
        seen = choice.kept(ctx.memory, now) if side else ()
        seen = seen or codes.read(ctx.device("camera").take())
    except EngineError as error:
        broken = "picture" in str(error)
        return _not_paid(ctx.say("The picture cannot be read.") if broken else ctx.told(error), ctx)
    if not seen:
        told = [ctx.say("No code can be read."), ctx.say("Hold it nearer, flat and still.")]
        return _not_paid("\n".join(told), ctx)
    meant = choice.chosen(seen, side)
    if meant is None:
        return _which(seen, amount, ctx)
    if amount is None and side is not None and (said := ctx.memory.get("amount")):
        amount = Money(Decimal(said[0]), said[1])  # of the question which code it is
    ctx.memory.pop("amount", None)
    return _asked(meaning(meant), amount, ctx)


def _which(seen: Sequence[Code], amount: Decimal | None, ctx: Context) -> Reply:
    """Ask which of several codes is meant; what is to be paid is kept meanwhile."""
    sides = SIDES.get(len(seen), ())
    title = ctx.say("{count} codes", count=len(seen))
    if not sides:
        return Reply(ctx.say("Too many to choose from: hold one nearer."), title=title)
    choice.keep(seen, ctx.memory, ctx.clock().timestamp())
    ctx.memory["amount"] = amount and [str(Decimal(amount)), getattr(amount, "currency", None)]
    names = {"left": ctx.say("Left"), "middle": ctx.say("Middle"), "right": ctx.say("Right")}
    lines = [
        ctx.say("{side}: {what}", side=names[side], what=_brief(meaning(code), ctx))
        for side, code in zip(sides, seen, strict=True)
    ]
    lines.append(ctx.say('Which? Say "pay the left code".'))
    return Reply("\n".join(lines), title=title)


def _brief(what: Meaning, ctx: Context) -> str:
    match what:
        case Merchant():
            return world_text(what.payee, 24)
        case Alipay() | OtherWallet():
            return ctx.say("payment code")
    return ctx.say("no payment code")


def _asked(what: Meaning, amount: Decimal | None, ctx: Context) -> Reply:
    """Return what a code comes to: a proposal, or why there is none."""
    match what:
        case Merchant():
            return _merchant(what, amount, ctx)
        case Alipay() | OtherWallet(wallet="wechat"):
            app = ctx.say("Alipay" if isinstance(what, Alipay) else "WeChat")
            told = [ctx.say("Only {app} on your phone pays it.", app=app),
                    ctx.say('Say "open the code on my phone".'),
                    ctx.say("Nothing is paid yet.")]  # fmt: skip
            return Reply("\n".join(told), title=app)
        case Link(url=url) if alipay_bot.is_cashier(url):
            return links.cashier(url, amount, ctx)
        case Broken():
            told = [ctx.say("The code is not right: do not pay it."),
                    ctx.say('Say "scan this code" to see why.')]  # fmt: skip
            return _not_paid("\n".join(told), ctx)
        case OtherWallet():
            return _not_paid(ctx.say("Its wallet is not connected here."), ctx)
    return _not_paid(ctx.say("That is no payment code."), ctx)


def _merchant(what: Merchant, said: Decimal | None, ctx: Context) -> Reply:
    asked = what.amount
    currency = getattr(said, "currency", None) or what.currency
    if currency != what.currency:
        return _not_paid(ctx.say("The code takes {currency} only.", currency=what.currency), ctx)
    if said is not None and asked is not None and said != asked:
        wanted = money.shown(money.to_minor(asked, what.currency), what.currency)
        return _not_paid(ctx.say("The code asks for {money}.", money=wanted), ctx)
    payee = f"{world_text(what.payee, 40)}, {world_text(what.city, 20)}"
    due = said if asked is None else asked
    if due is None:
        told = [payee, ctx.say('Say how much: "pay 20 to this code".')]
        return Reply("\n".join(told), title=ctx.say("Payment"))
    try:
        sum_ = records.amount(Money(due, what.currency), ctx)
        before = _paid_before(what, ctx)
    except ValueError:
        return _not_paid(ctx.say("That is not an amount to pay."), ctx)
    except LedgerError as error:
        return records.broken(error, ctx)
    if before:
        return _not_paid(ctx.say("This bill was paid already: {mark}.", mark=before), ctx)
    return Proposal(
        title=ctx.say("Payment"),
        text=ctx.say("From your wallet here; no bank. The shop hears nothing of it."),
        kind="proposal",
        amount=sum_,
        currency=what.currency,
        payee=payee,
        account=_account(what),
        provider=wallet.NAME,
        details={"code": what.payload},
    )


def _account(what: Merchant) -> str:
    """Return an id of a shop that stays the same whatever its code says besides."""
    told = repr((what.accounts, what.payee, what.city, what.country))
    return f"emv-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _paid_before(what: Merchant, ctx: Context) -> str:
    """Return the mark of the payment of a bill; a sticker on the counter is paid again and again.

    Raises LedgerError.
    """
    if what.reusable:
        return ""
    paid = (one for one in ctx.payments.entries() if one.state != "refused")
    return next((one.mark for one in paid if one.order.details.get("code") == what.payload), "")


def _not_paid(text: str, ctx: Context) -> Reply:
    return Reply(text, title=ctx.say("Not paid"), kind="alert")
