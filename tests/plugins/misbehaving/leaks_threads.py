"""Leaves more threads running at each call."""

import threading
import time

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "threads running: leak"
LENS = "fine"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    for _ in range(9):
        threading.Thread(target=time.sleep, args=(30,), daemon=True, name="leak").start()
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)
