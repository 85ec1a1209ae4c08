"""The port of a shop on the network, and what passes through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, runtime_checkable

from agent.errors import EngineError
from skills.shop.product import Product


class ShopError(EngineError):
    """A shop cannot be asked or gave no right answer; the message names it. Nothing was ordered."""


class Unsure(EngineError):
    """An order was sent and what became of it is not known; it is asked for under its key."""


class Shop(Protocol):
    """A shop on the network. Its methods raise ShopError."""

    id: str
    """What products of it carry as their `shop`."""
    name: str
    """What the wearer is shown: text from the world."""

    def search(self, text: str, language: str) -> list[Product]:
        """Return what it finds, its own order kept."""
        ...

    def by_code(self, code: str, language: str) -> list[Product]:
        """Return what has this bar code."""
        ...


@dataclass(frozen=True, slots=True)
class Quote:
    """What a shop wants for a basket: nothing is ordered yet."""

    checkout: str
    """What the shop calls it."""
    total: Decimal
    """Everything together, in `currency`."""
    currency: str
    """ISO 4217 code."""
    payee: str
    """Who would be paid: text from the world."""
    extras: tuple[tuple[str, Decimal], ...] = ()
    """What is in the total beside the goods: delivery, tax, a discount below zero."""
    elsewhere: str = ""
    """Where it has to be finished by hand, if the shop takes no order from us."""


@dataclass(frozen=True, slots=True)
class Cart:
    """A basket as a shop keeps it: nothing is ordered, and no price is a promise."""

    id: str
    """What the shop calls it."""
    total: Decimal | None
    """What the shop thinks that it will cost, in `currency`; None where it does not say."""
    currency: str
    """ISO 4217 code."""
    link: str
    """Where it is looked at and ordered by hand; https, or empty."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a shop says about an order."""

    state: str
    """`open` (nothing was ordered), `working`, `ordered`, `shipped`, `delivered`, `canceled`."""
    number: str = ""
    """What the shop calls it."""
    total: Decimal | None = None
    """What was charged, where it says so."""
    currency: str = ""
    """ISO 4217 code of the total."""


@dataclass(frozen=True, slots=True)
class Trade:
    """Something that was bought at a shop by hand, as the shop tells it."""

    number: str
    """What the shop calls it."""
    text: str
    """What was bought: text from the world."""
    state: str
    """`unpaid`, `working`, `ordered`, `shipped`, `delivered`, `canceled`; else empty."""
    total: Decimal | None
    """What was paid or is to be, in `currency`; None where that is not told."""
    currency: str
    """ISO 4217 code."""


@runtime_checkable
class KnowsTrades(Protocol):
    """A shop that tells what the wearer bought there by hand. Its methods raise ShopError."""

    name: str
    """What the wearer is shown."""

    def bought(self) -> list[Trade] | None:
        """Return what was bought, the latest first; None where the wearer has not let us ask."""
        ...


@runtime_checkable
class TakesOrders(Protocol):
    """A shop that can be ordered from. Its methods raise ShopError, `order` Unsure too."""

    def quote(self, lines: Sequence[tuple[Product, int]]) -> Quote:
        """Ask what these would cost together, delivered."""
        ...

    def order(self, quote: Quote, key: str) -> Order:
        """Order it under an idempotency key: twice the same key is one order."""
        ...

    def became(self, checkout: str, number: str = "") -> Order:
        """Ask what became of an order."""
        ...


@runtime_checkable
class KeepsCarts(Protocol):
    """A shop that keeps a basket for the wearer to go on with. Its methods raise ShopError."""

    def cart(self, lines: Sequence[tuple[Product, int]], known: str = "") -> Cart | None:
        """Make a cart of these, in place of the one `known` where it is still there.

        None where the shop keeps none.
        """
        ...
