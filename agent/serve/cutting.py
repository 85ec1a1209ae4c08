"""Sound from elsewhere, cut into utterances. No I/O: chunks in, utterances out.

Chunks have numbers. One that came before is passed over, and what is missing is silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agent.listen.endpoint import Dropped, Ended, Endpointer, Speaking, Started
from agent.listen.patience import DEFAULT
from agent.listen.vad import CascadeVad
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ, AudioChunk

CHUNK_MS = 20
CHUNK_BYTES = CHUNK_MS * SAMPLE_RATE_HZ // 1000 * SAMPLE_BYTES
PAUSE_MS = DEFAULT.plain_ms
"""Silence that ends an utterance: silence alone decides here."""
KEPT = 70
"""Chunks that an utterance may still need while nobody speaks: 1.4 s, more than what an endpointer
keeps of the noise, and of what was said before it was sure of speech."""
EARLY_MS = 200.0
"""Silence after which an utterance is heard already, in the rest of the pause that may end it."""
GAP = 50
"""Missing chunks that are made up for by silence, a second; after more, the sound begins anew."""


@dataclass(frozen=True, slots=True)
class Clip:
    """The sound of one utterance."""

    pcm: bytes
    """All of it: 16 kHz, mono, 16 bit."""
    ambient: bytes = b""
    """What was heard right before it: the noise of the place."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One utterance."""

    clip: Clip
    """Its sound."""
    first: int
    """Number of the chunk with which it began."""
    last: int
    """Number of its last chunk."""


@dataclass(frozen=True, slots=True)
class Spoke:
    """Somebody began to speak."""

    clip: Clip
    """Its sound so far."""


@dataclass(frozen=True, slots=True)
class Paused:
    """They may be done: it is time to hear what was said."""

    clip: Clip
    """Its sound so far."""


@dataclass(frozen=True, slots=True)
class WentOn:
    """They were not."""


Event = Cut | Spoke | Paused | WentOn | Dropped


class Cutter:
    """Cuts one stream."""

    def __init__(self, after: int, endpointer: Endpointer | None = None) -> None:
        """Begin behind the chunk with this number."""
        self._endpointer = endpointer or Endpointer(CascadeVad())
        self._pcm: list[bytes] = []
        self._ambient = b""
        self._paused = False
        self._first = after
        self._begun = False  # what came before the first chunk was done with
        self.last = after
        """Number of the last chunk that was heard."""
        self.missing = 0
        """How many never came."""
        self.twice = 0
        """How many came that had come before."""

    @property
    def speaking(self) -> bool:
        """Whether an utterance has begun and is not over."""
        return self._endpointer.in_speech

    @property
    def through(self) -> int:
        """Number up to which no utterance needs the sound any more."""
        return self._first - KEPT if self.speaking else self.last - KEPT

    def push(self, number: int, pcm: bytes) -> Iterator[Event]:
        """Take the next chunk and say what came of it."""
        if number <= self.last:
            self.twice += 1
            return
        gap = number - self.last - 1 if self._begun else 0
        self._begun = True
        self.missing += gap
        if gap <= GAP:
            for lost in range(number - gap, number):
                yield from self._take(lost, bytes(CHUNK_BYTES))
        else:
            yield from self.end()
        yield from self._take(number, pcm)

    def end(self) -> Iterator[Cut]:
        """Take what is being said as over: no more sound comes."""
        if self.speaking:
            cut = self._cut()
            self._endpointer.reset()
            yield cut

    def forget(self) -> None:
        """Let go of what is being said."""
        self._endpointer.reset()
        self._pcm, self._ambient, self._paused = [], b"", False

    def _take(self, number: int, pcm: bytes) -> Iterator[Event]:
        self.last = number
        chunk = AudioChunk(pcm, number * float(CHUNK_MS))
        match self._endpointer.push(chunk, PAUSE_MS):
            case Started(preroll=preroll, before=before):
                self._first = number
                self._pcm = [one.pcm for one in preroll]
                self._ambient = b"".join(one.pcm for one in before)
                yield Spoke(self._clip())
            case Speaking(silence_ms=silence_ms):
                self._pcm.append(pcm)
                if silence_ms >= EARLY_MS and not self._paused:
                    self._paused = True
                    yield Paused(self._clip())
                elif not silence_ms and self._paused:
                    self._paused = False
                    yield WentOn()
            case Ended():
                self._pcm.append(pcm)
                yield self._cut()
            case Dropped() as dropped:
                self._pcm, self._paused = [], False
                yield dropped

    def _cut(self) -> Cut:
        cut = Cut(self._clip(), self._first, self.last)
        self._pcm, self._ambient, self._paused = [], b"", False
        return cut

    def _clip(self) -> Clip:
        return Clip(b"".join(self._pcm), self._ambient)
