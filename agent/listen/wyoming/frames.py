r"""The frames of the Wyoming protocol: bytes as they come in, whole events out, within limits.

    {"type": …, "data_length": 21, "payload_length": 2048}\\n   data as JSON   payload

The library reads with no limit, and takes a broken header for the end of the stream; what is read
here comes from anybody. What is written is written by the library.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hardware import reading

if TYPE_CHECKING:
    from wyoming.event import Event, Eventable

MOST_HEADER = 64 << 10
"""Longest line that begins an event, in bytes."""
MOST_DATA = 1 << 20
"""Most JSON of an event: a server with hundreds of voices tells of them all in one."""
MOST_PAYLOAD = 1 << 20
"""Most sound in an event: 32 s at 16 kHz, where others send 0.1 s."""


class Malformed(ValueError):
    """It is no event; the message says why in a few words."""


class Frames:
    """What one side of a connection has sent and nobody has taken yet."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self._bytes = bytearray()
        self._head: tuple[dict[str, Any], int, int] | None = None
        self._looked = 0

    @property
    def inside(self) -> bool:
        """Whether an event has begun and not ended."""
        return bool(self._bytes) or self._head is not None

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take the next bytes and yield the events that they end. Raises Malformed."""
        self._bytes += data
        while (event := self._next()) is not None:
            yield event

    def _next(self) -> Event | None:
        from wyoming.event import Event

        if self._head is None:
            end = self._bytes.find(b"\n", self._looked)
            self._looked = len(self._bytes)
            if max(end, 0 if end >= 0 else self._looked) > MOST_HEADER:
                raise Malformed(f"its header is longer than {MOST_HEADER:,} bytes")
            if end < 0:
                return None
            self._head = _header(self._take(end + 1))
        header, data_length, payload_length = self._head
        if len(self._bytes) < data_length + payload_length:
            return None
        data = header.get("data") or {}
        if not isinstance(data, dict):
            raise Malformed("its data is no object")
        if data_length:
            data = {**data, **_object(self._take(data_length))}
        payload = self._take(payload_length) if payload_length else None
        self._head, self._looked = None, 0
        return Event(header["type"], data, payload)

    def _take(self, length: int) -> bytes:
        taken = bytes(self._bytes[:length])
        del self._bytes[:length]
        return taken


def written(event: Eventable) -> bytes:
    """Return an event as it is sent."""
    from wyoming.event import write_event

    out = io.BytesIO()
    write_event(event.event(), out)
    return out.getvalue()


def _header(line: bytes) -> tuple[dict[str, Any], int, int]:
    header = _object(line)
    if not isinstance(header.get("type"), str):
        raise Malformed("it has no type")
    return (
        header,
        _length(header, "data_length", MOST_DATA),
        _length(header, "payload_length", MOST_PAYLOAD),
    )


def _length(header: dict[str, Any], key: str, most: int) -> int:
    length = header.get(key)
    if length is None:
        return 0
    if type(length) is not int or length < 0:
        raise Malformed(f"its {key} is no length")
    if length > most:
        raise Malformed(f"its {key} is more than {most:,} bytes")
    return length


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = reading.from_json(reading.decode(raw), finite=False)
    except reading.Unreadable as error:
        raise Malformed(str(error)) from None
    if not isinstance(found, dict):
        raise Malformed("it is no JSON object")
    return found
