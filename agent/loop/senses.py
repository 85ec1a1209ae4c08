"""What the glasses feel besides sound, for as long as they are worn: head, light, and power.

The IMU tells of nods and steps, the light sensor how bright the lens has to be, the battery what
may still be done. What each of them means is worked out in `agent.body` and `agent.body.power`;
here it is read and obeyed. Devices may come from plugins, and cells are swapped: one that fails is
told in a line, asked again, and felt again once it answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from agent.act.world import World
from agent.body import Body
from agent.body.light import Brightness
from agent.body.power import Ladder, Notice, Step
from agent.display.request import Priority
from agent.language.said import said_in
from agent.loop.gestures import Gesture
from agent.messages import Reply
from hardware.base import DeviceError, Imu

log = logging.getLogger(__name__)

POWER_S = 2.0
"""How often the battery is asked."""
LIGHT_S = 0.5
"""How often the light is measured."""
HEAD_S = 1.0
"""How soon an IMU that failed is read again."""
LONGEST_S = 30.0
"""How long a device that fails again and again is left alone at most."""
TOLD_S = 60.0
"""A device that fails again and again is told of this often at most."""


@dataclass(frozen=True, slots=True)
class Felt:
    """Who is told what is felt."""

    gesture: Callable[[Gesture, bool], Awaitable[object]]
    """A movement of the head that means something, and whether the head was at rest before it."""
    spare: Callable[[Step], Awaitable[None]]
    """What may be done with the power that is left has changed."""
    keep: Callable[[], Awaitable[None]]
    """Power may soon be gone."""


class Senses:
    """Feels for one agent, from `begin` to `end`."""

    def __init__(self, world: World, felt: Felt) -> None:
        """Feel nothing yet."""
        self._world = world
        self._felt = felt
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ladder = Ladder()
        self._brightness = Brightness()
        self._told_s: dict[str, float] = {}

    @property
    def step(self) -> Step:
        """What may be done with the power that is left."""
        return self._world.step

    # -- from on to off -------------------------------------------------------------------------

    def begin(self) -> None:
        """Feel from now on."""
        devices = self._world.devices
        if (imu := devices.imu) is not None:
            self._start(self._steadily("head", HEAD_S, lambda: self._head(imu)))
        if devices.battery is not None:
            watch = partial(self._every, POWER_S, self._power)
            self._start(self._steadily("battery", POWER_S, watch))
        if devices.light is not None:
            measure = partial(self._every, LIGHT_S, self._light)
            self._start(self._steadily("light", LIGHT_S, measure))

    async def end(self) -> None:
        """Feel nothing any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _start(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _every(self, seconds: float, look: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await look()
            await asyncio.sleep(seconds)

    async def _steadily(
        self, what: str, soon_s: float, feel: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Feel one device for as long as it is there.

        One that fails is asked again after `soon_s`, and less and less often while it fails.
        """
        now_s = asyncio.get_running_loop().time
        wait_s = soon_s
        while True:
            began_s = now_s()
            try:
                await feel()
                return  # its readings have come to their end
            except Exception as error:  # the plugin boundary
                reason = str(error) if isinstance(error, DeviceError) else type(error).__name__
                log.warning("the %s is tried again: %s", what, reason)
            self._tell_unfelt(what, now_s())
            failed_again = now_s() - began_s <= soon_s
            wait_s = min(2 * wait_s, LONGEST_S) if failed_again else soon_s
            await asyncio.sleep(wait_s)

    def _tell_unfelt(self, what: str, now_s: float) -> None:
        if now_s - self._told_s.get(what, float("-inf")) < TOLD_S:
            return
        self._told_s[what] = now_s
        language = self._world.spoken
        said = said_in(language)
        told = Reply(said["unfelt"].format(what=said[what]))
        self._world.lens.offer(told, Priority.BACKGROUND, language=language, key=f"unfelt {what}")

    # -- the head -------------------------------------------------------------------------------

    async def _head(self, imu: Imu) -> None:
        body = Body()
        try:
            async for motion in imu.readings():
                for movement in body.feel(motion):
                    if movement in ("walking", "standing"):
                        self._world.lens.walking(movement == "walking")
                    else:
                        self._start(self._moved(movement, body.rested))
        finally:
            self._world.lens.walking(False)  # as far as is known

    async def _moved(self, movement: Any, rested: bool) -> None:
        await self._felt.gesture(movement, rested)

    # -- power and light ------------------------------------------------------------------------

    async def _power(self) -> None:
        battery = self._world.devices.battery
        assert battery is not None
        now_ms = asyncio.get_running_loop().time() * 1000
        for notice in self._ladder.read(battery.state(), now_ms):
            self._tell(notice)
            if notice.kind in ("last", "out", "step"):
                await self._felt.keep()
        if self._ladder.step is not self.step:
            self._world.step = step = self._ladder.step
            self._world.lens.slow_down(step.update)
            self._relight()
            await self._felt.spare(step)

    def _tell(self, notice: Notice) -> None:
        language = self._world.spoken
        level = Priority.ALERT if notice.urgent else Priority.BACKGROUND
        card = Reply(notice.line(language), kind="alert" if notice.urgent else "answer")
        self._world.lens.offer(card, level, language=language, key=f"power {notice.kind}")

    async def _light(self) -> None:
        sensor = self._world.devices.light
        assert sensor is not None
        self._brightness.follow(sensor.lux, asyncio.get_running_loop().time() * 1000)
        self._relight()

    def _relight(self) -> None:
        self._world.lens.dim(self.step.light * self._brightness.light)
