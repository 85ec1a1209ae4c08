"""From a transcript to an intent: the stages, cheapest first, each able to say no.

1. **Templates**: exactly what the skills said can be said. What matches is meant, unless most of
   it stands in an open slot ("find …") and the next stage is sure that no skill is.
2. **Semantic**: words that no sentence foresaw. Which skill is meant is settled by opinions that
   are pooled into one calibrated probability (`semantic`), the pocket Qwen's among them, and which
   words fill its slots is the pocket Qwen's to say: it can only copy. Below the pool's bound it is
   no skill's, and where two skills share what there is, the wearer is asked which.
3. **Qwen**: where a real one is there, it chooses among the candidates, or none, bound by a grammar
   made of their schemas.
4. **NotRecognized**.

Money never moves on a guess: an action of risk `money` is recognised by its templates alone. What
merely looks like one is asked about, in words that a template foresees.
"""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import EngineError
from agent.language.numbers import parse_number
from agent.language.text import (
    MAX_CHARACTERS,
    WAKE_PHRASES,
    as_said,
    clean,
    is_plain,
    is_question,
    language_of,
    unaddressed,
)
from agent.language.world import WorldText
from agent.messages import Intent, NotRecognized, Transcript, Verdict
from agent.models.llm.model import Model, NoModel
from agent.skill.declare import Action
from agent.understand import mood, qwen
from agent.understand.homophones import Homophones
from agent.understand.left import left_out
from agent.understand.names import name_of
from agent.understand.spans import lacking, spans
from agent.understand.templates import Match, Templates, begun, read

if TYPE_CHECKING:
    from agent.understand.knowledge import Knowledge
    from agent.understand.pocket.router import Guess, PocketRouter
    from agent.understand.semantic import Ranking, Semantic

log = logging.getLogger(__name__)

MAX_GUESSED = 300
"""Longest text, in characters, that is guessed at: nobody asks for one thing in more, and what is
longer was read out or made up."""

ASK_FROM = 0.25
"""Probability from which a skill is asked about ("directions, or music?") rather than passed over:
what is said is one of at most three things."""
ASK_TOGETHER = 0.75
"""Probability that the skills asked about must have together."""

ACTION_FROM = 0.95
"""Probability of an action within its skill from which it is preferred to a template's."""
SLOTS_FROM = 0.5
"""Confidence of the pocket Qwen in its slots from which they are preferred to a template's."""
NONE_FROM = 0.9
"""Probability that no skill is meant from which no Qwen is asked."""
ASK_UNDER = 0.5
"""Probability that no skill is meant under which the wearer is asked what Qwen was too slow to say:
over it, it was rather said to somebody else."""
BEYOND_FROM = 0.5
"""Probability that no skill is meant from which a question is not put to Qwen's choice that a model
can know, or that plainly needs what no skill knows: "what song is this" looks like one for eyes,
"can you play the beatles" like one that asks what they can."""
AS_LIKELY = 0.2
"""Share of the likeliest action's probability from which another of the skill is looked at."""
MOST_READ = 3
"""Actions of a skill that are looked at."""
BELIEVED_FROM = 0.1
"""Probability of a skill from which a sentence with free words is taken at its word."""

NONE = "none"

Meaning = Intent | NotRecognized


@dataclass(frozen=True, slots=True)
class Decision:
    """What a text means, and what every stage that was asked made of it."""

    meaning: Meaning
    """The call, or that there is none."""
    verdicts: tuple[Verdict, ...] = ()
    """One a stage, in order."""


@dataclass(frozen=True, slots=True)
class Stages:
    """What the router has besides templates; each may be absent, and costs nothing till asked."""

    models: Path | None = None
    """Folder of models: MiniLM may be there, and a pocket Qwen of the user's own."""
    semantic: bool = True
    """False: what no sentence foresaw is not recognised."""
    ask: Callable[[], Model] = NoModel
    """Gives the real Qwen to ask where the semantic stage is unsure, as far as there is one now."""
    sparing: Callable[[], bool] = lambda: False
    """Whether sentences alone are to be understood now: the last of the power is left."""
    learned: Path | None = None
    """What the semantic stage was taught; None takes what ships, or belongs to the reader."""

    @property
    def model(self) -> Model:
        """The real Qwen, if there is one now."""
        return self.ask()


