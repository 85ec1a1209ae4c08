"""Declares two actions with one name."""

from agent import Reply, hookimpl, skill

REFUSED = "action_twice.act is declared twice"


@skill("misbehave")
def act() -> Reply:
    """Behave."""
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act, act)
