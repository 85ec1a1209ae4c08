"""Text as a lens counts it: cleaned, measured in cells, and wrapped with kinsoku.

A cell is the width of a Latin letter; CJK characters and emoji take two. Graphemes (what a reader
calls a character: a letter with its accents, a family emoji) are never split.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from wcwidth import iter_graphemes, strip_sequences, wcswidth

NO_LINE_START = frozenset("，。！？、：；）」』》〉】〕］｝”’…‥·々ー～％,.!?:;)]}%")
"""Closing marks: no line begins with one (kinsoku shori, JIS X 4051; GB/T 15834 for Chinese)."""
NO_LINE_END = frozenset("（「『《〈【〔［｛“‘([{￥＄")
"""Opening marks: no line ends with one."""

_JOINERS = "\u200c\u200d"
_LINE_ENDS = {"\r": "\n", "\v": "\n", "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n"}
_ESCAPES = {"\x9b": "\x1b[", "\x9d": "\x1b]", "\x90": "\x1bP", "\x9c": "\x1b\\"}
_CONTROLS = str.maketrans({**_LINE_ENDS, **_ESCAPES, "\t": " "})
_NO_BREAK_SPACES = "\u00a0\u202f"

Cell = tuple[str, int]
"""One grapheme and how many cells it takes."""


def clean(text: str) -> str:
    """Drop what could corrupt a lens or a terminal; keep every visible character and newline.

    ANSI escapes, control characters, lone surrogates and invisible format characters (direction
    overrides, soft hyphens) go; the two joiners that shape emoji and Indic script stay. Every
    kind of line end becomes a newline and every breakable space a plain one.
    """
    if text.isascii() and text.isprintable():
        return text
    text = strip_sequences(text.replace("\r\n", "\n").translate(_CONTROLS))
    return "".join(filter(None, map(_kept, text)))


def _kept(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Zs" and char not in _NO_BREAK_SPACES:
        return " "
    if category in ("Cc", "Cf", "Cs") and char != "\n" and char not in _JOINERS:
        return ""
    return char


def cells(text: str) -> list[Cell]:
    """Split clean text into graphemes with their widths."""
    if text.isascii():
        return [(char, 1) for char in text]
    return [(grapheme, max(0, wcswidth(grapheme))) for grapheme in iter_graphemes(text)]


def width(text: str) -> int:
    """Count the cells that clean text takes on one line."""
    return sum(size for _, size in cells(text))


def is_wide(grapheme: str) -> bool:
    """Say whether lines may break on either side of it, as between CJK characters."""
    return unicodedata.east_asian_width(grapheme[0]) in "WF"


def wrap(text: str, columns: int, first: int | None = None) -> list[str]:
    """Break one paragraph into rows of at most `columns` cells; `first` for the first row.

    Rows break at spaces (dropped there) and around CJK characters, never inside a Latin word
    that fits a row, and leave no closing mark at a row's start nor an opening one at its end.
    A paragraph without visible characters gives no rows.
    """
    rest = cells(text.strip(" "))
    rows: list[str] = []
    while rest:
        fits = _count_fitting(rest, columns if rows or first is None else first)
        cut = fits if fits == len(rest) else _break_before(rest, fits)
        rows.append("".join(grapheme for grapheme, _ in rest[:cut]).rstrip(" "))
        while cut < len(rest) and rest[cut][0] == " ":
            cut += 1
        rest = rest[cut:]
    return rows


def _count_fitting(row: Sequence[Cell], columns: int) -> int:
    used = 0
    for index, (_, size) in enumerate(row):
        used += size
        if used > columns:
            return max(1, index)
    return len(row)


def _break_before(row: Sequence[Cell], limit: int) -> int:
    """Where to cut so that at most `limit` graphemes stay: the last good place, else the least bad.

    The second search is for a word longer than the row. It gives up after a few graphemes: a row
    of nothing but closing marks must still be cut somewhere.
    """
    for cut in range(limit, 0, -1):
        if _is_word_end(row, cut) and _respects_kinsoku(row, cut):
            return cut
    for cut in range(limit, max(0, limit - 4), -1):
        if _respects_kinsoku(row, cut):
            return cut
    return limit


def _is_word_end(row: Sequence[Cell], cut: int) -> bool:
    before, after = row[cut - 1][0], row[cut][0]
    return " " in (before, after) or is_wide(before) or is_wide(after)


def _respects_kinsoku(row: Sequence[Cell], cut: int) -> bool:
    before = next((g for g, _ in reversed(row[:cut]) if g != " "), " ")
    after = next((g for g, _ in row[cut:] if g != " "), " ")
    return before[0] not in NO_LINE_END and after[0] not in NO_LINE_START
