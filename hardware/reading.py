"""How files of people and other programs are read: with limits, and with one kind of error.

Settings, profiles, address books, recordings, uploads and tool calls come from outside. They may be
huge, nested without end, hold numbers of thousands of digits, begin with the byte order mark that
Windows editors write, or be no text at all. What goes beyond the limits is refused in a few words,
before it costs time or memory. Standard library only, so that every layer can read by it.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

MOST_BYTES = 1 << 20
"""Longest file, 1 MiB, where no other limit is given."""
DEEPEST = 40
"""Most objects and lists inside each other."""
LARGEST = 10**100
"""Whole numbers stay below this, so that none of them overflows a float."""

_TOO_MANY_DIGITS = "a number in it has too many digits"

_MOST_TOML = 1 << 16
"""Characters of a TOML text: it is written by hand, and tomllib takes seconds for a megabyte."""
_MOST_DOTS = 100
"""Full stops in a line of TOML. Each can be a level of a key, and deep keys cost their square."""


class Unreadable(ValueError):
    """It cannot be read; the message says why in a few words, without naming the file."""


def decode(raw: bytes) -> str:
    """Return UTF-8 as text, without a byte order mark. Raises Unreadable."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not text: byte {error.start + 1} is not UTF-8") from None


def read_text(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """Read a text file. Raises OSError, or Unreadable when it is too long or not UTF-8."""
    with path.open("rb") as file:
        return decode(limited(file, most_bytes))


def limited(file: BinaryIO, most_bytes: int = MOST_BYTES) -> bytes:
    """Read a file to its end, but no further than allowed. Raises OSError or Unreadable."""
    raw = file.read(most_bytes + 1)
    if len(raw) > most_bytes:
        raise Unreadable(f"it is longer than {most_bytes:,} bytes")
    return raw


def from_json(text: str, finite: bool = True, once: bool = False) -> Any:
    """Return what a JSON text holds. Raises Unreadable.

    NaN and infinite numbers, which Python writes though JSON has none, are refused while `finite`.
    A key that an object has twice is refused with `once`; otherwise its last value counts.
    """
    try:
        read = json.loads(text, object_pairs_hook=_once if once else None)
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except Unreadable:
        raise
    except json.JSONDecodeError as error:
        raise Unreadable(str(error)) from None
    except ValueError:
        raise Unreadable(_TOO_MANY_DIGITS) from None
    return checked(read, finite)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Unreadable(f"the key {shown(key)} is there twice")
        found[key] = value
    return found


def from_toml(text: str) -> dict[str, Any]:
    """Return what a TOML text holds. Raises Unreadable."""
    if len(text) > _MOST_TOML:
        raise Unreadable(f"it is longer than {_MOST_TOML:,} characters")
    if any(line.count(".") > _MOST_DOTS for line in text.splitlines()):
        raise Unreadable("it is nested too deeply")
    try:
        read = tomllib.loads(text)
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(str(error)) from None
    except ValueError:
        raise Unreadable(_TOO_MANY_DIGITS) from None
    checked(read)
    return read


def checked(read: Any, finite: bool = True) -> Any:
    """Return what was read, as JSON has it, when it is within the limits. Raises Unreadable."""
    # Without recursion, since whoever takes it may recurse.
    waiting: list[tuple[Any, int]] = [(read, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, (dict, list)):
            if depth >= DEEPEST:
                raise Unreadable("it is nested too deeply")
            waiting.extend((inner, depth + 1) for inner in _inside(value))
        elif isinstance(value, str):
            if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
                raise Unreadable("a text in it holds half a character (a lone surrogate)")
        elif isinstance(value, float):
            if finite and not math.isfinite(value):
                raise Unreadable(f"{value} is no number")
        elif isinstance(value, int) and not -LARGEST < value < LARGEST:
            raise Unreadable(_TOO_MANY_DIGITS)
    return read


def shown(value: Any, most: int = 60) -> str:
    """Return a value as Python writes it, cut, for a message of one line."""
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _inside(value: dict[str, Any] | list[Any]) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    else:
        yield from value
