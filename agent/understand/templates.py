"""The first stage: hassil templates, exactly what the skills said can be said.

Closed lists are matched by hassil. Every other slot is a wildcard whose words the slot's type must
be able to read, so `pay {amount} to {payee}` matches "pay twenty dollars to anna" and nothing that
is not an amount. Of all matches the one that leaves the fewest words unforeseen wins.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import hassil
from hassil.expression import TextChunk
from hassil.intents import Intent as HassilIntent
from hassil.intents import (
    IntentData,
    Intents,
    IntentsSettings,
    TextSlotList,
    TextSlotValue,
    WildcardSlotList,
)
from hassil.models import MatchEntity
from hassil.recognize import RecognizeResult
from hassil.util import fold_case

from agent.language.folding import Folded, fold, read_aloud, ways
from agent.language.text import language_of, readings, without
from agent.messages import Intent
from agent.skill.declare import Action, Sentences
from agent.skill.slots import NOT_LISTED, Choice, listed_as
from agent.skill.template import check, is_text, parse
from agent.understand.index import Clauses, Index

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
        self.written: Written = (
            tuple(chosen(action, sentences)), (*sentences.rules.items(),), frozenset(self._lists)
        )  # fmt: skip
        self._parsed = _parsed(*self.written)
        self._lists |= {name: WildcardSlotList(name=name) for name in self._parsed.joined}
        self._data: dict[int, IntentData] = {}

    def __len__(self) -> int:
        """Return how many sentences there are, in the order they are tried."""
        return len(self._parsed.sentences)

    def __getitem__(self, number: int) -> IntentData:
        """Return a sentence; most are never asked for."""
        if number not in self._data:
            text, sentence = self._parsed.sentences[number]
            self._data[number] = _data(text, sentence, self._lists, self._parsed.rules)
        return self._data[number]

    def refresh(self) -> None:
        """Take the values that lists have now: they may change while the agent runs."""
        for name in self._closed:
            values = self.action.values(name, self._language) or {}
            if self._values.get(name) != values:
                self._values[name] = values
                forms = [
                    TextSlotValue(text_in, value)
                    for said, value in values.items()
                    for text_in in _forms(said)
                ]
                self._lists[name] = _Listed(name, forms)


Written = tuple[tuple[str, ...], tuple[tuple[str, str], ...], frozenset[str]]
"""Sentences, rules by name, and the slots that take any words: all that parsing them depends on."""


@dataclass(frozen=True, slots=True)
class _Parsed:
    """The sentences of one action in one language, as hassil has them."""

    rules: Mapping[str, hassil.Sentence]
    """Expansion rules by name."""
    sentences: Sequence[tuple[str, hassil.Sentence]]
    """Each with its text, in the order they are tried."""
    joined: Collection[str]
    """Names of slots that are several side by side."""
    clauses: Sequence[Clauses]
    """What a text must contain to be each sentence."""


@lru_cache(maxsize=4096)
def _parsed(
    written: tuple[str, ...], rules: tuple[tuple[str, str], ...], wild: frozenset[str]
) -> _Parsed:
    """Parse sentences; agents of one process share what comes of the same ones."""
    known = {name: hassil.Sentence(parse(_percent(rule))) for name, rule in rules}
    joined: set[str] = set()
    parsed = [
        (text, hassil.Sentence(parse(text)))
        for sentence in written
        for text in _joined(_percent(sentence), wild, joined)
    ]
    parsed.sort(key=lambda pair: _order(pair[1], wild | joined))
    clauses = [sentence.get_required_clauses(known) for _, sentence in parsed]
    return _Parsed(known, parsed, joined, clauses)


@lru_cache(maxsize=32)
def _indexed(written: tuple[Written, ...]) -> Index[int]:
    """Index the sentences of several actions, by their number; shared likewise."""
    return Index(enumerate(clauses for one in written for clauses in _parsed(*one).clauses))


def _joined(sentence: str, wild: frozenset[str], joined: set[str]) -> Iterable[str]:
    """Yield a sentence with slots that stand side by side as one, which `split` takes apart.

    What these are called is added to `joined`.
    """

    def run(found: re.Match[str]) -> str:
        names = re.findall(r"\w+", found[0])
        if not set(names) <= wild | joined:
            return found[0]
        joined.add(name := JOINED.join(names))
        return f"{{{name}}}"

    for text in dict.fromkeys(_with_and_without(sentence, wild)):
        yield _SIDE_BY_SIDE.sub(run, text)


def _order(sentence: hassil.Sentence, wild: frozenset[str]) -> int:
    """Of sentences with free words, those with more words of their own come first."""
    free = any(name in wild for name in sentence.list_names())
    return -sentence.text_chunk_count() if free else 0


LETTERS = 24
"""First letters of a listed value that it is found by."""

JOINED = "+"
"""Stands in the name of a slot that is several side by side."""

_SIDE_BY_SIDE = re.compile(r"\{\w+\}(?:\s*\{\w+\})+")
_MAYBE = re.compile(r"(\{(\w+)\}\s*)\[([^\[\]]*)\](\s*\{(\w+)\})?")
_HAN = re.compile(r"[㐀-鿿]")
_BESIDE_HAN = re.compile(r"(?<=[㐀-鿿])\s+|\s+(?=[㐀-鿿])")
"""Gaps that Chinese does not have: 付给 anna 二十块 is 付给anna二十块."""
_PERCENT_AFTER = re.compile(r"(\{[^{}]+\}|\d+)\s*[%％]")


def _percent(template: str) -> str:
    """Write a per cent sign as it is compared: in Chinese it is said before the number."""
    return _PERCENT_AFTER.sub(r"百分之\1", template) if _HAN.search(template) else template


def _with_and_without(sentence: str, wild: Collection[str]) -> Iterable[str]:
    """Yield a sentence with, and without, what is optional between slots that take free words."""
    for found in _MAYBE.finditer(sentence):
        between = re.match(r"\s*\{(\w+)\}", found[3])
        after = between[1] if between else found[5]
        if found[2] in wild and after in wild:
            head, tail = sentence[: found.start()] + found[1], (found[4] or "")
            rest = tail + sentence[found.end() :]
            yield from _with_and_without(f"{head}{found[3]}{rest}", wild)
            yield from _with_and_without(f"{head}{rest}", wild)
            return
    yield sentence


def _data(text: str, sentence: hassil.Sentence, lists: Any, rules: Any) -> IntentData:
    """Return a sentence as hassil takes it, parsed as we parse it."""
    data = IntentData([text], slot_lists=lists, expansion_rules=rules)
    data.__dict__["sentences"] = [sentence]  # its cached property would parse the text again
    return data


@lru_cache(maxsize=65536)
def _forms(said: str) -> tuple[Any, ...]:
    """Return how a value of a list may stand in a folded text, as hassil's expressions."""
    if not is_text(said):
        return (parse(said),)
    return tuple(TextChunk(text=way) for way in ways(said))


