"""Text as a lens counts it: cleaned, measured, and broken into rows.

It is measured by a table of how wide each grapheme is: `CELLS`, where a Latin letter takes one and
CJK characters and emoji take two, or the widths of a typeface in pixels. Graphemes (what a reader
calls a character: a letter with its accents, a family emoji) are never split. Rows hold text in the
order in which it is read; what draws a row puts right-to-left letters in their places.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from unicode_segmentation_rs import line_break_units
from wcwidth import iter_graphemes, strip_sequences, wcswidth

NO_LINE_START = frozenset("，。！？、：；）」』》〉】〕］｝”’…‥·々ー～％,.!?:;)]}%")
"""Closing marks: no line begins with one (kinsoku shori, JIS X 4051; GB/T 15834 for Chinese)."""
NO_LINE_END = frozenset("（「『《〈【〔［｛“‘([{￥＄")
"""Opening marks: no line ends with one."""
MEASURE = re.compile(
    r"\d (?:m|km|min|s|h|kg|g|l|W|V|°C|°F|km/h|mph|mAh|GB|am|pm)\b"
    r"|\d(?:分钟|小时|公里|千米|公斤|千克|毫升|毫安时|[\u4e00-\u9fff])"
)
"""A number and its unit, which share a row; the SI brochure (5.4.3) asks so of Latin ones."""

LEFT_TO_RIGHT, RIGHT_TO_LEFT = "\u200e", "\u200f"
"""Marks that begin a row whose own letters would tell the wrong direction (UAX #9)."""
Direction = Literal["L", "R"]

_JOINERS = "\u200c\u200d"
_LINE_ENDS = {"\r": "\n", "\v": "\n", "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n"}
_ESCAPES = {"\x9b": "\x1b[", "\x9d": "\x1b]", "\x90": "\x1bP", "\x9c": "\x1b\\"}
_CONTROLS = str.maketrans({**_LINE_ENDS, **_ESCAPES, "\t": " "})
_NO_BREAK_SPACES = "\u00a0\u202f"

_EAST_ASIAN = "\u2e80-\u2fff\u3040-\ua4cf\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003fffd"
# Where Unicode breaks lines since version 16 and the library, at version 15, never does: outside
# quotes of Latin shape in East Asian text (UAX #14, LB19a), and between a closing mark and the sign
# of a currency (LB25).
_WIDE_CLOSING = "，。！？、：；）」』》〉】〕］｝"
_LATER_BREAKS = re.compile(
    f"(?<=[{_EAST_ASIAN}{_WIDE_CLOSING}])(?=[“‘])|(?<=[”’])(?=[{_EAST_ASIAN}（「『《])"
    f"|(?<=[{_WIDE_CLOSING}])(?=[￥＄])"
)
NARROW = "\ufe00"
"""Follows a quote that is not as wide as a CJK character (Unicode's variation sequences, 16.0)."""
_NARROWER = re.compile(
    f"(?<![{_EAST_ASIAN}{_WIDE_CLOSING}…])[‘’“”…·](?![{_EAST_ASIAN}{_WIDE_CLOSING}…])"
)
_SHORT = 3
"""A slash inside a word of up to a third of a row, as in km/h, is no place to break."""

Cell = tuple[str, int]
"""One grapheme and how wide it is."""
Widths = Mapping[str, int]
"""How wide each grapheme is; there is a width for all of them."""

_CELLS_KEPT = 8192


class _Cells(dict[str, int]):
    """How many cells each grapheme takes, found once for the usual ones."""

    def __missing__(self, grapheme: str) -> int:
        size = max(0, wcswidth(grapheme))
        if len(self) < _CELLS_KEPT:
            self[grapheme] = size
        return size


CELLS: Widths = _Cells()
"""What a lens of one letter to a cell measures by."""


class _Kept(dict[int, str]):
    """What becomes of each character, found once."""

    def __missing__(self, code: int) -> str:
        kept = self[code] = _kept(chr(code))
        return kept


def clean(text: str) -> str:
    """Drop what could corrupt a lens or a terminal; keep every visible character and newline.

    ANSI escapes, control characters, lone surrogates and invisible format characters (direction
    marks and overrides, soft hyphens) go; the two joiners that shape emoji and Indic script stay.
    Every kind of line end becomes a newline and every breakable space a plain one.
    """
    if text.isascii() and text.isprintable():
        return text
    text = strip_sequences(text.replace("\r\n", "\n").translate(_CONTROLS))
    return text.translate(_KEPT)


def _kept(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Zs" and char not in _NO_BREAK_SPACES:
        return " "
    if category in ("Cc", "Cf", "Cs") and char != "\n" and char not in _JOINERS:
        return ""
    return char


_KEPT = _Kept()


def cells(text: str, widths: Widths = CELLS) -> list[Cell]:
    """Split clean text into graphemes with their widths."""
    graphemes = text if text.isascii() else iter_graphemes(text)
    return [(grapheme, widths[grapheme]) for grapheme in graphemes]


def width(text: str, widths: Widths = CELLS) -> int:
    """Measure clean text on one line."""
    if not text.isascii():
        return sum(widths[part] for part in iter_graphemes(text))
    return len(text) if widths is CELLS else sum(map(widths.__getitem__, text))


def narrowed(text: str) -> str:
    """Mark the quotes and dots that belong to no CJK text: fonts have them in two widths."""
    return text if text.isascii() else _NARROWER.sub(rf"\g<0>{NARROW}", text)


def is_wide(grapheme: str) -> bool:
    """Say whether it stands for a whole word or syllable, as CJK characters do."""
    return unicodedata.east_asian_width(grapheme[0]) in "WF"


def direction(text: str, otherwise: Direction = "L") -> Direction:
    """Return the direction of a paragraph by its first letter that has one (UAX #9, P2 and P3)."""
    if text.isascii():
        return "L" if any(map(str.isalpha, text)) else otherwise
    for char in text:
        match unicodedata.bidirectional(char):
            case "L":
                return "L"
            case "R" | "AL":
                return "R"
    return otherwise


def directed(row: str, wanted: Direction) -> str:
    """Return a row that reads in the direction of its paragraph, marked where its letters do not.

    The mark is invisible and takes no cell.
    """
    if direction(row) == wanted:
        return row
    return (RIGHT_TO_LEFT if wanted == "R" else LEFT_TO_RIGHT) + row


def wrap(text: str, room: int, first: int | None = None, widths: Widths = CELLS) -> list[str]:
    """Break one clean paragraph into rows at most `room` wide; `first` for the first row.

    Rows break where Unicode allows it (UAX #14): at spaces, which are dropped there, after hyphens
    and around CJK characters. Beyond that they leave no closing mark at a row's start nor an
    opening one at its end, and a number with its unit. A word longer than a row is cut anywhere;
    so is Thai, whose words only a dictionary tells. A paragraph without visible characters gives
    no rows. Takes time in proportion to the text.
    """
    rows: list[str] = []
    row: list[str] = []
    used = gap = 0
    space = widths[" "]
    limit = room if first is None else first
    text = text.strip(" ")
    if width(text, widths) <= limit:
        return [text] if text else []
    for word in _words(text, room, widths):
        body = word.rstrip(" ")
        size = width(body, widths)
        if row and used + gap * space + size > limit:
            rows.append("".join(row))
            row, used, gap, limit = [], 0, 0, room
        if size > limit:
            *full, body = _cut(body, limit, room, widths)
            rows += full
            size, limit = width(body, widths), room if full else limit
        row += (" " * gap, body)
        used, gap = used + gap * space + size, len(word) - len(word.rstrip(" "))
    return [*rows, "".join(row)] if row else rows


def _words(text: str, room: int, widths: Widths) -> Iterator[str]:
    """Yield what is kept on one row where it fits, with the spaces behind it."""
    within = {at for found in MEASURE.finditer(text) for at in range(*found.span())[1:]}
    start = end = 0
    before, letter = "", widths["n"]
    for unit in line_break_units(text):
        for piece in _LATER_BREAKS.split(unit):
            short = (end - start + len(piece)) * letter <= room // _SHORT
            if before and end not in within and not _sticks(before, piece, short):
                yield text[start:end]
                start = end
            before, end = piece, end + len(piece)
    if before:
        yield text[start:]


def _sticks(before: str, after: str, short: bool) -> bool:
    """Say whether no row may end between two pieces; `short` where they are a short word."""
    bare = before.rstrip(" ")
    if after[0] in NO_LINE_START or bare[-1:] in NO_LINE_END:
        return True
    return short and before[-1] == "/" and after[0].isalpha()


def _cut(word: str, first: int, room: int, widths: Widths) -> list[str]:
    """Cut a word that no row holds: where kinsoku bears it, within a few graphemes, or anywhere."""
    rest = cells(word, widths)
    rows: list[str] = []
    start, limit = 0, first
    while start < len(rest):
        end = _count_fitting(rest, start, limit)
        if end < len(rest):
            end = next(
                filter(lambda cut: _bears(rest, cut), range(end, max(start, end - 4), -1)), end
            )
        rows.append("".join(grapheme for grapheme, _ in rest[start:end]))
        start, limit = end, room
    return rows


def _count_fitting(word: Sequence[Cell], start: int, room: int) -> int:
    """Return where a row that begins at `start` is full; it holds one grapheme at least."""
    used = 0
    for index in range(start, len(word)):
        used += word[index][1]
        if used > room:
            return max(start + 1, index)
    return len(word)


def _bears(word: Sequence[Cell], cut: int) -> bool:
    return word[cut - 1][0][0] not in NO_LINE_END and word[cut][0][0] not in NO_LINE_START
