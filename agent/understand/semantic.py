"""The second stage: which skill is meant by words that no sentence foresaw, or none.

Two opinions are pooled: a linear model of words and letters (`linear`, English and Chinese, always
there) and what a model reads in a sentence where one was fetched: all-MiniLM-L6-v2 in an English
one (`minilm`), or an embedding GGUF in either language (`embedding`). A third may be handed in.
Their logarithms are added with weights fitted on text that none of them had seen, which also
calibrates the sum (logarithmic opinion pool, Genest & Zidek 1986).

What was learned is `semantic.npz`, written by `python -m agent.understand.learn.semantic`. A skill
that was not there then is matched at once, by the nearest of its own sentences and paraphrases; one
that is not installed now is none.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agent.derive.paraphrases import NONE, examples
from agent.language.text import clean
from agent.skill.declare import Action
from agent.understand.learned import (
    DATA,
    LEAST,
    MEANING,
    OTHER,
    WORDS,
    Floats,
    Learned,
    Pool,
    load,
    shared,
    softmax,
)
from agent.understand.linear import features
from agent.understand.reader import Reader

if TYPE_CHECKING:
    from agent.understand.source import Source

log = logging.getLogger(__name__)


EXAMPLES = 40
"""Sentences of an unlearned action, a language, that are compared with."""
READ_ACTIONS = 25
"""Unlearned actions beyond which their sentences are not read: with hundreds it would be minutes,
and words do."""


NEVER_NEAR = "time"
"""What an unlearned action may know that nearness says nothing of: half of all that is asked holds
words of time ("what time is my flight"). Its sentences are understood, and what plainly asks for
the time comes to it by `knowledge`."""
NEVER_NEAR_TO = "personal"
"""A permission of which the same holds: what the wearer has remembered may be of anything."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a text may mean."""

    actions: Mapping[str, float]
    """Probability of each installed action by `skill.action`, best first."""
    none: float
    """Probability that no installed skill is meant; with the actions' it makes 1."""
    accept: float
    """Probability from which the best skill is taken: false accepts are then about 2 %."""
    evidence: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Each opinion's probabilities by skill and `none`, for people who ask why."""

    @property
    def skills(self) -> dict[str, float]:
        """Probability of each skill and of `none`, best first."""
        return _by_skill({**self.actions, NONE: self.none})

    @property
    def skill(self) -> str | None:
        """The best skill, or None when it is not probable enough."""
        best = next((skill for skill in self.skills if skill != NONE), None)
        return best if best is not None and self.skills[best] >= self.accept else None

    def within(self, skill: str) -> dict[str, float]:
        """Probability of each action of a skill, given that it is this skill; best first."""
        own = {name: p for name, p in self.actions.items() if name.partition(".")[0] == skill}
        total = sum(own.values())
        return {name: p / total for name, p in own.items()} if total else own


@lru_cache(maxsize=4)
def source_of(models: Path) -> Source:
    """Choose and load once a process, and log what is wrong."""
    from agent.understand.source import choose

    source = choose(models)
    for note in source.notes:
        log.warning("%s", note)
    return source


class Semantic:
    """Ranks the installed skills for a text."""

    name = "semantic"

    def __init__(
        self, actions: Mapping[str, Action], models: Path | None = None, data: Path | None = None
    ) -> None:
        """Rank these actions; `models` is the folder that MiniLM or an embedding GGUF may be in.

        `data` is what was learned; None takes what belongs to the model that reads.

        When the mapping changes while the agent runs, call `update`. Raises EngineError without
        the file that training wrote.
        """
        self._models, self._data = models, data
        self._nearest: dict[int, tuple[Action, Nearest]] = {}
        self._actions: tuple[Action, ...] = ()
        self.update(actions)

    @cached_property
    def learned(self) -> Learned:
        """What training left. Raises EngineError."""
        if self._data is None and self._source is not None and self._source.learned is not None:
            return self._source.learned
        return load(self._data or DATA)

    @cached_property
    def meaning(self) -> Reader | None:
        """What reads a sentence, or None where nothing was fetched or what was is damaged."""
        return self._source.reader if self._source is not None else None

    @cached_property
    def _source(self) -> Source | None:
        return source_of(self._models) if self._models is not None else None

    def update(self, actions: Mapping[str, Action]) -> None:
        """Take these actions; one that was never learned is matched by its sentences from now on.

        Reads the sentences of such an action: a tenth of a second or two a language.
        """
        if tuple(actions.values()) == self._actions:
            return
        self._actions = tuple(actions.values())
        known, before = set(self.learned.labels), self._nearest
        new = [
            action
            for action in self._actions
            if action.name not in known and not by_sentences_alone(action)
        ]
        reads = self.meaning if len(new) <= READ_ACTIONS else None
        idf = self.learned.words.idf
        self._nearest = {
            id(action): before.get(id(action)) or (action, Nearest(sentences(action), idf, reads))
            for action in new
        }

    def rank(self, text: str, language: str, other: Mapping[str, float] | None = None) -> Ranking:
        """Return how probable each installed action is, and none.

        `other` is one more opinion: logarithms of probabilities by `skill.action` and `none`.
        """
        learned = self.learned
        text = clean(text)
        opinions = {WORDS: softmax(learned.words(text))}
        read = self._read(text, language)
        weights, bias = learned.head
        if read is not None and read.size == len(weights) and f"{WORDS}+{MEANING}" in learned.pools:
            opinions[MEANING] = softmax(read.ravel() @ weights + bias)
        pool, p = self._pooled(opinions, other)
        pooled = dict(zip(learned.labels, p.tolist(), strict=True))
        found = {a.name: pooled[a.name] for a in self._actions if a.name in pooled}
        own = read[self.meaning.last] if read is not None and self.meaning is not None else None
        new = self._unlearned(text, own, sum(found.values()))
        left = 1.0 - sum(new.values())
        found = {**{name: p * left for name, p in found.items()}, **new}
        return Ranking(
            actions=dict(sorted(found.items(), key=lambda pair: -pair[1])),
            none=max(0.0, 1.0 - sum(found.values())),
            accept=pool.accept,
            evidence={
                name: _by_skill(dict(zip(learned.labels, map(float, p), strict=True)))
                for name, p in opinions.items()
            },
        )

    def _read(self, text: str, language: str) -> Floats | None:
        """Return what the text is read as; None where nothing reads its language."""
        reader = self.meaning
        return reader(text) if reader is not None and reads(reader, language) else None

    def _pooled(
        self, opinions: dict[str, Floats], other: Mapping[str, float] | None
    ) -> tuple[Pool, Floats]:
        """Return the pool that fits the opinions, and what it says.

        `other` is added to the opinions. It counts as much as all the rest where training did not
        weigh it.
        """
        labels, pools = self.learned.labels, self.learned.pools
        none = labels.index(NONE)
        pool = pools["+".join(opinions)]
        pooled = pool(opinions, none)
        if other is None:
            return pool, pooled
        told = np.exp([other.get(label, -math.inf) for label in labels])
        knows = np.array([label in other for label in labels])
        opinions[OTHER] = shared(told, knows, pooled, none)
        if found := pools.get("+".join(opinions)):
            return found, found(opinions, none)
        return pool, softmax((np.log(pooled + LEAST) + np.log(opinions[OTHER] + LEAST)) / 2)

    def _unlearned(self, text: str, read: Floats | None, others: float) -> dict[str, float]:
        """Return the probability of each action that training never saw.

        A skill's logit is a linear function of how near its nearest sentence is, in words and in
        meaning, and of how probable the learned skills are together; its actions share it.
        """
        places = features(text)
        logits: dict[str, dict[str, float]] = {}
        for action, near in self._nearest.values():
            value = logit(self.learned.near, near(places, read), others)
            logits.setdefault(action.skill, {})[action.name] = value
        odds = {skill: math.exp(min(30.0, max(own.values()))) for skill, own in logits.items()}
        total = 1.0 + sum(odds.values())
        found: dict[str, float] = {}
        for skill, own in logits.items():
            share = softmax(np.array([*own.values()])) * odds[skill] / total
            found.update(zip(own, share.tolist(), strict=True))
        return found


