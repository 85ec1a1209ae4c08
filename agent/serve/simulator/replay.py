"""A recorded session played again, and what came out differently."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agent.serve.simulator.from_page import Sound
from agent.serve.simulator.microphone import CHUNK_BYTES
from agent.serve.simulator.to_page import Replay, ToPage
from agent.testing.session import COMPARED, Session
from hardware.base import CHUNK_MS

if TYPE_CHECKING:
    from agent.serve.simulator.glasses import Glasses


LONGEST_PAUSE_S = 2.0
"""A replay waits no longer than this between two inputs; what was recorded may be hours apart."""


REST_S = 12.0
"""How long a replay waits at its end for answers that were recorded and have not come."""


async def replay(session: Session, glasses: Glasses, tell: Callable[[ToPage], None]) -> Replay:
    """Give the inputs of a session to fresh glasses, at the pace they came but for long pauses.

    Sound is heard anew by the engine of these glasses. `tell` is told how far it has come; what is
    not as recorded is returned.
    """
    inputs = session.inputs
    glasses.turns.clear()
    at_s = inputs[0][0] / 1000 if inputs else 0.0
    for done, (at_ms, given) in enumerate(inputs):
        tell(Replay(done, len(inputs), running=True, differences=[]))
        await asyncio.sleep(min(LONGEST_PAUSE_S, max(0.0, at_ms / 1000 - at_s)))
        at_s = at_ms / 1000
        if isinstance(given, bytes):
            await _speak(given, glasses)
            at_s += len(given) / 32_000
        else:
            glasses.say(given["text"], given["language"])
    with suppress(TimeoutError):
        async with asyncio.timeout(REST_S):
            while len(glasses.turns) < len(session.turns):
                await asyncio.sleep(0.05)
    again = [turn.as_json() for turn in glasses.turns]
    differences = _differ(session.turns, again, cut=session.cut > 0)
    return Replay(len(inputs), len(inputs), running=False, differences=differences)


async def _speak(pcm: bytes, glasses: Glasses) -> None:
    """Stream sound into the microphone at the pace of time."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    glasses.listen(True)
    for number, at in enumerate(range(0, len(pcm), CHUNK_BYTES)):
        glasses.hear(Sound(number, pcm[at : at + CHUNK_BYTES]))
        due_s = began_s + (number + 1) * CHUNK_MS / 1000
        await asyncio.sleep(max(0.0, due_s - loop.time()))
    glasses.listen(False)


def _differ(
    recorded: Sequence[Mapping[str, Any]], again: Sequence[Mapping[str, Any]], cut: bool
) -> list[str]:
    found = [
        f"{number}: {key}: {_short(old[key])} → {_short(new[key])}"
        for number, (old, new) in enumerate(zip(recorded, again, strict=False), 1)
        for key in COMPARED
        if old[key] != new[key]
    ]
    if len(recorded) != len(again) and not cut:
        found.append(f"{len(recorded)} → {len(again)}")
    return found


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:119]}…"
