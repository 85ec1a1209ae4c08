"""Holidays and festivals: which day they are, by the library `holidays` and the calendar.

The library is large, so that it is loaded when it is first asked, or by `warm` before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache

_ASIDE = re.compile(r"\s*[(（].*[)）]")
"""What the library adds to a name: that it is observed on another day, or another name."""
_YEARS = 3
"""Years in which the next day of a festival is looked for."""

Rule = Callable[[int, str], date | None]


@dataclass(frozen=True, slots=True)
class Festival:
    """A day that people know by name."""

    en: tuple[str, ...]
    """English names as they are said, the first of them shown."""
    zh: tuple[str, ...]
    """Chinese names."""
    day: Rule
    """Its day in a year, and in a country; None where the library knows none."""


@lru_cache(maxsize=64)
def public(country: str, year: int, language: str) -> Mapping[date, str]:
    """Return the public holidays of a country in a year, by day, with their names.

    `country` is an ISO 3166 code. The names are in the language if the library has them in it.
    Raises ValueError for a country that it does not know.
    """
    import holidays

    try:
        listed = holidays.country_holidays(country, years=year)
        wanted = ("zh_CN", "zh") if language == "zh" else ("en_US", "en_GB", "en")
        for code in wanted:
            if code in listed.supported_languages:
                listed = holidays.country_holidays(country, years=year, language=code)
                break
    except NotImplementedError:
        raise ValueError(f"no holidays are known for {country!r}") from None
    return {day: _named(name, language) for day, name in sorted(listed.items())}


def _named(name: str, language: str) -> str:
    """Return a holiday's name without what the library adds to it."""
    short = _ASIDE.sub("", name).replace("; ", ", ")
    if language == "zh":
        key = short.casefold()
        found = (one for one in FESTIVALS.values() if key in map(str.casefold, one.en))
        return next((one.zh[0] for one in found), short)
    return short


def next_public(country: str, today: date, language: str) -> tuple[date, str] | None:
    """Return the next public holiday after a day. Raises ValueError for an unknown country."""
    for year in range(today.year, today.year + _YEARS):
        for day, name in public(country, year, language).items():
            if day > today:
                return day, name
    return None


def on_or_after(festival: str, today: date, country: str) -> date | None:
    """Return the first day of a festival that is not over."""
    years = range(today.year, today.year + _YEARS)
    return _first(festival, country, years, lambda day: day >= today)


def on_or_before(festival: str, today: date, country: str) -> date | None:
    """Return the last day of a festival up to a day."""
    years = range(today.year, today.year - _YEARS, -1)
    return _first(festival, country, years, lambda day: day <= today)


def _first(festival: str, country: str, years: range, fits: Callable[[date], bool]) -> date | None:
    for year in years:
        day = FESTIVALS[festival].day(year, country) if 1 <= year <= 9999 else None
        if day is not None and fits(day):
            return day
    return None


def _fixed(month: int, day: int) -> Rule:
    return lambda year, _country: date(year, month, day)


def _sunday(month: int, number: int) -> Rule:
    def day(year: int, _country: str) -> date:
        first = date(year, month, 1)
        return first + timedelta(days=6 - first.weekday() + 7 * (number - 1))

    return day


def _listed(country: str, name: str, later: int = 0) -> Rule:
    """Return the first day that the library calls so, or some days later."""

    def day(year: int, _country: str) -> date | None:
        for found, called in public(country, year, "en").items():
            if name in called.split(", "):
                return found + timedelta(days=later)
        return None

    return day


def _labor_day(year: int, country: str) -> date:
    """Return the first Monday of September in America, the first of May elsewhere."""
    if country not in ("US", "CA"):
        return date(year, 5, 1)
    first = date(year, 9, 1)
    return first + timedelta(days=-first.weekday() % 7)


