"""Doubles: what stands in for ears, places and whole agents. Each stands behind the real port."""

from __future__ import annotations

import math
import struct
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from agent.errors import EngineError
from agent.language.saying import Saying
from agent.listen.transcriber import Transcriber
from agent.listen.vad import WebRtcVad
from agent.loop.agent import Agent, AgentOptions
from agent.loop.stream import Listening
from agent.messages import Transcript
from agent.models.llm.model import Model
from agent.plugins.skills import Skills
from hardware.base import SAMPLE_RATE_HZ, DeviceError, Devices, Location, Place, Speaker
from hardware.display import MemoryDisplay
from hardware.location import FixedLocation
from hardware.profiles import load as load_profile

SCRIPTED = Listening(vad=WebRtcVad, stop=None, over=None)
"""What scripted ears listen with: silero is not fooled by `voiced`."""

MARKET = Place(lat=40.0026, lon=-34.9963, simulated=True)
"""Where a virtual wearer stands: the market square of the made-up town that ships."""


class ScriptedTranscriber:
    """Hears what the test says it hears, one text for each utterance."""

    name = "scripted"
    languages = frozenset({"en", "zh"})

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Queue `texts`, first in, first out; then it hears nothing."""
        self.texts = deque(texts)
        self.expected: list[Sequence[Saying]] = []
        self.heard_bytes = 0

    def expect(self, sayings: Sequence[Saying]) -> None:
        """Remember what could be said."""
        self.expected.append(sayings)

    def ambient(self, pcm: bytes) -> None:
        """Nothing is learnt from a quiet room."""

    def start(self) -> None:
        """Begin to count."""
        self.heard_bytes = 0

    def feed(self, pcm: bytes) -> None:
        """Count the samples."""
        self.heard_bytes += len(pcm)

    def partial(self) -> Transcript | None:
        """Never knows before the end."""
        return None

    def prepare(self) -> None:
        """Nothing to prepare."""

    def finish(self) -> Transcript:
        """Return the next text."""
        text = self.texts.popleft() if self.texts else ""
        return Transcript(text, engine=self.name)

    def abort(self) -> None:
        """Nothing to throw away."""

    def close(self) -> None:
        """Nothing to free."""


class ScriptedVoiceprint:
    """Knows from the test who speaks, one probability for each utterance."""

    name = "scripted"

    def __init__(self, told: Iterable[float | None] = ()) -> None:
        """Queue `told`, first in, first out; then it is the wearer."""
        self.told = deque(told)
        self.known = b""

    def enroll(self, utterances: Sequence[bytes]) -> bytes:
        """Return a profile that counts them. Raises EngineError for none."""
        if not any(utterances):
            raise EngineError("a voice needs speech: read more")
        return f"voice of {len(utterances)}".encode()

    def know(self, profile: bytes) -> None:
        """Remember the profile. Raises EngineError for one that is not of `enroll`."""
        if not profile.startswith(b"voice of "):
            raise EngineError("this is no profile: glasses enroll --voice again")
        self.known = profile

    def wearer(self, pcm: bytes) -> float | None:
        """Return the next of what was told."""
        return self.told.popleft() if self.told else 1.0


class VirtualLocation:
    """A wearer who stands where the test puts them: set `place`."""

    def __init__(self, place: Place = MARKET) -> None:
        """Stand at `place`."""
        self.place = place

    def where(self) -> Place:
        """Return the place."""
        return self.place


class VirtualCamera:
    """A camera that sees what the test puts before it: set `picture`, the bytes of a file."""

    name = "virtual"

    def __init__(self, picture: bytes = b"") -> None:
        """See `picture`."""
        self.picture = picture

    def take(self) -> bytes:
        """Return the picture. Raises DeviceError where there is none."""
        if not self.picture:
            raise DeviceError("the virtual camera sees nothing: set its picture")
        return self.picture


@lru_cache(maxsize=64)
def voiced(seconds: float) -> bytes:
    """Return 16 kHz mono int16 PCM that voice-activity detection takes for speech.

    A 150 Hz pulse train with three formants that swells four times a second, like syllables.
    """
    samples = []
    for n in range(round(seconds * SAMPLE_RATE_HZ)):
        t = n / SAMPLE_RATE_HZ
        swell = 0.8 + 0.2 * math.sin(2 * math.pi * 4 * t)
        buzz = sum(math.sin(2 * math.pi * hz * t) / k for k, hz in enumerate((700, 1220, 2600), 1))
        samples.append(round(9000 * swell * buzz * (1 - t * 150 % 1) ** 3))
    return struct.pack(f"<{len(samples)}h", *(max(-32768, min(32767, s)) for s in samples))


def make_agent(
    folder: Path,
    plugins: Sequence[Any] = (),
    builtin: bool = False,
    model: Model | None = None,
    texts: Iterable[str] = (),
    transcriber: Transcriber | None = None,
    place: Place | None = None,
    speaker: Speaker | None = None,
    options: AgentOptions = AgentOptions(),  # noqa: B008  frozen, so sharing it is safe
) -> Agent:
    """Build an agent on virtual devices; `plugins` are modules or objects with hooks.

    `builtin` adds the five skills that ship; `texts` is what a scripted transcriber hears.
    """
    skills = Skills.discover() if builtin else Skills()
    for plugin in plugins:
        skills.load(plugin)
    location: Location | None = FixedLocation(place) if place else None
    display = MemoryDisplay(load_profile("quark-s1"))
    ears = transcriber or ScriptedTranscriber(texts)
    if isinstance(ears, ScriptedTranscriber):  # it hears nothing a second time
        options = replace(options, patience=replace(options.patience, reopen_ms=0.0))
    return Agent(
        skills,
        Devices(display=display, location=location, speaker=speaker),
        folder,
        model=model,
        transcriber=lambda: ears,
        options=options,
        listening=SCRIPTED,
    )


def lens(agent: Agent) -> str:
    """Return what the wearer sees now, a line for each line of the lens."""
    display = agent.devices.display
    if not isinstance(display, MemoryDisplay):
        raise TypeError("lens() reads a MemoryDisplay, such as that of make_agent")
    return display.text
