"""Hangs when it is shown a turn."""

import time

from agent import Reply, hookimpl, skill

SAY = "misbehave"
LENS = "fine"
permissions = {"transcripts": "to count words"}
OFFENCE = "observer_hangs.turn_ended took over 1 s"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)


@hookimpl
def turn_ended(turn):
    time.sleep(3600)
