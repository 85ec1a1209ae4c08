"""Who wears which glasses: pages, the pairs they share, and how long a pair waits for its page.

A pair has any number of pages and one wearer, the page that came, or asked, last. The others are
told so and watch: they see and hear everything, and what is done on them has no effect. When the
wearer's page is closed, or another takes over, its microphone is closed: a sentence that was begun
ends there and is answered as far as it goes, as with any microphone that vanishes. The page before
it wears the glasses then. With no page left a pair waits `Limits.linger_s` and is then put away;
its data stay in its folder.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from agent.errors import GlassesError
from agent.serve.simulator import from_page, protocol, to_page
from agent.serve.simulator.from_page import Setting
from agent.serve.simulator.glasses import Glasses, Make
from agent.serve.simulator.protocol import Junk
from agent.serve.simulator.recording import replay
from agent.serve.simulator.to_page import Look, Note, Play, Replay, Role, ToPage
from agent.testing.session import Session
from hardware.base import DeviceError

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


class _Allowance:
    """A token bucket."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left, self._at_s = burst, clock()

    def take(self, amount: float) -> bool:
        now_s = self._clock()
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._rate)
        self._at_s = now_s
        self._left -= amount
        return self._left >= 0


class Page:
    """One page, and what waits to be sent to it."""

    def __init__(self, most: int) -> None:
        self.outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._most = most

    def tell(self, message: ToPage) -> None:
        """Send a message; a page that has not taken the last so many of them is let go."""
        if self.outbox.qsize() < self._most:
            self.outbox.put_nowait(to_page.write(message))
        else:
            self.outbox.put_nowait(None)


