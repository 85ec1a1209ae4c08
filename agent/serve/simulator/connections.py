"""All the glasses of one server, and the connections of their pages.

What a page may send is bounded here, and what cannot be read ends its connection alone. A pair
whose last page has gone waits `Limits.linger_s` and is then put away; its data stay in its folder.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from agent.errors import GlassesError
from agent.serve.simulator import from_page, protocol
from agent.serve.simulator.from_page import Setting
from agent.serve.simulator.glasses import Make
from agent.serve.simulator.protocol import Junk
from agent.serve.simulator.session import Page, Pair

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server gives and takes."""

    pairs: int = 32
    """Pairs of glasses at once; each has an agent of its own."""
    pages: int = 64
    """Pages at once, watchers included."""
    linger_s: float = 60.0
    """How long a pair waits for its page to come back, as after a reload."""
    hello_s: float = 10.0
    """How long a connection may take to say which glasses it wants."""
    outbox: int = 512
    """Messages that wait for a slow page; with more it is let go."""
    rate: float = 200.0
    """Messages a second that a page may send; sound is 50."""
    burst: float = 1_000.0
    """Messages that it may send at once."""
    bytes_rate: float = 512_000.0
    """Bytes a second; sound is 32,000, a picture up to 1 MiB."""
    bytes_burst: float = 8_000_000.0
    """Bytes at once."""


class Full(GlassesError):
    """There are no glasses left."""


class Refused(GlassesError):
    """A page sent more than it may."""


class TooBig(GlassesError):
    """A message is longer than any may be."""


class _Allowance:
    """A token bucket."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left, self._at_s = burst, clock()

    def spend(self, amount: float) -> bool:
        now_s = self._clock()
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._rate)
        self._at_s = now_s
        self._left -= amount
        return self._left >= 0


class Pairs:
    """All the glasses of one server."""

    def __init__(
        self,
        make: Make,
        folder: Path,
        setting: Setting,
        limits: Limits = Limits(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Have none yet; each pair has a folder of its own in `folder`, and begins as `setting`."""
        self._make = make
        self._folder = folder
        self._setting = setting
        self._limits = limits
        self._clock = clock
        self._pairs: dict[str, Pair] = {}
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Lock()
        self.closed: Counter[int] = Counter()
        """How many connections were closed by which code."""

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._pairs)

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return self._count

    def find(self, key: str, what: Callable[[Pair, str], Path | None]) -> Path | None:
        """Return the file that a pair has behind a key."""
        found = (what(pair, key) for pair in self._pairs.values())
        return next((path for path in found if path is not None), None)

    def get(self, name: str) -> Pair | None:
        """Return a pair by its name."""
        return self._pairs.get(name)

    async def serve(self, socket: WebSocket) -> None:
        """Serve one page until it goes."""
        await socket.accept()
        if self._count >= self._limits.pages:
            await self._close(socket, protocol.BUSY, "no place for another page")
            return
        self._count += 1
        try:
            await self._serve(socket)
        finally:
            self._count -= 1

    async def _serve(self, socket: WebSocket) -> None:
        limits = self._limits
        page = Page(limits.outbox)
        allowed = (
            _Allowance(limits.rate, limits.burst, self._clock),
            _Allowance(limits.bytes_rate, limits.bytes_burst, self._clock),
        )
        pair: Pair | None = None
        writer = asyncio.create_task(_write(socket, page))
        code, why = protocol.BROKEN, "a fault of the simulator"
        try:
            async with asyncio.timeout(limits.hello_s):
                hello = await _read(socket, allowed)
            if not isinstance(hello, from_page.Hello):
                raise Junk("the first message is no hello")
            if hello.version != protocol.VERSION:
                raise Refused("the page is of another version: reload it")
            pair = self._worn(hello.pair, page)
            while True:
                await pair.receive(page, await _read(socket, allowed))
        except WebSocketDisconnect as gone:
            code, why = gone.code, ""
        except TimeoutError:
            code, why = protocol.REFUSED, "no hello came"
        except Junk as error:
            code, why = protocol.JUNK, str(error)
        except Refused as error:
            code, why = protocol.REFUSED, str(error)
        except TooBig as error:
            code, why = protocol.TOO_BIG, str(error)
        except Full as error:
            code, why = protocol.BUSY, str(error)
        except asyncio.CancelledError:
            code, why = protocol.GOING_AWAY, "the simulator ends"
            raise
        except Exception as error:  # a fault of ours: it never takes the other pages down
            where = "".join(traceback.format_tb(error.__traceback__))
            # The error's own words may hold what was said.
            log.error("a page was let go: %s\n%s", type(error).__name__, where)
        finally:
            writer.cancel()
            if pair is not None:
                self._left(pair, page)
            await self._close(socket, code, why)

    async def _close(self, socket: WebSocket, code: int, why: str) -> None:
        self.closed[code] += 1
        with suppress(RuntimeError, WebSocketDisconnect):  # it is closed already
            await socket.close(code, why)

    def _worn(self, name: str, page: Page) -> Pair:
        pair = self._pairs.get(name)
        if pair is None:
            if len(self._pairs) >= self._limits.pairs:
                raise Full(f"all {self._limits.pairs} pairs of glasses are worn")
            pair = self._pairs[name] = Pair(self._make, self._folder / name, self._setting)
            self._spawn(self._start(pair))
        if pair.put_away is not None:
            pair.put_away.cancel()
            pair.put_away = None
        pair.join(page)
        return pair

    async def _start(self, pair: Pair) -> None:
        async with self._starting:  # one after the other: building takes all of a core
            await pair.change(pair.glasses.settle)

    def _left(self, pair: Pair, page: Page) -> None:
        pair.leave(page)
        if not pair.pages:
            loop = asyncio.get_running_loop()
            pair.put_away = loop.call_later(
                self._limits.linger_s, lambda: self._spawn(self._put_away(pair))
            )

    async def _put_away(self, pair: Pair) -> None:
        if pair.pages:
            return
        name = next((name for name, known in self._pairs.items() if known is pair), None)
        if name is not None:
            del self._pairs[name]
        await pair.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Put all glasses away."""
        for task in self._tasks:
            task.cancel()
        pairs, self._pairs = [*self._pairs.values()], {}
        await asyncio.gather(*(pair.close() for pair in pairs))


async def _read(socket: WebSocket, allowed: tuple[_Allowance, _Allowance]) -> from_page.FromPage:
    """Read the next message. Raises Junk, Refused, TooBig, WebSocketDisconnect."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006))
    text, data = message.get("text"), message.get("bytes")
    messages, size = allowed
    long = len(text.encode("utf-8", "replace")) if text is not None else len(data or b"")
    if long > protocol.MAX_BYTES:
        raise TooBig(f"a message is longer than {protocol.MAX_BYTES >> 20} MiB")
    if not messages.spend(1) or not size.spend(long):
        raise Refused("too many messages at once")
    return from_page.read_text(text) if text is not None else from_page.read_bytes(data or b"")


async def _write(socket: WebSocket, page: Page) -> None:
    """Send what waits for a page; one that takes nothing is let go."""
    with suppress(RuntimeError, WebSocketDisconnect, OSError):
        while (text := await page.outbox.get()) is not None:
            await socket.send_text(text)
        await socket.close(protocol.BUSY, "the page takes no messages")
