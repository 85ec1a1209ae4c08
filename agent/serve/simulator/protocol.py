"""The messages between a page and the glasses it wears, and how they are read.

Control is JSON in text frames, `{"type": "say", "text": "…"}`, one object a message; its keys are
the fields of the classes below, all of them and no others. Sound and pictures are binary frames:

    1, number of the chunk (uint32, big endian), 16 kHz mono s16le PCM     `Sound`
    2, number of the request (uint32, big endian), a JPEG                  `Picture`

What cannot be read closes the connection with 1007, what is too long with 1009, and who sends too
much with 1008: a page of ours never does, so nothing is guessed and nothing is mended.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from agent.errors import GlassesError

VERSION = 1
"""Of the protocol; page and server come from one package, so another is a page left open."""

MAX_BYTES = 1 << 20
"""Longest message, 1 MiB: a picture of 1280 × 960 is a quarter of it."""
MAX_SOUND_S = 1.0
"""Most sound in one message; pages send 20 ms."""

GOING_AWAY, JUNK, REFUSED, TOO_BIG, BROKEN, BUSY = 1001, 1007, 1008, 1009, 1011, 1013
"""Codes of RFC 6455 that connections are closed with: the server ends, the message cannot be read,
too many messages, too long a message, a fault of ours, no glasses left."""

_HEAD = struct.Struct(">BI")
_SOUND, _PICTURE = 1, 2


class Junk(GlassesError):
    """A message that cannot be read; the connection it came on is closed with `JUNK`."""


def _one_of(*values: str) -> Any:
    return field(metadata={"values": frozenset(values)})


def _text(most: int, pattern: str = "") -> Any:
    return field(metadata={"most": most, "pattern": pattern})


def _number(least: float, most: float) -> Any:
    return field(metadata={"least": least, "most": most})


# -- from the page --------------------------------------------------------------------------------


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
    | Setting | Wear | Record | EndReplay | Played | Blind | Sound | Picture
)  # fmt: skip

_KINDS: Mapping[str, type[Any]] = {
    "hello": Hello, "say": Say, "complete": Complete, "listen": Listen, "hold": Hold,
    "gesture": Gesture, "walk": Walk, "light": Light, "cell": Cell, "temperature": Temperature,
    "link": Link, "setting": Setting, "wear": Wear, "record": Record, "end_replay": EndReplay,
    "played": Played, "blind": Blind,
}  # fmt: skip


def read_text(text: str) -> FromPage:
    """Read a control message. Raises Junk that says what is wrong with it, never what it holds."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
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


# -- to the page ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Welcome:
    """The glasses are on: what they are and what they can do. Sent anew after each change."""

    version: str
    """Of the package."""
    profile: dict[str, Any]
    """Of the lens: `name`, `width_px`, `height_px`, `grey_levels`, `tint`, and so on."""
    profiles: list[str]
    """What else can be worn."""
    language: str
    """Language spoken: `auto`, `en`, `zh`."""
    skills: list[dict[str, Any]]
    """Of each action `name`, `summary`, `risk`, `sentences` and `examples` by language."""
    problems: list[str]
    """One line for each plugin that could not be loaded."""
    ears: str
    """Speech engine, or why there is none."""
    model: str
    """Language model, `none` where there is none."""
    spoken: list[dict[str, str]]
    """Spoken examples that can be played into the microphone: `name` and `text` of each."""


@dataclass(frozen=True, slots=True)
class Role:
    """Whether this page wears the glasses, or watches another that does."""

    wearer: bool
    """Whether what is done here counts."""
    pages: int
    """How many pages there are on these glasses."""


