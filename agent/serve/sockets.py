"""WebSockets for clients that are no page of ours: who may come, how many, how much, how long.

Without a token this machine alone may come, by its own names and not from a page of somebody
else's; bound elsewhere, whoever has the token: in the header `Authorization: Bearer TOKEN`, as
`?token=TOKEN`, or as the last part of the path. Whatever a client sends or does not send, it costs
one connection and some hundred kilobytes, and is told why in one line.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, QueryParams
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketClose, WebSocketDisconnect

from agent.errors import EngineError, GlassesError
from agent.serve.ears import Ears
from agent.serve.simulator.guard import LOOPBACK
from agent.serve.spoken import Event, Spoken
from hardware import reading

log = logging.getLogger(__name__)

MOST_CLIENTS = 16
"""Connections at once; the next one is told so and let go."""
MOST_BYTES = 256 << 10
"""Longest message: six seconds of sound as base64. A longer one is refused by its head."""
HELLO_S = 10.0
"""How long a client may take to say its first word."""
IDLE_S = 600.0
"""How long it may say nothing between two messages; whether it is there is asked by pings."""
QUIET_S = 1.0
"""Sound that stays away for so long in the midst of an utterance has ended it."""
LOOK_S = 0.2
"""How long it is looked whether something came all the same."""
WRITE_S = 5.0
"""How long it may leave an answer unread."""
OPTIONS: Mapping[str, Any] = {
    "ws": "websockets-sansio",
    "ws_max_size": MOST_BYTES,
    "ws_per_message_deflate": False,  # sound does not shrink, and bombs stay out
    "log_level": "critical",  # what a client sends is no fault of ours
    "proxy_headers": False,
    "server_header": False,
}
"""What uvicorn is to keep to."""

DONE, NONSENSE, STALLED, FULL = 1000, 1007, 1008, 1013
"""Codes that a connection is closed with (RFC 6455 and its registry)."""


class Nonsense(GlassesError):
    """A client sent what the protocol does not have."""


class Gone(GlassesError):
    """A client is not there any more, or reads nothing."""


class Door:
    """Lets in who may come, over HTTP and WebSocket."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        """Ask for a token where there is one; without, this machine alone may come."""
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on, or refuse it."""
        if scope["type"] not in ("http", "websocket") or self._opens(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)  # before it was accepted: HTTP 403
        else:
            refused = JSONResponse({"error": "the token is wrong or missing"}, 401)
            await refused(scope, receive, send)

    def _opens(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        if self._token is None:
            origin = headers.get("origin")
            return _here(f"//{headers.get('host', '')}") and (origin is None or _here(origin))
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            last = scope["path"].rstrip("/").rpartition("/")[2]
            given = QueryParams(scope["query_string"]).get("token", last)
        return secrets.compare_digest(given.strip().encode(), self._token.encode())


def _here(address: str) -> bool:
    """Whether an address names this machine."""
    try:
        return (urlsplit(address).hostname or "").lower() in LOOPBACK
    except ValueError:
        return False


class Clients:
    """All clients of one protocol."""

    def __init__(self, protocol: str, make: Callable[[WebSocket], Client]) -> None:
        """Have none yet; `protocol` is what the log calls it."""
        self.protocol = protocol
        self._make = make
        self._count = 0

    async def serve(self, socket: WebSocket) -> None:
        """Serve one client until it goes."""
        await socket.accept()
        client = self._make(socket)
        self._count += 1
        code, why = DONE, ""
        try:
            if self._count > MOST_CLIENTS:
                code, why = FULL, f"{MOST_CLIENTS} clients are here already: come again"
            else:
                code, why = await client.run()
        except Exception as error:  # no client may end the server
            code, why = 1011, "the glasses failed: connect again"
            log.error("%s: a client failed: %s", self.protocol, type(error).__name__)
            log.debug("a client failed", exc_info=True)
        finally:
            self._count -= 1
        if why:
            log.info("%s: a client is let go: %s", self.protocol, why)
        await client.leave(code, why)


class Client(ABC):
    """One client, whichever protocol it speaks."""

    def __init__(self, socket: WebSocket, ears: Ears | None) -> None:
        """Take an accepted connection; without ears it can only type."""
        self._socket = socket
        self.spoken = None if ears is None else Spoken(ears)
        if ears is not None:
            ears.warm()

    @abstractmethod
    async def take(self, message: str | bytes) -> None:
        """Do what a message wants. Raises Nonsense, Gone."""

    @abstractmethod
    async def heard(self, event: Event) -> None:
        """Do what comes of its sound. Raises Gone."""

    @abstractmethod
    async def wrong(self, why: str, fatal: bool) -> None:
        """Tell it in a line what failed; `fatal` is before it is let go. Raises Gone."""

    async def run(self) -> tuple[int, str]:
        """Take messages until it goes or must; return the code to close with, and why."""
        limit_s = HELLO_S
        try:
            while True:
                speaking = self.spoken is not None and self.spoken.speaking
                try:
                    message = await self._next(QUIET_S if speaking else limit_s)
                except TimeoutError:
                    if not speaking:
                        return STALLED, f"nothing came within {limit_s:.0f} s: connect again"
                    await self.quiet()
                    continue
                limit_s = IDLE_S
                if message["type"] == "websocket.disconnect":
                    return DONE, ""
                text = message.get("text")
                await self.take(message.get("bytes") or b"" if text is None else text)
        except Nonsense as error:
            return NONSENSE, str(error)
        except Gone as error:
            return DONE, str(error)
        finally:
            if self.spoken is not None:
                await self.spoken.leave()

    async def _next(self, limit_s: float) -> Message:
        """Return the next message. Raises TimeoutError where none came within the time.

        It is looked once more then: where everything here stood still meanwhile, what the client
        has sent waits to be read, and it was not the client that was silent.
        """
        for wait_s in (limit_s, LOOK_S):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    return await self._socket.receive()
        raise TimeoutError

    async def hear(self, pcm: bytes) -> None:
        """Hear sound that goes on without end. Raises Gone."""
        if self.spoken is not None:
            await self._follow(self.spoken.hear(pcm))

    async def quiet(self) -> None:
        """Take what is being said as over. Raises Gone."""
        if self.spoken is not None:
            await self._follow(self.spoken.end())

    async def _follow(self, events: AsyncIterator[Event]) -> None:
        try:
            async for event in events:
                await self.heard(event)
        except EngineError as error:
            await self.failed(error)

    async def failed(self, error: EngineError) -> None:
        """Tell that an engine failed, which costs the utterance alone. Raises Gone."""
        if self.spoken is not None:
            await self.spoken.leave()
        await self.wrong(" ".join(str(error).split()), fatal=False)

    async def send(self, message: str | bytes) -> None:
        """Send a message. Raises Gone where it is not read."""
        text = isinstance(message, str)
        await self._within(
            self._socket.send_text(message) if text else self._socket.send_bytes(message)  # type: ignore[arg-type]  # just looked at
        )

    async def leave(self, code: int, why: str) -> None:
        """Tell it why it is let go, and close."""
        try:
            if why:
                await self.wrong(why, fatal=True)
            await self._within(self._socket.close(code, why[:100]))
        except Gone:
            pass  # there is nobody to tell

    async def _within(self, sending: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(WRITE_S):
                await sending
        except TimeoutError:
            raise Gone(f"it read nothing for {WRITE_S:.0f} s") from None
        except (RuntimeError, WebSocketDisconnect, OSError):
            raise Gone("") from None


def fields(text: str | bytes) -> dict[str, Any]:
    """Return the object that a message is. Raises Nonsense."""
    try:
        found = reading.from_json(reading.decode(text) if isinstance(text, bytes) else text)
    except (ValueError, RecursionError):
        raise Nonsense("a message is no JSON") from None
    if not isinstance(found, dict):
        raise Nonsense("a message is no JSON object")
    return found


def text(found: Mapping[str, Any], key: str) -> str:
    """Return a text that a message has. Raises Nonsense."""
    value = found.get(key)
    if not isinstance(value, str):
        raise Nonsense(f"{key} is no text")
    return value
