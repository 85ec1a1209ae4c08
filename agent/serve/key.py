"""The token that lets others in: made once, and kept in the wearer's own folder."""

from __future__ import annotations

import secrets
from pathlib import Path

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from agent import private


def token(folder: Path, name: str) -> str:
    """Return the token that a file of this name keeps, made if there is none. Raises OSError."""
    path = folder / name
    if path.exists():
        private.close(path)
        return path.read_text(encoding="ascii", errors="replace").strip()
    made = secrets.token_urlsafe(18)
    private.write(path, made)
    return made


class Key:
    """Lets in who has the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        """Guard an app."""
        self._app = app
        self._token = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it; compared in constant time."""
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not secrets.compare_digest(given, self._token):
                refused = JSONResponse({"error": "the token is wrong or missing"}, 401)
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)
