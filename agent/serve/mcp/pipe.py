"""The pipes to MCP servers: a process, or HTTP; what comes through them is bounded.

A server is a stranger's program. It may write megabytes on one line, rubbish between its messages,
or messages without end: then the pipe is closed, with one reason, before it costs the agent memory
or time. Its error stream is read slowly, and the last line is kept for the reason.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
import weakref
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import httpx2
import mcp_types
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage

from agent.environment import SILENT, STARTED
from agent.errors import EngineError
from agent.language.world import world_text

MOST_BYTES = 2 << 20
"""Longest message; a result is shown on a lens."""
MOST_RUBBISH = 200
"""Lines that are no message, after which the pipe is closed."""
MOST_MESSAGES, WITHIN_S = 2_000, 5.0
"""Messages in so many seconds from which on they are a flood."""
SLOWLY_BYTES, SLOWLY_S = 64 << 10, 0.005
"""How much of the error stream is read at once, and how long after."""
END_S = 0.5
"""How long a server may take to end once its input is closed."""

PASSED_ON = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR",
    "LD_LIBRARY_PATH", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY",
    "NO_PROXY", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
)  # fmt: skip
"""Environment variables that a server is given; keys and tokens are in others."""

Streams = tuple[Any, Any]
"""What the library reads messages from, and writes them to."""


class Hung(EngineError):
    """A server's pipe was closed; the text is why, without naming the server."""


class Pipe:
    """What becomes of one connection."""

    def __init__(self) -> None:
        """Nothing has become of it yet."""
        self.why = ""
        """Why it was closed; empty while it is open."""
        self.unsigned = False
        """Whether the wearer has to sign in."""
        self.closed: Callable[[], None] = lambda: None
        """Is told once it is."""
        self._times: deque[float] = deque(maxlen=MOST_MESSAGES)

    def close(self, why: str) -> None:
        """Say that it is closed, and why; the first reason counts."""
        if not self.why:
            self.why = why
            self.closed()

    def floods(self) -> bool:
        """Note a message; say whether there were too many."""
        now = time.monotonic()
        full = len(self._times) == MOST_MESSAGES and now - self._times[0] < WITHIN_S
        self._times.append(now)
        return full


# -- a process ------------------------------------------------------------------------------------


