"""Gives a hook an argument that it does not have."""

from agent import Reply, hookimpl, skill

REFUSED = "registrar"


@skill("misbehave")
def act() -> Reply:
    """Behave."""
    return Reply("fine")


@hookimpl
def register_skills(registrar):
    registrar(act)
