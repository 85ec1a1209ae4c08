"""Who may use the simulator: this machine alone, or whoever has the token in the address.

- Bound to loopback, the server answers to the names of this machine alone, so that a page of
  somebody else's cannot reach it by pointing a name of its own at 127.0.0.1 (DNS rebinding).
- Bound elsewhere, every path begins with a random token, compared in constant time.
- What a page of another origin asks of it is refused in both cases.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names of this machine."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:;"
    " media-src 'self' blob:; connect-src 'self' {sockets}; manifest-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, no script or style written into the page. Safari before 15.4 does not
take a WebSocket to the page's own server for 'self', so it is named."""

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Sent with every answer."""


def token() -> str:
    """Return a token that nobody guesses: 144 random bits."""
    return secrets.token_urlsafe(18)


def is_loopback(host: str) -> bool:
    """Whether a server bound to this host is reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Lets through what may pass, without the token, and adds the headers."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        """Ask for a token where there is one; without, this machine alone may come."""
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        sockets = f"{'wss' if scope['scheme'] in ('https', 'wss') else 'ws'}://{host}"
        if not _is_host(host) or (reason := self._refusal(scope, headers, host)):
            if scope["type"] == "websocket":
                await WebSocketClose()(scope, receive, send)  # before it was accepted: HTTP 403
                return
            if not _is_host(host):
                reason = "This is no name of a host."
            await PlainTextResponse(f"{reason}\n", 403)(scope, receive, send)
            return
        if self._token is not None:
            prefix = f"/{self._token}"
            if scope["path"] == prefix:  # what the page asks for is relative to its folder
                await RedirectResponse(f"{prefix}/")(scope, receive, send)
                return
            scope = {**scope, "root_path": scope.get("root_path", "") + prefix}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.update(HEADERS)
                answer["Content-Security-Policy"] = POLICY.format(sockets=sockets)
            await send(message)

        await self._app(scope, receive, guarded)

    def _refusal(self, scope: Scope, headers: Headers, host: str) -> str:
        """Return why not, or nothing."""
        name = (urlsplit(f"//{host}").hostname or "").lower()
        if self._token is None and name not in LOOPBACK:
            return "The simulator answers to 127.0.0.1 and localhost only."
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return "A page of another origin may not use the simulator."
        if self._token is not None:
            given = scope["path"].split("/", 2)[1:2]
            if not secrets.compare_digest("".join(given).encode(), self._token.encode()):
                return "Open the whole address that `glasses simulate` printed."
        return ""


def _is_host(host: str) -> bool:
    """Whether a Host header is a name or an address with a port or without, and nothing else."""
    try:
        parts = urlsplit(f"//{host}")
        return bool(parts.hostname) and parts.netloc == host and not {*host} & {*"@/\\ #;,'\""}
    except ValueError:
        return False
