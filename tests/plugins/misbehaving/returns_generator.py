"""Yields its replies."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "returns_generator.act returned generator"
LENS = "returned generator"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    yield Reply("one")


@hookimpl
def register_skills(register):
    register(act)
