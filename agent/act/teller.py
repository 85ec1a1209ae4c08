"""The teller: carries out what was agreed to, exactly once, and finds out what became of it.

An order is in the ledger before its provider is called. What comes back is written after; where
nothing does, or the process dies in between, the order is still open at the next start, and the
provider is asked under its key. A provider that can is told to refuse the key for ever, so that a
call which is still on its way can do no harm later.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from agent.act import limits
from agent.act.ledger import Ledger, Terms
from agent.act.owner import Owner
from agent.act.states import IllegalStep
from agent.messages import Order, Outcome, Payment
from agent.skill.payments import (
    Cancels,
    Entry,
    LedgerError,
    PaymentProvider,
    Prepaid,
)

log = logging.getLogger(__name__)

Providers = Callable[[str], PaymentProvider | None]
Act = Callable[[Order], Outcome]

ANOTHER = "another"
"""Note of a payment of which the provider said that something else was paid."""


def nobody(name: str) -> PaymentProvider | None:
    """Know no provider."""
    return None


class Teller:
    """Pays from one data folder; safe across threads, and beside other processes."""

    def __init__(
        self,
        folder: Path,
        providers: Providers = nobody,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        """Touch nothing yet. `providers` gives each by its name, None where there is none."""
        self.ledger = Ledger(folder)
        self._folder = folder
        self._providers = providers
        self._now = now
        self._owner: Owner | None = None
        self._lock = threading.Lock()
        self._calling: set[str] = set()  # keys of which a provider is being called just now

    @property
    def now(self) -> datetime:
        """What the clock says, with its offset from UTC."""
        return self._now().astimezone()

    def limits(self) -> limits.Limits:
        """Return what may be paid. Raises ConfigError."""
        return limits.load(self._folder)

    def provider(self, name: str) -> PaymentProvider | None:
        """Return a payment provider by its name."""
        return self._providers(name) if name else None

    def close(self) -> None:
        """Let go of the ledger; another process may ask about what is still open."""
        with self._lock:
            owner, self._owner = self._owner, None
        if owner is not None and not self._calling:
            owner.close()
        elif owner is not None:
            _STILL_CALLING.append(owner)  # a call that hangs goes on to be ours
        self.ledger.close()

    # -- paying -----------------------------------------------------------------------------------

    def pay(self, order: Order, skill: str, provider: str, act: Act) -> Outcome:
        """Write an order down, carry it out by `act`, write down what came of it, and return that.

        `act` returns whatever happens and raises nothing. Raises LedgerError or ConfigError where
        it was not begun. Where the ledger fails after it LedgerError is raised, too, with `full` or
        `damaged`: see `Begun`.
        """
        self.ledger.begin(
            order, self.now, skill, provider, self._own(), self._terms(order, provider)
        )
        self._calling.add(order.key)
        try:
            outcome = compared(order, act(order))
            try:
                self._note(order.key, provider, outcome)
            except LedgerError as error:
                raise Begun(error) from None
        finally:
            self._calling.discard(order.key)
        return outcome

    def _note(self, key: str, provider: str, outcome: Outcome) -> Entry | None:
        """Write down what a provider said; what contradicts the ledger is told and not written."""
        try:
            match outcome.state:
                case "paid":
                    final = isinstance(self.provider(provider), Prepaid)
                    return self.ledger.end(
                        key, "paid", self.now, outcome.reference, outcome.text, settled=final
                    )
                case "refused":
                    return self.ledger.end(
                        key, "refused", self.now, outcome.reference, outcome.text
                    )
                case _:
                    return self.ledger.end(
                        key, "unknown", self.now, outcome.reference, outcome.text
                    )
        except IllegalStep as error:
            log.warning("a payment provider contradicts the ledger: %s", error)
            return self.ledger.find(key)

    def _own(self) -> str:
        with self._lock:
            if self._owner is None:
                try:
                    self._owner = Owner(self._folder)
                except OSError as error:
                    raise LedgerError("closed", f"cannot be written: {error.strerror}") from None
            return self._owner.name

    def _terms(self, order: Order, provider: str) -> Terms:
        """Return what an order has to keep to. Raises LedgerError or ConfigError."""
        till, limit = self.provider(provider), None
        opening = till.opening(order.currency) if isinstance(till, Prepaid) else None
        if order.kind == "payment" and order.amount:
            limit = self.limits().of.get(order.currency)
            if limit is None:
                raise LedgerError("currency", f"no limit is set for {order.currency}")
        return Terms(limit, opening)

    # -- finding out ------------------------------------------------------------------------------

    def recover(self) -> list[Entry]:
        """Ask about everything that is open; return what is known now and was not before.

        What a living process, this one among them, is calling its provider for is left to it.
        Raises LedgerError.
        """
        found: list[Entry] = []
        opened = self.ledger.entries(states=("confirmed", "submitted", "unknown", "paid"))
        for entry in reversed(opened):
            now = self._asked(entry)
            if now is not None and entry.state not in ("paid", now.state):
                found.append(now)  # that a paid one is settled is no news
        if self._owner is not None:
            with suppress(OSError):
                self._owner.sweep()
        return found

    def ask(self, key: str) -> Entry | None:
        """Ask once more what became of a payment, and return it as it is then.

        Raises LedgerError.
        """
        entry = self.ledger.find(key)
        if entry is None or entry.state in ("settled", "refused"):
            return entry
        return self._asked(entry) or entry

    def unresolved(self) -> int:
        """Return how many payments have no known outcome. Raises LedgerError."""
        return len(self.ledger.entries(states=("confirmed", "submitted", "unknown")))

    def _asked(self, entry: Entry) -> Entry | None:
        """Ask the provider; None where there is nobody to ask, or it is not ours to."""
        order = replace(entry.order, reference=entry.reference)
        provider, entry = self.provider(entry.provider), replace(entry, order=order)
        if order.key in self._calling or provider is None:
            return None
        if entry.state in ("confirmed", "submitted") and self._lives(entry.owner):
            return None
        self._calling.add(order.key)
        try:
            try:
                said = _found_out(entry, provider)
            except Exception as error:  # the plugin boundary: it is asked again later
                log.info("%s could not be asked: %s", entry.provider, type(error).__name__)
                return None
            return self._heard(entry, provider, compared(order, said))
        finally:
            self._calling.discard(order.key)

    def _heard(self, entry: Entry, provider: PaymentProvider, said: Outcome) -> Entry | None:
        if entry.state == "paid":
            if said.state != "paid":
                return None
            return self.ledger.end(
                entry.order.key, "paid", self.now, said.reference, said.text, settled=True
            )
        if said.state == "absent":  # it may still be on its way, for as long as the provider says
            final_s = getattr(provider, "final_s", None)
            if final_s is None or self.now - entry.at < timedelta(seconds=final_s):
                return None
            said = Outcome("refused", said.text)
        if said.state == "unknown":
            return None
        return self._note(entry.order.key, entry.provider, said)

    def _lives(self, owner: str) -> bool:
        try:
            if self._owner is not None and owner == self._owner.name:
                return False  # ours, and not being called
            self._own()
            return self._owner is not None and self._owner.lives(owner)
        except (OSError, LedgerError):
            return True  # nobody can tell

    # -- what an action may ask -------------------------------------------------------------------

    def entries(self, limit: int | None = None) -> list[Entry]:
        """Return the last payments, newest first. Raises LedgerError."""
        return self.ledger.entries(limit)

    def find(self, key: str) -> Entry | None:
        """Return a payment by its key. Raises LedgerError."""
        return self.ledger.find(key)

    def refunded(self, key: str) -> Decimal:
        """Return how much of a payment was given back. Raises LedgerError."""
        return self.ledger.refunded(key)

    def balance(self, account: str, currency: str, opening: Decimal = Decimal(0)) -> Decimal:
        """Return what an account holds. Raises LedgerError."""
        return self.ledger.balance(account, currency, opening)

    def check(self, order: Order, provider: str, skill: str = "") -> None:
        """Raise LedgerError or ConfigError where an order could not be begun, as things stand."""
        self.ledger.check(order, self.now, skill, provider, self._terms(order, provider))


def _found_out(entry: Entry, provider: PaymentProvider) -> Outcome:
    """Ask what became of an order; where it can be, it is called off in the same breath."""
    if entry.state != "paid" and isinstance(provider, Cancels):
        return provider.cancel(entry.order)
    return provider.ask(entry.order)


_STILL_CALLING: list[Owner] = []
"""Held until the process ends: what they call for must not be asked about by others."""


class Begun(LedgerError):
    """The ledger failed after the provider was called: the outcome is with the provider alone."""

    def __init__(self, error: LedgerError) -> None:
        """Say what failed."""
        super().__init__(error.why, str(error), error.limit)


def compared(order: Order, said: Outcome) -> Outcome:
    """Return what a provider says; unknown where it is another payment than was agreed to."""
    agreed = Payment(order.amount, order.currency, order.payee)
    if said.state == "paid" and said.paid is not None and said.paid != agreed:
        return Outcome("unknown", ANOTHER, said.reference)
    return said
