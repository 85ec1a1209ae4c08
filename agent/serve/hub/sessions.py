"""All sessions of one replica: who may come, how many, and what becomes of who does not.

The same class is run by uvicorn on one machine and by Ray Serve (`cluster`); it is an ASGI
application and knows neither. A socket is its session's affinity: while it is open its agent is
here, and when it breaks whichever replica it comes back to goes on.

    who has no key                     HTTP 403, before anything is built
    more than a replica holds          told so, and when to come again
    more than its tenant may have      the same
    says nothing for ten seconds       let go
    sends nonsense                     told what is wrong, and let go
    reads nothing                      let go
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from agent.errors import ConfigError, GlassesError
from agent.loop.agent import Agent
from agent.serve.hub import protocol
from agent.serve.hub.folders import Folders, Worn
from agent.serve.hub.ledgers import Do, Far
from agent.serve.hub.lens import HubLens
from agent.serve.hub.pool import Hear
from agent.serve.hub.protocol import Bye, Hello, Nonsense, Say, Sound, read, write
from agent.serve.hub.session import Session
from agent.serve.hub.tenants import Tenant, Tenants
from agent.serve.hub.watch import Watch
from hardware import profiles
from hardware.base import DeviceError

log = logging.getLogger(__name__)

HELLO_S = 10.0
"""How long glasses may take to say their first word."""
IDLE_S = 600.0
"""How long they may say nothing; whether they are there is asked by pings."""
QUIET_S = 3.0
"""Sound that stays away for so long in the midst of an utterance has ended it; a busy network, or
replica, may let it wait for a second or two."""
TICK_S = 0.25
"""How often a session looks whether it is wanted elsewhere."""
WRITE_S = 5.0
"""How long glasses may leave what they are sent unread."""
OUTBOX = 256
"""Messages that wait for slow glasses; with more they are let go."""
SOUND_S, AHEAD = 60.0, 4.0
"""Sound that may come at once, as after a break, and how many times as fast as time after that."""
RETRY_S = 5.0
"""When to come again to a hub that is full."""

Make = Callable[[HubLens, Path, str], Agent]
"""Builds the agent of one pair of glasses: its lens, its folder, its language. Called on a thread
of its own. Raises GlassesError or DeviceError."""


@dataclass(frozen=True, slots=True)
class Options:
    """What one replica is."""

    folder: Path
    """The hub's own: `tenants.json`, `glasses/`, `ledgers/`. All replicas share it."""
    sessions: int = 40
    """Most sessions at once."""
    profile: str = "quark-s1"
    """The lens of glasses that name none."""


class _Let(GlassesError):
    """A connection is to be closed: with which code, why, and when to come again."""

    def __init__(self, code: int, why: str, retry_s: float | None = None) -> None:
        super().__init__(why)
        self.code, self.retry_s = code, retry_s


