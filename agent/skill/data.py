"""Data files beside a skill: a JSON object, or one a line, checked as they are read.

    for row in rows(Path(__file__).with_name("phrases.jsonl")):
        Phrase(row.texts("en"), row.text("pinyin"))

A fault is told with its place, so that whoever wrote the file knows which row to mend and how.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from agent.errors import GlassesError
from hardware import reading

_MONEY = re.compile(r"\d{1,9}(\.\d\d)?")


class DataError(GlassesError):
    """A data file is wrong; the message names file and row, and says what belongs there."""


@dataclass(frozen=True, slots=True)
class Row:
    """An object of a data file, of which each value is asked for by its kind.

    Whatever asks raises DataError for a value that is missing or of another kind.
    """

    values: Mapping[str, Any]
    """What stands there."""
    place: str
    """`file:row`, or `file: key.key` in a file that is one object."""

    def text(self, key: str) -> str:
        """Return a text without outer spaces, which is not empty."""
        value = self._get(key, 'a text, such as "Anna"')
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(f'{key} is a text, such as "Anna", and not empty')
        return value.strip()

    def texts(self, key: str, least: int = 1) -> tuple[str, ...]:
        """Return a list of texts, each of them once."""
        like = f'{key} is a list of texts, such as ["Anna"]'
        value = self._get(key, "a list of texts")
        if not isinstance(value, list) or len(value) < least:
            raise self.wrong(like)
        if not all(isinstance(one, str) and one.strip() for one in value):
            raise self.wrong(f"{like}, none of them empty")
        found = tuple(one.strip() for one in value)
        if len(set(found)) < len(found):
            raise self.wrong(f"{key} has a text twice: take one out")
        return found

    def whole(self, key: str, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        value = self._get(key, "a whole number")
        if type(value) is not int or not low <= value <= high:
            raise self.wrong(f"{key} is a whole number from {low} to {high}")
        return value

    def money(self, key: str) -> Decimal:
        """Return an amount, which is written as a text, so that no cent is lost."""
        value = self._get(key, "an amount")
        if not isinstance(value, str) or not _MONEY.fullmatch(value):
            raise self.wrong(f'{key} is an amount in quotes, such as "9.50"')
        return Decimal(value)

    def inside(self, key: str) -> Row:
        """Return the object that stands under a key."""
        return Row(self._object(key, self._get(key, "an object")), self._at(key))

    def each(self) -> Iterator[tuple[str, Row]]:
        """Yield every key with the object that stands under it."""
        for key, value in self.values.items():
            yield key, Row(self._object(key, value), self._at(key))

    def items(self, key: str) -> list[Any]:
        """Return a list of whatever it holds, which is not empty."""
        value = self._get(key, "a list")
        if not isinstance(value, list) or not value:
            raise self.wrong(f"{key} is a list, and not empty")
        return value

    def rows(self, key: str) -> Iterator[Row]:
        """Yield the objects of a list, which is not empty."""
        for number, one in enumerate(self.items(key), start=1):
            name = f"{key}[{number}]"
            yield Row(self._object(name, one), self._at(name))

    def only(self, *keys: str) -> Row:
        """Return the row, which may have these keys and no others."""
        if unknown := [key for key in self.values if key not in keys]:
            raise self.wrong(f"{reading.shown(unknown[0])} is not one of {', '.join(keys)}")
        return self

    def wrong(self, why: str) -> DataError:
        """Return the error that says what is wrong with this row."""
        return DataError(f"{self.place}: {_line(why)}")

    def _get(self, key: str, what: str) -> Any:
        if key not in self.values:
            raise self.wrong(f"{key} is missing: write {what}")
        return self.values[key]

    def _object(self, key: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self.wrong(f'{key} is an object, such as {{"en": "Anna", "zh": "安娜"}}')
        return value

    def _at(self, key: str) -> str:
        joint = "." if self.place.rpartition(":")[2].startswith(" ") else ": "
        return f"{self.place}{joint}{_line(key)}"


def _line(text: str) -> str:
    """Return a text on one line: a key may hold anything."""
    return " ".join(text.split())


def rows(path: Path) -> Iterator[Row]:
    """Yield the objects of a file that has one a line; empty lines do not count.

    Raises DataError, also where the file cannot be read.
    """
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            yield _row(line, f"{path}:{number}")


def table(path: Path) -> Row:
    """Return the one object of a file. Raises DataError, also where it cannot be read."""
    return _row(_text(path), str(path))


def _text(path: Path) -> str:
    try:
        return reading.read_text(path)
    except (OSError, reading.Unreadable) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{path}: cannot be read: {why}") from None


def _row(text: str, place: str) -> Row:
    try:
        values = reading.from_json(text, once=True)
    except reading.Unreadable as error:
        raise DataError(f"{place}: mend the JSON: {error}") from None
    if not isinstance(values, dict):
        raise DataError(f'{place}: write an object: {{"key": "value", …}}')
    return Row(values, place)
