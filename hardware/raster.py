"""Frames as pictures: a grid of cells, light on black, black being transparent.

A Latin letter is drawn in one cell and a CJK character in two, so that what the layout measured is
what is seen. Rows stand at the bottom of the canvas, which keeps the centre of the view clear.
"""

from __future__ import annotations

import math
import os
import subprocess
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wcwidth import iter_graphemes, wcswidth

from hardware.base import DeviceError, DisplayProfile, Frame, Line

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

LINE_HEIGHT = 1.4
"""Row pitch over font height; loose, since light on a waveguide blooms."""
ARROW_SCALE = 2.6
"""Size of the arrow of a route card against its text: seen without reading."""
LISTENING_LIGHT = 119
"""Light of the mark that the microphone is open, of 255: half as bright as text."""
MISSING_KEY = "missing_glyphs"
"""Key in `image.info` under which `render` tells how many glyphs no font had."""


class FontFile(NamedTuple):
    """A font on disk."""

    path: str
    """File name."""
    face: int = 0
    """Which face of a collection."""


_DEBIAN, _MAC = "/usr/share/fonts", "/System/Library/Fonts"
LATIN_FONTS = (
    FontFile(f"{_DEBIAN}/truetype/dejavu/DejaVuSansMono.ttf"),
    FontFile(f"{_DEBIAN}/dejavu-sans-mono-fonts/DejaVuSansMono.ttf"),
    FontFile(f"{_DEBIAN}/TTF/DejaVuSansMono.ttf"),
    FontFile(f"{_DEBIAN}/truetype/noto/NotoSansMono-Regular.ttf"),
    FontFile(f"{_DEBIAN}/truetype/liberation/LiberationMono-Regular.ttf"),
    FontFile(f"{_MAC}/Menlo.ttc"),
    FontFile("C:/Windows/Fonts/consola.ttf"),
)
"""Where monospaced fonts live on Debian, Fedora, Arch, macOS and Windows; the first one is used."""
CJK_FONTS = (
    FontFile(f"{_DEBIAN}/opentype/noto/NotoSansCJK-Regular.ttc", 2),
    FontFile(f"{_DEBIAN}/noto-cjk/NotoSansCJK-Regular.ttc", 2),
    FontFile(f"{_DEBIAN}/google-noto-cjk/NotoSansCJK-Regular.ttc", 2),
    FontFile(f"{_DEBIAN}/truetype/wqy/wqy-microhei.ttc"),
    FontFile(f"{_DEBIAN}/truetype/wqy/wqy-zenhei.ttc"),
    FontFile(f"{_DEBIAN}/truetype/droid/DroidSansFallbackFull.ttf"),
    FontFile(f"{_MAC}/PingFang.ttc"),
    FontFile(f"{_MAC}/Hiragino Sans GB.ttc"),
    FontFile(f"{_MAC}/STHeiti Light.ttc"),
    FontFile("C:/Windows/Fonts/msyh.ttc"),
)
"""Where fonts with Chinese live; index 2 of the Noto collection is the Simplified Chinese face."""


def render(frame: Frame, fonts: Sequence[FontFile] | None = None) -> Image:
    """Draw a frame as a mode `L` picture of the profile's size and grey levels.

    `fonts` are tried in order for each glyph, then Pillow's built-in one; None stands for
    `find_fonts()`. A glyph that none of them has is drawn as a box and counted in
    `image.info[MISSING_KEY]`. Raises DeviceError when a font file cannot be read.
    """
    from PIL import Image

    profile = frame.profile
    typeface = tuple(find_fonts() if fonts is None else fonts)
    canvas = Image.new("L", (profile.width_px, profile.height_px))
    cell, pitch = _cell_px(profile), _pitch_px(profile)
    left = (profile.width_px - cell * profile.columns) // 2
    top = profile.height_px - pitch * len(frame.lines) - left
    missing = 0
    for row, line in enumerate(frame.lines):
        levels = _levels(profile.grey_levels, line.brightness)
        for column, size, grapheme in _placed(line.text):
            if column == 0 and _has_gutter(frame.lines, row):
                box = (3 * cell, 2 * pitch, round(profile.font_px * ARROW_SCALE))
            else:
                box = (size * cell, pitch, profile.font_px if size < 2 else _wide_px(profile))
            tile, known = _tile(grapheme, *box, typeface)
            canvas.paste(tile.point(levels), (left + column * cell, max(0, top) + row * pitch))
            missing += not known
    if frame.listening:
        _mark_listening(canvas, profile)
    canvas.info[MISSING_KEY] = missing
    return canvas