class Sessions:
    """The sessions of one replica, as an ASGI application."""

    def __init__(
        self,
        options: Options,
        make: Make,
        hear: Hear,
        do: Do,
        warm: Callable[[], Awaitable[None]] | None = None,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Have none yet; `warm` is run while the replica is up, and `close` at its end."""
        self._options = options
        self._make = make
        self._hear = hear
        self._do = do
        self._warm = warm
        self._close = close
        self.tenants = Tenants(options.folder)
        self.folders = Folders(options.folder / "glasses")
        self.watch = Watch()
        self._count = 0
        self._draining = False
        self._building = asyncio.Lock()
        self._app = Starlette(
            routes=[
                WebSocketRoute("/glasses/{name}", self._socket),
                Route("/healthz", self._health),
                Route("/metrics", self._metrics),
            ],
            lifespan=self._life,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be an ASGI application."""
        await self._app(scope, receive, send)

    @asynccontextmanager
    async def _life(self, app: Starlette) -> AsyncIterator[None]:
        await asyncio.to_thread(self._rehearse)
        warming = None if self._warm is None else asyncio.ensure_future(self._warm())
        try:
            yield
        finally:
            self._draining = True
            if warming is not None:
                warming.cancel()
                await asyncio.gather(warming, return_exceptions=True)
            if self._close is not None:
                await self._close()

    def _rehearse(self) -> None:
        """Build nobody's agent, and understand a line: the first session waits for no import."""
        with tempfile.TemporaryDirectory(prefix="glasses-hub-") as nobodys:
            lens = HubLens(profiles.load(self._options.profile), lambda lit: None)
            try:
                agent = self._make(lens, Path(nobodys), "auto")  # nothing of it is ever begun
                agent.route("what time is it", "en")
            except (GlassesError, DeviceError) as error:
                log.error("an agent cannot be built: %s", error)

    # -- what is asked about it -------------------------------------------------------------------

    async def _health(self, request: Request) -> Response:
        """Say how it is: 503 where no session may come any more."""
        found = {
            "status": "draining" if self._draining else "ok",
            "sessions": self._count,
            "most": self._options.sessions,
            "ready": not self._draining and self._count < self._options.sessions,
        }
        return JSONResponse(found, 503 if self._draining else 200)

    async def _metrics(self, request: Request) -> Response:
        written = await asyncio.to_thread(self.watch.written)
        return Response(written, media_type="text/plain; version=0.0.4; charset=utf-8")

    # -- who comes --------------------------------------------------------------------------------

    async def _socket(self, socket: WebSocket) -> None:
        """Serve one pair of glasses until it goes or must."""
        name = socket.path_params["name"]
        tenant = self._whose(socket.headers)
        if tenant is None or not protocol.NAME.fullmatch(name):
            self.watch.refused.labels("stranger").inc()
            await socket.close()  # before it was accepted: HTTP 403
            return
        await socket.accept()
        code, why, retry_s = protocol.DONE, "", None
        try:
            await self._admitted(socket, tenant, name)
        except _Let as let:
            code, why, retry_s = let.code, str(let), let.retry_s
        except Nonsense as error:
            code, why = protocol.NONSENSE, str(error)
        except WebSocketDisconnect:
            return
        except Exception as error:  # no session may end the replica
            code, why, retry_s = 1011, "the hub failed: come again", RETRY_S
            log.error("a session failed: %s", type(error).__name__)
            log.debug("a session failed", exc_info=True)
        if why:
            self.watch.refused.labels(_short(code)).inc()
        with suppress(RuntimeError, WebSocketDisconnect, OSError, TimeoutError):
            async with asyncio.timeout(WRITE_S):
                if why:
                    await socket.send_text(write("bye", why=why, retry_after_s=retry_s))
                await socket.close(code, why[:100])

    def _whose(self, headers: Headers) -> Tenant | None:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return self.tenants.find(key.strip())
        except ConfigError as error:
            log.error("nobody is let in: %s", error)
            return None

    async def _admitted(self, socket: WebSocket, tenant: Tenant, name: str) -> None:
        """Serve it where there is room. Raises _Let, Nonsense, WebSocketDisconnect."""
        if self._draining:
            raise _Let(protocol.RESTART, "the hub is restarting: come again", 0.2)
        if self._count >= self._options.sessions:
            why = f"all {self._options.sessions} sessions of the hub are taken: come again"
            raise _Let(protocol.FULL, why, RETRY_S)
        self._count += 1
        self.watch.sessions.inc()
        try:
            if why := await asyncio.to_thread(self.folders.room, tenant, name):
                raise _Let(protocol.FULL, f"{why}: come again later, or ask for more", RETRY_S)
            hello = await _hello(socket)
            worn = await self.folders.wear(tenant.name, name)
            if worn is None:
                why = "these glasses are worn elsewhere, where they do not let go: come again"
                raise _Let(protocol.ELSEWHERE, why, RETRY_S)
            try:
                await self._worn(socket, tenant, name, hello, worn)
            finally:
                worn.close()
        finally:
            self._count -= 1
            self.watch.sessions.dec()

    async def _worn(
        self, socket: WebSocket, tenant: Tenant, name: str, hello: Hello, worn: Worn
    ) -> None:
        try:
            lens_profile = profiles.load(hello.profile or self._options.profile)
        except DeviceError as error:
            raise Nonsense(str(error)) from None
        link = _Link(socket)
        lens = HubLens(lens_profile, lambda lit: link.tell(write("lens", **lit)))
        async with self._building:  # one after the other: building takes all of a core
            agent = await asyncio.to_thread(self._make, lens, worn.folder, hello.language)
        ledgers = self._options.folder / "ledgers" / tenant.name / name
        agent.gate.teller.ledger = Far(self._do, tenant.name, name, ledgers)
        session = Session(
            agent, lens, worn.folder, hello, link.tell, self._hear, self.watch,
            tenant.turns_a_minute,
        )  # fmt: skip
        meant = False
        try:
            session.begin(hello.through)
            meant = await _served(link, session, worn)
        finally:
            await session.close(meant)
            await link.close()


async def _hello(socket: WebSocket) -> Hello:
    """Return the first message. Raises _Let, Nonsense, WebSocketDisconnect."""
    try:
        async with asyncio.timeout(HELLO_S):
            message = _content(await socket.receive())
    except TimeoutError:
        why = f"nothing came within {HELLO_S:g} s: come again"
        raise _Let(protocol.STALLED, why) from None
    hello = read(message)
    if not isinstance(hello, Hello):
        raise Nonsense("glasses say hello first")
    return hello


async def _served(link: _Link, session: Session, worn: Worn) -> bool:
    """Take what comes until it goes; return whether the glasses were taken off.

    Raises _Let, Nonsense.
    """
    now = asyncio.get_running_loop().time
    looked_s = came_s = sound_s = now()
    left = SOUND_S
    while True:
        message = await link.receive(TICK_S)
        if now() - looked_s >= TICK_S:  # a look at the disk, which a message is not worth
            looked_s = now()
            if worn.wanted:
                raise _Let(protocol.ELSEWHERE, "these glasses are worn elsewhere now")
        if link.full:
            raise _Let(protocol.STALLED, "the glasses take no messages: come again", RETRY_S)
        if message is None:
            if session.speaking and now() - sound_s > QUIET_S:
                session.quiet()
            if now() - came_s > IDLE_S:
                raise _Let(protocol.STALLED, f"nothing came for {IDLE_S:.0f} s: come again")
            continue
        came_s = now()
        try:
            found = read(_content(message))
        except WebSocketDisconnect:
            return False
        match found:
            case Sound():
                long_s = len(found.chunks) * protocol.CHUNK_S
                left = min(SOUND_S, left + (now() - sound_s) * AHEAD) - long_s
                if left < 0:  # whoever sends faster waits
                    await asyncio.sleep(-left / AHEAD)
                sound_s = now()
                session.hear(found)
            case Say():
                session.say(found)
            case Bye():
                return True
            case Hello():
                raise Nonsense("glasses say hello once")


def _content(message: object) -> str | bytes:
    """Return what an ASGI message holds. Raises WebSocketDisconnect."""
    assert isinstance(message, dict)
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1006)
    text = message.get("text")
    return message.get("bytes") or b"" if text is None else str(text)


