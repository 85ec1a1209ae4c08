"""Rows of one lens: how wide a text is there, and how the pieces of a row come into their places.

Letters stand in cells, or are set in type, as wide as they are; which of the two, the profile says.
A place is counted in cells or in pixels, from the edge at which the row begins to be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from agent.display.text import CELLS, NARROW, Direction, Widths, directed, narrowed, width
from hardware.base import DisplayProfile, Line, Run, Style, Typeface

BOLD_FROM = 0.9
"""Brightness from which on text is bold where weight alone can tell it."""
_APART = 2
"""Spaces between two columns in the text of a row: fewer would be a space between words."""


class Rows(Protocol):
    """How rows are measured and put together."""

    @property
    def room(self) -> int:
        """Width of a row."""
        ...

    def step(self, columns: int) -> int:
        """Return how wide so many cells are."""
        ...

    def gutter(self, columns: int) -> int:
        """Return how far text stands in behind a sign that is so many cells wide with its space."""
        ...

    def styles(self, brightness: float, large: bool) -> tuple[Style, ...]:
        """Return how a text may be set, the best first; where that takes two rows, the last."""
        ...

    def widths(self, style: Style) -> Widths:
        """Return how wide each grapheme is."""
        ...

    def spelt(self, text: str) -> str:
        """Return a text with the signs that tell how it is set."""
        ...

    def line(self, runs: Sequence[Run], brightness: float, reads: Direction) -> Line:
        """Put pieces into a row, each at its place, that reads in one direction."""
        ...

    def marked(self, line: Line, mark: str) -> Line:
        """Put a mark at the end of a row, where there is room."""
        ...


def rows_of(profile: DisplayProfile) -> Rows:
    """Return how a lens has its rows."""
    return InCells(profile.columns) if profile.type is None else InType(profile.type)


@dataclass(frozen=True, slots=True)
class InCells:
    """Every letter in a cell, and CJK characters in two."""

    room: int
    """Columns of the lens."""

    def step(self, columns: int) -> int:
        """Return how wide so many cells are."""
        return columns

    def gutter(self, columns: int) -> int:
        """Return the same."""
        return columns

    def styles(self, brightness: float, large: bool) -> tuple[Style, ...]:
        """Return the only one; whoever draws the row makes it bold by its brightness."""
        return ("text",)

    def widths(self, style: Style) -> Widths:
        """Return how many cells each grapheme takes."""
        return CELLS

    def spelt(self, text: str) -> str:
        """Return the text: a cell is a cell."""
        return text

    def line(self, runs: Sequence[Run], brightness: float, reads: Direction) -> Line:
        """Put spaces between the pieces."""
        text = ""
        for run in runs:
            text += " " * (run.at - width(text)) + run.text
        return Line(directed(text.rstrip(" "), reads), brightness)

    def marked(self, line: Line, mark: str) -> Line:
        """Put a mark into the last columns, with a space before it at least."""
        gap = self.room - width(line.text) - width(mark)
        return replace(line, text=line.text + " " * gap + mark) if gap > 0 else line


@dataclass(frozen=True, slots=True)
class InType:
    """Every letter as wide as it is."""

    typeface: Typeface
    """What it is set in."""

    @property
    def room(self) -> int:
        """Pixels of a row."""
        return self.typeface.room_px

    def step(self, columns: int) -> int:
        """Return how wide so many cells are."""
        return columns * self.typeface.step_px

    def gutter(self, columns: int) -> int:
        """Return half a cell more behind a sign of one cell: as an icon it takes two."""
        return self.step(columns) + (self.typeface.step_px // 2 if columns == 2 else 0)

    def styles(self, brightness: float, large: bool) -> tuple[Style, ...]:
        """Return large before text, and bold where there is one brightness."""
        strong = self.typeface.one_bit and brightness >= BOLD_FROM
        plain: Style = "strong" if strong else "text"
        return ("large", plain) if large else (plain,)

    def widths(self, style: Style) -> Widths:
        """Return how many pixels wide each grapheme is."""
        return self.typeface.widths(style)

    def spelt(self, text: str) -> str:
        """Mark the quotes that stand between Latin letters, which are narrower."""
        return narrowed(text)

    def line(self, runs: Sequence[Run], brightness: float, reads: Direction) -> Line:
        """Note where each piece stands, and what all of them say."""
        text = ""
        for run in runs:
            text += " " * self._gap(text, run.at) + run.text.replace(NARROW, "")
        trimmed = (run._replace(text=run.text.rstrip(" ")) for run in runs)
        kept = (run._replace(text=directed(run.text, reads)) for run in trimmed if run.text)
        return Line(directed(text.rstrip(" "), reads), brightness, tuple(kept))

    def marked(self, line: Line, mark: str) -> Line:
        """Put a mark at the end, a cell away from the text at least."""
        at = self.room - width(mark, self.widths("text"))
        ends = (run.at + width(run.text, self.widths(run.style)) for run in line.runs)
        if max(ends, default=0) + self.step(1) > at:
            return line
        text = line.text + " " * self._gap(line.text, at) + mark
        return replace(line, text=text, runs=(*line.runs, Run(at, mark)))

    def _gap(self, text: str, at: int) -> int:
        """Count the spaces that put what begins at `at` about there in a row of cells."""
        fewest = _APART if text and not text.endswith(" ") else 0
        return max(fewest, at // self.typeface.step_px - width(text))
