"""The door that strangers knock at, where uvicorn runs the hub: who says nothing costs nothing.

uvicorn waits for ever for the first request of a connection. Here one that has sent none within
`HELLO_S` is closed, and of those that have not yet, `MOST_SILENT` are kept at most: the one that
has been silent for longest makes room for the next, so that ten thousand of them keep nobody out.
"""

from __future__ import annotations

import asyncio
import resource
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from agent.serve.hub.protocol import MOST_BYTES
from agent.serve.hub.sessions import HELLO_S

MOST_SILENT = 256
"""Connections that have sent no request yet."""
MOST_HEAD = 7_000
"""Bytes of a request's head: a WebSocket would choke on more, and say nothing."""
MOST_FILES = 65_536
"""Files that the process is to be able to open: each connection is one, each agent has a few."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that lets go of whoever says nothing."""

    _silent: ClassVar[OrderedDict[PatientProtocol, asyncio.TimerHandle]] = OrderedDict()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Wait for a request, not for ever."""
        super().connection_made(transport)
        loop = asyncio.get_running_loop()
        self._silent[self] = loop.call_later(HELLO_S, self._let_go)
        if len(self._silent) > MOST_SILENT:
            next(iter(self._silent))._let_go()

    def _let_go(self) -> None:
        self._spoke()
        self.transport.abort()

    def _spoke(self) -> None:
        timer = self._silent.pop(self, None)
        if timer is not None:
            timer.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._spoke()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Refuse a head that the WebSocket would choke on."""
        if sum(len(name) + len(value) for name, value in event.headers) > MOST_HEAD:
            self.send_400_response("The head of the request is too long.")
        else:
            super().handle_websocket_upgrade(event)

    def handle_events(self) -> None:
        """Note that a whole request has come, if one has."""
        super().handle_events()
        if self.scope is not None:
            self._spoke()


def options() -> Mapping[str, Any]:
    """Return what uvicorn is to keep to."""
    with suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return {
        "http": PatientProtocol,
        "ws": "websockets-sansio",
        "ws_max_size": MOST_BYTES,
        "ws_per_message_deflate": False,  # sound does not shrink, and bombs stay out
        "ws_ping_interval": 10.0,
        "ws_ping_timeout": 10.0,
        "log_level": "critical",  # what strangers send is no fault of ours
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "timeout_graceful_shutdown": 15,
        "loop": "asyncio",
    }
