"""Changes the working directory of everybody."""

import os

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "changed the working directory"
LENS = "fine"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    os.chdir("/")
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)
