"""Raises in a coroutine."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "raises_in_coroutine.act raised ValueError at"
LENS = "failed"


@skill("misbehave")
async def act() -> Reply:
    """Misbehave."""
    raise ValueError("secret")


@hookimpl
def register_skills(register):
    register(act)
