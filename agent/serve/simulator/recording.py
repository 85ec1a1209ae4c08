"""A session written down while it goes on, and one that is given to fresh glasses again."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.loop.agent import Agent
from agent.serve.simulator.from_page import Sound
from agent.serve.simulator.microphone import CHUNK_BYTES
from agent.serve.simulator.to_page import Replay, ToPage
from agent.testing.session import COMPARED, Recorder, Session, Setting
from agent.turn import Turn
from hardware.base import CHUNK_MS, AudioChunk, DeviceError, Place

if TYPE_CHECKING:
    from agent.serve.simulator.glasses import Glasses

LONGEST_PAUSE_S = 2.0
"""A replay waits no longer than this between two inputs; what was recorded may be hours apart."""
REST_S = 12.0
"""How long a replay waits at its end for answers that were recorded and have not come."""


class Recording:
    """Writes one session to a file in the folder for temporary files, readable by its owner."""

    def __init__(self, agent: Agent, language: str, plugins: Sequence[str]) -> None:
        """Begin. Raises SessionError when the file cannot be written."""
        with tempfile.NamedTemporaryFile(
            prefix="glasses-session-", suffix=".jsonl", delete=False
        ) as file:
            path = Path(file.name)
        setting = Setting(
            agent.devices.display.profile.name, language, tuple(plugins), _place(agent)
        )
        self._agent = agent
        self._display = agent.devices.display
        self._recorder = Recorder(path, setting)
        self._recorder.follow(agent)
        self.typed: Callable[[str, str | None], None] = self._recorder.typed
        """Takes down a line that was typed."""
        self.turn: Callable[[Turn], None] = self._recorder.turn
        """Takes down what came of it."""
        self._tee = _Tee()
        self._reading = asyncio.create_task(self._read())

    def hear(self, chunk: AudioChunk) -> None:
        """Take down a chunk of sound."""
        self._tee.waiting.put_nowait(chunk)

    async def stop(self) -> Path:
        """End, and return the file."""
        self._tee.waiting.put_nowait(None)
        await self._reading
        self._agent.devices = replace(self._agent.devices, display=self._display)
        self._recorder.close()
        return self._recorder.path

    async def _read(self) -> None:
        async for _ in self._recorder.microphone(self._tee).chunks():
            pass  # the recorder takes it down as it goes by


class _Tee:
    """A microphone that hears what another one hears."""

    name = "browser"

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[AudioChunk | None] = asyncio.Queue()

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        while (chunk := await self.waiting.get()) is not None:
            yield chunk

    def now_ms(self) -> float:
        return 0.0


def _place(agent: Agent) -> Place | None:
    location = agent.devices.location
    try:
        return location.where() if location else None
    except DeviceError:
        return None


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
