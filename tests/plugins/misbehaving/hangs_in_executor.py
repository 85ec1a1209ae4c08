"""Waits for a worker thread that never ends."""

import asyncio
import time

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "hangs_in_executor.act took over"
LENS = "took too long"


@skill("misbehave")
async def act() -> Reply:
    """Misbehave."""
    await asyncio.to_thread(time.sleep, 5)
    return Reply("late")


@hookimpl
def register_skills(register):
    register(act)
