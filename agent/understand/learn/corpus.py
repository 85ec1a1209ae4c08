"""What the semantic stage learns from: texts, each with the labels that are right for it."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.derive.paraphrases import Example, examples, none_examples
from agent.errors import ConfigError
from agent.language.text import clean, language_of
from agent.skill.declare import Action
from agent.understand.templates import Templates, begun
from hardware import reading

Floats = NDArray[np.float32]

INTENTS = Path(__file__).with_name("intents.toml")
"""What the labels of public corpora mean here."""

FOLDS = 5

MOST_BYTES = 1 << 28
"""Longest file of texts, 256 MiB."""

PER_TEMPLATE = 6
PER_ACTION = {"en": 240, "zh": 120}
PER_NONE = {"en": 5000, "zh": 1500}
"""Most drawn examples, by language."""

DRAWN_WEIGHT = 0.03
"""What a drawn example counts beside a real text."""


@dataclass(frozen=True, slots=True)
class Row:
    """One text to learn from."""

    text: str
    """Cleaned."""
    allowed: frozenset[str]
    """Labels that are right."""
    language: str
    """`en` or `zh`."""
    group: str
    """Rows of one group are in one fold: a real text's own, a drawn one's template."""
    weight: float = 1.0
    """How much it counts."""


def drawn(actions: Sequence[Action], seed: int) -> Iterator[Row]:
    """Yield texts of sentences, paraphrases, and what belongs to no skill."""
    answered = _Answered(actions)
    for language, most in PER_ACTION.items():
        for action in actions:
            found = examples(action, language, PER_TEMPLATE, seed)
            yield from map(_row, _spread(found, most))
        none = (one for one in none_examples(language, 4, seed) if not answered(one))
        yield from map(_row, _spread(none, PER_NONE[language]))


WILD = frozenset(("shop", "pay", "translate", "navigate", "music"))
"""Skills whose sentences take any words: "play scrabble with me" is written down as none of music,
though it is a sentence of it."""


class _Answered:
    """Says whether a text that was written down as no skill's is answered by one after all.

    There were five when most of them were written.
    """

    def __init__(self, actions: Sequence[Action]) -> None:
        named = {action.name: action for action in actions}
        self._stages = Templates(named), Templates(named, begun)

    def __call__(self, example: Example) -> bool:
        found = (
            match
            for stage in self._stages
            for match in stage.match(clean(example.text), example.language)
        )
        return any(not match.free or match.intent.skill not in WILD for match in found)


def _row(example: Example) -> Row:
    allowed = frozenset((example.label,))
    return Row(clean(example.text), allowed, example.language, example.template, DRAWN_WEIGHT)


def _spread(found: Iterable[Example], most: int) -> list[Example]:
    """Take the first of every template, then the second of every one, and so on."""
    by_template: dict[str, list[Example]] = {}
    for example in found:
        by_template.setdefault(example.template, []).append(example)
    turns = zip_longest(*by_template.values())
    return [example for turn in turns for example in turn if example is not None][:most]


def real(path: Path, labels: Sequence[str]) -> list[Row]:
    """Read marked text. Raises ConfigError naming the line."""
    rows = []
    for where, line in read_lines(path):
        try:
            text, right = clean(line["text"]), meant(line)
        except (KeyError, TypeError, AttributeError):
            raise ConfigError(f"{where}: a line is {{text, skill, action?}}") from None
        allowed = frozenset(one for one in labels if one in right or one.partition(".")[0] in right)
        if allowed:
            rows.append(Row(text, allowed, language_of(text), text))
    return rows


def meant(line: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a marked line means: a skill, `skill.action` or `none`; any that is named.

    Raises KeyError, TypeError or AttributeError where it is not marked.
    """
    skill, action = line["skill"], line.get("action")
    if action:
        return (f"{skill}.{action}",)
    return intents().get(line.get("original_intent", ""), (skill,))


@cache
def intents() -> dict[str, tuple[str, ...]]:
    """Return what the labels of public corpora mean here."""
    told = tomllib.loads(INTENTS.read_text("utf-8"))
    return {label: tuple(right) for label, right in told.items()}


def read_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield `file:line` and what each line of a JSONL file holds. Raises ConfigError."""
    try:
        lines = reading.read_text(path, MOST_BYTES).split("\n")
    except (OSError, reading.Unreadable) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield f"{path}:{number}", reading.from_json(line)
            except reading.Unreadable:
                raise ConfigError(f"{path}:{number}: not JSON") from None


def fold_of(row: Row) -> int:
    """Return which of the folds a row is in: the same in every run, and for every casing."""
    return int(hashlib.sha1(row.group.casefold().encode()).hexdigest()[:8], 16) % FOLDS


def scores(
    path: Path, rows: Sequence[Row], labels: Sequence[str]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Read another model's probabilities over the labels, rows x labels, and which it knows.

    They are even where it said none. Raises ConfigError naming the line.
    """
    found: dict[str, Floats] = {}
    known: set[str] = set()
    for where, line in read_lines(path):
        try:
            told = line["scores"]
            p = np.exp([float(told.get(label, -np.inf)) for label in labels])
            found[clean(line["text"])] = p.astype(np.float32)
            known |= set(told)
        except (KeyError, TypeError, AttributeError, ValueError):
            raise ConfigError(f"{where}: a line is {{text, scores}}") from None
    even = np.full(len(labels), 1 / len(labels), np.float32)
    knows = np.array([label in known for label in labels])
    return np.stack([found.get(row.text, even) for row in rows]), knows


@dataclass(frozen=True, slots=True)
class Read:
    """Rows as numbers."""

    places: list[NDArray[np.int64]]
    """Features of each."""
    meaning: Floats
    """What each is read as: zeros where a language is not read, no columns without a reader."""
    is_read: NDArray[np.bool_]
    """Which were read."""
    allowed: NDArray[np.bool_]
    """Rows x labels."""
    weight: Floats
    """Of each."""

    def rows(self, at: NDArray[np.int64]) -> Read:
        """Return some of the rows."""
        return Read(
            [self.places[i] for i in at], self.meaning[at], self.is_read[at], self.allowed[at],
            self.weight[at],
        )  # fmt: skip


def join(one: Read, other: Read) -> Read:
    """Return the rows of both."""
    return Read(
        one.places + other.places,
        *(
            np.concatenate([getattr(one, name), getattr(other, name)])
            for name in ("meaning", "is_read", "allowed", "weight")
        ),
    )
