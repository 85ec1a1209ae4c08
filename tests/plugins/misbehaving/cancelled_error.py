"""Raises asyncio.CancelledError."""

import asyncio

from agent import Reply, hookimpl, skill

SAY = "misbehave"
ERROR = "cancelled_error.act raised CancelledError at"
LENS = "failed"


@skill("misbehave")
def act() -> Reply:
    """Misbehave."""
    raise asyncio.CancelledError


@hookimpl
def register_skills(register):
    register(act)
