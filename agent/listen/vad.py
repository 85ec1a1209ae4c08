"""Voice-activity detection: whether there is speech in a few milliseconds of sound."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ

FRAME_BYTES = frozenset(SAMPLE_RATE_HZ * ms // 1000 * SAMPLE_BYTES for ms in (10, 20, 30))
"""The sizes WebRTC's detector takes: 10, 20 or 30 ms."""


@runtime_checkable
class Vad(Protocol):
    """Anything that tells speech from the rest, chunk by chunk, in order."""

    def is_speech(self, pcm: bytes) -> bool:
        """Whether this chunk, 16 kHz mono int16, is speech."""
        ...


class WebRtcVad:
    """WebRTC's Gaussian-mixture detector.

    `mode` is its aggressiveness, 0 (lets much through) … 3 (lets least through). There is no
    energy gate in front, on purpose: the detector has its own and takes 1.3 µs for 20 ms, less
    than Python needs to look at the samples; and a gate that bites cuts quiet speech to pieces
    and makes padding with digital silence, which no microphone gives, end turns sooner than a
    room does.
    """

    def __init__(self, mode: int = 3) -> None:
        import webrtcvad

        self._detector = webrtcvad.Vad(mode)

    def is_speech(self, pcm: bytes) -> bool:
        """Whether this chunk is speech. Raises ValueError unless it is 10, 20 or 30 ms long."""
        if len(pcm) not in FRAME_BYTES:
            raise ValueError(f"{len(pcm)} bytes: WebRTC's detector takes 320, 640 or 960")
        return bool(self._detector.is_speech(pcm, SAMPLE_RATE_HZ))
