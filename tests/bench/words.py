"""Which words a recorded order is made of, and when each is said.

The labels give an order's meaning and not its words. So pocketsphinx chooses among the sentences
of the grammar that mean just that, which is surer than recognition and leaves out nobody because
our own recognition fails on them, and then aligns the chosen words with the sound.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from agent.language.pronounce import pronounce
from agent.language.saying import Saying
from agent.listen.endpoint import energy_speech_end
from hardware.base import CHUNK_MS, SAMPLE_BYTES, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from pocketsphinx import Decoder, Segment

    from agent.listen.transcriber import Transcriber

BEGIN = "(brew|can i get|can i have|i want|get me|give me|i'd like|make me|may i have) (a|an)"
"""How an order begins, in `tests/plugins/barista.py`."""
BEFORE = ("size", "roast", "numberOfShots")
"""Slots in front of the drink, in any order."""
AFTER = ("milkAmount", "sugarAmount")
"""Slots after it, in either order."""

SURE_NATS = -5.5
"""Mean acoustic score of a frame, beside the best of all sounds, from which words are certain.

Over the 245 shared orders the words of the right label score -4.5 (1 in 20 below -5.4). Words of
the next order's label mostly cannot be aligned at all (190); the others score -7.9 (1 in 20 above
-5.5)."""

MARGIN_MS = 300.0
"""Sound that is kept before and after the speech."""

FRAMES_PER_S = 100
"""pocketsphinx's default frame rate."""

BYTES_PER_MS = SAMPLE_RATE_HZ * SAMPLE_BYTES // 1000


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it was said."""

    text: str
    """In lower case, as the grammar has it."""
    start_ms: float
    """Where it begins in the clip."""
    end_ms: float
    """Where it ends in the clip."""


def template(slots: Mapping[str, str]) -> str:
    """Return the hassil template of every order that means exactly these slots."""
    parts = [BEGIN]
    if before := [slots[name] for name in BEFORE if name in slots]:
        parts.append(f"({';'.join(before)})")
    parts.append(slots["coffeeDrink"])
    if after := [slots[name] for name in AFTER if name in slots]:
        ways = dict.fromkeys((" and ".join(after), " and ".join(reversed(after))))
        parts.append(f"with ({'|'.join(ways)})")
    return " ".join(parts)


def speech_span_ms(pcm: bytes) -> tuple[float, float]:
    """Return where the speech of a clip begins and ends, by energy, in ms."""
    import numpy as np

    backwards = np.frombuffer(pcm, "<i2")[::-1].tobytes()
    length_ms = len(pcm) / BYTES_PER_MS
    return max(0.0, length_ms - energy_speech_end(backwards)), energy_speech_end(pcm)


class Aligner:
    """Finds the words of orders, one after the other."""

    def words(self, pcm: bytes, slots: Mapping[str, str]) -> list[Word] | None:
        """Return the words of an order that means `slots`; None when they are not sure."""
        start_ms, end_ms = speech_span_ms(pcm)
        start_ms = max(0.0, start_ms - MARGIN_MS)
        spoken = pcm[_offset(start_ms) : _offset(end_ms + MARGIN_MS)]
        self._ears.expect([Saying("barista.orderDrink", template(slots), {})])
        self._ears.start()
        step = CHUNK_MS * BYTES_PER_MS
        for at in range(0, len(spoken), step):
            self._ears.feed(spoken[at : at + step])
        heard = self._ears.finish()
        return self._align(spoken, heard.text, start_ms) if heard.text else None

    def _align(self, pcm: bytes, text: str, start_ms: float) -> list[Word] | None:
        for word, pronunciation in pronounce(set(text.split())).items():
            for number, phones in enumerate(pronunciation.phones, start=1):
                name = word if number == 1 else f"{word}({number})"
                if self._decoder.lookup_word(name) is None:
                    self._decoder.add_word(name, phones, True)
        self._decoder.set_align_text(text)
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        spoken = [s for s in self._decoder.seg() or () if s.word[0] not in "<["]  # no silence
        words = [_word(segment, start_ms) for segment in spoken]
        aligned = [word.text for word in words] == text.split()
        return words if aligned and _score(spoken) >= SURE_NATS else None

    @cached_property
    def _ears(self) -> Transcriber:
        from agent.listen.sphinx.engine import PocketSphinx

        return PocketSphinx()

    @cached_property
    def _decoder(self) -> Decoder:
        from pocketsphinx import Config, Decoder, get_model_path

        # With every sound scored, not only those that the words allow, a frame's score beside the
        # best one tells whether it is these words that were said.
        model = get_model_path("en-us/en-us")
        return Decoder(Config(hmm=model, lm=None, dict=None, compallsen=True, loglevel="FATAL"))


def _word(segment: Segment, start_ms: float) -> Word:
    frame_ms = 1000 / FRAMES_PER_S
    return Word(
        segment.word.partition("(")[0],
        start_ms + segment.start_frame * frame_ms,
        start_ms + (segment.end_frame + 1) * frame_ms,
    )


def _score(segments: Sequence[Segment]) -> float:
    frames: int = sum(s.end_frame - s.start_frame + 1 for s in segments)
    nats: float = sum(math.log(max(s.ascore, sys.float_info.min)) for s in segments)
    return nats / frames


def _offset(ms: float) -> int:
    return int(ms) * BYTES_PER_MS
