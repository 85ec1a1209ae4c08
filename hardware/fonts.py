"""Glyphs: which font has a character, and its picture in the cells that the layout gave it.

A glyph that no font has is stood in for by a plainer one (`STAND_INS`), or drawn as a box: nothing
is dropped. Emoji are drawn in one colour, by a font that has them so.
"""

from __future__ import annotations

import math
import os
import subprocess
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hardware import icons
from hardware.base import DeviceError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont


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
TYPE_FONTS = (
    (
        FontFile(f"{_DEBIAN}/opentype/noto/NotoSansCJK-Regular.ttc", 2),
        FontFile(f"{_DEBIAN}/opentype/noto/NotoSansCJK-Bold.ttc", 2),
    ),
    (
        FontFile(f"{_DEBIAN}/noto-cjk/NotoSansCJK-Regular.ttc", 2),
        FontFile(f"{_DEBIAN}/noto-cjk/NotoSansCJK-Bold.ttc", 2),
    ),
    (
        FontFile(f"{_DEBIAN}/google-noto-cjk/NotoSansCJK-Regular.ttc", 2),
        FontFile(f"{_DEBIAN}/google-noto-cjk/NotoSansCJK-Bold.ttc", 2),
    ),
    (
        FontFile(f"{_DEBIAN}/truetype/dejavu/DejaVuSans.ttf"),
        FontFile(f"{_DEBIAN}/truetype/dejavu/DejaVuSans-Bold.ttf"),
    ),
    (
        FontFile(f"{_DEBIAN}/dejavu-sans-fonts/DejaVuSans.ttf"),
        FontFile(f"{_DEBIAN}/dejavu-sans-fonts/DejaVuSans-Bold.ttf"),
    ),
    (FontFile(f"{_DEBIAN}/TTF/DejaVuSans.ttf"), FontFile(f"{_DEBIAN}/TTF/DejaVuSans-Bold.ttf")),
    (FontFile(f"{_MAC}/Helvetica.ttc"), FontFile(f"{_MAC}/Helvetica.ttc", 1)),
    (FontFile("C:/Windows/Fonts/segoeui.ttf"), FontFile("C:/Windows/Fonts/segoeuib.ttf")),
)
"""Where proportional fonts live, with their bold; the first there is set in. Noto's comes before
all: its Latin letters were drawn for its Chinese ones, and its digits are equally wide."""
OTHER_FONTS = (
    FontFile(f"{_DEBIAN}/truetype/dejavu/DejaVuSans.ttf"),
    FontFile(f"{_DEBIAN}/dejavu-sans-fonts/DejaVuSans.ttf"),
    FontFile(f"{_DEBIAN}/TTF/DejaVuSans.ttf"),
    FontFile(f"{_DEBIAN}/truetype/noto/NotoSansSymbols2-Regular.ttf"),
    FontFile(f"{_DEBIAN}/truetype/ancient-scripts/Symbola_hint.ttf"),
    FontFile(f"{_MAC}/Apple Symbols.ttf"),
    FontFile("C:/Windows/Fonts/seguisym.ttf"),
)
"""Where fonts live that have symbols, emoji in one colour, Hebrew and more; all there are used."""

STAND_INS = {
    "↰": "←", "↱": "→", "↶": "↓", "↷": "↓", "↖": "←", "↙": "←", "↗": "→", "↘": "→",
    "←": "<", "→": ">", "↑": "^", "↓": "v", "♪": "~", "◎": "o", "●": "o", "○": "o", "•": "-",
    "⚠": "!", "★": "*", "☆": "*", "☀": "*", "✓": "+", "✗": "x", "▶": ">",
    "…": ".", "·": ".", "‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-",
}  # fmt: skip
"""What is drawn instead of an icon that no font has; followed until a font has it."""


WORD_SPACE = 0.27
"""Least that words are apart in type, over the height of the font; light blooms into less."""
_PLAIN_WIDTH = 0.6
"""Width of a bar's piece, and of a box, in type, over the height of the font."""

BARS = {"━": 0.16, "─": 0.06}
"""Lines that go on through the next cell whatever the font, and how thick over its height."""

