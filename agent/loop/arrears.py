"""Arrears: payments whose outcome nobody knows yet are asked about until it is known, and told.

At the start everything that a loss of power left open, then again and again while something is: a
link that was down may be up again.
"""

from __future__ import annotations

import asyncio
import contextlib

from agent.act.world import World
from agent.display.lens import OWN
from agent.display.request import Priority

AGAIN_S = 30.0
"""How often it is asked."""


class Arrears:
    """Asks for one agent."""

    def __init__(self, world: World) -> None:
        """Ask nothing yet."""
        self._world = world
        self._asked = False
        self._task: asyncio.Task[None] | None = None

    async def first(self) -> None:
        """Ask, where nobody has since the start."""
        if not self._asked:
            self._asked = True
            await self.ask()

    async def ask(self) -> None:
        """Ask about everything that is open, and tell what came of it."""
        world = self._world
        if not world.gate.teller.ledger.path.exists():
            return
        language = "zh" if world.spoken == "zh" else "en"
        for news in await asyncio.to_thread(world.gate.recovered, language):
            level = Priority.ALERT if news.kind == "alert" else Priority.BACKGROUND
            world.lens.offer(news, level, OWN, language)

    def begin(self) -> None:
        """Ask now, and from now on again and again."""
        if self._task is None:
            self._task = asyncio.create_task(self._every())

    async def end(self) -> None:
        """Ask no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _every(self) -> None:
        await self.first()
        while True:
            await asyncio.sleep(AGAIN_S)
            await self.ask()
