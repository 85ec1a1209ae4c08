"""Displays: a luma device, PNG files, a terminal, and the double that remembers."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from wcwidth import wcswidth

from hardware.base import DeviceError, DisplayProfile, Frame, Line

if TYPE_CHECKING:
    from PIL.Image import Image

    from hardware.raster import FontFile


class MemoryDisplay:
    """The test double: keeps every frame it was shown."""

    def __init__(self, profile: DisplayProfile) -> None:
        self.profile = profile
        self.frames: list[Frame] = []
        self.lit = False

    @property
    def text(self) -> str:
        """What is on the lens now, rows separated by newlines; empty when it is clear."""
        return "\n".join(line.text for line in self.frames[-1].lines) if self.lit else ""

    @property
    def listening(self) -> bool:
        """Whether the lens shows that the microphone is open."""
        return self.lit and self.frames[-1].listening

    def show(self, frame: Frame) -> None:
        """Remember the frame."""
        self.frames.append(frame)
        self.lit = True

    def clear(self) -> None:
        """Forget what is on the lens, but not what was."""
        self.lit = False


class LumaDevice(Protocol):
    """What luma's devices and emulators have in common, and all that ImageDisplay asks for."""

    mode: Any
    """Pillow mode of the pictures it takes: `1`, `L` or `RGB`."""
    size: Any
    """Width and height in pixels."""

    def display(self, image: Image) -> None:
        """Light the picture."""
        ...


class ImageDisplay:
    """Draws frames on a device that takes Pillow images, by luma's convention."""

    def __init__(
        self,
        device: LumaDevice,
        profile: DisplayProfile,
        fonts: Sequence[FontFile] | None = None,
    ) -> None:
        size = (profile.width_px, profile.height_px)
        if tuple(device.size) != size:
            raise DeviceError(
                f"the device has {device.size[0]}x{device.size[1]} pixels, "
                f"profile {profile.name} has {size[0]}x{size[1]}; choose a profile that fits"
            )
        self.profile = profile
        self.missing_glyphs = 0
        """How many glyphs of the last frame no font had."""
        self._device = device
        self._fonts = fonts

    def show(self, frame: Frame) -> None:
        """Draw the frame and hand it over. Raises DeviceError."""
        from hardware import raster

        image = raster.render(frame, self._fonts)
        self.missing_glyphs = image.info[raster.MISSING_KEY]
        self._hand_over(image)

    def clear(self) -> None:
        """Hand a black picture over. Raises DeviceError."""
        from PIL import Image

        self._hand_over(Image.new("L", (self.profile.width_px, self.profile.height_px)))

    def _hand_over(self, image: Image) -> None:
        from PIL import Image

        from hardware import raster

        if self._device.mode == "RGB":
            image = raster.tinted(image, self.profile.tint)
        elif self._device.mode == "1":
            image = image.convert("1", dither=Image.Dither.NONE)
        try:
            self._device.display(image)
        except OSError as error:
            raise DeviceError(f"the display refused a frame: {error}") from error


class PngDisplay:
    """Writes each frame as a picture in the tint of the lens.

    `path` is a folder, filled with `frame-0001.png` and so on (over older ones of that name), or
    a file name that ends in `.png`, which always holds what is on the lens now.
    """

    def __init__(
        self, path: Path | str, profile: DisplayProfile, fonts: Sequence[FontFile] | None = None
    ) -> None:
        self.path = Path(path)
        self.profile = profile
        self.mode = "RGB"
        self.size = (profile.width_px, profile.height_px)
        self.written = 0
        """How many pictures were written."""
        self._image_display = ImageDisplay(self, profile, fonts)

    @property
    def missing_glyphs(self) -> int:
        """How many glyphs of the last frame no font had."""
        return self._image_display.missing_glyphs

    def show(self, frame: Frame) -> None:
        """Write the frame. Raises DeviceError when the file cannot be written."""
        self._image_display.show(frame)

    def clear(self) -> None:
        """Blacken the one file; a folder is an album and gets no black picture."""
        if self.path.suffix == ".png":
            self._image_display.clear()

    def display(self, image: Image) -> None:
        """Write a picture: the device behind ImageDisplay."""
        self.written += 1
        target = self.path
        if target.suffix != ".png":
            target = target / f"frame-{self.written:04d}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        image.save(target)


