"""What is said and what is declared, written alike before they are compared.

People say "cafe mueller" or "st marys" and a list has "Café Müller" and "St. Mary's". Templates,
the values of lists and the wearer's words are all folded by the same function, so a difference in
accents, width, punctuation or a per cent sign is none. Nothing that is shown is ever folded: a
`Folded` text knows where each of its letters came from.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from agent.language import numbers
from agent.language.text import MAX_CHARACTERS, clean, language_of
from agent.language.written import signs

_SYNTAX = re.compile(r"[\[\](){}<>|;\\]+")
_CHARACTER = re.compile(r".[̀-ͯ]*", re.DOTALL)
_PERCENT = re.compile(r"(\d[\d.,]*|[零一二两三四五六七八九十百点]+)\s*%")
_PER_CENT = re.compile(r"\s*(?:%|\bper cents?\b)", re.IGNORECASE)
_SILENT = re.compile(
    r"(?<!\d)[.,:]|[.,:](?!\d)|[\"“”‘「」『』《》!?。，、；：！？…*_~`^=¿¡–—―]|(?<=\s)-(?=\s)"
)
_BETWEEN_HAN = re.compile(r"(?<=[㐀-鿿]) +(?=[㐀-鿿])")
_FOLDS = re.compile(rf"{_SYNTAX.pattern}|{_SILENT.pattern}|{_PER_CENT.pattern}", re.IGNORECASE)
_WHOLE = re.compile(r"(?<![\d.,:])\d{1,6}(?![\d.,:])")
_SAID_OTHERWISE = re.compile(
    r"['-]|\d|[零一二两三四五六七八九十百千万]|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten"
    r"|eleven|twelve|\w+teen|\w+ty|hundred|thousand|million)\b",
    re.IGNORECASE,
)
_LETTERS = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O",
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "þ": "th", "ı": "i", "’": "'",
}  # fmt: skip
"""Letters that are said like others, and that Unicode does not take apart."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as it is compared, and the text as it was."""

    text: str
    """What is compared."""
    original: str
    """What it was made from."""
    spans: tuple[tuple[int, int], ...]
    """For each character of `text` where it came from in `original`; empty when they are equal."""

    def unfolded(self, start: int, end: int) -> str:
        """Return the original words of a part."""
        if not self.spans or start >= end:
            return self.text[start:end]
        spans = self.spans[start:end]
        return self.original[min(s[0] for s in spans) : max(s[1] for s in spans)]


@lru_cache(maxsize=4096)
def fold(text: str) -> Folded:
    """Fold a text: plain letters, no punctuation, `50 percent` or, in Chinese, `百分之50`."""
    if text.isascii() and not _FOLDS.search(text):
        return Folded(text, text, ())
    made: list[str] = []
    spans: list[tuple[int, int]] = []
    for piece, start, end in _pieces(text):
        if piece == " " and made[-1:] == [" "]:
            continue
        made += piece
        spans += [(start, end)] * len(piece)
    folded = "".join(made)
    return Folded(folded, text, () if folded == text else tuple(spans))


