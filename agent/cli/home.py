"""Being a Wyoming server, as Home Assistant looks for one, beside a conversation or alone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from functools import partial

from agent.cli import streams
from agent.config import Config
from agent.loop.agent import Agent


@contextlib.asynccontextmanager
async def beside(
    agent: Agent, config: Config, bound: socket.socket, hidden: bool = False
) -> AsyncIterator[None]:
    """Be a Wyoming server on a socket meanwhile. Raises ConfigError."""
    from agent.serve.simulator.guard import is_loopback
    from agent.serve.wyoming.ears import Ears
    from agent.serve.wyoming.found import announced
    from agent.serve.wyoming.server import Allowed, Server

    async with contextlib.AsyncExitStack() as served:
        host, port = served.enter_context(bound).getsockname()[:2]
        thread = agent.more_ears()
        ears = None if thread is None else Ears(thread, agent.sayings)
        if ears is not None:
            served.push_async_callback(ears.close)
        server = Server(agent, ears, Allowed(config.guests))
        here = is_loopback(host)
        guests = ", ".join(config.guests) or "nobody else: name them in GLASSES_WYOMING_FROM"
        told = "" if here else f", for this machine and {guests}"
        streams.echo(f"Wyoming: {host}:{port}{told}", err=True)
        if not here and not hidden:
            tell = partial(streams.echo, err=True)
            await served.enter_async_context(announced(host, port, tell))
        task = asyncio.create_task(server.serve(bound))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
