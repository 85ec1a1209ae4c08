"""IMUs: the virtual one, on a virtual head (`hardware.moves`)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Iterator

from hardware import moves
from hardware.base import DeviceError, Motion
from hardware.moves import LEVEL, Move, Pose

WALK_S = 0.6
"""How long it takes to walk off and to stop."""
RAISE_S = 0.35
"""How long it takes to raise the head and to lower it."""


class VirtualImu:
    """A double on a head that sways a little and does what it is told, from the next reading on.

    Paced by the clock of the running loop, so in virtual time it takes no time. Moves add up: a
    nod on a walk is both. What is told before the first reading begins with it.
    """

    name = "virtual IMU"

    def __init__(self, rate_hz: int = moves.RATE_HZ, seed: int = 0) -> None:
        """Read the head `rate_hz` times a second; `seed` makes its noise and its sway.

        Raises DeviceError unless that is 50 … 200 times.
        """
        if not 50 <= rate_hz <= 200:
            raise DeviceError(f"an IMU gives 50 … 200 readings a second, not {rate_hz}")
        self.rate_hz = rate_hz
        self._seed = seed
        self._begun_s: float | None = None
        self._next = 0  # number of the next reading
        self._now_s = 0.0  # how far the head's pose is known
        self._moves: list[tuple[Move, float]] = [(moves.still(seed=seed), math.inf)]
        self._lasting: dict[str, Move] = {}
        self._gone = False

    # -- what the head does ---------------------------------------------------------------------

    def nod(self, degrees: float = 14.0, hz: float = 1.6, cycles: int = 2) -> None:
        """Nod: down by `degrees` and up, `cycles` times."""
        self.do(moves.nod(degrees=degrees, hz=hz, cycles=cycles), cycles / hz)

    def shake(self, degrees: float = 15.0, hz: float = 1.8, cycles: int = 2) -> None:
        """Shake: to both sides by `degrees`, `cycles` times."""
        self.do(moves.shake(degrees=degrees, hz=hz, cycles=cycles), cycles / hz)

    def walk(self, on: bool, hz: float = 1.9) -> None:
        """Walk at `hz` steps a second, or stop; nothing happens when it is so already."""
        step = moves.during(0, math.inf, moves.walk(hz=hz, seed=self._seed), WALK_S)
        self._last("walk", on, step, WALK_S)

    def glance(self, up: bool, degrees: float = 22.0) -> None:
        """Raise the head by `degrees`, or lower it; nothing happens when it is so already."""
        there = moves.glance(degrees=degrees, hold_s=1e9, move_s=RAISE_S)
        self._last("glance", up, there, RAISE_S)

    def do(self, move: Move, seconds: float) -> None:
        """Do any move, which begins at its own 0 and is over after `seconds`."""
        self._moves.append((_since(self._now_s, move), self._now_s + seconds))

    def _last(self, name: str, on: bool, move: Move, fade_s: float) -> None:
        """Begin a move that lasts, or let it die away."""
        if on and name not in self._lasting:
            self._lasting[name] = _since(self._now_s, move)
        elif not on and name in self._lasting:
            end_s = self._now_s + fade_s
            dying = moves.during(-math.inf, end_s, self._lasting.pop(name), fade_s)
            self._moves.append((dying, end_s))

    def vanish(self) -> None:
        """Be unplugged: `readings` raises DeviceError."""
        self._gone = True

    # -- what is read of it ---------------------------------------------------------------------

    async def readings(self) -> AsyncGenerator[Motion, None]:
        """Yield readings in order, each when it is due; what nobody reads is lost.

        Raises DeviceError once it vanished.
        """
        loop = asyncio.get_running_loop()
        if self._begun_s is None:
            self._begun_s = loop.time()
        missed = math.ceil((loop.time() - self._begun_s) * self.rate_hz)
        self._next = max(self._next, missed)
        poses = self._poses(self._next - 1)
        for reading in moves.readings(poses, self.rate_hz, self._seed, start=self._next):
            due_s = self._begun_s + reading.at_ms / 1000
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            if self._gone:
                raise DeviceError(f"{self.name} is gone: is it plugged in?")
            self._next += 1
            yield reading

    def _poses(self, count: int) -> Iterator[Pose]:
        while True:
            now_s = self._now_s = count / self.rate_hz
            self._moves = [(move, until_s) for move, until_s in self._moves if until_s > now_s]
            doing = [*(move for move, _ in self._moves), *self._lasting.values()]
            yield moves.together(*doing)(now_s)
            count += 1


def _since(at_s: float, move: Move) -> Move:
    return lambda t: move(t - at_s) if t > at_s else LEVEL
