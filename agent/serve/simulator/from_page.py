"""What a page sends to the glasses it wears, and how it is read; see `protocol`."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from agent.serve.simulator.protocol import MAX_SOUND_S, Junk
from hardware import reading

_HEAD = struct.Struct(">BI")
_SOUND, _PICTURE = 1, 2


def _one_of(*values: str) -> Any:
    return field(metadata={"values": frozenset(values)})


def _text(most: int, pattern: str = "") -> Any:
    return field(metadata={"most": most, "pattern": pattern})


def _number(least: float, most: float) -> Any:
    return field(metadata={"least": least, "most": most})


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of every page."""

    version: int = _number(0, 1 << 16)
    """Of the protocol that the page speaks."""
    pair: str = _text(64, r"[A-Za-z0-9_-]+")
    """Which pair of glasses it wants to wear; made when there is none."""


@dataclass(frozen=True, slots=True)
class Say:
    """The wearer typed a line."""

    text: str = _text(8_000)
    """As typed."""


@dataclass(frozen=True, slots=True)
class Complete:
    """The page wants to know what can follow what is being typed."""

    text: str = _text(200)
    """What is there so far."""


@dataclass(frozen=True, slots=True)
class Listen:
    """The page's microphone was opened or closed."""

    on: bool
    """Whether sound will come."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Push to talk."""

    down: bool
    """Whether the key is held."""


@dataclass(frozen=True, slots=True)
class Gesture:
    """The wearer's head or finger moved."""

    name: str = _one_of("nod", "shake", "glance", "lower", "tap", "double_tap")
    """How."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The wearer began or ceased to walk."""

    on: bool
    """Whether they walk."""


@dataclass(frozen=True, slots=True)
class Light:
    """How bright the surroundings are."""

    lux: float = _number(0, 200_000)
    """Illuminance: 1 a street at night, 300 a room, 100,000 the sun."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A battery cell was put in, charged, or taken out."""

    index: int = _number(0, 1)
    """Which of the two."""
    level: float | None = _number(0, 1)
    """Charge, 0 … 1; None where it is taken out."""


@dataclass(frozen=True, slots=True)
class Temperature:
    """How warm the frame of the glasses is."""

    celsius: float = _number(-40, 120)
    """In °C."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the page's device is, by its browser."""

    lat: float | None = _number(-90, 90)
    """Degrees north, WGS-84; None where the page tells no position any more."""
    lon: float | None = _number(-180, 180)
    """Degrees east."""
    heading: float | None = _number(0, 360)
    """Where it moves, degrees clockwise from north; None where that is not known."""
    accuracy: float = _number(0, 1e7)
    """How far off it may be, in metres."""


@dataclass(frozen=True, slots=True)
class Link:
    """The link between the glasses and what they run on."""

    lost: bool
    """Whether it is gone: then nothing is heard and nothing can be shown."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Other glasses, or another language."""

    profile: str = _text(64, r"[a-z0-9-]+")
    """Display profile."""
    language: str = _one_of("auto", "en", "zh")
    """Language spoken."""


@dataclass(frozen=True, slots=True)
class Wear:
    """A page that watches wants to wear the glasses."""


@dataclass(frozen=True, slots=True)
class Record:
    """Recording is to begin or to end."""

    on: bool
    """Whether to record from now on."""


@dataclass(frozen=True, slots=True)
class EndReplay:
    """The replay that goes on is to end."""


@dataclass(frozen=True, slots=True)
class Played:
    """A tune has come to its end in the page."""

    key: str = _text(64)
    """Which, as in `Play`."""


@dataclass(frozen=True, slots=True)
class Blind:
    """The page has no picture to give."""

    request: int = _number(0, (1 << 32) - 1)
    """Which request it answers."""
    reason: str = _text(200)
    """One line."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What the page's microphone heard."""

    number: int
    """Of the chunk, from 0 since the microphone was opened."""
    pcm: bytes
    """16 kHz mono s16le; 20 ms unless the page had to hurry."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the wearer sees."""

    request: int
    """Which request it answers."""
    jpeg: bytes
    """The picture."""


