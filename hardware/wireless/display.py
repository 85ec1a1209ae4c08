"""A display at the end of a radio link: the newest frame wins, and what is lost comes back.

The agent hands a frame over and goes on; a task a side (an arm, or the lens itself) sends it. Links
drop, at any byte: then what the agent handed over last is sent whole to a link that is new. After a
moment without any, frames are refused, so that the agent knows that nobody sees them; what was
refused is never lit later, when it would be stale.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Literal, Protocol

from hardware.base import DeviceError, DisplayProfile, Frame

log = logging.getLogger(__name__)

GRACE_S = 4.0
"""How long frames are still taken while every link is lost: most are back by then."""
AGAIN_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""How long is waited before each further try to connect; the last goes on for ever."""
QUIET_S = 10.0
"""A link that is lost again this soon after it was told of is told of only if it stays away."""
SHOW_S = 15.0
"""Longest that a frame may take; a link that takes longer is dead, whatever it says."""
CLOSE_S = 3.0
"""How long the lens may take to be cleared at the end."""

Touch = Literal["tap", "double_tap", "down", "up"]
"""What the wearer does with a hand: a tap, two, a key held down and let go."""


class Side(Protocol):
    """One link of a lens, and how a frame gets over it. All of it runs on the links' loop."""

    name: str
    """What it is called to the wearer, such as `the left arm of Even G1 45`."""

    async def open(self) -> None:
        """Connect and make ready. Raises DeviceError."""
        ...

    async def show(self, frame: Frame | None) -> None:
        """Light a frame, whole, or nothing for None. Raises DeviceError; it is closed then."""
        ...

    async def lost(self) -> None:
        """Wait until the link is gone. May raise DeviceError that says why."""
        ...

    async def close(self) -> None:
        """Disconnect; raises nothing."""
        ...


class WirelessDisplay:
    """What the agent shows on, with any lens behind it. `show` and `clear` are for any thread."""

    def __init__(
        self,
        name: str,
        profile: DisplayProfile,
        sides: Sequence[Side],
        loop: asyncio.AbstractEventLoop,
        tell: Callable[[str], None],
    ) -> None:
        """Connect to nothing yet; `tell` is given each line that the wearer should know."""
        self.name = name
        self.profile = profile
        self.on_touch: Callable[[Touch], None] = lambda touch: None
        """Called when the wearer touches the glasses, on the links' loop."""
        self._sides = tuple(sides)
        self._loop = loop
        self._tell = tell
        self._lock = threading.Lock()
        self._frame: Frame | None = None
        self._number = 0  # counts what was handed over
        self._changed = {side: asyncio.Event() for side in self._sides}
        self._reached = threading.Event()
        self._here: set[Side] = set()
        self._away: dict[Side, str] = {}  # why
        self._told_s: dict[Side, float] = {}  # when it was told of last
        self._told: set[Side] = set()  # whose absence was told of, and not yet its return
        self._since_s = loop.time()  # when the last link was lost
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Connect, and go on doing so; on the links' loop."""
        self._since_s = self._loop.time()
        self._tasks = [self._loop.create_task(self._keep(side)) for side in self._sides]

    def wait(self, seconds: float) -> bool:
        """Wait, in another thread than the links', until a link is there; say whether one is."""
        return self._reached.wait(seconds)

    def show(self, frame: Frame) -> None:
        """Hand a frame over, to be lit as soon as the link allows. Raises DeviceError."""
        self._hand_over(frame)

    def clear(self) -> None:
        """Make the lens dark. Raises DeviceError."""
        self._hand_over(None)

    async def close(self) -> None:
        """Clear the lens and let go of it; on the links' loop."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(self._leave(side) for side in self._sides))

    # -- what the agent asks for ----------------------------------------------------------------

    def _hand_over(self, frame: Frame | None) -> None:
        with self._lock:
            gone_s = self._loop.time() - self._since_s
            reason = self._why_not() if not self._here and gone_s > GRACE_S else ""
            # One like the last is sent too: the wearer may have closed it on the glasses.
            self._frame, self._number = None if reason else frame, self._number + 1
        with suppress(RuntimeError):  # the loop has ended with the process
            self._loop.call_soon_threadsafe(self._wake)
        if reason:
            raise DeviceError(reason)

    def _why_not(self) -> str:
        reasons = dict.fromkeys(self._away.values())
        return f"{self.name} is gone: {'; '.join(reasons) or 'it was not reached yet'}"

    def _wake(self) -> None:
        for event in self._changed.values():
            event.set()

    # -- a link and its frames ------------------------------------------------------------------

    async def _keep(self, side: Side) -> None:
        """Connect, send what is handed over, and begin anew whenever that ends."""
        tries = 0
        while True:
            try:
                await side.open()
                self._is_here(side)
                tries = 0
                await self._send(side)
                reason = "the link was lost"
            except DeviceError as error:
                reason = str(error)
            except Exception as error:  # a library is foreign code and raises what it likes
                log.exception("%s", side.name)
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
            await side.close()
            self._is_away(side, reason)
            await asyncio.sleep(AGAIN_S[min(tries, len(AGAIN_S) - 1)])
            tries += 1

    async def _send(self, side: Side) -> None:
        """Send each newest frame until the link is lost. Raises DeviceError."""
        gone = asyncio.ensure_future(side.lost())
        changed, sent = self._changed[side], 0
        work: asyncio.Future[None] = gone
        try:
            while not gone.done():
                changed.clear()
                with self._lock:
                    number, frame = self._number, self._frame
                todo = self._news(side) if number == sent else self._shown(side, frame)
                work = asyncio.ensure_future(todo)
                await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    work.result()
                    sent = number
            gone.result()
        finally:
            for left in (work, gone):
                left.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)

    async def _news(self, side: Side) -> None:
        await self._changed[side].wait()

    async def _shown(self, side: Side, frame: Frame | None) -> None:
        try:
            async with asyncio.timeout(SHOW_S):
                await side.show(frame)
        except TimeoutError:
            raise DeviceError(f"a frame did not arrive within {SHOW_S:g} s") from None

    async def _leave(self, side: Side) -> None:
        with suppress(Exception):
            async with asyncio.timeout(CLOSE_S):
                if side in self._here:
                    await side.show(None)
        await side.close()

    # -- who is there ---------------------------------------------------------------------------

    def _is_here(self, side: Side) -> None:
        with self._lock:
            self._here.add(side)
            self._away.pop(side, None)
        self._reached.set()
        if side in self._told:
            self._told.discard(side)
            self._say(f"{side.name} is back")

    def _is_away(self, side: Side, reason: str) -> None:
        with self._lock:
            if side in self._here:
                self._here.discard(side)
                if not self._here:
                    self._since_s = self._loop.time()
            self._away[side] = reason
        now_s = self._loop.time()
        if side not in self._told and now_s - self._told_s.get(side, float("-inf")) >= QUIET_S:
            self._told_s[side] = now_s
            self._told.add(side)
            self._say(f"{side.name}: {reason}; it is tried again")

    def _say(self, line: str) -> None:
        with suppress(Exception):  # a terminal that is closed must not end a link
            self._tell(line)