class Pair:
    """A pair of glasses and the pages on it, the wearer last."""

    def __init__(self, make: Make, folder: Path, setting: Setting) -> None:
        """Begin with no page."""
        self._make = make
        self.pages: list[Page] = []
        self.glasses = Glasses(make, folder, setting, self._tell)
        self.recordings: dict[str, Path] = {}
        self.put_away: asyncio.TimerHandle | None = None
        self._changing = asyncio.Lock()
        self._replay: asyncio.Task[None] | None = None
        self._replaying: Glasses | None = None

    @property
    def wearer(self) -> Page | None:
        """The page that wears them."""
        return self.pages[-1] if self.pages else None

    def _tell(self, message: ToPage) -> None:
        """Pass on what the glasses say; during a replay their pages see the replayed ones."""
        if self._replaying is None:
            self._send(message)

    def _tell_again(self, message: ToPage) -> None:
        if isinstance(message, to_page.Answered):
            message = to_page.Answered(message.turn, message.verdicts, message.unknown, True)
        if not isinstance(message, to_page.Welcome | to_page.State):
            self._send(message)

    def _send(self, message: ToPage) -> None:
        if isinstance(message, Look | Play):
            if self.wearer is not None:
                self.wearer.tell(message)
            elif isinstance(message, Look):
                self.glasses.camera.answer(message.request, "no page is open")
            return
        for page in self.pages:
            page.tell(message)

    # -- pages ------------------------------------------------------------------------------------

    def join(self, page: Page) -> None:
        """Let a page wear the glasses."""
        self._let_go()
        self.pages.append(page)
        for message in self.glasses.everything():
            page.tell(message)
        self._roles()

    def wear(self, page: Page) -> None:
        """Let a page that watches wear them."""
        if page is not self.wearer:
            self._let_go()
            self.pages.remove(page)
            self.pages.append(page)
            self._roles()

    def leave(self, page: Page) -> None:
        """Let a page go."""
        if page is self.wearer:
            self._let_go()
        self.pages.remove(page)
        self._roles()

    def _let_go(self) -> None:
        """Close the microphone of the page that wore them until now."""
        self.glasses.hold(False)
        self.glasses.listen(False)

    def _roles(self) -> None:
        for page in self.pages:
            page.tell(Role(page is self.wearer, len(self.pages)))

    # -- what pages do ----------------------------------------------------------------------------

    async def change(self, what: Callable[[], Awaitable[None]]) -> None:
        """Switch the glasses on or off, or change them, one thing after the other."""
        async with self._changing:
            try:
                await what()
            except (GlassesError, DeviceError) as error:
                self._send(Note("broken", str(error)))

    async def take(self, page: Page, message: from_page.FromPage) -> None:
        """Do what a page says."""
        match message:
            case from_page.Wear():
                self.wear(page)
            case from_page.Hello():
                raise Junk("a page says hello once")
            case _ if page is not self.wearer:
                if not isinstance(message, from_page.Sound):
                    page.tell(Note("watching"))
            case from_page.EndReplay():
                self.end_replay()
            case from_page.Sound() | from_page.Listen() if self._replaying:
                pass
            case from_page.Picture(request, jpeg):
                (self._replaying or self.glasses).camera.answer(request, jpeg)
            case from_page.Blind(request, reason):
                (self._replaying or self.glasses).camera.answer(request, reason)
            case from_page.Played(key):
                (self._replaying or self.glasses).speaker.played(key)
            case _ if self._replaying:
                page.tell(Note("replaying"))
            case _:
                await self._do(message)

    async def _do(self, message: from_page.FromPage) -> None:
        glasses = self.glasses
        match message:
            case from_page.Sound():
                glasses.hear(message)
            case from_page.Say(text):
                glasses.say(text)
            case from_page.Complete(text):
                glasses.complete(text)
            case from_page.Listen(on):
                glasses.listen(on)
            case from_page.Hold(down):
                glasses.hold(down)
            case from_page.Gesture():
                glasses.gesture(message)
            case from_page.Link(lost):
                glasses.lose(lost)
            case from_page.Setting():
                if message != glasses.setting:
                    await self.change(partial(glasses.change, message))
            case from_page.Walk() | from_page.Light() | from_page.Cell() | from_page.Temperature():
                glasses.move(message)
                if isinstance(message, from_page.Cell):
                    await self.change(glasses.settle)
            case from_page.Record(on):
                await (self._record() if on else self._recorded())

    async def _record(self) -> None:
        try:
            self.glasses.record()
        except GlassesError as error:
            self._send(Note("broken", str(error)))

    async def _recorded(self) -> None:
        path = await self.glasses.stop_recording()
        if path is not None:
            key = secrets.token_urlsafe(12)
            self.recordings[key] = path
            self._send(to_page.Recorded(key))

    # -- replay -----------------------------------------------------------------------------------

    def play(self, session: Session) -> None:
        """Replay a session on fresh glasses that take the place of these until it is over."""
        self.end_replay()
        self._replay = asyncio.create_task(self._played(session))

    def end_replay(self) -> None:
        """End the replay that goes on."""
        if self._replay is not None:
            self._replay.cancel()

    async def _played(self, session: Session) -> None:
        setting = Setting(session.setting.profile, session.setting.language)
        total = len(session.inputs)
        self._let_go()
        with TemporaryDirectory(prefix="glasses-replay-", ignore_cleanup_errors=True) as folder:
            fresh = Glasses(self._make, Path(folder), setting, self._tell_again)
            self._replaying = fresh
            self._send(Replay(0, total, running=True, differences=[]))
            self._send(fresh.lens.whole())
            ended = Replay(0, total, running=False, differences=[])
            try:
                await fresh.start()
                fresh.set_clock(session.began)
                ended = await replay(session, fresh, self._send)
            except (GlassesError, DeviceError) as error:
                self._send(Note("broken", str(error)))
            finally:
                await fresh.stop()
                self._replaying = None
                self._send(self.glasses.lens.whole())
                self._send(self.glasses.state())
                self._send(ended)

    async def close(self) -> None:
        """Put the glasses away."""
        self.end_replay()
        if self._replay is not None:
            await asyncio.gather(self._replay, return_exceptions=True)
        async with self._changing:
            await self.glasses.stop()
        for path in self.recordings.values():
            path.unlink(missing_ok=True)


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
                await pair.take(page, await _read(socket, allowed))
        except WebSocketDisconnect as gone:
            code, why = gone.code, ""
        except TimeoutError:
            code, why = protocol.REFUSED, "no hello came"
        except Junk as error:
            code, why = protocol.JUNK, str(error)
        except Refused as error:
            code, why = protocol.REFUSED, str(error)
        except Full as error:
            code, why = protocol.BUSY, str(error)
        except asyncio.CancelledError:
            code, why = protocol.GOING_AWAY, "the simulator ends"
            raise
        except Exception as error:  # one page never takes the others down
            log.error("a page was let go: %s", type(error).__name__, exc_info=error)
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
    """Read the next message. Raises Junk, Refused, WebSocketDisconnect."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006))
    text, data = message.get("text"), message.get("bytes")
    messages, size = allowed
    long = len(text) if text is not None else len(data or b"")
    if not messages.take(1) or not size.take(long):
        raise Refused("too many messages at once")
    return from_page.read_text(text) if text is not None else from_page.read_bytes(data or b"")


async def _write(socket: WebSocket, page: Page) -> None:
    """Send what waits for a page; one that takes nothing is let go."""
    with suppress(RuntimeError, WebSocketDisconnect, OSError):
        while (text := await page.outbox.get()) is not None:
            await socket.send_text(text)
        await socket.close(protocol.BUSY, "the page takes no messages")