FromPage = (
    Hello | Say | Complete | Listen | Hold | Gesture | Walk | Light | Cell | Temperature | Link
    | Position
    | Setting | Wear | Record | EndReplay | Played | Blind | Sound | Picture
)  # fmt: skip

_KINDS: Mapping[str, type[Any]] = {
    "hello": Hello, "say": Say, "complete": Complete, "listen": Listen, "hold": Hold,
    "gesture": Gesture, "walk": Walk, "light": Light, "cell": Cell, "temperature": Temperature,
    "link": Link, "setting": Setting, "wear": Wear, "record": Record, "end_replay": EndReplay,
    "position": Position, "played": Played, "blind": Blind,
}  # fmt: skip


def read_text(text: str) -> FromPage:
    """Read a control message. Raises Junk that says what is wrong with it, never what it holds."""
    try:
        read = reading.from_json(text)
    except reading.Unreadable:
        raise Junk("a message is not JSON") from None
    if not isinstance(read, dict):
        raise Junk("a message is not an object")
    name = read.pop("type", None)
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise Junk("a message is of no known type")
    wanted = fields(kind)
    if read.keys() != {f.name for f in wanted}:
        raise Junk(f"a message {name} has other keys than {', '.join(f.name for f in wanted)}")
    for f in wanted:
        if not _CHECKS[str(f.type)](read[f.name], f.metadata):
            raise Junk(f"a message {name} has a value of {f.name} that it cannot have")
    made: FromPage = kind(**read)
    return made


def read_bytes(data: bytes) -> Sound | Picture:
    """Read a binary message. Raises Junk."""
    if len(data) <= _HEAD.size:
        raise Junk("a binary message is shorter than its head")
    kind, number = _HEAD.unpack_from(data)
    body = data[_HEAD.size :]
    if kind == _SOUND:
        if len(body) > MAX_SOUND_S * 32_000:
            raise Junk(f"a message holds more than {MAX_SOUND_S:g} s of sound")
        return Sound(number, body)
    if kind == _PICTURE:
        if not body.startswith(b"\xff\xd8\xff"):
            raise Junk("a picture is not a JPEG")
        return Picture(number, body)
    raise Junk("a binary message is of no known kind")


def sound(number: int, pcm: bytes) -> bytes:
    """Write what a page sends for a chunk of sound; for clients that are no page."""
    return _HEAD.pack(_SOUND, number) + pcm


def _is_bool(value: Any, _bounds: Mapping[str, Any]) -> bool:
    return isinstance(value, bool)


def _is_int(value: Any, bounds: Mapping[str, Any]) -> bool:
    return type(value) is int and bool(bounds["least"] <= value <= bounds["most"])


def _is_float(value: Any, bounds: Mapping[str, Any]) -> bool:
    if type(value) not in (int, float):
        return False
    return bool(bounds["least"] <= value <= bounds["most"]) and math.isfinite(value)


def _is_text(value: Any, bounds: Mapping[str, Any]) -> bool:
    if not isinstance(value, str):
        return False
    if "values" in bounds:
        return value in bounds["values"]
    if len(value) > bounds["most"] or any("\ud800" <= char <= "\udfff" for char in value):
        return False
    return not bounds["pattern"] or re.fullmatch(bounds["pattern"], value) is not None


def _is_float_or_none(value: Any, bounds: Mapping[str, Any]) -> bool:
    return value is None or _is_float(value, bounds)


_CHECKS: Mapping[str, Callable[[Any, Mapping[str, Any]], bool]] = {
    "bool": _is_bool,
    "int": _is_int,
    "float": _is_float,
    "float | None": _is_float_or_none,
    "str": _is_text,
}
