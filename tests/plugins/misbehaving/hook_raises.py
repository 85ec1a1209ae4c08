"""Raises in the hook after it has registered."""

from agent import Reply, hookimpl, skill

REFUSED = "RuntimeError: half way"


@skill("misbehave")
def act() -> Reply:
    """Behave."""
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)
    raise RuntimeError("half way")
