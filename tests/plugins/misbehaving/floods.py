"""Replies with a megabyte."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "floods.act replied with a text of 1,000,000 characters"
LENS = "flood flood"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    return Reply("flood " * 166_666 + "flow")


@hookimpl
def register_skills(register):
    register(act)
