"""Money: exact amounts in minor units, the currency of the wearer, and how they are shown.

An amount is a `Decimal` beside its ISO 4217 code and is kept as a whole number of the smallest unit
there is of that currency: cents, fen, yen. No `float` is ever on its way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from agent import config
from agent.environment import STARTED

DIGITS: Mapping[str, int] = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Decimals of the currencies that do not have two (ISO 4217, "minor unit")."""

MOST = 10**15
"""Minor units from which on no amount is one to pay: SQLite's integers hold 9.2 · 10^18."""

SYMBOLS: Mapping[str, str] = {"USD": "$", "CNY": "¥", "EUR": "€", "GBP": "£", "JPY": "JP¥"}
"""Signs that need no explanation; other currencies are shown by their code."""

_EURO = "AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK"
OF_COUNTRY: Mapping[str, str] = {
    **dict.fromkeys(_EURO.split(), "EUR"),
    **{"US": "USD", "CN": "CNY", "HK": "HKD", "TW": "TWD", "MO": "MOP", "SG": "SGD", "JP": "JPY"},
    **{"KR": "KRW", "GB": "GBP", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "CH": "CHF", "IN": "INR"},
    **{"SE": "SEK", "NO": "NOK", "DK": "DKK", "PL": "PLN", "CZ": "CZK", "HU": "HUF", "TR": "TRY"},
    **{"TH": "THB", "MY": "MYR", "ID": "IDR", "PH": "PHP", "VN": "VND", "AE": "AED", "SA": "SAR"},
    **{"BR": "BRL", "MX": "MXN", "ZA": "ZAR", "IL": "ILS", "RU": "RUB", "UA": "UAH"},
}
"""What is paid with where (ISO 3166 and 4217)."""
CHINESE = frozenset(("CN", "HK", "TW", "MO", "SG"))
"""Countries where Chinese is spoken: of these the locale counts in Chinese too."""


def currency(language: str, environ: Mapping[str, str] = STARTED) -> str:
    """Return the currency of an amount that is said without one (ISO 4217).

    The setting `currency` is first; then the country that is set, or that of the system's locale.
    In Chinese that counts only where Chinese is spoken, and it is the yuan otherwise; without any
    it is the US dollar. Raises ConfigError for settings that cannot be read.
    """
    settings = config.load(environ)
    if settings.currency:
        return settings.currency.upper()
    country = settings.country.upper() or _locale(environ)
    if language == "zh":
        return OF_COUNTRY[country] if country in CHINESE else "CNY"
    return OF_COUNTRY.get(country, "USD")


def _locale(environ: Mapping[str, str]) -> str:
    local = next(filter(None, (environ.get(key) for key in ("LC_ALL", "LC_MONETARY", "LANG"))), "")
    found = re.match(r"[a-z]{2,3}_([A-Z]{2})\b", local)
    return found[1] if found else ""


def digits(code: str) -> int:
    """Return how many decimals a currency has."""
    return DIGITS.get(code, 2)


def to_minor(amount: Decimal, code: str) -> int:
    """Return an amount in minor units: 20.50 USD is 2050, 500 JPY is 500.

    Raises TypeError for what is no Decimal, ValueError for what is not finite, has parts of a minor
    unit or is too large.
    """
    if not isinstance(amount, Decimal):
        raise TypeError(f"an amount is a Decimal, and this is a {type(amount).__name__}")
    if not re.fullmatch("[A-Z]{3}", code):
        raise ValueError("a currency is three capital letters (ISO 4217)")
    if not amount.is_finite():
        raise ValueError("the amount is no number")
    if amount.adjusted() > 15:
        raise ValueError("the amount is too large")
    minor = Fraction(amount) * 10 ** digits(code)  # exact, whatever decimal context is set
    if minor.denominator != 1:
        raise ValueError(f"{code} has no such small parts")
    if abs(minor) >= MOST:
        raise ValueError("the amount is too large")
    return int(minor)


def from_minor(minor: int, code: str) -> Decimal:
    """Return an amount of minor units."""
    return Decimal(_plain(minor, code))


def shown(minor: int, code: str) -> str:
    """Return an amount as it is shown: `$20.50`, `¥1,200.00`, `HKD 8.00`, `JP¥500`."""
    whole, point, parts = _plain(abs(minor), code).partition(".")
    text = f"{int(whole):,}{point}{parts}"
    symbol = SYMBOLS.get(code)
    return ("-" if minor < 0 else "") + (f"{symbol}{text}" if symbol else f"{code} {text}")


def _plain(minor: int, code: str) -> str:
    """Return minor units as a decimal number: digits alone, so that no context can round it."""
    sign, places = "-" if minor < 0 else "", digits(code)
    text = str(abs(minor)).rjust(places + 1, "0")
    return sign + (f"{text[:-places]}.{text[-places:]}" if places else text)
