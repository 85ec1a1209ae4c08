"""A Halo behind the maker's own library: only the strips that changed are sent.

The panel draws at once what it is given (its manual: no second buffer), so a link that drops leaves
half a picture; on the next link the lens begins dark and gets the whole one. The maker's library
finds glasses by their name, such as `Halo 08`, not by their address.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING, Any

from hardware import raster
from hardware.base import DeviceError, Frame
from hardware.wireless.bluetooth import why
from hardware.wireless.sound import Sound

if TYPE_CHECKING:
    from PIL.Image import Image

STRIP, DARK, DONE, LISTEN, SOUND = 0x20, 0x21, 0x22, 0x23, 0x24
"""Messages of `app.lua`."""
ROWS = 16
"""Rows of pixels in a strip; 2 kB, of which a message may hold 64."""
GREYS = bytes(grey for level in range(16) for grey in (17 * level,) * 3)
"""The palette: sixteen greys, 0 being black, which is see-through."""
FRAME_BYTES, FRAMES = 40, 4
"""A packet of sound: four LC3 frames of 10 ms."""
DONE_S = 5.0
"""How long a frame may take to be drawn once it was sent."""
LOOK_S = 0.5
"""How often the link is looked at."""


class Glasses:
    """The lens of a Halo. Everything runs on the loop of the links."""

    def __init__(self, name: str, called: str, make: Callable[[], Any] | None = None) -> None:
        """Connect to nothing yet.

        `called` is what the glasses call themselves over the air; `make` gives a `BrilliantMsg`, or
        what does the same, such as the emulator.
        """
        self.name = name
        self.on_sound: Callable[[Sound], None] = lambda sound: None
        """Called with what the microphone hears, on the loop of the links."""
        self._called = called
        self._make = make or _library
        self._message: Any = None
        self._lit: Image | None = None
        self._number = 0
        self._done: asyncio.Queue[int] = asyncio.Queue()

    async def open(self) -> None:
        """Connect, put the program on the glasses and start it. Raises DeviceError."""
        self._lit = None
        self._message = message = self._make()
        loop = asyncio.get_running_loop()

        def said(data: bytes) -> None:  # on any thread
            loop.call_soon_threadsafe(self._said, bytes(data))

        program = resources.files(__package__).joinpath("app.lua")
        try:
            await message.connect(name=self._called)
            await message.upload_stdlua_libs(["data", "sprite"])
            with resources.as_file(program) as path:
                await message.upload_frame_app(str(path))
            message.register_data_response_handler(self, [DONE, SOUND], said)
            await message.start_frame_app()
        except Exception as error:  # the library raises bare Exceptions
            raise DeviceError(why(error)) from error

    async def lost(self) -> None:
        """Wait until the link is gone."""
        while self._message is not None and self._message.is_connected():
            await asyncio.sleep(LOOK_S)

    async def close(self) -> None:
        """End the program and disconnect."""
        message, self._message = self._message, None
        if message is None:
            return
        try:
            async with asyncio.timeout(2 * DONE_S):
                if message.is_connected():
                    await message.stop_frame_app()
                await message.disconnect()
        except Exception:  # it is given up anyway
            return

    async def show(self, frame: Frame | None) -> None:
        """Light a frame: what of it is new. Raises DeviceError."""
        if self._message is None:
            raise DeviceError("the link was lost")
        before, self._lit = self._lit, None
        try:
            if frame is None or before is None:
                await self._message.send_message(DARK, b"\0")
                before = None
            picture = None if frame is None else raster.render(frame)
            if picture is not None:
                for top in range(0, picture.height, ROWS):
                    await self._strip(before, picture, top)
            await self._drawn()
        except DeviceError:
            raise
        except Exception as error:
            raise DeviceError(why(error)) from error
        self._lit = picture

    async def listen(self, is_on: bool) -> None:
        """Open or close the microphone. Raises DeviceError."""
        if self._message is None:
            raise DeviceError("the link was lost")
        try:
            await self._message.send_message(LISTEN, bytes((is_on,)))
        except Exception as error:
            raise DeviceError(why(error)) from error

    def _said(self, data: bytes) -> None:
        """Take what the program sends; what is cut short is nothing."""
        if data[:1] == bytes((DONE,)) and len(data) == 3:
            self._done.put_nowait(int.from_bytes(data[1:], "big"))
        elif data[:1] == bytes((SOUND,)) and len(data) == 2 + FRAMES * FRAME_BYTES:
            whole = range(2, len(data), FRAME_BYTES)
            self.on_sound(Sound(data[1], tuple(data[at : at + FRAME_BYTES] for at in whole)))

    async def _strip(self, before: Image | None, picture: Image, top: int) -> None:
        from brilliant_msg import TxSprite

        box = (0, top, picture.width, min(top + ROWS, picture.height))
        strip = picture.crop(box)
        same = before is not None and before.crop(box).tobytes() == strip.tobytes()
        if same or (before is None and strip.getbbox() is None):
            return
        levels = strip.point([value // 17 for value in range(256)])
        sprite = TxSprite(strip.width, strip.height, 16, GREYS, levels.tobytes())
        await self._message.send_message(STRIP, (top + 1).to_bytes(2, "big") + sprite.pack())

    async def _drawn(self) -> None:
        """Wait until the glasses say that all of it is drawn. Raises DeviceError."""
        self._number = (self._number + 1) % 0x10000
        await self._message.send_message(DONE, self._number.to_bytes(2, "big"))
        try:
            async with asyncio.timeout(DONE_S):
                while await self._done.get() != self._number:
                    continue
        except TimeoutError:
            raise DeviceError("it no longer draws what it is sent") from None


def _library() -> Any:
    try:
        from brilliant_msg import BrilliantMsg
    except ImportError:
        raise DeviceError("a Halo needs brilliant-msg: pip install brilliant-msg") from None
    return BrilliantMsg()
