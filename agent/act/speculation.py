"""Planning ahead: an action without effect runs while the wearer may still go on talking.

Inside the silence that may end a turn, what was said so far is routed and its action is run, so
that the answer is there when the turn ends. If the wearer goes on, it is called off and nobody has
seen it. Only actions that declare no effect are run so: never one with `risk="change"`, and no
payment, whose proposal would carry what it was planned with into its commit. A plan has a copy of
the skill's memory, and no devices and no lens: an action that reaches for one is run again, in
earnest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from agent.messages import Intent
from agent.plugins.runner import Ran
from agent.skill.context import Context
from agent.skill.declare import Action

Call = tuple[Intent, Action, int]
"""What was meant, the action as it was installed, and the age of its skill's memory."""


class NotYet(BaseException):
    """Raised into an action that reaches for a device before the turn has ended.

    No Exception, so that an action which handles those does not take it for a broken device.
    """


class _Devices:
    """Keeps devices out of reach until the plan is kept, and notes whether one was asked for."""

    def __init__(self) -> None:
        self.wanted = False
        self.within_reach = False

    def give(self, make: Callable[[], Any]) -> Any:
        if not self.within_reach:
            self.wanted = True
            raise NotYet
        return make()


class _Later:
    """A device that is out of reach until the turn has ended."""

    def __init__(self, devices: _Devices, device: Any) -> None:
        object.__setattr__(self, "_later", lambda: devices.give(lambda: device))

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_later")(), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(object.__getattribute__(self, "_later")(), name, value)


@dataclass(slots=True)
class Plan:
    """An action that runs ahead of its turn."""

    call: Call
    """What is run, and on what; anything else has to be run in earnest."""
    ctx: Context
    """What the action was given; its memory counts if the plan is kept."""
    running: asyncio.Task[Ran]
    """The call, in flight or done."""
    _devices: _Devices
    _kept: bool = False

    def drop(self) -> None:
        """Call it off: the wearer went on, or meant something else. A kept one goes on."""
        if self._kept:
            return
        if self.ctx.cancel is not None:
            self.ctx.cancel.cancel()
        self.running.cancel()

    async def keep(self) -> Ran | None:
        """Return what came of it; None when it has to be run in earnest."""
        outcome = await self.running
        if self._devices.wanted or isinstance(outcome.error, NotYet):
            return None
        self._kept = self._devices.within_reach = True
        return outcome


def ahead(
    call: Call,
    ctx: Context,
    memory: dict[str, Any],
    run: Callable[[Context], asyncio.Task[Ran]],
) -> Plan:
    """Begin to `run` an action with what a plan may have, a copy of its `memory` among it."""
    devices = _Devices()
    speaker: Any = None if ctx.speaker is None else _Later(devices, ctx.speaker)
    others = {kind: partial(devices.give, make) for kind, make in ctx.devices.items()}
    planned = replace(ctx, memory=memory, speaker=speaker, devices=others)
    if (shows := ctx.shows) is not None:
        planned.shows = lambda *asked: devices.give(partial(shows, *asked))
    if (floor := ctx.floor) is not None:
        planned.floor = lambda listener: devices.give(partial(floor, listener))
    return Plan(call, planned, run(planned), devices)
