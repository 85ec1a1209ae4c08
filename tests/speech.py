"""Speech as tests write it: words that take 200 ms each, and dots that are 100 ms of silence.

The sound is made of numbers, the samples of a chunk being its place in the script, up and down, so
that the detector and the engine know what they hear, also when they hear it again.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from agent.errors import EngineError
from agent.messages import Transcript
from hardware.base import AudioChunk

CHUNK_MS = 20.0
WORD_CHUNKS, DOT_CHUNKS = 10, 5


class Script:
    """What is said, when: `Script("get me a latte ...... with milk ..........")`."""

    def __init__(self, text: str) -> None:
        self.words: list[tuple[int, int, str]] = []  # first chunk, last chunk, word
        at = 1
        for part in text.split():
            if set(part) == {"."}:
                at += DOT_CHUNKS * len(part)
            else:
                self.words.append((at, at + WORD_CHUNKS - 1, part))
                at += WORD_CHUNKS
        self.length = at - 1
        self.spoken = {n for first, last, _ in self.words for n in range(first, last + 1)}

    @property
    def pcm(self) -> bytes:
        return b"".join(struct.pack("<hh", n, -n) * 160 for n in range(1, self.length + 1))

    @property
    def chunks(self) -> list[AudioChunk]:
        return [
            AudioChunk(struct.pack("<hh", n, -n) * 160, (n - 1) * CHUNK_MS)
            for n in range(1, self.length + 1)
        ]

    def end_ms(self, word: str) -> float:
        """When a word is over."""
        return next(last * CHUNK_MS for _, last, said in self.words if said == word)

    # -- as a detector ----------------------------------------------------------------------------

    def probability(self, pcm: bytes) -> float:
        return float(place(pcm) in self.spoken)


def place(pcm: bytes) -> int:
    """Which chunk of its script this is; 0 for digital silence."""
    return int(struct.unpack_from("<h", pcm)[0])


class ReadingEars:
    """An engine that hears the words of a script in the sound it is fed, as soon as they are over."""

    name = "reading"
    languages = frozenset({"en", "zh"})

    def __init__(self, script: Script, confidence: float = 1.0, fails: Sequence[str] = ()) -> None:
        self.script = script
        self.confidence = confidence
        self.fails = frozenset(fails)
        self.calls: list[str] = []
        self.expected: list[list[str]] = []
        self._heard: set[int] = set()

    def expect(self, sayings):
        self.expected.append([saying.template for saying in sayings])

    def ambient(self, pcm):
        self.before = pcm

    def start(self):
        self._called("start")
        self._heard.clear()

    def feed(self, pcm):
        if "feed" in self.fails:
            raise EngineError("reading cannot be fed")
        self._heard |= {place(pcm[at : at + 640]) for at in range(0, len(pcm), 640)}

    def partial(self):
        return Transcript(self._text(), confidence=self.confidence, final=False, engine=self.name)

    def prepare(self):
        self._called("prepare")

    def finish(self):
        self._called("finish")
        return Transcript(self._text(), confidence=self.confidence, engine=self.name)

    def abort(self):
        self._called("abort")

    def close(self):
        self._called("close")

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.fails:
            raise EngineError(f"reading cannot {name}")

    def _text(self) -> str:
        whole = [
            word
            for first, last, word in self.script.words
            if {*range(first, last + 1)} <= self._heard
        ]
        return " ".join(whole)
