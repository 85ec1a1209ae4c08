"""What signs say: texts as they stand in streets, stations and shops, in Chinese and English.

A text is found whatever its case, spaces and punctuation, with any number in it. A street or a
station that is only a name is written as it sounds. Nothing vaguer: better none than a wrong one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agent.skill.data import DataError

FILE = Path(__file__).with_name("signs.txt")

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_NOISE = re.compile(r"[^\w#]+|_")
_HAN = re.compile(r"[㐀-鿿]")
_NAMED = {
    "路": "Road", "街": "Street", "大街": "Street", "大道": "Avenue", "大桥": "Bridge",
    "桥": "Bridge", "巷": "Lane", "弄": "Lane", "胡同": "Hutong", "广场": "Square",
    "公园": "Park", "站": "Station", "机场": "Airport", "大学": "University", "医院": "Hospital",
    "小区": "Residential Area",
    "区": "District", "市": "City", "县": "County", "省": "Province", "湖": "Lake",
    "山": "Mountain", "寺": "Temple", "东路": "Road East", "西路": "Road West",
    "南路": "Road South", "北路": "Road North", "中路": "Road Middle",
}  # fmt: skip
"""What names of places end in; the longest counts."""
MOST_NAMED = 8
"""Characters of a name: what is longer is a sentence."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All signs."""

    english: Mapping[str, str]
    """English by Chinese, both with `#` for a number; the Chinese as it is compared."""
    chinese: Mapping[str, str]
    """Chinese by any of the English ways, as they are compared."""


@cache
def lexicon() -> Lexicon:
    """Return the signs that ship, read on first use. Raises DataError."""
    return read(FILE)


def read(path: Path) -> Lexicon:
    """Read a file of signs, `Chinese|English;English` a line. Raises DataError."""
    english: dict[str, str] = {}
    chinese: dict[str, str] = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {type(error).__name__}") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("# "):
            continue
        zh, bar, en = line.partition("|")
        ways = [way.strip() for way in en.split(";")]
        place = f"{path.name}:{number}"
        if not bar or not _HAN.search(zh) or not all(ways) or _HAN.search(en):
            raise DataError(f"{place}: a sign is Chinese|English, such as 出口|Exit;Way out")
        if any(way.count("#") != zh.count("#") for way in ways):
            raise DataError(f"{place}: each # stands on both sides")
        if english.setdefault(compared(zh), ways[0]) != ways[0]:
            raise DataError(f"{place}: {zh} is there already: take one out")
        for way in ways:
            chinese.setdefault(compared(way), zh)
    return Lexicon(english, chinese)


def compared(text: str) -> str:
    """Return a sign as it is looked up: its letters alone, a # for each number."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _NOISE.sub("", _NUMBER.sub("#", plain))


def translated(text: str) -> str | None:
    """Return what a sign says in the other of the two languages; None for one that is not known."""
    signs = lexicon()
    known = signs.english if _HAN.search(text) else signs.chinese
    found = known.get(compared(text))
    if found is None:
        return named(text)
    numbers = iter(_NUMBER.findall(unicodedata.normalize("NFKC", text)))
    return re.sub("#", lambda _: next(numbers, ""), found)


_ABBREVIATED = frozenset(("rd", "st", "ave", "blvd", "sq", "no", "km", "mph", "hr", "hrs", "wc"))
_FOREIGN = frozenset((
    "du", "de", "des", "la", "le", "les", "et", "au", "aux", "der", "die", "das", "und", "zum",
    "el", "los", "las", "y", "il", "di", "del", "von", "nicht", "pas", "rue", "ne", "non", "per",
))  # fmt: skip


def english(text: str) -> bool:
    """Return whether a text is most likely English: plain letters, and mostly words of English."""
    from agent.language.pronounce import cmu_dictionary

    words = re.findall(r"[^\W\d_]+", text.casefold())
    if not words or not text.isascii() or _FOREIGN & set(words):
        return False
    known = cmu_dictionary()
    return 2 * sum(word in known or word in _ABBREVIATED for word in words) >= len(words)


def named(text: str) -> str | None:
    """Return the name of a street or place in Latin letters, as it sounds; None for other texts."""
    plain = "".join(text.split())
    if not 2 <= len(plain) <= MOST_NAMED or not all(map(_HAN.match, plain)):
        return None
    kinds = (kind for kind in _NAMED if plain.endswith(kind) and len(plain) > len(kind) + 1)
    kind = max(kinds, key=len, default=None)
    if kind is None:
        return None
    from pypinyin import lazy_pinyin

    name = "".join(lazy_pinyin(plain.removesuffix(kind)))
    return f"{name.capitalize()} {_NAMED[kind]}"
