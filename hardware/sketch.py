"""Sketches: strokes as pixels, smooth where a lens has greys and crisp where it has none."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from hardware.base import Sketch

if TYPE_CHECKING:
    from PIL.Image import Image

FINER = 4
"""Drawn so many times larger and made smaller again, which smooths it."""
DIM_TO = 0.9
"""Brightness up to which strokes are thin where there is but one."""
MOST, FARTHEST, THICKEST = 200, 8.0, 1.0
"""Strokes that are drawn, how far out a point may lie, and how thick they may be: a sketch may come
from a plugin, and what is beyond cannot be seen."""


@lru_cache(maxsize=32)
def drawn(sketch: Sketch, width_px: int, height_px: int, crisp: bool) -> Image:
    """Draw a sketch, mode `L`, its middle in the middle; `crisp` for pixels that are on or off.

    On a crisp one what is not bright is thin, as brightness cannot tell it.
    """
    from PIL import Image, ImageDraw

    finer = 1 if crisp else FINER
    unit, half_px = width_px * finer / 2, height_px * finer / 2
    image = Image.new("L", (width_px * finer, height_px * finer))
    draw = ImageDraw.Draw(image)
    for stroke in sketch[:MOST]:
        near = (tuple(max(-FARTHEST, min(FARTHEST, v)) for v in point) for point in stroke.points)
        points = [(unit + x * unit, half_px + y * unit) for x, y in near]
        bright = stroke.brightness > DIM_TO or not crisp
        thick = max(finer, round(min(stroke.width, THICKEST) * unit)) if bright else 1
        light = 255 if crisp else round(255 * min(max(stroke.brightness, 0.0), 1.0))
        draw.line(points, fill=light, width=thick, joint="curve")
        if not crisp and thick > 2:
            for x, y in (points[0], points[-1]):
                end = thick / 2 - 0.5
                draw.ellipse((x - end, y - end, x + end, y + end), fill=light)
    if crisp:
        return image
    return image.resize((width_px, height_px), Image.Resampling.BOX)
