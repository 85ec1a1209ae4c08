"""Raises GeneratorExit."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "generator_exit.act raised GeneratorExit at"
LENS = "failed"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    raise GeneratorExit


@hookimpl
def register_skills(register):
    register(act)
