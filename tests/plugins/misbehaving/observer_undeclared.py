"""Looks at turns and never says why."""

from agent import Reply, hookimpl, skill

REFUSED = (
    "its turn_ended is given what the wearer says and reads:"
    ' write permissions = {"transcripts": "why"} beside it'
)


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)


@hookimpl
def turn_ended(turn):
    """Never called."""
