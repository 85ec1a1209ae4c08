"""The push port beside a conversation, where the settings ask for one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

from agent.cli import streams
from agent.config import Config
from agent.errors import ConfigError
from agent.loop.agent import Agent


def listening(setting: str) -> socket.socket:
    """Return a socket bound to `PORT`, for this machine alone, or `HOST:PORT`.

    Raises ConfigError.
    """
    host, _, port = setting.rpartition(":")
    try:
        if not 0 <= int(port) < 65_536:
            raise ValueError("no such port")
        return socket.create_server((host or "127.0.0.1", int(port)))
    except (ValueError, OverflowError, OSError) as error:
        reason = getattr(error, "strerror", None) or "write PORT or HOST:PORT"
        raise ConfigError(f"push is {setting!r}: {reason}") from None


@contextlib.asynccontextmanager
async def serving(agent: Agent, config: Config) -> AsyncIterator[None]:
    """Take notifications meanwhile, where `push` is set."""
    if not config.push:
        yield
        return
    import uvicorn

    from agent.serve import push

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Leave Ctrl-C to the conversation, which ends this too."""
            yield

    bound = listening(config.push)
    host, port = bound.getsockname()[:2]
    app = push.app(agent.world.inbox, push.token(config.data))
    server = Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
    task = asyncio.create_task(server.serve([bound]))
    streams.echo(f"notifications: http://{host}:{port}/notify, token in {config.data}", err=True)
    try:
        yield
    finally:
        server.should_exit = True
        await task
