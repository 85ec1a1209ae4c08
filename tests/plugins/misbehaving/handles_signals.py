"""Tries to take the signals over; only a main thread can."""

import signal

from agent import Reply, hookimpl, skill

SAY = "misbehave"
LENS = "fine"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:
        return Reply("fine")
    return Reply("took it")


@hookimpl
def register_skills(register):
    register(act)
