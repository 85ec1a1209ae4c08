"""How a page and the glasses it wears talk, over one WebSocket.

Control is JSON in text frames, `{"type": "say", "text": "…"}`, one object a message; its keys are
the fields of the classes in `from_page` and `to_page`, all of them and no others. Sound and
pictures are binary frames:

    1, number of the chunk (uint32, big endian), 16 kHz mono s16le PCM     `Sound`
    2, number of the request (uint32, big endian), a JPEG                  `Picture`

What cannot be read closes the connection with 1007, what is too long with 1009, and who sends too
much with 1008: a page of ours never does, so nothing is guessed and nothing is mended.
"""

from __future__ import annotations

from agent.errors import GlassesError

VERSION = 1
"""Of the protocol; page and server come from one package, so another is a page left open."""

MAX_BYTES = 1 << 20
"""Longest message, 1 MiB: a picture of 1280 × 960 is a quarter of it."""
MOST_READ_BYTES = 4 << 20
"""Longest message that is read to its end before it is refused: who is still sending as the
connection closes is reset by TCP, and may never see the code."""
MAX_SOUND_S = 1.0
"""Most sound in one message; pages send 20 ms."""

GOING_AWAY, JUNK, REFUSED, TOO_BIG, BROKEN, BUSY = 1001, 1007, 1008, 1009, 1011, 1013
"""Codes of RFC 6455 that connections are closed with: the server ends, the message cannot be read,
too many messages, too long a message, a fault of ours, no glasses left."""


class Junk(GlassesError):
    """A message that cannot be read; the connection it came on is closed with `JUNK`."""