@lru_cache(maxsize=65536)
def _beginning(text: str) -> str:
    return fold_case(text.lstrip()[:LETTERS])[:LETTERS].replace("-", " ")


class _Listed(TextSlotList):
    """A list that finds what a text may begin with in no time; hassil's own index takes a second.

    Values are kept under their first letters.
    """

    def __init__(self, name: str, values: list[TextSlotValue]) -> None:
        super().__init__(name=name, values=values)
        self._always: list[TextSlotValue] = []
        self._near: dict[str, list[TextSlotValue]] = {}
        for value in values:
            if isinstance(value.text_in, TextChunk):
                begins = _beginning(value.text_in.text)
                self._near.setdefault(begins, []).append(value)
            else:
                self._always.append(value)

    def get_candidates(self, text: str) -> list[TextSlotValue]:
        """Return values that could match at the start of a text."""
        begins = _beginning(text)
        found = [value for n in range(len(begins)) for value in self._near.get(begins[: n + 1], ())]
        return found + self._always


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
        self._sentences: list[tuple[_Spoken, int]] = []
        self._index: Index[int] = Index(())
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
        every = self._spoken.values()
        self._sentences = [(spoken, number) for spoken in every for number in range(len(spoken))]
        self._index = _indexed(tuple(spoken.written for spoken in every))

    def refresh(self) -> None:
        """Compile every list."""
        for spoken in self._spoken.values():
            spoken.refresh()

    def recognize(self, text: str) -> Iterable[tuple[Folded, RecognizeResult]]:
        """Yield every way to read the text, action by action in the order of installation."""
        fresh: set[str] = set()
        settings = IntentsSettings(ignore_whitespace=self._language == "zh")
        for original, skills in self._readings(text):
            folded = fold(original)
            reading = folded.text
            intents: dict[str, HassilIntent] = {}
            for spoken, number in map(self._sentences.__getitem__, self._index.find(reading)):
                name = spoken.action.name
                if skills is not None and spoken.action.skill not in skills:
                    continue
                if name not in fresh:
                    spoken.refresh()
                    fresh.add(name)
                intents.setdefault(name, HassilIntent(name)).data.append(spoken[number])
            if intents:
                near = Intents(language=self._language, intents=intents, settings=settings)
                for result in hassil.recognize_all(reading, near):
                    yield folded, result

    def _readings(self, text: str) -> Iterable[tuple[str, set[str] | None]]:
        """Yield what a text may be read as, with the skills that read it so; None is every one."""
        if self._language == "zh":
            text = _BESIDE_HAN.sub("", text)
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
        found = self._matched(text, language)
        if (not found or found[0].free or found[0].missing) and (aloud := read_aloud(text)) != text:
            least = found[0].free if found and not found[0].missing else len(text)
            found += [match for match in self._matched(aloud, language) if match.free < least]
        return sorted(found, key=lambda m: (len(m.missing), m.free, -m.literal))

    def _matched(self, text: str, language: str) -> list[Match]:
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
        if (compiled := self._languages.get(language)) is None:
            compiled = self._languages.setdefault(language, _Language(language, self._chosen))
        compiled.update(tuple(self._actions.values()))
        return compiled

    def _convert(self, result: RecognizeResult, said: Folded, language: str) -> Match | None:
        """Read the slots; None when the words of one are not a value of its type."""
        action = self._actions[result.intent.name]
        slots: dict[str, Any] = {}
        free = 0
        try:
            for name, entity in result.entities.items():
                if not entity.is_wildcard:
                    slots[name] = entity.value
                    continue
                words = _words(entity, said)
                for one, part in split(action, name.split(JOINED), words, language):
                    slots[one], kept = read(action, one, part, language)
                    free += 0 if kept else len(part.strip())
        except ValueError:
            return None
        missing = tuple(
            slot.name
            for slot in action.declaration.slots
            if slot.required and slot.name not in slots
        )
        name = action.declaration.name
        intent = Intent(action.skill, name, slots, self.name, language, missing)
        return Match(intent, free, len(said.text) - free, missing)


