"""The lens that a page shows: frames drawn at the lens's own resolution, sent as what changed."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

from agent.serve.simulator.to_page import Lens
from hardware.base import DeviceError, DisplayProfile, Frame
from hardware.display import ImageDisplay

if TYPE_CHECKING:
    from PIL.Image import Image

    from hardware.raster import Box

LOST = "the link to the glasses is lost: nothing can be shown until it is back"
OFF = "the glasses have no power: put a cell in"


class PageLens:
    """A display whose pictures go to pages; `tell` is given what changed.

    By luma's convention it is the device behind an `ImageDisplay` as well: `display` takes a whole
    picture and `update` a part of one.

    While the link is lost, or there is no power, it refuses every frame and its pages are black;
    what was on it comes back with the link, since the glasses themselves never lost it.
    """

    mode = "L"

    def __init__(
        self, profile: DisplayProfile, tell: Callable[[Lens], None], lost: bool = False
    ) -> None:
        self.size = (profile.width_px, profile.height_px)
        self._drawing = ImageDisplay(self, profile)
        self.profile = self._drawing.profile
        self._tell = tell
        self._lost = lost
        self._off = False
        self._frame: Frame | None = None  # None while it is clear
        self._image: Image | None = None  # what is lit
        self._box: Box | None = None  # what of it has just changed
        self._whole = True

    # -- what the agent does ----------------------------------------------------------------------

    def show(self, frame: Frame) -> None:
        """Draw the frame and send what changed. Raises DeviceError where there is no way to it."""
        self._reach()
        self._box, self._whole = None, False
        self._drawing.show(frame)
        self._frame = frame
        self._send()

    def clear(self) -> None:
        """Make the pages' lens transparent. Raises DeviceError where there is no way to it."""
        self._reach()
        self._box, self._whole = None, False
        self._drawing.clear()
        self._frame = None
        self._send()

    def display(self, image: Image) -> None:
        """Light a whole picture: the device behind `ImageDisplay`."""
        self._image, self._box, self._whole = image.copy(), image.getbbox(), True

    def update(self, image: Image, box: Box) -> None:
        """Light a part of one."""
        assert self._image is not None  # a whole one came first
        self._image.paste(image, box[:2])
        self._box = box

    # -- what happens to it -----------------------------------------------------------------------

    def lose(self, lost: bool) -> None:
        """Lose the link, or have it back."""
        self._lost = lost
        self._tell(self.whole())

    def switch_off(self) -> None:
        """Lose power, and with it what was shown."""
        self._off = True
        self._tell(self.whole())

    def whole(self) -> Lens:
        """Return all of it, for a page that has just come."""
        if self._off or self._lost:
            return self._message(None, None, None, whole=True)
        box = self._image.getbbox() if self._image is not None else None
        return self._message(self._frame, self._image, box, whole=True)

    def _reach(self) -> None:
        if self._off or self._lost:
            raise DeviceError(OFF if self._off else LOST)

    def _send(self) -> None:
        self._tell(self._message(self._frame, self._image, self._box, self._whole))

    def _message(
        self, frame: Frame | None, image: Image | None, box: Box | None, whole: bool
    ) -> Lens:
        return Lens(
            x=box[0] if box else 0,
            y=box[1] if box else 0,
            png=_png(image.crop(box)) if image is not None and box else "",
            whole=whole,
            rows=[line.text for line in frame.lines] if frame else [],
            page=frame.page if frame else 1,
            pages=frame.pages if frame else 1,
            listening=frame.listening if frame else False,
            light=frame.light if frame else 0.0,
        )


def _png(image: Image) -> str:
    out = BytesIO()
    image.save(out, "PNG", compress_level=1)  # the page is on the same machine, as a rule
    return base64.b64encode(out.getvalue()).decode("ascii")
