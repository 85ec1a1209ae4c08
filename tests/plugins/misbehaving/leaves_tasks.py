"""Leaves tasks behind on its event loop."""

import asyncio

from agent import Reply, hookimpl, skill

SAY = "misbehave"
LENS = "fine"


tasks = []


@skill("misbehave")
async def act() -> Reply:
    """Misbehave."""
    tasks.append(asyncio.create_task(asyncio.sleep(3600)))
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)
