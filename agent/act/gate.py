"""The gate: nothing with an effect happens before an explicit yes, and then exactly once.

A skill may only propose. The gate keeps the one open proposal, with what is asked besides the yes:
once more where the same was paid just now, and the PIN above a limit. A yes names, by its key, the
proposal that the wearer saw, and settles that one or none: it is `accepted` at once, so that
nothing can take it a second time, and then committed by the teller, which writes it to the ledger
before anything is sent (`agent.act.teller`).
"""

from __future__ import annotations

import inspect
import logging
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from agent.act import states
from agent.act.pin import Pin
from agent.act.states import State
from agent.act.teller import ANOTHER, Begun, Teller
from agent.act.wording import SAID, news, refusal
from agent.errors import ConfigError, GlassesError, NotCommitted, PluginError
from agent.language.money import shown, to_minor
from agent.messages import Intent, Order, Outcome, Payment, Proposal, Receipt, Reply
from agent.skill.payments import PENDING, LedgerError
from hardware.base import DeviceError

log = logging.getLogger(__name__)

EXPIRES_S = 30.0
"""A proposal not answered in this time is gone; each further question begins it anew."""

Question = Literal["again", "pin"]
"""What is asked besides the yes."""


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
    questions: tuple[Question, ...] = ()
    """What is still asked besides the yes, in order."""
    pin: bool = False
    """Whether what is waited for now is the PIN, and no longer the yes."""
    state: State = "proposed"
    """How far it has come: not further than `shown` while it is open."""

    @property
    def skill(self) -> str:
        """Who proposed it."""
        return self.intent.skill

    @property
    def order(self) -> Order:
        """What a payment provider would be told."""
        it = self.proposal
        return Order(
            self.key, it.amount, it.currency, it.payee, it.account or it.payee,
            dict(it.details), it.order, it.of,
        )  # fmt: skip


