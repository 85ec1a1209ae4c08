"""Replies with a word of a megabyte, and controls for a terminal."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "replied with a title of"
LENS = "boo"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    return Reply("boo" + "\x1b[2J" * 250_000, title="\x07" * 1000)


@hookimpl
def register_skills(register):
    register(act)
