"""Ports: what the agent asks of the glasses' hardware. No device is named here.

Concrete devices live beside this file (`microphone`, `display`, `speaker`, …) and are chosen by
the composition root, `agent.cli`. Everything here is standard library only, so that importing a
port never loads an engine.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

SAMPLE_RATE_HZ = 16_000
SAMPLE_BYTES = 2
CHUNK_MS = 20


class DeviceError(Exception):
    """A device is absent, vanished or refused; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A slice of what the microphone heard: 16 kHz, mono, signed 16-bit little-endian PCM."""

    pcm: bytes
    """10, 20 or 30 ms of samples (320, 640 or 960 bytes)."""
    start_ms: float
    """When its first sample was captured, in ms since the stream began."""

    @property
    def words(self) -> bytes:
        """The samples that tell what was said."""
        return self.pcm

    @property
    def duration_ms(self) -> float:
        """Length in ms, from the number of samples."""
        return len(self.pcm) / (SAMPLE_BYTES * SAMPLE_RATE_HZ) * 1000

    @property
    def end_ms(self) -> float:
        """When its last sample was captured, in ms since the stream began."""
        return self.start_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class DualChunk(AudioChunk):
    """A slice heard by two microphones at once: `pcm` through the wearer's bones, and this."""

    air: bytes
    """The same time through the air, as long as `pcm`."""

    @property
    def words(self) -> bytes:
        """The air's: it carries the consonants."""
        return self.air


@dataclass(frozen=True, slots=True)
class AbsentChunk(AudioChunk):
    """Silence in the place of a microphone that is away, so that time goes on."""


@runtime_checkable
class Microphone(Protocol):
    """A stream of audio chunks with a clock of its own."""

    @property
    def name(self) -> str:
        """What `glasses doctor` and the first line of `glasses talk` call it."""
        ...

    def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield chunks in order until the stream ends.

        Raises DeviceError when the device vanishes.
        """
        ...

    def now_ms(self) -> float:
        """Now, in ms since the stream began, on the clock that stamps the chunks.

        Live and real-time streams answer wall time. A stream that runs as fast as it can answers
        the end of the last chunk it handed out plus the wall time since, so that a timing means
        the same at every pace.
        """
        ...


@dataclass(frozen=True, slots=True)
class BoneProfile:
    """How a bone-conduction microphone hears, read from `hardware/profiles/NAME.toml`.

    Each value's source stands beside it in the file.
    """

    band_hz: int
    """Upper edge of what the sensor passes; above it there is only its noise."""
    gain_db: float
    """How much louder its sound is made, so that speech is as loud as on an air microphone."""
    vad_mode: int
    """Aggressiveness of WebRTC's voice detector on its sound, 0 … 3."""
    corner_hz: int
    """From where on bone and skin weaken speech."""
    slope_db_per_octave: float
    """How fast they do above the corner."""
    boost_db: float
    """The most that the equaliser gives back: beyond, it would raise noise and no speech."""


def cell_px(font_px: int) -> int:
    """Return how wide a Latin letter is at a height of the font: 0.6 of it in monospaced fonts."""
    return round(0.6 * font_px)


Style = Literal["text", "strong", "large"]
"""How letters look: as text does, bolder, or larger."""


class Typeface(Protocol):
    """What a lens with pixels sets its rows in, each letter as wide as it is."""

    @property
    def room_px(self) -> int:
        """Width of a row in pixels."""
        ...

    @property
    def step_px(self) -> int:
        """How far in a row begins for each cell that it would be indented by."""
        ...

    @property
    def one_bit(self) -> bool:
        """Whether weight alone can tell what matters more, as there is one brightness."""
        ...

    def widths(self, style: Style) -> Mapping[str, int]:
        """Return how many pixels wide each grapheme is; there is a width for all of them."""
        ...


@dataclass(frozen=True, slots=True)
class DisplayProfile:
    """What one kind of lens can show, read from `hardware/profiles/NAME.toml`."""

    name: str
    """Profile name, as in the file name: `quark-s1`."""
    width_px: int
    """Width of the canvas in pixels."""
    height_px: int
    """Height of the canvas in pixels."""
    grey_levels: int
    """Brightness steps including black: 2 for one-bit panels, 16 for most waveguides."""
    columns: int
    """Cells in one line; a Latin letter takes one, a CJK character two."""
    lines: int
    """Lines on one page, title line included."""
    font_px: int
    """Height of the font in pixels."""
    update_ms: int
    """Shortest time between two updates in ms."""
    tint: tuple[int, int, int] = (255, 255, 255)
    """RGB colour of the light at full brightness, for pictures people look at."""
    has: frozenset[str] = frozenset()
    """What the glasses around this lens have beside it: `camera`, `microphone`, `speaker`, `imu`,
    `touch`, `location`."""
    own_font: bool = False
    """The lens sets text itself, where its font has all of it: rows keep to its cells."""
    type: Typeface | None = None
    """What rows are set in by a display that draws them; None for letters in cells, as where a
    lens or a terminal sets its own text."""


