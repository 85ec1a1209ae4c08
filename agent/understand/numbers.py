"""Numbers, money and durations as people say them, in English and Chinese.

Strict on purpose: what is not exactly a number is a ValueError, because an amount guessed wrong
is money moved by accident. Words below a thousand come from one table, so `twenty thirty` or
`five twenty` cannot slip through.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from functools import cache

_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
    "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = {"million": 1_000_000, "thousand": 1_000}

_ZH_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0, "俩": 2}
_ZH_UNITS = {"十": 10, "百": 100, "千": 1000}

_DIGITS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_CURRENCIES = {
    "USD": r"dollars?|bucks?|usd|美元|美金",
    "EUR": r"euros?|eur|欧元",
    "GBP": r"pounds?|gbp|英镑",
    "CNY": r"yuan|rmb|renminbi|cny|元|块钱?|人民币",
}
_SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "￥": "CNY"}
_SECONDS = {
    r"seconds?|secs?|s|秒钟?": 1,
    r"minutes?|mins?|分钟?": 60,
    r"hours?|hrs?|个?小时|个?钟头": 3600,
    r"days?|天": 86400,
}


class Money(Decimal):
    """An amount with the currency that was said with it.

    It is a `Decimal`, so it compares and prints as one.
    """

    currency: str | None
    """ISO 4217 code, or None when the wearer named none."""

    def __new__(cls, value: str | int | Decimal, currency: str | None = None) -> Money:
        """Make an amount; `value` as `Decimal` takes it."""
        made = super().__new__(cls, value)
        made.currency = currency
        return made


@cache
def _below_thousand() -> dict[str, int]:
    words: dict[str, int] = {w: i for i, w in enumerate(_ONES)}
    words |= {w: 10 + i for i, w in enumerate(_TEENS)}
    for tens, word in enumerate(_TENS, start=2):
        words[word] = tens * 10
        words |= {f"{word} {_ONES[one]}": tens * 10 + one for one in range(1, 10)}
    below_hundred = dict(words)
    for hundreds in range(1, 10):
        for head in (_ONES[hundreds], "a") if hundreds == 1 else (_ONES[hundreds],):
            words[f"{head} hundred"] = hundreds * 100
            for tail, value in below_hundred.items():
                if value:
                    words[f"{head} hundred {tail}"] = hundreds * 100 + value
                    words[f"{head} hundred and {tail}"] = hundreds * 100 + value
    return words


def _english(text: str) -> Decimal:
    whole, point, digits = text.partition(" point ")
    words = _below_thousand()
    total, rest = 0, whole
    for scale, size in _SCALES.items():
        head, found, tail = rest.partition(f" {scale}")
        if found:
            total += (1 if head == "a" else words[head]) * size
            rest = tail.strip().removeprefix("and ")
    if rest or not total:
        total += words[rest]
    if not point:
        return Decimal(total)
    return Decimal(f"{total}.{''.join(str(_ONES.index(d)) for d in digits.split())}")


def _chinese(text: str) -> Decimal:
    whole, point, digits = text.partition("点")
    head, wan, tail = whole.rpartition("万")
    total = _chinese_section(head) * 10_000 if wan else 0
    if tail:
        # 三万二 is 32,000: a lone digit right after a unit counts the next lower one.
        lone = len(tail) == 1 and tail in _ZH_DIGITS and bool(wan)
        total += _ZH_DIGITS[tail] * 1000 if lone else _chinese_section(tail)
    elif not wan:
        raise ValueError(text)
    if not point:
        return Decimal(total)
    if not digits:  # 一点 is "a bit"
        raise ValueError(text)
    return Decimal(f"{total}.{''.join(str(_ZH_DIGITS[d]) for d in digits)}")


def _chinese_section(text: str) -> int:
    """Read a number below ten thousand; each unit once, falling; no two digits in a row."""
    total, last_unit, digit, zero = 0, 10_000, None, False
    for char in text:
        if char in _ZH_UNITS:
            unit = _ZH_UNITS[char]
            if unit >= last_unit or digit == 0 or (digit is None and unit > 10):
                raise ValueError(text)
            total, last_unit = total + (1 if digit is None else digit) * unit, unit
            digit, zero = None, False
        elif digit is not None or char not in _ZH_DIGITS:
            raise ValueError(text)
        elif _ZH_DIGITS[char] == 0 and text not in ("零", "〇"):
            if zero:
                raise ValueError(text)
            zero = True
        else:
            digit = _ZH_DIGITS[char]
    if digit is None and zero:
        raise ValueError(text)
    # 两百五 is 250, 两百零五 is 205.
    lower = last_unit // 10 if last_unit < 10_000 and last_unit > 10 and not zero else 1
    return total + (digit or 0) * lower


def parse_number(text: str) -> Decimal:
    """Read one number: `20`, `1,200.50`, `twenty five`, `a hundred and five`, `两百五`.

    Raises ValueError when the text is anything else.
    """
    text = " ".join(re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text.lower()).split())
    if _DIGITS.fullmatch(text):
        return Decimal(text.replace(",", ""))
    try:
        if text and (text[0] in _ZH_DIGITS or text[0] in _ZH_UNITS):
            return _chinese(text)
        return _english(text)
    except (KeyError, IndexError, ValueError):
        raise ValueError(f"{text!r} is not a number") from None


def parse_money(text: str) -> Money:
    """Read an amount: `$20`, `20 euros`, `four dollars and fifty cents`, `两百块五`, `十二`.

    Raises ValueError when the text is anything else, is negative or has parts of a cent.
    """
    text = " ".join(text.lower().split())
    currency = None
    if text and text[0] in _SYMBOLS:
        currency, text = _SYMBOLS[text[0]], text[1:].strip()
    cents = Decimal(0)
    for code, names in _CURRENCIES.items():
        if found := re.fullmatch(rf"(.+?)\s*(?:{names})(?:\s*(?:and\s+)?(.+))?", text):
            if currency not in (None, code):
                raise ValueError(f"{text!r} names two currencies")
            currency, text = code, found[1]
            cents = _cents(found[2]) if found[2] else cents
            break
    amount = parse_number(text) + cents
    if amount != amount.quantize(Decimal("0.01")) or (cents and amount - cents != int(amount)):
        raise ValueError(f"{text!r} has parts of a cent")
    return Money(amount, currency)


def _cents(text: str) -> Decimal:
    if found := re.fullmatch(r"(.+?)\s*(?:cents?|pence)", text):
        cents = parse_number(found[1])
        if not 0 < cents < 100:
            raise ValueError(f"{text!r} is not a number of cents")
        return cents / 100
    if found := re.fullmatch(r"([一二两三四五六七八九])[毛角]?", text):  # 三块五 is 3.50
        return Decimal(_ZH_DIGITS[found[1]]) / 10
    raise ValueError(f"{text!r} is not a number of cents")


def parse_duration(text: str) -> timedelta:
    """Read a length of time: `ten minutes`, `90 s`, `an hour and a half`, `半小时`, `三分钟`.

    Raises ValueError when the text is anything else.
    """
    text = " ".join(text.lower().split())
    if found := re.fullmatch(r"(?:an? hour and a half|一个半小时)", text):
        return timedelta(minutes=90)
    if found := re.fullmatch(r"(?:half an hour|半个?小时)", text):
        return timedelta(minutes=30)
    for names, seconds in _SECONDS.items():
        if found := re.fullmatch(rf"(.+?)(?: |(?<=[\d\u4e00-\u9fff]))(?:{names})", text):
            count = Decimal(1) if found[1] in ("a", "an") else parse_number(found[1])
            return timedelta(seconds=float(count * seconds))
    raise ValueError(f"{text!r} is not a length of time")


_SAID_ONES = f"({'|'.join(_ONES[1:])})"
_SAID_99 = f"({'|'.join(_ONES[1:] + _TEENS)}|({'|'.join(_TENS)}) [{_SAID_ONES}])"
_SAID_999 = f"({_SAID_99}|(a|{_SAID_ONES}) hundred [[and] {_SAID_99}])"


_ZH_99 = "([(二|三|四|五|六|七|八|九)]十[(一|二|三|四|五|六|七|八|九)]|一|二|三|四|五|六|七|八|九)"
_ZH_999 = f"({_ZH_99}|(一|二|两|三|四|五|六|七|八|九)百[零(一|二|三|四|五|六|七|八|九)|{_ZH_99}])"
_ZH_COUNT = _ZH_99.replace("|一|二|", "|一|两|")


def spoken_number(low: int, high: int, language: str = "en") -> tuple[str, ...]:
    """Return a template of the words for the whole numbers from `low` to `high`.

    It is wider than the range where that keeps it short; the parser has the last word.
    """
    if language == "zh":
        zero = ("零",) if low <= 0 else ()
        if high < 10:
            return tuple("零一二三四五六七八九"[max(low, 0) : high + 1])
        if high <= 100:
            return (*zero, _ZH_99, *(("一百",) if high == 100 else ()))
        return (*zero, _ZH_999)
    zero = ("zero",) if low <= 0 else ()
    if high < 10:
        return tuple(_ONES[max(low, 0) : high + 1])
    if high < 100:
        return (*zero, _SAID_99)
    if high == 100:
        return (*zero, _SAID_99, "(a|one) hundred")
    if high < 1000:
        return (*zero, _SAID_999)
    return (*zero, _SAID_999, f"(a|{_SAID_99}) thousand [[and] {_SAID_999}]")


def spoken_money(language: str = "en") -> tuple[str, ...]:
    """Return a template of the words for amounts up to 999 with their currency."""
    if language == "zh":
        return (f"{_ZH_999}(块|块钱|元|美元|欧元|英镑)", f"{_ZH_99}块(一|二|三|四|五|六|七|八|九)")
    units = "(dollar|dollars|bucks|euro|euros|pounds|yuan)"
    return (f"{_SAID_999} {units}", f"{_SAID_99} {units} and {_SAID_99} cents", _SAID_999)


def spoken_duration(language: str = "en") -> tuple[str, ...]:
    """Return a template of the words for lengths of time up to 99 of a unit."""
    if language == "zh":
        return (f"{_ZH_COUNT}(秒|分钟|个小时|天)", "半小时", "一个半小时")
    units = "(second|seconds|minute|minutes|hour|hours|day|days)"
    return (f"(a|an|{_SAID_99}) {units}", "half an hour", "an hour and a half")
