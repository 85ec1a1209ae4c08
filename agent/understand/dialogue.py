"""What was said before: the agent's open questions, and words that point back.

A turn is first read on its own. If that gives no command, it may be the answer to a question
("Pay $20 to …?" – "anna"), a correction ("no, fifty"), one more of the same ("and to the museum"),
or two commands in one sentence. Words that stand for something ("there", "him") are replaced by
what was last meant, whichever stage had understood it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from agent.derive.phrase import named, phrase
from agent.errors import EngineError
from agent.language import controls
from agent.language.controls import Control, Own
from agent.language.folding import read_aloud
from agent.language.said import SAID, said_in
from agent.language.saying import Saying
from agent.language.text import clean, is_question, language_of, readings, unaddressed
from agent.language.yesno import answer, correction
from agent.messages import Intent, NotRecognized, Transcript, Verdict
from agent.skill.declare import Action
from agent.understand.router import Decision, Router
from agent.understand.templates import read

if TYPE_CHECKING:
    from agent.understand.knowledge import Needs

EXPIRES_S = 30.0
"""A question that is not answered in this time is closed, as a proposal is."""
TRIES = 2
"""Times a question is asked before it is dropped."""

SPLICED = 8
"""Most words, or characters, at the end of a command that a correction replaces."""
PARTS = 3
"""Commands in one sentence, at most."""

_CORRECTS = re.compile(
    r"[\s,.;!…-]+(?=(?:no|nope|wait|hold on|actually|sorry|oops|rather|i mean|i meant|make (?:it"
    r"|that)"
    r"|scratch that|correction|change (?:it|that))\b)|[\s，,。；;]*(?=(?<![是不])不(?:是"
    r"|对)?[，,\s]|不对|不是|错了"
    r"|说错了|等等|等一下|我是说|我的意思是|应该是|改成|改为|换成)",
    re.IGNORECASE,
)
"""Stands before a correction within a sentence: "pay anna twenty, no, fifty"."""
_SET_OFF = re.compile(r"(?:[a-z']+ ?){1,3}[,;.]|[^，,。；]{1,5}[，,。；]", re.IGNORECASE)
"""Words that correct by themselves, as their punctuation shows."""
_HESITATES = re.compile(
    r"(?:[\s,]+(?:oh|um+|uh+|er+|ah|well|hm+)|[，,]*[啊哦呃嗯])+$", re.IGNORECASE
)
_STRONG = re.compile(
    r"\s+(?:(?:oh |no |um |uh )*(?:no wait|wait no|no sorry|sorry no|sorry i meant?"
    r"|i meant?(?: to say)?"
    r"|scratch that|no make (?:it|that)|no actually|actually no|wait make (?:it|that)|correction"
    r"|no i meant?))\s+(?:to )?|(?:不对|说错了|我是说|我的意思是|错了)+[，,\s]*(?:是|应该是)?",
    re.IGNORECASE,
)
"""Corrects free words: "the bank no wait the mill", but not "no woman no cry"."""
_ARTICLES = re.compile(r"^(?:(?:to|at|for|the|a|an)\s+)+", re.IGNORECASE)

_POLITE = re.compile(
    r"(?:(?:thanks|thank you)(?: very much| so much| a lot)?|please|sorry|now|谢谢你?|了|吧)?",
    re.IGNORECASE,
)
"""Asks for nothing: after a no, or beside a command."""

SHORT = {"en": 2, "zh": 3}
"""Most words, or characters, of a yes or no that answers nothing: "no thanks", 不用了."""

_MORE = {
    "en": re.compile(r"^(?:and|and then|what about|how about|and what about)\s+", re.IGNORECASE),
    "zh": re.compile(r"^(?:那么|那|还有|再来)\s*"),
}
"""What comes before one more of the same."""
_MORE_ENDS = re.compile(r"(?:\s+(?:too|as well|instead|then|rather)|[呢吧])$")
_ADDED = re.compile(r"^(?:in|with|without|from|by|of|for)\s", re.IGNORECASE)
"""Begins what narrows a thing down: "in blue"."""

_AND = {
    "en": re.compile(
        r"\s+(?:and then|then|and also|and)\s+|[,;.!?](?:\s+|$)(?:and|then)?\s*|[,;，。；]\s*", re.I
    ),
    "zh": re.compile(
        r"[，,；;。！!？?]\s*(?:然后|再|并且|还有)?|然后再?|并且|还有(?![多几])|接着|(?<!^)再(?!见)"
    ),
}
"""Stands between two commands."""
_SENTENCE = re.compile(r"[.!?](?:\s+|$)|[。！？]")
"""Ends a sentence."""

POINTING: Mapping[str, frozenset[str]] = {
    "place": frozenset(
        (
            "there", "over there", "here again", "the same place", "that place", "it",
            "那里", "那儿", "那边", "同一个地方", "那个地方", "过去",
        )
    ),
    "payee": frozenset(
        (
            "him", "her", "them", "the same person", "that person",
            "他", "她", "他们", "她们", "同一个人", "那个人", "这个人",
        )
    ),
}  # fmt: skip
"""Words that point back, by the slot they may stand in. What "it" is the skill that showed it
knows best, but for a place that was just asked about."""
_LEADS = ("", "to ", "到", "去")
"""What may have to stand before the thing pointed at: "there" is "to the mill"."""


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
    left: str = ""
    """What was said that no option carries; the wearer is told."""


@dataclass(frozen=True, slots=True)
class Act:
    """Calls to make."""

    intents: tuple[Intent, ...]
    """The calls, in order."""
    instead: bool = False
    """The wearer has corrected the last call: these take its place."""
    left: str = ""
    """Words beside them that were not understood."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Something to ask before anything is done."""

    question: Question
    """What is open from now on."""


