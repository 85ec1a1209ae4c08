"""A device's binary frames to what the ears hear: 16 kHz, mono, 16 bit.

    version 1   the sound
    version 2   version u16, type u16, reserved u32, timestamp u32, size u32, the sound
    version 3   type u8, reserved u8, size u16, the sound

Big-endian; type 0 is sound. Source: `docs/websocket.md` and `main/protocols/protocol.h` of
xiaozhi-esp32. Decoding is FFmpeg's, through PyAV.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from hardware.audio import Resampler

if TYPE_CHECKING:
    from av import AudioCodecContext

VERSIONS = (1, 2, 3)
"""Of the protocol."""
SOUND = 0
MOST_BYTES = 8_192
"""Longest frame: 120 ms of Opus at its highest rate are 7,660 bytes (RFC 6716, 3.4)."""
DECODED_HZ = 48_000
"""What Opus is decoded to, whatever it was made from."""

_HEADS = {2: struct.Struct(">HHIII"), 3: struct.Struct(">BBH")}


def sound(frame: bytes, version: int) -> bytes:
    """Return the sound in a binary frame, empty for what else it holds. Raises ValueError."""
    if len(frame) > MOST_BYTES:
        raise ValueError(f"a frame of sound is longer than {MOST_BYTES} bytes")
    head = _HEADS.get(version)
    if head is None:
        return frame
    if len(frame) < head.size:
        raise ValueError("a frame ends in the midst of its head")
    *read, size = head.unpack_from(frame)
    kind = read[1] if version == 2 else read[0]
    if size != len(frame) - head.size:
        raise ValueError("a frame is not as long as its head says")
    return frame[head.size :] if kind == SOUND else b""


class Decoder:
    """A stream of Opus. It forgives a frame that is none, not many."""

    WORSE, MOST = 2, 20
    """A bad frame counts so much, a good one takes one away, and beyond the most it is no Opus."""

    def __init__(self) -> None:
        """Nothing came yet."""
        import av

        self._av = av
        self._codec: AudioCodecContext = av.CodecContext.create("opus", "r")
        self._codec.sample_rate = DECODED_HZ
        self._codec.layout = "mono"
        self._resampler = Resampler()
        self._bad = 0

    def feed(self, frame: bytes) -> bytes:
        """Decode the next frame; empty for one that is none. Raises ValueError for too many."""
        if not frame:  # FFmpeg takes it for the end
            return b""
        try:
            decoded = self._codec.decode(self._av.Packet(frame))
        except self._av.FFmpegError:
            self._bad += self.WORSE
            if self._bad > self.MOST:
                raise ValueError("sound is no Opus") from None
            return b""
        self._bad = max(0, self._bad - 1)
        return b"".join(self._resampler.convert(one) for one in decoded)
