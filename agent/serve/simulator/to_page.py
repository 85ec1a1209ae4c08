"""What the glasses send to their pages; see `protocol`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


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
