"""The push port: notifications over HTTP, for whoever has the token.

    POST /notify            {"source": "mail", "title": "Anna", "text": "…"}  →  {"id": "n7"}
    GET  /notify/n7         →  {"became": "shown"}
    GET  /answers/mail      →  {"answers": [{"id": "n7", "text": "on my way"}]}

With `Authorization: Bearer TOKEN`; the token is made once and kept in the wearer's own folder.
"""

from __future__ import annotations

import json
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.act.inbox import Inbox, read
from agent.serve import key
from hardware import reading

MOST_BYTES = 64 << 10
"""Largest request that is read."""
TOKEN = "push-token"
"""The file that the token is kept in."""


def token(folder: Path) -> str:
    """Return the token of the wearer's push port, made if there is none. Raises OSError."""
    return key.token(folder, TOKEN)


def app(inbox: Inbox, token: str) -> Starlette:
    """Return the port, for a server to run."""

    async def notify(request: Request) -> Response:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BYTES:
                return _wrong(f"{MOST_BYTES >> 10} KiB at most", 413)
        try:
            message = reading.from_json(reading.decode(bytes(body)))
            if not isinstance(message, dict):
                raise ValueError("a notification is a JSON object")
            notice = read(message)
        except (ValueError, RecursionError) as error:
            return _wrong(" ".join(str(error).split())[:200], 400)
        return JSONResponse({"id": inbox.take(notice)}, 202)

    async def became(request: Request) -> Response:
        return JSONResponse({"became": inbox.became(request.path_params["id"])})

    async def answers(request: Request) -> Response:
        found = inbox.answers(request.path_params["source"])
        return JSONResponse({"answers": [{"id": id, "text": text} for id, text in found]})

    return Starlette(
        routes=[
            Route("/notify", notify, methods=["POST"]),
            Route("/notify/{id}", became),
            Route("/answers/{source}", answers),
        ],
        middleware=[Middleware(key.Key, token=token)],
    )


def _wrong(what: str, status: int) -> Response:
    return Response(json.dumps({"error": what}), status, media_type="application/json")
