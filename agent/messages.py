"""The messages that travel through the agent: transcript, intent, reply, proposal.

All frozen and slotted; times are ms since the start of the audio unless a name says otherwise.
"Not recognised" is a value here, never an exception. A cancel scope goes with what takes time.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from agent.errors import Cancelled, EngineError
from hardware.base import Sketch

CardKind = Literal[
    "answer",
    "list",
    "route",
    "translation",
    "proposal",
    "alert",
    "progress",
    "playing",
    "dashboard",
]


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard."""

    text: str
    """The words, lower case from embedded engines; empty when nothing was understood."""
    language: str = "en"
    """ISO 639-1 code: `en`, `zh`."""
    confidence: float = 1.0
    """0 … 1; typed text is 1."""
    final: bool = True
    """False while the wearer still speaks."""
    engine: str | None = None
    """Engine that heard it (`pocketsphinx`, `faster-whisper tiny.en`); None when typed."""
    wearer: float | None = None
    """How probably the wearer said it, 0 … 1, and 0.5 where that cannot be told; None when it was
    typed, and while no voice is enrolled."""


@dataclass(frozen=True, slots=True)
class Intent:
    """Which action of which skill, with its slots."""

    skill: str
    """Skill name, such as `music`."""
    action: str
    """Action name within the skill, such as `play`."""
    slots: Mapping[str, Any] = field(default_factory=dict)
    """Values by slot name, converted to the parameter's type."""
    stage: str = "templates"
    """Router stage that decided."""
    language: str = "en"
    """Language of the sentence that was recognised, which may differ from most of its words."""
    missing: tuple[str, ...] = ()
    """Required slots that were not said; they are asked for, one at a time."""

    @property
    def name(self) -> str:
        """`skill.action`."""
        return f"{self.skill}.{self.action}"


@dataclass(frozen=True, slots=True)
class NotRecognized:
    """No installed skill can do what was said; a proper answer, not an error."""

    reason: str = "no sentence matches"
    """Why, for people who debug: never shown to the wearer."""
    options: tuple[Intent, ...] = ()
    """What it may have been, likeliest first: the wearer is asked which."""
    left: tuple[str, ...] = ()
    """Words that the options do not carry, which the wearer is told."""
    needs: str = ""
    """What a question plainly needs, of `KNOWS`; empty where that was not looked at."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one stage of the router made of an utterance, for people who ask why."""

    stage: str
    """`templates`, `words`, `meaning`, `pocket`, `semantic`, `qwen`."""
    intent: str | None
    """`skill.action`, or a skill alone; None when the stage took it for none."""
    probability: float | None = None
    """0 … 1, where the stage gives one."""
    reason: str = ""
    """One line."""
    took_ms: float = 0.0
    """How long it took."""


class CancelScope:
    """One piece of work that can be called off or run out of time. Safe across threads."""

    def __init__(self, timeout_s: float = math.inf) -> None:
        """Start the clock; without `timeout_s` only `cancel()` ends the scope."""
        self.timeout_s = timeout_s
        self._deadline_s = time.monotonic() + timeout_s
        self._flag = threading.Event()

    def within(self, timeout_s: float) -> CancelScope:
        """Return a scope that this one cancels too, and that ends after `timeout_s` at most."""
        inner = CancelScope(min(timeout_s, self.remaining_s))
        inner._flag = self._flag
        return inner

    def cancel(self) -> None:
        """Call the work off, with every scope made by `within`. Calling it twice is fine."""
        self._flag.set()

    @property
    def cancelled(self) -> bool:
        """True once `cancel()` was called; running out of time does not count."""
        return self._flag.is_set()

    @property
    def remaining_s(self) -> float:
        """Seconds left, never negative; infinity without a deadline."""
        return max(0.0, self._deadline_s - time.monotonic())

    def check(self, what: str) -> None:
        """Go on, or raise Cancelled or EngineError; `what` names the work: "Qwen3"."""
        if self.cancelled:
            raise Cancelled(f"{what}: cancelled")
        if self.remaining_s <= 0:
            raise EngineError(
                f"{what}: no answer within {self.timeout_s:.3g} s; "
                "ask for less text or allow more time"
            )


