"""The first stage: hassil templates, exactly what the skills said can be said.

Closed lists are matched by hassil. Every other slot is a wildcard whose words the slot's type must
be able to read, so `pay {amount} to {payee}` matches "pay twenty dollars to anna" and nothing that
is not an amount. Of all matches the one that leaves the fewest words unforeseen wins.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import hassil
from hassil.intents import Intent as HassilIntent
from hassil.intents import IntentData, Intents, IntentsSettings, WildcardSlotList
from hassil.recognize import RecognizeResult

from agent.messages import Intent
from agent.skill import Action
from agent.slots import Choice
from agent.understand.text import readings

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


class Templates:
    """Matches text against every installed sentence, in one language at a time."""

    name = "templates"

    def __init__(self, actions: Mapping[str, Action]) -> None:
        """Compile nothing yet; each language is compiled when first asked for."""
        self._actions = actions
        self._intents: dict[str, tuple[Any, Intents]] = {}

    def match(self, text: str, language: str) -> list[Match]:
        """Return every way to read the cleaned text, best first; empty when there is none."""
        matches: dict[tuple[Any, ...], Match] = {}
        intents = self._compiled(language)
        for reading in readings(text, language):
            for result in hassil.recognize_all(reading, intents, language=language):
                found = self._convert(result, reading, language)
                if found is not None:
                    key = (found.intent.name, *map(repr, found.intent.slots.items()))
                    if key not in matches or matches[key].literal < found.literal:
                        matches[key] = found
        # Sorting is stable, so between equals the skill that was installed first wins.
        return sorted(matches.values(), key=lambda m: (len(m.missing), m.free, -m.literal))

    def _compiled(self, language: str) -> Intents:
        """Return hassil's form, made anew only when an action or a list changed."""
        lists = {
            (action.name, slot.name): action.values(slot.name, language)
            for action in self._actions.values()
            for slot in action.declaration.slots
        }
        cached = self._intents.get(language)
        if cached is None or cached[0] != lists:
            intents = {a.name: self._intent(a, lists, language) for a in self._actions.values()}
            compiled = Intents(
                language=language,
                intents=intents,
                settings=IntentsSettings(ignore_whitespace=language == "zh"),
            )
            cached = self._intents[language] = (lists, compiled)
        return cached[1]

    def _intent(
        self, action: Action, lists: Mapping[tuple[str, str], Any], language: str
    ) -> HassilIntent:
        sentences = action.languages.get(language)
        slot_lists: dict[str, Any] = {}
        for slot in action.declaration.slots:
            values, kind = lists[action.name, slot.name], slot.kind
            if isinstance(kind, Choice) and not kind.open and values is not None:
                slot_lists[slot.name] = hassil.TextSlotList.from_tuples(
                    list(values.items()), name=slot.name
                )
            else:
                slot_lists[slot.name] = WildcardSlotList(name=slot.name)
        wild = {name for name, made in slot_lists.items() if isinstance(made, WildcardSlotList)}
        rules = sentences.rules if sentences else {}
        data = IntentData(
            sentence_texts=list(sentences.templates) if sentences else [],
            slot_lists=slot_lists,
            wildcard_list_names=wild,
            expansion_rules={name: hassil.parse_sentence(rule) for name, rule in rules.items()},
        )
        return HassilIntent(name=action.name, data=[data])

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
                    slots[slot.name], kept = self._read(action, slot.name, entity.text, language)
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
        intent = Intent(action.skill, action.declaration.name, slots, self.name, language)
        return Match(intent, free, len(text) - free, missing)

    @staticmethod
    def _read(action: Action, slot: str, words: str, language: str) -> tuple[Any, bool]:
        """Read a slot's words; also say whether they were known, as a number or a listed value."""
        kind = action.kind(slot)
        if isinstance(kind, Choice):
            values = action.values(slot, language) or {}
            for said, value in values.items():
                if said.casefold() == words.strip().casefold():
                    return value, True
            return kind.parse(words, language), False
        return kind.parse(words, language), kind.spoken(language) is not None
