"""Registers what is no action."""

from agent import hookimpl

REFUSED = "no action"


@hookimpl
def register_skills(register):
    register(len)
