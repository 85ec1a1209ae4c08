"""Hangs when it is asked for the values of a slot."""

import time
from typing import Annotated

from agent import OneOf, Reply, hookimpl, skill

SAY = "misbehave"
LENS = "fine"
OFFENCE = "the list of list_hangs.act's colour took over"


def colours():
    """Give the colours that can be said."""
    time.sleep(3600)


@skill("misbehave", "paint it {colour}")
def act(colour: Annotated[str, OneOf(colours)] = "red") -> Reply:
    """Misbehave."""
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)
