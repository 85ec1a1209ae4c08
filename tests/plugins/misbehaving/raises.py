"""Raises."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "raises.act raised KeyError at raises.py:"
LENS = "failed"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    raise KeyError("secret")


@hookimpl
def register_skills(register):
    register(act)
