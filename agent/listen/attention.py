"""Whether what is said is meant for the glasses: wake phrase, touch, held key, open question.

    asleep ──wake phrase, touch──▶ awake ──an utterance was heard, or nothing for awake_s──▶ asleep
                                     └──while a question is open, it stays awake

With `always` nothing has to open a turn. Stop is heard in every mode
(`agent.listen.sphinx.spotter`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.errors import EngineError
from agent.language.text import WAKE_PHRASES
from agent.listen.phrases import Spots
from hardware.base import AudioChunk

Mode = Literal["always", "phrase", "touch"]

MODES: tuple[Mode, ...] = ("always", "phrase", "touch")

KEEP_MS = 1_500.0
"""How much sound is kept while asleep: a phrase is reported some 100 ms after its end, and what was
said since must not be lost."""


@dataclass(frozen=True, slots=True)
class AttentionOptions:
    """What opens a turn."""

    mode: Mode = "always"
    """`always`: speech does; `phrase`: the wake phrase, or a touch; `touch`: only a touch or a held
    key."""
    phrases: tuple[str, ...] = WAKE_PHRASES
    """Wake phrases, any of them."""
    awake_s: float = 6.0
    """How long after the wake phrase or a touch speech may begin."""


ALWAYS = AttentionOptions()


def _unspotted(options: AttentionOptions) -> Spots:
    raise EngineError("nothing here listens for the wake phrase: set wake to always or touch")


class Attention:
    """Whether the wearer speaks to the glasses, for one stream."""

    def __init__(
        self,
        options: AttentionOptions = ALWAYS,
        asked: Callable[[], bool] = lambda: False,
        spotter: Callable[[AttentionOptions], Spots] = _unspotted,
    ) -> None:
        """Begin asleep, or awake in mode `always`; `asked` says whether a question is open.

        `spotter` builds what listens for the wake phrase. Raises EngineError when it cannot be
        listened for.
        """
        self._options = options
        self._asked = asked
        self._spotter = spotter(options) if options.mode == "phrase" else None
        self._until_ms = float("-inf")
        self._now_ms = 0.0
        self._touched = False
        self._kept: deque[AudioChunk] = deque()
        self.held = False
        """Whether a key is held down: the turn lasts until it is let go."""

    @property
    def awake(self) -> bool:
        """Whether speech is taken for an utterance now."""
        if self._options.mode == "always" or self.held or self._asked():
            return True
        return self._now_ms < self._until_ms

    def touch(self) -> None:
        """Wake, as by a touch on the temple."""
        self._touched = True

    def slept(self) -> None:
        """Fall asleep: an utterance was heard."""
        self._until_ms = float("-inf")

    def tick(self, chunk: AudioChunk) -> None:
        """Let time go on."""
        self._now_ms = chunk.end_ms
        if self._touched:
            self._touched = False
            self._until_ms = chunk.end_ms + self._options.awake_s * 1000

    def listen(self, chunk: AudioChunk, heard: tuple[AudioChunk, ...]) -> list[AudioChunk] | None:
        """While asleep: hear what may be speech; on the wake phrase, return what followed it.

        `heard` is what the detector lets pass for this chunk, nothing in a quiet room.
        """
        self._kept.append(chunk)
        while chunk.end_ms - self._kept[0].end_ms > KEEP_MS:
            self._kept.popleft()
        if self._spotter is None:
            return None
        if len(heard) > 1:  # speech begins: the pre-roll, and the clock of the stream
            self._spotter.reset(heard[0].start_ms)
        for piece in heard:
            if (spotted := self._spotter.feed(piece.pcm)) is not None:
                self._until_ms = chunk.end_ms + self._options.awake_s * 1000
                rest = [kept for kept in self._kept if kept.start_ms >= spotted.end_ms]
                self._kept.clear()
                return rest
        return None
