"""A picture of the camera's, opened with care: anybody may have made what it shows."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from agent.errors import EngineError

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_BYTES = 16 * 1024 * 1024
"""Largest file that is opened."""
MOST_PIXELS = 50_000_000
"""Most pixels that are decoded: a file of a few bytes may claim any number of them."""


def opened(picture: bytes, longest_px: int, mode: str = "L") -> Image:
    """Return a picture upright and in a Pillow mode, its longer side `longest_px` at most.

    Raises EngineError for what is no picture, or a far too large one.
    """
    from PIL import Image, ImageOps

    if len(picture) > MOST_BYTES:
        raise EngineError(f"the picture has {len(picture)} bytes: {MOST_BYTES} are read at most")
    try:
        file = Image.open(io.BytesIO(picture))
        if file.width * file.height > MOST_PIXELS:
            raise EngineError(
                f"the picture has {file.width}×{file.height} pixels: take a smaller one"
            )
        file.draft("L" if mode == "L" else "RGB", (longest_px, longest_px))  # JPEG: as it decodes
        image = ImageOps.exif_transpose(file).convert(mode)
    except EngineError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly everything on broken files
        raise EngineError(
            f"the camera's picture cannot be read ({type(error).__name__}): take another one"
        ) from None
    image.thumbnail((longest_px, longest_px))
    return image
