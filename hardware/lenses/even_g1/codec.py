"""What goes over the link to an arm of an Even G1, and back: bytes and their meaning, no more.

From the maker's EvenDemoApp (github.com/even-realities/EvenDemoApp, README "Protocol", and its
`proto.dart`, `bmp_update_manager.dart` and `PcmConverter.m` where the README is silent); what its
own font can set, from MentraOS's profile of it.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardware.wireless.sound import Sound

if TYPE_CHECKING:
    from PIL.Image import Image

MICROPHONE, PICTURE, CHECK, LEAVE = 0x0E, 0x15, 0x16, 0x18
END, BEAT, HELLO, TEXT, SOUND, EVENT = 0x20, 0x25, 0x4D, 0x4E, 0xF1, 0xF5

TAKEN, MORE = 0xC9, 0xCB
"""How an arm says yes; the second asks for what is still to come."""

WIDTH_PX, HEIGHT_PX = 576, 136
ADDRESS = bytes((0x00, 0x1C, 0x00, 0x00))
"""Where the picture is kept in the glasses: before its first byte, and under its checksum."""
PICTURE_BYTES = 194
"""Most bytes of a picture in a packet."""
TEXT_BYTES = 191
"""Most bytes of text in a packet."""
SHOWN = 0x71
"""Screen status of a page of text: new content (0x01), shown as text (0x70)."""

WIDEST, WIDE = frozenset("MWmw@&~"), frozenset("ABCDEFGHIJKLNOPQRSTUVXYZ0123456789#$%?<>=+")
WIDEST_PX, WIDE_PX, OTHER_PX, CJK_PX = 16, 14, 12, 18
"""Most that a character of its own font takes; MentraOS measured them on glasses (`g1.ts`)."""
_CJK = re.compile("[\u4e00-\u9fff\u3041-\u30ff。，！？：；（）【】「」]")
"""Of other scripts those are known to be in that font; what is not known is drawn."""

FRAME_BYTES, FRAMES = 20, 10
"""A packet of sound is ten LC3 frames of 10 ms, 20 bytes each, at 16 kHz."""
SOUND_BYTES = 2 + FRAME_BYTES * FRAMES

_HEADER = struct.Struct("<2sIHHI IiiHHIIiiII 8s")
_PIXELS_PER_M = 2834
"""72 dots an inch, as in the maker's own pictures."""
_WHITE_THEN_BLACK = bytes.fromhex("ffffff0000000000")
"""The palette of the maker's own pictures: a bit that is not set is light."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An arm's answer to a command."""

    command: int
    """The first byte of what is answered."""
    taken: bool
    """Whether it was accepted."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the wearer did: a touch of an arm, a look up."""

    code: int
    """0 double tap, 1 tap, 23 held, 24 let go; others are not in the maker's text."""


Heard = Answer | Sound | Event


def sets(text: str) -> bool:
    """Say whether the glasses' own font has all of a row, and the row fits into the lens."""
    width_px = 0
    for char in text:
        if " " <= char <= "~":
            width_px += WIDEST_PX if char in WIDEST else WIDE_PX if char in WIDE else OTHER_PX
        elif _CJK.match(char):
            width_px += CJK_PX
        else:
            return False
    return width_px <= WIDTH_PX


def bmp(image: Image) -> bytes:
    """Return a picture of mode `L` or `1` as the file that the glasses take, 9,854 bytes.

    Raises ValueError for one that is not 576x136.
    """
    if image.size != (WIDTH_PX, HEIGHT_PX):
        raise ValueError(f"a picture for an Even G1 is 576x136, not {image.width}x{image.height}")
    dark = image.convert("L").point([255] * 128 + [0] * 128).convert("1")
    row = WIDTH_PX // 8  # a multiple of four already, as a BMP wants it
    bits = dark.tobytes()
    upside_down = b"".join(bits[at : at + row] for at in range(len(bits) - row, -1, -row))
    size = _HEADER.size + len(upside_down)
    return (
        _HEADER.pack(
            b"BM", size, 0, 0, _HEADER.size,
            40, WIDTH_PX, HEIGHT_PX, 1, 1, 0, len(upside_down), _PIXELS_PER_M, _PIXELS_PER_M, 0, 0,
            _WHITE_THEN_BLACK,
        )
        + upside_down
    )  # fmt: skip


def picture(file: bytes) -> tuple[bytes, ...]:
    """Return the packets of a picture, to be ended with `end` and checked with `check`."""
    parts = [file[at : at + PICTURE_BYTES] for at in range(0, len(file), PICTURE_BYTES)]
    return tuple(
        bytes((PICTURE, number & 0xFF)) + (b"" if number else ADDRESS) + part
        for number, part in enumerate(parts)
    )


def end() -> bytes:
    """Return what says that a picture was sent whole."""
    return bytes((END, 0x0D, 0x0E))


def check(file: bytes) -> bytes:
    """Return what makes the glasses compare a picture's CRC-32 (XZ, big-endian) and light it."""
    return bytes((CHECK,)) + zlib.crc32(ADDRESS + file).to_bytes(4, "big")


def page(rows: Sequence[str], number: int, part: int = 1, parts: int = 1) -> tuple[bytes, ...]:
    """Return the packets of one page of text, `number` counting the pages sent, round at 256.

    `part` of `parts` is which page of its card it is, from 1.
    """
    text = "".join(f"{row}\n" for row in rows).encode()
    pieces = [text[at : at + TEXT_BYTES] for at in range(0, len(text), TEXT_BYTES)] or [b""]
    which = bytes((SHOWN, 0, 0, part & 0xFF, parts & 0xFF))
    return tuple(
        bytes((TEXT, number & 0xFF, len(pieces), at)) + which + piece
        for at, piece in enumerate(pieces)
    )


def hello() -> bytes:
    """Return what comes first on a link, as in the maker's app on iOS; no answer is documented."""
    return bytes((HELLO, 1))


def beat(number: int) -> bytes:
    """Return what keeps a link alive, every eight seconds in the maker's app."""
    return bytes((BEAT, 6, 0, number % 0xFF, 0x04, number % 0xFF))


def microphone(is_on: bool) -> bytes:
    """Return what opens or closes the microphone, which is in the right arm."""
    return bytes((MICROPHONE, int(is_on)))


def leave() -> bytes:
    """Return what ends whatever is shown."""
    return bytes((LEAVE,))


def heard(data: bytes) -> Heard | None:
    """Return what an arm has said; None for what is cut short, or is nothing that is known.

    A packet of sound that is not whole is none of it, as in the maker's app.
    """
    match data[:1]:
        case b"":
            return None
        case b"\xf1":
            if len(data) != SOUND_BYTES:
                return None
            whole = range(2, SOUND_BYTES, FRAME_BYTES)
            return Sound(data[1], tuple(data[at : at + FRAME_BYTES] for at in whole))
        case b"\xf5":
            return Event(data[1]) if len(data) > 1 else None
        case b"\x25":
            return Answer(BEAT, True) if len(data) > 5 and data[4] == 0x04 else None
        case b"\x16":  # the checksum comes back before the status
            return Answer(CHECK, data[5] == TAKEN) if len(data) > 5 else None
        case b"\x0e" | b"\x15" | b"\x18" | b"\x20" | b"\x4e":
            return Answer(data[0], data[1] in (TAKEN, MORE)) if len(data) > 1 else None
        case _:
            return None
