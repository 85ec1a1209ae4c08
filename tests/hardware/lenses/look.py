"""ActiveLook glasses for tests: they read the protocol as the maker's document has it.

What is written is kept as words and places, what is streamed as pixels.
"""

from __future__ import annotations

import struct

import heatshrink2
from bumble.core import AdvertisingData
from PIL import Image

from tests.hardware.lenses.air import Peripheral

BASE = "0783B03E-8535-B5A0-7140-A304D2495C"
SERVICE, NOTIFIES, CONTROLS, WRITES = (BASE + end for end in ("B7", "B8", "B9", "BA"))
TOUCHES = BASE + "BC"
ADDRESS = "F0:F1:F2:F3:F4:11"
NAME = "A.LooK    000128"
MAKER = bytes.fromhex("fada08f2")


class Glasses(Peripheral):
    """What they show; nothing of it before it is flushed."""

    def __init__(self, air, seed=1, touches=True):
        told = [(AdvertisingData.MANUFACTURER_SPECIFIC_DATA, MAKER)]
        notifies = [NOTIFIES, CONTROLS, *([TOUCHES] if touches else [])]
        super().__init__(air, NAME, ADDRESS, SERVICE, WRITES, notifies, told, seed)
        self.words, self.pixels = [], Image.new("L", (304, 256))
        self.flushes = 0
        self.buffered, self.stops, self.never_goes_on = 0, 0, False
        self.corrupt = 0
        """How many commands to call corrupt."""
        self._bytes, self._held, self._stream = b"", 0, None
        self._memory = ([], self.pixels)

    def heard(self, data):
        self._bytes += data
        while len(self._bytes) >= 5:
            assert self._bytes[0] == 0xFF, self._bytes.hex(" ")
            wide, named = self._bytes[2] >> 4 & 1, self._bytes[2] & 15
            size = int.from_bytes(self._bytes[3 : 4 + wide])
            assert size <= 533
            if len(self._bytes) < size:
                return
            whole, self._bytes = self._bytes[:size], self._bytes[size:]
            assert whole[-1] == 0xAA
            head = 4 + wide + named
            self._flow()
            if self.corrupt:
                self.corrupt -= 1
                self.say(CONTROLS, b"\x03")
            else:
                self._done(whole[1], whole[4 + wide : head], whole[head:-1])

    def _flow(self):
        """Ask to wait after each eighth command, as a full buffer does."""
        self.buffered += 1
        if self.buffered == 8:
            self.buffered = 0
            self.stops += 1
            self.say(CONTROLS, b"\x02")
            if not self.never_goes_on:
                self.say(CONTROLS, b"\x01")

    def _done(self, command, query, data):
        words, pixels = self._memory
        if command == 0x39:
            self._held = {0: self._held + 1, 1: max(0, self._held - 1), 0xFF: 0}[data[0]]
            self.flushes += data[0] == 1
        elif command == 0x01:
            assert data == b""
            words, pixels = [], Image.new("L", (304, 256))
        elif command == 0x37:
            x, y, turned, font, grey = struct.unpack(">hhBBB", data[:7])
            assert turned == 4
            assert data[-1] == 0
            assert 0 < grey <= 15
            words = [*words, (303 - x, 255 - y, data[7:-1].decode("ascii"), font, grey)]
        elif command == 0x44 and self._stream is None:
            self._stream = struct.unpack(">IHhhB", data)
        elif command == 0x44:
            size, width, x, y, how = self._stream
            self._stream = None
            assert how == 2
            raw = heatshrink2.decompress(data, window_sz2=8, lookahead_sz2=4)
            assert len(raw) == size
            assert width % 2 == 0
            levels = bytes(17 * half for byte in raw for half in (byte & 15, byte >> 4))
            strip = Image.frombytes("L", (width, len(levels) // width), levels)
            pixels = pixels.copy()
            place = (304 - x - strip.width, 256 - y - strip.height)
            pixels.paste(strip.transpose(Image.Transpose.ROTATE_180), place)
        elif command == 0x05:
            size = bytes((6 + len(query),))
            self.say(NOTIFIES, b"\xff\x05" + bytes((len(query),)) + size + query + b"\x50\xaa")
        else:
            raise AssertionError(f"no such command: {command:02x}")
        self._memory = words, pixels
        if not self._held:
            self.words, self.pixels = self._memory

    async def drop(self, stay=True):
        self._bytes, self._held, self._stream = b"", 0, None
        self.words, self.pixels = self._memory
        await super().drop(stay)
