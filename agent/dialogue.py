"""What was said before: questions of the agent's that are open, and words that point back.

A turn is first read on its own. Where that gives no command, it may be the answer to a question
("Pay $20 to …?" – "anna"), a correction ("no, fifty"), one more of the same ("and to the museum"),
or two commands in one sentence. Words that stand for something ("there", "him") are replaced by
what was last meant, whichever stage had understood it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent import controls
from agent.chat import is_question
from agent.messages import Intent, NotRecognized, Transcript, Verdict
from agent.sayable import Saying
from agent.skill import Action
from agent.understand.phrase import phrase
from agent.understand.router import Decision, Router
from agent.understand.templates import read
from agent.understand.text import clean, readings
from agent.understand.yesno import answer

EXPIRES_S = 30.0
"""A question not answered in this time is no longer open, as a proposal is not."""
TRIES = 2
"""Times a question is asked before it is dropped."""

PARTS = 3
"""Commands in one sentence, at most."""

_AGAIN = {
    "en": re.compile(
        r"^(?:(?:no|nope|wait|sorry|oops|actually|yes but|ok but|but|i mean|i meant|i said|rather"
        r"|not that|make (?:it|that)|change (?:it|that) to|it's|should be)\b[\s,]*)+",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"^(?:不是|不对|不|等等|等一下|对不起|我是说|我说的是|我的意思是|是的但是|但是|改成|换成|改为"
        r"|应该是|要的是)+[是，,\s]*"
    ),
}
"""What comes before a correction."""

_POLITE = re.compile(
    r"(?:(?:thanks|thank you)(?: very much| so much| a lot)?|please|sorry|now|谢谢你?|了|吧)?",
    re.IGNORECASE,
)
"""Asks for nothing: after a no, or beside a command."""

SHORT = {"en": 2, "zh": 3}
"""Words, or characters, of a yes or no that is meant for nothing: "no thanks", 不用了."""

_MORE = {
    "en": re.compile(r"^(?:and|and then|what about|how about|and what about)\s+", re.IGNORECASE),
    "zh": re.compile(r"^(?:那么|那|还有|再来)\s*"),
}
"""What comes before one more of the same."""
_MORE_ENDS = re.compile(r"(?:\s+(?:too|as well|instead|then|rather)|[呢吧])$")
_ADDED = re.compile(r"^(?:in|with|without|from|by|of|for)\s", re.IGNORECASE)
"""Begins what narrows a thing down: "in blue"."""

_AND = {
    "en": re.compile(r"\s+(?:and then|then|and also|and)\s+|[,;]\s*(?:and|then)?\s*", re.I),
    "zh": re.compile(r"[，,；;]\s*(?:然后|再|并且|还有)?|然后再?|并且|还有|接着|(?<!^)再(?!见)"),
}
"""Stands between two commands."""

POINTING: Mapping[str, frozenset[str]] = {
    "place": frozenset(
        ("there", "here again", "the same place", "那里", "那儿", "那边", "同一个地方")
    ),
    "payee": frozenset(("him", "her", "them", "the same person", "他", "她", "他们", "同一个人")),
}
"""Words that point back, by the slot they may stand in. What "it" is the skill that showed it knows
best."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the agent has asked back, and waits to hear."""

    options: tuple[Intent, ...]
    """One call that lacks a slot, or the calls to choose among."""
    slot: str | None
    """The slot that was asked for; None where the wearer chooses."""
    asked: int = 1
    """How often it was asked."""
    asked_s: float = 0.0
    """When, on the dialogue's clock."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a turn comes to."""

    intents: tuple[Intent, ...]
    """The calls, in order; none where nothing was understood."""
    decision: Decision
    """What the router made of the whole of it."""
    question: Question | None = None
    """What to ask instead of acting."""
    instead: bool = False
    """The wearer has corrected the last call: these take its place."""
    declined: bool = False
    """The wearer wants no more of the question that was open."""
    left: str = ""
    """Words beside a command of which nothing was understood."""


