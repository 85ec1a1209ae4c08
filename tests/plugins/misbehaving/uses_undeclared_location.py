"""Uses what it never declared."""

from agent import Context, Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "asked where you are but never declared it"
LENS = "never declared"


@skill("misbehave")
def act(ctx: Context) -> Reply:
    """Misbehave."""
    return Reply(str(ctx.location))


@hookimpl
def register_skills(register):
    register(act)
