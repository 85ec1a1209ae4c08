"""Planning ahead: an action that has no effect runs while the wearer may still go on.

Inside the silence that may end a turn, what was said so far is routed and its action is run, so
that the answer is there when the turn ends. If the wearer goes on, it is called off and nobody has
seen it. Only actions that declare no effect are run so, and payments, whose actions can only
propose; what `risk="change"` declares, and what lies behind the gate, never is. A plan has a copy
of the skill's memory, and no devices: an action that reaches for one is run again, in earnest.
"""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from agent.context import Context
from agent.messages import Intent
from agent.runner import Outcome


class NotYet(BaseException):
    """Raised into an action that reaches for a device before the turn has ended.

    No Exception, so that an action which handles those does not take it for a broken device.
    """


class _Devices:
    """Stands for every device while planning, and remembers having been reached for."""

    def __init__(self) -> None:
        self.wanted = False

    def refuse(self, *_: Any) -> NoReturn:
        self.wanted = True
        raise NotYet


class _Later:
    """A device of which nothing can be had before the turn has ended."""

    def __init__(self, devices: _Devices) -> None:
        object.__setattr__(self, "_devices", devices)

    def __getattr__(self, name: str) -> NoReturn:
        devices: _Devices = object.__getattribute__(self, "_devices")
        devices.refuse()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        devices: _Devices = object.__getattribute__(self, "_devices")
        devices.refuse()


@dataclass(frozen=True, slots=True)
class Plan:
    """An action that runs ahead of its turn."""

    intent: Intent
    """The call that is made."""
    ctx: Context
    """What the action was given; its memory counts if the plan is kept."""
    devices: _Devices
    """Whether it reached for a device."""
    running: asyncio.Task[Outcome]
    """The call, in flight or done."""

    def drop(self) -> None:
        """Call it off: the wearer went on, or meant something else."""
        if self.ctx.cancel is not None:
            self.ctx.cancel.cancel()
        self.running.cancel()

    async def outcome(self) -> Outcome | None:
        """Return what came of it; None when it has to be run in earnest."""
        try:
            outcome = await self.running
        except asyncio.CancelledError:
            self.drop()
            raise
        return None if self.devices.wanted or isinstance(outcome.error, NotYet) else outcome


def ahead(ctx: Context) -> tuple[Context, _Devices] | None:
    """Return a context to plan with; None where the skill's memory cannot be copied."""
    try:
        memory = copy.deepcopy(ctx.memory)
    except Exception:  # whatever a skill keeps there
        return None
    devices = _Devices()
    later: Any = _Later(devices)
    speaker = None if ctx.speaker is None else later
    others = dict.fromkeys(ctx.devices, devices.refuse)
    return replace(ctx, memory=memory, speaker=speaker, devices=others), devices
