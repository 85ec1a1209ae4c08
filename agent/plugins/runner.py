"""Runs what plugins bring so that nothing they do stops the agent.

Every call gets a daemon thread of its own, and a coroutine an event loop of its own in that thread
(0.1 ms and 0.3 ms on a 2-core cloud machine): the agent's loop keeps listening whatever the call
does, a call that never ends is left behind, and a thread left behind does not keep the process
from ending. This keeps mistakes from spreading; it is no sandbox against malice. What holds the
interpreter or ends the process, such as `os._exit`, is kept from the agent by a process of its own
(`agent.plugins.apart`).
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import locale
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import wraps
from typing import Any

MAX_THREADS = 8
"""Most threads that one plugin may have running after its call has returned. Some are fair, such as
a player's; more, and the plugin forgets to end them."""

GRACE_S = 1.0
"""How long a call whose time is over may take to notice; then it is interrupted where it is."""

THREAD = "glasses:"
"""What the names of this module's threads begin with."""

_OWNER = "_glasses_owner"
"""Attribute of a thread: the runner and the name of the plugin that it was begun for."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of one call."""

    value: Any = None
    """What it returned."""
    error: BaseException | None = None
    """What it raised, whatever that was."""
    timed_out: bool = False
    """It did not return in time and was left behind."""
    offences: tuple[str, ...] = ()
    """What it did besides, one line each: "changed the working directory"."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all code of a process shares and no plugin may leave changed."""

    folder: str | None
    """Working directory; None when it has been deleted."""
    spoken: str
    """The C library's locale."""

    @classmethod
    def now(cls) -> Surroundings:
        """Look at them."""
        try:
            folder: str | None = os.getcwd()  # noqa: PTH109  text is enough, and this is hot
        except OSError:
            folder = None
        return cls(folder, locale.setlocale(locale.LC_ALL))

    def restore(self) -> tuple[str, ...]:
        """Put back what has changed since and say what it was."""
        now, changed = Surroundings.now(), []
        if self.folder is not None and now.folder != self.folder:
            with contextlib.suppress(OSError):
                os.chdir(self.folder)
            changed.append("changed the working directory")
        if now.spoken != self.spoken:
            locale.setlocale(locale.LC_ALL, self.spoken)
            changed.append("changed the locale")
        return tuple(changed)


class Runner:
    """Runs calls for named owners and knows which threads each has left running."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self.new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
        """Makes the loop that a coroutine runs on; tests with virtual time give their own."""
        _follow_threads()

    async def run(
        self, owner: str, function: Callable[[], Any], timeout_s: float, interrupt: bool = True
    ) -> Ran:
        """Call `function`, and await what it returns if that is a coroutine.

        Never raises what the call raises. `interrupt` False leaves a late call to its work, for
        calls that have an effect.
        """
        call = _Call(self, owner, function)
        # Through the loop, so that a loop with a clock of its own knows that there is work.
        done = asyncio.get_running_loop().run_in_executor(call, call.work)
        try:
            # Not wait_for: Python 3.11's can swallow a cancellation (cpython issue 86296).
            async with asyncio.timeout(timeout_s):
                await done
        except TimeoutError:
            call.give_up(interrupt)
        except asyncio.CancelledError:
            call.give_up(interrupt)
            raise
        return self._end(call)

    def wait(self, owner: str, function: Callable[[], Any], timeout_s: float) -> Ran:
        """Call `function` as `run` does, and block the caller meanwhile."""
        call = _Call(self, owner, function)
        try:
            call.submit(call.work).result(timeout_s)
        except TimeoutError:
            call.give_up(interrupt=True)
        return self._end(call)

    def _end(self, call: _Call) -> Ran:
        offences = call.surroundings.restore()
        alive = sorted(thread.name for thread in self._begun_by(call.owner))
        if len(alive) > MAX_THREADS:
            shown = ", ".join(alive[:3])
            offences += (f"left {len(alive)} threads running: {shown}, …",)
        if call.late:
            return Ran(timed_out=True, offences=offences)
        return Ran(call.value, call.error, offences=offences)

    def _begun_by(self, owner: str) -> list[threading.Thread]:
        """Return the running threads that a plugin's calls have begun, and those begun by these."""
        return [
            thread
            for thread in threading.enumerate()
            if vars(thread).get(_OWNER) == (self, owner) and not isinstance(thread, _CallThread)
        ]


