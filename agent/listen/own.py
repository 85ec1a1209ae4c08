"""What the microphone hears beside the agent's own voice, while the agent speaks.

Both sounds are known, what is played and what is heard; how much of the one comes into the other is
learnt from their levels as they go. What is well above that is somebody else, and is let through
with what is around it; the rest is made silent. So the word that stops is heard over a sentence,
and the same word in the sentence itself is not.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

KEPT = 250
"""How many chunks are gone by, 5 s of speech."""
LEAST = 15
"""Of so many it is learnt; with fewer all may be the agent's voice."""
LATE = 20
"""How many chunks what is played may still be heard after: delay and room, 400 ms."""
SHARE = 0.75
"""Which of the ratios seen is taken for the agent's alone: somebody who speaks over it for a while
must not become part of it, and most chunks are softer than the loudest before them."""
ABOVE = 6.3
"""How many times its power somebody else's sound has, 8 dB: the agent's alone had 6 at most in 20
sentences and four rooms, and a “stop” over them 10 to 33."""
AHEAD, AFTER = 6, 8
"""How many chunks before and after such sound are let through with it: an “s” is soft, and so is
the closure of a “p”. What is let through comes `AHEAD` chunks late."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    pcm: bytes
    above: bool


class OwnVoice:
    """Takes the agent's voice out of what one stream hears."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._played: deque[float] = deque(maxlen=LATE)  # powers
        self._ratios: deque[float] = deque(maxlen=KEPT)
        self._chunks: deque[_Chunk] = deque(maxlen=AFTER + 1 + AHEAD)

    def begin(self) -> None:
        """Forget the sound of the last time, and keep how loud the agent is heard."""
        self._played.clear()
        self._chunks.clear()

    def without(self, heard: bytes, played: bytes) -> bytes:
        """Take the next chunk of both, and return the one `AHEAD` before it without the agent."""
        self._played.append(_power(played))
        power, own = _power(heard), max(self._played)
        if own > 1.0:
            self._ratios.append(power / own)
        known = len(self._ratios) >= LEAST
        share = sorted(self._ratios)[int(SHARE * len(self._ratios))] if known else 0.0
        self._chunks.append(_Chunk(heard, known and power > ABOVE * share * own))
        if len(self._chunks) <= AHEAD:
            return bytes(len(heard))
        due = self._chunks[-1 - AHEAD].pcm
        return due if any(chunk.above for chunk in self._chunks) else bytes(len(due))


def _power(pcm: bytes) -> float:
    import numpy as np

    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    return float(samples @ samples) / len(samples) if len(samples) else 0.0
