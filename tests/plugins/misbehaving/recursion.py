"""Calls itself for ever."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "recursion.act raised RecursionError at"
LENS = "failed"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    return act()


@hookimpl
def register_skills(register):
    register(act)
