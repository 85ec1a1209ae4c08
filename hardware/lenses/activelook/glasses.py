"""One pair of ActiveLook glasses: a link, its flow control, and a frame that is there or is not.

Each frame is held back, drawn and flushed at once, so that none is seen half. It ends with a
question whose answer says that all before it was done; what the glasses call corrupt, or lost in a
full buffer, is drawn again from the beginning.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator

from hardware import raster
from hardware.base import DeviceError, Frame
from hardware.lenses.activelook import codec
from hardware.wireless import written
from hardware.wireless.bluetooth import Link, Radio

WRITES = "0783b03e-8535-b5a0-7140-a304d2495cba"
NOTIFIES = "0783b03e-8535-b5a0-7140-a304d2495cb8"
CONTROLS = "0783b03e-8535-b5a0-7140-a304d2495cb9"
"""The characteristics of its command service (2.3)."""
TOUCHES = "0783b03e-8535-b5a0-7140-a304d2495cbc"
"""Its capacitive button; earlier firmware lacks it."""
TOUCHED = 1

FONT = 1
"""Sans serif of 24 px (5.9): the smallest that ships, seven rows of which fill the useful area."""
FONT_PX = 24
LEVELS = 15
STOPPED_S = 5.0
"""How long the glasses may ask to wait; their buffer is empty in a tenth of that."""
DONE_S = 5.0
"""How long they may take to draw a frame."""
TRIES = 4
"""How often a frame is drawn in vain before the link counts as lost."""
_PARTS = re.compile(r"\S+(?: \S+)*")


class Glasses:
    """The lens of them. Everything runs on the loop of the links."""

    def __init__(self, radio: Radio, address: str, name: str) -> None:
        """Connect to nothing yet."""
        self.name = name
        self.on_touch: Callable[[], None] = lambda: None
        """Called when the button is touched, on the loop of the links."""
        self._link = Link(radio, address)
        self._reader = codec.Reader()
        self._may_send = asyncio.Event()
        self._failed = False
        self._asked = 0
        self._query = b""
        self._answered = asyncio.Event()

    async def open(self) -> None:
        """Connect, and begin with a dark lens. Raises DeviceError."""
        self._reader = codec.Reader()
        self._may_send.set()
        listens = {NOTIFIES: self._heard, CONTROLS: self._controlled}
        await self._link.open(listens, {TOUCHES: self._touched})
        await self.show(None)

    async def lost(self) -> None:
        """Wait until the link is gone."""
        await self._link.lost.wait()

    async def close(self) -> None:
        """Disconnect."""
        await self._link.close()

    async def show(self, frame: Frame | None) -> None:
        """Light a frame, as text where that says all of it. Raises DeviceError."""
        drawn = () if frame is None else tuple(commands(frame))
        for _ in range(TRIES):
            self._failed = False
            await self._send(codec.hold_flush(codec.RESET))
            await self._send(codec.hold_flush(codec.HOLD))
            await self._send(codec.packed(codec.CLEAR))
            for command in drawn:
                await self._send(command)
            await self._send(codec.hold_flush(codec.FLUSH))
            if await self._done() and not self._failed:
                return
        raise DeviceError(f"a frame arrived broken {TRIES} times")

    async def _send(self, command: bytes) -> None:
        """Write a command in pieces that the link carries, when the glasses are ready for it."""
        most = self._link.most_bytes(WRITES)
        for at in range(0, len(command), most):
            try:
                async with asyncio.timeout(STOPPED_S):
                    await self._may_send.wait()
            except TimeoutError:
                raise DeviceError("it asked to wait and never to go on") from None
            await self._link.write(WRITES, command[at : at + most], sure=True)

    async def _done(self) -> bool:
        """Ask for what is asked for last, and say whether it was answered in time."""
        self._asked = (self._asked + 1) % 0x10000
        self._query = self._asked.to_bytes(2, "big")
        self._answered.clear()
        await self._send(codec.packed(codec.BATTERY, query=self._query))
        try:
            async with asyncio.timeout(DONE_S):
                await self._answered.wait()
        except TimeoutError:
            return False
        return True

    def _heard(self, piece: bytes) -> None:
        for message in self._reader.take(piece):
            if message.command == codec.FAULT:
                self._failed = True
            elif message.command == codec.BATTERY and message.query == self._query:
                self._answered.set()

    def _touched(self, data: bytes) -> None:
        if data[:1] == bytes((TOUCHED,)):
            self.on_touch()

    def _controlled(self, data: bytes) -> None:
        match data[:1]:
            case b"\x01":
                self._may_send.set()
            case b"\x02":
                self._may_send.clear()
            case b"\x03" | b"\x04":
                self._failed = True
                self._may_send.set()


def commands(frame: Frame) -> Iterator[bytes]:
    """Yield what draws a frame on a lens that is dark. Raises DeviceError."""
    if written.rows(frame) is None:
        yield from _drawn(frame)
        return
    profile, grid = frame.profile, raster.Grid.of(frame.profile)
    top = grid.bottom - grid.pitch * len(frame.lines)
    for row, line in enumerate(frame.lines):
        grey = max(1, round(LEVELS * line.brightness * frame.light))
        y = top + row * grid.pitch + (grid.pitch - FONT_PX) // 2
        for part in _PARTS.finditer(line.text):  # a second column stands where it was laid out
            yield codec.text(grid.left + part.start() * grid.cell, y, part[0], FONT, grey)
    if frame.listening:
        grey = max(1, round(LEVELS * raster.LISTENING_LIGHT * frame.light))
        x = grid.left + (profile.columns - 1) * grid.cell
        yield codec.text(x, profile.height_px // 10, written.LISTENING, FONT, grey)


def _drawn(frame: Frame) -> Iterator[bytes]:
    picture = raster.render(frame)
    box = picture.getbbox()
    if box is None:
        return
    left, right = box[0] - box[0] % 2, min(codec.WIDTH_PX, box[2] + box[2] % 2)
    try:
        yield from codec.picture(picture.crop((left, box[1], right, box[3])), left, box[1])
    except ImportError:
        raise DeviceError(
            "pictures for ActiveLook need heatshrink2: pip install heatshrink2"
        ) from None
