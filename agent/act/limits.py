"""How much may be paid: at once, in a day, to one payee, and without the PIN.

They are read from `limits.toml` in the data folder, or from the one beside this file. A file that
is broken allows nothing: nobody pays by a misprint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from pathlib import Path
from typing import Any

from agent.errors import ConfigError
from agent.language.money import to_minor
from hardware import reading

FIELDS = ("payment", "day", "payee", "pin")


@dataclass(frozen=True, slots=True)
class Limit:
    """The limits of one currency, in its minor units."""

    payment: int
    """Most that one payment may be."""
    day: int
    """Most that all payments of one day may be."""
    payee: int
    """Most that one payee may get in one day."""
    pin: int
    """Above it the PIN is asked for."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of every currency that can be paid in."""

    of: Mapping[str, Limit]
    """By ISO 4217 code; a currency that is not there cannot be paid in."""
    again_s: int = 600
    """Within that time the same payee and amount is asked about twice."""


def load(folder: Path) -> Limits:
    """Read the limits. Raises ConfigError, which names what to mend."""
    path = folder / "limits.toml"
    try:
        text = reading.read_text(path)
    except FileNotFoundError:
        return parse(files("agent.act").joinpath("limits.toml").read_text("utf-8"), "limits.toml")
    except (OSError, reading.Unreadable) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    return parse(text, str(path))


def parse(text: str, where: str) -> Limits:
    """Return the limits that a text has. Raises ConfigError."""
    try:
        read = reading.from_toml(text)
    except reading.Unreadable as error:
        raise ConfigError(f"{where}: {error}") from None
    table, minutes = read.get("limits"), read.get("again_minutes", 10)
    if not isinstance(table, dict) or not table:
        raise ConfigError(f"{where}: there is no table [limits]")
    if not isinstance(minutes, int) or isinstance(minutes, bool) or not 0 <= minutes <= 1440:
        raise ConfigError(f"{where}: again_minutes is a whole number of minutes up to 1440")
    return Limits({code: _limit(code, row, where) for code, row in table.items()}, minutes * 60)


def _limit(code: str, row: Any, where: str) -> Limit:
    if not isinstance(row, dict) or set(row) != set(FIELDS):
        raise ConfigError(f"{where}: {code} has the limits {', '.join(FIELDS)}, and no other")
    try:
        return Limit(*(_minor(row[name], code) for name in FIELDS))
    except (InvalidOperation, TypeError, ValueError):
        shape = 'amounts in quotes, such as "500"'
        raise ConfigError(f"{where}: the limits of {code} are {shape}") from None


def _minor(value: Any, code: str) -> int:
    if not isinstance(value, str):
        raise TypeError(value)
    minor = to_minor(Decimal(value), code)
    if minor < 0:
        raise ValueError(value)
    return minor