class Gate:
    """Holds at most one open proposal and commits it at most once."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
        teller: Teller | None = None,
    ) -> None:
        """Keep the ledger in `folder`; `clock` gives seconds and is virtual in tests."""
        self._clock = clock
        self.teller = teller or Teller(folder)
        """Who pays."""
        self.pin = Pin(folder, lambda: self.teller.now.timestamp())
        """What is asked for above a limit."""
        self.open: Open | None = None
        self.fault: str | None = None
        """What the last commit did that no plugin may, for whoever keeps count."""
        self._accepted: str | None = None  # key of the last one that was
        self._settled: tuple[str, Reply] | None = None  # the last proposal, and what became of it

    # -- what is open -----------------------------------------------------------------------------

    def look(self, proposal: Proposal, skill: str, language: str) -> Reply | tuple[Question, ...]:
        """Return why a proposal is not even asked about, or what is asked besides the yes.

        Reads the ledger; nothing is changed.
        """
        said, order = SAID[language], Open(proposal, Intent(skill, ""), language, "", 0.0).order
        if proposal.asks or not (order.amount or order.payee):
            return ()  # an effect that moves no money
        try:
            if proposal.provider and self.teller.provider(proposal.provider) is None:
                raise NotCommitted(said["no provider"].format(name=proposal.provider))
            self.teller.check(order, proposal.provider, skill)
            return self._questions(order, said)
        except NotCommitted as error:
            reason = str(error)
        except (LedgerError, ConfigError) as error:
            reason = refusal(error, order.currency, language)
        return Reply(said["failed"].format(reason=reason), kind="alert")

    def _questions(self, order: Order, said: Mapping[str, str]) -> tuple[Question, ...]:
        """Return what is asked besides the yes. Raises NotCommitted where no PIN can be asked."""
        limits, asked = self.teller.limits(), list[Question]()
        since = self.teller.now - timedelta(seconds=limits.again_s)
        if order.kind == "payment" and self.teller.ledger.last_same(order, since) is not None:
            asked.append("again")
        limit = limits.of.get(order.currency)
        minor = to_minor(order.amount, order.currency)
        if order.kind == "payment" and limit is not None and minor > limit.pin:
            if not self.pin.set:
                raise NotCommitted(said["no pin"].format(limit=shown(limit.pin, order.currency)))
            if (left_s := self.pin.locked_s()) > 0:
                raise NotCommitted(said["locked"].format(minutes=-(-left_s // 60)))
            asked.append("pin")
        return tuple(asked)

    def offer(
        self,
        proposal: Proposal,
        intent: Intent,
        language: str,
        questions: tuple[Question, ...] = (),
    ) -> Proposal:
        """Make this the open proposal; an earlier one is dropped. Return it as it is shown."""
        self.open = Open(proposal, intent, language, uuid.uuid4().hex, self._clock(), questions)
        if "again" in questions:
            said = SAID["zh" if language == "zh" else "en"]
            since = self.teller.now - timedelta(days=1)
            same = self.teller.ledger.last_same(self.open.order, since)
            at = same.at.astimezone() if same else self.teller.now
            return self.tell(said["twice"].format(time=f"{at:%H:%M}"))
        return proposal

    def shown(self, key: str) -> None:
        """Note that the open proposal is on the lens, amount and payee with it."""
        if self.open is not None and self.open.key == key and self.open.state == "proposed":
            self.open = replace(self.open, state=states.step("proposed", "shown"))

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

    # -- what is answered -------------------------------------------------------------------------

    def decline(self, language: str) -> Reply:
        """Take a no."""
        asks = self.open is not None and self.open.proposal.asks
        reply = Reply(SAID[language]["let be" if asks else "declined"])
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

    def ask(self, key: str, language: str) -> Proposal | None:
        """Return the open proposal with its next question; None where a yes is all that it takes.

        To be called with each yes to it, before `accept`.
        """
        opened = self.open
        if opened is None or opened.key != key or not opened.questions:
            return None
        question, pin = opened.questions[0], opened.questions[0] == "pin"
        left = opened.questions if pin else opened.questions[1:]
        self.open = replace(opened, questions=left, pin=pin, offered_s=self._clock())
        return self.tell(SAID[language][question])

    def unlock(self, digits: str, language: str) -> Reply | None:
        """Take the PIN for the open proposal; None where it is right, and a yes is next no more.

        Takes a moment: the hash is slow on purpose. A PIN that is locked drops the proposal.
        """
        opened, said = self.open, SAID[language]
        if opened is None or not opened.pin:
            return Reply(said["expired"])
        try:
            left = self.pin.check(digits)
        except (ConfigError, OSError) as error:  # a try that cannot be counted is none
            self.drop()
            return Reply(said["failed"].format(reason=error), kind="alert")
        if self.open is not opened:
            return Reply(said["expired"])
        if left is None:
            self.open = replace(opened, questions=opened.questions[1:], pin=False)
            return None
        if left == 0:
            minutes = -(-self.pin.locked_s() // 60)
            self.drop()
            reason = said["locked"].format(minutes=minutes)
            return Reply(said["failed"].format(reason=reason), kind="alert")
        base = opened.proposal.text.partition("\n" + said["pin"])[0]
        self.open = replace(
            opened, proposal=replace(opened.proposal, text=base), offered_s=self._clock()
        )
        self.tell(said["wrong pin"].format(left=left))
        return self.tell(said["pin"])

    def accept(self, key: str) -> Open | None:
        """Take a yes to one proposal; None unless it is the one that is open, and nothing is asked.

        From now on it is open no more, and nobody else can take it.
        """
        opened = self.open
        if opened is None or opened.key != key or opened.questions:
            return None
        self.open, self._accepted = None, key
        return opened

    # -- what is done -----------------------------------------------------------------------------

    def commit(self, accepted: Open, language: str) -> Reply:
        """Have what was accepted carried out once, and return what came of it."""
        self.fault = None
        reply = self._committed(accepted, SAID[language], language)
        self._settled = accepted.key, reply
        return reply

    def _committed(self, accepted: Open, said: Mapping[str, str], language: str) -> Reply:
        proposal, order = accepted.proposal, accepted.order
        if proposal.asks:
            return self._done(accepted, said)
        provider = self.teller.provider(proposal.provider)
        if proposal.provider and provider is None:
            reason = said["no provider"].format(name=proposal.provider)
            return Reply(said["failed"].format(reason=reason), kind="alert")
        if provider is not None:
            act: Callable[[Order], Outcome] = provider.pay
            if order.kind == "refund":
                act = partial(_refund, provider, self.teller)
        elif proposal.commit is not None:
            act = partial(_by_skill, proposal.commit)
        else:
            return Reply(said["failed"].format(reason=said["no way"]))
        try:
            outcome = self.teller.pay(
                order, accepted.skill, proposal.provider, partial(self._tried, act, said)
            )
        except Begun as error:  # the provider was called: only it can tell
            raise error
        except (LedgerError, ConfigError) as error:  # not written down, so not paid
            reason = refusal(error, order.currency, language)
            return Reply(said["failed"].format(reason=reason), kind="alert")
        return self._reply(outcome, proposal, said)

    def _done(self, accepted: Open, said: Mapping[str, str]) -> Reply:
        """Do what only wanted a yes: no money moves, so the ledger has nothing to keep."""
        proposal = accepted.proposal
        if proposal.commit is None:
            return Reply(said["not done"].format(reason=said["no way"]), kind="alert")
        outcome = self._tried(partial(_by_skill, proposal.commit), said, accepted.order)
        if outcome.state == "paid":
            return Reply(outcome.text, title=proposal.title)
        return Reply(said["not done"].format(reason=outcome.text), kind="alert")

    def _tried(
        self, act: Callable[[Order], Outcome], said: Mapping[str, str], order: Order
    ) -> Outcome:
        """Carry an order out; whatever is raised becomes what is known of it."""
        try:
            outcome = act(order)
            if not isinstance(outcome, Outcome):
                raise PluginError(f"returned {type(outcome).__name__}: a provider returns Outcomes")
            return outcome
        except NotCommitted as error:
            return Outcome("refused", str(error))
        except BaseException as error:  # the plugin boundary: what it raises, money may have moved
            log.warning("a payment ended in %s", type(error).__name__)
            reason: object = error
            if isinstance(error, PluginError):
                self.fault = str(error)
                reason = said["broke"]
            elif not isinstance(error, (GlassesError, DeviceError, OSError, sqlite3.Error)):
                self.fault = f"raised {type(error).__name__}"
                reason = said["broke"]
            return Outcome("unknown", str(reason))

    def _reply(self, outcome: Outcome, proposal: Proposal, said: Mapping[str, str]) -> Reply:
        match outcome.state:
            case "paid":
                return Reply(outcome.text or said[f"{proposal.order} done"], title=proposal.title)
            case "refused":
                return Reply(said["failed"].format(reason=outcome.text), kind="alert")
        if outcome.text == PENDING:
            return Reply(said["pending"], title=proposal.title)
        reason = outcome.text or said["silent"]
        if reason == ANOTHER:
            self.fault = "paid something else than was shown"
            reason = said["another"]
        return Reply(said["unknown"].format(reason=reason.rstrip(".。")), kind="alert")

    def unanswered(self, language: str) -> Reply:
        """Report a commit that takes too long; its outcome is still written down if it comes."""
        said = SAID[language]
        return Reply(said["unknown"].format(reason=said["late"]), kind="alert")

    # -- what is known ----------------------------------------------------------------------------

    def recovered(self, language: str) -> list[Reply]:
        """Ask what became of everything that is open, and return what the wearer is told of it."""
        try:
            return [news(entry, language) for entry in self.teller.recover()]
        except LedgerError as error:
            log.warning("the ledger cannot be read: %s", error.why)
            return []

    def begun_since(self, at_s: float) -> bool:
        """Say whether a payment was begun at or after a moment, in seconds since 1970.

        It may have been where the ledger cannot be read.
        """
        try:
            return self.teller.ledger.since(datetime.fromtimestamp(int(at_s), UTC)) > 0
        except LedgerError as error:
            log.warning("the ledger cannot be read: %s", error.why)
            return True

    def unresolved(self) -> int:
        """Return how many payments have no known outcome, from power cuts or failed providers."""
        return self.teller.unresolved()


def _by_skill(commit: Callable[..., Receipt], order: Order) -> Outcome:
    """Let a skill carry it out itself; its receipt is what came of it."""
    payment = Payment(order.amount, order.currency, order.payee)
    receipt = _given(commit, payment)(order.key)
    if not isinstance(receipt, Receipt):
        raise PluginError(f"returned {type(receipt).__name__}: a commit returns a Receipt")
    return Outcome("paid", receipt.text, receipt.reference, receipt.paid)


def _refund(provider: object, teller: Teller, order: Order) -> Outcome:
    """Have money given back, where the provider can."""
    from agent.skill.payments import Refunds

    paid = teller.find(order.of)
    if not isinstance(provider, Refunds) or paid is None:
        raise NotCommitted("no refund")
    return provider.refund(order, paid.order)


def _given(commit: Callable[..., Receipt], shown: Payment) -> Callable[[str], Receipt]:
    """Return a commit that takes its key alone; one that takes two things is given `shown` too."""
    try:
        parameters = inspect.signature(commit).parameters.values()
    except (TypeError, ValueError):  # a function in C may not tell
        return commit
    needed = [p for p in parameters if p.default is p.empty and p.kind <= p.POSITIONAL_OR_KEYWORD]
    return commit if len(needed) < 2 else lambda key: commit(key, shown)
