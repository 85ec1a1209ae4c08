"""Where an utterance starts and where it ends: a small state machine over voice activity.

    listening ──start_ms of speech──▶ speaking ──a long enough silence, or max_ms──▶ listening

How long a silence must be is told with each chunk (`agent.listen.patience` decides); without, it is
`end_ms`. No clock of its own: it counts in the times the chunks carry, so that it decides the same
on a recording that runs as fast as it can.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from typing import Literal

from agent.listen.vad import SPEECH, Vad
from hardware.base import SAMPLE_RATE_HZ, AudioChunk

FRAME = SAMPLE_RATE_HZ // 100
"""Samples of 10 ms, over which levels are taken."""
SURE = 0.8
"""Probability from which a chunk is speech whatever its level: a stop in the midst of a word is as
quiet as a pause."""
SURELY_NOT = 0.35
"""Probability below which it is none whatever its level, as in noise: silero's own threshold for
the end of speech, 0.15 below that of its beginning."""


@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """How much of what it takes; all in ms."""

    preroll_ms: float = 300
    """Audio from before the first speech that belongs to the utterance: soft first consonants."""
    ambient_ms: float = 1000
    """Sound from before the pre-roll that tells of the noise."""
    start_ms: float = 60
    """Unbroken speech that opens an utterance."""
    end_ms: float = 400
    """Silence that closes it where nothing else is known."""
    min_ms: float = 80
    """With less speech than this in all, it was a knock or a cough: dropped."""
    max_ms: float = 15_000
    """An utterance longer than this is closed and answered, so that noise cannot hold the turn."""


@dataclass(frozen=True, slots=True)
class Idle:
    """Nobody speaks."""


@dataclass(frozen=True, slots=True)
class Started:
    """An utterance has begun."""

    preroll: tuple[AudioChunk, ...]
    """What belongs to it so far, oldest first, the chunk just pushed included."""
    start_ms: float
    """Start of the first chunk with speech."""
    before: tuple[AudioChunk, ...] = ()
    """What was heard before the pre-roll, at most `ambient_ms` of it: the noise of the place."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """The utterance goes on."""

    chunk: AudioChunk
    """The chunk just pushed."""
    silence_ms: float
    """How long it has been quiet by now; 0 while there is speech. Time to get the answer ready."""
    speech_ms: float = 0.0
    """How much speech there was."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The utterance is over."""

    chunk: AudioChunk
    """The chunk just pushed, the last that belongs to it."""
    start_ms: float
    """Start of the first chunk with speech."""
    last_speech_ms: float
    """End of the last chunk with speech, in the detector's opinion."""
    endpoint_ms: float
    """When this was decided: the end of the chunk just pushed."""
    why: Literal["silence", "too long", "told"]
    """What closed it."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What had started was too short to be an utterance: forget it."""

    start_ms: float
    """Start of the first chunk with speech."""
    endpoint_ms: float
    """When this was decided."""


Event = Idle | Started | Speaking | Ended | Dropped

_IDLE = Idle()


@dataclass(slots=True)
class _Utterance:
    start_ms: float
    last_speech_ms: float
    speech_ms: float

    def ended(self, chunk: AudioChunk, why: Literal["silence", "too long", "told"]) -> Ended:
        return Ended(chunk, self.start_ms, self.last_speech_ms, chunk.end_ms, why)


class Endpointer:
    """Tells of each chunk what it means for the utterance; one per stream."""

    def __init__(self, vad: Vad, options: EndpointOptions | None = None) -> None:
        self._vad = vad
        self._options = options or EndpointOptions()
        self._level = Level()
        self._recent: deque[AudioChunk] = deque()  # while listening: what the pre-roll is cut from
        self._speech_ms = 0.0  # while listening: length of the unbroken speech so far
        self._utterance: _Utterance | None = None

    @property
    def in_speech(self) -> bool:
        """True from `Started` until `Ended` or `Dropped`."""
        return self._utterance is not None

    @property
    def noise(self) -> float | None:
        """How loud the place is, as mean amplitude of 32,767; None while nothing was heard."""
        return self._level.noise

    def push(self, chunk: AudioChunk, wait_ms: float | None = None) -> Event:
        """Take the next chunk of the stream and say what became of the utterance.

        `wait_ms` is the silence that closes it, as things stand.
        """
        probability = self._vad.probability(chunk.pcm)
        quiet_ms = self._level.push(chunk.pcm)
        if self._utterance is None:
            return self._listen(chunk, probability >= SPEECH)
        if probability >= SURE:
            quiet_ms = 0.0
        elif probability < SURELY_NOT:
            quiet_ms = chunk.duration_ms
        wait_ms = self._options.end_ms if wait_ms is None else wait_ms
        return self._follow(chunk, quiet_ms, wait_ms, self._utterance)

    def reset(self) -> None:
        """Forget the utterance and the pre-roll, as after a turn that something else has ended."""
        self._recent.clear()
        self._speech_ms = 0.0
        self._utterance = None

    def open(self, chunk: AudioChunk) -> Started:
        """Begin an utterance with the chunk just pushed, whatever is heard: a key is held."""
        preroll = tuple(self._recent)[-15:] or (chunk,)
        self.reset()
        self._utterance = _Utterance(chunk.start_ms, chunk.end_ms, chunk.duration_ms)
        return Started(preroll, chunk.start_ms)

    def close(self, chunk: AudioChunk) -> Ended | None:
        """End the utterance with this chunk whatever is heard, as when a key is let go."""
        utterance = self._utterance
        self.reset()
        return utterance.ended(chunk, "told") if utterance else None

    def _listen(self, chunk: AudioChunk, speech: bool) -> Event:
        self._speech_ms = self._speech_ms + chunk.duration_ms if speech else 0.0
        self._recent.append(chunk)
        oldest_ms = chunk.end_ms - self._speech_ms - self._options.preroll_ms
        while self._recent and self._recent[0].end_ms <= oldest_ms - self._options.ambient_ms:
            self._recent.popleft()
        if not speech or self._speech_ms < self._options.start_ms:
            return _IDLE
        start_ms = chunk.end_ms - self._speech_ms
        before = tuple(heard for heard in self._recent if heard.end_ms <= oldest_ms)
        started = Started(tuple(self._recent)[len(before) :], start_ms, before)
        spoken_ms = self._speech_ms
        self.reset()
        self._utterance = _Utterance(start_ms, chunk.end_ms, spoken_ms)
        return started

    def _follow(
        self, chunk: AudioChunk, quiet_ms: float, wait_ms: float, utterance: _Utterance
    ) -> Event:
        if quiet_ms < chunk.duration_ms:
            utterance.last_speech_ms = chunk.end_ms - quiet_ms
            utterance.speech_ms += chunk.duration_ms - quiet_ms
        silence_ms = chunk.end_ms - utterance.last_speech_ms
        too_long = chunk.end_ms - utterance.start_ms >= self._options.max_ms
        if silence_ms < wait_ms and not too_long:
            return Speaking(chunk, silence_ms, utterance.speech_ms)
        self.reset()
        if utterance.speech_ms < self._options.min_ms:
            return Dropped(utterance.start_ms, chunk.end_ms)
        return utterance.ended(chunk, "too long" if too_long else "silence")


