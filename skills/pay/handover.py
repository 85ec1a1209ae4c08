"""A shop's static code: Alipay and WeChat take it on the phone alone, so it is handed over there.

No program of theirs pays it from here. What it says is echoed, the phone is given a deep link that
opens the right app on it, and the card says that nothing was paid yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, runtime_checkable
from urllib.parse import parse_qs, quote, urlsplit

from agent import Context, Reply, skill
from agent.errors import EngineError
from agent.language import money
from agent.look import choice, codes
from agent.look.choice import Side
from hardware.base import DeviceError

_ALIPAY = re.compile(r"https://qr\.alipay\.com/[A-Za-z0-9_-]{4,128}(\?[\x21-\x7e]{0,256})?", re.I)
_WECHAT = re.compile(r"(wxp://[A-Za-z0-9_-]{8,128}|weixin://wxpay/[\x21-\x7e]{4,256})")
_SCAN = "alipays://platformapi/startapp?saId=10000007&qrcode="
"""What opens a code in Alipay, as if it had been scanned there."""


@runtime_checkable
class Phone(Protocol):
    """A phone that is paired: a plugin provides it as the device `phone`."""

    def open(self, link: str) -> None:
        """Open a deep link. Raises DeviceError where it cannot be reached."""
        ...


@dataclass(frozen=True, slots=True)
class Code:
    """What a static code says."""

    app: str
    """Who takes it: `Alipay` or `WeChat`."""
    link: str
    """What opens it on the phone."""
    amount: Decimal | None = None
    """How much, in CNY, where the code says so."""


def read(text: str) -> Code | None:
    """Return what a code says; None where it is none of theirs, which is never opened."""
    if _ALIPAY.fullmatch(text):
        return Code("Alipay", _SCAN + quote(text, safe=""), _amount(text))
    if _WECHAT.fullmatch(text):
        return Code("WeChat", "weixin://scanqrcode" if text.startswith("wxp") else text)
    return None


def _amount(link: str) -> Decimal | None:
    """Return the amount of a link that has exactly one, written as one."""
    said = parse_qs(urlsplit(link).query).get("amount", [])
    if len(said) != 1 or not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,2})?", said[0], re.ASCII):
        return None
    return Decimal(said[0]) or None


@skill(
    "open the [payment] code on my phone",
    "hand the [payment] code to my phone",
    "(open|hand) the {side} code (on|to) my phone",
    risk="change",
    permissions={"money": "to open a payment code on your phone", "camera": "to see the code"},
)
def hand_over(ctx: Context, code: str | None = None, side: Side | None = None) -> Reply:
    """Open a shop's static payment code on the phone; nothing is paid from here."""
    if code is not None:
        return offer(code, ctx)
    try:
        seen = choice.kept(ctx.memory, ctx.clock().timestamp()) if side else ()
        seen = seen or codes.read(ctx.device("camera").take())
    except EngineError as error:
        broken = "picture" in str(error)
        return Reply(
            ctx.say("The picture cannot be read.") if broken else ctx.told(error), kind="alert"
        )
    if not seen:
        return Reply(ctx.say("There is no code in view."))
    meant = choice.chosen(seen, side)
    if meant is None:
        return Reply(ctx.say("Too many to choose from: hold one nearer."))
    return offer(meant.text, ctx)


def offer(text: str, ctx: Context, payee: str = "") -> Reply:
    """Hand a decoded code to the phone, and say what it says and that nothing was paid.

    `payee` is whom the code names, as whoever decoded it read it.
    """
    found = read(text.strip())
    if found is None:
        return Reply(ctx.say("That is no payment code that I know."), kind="alert")
    says = [payee] if payee else []
    if found.amount is not None:
        says.append(money.shown(money.to_minor(found.amount, "CNY"), "CNY"))
    app = ctx.say(found.app)
    try:
        phone = ctx.device("phone")
        phone.open(found.link)
        told = ctx.say("Opened in {app} on your phone: pay there.", app=app)
    except DeviceError:
        told = ctx.say("Scan it with {app} on your phone: pay there.", app=app)
    lines = [" → ".join(reversed(says))] if says else []
    return Reply("\n".join([*lines, told, ctx.say("Nothing is paid yet.")]), title=app)
