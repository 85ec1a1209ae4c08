"""What tests of skills and of the agent use: doubles, and an agent that runs in process.

With pytest the fixture `ask` is there as soon as this project is installed:

    def test_define(ask):
        ask("define photosynthesis").shows("light")

and the same without it:

    async def test_define(tmp_path):
        agent = make_agent(tmp_path, plugins=[define_skill])
        turn = await agent.hear("define photosynthesis")
        assert "light" in lens(agent)

No patching: every double stands behind the port of the real thing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.models.llm.model import ScriptedModel
    from agent.testing.clock import VirtualClock
    from agent.testing.conversation import Conversation, Doubles, Exchange
    from agent.testing.doubles import (
        ScriptedTranscriber,
        ScriptedVoiceprint,
        VirtualCamera,
        VirtualLocation,
        lens,
        make_agent,
        voiced,
    )
    from agent.testing.golden import Goldens
    from agent.testing.session import Recorder, replay
    from hardware.display import MemoryDisplay
    from hardware.speaker import VirtualSpeaker

__all__ = [
    "Conversation",
    "Doubles",
    "Exchange",
    "Goldens",
    "MemoryDisplay",
    "Recorder",
    "ScriptedModel",
    "ScriptedTranscriber",
    "ScriptedVoiceprint",
    "VirtualCamera",
    "VirtualClock",
    "VirtualLocation",
    "VirtualSpeaker",
    "lens",
    "make_agent",
    "replay",
    "voiced",
]

_HOMES = (
    "agent.testing.doubles",
    "agent.testing.conversation",
    "agent.testing.clock",
    "agent.testing.golden",
    "agent.testing.session",
    "agent.models.llm.model",
    "hardware.display",
    "hardware.speaker",
)


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is: pytest loads this package at every start."""
    if name in __all__:
        for home in _HOMES:
            module = importlib.import_module(home)
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