class Run(NamedTuple):
    """A piece of a row."""

    at: int
    """Where it begins, from the edge at which its row begins to be read: in pixels of a row that is
    set in type, in cells while one of cells is laid out."""
    text: str
    """What it says, in the order in which it is read."""
    style: Style = "text"
    """How its letters look."""


@dataclass(frozen=True, slots=True)
class Line:
    """One laid-out line of a frame."""

    text: str
    """What it says, its columns at least two spaces apart; in cells, never wider than the profile's
    columns."""
    brightness: float = 1.0
    """0 (transparent) … 1 (brightest): hierarchy on an additive display."""
    runs: tuple[Run, ...] = ()
    """The same where it is set in type; empty where it stands in cells."""


class Stroke(NamedTuple):
    """A line of a sketch."""

    points: tuple[tuple[float, float], ...]
    """Two at least, in halves of the width of where it is drawn, from its middle: right and down
    are positive, and what lies outside is cut off."""
    brightness: float = 1.0
    """As of a line of text."""
    width: float = 0.08
    """How thick it is, in the same measure; on a lens it is a pixel at least."""


Sketch = tuple[Stroke, ...]
"""A small drawing, later strokes over earlier ones."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One page of a card, laid out for one profile and ready to be lit."""

    profile: DisplayProfile
    """The lens it was laid out for."""
    lines: tuple[Line, ...]
    """At most `profile.lines` of them, top to bottom."""
    page: int = 1
    """Which page this is, from 1."""
    pages: int = 1
    """How many pages the card has."""
    listening: bool = False
    """The microphone is open for what the wearer says: always shown."""
    recording: bool = False
    """What is said is being kept: always shown, and more plainly."""
    light: float = 1.0
    """0 … 1, how bright the whole lens is lit: less at night, on a low battery, when hot."""
    partial: bool = False
    """More of the text is on its way, and the next frame has it too."""
    sketch: Sketch = ()
    """What a lens with pixels draws in the place of the arrow that its first rows begin with."""


@runtime_checkable
class Display(Protocol):
    """Where frames go.

    A frame is its lines and, for who wants pixels, what `hardware.raster` draws of them: a lens
    that sets its own text takes the lines (`hardware.wireless.written`). One that is drawn gives a
    profile that says what it is set in (`hardware.raster.in_type`).
    """

    profile: DisplayProfile
    """What it can show."""

    def show(self, frame: Frame) -> None:
        """Light the frame; returns once the device has accepted it. Raises DeviceError."""
        ...

    def clear(self) -> None:
        """Make the lens transparent. Raises DeviceError."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where the wearer is."""

    lat: float
    """Degrees north, WGS-84."""
    lon: float
    """Degrees east, WGS-84."""
    heading_deg: float = 0.0
    """Where the wearer looks, degrees clockwise from north."""
    simulated: bool = False
    """True when no positioning device stands behind it; skills must say so."""
    error_m: float = 5.0
    """How far off it may be, in metres; a phone under open sky is good to 4.9 m (gps.gov)."""
    has_heading: bool = True
    """Whether it is known where the wearer looks: a receiver at rest does not tell."""


@runtime_checkable
class Location(Protocol):
    """Where the wearer is, from GPS, a phone, or a fixed place."""

    def where(self) -> Place:
        """Return the last known place. Raises DeviceError when there is none."""
        ...


@runtime_checkable
class Speaker(Protocol):
    """Plays sound files near the wearer's ear, one at a time."""

    name: str
    """What `glasses doctor` calls it."""
    available: bool
    """False where there is no sound device: `play` would raise."""

    def play(self, path: Path, at_s: float = 0.0) -> None:
        """Start a file, so many seconds in; returns at once. Raises DeviceError."""
        ...

    def pause(self) -> None:
        """Hold the position; nothing happens when nothing plays."""
        ...

    def resume(self) -> None:
        """Go on from the held position; nothing happens when nothing is held."""
        ...

    def stop(self) -> None:
        """Silence, position forgotten."""
        ...

    @property
    def playing(self) -> Path | None:
        """The file that sounds now, or None when paused, stopped or finished."""
        ...

    @property
    def position_s(self) -> float:
        """Seconds into the current file."""
        ...

    volume: int
    """0 … 100."""


