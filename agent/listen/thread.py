"""Runs a native engine on one thread, with a time-out on every call, and another on its loading.

    load, within load_timeout_s ──▶ calls, within timeout_s each ──▶ close
      ▲ a pause after it failed       │
      └── again, with a new engine ◀──┘ a call failed, or took too long

An engine that hangs leaves its thread behind, and one that fails is closed; in either case the next
call builds another, so that listening heals by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from agent.errors import EngineError, GlassesError
from agent.listen.transcriber import Transcriber

log = logging.getLogger(__name__)

Result = TypeVar("Result")

LOAD_S = 120.0
"""Longest that loading may take: some GB from a slow card."""
TOLD_S = 1.5
"""How long loading takes before the wearer is told of it."""
RETRY_S = 5.0
"""How long an engine that could not be loaded is left alone."""
ABANDON = 2.0
"""After so many times what loading may take it is given up and begun anew. In between nobody waits
for it, and should it come to its end after all, its engine is used."""
EVERY_LANGUAGE = frozenset({"en", "zh"})
"""What an engine is told while it is not known what it understands: it leaves out the rest."""


class MissingEngineError(EngineError):
    """There is no engine: the first one could not be built, and the message says why."""


class _Broken(Exception):
    """Holds what an engine raised that no engine may raise, SystemExit and StopIteration too."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(type(error).__name__)
        self.error = error


class _Bench:
    """One thread, and the engine that is built on it when it is first needed."""

    def __init__(self, make: Callable[[], Transcriber]) -> None:
        self.make = make
        self.engine: Transcriber | None = None
        self.began_s: float | None = None  # when loading began, by the loop's clock
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="asr")

    @property
    def name(self) -> str:
        return self.engine.name if self.engine is not None else "the speech engine"

    def load(self) -> Transcriber:
        if self.engine is None:
            self.engine = self.make()
        return self.engine

    def run(self, use: Callable[[], Result]) -> asyncio.Future[Result]:
        """Use the thread. Nothing but GlassesError and _Broken come of it."""

        def contained() -> Result:
            try:
                return use()
            except GlassesError:
                raise
            except BaseException as error:  # an engine may come from a plugin
                raise _Broken(error) from error

        # Through the loop, so that a loop with a clock of its own knows that there is work.
        running = asyncio.get_running_loop().run_in_executor(self.thread, contained)
        running.add_done_callback(lambda late: late.cancelled() or late.exception())
        return running

    def leave(self) -> Future[None]:
        """Close the engine once its thread is free, and end the thread; the next is another."""
        closed = self.thread.submit(self._close)
        self.thread.shutdown(wait=False)
        return closed

    def _close(self) -> None:
        engine, self.engine = self.engine, None
        if engine is not None:
            try:
                engine.close()
            except Exception:  # an engine may come from a plugin, and nobody uses it any more
                log.debug("%s could not be closed", engine.name, exc_info=True)


