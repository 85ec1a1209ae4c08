"""The wearer's head, whose IMU sleeps while it rests.

As real ones do: readings of a still head wait in the sensor's buffer and are read out when it
moves. So a pair of glasses that nobody touches costs nothing, and a nod is felt as one at once,
since the stillness before it is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from hardware import moves
from hardware.base import Motion
from hardware.imu import VirtualImu

RATE_HZ = 50
"""The slowest that gestures are told at: twenty pairs of glasses share one machine."""
BUFFER_S = 3.0
"""How much rest is read out before a movement: `agent.body.gestures` looks back 2.5 s."""
AFTER_S = 3.0
"""How long after a movement the head is still read: every gesture is over by then."""


class RestingImu:
    """An IMU on a virtual head that is told what to do."""

    name = "virtual IMU"

    def __init__(self) -> None:
        """Rest."""
        self._head = VirtualImu(RATE_HZ)
        self._rest = moves.record([moves.still()], BUFFER_S, rate_hz=RATE_HZ)
        self._told: list[Callable[[], None]] = []
        self._woken = asyncio.Event()
        self._walks = False
        self._up = False
        self._until_s = 0.0

    def nod(self) -> None:
        """Nod."""
        self._do(self._head.nod)

    def shake(self) -> None:
        """Shake the head."""
        self._do(self._head.shake)

    def walk(self, on: bool) -> None:
        """Walk, or stop."""
        self._walks = on
        self._do(lambda: self._head.walk(on))

    def glance(self, up: bool) -> None:
        """Raise the head, or lower it."""
        self._up = up
        self._do(lambda: self._head.glance(up))

    def _do(self, move: Callable[[], None]) -> None:
        self._told.append(move)
        self._woken.set()

    async def readings(self) -> AsyncGenerator[Motion, None]:
        """Yield readings in order, while the head moves and for `AFTER_S` after."""
        now_s = asyncio.get_running_loop().time
        while True:
            await self._woken.wait()
            async with aclosing(self._head.readings()) as live:
                first = await anext(live)
                for still in self._rest:
                    yield replace(still, at_ms=first.at_ms - BUFFER_S * 1000 + still.at_ms)
                yield first
                self._obey(now_s())
                async for motion in live:
                    yield motion
                    self._obey(now_s())
                    if not (self._walks or self._up) and now_s() > self._until_s:
                        break
            self._woken.clear()
            if self._told:  # while the last reading was taken
                self._woken.set()

    def _obey(self, now_s: float) -> None:
        """Begin what was told since the last reading: a head that is not read does not move."""
        told, self._told = self._told, []
        for move in told:
            move()
            self._until_s = now_s + AFTER_S
