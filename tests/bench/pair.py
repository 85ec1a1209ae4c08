"""The pair of ears as the product builds it, heard so that each engine can be judged alone too.

The weights are Whisper base's, of the models folder; the pair waits for Whisper however busy the
machine is, so that what is heard does not depend on it.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from agent import config
from agent.derive import spelling
from agent.errors import EngineError
from agent.language.saying import Saying
from agent.listen.sphinx.engine import PocketSphinx
from agent.listen.whisper.engine import BESIDE_A_GRAMMAR, FasterWhisper, Written
from agent.listen.whisper.pair import Pair, PairOptions
from agent.loop import Agent
from agent.messages import Transcript
from agent.models import store
from hardware.microphone import FileMicrophone
from tests.bench.listening import make_agent
from tests.bench.recognition import AMBIENT, CHUNK
from tests.shared import PLUGIN

WEIGHTS = "whisper-base"
PATIENCE_S = 600.0
"""Longest wait for Whisper: so long that no busy machine changes a figure."""
PATIENT = PairOptions(patience_s=PATIENCE_S)


def weights(name: str = WEIGHTS) -> Path:
    """Return a known model of the models folder. Raises EngineError where it is not there."""
    models = config.load().models
    path = store.here(models, name)
    if path is None:
        raise EngineError(f"no weights of {name} in {models}: make models")
    return path


class _Grammar(PocketSphinx):
    """The grammar engine, keeping what it would have returned alone."""

    alone = Transcript("", confidence=0.0)

    def finish(self) -> Transcript:
        """End the utterance."""
        self.alone = super().finish()
        return self.alone


class _Whisper(FasterWhisper):
    """Whisper, keeping what it wrote; None where the pair did not ask."""

    wrote: Written | None = None
    asked = 0
    """How often somebody waited for what it writes."""

    def written(self, timeout_s: float | None = None) -> Written:
        """End the utterance."""
        self.wrote = super().written(timeout_s)
        self.asked += 1
        return self.wrote


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of one utterance."""

    both: Transcript
    """By the pair."""
    grammar: Transcript
    """What the grammar engine would have returned alone."""
    whisper: Transcript
    """What Whisper would have, with the sentences that can be said but no grammar engine."""
    written: Written
    """What Whisper wrote."""


class Ears:
    """The pair, and either of its engines, on one utterance after another."""

    def __init__(self, options: PairOptions = PATIENT) -> None:
        """Load both. Raises EngineError without weights."""
        self.whisper = _Whisper(weights(), replace(BESIDE_A_GRAMMAR, language="en"))
        self.grammar = _Grammar()
        self.pair = Pair(self.grammar, lambda: self.whisper, frozenset({"en"}), options)
        self.pair.load(PATIENCE_S)

    def expect(self, sayings: Sequence[Saying]) -> None:
        """Say what can be said."""
        self.pair.expect(sayings)

    def hear(self, before: bytes, speech: bytes) -> Heard:
        """Hear one utterance, in chunks of 20 ms; what the pair does not ask Whisper is asked too."""
        if before:
            self.pair.ambient(before)
        self.pair.start()
        self.whisper.wrote = None
        for at in range(0, len(speech), CHUNK):
            self.pair.feed(speech[at : at + CHUNK])
        both, whisper = self.pair.finish(), self.whisper
        written = whisper.wrote
        if written is None:
            whisper.start()
            whisper.feed(speech)
            written = whisper.written(PATIENCE_S)
        alone = whisper.heard(written, whisper.fused(None, written))
        return Heard(both, self.grammar.alone, alone, written)

    def close(self) -> None:
        """Free both."""
        self.pair.close()


def agent_with(folder: Path, make: Callable[[], Pair] | None = None) -> Agent:
    """Build an agent as the command line does, with all models of this machine.

    `make` builds its ears, with all the time they want.
    """
    models = config.load().models
    return make_agent([str(PLUGIN)], folder, make=make, timeout_s=PATIENCE_S, models=models)


async def listening_agent(folder: Path) -> Agent:
    """Build one whose ears are as patient as they ship, everything loaded."""
    agent = agent_with(folder, lambda: Ears(PairOptions()).pair)
    async for _ in agent.listen(FileMicrophone(bytes(2 * AMBIENT), pace="fast", tail_ms=0)):
        pass
    return agent


@contextmanager
def routing() -> Iterator[Agent]:
    """Give an agent that is only asked what can be said and what a text means."""
    with tempfile.TemporaryDirectory() as folder:
        agent = agent_with(Path(folder))
        try:
            yield agent
        finally:
            asyncio.run(agent.close())


@contextmanager
def opened(sayings: Sequence[Saying]) -> Iterator[Ears]:
    """Give ears that expect these sentences."""
    ears = Ears()
    try:
        ears.expect(sayings)
        yield ears
    finally:
        ears.close()


def aloud(text: str, language: str = "en") -> list[str]:
    """Return a text as words read aloud, or Chinese as characters; however it was written.

    Case, punctuation and whether a number is in digits make no difference.
    """
    words: list[str] = []
    for piece in spelling.PIECE.finditer(text):
        read = spelling.ways(piece, [language])
        spoken = next((way for way in reversed(read) if not any(map(_digits, way))), read[-1])
        words += [spelling.unspelt([word]).lower() for word in spoken]
    return [word for word in words if word]


def _digits(word: str) -> bool:
    return word.isascii() and word[:1].isdigit()


def errors(wanted: Sequence[str], got: Sequence[str]) -> int:
    """Return how many words have to be put in, left out or changed (Levenshtein's distance)."""
    row = list(range(len(got) + 1))
    for number, word in enumerate(wanted, start=1):
        diagonal, row[0] = row[0], number
        for at, other in enumerate(got, start=1):
            changed = diagonal + (word != other)
            diagonal = row[at]
            row[at] = min(changed, row[at] + 1, row[at - 1] + 1)
    return row[-1]


def load_average() -> float:
    """Return how many processes wanted a core, over the last minute; NaN where nobody counts."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return float("nan")
