"""Alipay, the wearer's side: the wallet's own program `alipay-bot`, of `@alipay/agent-payment`.

It takes cashier links and what a seller asks for by HTTP 402. A shop's static code is not among
them (`skills.pay.handover`). Alipay asks the wearer itself, on the phone: until they have agreed
there, the outcome is unknown, and it is asked about under the reference that Alipay gave.

What it prints is documented in alipay/payment-skills; anything else leaves the outcome unknown.
"""

from __future__ import annotations

import re
import tempfile
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from agent.errors import NotCommitted
from agent.messages import Order, Outcome
from agent.skill.command import Command, CommandError
from agent.skill.payments import PENDING

NAME = "alipay"
LEAST, BELOW = (1, 0, 12), (2, 0, 0)
"""Versions whose output is known."""
SHORT = re.compile(r"https://(?:u\.alipay\.cn|render[a-z0-9]*\.alipay\.com)/[^\s()\"'<>\]]{1,400}")
"""What a payment is asked about by."""
CASHIER = re.compile(r"(?:cashier[a-z0-9]*|[a-z0-9]*excashier[a-z0-9]*)\.alipay\.com")
"""Hosts of a cashier link."""
_TRADE = re.compile(r"交易号\**\s*[:：]\s*\**\s*([0-9A-Za-z]{8,64})")
_AMOUNT = re.compile(r"(?:支付金额|订单金额)\**\s*[:：]\s*\**\s*¥?\s*([0-9]{1,9}(?:\.[0-9]{1,2})?)")


def is_cashier(link: str) -> bool:
    """Say whether a link leads to Alipay's cashier."""
    try:
        parts = urlsplit(link)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = link.isascii() and link.isprintable() and " " not in link and len(link) < 2048
    ours = parts.scheme == "https" and port in (None, 443) and parts.username is None
    return plain and ours and bool(parts.query) and CASHIER.fullmatch(host) is not None


class AlipayBot:
    """Pays by that program."""

    name = NAME

    def __init__(self, command: Command | None = None) -> None:
        """Look for nothing yet."""
        self._command = command or Command("alipay-bot", LEAST, BELOW)

    def pay(self, order: Order) -> Outcome:
        """Hand it over; the wearer agrees to it on the phone then.

        Raises NotCommitted where nothing was handed over, CommandError where nobody can tell.
        """
        if order.kind != "payment" or order.currency != "CNY":
            raise NotCommitted("Alipay pays in CNY here")
        self._ready()
        if needed := order.details.get("needed"):
            return self._by_402(order, needed)
        link = order.details.get("link", "")
        if not is_cashier(link):
            raise NotCommitted("the link does not lead to Alipay's cashier")
        printed = self._command.run(
            "submit-payment", "--payment-link", link, "--intent-summary", _summary(order)
        )
        return _handed_over(printed.text, order, "支付已提交", SHORT.search(printed.text))

    def _by_402(self, order: Order, needed: str) -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "needed.txt"
            file.write_text(needed, encoding="ascii")
            printed = self._command.run(
                "402-buyer-pay", "-f", str(file), "-r", order.details.get("url", ""),
                "--intent-summary", _summary(order),
            )  # fmt: skip
        return _handed_over(printed.text, order, "支付待确认", _TRADE.search(printed.text))

    def ask(self, order: Order) -> Outcome:
        """Ask what became of it. Raises NotCommitted or CommandError where it cannot be asked."""
        if not order.reference:
            return Outcome("unknown")  # Alipay may know it; we have no name to ask by
        if "needed" not in order.details:
            return self._asked(order)
        url = order.details.get("url", "")
        read = self._command.run(
            "402-query-payment-status", "-t", order.reference, "-r", url
        ).as_json()
        if read.get("success") is not True:
            return Outcome("unknown", PENDING, order.reference)
        if read.get("tradeNo") != order.reference:
            raise CommandError("it tells of another payment")
        self._command.run("402-buyer-fulfillment-ack", "-t", order.reference)
        return Outcome("paid", "", order.reference)

    def _asked(self, order: Order) -> Outcome:
        text = self._command.run("query-payment-status", "-p", order.reference).text
        done, closed = "支付已完成" in text, "支付已关闭" in text
        if done == closed:
            return Outcome("unknown", PENDING, order.reference)
        return Outcome("paid" if done else "refused", "", order.reference)

    def _ready(self) -> None:
        """Raise NotCommitted unless the wallet is bound to the program."""
        try:
            read = self._command.run("check-wallet").as_json()
        except CommandError as error:
            raise NotCommitted(str(error)) from None
        if read.get("code") != 200 or read.get("access_url") != "":
            raise NotCommitted("the Alipay wallet is not connected: alipay-bot apply-wallet")


def _summary(order: Order) -> str:
    """Return what Alipay is told that it is for: our words first, so that it is no option."""
    return f"付款 {order.amount} {order.currency} 给 {order.payee}"


def _handed_over(text: str, order: Order, marker: str, found: re.Match[str] | None) -> Outcome:
    """Return what became of handing an order over."""
    if "创单失败" in text and marker not in text:
        raise NotCommitted("Alipay did not take the order")
    if marker not in text or found is None:
        raise CommandError("its answer is not known here")
    reference = found[1] if found.re.groups else found[0]
    named = _AMOUNT.search(text)
    if named is not None and Decimal(named[1]) != order.amount:
        return Outcome("unknown", "Alipay names another amount: do not confirm it", reference)
    return Outcome("unknown", PENDING, reference)
