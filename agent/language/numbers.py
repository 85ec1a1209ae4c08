"""Numbers, money and durations as people say them, in English and Chinese.

Strict on purpose: what is not exactly a number is a ValueError, because an amount guessed wrong
is money moved by accident. Words below a hundred come from one table, so `twenty thirty` or
`five twenty` cannot slip through.

What is counted is a `Fraction` until it is whole: no decimal context, whoever set it, can round it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from fractions import Fraction

from agent.language.currencies import NAMES, SIGNS, SMALL

MOST_DIGITS = 15
"""Most digits of a number; a `float` still holds as many exactly."""
MOST_CHARACTERS = 200
"""Longest words of a number that are read."""

_EXACT = Context(prec=28, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact])
"""The only decimal arithmetic here: a context of its own, and nothing is rounded."""

ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
    "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = {"billion": 1_000_000_000, "million": 1_000_000, "thousand": 1_000}
_BELOW_HUNDRED = {word: value for value, word in enumerate(ONES + TEENS)} | {
    f"{tens} {ONES[one]}" if one else tens: 10 * ten + one
    for ten, tens in enumerate(_TENS, start=2)
    for one in range(10)
}

_ZH_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0, "俩": 2}
_ZH_UNITS = {"十": 10, "百": 100, "千": 1000}
_ZH_SCALES = {"亿": 100_000_000, "万": 10_000}
_ZH_NUMERAL = re.compile(f"[{''.join((*_ZH_DIGITS, *_ZH_UNITS, *_ZH_SCALES))}]")

_DIGITS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?")
_SPELT = str.maketrans(
    "０１２３４５６７８９．，￥＄￡壹贰貳叁參肆伍陆陸柒捌玖拾佰仟萬億兩圆圓",
    "0123456789.,¥$£一二二三三四五六六七八九十百千万亿两元元",
)
"""Other ways to write the same: full-width, as Chinese keyboards do, and on cheques."""
_NUMERALS = str.maketrans("0123456789", "零一二三四五六七八九")

_PARTS = {
    "half": Fraction(1, 2), "quarter": Fraction(1, 4), "three quarters": Fraction(3, 4),
    "半": Fraction(1, 2),
}  # fmt: skip
_PART_OF = re.compile(r"(?:an? )?(half|quarter|three quarters)(?: of)?(?: an?)?|(半)个?")
_AND_PART = re.compile(r"(?:(.+) )?and (?:an? |one )?(half|quarter|three quarters)|(?:(.+)个)?(半)")


def _either(words: Iterable[str]) -> str:
    """Return a pattern of any of the words, the longest first."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


