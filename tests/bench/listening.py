"""Turns, waits and acceptance on recorded commands: the agent beside plain detectors."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from agent.act.world import DEFAULT
from agent.cli.compose import DEMO_PLACE
from agent.cli.engines import ears
from agent.config import load
from agent.listen.endpoint import Ended, Endpointer, Event
from agent.listen.patience import Patience
from agent.listen.transcriber import Transcriber
from agent.listen.vad import CascadeVad
from agent.loop import Agent, AgentOptions
from agent.plugins.skills import Skills
from agent.turn import Turn
from hardware.base import AudioChunk, Devices, Microphone, Speaker
from hardware.display import MemoryDisplay
from hardware.location import FixedLocation
from hardware.profiles import load as load_profile
from tests.bench import detectors, hesitant, turns
from tests.bench.turns import Clip, Outcome, Point
from tests.shared import PLUGIN, orders

Thing = TypeVar("Thing")

SCALES = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""What all waits are multiplied by, to draw our curve; 1 is how the agent ships."""

QUICK = 40
"""Clips of each set in a quick run."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found about one set of clips."""

    figures: dict[str, float]
    """The agent as it ships, every clip, as fast as it can."""
    realtime: dict[str, float]
    """The same on every so-manieth clip, at the pace of speech."""
    curves: dict[str, list[Point]]
    """Cut-offs against waits: `agent`, and each plain detector."""

    def as_json(self) -> dict[str, list[dict[str, float]]]:
        """Return the curves for the record."""
        return {name: [asdict(point) for point in curve] for name, curve in self.curves.items()}


def make_agent(
    plugins: Sequence[str],
    folder: Path,
    speaker: Speaker | None = None,
    scale: float = 1.0,
    make: Callable[[], Transcriber] | None = None,
    timeout_s: float = DEFAULT.engine_timeout_s,
    models: Path | None = None,
) -> Agent:
    """Build the agent as the command line does, with a display that only remembers.

    `make` builds other ears, each of whose calls may take `timeout_s`; `models` is the folder of
    what else was pulled for understanding.
    """
    display = MemoryDisplay(load_profile("quark-s1"))
    devices = Devices(display, FixedLocation(DEMO_PLACE), speaker)
    skills = Skills.discover(plugins)
    make = make or ears(load(), "en").make
    patience = Patience().scaled(scale)
    options = AgentOptions("en", engine_timeout_s=timeout_s, patience=patience, models=models)
    return Agent(skills, devices, folder, transcriber=make, options=options)


class _Noting(Endpointer):
    """The endpointer as it ships, noting when utterances end."""

    def __init__(self, ended_ms: list[float]) -> None:
        super().__init__(CascadeVad())
        self._ended_ms = ended_ms

    def push(self, chunk: AudioChunk, wait_ms: float | None = None) -> Event:
        """Take the next chunk."""
        event = super().push(chunk, wait_ms)
        if isinstance(event, Ended):
            self._ended_ms.append(event.endpoint_ms)
        return event


@dataclass(slots=True)
class Wearer:
    """A `Listener` on an agent."""

    agent: Agent
    """Whose ears they are."""
    ended_ms: list[float] = field(default_factory=list)
    """See `Listener`."""

    def listen(self, microphone: Microphone) -> AsyncIterator[Turn]:
        """Yield the turns of a stream."""
        self.ended_ms = []
        return self.agent.listen(microphone, endpointer=_Noting(self.ended_ms))


@asynccontextmanager
async def wearer(scale: float = 1.0) -> AsyncIterator[Wearer]:
    """Give an agent's ears, the coffee plugin beside all skills, every wait `scale` times."""
    with tempfile.TemporaryDirectory() as folder:
        agent = make_agent([str(PLUGIN)], Path(folder), scale=scale)
        try:
            yield Wearer(agent)
        finally:
            await agent.close()


def sets(quick: bool = False) -> dict[str, list[Clip]]:
    """Return the fluent and the hesitant clips; nothing without the recordings."""
    recorded = orders()
    if not recorded:
        return {}
    made, _ = hesitant.make(recorded)
    found = {
        "fluent": turns.fluent(spread(recorded, QUICK) if quick else recorded),
        "hesitant": [Clip(order, said.speech_end_ms) for order, said in made],
    }
    return {name: spread(clips, QUICK) if quick else clips for name, clips in found.items()}


def measure(clips: Sequence[Clip], realtime: int, scales: Sequence[float] = SCALES) -> Measured:
    """Measure one set; `realtime` clips of it at the pace of speech too."""
    by_scale = {scale: _hear(scale, clips, "fast") for scale in {*scales, 1.0}}
    slow = _hear(1.0, spread(clips, realtime), "realtime")
    ours = [turns.point(scale, by_scale[scale]) for scale in sorted(by_scale)]
    plain = {name: detectors.curve(one, clips) for name, one in detectors.DETECTORS.items()}
    return Measured(turns.summary(by_scale[1.0]), turns.summary(slow), {"agent": ours} | plain)


def _hear(scale: float, clips: Sequence[Clip], pace: turns.Pace) -> list[Outcome]:
    return asyncio.run(turns.hear_all(wearer(scale), clips, pace))


def spread(things: Sequence[Thing], count: int) -> list[Thing]:
    """Return about `count` things, evenly from all of them."""
    return list(things[:: max(1, len(things) // count)]) if count else []
