"""A session written down while it goes on, and one that is given to fresh glasses again."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from agent.loop.agent import Agent
from agent.testing.session import Recorder, Setting
from agent.turn import Turn
from hardware.base import AudioChunk, DeviceError, Place


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
