"""A microphone that hears what the speaker plays, as one in the same room does."""

from __future__ import annotations

import wave
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ, AudioChunk, DualChunk, Microphone
from hardware.speaker import VirtualSpeaker


@dataclass(frozen=True, slots=True)
class Room:
    """How the speaker is heard."""

    loss_db: float = 12.0
    """How much weaker than it is played."""
    delay_ms: float = 60.0
    """How much later: the sound device and the air."""
    ring_ms: float = 200.0
    """How long the room rings: until its echo is 60 dB down."""


class EchoMicrophone:
    """Hears another microphone, and over it what a virtual speaker plays at that time."""

    def __init__(
        self, inner: Microphone, speaker: VirtualSpeaker, room: Room | None = None, seed: int = 0
    ) -> None:
        import numpy as np

        self.name = f"{inner.name} beside a speaker"
        self._np, self._inner, self._speaker = np, inner, speaker
        self._room = room or Room()
        rng = np.random.default_rng(seed)
        length = max(1, round(self._room.ring_ms * SAMPLE_RATE_HZ / 1000))
        tail = rng.normal(size=length) * 10 ** (-3 * np.arange(length) / length)
        self._rings = 0.3 * tail / np.sqrt(np.square(tail).sum())
        self._rings[0] = 1.0
        self._coming = np.zeros(0)  # what is still on its way
        self._seen = 0
        self._sound: Any = np.zeros(0)
        self.spoke_ms: list[float] = []
        """When something began to play, each time."""

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the inner microphone's chunks with the speaker's sound in them."""
        np = self._np
        async with aclosing(self._inner.chunks()) as chunks:
            async for chunk in chunks:
                size = len(chunk.pcm) // SAMPLE_BYTES
                played = self._played(size)
                delay = round(self._room.delay_ms * SAMPLE_RATE_HZ / 1000)
                late = np.concatenate([np.zeros(delay), np.convolve(played, self._rings)])
                if len(late) > len(self._coming):
                    self._coming = np.pad(self._coming, (0, len(late) - len(self._coming)))
                self._coming[: len(late)] += late * 10 ** (-self._room.loss_db / 20)
                echo, self._coming = self._coming[:size], self._coming[size:]
                if isinstance(chunk, DualChunk):  # the bone hears a tenth of it
                    air = _mixed(np, chunk.air, echo)
                    yield DualChunk(_mixed(np, chunk.pcm, echo / 10), chunk.start_ms, air)
                else:
                    yield AudioChunk(_mixed(np, chunk.pcm, echo), chunk.start_ms)

    def now_ms(self) -> float:
        """The inner one's time."""
        return self._inner.now_ms()

    def _played(self, size: int) -> Any:
        """Return the last samples that the speaker has played."""
        speaker, np = self._speaker, self._np
        if len(speaker.played) > self._seen:
            self._seen = len(speaker.played)
            self._sound = _samples(np, speaker.played[-1])
            self.spoke_ms.append(self.now_ms())
        end = round(speaker.position_s * SAMPLE_RATE_HZ) if speaker.playing else 0
        part = self._sound[max(0, end - size) : end]
        return np.pad(part, (size - len(part), 0)) if len(part) < size else part


def _mixed(np: Any, pcm: bytes, echo: Any) -> bytes:
    heard = np.frombuffer(pcm, "<i2") + echo[: len(pcm) // SAMPLE_BYTES]
    return bytes(heard.round().clip(-32768, 32767).astype("<i2").tobytes())


def _samples(np: Any, path: Path) -> Any:
    try:
        with wave.open(str(path)) as read:
            return np.frombuffer(read.readframes(read.getnframes()), "<i2").astype(float)
    except (OSError, wave.Error, EOFError):
        return np.zeros(0)
