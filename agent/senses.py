"""What the glasses feel besides sound, for as long as they are worn: head, light, and power.

The IMU tells of nods and steps, the light sensor how bright the lens has to be, the battery what
may still be done; and what must outlive a swap of the cells is written down as it changes. What
each of them means is worked out in `agent.body`, `agent.power` and `agent.resume`; here it is read
and obeyed. Devices may come from plugins: one that fails is told in a line and felt no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import resume
from agent.body import Body
from agent.display.request import Priority
from agent.messages import Reply
from agent.power import STEPS, Brightness, Ladder, Notice, Step
from agent.understand.text import language_of
from hardware.base import DeviceError, Imu

if TYPE_CHECKING:
    from agent.loop import Agent

log = logging.getLogger(__name__)

POWER_S = 2.0
"""How often the battery is asked."""
LIGHT_S = 0.5
"""How often the light is measured."""
KEEP_S = 5.0
"""How often it is written down how far the music has come."""


class Senses:
    """Feels for one agent, from `begin` to `end`."""

    def __init__(self, agent: Agent, folder: Path, wall: Callable[[], float] = time.time) -> None:
        """Feel nothing yet; what outlives a loss of power is kept in `folder`.

        `wall` gives seconds since 1970, as the ledger's clock does.
        """
        self._wall = wall
        self._agent = agent
        self._path = folder / "resume.json"
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ladder = Ladder()
        self._brightness = Brightness()
        self._kept: resume.State | None = None
        self._resumed = False
        self.step: Step = STEPS[0]
        """What may be done with the power that is left."""

    # -- from on to off -------------------------------------------------------------------------

    def begin(self) -> None:
        """Feel from now on, and go on with what a loss of power broke off."""
        devices = self._agent.devices
        if devices.imu is not None:
            self._start(self._head(devices.imu))
        if devices.battery is not None:
            self._start(self._every(POWER_S, self._power))
        if devices.light is not None:
            self._start(self._every(LIGHT_S, self._light))
        if devices.speaker is not None:
            self._start(self._every(KEEP_S, self._keep))
        self._start(self._resume())

    def cut(self) -> None:
        """Be without power, as a simulator is: what was written stays, and nothing more is."""
        self._resumed = False

    async def end(self) -> None:
        """Feel nothing any more: an end that is meant leaves nothing to go on with."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self._resumed:
            with contextlib.suppress(OSError):
                resume.forget(self._path)
        self._resumed, self._kept = False, None

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _every(self, seconds: float, look: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                await look()
            except Exception as error:  # the plugin boundary
                reason = str(error) if isinstance(error, DeviceError) else type(error).__name__
                log.warning("felt no more: %s", reason)
                return
            await asyncio.sleep(seconds)

    # -- the head -------------------------------------------------------------------------------

    async def _head(self, imu: Imu) -> None:
        body = Body()
        try:
            async for motion in imu.readings():
                for movement in body.feel(motion):
                    if movement in ("walking", "standing"):
                        self._agent.lens.walking(movement == "walking")
                    else:
                        self._start(self._moved(movement, body.rested))
        except Exception as error:  # the plugin boundary
            reason = str(error) if isinstance(error, DeviceError) else type(error).__name__
            log.warning("%s is felt no more: %s", imu.name, reason)
            self._agent.lens.walking(False)

    async def _moved(self, movement: Any, rested: bool) -> None:
        await self._agent.gesture(movement, rested=rested)

    # -- power and light ------------------------------------------------------------------------

    async def _power(self) -> None:
        battery = self._agent.devices.battery
        assert battery is not None
        now_ms = asyncio.get_running_loop().time() * 1000
        for notice in self._ladder.take(battery.state(), now_ms):
            self._tell(notice)
            if notice.kind in ("last", "out", "step"):
                await self.keep()
        if self._ladder.step is not self.step:
            self.step = self._ladder.step
            self._agent.lens.slow_down(self.step.update)
            self._relight()
            await self._agent.spare(not self.step.large_engines)

    def _tell(self, notice: Notice) -> None:
        language = self._agent.spoken
        level = Priority.ALERT if notice.urgent else Priority.BACKGROUND
        card = Reply(notice.line(language), kind="alert" if notice.urgent else "answer")
        self._agent.lens.offer(card, level, language=language, key=f"power {notice.kind}")

    async def _light(self) -> None:
        sensor = self._agent.devices.light
        assert sensor is not None
        self._brightness.take(sensor.lux, asyncio.get_running_loop().time() * 1000)
        self._relight()

    def _relight(self) -> None:
        self._agent.lens.dim(self.step.light * self._brightness.light)

    # -- what outlives a loss of power ----------------------------------------------------------

    def keep_soon(self) -> None:
        """Do the same as `keep`, and wait for nothing."""
        if self._resumed:
            self._start(self.keep())

    async def keep(self) -> None:
        """Write down what must outlive a loss of power, where it has changed."""
        if not self._resumed:
            return  # what is to be resumed is still there
        state = self._state()
        if state != self._kept:
            self._kept = state
            try:
                await asyncio.to_thread(resume.save, self._path, state)
            except OSError as error:
                log.warning("%s cannot be written (%s)", self._path, error.strerror)

    async def _keep(self) -> None:
        if self._agent.playing:
            await self.keep()

    def _state(self) -> resume.State:
        agent = self._agent
        now_s = self._wall()
        answers = [r for r in agent.lens.standing() if r.priority is Priority.FOREGROUND]
        cards = [resume.Card.of(request.reply, now_s) for request in answers]
        proposed = agent.proposed
        speaker, playing = agent.devices.speaker, None
        if speaker is not None and (path := speaker.playing) is not None:
            playing = resume.Playing(str(path), speaker.position_s, speaker.volume, now_s)
        actions = agent.skills.actions
        call = None if proposed is None else resume.Call.of(proposed, actions, now_s)
        return resume.State(tuple(card for card in cards if card is not None), call, playing)

    async def _resume(self) -> None:
        """Show, play and ask again what a loss of power broke off."""
        try:
            await self._go_on()
        finally:
            self._resumed = True
        await self.keep()

    async def _go_on(self) -> None:
        agent = self._agent
        state = await asyncio.to_thread(resume.load, self._path, self._wall())
        try:  # before anything of it is done: what breaks the agent must not do so for ever
            await asyncio.to_thread(resume.forget, self._path)
        except OSError as error:
            log.warning("%s cannot be removed (%s): nothing is resumed", self._path, error.strerror)
            return
        if state is None:
            return
        for card in state.cards[-1:]:
            agent.lens.answer(card.reply, language_of(f"{card.title} {card.text}"))
        speaker, playing = agent.devices.speaker, state.playing
        if playing is not None and speaker is not None and speaker.available:
            try:
                speaker.volume = playing.volume
                speaker.play(Path(playing.path), playing.position_s)
            except Exception as error:  # the plugin boundary
                log.warning("the music does not go on: %s", type(error).__name__)
        # Whoever has said yes has paid, or has not but may have: that is never asked again.
        if state.call is not None and not agent.gate.begun_since(state.call.at_s):
            await agent.again(state.call.made, state.call.language)
