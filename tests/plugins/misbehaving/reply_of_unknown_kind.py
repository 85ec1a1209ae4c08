"""Replies with a card of an unknown kind."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "reply_of_unknown_kind.act returned a reply of an unknown kind"
LENS = "unknown kind"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    return Reply("x", kind="hologram")


@hookimpl
def register_skills(register):
    register(act)
