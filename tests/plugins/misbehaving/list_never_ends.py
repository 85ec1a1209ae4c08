"""Gives values of a slot without end."""

import itertools
from typing import Annotated

from agent import OneOf, Reply, hookimpl, skill

SAY = "misbehave"
LENS = "fine"
OFFENCE = "the list of list_never_ends.act's colour raised ValueError"


def colours():
    """Give the colours that can be said."""
    yield from map(str, itertools.count())


@skill("misbehave", "paint it {colour}")
def act(colour: Annotated[str, OneOf(colours)] = "red") -> Reply:
    """Misbehave."""
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)
