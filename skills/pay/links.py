"""Links that ask for money: Alipay's cashier, and pages that answer HTTP 402.

What a page says is words from the world. It fills amount and payee of a proposal, which the wearer
sees before anything is handed over, and nothing else.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

from agent import Context, Proposal, Reply, skill
from skills.pay import alipay_bot, records
from skills.pay.message402 import Needed, Refused402, needed

MOST_BYTES = 64 * 1024
"""Most of a page that is read: only its head counts."""
TIMEOUT_S = 8
"""Longest that a page may take."""

REASONS = {
    "form": "What the page asks for cannot be read.",
    "field": "What the page asks for is not complete.",
    "amount": "The page names no amount in CNY.",
    "signature": "The signature of the seller is wrong.",
    "expired": "The time to pay for it is over.",
    "resource": "The page asks for money for something else.",
}


class NoPage(OSError):
    """There is no such page, or it cannot be reached."""


@skill(
    "open the cashier link",
    "open the cashier link for {amount}",
    risk="money",
    permissions={"money": "to pay by Alipay", "network": "to ask the page what it costs"},
)
def pay_link(ctx: Context, link: str | None = None, amount: Decimal | None = None) -> Reply:
    """Propose to pay a cashier link, or for a page that asks for money."""
    link = (link or "").strip()
    if "://" not in link:  # what is said or typed loses its signs
        return Reply(ctx.say("A link cannot be said: its code or a tool has to give it."))
    if alipay_bot.is_cashier(link):
        return cashier(link, amount, ctx)
    try:
        it, header = asked(link, ctx.clock().astimezone())
    except NoPage:
        return _refused(ctx.say("The page cannot be reached."), ctx)
    except Refused402 as error:
        return _refused(ctx.say(REASONS[error.reason]), ctx)
    if it is None:
        return Reply(ctx.say("The page asks for no money."))
    return Proposal(
        title=ctx.say("Payment"),
        text="\n".join([_shown(it.goods_name), ctx.say("By Alipay, confirmed on your phone.")]),
        kind="proposal",
        amount=it.amount,
        currency=it.currency,
        payee=_shown(it.seller_name),
        account=f"alipay-{it.seller_id}",
        provider=alipay_bot.NAME,
        details={"needed": header, "url": link},
    )


def cashier(link: str, amount: Decimal | None, ctx: Context) -> Reply:
    """Propose to pay a link of Alipay's cashier, or ask for the amount."""
    if amount is None:
        return Reply(ctx.say("Say how much it should be."))
    try:
        sum_ = records.amount(amount, ctx)
    except ValueError:
        return _refused(ctx.say("That is not an amount to pay."), ctx)
    return Proposal(
        title=ctx.say("Payment"),
        text=ctx.say("By Alipay, confirmed on your phone."),
        kind="proposal",
        amount=sum_,
        currency=sum_.currency or "",
        payee=urlsplit(link).hostname or "",
        account="alipay-cashier",
        provider=alipay_bot.NAME,
        details={"link": link},
    )


def asked(link: str, now: datetime) -> tuple[Needed | None, str]:
    """Ask a page what it costs; None where it costs nothing. Raises NoPage or Refused402."""
    import httpx2

    parts = urlsplit(link)
    plain = parts.scheme == "http" and parts.hostname == "127.0.0.1"
    if not (parts.scheme == "https" or plain) or not link.isprintable() or len(link) > 2048:
        raise NoPage("it is no https link")
    try:
        with (
            httpx2.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client,
            client.stream("GET", link) as page,
        ):
            status, header = page.status_code, page.headers.get("payment-needed", "")
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise NoPage(type(error).__name__) from None
    if status != 402:
        return None, ""
    return needed(header, now, parts.path or "/"), header


def _shown(text: str) -> str:
    """Return a name of the world's as it may stand on a card: short, and on one line."""
    return re.sub(r"\s+", " ", "".join(c for c in text if c.isprintable())).strip()[:40]


def _refused(text: str, ctx: Context) -> Reply:
    return Reply(text, title=ctx.say("Not paid"), kind="alert")
