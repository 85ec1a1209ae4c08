"""The ledgers of all glasses, in one process of their own that alone writes them.

`Ledgers` is what that process has; `Far` is the ledger of one pair of glasses as its agent sees it,
anywhere. Between them is a `Do`: a call by name, over a Unix socket here (`Writer`), or to an actor
of Ray's (`cluster`). Each pair has a ledger of its own, since its wallet is its own.

Should the writer die in a call, the call is made again once it is back: what had been written by
then is found under its key, and nothing is written twice.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import secrets
import shutil
import signal
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from multiprocessing.connection import Client, Connection, Listener
from multiprocessing.context import AuthenticationError
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from agent.act.ledger import Ledger, Terms
from agent.act.states import IllegalStep, State
from agent.errors import EngineError
from agent.messages import Order
from agent.serve.hub.protocol import NAME
from agent.skill.payments import Entry, LedgerError

log = logging.getLogger(__name__)

MOST_OPEN = 256
"""Ledgers that are held open at once; the one that was used longest ago is closed for another."""
AGAIN_S = 0.1
"""How often a writer that does not answer is tried again."""
WAIT_S = 10.0
"""For how long."""
START_S = 30.0
"""Longest that the writer may take to begin."""
CALLS = frozenset(
    ("begin", "end", "find", "entries", "since", "last_same", "balance", "refunded", "check",
     "verify", "exists")
)  # fmt: skip
"""What may be asked of it."""

FREE = Terms()
"""What holds where nothing is said."""

Told = tuple[str, Any]
"""What came of a call: how it ended, and with what."""
Do = Callable[[str, str, str, tuple[Any, ...]], Any]
"""Calls a ledger: tenant, glasses, what, with what. Raises LedgerError, IllegalStep, and Unreached
where nobody answers."""


class Unreached(EngineError):
    """The writer of the ledgers does not answer."""


class Ledgers:
    """All ledgers below a folder."""

    def __init__(self, folder: Path) -> None:
        """Open none yet."""
        self._folder = folder
        self._lock = threading.RLock()
        self._open: OrderedDict[tuple[str, str], Ledger] = OrderedDict()

    def do(self, tenant: str, name: str, call: str, given: tuple[Any, ...]) -> Any:
        """Do one thing after the other. Raises LedgerError, IllegalStep, ValueError."""
        if not NAME.fullmatch(tenant) or not NAME.fullmatch(name) or call not in CALLS:
            raise ValueError("no such ledger, or no such call")
        with self._lock:
            ledger = self._ledger(tenant, name)
            if call == "exists":
                return ledger.path.exists()
            return getattr(ledger, call)(*given)

    def _ledger(self, tenant: str, name: str) -> Ledger:
        key = tenant, name
        if key not in self._open:
            self._open[key] = Ledger(self._folder / tenant / name)
            while len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(key)
        return self._open[key]

    def close(self) -> None:
        """Let go of all files."""
        with self._lock:
            for ledger in self._open.values():
                ledger.close()
            self._open.clear()


class Far(Ledger):
    """The ledger of one pair of glasses, which the writer has."""

    def __init__(self, do: Do, tenant: str, name: str, folder: Path) -> None:
        """Ask nothing yet; `folder` is where its file would be, which is not touched here."""
        super().__init__(folder)
        self._do = do
        self._key = tenant, name

    def close(self) -> None:
        """Nothing: the writer has the file."""

    def begin(
        self, order: Order, now: datetime, skill: str, provider: str = "", owner: str = "",
        terms: Terms = FREE,
    ) -> Entry:  # fmt: skip
        """As `Ledger.begin`; one that was written when the writer died is found by its key."""
        tries = _Tries()
        while True:
            try:
                given = order, now, skill, provider, owner, terms
                return self._entry(self._do(*self._key, "begin", given))
            except Unreached as error:
                tries.wait(error)
            except LedgerError as error:
                if not tries.made or error.why != "known":
                    raise
                return self._entry(self._call("find", order.key))

    def end(
        self, key: str, to: State, now: datetime, reference: str = "", note: str = "",
        settled: bool = False,
    ) -> Entry:  # fmt: skip
        """As `Ledger.end`, which may be told the same twice."""
        return self._entry(self._call("end", key, to, now, reference, note, settled))

    def find(self, key: str) -> Entry | None:
        """As `Ledger.find`."""
        found = self._call("find", key)
        return None if found is None else self._entry(found)

    def entries(self, limit: int | None = None, states: Iterable[State] = ()) -> list[Entry]:
        """As `Ledger.entries`."""
        return list(self._call("entries", limit, tuple(states)))

    def since(self, at: datetime) -> int:
        """As `Ledger.since`."""
        return int(self._call("since", at))

    def last_same(self, order: Order, since: datetime) -> Entry | None:
        """As `Ledger.last_same`."""
        found = self._call("last_same", order, since)
        return None if found is None else self._entry(found)

    def balance(self, account: str, currency: str, opening: Decimal = Decimal(0)) -> Decimal:
        """As `Ledger.balance`."""
        return Decimal(self._call("balance", account, currency, opening))

    def refunded(self, key: str) -> Decimal:
        """As `Ledger.refunded`."""
        return Decimal(self._call("refunded", key))

    def check(
        self, order: Order, now: datetime, skill: str, provider: str = "",
        terms: Terms = FREE,
    ) -> None:  # fmt: skip
        """As `Ledger.check`."""
        self._call("check", order, now, skill, provider, terms)

    def verify(self) -> None:
        """As `Ledger.verify`."""
        self._call("verify")

    def _call(self, what: str, *given: Any) -> Any:
        tries = _Tries()
        while True:
            try:
                return self._do(*self._key, what, given)
            except Unreached as error:
                tries.wait(error)

    @staticmethod
    def _entry(found: Any) -> Entry:
        if not isinstance(found, Entry):
            raise LedgerError("damaged", "the writer of the ledgers answered with nonsense")
        return found


class _Tries:
    """How often a call was tried, and until when."""

    def __init__(self) -> None:
        self.made = 0
        self._ends_s = time.monotonic() + WAIT_S

    def wait(self, error: Unreached) -> None:
        """Wait for the next try. Raises LedgerError where there is none."""
        self.made += 1
        if time.monotonic() > self._ends_s:
            raise LedgerError("closed", str(error)) from None
        time.sleep(AGAIN_S)


# -- the writer of one machine ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """Where the writer of this machine is, for `do`. May be given to other processes."""

    socket: str
    """A Unix socket in a folder of ours alone."""
    key: bytes
    """What both sides have to know."""

    def do(self, tenant: str, name: str, call: str, given: tuple[Any, ...]) -> Any:
        """Call a ledger, as `Do`."""
        try:
            with Client(self.socket, "AF_UNIX", authkey=self.key) as line:
                line.send((tenant, name, call, given))
                if not line.poll(WAIT_S):
                    raise LedgerError("busy", "the writer of the ledgers took too long")
                told = line.recv()
        except (OSError, EOFError, AuthenticationError):
            raise Unreached("the writer of the ledgers does not answer: it is begun anew") from None
        return answered(told)


def asked(ledgers: Ledgers, tenant: str, name: str, call: str, given: tuple[Any, ...]) -> Told:
    """Call a ledger, and return what came of it as what any pickle can carry."""
    try:
        return "done", ledgers.do(tenant, name, call, given)
    except LedgerError as error:
        return "refused", (error.why, str(error), error.limit)
    except IllegalStep as error:
        return "illegal", str(error)
    except (TypeError, ValueError) as error:
        return "wrong", str(error)


def answered(told: Told) -> Any:
    """Return what came of a call, or raise it. Raises LedgerError, IllegalStep, ValueError."""
    match told:
        case ("done", value):
            return value
        case ("refused", (why, message, limit)):
            raise LedgerError(why, message, limit)
        case ("illegal", str(message)):
            raise IllegalStep(message)
        case (_, message):
            raise ValueError(str(message))


class Writer:
    """The process that writes all ledgers of this machine; begun anew should it die."""

    def __init__(self, folder: Path) -> None:
        """Write below a folder, once begun."""
        self._folder = folder
        self._home = Path(tempfile.mkdtemp(prefix="glasses-hub-"))  # short, as sockets want it
        self.line = Line(str(self._home / "ledgers"), secrets.token_bytes(32))
        self._spawn = multiprocessing.get_context("spawn")
        self._process: BaseProcess | None = None
        self._ends = threading.Event()
        self._watch = threading.Thread(target=self._watched, name="ledgers", daemon=True)

    def begin(self) -> None:
        """Begin, and return once it answers. Raises Unreached."""
        self._start()
        self._watch.start()
        ends_s = time.monotonic() + START_S
        while True:
            try:
                self.line.do("a", "a", "exists", ())
                return
            except Unreached:
                if time.monotonic() > ends_s:
                    raise
            time.sleep(AGAIN_S)

    @property
    def pid(self) -> int | None:
        """Its process."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """End it, once what it writes is written."""
        self._ends.set()
        if self._watch.is_alive():
            self._watch.join()
        if self._process is not None:
            self._process.terminate()  # SQLite has it whole or not at all
            self._process.join()
        shutil.rmtree(self._home, ignore_errors=True)

    def _start(self) -> None:
        given = self._folder, self.line
        self._process = self._spawn.Process(target=_write, args=given, name="ledgers", daemon=True)
        self._process.start()

    def _watched(self) -> None:
        while not self._ends.wait(AGAIN_S):
            if self._process is not None and not self._process.is_alive():
                log.error("the writer of the ledgers has died: it is begun anew")
                self._start()


def _write(folder: Path, line: Line) -> None:
    """Be the writer, for as long as whoever began it lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the hub, and that ends this
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_until, args=(parent,), daemon=True).start()
    Path(line.socket).unlink(missing_ok=True)
    ledgers = Ledgers(folder)
    with Listener(line.socket, "AF_UNIX", backlog=128, authkey=line.key) as listener:
        while True:
            try:
                one = listener.accept()
            except (OSError, EOFError, AuthenticationError):
                continue  # whoever it was has gone, or does not know the key
            threading.Thread(target=_serve, args=(ledgers, one), daemon=True).start()


def _until(parent: BaseProcess) -> None:
    parent.join()
    os._exit(0)


def _serve(ledgers: Ledgers, one: Connection) -> None:
    with one, suppress(OSError, EOFError):
        one.send(asked(ledgers, *one.recv()))
