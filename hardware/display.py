"""Displays: a luma device, PNG files, a terminal, and the double that remembers.

The one that makes films is in `hardware.recorder`.
"""

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
    """What luma's devices and emulators have in common, and all that ImageDisplay asks for.

    Two methods are used where a device has them:

    `update(image, box)` lights only `image`, which belongs at `box` (left, top, right and bottom
    edge in pixels, as in Pillow); the rest of the lens stays as it is, and a frame like the one
    before is not sent. Without it, each frame goes to `display` whole; some of luma's own devices
    then find out for themselves what changed.

    `contrast(level)`, 0 … 255, luma's own: on one-bit panels it is how a frame is dimmed; the first
    frame sets it. A device of mode `1` gets frames of one bit, whatever its profile.
    """

    mode: Any
    """Pillow mode of the pictures it takes: `1`, `L` or `RGB`, in which grey stays grey."""
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
        from hardware import raster

        self._one_bit = device.mode == "1" or profile.grey_levels == 2
        drawn = replace(profile, grey_levels=2) if self._one_bit else profile
        self.profile = replace(profile, type=raster.in_type(drawn, fonts).type)
        self.missing_glyphs = 0
        """How many glyphs of the last frame no font had."""
        self._device = device
        self._fonts = fonts
        self._lit: Image | None = None
        """What the device shows; None when that is not known, as before the first frame."""
        self._light: float | None = None

    def show(self, frame: Frame) -> None:
        """Draw the frame and hand over what is new in it. Raises DeviceError.

        When the device fails, the next frame is handed over whole.
        """
        from hardware import raster

        if self._one_bit:
            frame = replace(frame, profile=replace(frame.profile, grey_levels=2))
        image = raster.render(frame, self._fonts)
        self.missing_glyphs = image.info[raster.MISSING_KEY]
        self._hand_over(image, frame.light)

    def clear(self) -> None:
        """Hand a black picture over. Raises DeviceError."""
        from PIL import Image

        size = (self.profile.width_px, self.profile.height_px)
        self._hand_over(Image.new("L", size), self._light)

    def _hand_over(self, image: Image, light: float | None) -> None:
        before, self._lit = self._lit, None
        try:
            self._dim(light)
            self._light_up(before, image)
        except DeviceError:
            raise
        except Exception as error:  # a driver is foreign code and raises what it likes
            what = " ".join(str(error).split()) or type(error).__name__
            raise DeviceError(f"the display refused a frame: {what}; is it plugged in?") from error
        self._lit = image

    def _dim(self, light: float | None) -> None:
        contrast = getattr(self._device, "contrast", None)
        if contrast is None or light is None or light == self._light:
            return
        if self._one_bit:
            contrast(max(1, min(255, round(255 * light))))
        self._light = light

    def _light_up(self, before: Image | None, image: Image) -> None:
        from hardware import raster

        update = getattr(self._device, "update", None)
        if update is None or before is None:
            self._device.display(self._as_taken(image))
        elif box := raster.changed(before, image):
            update(self._as_taken(image.crop(box)), box)

    def _as_taken(self, image: Image) -> Image:
        from PIL import Image

        if self._device.mode == "1":
            return image.convert("1", dither=Image.Dither.NONE)
        return image if self._device.mode == "L" else image.convert(self._device.mode)


