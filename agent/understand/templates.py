"""The first stage: hassil templates, exactly what the skills said can be said.

Closed lists are matched by hassil. Every other slot is a wildcard whose words the slot's type must
be able to read, so `pay {amount} to {payee}` matches "pay twenty dollars to anna" and nothing that
is not an amount. Of all matches the one that leaves the fewest words unforeseen wins.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import hassil
from hassil.intents import Intent as HassilIntent
from hassil.intents import IntentData, Intents, IntentsSettings, WildcardSlotList
from hassil.recognize import RecognizeResult

from agent.messages import Intent
from agent.skill import Action, Sentences
from agent.slots import Choice
from agent.template import check, parse
from agent.understand.index import Clauses, Index
from agent.understand.text import readings, without

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Match:
    """One way to read an utterance."""

    intent: Intent
    """The call it makes."""
    free: int
    """Characters that no sentence foresaw: words in open slots."""
    literal: int
    """Characters that a sentence, a list or a number accounts for."""
    missing: tuple[str, ...] = ()
    """Required slots that were not said."""


class _Spoken:
    """One action in one language, as hassil reads it."""

    def __init__(self, action: Action, language: str, chosen: Chosen) -> None:
        """Parse the sentences; the lists are asked for when an utterance may need them."""
        sentences = action.languages.get(language) or Sentences()
        self.action = action
        self._language = language
        self._lists: dict[str, Any] = {}
        self._values: dict[str, Mapping[str, Any]] = {}
        self._closed: list[str] = []
        for slot in action.declaration.slots:
            if isinstance(slot.kind, Choice) and not slot.kind.open:
                self._closed.append(slot.name)
            else:
                self._lists[slot.name] = WildcardSlotList(name=slot.name)
        rules = {name: hassil.Sentence(parse(rule)) for name, rule in sentences.rules.items()}
        parsed = [(text, hassil.Sentence(parse(text))) for text in chosen(action, sentences)]
        self.sentences: list[tuple[IntentData, Clauses]] = [
            (
                IntentData([text], slot_lists=self._lists, expansion_rules=rules),
                sentence.get_required_clauses(rules),
            )
            for text, sentence in sorted(parsed, key=lambda pair: self._order(pair[1]))
        ]
        """Each sentence with what a text must contain to be it, in the order they are tried."""

    def _order(self, sentence: hassil.Sentence) -> int:
        """Of sentences with free words, those with more words of their own come first."""
        free = any(isinstance(self._lists.get(n), WildcardSlotList) for n in sentence.list_names())
        return -sentence.text_chunk_count() if free else 0

    def refresh(self) -> None:
        """Take the values that lists have now: they may change while the agent runs."""
        for name in self._closed:
            values = self.action.values(name, self._language) or {}
            if self._values.get(name) != values:
                self._values[name] = values
                self._lists[name] = hassil.TextSlotList.from_tuples(values.items(), name=name)


Chosen = Callable[[Action, Sentences], Iterable[str]]
"""What is matched, of what can be said for an action in a language."""


def whole(action: Action, sentences: Sentences) -> Iterable[str]:
    """Return every sentence as it is."""
    return sentences.templates


def begun(action: Action, sentences: Sentences) -> Iterable[str]:
    """Return sentences without the required slot that they end in."""
    cut = dict.fromkeys(part for text in sentences.templates for part in _cut(text, action))
    return [part for part in cut if part not in sentences.templates]


_LAST_SLOT = re.compile(r"\s*\{(\w+)\}$")
_OPTIONAL = re.compile(r"\s*\[[^\[\]]*\]$")
_LEADS_ON = re.compile(r"\s+(?:to|for|in|into|at|on|of|about)$")


def _cut(sentence: str, action: Action) -> Iterable[str]:
    """Yield a sentence without the required slots it ends in, and the words that lead to them.

    "pay {amount} to", "pay {amount}" and "pay" are what the wearer says who is to be asked.
    """
    required = {slot.name for slot in action.declaration.slots if slot.required}
    while (last := _LAST_SLOT.search(sentence)) and last[1] in required:
        sentence = sentence[: last.start()]
        while (shorter := _OPTIONAL.sub("", sentence)) != sentence:
            sentence = shorter
        bare = _LEADS_ON.sub("", sentence)
        for part in dict.fromkeys((sentence, bare)):
            try:
                check(part, None, lambda name: action.kind(name).is_open)
            except ValueError:  # a part of a bracket, or nothing
                continue
            yield part
        sentence = bare


class _Language:
    """Every action in one language."""

    def __init__(self, language: str, chosen: Chosen) -> None:
        """Hold nothing yet; `update` says what is installed."""
        self._language = language
        self._chosen = chosen
        self._actions: tuple[Action, ...] = ()
        self._spoken: dict[int, _Spoken] = {}
        self._index: Index[tuple[_Spoken, IntentData]] = Index(())
        self._skip_words: dict[tuple[str, ...], set[str]] = {}

    def update(self, actions: tuple[Action, ...]) -> None:
        """Take these actions; only those that are new are parsed."""
        if actions == self._actions:
            return
        before = self._spoken
        self._spoken = {
            id(a): before.get(id(a)) or _Spoken(a, self._language, self._chosen) for a in actions
        }
        self._actions = actions
        self._skip_words = {}
        for action in actions:
            sentences = action.languages.get(self._language)
            if sentences and sentences.skip_words:
                self._skip_words.setdefault(sentences.skip_words, set()).add(action.skill)
        self._index = Index(
            ((spoken, data), clauses)
            for spoken in self._spoken.values()
            for data, clauses in spoken.sentences
        )

    def refresh(self) -> None:
        """Compile every list."""
        for spoken in self._spoken.values():
            spoken.refresh()

    def recognize(self, text: str) -> Iterable[tuple[str, RecognizeResult]]:
        """Yield every way to read the text, action by action in the order of installation."""
        fresh: set[str] = set()
        settings = IntentsSettings(ignore_whitespace=self._language == "zh")
        for reading, skills in self._readings(text):
            intents: dict[str, HassilIntent] = {}
            for spoken, data in self._index.find(reading):
                name = spoken.action.name
                if skills is not None and spoken.action.skill not in skills:
                    continue
                if name not in fresh:
                    spoken.refresh()
                    fresh.add(name)
                intents.setdefault(name, HassilIntent(name)).data.append(data)
            if intents:
                near = Intents(language=self._language, intents=intents, settings=settings)
                for result in hassil.recognize_all(reading, near):
                    yield reading, result

    def _readings(self, text: str) -> Iterable[tuple[str, set[str] | None]]:
        """Yield what a text may be read as, with the skills that read it so; None is every one."""
        plain = readings(text, self._language)
        yield from ((reading, None) for reading in plain)
        for words, skills in self._skip_words.items():
            shorter = (without(reading, words, self._language) for reading in plain)
            for reading in dict.fromkeys(shorter):
                if reading and reading not in plain:
                    yield reading, skills


class Templates:
    """Matches text against every installed sentence, in one language at a time."""

    name = "templates"

    def __init__(self, actions: Mapping[str, Action], chosen: Chosen = whole) -> None:
        """Compile nothing yet; each language is compiled when first asked for."""
        self._actions = actions
        self._chosen = chosen
        self._languages: dict[str, _Language] = {}

    def warm(self, language: str) -> None:
        """Compile what the first utterance in a language would otherwise wait for."""
        self._compiled(language).refresh()

    def match(self, text: str, language: str) -> list[Match]:
        """Return every way to read the cleaned text, best first; empty when there is none."""
        matches: dict[tuple[Any, ...], Match] = {}
        for reading, result in self._compiled(language).recognize(text):
            found = self._convert(result, reading, language)
            if found is not None:
                key = (found.intent.name, *map(repr, found.intent.slots.items()))
                if key not in matches or matches[key].literal < found.literal:
                    matches[key] = found
        # Sorting is stable, so between equals the skill that was installed first wins.
        return sorted(matches.values(), key=lambda m: (len(m.missing), m.free, -m.literal))

    def _compiled(self, language: str) -> _Language:
        compiled = self._languages.setdefault(language, _Language(language, self._chosen))
        compiled.update(tuple(self._actions.values()))
        return compiled

    def _convert(self, result: RecognizeResult, text: str, language: str) -> Match | None:
        """Read the slots; None when the words of one are not a value of its type."""
        action = self._actions[result.intent.name]
        slots: dict[str, Any] = {}
        free = 0
        for slot in action.declaration.slots:
            entity = result.entities.get(slot.name)
            if entity is None:
                continue
            try:
                if entity.is_wildcard:
                    slots[slot.name], kept = read(action, slot.name, entity.text, language)
                    free += 0 if kept else len(entity.text.strip())
                else:
                    slots[slot.name] = entity.value
            except ValueError:
                return None
        missing = tuple(
            slot.name
            for slot in action.declaration.slots
            if slot.required and slot.name not in slots
        )
        name = action.declaration.name
        intent = Intent(action.skill, name, slots, self.name, language, missing)
        return Match(intent, free, len(text) - free, missing)


def read(action: Action, slot: str, words: str, language: str) -> tuple[Any, bool]:
    """Read a slot's words; also say whether they were known, as a number or a listed value.

    Raises ValueError when they are no value of the slot.
    """
    kind = action.kind(slot)
    if (values := action.values(slot, language)) is not None:
        for said, value in values.items():
            if said.casefold() == words.strip().casefold():
                return value, True
        return kind.parse(words, language), False
    return kind.parse(words, language), kind.spoken(language) is not None