FESTIVALS: Mapping[str, Festival] = {
    one.en[0]: one
    for one in (
        Festival(
            ("New Year's Day", "new year", "new years", "new year's"),
            ("元旦", "新年"),
            _fixed(1, 1),
        ),
        Festival(("New Year's Eve",), ("跨年夜", "新年前夜"), _fixed(12, 31)),
        Festival(("Valentine's Day",), ("情人节",), _fixed(2, 14)),
        Festival(("Women's Day",), ("妇女节",), _fixed(3, 8)),
        Festival(("Children's Day",), ("儿童节",), _fixed(6, 1)),
        Festival(("Mother's Day",), ("母亲节",), _sunday(5, 2)),
        Festival(("Father's Day",), ("父亲节",), _sunday(6, 3)),
        Festival(("Halloween",), ("万圣节",), _fixed(10, 31)),
        Festival(("Christmas Eve",), ("平安夜",), _fixed(12, 24)),
        Festival(("Christmas Day", "christmas", "xmas"), ("圣诞节", "圣诞"), _fixed(12, 25)),
        Festival(("Easter", "easter sunday"), ("复活节",), _listed("DE", "Easter Monday", -1)),
        Festival(
            ("Martin Luther King Jr. Day", "martin luther king day"),
            ("马丁·路德·金纪念日", "马丁路德金日"),
            _listed("US", "Martin Luther King Jr. Day"),
        ),
        Festival(
            ("Washington's Birthday", "presidents day"),
            ("总统日",),
            _listed("US", "Washington's Birthday"),
        ),
        Festival(("Memorial Day",), ("阵亡将士纪念日",), _listed("US", "Memorial Day")),
        Festival(
            ("Juneteenth National Independence Day", "juneteenth"), ("六月节",), _fixed(6, 19)
        ),
        Festival(("Independence Day",), ("美国独立日", "独立日"), _fixed(7, 4)),
        Festival(("Labor Day",), ("劳动节", "五一", "五一劳动节"), _labor_day),
        Festival(("Columbus Day",), ("哥伦布日",), _listed("US", "Columbus Day")),
        Festival(("Veterans Day",), ("退伍军人节",), _fixed(11, 11)),
        Festival(
            ("Thanksgiving Day", "thanksgiving"), ("感恩节",), _listed("US", "Thanksgiving Day")
        ),
        Festival(
            ("Spring Festival", "chinese new year", "lunar new year"),
            ("春节", "大年初一", "农历新年"),
            _listed("CN", "Chinese New Year"),
        ),
        Festival(
            ("Chinese New Year's Eve",), ("除夕", "大年三十"), _listed("CN", "Chinese New Year", -1)
        ),
        Festival(("Lantern Festival",), ("元宵节", "元宵"), _listed("CN", "Chinese New Year", 14)),
        Festival(
            ("Tomb-Sweeping Day", "qingming festival"),
            ("清明节", "清明"),
            _listed("CN", "Tomb-Sweeping Day"),
        ),
        Festival(
            ("Dragon Boat Festival",), ("端午节", "端午"), _listed("CN", "Dragon Boat Festival")
        ),
        Festival(
            ("Mid-Autumn Festival", "moon festival"),
            ("中秋节", "中秋"),
            _listed("CN", "Mid-Autumn Festival"),
        ),
        Festival(
            ("National Day", "chinese national day"), ("国庆节", "国庆", "十一国庆"), _fixed(10, 1)
        ),
    )
}
"""Every festival that can be asked for, by the English name that is shown."""


@cache
def said(language: str) -> dict[str, str]:
    """Return what can be said for a festival, with the name it is known by."""
    return {
        name.lower(): key
        for key, one in FESTIVALS.items()
        for name in (one.zh if language == "zh" else one.en)
    }


def shown(festival: str, language: str) -> str:
    """Return the name to show."""
    return FESTIVALS[festival].zh[0] if language == "zh" else festival


def warm() -> None:
    """Load the library, so that the first question about a holiday does not wait for it."""
    for country in ("US", "CN"):
        public(country, date.today().year, "en")
