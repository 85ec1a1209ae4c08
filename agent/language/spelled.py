"""Numbers in words, in English and Chinese: as they are said, not as they are written."""

from __future__ import annotations

import re
from decimal import Decimal

from agent.language.numbers import MOST_DIGITS, ONES, TEENS

_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = (
    (10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"),
)  # fmt: skip
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
    "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip
_ZH = "零一二三四五六七八九"
_ZH_UNITS = ("", "十", "百", "千")
_ZH_SCALES = ("", "万", "亿", "万亿")


def cardinal(number: int, language: str) -> str:
    """Return a whole number in words; one of too many digits is said digit by digit."""
    sign = ("负" if language == "zh" else "minus ") if number < 0 else ""
    size = abs(number)
    if len(str(size)) > MOST_DIGITS:
        return sign + digits(str(size), language)
    return sign + (_chinese(size) if language == "zh" else _english(size))


def decimal(written: str, language: str) -> str:
    """Return a number in words as it is written: `1,200.50` is “one thousand two hundred point …”.

    Zeros that end a fraction are not said. A number that begins with a zero is one of digits.
    """
    whole, _, part = written.replace(",", "").partition(".")
    part = part.rstrip("0")
    if not part and len(whole) > 1 and whole.startswith("0"):
        return digits(whole, language)
    said = cardinal(int(whole or 0), language)
    if not part:
        return said
    point = "点" if language == "zh" else " point "
    return said + point + digits(part, language)


def digits(written: str, language: str) -> str:
    """Return digits one by one, as those of a telephone number."""
    if language == "zh":
        return "".join(_ZH[int(digit)] for digit in written)
    return " ".join(ONES[int(digit)] for digit in written)


def year(number: int, language: str) -> str:
    """Return a year: “twenty twenty-six”, 二零二六."""
    if language == "zh":
        return digits(str(number), language)
    century, rest = divmod(number, 100)
    if not 1100 <= number <= 2099 or 2000 <= number <= 2009:
        return _english(number)
    if rest == 0:
        return f"{_english(century)} hundred"
    return f"{_english(century)} {'oh ' if rest < 10 else ''}{_english(rest)}"


def ordinal(number: int) -> str:
    """Return a small ordinal in English: “thirtieth”, “twenty-first”."""
    head, dash, last = _english(number).rpartition("-")
    last = _ORDINALS[last] if last in _ORDINALS else re.sub("y$", "ie", last) + "th"
    return head + dash + last


def is_one(written: str) -> bool:
    """Say whether a number is exactly one, so that what is counted is not said as several."""
    return Decimal(written.replace(",", "")) == 1


def _english(number: int) -> str:
    for scale, name in _SCALES:
        if number >= scale:
            many, rest = divmod(number, scale)
            return f"{_english(many)} {name}" + (f" {_english(rest)}" if rest else "")
    if number >= 100:
        hundreds, rest = divmod(number, 100)
        return f"{ONES[hundreds]} hundred" + (f" {_english(rest)}" if rest else "")
    if number < 20:
        return (*ONES, *TEENS)[number]
    tens, ones = divmod(number, 10)
    return f"{_TENS[tens]}-{ONES[ones]}" if ones else _TENS[tens]


def _chinese(number: int) -> str:
    if number == 0:
        return _ZH[0]
    said, section, gap = "", 0, False
    while number:
        number, below = divmod(number, 10_000)
        if below:
            words = _section(below) + _ZH_SCALES[section]
            said = words + (_ZH[0] if gap and said else "") + said
        gap = below < 1000  # a zero stands for the thousands that are not there
        section += 1
    return said.removeprefix("一") if said.startswith("一十") else said


def _section(number: int) -> str:
    """Return a number below ten thousand: 1005 is 一千零五."""
    said, zero = "", False
    for place, digit in enumerate(reversed(str(number))):
        if digit == "0":
            zero = bool(said)
            continue
        said = _ZH[int(digit)] + _ZH_UNITS[place] + (_ZH[0] if zero else "") + said
        zero = False
    return said
