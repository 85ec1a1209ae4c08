"""Draw the README's picture again: `python -m tests.gallery.make`. The cards are real replies."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from agent.cli.compose import DEMO_PLACE
from agent.testing import make_agent
from hardware import raster
from hardware.base import Frame

SAID = (
    "navigate to the pharmacy",
    "pay twenty dollars to anna",
    "translate good morning into chinese",
    "reviews of the desk lamp",
    "导航到火车站",
    "付给安娜二十美元",
)
COLUMNS, GAP_PX, BORDER = 2, 24, (60, 70, 64)


async def _frames() -> list[Frame]:
    with tempfile.TemporaryDirectory() as folder:
        agent = make_agent(Path(folder), builtin=True, place=DEMO_PLACE)
        return [(await agent.hear(text)).frames[0] for text in SAID]


def main() -> None:
    """Write `readme.png` beside this file."""
    from PIL import Image, ImageDraw, ImageFont

    frames = asyncio.run(_frames())
    profile = frames[0].profile
    width, height, label = profile.width_px, profile.height_px * 3 // 4 + 10, 34
    rows = -(-len(frames) // COLUMNS)
    size = (
        COLUMNS * (width + GAP_PX) + GAP_PX,
        rows * (height + label + GAP_PX) + GAP_PX,
    )
    sheet = Image.new("RGB", size, (16, 18, 17))
    draw = ImageDraw.Draw(sheet)
    font = next((f for f in raster.find_fonts() if "CJK" in f.path), None)
    caption = ImageFont.truetype(font.path, 22, font.face) if font else ImageFont.load_default(22)
    for index, (said, frame) in enumerate(zip(SAID, frames, strict=True)):
        x = GAP_PX + index % COLUMNS * (width + GAP_PX)
        y = GAP_PX + index // COLUMNS * (height + label + GAP_PX)
        draw.text((x + 4, y), f"“{said}”", fill=(190, 196, 192), font=caption)
        lens = raster.tinted(raster.render(frame), profile.tint)
        lens = lens.crop((0, profile.height_px - height, width, profile.height_px))
        sheet.paste(lens, (x, y + label))
        draw.rectangle((x, y + label, x + width - 1, y + label + height - 1), outline=BORDER)
    sheet = sheet.resize((sheet.width * 2 // 3, sheet.height * 2 // 3), Image.Resampling.LANCZOS)
    sheet.quantize(64).save(Path(__file__).with_name("readme.png"), optimize=True)


if __name__ == "__main__":
    main()
