"""Wraps the hooks of the others."""

from agent import Reply, hookimpl, skill

REFUSED = "wraps other plugins' hooks"


@skill("misbehave")
def act() -> Reply:
    """Behave."""
    return Reply("fine")


@hookimpl(wrapper=True)
def register_skills(register):
    yield