class PngDisplay:
    """Writes each frame as a picture in the tint of the lens.

    `path` is a folder, filled with `frame-0001.png` and so on (over older ones of that name), or
    a file name that ends in `.png`, which always holds what is on the lens now.
    """

    def __init__(
        self, path: Path | str, profile: DisplayProfile, fonts: Sequence[FontFile] | None = None
    ) -> None:
        self.path = Path(path)
        self.mode = "L"
        self.size = (profile.width_px, profile.height_px)
        self.written = 0
        """How many pictures were written."""
        self._image_display = ImageDisplay(self, profile, fonts)
        self.profile = self._image_display.profile

    @property
    def missing_glyphs(self) -> int:
        """How many glyphs of the last frame no font had."""
        return self._image_display.missing_glyphs

    def show(self, frame: Frame) -> None:
        """Write the frame. Raises DeviceError when the file cannot be written."""
        self._image_display.show(frame)

    def clear(self) -> None:
        """Blacken the one file; a folder is an album and gets no black picture."""
        if self.path.suffix.lower() == ".png":
            self._image_display.clear()

    def display(self, image: Image) -> None:
        """Write a picture: the device behind ImageDisplay."""
        from hardware import raster

        self.written += 1
        target = self.path
        if target.suffix.lower() != ".png":
            target = target / f"frame-{self.written:04d}.png"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            raster.tinted(image, self.profile.tint).save(target)
        except OSError as error:
            raise DeviceError(f"cannot write {target}: {error.strerror or error}") from error


class TerminalDisplay:
    """Draws the lens in a terminal, in place; on a pipe each new frame is printed once.

    Plain ANSI, no toolkit: the first card must not wait for an import. The box is as high as the
    card. Letters from right to left are written as they are read; a terminal that knows them puts
    them in their places. On a pipe a partial frame waits until it is whole: what was printed cannot
    grow. Write nothing else between two frames of a card; call `settle` when something else is to
    be printed, and the next frame starts a box of its own below it.
    """

    def __init__(self, profile: DisplayProfile, stream: TextIO | None = None) -> None:
        self.profile = profile
        self._given = stream
        self._drawn: list[str] = []
        self._printed: Frame | None = None
        self._shown: Frame | None = None

    @property
    def _stream(self) -> TextIO:
        """What is standard output now: a prompt puts another in its place while it waits."""
        return self._given or sys.stdout

    def show(self, frame: Frame) -> None:
        """Draw or print the frame. Raises DeviceError when the stream is closed."""
        before, self._shown = self._shown, frame
        # The mark of the microphone alone draws a box again, but prints no card again.
        mark_alone = before is not None and before.listening != frame.listening
        as_before = mark_alone and replace(frame, listening=not frame.listening) == before
        if as_before and not self._drawn:
            return
        columns = self._terminal_columns()
        if columns >= frame.profile.columns:
            self._redraw(_box(frame, _paints(), columns, self._can_write("╭")))
        elif frame != self._printed and not frame.partial:  # what was printed cannot grow
            self._printed = frame
            self._write("".join(f"| {line.text}".rstrip() + "\n" for line in frame.lines))

    def clear(self) -> None:
        """Remove the box; on a pipe nothing is printed. Raises DeviceError."""
        self._printed = self._shown = None
        if self._drawn:
            self._redraw([])

    def settle(self) -> None:
        """Leave the last frame where it is."""
        self._drawn = []
        self._printed = None

    def _redraw(self, rows: list[str]) -> None:
        """Draw over what was drawn last, and of as many rows only those that changed."""
        before, self._drawn = self._drawn, rows
        up = f"\x1b[{len(before)}F" if before else ""
        if len(before) != len(rows):
            self._write(up + ("\x1b[J" if up else "") + "".join(row + "\n" for row in rows))
        elif before != rows:
            same = (old == new for old, new in zip(before, rows, strict=True))
            drawn = (
                "\n" if kept else f"\x1b[2K{row}\n" for kept, row in zip(same, rows, strict=True)
            )
            self._write(up + "".join(drawn))

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
        light = line.brightness * frame.light
        return _paint(f" {text} " if boxed else text, light, paints, profile.tint)

    rows = [painted(line) for line in frame.lines]
    if not boxed:
        return rows
    name = f"{profile.name} ●" if frame.listening and rounded else profile.name
    name = f"{name} REC" if frame.recording else name
    title = f"{across} {name} "[: profile.columns + 2]
    top = corners[0] + title + across * (profile.columns + 2 - len(title)) + corners[1]
    bottom = corners[2] + across * (profile.columns + 2) + corners[3]
    top, side, bottom = (_paint(part, 0.5, paints, profile.tint) for part in (top, side, bottom))
    return [top, *(side + row + side for row in rows), bottom]
