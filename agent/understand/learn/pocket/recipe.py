"""The sentences that the pocket model learns from, and which of them it must not see.

For each installed action: its own sentences in every language, its paraphrases and the words that
may stand in its slots; and what belongs to no skill (`agent.derive.paraphrases`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agent.derive import paraphrases
from agent.derive.sample import forms
from agent.errors import SentenceError
from agent.skill import template
from agent.skill.declare import Action, Sentences
from agent.skill.slots import Choice, MoneyAmount, Number, Slot, Text
from agent.understand.pocket.layout import NONE, fingerprint

HOLDOUT = 0.2
"""Share of each action's templates that is kept for the evaluation."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One template of one intent."""

    intent: str
    """`skill.action`, or `none`."""
    language: str
    """`en`, `zh`, …"""
    template: str
    """hassil's syntax."""
    rules: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Expansion rules by name."""


@dataclass(frozen=True, slots=True)
class Blank:
    """A slot as far as filling it goes."""

    name: str
    """Its name."""
    kind: Literal["open", "closed", "number", "money", "spoken"]
    """Any words; only listed ones; digits too; amounts in digits too; only its spoken forms."""
    low: int = 0
    """Smallest number."""
    high: int = 0
    """Largest number."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that the samples are made from: plain data, which other processes can be given."""

    patterns: Sequence[Pattern]
    """Every template."""
    slots: Mapping[str, tuple[Blank, ...]]
    """Slots by intent."""
    lists: Mapping[tuple[str, str, str], tuple[str, ...]]
    """What can be said, as templates, by intent, slot and language."""
    words: Mapping[tuple[str, str, str], tuple[str, ...]]
    """What may also be said, plain words, by intent, slot and language."""

    @property
    def fingerprint(self) -> str:
        """A hash of every template: another one means that the model knows other sentences."""
        return fingerprint(f"{p.intent} {p.language} {p.template}" for p in self.patterns)

    def split(self, seed: int) -> tuple[list[Pattern], list[Pattern]]:
        """Return the patterns to learn, and those held out: about HOLDOUT of each intent's.

        Each template's lot is drawn on its own, so that adding others never moves it.
        """
        learnt: list[Pattern] = []
        held: list[Pattern] = []
        for pattern in self.patterns:
            lot = zlib.crc32(f"{seed} {pattern.intent} {pattern.template}".encode()) / 2**32
            (held if lot < HOLDOUT else learnt).append(pattern)
        lost = {p.intent for p in held} - {p.intent for p in learnt}  # none is to be all unknown
        learnt += (p for p in held if p.intent in lost)
        return learnt, [p for p in held if p.intent not in lost]


def collect(actions: Iterable[Action]) -> Recipe:
    """Gather what is installed. Raises SentenceError for a file that cannot be used."""
    patterns: dict[Pattern, None] = {}
    slots: dict[str, tuple[Blank, ...]] = {NONE: ()}
    lists: dict[tuple[str, str, str], tuple[str, ...]] = {}
    words: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for action in actions:
        slots[action.name] = tuple(map(_blank, action.declaration.slots))
        for language in _languages(action):
            own = action.languages.get(language) or Sentences()
            for text in (*own.templates, *paraphrases.templates(action, language)):
                patterns[Pattern(action.name, language, text, own.rules)] = None
            for slot in action.declaration.slots:
                if said := forms(action, slot, language):
                    lists[action.name, slot.name, language] = said
            for name, listed in paraphrases.words(action, language).items():
                words[action.name, name, language] = tuple(listed)
    for path in sorted(paraphrases.NONE_FOLDER.glob("*.txt")):
        for text in paraphrases.none_templates(path.stem):
            try:
                template.parse(text)
            except ValueError as error:
                raise SentenceError(f"{path}: {text[:80]!r} {error}") from None
            patterns[Pattern(NONE, path.stem, text)] = None
    return Recipe(list(patterns), slots, lists, words)


def _languages(action: Action) -> list[str]:
    """Return the languages of an action's sentences and paraphrases."""
    folder = Path(action.declaration.where.rpartition(":")[0]).parent / "paraphrases"
    files = {path.stem for path in folder.glob("*.yaml") if not path.stem.startswith("words")}
    return sorted(files | set(action.languages))


def _blank(slot: Slot) -> Blank:
    match slot.kind:
        case Number(low=low, high=high):
            return Blank(slot.name, "number", low, high)
        case MoneyAmount():
            return Blank(slot.name, "money")
        case Choice(open=False):
            return Blank(slot.name, "closed")
        case Choice() | Text():
            return Blank(slot.name, "open")
    return Blank(slot.name, "spoken")
