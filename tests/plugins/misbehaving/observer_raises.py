"""Raises when it is shown a turn."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
LENS = "fine"
permissions = {"transcripts": "to count words"}
OFFENCE = "observer_raises.turn_ended raised ZeroDivisionError"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)


@hookimpl
def turn_ended(turn):
    1 / 0  # noqa: B018
