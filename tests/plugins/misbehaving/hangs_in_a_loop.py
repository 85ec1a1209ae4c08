"""Keeps a processor busy for ever, and catches what it can."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "hangs_in_a_loop.act took over"
LENS = "took too long"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    while True:
        try:
            sum(range(1000))
        except Exception:
            continue


@hookimpl
def register_skills(register):
    register(act)
