"""Gives a number for the values of a slot."""

from typing import Annotated

from agent import OneOf, Reply, hookimpl, skill

SAY = "misbehave"
LENS = "fine"
OFFENCE = "the list of list_of_number.act's colour raised TypeError"


def colours():
    """Give the colours that can be said."""
    return 42


@skill("misbehave", "paint it {colour}")
def act(colour: Annotated[str, OneOf(colours)] = "red") -> Reply:
    """Misbehave."""
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)