class EngineThread:
    """One transcriber on one thread.

    Every call comes through `call`, which raises nothing but EngineError and what the engine says
    of its arguments (SentenceError). Whatever failed, the next call may be made.
    """

    def __init__(
        self,
        make: Callable[[], Transcriber],
        timeout_s: float = 8.0,
        load_timeout_s: float = LOAD_S,
        retry_s: float = RETRY_S,
    ) -> None:
        """`make` builds the engine, on the engine's thread, when it is first needed.

        A call may take `timeout_s`, and loading `load_timeout_s`; `retry_s` after an engine could
        not be loaded it is tried again.
        """
        self._timeout_s = timeout_s
        self._load_timeout_s = load_timeout_s
        self._retry_s = retry_s
        self._bench = _Bench(make)
        self._languages: frozenset[str] | None = None
        self._failed: tuple[float, EngineError] | None = None  # when, and why there is none
        self._had_one = False
        self.on_loading: Callable[[], None] | None = None
        """Told, on the loop, when the engine has been loading for longer than `TOLD_S`."""

    async def call(self, use: Callable[[Transcriber], Result], patient: bool = False) -> Result:
        """Use the engine on its thread, when it is loaded; `patient` is as long as loading may be.

        Raises EngineError when it cannot be loaded, fails or takes too long, MissingEngineError
        when there has never been one.
        """
        bench = self._bench
        engine = await self._loaded(bench)
        timeout_s = self._load_timeout_s if patient else self._timeout_s
        try:
            # Not wait_for: Python 3.11's can swallow a cancellation (cpython issue 86296).
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(bench.run(lambda: use(engine)))
        except (EngineError, _Broken, TimeoutError) as error:
            name = bench.name
            self._replace(bench)
            if isinstance(error, EngineError):
                raise
            if isinstance(error, _Broken):
                log.debug("%s failed", name, exc_info=error.error)
                raise EngineError(f"{name} failed ({error}): say it again") from error.error
            raise EngineError(
                f"{name} gave no answer within {timeout_s:g} s, so it was restarted: say it again"
            ) from None

    async def languages(self) -> frozenset[str]:
        """Return the languages that the engine understands, as far as that is known.

        Raises MissingEngineError when there has never been one, and nothing else: an engine that
        fails now is replaced by the next utterance.
        """
        try:
            self._languages = await self.call(lambda engine: engine.languages)
        except MissingEngineError:
            raise
        except GlassesError:
            pass
        return EVERY_LANGUAGE if self._languages is None else self._languages

    async def use(self, make: Callable[[], Transcriber]) -> None:
        """Build another engine from now on; the one that is there is closed."""
        if make is not self._bench.make:
            bench, self._bench, self._failed = self._bench, _Bench(make), None
            await self._left(bench)

    async def close(self) -> None:
        """Close the engine and end its thread; whatever goes wrong there is of no concern now."""
        await self._left(self._bench)

    async def _left(self, bench: _Bench) -> None:
        closed = asyncio.wrap_future(bench.leave())
        if bench.began_s is None or bench.engine is not None:
            await asyncio.wait({closed}, timeout=self._timeout_s)

    async def _loaded(self, bench: _Bench) -> Transcriber:
        """Return the engine, loaded. Raises EngineError."""
        if bench.engine is not None:
            return bench.engine
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        if self._failed is not None and now_s - self._failed[0] < self._retry_s:
            raise type(self._failed[1])(str(self._failed[1]))
        if bench.began_s is None:
            bench.began_s = now_s
        left_s = bench.began_s + self._load_timeout_s - now_s
        if left_s <= 0:
            if -left_s > (ABANDON - 1) * self._load_timeout_s:
                self._replace(bench)
            raise self._still_loading()
        telling = loop.call_later(TOLD_S, self._tell)
        try:
            async with asyncio.timeout(left_s):
                engine = await asyncio.shield(bench.run(bench.load))
        except TimeoutError:
            raise self._still_loading() from None
        except (GlassesError, _Broken) as error:
            raise self._not_loaded(bench, error) from error
        finally:
            telling.cancel()
        self._failed, self._had_one = None, True
        return engine

    def _tell(self) -> None:
        if self.on_loading is not None:
            self.on_loading()

    def _still_loading(self) -> EngineError:
        return EngineError(
            f"the speech engine is still loading after {self._load_timeout_s:g} s:"
            " wait a moment, then say it again"
        )

    def _not_loaded(self, bench: _Bench, error: Exception) -> EngineError:
        """Return what to raise, and let the next call after a pause try again."""
        self._replace(bench)
        if isinstance(error, _Broken):
            log.debug("the speech engine could not be loaded", exc_info=error.error)
            told = EngineError(f"the speech engine could not be loaded ({error}): say it again")
        else:
            told = (EngineError if self._had_one else MissingEngineError)(str(error))
        self._failed = asyncio.get_running_loop().time(), told
        return told

    def _replace(self, bench: _Bench) -> None:
        """Begin anew with the next call, unless somebody else has by now."""
        if bench is self._bench:
            bench.leave()
            self._bench = _Bench(bench.make)
