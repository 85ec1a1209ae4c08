"""Sleeps in a coroutine, where it must not."""

import time

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "blocks_the_loop.act took over"
LENS = "took too long"


@skill("misbehave")
async def act() -> Reply:
    """Misbehave."""
    time.sleep(3600)
    return Reply("late")


@hookimpl
def register_skills(register):
    register(act)
