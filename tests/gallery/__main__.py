"""Draw every card on every lens: `python -m tests.gallery`.

Writes a sheet for each profile as the lens is drawn, one more in cells where that is in type, and a
page that shows both side by side, beside this file. The cards are those in `cards/`, in the form that
`glasses render` reads.
"""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.display.layout import lay_out
from agent.messages import Reply
from hardware import profiles, raster
from hardware.base import DisplayProfile
from skills.navigate import junction
from skills.navigate.streets import distance_m
from tests.gallery import cards

if TYPE_CHECKING:
    from PIL.Image import Image

HERE = Path(__file__).parent
SHEETS = HERE / "sheets"
WIDTH_PX = 320
"""Larger lenses are shown smaller, but for those of one bit, whose pixels bear no scaling."""
SHEET_PX, GAP_PX = 1600, 8
BETWEEN = (52, 56, 54)


def sheet(profile: DisplayProfile) -> Image:
    """Draw the first page of each card, one beside the other."""
    from PIL import Image

    frames = [lay_out(_sketched(reply), profile, language)[0] for reply, language in cards()]
    pictures = [_scaled(raster.render(frame), profile) for frame in frames]
    width, height = pictures[0].size
    pair = 2 * (width + GAP_PX)
    across = min(len(pictures), max(2, SHEET_PX // pair * 2))
    down = -(-len(pictures) // across)
    size = (across * (width + GAP_PX) + GAP_PX, down * (height + GAP_PX) + GAP_PX)
    canvas = Image.new("RGB", size, BETWEEN)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, across)
        place = (GAP_PX + column * (width + GAP_PX), GAP_PX + row * (height + GAP_PX))
        canvas.paste(raster.tinted(picture, profile.tint), place)
    return canvas.quantize(16, dither=Image.Dither.NONE).convert("RGB")


def _sketched(reply: Reply) -> Reply:
    """Give directions the junction that their arrow tells of."""
    if reply.kind != "route":
        return reply
    east = -0.002 if reply.text.startswith("↰") else 0.002
    way = [(0.0, 0.0), (0.002, 0.0), (0.002, east)]
    turn_m = distance_m(*way[:2])
    return replace(reply, sketch=junction.sketch(way, turn_m, (0.0, 90.0, 180.0, 270.0)))


def _scaled(picture: Image, profile: DisplayProfile) -> Image:
    from PIL import Image

    if profile.width_px <= 256 and profile.height_px <= 64:
        return picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.NEAREST)
    if profile.width_px <= WIDTH_PX or profile.grey_levels == 2:
        return picture
    size = (WIDTH_PX, profile.height_px * WIDTH_PX // profile.width_px)
    return picture.resize(size, Image.Resampling.LANCZOS)


def page(lenses: list[DisplayProfile]) -> str:
    """Write the page that shows the sheets."""
    figures = "".join(
        f"<h2>{html.escape(lens.name)}</h2>\n"
        f"<p>{lens.width_px}×{lens.height_px} pixels, {lens.grey_levels} levels, "
        f"{lens.lines} rows of {lens.columns}; beside it: {', '.join(sorted(lens.has)) or 'nothing'}"
        f"</p>\n<div>{''.join(map(_shown, _files(lens)))}</div>\n"
        for lens in lenses
    )
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Every card on every lens</title>
<style>
body {{ background: #101211; color: #bec4c0; font: 16px system-ui, sans-serif; margin: 2em }}
div {{ display: flex; gap: 1em; align-items: start }}
figure {{ margin: 0; min-width: 0 }}
img {{ max-width: 100%; display: block }}
</style>
<h1>Every card on every lens</h1>
{figures}</html>
"""


def _files(lens: DisplayProfile) -> dict[str, DisplayProfile]:
    """Return the sheets of a lens by their names: in cells first, where it is set in type."""
    drawn = raster.in_type(lens)
    sheets = {f"{lens.name}-cells": lens} if drawn.type is not None else {}
    return sheets | {lens.name: drawn}


def _shown(name: str) -> str:
    how = "in cells, as lenses that set text" if name.endswith("-cells") else "as it is drawn"
    return (
        f"<figure><figcaption>{how}</figcaption>"
        f'<img src="sheets/{name}.webp" alt="Every card on {name}, {how}"></figure>\n'
    )


def main() -> None:
    """Write the sheets and the page."""
    SHEETS.mkdir(exist_ok=True)
    lenses = [profiles.load(name) for name in profiles.names() if name != "terminal"]
    total = 0
    for name, drawn in (item for lens in lenses for item in _files(lens).items()):
        file = SHEETS / f"{name}.webp"
        sheet(drawn).save(file, lossless=True, method=6)
        total += file.stat().st_size
        print(f"{file.relative_to(Path.cwd())}: {file.stat().st_size / 1000:.0f} kB")
    (HERE / "index.html").write_text(page(lenses), encoding="utf-8")
    print(f"{total / 1000:.0f} kB together")


if __name__ == "__main__":
    main()
