"""What tests of skills and of the agent use: doubles, and an agent that runs in process.

    async def test_define(tmp_path):
        agent = make_agent(tmp_path, plugins=[define_skill])
        turn = await agent.hear("define photosynthesis")
        assert "light" in lens(agent)

No patching: every double stands behind the port of the real thing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from agent.listen.asr import Transcriber
from agent.llm.model import Model, ScriptedModel
from agent.loop import Agent, AgentOptions
from agent.messages import Transcript
from agent.plugins import Skills
from agent.sayable import Saying
from hardware.base import Devices, Location, Place, Speaker
from hardware.display import MemoryDisplay
from hardware.location import FixedLocation
from hardware.profiles import load as load_profile

__all__ = ["MemoryDisplay", "ScriptedModel", "ScriptedTranscriber", "lens", "make_agent"]


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

    def start(self) -> None:
        """Begin to count."""
        self.heard_bytes = 0

    def feed(self, pcm: bytes) -> None:
        """Count the samples."""
        self.heard_bytes += len(pcm)

    def partial(self) -> Transcript | None:
        """Never knows before the end."""
        return None

    def finish(self) -> Transcript:
        """Return the next text."""
        text = self.texts.popleft() if self.texts else ""
        return Transcript(text, engine=self.name)

    def abort(self) -> None:
        """Nothing to throw away."""

    def close(self) -> None:
        """Nothing to free."""


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
    return Agent(
        skills,
        Devices(display=display, location=location, speaker=speaker),
        folder,
        model=model,
        transcriber=lambda: ears,
        options=options,
    )


def lens(agent: Agent) -> str:
    """Return what the wearer sees now, a line for each line of the lens."""
    display = agent.devices.display
    assert isinstance(display, MemoryDisplay), "lens() reads the display of make_agent"
    return display.text
