"""The gate of a live stream: every chunk comes out sound, in order and on time, or is counted.

    convert ──▶ order by time ──▶ cut to size ──▶ level
    to 16 bit   fill, sort, drop   10/20/30 ms    clipping, DC offset, zeros, band

A clean chunk comes out as the very object that went in. Nothing here raises on bad sound.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from numbers import Real
from types import SimpleNamespace
from typing import Any

from agent.listen import band
from agent.listen.health import Health, HealthLog
from agent.listen.vad import FRAME_BYTES
from hardware.base import CHUNK_MS, SAMPLE_BYTES, SAMPLE_RATE_HZ, AbsentChunk, AudioChunk, DualChunk

log = logging.getLogger(__name__)

MS_BYTES = SAMPLE_RATE_HZ // 1000 * SAMPLE_BYTES
CHUNK_BYTES = CHUNK_MS * MS_BYTES

LEEWAY = 0.75
"""How far a stamp may lie off, as a share of a chunk of 10 … 20 ms. A chunk that was lost leaves a
hole as long as itself; less is jitter."""

FOLLOW = 0.1
"""Share of a stamp's deviation that the expected time follows: jitter is averaged out, and two
clocks that drift apart by 100 ppm, far more than crystals do, stay within 0.02 ms."""

LATE_RUN = 10
"""So many late chunks one after the other are no latecomers: the device's clock went back."""

NOTE_CHUNKS = 500
"""The counters are offered to the log every 10 s."""

FARTHEST_MS = 1e13
"""A stamp of 300 years is no time. A float of this size still tells hundredths of a ms apart."""

LOOKS = 25
"""So many of the chunks that stand out are looked at, half a second, before it is said whether they
are narrow-band: one alone may be a vowel, which has little above 4 kHz by nature."""

RISE = 1.005
"""Most growth of the background's level for each chunk, 2 dB a second: words do not lift it."""

FADE = 0.25
"""Share of the way that the correction of the DC offset goes in one chunk: it is in, or out, within
a quarter of a second and without a step."""


@dataclass(frozen=True, slots=True)
class IntakeOptions:
    """What is mended, and what is only counted."""

    fill_ms: float = 200.0
    """Longest gap filled with silence: a stall of 100 ms with what it takes along. In a longer one
    words are missing, and silence would make another sentence of the rest."""
    jump_ms: float = 1000.0
    """A stamp that lies so far back is a clock that was set anew, not a late chunk."""
    away_ms: float = 86_400_000.0
    """A stamp a day ahead is a clock that was set anew too: no sound was lost that long."""
    zeros_ms: float = 5000.0
    """Digital silence of this length is a device that gives nothing: a converter's noise is never
    exactly 0 for longer than some ms, and padding after a recording is shorter."""
    clip_level: int = 32_700
    """Samples from here on are clipped: full scale less 0.02 dB, since some converters stop just
    short of it."""
    clip_samples: int = 3
    """So many of them make a chunk clipped; fewer are one peak that touches the rail."""
    offset_level: float = 164.0
    """A DC offset from here on is taken away, 0.5 % of full scale (-46 dB): as strong as a quiet
    room's noise, so that levels measured on the sound would be wrong. Below half of it, the sound
    is let through again as it is."""
    stands_out: float = 4.0
    """How much louder than the background, in amplitude, a chunk is that somebody speaks in."""
    quiet_level: int = 520
    """Speech with no sample beyond this, -36 dBFS, is too quiet: from there on down the detectors
    miss more and more of it, and what they find is heard wrongly."""
    quiet_ms: float = 500.0
    """So much of it is told of."""
    offset_hz: float = 0.3
    """Corner of the first-order high-pass that measures and removes the offset: it settles within
    1.5 s, and at 80 Hz, the lowest of voices, it turns the phase by 0.2 degrees."""


