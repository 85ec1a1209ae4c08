"""Calls sys.exit."""

import sys

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "exits.act called sys.exit at"
LENS = "failed"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    sys.exit(3)


@hookimpl
def register_skills(register):
    register(act)
