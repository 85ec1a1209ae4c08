"""Raises KeyboardInterrupt."""

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "keyboard_interrupt.act raised KeyboardInterrupt at"
LENS = "failed"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    raise KeyboardInterrupt


@hookimpl
def register_skills(register):
    register(act)