def _words(entity: MatchEntity, said: Folded) -> str:
    """Return the words of a slot as the wearer wrote them."""
    words = entity.text.strip()
    start = said.text.find(words)
    return said.unfolded(start, start + len(words)) if said.spans and start >= 0 else words


def split(action: Action, names: Sequence[str], words: str, language: str) -> list[tuple[str, str]]:
    """Share words out among slots that stand side by side; ValueError where they do not fit.

    Each slot but one has to know its words, as a number, a time or a listed value: it takes as many
    as it can read, and the open one is left the rest.
    """
    if len(names) == 1:
        return [(names[0], words)]
    gap = "" if language_of(words) == "zh" else " "
    parts = words.split() if gap else list(words)
    longest = len(parts) - len(names) + 1
    for end, rest in ((-1, names[:-1]), (0, names[1:])):
        for count in range(longest, 0, -1):
            cut = len(parts) - count if end else count
            sides = gap.join(parts[:cut]), gap.join(parts[cut:])
            own, left = sides[end].strip(), sides[end + 1].strip()
            try:
                if not own or not left or not read(action, names[end], own, language)[1]:
                    continue
                shared = split(action, rest, left, language)
            except ValueError:
                continue
            return [*shared, (names[end], own)] if end else [(names[end], own), *shared]
    raise ValueError("the words do not fit the slots")


def read(action: Action, slot: str, words: str, language: str) -> tuple[Any, bool]:
    """Read a slot's words; also say whether they were known, as a number or a listed value.

    Raises ValueError when they are no value of the slot.
    """
    kind = action.kind(slot)
    if (values := action.values(slot, language)) is not None:
        if (value := listed_as(words, values)) is not NOT_LISTED:
            return value, True
        return kind.parse(words, language), False
    return kind.parse(words, language), kind.spoken(language) is not None
