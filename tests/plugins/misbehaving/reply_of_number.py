"""Replies with a number for a text."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "reply_of_number.act returned a reply whose text is int"
LENS = "whose text is int"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    return Reply(42)


@hookimpl
def register_skills(register):
    register(act)
