"""One call of a tool of an MCP server, and the thread that all calls and lines share.

Whoever calls waits on a thread of theirs, no longer than they like; what is late or called off is
cancelled on the lines' thread, and the server is told.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from agent.errors import Cancelled, EngineError
from agent.messages import CancelScope
from agent.serve.mcp.kept import Tool

ANSWER_S = 35.0
"""How long the wearer may take to answer a question of a server's."""
POLL_S = 0.05
"""How often whoever waits looks whether the call was called off."""

Given = TypeVar("Given")


class ServerError(EngineError):
    """A server did not do what it was called for; the text names it, and says why."""


class NotSent(ServerError):
    """The same, where the server certainly was not told to do anything."""


class NotSignedIn(NotSent):
    """The wearer has to sign in first."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a server asks the wearer in the middle of a call."""

    message: str
    """Its words."""
    schema: Mapping[str, Any]
    """What may be answered: an object of plain values."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a call came to."""

    content: tuple[Any, ...]
    """The library's pieces of content."""
    structured: Any
    """The same as data, where the server gives it."""
    failed: bool
    """Whether the server says that it failed."""


Progress = Callable[[float, float | None, str], None]
"""Is told how far a call is, of how much, and in which words; on the lines' thread."""


class Call:
    """One call of a tool, on its way."""

    def __init__(self, server: str, tool: Tool, arguments: Mapping[str, Any], asks: bool) -> None:
        """Note what is called; `asks` says whether the server may ask the wearer back."""
        self.server = server
        self.tool = tool
        self.arguments = arguments
        self.asks = asks
        self.sent = False
        """Whether the server may have been told."""
        self.refused = ""
        """What the server asked for and was not given; empty where there is nothing."""
        self._next: Future[Question | Result] = Future()
        self._answer: asyncio.Future[Any] | None = None
        self._task: Future[None] | None = None

    def begin(self, called: Coroutine[Any, Any, None]) -> Call:
        """Send it, as the line does that."""
        self._task = run(called)
        self._task.add_done_callback(self._ended)
        return self

    def wait(self, scope: CancelScope) -> Question | Result:
        """Return what comes next of it. Raises ServerError, and Cancelled where it was called off.

        Blocks; a call that is late or called off is ended.
        """
        while True:
            with suppress(TimeoutError):
                came = self._next.result(POLL_S)
                if isinstance(came, Question):
                    self._next = Future()
                return came
            if scope.cancelled:
                self.cancel()
                raise Cancelled(f"{self.server}: cancelled")
            if not scope.remaining_s:
                self.cancel()
                raise ServerError(f"{self.server} took too long")

    def cancel(self) -> None:
        """End it; the server is told."""
        if self._task is not None:
            self._task.cancel()

    def answer(self, content: Mapping[str, Any] | None) -> bool:
        """Answer the open question, None for no; say whether there was one."""
        waits = self._answer
        if waits is None or waits.done():
            return False

        def settle() -> None:
            if not waits.done():
                waits.set_result(content)

        loop().call_soon_threadsafe(settle)
        return True

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._task is None or self._task.done()

    async def ask(self, question: Question) -> Mapping[str, Any] | None:
        """Put a question to the wearer; None where there is no answer. On the lines' thread."""
        if self._answer is not None or self._next.done():
            return None  # one at a time
        self._answer = asyncio.get_running_loop().create_future()
        self._next.set_result(question)
        try:
            async with asyncio.timeout(ANSWER_S):
                answer: Mapping[str, Any] | None = await self._answer
                return answer
        except TimeoutError:
            return None
        finally:
            self._answer = None

    @property
    def asking(self) -> bool:
        """Whether a question of the server's waits for an answer."""
        return self._answer is not None

    def became(self, came: Result) -> None:
        """Note what it came to."""
        if not self._next.done():
            self._next.set_result(came)

    def _ended(self, task: Future[None]) -> None:
        if self._next.done():
            return
        if task.cancelled():
            self._next.set_exception(Cancelled(f"{self.server}: cancelled"))
        elif (error := task.exception()) is not None:
            self._next.set_exception(error)


# -- the thread -----------------------------------------------------------------------------------


@cache
def loop() -> asyncio.AbstractEventLoop:
    """Return the loop of all lines, on a thread of its own that keeps no process from ending.

    The library and its HTTP client would log what servers say, and addresses with the keys in them.
    """
    for name in ("mcp", "client", "httpx2"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    made = asyncio.new_event_loop()
    threading.Thread(target=made.run_forever, name="glasses:mcp lines", daemon=True).start()
    return made


def run(work: Coroutine[Any, Any, Given]) -> Future[Given]:
    """Do work on the lines' thread."""
    return asyncio.run_coroutine_threadsafe(work, loop())
