"""Units by what people call them; what they are worth is known by the library `pint`."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Any

from agent.language import currencies, numbers

_UNITS: dict[str, tuple[str, str, str]] = {
    "millimeter": ("millimeter millimeters mm", "毫米", "mm"),
    "centimeter": ("centimeter centimeters cm", "厘米 公分", "cm"),
    "meter": ("meter meters metre metres m", "米 公尺", "m"),
    "kilometer": ("kilometer kilometers kilometre kilometres km", "公里 千米", "km"),
    "inch": ("inch inches", "英寸", "in"),
    "foot": ("foot feet ft", "英尺", "ft"),
    "yard": ("yard yards", "码", "yd"),
    "mile": ("mile miles", "英里", "mi"),
    "nautical_mile": ("nautical|miles", "海里", "nmi"),
    "gram": ("gram grams g", "克", "g"),
    "kilogram": ("kilogram kilograms kilo kilos kg", "公斤 千克", "kg"),
    "metric_ton": ("ton tons tonne tonnes", "吨", "t"),
    "ounce": ("ounce ounces oz", "盎司", "oz"),
    "pound": ("pound pounds lb lbs", "磅", "lb"),
    "jin": ("jin", "斤 市斤", "斤"),
    "milliliter": ("milliliter milliliters millilitres ml", "毫升", "ml"),
    "liter": ("liter liters litre litres", "升 公升", "l"),
    "gallon": ("gallon gallons", "加仑", "gal"),
    "pint": ("pint pints", "品脱", "pt"),
    "cup": ("cup cups", "杯", "cup"),
    "tablespoon": ("tablespoon tablespoons", "汤匙", "tbsp"),
    "teaspoon": ("teaspoon teaspoons", "茶匙", "tsp"),
    "degC": ("celsius centigrade degrees|celsius", "摄氏度 度", "°C"),
    "degF": ("fahrenheit degrees|fahrenheit", "华氏度", "°F"),
    "kilometer/hour": ("kilometers|per|hour kilometers|an|hour", "公里每小时", "km/h"),
    "mile/hour": ("miles|per|hour miles|an|hour", "英里每小时", "mph"),
    "second": ("second seconds", "秒", "s"),
    "minute": ("minute minutes", "分钟", "min"),
    "hour": ("hour hours", "小时", "h"),
    "day": ("day days", "天", "d"),
    "meter**2": ("square|meter square|meters", "平方米 平米", "m²"),
    "foot**2": ("square|foot square|feet", "平方英尺", "sq ft"),
    "hectare": ("hectare hectares", "公顷", "ha"),
    "acre": ("acre acres", "英亩", "ac"),
    "mu": ("mu", "亩", "亩"),
    "kilocalorie": ("calorie calories kilocalories", "卡路里 大卡 千卡", "kcal"),
    "kilojoule": ("kilojoule kilojoules", "千焦", "kJ"),
    "horsepower": ("horsepower", "马力", "hp"),
    "kilowatt": ("kilowatt kilowatts", "千瓦", "kW"),
}
"""By its name in the library: English and Chinese words, and its sign. A bar joins words."""

_OWN = ("jin = 500 gram", "mu = 666.6666667 meter**2")
"""Chinese units that the library does not have."""


@cache
def _by_word() -> dict[str, str]:
    found = {
        word.replace("|", " "): unit
        for unit, (english, chinese, sign) in _UNITS.items()
        for word in (*english.split(), *chinese.split(), sign)
    }
    money = {word: code for word, code in currencies.NAMES.items() if word not in found}
    return money | found


_MONEY = (
    "dollars", "dollar", "us dollars", "euros", "euro", "pounds sterling", "yuan", "renminbi",
    "yen", "won", "baht", "rupees", "rubles", "pesos", "swiss francs", "canadian dollars",
    "australian dollars", "hong kong dollars", "singapore dollars",
)  # fmt: skip
_UNHEARD = frozenset(
    ("litre", "litres", "millilitres", "metre", "metres", "kilometre", "kilometres", "kilojoule",
     "kilojoules", "kilocalories")
)  # fmt: skip
"""Words that are understood, and that speech does not listen for."""


@cache
def said(language: str) -> dict[str, str]:
    """Return what can be converted to, by what it is called: units, and the money of many."""
    if language == "zh":
        return {word: unit for word, unit in _by_word().items() if not word.isascii()}
    units = (
        word.replace("|", " ") for english, _, _ in _UNITS.values() for word in english.split()
    )
    listed = [word for word in units if len(word) > 3 and word not in _UNHEARD]
    return {word: _by_word()[word] for word in (*listed, *_MONEY)}


def read(text: str) -> tuple[Decimal, str] | None:
    """Read an amount with its unit or currency; None where it is none."""
    words = " ".join(text.lower().replace("°", " ").split())
    words = re.sub(r"^(?:degrees?|一共) ", "", words)
    for cut in range(1, len(words)):
        unit = _by_word().get(words[cut:].strip())
        if unit is None:
            continue
        try:
            return numbers.parse_number(words[:cut].strip().removesuffix(" degrees")), unit
        except ValueError:
            continue
    if unit := _by_word().get(re.sub(r"^(?:an?|one|一|1) ?", "", words)):
        return Decimal(1), unit
    try:
        money = numbers.parse_money(text)
    except ValueError:
        return None
    return (Decimal(money), money.currency) if money.currency else None


_PARTS = {"foot": "inch", "pound": "ounce", "meter": "centimeter", "hour": "minute"}
"""What is said after a unit without a word of its own: "5 feet 11"."""


def together(
    count: float, unit: str, more: float | None = None, small: str | None = None
) -> tuple[Decimal, str] | None:
    """Return an amount in two units as one: 5 feet 11; None where they do not go together."""
    amount = Decimal(str(count))
    if more is None:
        return amount, unit
    rest = converted(Decimal(str(more)), small or _PARTS.get(unit, ""), unit)
    return None if rest is None else (amount + rest, unit)


def is_currency(unit: str) -> bool:
    """Whether a unit is a currency's code (ISO 4217)."""
    return unit.isupper() and len(unit) == 3 and unit not in _UNITS


def converted(amount: Decimal, unit: str, to: str) -> Decimal | None:
    """Return an amount in another unit; None where they measure different things."""
    from pint.errors import PintError

    if is_currency(unit) or is_currency(to):
        return None
    registry = _registry()
    try:
        return Decimal(registry.Quantity(amount, unit).to(to).magnitude)
    except (PintError, ArithmeticError, TypeError, ValueError):
        return None


@cache
def _registry() -> Any:
    """Return the library's units, which take a moment to load."""
    from pint import UnitRegistry

    registry: Any = UnitRegistry(non_int_type=Decimal)
    for own in _OWN:
        registry.define(own)
    return registry


def shown(unit: str, language: str) -> str:
    """Return a unit as it is written after a number."""
    if unit not in _UNITS:
        return unit
    _, chinese, sign = _UNITS[unit]
    return chinese.split()[0] if language == "zh" else sign