class Dialogue:
    """Turns what was said, and what was said before, into calls."""

    def __init__(
        self,
        router: Router,
        actions: Mapping[str, Action],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Remember nothing yet; the mapping may change while the agent runs.

        `clock` gives seconds and is virtual in tests.
        """
        self._router = router
        self._actions = actions
        self._clock = clock
        self._question: Question | None = None
        self._last: Intent | None = None
        self._mentioned: dict[str, Any] = {}

    def acted(self, intent: Intent) -> None:
        """Note what was done, for words that point back to it."""
        self._last = intent
        self._mentioned.update({k: v for k, v in intent.slots.items() if v is not None})

    @property
    def question(self) -> Question | None:
        """The open question, unless its time is over or a skill that it is about is gone."""
        question = self._question
        if question is None or self._clock() - question.asked_s > EXPIRES_S:
            return None
        return question if all(one.name in self._actions for one in question.options) else None

    def drop(self) -> None:
        """Forget the question: it was answered, or the wearer wants no more of it."""
        self._question = None

    def _open(self, options: tuple[Intent, ...], slot: str | None, asked: int = 1) -> Question:
        self._question = Question(options, slot, asked, self._clock())
        return self._question

    def foresee(self, transcript: Transcript) -> Intent | None:
        """Return the one complete call that words are on their own; nothing is remembered."""
        if self.question is not None:
            return None
        meaning = self._router.route(transcript, quick=True)
        complete = isinstance(meaning, Intent) and not meaning.missing
        return self._pointed(meaning) if complete and isinstance(meaning, Intent) else None

    def understand(self, transcript: Transcript) -> Understood:
        """Return the calls that a turn makes, or the question to ask."""
        question, self._question = self.question, None
        decision = self._router.decide(transcript)
        meaning, language = decision.meaning, transcript.language
        text = clean(transcript.text)
        if isinstance(meaning, Intent) and meaning.stage == "templates":
            if _joined(meaning) and (found := self._together(transcript, decision)):
                return found
            return self._settled((meaning,), decision)
        if (control := controls.control(text)) is not None:
            self._question = None if control == "stop" else question
            return Understood((), decision, declined=control == "stop" and question is not None)
        if question is not None and answer(text) == "no":
            return Understood((), decision, declined=True)
        if question is not None and self._left(question, meaning):
            question = None
        if question is not None and (intent := self._answered(question, text, language)):
            return self._settled((intent,), _by("answer", intent, decision))
        if intent := self._corrected(text, language, isinstance(meaning, Intent)):
            same = self._last is not None and intent.name == self._last.name
            settled = self._settled((intent,), _by("correction", intent, decision))
            return replace(settled, instead=same)
        if found := self._together(transcript, decision):
            return found
        if isinstance(meaning, Intent):
            settled = self._settled((meaning,), decision)
            return replace(settled, left=self._beside(transcript, meaning))
        if intent := self._more(text, language):
            return self._settled((intent,), _by("more of the same", intent, decision))
        if question is not None and question.asked < TRIES:
            again = self._open(question.options, question.slot, question.asked + 1)
            return Understood((), decision, again)
        if meaning.options:
            lacking = meaning.options[0].missing if len(meaning.options) == 1 else ()
            asked = self._open(meaning.options, lacking[0] if lacking else None)
            return Understood((), decision, asked)
        return Understood((), decision)

    def _settled(self, intents: tuple[Intent, ...], decision: Decision) -> Understood:
        """Replace words that point back; ask for what is missing."""
        intents = tuple(map(self._pointed, intents))
        lacking = next((intent for intent in intents if intent.missing), None)
        if lacking is not None:
            return Understood((), decision, self._open((lacking,), lacking.missing[0]))
        return Understood(intents, decision)

    # -- answers ------------------------------------------------------------------------------

    def _left(self, question: Question, meaning: Intent | NotRecognized) -> bool:
        """Whether the wearer left a question that any words answer for another skill's command."""
        asked = question.options[0]
        if question.slot is None or not self._actions[asked.name].kind(question.slot).is_open:
            return False
        return isinstance(meaning, Intent) and meaning.skill != asked.skill

    def _answered(self, question: Question, text: str, language: str) -> Intent | None:
        if question.slot is not None:
            return self._filled(question.options[0], question.slot, text, language)
        options = question.options
        if len(options) == 1:
            return options[0] if answer(text) == "yes" else None
        words = set(_words(text, language))
        shared = [len(words & set(_words(self.words(one), language))) for one in options]
        best = max(shared)
        return options[shared.index(best)] if best and shared.count(best) == 1 else None

    def _filled(self, intent: Intent, slot: str, text: str, language: str) -> Intent | None:
        """Return the call with a slot filled by a text, as it is or without politeness."""
        action = self._actions[intent.name]
        for reading in readings(text, language):
            try:
                value, _ = read(action, slot, reading, language)
            except ValueError:
                continue
            missing = tuple(name for name in intent.missing if name != slot)
            return replace(intent, slots={**intent.slots, slot: value}, missing=missing)
        return None

    # -- words that point back ----------------------------------------------------------------

    def _pointed(self, intent: Intent) -> Intent:
        slots, missing = dict(intent.slots), list(intent.missing)
        for slot, words in POINTING.items():
            value = slots.get(slot)
            if not isinstance(value, str) or value.strip().casefold() not in words:
                continue
            if slot in self._mentioned:
                slots[slot] = self._mentioned[slot]
            else:
                del slots[slot]
                missing.append(slot)
        return replace(intent, slots=slots, missing=tuple(missing))

    def _corrected(self, text: str, language: str, understood: bool) -> Intent | None:
        """Return the last call with the slot that a correction names changed.

        Slots that take any words are changed only where the text is not `understood` by itself and
        asks nothing: "make it a bit louder" and "actually, what is the time" correct no song.
        """
        rest = _AGAIN[_known(language)].sub("", text)
        if rest == text or _POLITE.fullmatch(rest) or self._last is None:
            return None
        exact = self._router.exactly(Transcript(rest, language))
        return exact or self._changed(rest, language, understood or is_question(rest))

    def _changed(self, words: str, language: str, closed: bool = False) -> Intent | None:
        """Return the last call with these words in a slot; `closed`: in a list or number."""
        last = self._last
        if last is None or last.name not in self._actions:
            return None
        action = self._actions[last.name]
        words = re.sub(r"^(?:(?:to|at|for|the|a|an)\s+)+", "", words, flags=re.I)
        words = _MORE_ENDS.sub("", words)
        # What only certain words can fill comes first, then what was said last.
        slots = [
            slot
            for slot in action.declaration.slots
            if slot.name in last.slots and not (closed and action.kind(slot.name).is_open)
        ]
        for slot in sorted(slots, key=lambda slot: action.kind(slot.name).is_open):
            if intent := self._filled(last, slot.name, words, language):
                return replace(intent, stage="dialogue", language=language)
        return None

    def _more(self, text: str, language: str) -> Intent | None:
        """Return the last call with another value: "what about bread", "and in blue"."""
        rest = _MORE[_known(language)].sub("", text, count=1)
        if self._last is None or not rest or (rest == text and not _MORE_ENDS.search(text)):
            return None
        if _ADDED.match(rest):
            for name, value in self._last.slots.items():
                if isinstance(value, str) and self._actions[self._last.name].kind(name).is_open:
                    slots = {**self._last.slots, name: f"{value} {rest}"}
                    return replace(self._last, slots=slots, stage="dialogue")
        return self._changed(rest, language)

    def _together(self, transcript: Transcript, decision: Decision) -> Understood | None:
        """Return what a sentence that joins commands comes to; None where it joins none.

        Each is foreseen by a template. Where two would move money, or where two are understood and
        a third is not, nothing is done: the wearer is asked which of them it is to be.
        """
        parts = _parts(transcript)
        if not 1 < len(parts) <= PARTS:
            return None
        found = [self._router.exactly(replace(transcript, text=part)) for part in parts]
        intents = [one for one in found if one is not None]
        if len(intents) < 2:
            return None
        money = [self._actions[one.name].declaration.risk == "money" for one in intents]
        if len(intents) < len(parts) or sum(money) > 1:
            several = NotRecognized("several commands, not all of them at once", tuple(intents))
            decision = replace(decision, meaning=several)
            return Understood((), decision, self._open(several.options, None))
        # A proposal is asked about, so it comes last.
        ordered = tuple(sorted(intents, key=lambda one: money[intents.index(one)]))
        return self._settled(ordered, _by("two commands", ordered[0], decision))

    def _beside(self, transcript: Transcript, meaning: Intent) -> str:
        """Return what a sentence joins to a command that is one of its parts, where it is none."""
        parts = _parts(transcript)
        if not 1 < len(parts) <= PARTS or _joined(meaning):
            return ""
        found = [self._router.route(replace(transcript, text=part), quick=True) for part in parts]
        if [one.name for one in found if isinstance(one, Intent)] != [meaning.name]:
            return ""
        others = (
            part for part, one in zip(parts, found, strict=True) if not isinstance(one, Intent)
        )
        language = _known(transcript.language)
        return ", ".join(part.strip() for part in others if not _is_aside(part, language))

    # -- asking -------------------------------------------------------------------------------

    def words(self, intent: Intent, asking: str | None = None) -> str:
        """Return a call as a sentence, with a blank for the slot that is asked for."""
        return phrase(self._actions[intent.name], intent, asking)

    def ask(self, question: Question, language: str) -> str:
        """Return the question in words."""
        said = controls.SAID[_known(language)]
        if question.slot is not None:
            words = self.words(question.options[0], question.slot)
            return said["ask"].format(phrase=words[:1].upper() + words[1:])
        options = said["or"].join(map(self.words, question.options))
        return said["which"].format(options=options[:1].upper() + options[1:])

    def sayings(self, language: str) -> Iterator[Saying]:
        """Yield what the open question makes worth hearing."""
        question = self.question
        if question is None:
            return
        if question.slot is None:
            for option in question.options:
                yield Saying("agent.answer", self.words(option), {}, weight=4.0)
            return
        action = self._actions[question.options[0].name]
        for saying in action.sayings(language):
            if question.slot in saying.slots:
                values = saying.slots[question.slot]
                if values is not None:  # a sentence of free text alone would swallow all others
                    slots = {question.slot: values}
                    yield Saying(
                        "agent.answer", f"{{{question.slot}}}", slots, saying.rules, weight=4.0
                    )
                return


def _by(stage: str, intent: Intent, decision: Decision) -> Decision:
    """Note that what was said before decided."""
    verdict = Verdict("dialogue", intent.name, reason=stage)
    return Decision(intent, (*decision.verdicts, verdict))


def _parts(transcript: Transcript) -> list[str]:
    """Return what stands between the joining words of a sentence."""
    parts = _AND[_known(transcript.language)].split(transcript.text)
    return [part for part in parts if part.strip()]


def _is_aside(part: str, language: str) -> bool:
    """Whether it asks for nothing ("well", "hey glasses", "thanks") or is the agent's own word."""
    bare = readings(clean(part), language)[-1]
    words = len(_words(bare, language))
    if words < 2 or _POLITE.fullmatch(bare) or controls.control(bare) is not None:
        return True
    return words <= SHORT[language] and answer(bare) in ("yes", "no")


def _joined(intent: Intent) -> bool:
    """Whether words for two things stand in one slot: "play jazz and take me home"."""
    values = (value for value in intent.slots.values() if isinstance(value, str))
    return any(joiner.search(value) for value in values for joiner in _AND.values())


def _known(language: str) -> str:
    return language if language in controls.SAID else "en"


def _words(text: str, language: str) -> list[str]:
    text = text.casefold()
    return list(text.replace(" ", "")) if language == "zh" else text.split()
