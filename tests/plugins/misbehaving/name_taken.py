"""Takes the name of a skill that is there."""

from agent import Reply, hookimpl, skill

REFUSED = "two plugins cannot share a name"


@skill("misbehave")
def act() -> Reply:
    """Behave."""
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)


__name__ = "elsewhere.pay"