QUIETER = 0.3
"""Share of its volume that what plays keeps while the wearer speaks: some 10 dB less."""


@runtime_checkable
class Player(Protocol):
    """Something that plays beside the speaker, such as a music server."""

    def quieter(self, on: bool) -> None:
        """Be quieter from now on, or as loud as before. Blocks, on any thread."""
        ...


def sounds(speaker: Speaker | None) -> bool:
    """Say whether something sounds on a speaker; not on one that cannot tell."""
    try:
        return speaker is not None and speaker.playing is not None
    except Exception:  # a speaker may come from a plugin
        return False


@runtime_checkable
class Voice(Protocol):
    """Says words aloud: it makes sound of them, which a speaker plays."""

    name: str
    """What `glasses doctor` calls it."""
    languages: frozenset[str]
    """What it can say: `en`, `zh`, …; nothing where there is no voice."""

    def sound(self, text: str, language: str) -> bytes:
        """Return a sentence as 16 kHz mono 16-bit PCM. Blocks, on any thread. Raises DeviceError.

        The text is words: numbers and signs are written out before.
        """
        ...


@dataclass(frozen=True, slots=True)
class Motion:
    """One reading of the IMU in the frame of the head: x to the right, y up, z to the back."""

    at_ms: float
    """When, on the IMU's own clock."""
    acceleration: tuple[float, float, float]
    """m/s² along x, y, z, gravity included: (0, 9.81, 0) when the head is held level and still."""
    rotation: tuple[float, float, float]
    """rad/s about x, y, z, right-handed: looking up, turning left and leaning left are positive."""


@runtime_checkable
class Imu(Protocol):
    """How the head moves."""

    name: str
    """What `glasses doctor` calls it."""

    def readings(self) -> AsyncGenerator[Motion, None]:
        """Yield readings in order, 50 … 200 a second. Raises DeviceError when it vanishes."""
        ...


@dataclass(frozen=True, slots=True)
class Power:
    """What the batteries are at, and how warm the glasses are."""

    cells: tuple[float | None, ...]
    """Charge of each cell, 0 … 1; None where it is taken out."""
    temperature_c: float | None = None
    """Temperature of the frame in °C, None where nothing measures it."""
    charging: bool = False
    """Whether power comes in."""


@runtime_checkable
class Battery(Protocol):
    """The cells that the glasses run on."""

    name: str
    """What `glasses doctor` calls it."""

    def state(self) -> Power:
        """Return how things are now; quick. Raises DeviceError where it cannot be told."""
        ...


@runtime_checkable
class LightSensor(Protocol):
    """How bright it is around the wearer."""

    @property
    def name(self) -> str:
        """What `glasses doctor` calls it."""
        ...

    @property
    def lux(self) -> float:
        """Illuminance now, in lux: 1 by night, 300 indoors, 100,000 in the sun. Quick.

        Raises DeviceError where it cannot be told.
        """
        ...


@runtime_checkable
class Camera(Protocol):
    """What the wearer sees; a skill has it from `ctx.device("camera")`."""

    name: str
    """What `glasses doctor` calls it."""

    def take(self) -> bytes:
        """Return a JPEG, at most 1 MiB, of what is seen now. Blocks. Raises DeviceError."""
        ...


@dataclass(frozen=True, slots=True)
class Devices:
    """The devices one agent owns; `agent.cli` builds it, tests build it from virtual ones."""

    display: Display
    """Where replies are shown."""
    location: Location | None = None
    """None when the glasses cannot tell where they are."""
    speaker: Speaker | None = None
    """None when there is nothing to play with."""
    imu: Imu | None = None
    """None when nothing tells how the head moves."""
    battery: Battery | None = None
    """None when nothing tells how much power is left."""
    light: LightSensor | None = None
    """None when nothing tells how bright it is."""
    others: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    """What gives each further device, such as a camera, by kind; it is opened when asked for."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """One line per device that was asked for and is missing, by its name."""
    voice: Voice | None = None
    """None when nothing says aloud what is shown."""
