"""ActiveLook's commands as bytes, and what comes back.

From MicroOLED's "ActiveLook Programming Interface" (github.com/ActiveLook/
Activelook-API-Documentation, ActiveLook_API.md); its sections are named beside each thing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH_PX, HEIGHT_PX = 304, 256
START, END = 0xFF, 0xAA
CLEAR, BATTERY, TEXT, HOLD_FLUSH, STREAM, FAULT = 0x01, 0x05, 0x37, 0x39, 0x44, 0xE2
"""Commands (4.3, 4.6, 4.7) and what tells of one that failed (4.15)."""
HOLD, FLUSH, RESET = 0, 1, 0xFF
MOST_DATA = 512
"""Most bytes of data in a command (3.1)."""
TO_RIGHT = 4
"""Rotation of text that is read from left to right with its upper left corner given (5.7)."""
HEATSHRINK_4BPP = 0x02
"""Format of a streamed picture of 16 greys (4.7)."""
WINDOW_BITS, LOOKAHEAD_BITS = 8, 4
"""What the glasses' own Heatshrink is set to (5.5.3)."""
GO, STOP, CORRUPT, OVERFLOW = 0x01, 0x02, 0x03, 0x04
"""What the control characteristic says (3.5)."""
LONGEST = 600
"""A command is at most 533 bytes (3.1); what claims to be longer is none."""


@dataclass(frozen=True, slots=True)
class Message:
    """A command, or an answer to one."""

    command: int
    """What it is about."""
    query: bytes
    """What its sender called it; an answer has the name of the question."""
    data: bytes
    """Its parameters, the most significant byte first."""


def packed(command: int, data: bytes = b"", query: bytes = b"") -> bytes:
    """Return a command as it goes over the link (3.1). Raises ValueError for one too long."""
    if len(data) > MOST_DATA or len(query) > 15:
        raise ValueError(f"a command of ActiveLook holds 512 bytes, not {len(data)}")
    size = 5 + len(query) + len(data)
    wide = size > 0xFF
    length = (size + 1).to_bytes(2, "big") if wide else bytes((size,))
    return bytes((START, command, wide << 4 | len(query))) + length + query + data + bytes((END,))


def hold_flush(action: int) -> bytes:
    """Return what holds back what is drawn, or lights it at once (4.6, holdFlush)."""
    return packed(HOLD_FLUSH, bytes((action,)))


def text(x_px: int, y_px: int, said: str, font: int, grey: int) -> bytes:
    """Return what writes ASCII, its upper left corner `x_px`, `y_px` from that of the lens.

    The glasses count from the lower right corner (5.7). `grey` is 1 … 15. Raises ValueError.
    """
    place = struct.pack(">hh", WIDTH_PX - 1 - x_px, HEIGHT_PX - 1 - y_px)
    return packed(TEXT, place + bytes((TO_RIGHT, font, grey)) + said.encode("ascii") + b"\0")


def picture(image: Image, left_px: int, top_px: int) -> Iterator[bytes]:
    """Yield what draws a picture of mode `L` at a place: strips that each fit into one command.

    They are sent turned by half a circle, as they count from the lower right corner, two pixels a
    byte, the first in its lower half (5.5.1), compressed (5.5.5). Raises ImportError.
    """
    from PIL import Image as Images

    rows = image.height
    top = 0
    while top < image.height:
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        raw = _nibbles(strip.transpose(Images.Transpose.ROTATE_180))
        small = _compressed(raw)
        if len(small) > MOST_DATA and strip.height > 1:
            rows = max(1, strip.height // 2)
            continue
        x = WIDTH_PX - left_px - strip.width
        y = HEIGHT_PX - top_px - top - strip.height
        head = struct.pack(">IHhhB", len(raw), strip.width, x, y, HEATSHRINK_4BPP)
        yield packed(STREAM, head)
        yield packed(STREAM, small)
        top += strip.height


class Reader:
    """Puts together what the glasses notify: a message may come in several pieces, or be cut."""

    def __init__(self) -> None:
        self._kept = b""

    def take(self, piece: bytes) -> Iterator[Message]:
        """Yield each message that is whole now; what cannot be one is left out."""
        self._kept += piece
        while (begin := self._kept.find(bytes((START,)))) >= 0:
            self._kept = self._kept[begin:]
            if len(self._kept) < 5:
                return
            kind = self._kept[2]
            wide, named = kind >> 4 & 1, kind & 0x0F
            size = int.from_bytes(self._kept[3 : 4 + wide], "big")
            head = 4 + wide + named
            if kind & 0xE0 or not head < size <= LONGEST:
                self._kept = self._kept[1:]  # no beginning of a message
                continue
            if len(self._kept) < size:
                return
            whole = self._kept[:size]
            if whole[-1] != END:
                self._kept = self._kept[1:]
                continue
            self._kept = self._kept[size:]
            yield Message(whole[1], whole[4 + wide : head], whole[head:-1])
        self._kept = b""


def _nibbles(image: Image) -> bytes:
    greys = [value // 17 for value in image.tobytes()]
    width = image.width + image.width % 2  # an odd row ends with a dummy
    packed_rows = bytearray()
    for at in range(0, len(greys), image.width):
        row = greys[at : at + image.width] + [0] * (width - image.width)
        packed_rows += bytes(low | high << 4 for low, high in zip(row[::2], row[1::2], strict=True))
    return bytes(packed_rows)


def _compressed(raw: bytes) -> bytes:
    import heatshrink2

    shrunk: Any = heatshrink2.compress(raw, window_sz2=WINDOW_BITS, lookahead_sz2=LOOKAHEAD_BITS)
    return bytes(shrunk)