class Nearest:
    """How near a text is to the sentences of one action."""

    def __init__(
        self, texts: Mapping[str, str], idf: NDArray[np.uint8], reader: Reader | None
    ) -> None:
        """Compare with these texts, each with its language; only some of them are read."""
        listed = [features(text) for text in texts]
        self._idf = idf.astype(np.float32)
        self._places = np.unique(np.concatenate(listed)) if listed else np.array([], np.int64)
        self._words = np.zeros((len(listed), len(self._places)), np.float32)
        for row, places in zip(self._words, listed, strict=True):
            row[np.searchsorted(self._places, places)] = _unit(self._idf[places])
        self._meaning: Floats | None = None
        if reader is not None and (few := _few(texts, reader)):
            self._meaning = np.stack([reader(text)[reader.last] for text in few])

    def __call__(
        self, places: NDArray[np.int64], read: Floats | None
    ) -> tuple[float, float | None]:
        """Return the greatest cosine in words and in meaning; None where it was not read.

        `read` is the text's row that likeness is measured by.
        """
        if not len(self._words):
            return 0.0, None
        there = np.isin(places, self._places, assume_unique=True)
        at = np.searchsorted(self._places, places[there])
        words = float((self._words[:, at] @ _unit(self._idf[places])[there]).max())
        if read is None or self._meaning is None:
            return words, None
        return words, float((self._meaning @ read).max())


def _few(texts: Mapping[str, str], reader: Reader) -> list[str]:
    """Return the texts that are read: the first of each language."""
    by_language: dict[str, list[str]] = {}
    for text, language in texts.items():
        if reads(reader, language):
            by_language.setdefault(language, []).append(text)
    return [text for own in by_language.values() for text in own[: reader.few]]


def reads(reader: Reader, language: str) -> bool:
    """Whether it can read a language."""
    return reader.chinese or language != "zh"


def logit(
    near: Mapping[str, Sequence[float]], likeness: tuple[float, float | None], others: float
) -> float:
    """Return the logit of a skill that training never saw: see `Learned.near`."""
    words, meaning = likeness
    if meaning is None:
        alone, taken, bias = near[WORDS]
        return alone * words + taken * others + bias
    lexical, semantic, taken, bias = near[MEANING]
    return lexical * words + semantic * meaning + taken * others + bias


def sentences(action: Action) -> dict[str, str]:
    """Return what an action is known by where it was not learned: texts with their language."""
    found: dict[str, str] = {}
    for language in action.languages:
        own = [example.text for example in examples(action, language, 3)]
        found.update(dict.fromkeys(own[:EXAMPLES], language))
    return found


def by_sentences_alone(action: Action) -> bool:
    """Return whether an action is never recognised by likeness."""
    declared = action.declaration
    return NEVER_NEAR in declared.knows or NEVER_NEAR_TO in declared.permissions


def _unit(values: Floats) -> Floats:
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-9), np.float32)


def _by_skill(labels: Mapping[str, float]) -> dict[str, float]:
    total: dict[str, float] = {}
    for label, p in labels.items():
        skill = label.partition(".")[0]
        total[skill] = total.get(skill, 0.0) + p
    return dict(sorted(total.items(), key=lambda pair: -pair[1]))
