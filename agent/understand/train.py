"""Teach the semantic stage: `python -m agent.understand.train [--real FILE]`.

Learns from every sentence and paraphrase of the skills that ship, from what belongs to no skill,
and from real text where some is given: JSONL with `text`, `skill` (or `none`) and, where known,
`action`. Every row of the real text is also read by a model that has not seen it (five folds): that
sets the weights of the opinions and the threshold, and is what is reported. Seeded; about two
minutes on one core. Writes `semantic.npz`; no text is kept in it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two threads on two busy cores only wait

import numpy as np
from numpy.typing import NDArray

from agent import config
from agent.errors import GlassesError, PluginError
from agent.paraphrases import NONE
from agent.plugins import BUILTIN, Skills
from agent.skill import Action
from agent.understand.corpus import FOLDS, Read, Row, drawn, fold_of, join, real, scores
from agent.understand.fit import FitOptions, dense, fit, softmax, sparse
from agent.understand.linear import PLACES, Linear, features, idf
from agent.understand.minilm import POOLED, WIDTH, MiniLM, find
from agent.understand.pooling import Point, curve, nearness, pooled, pools
from agent.understand.semantic import DATA, MEANING, OTHER, WORDS, Learned

if TYPE_CHECKING:
    from rich.progress import TaskID

Floats = NDArray[np.float32]

WORDS_FIT = FitOptions(rate=0.05, epochs=8)
MEANING_FIT = FitOptions(rate=0.01, epochs=20, decay=0.1)
SHARES = (0.005, 0.01, 0.015, 0.02, 0.03)
"""Shares of false accepts that are reported."""

COLUMNS = (len(POOLED) + 2) * WIDTH


def read(rows: Sequence[Row], labels: Sequence[str], minilm: MiniLM | None, show: Show) -> Read:
    """Turn rows into numbers."""
    meaning = np.zeros((len(rows), COLUMNS if minilm else 0), np.float32)
    english = np.zeros(len(rows), np.bool_)
    for number, row in enumerate(rows):
        if minilm is not None and row.language != "zh":
            meaning[number], english[number] = minilm(row.text).ravel(), True
        show("reading", number + 1, len(rows))
    at = {label: number for number, label in enumerate(labels)}
    allowed = np.zeros((len(rows), len(labels)), np.bool_)
    for number, row in enumerate(rows):
        allowed[number, [at[label] for label in row.allowed]] = True
    weight = np.array([row.weight for row in rows], np.float32)
    return Read([features(row.text) for row in rows], meaning, english, allowed, weight)


Show = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""


def learn(data: Read, seed: int) -> tuple[Linear, tuple[Floats, Floats]]:
    """Train both opinions."""
    counts = idf(data.places)
    rows = sparse(data.places, counts)
    weights, bias = fit(rows, PLACES, data.allowed, data.weight, replace(WORDS_FIT, seed=seed))
    words = Linear.of(weights, bias, counts)
    labels = data.allowed.shape[1]
    if not data.english.any():
        return words, (np.zeros((COLUMNS, labels), np.float32), np.zeros(labels, np.float32))
    own = data.take(np.flatnonzero(data.english))
    options = replace(MEANING_FIT, seed=seed)
    head = fit(dense(own.meaning), COLUMNS, own.allowed, own.weight, options)
    return words, head


def opinions(words: Linear, head: tuple[Floats, Floats], data: Read) -> dict[str, Floats]:
    """Return each opinion's probabilities over the labels, rows x labels."""
    found = {WORDS: softmax(np.stack([words.score(places) for places in data.places]))}
    if data.meaning.shape[1]:
        found[MEANING] = softmax(data.meaning @ head[0] + head[1])
    return found


def unseen(
    synthetic: Read, text: Read, folds: NDArray[np.int64], seed: int, show: Show
) -> dict[str, Floats]:
    """Return opinions about real text by models that did not see it."""
    found: dict[str, Floats] = {}
    for fold in range(FOLDS):
        show("folds", fold, FOLDS)
        own = np.flatnonzero(folds == fold)
        taught = join(synthetic, text.take(np.flatnonzero(folds != fold)))
        for name, p in opinions(*learn(taught, seed), text.take(own)).items():
            found.setdefault(name, np.zeros(text.allowed.shape, np.float32))[own] = p
    show("folds", FOLDS, FOLDS)
    return found