_NARROW = "\ufe00"
"""Asks for a quote as wide as in Latin text (Unicode's variation sequences, 16.0)."""
_NOTO, _NARROW_FACE = "NotoSansCJK", 1
"""The Korean face has them so; its ellipsis is as wide as a character, as in all of them."""

_UNSEEN = dict.fromkeys((*range(0xFE00, 0xFE10), 0x200C, 0x200D))
"""Variation selectors and joiners: they choose among glyphs and have none of their own."""


class Glyph(NamedTuple):
    """One grapheme as it is drawn."""

    tile: Image
    """Mode `L`, 255 where it is lit."""
    known: bool
    """False when no font has it, nor what stands in for it: it is a box."""


@lru_cache(maxsize=4096)
def glyph(
    grapheme: str,
    width_px: int,
    height_px: int,
    baseline_px: int,
    font_px: int,
    fonts: tuple[FontFile, ...],
    crisp: bool = False,
    aligned: bool = False,
) -> Glyph:
    """Draw one grapheme, clipped to a tile of the given size, `baseline_px` below its upper edge.

    `crisp` is for one-bit panels: every pixel is on or off, hinted for that by FreeType. One that
    is `aligned` begins on a whole pixel, as its hints want it. Raises DeviceError when a font file
    cannot be read.
    """
    from PIL import Image, ImageDraw

    text, font = _chosen(grapheme, font_px, fonts)
    tile = Image.new("L", (width_px, height_px))
    if stroke := BARS.get(text):
        thick = max(1, round(font_px * stroke))
        from_px = baseline_px - round(font_px * 0.3) - thick // 2
        ImageDraw.Draw(tile).rectangle((0, from_px, width_px, from_px + thick - 1), fill=255)
        return Glyph(tile, known=True)
    if font is None:
        box = (width_px * 0.15, baseline_px - font_px * 0.7, width_px * 0.85, baseline_px)
        ImageDraw.Draw(tile).rectangle(box, outline=255, width=max(1, font_px // 16))
        return Glyph(tile, known=False)
    text, accents = _without_accents(text)
    mode = "1" if crisp else "L"
    left, top, right, bottom = font.getbbox(text, mode, anchor="ls")
    # A little lower or higher than the line rather than cut off.
    y: float = max(baseline_px, min(-top, height_px - bottom))
    y = min(y, max(-top, height_px - bottom))
    if right - left > width_px:
        wide = Image.new("L", (math.ceil(right - left), height_px))
        _write(wide, text, -left, y, font, "L")
        tile = wide.resize((width_px, height_px), Image.Resampling.BILINEAR)
        tile = tile.point(lambda light: 255 * (light > 127)) if crisp else tile
    else:
        x = min(max((width_px - font.getlength(text)) / 2, -left), width_px - right)
        _write(tile, text, round(x) if crisp or aligned else x, y, font, mode)
    for accent in accents:
        left, _, right, _ = font.getbbox(accent, mode, anchor="ls")
        _write(tile, accent, (width_px - right - left) / 2, y, font, mode)
    return Glyph(tile, known=True)


def advance(grapheme: str, font_px: int, fonts: tuple[FontFile, ...]) -> int:
    """Return how many pixels wide a grapheme is in type; twice the font's height at most.

    Raises DeviceError when a font file cannot be read.
    """
    text, font = _chosen(grapheme, font_px, fonts)
    if text in BARS or font is None:
        return round(font_px * _PLAIN_WIDTH)
    if all(unicodedata.category(char) == "Cf" for char in text):
        return 0
    width = max(font.getlength(_without_accents(text)[0]), font_px * (text == " ") * WORD_SPACE)
    return min(round(width), 2 * font_px)


def _chosen(
    grapheme: str, font_px: int, fonts: tuple[FontFile, ...]
) -> tuple[str, FreeTypeFont | None]:
    """Return what is drawn for a grapheme, or what stands in for it, and the font that has it."""
    text = unicodedata.normalize("NFC", grapheme).translate(_UNSEEN) or " "
    if text in icons.ICONS and fonts and fonts[-1].path.endswith(icons.FILE):
        return icons.ICONS[text], _font(fonts[-1], font_px)
    if grapheme.endswith(_NARROW):
        fonts = tuple(
            file._replace(face=_NARROW_FACE) if _NOTO in file.path else file for file in fonts
        )
        text = "..." if text == "…" else text
    font = _font_with(text, font_px, fonts)
    while font is None and text[0] in STAND_INS:
        text = STAND_INS[text[0]]
        font = _font_with(text, font_px, fonts)
    return text, font


def _write(tile: Image, text: str, x: float, y: float, font: FreeTypeFont, mode: str) -> None:
    from PIL import ImageDraw

    draw = ImageDraw.Draw(tile)
    draw.fontmode = mode
    draw.text((x, y), text, fill=255, font=font, anchor="ls")


def _without_accents(text: str) -> tuple[str, str]:
    """Split off accents that no composed letter has: monospaced fonts put them beside the letter.

    Marks of combining class 0 stay: they shape the syllables of Indic scripts.
    """
    letters = text[0] + "".join(char for char in text[1:] if not unicodedata.combining(char))
    return letters, "".join(char for char in text[1:] if unicodedata.combining(char))


def font_for(text: str, fonts: tuple[FontFile, ...] | None = None) -> str | None:
    """Return the name of the font that would draw a text, or None when none has it.

    `fonts` are those to look into; None stands for `find_fonts()`.
    """
    font = _font_with(text, 16, find_fonts() if fonts is None else fonts)
    return None if font is None else " ".join(part for part in font.getname() if part)


def set_in() -> str | None:
    """Return the name of the font that type is set in, or None where there is but Pillow's own."""
    return font_for("n", find_type()[0][:1]) if find_type()[0] else None


def _font_with(text: str, font_px: int, fonts: tuple[FontFile, ...]) -> FreeTypeFont | None:
    """Find the first font that has every visible character of a grapheme."""
    visible = [char for char in text if unicodedata.category(char) not in ("Cf", "Mn")]
    for file in (*fonts, None):
        font = _font(file, font_px)
        if all(_has(font, char) for char in visible):
            return font
    return None


@lru_cache(maxsize=8192)
def _has(font: FreeTypeFont, char: str) -> bool:
    """Compare with the picture a font draws for a code point that is none."""
    mask = font.getmask(char)
    return (mask.size, bytes(mask)) != _nothing(font)


@cache
def _nothing(font: FreeTypeFont) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask("\U0010ffff")
    return mask.size, bytes(mask)


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
    """Find fonts on this machine: GLASSES_FONT, a monospaced one, one with Chinese, the others.

    Looks at well-known paths and asks fontconfig only where none has Chinese. The first call
    decides for the process.
    """
    return tuple(_fonts())


def _fonts() -> Iterator[FontFile]:
    if chosen := os.environ.get("GLASSES_FONT"):
        yield FontFile(chosen)
    yield from list(filter(_is_there, LATIN_FONTS))[:1]
    yield from list(filter(_is_there, CJK_FONTS))[:1] or _ask_fontconfig()
    yield from filter(_is_there, OTHER_FONTS)


def _is_there(file: FontFile) -> bool:
    return Path(file.path).is_file()


@cache
def find_type() -> tuple[tuple[FontFile, ...], tuple[FontFile, ...]]:
    """Find the fonts that type is set in on this machine, and those that are bold.

    GLASSES_FONT comes first in both, and a font of icons last. Looks where `find_fonts` looks; the
    first call decides.
    """
    last = (FontFile(found),) if (found := icons.find()) else ()
    others = (*(file for file in find_fonts() if file not in LATIN_FONTS), *last)
    own = others[:1] if os.environ.get("GLASSES_FONT") else ()
    for regular, bold in filter(lambda pair: _is_there(pair[0]), TYPE_FONTS):
        plain = tuple(dict.fromkeys((*own, regular, *others)))
        return plain, tuple(dict.fromkeys((*own, *filter(_is_there, [bold]), *plain)))
    return others, others


def _ask_fontconfig() -> list[FontFile]:
    command = ["fc-match", "--format=%{file}\n%{index}", "sans:lang=zh-cn"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=2, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    path, _, index = answer.stdout.partition("\n")
    return [FontFile(path, int(index or 0))] if path else []