class Router:
    """Asks one stage after the other; the first that is sure decides."""

    def __init__(
        self,
        actions: Mapping[str, Action],
        stages: Stages = Stages(),
        own: Callable[[str], bool] = lambda text: False,
    ) -> None:
        """Route to these actions; the mapping may change while the agent runs.

        `own` says whether a text is for the agent itself ("help", "repeat"): no skill is guessed.
        """
        self.wake: tuple[str, ...] = WAKE_PHRASES
        """What calls the glasses, and is not part of a command."""
        self._actions = actions
        self._own = own
        self._templates = Templates(actions)
        self._begun = Templates(actions, begun)
        self._homophones = Homophones(actions)
        self._guess = _Guess(actions, stages, self._beyond) if stages.semantic else None
        self._stages = stages
        self._loaded = False

    @cached_property
    def knowledge(self) -> Knowledge | None:
        """What questions need; None where only sentences are understood."""
        if not self._stages.semantic:
            return None
        from agent.understand.knowledge import Knowledge

        return Knowledge(self._stages.models)

    def warm(self) -> None:
        """Compile what the first utterance would otherwise wait for."""
        for language in ("en", "zh"):
            self._templates.warm(language)
            self._begun.warm(language)

    def load(self) -> None:
        """Load what the first words that no sentence foresaw would wait for, up to a second.

        From any thread.
        """
        if self._guess is not None and not self._loaded:
            self._loaded = True  # or is just being loaded, for another stream
            self._guess.warm()
            if self.knowledge is not None:
                with suppress(EngineError, ImportError):  # whoever asks is told
                    self.knowledge.needs("what is it made of")

    def route(self, transcript: Transcript, quick: bool = False) -> Meaning:
        """Return the call the words make, or NotRecognized with the reason."""
        return self.decide(transcript, quick).meaning

    def exactly(self, transcript: Transcript) -> Intent | None:
        """Return the call that templates alone see in the words, with every slot that it needs."""
        match = self._match(transcript, clean(unaddressed(transcript.text, self.wake)))
        if match is None or match.missing or self._hidden(match.intent, transcript):
            return None
        return self.as_said(match.intent, transcript)

    def as_said(self, intent: Intent, transcript: Transcript) -> Intent:
        """Return a call with the commas in its free words, which part the things of a list."""
        action = self._actions.get(intent.name)
        if action is None:
            return intent
        free = {
            name: as_said(value, transcript.text)
            for name, value in intent.slots.items()
            if isinstance(value, str) and action.kind(name).is_open
        }
        return replace(intent, slots={**intent.slots, **free}) if free else intent

    def _hidden(self, intent: Intent, transcript: Transcript) -> bool:
        """Whether it is a payment written in look-alike letters."""
        return _risk(self._actions, intent) == "money" and not is_plain(transcript.text)

    def _match(self, transcript: Transcript, text: str) -> Match | None:
        """Return the sentence that a text says, whole or begun."""
        match = self._sentence(transcript, text)
        if match is None or not match.free:
            return match
        if _swallowed(match, text):
            return None
        back = mood.taken_back(text)
        before = self._sentence(transcript, back[0]) if back is not None else None
        if back is not None and before is not None and (back[1] or not before.free):
            return None  # "play never mind" is a song; "play jazz no wait never mind" is nothing
        return match

    def _sentence(self, transcript: Transcript, text: str) -> Match | None:
        if not text or len(text) > MAX_CHARACTERS:
            return None
        # A Chinese sentence may name an English song and the other way round.
        first = _language(transcript, text)
        for stage in (self._templates, self._begun):
            for language in (first, "en" if first == "zh" else "zh"):
                for match in stage.match(text, language):
                    if not match.missing or stage is self._begun:
                        return match
        return None

    def decide(self, transcript: Transcript, quick: bool = False) -> Decision:
        """Return the same as `route`, and what each stage made of it.

        Some milliseconds, and up to two seconds where a real Qwen has to choose; never `quick`.
        """
        decision = self._decided(transcript, quick)
        meaning = decision.meaning
        if isinstance(meaning, Intent):
            return replace(decision, meaning=self.as_said(meaning, transcript))
        options = tuple(self.as_said(option, transcript) for option in meaning.options)
        return replace(decision, meaning=replace(meaning, options=options))

    def _decided(self, transcript: Transcript, quick: bool) -> Decision:
        if isinstance(transcript.text, WorldText):
            return Decision(NotRecognized("text from the world, which the wearer did not say"))
        if len(transcript.text) > MAX_CHARACTERS:
            return Decision(NotRecognized(f"longer than {MAX_CHARACTERS} characters"))
        spoken = " ".join(unaddressed(transcript.text, self.wake).split())
        text = clean(spoken)
        if not text:
            return Decision(NotRecognized("nothing was said"))
        began = time.perf_counter()
        match = self._match(transcript, text)
        if match is not None and self._hidden(match.intent, transcript):
            return Decision(NotRecognized("a payment in look-alike or invisible letters"))
        if match is not None and match.free and (rest := mood.ordered(spoken)) != spoken:
            # "take me to the mill, and don't play music": the place ends at the comma.
            last = [v for v in match.intent.slots.values() if isinstance(v, str)][-1:]
            shorter = self.exactly(replace(transcript, text=rest)) if rest else None
            if shorter and shorter.name == match.intent.name and text.endswith(tuple(last)):
                return self.decide(replace(transcript, text=rest), quick)
        reason = "no sentence matches" if match is None else "a sentence matches"
        if match is not None and match.missing:
            reason = f"a sentence begins so, without {', '.join(match.missing)}"
        elif match is not None and match.free:
            reason = "a sentence matches, with words of its own"
        exact = match.intent if match else None
        name = exact.name if exact else None
        verdict = Verdict("templates", name, reason=reason, took_ms=_since(began))
        if match is not None and not match.free:
            return Decision(match.intent, (verdict,))
        if (found := self._sounds_like(transcript, text, match)) is not None:
            return replace(found, verdicts=(verdict, *found.verdicts))
        if exact is None and self._own(text):
            return Decision(NotRecognized("the agent's own word"), (verdict,))
        if exact is None and self._asks_time(spoken):
            return Decision(NotRecognized("asks for the time", needs="time"), (verdict,))
        language = _language(transcript, text)
        if exact is None and (turned := self._turned(transcript, spoken, quick)):
            return replace(turned, verdicts=(verdict, *turned.verdicts))
        if self._guess is None or len(text) > MAX_GUESSED or self._stages.sparing():
            return Decision(exact or NotRecognized(reason), (verdict,))
        meaning, verdicts = self._guess(text, language, exact, quick)
        if isinstance(meaning, Intent) and meaning.name not in self._actions:
            meaning = NotRecognized("the skill was removed meanwhile")
        return Decision(meaning, (verdict, *verdicts))

    def likeliest(self, text: str, language: str) -> list[Action]:
        """Return the actions that a text is likeliest to mean, the likeliest first."""
        ranked = self._guess.likeliest(clean(text), language) if self._guess is not None else []
        return [action for name in ranked if (action := self._actions.get(name)) is not None]

    def _asks_time(self, spoken: str) -> bool:
        """Whether it plainly asks the clock: no other stage has to look at that."""
        if self.knowledge is None or not is_question(spoken):
            return False
        try:
            return self.knowledge.plainly(spoken) == "time"
        except (EngineError, ImportError):
            return False

    def _beyond(self, text: str, none: float) -> bool:
        """Whether a text is a question that no skill answers: no Qwen has to choose among them.

        `none` is how probable the semantic stage has it that no skill is meant.
        """
        if self.knowledge is None or none < BEYOND_FROM or not is_question(text):
            return False
        try:
            needs = self.knowledge.needs(text)
        except (EngineError, ImportError):
            return False
        known = {what for action in self._actions.values() for what in action.declaration.knows}
        return needs.nothing or (needs.plain and needs.what not in known)

    def _sounds_like(
        self, transcript: Transcript, text: str, match: Match | None
    ) -> Decision | None:
        """Decide by the sound of Chinese characters that make no sentence, or less of one."""
        if language_of(text) != "zh":
            return None
        began = time.perf_counter()
        near = self._homophones.find(text)
        if near is None:
            return None
        better = self._match(replace(transcript, text=near.text), near.text)
        if better is None or better.missing or (match and better.free >= match.free):
            return None
        reason = f"sounds like {near.text}"
        verdict = Verdict("sound", better.intent.name, 1 - near.distance, reason, _since(began))
        return Decision(replace(better.intent, stage="sound"), (verdict,))

    def _turned(self, transcript: Transcript, spoken: str, quick: bool) -> Decision | None:
        """Decide about a text that forbids something, or takes it back; None for any other."""
        back = mood.taken_back(clean(spoken))
        if back is not None and (back[1] or self._sentence(transcript, back[0]) is not None):
            return Decision(NotRecognized("taken back as soon as it was said"))
        if (rest := mood.set_aside(spoken)) is not None:
            words = clean(rest).split()
            for at in range(len(words)):
                if intent := self.exactly(replace(transcript, text=" ".join(words[at:]))):
                    return Decision(intent)
            return Decision(NotRecognized("says only what is not to be done"))
        if (rest := mood.ordered(spoken)) == spoken:
            return None
        if not clean(rest):
            return Decision(NotRecognized("forbids it, or only speaks of it"))
        return self.decide(replace(transcript, text=rest), quick)


