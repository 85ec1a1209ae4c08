"""Where the texts of a sign stand: put together in reading order, and held steady over frames.

Positions are shares of the picture, 0 … 1 from its upper left corner.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.look.words import Line

GAP = 0.9
"""Lines that belong together are no farther apart than this, in heights of their letters."""
ALIKE = 1.6
"""Most by which the heights of their letters differ."""
SAME_ROW = 0.6
"""Share of a height within which two middles are one row."""
SHORT, LONG = 3, 9
"""Characters of a line that may go on below, because it is a part of a word or of a sentence."""
FOLLOWED = 0.25
"""How far a text may move between two frames, as a share of the picture."""
KEPT = 3
"""Frames for which a text that is not seen is kept: reading fails now and then."""
STILL = 0.004
"""Movement below which a text is not moved: half a letter stroke, which only trembles."""

_HAN = re.compile(r"[㐀-鿿぀-ヿ]")


@dataclass(frozen=True, slots=True)
class Block:
    """A text of one or more lines, where it stands."""

    text: str
    """What it says."""
    x: float
    """Its left edge."""
    y: float
    """The middle of its first line."""
    height: float
    """How high its letters are."""
    width: float
    """How long it is."""
    lines: tuple[str, ...] = ()
    """The lines it was put together from."""


def grouped(lines: Sequence[Line]) -> list[Block]:
    """Put lines together that are one text, in reading order: rows from the top, from the left."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: one.y):
        row = next((row for row in rows if _same_row(row[-1], line)), None)
        if row is None:
            rows.append([line])
        else:
            row.append(line)
    ordered = [line for row in rows for line in sorted(row, key=lambda one: one.x)]
    blocks: list[list[Line]] = []
    for line in ordered:
        over = [block for block in blocks if _goes_on(block[-1], line)]
        above = min(over, key=lambda block: line.y - block[-1].y, default=None)
        if above is None:
            blocks.append([line])
        else:
            above.append(line)
    return [_block(block) for block in blocks]


def _same_row(one: Line, other: Line) -> bool:
    return abs(one.y - other.y) < SAME_ROW * min(one.height, other.height)


def _goes_on(above: Line, line: Line) -> bool:
    """Return whether a line is the next of a text: below it and aligned, in letters as high."""
    high = max(above.height, line.height)
    if high > ALIKE * min(above.height, line.height):
        return False
    below = line.y - above.y
    if not 0.5 * high < below < (1 + GAP) * high:
        return False
    overlap = min(above.x + above.width, line.x + line.width) - max(above.x, line.x)
    return overlap > 0.5 * min(above.width, line.width) and _unfinished(above.text, line.text)


def _unfinished(above: str, below: str) -> bool:
    """Return whether a line may be the middle of what it says: most lines of signs are whole.

    Letters: the next goes on in lower case. Characters: both are short, as a word written in two
    rows, or both are long, as in a notice.
    """
    if above.rstrip()[-1:] in ".!?。！？:：":
        return False
    if _HAN.search(above) or _HAN.search(below):
        lengths = len(above), len(below)
        whole = all(map(_HAN.match, above + below))
        return whole and (max(lengths) <= SHORT or min(lengths) >= LONG)
    return below[:1].islower() or above.rstrip()[-1:] in ",-&"


def _block(lines: list[Line]) -> Block:
    joint = "" if _HAN.search(lines[0].text) else " "
    return Block(
        joint.join(line.text for line in lines),
        min(line.x for line in lines),
        lines[0].y,
        max(line.height for line in lines),
        max(line.x + line.width for line in lines) - min(line.x for line in lines),
        tuple(line.text for line in lines),
    )


@dataclass(frozen=True, slots=True)
class Followed:
    """A text that is followed over frames."""

    number: int
    """The same in every frame."""
    block: Block
    """The text, where it is shown now."""
    unseen: int = 0
    """Frames since it was last read."""


class Tracker:
    """Follows texts from frame to frame, so that what is shown over them does not flicker."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._followed: list[Followed] = []
        self._count = 0

    def frame(self, blocks: Sequence[Block]) -> list[Followed]:
        """Take the texts of one more frame; return what is to be shown, in reading order."""
        from rapidfuzz import fuzz

        left = list(blocks)
        kept: list[Followed] = []
        for old in self._followed:
            near = [block for block in left if _distance(old.block, block) < FOLLOWED]
            alike = [
                (fuzz.ratio(old.block.text, block.text) - 100 * _distance(old.block, block), block)
                for block in near
                if fuzz.ratio(old.block.text, block.text) >= 60
            ]
            if alike:
                block = max(alike, key=lambda one: one[0])[1]
                left.remove(block)
                kept.append(Followed(old.number, _held(old.block, block)))
            elif old.unseen < KEPT:
                kept.append(replace(old, unseen=old.unseen + 1))
        for block in left:
            self._count += 1
            kept.append(Followed(self._count, block))
        self._followed = sorted(kept, key=lambda one: (one.block.y, one.block.x))
        return self._followed


def _held(old: Block, new: Block) -> Block:
    """Return a text where it is now: what only trembles stands still, and keeps its words."""
    words = old if len(old.text) >= len(new.text) else new
    if abs(new.x - old.x) < STILL and abs(new.y - old.y) < STILL:
        return replace(old, text=words.text, lines=words.lines)
    return replace(new, text=words.text, lines=words.lines)


def _distance(one: Block, other: Block) -> float:
    return max(abs(one.x - other.x), abs(one.y - other.y))


def laid(texts: Sequence[tuple[str, float, float]], columns: int, rows: int) -> list[str]:
    """Return lines of a lens with texts where they stand: text, and x and y of its place, 0 … 1.

    Two texts of one row stand one below the other; what does not fit below is left out.
    """
    made = [""] * rows
    for text, x, y in sorted(texts, key=lambda one: (one[2], one[1])):
        row = min(rows - 1, max(0, int(y * rows)))
        while row < rows and made[row]:
            row += 1
        if row == rows:
            continue
        wide = sum(2 if _HAN.match(char) else 1 for char in text)
        made[row] = " " * max(0, min(int(x * columns), columns - wide)) + text
    return made
