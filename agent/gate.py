"""The gate: nothing with an effect happens before an explicit yes, and then exactly once.

A skill may only propose. The gate keeps the one open proposal, and on a yes writes its key to the
ledger, durably, before the skill's `commit` is called with that key; what came of it is written
after. If power goes in between, the entry is still `committing` at the next start: its outcome is
unknown, and it is reported, never repeated.
"""

from __future__ import annotations

import logging
import math
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from agent import private
from agent.errors import GlassesError, NotCommitted, PluginError
from agent.messages import Proposal, Receipt, Reply
from hardware.base import DeviceError

log = logging.getLogger(__name__)

EXPIRES_S = 30.0
"""A proposal not answered in this time is gone."""

SAID = {
    "en": {
        "declined": "Cancelled. Nothing was paid.",
        "expired": "Too late: that payment was dropped. Ask again.",
        "failed": "Not paid: {reason}",
        "ledger": "the ledger cannot be written ({error})",
        "late": "no answer yet",
        "broke": "the skill failed",
        "unknown": "Payment outcome unknown: {reason}. Check before paying again.",
    },
    "zh": {
        "declined": "已取消，没有付款。",
        "expired": "已超时，付款作废，请重新说。",
        "failed": "未付款：{reason}",
        "ledger": "无法写入账本（{error}）",
        "late": "尚无回应",
        "broke": "技能出错",
        "unknown": "付款结果未知：{reason}。再付之前请先核对。",
    },
}


@dataclass(frozen=True, slots=True)
class Open:
    """A proposal that waits for an answer."""

    proposal: Proposal
    """What would happen."""
    skill: str
    """Who proposed it."""
    language: str
    """Language it was proposed in."""
    key: str
    """Idempotency key it would be committed under."""
    offered_s: float
    """When it was offered, on the gate's clock."""


class Gate:
    """Holds at most one open proposal and commits it at most once."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep the ledger in `folder`; `clock` gives seconds and is virtual in tests."""
        self._path = folder / "gate.sqlite"
        self._clock = clock
        self.open: Open | None = None
        self.fault: str | None = None
        """What the last commit did that no plugin may, for the one who keeps count."""

    def offer(self, proposal: Proposal, skill: str, language: str) -> None:
        """Make this the open proposal; an earlier one is dropped."""
        self.open = Open(proposal, skill, language, uuid.uuid4().hex, self._clock())

    def expire(self) -> bool:
        """Drop the open proposal when its time is over; say whether it was."""
        late = self.open is not None and self._clock() - self.open.offered_s > EXPIRES_S
        if late:
            self.open = None
        return late

    def drop(self) -> None:
        """Forget the open proposal: the wearer went on to something else."""
        self.open = None

    def decline(self, language: str) -> Reply:
        """Take a no."""
        self.open = None
        return Reply(SAID[language]["declined"])

    def confirm(self, language: str) -> Reply:
        """Take a yes: write the key down, commit once, write the outcome down."""
        opened, self.open = self.open, None  # gone first: nothing can commit it a second time
        self.fault = None
        if opened is None:
            return Reply(SAID[language]["expired"])
        proposal = opened.proposal
        said = SAID[language]
        if proposal.commit is None:
            return Reply(said["failed"].format(reason="the skill gave no way to carry it out"))
        try:
            ledger = self._begun(opened)
        except (OSError, sqlite3.Error) as error:  # not written down, so not paid
            reason = said["ledger"].format(error=error)
            return Reply(said["failed"].format(reason=reason), kind="alert")
        with closing(ledger):
            return self._commit(opened, proposal.commit, ledger, said)

    def _commit(
        self,
        opened: Open,
        commit: Callable[[str], Receipt],
        ledger: sqlite3.Connection,
        said: Mapping[str, str],
    ) -> Reply:
        try:
            receipt = commit(opened.key)
            if not isinstance(receipt, Receipt):
                raise PluginError(f"returned {type(receipt).__name__}: a commit returns a Receipt")
        except NotCommitted as error:
            self._outcome(ledger, opened.key, "failed")
            return Reply(said["failed"].format(reason=error), kind="alert")
        except BaseException as error:  # the plugin boundary: what it raises, money may have moved
            self._outcome(ledger, opened.key, "unknown")
            log.warning("commit of %s ended in %s", opened.skill, type(error).__name__)
            reason: object = error
            if isinstance(error, PluginError):
                self.fault = str(error)
                reason = said["broke"]
            elif not isinstance(error, (GlassesError, DeviceError, OSError, sqlite3.Error)):
                self.fault = f"raised {type(error).__name__}"
                reason = said["broke"]
            return Reply(said["unknown"].format(reason=reason), kind="alert")
        self._outcome(ledger, opened.key, "done", receipt.reference)
        return Reply(receipt.text, title=opened.proposal.title)

    def unanswered(self, language: str) -> Reply:
        """Tell of a commit that goes on for too long; its outcome is written down if it comes."""
        said = SAID[language]
        return Reply(said["unknown"].format(reason=said["late"]), kind="alert")

    def _begun(self, opened: Open) -> sqlite3.Connection:
        """Write down that the commit begins. Raises OSError or sqlite3.Error where it cannot."""
        ledger, proposal = self._ledger(), opened.proposal
        try:
            ledger.execute(
                "INSERT INTO commits (key, skill, amount, currency, payee, at, state)"
                " VALUES (?, ?, ?, ?, ?, datetime('now'), 'committing')",
                (opened.key, opened.skill, str(proposal.amount), proposal.currency, proposal.payee),
            )
        except BaseException:
            ledger.close()
            raise
        return ledger

    def begun_since(self, at_s: float) -> bool:
        """Say whether a payment was begun at or after a moment, in seconds since 1970."""
        if not self._path.exists():
            return False
        with closing(self._ledger()) as ledger:
            (count,) = ledger.execute(
                "SELECT count(*) FROM commits WHERE at >= datetime(?, 'unixepoch')",
                (math.floor(at_s),),
            ).fetchone()
        return bool(count)

    def unresolved(self) -> int:
        """Return how many commits have no known outcome, from power cuts or failed providers."""
        if not self._path.exists():
            return 0
        with closing(self._ledger()) as ledger:
            (count,) = ledger.execute(
                "SELECT count(*) FROM commits WHERE state IN ('committing', 'unknown')"
            ).fetchone()
        return int(count)

    @staticmethod
    def _outcome(ledger: sqlite3.Connection, key: str, state: str, reference: str = "") -> None:
        ledger.execute(
            "UPDATE commits SET state = ?, reference = ? WHERE key = ?", (state, reference, key)
        )

    def _ledger(self) -> sqlite3.Connection:
        """Open the ledger, made if absent; every statement is its own durable transaction."""
        ledger = sqlite3.connect(private.file(self._path), timeout=5.0, isolation_level=None)
        ledger.execute("PRAGMA synchronous = EXTRA")  # survives power loss, not only a crash
        ledger.execute(
            "CREATE TABLE IF NOT EXISTS commits (key TEXT PRIMARY KEY, skill TEXT, amount TEXT,"
            " currency TEXT, payee TEXT, at TEXT, state TEXT, reference TEXT DEFAULT '')"
        )
        return ledger
