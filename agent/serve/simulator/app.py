"""The routes of the simulator: the page, its socket, and the few files that it may fetch."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from agent.serve.simulator.connections import Limits, Pairs
from agent.serve.simulator.from_page import Setting
from agent.serve.simulator.glasses import Make
from agent.serve.simulator.guard import Guard
from agent.serve.simulator.session import Pair
from agent.testing.session import SessionError, read
from hardware import spoken

PAGE = Path(__file__).parent / "page"
"""The page: plain HTML, CSS and JavaScript modules, served as they are."""
SESSION_BYTES = 64 << 20
"""Largest session that is replayed, 64 MiB: half an hour of sound."""


@dataclass(frozen=True, slots=True)
class Options:
    """What one server is."""

    folder: Path
    """Where pairs of glasses keep what outlives them."""
    setting: Setting = field(default_factory=lambda: Setting("quark-s1", "auto"))
    """What a new pair is."""
    token: str | None = None
    """What every path begins with; None on a loopback address."""
    limits: Limits = field(default_factory=Limits)
    """What it gives and takes."""


def create(make: Make, options: Options) -> Starlette:
    """Return the application; `make` builds the agent of each pair of glasses."""

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        pairs = app.state.pairs = Pairs(make, options.folder, options.setting, options.limits)
        yield
        await pairs.close()

    return Starlette(
        routes=[
            WebSocketRoute("/socket", _socket),
            Route("/health", _health),
            Route("/session/{pair}", _replay, methods=["POST"]),
            Route("/recording/{key}", _recording),
            Route("/sound/{key}", _sound),
            Mount("/spoken", StaticFiles(directory=Path(spoken.__file__).parent)),
            Mount("/", StaticFiles(directory=PAGE, html=True)),
        ],
        middleware=[Middleware(Guard, token=options.token)],
        lifespan=life,
    )


async def _socket(socket: WebSocket) -> None:
    await socket.app.state.pairs.serve(socket)


async def _health(request: Request) -> Response:
    pairs: Pairs = request.app.state.pairs
    closed = {str(code): count for code, count in sorted(pairs.closed.items())}
    return JSONResponse({"pairs": len(pairs), "pages": pairs.pages, "closed": closed})


async def _sound(request: Request) -> Response:
    """Give the page the tune that it is to play, and no other file."""
    return FileResponse(_file(request, lambda pair, key: pair.glasses.speaker.file(key)))


async def _recording(request: Request) -> Response:
    """Give a recording once; then it is gone."""
    path = _file(request, lambda pair, key: pair.recordings.pop(key, None))
    return FileResponse(
        path,
        media_type="application/jsonl",
        filename="session.jsonl",
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


def _file(request: Request, what: object) -> Path:
    pairs: Pairs = request.app.state.pairs
    path = pairs.find(request.path_params["key"], what)  # type: ignore[arg-type]  # see its callers
    if path is None:
        raise HTTPException(404, "There is no such file here.")
    return path


async def _replay(request: Request) -> Response:
    """Take a recorded session and replay it on a pair of glasses."""
    pair: Pair | None = request.app.state.pairs.get(request.path_params["pair"])
    if pair is None:
        raise HTTPException(404, "There are no such glasses here.")
    with tempfile.NamedTemporaryFile(prefix="glasses-session-", suffix=".jsonl") as file:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > SESSION_BYTES:
                raise HTTPException(413, f"A session has {SESSION_BYTES >> 20} MiB at most.")
            file.write(piece)
        file.flush()
        try:
            session = read(Path(file.name))
        except SessionError as error:
            # The file has a name of ours, which says nothing to whoever sent it.
            return PlainTextResponse(str(error).replace(file.name, "the file"), 400)
    pair.play(session)
    return JSONResponse(
        {"inputs": len(session.inputs), "turns": len(session.turns), "cut": session.cut}
    )
