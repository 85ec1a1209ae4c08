"""Exchange rates, from a file or a feed: a base, a date, and a rate for each currency.

    {"base": "EUR", "date": "2026-11-27", "rates": {"USD": 1.0561, "CNY": 7.6512}}

That is the form of Frankfurter, which passes on the reference rates of the European Central Bank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from agent import config
from agent.environment import STARTED
from agent.skill import feed
from hardware import reading
from hardware.base import DeviceError

FRESH_S = 6 * 3600.0
"""How long rates are not asked for again: banks fix them once a day."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What one unit of the base buys."""

    base: str
    """ISO 4217 code."""
    date: date
    """When they were fixed."""
    rates: Mapping[str, Decimal]
    """By code."""

    def converted(self, amount: Decimal, unit: str, to: str) -> Decimal | None:
        """Return an amount in another currency; None where a rate is missing."""
        known = {**self.rates, self.base: Decimal(1)}
        if unit not in known or to not in known:
            return None
        return amount / known[unit] * known[to]


def current(folder: Path, environ: Mapping[str, str] = STARTED) -> Rates | None:
    """Return the rates that the settings name; None where they name none. Raises DeviceError."""
    source = config.load(environ).rates
    return read(feed.read(source, folder, FRESH_S).content) if source else None


def read(content: bytes) -> Rates:
    """Read rates. Raises DeviceError where they are none."""
    try:
        found = reading.from_json(reading.decode(content))
        rates = {str(code): Decimal(str(rate)) for code, rate in found["rates"].items()}
        if not all(rate.is_finite() and rate > 0 for rate in rates.values()):
            raise ValueError("a rate is not above 0")
        return Rates(str(found["base"]), date.fromisoformat(found["date"]), rates)
    except (ValueError, TypeError, KeyError, AttributeError, InvalidOperation):
        raise DeviceError("the exchange rates cannot be read: check GLASSES_RATES") from None