@asynccontextmanager
async def process(
    pipe: Pipe, command: tuple[str, ...], given: Mapping[str, str]
) -> AsyncIterator[Streams]:
    """Begin a server and talk to it over its standard streams. Raises Hung where it cannot be."""
    kept = {name: STARTED[name] for name in PASSED_ON if name in STARTED}
    try:
        running = await asyncio.create_subprocess_exec(
            *command,
            env={**kept, **SILENT, **given},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Hung(f"{command[0]} cannot be started: {reason}") from None
    end = weakref.finalize(running, _kill, running.pid)
    to_us, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, to_it = anyio.create_memory_object_stream[SessionMessage](0)
    last = _Last()
    tasks = [
        asyncio.create_task(_read(pipe, running, to_us, last)),
        asyncio.create_task(_write(pipe, running, to_it)),
        asyncio.create_task(last.follow(running)),
    ]
    try:
        yield incoming, outgoing
    finally:
        for stream in (incoming, outgoing, to_us, to_it):
            stream.close()
        for task in tasks:
            task.cancel()
        if running.stdin is not None:
            running.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await running.wait()
        end()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await running.wait()
        # asyncio closes its ends only after reading all of what nobody wants any more.
        if (ends := getattr(running, "_transport", None)) is not None:
            ends.close()


def _kill(pid: int) -> None:
    """End a process with all that it began."""
    with suppress(OSError):
        os.killpg(pid, signal.SIGKILL)


async def _read(pipe: Pipe, running: asyncio.subprocess.Process, to_us: Any, last: _Last) -> None:
    """Pass on what it says, a line at a time."""
    assert running.stdout is not None
    line, rubbish = bytearray(), 0
    try:
        while piece := await running.stdout.read(SLOWLY_BYTES):
            first, *more = piece.split(b"\n")
            line += first
            for next_line in more:
                message = _message(bytes(line))
                line = bytearray(next_line)
                if message is None:
                    rubbish += 1
                elif pipe.floods():
                    return pipe.close(f"sent over {MOST_MESSAGES:,} messages in {WITHIN_S:g} s")
                else:
                    await to_us.send(message)
            if len(line) > MOST_BYTES:
                return pipe.close(f"said more than {MOST_BYTES >> 20} MB at once")
            if rubbish > MOST_RUBBISH:
                return pipe.close("writes what is no message")
        pipe.close(await last.ended(running))
    except (anyio.ClosedResourceError, anyio.BrokenResourceError):
        return None  # nobody listens any more
    finally:
        to_us.close()
    return None


def _message(line: bytes) -> SessionMessage | None:
    if not line.strip() or len(line) > MOST_BYTES:
        return None
    try:
        return SessionMessage(mcp_types.jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError:
        return None


async def _write(pipe: Pipe, running: asyncio.subprocess.Process, to_it: Any) -> None:
    """Pass on what it is told."""
    assert running.stdin is not None
    try:
        async for sent in to_it:
            told = sent.message.model_dump_json(by_alias=True, exclude_unset=True)
            running.stdin.write(told.encode() + b"\n")
            await running.stdin.drain()
    except (OSError, anyio.ClosedResourceError):
        pipe.close("takes nothing more")


class _Last:
    """The last line of an error stream."""

    def __init__(self) -> None:
        self._tail = b""

    async def follow(self, running: asyncio.subprocess.Process) -> None:
        """Read it to its end, and no faster than it is worth."""
        assert running.stderr is not None
        read = 0
        while piece := await running.stderr.read(SLOWLY_BYTES):
            self._tail = (self._tail + piece)[-2_000:]
            read += len(piece)
            if read > 4 * SLOWLY_BYTES:
                await asyncio.sleep(SLOWLY_S)

    async def ended(self, running: asyncio.subprocess.Process) -> str:
        """Say how the process ended, with what it said last."""
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await running.wait()
        await asyncio.sleep(0.02)  # for what it said last
        status = running.returncode
        how = "hung up" if status is None else f"ended with exit status {status}"
        if status is not None and status < 0:
            how = f"was ended by {signal.Signals(-status).name}"
        lines = [one for one in self._tail.decode("utf-8", "replace").splitlines() if one.strip()]
        said = next((one for one in lines if "rror" in one), lines[-1] if lines else "")
        return f"{how}: {world_text(said, 120)}" if said else how


# -- HTTP -----------------------------------------------------------------------------------------


@asynccontextmanager
async def http(
    pipe: Pipe, url: str, given: Mapping[str, str], timeout_s: float, auth: httpx2.Auth | None
) -> AsyncIterator[Streams]:
    """Talk to a server over streamable HTTP, or SSE where its address ends so.

    `given` are headers, and `auth` signs what is sent, or asks the wearer to sign in.
    """

    async def bounded(response: httpx2.Response) -> None:
        response.stream = _Bounded(response.stream, pipe)
        if auth is not None and (
            response.status_code in (401, 403) or not _same(response.request.url, url)
        ):
            return  # signing in is answered there
        if response.status_code in (401, 403):
            pipe.unsigned = "authorization" not in response.request.headers
            pipe.close(f"refuses the key (HTTP {response.status_code})")
        elif response.status_code == 404 and response.request.headers.get("mcp-session-id"):
            pipe.close("was begun anew: ask once more")
        elif response.status_code == 404:
            pipe.close("is not there (HTTP 404): look at the address")
        elif response.status_code >= 500:
            pipe.close(f"failed (HTTP {response.status_code})")

    def client(
        headers: dict[str, str] | None = None, timeout: Any = None, auth: Any = auth
    ) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            headers={**given, **(headers or {})},
            timeout=httpx2.Timeout(timeout_s, read=300.0),
            auth=auth,
            follow_redirects=False,
            event_hooks={"response": [bounded]},
        )

    if url.partition("?")[0].rstrip("/").endswith("/sse"):
        async with sse_client(url, timeout=timeout_s, httpx_client_factory=client) as streams:
            yield streams
        return
    async with (
        client() as made,
        streamable_http_client(url, http_client=made, max_sse_event_size=MOST_BYTES) as streams,
    ):
        yield streams


def _same(one: httpx2.URL, url: str) -> bool:
    return one == httpx2.URL(url)


class _Bounded(httpx2.AsyncByteStream):
    """The body of an answer, up to a length."""

    def __init__(self, inner: Any, pipe: Pipe) -> None:
        self._inner = inner
        self._pipe = pipe

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read, began = 0, time.monotonic()
        async for piece in self._inner:
            if time.monotonic() - began > WITHIN_S:  # a stream that stays open is bounded by rate
                read, began = 0, time.monotonic()
            read += len(piece)
            if read > MOST_BYTES:
                self._pipe.close(f"said more than {MOST_BYTES >> 20} MB at once")
                raise httpx2.ReadError("too long")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()
