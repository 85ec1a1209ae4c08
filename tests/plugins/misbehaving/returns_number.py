"""Returns a number."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "returns_number.act returned int: an action returns a Reply or text"
LENS = "returned int"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    return 42


@hookimpl
def register_skills(register):
    register(act)
