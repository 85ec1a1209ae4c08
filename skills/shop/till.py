"""The payment provider of orders: what was agreed to is ordered from the shop that quoted it.

A shop takes the money itself when it takes an order, so ordering is paying: under one key, once.
Whoever finds the order open in the ledger later asks the shop what became of it.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from agent import NotCommitted
from agent.language.world import world_text
from agent.messages import Order, Outcome, Payment
from skills.shop import port, shops
from skills.shop.basket import Basket, Thing
from skills.shop.port import Quote, ShopError, TakesOrders

NAME = "shops"
SAID = {
    "en": ("Ordered. Number {number}.", "the shop is not connected any more"),
    "zh": ("已下单。单号{number}。", "这家商店已不再连接"),
}
"""What is told of an order that was taken, and of one that cannot be sent."""

log = logging.getLogger(__name__)


class Till:
    """Orders from the shops that are connected."""

    name = NAME
    final_s = 900.0
    """A checkout that is still open after so long will not be completed by a call on its way."""

    def __init__(self, folder: Path) -> None:
        """Take what is ordered out of the basket in `folder`."""
        self._folder = folder

    def pay(self, order: Order) -> Outcome:
        """Order it, if its price still is what was agreed to.

        Raises NotCommitted where it is certain that nothing was ordered, Unsure where nobody knows.
        """
        shop = shop_of(order)
        if shop is None:
            raise NotCommitted(_said(order)[1])
        checkout = order.details.get("checkout", "")
        quote = Quote(checkout, order.amount, order.currency, order.payee)
        try:
            done = shop.order(quote, order.key)
        except ShopError as error:
            raise NotCommitted(world_text(error, 120)) from None
        return self._ordered(order, done)

    def ask(self, order: Order) -> Outcome:
        """Ask the shop what became of it. Raises ShopError."""
        shop = shop_of(order)
        if shop is None:
            return Outcome("unknown", _said(order)[1])
        became = shop.became(order.details.get("checkout", ""), order.reference)
        match became.state:
            case "open":
                return Outcome("absent")
            case "working":
                return Outcome("unknown")
            case "canceled":
                return Outcome("refused")
        return self._ordered(order, became)

    def _ordered(self, order: Order, done: port.Order) -> Outcome:
        try:
            things = json.loads(order.details.get("things", "[]"))
            Basket(self._folder).ordered(order.key, [_thing(*one) for one in things])
        except (OSError, ValueError, TypeError) as error:  # it is ordered all the same
            log.warning("what was ordered stays in the basket: %s", type(error).__name__)
        paid = None
        if done.total is not None:
            paid = Payment(done.total, done.currency, order.payee)
        told = _said(order)[0].format(number=world_text(done.number, 40))
        return Outcome("paid", told, done.number, paid)


def shop_of(order: Order) -> TakesOrders | None:
    """Return the shop that an order is with; None where it is not connected."""
    shop = shops.connected().get(order.details.get("shop", ""))
    return shop if isinstance(shop, TakesOrders) else None


def _said(order: Order) -> tuple[str, str]:
    return SAID["zh" if order.details.get("language") == "zh" else "en"]


def _thing(shop: str, number: int, place: str) -> Thing:
    return shop, number, place
