"""How likely it is that a sentence of the grammar was really said.

A decoder on a grammar always finds some sentence. What tells a right one from speech that is none:
how well its words fit the sound on average, the worst of them, how many words it has (a single word
fits much by chance), how long they take, and whether decoding in another way gives the same.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pocketsphinx import Segment

SCORE_UNIT = 1024
"""pocketsphinx's search keeps scores in steps of 2**SENSCR_SHIFT of its logarithm's base."""
WORST = -20.0
"""Fit of a word below which it is no worse."""

REJECT_BELOW = 0.3
"""Confidence under which nothing was understood."""

INTERCEPT, FIT, WORST_FIT, WORDS, LENGTH, AGREED = 7.9, 1.85, 0.06, 1.4, -1.6, 0.53
"""Logistic regression on every sixth of 245 real orders, alone and in kitchen, café and other noise
at 12 and 6 dB, against every sixth of 400 pieces of other speech and of 93 of noise. Of all pieces
3 % are accepted; of what gets 0.9 and more 97 % is right, from 0.6 to 0.8 three quarters."""

ALONE, ALONE_SPREAD = -2.5, 0.35
"""The same for a single word, by its fit: natural voices say "yes" and "stop" with -1 to -2.8; a
digit that sounds like "more" comes as near as -2.8, and other speech stays below -3.4."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One sentence that was found in an utterance, and how it fits."""

    text: str = ""
    """The words."""
    fit: float = -math.inf
    """Mean score of the words' frames, in nats below the best sound that the search considered."""
    worst: float = WORST
    """The same of the word that fits worst."""
    frames: int = 0
    """Frames of 10 ms that the words take, without silences."""
    words: int = 0
    """How many there are."""

    @classmethod
    def of(cls, text: str, segments: Iterable[Segment], bonus: float = 0.0) -> Reading:
        """Take the words of a decoder's result; silence and noise are none."""
        total, worst, frames, words = 0.0, 0.0, 0, 0
        for segment in segments:
            if segment.word[0] in "<[":
                continue
            score = math.log(max(segment.ascore, sys.float_info.min)) * SCORE_UNIT
            length = segment.end_frame - segment.start_frame + 1
            total, frames, words = total + score, frames + length, words + 1
            worst = min(worst, score / length)
        if not frames:
            return cls()
        return cls(text, total / frames + bonus, max(worst, WORST), frames, words)

    def confidence(self, agreed: int) -> float:
        """Return how likely it is right, 0 … 1, when `agreed` of four ways to decode found it.

        A way that was not taken counts as agreeing.
        """
        if not self.words:
            return 0.0
        if self.words == 1:
            return 1 / (1 + math.exp(-(max(self.fit, WORST) - ALONE) / ALONE_SPREAD))
        odds = INTERCEPT + FIT * max(self.fit, WORST) + WORST_FIT * self.worst
        odds += WORDS * math.log(self.words) + LENGTH * math.log(self.frames / self.words)
        odds += AGREED * agreed
        return 1 / (1 + math.exp(-odds))
