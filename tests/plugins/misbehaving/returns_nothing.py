"""Forgets to return."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "returns_nothing.act returned NoneType"
LENS = "returned NoneType"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    Reply("lost")


@hookimpl
def register_skills(register):
    register(act)
