"""Where the texts of a sign stand: put together in reading order, and held steady over frames.

Positions are shares of the picture, 0 … 1 from its upper left corner.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.look.picture import opened
from agent.look.words import Line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
NEARBY = 0.1
"""The same where it is known how the picture has moved."""
KEPT = 3
"""Frames for which a text that is not seen is kept: reading fails now and then."""
SQUARE = 256
"""Pixels each way of the pictures whose motion is measured; it is found between them."""
PLAIN = 0.03
"""Least height of the peak of a motion: noise is below 0.02 (ours)."""
OVERLAP = 0.2
"""A picture that has moved so far is compared to no more."""
ASIDE, TWICE = 0.08, 2
"""A text that is read so far from where it should be, more than so many times, has moved itself."""
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
    aside: int = 0
    """Frames in a row in which it was read elsewhere than the motion of the picture has it."""


class Tracker:
    """Follows texts from frame to frame, so that what is shown over them does not flicker.

    Given the pictures too, texts move as the whole picture does: where a reader finds the edge of a
    text differs from frame to frame, by some letters where something like one stands beside it.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._followed: list[Followed] = []
        self._count = 0
        self._key: tuple[NDArray[np.float64], float, float] | None = None
        self._at = 0.0, 0.0  # how far the picture has moved since the first

    def frame(self, blocks: Sequence[Block], picture: bytes | None = None) -> list[Followed]:
        """Take the texts of one more frame; return what is to be shown, in reading order.

        Raises EngineError for a picture that is none.
        """
        from rapidfuzz import fuzz

        moved = None if picture is None else self._moved(picture)
        if moved is not None:
            self._followed = [
                replace(one, block=_shifted(one.block, *moved)) for one in self._followed
            ]
        left = list(blocks)
        kept: list[Followed] = []
        reach = FOLLOWED if moved is None else NEARBY
        for old in self._followed:
            near = [block for block in left if _distance(old.block, block) < reach]
            alike = [
                (fuzz.ratio(old.block.text, block.text) - 100 * _distance(old.block, block), block)
                for block in near
                if fuzz.ratio(old.block.text, block.text) >= 60
            ]
            if alike:
                block = max(alike, key=lambda one: one[0])[1]
                left.remove(block)
                kept.append(_follow(old, block, moved is not None))
            elif old.unseen < KEPT:
                kept.append(replace(old, unseen=old.unseen + 1))
        for block in left:
            self._count += 1
            kept.append(Followed(self._count, block))
        self._followed = sorted(kept, key=lambda one: (one.block.y, one.block.x))
        return self._followed

    def _moved(self, picture: bytes) -> tuple[float, float] | None:
        """Return how far the picture has moved since the last, in shares; None where that fails.

        It is compared to one that was kept for as long as most of that is in it, so that no errors
        add up.
        """
        grey = _grey(picture)
        if self._key is None:
            self._key = grey, 0.0, 0.0
            return None
        key, x, y = self._key
        found = shift(key, grey)
        if found is None:
            self._key = grey, *self._at
            return None
        now = x + found[0], y + found[1]
        change = now[0] - self._at[0], now[1] - self._at[1]
        self._at = now
        if max(map(abs, found)) > OVERLAP:
            self._key = grey, *now
        return change


def _grey(picture: bytes) -> NDArray[np.float64]:
    """Return a picture as a square of greys, without its rim, which a window takes."""
    import numpy as np

    image = opened(picture, 4 * SQUARE, "L").resize((SQUARE, SQUARE))
    made = np.asarray(image, dtype=np.float64)
    window = np.hanning(SQUARE)
    found: NDArray[np.float64] = (made - made.mean()) * window * window[:, None]
    return found


def shift(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return how far a picture has moved to become another, in shares of its width and height.

    By phase correlation (C. D. Kuglin and D. C. Hines, “The Phase Correlation Image Alignment
    Method”, 1975), its peak found between pixels as the top of a parabola. None without a peak.
    """
    import numpy as np

    spectrum = np.fft.rfft2(other) * np.conj(np.fft.rfft2(one))
    peaks = np.fft.irfft2(spectrum / np.maximum(np.abs(spectrum), 1e-9), s=one.shape)
    y, x = divmod(int(np.argmax(peaks)), SQUARE)
    if peaks[y, x] < PLAIN:
        return None
    exact = []
    for at, row in ((x, peaks[y]), (y, peaks[:, x])):
        before, top, after = (float(row[(at + n) % SQUARE]) for n in (-1, 0, 1))
        bend = before - 2 * top + after
        part = 0.5 * (before - after) / bend if bend else 0.0
        where = at + max(-0.5, min(0.5, part))
        exact.append((where if where < SQUARE / 2 else where - SQUARE) / SQUARE)
    return exact[0], exact[1]


def _shifted(block: Block, x: float, y: float) -> Block:
    return replace(block, x=block.x + x, y=block.y + y)


def _follow(old: Followed, block: Block, known: bool) -> Followed:
    """Return a text that was read again; with a `known` motion it has moved already."""
    if not known:
        return Followed(old.number, _held(old.block, block))
    if _distance(old.block, block) < ASIDE:
        return Followed(old.number, replace(_held(old.block, block), x=old.block.x, y=old.block.y))
    if old.aside < TWICE:
        return replace(old, unseen=0, aside=old.aside + 1)
    return Followed(old.number, block)


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