def _risk(actions: Mapping[str, Action], intent: Intent) -> str | None:
    """Return the risk of a call; None when its skill is gone, which can be at any moment."""
    action = actions.get(intent.name)
    return action.declaration.risk if action is not None else None


def _swallowed(match: Match, text: str) -> bool:
    """Whether an open slot at the beginning took in what turns the sentence round.

    不要把牛奶加到清单: no skill has said that.
    """
    if mood.mood(text) == "order":
        return False
    values = (value for value in match.intent.slots.values() if isinstance(value, str))
    return any(text.casefold().startswith(value.casefold()) for value in values if value)


class _Guess:
    """The stages for what no sentence foresaw."""

    def __init__(
        self, actions: Mapping[str, Action], stages: Stages, beyond: Callable[[str, float], bool]
    ) -> None:
        self._actions = actions
        self._stages = stages
        self._beyond = beyond
        self._semantic: Semantic | None = None
        self._pocket: PocketRouter | None = None
        self._missing: str | None = None

    def warm(self) -> None:
        self("warm up", "en", quick=True)

    def __call__(
        self, text: str, language: str, exact: Intent | None = None, quick: bool = False
    ) -> tuple[Meaning, list[Verdict]]:
        """Guess; `exact` is what templates see in the words, some of which are of no sentence."""
        verdicts: list[Verdict] = []
        if exact is not None and not self._copies(exact.name):
            return exact, verdicts
        call = self._called(text, verdicts)
        ranking = self._ranked(text, language, call, verdicts)
        if ranking is None:
            return exact or NotRecognized("no sentence matches"), verdicts
        if exact is not None and ranking.skills.get(exact.skill, 0.0) >= BELIEVED_FROM:
            return self._better(exact, ranking, text, language, call), verdicts
        if ranking.skill is not None:
            guess = self._intent(ranking.skill, ranking, text, language, call)
            if guess is not None and exact is not None and self._pays(guess.intent):
                return exact, verdicts  # what stands in another command's free words is no payment
            if guess is not None and self._lacks(guess.intent) and self._beyond(text, 1.0):
                reason = "asks what a model can know, of what the skill does not have"
                return NotRecognized(reason), verdicts
            return self._allowed(guess, text), verdicts
        late = False
        if not quick and ranking.none < NONE_FROM and not self._beyond(text, ranking.none):
            chosen = self._chosen(text, language, ranking, verdicts)
            if isinstance(chosen, Intent) and self._offered(_Guessed(chosen), text):
                return chosen, verdicts
            too_late = isinstance(chosen, NotRecognized) and chosen.reason == qwen.LATE
            late = too_late and ranking.none < ASK_UNDER
        shared = [skill for skill, p in ranking.skills.items() if skill != NONE and p >= ASK_FROM]
        together = sum(ranking.skills[skill] for skill in shared)
        if (len(shared) > 1 and together >= ASK_TOGETHER) or (late and shared):
            guesses = (self._intent(skill, ranking, text, language, call) for skill in shared)
            offered = [one for g in guesses if (one := self._offered(g, text))]
            options = tuple(one.intent for one in offered)
            left = tuple(words for one in offered for words in one.left)
            return NotRecognized("two skills are as likely", options, left), verdicts
        return NotRecognized("too unlike what the skills can do"), verdicts

    def likeliest(self, text: str, language: str) -> list[str]:
        """Return the names of the likeliest actions."""
        ranking = self._ranked(text, language, self._called(text, []), [])
        return [] if ranking is None else [*ranking.actions][: qwen.CANDIDATES]

    def _better(
        self, exact: Intent, ranking: Ranking, text: str, language: str, call: Guess | None
    ) -> Intent:
        """Return how a text is better read than by a sentence whose open slot takes all words.

        "Play some jazz music on Spotify" is a sentence, "play {song}"; the model has learnt where
        the name of what is to be played ends.
        """
        if call is None or not call.copied or call.confidence < SLOTS_FROM:
            return exact
        guessed = self._intent(ranking.skill or exact.skill, ranking, text, language, call)
        if guessed is None or self._pays(exact):
            return exact
        guess = guessed.intent
        if guess.name != exact.name:
            risky = self._pays(guess)
            sure = ranking.within(guess.skill).get(guess.name, 0.0) >= ACTION_FROM
            return exact if risky or guess.missing or not sure else guess
        if _uncounted(exact, guess):
            return exact
        if guess.slots.keys() != exact.slots.keys():
            return guess if guess.slots.keys() > exact.slots.keys() else exact
        action = self._actions[exact.name]
        named = {
            slot: name_of(value, str(guess.slots[slot]), action, language)
            for slot, value in exact.slots.items()
            if isinstance(value, str) and action.kind(slot).is_open
        }
        return replace(guess, slots={**guess.slots, **named})

    def _pays(self, intent: Intent) -> bool:
        return _risk(self._actions, intent) == "money"

    def _lacks(self, intent: Intent) -> bool:
        """Whether a question is of something that the skill has none of: 三国演义 is no song here.

        Its sentences take any words there, so what is asked of a book is like what is asked of a
        song: that it is one, only its list can tell.
        """
        action = self._actions.get(intent.name)
        if action is None or action.declaration.risk != "none":
            return False
        return any(
            isinstance(value, str)
            and action.kind(slot).is_open
            and (listed := action.values(slot, intent.language)) is not None
            and value.casefold() not in {str(one).casefold() for one in (*listed, *listed.values())}
            for slot, value in intent.slots.items()
        )

    def _allowed(self, guess: _Guessed | None, text: str) -> Meaning:
        """Return a guessed call, or that it has to be asked about first."""
        offered = self._offered(guess, text)
        if offered is None:
            return NotRecognized("speaks of it, and does not order it")
        intent, risk = offered.intent, _risk(self._actions, offered.intent)
        if risk == "money":
            reason = "like a payment, but no sentence foresaw it"
            return NotRecognized(reason, (intent,), offered.left)
        if self._learned(intent.name):
            return intent
        # What is only like a new skill's sentences may be the rest of one: "twice" of "skip twice".
        if text.isascii() and " " not in text:
            return NotRecognized("one word of what a new skill understands")
        if risk == "change":
            return NotRecognized("like what a new skill changes things by", (intent,))
        return intent

    def _offered(self, guess: _Guessed | None, text: str) -> _Guessed | None:
        """Return a guess that may be done or asked about; None for one that was never ordered."""
        risk = _risk(self._actions, guess.intent) if guess is not None else None
        if risk is None:
            return None
        if risk != "none" and mood.mood(text) != "order":
            return None
        return None if risk == "money" and not mood.is_payment(text) else guess

    def _learned(self, action: str) -> bool:
        """Whether the opinions know an action; a new one is best told by its own sentences."""
        try:
            return action in self._ready().learned.labels
        except (EngineError, ImportError):
            return False

    def _copies(self, action: str) -> bool:
        """Whether the pocket Qwen knows where the slots of an action are in free words.

        Of one that it does not know nobody can say so better than the sentence that matched.
        """
        try:
            return action in self._opened().actions
        except (EngineError, ImportError):
            return self._learned(action)

    def _opened(self) -> PocketRouter:
        if self._pocket is None:
            self._pocket = _pocket(self._stages.models)
        return self._pocket

    def _ready(self) -> Semantic:
        if self._semantic is None:
            from agent.understand.semantic import Semantic

            self._semantic = Semantic(self._actions, self._stages.models, self._stages.learned)
        self._semantic.update(self._actions)
        return self._semantic

    def _called(self, text: str, verdicts: list[Verdict]) -> Guess | None:
        """Ask the pocket Qwen for a call."""
        began = time.perf_counter()
        try:
            call = self._opened().call(text, self._actions)
        except (EngineError, ImportError) as error:
            verdicts.append(Verdict("pocket", None, reason=f"absent: {error}"))
            return None
        slots = ", ".join(f"{name} = {words}" for name, words in call.slots.items())
        intent = None if call.intent == NONE else call.intent
        verdicts.append(
            Verdict("pocket", intent, call.probabilities[call.intent], slots, _since(began))
        )
        return call

    def _ranked(
        self, text: str, language: str, call: Guess | None, verdicts: list[Verdict]
    ) -> Ranking | None:
        """Pool what is known of the text."""
        began = time.perf_counter()
        other = None
        if call is not None:
            other = {name: math.log(max(p, 1e-6)) for name, p in call.probabilities.items()}
        try:
            ranking = self._ready().rank(text, language, other)
        except (EngineError, ImportError) as error:
            verdicts.append(Verdict("semantic", None, reason=f"absent: {error}"))
            return None
        for opinion, skills in ranking.evidence.items():
            if opinion != "other":
                best = max(skills, key=lambda skill: skills[skill])
                verdicts.append(Verdict(opinion, None if best == NONE else best, skills[best]))
        best = next(iter(ranking.skills))
        reason = f"accepted from {ranking.accept:.2f}"
        verdicts.append(
            Verdict("semantic", ranking.skill, ranking.skills[best], reason, _since(began))
        )
        return ranking

    def _chosen(
        self, text: str, language: str, ranking: Ranking, verdicts: list[Verdict]
    ) -> Meaning | None:
        """Let a real Qwen choose among the likeliest actions, where there is one."""
        model = self._stages.model
        if isinstance(model, NoModel):
            return None
        began = time.perf_counter()
        ranked = (self._actions.get(name) for name in ranking.actions)
        likeliest = [action for action in ranked if action is not None]
        chosen = qwen.choose(model, text, language, likeliest)
        name = chosen.name if isinstance(chosen, Intent) else None
        reason = chosen.reason if isinstance(chosen, NotRecognized) else ""
        verdicts.append(Verdict("qwen", name, reason=reason, took_ms=_since(began)))
        return chosen

    def _intent(
        self, skill: str, ranking: Ranking, text: str, language: str, call: Guess | None
    ) -> _Guessed | None:
        """Return the likeliest call of a skill, with the slots that can be read from the text.

        Of actions that are nearly as likely the first is meant that lacks nothing and takes as
        much of what was said. None where the skill was removed meanwhile.
        """
        within = {n: p for n, p in ranking.within(skill).items() if self._guessable(n)}
        least = next(iter(within.values()), 0.0) * AS_LIKELY
        names = [name for name, p in within.items() if p >= least]
        guesses = [self._read(name, text, language, call) for name in names[:MOST_READ]]
        found = [guess for guess in guesses if guess is not None]
        if not found:
            return None
        least_slots = len(found[0].intent.slots)
        whole = (
            guess
            for guess in found
            if not guess.intent.missing and len(guess.intent.slots) >= least_slots
        )
        return self._of_here(next(whole, found[0]))

    def _guessable(self, name: str) -> bool:
        """Whether an action is there, and no payment whose slots may all be left out.

        Such a one would take another's words for its own: its sentences have to be said.
        """
        action = self._actions.get(name)
        if action is None or action.declaration.risk != "money":
            return action is not None
        return self._learned(name) and any(slot.required for slot in action.declaration.slots)

    def _of_here(self, guess: _Guessed) -> _Guessed:
        """Return what says that it is of here and now, where a call leaves out what was asked of.

        Of "what time is it on mars" a clock without a place would say the time and not where. That
        is so only of an action that could have been told, in words of any kind.
        """
        intent = guess.intent
        asked = self._actions.get(intent.name)
        if asked is None or not guess.left or intent.slots or intent.missing:
            return guess
        if not any(asked.kind(slot.name).is_open for slot in asked.declaration.slots):
            return guess
        for action in self._actions.values():
            declared = action.declaration
            if action.skill == intent.skill and declared.knows and not declared.slots:
                return replace(guess, intent=replace(intent, action=declared.name))
        return guess

    def _read(self, name: str, text: str, language: str, call: Guess | None) -> _Guessed | None:
        """Return an action's call with what can be read from the text; None where it is gone."""
        action = self._actions.get(name)
        if action is None:
            return None
        words: Mapping[str, str] = {}
        taught = call is not None and self._pocket and name in self._pocket.actions
        if call is not None and self._pocket is not None and taught:
            if call.intent != name:
                call = self._pocket.call(text, (name,), none=False)
            words = call.slots if call.intent == name else {}
        else:
            words = spans(action, text, language)
        read_slots = fill(action, words, text, language).slots
        words = {slot: said for slot, said in words.items() if slot in read_slots}
        left = left_out(text, words, action, language_of(text))
        words = {slot: said for slot, said in words.items() if slot not in left.unsure}
        intent = fill(action, words, text, language)
        if not taught:
            intent = replace(intent, missing=lacking(action, intent.slots, language))
        return _Guessed(intent, left.words)


