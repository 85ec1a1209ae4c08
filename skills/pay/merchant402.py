"""The seller's side of HTTP 402: asks for a payment, and gives what was paid for, once.

Whether a proof holds only Alipay can tell (`alipay.aipay.agent.payment.verify`); whether it is for
this resource, this order and for the first time is looked at here.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from skills.pay.message402 import Needed, Proof, Refused402, asks_for, proof

Verify = Callable[[Proof], Mapping[str, Any]]
"""What Alipay says of a proof: `active`, `out_trade_no`, `resource_id`, `amount`, `trade_no`."""


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sells."""

    name: str
    """As buyers are told."""
    seller_id: str
    """At Alipay."""
    app_id: str
    """At Alipay."""
    service_id: str
    """At Alipay; `api_mock_service_id` in its sandbox."""
    private_pem: str
    """What they sign with."""

    def __repr__(self) -> str:
        """Return no word of the key."""
        return f"Seller({self.name!r})"


class Merchant:
    """Sells; safe across threads."""

    def __init__(
        self, seller: Seller, verify: Verify, now: Callable[[], datetime],
        lasts: timedelta = timedelta(minutes=30),
    ) -> None:  # fmt: skip
        """Ask for what `lasts` so long."""
        self._seller, self._verify, self._now, self._lasts = seller, verify, now, lasts
        self._lock = threading.Lock()
        self._orders: dict[str, Needed] = {}
        self._given: dict[str, str] = {}  # number of the order by that of its payment
        self._shown: set[str] = set()

    def asks(self, resource: str, goods: str, amount: Decimal) -> str:
        """Return the `Payment-Needed` for a resource."""
        it = Needed(
            uuid.uuid4().hex, amount, "CNY", resource, self._now() + self._lasts, goods,
            self._seller.name, self._seller.seller_id, self._seller.app_id,
            self._seller.service_id,
        )  # fmt: skip
        with self._lock:
            self._orders[it.out_trade_no] = it
        return asks_for(it, self._seller.private_pem)

    def takes(self, header: str, resource: str) -> Needed:
        """Return what a `Payment-Proof` has paid for, which is to be given now.

        Raises Refused402 for one that does not hold, is for something else or was shown before.
        """
        shown = proof(header)
        with self._lock:
            if shown.payment_proof in self._shown:
                raise Refused402("replay", "this proof was shown before")
        said = self._verify(shown)
        if said.get("active") is not True or said.get("trade_no") != shown.trade_no:
            raise Refused402("inactive", "Alipay does not know this payment")
        with self._lock:
            order = self._orders.get(str(said.get("out_trade_no")))
            if order is None:
                raise Refused402("unknown", "there is no such order")
            if order.resource_id != resource or said.get("resource_id") != resource:
                raise Refused402("resource", "it was paid for something else")
            if said.get("amount") != str(order.amount):
                raise Refused402("amount", "another amount was paid")
            if self._now() > order.pay_before + self._lasts:
                raise Refused402("expired", "it was paid for too long ago")
            if order.out_trade_no in self._given.values() or shown.trade_no in self._given:
                raise Refused402("replay", "it was given already")
            self._given[shown.trade_no] = order.out_trade_no
            self._shown.add(shown.payment_proof)
        return order
