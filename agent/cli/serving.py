"""`glasses mcp serve`: being an MCP server without a conversation of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agent import config
from agent.cli import push
from agent.cli.compose import build
from hardware.display import MemoryDisplay
from hardware.profiles import load as load_profile


async def serve(where: str | None, plugins: Sequence[str], language: str | None) -> None:
    """Serve until the client hangs up, or for ever over HTTP. Raises ConfigError."""
    settings = config.load()
    bound = push.listening(where, "--http") if where is not None else None
    agent = build(settings, MemoryDisplay(load_profile(settings.profile)), plugins, language)
    try:
        if bound is None:
            from agent.serve.mcp.server import Glasses

            await Glasses(agent).stdio()
            return
        async with push.mcp(agent, settings, bound):
            await asyncio.Event().wait()
    finally:
        await agent.close()