# -- the command -----------------------------------------------------------------------------------


def train(
    actions: Sequence[Action],
    text: Sequence[Row],
    minilm: MiniLM | None,
    other: Path | None = None,
    seed: int = 0,
    show: Show = lambda *_: None,
) -> tuple[Learned, dict[str, list[Point]]]:
    """Learn everything; return it with how well each pool did on text it had not seen.

    `text` may be empty: then drawn examples of other templates stand in for it. `other` is a file
    of one more opinion about the text, by a model that had not seen it either.
    """
    labels = (*(action.name for action in actions), NONE)
    synthetic = list(drawn(actions, seed))
    rows = [*text] or [replace(row, weight=1.0) for row in synthetic]
    held = read(rows, labels, minilm, show)
    taught = read(synthetic if text else [], labels, minilm, show)
    folds = np.array([fold_of(row) for row in rows])
    found = unseen(taught, held, folds, seed, show)
    if other is not None:
        found[OTHER] = scores(other, rows, labels)
    made = pools(found, held, labels)
    words, head = learn(join(taught, held), seed)
    best = pooled(made, found, held, labels)
    near = nearness(actions, rows, held, best, labels, words, minilm)
    none = labels.index(NONE)
    points = {}
    for name, pool in made.items():
        at = np.flatnonzero(held.english) if MEANING in name else np.arange(len(rows))
        p = pool({key: found[key][at] for key in name.split("+")}, none)
        points[name] = curve(p, held.allowed[at], labels, SHARES)
    points["all"] = curve(best, held.allowed, labels, SHARES)
    return Learned(labels, words, head, made, near), points


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, report and write; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m agent.understand.train",
        description="Teach the semantic stage what the installed skills are asked in.",
    )
    parser.add_argument(
        "--real", action="append", default=[], type=Path, metavar="FILE",
        help="JSONL of {text, skill, action?}; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--plugin", action="append", default=[], metavar="PATH_OR_MODULE",
        help="also learn this plugin",
    )  # fmt: skip
    parser.add_argument(
        "--other", type=Path, metavar="FILE",
        help="JSONL of {text, scores}: logarithms of probabilities by skill.action and none, by"
        " another model that was not taught with the text; its weight is fitted",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, default=DATA, help="file to write; ours by default")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        actions = _actions(options.plugin)
        labels = [*(action.name for action in actions), NONE]
        text = [row for path in options.real for row in real(path, labels)]
        minilm = find(config.load().models)
        with _bar() as show:
            learned, points = train(actions, text, minilm, options.other, options.seed, show)
        learned.save(options.out)
    except GlassesError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Of {'real' if text else 'drawn'} text, each read by a model that had not seen it:")
    for name, curved in points.items():
        for point in curved:
            print(
                f"  {name:14} {point.accepted:7.2%} of skills found, {point.wrong:.2%} wrong, at"
                f" {point.false_accepts:.2%} false accepts (from {point.accept:.2f})"
            )
    print(f"{options.out} ({options.out.stat().st_size / 1e6:.1f} MB), {len(labels)} labels")
    return 0


def _actions(plugins: Iterable[str]) -> list[Action]:
    """Load the skills that ship, and these. Raises PluginError."""
    skills = Skills()
    for name in BUILTIN:
        skills.add(name, source="glasses")
    for wanted in plugins:
        if problem := skills.add(wanted):
            raise PluginError(f"plugin {wanted}: {problem.reason}")
    return [*skills.actions.values()]


@contextmanager
def _bar() -> Iterator[Show]:
    """Show a progress bar on a terminal."""
    from rich.progress import Progress

    with Progress(transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, of: int) -> None:
            task = tasks.get(what)
            if task is None:
                task = tasks[what] = progress.add_task(what, total=of)
            progress.update(task, completed=done, total=of)

        yield show


if __name__ == "__main__":
    sys.exit(main())