def _short(code: int) -> str:
    names = {
        protocol.FULL: "full", protocol.RESTART: "restarting", protocol.NONSENSE: "nonsense",
        protocol.STALLED: "stalled", protocol.ELSEWHERE: "elsewhere",
    }  # fmt: skip
    return names.get(code, "failed")


class _Link:
    """A socket that is read with a time-out, and written to by whoever has something to tell."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._writer = asyncio.create_task(self._write())
        self.full = False
        """Whether the glasses do not take what they are sent."""

    def tell(self, message: str) -> None:
        """Send a message as soon as there is room; from any thread."""
        self._loop.call_soon_threadsafe(self._told, message)

    def _told(self, message: str) -> None:
        if self._outbox.qsize() >= OUTBOX:
            self.full = True
        else:
            self._outbox.put_nowait(message)

    async def receive(self, wait_s: float) -> object | None:
        """Return the next message; None where none came in time, and none is lost then."""
        try:
            async with asyncio.timeout(wait_s):
                return await self._socket.receive()
        except TimeoutError:
            return None

    async def _write(self) -> None:
        try:
            while (message := await self._outbox.get()) is not None:
                async with asyncio.timeout(WRITE_S):
                    await self._socket.send_text(message)
        except (TimeoutError, RuntimeError, WebSocketDisconnect, OSError):
            self.full = True

    async def close(self) -> None:
        """Send what waits, where it is taken."""
        self._loop.call_soon(self._outbox.put_nowait, None)  # behind what was told last
        await asyncio.wait({self._writer}, timeout=WRITE_S)
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
