"""Calls sys.exit in a coroutine."""

import sys

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "exits_in_coroutine.act called sys.exit at"
LENS = "failed"


@skill("misbehave")
async def act() -> Reply:
    """Misbehave."""
    sys.exit(3)


@hookimpl
def register_skills(register):
    register(act)
