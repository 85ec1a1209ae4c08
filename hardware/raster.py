"""Frames as pictures, light on black, black being transparent.

Rows are set in type where they were laid out for it (`in_type`), or else in a grid of cells: a
Latin letter in one and a CJK character in two, so that what the layout measured is seen. They stand
at the bottom of the canvas, which keeps the centre of the view clear. Rows that were drawn before
are kept, so that a frame costs what is new in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from wcwidth import iter_graphemes, wcswidth

from hardware import sketch
from hardware.base import DisplayProfile, Frame, Line, Run, cell_px
from hardware.bidi import reads_from_right, visual
from hardware.fonts import FontFile as FontFile
from hardware.fonts import Glyph, find_type, glyph
from hardware.fonts import find_fonts as find_fonts
from hardware.fonts import font_for as font_for
from hardware.fonts import set_in as set_in
from hardware.typeset import Face, Strip, Type, emboldened, set_row

if TYPE_CHECKING:
    from PIL.Image import Image

LINE_HEIGHT = 1.4
"""Row pitch over font height; loose, since light on a waveguide blooms."""
LATIN_ASCENT = 0.8
"""Height of tall letters over that of the font."""
CJK_WIDTH = 0.95
"""Width of CJK characters over that of their two cells."""
CJK_ASCENT = 0.88
"""How far they stand above the baseline, over their width (Noto Sans CJK)."""
ARROW_SCALE = 2.6
"""Size of the arrow of a route card against its text: seen without reading."""
ARROW_CELLS = 3
"""How many cells of the gutter it takes."""
SKETCH_CELLS = 3.5
"""How many cells of the gutter a sketch takes, in the place of the arrow."""
ICON_SCALE = 1.15
"""Size of that arrow from a font of icons over the width it takes: such fonts leave a rim."""
ICON_MIDDLE = 0.375
"""How far the middle of an icon stands above the baseline, over its size: as that of capitals."""
BOLD_FROM = 0.9
"""Brightness from which on letters are bold on one-bit lenses. Dithered letters cannot be read."""
BOLD_CJK_PX = 20
"""Height from which on CJK characters are bold too: below, their strokes run together."""
LARGE = 1.2
"""Height of large type over that of text, where the rows are high enough."""
ABOVE, BELOW = 0.9, 0.23
"""How far CJK characters stand above the baseline and Latin letters hang below it, over the height
of the font (Noto Sans CJK)."""
LIFT = 0.1
"""Most of a row's height that letters may reach up into the row above, which ends in descenders."""
ONE_BIT_TYPE_PX = 18
"""Height from which on type is set where pixels are on or off: smaller, it comes out ragged."""
LISTENING_LIGHT = 7 / 15
"""Brightness of the mark that the microphone is open: half as bright as text."""
MISSING_KEY = "missing_glyphs"
"""Key in `image.info` under which `render` tells how many glyphs no font had."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom edge in pixels, the last two just outside, as Pillow has it."""


