"""The wallet of these glasses: an account in the ledger, and what pays where nothing else is set.

It is a real double entry: it begins with something, holds no less than nothing and is topped up.
No bank stands behind it, and every card says so.
"""

from __future__ import annotations

from decimal import Decimal

from agent.messages import Order, Outcome

NAME = "wallet"
OPENING = {"USD": Decimal(1000), "CNY": Decimal(6000)}
"""What it holds before the first payment, by currency; of another it holds nothing."""


class Wallet:
    """Pays from the account in the ledger, which has moved the money once it calls this."""

    name = NAME

    def opening(self, currency: str) -> Decimal:
        """Return what the wallet begins with."""
        return OPENING.get(currency, Decimal(0))

    def pay(self, order: Order) -> Outcome:
        """Say so: what the ledger has on its way has left the wallet already."""
        return Outcome("paid")

    def ask(self, order: Order) -> Outcome:
        """Say the same of an order that a loss of power left on its way: it was agreed to."""
        return Outcome("paid")

    def refund(self, order: Order, paid: Order) -> Outcome:
        """Take it back."""
        return Outcome("paid")
