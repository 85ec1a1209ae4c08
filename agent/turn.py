"""A turn: one exchange from first sound to last glyph, and when each stage was done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

from agent.language.controls import Own
from agent.messages import Intent, NotRecognized, Proposal, Reply, Transcript, Verdict
from agent.skill.slots import to_json
from hardware.base import Frame

Clock = Callable[[], float]
"""Gives the time in ms since a turn's own beginning."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """How a turn came about, as far as answering it depends on that."""

    clock: Clock
    """The turn's time."""
    own: Own | None = None
    """What it says to the agent itself: a nod says yes without a word. None where nothing was asked
    and nothing else went on: then it is read only if no skill's sentence fits."""
    seen: str | None = None
    """Key of the proposal that was open when the wearer began to speak, typed or nodded: a yes is
    a yes to this one, or to none."""
    reopens: bool = False
    """Whether the wearer may turn out not to have finished: another turn then takes its place."""
    final: Callable[[], None] = lambda: None
    """Told that the turn has had an effect, so that nothing may take its place."""


@dataclass(frozen=True, slots=True)
class Timings:
    """When each stage was done, in ms since the start of the audio (of the line, when typed)."""

    speech_end: float | None = None
    """Last sample of speech, by energy on the audio itself."""
    endpoint: float | None = None
    """The turn was judged to have ended."""
    transcript: float | None = None
    """The final transcript was there."""
    intent: float | None = None
    """The router had decided."""
    reply: float | None = None
    """The skill had answered."""
    first_glyph: float | None = None
    """The display had accepted the first frame of the answer."""

    def rounded(self) -> dict[str, float | None]:
        """Return them by name, to a tenth of a ms."""
        times = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: None if t is None else round(t, 1) for name, t in times.items()}


@dataclass(frozen=True, slots=True)
class Turn:
    """What was heard, what it meant, what was answered, and when."""

    source: str
    """Where it came from: `microphone`, a file's path, `text`."""
    transcript: Transcript
    """What was heard or typed."""
    intent: Intent | NotRecognized | None = None
    """What it meant; None when nothing was said or it only answered a question."""
    verdicts: tuple[Verdict, ...] = ()
    """What each stage of the router made of it, in order."""
    before: tuple[Intent, ...] = ()
    """What was done before `intent`, where the wearer asked for two things at once."""
    reply: Reply | None = None
    """What the wearer got; None when nothing was said."""
    frames: tuple[Frame, ...] = ()
    """The reply as it was laid out, page by page."""
    timings: Timings = Timings()
    """When each stage was done."""
    error: str | None = None
    """One line, when something failed; the reply says it to the wearer in plain words."""
    model: str | None = None
    """Name of the language model that had a part in it."""
    replaces: bool = False
    """The wearer had not finished: this turn includes the one before it and takes its place."""

    def as_json(self) -> dict[str, Any]:
        """Return the documented machine-readable form; its keys are stable."""
        intent, reply = self.intent, self.reply
        return {
            "source": self.source,
            "language": self.transcript.language,
            "transcript": self.transcript.text,
            "confidence": round(self.transcript.confidence, 3),
            "engine": {
                "asr": self.transcript.engine,
                "route": intent.stage if isinstance(intent, Intent) else None,
                "model": self.model,
            },
            "intent": intent_json(intent) if isinstance(intent, Intent) else None,
            "reply": None if reply is None else reply_json(reply, self.frames),
            "timings_ms": self.timings.rounded(),
            "replaces": self.replaces,
            "error": self.error,
        }


def kept(turns: Iterable[Turn]) -> list[Turn]:
    """Return the turns whose place no later one took."""
    found: list[Turn] = []
    for turn in turns:
        if turn.replaces:
            del found[-1:]
        found.append(turn)
    return found


def intent_json(intent: Intent) -> dict[str, Any]:
    """Return `{"skill", "action", "slots"}`, and `missing` where slots are to be asked for."""
    slots = {name: to_json(value) for name, value in intent.slots.items() if value is not None}
    found = {"skill": intent.skill, "action": intent.action, "slots": slots}
    return {**found, "missing": list(intent.missing)} if intent.missing else found


def reply_json(reply: Reply, frames: tuple[Frame, ...]) -> dict[str, Any]:
    """Return `{"title", "text", "lines", "proposal"}`; amounts are exact decimal strings."""
    proposal = None
    if isinstance(reply, Proposal):
        proposal = {
            "amount": f"{reply.amount:.2f}",
            "currency": reply.currency,
            "payee": reply.payee,
        }
    return {
        "title": reply.title,
        "text": reply.text,
        "lines": [line.text for frame in frames for line in frame.lines],
        "proposal": proposal,
    }
