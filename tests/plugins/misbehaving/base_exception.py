"""Raises BaseException."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "base_exception.act raised BaseException at"
LENS = "failed"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    raise BaseException


@hookimpl
def register_skills(register):
    register(act)
