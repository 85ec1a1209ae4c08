"""Watches: what skills look at again and again after their actions, and what comes of it.

    action ─ctx.watch─▶ watches ─every second─▶ look ─▶ lens, voice, observers

A look is no turn: it waits for none and changes no question. It sees a copy of its skill's memory,
and what it changes there is kept unless an action of the skill ran meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from agent.act.dispatch import Acting
from agent.act.world import World
from agent.display.lens import WALKING_LINES
from agent.display.request import Priority
from agent.loop.turns import Turns
from agent.messages import Reply, Transcript
from agent.plugins import offences
from agent.skill.context import Context, Watch
from agent.turn import Turn
from hardware.base import DeviceError

log = logging.getLogger(__name__)

LOOK_S = 5.0
"""Longest a look may take."""
STAYS_S = 20.0
"""How long what it shows is lit, unless something newer takes its place."""
SOON_S = 0.1
"""Least time between two looks."""


class Watches:
    """Watches for one agent; each skill has one at most."""

    def __init__(
        self, world: World, turns: Turns, acting: Acting, also: Callable[[Turn], None]
    ) -> None:
        """Watch nothing yet; `also` is told of each turn that came of itself."""
        self._world, self._turns, self._acting, self._also = world, turns, acting, also
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._of: dict[str, tuple[str, Watch]] = {}
        self._telling: set[asyncio.Task[None]] = set()
        acting.on_watch = self.begin

    def begin(self, skill: str, language: str, watch: Watch) -> None:
        """Watch for a skill from now on, in a language, instead of what it watched before."""
        self._stop(skill)
        self._of[skill] = language, watch
        self._start(skill)

    def resume(self) -> None:
        """Go on with everything on the loop that runs now."""
        for skill in [*self._of]:
            self._start(skill)

    async def end(self) -> None:
        """Watch no more."""
        mine = asyncio.get_running_loop()
        every = (*self._tasks.values(), *self._telling)
        tasks = [task for task in every if task.get_loop() is mine]
        self._of.clear()
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, skill: str) -> None:
        loop, task = asyncio.get_running_loop(), self._tasks.get(skill)
        if task is None or task.done() or task.get_loop() is not loop:
            self._tasks[skill] = loop.create_task(self._watch(skill))

    def _stop(self, skill: str) -> None:
        self._of.pop(skill, None)
        task = self._tasks.pop(skill, None)
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            task.cancel()

    async def _watch(self, skill: str) -> None:
        """Look until it is over, the skill is gone, or it does what none may."""
        lost = False  # a device that failed has been told of
        while (found := self._of.get(skill)) is not None:
            language, watch = found
            await asyncio.sleep(max(SOON_S, watch.every_s) * self._world.step.update)
            ctx = self._acting.own_context(skill, language)
            if ctx is None:
                break
            try:
                again = await self._look(skill, ctx, watch)
            except DeviceError as error:
                if not lost:
                    told = Reply(ctx.told(error), title=skill, kind="alert")
                    self._offer(skill, language, told)
                lost = True
                continue
            lost = False
            if not again:
                break
        self._of.pop(skill, None)
        self._world.lens.withdraw(_owner(skill))

    async def _look(self, skill: str, ctx: Context, watch: Watch) -> bool:
        """Look once; say whether to go on. Raises DeviceError where a device of it is away."""
        memories, runner = self._acting.memories, self._world.skills.runner
        age = memories.age(skill)
        ran = await runner.run(skill, partial(watch.look, ctx), LOOK_S)
        if isinstance(ran.error, DeviceError):
            raise ran.error
        faults = [*offences.faults(ran, f"{skill}'s watch", LOOK_S)]
        if not faults and (
            fault := offences.wrong(self._world.skills.actions.values(), skill, ran.value)
        ):
            faults.append(fault)
        if faults:
            self._world.skills.offend(skill, "; ".join(faults))
            return False
        if memories.age(skill) == age and ctx.memory != memories.of(skill):
            memories.become(skill, ctx.memory)
        if isinstance(ran.value, Reply):
            self._tell(skill, ctx.language, ran.value)
        if ctx.watching is not None:
            self._of[skill] = ctx.language, ctx.watching
            return True
        return ran.value is not False

    # -- what comes of it -----------------------------------------------------------------------

    def _tell(self, skill: str, language: str, reply: Reply) -> None:
        """Show it; what has something to say aloud is one of the turns, for who looks at them."""
        self._offer(skill, language, reply)
        if not reply.speech:
            return
        if self._world.mouth.mode != "off":
            self._world.mouth.say(reply.speech, language)
        turn = Turn("watch", Transcript("", language), reply=reply)
        task = asyncio.get_running_loop().create_task(self._record(turn))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _record(self, turn: Turn) -> None:
        ended = await self._turns.came(turn)
        if ended is not None:
            self._also(ended)

    def _offer(self, skill: str, language: str, reply: Reply) -> None:
        if reply.kind == "route" and self._world.lens.is_walking:
            # Pages turn by themselves: the second would hide where to turn.
            rows = reply.text.split("\n")[: WALKING_LINES - bool(reply.title)]
            reply = replace(reply, text="\n".join(rows))
        level = Priority.ALERT if reply.kind == "alert" else Priority.BACKGROUND
        self._world.lens.offer(reply, level, _owner(skill), language, key="watch", stays_s=STAYS_S)


def _owner(skill: str) -> str:
    """Return whom its cards belong to: not the skill, whose answers stay when it ends."""
    return f"{skill} watch"
