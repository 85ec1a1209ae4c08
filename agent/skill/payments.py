"""What an author sees of payments: the port behind which money moves, and what the ledger tells.

A plugin brings a provider with `provide("payment", make, name)`; a `Proposal` names it. What only
some providers can do are ports of their own: `Cancels`, `Refunds`, `Prepaid`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol, runtime_checkable

from agent.errors import GlassesError
from agent.messages import Order, Outcome

Why = Literal[
    "damaged", "newer", "busy", "read-only", "full", "closed", "reused", "known",
    "payment", "day", "payee", "currency", "funds", "amount", "refund",
]  # fmt: skip
"""Why the ledger refuses: what is wrong with the file, or which limit an order goes beyond."""


class LedgerError(GlassesError):
    """The ledger cannot be used, or refuses an order: nothing was written."""

    def __init__(self, why: Why, message: str, limit: Decimal | None = None) -> None:
        """Say why; `limit` is what would have been allowed, in the currency of the order."""
        super().__init__(message)
        self.why: Why = why
        self.limit = limit


PENDING = "to be confirmed elsewhere"
"""Text of an `unknown` outcome that waits for the wearer: the provider asks them itself."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One payment, as the ledger has it now."""

    number: int
    """Counts from 1 in the order in which they were agreed to."""
    at: datetime
    """When it was agreed to, with its offset from UTC."""
    order: Order
    """What was agreed to."""
    skill: str
    """Which skill proposed it."""
    provider: str
    """Which provider carries it out; empty where the skill does."""
    owner: str
    """Which process paid it (`agent.act.owner`)."""
    state: str
    """Of `agent.act.states`."""
    reference: str = ""
    """The provider's own reference."""
    note: str = ""
    """What the provider said last."""
    changed_at: datetime | None = None
    """When it came into its state."""

    @property
    def mark(self) -> str:
        """What the wearer can look it up by."""
        return f"P{self.number}"


@runtime_checkable
class PaymentProvider(Protocol):
    """Pays. Called on a thread of its own; it may take as long as a payment may."""

    name: str
    """What it is called in a proposal and in the ledger; also its account there."""

    def pay(self, order: Order) -> Outcome:
        """Carry it out under its key; the same key twice must be one payment.

        Raises NotCommitted where it is certain that nothing moved. Whatever else it raises leaves
        the outcome unknown.
        """
        ...

    def ask(self, order: Order) -> Outcome:
        """Say what became of it; a process that knows nothing else of it may be asking."""
        ...


@runtime_checkable
class Cancels(Protocol):
    """A provider that can make sure that an order will never be paid."""

    def cancel(self, order: Order) -> Outcome:
        """Refuse the key for ever, or say that it was paid already."""
        ...


@runtime_checkable
class Refunds(Protocol):
    """A provider that can give money back."""

    def refund(self, order: Order, paid: Order) -> Outcome:
        """Give back as much of `paid` as `order` says, under the key of `order`."""
        ...


@runtime_checkable
class Prepaid(Protocol):
    """A provider whose account is in the ledger itself and can hold no less than nothing."""

    def opening(self, currency: str) -> Decimal:
        """Return what the account begins with in a currency."""
        ...


class Payments(Protocol):
    """What an action with the permission `money` may ask of the ledger; each raises LedgerError."""

    def entries(self, limit: int | None = None) -> list[Entry]:
        """Return the last payments, the newest first."""
        ...

    def find(self, key: str) -> Entry | None:
        """Return a payment by its key."""
        ...

    def refunded(self, key: str) -> Decimal:
        """Return how much of a payment was given back, or may have been."""
        ...

    def balance(self, account: str, currency: str, opening: Decimal = ...) -> Decimal:
        """Return what an account holds; `opening` where nothing has been posted to it yet."""
        ...

    def check(self, order: Order, provider: str) -> None:
        """Raise LedgerError where the order goes beyond a limit or the account, as things stand."""
        ...

    def ask(self, key: str) -> Entry | None:
        """Ask the provider once more what became of a payment, and return it as it is then."""
        ...
