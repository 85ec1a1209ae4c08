"""Raises MemoryError."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "memory_error.act raised MemoryError at"
LENS = "failed"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    raise MemoryError


@hookimpl
def register_skills(register):
    register(act)