class _CallThread(threading.Thread):
    """The thread of a call, which is ours; what is begun on it is the plugin's."""

    def __init__(self, main: Callable[[], None], name: str) -> None:
        super().__init__(target=main, name=name, daemon=True)
        self.begins = threading.Lock()
        """Held while a thread is begun on it: until that runs, Python has it under the same ident,
        so that an interruption would end the new thread, which this one then waits for in vain."""


class _Call(Executor):
    """One call in flight, and the thread that it runs on."""

    def __init__(
        self,
        runner: Runner,
        owner: str,
        function: Callable[[], Any],
    ) -> None:
        self.owner = owner
        self.value: Any = None
        self.error: BaseException | None = None
        self.late = False
        self.surroundings = Surroundings.now()
        self._runner = runner
        self._function = function
        self._cancel: Callable[[], object] | None = None

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        """Run `work`, as a loop's `run_in_executor` asks for it, on a daemon thread."""
        done: Future[Any] = Future()

        def main() -> None:
            if done.set_running_or_notify_cancel():
                try:
                    function(*args, **named)
                finally:
                    done.set_result(None)

        self._thread = _CallThread(main, THREAD + self.owner)
        vars(self._thread)[_OWNER] = (self._runner, self.owner)
        self._thread.start()
        return done

    def work(self) -> None:
        """Make the call and keep what came of it."""
        try:
            value = self._function()
            self.value = self._drive(value) if inspect.isawaitable(value) else value
        except BaseException as error:  # the plugin boundary, and no code above it
            self.error = error

    def _drive(self, awaitable: Awaitable[Any]) -> Any:
        # Not asyncio.run: that waits for the loop's own worker threads, which may hang.
        loop = self._runner.new_loop()

        async def main() -> Any:
            return await awaitable

        try:
            task = loop.create_task(main())
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
            return loop.run_until_complete(task)
        finally:
            self._cancel = None
            rest = asyncio.all_tasks(loop)
            for left in rest:
                left.cancel()
            if rest:
                loop.run_until_complete(asyncio.wait(rest, timeout=GRACE_S))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    def give_up(self, interrupt: bool) -> None:
        """Stop waiting; a coroutine is cancelled, and what does not end is interrupted later."""
        self.late = True
        if not interrupt:
            return
        if (cancel := self._cancel) is not None:
            with contextlib.suppress(RuntimeError):  # it ended just now
                cancel()
        timer = threading.Timer(GRACE_S, self._interrupt)
        timer.name, timer.daemon = f"{THREAD}interrupt", True
        timer.start()

    def _interrupt(self) -> None:
        """Raise SystemExit where the call is, which ends a loop in Python but no wait in C.

        Without it, `while True: pass` would take its share of the interpreter for ever.
        """
        import ctypes

        ident = self._thread.ident
        with self._thread.begins:
            if ident is not None and self._thread.is_alive():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(ident), ctypes.py_object(SystemExit)
                )


def _follow_threads() -> None:
    """From now on a thread belongs to whom the thread belongs that began it.

    Once a process. Python does not say who began a thread, and what is new since a call began may
    be anybody's: the agent's own, another plugin's. So `Thread.start` notes it, as profilers do.
    """
    begin = threading.Thread.start
    if hasattr(begin, _OWNER):
        return

    @wraps(begin)
    def start(thread: threading.Thread) -> None:
        here = threading.current_thread()
        owner = vars(here).get(_OWNER)
        if owner is not None:
            vars(thread).setdefault(_OWNER, owner)  # a call's own thread has its owner already
        with here.begins if isinstance(here, _CallThread) else contextlib.nullcontext():
            begin(thread)

    setattr(start, _OWNER, None)  # the mark that it is done
    threading.Thread.start = start  # type: ignore[method-assign, assignment]  # no hook


def keeps_process() -> bool:
    """Say whether a thread that is not a daemon's still runs: it would keep the process alive."""
    here = threading.current_thread()
    return any(t is not here and not t.daemon and t.is_alive() for t in threading.enumerate())
