"""Rows set in type: each letter as wide as it is, in one family, on one baseline.

What the layout measures by and what is drawn are the same widths, so that no row comes out longer
than it was counted. They are whole pixels, as letters stand on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from wcwidth import iter_graphemes

from hardware.base import Run, Style
from hardware.bidi import visual
from hardware.fonts import BARS, FontFile, Glyph, advance, glyph

if TYPE_CHECKING:
    from PIL.Image import Image

KEPT = 8192
"""Letters that are kept of a face."""
OVER = 6
"""A letter may reach over into its neighbours by a sixth of its height, as an f or a j does."""


class Strip(NamedTuple):
    """One row, drawn."""

    image: Image
    """Mode `L`, as wide as all of the row; its lower edge is that of the row."""
    missing: int
    """How many of its glyphs no font had."""


class Face(NamedTuple):
    """Letters of one size and weight."""

    fonts: tuple[FontFile, ...]
    """Where they are from, tried in order for each."""
    px: int
    """Height of the font in pixels."""
    height: int
    """Height of its letters' pictures in pixels: that of a row, or more where they reach up into
    the row above."""
    baseline: int
    """How far letters stand below their upper edge."""
    crisp: bool
    """Pixels are on or off, nothing between."""
    widened: bool
    """Strokes are made wider, where a bold face is wanted and there is none."""


@dataclass(frozen=True, slots=True)
class Type:
    """What a lens sets its rows in: the `Typeface` of its profile."""

    room_px: int
    """Width of a row in pixels."""
    step_px: int
    """How far in a row begins for each cell that it would be indented by."""
    one_bit: bool
    """Whether there is one brightness."""
    text: Face
    """Most of it."""
    strong: Face
    """As high, and bold."""
    large: Face
    """What is seen at a glance."""

    def face(self, style: Style) -> Face:
        """Return the letters of a style."""
        return self.large if style == "large" else self.strong if style == "strong" else self.text

    def widths(self, style: Style) -> Mapping[str, int]:
        """Return how many pixels wide each grapheme is; there is a width for all of them."""
        return _widths(self.face(style))


class _Widths(dict[str, int]):
    """How wide each grapheme of a face is, found once for the usual ones."""

    def __init__(self, face: Face) -> None:
        super().__init__()
        self._face = face

    def __missing__(self, grapheme: str) -> int:
        found = advance(grapheme, self._face.px, self._face.fonts)
        if len(self) < KEPT:
            self[grapheme] = found
        return found


class _Tiles(dict[str, Glyph]):
    """The picture of each grapheme of a face, reaching over its width at both sides."""

    def __init__(self, face: Face) -> None:
        super().__init__()
        self._face = face

    def __missing__(self, grapheme: str) -> Glyph:
        face = self._face
        across = _widths(face)[grapheme] + 2 * _over(grapheme, face)
        place = (across, face.height, face.baseline)
        found = glyph(grapheme, *place, face.px, face.fonts, face.crisp, aligned=True)
        if face.widened:
            found = found._replace(tile=emboldened(found.tile))
        if len(self) < KEPT:
            self[grapheme] = found
        return found


@lru_cache(maxsize=64)
def _widths(face: Face) -> _Widths:
    return _Widths(face)


@lru_cache(maxsize=64)
def _tiles(face: Face) -> _Tiles:
    return _Tiles(face)


def _over(grapheme: str, face: Face) -> int:
    return 0 if grapheme in BARS else face.px // OVER


def forget() -> None:
    """Forget all letters, as when the process began; for who measures that."""
    _widths.cache_clear()
    _tiles.cache_clear()


def set_row(runs: Sequence[Run], typeface: Type, from_right: bool) -> Strip:
    """Draw a row at full brightness; one that reads from the right begins there.

    Raises DeviceError when a font file cannot be read.
    """
    from PIL import Image

    heights = (typeface.face(run.style).height for run in runs)
    height = max(heights, default=typeface.text.height)
    image = Image.new("L", (typeface.room_px, height))
    missing = 0
    for run in runs:
        face, widths = typeface.face(run.style), typeface.widths(run.style)
        tiles = _tiles(face)
        letters = list(iter_graphemes(visual(run.text, 0)))
        x = run.at
        if from_right:  # joined letters may be a little wider than they were counted one by one
            x = max(0, typeface.room_px - x - sum(widths[letter] for letter in letters))
        for letter in letters:
            if not letter.isspace():
                tile, known = tiles[letter]
                image.paste(255, (x - _over(letter, face), height - face.height), tile)
                missing += not known
            x += widths[letter]
    return Strip(image, missing)


def emboldened(tile: Image) -> Image:
    """Make strokes a pixel wider to the right, but close no gap of a pixel between two of them."""
    from PIL import Image, ImageChops

    right, left = Image.new("L", tile.size), Image.new("L", tile.size)
    right.paste(tile, (1, 0))
    left.paste(tile, (-1, 0))
    return ImageChops.lighter(tile, ImageChops.subtract(right, left))
