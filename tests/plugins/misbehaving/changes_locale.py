"""Changes the locale of everybody."""

import locale

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "changed the locale"
LENS = "fine"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    locale.setlocale(locale.LC_ALL, "C" if locale.setlocale(locale.LC_ALL) != "C" else "C.UTF-8")
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)
