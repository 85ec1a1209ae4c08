"""Forgets @hookimpl."""

from agent import Reply, skill

REFUSED = "it has no hook: mark register_skills or"


@skill("misbehave")
def act() -> Reply:
    """Behave."""
    return Reply("fine")


def register_skills(register):
    register(act)
