"""Hangs in the hook."""

from agent import Reply, hookimpl, skill

REFUSED = "register_skills was not done within"


@skill("misbehave")
def act() -> Reply:
    """Behave."""
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)
    while True:
        pass
