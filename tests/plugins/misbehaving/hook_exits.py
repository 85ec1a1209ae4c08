"""Raises GeneratorExit in the hook."""

from agent import Reply, hookimpl, skill

REFUSED = "register_skills raised GeneratorExit"


@skill("misbehave")
def act() -> Reply:
    """Behave."""
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)
    raise GeneratorExit
