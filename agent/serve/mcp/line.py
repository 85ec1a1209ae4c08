"""A line to one MCP server: it connects, calls, asks back and is begun anew, off the agent's loop.

A server that hung up is begun again by the next call; one that failed just now is left alone for a
moment, so that nobody waits for it twice.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING, Any

from agent.errors import Cancelled, EngineError
from agent.serve.mcp import risk
from agent.serve.mcp.call import (
    Call,
    NotSent,
    NotSignedIn,
    Progress,
    Question,
    Result,
    ServerError,
    run,
)
from agent.serve.mcp.kept import LONGEST_SCHEMA, LONGEST_TEXT, MOST_TOOLS, Server, Tool
from agent.version import __version__

if TYPE_CHECKING:
    from agent.serve.mcp.pipe import Pipe, Streams
    from agent.serve.mcp.signin import SignIn

CONNECT_S = 10.0
"""Longest a server may take to start and to greet."""
PAUSE_S = 5.0
"""How long a server that could not be reached is left alone."""
MOST_PAGES = 8
"""Pages of a list of tools that are read."""


class Line:
    """The line to one server."""

    def __init__(
        self,
        server: Server,
        given: Callable[[], Mapping[str, str]],
        sign_in: Callable[[], SignIn] | None = None,
    ) -> None:
        """Connect to nothing yet.

        `given` gives variables or headers, and raises ConfigError; `sign_in` how a server at a URL
        is signed in to, where it is reached without a key of the wearer's.
        """
        self.server = server
        self._given = given
        self._sign_in = sign_in
        self._signing: SignIn | None = None
        self._now: Mapping[str, Tool] | None = None
        self._client: Any = None
        self._pipe: Pipe | None = None
        self._living: asyncio.Task[None] | None = None
        self._failed: tuple[float, str] = (-PAUSE_S, "")
        self._connecting: asyncio.Lock | None = None
        self._lane: asyncio.Lock | None = None
        self._current: Call | None = None
        self._calls: deque[float] = deque()
        self.version = ""
        """What the server calls itself, and the protocol, once it has greeted."""

    # -- from any thread --------------------------------------------------------------------------

    def begin(self) -> None:
        """Connect in the background, so that the first call need not wait for it."""
        run(self._quietly())

    def call(
        self, tool: Tool, arguments: Mapping[str, Any], progress: Progress, asks: bool = True,
        limit_s: float | None = None,
    ) -> Call:  # fmt: skip
        """Call a tool. Raises NotSent where the wearer's budget for this hour is spent."""
        now = time.monotonic()
        while self._calls and now - self._calls[0] > 3_600:
            self._calls.popleft()
        if len(self._calls) >= self.server.calls_an_hour:
            raise NotSent(
                f"{self.server.name} was called {len(self._calls)} times in this hour, which is"
                " what you allow it"
            )
        self._calls.append(now)
        call = Call(self.server.name, tool, arguments, asks)
        return call.begin(self._called(call, limit_s or self.server.timeout_s, progress))

    def tools(self, limit_s: float = CONNECT_S) -> tuple[Tool, ...]:
        """Return the tools that the server has now. Raises ServerError."""
        asked = run(self._listed(limit_s))
        try:
            return asked.result(limit_s + 1.0)
        except TimeoutError:
            asked.cancel()
            raise self._error("does not answer") from None

    def let_go(self) -> None:
        """Hang up, and wait for nothing."""
        with suppress(RuntimeError):  # the process ends
            run(self._hang_up())

    def close(self) -> None:
        """Hang up."""
        with suppress(TimeoutError):
            run(self._hang_up()).result(2.0)

    # -- on the lines' thread -----------------------------------------------------------------

    def _error(self, why: str, sent: bool = False) -> ServerError:
        name = self.server.name
        if any(one is not None and one.unsigned for one in (self._pipe, self._signing)):
            return NotSignedIn(f"{name} wants you to sign in: glasses mcp login {name}")
        kind = ServerError if sent else NotSent
        return kind(f"{name} {why}")

    async def _quietly(self) -> None:
        with suppress(ServerError):
            await self._connected()

    async def _listed(self, limit_s: float) -> tuple[Tool, ...]:
        await self._connected(limit_s)
        return tuple((self._now or {}).values())

    async def _connected(self, limit_s: float = CONNECT_S) -> Any:
        """Return the library's client, connected. Raises NotSent."""
        if self._connecting is None:
            self._connecting = asyncio.Lock()
        async with self._connecting:
            if self._client is not None:
                return self._client
            at, why = self._failed
            if time.monotonic() - at < PAUSE_S:
                raise self._error(why)
            for again in (True, False):
                ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
                self._living = asyncio.create_task(self._live(ready))
                try:
                    async with asyncio.timeout(limit_s):
                        return await asyncio.shield(ready)
                except TimeoutError:
                    why = f"did not greet within {limit_s:g} s"
                except EngineError as error:
                    why = str(error)
                except Exception as error:  # whatever the library raises of what a stranger sent
                    why = self._told(error)
                await self._hang_up()
                if not (again and self._signing is not None and self._signing.again):
                    break
            self._failed = time.monotonic(), why
            raise self._error(why)

    def _told(self, error: BaseException) -> str:
        """Say in a few words what went wrong."""
        if self._signing is not None and self._signing.why:
            return self._signing.why
        if self._pipe is not None and self._pipe.why:
            return self._pipe.why
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, EngineError):
            return str(error)
        from agent.language.world import world_text

        said = world_text(error, 160) or type(error).__name__
        kind = type(error).__name__
        if "Connect" in kind:
            return f"cannot be reached at {self.server.url or self.server.where}: {said}"
        if kind == "ValidationError":
            return "sent what is no answer of the protocol"
        return f"failed: {said}"

    async def _live(self, ready: asyncio.Future[Any]) -> None:
        """Be connected until the server hangs up, or we do."""
        from mcp import Client
        from mcp_types import Implementation

        from agent.serve.mcp import pipe as pipes

        done = asyncio.Event()
        self._pipe = pipe = pipes.Pipe()
        pipe.closed = done.set
        try:
            client = Client(
                self._transport(pipe),
                read_timeout_seconds=None,
                client_info=Implementation(name="glasses", version=__version__),
                elicitation_callback=self._asked,
                message_handler=self._noticed,
                cache=None,
            )
            async with client as connected:
                # What is shown is not relied upon, and a stranger's schema may take for ever.
                connected.session.validate_tool_result = _unchecked  # type: ignore[method-assign]
                self._now = await _tools(connected)
                info = connected.server_info
                said = f"{info.name} {info.version}" if info else "unnamed"
                self.version = f"{said[:60]}, protocol {connected.protocol_version}"
                self._client = connected
                ready.set_result(connected)
                await done.wait()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # a group of whatever the library raises
            if not ready.done():
                why = self._told(error)
                ready.set_exception(EngineError(why))
        finally:
            self._client = None
            if not ready.done():
                ready.set_exception(EngineError(pipe.why or "hung up"))
            ready.exception()  # it may be that nobody waits any more

    def _transport(self, pipe: Pipe) -> AbstractAsyncContextManager[Streams]:
        from agent.serve.mcp import pipe as pipes

        given = dict(self._given())
        url = given.pop("url", self.server.url)
        if url:
            keyed = any(name.lower() == "authorization" for name in given)
            self._signing = None if keyed or self._sign_in is None else self._sign_in()
            auth = None if self._signing is None else self._signing.auth()
            return pipes.http(pipe, url, given, self.server.timeout_s, auth)
        return pipes.process(pipe, self.server.command, given)

    async def _hang_up(self) -> None:
        task, self._living, self._client = self._living, None, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task], timeout=2.0)

    async def _called(self, call: Call, limit_s: float, progress: Progress) -> None:
        """Make a call, in its turn. Raises ServerError."""
        name = call.tool.name
        try:
            async with asyncio.timeout(limit_s) as limit:
                if self._lane is None:
                    self._lane = asyncio.Lock()
                async with self._lane:
                    client = await self._connected()
                    now = (self._now or {}).get(name)
                    if now is None:
                        raise self._error(f"no longer has {name}: glasses mcp update")
                    if now.print != call.tool.print:
                        raise self._error(
                            f"describes {name} otherwise than when you agreed to it: look at it"
                            f" with `glasses mcp update {self.server.name}`"
                        )

                    async def told(done: float, of: float | None, words: str | None) -> None:
                        progress(done, of, words or "")

                    self._current, call.sent = call, True
                    self._limit = limit, limit_s
                    try:
                        said = await client.call_tool(
                            name, dict(call.arguments), progress_callback=told
                        )
                    finally:
                        self._current = None
        except TimeoutError:
            raise self._error(f"gave no answer within {limit_s:g} s", call.sent) from None
        except (EngineError, Cancelled):
            raise
        except asyncio.CancelledError:
            raise
        except Exception as error:  # whatever the library raises of what a stranger sent
            failed = self._error(self._told(error), call.sent)
            if isinstance(failed, NotSignedIn) or (self._pipe is not None and self._pipe.why):
                await self._hang_up()
            raise failed from None
        structured = getattr(said, "structured_content", None)
        call.became(Result(tuple(said.content), structured, bool(said.is_error)))

    async def _asked(self, context: Any, params: Any) -> Any:
        """Answer what the server asks in the middle of a call."""
        from mcp_types import ElicitResult

        call = self._current
        if call is None or not call.asks:
            return ElicitResult(action="decline")
        if getattr(params, "mode", "form") != "form":
            call.refused = "link"
            return ElicitResult(action="decline")
        raw = params.requested_schema
        schema = raw if isinstance(raw, Mapping) else raw.model_dump(by_alias=True)
        if risk.secret(params.message, schema):
            call.refused = "secret"
            return ElicitResult(action="decline")
        limit, limit_s = self._limit
        limit.reschedule(None)  # the wearer takes their time
        answer = await call.ask(Question(params.message, schema))
        with suppress(RuntimeError):  # the call is over
            limit.reschedule(asyncio.get_running_loop().time() + limit_s)
        if answer is None:
            return ElicitResult(action="cancel")
        return ElicitResult(action="accept", content=dict(answer))

    async def _noticed(self, message: Any) -> None:
        """Look at the tools anew where the server says that they have changed."""
        if type(message).__name__ == "ToolListChangedNotification" and self._client is not None:
            task = asyncio.create_task(self._look_again(self._client))
            _TASKS.add(task)
            task.add_done_callback(_TASKS.discard)

    async def _look_again(self, client: Any) -> None:
        with suppress(Exception):  # what it was before counts; the next call says what is wrong
            async with asyncio.timeout(CONNECT_S):
                self._now = await _tools(client)


async def _unchecked(name: str, result: Any) -> None:
    """Take a result as it is."""


async def _tools(client: Any) -> dict[str, Tool]:
    """Read a server's tools, as far as they are taken."""
    found: dict[str, Tool] = {}
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        for told in page.tools:
            if len(found) < MOST_TOOLS:
                found.setdefault(told.name, tool(told))
        cursor = page.next_cursor
        if cursor is None or len(found) >= MOST_TOOLS:
            break
    return found


def tool(told: Any) -> Tool:
    """Return a tool as the library tells it, judged and not yet agreed to."""
    schema = dict(told.input_schema)
    hints = told.annotations
    description = (told.description or "")[:LONGEST_TEXT]
    unsaid = ""
    if len(repr(schema)) > LONGEST_SCHEMA:
        schema, unsaid = {}, "its schema is too long"
    reads = bool(hints and hints.read_only_hint and not hints.destructive_hint)
    title = (told.title or (hints.title if hints else "") or "")[:100]
    judged = risk.risk(told.name, description, schema, reads)
    return Tool(told.name[:200], title, description, schema, reads, judged, False, unsaid)


_TASKS: set[asyncio.Task[Any]] = set()
