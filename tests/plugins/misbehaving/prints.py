"""Prints, on both streams, and straight to the descriptor."""

import os
import sys

from agent import Reply, hookimpl, skill

SAY = "misbehave"
LENS = "fine"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    print('{"not": "ours"}')
    print("nor this", file=sys.stderr)
    os.write(1, b"nor that\n")
    return Reply("fine")


@hookimpl
def register_skills(register):
    register(act)
