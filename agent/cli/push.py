"""What is served beside a conversation, where settings ask for it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp

from agent.cli import home, streams, tls
from agent.config import Config
from agent.errors import ConfigError
from agent.loop.agent import Agent

if TYPE_CHECKING:
    from agent.serve.ears import Ears


UNREAD_MS = 20_000
"""How long a client may leave what it is sent unread before its connection is cut."""


def listening(setting: str, name: str = "push") -> socket.socket:
    """Return a socket bound to `PORT`, for this machine alone, or `HOST:PORT`.

    Raises ConfigError.
    """
    host, _, port = setting.rpartition(":")
    try:
        if not 0 <= int(port) < 65_536:
            raise ValueError("no such port")
        bound = socket.create_server((host or "127.0.0.1", int(port)))
    except (ValueError, OverflowError, OSError) as error:
        reason = getattr(error, "strerror", None) or "write PORT or HOST:PORT"
        raise ConfigError(f"{name} is {setting!r}: {reason}") from None
    # Those who are accepted inherit what is set here. asyncio would leave Nagle's algorithm on, for
    # `create_server` names no protocol, and the second of two short messages waits 40 ms with it.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
    return bound


@contextlib.asynccontextmanager
async def running(app: ASGIApp, bound: socket.socket, **more: Any) -> AsyncIterator[None]:
    """Serve an app on a socket meanwhile, and leave Ctrl-C to the conversation, which ends it.

    `more` is what uvicorn is to keep to besides.
    """
    import uvicorn

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    kept = {"log_level": "error", "access_log": False, "timeout_graceful_shutdown": 1}
    server = Server(uvicorn.Config(app, **{**kept, **more}))
    task = asyncio.create_task(server.serve([bound]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do something meanwhile that has no end of its own."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


@contextlib.asynccontextmanager
async def serving(agent: Agent, config: Config) -> AsyncIterator[None]:
    """Take notifications meanwhile where `push` is set, and be the servers that are."""
    async with contextlib.AsyncExitStack() as served:
        if config.push:
            from agent.serve import push

            secure, bound = _secure(config), listening(config.push)
            host, port = bound.getsockname()[:2]
            app = push.app(agent.world.inbox, push.token(config.data))
            scheme = "https" if secure else "http"
            streams.echo(
                f"notifications: {scheme}://{host}:{port}/notify, token in {config.data}", err=True
            )
            tls.warn(host, secure)
            await served.enter_async_context(running(app, bound, **secure))
        tell = partial(streams.echo, err=True)
        if config.mqtt:
            from agent.serve import mqtt

            broker = mqtt.Broker.of(config.mqtt)
            from_broker = mqtt.Subscription(broker, agent.world.inbox, tell)
            await served.enter_async_context(meanwhile(from_broker.run()))
        if config.desktop:
            from agent.serve import desktop

            await served.enter_async_context(meanwhile(desktop.run(agent.world.inbox, tell)))
        if config.mcp:
            await served.enter_async_context(mcp(agent, config, listening(config.mcp, "mcp")))
        if config.wyoming or config.rtvi or config.xiaozhi:
            ears = await served.enter_async_context(home.hearing(agent, config))
        if config.wyoming:
            bound = listening(config.wyoming, "wyoming")
            await served.enter_async_context(home.beside(agent, config, bound, ears))
        if config.rtvi:
            bound = listening(config.rtvi, "rtvi")
            await served.enter_async_context(rtvi(agent, config, bound, ears))
        if config.xiaozhi:
            bound = listening(config.xiaozhi, "xiaozhi")
            await served.enter_async_context(xiaozhi(agent, config, bound, ears))
        yield


@contextlib.asynccontextmanager
async def mcp(agent: Agent, config: Config, bound: socket.socket) -> AsyncIterator[None]:
    """Be an MCP server on a socket meanwhile: without a token only for this machine."""
    from agent.serve.mcp import server

    secure = _secure(config)
    token = _told("MCP: http{}://{}:{}/mcp", secure, bound, config.data / server.TOKEN)
    async with running(server.Glasses(agent).app(token), bound, **secure):
        yield


@contextlib.asynccontextmanager
async def rtvi(
    agent: Agent, config: Config, bound: socket.socket, ears: Ears | None
) -> AsyncIterator[None]:
    """Be a bot for Pipecat's clients meanwhile: without a token only for this machine."""
    from agent.serve import sockets
    from agent.serve.rtvi import server

    secure = _secure(config)
    token = _told("RTVI: ws{}://{}:{}/ws", secure, bound, config.data / server.TOKEN)
    async with running(server.app(agent, ears, token), bound, **sockets.OPTIONS, **secure):
        yield


@contextlib.asynccontextmanager
async def xiaozhi(
    agent: Agent, config: Config, bound: socket.socket, ears: Ears | None
) -> AsyncIterator[None]:
    """Be a server for xiaozhi's devices meanwhile: without a token only for this machine."""
    from agent.serve import sockets
    from agent.serve.xiaozhi import server

    secure, path = _secure(config), config.data / server.TOKEN
    token = _told("xiaozhi: http{}://{}:{}" + server.OTA, secure, bound, path)
    async with running(server.app(agent, ears, token), bound, **sockets.OPTIONS, **secure):
        yield


def _secure(config: Config) -> dict[str, Any]:
    """Return what makes uvicorn speak TLS where the settings ask for it. Raises ConfigError."""
    found = tls.of(config)
    return {} if found is None else found.options


def _told(where: str, secure: object, bound: socket.socket, path: Path) -> str | None:
    """Say where a server is, and return the token for others, where they can come.

    Raises OSError.
    """
    from agent.serve import key
    from agent.serve.simulator.guard import is_loopback

    host, port = bound.getsockname()[:2]
    token = None if is_loopback(host) else key.token(path.parent, path.name)
    told = "" if token is None else f", token in {path}"
    streams.echo(f"{where.format('s' if secure else '', host, port)}{told}", err=True)
    tls.warn(host, secure)
    return token
