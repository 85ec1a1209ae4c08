"""`glasses`: a plugin-based, voice-first agent framework for AI glasses.

What a skill author imports, and nothing else:

    from agent import Context, Reply, hookimpl, skill
"""

from agent import environment as environment  # first of all: keeps libraries silent
from agent.errors import NotCommitted
from agent.messages import Payment, Proposal, Receipt, Reply
from agent.plugins.hooks import hookimpl
from agent.skill.context import Context
from agent.skill.declare import skill
from agent.skill.slots import OneOf, Range
from agent.version import __version__ as __version__

__all__ = [
    "Context",
    "NotCommitted",
    "OneOf",
    "Payment",
    "Proposal",
    "Range",
    "Receipt",
    "Reply",
    "hookimpl",
    "skill",
]