@dataclass(frozen=True, slots=True)
class Obey:
    """One of the agent's own words."""

    control: Control
    """Which."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The wearer does not want to answer the open question."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a turn comes to."""

    decision: Decision
    """What the router made of the whole of it."""
    meant: Act | Ask | Obey | Declined | None = None
    """What it means in the light of what was said before; None if nothing was understood."""


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
        """Forget the question: it was answered, or the wearer does not want to answer it."""
        self._question = None

    def _open(
        self, options: tuple[Intent, ...], slot: str | None, asked: int = 1, left: str = ""
    ) -> Question:
        self._question = Question(options, slot, asked, self._clock(), left)
        return self._question

    def foresee(self, transcript: Transcript) -> Intent | None:
        """Return the one complete call that words make on their own; nothing is remembered."""
        if self.question is not None:
            return None
        meaning = self._router.route(transcript, quick=True)
        if not isinstance(meaning, Intent) or meaning.missing:
            return None
        if self._within(transcript):
            return None  # it is read otherwise when the turn has ended
        return self._pointed(self._mended(meaning))

    def decide(self, transcript: Transcript) -> Decision:
        """Return what a turn means on its own, without what called the glasses; on any thread."""
        return self._router.decide(self._unaddressed(transcript))

    def needs(self, transcript: Transcript, meaning: Intent | NotRecognized) -> Needs:
        """Return what a question needs to know, where the router has not seen it in its `meaning`.

        Some milliseconds; on any thread. Raises EngineError.
        """
        from agent.understand.knowledge import Needs

        if isinstance(meaning, NotRecognized) and meaning.needs:
            return Needs(meaning.needs, p=1.0, none=0.0, ask_from=1.0)
        knowledge = self._router.knowledge
        if knowledge is None:
            raise EngineError("questions are not read here: only sentences are understood")
        return knowledge.needs(self._unaddressed(transcript).text)

    def _unaddressed(self, transcript: Transcript) -> Transcript:
        words = unaddressed(transcript.text, self._router.wake)
        return replace(transcript, text=" ".join(words.split()))

    def understand(self, transcript: Transcript, own: Own | None, decision: Decision) -> Understood:
        """Return what a turn comes to.

        `own` is what it says to the agent itself, where that was read; `decision` is what `decide`
        made of it.
        """
        question, self._question = self.question, None
        transcript = self._unaddressed(transcript)
        meaning, language = decision.meaning, transcript.language
        text = clean(transcript.text)
        if question is not None and (intent := self._rather(question, meaning, text, language)):
            return self._settled((intent,), _by("answer", intent, decision))
        if isinstance(meaning, Intent) and meaning.stage == "templates":
            joined = _joined(meaning) or len(_parts(transcript)) > 1
            if intent := self._within(transcript):
                return self._settled((intent,), _by("corrected within", intent, decision))
            if joined and (found := self._together(transcript, decision)):
                return found
            settled = self._settled((self._mended(meaning),), decision)
            return _beside(settled, self._beside(transcript, meaning))
        own = own or controls.own(text, asked=question is not None)
        if own.control is not None:
            self._question = None if own.control in controls.ENDS else question
            return Understood(decision, Obey(own.control))
        if question is not None and own.answer == "no":
            return Understood(decision, Declined())
        if question is not None and self._left(question, meaning):
            question = None
        if question is not None and (intent := self._answered(question, text, language, own)):
            intent = self._router.as_said(intent, transcript)
            return self._settled((intent,), _by("answer", intent, decision))
        if intent := self._within(transcript):
            return self._settled((intent,), _by("corrected within", intent, decision))
        if intent := self._substituted(transcript):
            return self._settled((intent,), _by("words that point back", intent, decision))
        if intent := self._corrected(text, language, isinstance(meaning, Intent)):
            same = self._last is not None and intent.name == self._last.name
            settled = self._settled((intent,), _by("correction", intent, decision))
            return _instead(settled) if same else settled
        if found := self._together(transcript, decision):
            return found
        if isinstance(meaning, Intent):
            settled = self._settled((self._mended(meaning),), decision)
            return _beside(settled, self._beside(transcript, meaning))
        if intent := self._one_of(transcript, decision):
            settled = self._settled((intent,), _by("a part of it", intent, decision))
            return _beside(settled, self._beside(transcript, intent))
        if intent := self._more(text, language):
            intent = self._router.as_said(intent, transcript)
            return self._settled((intent,), _by("more of the same", intent, decision))
        if meaning.options:
            options = tuple(map(self._pointed, meaning.options))
            lacking = options[0].missing if len(options) == 1 else ()
            left = said_in(language)["comma"].join(dict.fromkeys(meaning.left))
            asked = self._open(options, lacking[0] if lacking else None, left=left)
            return Understood(decision, Ask(asked))
        if question is not None and question.asked < TRIES:
            again = self._open(question.options, question.slot, question.asked + 1, question.left)
            return Understood(decision, Ask(again))
        return Understood(decision)

    def _settled(self, intents: tuple[Intent, ...], decision: Decision) -> Understood:
        """Replace words that point back; ask for what is missing."""
        intents = tuple(map(self._pointed, intents))
        lacking = next((intent for intent in intents if intent.missing), None)
        if lacking is not None:
            return Understood(decision, Ask(self._open((lacking,), lacking.missing[0])))
        return Understood(decision, Act(intents))

    def corrected(self, last: Intent, transcript: Transcript) -> Intent | None:
        """Return a call with what a no puts in its place ("no, tom"); None where it is a mere no.

        Only what a list or a number can hold is put there.
        """
        rest = correction(clean(self._unaddressed(transcript).text))
        if rest is None or _POLITE.fullmatch(rest):
            return None
        changed = self._changed(rest, transcript.language, closed=True, last=last)
        return None if changed is None or changed.slots == last.slots else changed

    # -- answers ------------------------------------------------------------------------------

    def _left(self, question: Question, meaning: Intent | NotRecognized) -> bool:
        """Whether the wearer dropped a question, which any words answer, for another command."""
        asked = question.options[0]
        action = self._actions.get(asked.name)
        if action is None:
            return True
        if question.slot is None or not action.kind(question.slot).is_open:
            return False
        return isinstance(meaning, Intent) and meaning.skill != asked.skill

    def _rather(
        self, question: Question, meaning: Intent | NotRecognized, text: str, language: str
    ) -> Intent | None:
        """Return the call of a question that a text answers or corrects, and begins no other.

        "20" after "Pay Anna …?" is that amount, though a sum may begin so; "no, make it fifty"
        changes what the question has already. Only what a list or a number can hold is read so.
        """
        asked = question.options[0]
        action = self._actions.get(asked.name)
        if question.slot is None or action is None:
            return None
        other = isinstance(meaning, Intent) and meaning.name != asked.name
        begun = not isinstance(meaning, Intent) or (bool(meaning.missing) and other)
        closed = begun and not action.kind(question.slot).is_open
        if closed and (intent := self._filled(asked, question.slot, text, language)):
            return intent
        rest = correction(text)
        if not begun or rest is None or _POLITE.fullmatch(rest):
            return None
        return self._changed(rest, language, closed=True, last=asked)

    def _answered(self, question: Question, text: str, language: str, own: Own) -> Intent | None:
        if question.slot is not None:
            if (slot := question.slot) in self._mentioned and _folded(text) in POINTING.get(
                slot, ()
            ):
                text = next(self._names(slot, language), text)
            return self._filled(question.options[0], slot, text, language)
        options = question.options
        if len(options) == 1:
            return options[0] if own.answer == "yes" else None
        words = set(_words(text, language))
        shared = [len(words & set(_words(self.words(one), language))) for one in options]
        best = max(shared)
        return options[shared.index(best)] if best and shared.count(best) == 1 else None

    def _filled(self, intent: Intent, slot: str, text: str, language: str) -> Intent | None:
        """Return the call with a slot filled by a text, as it is or without politeness."""
        action = self._actions.get(intent.name)
        if action is None:  # a plugin may be gone at any moment
            return None
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

    def _substituted(self, transcript: Transcript) -> Intent | None:
        """Return the command that a text is with what it points at named: "take me there".

        What is pointed at was said to some skill; here another may need it said otherwise.
        """
        text = clean(transcript.text)
        for slot, words in POINTING.items():
            if slot not in self._mentioned:
                continue
            pointing = _anyword(words)
            for name in self._names(slot, transcript.language) if pointing.search(text) else ():
                for lead in _LEADS:
                    said = pointing.sub((lead + name).replace("\\", r"\\"), text)
                    intent = self._router.exactly(replace(transcript, text=said))
                    if intent is not None and _folded(intent.slots.get(slot)) in (
                        _folded(name),
                        _folded(self._mentioned[slot]),
                    ):
                        return replace(intent, stage="dialogue")
        return None

    def _names(self, slot: str, language: str) -> Iterator[str]:
        """Yield the names of what was last meant in a slot, the usual one first."""
        value = self._mentioned[slot]
        for action in tuple(self._actions.values()):
            if any(one.name == slot for one in action.declaration.slots):
                yield named(action, slot, value, language if language in action.languages else "en")
                return

    def _within(self, transcript: Transcript) -> Intent | None:
        """Return the command that a self-correcting sentence comes to: "… no, fifty".

        Both the command and what is said instead have to be foreseen.
        """
        text, language = transcript.text, transcript.language
        if not _CORRECTS.search(text):
            return None
        whole = self._router.exactly(transcript) is not None
        for found in _CORRECTS.finditer(text):
            # "take me to the bank, no, the mill"; and not "play no woman, no cry".
            if whole and not _SET_OFF.match(text[found.end() :]):
                continue
            if not (head := _HESITATES.sub("", text[: found.start()].strip())):
                continue
            decision = self._router.decide(replace(transcript, text=head), quick=True)
            command = decision.meaning
            if not isinstance(command, Intent) and command.options and not command.left:
                command = command.options[0]
            if not isinstance(command, Intent):
                continue
            tail = text[found.end() :]
            rest = correction(clean(tail))
            if rest is None:
                continue
            exact = self._router.exactly(replace(transcript, text=rest))
            if exact is not None and self._pays(exact) <= self._pays(command):
                return exact
            changed = self._changed(rest, language, closed=True, last=command)
            if changed is not None and (not changed.missing or not command.slots.keys()):
                return changed
            if (spliced := self._spliced(head, rest, transcript)) is not None:
                return spliced if spliced.name == command.name else None
            if changed is not None:
                return changed
        return None

    def _spliced(self, head: str, rest: str, transcript: Transcript) -> Intent | None:
        """Return the command that a text is with the end of its `head` replaced by the `rest`.

        "Pay twenty" and "thirty dollars to anna" make "pay thirty dollars to anna".
        """
        chinese = language_of(head) == "zh"
        glue, pieces = ("", list(head)) if chinese else (" ", head.split())
        # The longest first: of "twenty one" and "five" no "twenty five" is made.
        for dropped in range(min(len(pieces) - 1, SPLICED), 0, -1):
            said = glue.join((*pieces[:-dropped], rest))
            if (intent := self._router.exactly(replace(transcript, text=said))) is not None:
                return replace(intent, stage="dialogue")
        return None

    def _mended(self, intent: Intent) -> Intent:
        """Return a call whose free words correct themselves with what was said last in them."""
        action = self._actions.get(intent.name)
        slots = dict(intent.slots)
        for name, value in intent.slots.items():
            if action is None or not isinstance(value, str) or not action.kind(name).is_open:
                continue
            parts = _STRONG.split(value)
            if len(parts) < 2 or not all(part.strip() for part in parts):
                continue
            if _folded(value) not in map(_folded, action.values(name, intent.language) or ()):
                slots[name] = _ARTICLES.sub("", parts[-1].strip())
        return replace(intent, slots=slots)

    def _corrected(self, text: str, language: str, understood: bool) -> Intent | None:
        """Return the last call with the slot that a correction names changed.

        Slots that take any words are changed only where the text is not `understood` by itself and
        asks nothing: "make it a bit louder" and "actually, what is the time" correct no song.
        """
        rest = correction(text)
        if rest is None or _POLITE.fullmatch(rest) or self._last is None:
            return None
        exact = self._router.exactly(Transcript(rest, language))
        return exact or self._changed(rest, language, understood or is_question(rest))

    def _changed(
        self, words: str, language: str, closed: bool = False, last: Intent | None = None
    ) -> Intent | None:
        """Return the `last` call with these words in a slot; `closed`: in a list or number."""
        last = last or self._last
        action = self._actions.get(last.name) if last is not None else None
        if last is None or action is None:
            return None
        words = _MORE_ENDS.sub("", _ARTICLES.sub("", words))
        # What only certain words can fill comes first, then what was said last.
        slots = [
            slot
            for slot in action.declaration.slots
            if slot.name in last.slots and not (closed and action.kind(slot.name).is_open)
        ]
        for slot in sorted(slots, key=lambda slot: action.kind(slot.name).is_open):
            for said in (words, _in_unit_of(last.slots[slot.name], words, language)):
                if said and (intent := self._filled(last, slot.name, said, language)):
                    return replace(intent, stage="dialogue", language=language)
        return None

    def _more(self, text: str, language: str) -> Intent | None:
        """Return the last call with another value: "what about bread", "and in blue"."""
        rest = _MORE[_known(language)].sub("", text, count=1)
        last = self._last
        if last is None or not rest or (rest == text and not _MORE_ENDS.search(text)):
            return None
        action = self._actions.get(last.name)
        if action is not None and _ADDED.match(rest):
            for name, value in last.slots.items():
                if isinstance(value, str) and action.kind(name).is_open:
                    slots = {**last.slots, name: f"{value} {rest}"}
                    return replace(last, slots=slots, stage="dialogue")
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
        money = [self._pays(one) for one in intents]
        if any(money) and self._router.exactly(transcript) is not None:
            # One command that takes any words, "navigate to …", may have taken in a payment.
            paying = [
                part for part, one in zip(parts, found, strict=True) if one and self._pays(one)
            ]
            if not all(map(partial(_is_sentence, transcript.text), paying)):
                return None
        if len(intents) < len(parts) or sum(money) > 1:
            several = NotRecognized("several commands, not all of them at once", tuple(intents))
            decision = replace(decision, meaning=several)
            return Understood(decision, Ask(self._open(several.options, None)))
        # A proposal is asked about, so it comes last.
        ordered = tuple(sorted(intents, key=lambda one: money[intents.index(one)]))
        return self._settled(ordered, _by("two commands", ordered[0], decision))

    def _one_of(self, transcript: Transcript, decision: Decision) -> Intent | None:
        """Return the one command that a part of a sentence says just so, where the whole may be it.

        A stage of the router has to have thought of its skill. No payment: of one nothing may be
        left out.
        """
        parts = _parts(transcript)
        if not 1 < len(parts) <= PARTS:
            return None
        found = [self._router.exactly(replace(transcript, text=part)) for part in parts]
        said = [one for one in found if one is not None]
        likely = {(verdict.intent or "").partition(".")[0] for verdict in decision.verdicts}
        if len(said) != 1 or said[0].skill not in likely or self._pays(said[0]):
            return None
        return said[0]

    def _beside(self, transcript: Transcript, meaning: Intent) -> str:
        """Return what a sentence joins to a command that is one of its parts, where it is none."""
        parts = _parts(transcript)
        if not 1 < len(parts) <= PARTS or _joined(meaning) or self._is_all(transcript, meaning):
            return ""
        found = [self._router.route(replace(transcript, text=part), quick=True) for part in parts]
        if [one.name for one in found if isinstance(one, Intent)] != [meaning.name]:
            return ""
        values = [clean(str(value)) for value in meaning.slots.values()]
        taken = _folded(" ".join([*values, *map(read_aloud, values)]))
        others = (
            part
            for part, one in zip(parts, found, strict=True)
            if not isinstance(one, Intent)
            and not any(_folded(way) in taken for way in (clean(part), read_aloud(clean(part))))
        )
        language = _known(transcript.language)
        return ", ".join(part.strip() for part in others if not _is_aside(part, language))

    def _is_all(self, transcript: Transcript, meaning: Intent) -> bool:
        """Whether a call is all that was said: one sentence, without free words."""
        action = self._actions.get(meaning.name)
        if action is None or any(action.kind(slot).is_open for slot in meaning.slots):
            return False
        return self._router.exactly(transcript) == meaning

    # -- asking -------------------------------------------------------------------------------

    def words(self, intent: Intent, asking: str | None = None) -> str:
        """Return a call as a sentence, with a blank for the slot that is asked for."""
        action = self._actions.get(intent.name)
        if action is None:
            return intent.action.replace("_", " ")
        return phrase(action, intent, asking)

    def _pays(self, intent: Intent) -> bool:
        action = self._actions.get(intent.name)
        return action is not None and action.declaration.risk == "money"

    def ask(self, question: Question, language: str) -> str:
        """Return the question in words."""
        said = SAID[_known(language)]
        if question.slot is not None:
            words = self.words(question.options[0], question.slot)
            asked = said["ask"].format(phrase=words[:1].upper() + words[1:])
        else:
            options = said["or"].join(map(self.words, question.options))
            asked = said["which"].format(options=options[:1].upper() + options[1:])
        if question.left:
            return said["cannot"].format(question=asked, words=question.left)
        return asked

    def sayings(self, language: str) -> Iterator[Saying]:
        """Yield what can be said in answer to the open question."""
        question = self.question
        if question is None:
            return
        if question.slot is None:
            for option in question.options:
                yield Saying("agent.answer", self.words(option), {}, weight=4.0)
            return
        action = self._actions.get(question.options[0].name)
        for saying in action.sayings(language) if action is not None else ():
            if question.slot in saying.slots:
                values = saying.slots[question.slot]
                if values is not None:  # a sentence of free text alone would swallow all others
                    slots = {question.slot: values}
                    yield Saying(
                        "agent.answer", f"{{{question.slot}}}", slots, saying.rules, weight=4.0
                    )
                return


