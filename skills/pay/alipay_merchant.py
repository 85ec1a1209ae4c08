"""Alipay's OpenAPI, the merchant's side: collect by a code that the other one scans.

By `python-alipay-sdk`, which signs what is sent and looks at the signature of what comes back. A
code makes no trade until it is scanned, so a query may not know it; one that is not paid in time is
cancelled at once, which also gives back what was paid meanwhile. The gateway is Alipay's, its
sandbox, or one on loopback, by setting.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from agent.errors import ConfigError, NotCommitted
from agent.messages import Order, Outcome, Payment
from agent.skill.secrets import Secrets

GATEWAY = "https://openapi.alipay.com/gateway.do"
SANDBOX = "https://openapi-sandbox.dl.alipaydev.com/gateway.do"
LOOPBACK = ("127.0.0.1", "localhost")
TIMEOUT_S = 10
"""Longest that one call may take."""
PAID = ("TRADE_SUCCESS", "TRADE_FINISHED")
NOT_THERE = "ACQ.TRADE_NOT_EXIST"
"""Nobody has scanned the code yet."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who collects."""

    app_id: str
    """At Alipay."""
    private_pem: str
    """What we sign with."""
    alipay_pem: str
    """What Alipay signs with, the public half."""
    gateway: str = GATEWAY
    """Where it is asked."""

    def __repr__(self) -> str:
        """Return no word of a key."""
        return f"Account({self.app_id!r}, gateway={self.gateway!r})"


def account(secrets: Secrets, gateway: str = GATEWAY) -> Account:
    """Return the account that the secrets hold. Raises ConfigError, which names what lacks."""
    parts = urlsplit(gateway)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise ConfigError(f"the gateway {gateway} is not https")
    found = {name: secrets.get(f"alipay-{name}") for name in ("app-id", "app-key", "public-key")}
    if lacks := ", ".join(f"alipay-{name}" for name, secret in found.items() if secret is None):
        raise ConfigError(f"{lacks} is missing: glasses secrets put NAME")
    app_id, private, public = (secret.value for secret in found.values() if secret)
    return Account(app_id, private, public, gateway)


class Merchant:
    """Collects for one account."""

    def __init__(self, of: Account) -> None:
        """Read the keys. Raises ConfigError where they are none."""
        from alipay import AliPay
        from alipay.utils import AliPayConfig

        try:
            self._alipay = AliPay(
                of.app_id, None, of.private_pem, of.alipay_pem, "RSA2",
                config=AliPayConfig(timeout=TIMEOUT_S),
            )  # fmt: skip
        except (ValueError, IndexError, TypeError):
            raise ConfigError("a key of the Alipay account is none: put it again") from None
        self._alipay._gateway = of.gateway  # the library has no argument for it
        self._app_id = of.app_id

    def precreate(self, key: str, amount: Decimal, subject: str) -> str:
        """Return what the code says that the other one scans. Raises NotCommitted or OSError."""
        said = self._asked(
            self._alipay.api_alipay_trade_precreate, subject, out_trade_no=key,
            total_amount=str(amount), timeout_express="90m",
        )  # fmt: skip
        code = said.get("qr_code")
        if said.get("code") != "10000" or said.get("out_trade_no") != key or not code:
            raise NotCommitted(_why(said))
        return str(code)

    def query(self, order: Order) -> Outcome:
        """Say what became of it; `absent` while nobody has scanned the code."""
        said = self._asked(self._alipay.api_alipay_trade_query, out_trade_no=order.key)
        if said.get("sub_code") == NOT_THERE:
            return Outcome("absent")
        if said.get("code") != "10000" or said.get("out_trade_no") != order.key:
            return Outcome("unknown", _why(said))
        if said.get("trade_status") in PAID:
            paid = Payment(_amount(said.get("total_amount")), order.currency, order.payee)
            return Outcome("paid", "", str(said.get("trade_no", "")), paid)
        closed = said.get("trade_status") == "TRADE_CLOSED"
        return Outcome("refused" if closed else "unknown")

    def cancel(self, order: Order) -> Outcome:
        """Call it off; what was paid meanwhile is given back by Alipay."""
        said = self._asked(self._alipay.api_alipay_trade_cancel, out_trade_no=order.key)
        if said.get("code") == "10000" and said.get("retry_flag", "N") == "N":
            return Outcome("refused", str(said.get("action", "")))
        return Outcome("unknown", _why(said))

    def refund(self, order: Order, paid: Order) -> Outcome:
        """Give back as much of `paid` as `order` says; the key of `order` makes it once."""
        said = self._asked(
            self._alipay.api_alipay_trade_refund, str(order.amount), out_trade_no=paid.key,
            out_request_no=order.key,
        )  # fmt: skip
        if said.get("code") == "10000":
            return Outcome("paid", "", str(said.get("trade_no", "")))
        # 40004 is a refusal of the business's; anything else may have been done.
        return Outcome("refused" if said.get("code") == "40004" else "unknown", _why(said))

    def notified(self, form: Mapping[str, str], order: Order) -> Outcome:
        """Read a notice that Alipay sent; only one that it signed, for us and this order, counts.

        Raises NotCommitted for any other.
        """
        said = {name: value for name, value in form.items() if name != "sign"}
        try:
            signed = self._alipay.verify(said, form.get("sign", ""))
        except Exception:  # the library raises what it likes on nonsense
            signed = False
        if not signed or said.get("app_id") != self._app_id:
            raise NotCommitted("the notice is not Alipay's, or for another account")
        if said.get("out_trade_no") != order.key:
            raise NotCommitted("the notice is for another order")
        if said.get("trade_status") not in PAID:
            return Outcome("unknown")
        paid = Payment(_amount(said.get("total_amount")), order.currency, order.payee)
        return Outcome("paid", "", said.get("trade_no", ""), paid)

    def _asked(self, call: Callable[..., Any], *given: Any, **more: Any) -> Mapping[str, Any]:
        """Ask, and return an answer that Alipay has signed. Raises OSError where there is none."""
        from alipay.exceptions import AliPayException, AliPayValidationError

        try:
            said = call(*given, **more)
        except AliPayValidationError:
            raise OSError("the answer is not signed by Alipay") from None
        except AliPayException as error:
            return _unsigned(error)
        except (ValueError, KeyError, AttributeError, TypeError, http.client.HTTPException):
            raise OSError("the answer cannot be read") from None
        if not isinstance(said, dict):
            raise OSError("the answer cannot be read")
        return said


def _unsigned(error: Exception) -> Mapping[str, Any]:
    """Return nothing that could be taken for an outcome: anybody may have written it."""
    with suppress(ValueError, TypeError, AttributeError):
        read = json.loads(getattr(error, "_AliPayException__message", "{}"))
        return {"code": "", "msg": str(next(iter(read.values()))["code"])}
    return {"code": ""}


def _amount(text: object) -> Decimal:
    try:
        return Decimal(str(text)[:20])
    except InvalidOperation:
        raise OSError("the answer has no amount") from None


def _why(said: Mapping[str, Any]) -> str:
    """Return Alipay's reason: words from the world, short and on one line."""
    text = str(said.get("sub_msg") or said.get("msg") or "no reason")
    return " ".join("".join(c for c in text[:80] if c.isprintable()).split())
