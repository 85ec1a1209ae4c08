"""The film of a lens: frames with the times they were shown for, as a GIF."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hardware.base import DeviceError, DisplayProfile, Frame

if TYPE_CHECKING:
    from PIL.Image import Image

    from hardware.fonts import FontFile

SHORTEST_MS = 20
"""GIF counts hundredths of a second, and browsers slow down what is shorter than two of them."""
LONGEST_MS = 600_000
"""What was shown for longer is shown for so long: GIF has 16 bits for it, just over ten minutes."""

Shot = tuple[Frame | None, float]
"""A frame, or None for a clear lens, and for how many ms it is shown."""


class GifDisplay:
    """Remembers what was shown and when; `save` writes the film.

    A frame takes about a kilobyte of memory until it is drawn, so that hours can be recorded.
    """

    def __init__(
        self,
        path: Path | str,
        profile: DisplayProfile,
        now_ms: Callable[[], float] = lambda: time.monotonic() * 1000,
        fonts: Sequence[FontFile] | None = None,
    ) -> None:
        """Record for a file at `path`; `now_ms` is the clock, of any origin."""
        from hardware import raster

        self.path = Path(path)
        self.profile = raster.in_type(profile, fonts)
        self._now_ms = now_ms
        self._fonts = fonts
        self._shown: list[tuple[float, Frame | None]] = []

    def show(self, frame: Frame) -> None:
        """Remember the frame and the time."""
        self._shown.append((self._now_ms(), frame))

    def clear(self) -> None:
        """Remember that the lens is clear from now on."""
        self._shown.append((self._now_ms(), None))

    def save(self) -> None:
        """Write the film of all that was shown until now. Raises DeviceError."""
        ends = [*(at_ms for at_ms, _ in self._shown[1:]), self._now_ms()]
        shots = [
            (frame, end_ms - at_ms)
            for (at_ms, frame), end_ms in zip(self._shown, ends, strict=False)
        ]
        write_gif(self.path, self.profile, shots, self._fonts)


def write_gif(
    path: Path,
    profile: DisplayProfile,
    shots: Sequence[Shot],
    fonts: Sequence[FontFile] | None = None,
) -> None:
    """Write shots as an endless film in the tint of the lens, one colour for each of its levels.

    Shots keep their times, to a hundredth of a second over the whole film; one that is shorter than
    SHORTEST_MS is left out and its time given to the next. Of each picture only what changed is
    stored. Raises DeviceError when the file cannot be written or there is nothing to write.
    """
    timed = list(_timed(shots))
    if not timed:
        raise DeviceError(f"{path}: no frame was shown, so there is nothing to write")
    pictures = (_picture(profile, frame, fonts) for frame, _ in timed)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        next(pictures).save(
            path,
            format="GIF",
            save_all=True,
            append_images=pictures,
            duration=[ms for _, ms in timed],
            loop=0,
            disposal=1,
            optimize=False,  # all pictures share one palette, which is as small as it can be
        )
    except OSError as error:
        raise DeviceError(f"cannot write {path}: {error.strerror or error}") from error


def _timed(shots: Sequence[Shot]) -> Iterator[tuple[Frame | None, int]]:
    """Round the times so that their errors do not add up."""
    owed = 0.0
    for index, (frame, ms) in enumerate(shots):
        owed += min(ms, LONGEST_MS)
        whole = round(owed / 10) * 10
        if index == len(shots) - 1:
            whole = max(whole, SHORTEST_MS)
        if whole >= SHORTEST_MS:
            yield frame, whole
            owed -= whole


def _picture(
    profile: DisplayProfile, frame: Frame | None, fonts: Sequence[FontFile] | None
) -> Image:
    """Draw a frame with one colour for each level of the lens."""
    from hardware import raster

    return raster.indexed(raster.render(frame or Frame(profile, ()), fonts), profile)
