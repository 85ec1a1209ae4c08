"""The shopping list: one of the wearer's lists, which the shop reads and writes in its own way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path

from agent.skill.data import table
from agent.skill.lists import SHOPPING, Lists

NAME = "shopping-list.txt"
"""A text file, one thing a line, that is taken in once: what earlier versions kept the list in."""
MOST = 200
"""Things on the list."""
LONGEST = 60
"""Characters of one thing."""

_ARTICLE = re.compile(r"^(?:(?:an?|the|some|my)\s+|(?:一[些个瓶盒袋]|些)(?=.))", re.IGNORECASE)
_COMMA = re.compile(r"(?<!\d)[,，]|[,，](?!\d)|[、;；]")
"""Parts two things; in "1,5 kg" it is part of a number."""
_JOINS = r"(?:and also|and|plus|as well as)"
_AND = re.compile(
    rf"(\s+{_JOINS}\s+|(?<=[㐀-鿿])\s*(?:以及|还有|和|跟|与)\s*(?=\S)|(?<=[㐀-鿿])\s+(?=[㐀-鿿]))",
    re.IGNORECASE,
)
"""Joins two things; between Chinese ones a space may."""
_AND_FIRST = re.compile(rf"^(?:{_JOINS}\s+|(?:以及|还有)\s*(?=.))", re.IGNORECASE)
_COUNT = re.compile(
    r"^(?:(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|(?:half )?(?:a )?dozen"
    r"|some|more)\s+(?!$)|(?:\d+|[一二两三四五六七八九十半]+)[个瓶盒袋斤包条罐升只块根颗听桶]\s*(?=.))",
    re.IGNORECASE,
)
_NUMBERS = (
    ["a", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
    "一二三四五六七八九十",
)
_COUNTED = re.compile(
    r"^(?:(?P<digits>\d{1,3})|(?P<word>an?|one|two|three|four|five|six|seven|eight|nine|ten)\b"
    r"|(?P<sign>[一二两三四五六七八九十](?=[个瓶盒袋包条罐块颗听桶件双把台本支])))"
    r"(?:\s+|[个瓶盒袋包条罐块颗听桶件双把台本支]\s*)(?:more\s+)?(?=\D)",
    re.IGNORECASE,
)
"""How many pieces of a thing, before its name."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class ShoppingList:
    """The list of one wearer; every method reads it anew, and a change replaces it whole.

    All methods raise OSError where it can be neither read nor written.
    """

    def __init__(self, folder: Path, lists: Lists | None = None) -> None:
        """Keep it among `lists`, or else in `folder`, where an earlier version had a text file."""
        self._folder, self._lists = folder, lists or Lists(folder)

    def items(self) -> list[str]:
        """Return what is on the list, in the order it was put there."""
        found = [one.text for one in self._lists.of(SHOPPING) if not one.done]
        path = self._folder / NAME
        if not path.exists():
            return found
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        new = (item for line in lines if (item := clean(line)))
        found = list(dict.fromkeys([*found, *new]))[:MOST]
        self.restore(found)
        path.unlink()
        return found

    def find(self, wanted: str) -> str | None:
        """Return the thing on the list that is called so, one or many of it."""
        return next((item for item in self.items() if _forms(item) & _forms(wanted)), None)

    def add(self, *things: str) -> int:
        """Put things on the list, as many as it has room for; return how many that were."""
        items = self.items()
        new = [clean(thing) for thing in things][: max(0, MOST - len(items))]
        if new:
            self.restore([*items, *new])
        return len(new)

    def remove(self, *things: str) -> None:
        """Take off things that `find` returned."""
        self.restore([other for other in self.items() if other not in things])

    def clear(self) -> int:
        """Empty the list; return how many things were on it."""
        if items := self.items():
            self.restore([])
        return len(items)

    def restore(self, items: list[str]) -> None:
        """Make the list this, at once or not at all: the battery may be pulled any time."""
        self._lists.replace(SHOPPING, *items, at=f"{datetime.now():%Y-%m-%dT%H:%M:%S}")


def clean(item: str) -> str:
    """Return a thing as it is written down: one line, no article, not too long; "" for nothing."""
    words = " ".join(_UNPRINTABLE.sub(" ", item).split())
    return _ARTICLE.sub("", words)[:LONGEST].strip()


