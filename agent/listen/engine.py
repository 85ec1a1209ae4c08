"""Runs a native engine on one thread of its own, with a time-out on every call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from agent.errors import EngineError, GlassesError
from agent.listen.asr import Transcriber

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class EngineThread:
    """One transcriber on one thread.

    A call that does not return in time leaves its thread behind, and the next call gets a new
    thread and a new engine: listening goes on.
    """

    def __init__(self, make: Callable[[], Transcriber], timeout_s: float = 8.0) -> None:
        """`make` builds the engine, on the engine's thread, when it is first needed."""
        self._make = make
        self._timeout_s = timeout_s
        self._engine: Transcriber | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="asr")

    async def call(self, use: Callable[[Transcriber], Result]) -> Result:
        """Use the engine on its thread. Raises EngineError when it fails or takes too long."""

        def run() -> Result:
            if self._engine is None:
                self._engine = self._make()
            return use(self._engine)

        running = asyncio.get_running_loop().run_in_executor(self._thread, run)
        try:
            # Not wait_for: Python 3.11's can swallow a cancellation (cpython issue 86296).
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.shield(running)
        except GlassesError:
            raise
        except TimeoutError:
            running.add_done_callback(lambda late: late.exception())
            name = self._engine.name if self._engine else "the speech engine"
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="asr")
            self._engine = None
            raise EngineError(
                f"{name} gave no answer within {self._timeout_s:g} s, so it was restarted:"
                " say it again"
            ) from None
        except Exception as error:  # an engine may come from a plugin
            name = self._engine.name if self._engine else "the speech engine"
            log.debug("%s failed", name, exc_info=True)
            raise EngineError(f"{name} failed ({type(error).__name__}): say it again") from error

    async def use(self, make: Callable[[], Transcriber]) -> None:
        """Build another engine from now on; the one that is there is closed."""
        if make is not self._make:
            engine, self._engine, self._make = self._engine, None, make
            if engine is not None:
                closing = asyncio.get_running_loop().run_in_executor(self._thread, engine.close)
                await asyncio.wait({closing}, timeout=self._timeout_s)

    async def close(self) -> None:
        """Close the engine and end its thread."""
        if self._engine is not None:
            await self.call(lambda engine: engine.close())
        self._thread.shutdown(wait=False)
