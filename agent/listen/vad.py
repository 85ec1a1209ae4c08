"""Voice-activity detection: is there speech in these few milliseconds?"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ

FRAME_BYTES = frozenset(SAMPLE_RATE_HZ * ms // 1000 * SAMPLE_BYTES for ms in (10, 20, 30))
"""The sizes WebRTC's detector takes: 10, 20 or 30 ms."""

GATE_PEAK = 64
"""Chunks whose samples all stay below this (-54 dBFS) are silence without asking the detector."""


@runtime_checkable
class Vad(Protocol):
    """Anything that tells speech from the rest, chunk by chunk, in order."""

    def is_speech(self, pcm: bytes) -> bool:
        """Whether this chunk, 16 kHz mono int16, is speech."""
        ...


class WebRtcVad:
    """WebRTC's Gaussian-mixture detector, behind an energy gate.

    `mode` is its aggressiveness, 0 (lets much through) … 3 (lets least through).
    """

    def __init__(self, mode: int = 3, gate_peak: int = GATE_PEAK) -> None:
        import webrtcvad  # type: ignore[import-untyped]  # it ships no types

        self._detector = webrtcvad.Vad(mode)
        self._gate_peak = gate_peak

    def is_speech(self, pcm: bytes) -> bool:
        """Whether this chunk is speech. Raises ValueError unless it is 10, 20 or 30 ms long."""
        if len(pcm) not in FRAME_BYTES:
            raise ValueError(f"a chunk of {len(pcm)} bytes: WebRTC's detector takes 320, 640 or 960")
        # Every fourth sample will do: a voice has most of its energy below 2 kHz.
        samples = memoryview(pcm).cast("h")[::4]
        if max(samples) < self._gate_peak and min(samples) > -self._gate_peak:
            return False
        return bool(self._detector.is_speech(pcm, SAMPLE_RATE_HZ))