class TerminalDisplay:
    """Draws the lens in a terminal, in place; on a pipe each new frame is printed once.

    Plain ANSI, no toolkit: the first card must not wait for an import. The box is as high as the
    card. Write nothing else between two frames of a card; call `settle` when something else is
    to be printed, and the next frame starts a box of its own below it.
    """

    def __init__(self, profile: DisplayProfile, stream: TextIO | None = None) -> None:
        self.profile = profile
        self._stream = stream or sys.stdout
        self._drawn_rows = 0
        self._printed: Frame | None = None
        self._shown: Frame | None = None

    def show(self, frame: Frame) -> None:
        """Draw or print the frame. Raises DeviceError when the stream is closed."""
        before, self._shown = self._shown, frame
        # The mark of the microphone alone draws a box again, but prints no card again.
        mark_alone = before is not None and before.listening != frame.listening
        as_before = mark_alone and replace(frame, listening=not frame.listening) == before
        if as_before and not self._drawn_rows:
            return
        columns = self._terminal_columns()
        if columns >= frame.profile.columns:
            self._redraw(_box(frame, _paints(), columns, self._can_write("╭")))
        elif frame != self._printed:
            self._printed = frame
            self._write("".join(f"| {line.text}".rstrip() + "\n" for line in frame.lines))

    def clear(self) -> None:
        """Remove the box; on a pipe nothing is printed. Raises DeviceError."""
        self._printed = self._shown = None
        if self._drawn_rows:
            self._redraw([])

    def settle(self) -> None:
        """Leave the last frame where it is."""
        self._drawn_rows = 0
        self._printed = None

    def _redraw(self, rows: list[str]) -> None:
        up = f"\x1b[{self._drawn_rows}F\x1b[J" if self._drawn_rows else ""
        self._write(up + "".join(row + "\n" for row in rows))
        self._drawn_rows = len(rows)

    def _terminal_columns(self) -> int:
        """Width of the terminal to draw in; 0 for a pipe, a file or a terminal without cursor."""
        try:
            if not self._stream.isatty() or os.environ.get("TERM") == "dumb":
                return 0
            return os.get_terminal_size(self._stream.fileno()).columns
        except OSError:
            return 80
        except ValueError:  # closed: writing will say so
            return 0

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        try:
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise DeviceError(f"cannot draw in the terminal: {error}") from error

    def _can_write(self, text: str) -> bool:
        try:
            text.encode(self._stream.encoding or "utf-8")
        except UnicodeEncodeError:
            return False
        return True


_RESET = "\x1b[0m"
_BY_ATTRIBUTE = ("\x1b[2{}m", "\x1b[0{}m", "\x1b[1{}m")


def _paints() -> str:
    """Choose how brightness is painted here: `rgb`, `green`, or `plain` under NO_COLOR."""
    if os.environ.get("NO_COLOR"):
        return "plain"
    return "rgb" if os.environ.get("COLORTERM") in ("truecolor", "24bit") else "green"


def _paint(text: str, brightness: float, paints: str, tint: tuple[int, int, int]) -> str:
    """Wrap text in the escapes for a brightness; black ground, for the hierarchy needs it."""
    if paints == "rgb":
        red, green, blue = (round(channel * brightness) for channel in tint)
        return f"\x1b[38;2;{red};{green};{blue};48;2;0;0;0m{text}{_RESET}"
    attribute = _BY_ATTRIBUTE[(brightness > 0.6) + (brightness > 0.9)]
    return attribute.format(";32;40" if paints == "green" else "") + text + _RESET


def _box(frame: Frame, paints: str, terminal_columns: int, rounded: bool) -> list[str]:
    """Build the rows of a frame, boxed where the terminal has four columns more than the lens."""
    profile = frame.profile
    boxed = terminal_columns >= profile.columns + 4
    corners, across, side = ("╭╮╰╯", "─", "│") if rounded else ("++++", "-", "|")

    def painted(line: Line) -> str:
        text = line.text + " " * (profile.columns - wcswidth(line.text))
        return _paint(f" {text} " if boxed else text, line.brightness, paints, profile.tint)

    rows = [painted(line) for line in frame.lines]
    if not boxed:
        return rows
    name = f"{profile.name} ●" if frame.listening and rounded else profile.name
    title = f"{across} {name} "[: profile.columns + 2]
    top = corners[0] + title + across * (profile.columns + 2 - len(title)) + corners[1]
    bottom = corners[2] + across * (profile.columns + 2) + corners[3]
    top, side, bottom = (_paint(part, 0.5, paints, profile.tint) for part in (top, side, bottom))
    return [top, *(side + row + side for row in rows), bottom]