def _beside(understood: Understood, left: str) -> Understood:
    """Note the words beside a command that were not understood."""
    if not isinstance(understood.meant, Act):
        return understood
    return replace(understood, meant=replace(understood.meant, left=left))


def _instead(understood: Understood) -> Understood:
    """Note that the calls take the place of the last one."""
    if not isinstance(understood.meant, Act):
        return understood
    return replace(understood, meant=replace(understood.meant, instead=True))


def _by(stage: str, intent: Intent, decision: Decision) -> Decision:
    """Note that what was said before decided."""
    verdict = Verdict("dialogue", intent.name, reason=stage)
    return Decision(intent, (*decision.verdicts, verdict))


def _anyword(words: Collection[str]) -> re.Pattern[str]:
    """Return a pattern that finds any of these words, the longest first."""
    ways = (
        rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word)
        for word in sorted(words, key=len, reverse=True)
    )
    return re.compile("|".join(ways), re.IGNORECASE)


def _in_unit_of(value: Any, words: str, language: str) -> str:
    """Return a bare number in the unit of a length of time: "make it 20" of 15 minutes."""
    if not isinstance(value, timedelta):
        return ""
    seconds = value.total_seconds()
    unit = 0 if seconds < 60 else 1 if seconds < 3600 else 2
    units = ("秒", "分钟", "小时") if language == "zh" else (" seconds", " minutes", " hours")
    return words + units[unit]


def _folded(value: Any) -> str:
    return str(value).strip().casefold()


def _is_sentence(text: str, part: str) -> bool:
    """Whether a part of a text is a sentence of its own, or its beginning."""
    return any(one.strip().startswith(part.strip()) for one in _SENTENCE.split(text))


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
    return language if language in SAID else "en"


def _words(text: str, language: str) -> list[str]:
    text = text.casefold()
    return list(text.replace(" ", "")) if language == "zh" else text.split()
