"""Provides a device of an unknown kind."""

from agent import Reply, hookimpl, skill

REFUSED = "did you mean 'display'?"


@skill("misbehave")
def act() -> Reply:
    """Behave."""
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)


@hookimpl
def register_devices(provide):
    provide("dispaly", print)
