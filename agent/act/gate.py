"""The gate: nothing with an effect happens before an explicit yes, and then exactly once.

A skill may only propose. The gate keeps the one open proposal. A yes names, by its key, the
proposal that the wearer saw, and settles that one or none: it is `accepted` at once, so that
nothing can take it a second time, and then committed: its key is written to the ledger, durably,
before the skill's `commit` is called with that key, and what came of it is written after. If power
goes in between, the entry is still `committing` at the next start: its outcome is unknown, and it
is reported, never repeated.
"""

from __future__ import annotations

import inspect
import logging
import math
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from agent import private
from agent.errors import GlassesError, NotCommitted, PluginError
from agent.messages import Intent, Payment, Proposal, Receipt, Reply
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
        "committing": "A payment is being made and cannot be stopped.",
        "another": "the provider was told of another payment",
        "late": "no answer yet",
        "broke": "the skill failed",
        "unknown": "Payment outcome unknown: {reason}. Check before paying again.",
    },
    "zh": {
        "declined": "已取消，没有付款。",
        "expired": "已超时，付款作废，请重新说。",
        "failed": "未付款：{reason}",
        "ledger": "无法写入账本（{error}）",
        "committing": "正在付款，无法停止。",
        "another": "付款方收到的是另一笔付款",
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
    intent: Intent
    """The call that proposed it."""
    language: str
    """Language it was proposed in."""
    key: str
    """Idempotency key it would be committed under."""
    offered_s: float
    """When it was offered, on the gate's clock."""

    @property
    def skill(self) -> str:
        """Who proposed it."""
        return self.intent.skill


class Gate:
    """Holds at most one open proposal and commits it at most once."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep the ledger in `folder`; `clock` gives seconds and is virtual in tests."""
        self._path = folder / "gate.sqlite"
        self._clock = clock
        self.open: Open | None = None
        self.fault: str | None = None
        """What the last commit did that no plugin may, for whoever keeps count."""
        self._accepted: str | None = None  # key of the last one that was
        self._settled: tuple[str, Reply] | None = None  # the last proposal, and what became of it

    def offer(self, proposal: Proposal, intent: Intent, language: str) -> None:
        """Make this the open proposal; an earlier one is dropped."""
        self.open = Open(proposal, intent, language, uuid.uuid4().hex, self._clock())

    def tell(self, line: str) -> Proposal:
        """Return the open proposal with a line below it, open under the same key and for as long.

        Raises ValueError where none is open.
        """
        if self.open is None:
            raise ValueError("no proposal is open")
        proposal = self.open.proposal
        if not proposal.text.endswith(line):
            proposal = replace(proposal, text=f"{proposal.text}\n{line}".strip())
            self.open = replace(self.open, proposal=proposal)
        return proposal

    def expire(self) -> None:
        """Drop the open proposal when its time is over."""
        opened = self.open
        if opened is not None and self._clock() - opened.offered_s > EXPIRES_S:
            self.drop()

    def drop(self) -> None:
        """Forget the open proposal: the wearer went on to something else."""
        self.open = None

    def decline(self, language: str) -> Reply:
        """Take a no."""
        reply = Reply(SAID[language]["declined"])
        if self.open is not None:
            self._settled = self.open.key, reply
        self.open = None
        return reply

    def became(self, key: str, language: str) -> Reply:
        """Return what became of a proposal that is no longer open, for a second yes to it."""
        if self._settled is not None and self._settled[0] == key:
            return self._settled[1]
        if key == self._accepted:  # it is being paid still, or nobody knows
            return self.unanswered(language)
        return Reply(SAID[language]["expired"])

    def accept(self, key: str) -> Open | None:
        """Take a yes to one proposal; None unless it is the one that is open.

        From now on it is open no more, and nobody else can take it.
        """
        opened = self.open
        if opened is None or opened.key != key:
            return None
        self.open, self._accepted = None, key
        return opened

    def commit(self, accepted: Open, language: str) -> Reply:
        """Write down the key of what was accepted, commit it once, and write down the outcome."""
        self.fault = None
        reply = self._committed(accepted, SAID[language])
        self._settled = accepted.key, reply
        return reply

    def _committed(self, accepted: Open, said: Mapping[str, str]) -> Reply:
        proposal = accepted.proposal
        if proposal.commit is None:
            return Reply(said["failed"].format(reason="the skill gave no way to carry it out"))
        shown = Payment(proposal.amount, proposal.currency, proposal.payee)
        commit = _given(proposal.commit, shown)
        try:
            ledger = self._begun(accepted)
        except (OSError, sqlite3.Error) as error:  # not written down, so not paid
            reason = said["ledger"].format(error=error)
            return Reply(said["failed"].format(reason=reason), kind="alert")
        with closing(ledger):
            return self._called(accepted, commit, shown, ledger, said)

    def _called(
        self,
        accepted: Open,
        commit: Callable[[str], Receipt],
        shown: Payment,
        ledger: sqlite3.Connection,
        said: Mapping[str, str],
    ) -> Reply:
        try:
            receipt = commit(accepted.key)
            if not isinstance(receipt, Receipt):
                raise PluginError(f"returned {type(receipt).__name__}: a commit returns a Receipt")
        except NotCommitted as error:
            self._outcome(ledger, accepted.key, "failed")
            return Reply(said["failed"].format(reason=error), kind="alert")
        except BaseException as error:  # the plugin boundary: what it raises, money may have moved
            self._outcome(ledger, accepted.key, "unknown")
            log.warning("commit of %s ended in %s", accepted.skill, type(error).__name__)
            reason: object = error
            if isinstance(error, PluginError):
                self.fault = str(error)
                reason = said["broke"]
            elif not isinstance(error, (GlassesError, DeviceError, OSError, sqlite3.Error)):
                self.fault = f"raised {type(error).__name__}"
                reason = said["broke"]
            return Reply(said["unknown"].format(reason=reason), kind="alert")
        if receipt.paid is not None and receipt.paid != shown:
            self._outcome(ledger, accepted.key, "unknown", receipt.reference)
            self.fault = "paid something else than was shown"
            return Reply(said["unknown"].format(reason=said["another"]), kind="alert")
        self._outcome(ledger, accepted.key, "done", receipt.reference)
        return Reply(receipt.text, title=accepted.proposal.title)

    def unanswered(self, language: str) -> Reply:
        """Report a commit that takes too long; its outcome is still written down if it comes."""
        said = SAID[language]
        return Reply(said["unknown"].format(reason=said["late"]), kind="alert")

    def _begun(self, accepted: Open) -> sqlite3.Connection:
        """Write down that the commit begins. Raises OSError or sqlite3.Error where it cannot."""
        ledger, proposal = self._ledger(), accepted.proposal
        try:
            ledger.execute(
                "INSERT INTO commits (key, skill, amount, currency, payee, at, state)"
                " VALUES (?, ?, ?, ?, ?, datetime('now'), 'committing')",
                (
                    accepted.key,
                    accepted.skill,
                    str(proposal.amount),
                    proposal.currency,
                    proposal.payee,
                ),
            )
        except BaseException:
            ledger.close()
            raise
        return ledger

    def begun_since(self, at_s: float) -> bool:
        """Say whether a payment was begun at or after a moment, in seconds since 1970.

        It may have been where the ledger cannot be read.
        """
        if not self._path.exists():
            return False
        try:
            with closing(self._ledger()) as ledger:
                (count,) = ledger.execute(
                    "SELECT count(*) FROM commits WHERE at >= datetime(?, 'unixepoch')",
                    (math.floor(at_s),),
                ).fetchone()
        except (OSError, sqlite3.Error) as error:
            log.warning("%s cannot be read (%s)", self._path, error)
            return True
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


def _given(commit: Callable[..., Receipt], shown: Payment) -> Callable[[str], Receipt]:
    """Return a commit that takes its key alone; one that takes two things is given `shown` too."""
    try:
        parameters = inspect.signature(commit).parameters.values()
    except (TypeError, ValueError):  # a function in C may not tell
        return commit
    needed = [p for p in parameters if p.default is p.empty and p.kind <= p.POSITIONAL_OR_KEYWORD]
    return commit if len(needed) < 2 else lambda key: commit(key, shown)
