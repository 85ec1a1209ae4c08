"""Fill pages: a card's head and foot repeat on each, its body flows between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.display.text import Direction, directed, direction, width, wrap
from hardware.base import DisplayProfile, Frame, Line

FULL, SOFT, DIM = 1.0, 0.75, 0.5
"""Answer, detail, heading. Answer and heading are two of five steps apart, as Even advises."""

DONE, LEFT = "━", "─"
"""What a bar of progress is made of: thin, since a filled block glares on additive optics."""

_MARKER = re.compile(r" *(?:(?:\d{1,2}[.)] |\d{1,2}、|[-–•*] ) *)?")
_FEWEST_COLUMNS_FOR_MARK = 12
_FEWEST_COLUMNS_FOR_BAR = 4
_EVENED_PAGES = 20
"""Cards of more pages are filled page by page; nobody compares the first with the last."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One line of the reply on its way to rows."""

    text: str
    """Without its prefix; empty for a blank row."""
    brightness: float = FULL
    """Of its first row."""
    prefix: str = ""
    """Marker in front of the first row; the others hang under the text."""
    rest: float | None = None
    """Brightness of further rows; None for the same."""
    whole: bool = False
    """Its rows are kept on one page where they fit one."""
    joins: bool = False
    """It is kept on the page of the paragraph above as well."""
    right: str = ""
    """Stands at the right edge of its first row, or below where there is no room for both."""
    share: float | None = None
    """0 … 1 for a bar that fills the row in front of the text, where there is room for both."""


@dataclass(frozen=True, slots=True)
class Card:
    """A reply sorted into what repeats on each page and what flows."""

    body: list[Paragraph]
    """What flows from page to page."""
    head: str = ""
    """Repeated in the first row of each page."""
    head_brightness: float = DIM
    """Titles are dim; amounts and alerts are not."""
    head_rows: int = 1
    """How many rows of a long head are repeated; the others flow."""
    head_direction: Direction | None = None
    """In which direction the head reads; None to tell it from its letters."""
    foot: str = ""
    """Repeated in the last row of each page."""


def paginate(card: Card, profile: DisplayProfile) -> tuple[Frame, ...]:
    """Turn a card into frames: at least one, none with more rows or cells than the profile has."""
    blocks = _blocks(card.body, profile.columns)
    foot = [Line(text, FULL) for text in _wrapped(card.foot, profile.columns)]
    reserve = 0
    while True:
        pages = _with_room_for_mark(card, blocks, foot, profile, reserve)
        needed = len(f" {len(pages)}/{len(pages)}") if len(pages) > 1 else 0
        if needed <= reserve or profile.columns < _FEWEST_COLUMNS_FOR_MARK:
            break
        reserve = needed
    frames = []
    for number, lines in enumerate(pages, 1):
        mark = f"{number}/{len(pages)}" if reserve else ""
        frames.append(Frame(profile, _marked(lines, mark, profile.columns), number, len(pages)))
    return tuple(frames)


def _with_room_for_mark(
    card: Card, blocks: list[list[Line]], foot: list[Line], profile: DisplayProfile, reserve: int
) -> list[list[Line]]:
    """Fill pages of at most `profile.lines` rows, `reserve` cells left free in the first row.

    Head and foot repeat on each page as far as two rows of body (one under a proposal) remain;
    what does not fit flows with the body, so that even a one-line lens loses nothing.
    """
    columns, most = profile.columns, profile.lines
    head = [
        Line(text, card.head_brightness)
        for text in _wrapped(card.head, columns, columns - reserve, card.head_direction)
    ]
    if reserve and not head and most > 3:
        head = [Line("", DIM)]
    if len(foot) >= most:
        blocks, foot = [*blocks, *([row] for row in foot)], []
    kept = max(0, min(len(head), card.head_rows, most - len(foot) - (1 if foot else 2)))
    blocks = [*([row] for row in head[kept:]), *blocks]
    bodies = _balanced(blocks, most - kept - len(foot))
    air = [Line("")] if foot and kept + len(bodies[0]) + len(foot) < most else []
    return [[*head[:kept], *body, *air, *foot] for body in bodies]


