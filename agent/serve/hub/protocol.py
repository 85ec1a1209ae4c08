"""What glasses and hub say to each other, over one WebSocket each.

    GET /glasses/NAME, Authorization: Bearer KEY
    hello      ─▶   first: which turns have been answered, and what was sent before the link broke
    sound      ─▶   binary: the number of its first chunk (4 bytes, big-endian), then whole chunks,
                    20 ms of 16 kHz mono 16-bit PCM each
    say        ─▶   a typed line, with a number
    bye        ─▶   the glasses are taken off: nothing is gone on with next time
               ◀─   welcome   what is answered: send again all that comes after it
               ◀─   lens      what is lit
               ◀─   turn      an answer; all sound, or all lines, up to its number are done with
               ◀─   heard     there was nothing in the sound up to this number
               ◀─   note      one line for the wearer
               ◀─   bye       why the connection is closed, and when to come again

Numbers of chunks and of lines only ever rise, over all connections of a pair of glasses. Glasses
keep what is not done with and send it again after a break; the hub answers each of it once.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.errors import GlassesError
from agent.serve.cutting import CHUNK_BYTES, CHUNK_MS
from hardware import reading

VERSION = 1
"""Of the protocol."""
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What tenants and glasses may be called: it becomes the name of a folder."""
MOST_BYTES = 64 << 10
"""Longest message; two seconds of sound. A longer one is refused by its head."""
MOST_CHUNKS = 100
"""Most chunks in one message."""
CHUNK_S = CHUNK_MS / 1000
"""Length of one."""
MOST_TEXT = 2_000
"""Most characters of a typed line."""
LAST = (1 << 32) - 1
"""Highest number: 2.7 years of sound."""
HEAD = struct.Struct(">I")

DONE, RESTART, NONSENSE, STALLED, FULL, ELSEWHERE = 1000, 1012, 1007, 1008, 1013, 4001
"""Codes that a connection is closed with (RFC 6455, its registry, and one of ours)."""


class Nonsense(GlassesError):
    """Glasses sent what the protocol does not have."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far both streams of a pair of glasses have come; -1 is nothing yet."""

    sound: int = -1
    """Number of a chunk."""
    line: int = -1
    """Number of a typed line."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message."""

    through: Cursor = Cursor()
    """What the glasses know to be done with."""
    again: Cursor = Cursor()
    """What they had sent before this connection: no yes in it counts for a question asked now."""
    language: str = "auto"
    """`en`, `zh` or `auto`."""
    profile: str = ""
    """The lens, as `even-g1`; empty is the hub's own setting."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Chunks of sound, one after the other."""

    number: int
    """Of the first."""
    chunks: tuple[bytes, ...]
    """20 ms each."""


@dataclass(frozen=True, slots=True)
class Say:
    """A typed line."""

    line: int
    """Its number."""
    text: str
    """As typed."""


@dataclass(frozen=True, slots=True)
class Bye:
    """The glasses are taken off."""


Message = Hello | Sound | Say | Bye


def read(message: str | bytes) -> Message:
    """Return what a message is. Raises Nonsense."""
    return _sound(message) if isinstance(message, bytes) else _text(message)


def sound(number: int, pcm: bytes) -> bytes:
    """Write a message with whole chunks of sound."""
    return HEAD.pack(number) + pcm


def _sound(message: bytes) -> Sound:
    pcm = message[HEAD.size :]
    if not pcm or len(pcm) % CHUNK_BYTES:
        raise Nonsense(f"sound comes in chunks of {CHUNK_BYTES} bytes behind a number of 4")
    chunks = tuple(pcm[at : at + CHUNK_BYTES] for at in range(0, len(pcm), CHUNK_BYTES))
    (number,) = HEAD.unpack_from(message)
    if len(chunks) > MOST_CHUNKS or number + len(chunks) - 1 > LAST:
        raise Nonsense(f"a message has {MOST_CHUNKS} chunks at most, numbers up to {LAST}")
    return Sound(number, chunks)


def _text(message: str) -> Message:
    try:
        found = reading.from_json(message)
    except (ValueError, RecursionError):
        raise Nonsense("a message is no JSON") from None
    if not isinstance(found, dict):
        raise Nonsense("a message is no JSON object")
    match found.get("type"):
        case "hello":
            return _hello(found)
        case "say":
            text = found.get("text")
            if not isinstance(text, str) or len(text) > MOST_TEXT:
                raise Nonsense(f"a line is text of {MOST_TEXT} characters at most")
            return Say(_number(found.get("line"), 0), text)
        case "bye":
            return Bye()
        case other:
            raise Nonsense(f"there is no message {str(other)[:40]!r}")


def _hello(found: Mapping[str, Any]) -> Hello:
    if found.get("version") != VERSION:
        raise Nonsense(f"this hub speaks version {VERSION} of the protocol")
    language, profile = found.get("language", "auto"), found.get("profile", "")
    if language not in ("auto", "en", "zh"):
        raise Nonsense("language is en, zh or auto")
    if not isinstance(profile, str) or not (profile == "" or NAME.fullmatch(profile)):
        raise Nonsense("profile is the name of a lens")
    return Hello(_cursor(found.get("through")), _cursor(found.get("again")), language, profile)


def _cursor(found: object) -> Cursor:
    if found is None:
        return Cursor()
    if not isinstance(found, dict):
        raise Nonsense("a cursor is an object with sound and line")
    return Cursor(_number(found.get("sound", -1), -1), _number(found.get("line", -1), -1))


def _number(value: object, least: int) -> int:
    if type(value) is not int or not least <= value <= LAST:
        raise Nonsense(f"a number is {least} … {LAST}")
    return value


def write(kind: str, **fields: Any) -> str:
    """Write a message of the hub's."""
    return json.dumps({"type": kind, **fields}, ensure_ascii=False)