def _mark_listening(canvas: Image, profile: DisplayProfile) -> None:
    """Draw a small dot in the upper right corner, dim, since it may be there for hours."""
    from PIL import ImageDraw

    size = max(4, profile.font_px // 3)
    right, top = profile.width_px - size, size
    light = max(LISTENING_LIGHT, 255 // (profile.grey_levels - 1))
    ImageDraw.Draw(canvas).ellipse((right - size, top, right, top + size), fill=light)


def _placed(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield column, cells and grapheme of all that leaves light."""
    column = 0
    for grapheme in iter_graphemes(text):
        size = max(0, wcswidth(grapheme))
        if size and not grapheme.isspace():
            yield column, size, grapheme
        column += size


def _has_gutter(lines: Sequence[Line], row: int) -> bool:
    """Say whether an arrow begins this row, with empty cells around it to grow into."""
    rows = [line.text for line in lines[row : row + 2]]
    is_arrow = "\u2190" <= rows[0][0] <= "\u21ff" or "\u2b00" <= rows[0][0] <= "\u2b11"
    return is_arrow and len(rows) == 2 and rows[0][2:4] == "  " and rows[1].startswith("    ")


def tinted(image: Image, tint: tuple[int, int, int]) -> Image:
    """Colour a grey picture with the light of the lens, for people to look at."""
    from PIL import Image

    info = image.info
    picture = Image.merge("RGB", [image.point([v * c // 255 for v in range(256)]) for c in tint])
    picture.info.update(info)
    return picture


def _cell_px(profile: DisplayProfile) -> int:
    """Width of a cell; a row leaves half a cell of margin on either side."""
    return profile.width_px // (profile.columns + 1)


def _wide_px(profile: DisplayProfile) -> int:
    """Font height of CJK: nearly fills its two cells, so that words hold together."""
    return round(2 * _cell_px(profile) * 0.95)


def _pitch_px(profile: DisplayProfile) -> int:
    """Height of a row; less than asked for where the lens is too low for all its rows."""
    return min(round(profile.font_px * LINE_HEIGHT), profile.height_px // profile.lines)


def _levels(grey_levels: int, brightness: float) -> list[int]:
    """Map 0 … 255 to what the lens can show at this brightness; any light stays visible."""
    steps = grey_levels - 1
    peak = 0 if brightness <= 0 else max(1, round(min(brightness, 1.0) * steps))
    return [round(round(value / 255 * peak) * 255 / steps) for value in range(256)]


@lru_cache(maxsize=4096)
def _tile(
    grapheme: str, width_px: int, height_px: int, font_px: int, fonts: tuple[FontFile, ...]
) -> tuple[Image, bool]:
    """Draw one grapheme in its cells, clipped to them; False when no font has it."""
    from PIL import Image, ImageDraw

    text = unicodedata.normalize("NFC", grapheme)
    font = _font_with(text, font_px, fonts)
    tile = Image.new("L", (width_px, height_px))
    draw = ImageDraw.Draw(tile)
    # The baseline is that of a font whose ascent is 0.8 of its height: one line for all fonts.
    baseline = (height_px - font_px) // 2 + round(font_px * 0.8)
    if font is None:
        box = (width_px * 0.15, baseline - font_px * 0.7, width_px * 0.85, baseline)
        draw.rectangle(box, outline=255, width=max(1, font_px // 16))
        return tile, False
    text, accents = _without_accents(text)
    left, _, right, _ = font.getbbox(text, anchor="ls")
    if right - left > width_px:
        wide = Image.new("L", (math.ceil(right - left), height_px))
        ImageDraw.Draw(wide).text((-left, baseline), text, fill=255, font=font, anchor="ls")
        tile = wide.resize((width_px, height_px), Image.Resampling.BILINEAR)
        draw = ImageDraw.Draw(tile)
    else:
        centred = (width_px - font.getlength(text)) / 2
        x = min(max(centred, -left), width_px - right)
        draw.text((x, baseline), text, fill=255, font=font, anchor="ls")
    for accent in accents:
        left, _, right, _ = font.getbbox(accent, anchor="ls")
        x = (width_px - right - left) / 2
        draw.text((x, baseline), accent, fill=255, font=font, anchor="ls")
    return tile, True


def _without_accents(text: str) -> tuple[str, str]:
    """Split off accents that no composed letter has: monospaced fonts put them beside the letter.

    Marks of combining class 0 stay: they shape the syllables of Indic scripts.
    """
    letters = text[0] + "".join(char for char in text[1:] if not unicodedata.combining(char))
    return letters, "".join(char for char in text[1:] if unicodedata.combining(char))


def font_for(text: str) -> str | None:
    """Return the name of the font that would draw a text, or None when none has it."""
    font = _font_with(text, 16, find_fonts())
    return None if font is None else " ".join(part for part in font.getname() if part)


def _font_with(text: str, font_px: int, fonts: tuple[FontFile, ...]) -> FreeTypeFont | None:
    """Find the first font that has every visible character of a grapheme."""
    for file in (*fonts, None):
        font = _font(file, font_px)
        if all(_has(font, char) for char in text if unicodedata.category(char) not in ("Cf", "Mn")):
            return font
    return None


@lru_cache(maxsize=4096)
def _has(font: FreeTypeFont, char: str) -> bool:
    """Compare with the picture a font draws for a code point that is none (U+10FFFF)."""
    mask, nothing = font.getmask(char), font.getmask("\U0010ffff")
    return mask.size != nothing.size or bytes(mask) != bytes(nothing)


@cache
def _font(file: FontFile | None, font_px: int) -> FreeTypeFont:
    from PIL import ImageFont

    if file is None:
        return ImageFont.load_default(font_px)  # type: ignore[return-value]  # size: FreeType
    try:
        # Basic layout: the optional raqm would draw a lone accent on a dotted circle.
        return ImageFont.truetype(
            file.path, font_px, file.face, layout_engine=ImageFont.Layout.BASIC
        )
    except OSError as error:
        raise DeviceError(f"cannot read the font {file.path}: {error}; set GLASSES_FONT") from error


@cache
def find_fonts() -> tuple[FontFile, ...]:
    """Find fonts on this machine: GLASSES_FONT, a monospaced one, one with Chinese.

    Looks at well-known paths and asks fontconfig only where none has Chinese. The first call
    decides for the process.
    """
    chosen = os.environ.get("GLASSES_FONT")
    latin = next((file for file in LATIN_FONTS if Path(file.path).is_file()), None)
    cjk = next((file for file in CJK_FONTS if Path(file.path).is_file()), None) or _ask_fontconfig()
    return tuple(file for file in (FontFile(chosen) if chosen else None, latin, cjk) if file)


def _ask_fontconfig() -> FontFile | None:
    command = ["fc-match", "--format=%{file}\n%{index}", "sans:lang=zh-cn"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=2, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    path, _, index = answer.stdout.partition("\n")
    return FontFile(path, int(index or 0)) if path else None