@dataclass(frozen=True, slots=True)
class Reply:
    """What the wearer gets."""

    text: str = ""
    """The answer; its first line carries it. Newlines are kept."""
    title: str = ""
    """Short heading, at most half a line."""
    kind: CardKind = "answer"
    """How it is laid out."""
    speech: str | None = None
    """What to say aloud where answers are said; None says the text, and an empty one nothing."""
    undo: Callable[[], Reply | None] | None = None
    """Takes back what the action has done; called at most once, when the wearer says “undo”."""
    partial: bool = False
    """More of the text is on its way: an answer that is lit as it comes."""
    sketch: Sketch = ()
    """Of a `route`: what lenses that are drawn show in the place of its arrow."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What the wearer was shown and has agreed to."""

    amount: Decimal
    """How much, in `currency`."""
    currency: str
    """ISO 4217 code."""
    payee: str
    """Who gets it, as the wearer knows them."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider said about a committed proposal."""

    text: str
    """What the wearer is told."""
    reference: str = ""
    """The provider's own reference, if any."""
    paid: Payment | None = None
    """What the provider says was paid. Where it is not what was shown, the outcome is unknown."""


OrderKind = Literal["payment", "refund", "top-up"]


@dataclass(frozen=True, slots=True)
class Order:
    """What a payment provider is to do: all of it is in the ledger before the provider is called.

    So it can be asked about again, word for word, by a process that knows nothing else of it.
    """

    key: str
    """Idempotency key: the same key is the same payment, however often it is sent."""
    amount: Decimal
    """How much, in `currency`; above zero."""
    currency: str
    """ISO 4217 code."""
    payee: str
    """Who gets it, as the wearer was shown."""
    account: str
    """Who that is, by an id that stays the same when the name changes."""
    details: Mapping[str, str] = field(default_factory=dict)
    """What the provider needs besides, as the proposal gave it."""
    kind: OrderKind = "payment"
    """`payment`; `refund` of the order whose key is `of`; `top-up` of the provider's account."""
    of: str = ""
    """Key of the order that is given back."""
    reference: str = ""
    """The provider's own reference, when it is asked about what it gave one for."""

    def __post_init__(self) -> None:
        """Refuse a `float`, which cannot hold a cent, with TypeError."""
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"an amount is a Decimal, and this is a {type(self.amount).__name__}")


OutcomeState = Literal["paid", "refused", "unknown", "absent"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a payment provider says of an order."""

    state: OutcomeState
    """`paid`; `refused`, now and for ever; `unknown`, ask again; `absent`: it knows no such key,
    which may still be on its way."""
    text: str = ""
    """What the wearer is told, in their words; of a refusal, why."""
    reference: str = ""
    """The provider's own reference, if any."""
    paid: Payment | None = None
    """What the provider says was paid, where it says so; compared to what was agreed to."""


@dataclass(frozen=True, slots=True)
class Proposal(Reply):
    """A reply with an effect that has NOT happened yet; only the agent can commit it.

    It is carried out by `commit`, or by the payment `provider` that it names, which can be asked
    what became of it after a loss of power. One that moves no money only wants a yes first.
    """

    amount: Decimal = Decimal(0)
    """How much would move, in `currency`; shown before anything is asked."""
    currency: str = "USD"
    """ISO 4217 code."""
    payee: str = ""
    """Who would get it, as the wearer knows them."""
    commit: Callable[[str], Receipt] | Callable[[str, Payment], Receipt] | None = None
    """Carries the effect out under the idempotency key it is given. Called once, by the gate, which
    also gives it the `Payment` that was shown if it takes a second argument: pay that."""
    provider: str = ""
    """Name of the payment provider that carries it out; then no `commit` is needed."""
    account: str = ""
    """Who the payee is, by an id that stays the same when the name changes; else `payee`."""
    details: Mapping[str, str] = field(default_factory=dict)
    """What the provider needs besides. It goes into the ledger: no secret belongs here."""
    order: OrderKind = "payment"
    """As in `Order.kind`."""
    of: str = ""
    """As in `Order.of`."""
    asks: bool = False
    """Whether it only asks first and moves no money: then an action of any other risk than `money`
    may return it, and it is in no ledger."""