def counted(item: str) -> tuple[int | None, str]:
    """Return how many of a thing are meant, None where that was not said, and its name."""
    found = _COUNTED.match(item)
    if found is None:
        return None, item
    if found["digits"]:
        count = int(found["digits"])
    elif found["word"]:
        word = (
            found["word"].casefold().removesuffix("n") if len(found["word"]) == 2 else found["word"]
        )
        count = max(1, _NUMBERS[0].index(word.casefold()))
    else:
        count = 2 if found["sign"] == "两" else _NUMBERS[1].index(found["sign"]) + 1
    return (count, item[found.end() :]) if count else (None, item)


def more(there: str, wanted: str) -> str:
    """Return a thing on the list with so many more of it; as it is where no number was said."""
    (before, _), (count, _) = counted(there), counted(wanted)
    if count is None:
        return there
    return _times((before or 0) + count, there, wanted)


def fewer(there: str, wanted: str) -> str:
    """Return a thing on the list with so many fewer of it; "" where none is left."""
    (before, _), (count, _) = counted(there), counted(wanted)
    if count is None or before is None or count >= before:
        return ""
    return _times(before - count, there, there)


def _times(count: int, there: str, wanted: str) -> str:
    """Write a number before a thing, with the measure word it was said with."""
    (_, name), (_, said) = counted(there), counted(wanted)
    measure = re.match(
        r"^[\d一二两三四五六七八九十]+([个瓶盒袋包条罐块颗听桶件双把台本支])", wanted
    )
    return f"{count}{measure[1]}{name}" if measure else f"{count} {said if count > 1 else name}"


def split(text: str, known: Iterable[str]) -> list[str]:
    """Return the things that a text names, each as it is written down.

    A comma always parts two things, and so does the last "and" of a list with commas. Any other
    "and" parts only what is all `known`: "milk and eggs" are two things, "ben and jerry's" is one.
    What is known as a whole, such as "mac and cheese", is never taken apart.
    """
    names = {form for name in known for form in _forms(name)}
    pieces = [piece for piece in map(str.strip, _COMMA.split(text)) if piece]
    parts: list[str] = []
    for at, piece in enumerate(pieces, start=1):
        bare = _AND_FIRST.sub("", piece)
        parts += _parted(bare, names, ends=1 < at == len(pieces) and bare == piece)
    things: dict[str, str] = {}
    for part in filter(None, map(clean, parts)):
        things.setdefault(_plain(part), part)
    return list(things.values())


def _parted(piece: str, names: set[str], ends: bool) -> list[str]:
    """Part a text at its “and”; `ends` when its last one ends a list."""
    words = _AND.split(piece)  # a thing, what joins it to the next, a thing …
    things, joins = [words[0]], list[str]()
    for join, word in zip(words[1::2], words[2::2], strict=True):
        if _forms(whole := f"{things[-1]}{join}{word}") & names:
            things[-1] = whole
        else:
            joins.append(join)
            things.append(word)
    if len(things) == 1 or all(_forms(_COUNT.sub("", thing)) & names for thing in things):
        return things
    if ends and joins[-1].strip():
        head = piece[: len(piece) - len(joins[-1] + things[-1])]
        return [*_parted(head, names, ends=False), things[-1]]
    return [piece]


def _plain(item: str) -> str:
    """Return a name without case and accents: `jalapeños` is `jalapenos`."""
    letters = unicodedata.normalize("NFKD", item.casefold().replace("’", "'"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _forms(item: str) -> set[str]:
    """Return the name and what it may be one of: `eggs` and `egg`, `berries` and `berry`."""
    name = _plain(counted(clean(item))[1])
    forms = {name}
    for many, one in (("s", ""), ("es", ""), ("ies", "y")):
        if name.endswith(many) and not name.endswith("ss") and len(name) > len(many) + 1:
            forms.add(name.removesuffix(many) + one)
    return forms


@cache
def groceries() -> dict[str, str]:
    """Return what is often on such a list, the Chinese by the English name. Raises DataError."""
    row = table(Path(__file__).with_name("groceries.json"))
    return {english: row.text(english) for english in row.values}
