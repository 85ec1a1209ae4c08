"""Pipecat's frames in Protocol Buffers, as far as a client sends or reads them.

    Frame          = oneof { 1: text, 2: audio, 3: transcription, 4: message, 5: interruption }
    AudioRawFrame  = { 3: audio bytes, 4: sample rate, 5: channels }
    MessageFrame   = { 1: data, a message of RTVI as JSON }

Source: `frames.proto` of Pipecat 1.14, and https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from dataclasses import dataclass

AUDIO, MESSAGE = 2, 4

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound in a frame."""

    pcm: bytes
    """16-bit PCM, interleaved."""
    rate_hz: int
    """Samples a second."""
    channels: int
    """How many there are."""


def read(frame: bytes) -> Audio | bytes | None:
    """Return the sound or the JSON in a frame; None for any other. Raises ValueError."""
    found = _fields(frame)
    audio, message = found.get(AUDIO), found.get(MESSAGE)
    if isinstance(message, bytes):
        data = _fields(message).get(1, b"")
        return data if isinstance(data, bytes) else b""
    if isinstance(audio, bytes):
        inner = _fields(audio)
        pcm, rate_hz, channels = inner.get(3, b""), inner.get(4, 0), inner.get(5, 0)
        if isinstance(pcm, bytes) and isinstance(rate_hz, int) and isinstance(channels, int):
            return Audio(pcm, rate_hz, channels)
        raise ValueError("sound is bytes, a rate and a number of channels")
    if not found.keys() & {1, 3, 5}:
        raise ValueError("a frame has one of five kinds")
    return None


def written(message: str) -> bytes:
    """Return a frame with a message in it."""
    return _field(MESSAGE, _field(1, message.encode()))


def _fields(data: bytes) -> dict[int, int | bytes]:
    """Return the last value of each field by its number. Raises ValueError."""
    found: dict[int, int | bytes] = {}
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            found[number], at = _varint(data, at)
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_EIGHT, _FOUR):
            size = 8 if kind == _EIGHT else 4
        else:
            raise ValueError("a field has a kind that there is not")
        if at + size > len(data):
            raise ValueError("it ends in the midst of a field")
        if kind == _BYTES:
            found[number] = data[at : at + size]
        at += size
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            raise ValueError("it ends in the midst of a number")
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
    raise ValueError("a number is longer than 64 bits")


def _field(number: int, data: bytes) -> bytes:
    size, head = len(data), bytearray([number << 3 | _BYTES])
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + data
