"""Being a Wyoming server: sound becomes a transcript, and a transcript an answer.

    describe                                   →  info
    transcribe, audio-start, -chunk…, -stop    →  transcript-start, -chunk…, transcript, -stop
    transcript                                 →  handled, or not-handled

What is asked goes through the lane and the gate like anything said, but answers no question: a
client can propose a payment, and the yes is the wearer's. The protocol knows no password, so other
machines may come only by their addresses. Whatever a client sends or does not send, it costs one
connection for a limited time, and is told why in one line.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from agent.errors import ConfigError, EngineError, GlassesError
from agent.listen.wyoming.frames import Frames, Malformed, written
from agent.loop.agent import Agent
from agent.serve.asking import LANGUAGES, ask
from agent.serve.ears import DEAF, Ears, Utterance
from agent.serve.sound import Converter, Format
from agent.serve.wyoming.info import info

if TYPE_CHECKING:
    from wyoming.event import Event, Eventable
    from wyoming.handle import Handled, NotHandled

log = logging.getLogger(__name__)

SOURCE = "wyoming"
"""Where turns come from that a client has begun."""
MOST_CLIENTS = 16
"""Connections at once; the next one is told so and let go."""
READ_BYTES = 64 << 10
"""Most that is read at once."""
IDLE_S = 60.0
"""How long a client may say nothing between two events."""
STALL_S = 10.0
"""How long it may say nothing in the midst of an event or of an utterance."""
BUSY_S = 120.0
"""How long it may take for an event or an utterance in all."""
WRITE_S = 5.0
"""How long it may leave an answer unread."""


class Allowed:
    """Who may come: this machine, and the addresses and networks that were named."""

    def __init__(self, named: Iterable[str] = ()) -> None:
        """Take addresses such as `192.168.1.5` and networks such as `192.168.1.0/24`.

        Raises ConfigError.
        """
        self._networks = []
        for one in named:
            try:
                self._networks.append(ipaddress.ip_network(one, strict=False))
            except ValueError:
                raise ConfigError(
                    f"wyoming_from has {one!r}: write addresses or networks, as 192.168.1.5"
                ) from None

    def __contains__(self, host: str) -> bool:
        """Whether a client at this address may come."""
        address = ipaddress.ip_address(host.partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        return address.is_loopback or any(address in network for network in self._networks)


class Server:
    """One pair of glasses, as a server."""

    def __init__(self, agent: Agent, ears: Ears | None, allowed: Allowed = Allowed()) -> None:  # noqa: B008  nothing changes it
        """Serve an agent, and ears that are its alone."""
        self.agent = agent
        self.ears = ears
        self._allowed = allowed
        self._clients: set[asyncio.Task[None]] = set()

    async def serve(self, bound: socket.socket) -> None:
        """Let clients come until it is cancelled; the ears are loaded when the first one does."""
        server = await asyncio.start_server(self._came, sock=bound)
        try:
            async with server:
                await server.serve_forever()
        finally:
            clients = [*self._clients]
            for client in clients:
                client.cancel()
            await asyncio.gather(*clients, return_exceptions=True)

    def info(self) -> Eventable:
        """Return what is served."""
        wanted = self.agent.options.language
        return info(self.ears, LANGUAGES if wanted == "auto" else frozenset({wanted}))

    async def answer(self, text: str, language: str | None) -> Handled | NotHandled:
        """Return what the agent says to a text."""
        from wyoming.handle import Handled, NotHandled

        told = await ask(self.agent, text, language, SOURCE)
        return Handled(told.text) if told.handled else NotHandled(told.text)

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        client = _Client(self, reader, writer)
        try:
            if client.host not in self._allowed:
                await client.wrong(f"{client.host} may not come: name it in GLASSES_WYOMING_FROM")
            elif len(self._clients) > MOST_CLIENTS:
                await client.wrong(f"{MOST_CLIENTS} clients are here already: come again")
            else:
                if self.ears is not None:
                    self.ears.warm()
                await client.run()
        except asyncio.CancelledError:
            pass  # asyncio's own callback would complain of it; there is nobody else to tell
        except Exception as error:  # no client may end the server
            log.error("Wyoming: a client failed: %s", type(error).__name__)
            log.debug("a client failed", exc_info=True)
        finally:
            self._clients.discard(task)
            writer.transport.abort() if client.broken else writer.close()


class _Client:
    """One connection."""

    def __init__(
        self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self.host = str(writer.get_extra_info("peername", ("",))[0])
        self.broken = False  # it does not read what it is told
        self._frames = Frames()
        self._utterance: Utterance | None = None
        self._converter = Converter()
        self._language: str | None = None
        self._since: float | None = None  # when what is not over yet began

    async def run(self) -> None:
        """Answer events until the client hangs up, or is asked to."""
        try:
            while data := await self._read():
                for event in self._frames.feed(data):
                    await self._take(event)
            if self._frames.inside:
                log.info("Wyoming: %s hung up in the midst of an event", self.host)
        except Malformed as error:
            await self.wrong(f"this is no Wyoming event: {error}")
        except (ValueError, GlassesError) as error:
            await self.wrong(" ".join(str(error).split()))
        except OSError as error:
            self.broken = True
            log.info("Wyoming: %s is gone: %s", self.host, error.strerror or "it reads nothing")
        finally:
            await self._stop()

    async def _read(self) -> bytes:
        """Return what came next; nothing once the client is to be let go."""
        now_s = asyncio.get_running_loop().time()
        if self._utterance is None and not self._frames.inside:
            self._since = None
            limit_s = IDLE_S
        else:
            self._since = now_s if self._since is None else self._since
            limit_s = min(STALL_S, self._since + BUSY_S - now_s)
        try:
            async with asyncio.timeout(limit_s):
                return await self._reader.read(READ_BYTES)
        except TimeoutError:
            if self._since is not None:
                await self.wrong("what was begun has not come to its end: send it again")
            return b""

    async def _take(self, event: Event) -> None:
        """Do what an event wants; those that nobody here knows are passed over."""
        data = event.data
        match event.type:
            case "describe":
                await self._tell(self._server.info())
            case "ping":
                from wyoming.ping import Pong

                await self._tell(Pong(text=_text(data, "text")))
            case "transcribe":
                self._language = self._asked_for(data)
            case "audio-start":
                await self._start(Format.of(data))
            case "audio-chunk":
                if self._utterance is None:
                    await self._start(Format.of(data))
                await self._hear(self._converter.feed(event.payload or b"", Format.of(data)))
            case "audio-stop" if self._utterance is not None:
                await self._end(self._utterance)
            case "transcript":
                text = _text(data, "text") or ""
                await self._tell(await self._server.answer(text, _text(data, "language")))

    def _asked_for(self, data: Mapping[str, Any]) -> str | None:
        """Return the language to hear. Raises ValueError for one that these ears do not know."""
        language = _text(data, "language")
        ears = self._server.ears
        wanted = (language or "").replace("_", "-").partition("-")[0].lower()
        if not wanted or ears is None or wanted in ears.languages:
            return wanted or None
        known = ", ".join(sorted(ears.languages)) or "none"
        raise ValueError(f"these ears do not know the language {language!r:.20}; they know {known}")

    async def _start(self, format: Format) -> None:
        from wyoming.asr import TranscriptStart

        ears = self._server.ears
        if ears is None or not ears.name:
            raise EngineError(DEAF)
        await self._stop()
        self._converter = Converter()
        self._utterance = Utterance(ears)
        await self._tell(TranscriptStart(language=self._language))

    async def _hear(self, pcm: bytes) -> None:
        from wyoming.asr import TranscriptChunk

        assert self._utterance is not None
        if new := await self._utterance.hear(pcm):
            await self._tell(TranscriptChunk(new))

    async def _end(self, utterance: Utterance) -> None:
        from wyoming.asr import Transcript, TranscriptChunk, TranscriptStop

        await self._hear(self._converter.flush())
        heard, new = await utterance.end()
        self._utterance = self._language = None
        if new:
            await self._tell(TranscriptChunk(new))
        await self._tell(Transcript(heard.text, language=heard.language))
        await self._tell(TranscriptStop())

    async def _stop(self) -> None:
        utterance, self._utterance = self._utterance, None
        if utterance is not None:
            await utterance.leave()

    async def wrong(self, why: str) -> None:
        """Tell the client, in a line, why it is let go."""
        from wyoming.error import Error

        log.info("Wyoming: %s is let go: %s", self.host, why)
        try:
            await self._tell(Error(why, "glasses"))
        except OSError:  # it is gone already
            self.broken = True

    async def _tell(self, event: Eventable) -> None:
        """Send an event. Raises OSError, TimeoutError where it is not read."""
        self._writer.write(written(event))
        async with asyncio.timeout(WRITE_S):
            await self._writer.drain()


def _text(data: Mapping[str, Any], key: str) -> str | None:
    found = data.get(key)
    if found is not None and not isinstance(found, str):
        raise ValueError(f"{key} is no text")
    return found
