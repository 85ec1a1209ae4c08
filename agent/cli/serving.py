"""`glasses mcp serve` and the like: being a server without a conversation of one's own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from agent import config
from agent.cli import home, push, tls
from agent.cli.compose import build, settle
from agent.config import Config
from hardware.display import MemoryDisplay
from hardware.profiles import load as load_profile


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Send what anybody prints to the error stream: the standard output is the protocol's."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


Files = tuple[Path | None, Path | None]
"""Certificate and key, where they are not the settings'."""


def _secured(files: Files) -> Config:
    """Return the settings, with these files in the place of theirs."""
    settings, (certificate, key) = config.load(), files
    if certificate is None and key is None:
        return settings
    tls.chosen(certificate, key)
    return replace(settings, certificate=",".join(str(file) for file in files if file))


async def serve(
    where: str | None, plugins: Sequence[str], language: str | None, files: Files = (None, None)
) -> None:
    """Serve until the client hangs up, or for ever over HTTP. Raises ConfigError."""
    settings = _secured(files)
    bound = push.listening(where, "--http") if where is not None else None
    with _silent():
        agent = build(settings, MemoryDisplay(load_profile(settings.profile)), plugins, language)
    settle()
    try:
        if bound is None:
            from agent.serve.mcp.server import Glasses

            await Glasses(agent).stdio()
            return
        async with push.mcp(agent, settings, bound):
            await asyncio.Event().wait()
    finally:
        with _silent():
            await agent.close()


async def serve_wyoming(
    where: str, guests: Sequence[str], hidden: bool, plugins: Sequence[str], language: str | None
) -> None:
    """Be a Wyoming server for ever. Raises ConfigError."""
    settings = config.load()
    if guests:
        settings = replace(settings, wyoming_from=",".join(guests))
    bound = push.listening(where, "--host")
    agent = build(settings, MemoryDisplay(load_profile(settings.profile)), plugins, language)
    settle()
    try:
        async with (
            home.hearing(agent, settings, warm=True) as ears,
            home.beside(agent, settings, bound, ears, hidden),
        ):
            await asyncio.Event().wait()
    finally:
        await agent.close()


async def serve_sockets(
    protocol: Literal["rtvi", "xiaozhi"],
    where: str,
    plugins: Sequence[str],
    language: str | None,
    files: Files = (None, None),
) -> None:
    """Be a server of a protocol over WebSocket for ever. Raises ConfigError."""
    settings = _secured(files)
    bound = push.listening(where, "--host")
    agent = build(settings, MemoryDisplay(load_profile(settings.profile)), plugins, language)
    settle()
    beside = push.rtvi if protocol == "rtvi" else push.xiaozhi
    try:
        async with (
            home.hearing(agent, settings, warm=True) as ears,
            beside(agent, settings, bound, ears),
        ):
            await asyncio.Event().wait()
    finally:
        await agent.close()
