"""Fill pages: a card's head and foot repeat on each, its body flows between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.display.rows import Rows, rows_of
from agent.display.text import Direction, direction, width, wrap
from hardware.base import DisplayProfile, Frame, Line, Run, Style

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
    gutter: int = 0
    """How many cells are kept free for the marker; none for as much as it takes."""
    under: str = ""
    """Marker of the paragraph above, under whose text this one hangs."""
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
    large: bool = False
    """Set larger where the lens has a larger size and that takes one row."""


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
    head_large: bool = False
    """The head is set larger, as a paragraph may be."""


def paginate(card: Card, profile: DisplayProfile) -> tuple[Frame, ...]:
    """Turn a card into frames: at least one, none with more or wider rows than the profile has."""
    rows = rows_of(profile)
    blocks = _blocks(card.body, rows)
    foot = _wrapped(card.foot, FULL, rows)
    reserve = 0
    while True:
        pages = _with_room_for_mark(card, blocks, foot, profile, reserve)
        mark = f"{len(pages)}/{len(pages)}" if len(pages) > 1 else ""
        needed = rows.step(1) + width(mark, rows.widths("text")) if mark else 0
        if needed <= reserve or profile.columns < _FEWEST_COLUMNS_FOR_MARK:
            break
        reserve = needed
    frames = []
    for number, lines in enumerate(pages, 1):
        if reserve and lines:
            lines[0] = rows.marked(lines[0], f"{number}/{len(pages)}")
        frames.append(Frame(profile, tuple(lines), number, len(pages)))
    return tuple(frames)


def _with_room_for_mark(
    card: Card, blocks: list[list[Line]], foot: list[Line], profile: DisplayProfile, reserve: int
) -> list[list[Line]]:
    """Fill pages of at most `profile.lines` rows, `reserve` left free at the end of the first row.

    Head and foot repeat on each page as far as two rows of body (one under a proposal) remain;
    what does not fit flows with the body, so that even a one-line lens loses nothing.
    """
    rows, most = rows_of(profile), profile.lines
    head = _wrapped(
        card.head, card.head_brightness, rows, reserve, card.head_direction, card.head_large
    )
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
    text: str,
    brightness: float,
    rows: Rows,
    reserve: int = 0,
    reads: Direction | None = None,
    large: bool = False,
) -> list[Line]:
    """Wrap a paragraph into rows that all read in its direction, the first with a reserve."""
    reads = reads or direction(text)
    styles = rows.styles(brightness, large)
    style, texts = _best(rows.spelt(text), styles, rows, rows.room, rows.room - reserve)
    return [rows.line([Run(0, row, style)], brightness, reads) for row in texts]


def _best(
    text: str, styles: Sequence[Style], rows: Rows, room: int, first: int | None
) -> tuple[Style, list[str]]:
    """Break a text in the first style in which it takes one row, or else in the last."""
    one = room if first is None else first
    fits = (style for style in styles[:-1] if width(text, rows.widths(style)) <= one)
    style = next(fits, styles[-1])
    return style, wrap(text, room, first, rows.widths(style))


def _blocks(paragraphs: Sequence[Paragraph], rows: Rows) -> list[list[Line]]:
    """Turn paragraphs into runs of rows that want to stay on one page."""
    blocks: list[list[Line]] = []
    for paragraph in paragraphs:
        lines = _lines(paragraph, rows)
        if paragraph.joins and blocks:
            blocks[-1] += lines
        elif paragraph.whole:
            blocks.append(lines)
        else:
            blocks += [[line] for line in lines]
    return blocks


def marker(text: str) -> str:
    """Return the number, bullet or indent that a paragraph begins with."""
    found = _MARKER.match(text)
    return found[0] if found else ""


def _lines(paragraph: Paragraph, rows: Rows) -> list[Line]:
    """Wrap one paragraph, its further rows hanging under the text behind a marker."""
    reads = direction(paragraph.text)
    if paragraph.share is not None and (bar := _bar(paragraph, paragraph.share, rows)):
        return [rows.line(bar, paragraph.brightness, reads)]
    prefix, text = paragraph.prefix, paragraph.text
    if not prefix and not paragraph.gutter and not paragraph.under:
        prefix = marker(text)
        text = text[len(prefix) :]
    *_, plain = styles = rows.styles(paragraph.brightness, paragraph.large)
    widths = rows.widths(plain)
    hang = rows.gutter(paragraph.gutter) or width(prefix or paragraph.under, widths)
    if hang > rows.room // 3:
        prefix, text, hang = "", prefix + text, 0
    text, ends = rows.spelt(text), rows.spelt(paragraph.right)
    right = width(ends, widths)
    beside = 0 < right <= rows.room // 2 and hang + right + rows.step(4) <= rows.room
    first = rows.room - hang - right - rows.step(2) if beside else None
    style, texts = _best(text, styles, rows, rows.room - hang, first)
    pieces = [[Run(hang, row, style)] for row in texts] or [[]]
    if prefix:
        pieces[0].insert(0, Run(0, prefix, plain))
    if beside:
        pieces[0].append(Run(rows.room - right, ends, plain))
    elif right:
        below = wrap(ends, rows.room, None, widths)
        pieces += [[Run(rows.room - width(row, widths), row, plain)] for row in below]
    further = paragraph.brightness if paragraph.rest is None else paragraph.rest
    return [
        rows.line(row, further if index else paragraph.brightness, reads)
        for index, row in enumerate(pieces)
    ]


def _bar(paragraph: Paragraph, share: float, rows: Rows) -> list[Run]:
    """Return a bar and the text behind it, or nothing where there is no room for both."""
    widths = rows.widths("text")
    size = width(paragraph.text, widths)
    count = (rows.room - size - widths[" "]) // widths[DONE]
    if count < _FEWEST_COLUMNS_FOR_BAR:
        return []
    done = round(count * share)
    return [Run(0, DONE * done + LEFT * (count - done)), Run(rows.room - size, paragraph.text)]


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
