"""Misspells a hook."""

from agent import Reply, hookimpl, skill

REFUSED = "there is no hook register_skill; did you mean register_skills?"


@skill("misbehave")
def act() -> Reply:
    """Behave."""
    return Reply("fine")


@hookimpl
def register_skill(register):
    register(act)