class Level:
    """Where within a chunk sound falls quiet, from the levels of the last seconds.

    The lower threshold of `energy_speech_end`, kept up as the stream goes on. It sees the last
    syllable end within 10 ms, where detectors go on for 50 ms and more; in noise it sees nothing.
    """

    FRAMES = 300
    """How many frames of 10 ms it goes by, 3 s: a phrase, with the quiet around it."""
    SHARE = 0.1
    """How far from noise to speech the threshold lies; looser than 3 %, since it ends no turn
    alone and its error is a wait in noise."""

    def __init__(self) -> None:
        import numpy as np

        self._np = np
        self._levels: deque[float] = deque()
        self._sorted: list[float] = []

    def push(self, pcm: bytes) -> float:
        """Take the next chunk and return how much of its end is quiet, in ms."""
        samples = self._np.abs(self._np.frombuffer(pcm, "<i2").astype("i4"))
        frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).mean(axis=1).tolist()
        for level in frames:
            self._remember(level)
        below = self._threshold()
        quiet_ms = 0.0
        for level in reversed(frames):
            if level > below:
                break
            quiet_ms += 10.0
        return quiet_ms

    @property
    def noise(self) -> float | None:
        """How loud it is between words, as mean amplitude; None while nothing was heard."""
        known = len(self._sorted)
        return self._sorted[known // 10] if known else None

    def _remember(self, level: float) -> None:
        if level > 0:  # digital silence is padding, no noise
            self._levels.append(level)
            insort(self._sorted, level)
            if len(self._levels) > self.FRAMES:
                del self._sorted[bisect_left(self._sorted, self._levels.popleft())]

    def _threshold(self) -> float:
        known = len(self._sorted)
        if known < 3:
            return 0.0
        noise, speech = self._sorted[known // 10], self._sorted[known * 19 // 20]
        return max(min(noise + self.SHARE * (speech - noise), 4 * noise), self.SHARE / 3 * speech)


def energy_speech_end(pcm: bytes, start_ms: float = 0.0) -> float:
    """Where speech ends in `pcm` (16 kHz mono int16, beginning at `start_ms`), in ms.

    By energy on the audio itself, to measure the detector by rather than to ask it: the method of
    Rabiner and Sambur, "An algorithm for determining the endpoints of isolated utterances", Bell
    System Technical Journal 54(2), 1975, run from the end. Mean magnitudes of 10 ms frames; noise
    N and speech S; the lower threshold is min(3 % of the way from N to S, 4 N), the upper one 5
    times the lower. Speech ends where, after the last stay above the upper threshold, the lower
    one is reached. Their zero-crossing step, for final fricatives, is left out.

    Where we differ: N is the 10th percentile (of frames that are not digital silence, which is
    padding) and S the 95th, since a stream has neither 100 ms of silence in front nor only one
    click; a stay is 30 ms, so that a click is none; the lower threshold is at least 1 % of S
    (-40 dB), so that breath in a very quiet room is not speech; the upper one at most 30 % of S,
    so that soft words in loud noise are.

    With no such stay, as in silence, it is the end of the audio.
    """
    import numpy as np

    samples = np.abs(np.frombuffer(pcm, "<i2").astype(np.int32))
    frame = SAMPLE_RATE_HZ // 100
    levels = samples[: len(samples) // frame * frame].reshape(-1, frame).mean(axis=1)
    sounding = levels[levels > 0]
    end_ms = start_ms + len(samples) / SAMPLE_RATE_HZ * 1000
    if len(sounding) < 3:
        return end_ms
    noise, speech = np.percentile(sounding, (10, 95))
    lower = max(min(noise + 0.03 * (speech - noise), 4 * noise), 0.01 * speech)
    upper = min(5 * lower, max(0.3 * speech, lower))
    loud = levels > upper
    stays = np.flatnonzero(loud[:-2] & loud[1:-1] & loud[2:])
    if not len(stays):
        return end_ms
    last = int(stays[-1]) + 2
    quiet_after = np.flatnonzero(levels[last:] <= lower)
    return start_ms + 10.0 * (last + int(quiet_after[0])) if len(quiet_after) else end_ms
