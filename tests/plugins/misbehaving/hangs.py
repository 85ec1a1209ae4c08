"""Sleeps for an hour."""

import time

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "hangs.act took over"
LENS = "took too long"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    time.sleep(3600)
    return Reply("late")


@hookimpl
def register_skills(register):
    register(act)
