"""Waits for an hour."""

import asyncio

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "hangs_in_coroutine.act took over"
LENS = "took too long"


@skill("misbehave")
async def act() -> Reply:
    """Misbehave."""
    await asyncio.sleep(3600)
    return Reply("late")


@hookimpl
def register_skills(register):
    register(act)
