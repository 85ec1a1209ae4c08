"""Codes in a picture: QR codes and the EAN and UPC codes of products, by zxing-cpp.

A QR code corrects its own errors, so one that was read is right. The bars of a product have one
check digit: of ten misreadings one passes. So bars count only where they were read across a good
part of their height, or alike in two pictures that were sharpened differently.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agent.language.world import WorldText
from agent.look.picture import opened

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST_PX = 1280
"""Longer side of the picture that is searched."""
THICK = 0.08
"""Share of its length over which a product code must be read to count at once. Of the right ones
among nineteen photos all but three were thicker; the wrong ones that zxing-cpp gave were 0.01."""
SHARPER = ((2.0, 1.0, 3, 200), (3.0, 0.5, 6, 200), (2.0, 2.0, 4, 400), (1.5, 2.0, 2, 600))
"""Second looks at bars: factors of width and height, radius and percent of an unsharp mask. The
last two read what is out of focus."""
BENDS = tuple((x / 40, y / 40) for x in (0, -1, 1) for y in (0, -1, 1) if x or y)
"""Shares of width and height by which a picture is bent where a QR code was found and not read: on
cloth and crumpled paper its rows are curves, and straight in one of these."""
SECOND_PX = 800
"""Longer side of the picture for a second look, before it is made larger."""
MOST = 8
"""Most codes of one picture."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was read; what it says is text from the world."""

    text: WorldText
    """What it says; of a product the digits, 13 or 8 of them."""
    kind: Literal["qr", "product"]
    """What it is."""
    x: float
    """Its centre, 0 at the left of the picture … 1 at the right."""
    y: float
    """Its centre, 0 at the top … 1 at the bottom."""


def read(picture: bytes) -> tuple[Code, ...]:
    """Return the codes in a picture file (JPEG, PNG, WebP), from left to right.

    An empty result says that there is none that can be read for certain. Raises EngineError for
    what is no picture.
    """
    return tuple(sorted(_found(opened(picture, LONGEST_PX)), key=lambda code: (code.x, code.y)))


def _found(image: Image) -> list[Code]:
    first = list(_read(image))
    sure = [one for one in first if one.valid and (not one.bars or one.thick >= THICK)]
    if sure:
        return _once(one.code for one in sure)
    image = image.copy()
    image.thumbnail((SECOND_PX, SECOND_PX))
    if any(not one.bars for one in first) and (codes := _bent(image)):
        return codes
    return _agreed(image, [one for one in first if one.valid])


def _once(codes: Iterable[Code]) -> list[Code]:
    """Return each code once: two of the same text are one thing to whoever asks."""
    return list({(code.kind, code.text): code for code in codes}.values())[:MOST]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one look made of one code."""

    code: Code
    bars: bool
    valid: bool
    thick: float
    """Height over which bars were read, as a share of their length."""


def _read(image: Image, binarizer: str = "LocalAverage") -> Iterator[_Reading]:
    import zxingcpp

    formats = zxingcpp.BarcodeFormat
    wanted = (formats.QRCode, formats.EAN13, formats.EAN8, formats.UPCA)
    found = zxingcpp.read_barcodes(
        image,
        formats=zxingcpp.BarcodeFormats(wanted),
        binarizer=getattr(zxingcpp.Binarizer, binarizer),
        text_mode=zxingcpp.TextMode.Plain,
        return_errors=True,
    )
    for one in found:
        bars = one.format in (formats.EAN13, formats.EAN8, formats.UPCA)
        if not bars and one.format != formats.QRCode:
            continue
        corners = one.position
        yield _Reading(
            Code(
                WorldText(one.text),
                "product" if bars else "qr",
                _middle(corners, "x") / image.width,
                _middle(corners, "y") / image.height,
            ),
            bars,
            one.valid and bool(one.text),
            _length(corners.top_left, corners.bottom_left)
            / max(1.0, _length(corners.top_left, corners.top_right)),
        )


def _bent(image: Image) -> list[Code]:
    """Look again at a QR code that was seen and could not be read."""
    for wide, high in BENDS:
        readings = _read(_curved(image, wide, high), "GlobalHistogram")
        if codes := _once(one.code for one in readings if one.valid and not one.bars):
            return codes
    return []


def _curved(image: Image, wide: float, high: float, cells: int = 12) -> Image:
    """Return the picture with its middle moved by shares of its width and height."""
    from PIL import Image

    def source(column: int, row: int) -> tuple[float, float]:
        across, down = 2 * column / cells - 1, 2 * row / cells - 1
        x = image.width * (column / cells + wide * (1 - down * down))
        return x, image.height * (row / cells + high * (1 - across * across))

    def cell(column: int, row: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
        box = [at * size // cells for at, size in ((column, image.width), (row, image.height),
               (column + 1, image.width), (row + 1, image.height))]  # fmt: skip
        corners = [source(column, row), source(column, row + 1), source(column + 1, row + 1)]
        corners.append(source(column + 1, row))
        return tuple(box), tuple(value for corner in corners for value in corner)

    mesh = [cell(column, row) for column in range(cells) for row in range(cells)]
    return image.transform(image.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def _agreed(image: Image, first: list[_Reading]) -> list[Code]:
    """Return the product code that two looks agree on, and no other."""
    from PIL import Image

    seen = {one.code.text: one.code for one in first if one.bars}
    votes = Counter(dict.fromkeys(seen, 1))
    for wide, high, radius, percent in SHARPER:
        size = (round(image.width * wide), round(image.height * high))
        looked = image.resize(size, Image.Resampling.BICUBIC).filter(_unsharp(radius, percent))
        for one in _read(looked):
            if one.bars and one.valid:
                seen.setdefault(one.code.text, one.code)
                votes[one.code.text] += 1
        (text, most), *others = [*votes.most_common(2), ("", 0)]
        if most >= 2 and most > max((count for _, count in others), default=0):
            return [seen[text]]
    return []


def _unsharp(radius: float, percent: int) -> Any:
    from PIL import ImageFilter

    return ImageFilter.UnsharpMask(radius, percent, 0)


def _middle(corners: Any, axis: str) -> float:
    points = (corners.top_left, corners.top_right, corners.bottom_right, corners.bottom_left)
    return sum(float(getattr(point, axis)) for point in points) / len(points)


def _length(one: Any, other: Any) -> float:
    return math.hypot(one.x - other.x, one.y - other.y)