def _wrapped(
    text: str, columns: int, first: int | None = None, reads: Direction | None = None
) -> Iterator[str]:
    """Wrap a paragraph into rows that all read in its direction."""
    reads = reads or direction(text)
    return (directed(row, reads) for row in wrap(text, columns, first))


def _blocks(paragraphs: Sequence[Paragraph], columns: int) -> list[list[Line]]:
    """Turn paragraphs into runs of rows that want to stay on one page."""
    blocks: list[list[Line]] = []
    for paragraph in paragraphs:
        rows = _rows(paragraph, columns)
        if paragraph.joins and blocks:
            blocks[-1] += rows
        elif paragraph.whole:
            blocks.append(rows)
        else:
            blocks += [[row] for row in rows]
    return blocks


def marker_width(text: str) -> int:
    """Count the cells of the number, bullet or indent that a paragraph begins with."""
    marker = _MARKER.match(text)
    return width(marker[0]) if marker else 0


def _rows(paragraph: Paragraph, columns: int) -> list[Line]:
    """Wrap one paragraph, its further rows hanging under the text behind a marker."""
    room = columns - width(paragraph.text) - 1
    if paragraph.share is not None and room >= _FEWEST_COLUMNS_FOR_BAR:
        done = round(room * paragraph.share)
        text = f"{DONE * done}{LEFT * (room - done)} {paragraph.text}"
        return [Line(text, paragraph.brightness)]
    prefix, text = paragraph.prefix, paragraph.text
    if not prefix and (marker := _MARKER.match(text)):
        prefix, text = marker[0], text[marker.end() :]
    hang = width(prefix)
    if hang > columns // 3:
        prefix, text, hang = "", prefix + text, 0
    right = width(paragraph.right)
    beside = 0 < right <= columns // 2 and hang + right + 4 <= columns
    texts = wrap(text, columns - hang, columns - hang - right - 2 if beside else None) or [""]
    further = paragraph.brightness if paragraph.rest is None else paragraph.rest
    texts = [prefix + texts[0], *(" " * hang + row for row in texts[1:])]
    if beside:
        texts[0] += " " * (columns - width(texts[0]) - right) + paragraph.right
    elif right:
        texts += [" " * (columns - width(row)) + row for row in wrap(paragraph.right, columns)]
    reads = direction(paragraph.text)
    return [
        Line(directed(row.rstrip(" "), reads), further if index else paragraph.brightness)
        for index, row in enumerate(texts)
    ]


def _balanced(blocks: Sequence[list[Line]], room: int) -> list[list[Line]]:
    """Fill as few pages as possible, then as evenly as possible: two of four, not seven and one."""
    pages = _filled(blocks, room)
    least = max((len(block) for block in blocks if len(block) <= room), default=1)
    while room > least and len(pages) <= _EVENED_PAGES:
        if len(evener := _filled(blocks, room - 1)) > len(pages):
            break
        pages, room = evener, room - 1
    return pages


def _filled(blocks: Sequence[list[Line]], room: int) -> list[list[Line]]:
    pages: list[list[Line]] = [[]]
    for block in blocks:
        if len(pages[-1]) + len(block) > room >= len(block):
            pages.append([])
        for row in block:
            if len(pages[-1]) == room:
                pages.append([])
            if row.text or pages[-1]:
                pages[-1].append(row)
    return [page for page in map(_without_last_blank, pages) if page] or [[]]


def _without_last_blank(page: list[Line]) -> list[Line]:
    return page[:-1] if page and not page[-1].text else page


def _marked(lines: list[Line], mark: str, columns: int) -> tuple[Line, ...]:
    """Put `i/n` at the right of the first row, unless a lens too low for a head has text there."""
    gap = columns - width(lines[0].text) - len(mark) if lines else 0
    if not mark or gap < 1:
        return tuple(lines)
    return (Line(lines[0].text + " " * gap + mark, lines[0].brightness), *lines[1:])
