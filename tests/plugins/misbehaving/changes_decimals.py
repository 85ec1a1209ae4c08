"""Makes decimals inexact; each thread has its own setting."""

from decimal import getcontext

from agent import Reply, hookimpl, skill

SAY = "misbehave"
LENS = "fine"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    getcontext().prec = 1
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)
