"""Goes on after it is cancelled."""

import asyncio

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "refuses_to_be_cancelled.act took over"
LENS = "took too long"


@skill("misbehave")
async def act() -> Reply:
    """Misbehave."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue


@hookimpl
def register_skills(register):
    register(act)
