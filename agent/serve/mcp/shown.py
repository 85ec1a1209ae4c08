"""What a tool answered, as lines for the lens: text from the world, bounded, and never an order.

Servers answer in text, in JSON written as text, or in data. Data becomes a line for each thing that
can be read; what has no words, such as a picture, is named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.language.world import WorldText, world_text
from agent.serve.mcp.call import Result

MOST_LINES = 24
"""Lines that are shown."""
LONGEST_LINE = 240
"""Characters of a line."""
MOST_READ = 200_000
"""Characters of an answer that are looked at."""
DEEPEST = 6
"""How deep data is looked into."""
_PLAIN = str | int | float | bool
_MARKS = re.compile(r"^\s{0,3}(?:#{1,6}\s+|[*-]\s+|>\s+)|\*\*|`{1,3}|^\s*\|?[-:| ]{5,}$", re.M)


def lines(result: Result) -> tuple[WorldText, ...]:
    """Return what a call came to, a line each, marked as text from the world."""
    found: list[WorldText] = []
    for text in _texts(result):
        line = world_text(text, LONGEST_LINE)
        if line and (not found or found[-1] != line):
            found.append(line)
        if len(found) == MOST_LINES:
            break
    return tuple(found)


def _texts(result: Result) -> Iterator[str]:
    words = [p for p in result.content if getattr(p, "type", "") == "text" and p.text.strip()]
    if not words and result.structured is not None:
        yield from told(result.structured)
        return
    for piece in result.content:
        match getattr(piece, "type", ""):
            case "text":
                yield from text_lines(piece.text[:MOST_READ])
            case "resource" if isinstance(text := getattr(piece.resource, "text", None), str):
                yield from text_lines(text[:MOST_READ])
            case "resource" | "resource_link":
                yield str(getattr(piece, "name", "") or getattr(piece, "uri", "") or "…")
            case kind if kind:
                yield f"({kind})"


def text_lines(text: str) -> Iterator[str]:
    """Yield the lines of a text; JSON as what it holds, Markdown without its marks."""
    stripped = text.strip()
    if stripped[:1] in ("{", "["):
        try:
            data = json.loads(stripped)
        except (ValueError, RecursionError):
            pass
        else:
            yield from told(data)
            return
    yield from _MARKS.sub("", stripped).splitlines()


def told(data: Any, depth: int = 0) -> Iterator[str]:
    """Yield data as lines: a thing of plain values is one line, a list is a line a thing."""
    if isinstance(data, Mapping) and depth < DEEPEST:
        plain = {k: v for k, v in data.items() if isinstance(v, _PLAIN) and str(v).strip()}
        if depth and len(plain) == len(data):
            yield " · ".join(dict.fromkeys(_brief(k, v) for k, v in plain.items()))
            return
        for key, value in data.items():
            if key in plain:
                yield _said(value) if len(plain) == 1 else f"{_named(key)}: {_said(value)}"
            elif value not in (None, "", [], {}):
                yield from told(value, depth + 1)
    elif isinstance(data, Sequence) and not isinstance(data, str) and depth < DEEPEST:
        if all(isinstance(one, _PLAIN) for one in data):
            yield ", ".join(map(_said, data))
            return
        for one in data:
            yield from told(one, depth + 1)
    elif isinstance(data, _PLAIN):
        yield from str(data).splitlines()


def _said(value: Any) -> str:
    return " ".join(str(value).split())


def _brief(key: object, value: Any) -> str:
    """Return a value as part of a line: a bare number says nothing without its name."""
    said = _said(value)
    number = isinstance(value, bool) or re.fullmatch(r"[-+]?[\d.,]+", said)
    return f"{_named(key)} {said}" if number else said


def _named(key: object) -> str:
    return " ".join(re.split(r"[_\W]+", str(key))).strip()
