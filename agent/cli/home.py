"""Being a Wyoming server, as Home Assistant looks for one, beside a conversation or alone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from agent.cli import engines, streams
from agent.config import Config
from agent.loop.agent import Agent

if TYPE_CHECKING:
    from agent.serve.ears import Ears


@contextlib.asynccontextmanager
async def beside(
    agent: Agent, config: Config, bound: socket.socket, ears: Ears | None, hidden: bool = False
) -> AsyncIterator[None]:
    """Be a Wyoming server on a socket meanwhile. Raises ConfigError."""
    from agent.serve.simulator.guard import is_loopback
    from agent.serve.wyoming.found import announced
    from agent.serve.wyoming.server import Allowed, Server

    async with contextlib.AsyncExitStack() as served:
        host, port = served.enter_context(bound).getsockname()[:2]
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


@contextlib.asynccontextmanager
async def hearing(agent: Agent, config: Config, warm: bool = False) -> AsyncIterator[Ears | None]:
    """Have ears for others meanwhile, one pair for all servers; None where nothing hears.

    `warm` loads them at once; else the first client has them loaded, so that a conversation that
    begins does not wait for it.
    """
    ears = _ears(agent, config)
    if ears is not None and warm:
        ears.warm()
    try:
        yield ears
    finally:
        if ears is not None:
            await ears.close()


def _ears(agent: Agent, config: Config) -> Ears | None:
    """Return ears like the agent's own, named before they are loaded."""
    from agent.serve.ears import Ears

    thread, brought = agent.more_ears(), agent.skills.providers("asr")
    wanted = agent.options.language
    if thread is None:
        return None
    if brought:
        return Ears(thread, agent.sayings, brought[0].name, frozenset({"en", "zh"}))
    chosen = engines.ears(config, wanted)
    if chosen.name == "none":
        return None
    return Ears(thread, agent.sayings, chosen.name, chosen.languages)
