"""When a turn ends: cut-offs and waits of the agent, and of plain detectors on the same clips.

A cut-off is a turn that ends before the last speech of its clip, by energy on the clip. One that
ends up to `TOLERANCE_MS` before it is counted apart: energy and ears differ about final fricatives.
A turn that was reopened and ends with the right command cut nobody off, and is counted apart too.
"""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.messages import Intent
from agent.turn import Turn, intent_json
from hardware.audio import read
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ, Microphone
from hardware.microphone import FileMicrophone
from tests.bench.words import speech_span_ms
from tests.shared import Order

Pace = Literal["realtime", "fast"]


class Listener(Protocol):
    """An agent with all else settled."""

    ended_ms: list[float]
    """When each utterance of the stream ended, those included that got no turn: the first words
    of a sentence, heard alone, may mean nothing and be passed over, and the wearer was cut off all
    the same."""

    def listen(self, microphone: Microphone) -> AsyncIterator[Turn]:
        """Yield the turns of a stream."""
        ...


TOLERANCE_MS = 100.0
"""How much earlier than the last speech by energy a turn may end in the tolerant count."""

TAIL_MS = 2500.0
"""Sound after the last speech, longer than the longest window that is swept. Nearly all clips have
it of their own; only what is missing is put there, as digital silence."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A recorded command, and when its speaker had finished."""

    order: Order
    """The sound and what it means."""
    speech_end_ms: float
    """Last speech of the clip, by energy."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one clip."""

    right: bool
    """One turn in the end, with the labelled action and every slot right."""
    early_ms: float | None
    """By how much the earliest turn that counts ended before the last speech; None: none did."""
    reopened: int
    """How often a turn replaced the one before it."""
    waits_ms: dict[str, float]
    """Each stage of the last turn, in ms after the last speech."""

    def cut(self, tolerance_ms: float = 0.0) -> bool:
        """Whether the speaker was cut off."""
        return self.early_ms is not None and self.early_ms > tolerance_ms


@dataclass(frozen=True, slots=True)
class Point:
    """Where one setting lies on the curve of cut-offs against waits."""

    setting: float
    """The window of silence in ms, or what our waits were multiplied by."""
    cut_percent: float
    """Clips that were cut off, no tolerance."""
    cut_100ms_percent: float
    """Clips that were cut off by more than `TOLERANCE_MS`."""
    reopened_too_percent: float
    """Clips that were cut off, or whose turn was reopened."""
    wait_p50_ms: float
    """Median wait of the clips that were not cut off, after the last speech."""
    wait_p95_ms: float
    """The same, at which 95 of 100 are over."""


def fluent(orders: Iterable[Order]) -> list[Clip]:
    """Return the clips as they were recorded."""
    return [Clip(order, speech_span_ms(read(order.path))[1]) for order in orders]


def final_turns(turns: Sequence[Turn]) -> list[list[Turn]]:
    """Return each turn that stood in the end, after the ones that it replaced."""
    chains: list[list[Turn]] = []
    for turn in turns:
        if getattr(turn, "replaces", False) and chains:
            chains[-1].append(turn)
        else:
            chains.append([turn])
    return chains


def judge(turns: Sequence[Turn], clip: Clip, ended_ms: Sequence[float] = ()) -> Outcome:
    """Say what became of a clip from the turns that it gave, and when all utterances ended."""
    chains = final_turns(turns)
    right = len(chains) == 1 and _means(chains[0][-1], clip.order)
    # What was reopened and came out right is judged by where it ended at last.
    counted = [chain[-1] for chain in chains] if right else turns
    ends = [turn.timings.endpoint for turn in counted if turn.timings.endpoint is not None]
    if not right:
        ends.extend(ended_ms)
    early_ms = clip.speech_end_ms - min(ends) if ends else None
    waits = {}
    if turns:
        times = turns[-1].timings.rounded()
        waits = {name: t - clip.speech_end_ms for name, t in times.items() if t is not None}
    return Outcome(
        right,
        early_ms if early_ms is not None and early_ms > 0 else None,
        len(turns) - len(chains),
        waits,
    )


def _means(turn: Turn, order: Order) -> bool:
    if not isinstance(turn.intent, Intent):
        return False
    call = intent_json(turn.intent)
    return bool(call["action"] == order.action and call["slots"] == order.slots)


def sound(clip: Clip) -> bytes:
    """Return a clip as 16 kHz mono int16, with `TAIL_MS` after its last speech."""
    pcm = read(clip.order.path)
    missing = clip.speech_end_ms + TAIL_MS - len(pcm) / SAMPLE_BYTES / SAMPLE_RATE_HZ * 1000
    return pcm + bytes(max(0, round(missing * SAMPLE_RATE_HZ / 1000)) * SAMPLE_BYTES)


async def hear(listener: Listener, clip: Clip, pace: Pace) -> Outcome:
    """Stream one clip through the whole loop."""
    microphone = FileMicrophone(sound(clip), pace=pace, tail_ms=0)
    turns = [turn async for turn in listener.listen(microphone)]
    return judge(turns, clip, listener.ended_ms)


async def hear_all(
    opened: AbstractAsyncContextManager[Listener], clips: Sequence[Clip], pace: Pace
) -> list[Outcome]:
    """Stream every clip; one agent hears them all, as a wearer's would."""
    from rich.progress import track

    async with opened as listener:
        return [await hear(listener, c, pace) for c in track(clips, f"hearing at {pace} pace")]


def point(setting: float, outcomes: Sequence[Outcome]) -> Point:
    """Return where outcomes lie on the curve."""
    waits = [o.waits_ms["endpoint"] for o in outcomes if not o.cut() and "endpoint" in o.waits_ms]
    return Point(
        setting,
        percent(o.cut() for o in outcomes),
        percent(o.cut(TOLERANCE_MS) for o in outcomes),
        percent(o.cut() or o.reopened > 0 for o in outcomes),
        percentile(waits, 0.5),
        percentile(waits, 0.95),
    )


def summary(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return the figures of one run, those of the stages without the clips that were cut off."""
    at = point(1.0, outcomes)
    figures = {
        "clips": float(len(outcomes)),
        "accepted_percent": percent(o.right for o in outcomes),
        "cut_off_percent": at.cut_percent,
        "cut_off_100ms_percent": at.cut_100ms_percent,
        "reopened_percent": percent(o.reopened > 0 for o in outcomes),
        "cut_off_or_reopened_percent": at.reopened_too_percent,
        "unanswered_percent": percent(not o.waits_ms for o in outcomes),
    }
    for stage in ("endpoint", "transcript", "intent", "reply", "first_glyph"):
        waits = [o.waits_ms[stage] for o in outcomes if not o.cut() and stage in o.waits_ms]
        figures[f"{stage}_p50_ms"] = percentile(waits, 0.5)
        figures[f"{stage}_p95_ms"] = percentile(waits, 0.95)
    return figures


def percent(hits: Iterable[bool]) -> float:
    """Return the share of hits in percent; 0 of none."""
    counted = list(hits)
    return 100 * statistics.fmean(counted) if counted else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie, by nearest rank; NaN of none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else float("nan")
