"""A speech engine in a process of its own, as an engine.

Two in one process wait for each other, and the sessions beside them for both, wherever Python holds
its lock; compiling does no longer, and it still pays. Twelve sessions talking on two busy cores
(`python -m tests.bench.hub --only talking --seconds 24 --sessions 12`, each way twice, load 6 to 9)
were answered after 1.2 and 1.4 s (median) with engines apart, and after 3.7 s both times without,
at about the same processor time a command; apart takes 180 MB more. And an engine that dies takes
no session with it.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from agent.errors import EngineError
from agent.language.saying import Saying
from agent.listen.thread import LOAD_S
from agent.listen.transcriber import Transcriber, loaded
from agent.messages import Transcript

CALL_S = 20.0
"""Longest that one call may take."""


class Apart:
    """An engine whose calls go to another process, which ends with it."""

    def __init__(self, make: Callable[[], Transcriber]) -> None:
        """Begin the process and load the engine there; `make` is pickled. Raises EngineError."""
        spawn = multiprocessing.get_context("spawn")
        self._line, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(theirs, make), name="ears", daemon=True)
        self._process.start()
        theirs.close()
        self.name, self.languages = self._answer(LOAD_S)

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._process.pid

    def expect(self, sayings: Sequence[Saying]) -> None:
        """As `Transcriber.expect`; what is told has to be such that it can be pickled."""
        self._call("expect", sayings)

    def ambient(self, pcm: bytes) -> None:
        """As `Transcriber.ambient`."""
        self._call("ambient", pcm)

    def start(self) -> None:
        """As `Transcriber.start`."""
        self._call("start")

    def feed(self, pcm: bytes) -> None:
        """As `Transcriber.feed`."""
        self._call("feed", pcm)

    def partial(self) -> Transcript | None:
        """As `Transcriber.partial`."""
        heard: Transcript | None = self._call("partial")
        return heard

    def prepare(self) -> None:
        """As `Transcriber.prepare`."""
        self._call("prepare")

    def finish(self) -> Transcript:
        """As `Transcriber.finish`."""
        heard: Transcript = self._call("finish")
        return heard

    def abort(self) -> None:
        """As `Transcriber.abort`."""
        self._call("abort")

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._line.close()

    def _call(self, what: str, *given: Any) -> Any:
        try:
            self._line.send((what, given))
        except OSError:
            raise self._died() from None
        return self._answer(CALL_S)

    def _answer(self, wait_s: float) -> Any:
        try:
            if not self._line.poll(wait_s):
                self.close()
                raise EngineError(f"a speech engine gave no answer within {wait_s:g} s")
            done, value = self._line.recv()
        except (OSError, EOFError):
            raise self._died() from None
        if not done:
            raise EngineError(str(value))
        return value

    def _died(self) -> EngineError:
        self.close()
        return EngineError("a speech engine has died: say it again")


def _serve(line: Connection, make: Callable[[], Transcriber]) -> None:
    """Do what comes over the line, until there is nobody at its other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the hub, and that ends this
    try:
        engine = loaded(make(), LOAD_S)
        line.send((True, (engine.name, engine.languages)))
        while True:
            what, given = line.recv()
            try:
                line.send((True, getattr(engine, what)(*given)))
            except EngineError as error:
                line.send((False, str(error)))
    except EngineError as error:
        line.send((False, str(error)))
    except (OSError, EOFError):
        return  # whoever listened has gone