def _uncounted(exact: Intent, guess: Intent) -> bool:
    """Say whether a guess leaves out how many: "apples" of "3 apples"."""
    for name, said in exact.slots.items():
        less = guess.slots.get(name)
        if isinstance(said, str) and isinstance(less, str) and said.endswith(less):
            with suppress(ValueError):
                parse_number(said.removesuffix(less).strip())
                return True
    return False


@dataclass(frozen=True, slots=True)
class _Guessed:
    """A guessed call."""

    intent: Intent
    """The call."""
    left: tuple[str, ...] = ()
    """Words of the text that it does not carry."""


_ENDS = r"(?=$|\s+(?:to|on|onto|from|off|in|into|at|and)\b)"
"""What comes after a name that ends in a possessive of its own."""


def fill(action: Action, words: Mapping[str, str], text: str, language: str) -> Intent:
    """Return the call of an action with these words of a text in its slots.

    Those that cannot be read, or are part of a number of which there is more, are left out.
    """
    slots: dict[str, Any] = {}
    for slot in action.declaration.slots:
        kind, said = action.kind(slot.name), words.get(slot.name)
        if said is None:
            continue
        # "ben and jerry's": the pocket Qwen reads the name without it, as in "mary's playlist".
        if kind.is_open and (whole := re.search(rf"{re.escape(said)}['’]s{_ENDS}", text)):
            said = whole[0]
        try:
            if kind.is_all(said, text, language):
                slots[slot.name], _ = read(action, slot.name, said, language)
        except ValueError:
            continue
    missing = tuple(
        slot.name for slot in action.declaration.slots if slot.required and slot.name not in slots
    )
    return Intent(action.skill, action.declaration.name, slots, "semantic", language, missing)


@lru_cache(maxsize=2)
def _pocket(models: Path | None) -> PocketRouter:
    """Return the pocket Qwen to use, loaded; agents of one process share it.

    The wearer's own, unless it is damaged: then the one that ships. Raises EngineError.
    """
    from agent.understand.pocket.router import SHIPPED, PocketRouter, find

    pocket = PocketRouter(path := find(models) if models else SHIPPED)
    try:
        pocket.load()
    except EngineError as error:
        if path == SHIPPED:
            raise
        log.warning("%s; meanwhile: the pocket Qwen that ships", error)
        pocket = PocketRouter(SHIPPED)
        pocket.load()
    return pocket


def _language(transcript: Transcript, text: str) -> str:
    return transcript.language if transcript.language in ("en", "zh") else language_of(text)


def _since(began_s: float) -> float:
    return (time.perf_counter() - began_s) * 1000
