"""Raises StopIteration."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "stop_iteration.act raised StopIteration at"
LENS = "failed"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    raise StopIteration


@hookimpl
def register_skills(register):
    register(act)