def _pieces(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield what each part of a text is compared as, with its place."""
    # By its plain letters, so that a folded text is of the same language.
    chinese = language_of("".join(map(_plain, text))) == "zh"
    percent = _PERCENT if chinese else _PER_CENT
    at = 0
    for found in percent.finditer(text):
        yield from _letters(text, at, found.start())
        at = found.end()
        if chinese:
            yield "百分之", at - 1, at
            yield from _letters(text, found.start(1), found.end(1))
        else:
            yield " ", found.start(), found.start()
            yield "percent", found.start(), at
    yield from _letters(text, at, len(text))


def _letters(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    silent = _silent(text)
    for found in _CHARACTER.finditer(text, start, end):
        at = found.start()
        character = unicodedata.normalize("NFC", found[0])
        if at in silent or character.isspace() or _SYNTAX.match(character):
            yield " ", at, found.end()
        elif "㐀" <= character <= "鿿":
            yield character, at, found.end()
        else:
            yield _plain(character), at, found.end()


def _silent(text: str) -> set[int]:
    """Return where a text has what is not said; a hyphen between two such marks is another."""
    left = text
    while (less := _SILENT.sub(lambda found: " " * len(found[0]), left)) != left:
        left = less
    return {at for at, kept in enumerate(left) if kept != text[at]}


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    """Return a character without accents; what cannot be seen is nothing."""
    parts = unicodedata.normalize("NFKD", character)
    if unicodedata.category(parts[0])[0] == "C":
        return ""
    if unicodedata.name(parts[0], "").startswith("LATIN"):
        parts = "".join(part for part in parts if not unicodedata.combining(part))
    parts = unicodedata.normalize("NFC", parts)
    folded = "".join(_LETTERS.get(part, part) for part in parts)
    return _SYNTAX.sub(" ", folded)


@lru_cache(maxsize=65536)
def literal(text: str) -> str:
    """Return a text that is data as a template; empty when nobody can say it.

    A title such as "Song [live] {2}" comes from outside and must never be read as a template, so
    that nothing of a template's syntax is left in it.
    """
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(
        " " if char.isspace() else char
        for char in _SYNTAX.sub(" ", plain)
        if char.isspace() or unicodedata.category(char)[0] != "C"
    )
    plain = " ".join(plain.split())
    return plain if len(plain) <= MAX_CHARACTERS and fold(clean(plain)).text.strip() else ""


@lru_cache(maxsize=1024)
def literals(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return `literal` of each text of a list: once a list, not once a turn."""
    return tuple(map(literal, texts))


@lru_cache(maxsize=65536)
def compared(text: str) -> str:
    """Return a text so that equal ones are said alike: "Dr. Lee" and "dr lee", "30" and "thirty".

    For comparing whole texts, not for matching within one.
    """
    plain = fold(clean(text)).text.casefold().replace("'", "").replace("-", " ")
    plain = _BETWEEN_HAN.sub("", " ".join(plain.split()))
    return next(_figures(plain), plain)


@lru_cache(maxsize=65536)
def ways(text: str) -> tuple[str, ...]:
    """Return how a value of a list may stand in folded words: "st mary's", "st marys".

    Whole numbers are said in figures and in words.
    """
    plain = " ".join(fold(clean(text)).text.split())
    joined = _BETWEEN_HAN.sub("", plain)
    if not _SAID_OTHERWISE.search(plain):
        return (plain, joined) if joined != plain else (plain,)
    found = [plain, joined, plain.replace("'", ""), plain.replace("-", " "), *_figures(plain)]
    chinese = language_of(plain) == "zh"
    for one in (plain, _PERCENT.sub(r"百分之\1", clean(text))) if "%" in text else (plain,):
        spoken = "zh" if chinese or "百分之" in one else "en"
        found += one, _WHOLE.sub(lambda n, said=spoken: spelt(int(n[0]), said), one)  # type: ignore[misc]
    return tuple(dict.fromkeys(found))


def _figures(text: str) -> Iterator[str]:
    """Yield a number in figures, where the text is one."""
    try:
        number = numbers.parse_number(text)
    except (ValueError, ArithmeticError):
        return
    if number == int(number) < MAX_SPELT:
        yield str(int(number))
        yield spelt(int(number), "en")
        yield spelt(int(number), "zh")


def read_aloud(text: str) -> str:
    """Return a text with its whole numbers in words and without hyphens: "a 12-ounce latte".

    People who write for an engine write “twelve ounce”, and engines write 12-ounce. Signs between
    numbers and of units are words too.
    """
    language = language_of(text)
    text = signs(text, language)
    text = _WHOLE.sub(lambda number: f"{spelt(int(number[0]), language)}", text)
    return re.sub(r"(?<=\w)-(?=\w)", " ", text)


MAX_SPELT = 1_000_000
"""Numbers from here on are compared as they are written."""


def spelt(number: int, language: str) -> str:
    """Return a whole number below MAX_SPELT in words: 42 is "forty two", or 四十二."""
    return _chinese(number) if language == "zh" else _english(number)


def _english(number: int) -> str:
    if number >= 1000:
        rest = f" {_english(number % 1000)}" if number % 1000 else ""
        return f"{_english(number // 1000)} thousand{rest}"
    return _below_thousand()[number]


@cache
def _below_thousand() -> tuple[str, ...]:
    tens = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
    small = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ]
    small += [
        f"{tens[n // 10]} {small[n % 10]}" if n % 10 else tens[n // 10] for n in range(20, 100)
    ]
    hundreds = [
        f"{small[n // 100]} hundred" + (f" {small[n % 100]}" if n % 100 else "")
        for n in range(100, 1000)
    ]
    return (*small, *hundreds)


def _chinese(number: int) -> str:
    if number >= 10_000:
        rest, gap = number % 10_000, "零" if 0 < number % 10_000 < 1000 else ""
        return f"{_chinese(number // 10_000)}万{gap}{_chinese(rest) if rest else ''}"
    said, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            said += ("零" if zero and said else "") + "零一二三四五六七八九"[digit] + name
        zero = not digit
    return said.replace("一十", "十", 1) if said.startswith("一十") else said or "零"