def _units(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that splits a text at its units."""
    return re.compile(rf"\s*(?<![a-z])({_either(words)})(?![a-z])\s*")


_MONEY_UNITS = _units((*NAMES, *SIGNS, *SMALL))
_SECONDS = {
    name: seconds
    for seconds, names in {
        1: "second seconds sec secs s 秒 秒钟",
        60: "minute minutes min mins m 分 分钟",
        900: "刻钟",
        3600: "hour hours hr hrs h 小时 个小时 钟头 个钟头",
        86_400: "day days 天 日",
        604_800: "week weeks 周 星期 个星期 礼拜 个礼拜",
        1_209_600: "fortnight fortnights",
    }.items()
    for name in names.split()
}
_TIME_UNITS = _units(_SECONDS)
DAY_S = 86_400
"""Seconds of a day on which no clock is changed."""


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


# -- numbers --------------------------------------------------------------------------------------


def parse_number(text: str) -> Decimal:
    """Read one number: `20`, `1,200.50`, `a hundred and five`, `two and a half`, `两百五`, `1.5万`.

    Raises ValueError when the text is anything else, is negative or has more than `MOST_DIGITS`.
    """
    number = _number(_plain(text))
    return _EXACT.divide(Decimal(number.numerator), Decimal(number.denominator))


def _plain(text: str) -> str:
    """Return a text in the one spelling that is read here."""
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"{len(text)} characters are not a number")
    text = re.sub(r"(?<=[a-z])-(?=[a-z])|,(?=\s)", " ", text.lower().translate(_SPELT))
    return " ".join(text.split())


def _number(text: str) -> Fraction:
    try:
        if found := _AND_PART.fullmatch(text):
            return _whole(found[1] or found[3]) + _PARTS[found[2] or found[4]]
        number = _chinese(text) if _ZH_NUMERAL.search(text) else _english(text)
    except (KeyError, IndexError, ValueError, TypeError):
        raise ValueError(f"{text!r} is not a number") from None
    if number >= 10**MOST_DIGITS:
        raise ValueError(f"{text!r} is not a number that is read: it is too large")
    return number


def _whole(text: str) -> Fraction:
    number = _number(text)
    if number.denominator != 1:
        raise ValueError(f"{text!r} is not whole")
    return number


def _digits(text: str) -> Fraction:
    if not _DIGITS.fullmatch(text) or sum(map(str.isdigit, text)) > MOST_DIGITS:
        raise ValueError(text)
    return Fraction(text.replace(",", ""))


def _english(text: str) -> Fraction:
    if text[:1].isdigit() and " " not in text:
        return _digits(text)
    whole, point, digits = text.partition(" point ")
    total, rest = Fraction(0), whole
    for scale, size in _SCALES.items():
        head, found, tail = rest.partition(f" {scale}")
        if found:
            count = Fraction(1) if head == "a" else _counted(head)
            rest = tail.strip().removeprefix("and ")
            if not count or (count.denominator != 1 and rest):
                raise ValueError(text)
            total += count * size
    if rest or not total:
        total += _hundreds(rest, 999 if total else 9_999)
    if not point:
        return total
    if total.denominator != 1:
        raise ValueError(text)
    return Fraction(f"{total}.{''.join(str(ONES.index(d)) for d in digits.split())}")


def _counted(text: str) -> Fraction:
    return _digits(text) if "." in text else _hundreds(text, 999)


def _hundreds(text: str, most: int) -> Fraction:
    """Read a number below ten thousand, such as `a hundred and five` or `twelve hundred`."""
    head, found, tail = text.partition(" hundred")
    if not found:
        value = _small(text)
    else:
        count = 1 if head == "a" else _small(head)
        if not count % 10 or count > 99:
            raise ValueError(text)
        value = count * 100
        if tail := tail.strip().removeprefix("and "):
            if not 0 < (rest := _small(tail)) < 100:
                raise ValueError(text)
            value += rest
    if value > most:
        raise ValueError(text)
    return Fraction(value)


def _small(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text) else _BELOW_HUNDRED[text]


def _chinese(text: str) -> Fraction:
    whole, point, digits = text.partition("点")
    total = _chinese_whole(whole)
    if not point:
        return total
    if total.denominator != 1:
        raise ValueError(text)
    if not digits:  # 一点 is "a bit"
        raise ValueError(text)
    digits = digits.translate(_NUMERALS)
    return Fraction(f"{total}.{''.join(str(_ZH_DIGITS[d]) for d in digits)}")


def _chinese_whole(text: str) -> Fraction:
    for unit, size in _ZH_SCALES.items():
        head, found, tail = text.rpartition(unit)
        if not found:
            continue
        count = _digits(head) if _DIGITS.fullmatch(head) else _chinese_section(head)
        if not 0 < count < 10_000 or (count.denominator != 1 and tail):
            raise ValueError(text)
        if not tail:
            return count * size
        if len(tail) == 1:  # 三万二 is 32,000: a lone digit counts the next lower unit
            return count * size + _ZH_DIGITS[tail.translate(_NUMERALS)] * size // 10
        if tail.isascii():  # 3万5000
            if len(tail) != len(str(size)) - 1:
                raise ValueError(text)
            return count * size + _digits(tail)
        return count * size + _chinese_whole(tail)
    return _chinese_section(text)


def _chinese_section(text: str) -> Fraction:
    """Read a number below ten thousand; each unit once, falling; no two digits in a row."""
    if found := re.fullmatch(r"([0-9]+\.[0-9]+)([十百千])", text):
        return _digits(found[1]) * _ZH_UNITS[found[2]]
    total, last_unit, digit, zero = 0, 10_000, None, False
    for char in text.translate(_NUMERALS):
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
    if not text or (digit is None and zero):
        raise ValueError(text)
    # 两百五 is 250, 两百零五 is 205.
    lower = last_unit // 10 if last_unit < 10_000 and last_unit > 10 and not zero else 1
    return Fraction(total + (digit or 0) * lower)


# -- counts of units ------------------------------------------------------------------------------

Bare = Callable[[str, str], Fraction]
"""Reads what follows a unit without one of its own, given both: the fifty of `a dollar fifty`."""


def _measured(pieces: list[str], sizes: Callable[[str], int], bare: Bare) -> dict[int, Fraction]:
    """Return how much there is of each size of unit in a text that was split at its units.

    Units fall, and only the last count may be broken: `an hour and twenty minutes`, `三块五毛`.
    """
    found: dict[int, Fraction] = {}
    *pairs, rest = pieces
    for said, unit in zip(pairs[::2], pairs[1::2], strict=True):
        size = sizes(unit)
        count = _count(said.removeprefix("and ") if found else said)
        if found:
            last = min(found)
            if any(one % before for before, one in found.items()) or count * size >= last:
                raise ValueError(f"{said!r} {unit} is not a part")
        found[size] = count * size
    if rest:
        if any(one % before for before, one in found.items()):
            raise ValueError(f"{rest!r} is not a part")
        if (part := _AND_PART.fullmatch(rest)) and not (part[1] or part[3]):
            found[size] += _PARTS[part[2] or part[4]] * size
        else:
            found[1] = bare(rest, unit)
    return found


def _count(said: str) -> Fraction:
    if said in ("a", "an"):
        return Fraction(1)
    if found := _PART_OF.fullmatch(said):
        return _PARTS[found[1] or found[2]]
    return _number(said)


# -- money ----------------------------------------------------------------------------------------


def parse_money(text: str) -> Money:
    """Read an amount: `$20`, `20 euros`, `a dollar fifty`, `fifty cents`, `三块五毛`, `十二`.

    The currency is that of its sign or word. Raises ValueError when the text is anything else, is
    negative, has parts of a cent, or could be read in two ways, as `1.000` could.
    """
    said = _plain(text).removesuffix("整")
    if re.search(r"\.[0-9]{3}", said):
        raise ValueError(f"{text!r} has parts of a cent, or a point between thousands")
    pieces = _MONEY_UNITS.split(said)
    units = pieces[1::2]
    if units and not pieces[0] and units[0] not in SMALL:  # before the number: $20, usd 20
        pieces = pieces[2:]
    if len(pieces) == 1:
        hundredths = 100 * _number(pieces[0])
    else:
        hundredths = sum(_measured(pieces, _hundredths_of, _bare_money).values(), Fraction(0))
    if hundredths.denominator != 1:
        raise ValueError(f"{text!r} has parts of a cent")
    return Money(_in_hundreds(int(hundredths)), _currency(units))


def _in_hundreds(hundredths: int) -> str:
    whole, part = divmod(hundredths, 100)
    return f"{whole}.{part:02}" if part else f"{whole}"


def _hundredths_of(unit: str) -> int:
    return SMALL[unit][1] if unit in SMALL else 100


def _currency(units: Iterable[str]) -> str | None:
    """Return the one currency that all units may stand for; None where none was named."""
    possible: tuple[str, ...] | None = None
    for unit in units:
        codes = _codes(unit)
        if codes is not None:
            possible = codes if possible is None else tuple(c for c in codes if c in possible)
    if possible == ():
        raise ValueError("an amount is not in two currencies")
    return None if possible is None else possible[0]


def _codes(unit: str) -> tuple[str, ...] | None:
    if unit in SIGNS:
        return SIGNS[unit]
    if unit in SMALL:
        code = SMALL[unit][0]
        return None if code is None else (code,)
    return (NAMES[unit],)


def _bare_money(said: str, unit: str) -> Fraction:
    """Return hundredths: 三块五 and 3块5 are 3.50, 三块零五 is 3.05, `a dollar fifty` is 1.50."""
    number, size = _whole(said), _hundredths_of(unit)
    if _codes(unit) == ("CNY",) and 0 < number < 10 <= size:
        return number if said[0] in "零〇0" else number * size / 10
    if unit in SIGNS or not 10 <= number < size:
        raise ValueError(f"{said!r} is not a number of cents")
    return number


# -- lengths of time ------------------------------------------------------------------------------


def parse_duration(text: str) -> timedelta:
    """Read a length of time: `90 s`, `an hour and twenty minutes`, `两个半小时`, `一刻钟`.

    Raises ValueError when the text is anything else.
    """
    days, rest = parse_days(text)
    return days + rest


def parse_days(text: str) -> tuple[timedelta, timedelta]:
    """Read a length of time; return what was said in days or weeks apart from hours and less.

    On a clock they differ: a day may have 23 hours. Raises ValueError when it is anything else.
    """
    try:
        said = re.sub(r"^a couple (?:of )?", "two ", _plain(text))
        pieces = _TIME_UNITS.split(said.removesuffix("钟") if said.endswith("半钟") else said)
        if len(pieces) == 1:
            raise ValueError(text)
        found = _measured(pieces, lambda unit: _SECONDS[unit], _bare_time)
        days = sum((one for size, one in found.items() if size >= DAY_S), Fraction(0))
        rest = sum((one for size, one in found.items() if size < DAY_S), Fraction(0))
        return timedelta(seconds=float(days)), timedelta(seconds=float(rest))
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a length of time") from None


def _bare_time(said: str, unit: str) -> Fraction:
    """Return seconds: `one minute thirty` has thirty of the next lower unit."""
    number = _whole(said)
    if _SECONDS[unit] not in (60, 3600) or not 10 <= number < 60:
        raise ValueError(f"{said!r} is not a part")
    return number * _SECONDS[unit] / 60


# -- numbers within a text ------------------------------------------------------------------------

_TOKEN = re.compile(r"[\u3400-\u9fff]|[a-z]+(?:'[a-z]+)*|[0-9]+(?:[.,:][0-9]+)*|\S")
_SIGNS = frozenset(("minus", "negative", "-", "\u2212", "\u2013", "负"))
_FOLLOWS = frozenset(
    ("to", "for", "from", "into", "and", "over", "please", "now", "as", "with", "by", "on", "in",
     "给", "到", "吧", "了", "作", "当", "用", "，", "。")
)  # fmt: skip
"""Words that may stand after an amount without being its unit."""
_REACH = 4
"""Words to each side of a number that are looked at."""


def beside(words: str, text: str) -> tuple[list[str], list[str]] | None:
    """Return what stands before and after words of a text: nothing, one word, two, and so on.

    None where they are not in the text.
    """
    text, words = text.casefold(), words.casefold().strip()
    tokens = list(_TOKEN.finditer(text))
    ends = {token.end() for token in tokens}
    found = (
        (token.start(), end)
        for token in tokens
        if text.startswith(words, token.start()) and (end := token.start() + len(words)) in ends
    )
    start, end = next(found, (0, 0))
    if not words or not end:
        return None
    lefts = [token.start() for token in reversed(tokens) if token.end() <= start][:_REACH]
    rights = [token.end() for token in tokens if token.start() >= end][:_REACH]
    return ["", *(text[left:start] for left in lefts)], ["", *(text[end:right] for right in rights)]


def is_sign(word: str) -> bool:
    """Whether a word before a number makes it negative."""
    return word.strip() in _SIGNS


def is_unit(word: str) -> bool:
    """Whether a word after a number may be a unit of it, known or not."""
    return word.strip() not in _FOLLOWS


# -- how they are said ----------------------------------------------------------------------------

_SAID_ONES = f"({'|'.join(ONES[1:])})"
_SAID_99 = f"({'|'.join(ONES[1:] + TEENS)}|({'|'.join(_TENS)}) [{_SAID_ONES}])"
_SAID_59 = f"({'|'.join(ONES[1:] + TEENS)}|({'|'.join(_TENS[:4])}) [{_SAID_ONES}])"
_SAID_999 = f"({_SAID_99}|(a|{_SAID_ONES}) hundred [[and] {_SAID_99}])"


_ZH_99 = "([(二|三|四|五|六|七|八|九)]十[(一|二|三|四|五|六|七|八|九)]|一|二|三|四|五|六|七|八|九)"
_ZH_59 = _ZH_99.replace("|六|七|八|九)]十", ")]十")
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
        return tuple(ONES[max(low, 0) : high + 1])
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
    return (
        f"{_SAID_999} {units}",
        f"{_SAID_99} {units} and {_SAID_99} cents",
        _SAID_999,
        f"(a|half a) dollar|{_SAID_99} cents",
    )


def spoken_duration(language: str = "en") -> tuple[str, ...]:
    """Return templates of the words for lengths of time up to 99 of a unit, and some of two."""
    if language == "zh":
        hours = "(一|两|三|四|五|六|七|八|九)个"
        return (
            f"{_ZH_COUNT}(秒|分钟|个小时|天|个星期)",
            f"(半|{hours}半)小时",
            f"{hours}小时{_ZH_59}分钟",
            "(一|三)刻钟",
        )
    units = "(second|seconds|minute|minutes|hour|hours|day|days|week|weeks)"
    few = _SAID_ONES
    return (
        f"(a|an|{_SAID_99}) {units}",
        "(half|[a] quarter of|three quarters of) an hour",
        f"(an hour|{few} (hour|hours)) and {_SAID_59} minutes",
        f"(an hour|a minute|{few} (hours|minutes)) and a half",
        f"{few} and a half (hours|minutes)",
    )