@dataclass(frozen=True, slots=True)
class Lens:
    """What has changed on the lens, and all that is on it now as text."""

    x: int
    """Left edge of the changed region in pixels of the lens."""
    y: int
    """Its upper edge."""
    png: str
    """The region as a grey PNG, base64; empty where no pixel has changed."""
    whole: bool
    """Whether the rest of the lens is black: the first picture, and one of another size."""
    rows: list[str]
    """Rows of text from top to bottom, for those who do not see the lens."""
    page: int
    """Which page of the card this is."""
    pages: int
    """How many it has."""
    listening: bool
    """Whether the microphone is open for what the wearer says."""
    light: float
    """0 … 1, how bright the lens is lit."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is being heard, or was."""

    text: str
    """The words so far."""
    final: bool
    """Whether the utterance is over."""
    confidence: float
    """0 … 1."""
    engine: str | None
    """Which engine heard it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A turn is over."""

    turn: dict[str, Any]
    """As `glasses say --json` prints it."""
    verdicts: list[dict[str, Any]]
    """What each stage of the router made of it: `stage`, `intent`, `probability`, `reason`,
    `took_ms`."""
    unknown: str | None
    """Why no skill took it, where none did."""
    replayed: bool
    """Whether it belongs to a session that is replayed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of something that was to be shown."""

    kind: str
    """`shown`, `queued`, `replaced`, `expired` or `refused`."""
    owner: str
    """Who wanted it: a skill, or `agent`."""
    priority: str
    """`alert`, `proposal`, `foreground`, `background` or `dashboard`."""
    text: str
    """Its first line."""
    reason: str
    """One line, where there is more to say."""


@dataclass(frozen=True, slots=True)
class Look:
    """A skill wants a picture of what the wearer sees: answer with `Picture` or `Blind`."""

    request: int
    """Which."""


@dataclass(frozen=True, slots=True)
class Next:
    """What can be said now, given what was typed."""

    text: str
    """As in `Complete`."""
    options: list[str]
    """Whole lines to go on with, best first."""
    asking: bool
    """Whether the wearer has been asked something."""


@dataclass(frozen=True, slots=True)
class State:
    """How things are with the glasses."""

    cells: list[float | None]
    """Charge of each cell, 0 … 1; None where it is taken out."""
    temperature_c: float
    """Of the frame."""
    lux: float
    """Around it."""
    walking: bool
    """Whether the wearer walks."""
    lost: bool
    """Whether the link is gone."""
    on: bool
    """Whether the glasses have power."""
    recording: bool
    """Whether what is said and answered is written down."""


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the person at the page, who is not the wearer."""

    kind: str
    """What it is about, for the page's own words: see `agent/serve/simulator/page/words.js`."""
    text: str = ""
    """What there is to add, where the page has no words for it."""


@dataclass(frozen=True, slots=True)
class Play:
    """The speaker at the wearer's ear: what the page is to do with its own."""

    do: str
    """`play`, `pause`, `resume`, `stop` or `volume`."""
    key: str = ""
    """Which tune: the page fetches `sound/KEY`."""
    volume: int = 100
    """0 … 100."""
    at_s: float = 0.0
    """Where in the tune, for a page that came while it was playing."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording is over."""

    key: str
    """The page fetches `recording/KEY` once."""


@dataclass(frozen=True, slots=True)
class Replay:
    """How far a replay has come."""

    done: int
    """Inputs that were given again."""
    total: int
    """Inputs of the session."""
    running: bool
    """Whether it goes on."""
    differences: list[str]
    """One line for each answer that is not as recorded; told at the end."""


@dataclass(frozen=True, slots=True)
class Health:
    """What the microphone's stream went through since the page came."""

    chunks: int
    """Chunks of 20 ms that the agent has heard."""
    dropped: int
    """Chunks thrown away since the agent was 10 s behind."""
    missing: int
    """Chunks that never came."""
    odd: int
    """Messages that held half a sample, which was cut off."""


ToPage = (
    Welcome | Role | Lens | Heard | Answered | Outcome | Look | Next | State | Note | Play
    | Recorded | Replay | Health
)  # fmt: skip


def write(message: ToPage) -> str:
    """Write a message to a page as JSON."""
    body = {"type": type(message).__name__.lower(), **asdict(message)}
    return json.dumps(body, separators=(",", ":"), allow_nan=False)  # ASCII: surrogates go through
