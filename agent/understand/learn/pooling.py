"""What is made of opinions about text that they had not seen: weights, thresholds, curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from agent.derive.paraphrases import NONE
from agent.derive.sample import samples
from agent.skill.declare import Action
from agent.understand.learn.corpus import Read, Row
from agent.understand.learn.fit import FitOptions, dense, fit, fit_pool
from agent.understand.learned import LEAST, MEANING, WORDS, Pool
from agent.understand.linear import Linear
from agent.understand.reader import Reader
from agent.understand.semantic import Nearest

Floats = NDArray[np.float32]

FALSE_ACCEPTS = 0.02
"""Share of out-of-scope text that the threshold lets through, in the folds. A quarter of it, in the
text that we have, is asked of a skill after all: "how many cups are in a quart" is marked as of a
recipe, "what is the temperature right now in new york" as of facts."""


def pools(found: Mapping[str, Floats], text: Read, labels: Sequence[str]) -> dict[str, Pool]:
    """Fit how opinions are pooled, for every set of them that has the words."""
    made = {}
    none = labels.index(NONE)
    for names in _sets(found):
        at = np.flatnonzero(text.is_read) if MEANING in names else np.arange(len(text.is_read))
        logs = [np.log(found[name][at] + LEAST) for name in names]
        weights, bias = fit_pool(logs, none, text.allowed[at])
        pool = Pool(dict(zip(names, weights, strict=True)), bias, 0.5)
        pooled = pool({name: found[name][at] for name in names}, none)
        accept = threshold(pooled, text.allowed[at], labels, FALSE_ACCEPTS)
        made["+".join(names)] = replace(pool, accept=accept)
    return made


def pooled(
    made: Mapping[str, Pool], found: Mapping[str, Floats], text: Read, labels: Sequence[str]
) -> Floats:
    """Return what the whole stage says: all opinions where a text was read, else all but one."""
    result = np.zeros(text.allowed.shape, np.float32)
    for is_read in (True, False):
        at = np.flatnonzero(text.is_read == is_read)
        names = [name for name in found if is_read or name != MEANING]
        if len(at):
            pool = made["+".join(names)]
            result[at] = pool({name: found[name][at] for name in names}, labels.index(NONE))
    return result


def _sets(found: Mapping[str, Floats]) -> Iterator[tuple[str, ...]]:
    for size in range(1, len(found) + 1):
        for names in combinations(found, size):
            if WORDS in names:
                yield names


def by_skill(p: Floats, labels: Sequence[str]) -> tuple[Floats, list[str]]:
    """Sum the probabilities of labels to those of skills; return them and the skills, none last."""
    own = [label.partition(".")[0] for label in labels]
    skills = [*dict.fromkeys(skill for skill in own if skill != NONE), NONE]
    total = np.zeros((len(p), len(skills)), np.float32)
    for at, skill in enumerate(own):
        total[:, skills.index(skill)] += p[:, at]
    return total, skills


def threshold(
    p: Floats, allowed: NDArray[np.bool_], labels: Sequence[str], false_accepts: float
) -> float:
    """Return the probability from which this share of out-of-scope text is taken for a skill."""
    total, _ = by_skill(p, labels)
    outside = allowed[:, labels.index(NONE)]
    best = np.sort(total[outside, :-1].max(axis=1))[::-1]
    return float(best[min(int(false_accepts * len(best)), len(best) - 1)]) if len(best) else 0.5


@dataclass(frozen=True, slots=True)
class Point:
    """How often skills are right at one threshold."""

    false_accepts: float
    """Share of out-of-scope text that is taken for a skill."""
    accepted: float
    """Share of in-scope text whose skill is found."""
    wrong: float
    """Share of in-scope text that is taken for another skill."""
    accept: float
    """The threshold."""


def curve(
    p: Floats, allowed: NDArray[np.bool_], labels: Sequence[str], shares: Sequence[float]
) -> list[Point]:
    """Return what is accepted when these shares of out-of-scope text are."""
    total, _ = by_skill(p, labels)
    right, _ = by_skill(allowed.astype(np.float32), labels)
    inside = ~allowed[:, labels.index(NONE)]
    best, score = total[:, :-1].argmax(axis=1), total[:, :-1].max(axis=1)
    hit = right[np.arange(len(p)), best] > 0
    points = []
    for share in shares:
        accept = threshold(p, allowed, labels, share)
        taken = score > accept
        points.append(
            Point(
                float(taken[~inside].mean()),
                float((taken & hit)[inside].mean()),
                float((taken & ~hit)[inside].mean()),
                accept,
            )
        )
    return points


def nearness(
    actions: Iterable[Action],
    rows: Sequence[Row],
    text: Read,
    pooled: Floats,
    labels: Sequence[str],
    words: Linear,
    reader: Reader | None,
) -> dict[str, list[float]]:
    """Fit how a skill that was not learned is known by its sentences.

    Each learned skill in turn stands for one: its labels are struck from the pooled probabilities,
    and it has its sentences only, without paraphrases.
    """
    total, skills = by_skill(pooled, labels)
    right, _ = by_skill(text.allowed.astype(np.float32), labels)
    lexical, both, own, own_both = [], [], [], []
    by_name: dict[str, list[Nearest]] = {}
    for action in actions:
        said = {
            sample.text: language
            for language in action.languages
            for drawn in samples(action, language, 3, off_list=False).values()
            for sample in drawn
        }
        by_name.setdefault(action.skill, []).append(Nearest(said, words.idf, reader))
    for at, skill in enumerate(skills[:-1]):
        others = (total[:, :-1].sum(axis=1) - total[:, at]) / np.maximum(1 - total[:, at], 1e-6)
        for number in range(len(rows)):
            read = None
            if reader is not None and text.is_read[number]:
                read = text.meaning[number].reshape(reader.shape)[reader.last]
            likeness = [near(text.places[number], read) for near in by_name[skill]]
            lexical.append((max(one[0] for one in likeness), others[number]))
            own.append(right[number, at] > 0)
            if read is not None:
                meaning = max(one[1] or 0.0 for one in likeness)
                both.append((*lexical[-1][:1], meaning, others[number]))
                own_both.append(own[-1])
    found = {WORDS: _logistic(lexical, own)}
    if both:
        found[MEANING] = _logistic(both, own_both)
    return found


def _logistic(columns: Sequence[tuple[float, ...]], own: Sequence[bool]) -> list[float]:
    """Return a factor for each column, and the constant."""
    x = np.array(columns, np.float32)
    yes = np.array(own, np.bool_)
    options = FitOptions(rate=0.1, epochs=20, batch=256)
    weights, bias = fit(
        dense(x), x.shape[1], np.stack([~yes, yes], axis=1), np.ones(len(x), np.float32), options
    )
    return [*map(float, weights[:, 1] - weights[:, 0]), float(bias[1] - bias[0])]