class Grid(NamedTuple):
    """Where the cells of a lens are, in pixels."""

    cell: int
    """Width of a cell."""
    pitch: int
    """Height of a row; less than asked for where the lens is too low for all its rows."""
    baseline: int
    """How far letters stand below the upper edge of their row, CJK and all others alike."""
    left: int
    """Left edge of the rows, which stand in the middle."""
    bottom: int
    """Lower edge of the last row."""

    @classmethod
    def of(cls, profile: DisplayProfile) -> Grid:
        """Lay the grid of a profile."""
        cell = min(cell_px(profile.font_px), profile.width_px // profile.columns)
        pitch = min(round(profile.font_px * LINE_HEIGHT), profile.height_px // profile.lines)
        middle = _baseline(pitch, profile.font_px)
        baseline = max(middle, round(CJK_ASCENT * 2 * cell * CJK_WIDTH))
        left = (profile.width_px - cell * profile.columns) // 2
        spare = profile.height_px - pitch * profile.lines
        below = min(left, profile.height_px // 10, spare // 2)
        return cls(cell, pitch, baseline, left, profile.height_px - below)

    @property
    def wide_px(self) -> int:
        """Font height of CJK: nearly fills its two cells, so that words hold together."""
        return round(2 * self.cell * CJK_WIDTH)


def in_type(profile: DisplayProfile, fonts: Sequence[FontFile] | None = None) -> DisplayProfile:
    """Return the profile of a lens whose rows are set in type, at least as tall as in cells.

    One that sets text in a font of its own, or has few pixels, each on or off, keeps its cells.
    `fonts` are tried in order for each glyph, then Pillow's built-in one; None stands for
    `find_type()`.
    """
    one_bit = profile.grey_levels == 2
    if profile.own_font or (one_bit and profile.font_px < ONE_BIT_TYPE_PX):
        return replace(profile, type=None)
    grid = Grid.of(profile)
    free = min(grid.bottom - grid.pitch * profile.lines, int(grid.pitch * LIFT))
    text = large = grid.wide_px
    while large < round(text * LARGE) and _high(large + 1) <= grid.pitch + free:
        large += 1
    baseline = grid.pitch - math.ceil(large * BELOW)
    plain, bold = find_type() if fonts is None else (tuple(fonts), tuple(fonts))
    widened = plain == bold

    def face(font_px: int, is_bold: bool) -> Face:
        chain, wider = (bold, widened) if is_bold else (plain, False)
        lift = max(0, min(free, math.ceil(font_px * ABOVE) - baseline))
        return Face(chain, font_px, grid.pitch + lift, baseline + lift, one_bit, wider)

    faces = (face(text, False), face(text, True), face(large, one_bit))
    room = grid.cell * profile.columns
    return replace(profile, type=Type(room, grid.cell, one_bit, *faces))


def _high(font_px: int) -> int:
    """Return the height that every letter of a font fits, on one baseline."""
    return math.ceil(font_px * ABOVE) + math.ceil(font_px * BELOW)


def render(frame: Frame, fonts: Sequence[FontFile] | None = None) -> Image:
    """Draw a frame as a mode `L` picture of the profile's size and grey levels.

    `fonts` are tried in order for each glyph, then Pillow's built-in one; None stands for
    `find_fonts()`. A glyph that none of them has, nor what stands in for it, is drawn as a box and
    counted in `image.info[MISSING_KEY]`. `frame.light` dims all of it: what is lit stays lit, if
    only by one level. Raises DeviceError when a font file cannot be read.
    """
    from PIL import Image

    profile = frame.profile
    typeface = tuple(find_fonts() if fonts is None else fonts)
    grid, steps = Grid.of(profile), profile.grey_levels - 1
    canvas = Image.new("L", (profile.width_px, profile.height_px))
    top = max(0, grid.bottom - grid.pitch * len(frame.lines))
    arrows = []
    missing = 0
    for row, line in enumerate(frame.lines):
        text, arrow = line.text, ""
        if _has_gutter(frame.lines, row):
            text, arrow = _without_arrow(line.text)
        look = _look(line.brightness, frame.light, steps)
        if line.runs and isinstance(profile.type, Type):
            runs = line.runs[1:] if arrow else line.runs
            drawn = type_strip(runs, look, profile.type, reads_from_right(line.text))
        else:
            drawn = strip(text, look, grid, profile.columns, profile.font_px, typeface)
        y = top + (row + 1) * grid.pitch - drawn.image.height
        if row and drawn.image.height > grid.pitch:
            _light_up(canvas, drawn.image, grid.left, y)
        else:
            canvas.paste(drawn.image, (grid.left, y))
        missing += drawn.missing
        if arrow:
            arrows.append((arrow, row, look, reads_from_right(line.text)))
    for arrow, row, look, at_right in arrows:
        if frame.sketch:
            size = round(SKETCH_CELLS * grid.cell), 2 * grid.pitch
            tile, known = sketch.drawn(frame.sketch, *size, look.crisp), True
        else:
            tile, known = _arrow(arrow, profile, grid, typeface, look.crisp)
        x = grid.left + (grid.cell * profile.columns - tile.width if at_right else 0)
        canvas.paste(tile.point(_table(look.level, steps)), (x, top + row * grid.pitch))
        missing += not known
    if frame.listening or frame.recording:
        _mark_listening(canvas, grid, profile, frame.light)
    if frame.recording:
        _mark_recording(canvas, grid, profile, frame.light)
    canvas.info[MISSING_KEY] = missing
    return canvas


def _arrow(
    arrow: str, profile: DisplayProfile, grid: Grid, fonts: tuple[FontFile, ...], crisp: bool
) -> Glyph:
    """Draw an arrow as high as two rows."""
    width, height = ARROW_CELLS * grid.cell, 2 * grid.pitch
    if not isinstance(profile.type, Type):
        size = round(profile.font_px * ARROW_SCALE)
        return glyph(arrow, width, height, _baseline(height, size), size, fonts, crisp)
    size = round(width * ICON_SCALE)
    baseline = height // 2 + round(size * ICON_MIDDLE)
    return glyph(arrow, width, height, baseline, size, profile.type.text.fonts, crisp)


def _light_up(canvas: Image, row: Image, x: int, y: int) -> None:
    """Add the picture of a row that reaches up into the one above."""
    from PIL import ImageChops

    place = (x, y, x + row.width, y + row.height)
    canvas.paste(ImageChops.lighter(canvas.crop(place), row), place)


def changed(before: Image, after: Image) -> Box | None:
    """Return the smallest box outside of which two pictures of one size are the same."""
    from PIL import ImageChops

    return ImageChops.difference(before, after).getbbox()


def tinted(image: Image, tint: tuple[int, int, int]) -> Image:
    """Colour a grey picture with the light of the lens, for people to look at."""
    from PIL import Image

    info = image.info
    picture = Image.merge("RGB", [image.point([v * c // 255 for v in range(256)]) for c in tint])
    picture.info.update(info)
    return picture


def indexed(image: Image, profile: DisplayProfile) -> Image:
    """Colour a frame's picture with the light of the lens, as mode `P`: small in a file."""
    steps = profile.grey_levels - 1
    picture = image.point([round(value * steps / 255) for value in range(256)])
    picture.putpalette([c * level // steps for level in range(steps + 1) for c in profile.tint])
    return picture


class Look(NamedTuple):
    """How a row is lit."""

    level: int
    """Brightness in levels of the lens; 0 is black."""
    steps: int
    """The brightest level."""
    crisp: bool
    """Pixels are on or off, nothing between."""
    bold: bool
    """Strokes are wider: how brightness is told where there is only one."""


def _look(brightness: float, light: float, steps: int) -> Look:
    shown = min(max(brightness, 0.0), 1.0) * min(max(light, 0.0), 1.0)
    # Half-way goes to the darker one: with four levels, a heading is darker than detail.
    level = max(1, math.ceil(shown * steps - 0.5)) if brightness > 0 else 0
    one_bit = steps == 1
    return Look(level, steps, crisp=one_bit, bold=one_bit and brightness >= BOLD_FROM)


@lru_cache(maxsize=128)
def strip(
    text: str, look: Look, grid: Grid, columns: int, font_px: int, fonts: tuple[FontFile, ...]
) -> Strip:
    """Draw one row, or give the one drawn before."""
    from PIL import Image

    image = Image.new("L", (grid.cell * columns, grid.pitch))
    missing = 0
    for column, size, grapheme in _placed(visual(text, columns)):
        high = font_px if size < 2 else grid.wide_px
        place = (size * grid.cell, grid.pitch, grid.baseline)
        tile, known = glyph(grapheme, *place, high, fonts, look.crisp)
        if look.bold and (size < 2 or high >= BOLD_CJK_PX):
            tile = emboldened(tile)
        image.paste(tile, (column * grid.cell, 0))
        missing += not known
    return Strip(image.point(_table(look.level, look.steps)), missing)


@lru_cache(maxsize=128)
def type_strip(runs: tuple[Run, ...], look: Look, typeface: Type, from_right: bool) -> Strip:
    """Draw one row that is set in type, or give the one drawn before."""
    image, missing = set_row(runs, typeface, from_right)
    return Strip(image.point(_table(look.level, look.steps)), missing)


def _placed(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield column, cells and grapheme of all that leaves light."""
    column = 0
    for grapheme in iter_graphemes(text):
        size = max(0, wcswidth(grapheme))
        if size and not grapheme.isspace():
            yield column, size, grapheme
        column += size


@lru_cache(maxsize=256)
def _table(level: int, steps: int) -> list[int]:
    """Map 0 … 255 to what the lens can show at this level."""
    return [round(round(value / 255 * level) * 255 / steps) for value in range(256)]


def _baseline(height_px: int, font_px: int) -> int:
    """Return the baseline that puts letters in the middle of a height."""
    return (height_px - font_px) // 2 + round(font_px * LATIN_ASCENT)


def _has_gutter(lines: Sequence[Line], row: int) -> bool:
    """Say whether an arrow begins this row, with empty cells around it to grow into."""
    rows = [line.text.lstrip(_DIRECTIONS) for line in lines[row : row + 2]]
    is_arrow = "\u2190" <= rows[0][:1] <= "\u21ff" or "\u2b00" <= rows[0][:1] <= "\u2b11"
    return is_arrow and len(rows) == 2 and rows[0][2:4] == "  " and rows[1].startswith("    ")


def _without_arrow(text: str) -> tuple[str, str]:
    """Split the arrow off; the cells it had stay empty, and the row keeps its direction."""
    bare = text.lstrip(_DIRECTIONS)
    return text[: len(text) - len(bare)] + "  " + bare[2:], bare[:2].rstrip(" ")


_DIRECTIONS = "\u200e\u200f"


def _mark_listening(canvas: Image, grid: Grid, profile: DisplayProfile, light: float) -> None:
    """Draw a small dot in the upper right corner, dim, since it may be there for hours."""
    from PIL import ImageDraw

    fill = _level(LISTENING_LIGHT, light, profile)
    ImageDraw.Draw(canvas).ellipse(_mark(grid, profile), fill=fill)


def _mark_recording(canvas: Image, grid: Grid, profile: DisplayProfile, light: float) -> None:
    """Draw a bright ring around that dot: what is said is being kept."""
    from PIL import ImageDraw

    left, top, right, bottom = _mark(grid, profile)
    room = min(3, top, profile.width_px - 1 - right)
    ring = left - room, top - room, right + room, bottom + room
    ImageDraw.Draw(canvas).ellipse(ring, outline=_level(1.0, light, profile))


def _mark(grid: Grid, profile: DisplayProfile) -> Box:
    """Return where the mark is, its last row and column in it."""
    size = max(4, profile.font_px // 3)
    away = min(size, max(0, grid.left - size))  # beside the rows, where they have a margin
    right = profile.width_px - away
    return right - size, away, right - 1, away + size - 1


def _level(brightness: float, light: float, profile: DisplayProfile) -> int:
    steps = profile.grey_levels - 1
    return int(_table(_look(brightness, light, steps).level, steps)[255])
