"""Goldens: what the lens looked like when somebody last looked, beside the test.

Pictures are drawn with the font that Pillow carries, so that they depend on no machine. That font
has no Chinese: such cards are better kept as text.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agent.testing.conversation import boxed
from hardware import raster
from hardware.base import DisplayProfile, Frame

if TYPE_CHECKING:
    from PIL.Image import Image

RIM = 128
"""Differences of grey below this are the rim of a glyph, which FreeType versions draw otherwise."""

MAX_PIXELS = 20
"""Most pixels that may differ by more; a lost letter counts about 50."""

Kind = Literal["png", "text"]


class Goldens:
    """Compares frames to the files in a folder; the fixture `lens_golden` is one."""

    def __init__(self, folder: Path, update: bool = False) -> None:
        """`update` writes the files instead."""
        self.folder = folder
        self.update = update

    def check(self, name: str, frame: Frame | None, profile: DisplayProfile, kind: Kind) -> None:
        """Compare a frame, or the clear lens, to the golden `name`.

        Raises AssertionError, having written NAME.actual and, for a picture, NAME.diff beside it.
        """
        __tracebackhide__ = True
        suffix = ".png" if kind == "png" else ".txt"
        golden, actual, diff = (
            self.folder / f"{name}{part}{suffix}" for part in ("", ".actual", ".diff")
        )
        for old in (actual, diff):
            old.unlink(missing_ok=True)
        picture = raster.render(frame or Frame(profile, ()), ()) if kind == "png" else None
        text = "\n".join(boxed(frame)) + "\n"
        if self.update:
            _write(golden, picture, text)
            return
        how = f"look at {actual}; when it is right, run pytest --update-goldens"
        if not golden.is_file():
            _write(actual, picture, text)
            raise AssertionError(f"there is no golden {golden} yet: {how}")
        if picture is None:
            agreed = golden.read_text(encoding="utf-8")
            if agreed != text:
                _write(actual, None, text)
                raise AssertionError(f"the lens changed:\n{text}it was agreed:\n{agreed}{how}")
            return
        if wrong := _compare(golden, picture, diff):
            _write(actual, picture, text)
            raise AssertionError(f"the lens changed, {wrong}, see {diff}:\n{text}{how}")


def _write(path: Path, picture: Image | None, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if picture is None:
        path.write_text(text, encoding="utf-8")
    else:
        picture.save(path)


def _compare(golden: Path, picture: Image, diff: Path) -> str:
    """Say how a picture differs from its golden, empty when it does not; draw where, in `diff`."""
    from PIL import Image, ImageChops

    with Image.open(golden) as opened:
        agreed = opened.convert("L")
    if agreed.size != picture.size:
        return "{}x{} instead of {}x{} pixels".format(*picture.size, *agreed.size)
    histogram = ImageChops.difference(picture, agreed).histogram()
    differing = sum(histogram[RIM:])
    if differing <= MAX_PIXELS:
        return ""
    # Red was agreed and is gone, green is new, yellow is both.
    Image.merge("RGB", (agreed, picture, Image.new("L", picture.size))).save(diff)
    return f"{differing} pixels differ"
