"""Looks through the camera and never declared it."""

from agent import Context, Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "asked for the camera but never declared it"
LENS = "never declared"


@skill("misbehave")
def act(ctx: Context) -> Reply:
    """Misbehave."""
    return Reply(str(ctx.device("camera")))


@hookimpl
def register_skills(register):
    register(act)
