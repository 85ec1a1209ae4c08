"""Moves money and gives no reason for it."""

from agent import Reply, hookimpl, skill

REFUSED = "money"


@skill("misbehave", risk="money")
def act() -> Reply:
    """Misbehave."""
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)
