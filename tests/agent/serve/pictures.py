"""Screenshots held against pictures that were looked at before: about the same, not pixel by pixel.

Browsers draw letters a little differently from one release to the next, so both are made small and
the difference of their brightness is averaged. Write them again with `pytest --update-goldens`.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

GOLDEN = Path(__file__).with_name("golden")
WIDTH_PX = 480
"""Of the pictures that are kept."""
TOLERANCE = 5.0
"""Mean difference, of 255: a missing card is 8 and more, another font 1 to 2."""


def matches(shot: bytes, name: str, update: bool) -> None:
    """Compare a screenshot (PNG) with `golden/NAME.png`. Raises AssertionError."""
    picture = Image.open(BytesIO(shot)).convert("RGB")
    height = round(picture.height * WIDTH_PX / picture.width)
    picture = picture.resize((WIDTH_PX, height), Image.Resampling.LANCZOS)
    path = GOLDEN / f"{name}.png"
    if update:
        GOLDEN.mkdir(exist_ok=True)
        picture.quantize(96, dither=Image.Dither.NONE).save(path, optimize=True)
        return
    assert path.exists(), f"{path} is missing: pytest --update-goldens writes it"
    kept = Image.open(path).convert("RGB")
    assert kept.size == picture.size, f"{path} is {kept.size}, the page is {picture.size}"
    differs = ImageStat.Stat(ImageChops.difference(kept, picture)).mean
    if max(differs) > TOLERANCE:
        picture.save(path.with_suffix(".actual.png"))
        raise AssertionError(f"{path}: differs by {max(differs):.1f} of 255, see .actual.png")