class Intake:
    """Mends and counts one session's stream, chunk by chunk.

    `tell` is given one line, in plain words, when a device gives nothing but zeros or a long piece
    is lost.
    """

    def __init__(
        self,
        options: IntakeOptions | None = None,
        device: str = "the microphone",
        health_log: HealthLog | None = None,
        tell: Callable[[str], None] = log.warning,
    ) -> None:
        import numpy as np

        self._np = np
        self._options = options or IntakeOptions()
        self._log = health_log
        self._tell = tell
        # Health's fields while they still change: `health` is what they are at a moment.
        self._count = SimpleNamespace(**asdict(Health(device, time.time())))
        self._since_note = 0
        # ── time
        self._expected_ms: float | None = None  # when the next chunk should begin
        self._shift_ms = 0.0  # what is added to the device's stamps
        self._held: AudioChunk | None = None  # came too early: its predecessor may still come
        self._late_run = 0
        self._stalled = False
        # ── size
        self._rest = b""  # less than a chunk, waiting for more
        self._rest_ms = 0.0  # when it begins
        # ── level
        self._offset = 0.0  # measured
        self._removed = 0.0  # what was taken from the last sample
        self._removing = False
        self._zeros_ms = 0.0  # length of the present stretch
        self._away = False
        self._background = 0.0  # the loudest sample of a chunk in which nobody speaks
        self._loud = False  # somebody has spoken loud enough
        self._quiet_ms = 0.0  # length of what stood out before
        self._power = [0.0, 0.0]  # of the chunks that are being looked at, see `band.powers`
        self._looked = 0

    @property
    def health(self) -> Health:
        """What was counted so far."""
        return Health(**vars(self._count))

    def mend(self, chunk: AudioChunk) -> tuple[AudioChunk, ...]:
        """Return what is to be heard now: usually this chunk; none, or several, after trouble."""
        self._since_note += 1
        if self._since_note >= NOTE_CHUNKS:
            self._since_note = 0
            if self._log is not None:
                self._log.note(self.health)
        if not isinstance(chunk, AudioChunk) or not _is_time(chunk.start_ms):
            self._count.unreadable += 1
            return ()
        if type(chunk.start_ms) is not float:
            chunk = replace(chunk, start_ms=float(chunk.start_ms))
        if isinstance(chunk, DualChunk):
            chunk = self._paired(chunk)
        pcm = chunk.pcm
        if type(pcm) is not bytes or len(pcm) % SAMPLE_BYTES or not pcm:
            mended = self._converted(chunk)
            if mended is None:
                return ()
            chunk, pcm = mended, mended.pcm
        length_ms = len(pcm) / MS_BYTES
        if self._expected_ms is None:
            self._expected_ms = chunk.start_ms
        off_ms = chunk.start_ms + self._shift_ms - self._expected_ms
        if self._held is None and not self._shift_ms and abs(off_ms) <= _leeway(length_ms):
            self._expected_ms += length_ms + FOLLOW * off_ms
            self._late_run, self._stalled = 0, False
            if not self._rest and len(pcm) in FRAME_BYTES:
                return (self._levelled(chunk),)
            return tuple(map(self._levelled, self._cut(chunk)))
        cut = (piece for ordered in self._ordered(chunk) for piece in self._cut(ordered))
        return tuple(map(self._levelled, cut))

    def flush(self) -> tuple[AudioChunk, ...]:
        """Return what still waits for a predecessor, as at the end of the stream."""
        held, self._held = self._held, None
        if held is None:
            return ()
        return tuple(map(self._levelled, self._cut(held)))

    def close(self) -> None:
        """Keep the counters; the session is over."""
        if self._log is not None:
            self._log.save(self.health)

    # ── to 16 bit ────────────────────────────────────────────────────────────────────────────────

    def _paired(self, chunk: DualChunk) -> AudioChunk:
        """Return the chunk, without the air's sound where that is not as long as the bone's."""
        whole = type(chunk.pcm) is type(chunk.air) is bytes and not len(chunk.air) % SAMPLE_BYTES
        if whole and len(chunk.air) == len(chunk.pcm):
            return chunk
        self._count.resized += 1
        return AudioChunk(chunk.pcm, chunk.start_ms)

    def _converted(self, chunk: AudioChunk) -> AudioChunk | None:
        """Return the chunk with whole 16-bit samples as bytes; None when there are none."""
        pcm: Any = chunk.pcm
        try:
            view = memoryview(pcm)
            if view.format in ("h", "<h", "B", "b", "c"):
                sound = view.tobytes()
            else:
                sound = self._int16(view)
                self._count.converted += 1
        except (TypeError, ValueError):
            self._count.unreadable += 1
            return None
        if len(sound) % SAMPLE_BYTES:  # a chunk begins with a whole sample, so its end was cut off
            sound = sound[:-1]
            self._count.resized += 1
        if not sound:
            self._count.unreadable += 1
            return None
        return replace(chunk, pcm=sound)

    def _int16(self, view: memoryview) -> bytes:
        """Floats of full scale 1, or wider integers, to 16 bits. Raises ValueError for others."""
        np = self._np
        values = np.asarray(view).reshape(-1)
        if values.dtype.kind == "f":
            scaled = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=-1.0) * 32_767.0
        elif values.dtype.kind == "i":
            scaled = values / 2.0 ** (8 * values.dtype.itemsize - 16)
        else:
            raise ValueError(f"samples of type {values.dtype}")
        return _bytes(np, scaled)

    # ── order by time ────────────────────────────────────────────────────────────────────────────

    def _ordered(self, chunk: AudioChunk) -> list[AudioChunk]:
        """Return what is due now, with stamps that follow on each other."""
        if self._shift_ms:
            chunk = replace(chunk, start_ms=chunk.start_ms + self._shift_ms)
        held, self._held = self._held, None
        if held is None:
            return self._placed(chunk)
        assert self._expected_ms is not None
        missing_ms = held.start_ms - self._expected_ms
        leeway_ms = _leeway(chunk.duration_ms)
        before_held = chunk.start_ms < held.start_ms - leeway_ms
        if before_held and chunk.start_ms >= self._expected_ms - leeway_ms:  # here it is
            self._count.reordered += 1
            return [*self._placed(chunk, sorted_in=True), *self._placed(held)]
        if not before_held and chunk.start_ms < held.end_ms - leeway_ms:
            # Stamped as they arrived, all at once: nothing is missing, they only had to wait.
            if not self._stalled:
                self._count.stalls += 1
                self._stalled = True
            return [self._restamped(held), self._restamped(chunk)]
        return [*self._gap(missing_ms), *self._follow(held), *self._placed(chunk)]

    def _placed(self, chunk: AudioChunk, sorted_in: bool = False) -> list[AudioChunk]:
        """Return a chunk that may lie on, before or after its time, with what must precede it."""
        assert self._expected_ms is not None
        off_ms = chunk.start_ms - self._expected_ms
        if off_ms < -_leeway(chunk.duration_ms):
            return self._late(chunk, off_ms)
        if off_ms <= _leeway(chunk.duration_ms):
            return self._follow(chunk)
        if off_ms > self._options.away_ms:
            return self._set_anew(chunk, off_ms)
        if off_ms > self._options.fill_ms:
            return [*self._gap(off_ms), *self._follow(chunk)]
        if sorted_in:
            return [*self._gap(off_ms), *self._follow(chunk)]
        self._held = chunk
        return []

    def _late(self, chunk: AudioChunk, off_ms: float) -> list[AudioChunk]:
        self._late_run += 1
        if off_ms > -self._options.jump_ms and self._late_run < LATE_RUN:
            self._count.late += 1
            return []
        return self._set_anew(chunk, off_ms)

    def _set_anew(self, chunk: AudioChunk, off_ms: float) -> list[AudioChunk]:
        """Go on as if nothing had happened when the device's clock was set anew."""
        self._count.jumps += 1
        self._shift_ms -= off_ms
        return [self._restamped(chunk)]

    def _follow(self, chunk: AudioChunk) -> list[AudioChunk]:
        """Let the expected time follow a chunk that lies on its time."""
        assert self._expected_ms is not None
        off_ms = chunk.start_ms - self._expected_ms
        self._expected_ms += chunk.duration_ms + FOLLOW * off_ms
        self._late_run = 0
        return [chunk]

    def _restamped(self, chunk: AudioChunk) -> AudioChunk:
        """Put a chunk right after its predecessor, whatever its stamp says."""
        assert self._expected_ms is not None
        moved = replace(chunk, start_ms=self._expected_ms)
        self._expected_ms = moved.end_ms
        self._late_run = 0
        return moved

    def _gap(self, gap_ms: float) -> list[AudioChunk]:
        """Step over missing sound: silence for it where it is short."""
        assert self._expected_ms is not None
        begin_ms = self._expected_ms
        self._expected_ms += gap_ms
        if gap_ms > self._options.fill_ms:
            self._count.gaps += 1
            self._count.lost_ms += gap_ms
            self._rest = b""  # what waited there can no longer be completed
            self._tell(f"{self._count.device} lost {gap_ms / 1000:.1f} s of sound")
            return []
        # Detectors take 10, 20 and 30 ms; what is less than 5 ms off is jitter.
        tens = round(gap_ms / 10)
        lengths = [CHUNK_MS] * (tens // 2) + [10] * (tens % 2)
        self._count.dropouts += 1
        self._count.filled_ms += sum(lengths)
        starts = [begin_ms + sum(lengths[:n]) for n in range(len(lengths))]
        return [
            AudioChunk(bytes(ms * MS_BYTES), start)
            for ms, start in zip(lengths, starts, strict=True)
        ]

    # ── cut to size ──────────────────────────────────────────────────────────────────────────────

    def _cut(self, chunk: AudioChunk) -> list[AudioChunk]:
        """Return chunks of a length that detectors take; a rest waits for the next call."""
        if not self._rest:
            if len(chunk.pcm) in FRAME_BYTES:
                return [chunk]
            self._rest_ms = chunk.start_ms
        if len(chunk.pcm) not in FRAME_BYTES:
            self._count.resized += 1
        pcm = self._rest + chunk.pcm
        whole = len(pcm) // CHUNK_BYTES * CHUNK_BYTES
        pieces = [
            AudioChunk(pcm[at : at + CHUNK_BYTES], self._rest_ms + at / MS_BYTES)
            for at in range(0, whole, CHUNK_BYTES)
        ]
        self._rest = pcm[whole:]
        self._rest_ms = chunk.end_ms - len(self._rest) / MS_BYTES
        return pieces

    # ── level ────────────────────────────────────────────────────────────────────────────────────

    def _levelled(self, chunk: AudioChunk) -> AudioChunk:
        """Look at the samples: count what is clipped or zero, take an offset away."""
        options, count = self._options, self._count
        samples = self._np.frombuffer(chunk.pcm, "<i2")
        length_ms = len(samples) * (1000 / SAMPLE_RATE_HZ)
        count.heard_ms += length_ms
        low, high = int(samples.min()), int(samples.max())
        if high == 0 == low:
            self._zeros(chunk, length_ms)
        elif self._zeros_ms or self._away:
            self._zeros_ms, self._away = 0.0, False
        self._looks(samples, max(high, -low), length_ms)
        if high >= options.clip_level or low <= -options.clip_level:
            over = (samples >= options.clip_level) | (samples <= -options.clip_level)
            count.clipped += int(over.sum()) >= options.clip_samples
        share = 1 - math.exp(-math.tau * options.offset_hz * length_ms / 1000)
        self._offset += (int(samples.sum()) / len(samples) - self._offset) * share
        size = abs(self._offset)
        if size >= options.offset_level:
            self._removing = True
        elif size < options.offset_level / 2:
            self._removing = False
        if not self._removing and not self._removed:
            return chunk
        return self._centred(chunk, samples)

    def _centred(self, chunk: AudioChunk, samples: Any) -> AudioChunk:
        """Take the offset away, gliding from what was taken from the chunk before."""
        np = self._np
        before = self._removed
        after = before + ((self._offset if self._removing else 0.0) - before) * FADE
        if not self._removing and abs(after) < 0.5:
            after = 0.0
        self._removed = after
        self._count.offset += 1
        glide = np.linspace(before, after, len(samples), dtype=np.float32)
        return replace(chunk, pcm=_bytes(np, samples - glide))

    def _looks(self, samples: Any, peak: int, length_ms: float) -> None:
        """Look at what stands out from the background: whether it is too quiet, or narrow-band."""
        if not peak:
            return
        background = self._background or float(peak)
        self._background = max(1.0, min(peak, background * RISE))
        if peak < self._options.stands_out * self._background:
            return
        count = self._count
        if peak > self._options.quiet_level:
            self._loud, count.quiet_ms = True, 0.0
        elif not self._loud:
            self._quiet_ms += length_ms
            if self._quiet_ms >= self._options.quiet_ms:
                count.quiet_ms = self._quiet_ms
        if not self._loud or len(samples) != band.FRAME:
            return
        for at, power in enumerate(band.powers(samples)):
            self._power[at] += power
        self._looked += 1
        if self._looked == LOOKS:
            below, above = self._power
            narrow = above < band.NARROW * below
            count.narrow_ms = count.narrow_ms + LOOKS * length_ms if narrow else 0.0
            self._power, self._looked = [0.0, 0.0], 0

    def _zeros(self, chunk: AudioChunk, length_ms: float) -> None:
        """Count digital silence, and a device that is away."""
        count = self._count
        if isinstance(chunk, AbsentChunk):
            count.absences += not self._away
            count.absent_ms += length_ms
            self._away = True
            return
        self._away = False
        before, self._zeros_ms = self._zeros_ms, self._zeros_ms + length_ms
        limit = self._options.zeros_ms
        if before < limit <= self._zeros_ms:
            count.zeros_ms += self._zeros_ms
            self._tell(
                f"{count.device} has given no sound at all for {limit / 1000:g} s:"
                " is it muted, or switched off for privacy?"
            )
        elif before >= limit:
            count.zeros_ms += length_ms


def _is_time(stamp_ms: object) -> bool:
    """Whether a stamp can be calculated with: plugins' microphones give anything."""
    if not isinstance(stamp_ms, Real):
        return False
    return stamp_ms <= FARTHEST_MS and not stamp_ms < -FARTHEST_MS  # also for NaN


def _leeway(length_ms: float) -> float:
    """How far the stamp of a chunk of this length may lie off, in ms."""
    return LEEWAY * min(max(length_ms, 10.0), float(CHUNK_MS))


def _bytes(np: Any, values: Any) -> bytes:
    """Round to 16 bits, what is too loud to full scale."""
    sound: bytes = np.clip(np.rint(values), -32_768, 32_767).astype("<i2").tobytes()
    return sound
