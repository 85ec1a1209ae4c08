"""Command acceptance, cut-offs, and speech end to first glyph on recorded commands."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.cli.compose import ears
from agent.config import load
from agent.loop import Agent, AgentOptions
from agent.messages import Intent
from agent.plugins import Skills
from agent.turn import Turn, intent_json
from hardware.audio import read
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ, Devices
from hardware.display import MemoryDisplay
from hardware.location import FixedLocation
from hardware.microphone import FileMicrophone
from hardware.profiles import load as load_profile
from tests.shared import Order

STAGES = ("endpoint", "transcript", "intent", "reply", "first_glyph")

CUT_EARLY_MS = 100.0
"""A turn that ends this long before the last speech of its clip cut the speaker off."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one clip."""

    accepted: bool
    """One turn, with the labelled action and every slot right."""
    cut: bool
    """A turn ended before the speaker had finished."""
    waits_ms: dict[str, float]
    """Time of each stage after the last speech of the clip."""
    compute_ratio: float
    """Seconds of audio handled in one second of processor time."""


def make_agent(plugins: Sequence[str], folder: Path) -> Agent:
    """Build the agent as the command line does, with a display that only remembers."""
    from agent.cli.compose import DEMO_PLACE

    devices = Devices(MemoryDisplay(load_profile("quark-s1")), FixedLocation(DEMO_PLACE))
    skills = Skills.discover(plugins)
    make = ears(load(), "en").make
    return Agent(skills, devices, folder, transcriber=make, options=AgentOptions(language="en"))


def clip_speech_end_ms(path: Path) -> float:
    """Return where the speech of a whole clip ends, by energy, in ms."""
    from agent.listen.endpoint import energy_speech_end

    return energy_speech_end(read(path), 0.0)


async def hear(agent: Agent, order: Order, pace: Literal["realtime", "fast"]) -> Heard:
    """Stream one clip through the whole loop."""
    microphone = FileMicrophone(order.path, pace=pace)
    cpu = time.process_time()
    turns = [turn async for turn in agent.listen(microphone, str(order.path))]
    cpu = time.process_time() - cpu
    audio_s = len(read(order.path)) / SAMPLE_BYTES / SAMPLE_RATE_HZ
    end = clip_speech_end_ms(order.path)
    ends = [t.timings.endpoint for t in turns if t.timings.endpoint is not None]
    cut = any(t < end - CUT_EARLY_MS for t in ends)
    waits = {}
    if turns and not cut:
        times = turns[-1].timings.rounded()
        waits = {s: t - end for s in STAGES if (t := times[s]) is not None}
    return Heard(_right(turns, order), cut, waits, audio_s / max(cpu, 1e-6))


def _right(turns: Sequence[Turn], order: Order) -> bool:
    if len(turns) != 1 or not isinstance(turns[0].intent, Intent):
        return False
    call = intent_json(turns[0].intent)
    return call["action"] == order.action and call["slots"] == order.slots


async def run(
    orders: Iterable[Order], plugins: Sequence[str], pace: Literal["realtime", "fast"]
) -> list[Heard]:
    """Stream every clip; one agent hears them all, as a wearer's would."""
    from rich.progress import track

    with tempfile.TemporaryDirectory() as folder:
        agent = make_agent(plugins, Path(folder))
        title = f"hearing at {pace} pace"
        heard = [await hear(agent, o, pace) for o in track(list(orders), title)]
        await agent.close()
    return heard


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie, by nearest rank."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else float("nan")


def summary(heard: Sequence[Heard]) -> dict[str, float]:
    """Return the figures of one run."""
    figures: dict[str, float] = {
        "clips": len(heard),
        "accepted_percent": 100 * sum(h.accepted for h in heard) / max(1, len(heard)),
        "cut_off_percent": 100 * sum(h.cut for h in heard) / max(1, len(heard)),
        "times_realtime": statistics.median(h.compute_ratio for h in heard),
    }
    for stage in STAGES:
        waits = [h.waits_ms[stage] for h in heard if stage in h.waits_ms]
        figures[f"{stage}_p50_ms"] = percentile(waits, 0.5)
        figures[f"{stage}_p95_ms"] = percentile(waits, 0.95)
    return figures
