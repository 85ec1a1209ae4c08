"""Virtual time: a test of a 30 s time-out takes no time.

`VirtualClock` owns an asyncio event loop whose clock stands still while there is work to do and
jumps to the next timer when there is none. So `await asyncio.sleep(30)`, `asyncio.timeout(30)`,
the gate's expiry and a microphone at real-time pace end at once, in the right order and with exact
times.

Actions run in worker threads, and coroutines on loops of their own there (`agent.plugins.runner`);
loops made by `new_loop` tell the same time. While a worker computes or a socket is open, time
stands still for up to `patience_s` of real time; after that the thread or the peer is taken for
hung and time goes on without it. Threads that no loop started are not seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

Result = TypeVar("Result")

PATIENCE_S = 30.0
"""Real seconds that a worker thread or a silent socket is waited for: on a busy machine loading all
skills has taken ten."""

STALLED_S = 30.0
"""Real seconds after which a loop with no timer, no worker and no event is given up."""

BEGINS = datetime(2030, 1, 1, 12, 0)
"""What `now` answers at first: a fixed moment, so that a card with a time in it is always the
same."""

_real_sleep = time.sleep
_thread = threading.local()


@dataclass(slots=True, eq=False)
class _Work:
    """A function that runs in a worker thread."""

    since: float = field(default_factory=time.perf_counter)
    """When it was handed over or last woke, in real seconds."""
    asleep: bool = False
    """It waits for the virtual clock."""
    wake: Callable[[], None] | None = None
    """Ends the wait."""


class VirtualClock:
    """An event loop with a clock of its own; close it when done.

    `run` runs a coroutine and everything that is due meanwhile; between two runs time stands
    still.
    """

    def __init__(self, patience_s: float = PATIENCE_S, begins: datetime = BEGINS) -> None:
        """Start at 0 s, which is `begins` on the wall."""
        self.patience_s = patience_s
        self._begins = begins
        self._now_s = 0.0
        self._closed: float | None = None
        self._works: set[_Work] = set()
        self._wakers: set[Callable[[], None]] = set()
        self._lock = threading.Lock()
        self._selector = _Jumping(self)
        self.loop: asyncio.AbstractEventLoop = _Loop(self, self._selector)

    def time(self) -> float:
        """Virtual seconds since the clock was made; real ones pass after it was closed."""
        return self._now_s + (time.perf_counter() - self._closed if self._closed else 0.0)

    def now(self) -> datetime:
        """Wall time that the skills are told (`ctx.clock()`)."""
        return self._begins + timedelta(seconds=self.time())

    def set(self, now: datetime) -> None:
        """Make it another time of day; timers that wait are not moved."""
        self._begins = now - timedelta(seconds=self.time())

    def advance(self, seconds: float) -> None:
        """Let time pass; whatever is due in it happens, in order."""
        self.run(asyncio.sleep(seconds))

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run to the end and return the result; also from a test that is a coroutine itself."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self.loop.run_until_complete(work)
        outcome: list[Result] = []
        failure: list[BaseException] = []

        def elsewhere() -> None:  # a thread can run one event loop at a time
            try:
                outcome.append(self.loop.run_until_complete(work))
            except BaseException as error:
                failure.append(error)

        runner = threading.Thread(target=elsewhere, name="virtual-clock")
        runner.start()
        runner.join()
        if failure:
            raise failure[0]
        return outcome[0]

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """Make the loop that a coroutine runs on in a worker thread; it tells the same time."""
        work: _Work | None = getattr(_thread, "work", None)
        if work is None or self._closed:
            return asyncio.new_event_loop()
        napping = _Napping(self, work)
        napping.loop = _Loop(self, napping)
        return napping.loop

    def sleep(self, seconds: float) -> None:
        """Stand in for `time.sleep`: virtual in the loop's worker threads, real elsewhere."""
        work: _Work | None = getattr(_thread, "work", None)
        if work is None or getattr(_thread, "clock", None) is not self or self._closed:
            _real_sleep(seconds)
            return
        woken = threading.Event()
        self._lie_down(work, max(seconds, 0.0), woken.set)
        woken.wait()

    def close(self) -> None:
        """Cancel what still runs, wake what sleeps, and close the loop."""
        if self._closed:
            return
        self.patience_s = min(self.patience_s, 0.1)
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.run(_gathered(left))
        self.run(self.loop.shutdown_asyncgens())
        self._closed = time.perf_counter()
        self.loop.close()
        for wake in list(self._wakers):
            wake()

    # -- for the loop and its selector ----------------------------------------------------------

    def _working(
        self, work: _Work, function: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> Any:
        _thread.work, _thread.clock = work, self
        try:
            return function(*arguments)
        finally:
            _thread.work = _thread.clock = None

    def _lie_down(self, work: _Work, seconds: float | None, wake: Callable[[], None]) -> None:
        """Let a worker wait for virtual time; `wake` is called, once, when it has come."""

        def due() -> None:
            with self._lock:
                work.since, work.asleep = time.perf_counter(), False
                self._wakers.discard(due)
            wake()

        def on_time() -> None:
            if work.wake is due:
                due()

        def asleep() -> None:  # on the agent's loop, so that time does not pass meanwhile
            with self._lock:
                if work.wake is not due:
                    return
                work.asleep = True
            if seconds is not None:
                self.loop.call_later(seconds, on_time)

        with self._lock:
            work.wake = due
            self._wakers.add(due)
        try:
            self.loop.call_soon_threadsafe(asleep)
        except RuntimeError:  # closed just now
            due()

    def _get_up(self, work: _Work) -> None:
        """Something else than time woke the worker."""
        with self._lock:
            work.since, work.asleep = time.perf_counter(), False
            if work.wake is not None:
                self._wakers.discard(work.wake)
            work.wake = None

    def _pass(self, timeout_s: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Nothing is ready: wait for real work, or jump."""
        began = time.perf_counter()
        while True:
            now = time.perf_counter()
            with self._lock:
                busy = [work.since for work in self._works if not work.asleep]
            wait_s = max([*busy, self._selector.heard_s]) + self.patience_s - now
            if wait_s <= 0:
                if timeout_s is not None:
                    self._now_s += timeout_s
                    return []
                wait_s = began + STALLED_S - now
                if wait_s <= 0:
                    raise RuntimeError(
                        f"nothing happened for {STALLED_S:g} s and no timer is set: the test waits"
                        " for something that never comes"
                    )
            if ready := self._selector.real.select(wait_s):
                return ready


async def _gathered(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


class _Loop(asyncio.SelectorEventLoop):
    """Tells the time by the clock, and the clock of its worker threads."""

    def __init__(self, clock: VirtualClock, selector: _Selector) -> None:
        super().__init__(selector)
        self._virtual = clock
        selector.own = len(selector.get_map())

    def time(self) -> float:
        return self._virtual.time()

    def run_in_executor(  # type: ignore[override]  # typeshed's TypeVarTuple form
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        clock, work = self._virtual, _Work()
        with clock._lock:
            clock._works.add(work)

        def done(_: object) -> None:
            with clock._lock:
                clock._works.discard(work)

        future = super().run_in_executor(executor, clock._working, work, func, args)
        future.add_done_callback(done)
        return future


class _Selector(selectors.BaseSelector):
    """The system's selector, except that waiting is the clock's affair."""

    def __init__(self) -> None:
        self.real = selectors.DefaultSelector()
        self.own = 0
        """How many files are the loop's own; any more are sockets and the like."""
        self._heard_s = 0.0

    @property
    def heard_s(self) -> float:
        """When a socket last gave a sign, in real seconds; long ago where there is none."""
        return self._heard_s if len(self.real.get_map()) > self.own else float("-inf")

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        self._heard_s = time.perf_counter()
        return self.real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self.real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        self._heard_s = time.perf_counter()
        return self.real.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self.real.select(0)
        if not ready and (timeout is None or timeout > 0):
            ready = self.wait(timeout)
        if ready and len(self.real.get_map()) > self.own:
            self._heard_s = time.perf_counter()
        return ready

    def wait(self, timeout_s: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready within `timeout_s` of virtual time."""
        raise NotImplementedError

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self.real.get_map()

    def close(self) -> None:
        self.real.close()


class _Jumping(_Selector):
    """The agent's own loop, which makes time pass."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout_s: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        return self._clock._pass(timeout_s)


class _Napping(_Selector):
    """A loop in a worker thread, which sleeps until the agent's loop has made time pass."""

    loop: asyncio.AbstractEventLoop

    def __init__(self, clock: VirtualClock, work: _Work) -> None:
        super().__init__()
        self._clock = clock
        self._work = work

    def wait(self, timeout_s: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        clock = self._clock
        quiet_s = self.heard_s + clock.patience_s - time.perf_counter()
        if quiet_s > 0 and (ready := self.real.select(quiet_s)):
            return ready
        if clock._closed:
            return self.real.select(timeout_s)
        clock._lie_down(self._work, timeout_s, self._poke)
        try:
            return self.real.select()
        finally:
            clock._get_up(self._work)

    def _poke(self) -> None:
        with contextlib.suppress(RuntimeError):  # its loop was closed meanwhile
            self.loop.call_soon_threadsafe(lambda: None)
