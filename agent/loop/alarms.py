"""Alarms: what is due is let ring, or done, by itself and for as long as the agent runs.

    schedule ─▶ due ─┬─▶ bell: a card of the highest level, and a sound
                     └─▶ command: a turn, in the one lane

The clock of the wall is looked at often, and compared with one that nobody sets: where they part,
the clock was set, and what was said as a length of time moves along with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agent.act.world import World
from agent.display.request import Priority
from agent.language.said import said_in
from agent.loop.expected import Expectations
from agent.loop.turns import Turns
from agent.messages import Intent, Reply, Transcript
from agent.skill.later import Fired
from agent.turn import Turn
from hardware.base import DeviceError

log = logging.getLogger(__name__)

LOOK_S = 20.0
"""How often the clock and the place are looked at: so late a clock that was set is noticed."""
AGAIN_S = 30.0
"""How soon a schedule that could not be read is read again."""
ASKED_S = 0.5
"""How often a command that is due looks whether a question is still open."""

Call = Callable[[Mapping[str, Any], str, str], Awaitable[Turn]]
"""Does a tool call in a language, as a turn from a source."""


class Alarms:
    """Watches the schedule of one agent."""

    def __init__(
        self, world: World, turns: Turns, expected: Expectations, also: Callable[[Turn], None]
    ) -> None:
        """Watch nothing yet; `also` is told each turn that came of itself."""
        self._world, self._turns, self._expected = world, turns, expected
        self._also = also
        self._task: asyncio.Task[None] | None = None
        self._doing: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._told = False  # that the schedule cannot be read
        world.schedule.changed = self._changed
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Watch from now on, on the loop that runs, once there is something to watch for."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._task, self._wake = loop, None, asyncio.Event()
        if (self._task is None or self._task.done()) and self._world.schedule.exists:
            self._task = loop.create_task(self._watch())

    async def end(self) -> None:
        """Watch no more; what is due then is told at the next start."""
        tasks = [task for task in (self._task, *self._doing) if task is not None]
        self._task = None
        self._world.bell.close()
        mine = [task for task in tasks if task.get_loop() is asyncio.get_running_loop()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
        self._world.schedule.close()

    def _changed(self) -> None:
        """Look again; on any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._look_again)

    def _look_again(self) -> None:
        self.begin()
        self._wake.set()

    # -- watching -------------------------------------------------------------------------------

    async def _watch(self) -> None:
        schedule, begun = self._world.schedule, False
        while True:
            wait_s = AGAIN_S
            try:
                if not begun:
                    woken = await asyncio.to_thread(schedule.wake, self._wall())
                    self._due([*woken.ringing, *await asyncio.to_thread(schedule.untold)])
                    begun = True
                now = await self._look()
                next_s = await asyncio.to_thread(schedule.next_due)
                wait_s = max(0.0, min(LOOK_S, next_s - now.timestamp()))
                self._told = False
            except OSError as error:
                log.warning("what is due cannot be read: %s", error)
                self._tell_unread()
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), wait_s)
            except TimeoutError:
                continue

    async def _look(self) -> datetime:
        """Do what is due now, and return what time that is."""
        schedule = self._world.schedule
        now = await asyncio.to_thread(schedule.now)
        self._due(await asyncio.to_thread(schedule.take, now))
        location = self._world.devices.location
        if location is not None:
            try:
                place = location.where()
            except DeviceError:
                return now
            near = await asyncio.to_thread(schedule.near, place.lat, place.lon)
            there = [await asyncio.to_thread(schedule.arrive, entry, now) for entry in near]
            self._due([one for one in there if one is not None])
        return now

    def _wall(self) -> datetime:
        return self._world.now().astimezone(UTC)

    # -- what is due ----------------------------------------------------------------------------

    def _due(self, fired: Sequence[Fired]) -> None:
        """Let ring what rings, and do what is to be done; what is late is only told."""
        if not fired:
            return
        rings = [one for one in fired if one.entry.kind != "command" or one.late]
        if rings:
            card = self._world.bell.ring(rings)
            self._keep(rings, card)
        for one in fired:
            if one not in rings:
                self._start(self._do(one))

    def _keep(self, rings: Sequence[Fired], card: Reply) -> None:
        """Note that it was told, and let the observers see it as a turn."""
        turn = Turn("alarm", Transcript("", rings[0].entry.language), reply=card)

        async def record() -> None:
            await asyncio.to_thread(self._world.schedule.told, rings)
            ended = await self._turns.came(turn)
            if ended is not None:
                self._also(ended)

        self._start(record())

    async def _do(self, fired: Fired) -> None:
        """Do a command, once no question is open; it is written down before, so never twice."""
        entry = fired.entry
        while self._expected.asking:
            await asyncio.sleep(ASKED_S)
        await asyncio.to_thread(self._world.schedule.told, [fired], True)
        turn = await self._turns.called(entry.call or {}, entry.language, "later")
        if not isinstance(turn.intent, Intent):
            said = said_in(entry.language)
            lost = Reply(said["not done"].format(text=entry.text))
            self._world.lens.offer(lost, Priority.BACKGROUND, language=entry.language)
        self._also(turn)

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except OSError as error:
            log.warning("what was due cannot be noted: %s", error)
            self._tell_unread()

    def _tell_unread(self) -> None:
        if self._told:
            return
        self._told = True
        language = self._world.spoken
        card = Reply(said_in(language)["unread"], kind="alert")
        self._world.lens.offer(card, Priority.ALERT, language=language, key="unread schedule")
