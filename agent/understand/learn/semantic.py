"""Teach the semantic stage: what ships is made by it.

    python -m agent.understand.learn.semantic [--real FILE] [--embedding FILE]

Learns from every sentence and paraphrase of the skills that ship, from what belongs to no skill,
and from real text where some is given: JSONL with `text`, `skill` (or `none`) and, where known,
`action`. Every row of the real text is also read by a model that has not seen it (five folds): that
sets the weights of the opinions and the threshold, and is what is reported. Seeded; about two
minutes on one core. Writes `semantic.npz`; no text is kept in it.

With `--embedding FILE.gguf` what reads the sentences, English and Chinese, is that embedding model
instead of MiniLM, and `FILE.npz` is written beside it: how long that takes is the model's to say, a
bar shows it. Without real text the words stay as they ship, since they were taught with some; the
threshold that drawn text asks for is a strict one. Tried with MiniLM's last row and a part of the
drawn text, real text had 82 % of skills found at 0.7 % false accepts, words taught anew.
"""

from __future__ import annotations

import argparse
import math
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
from agent.derive.paraphrases import NONE
from agent.errors import GlassesError, PluginError
from agent.models.llm.store import find_embeddings
from agent.plugins.skills import BUILTIN, Skills
from agent.skill.declare import Action
from agent.understand.embedding import Embedding
from agent.understand.learn.corpus import FOLDS, Read, Row, drawn, fold_of, join, real, scores
from agent.understand.learn.fit import FitOptions, dense, fit, softmax, sparse
from agent.understand.learn.pooling import Point, curve, nearness, pooled, pools
from agent.understand.learned import DATA, MEANING, OTHER, WORDS, Learned, Pool, shared
from agent.understand.linear import PLACES, Linear, features, idf
from agent.understand.minilm import find
from agent.understand.reader import Reader
from agent.understand.semantic import reads
from agent.understand.source import mark

if TYPE_CHECKING:
    from rich.progress import TaskID

Floats = NDArray[np.float32]

WORDS_FIT = FitOptions(rate=0.05, epochs=8)
MEANING_FIT = FitOptions(rate=0.01, epochs=20, decay=0.1)
SHARES = (0.005, 0.01, 0.015, 0.02, 0.03)
"""Shares of false accepts that are reported."""


def read(rows: Sequence[Row], labels: Sequence[str], reader: Reader | None, show: Show) -> Read:
    """Turn rows into numbers."""
    meaning = np.zeros((len(rows), math.prod(reader.shape) if reader else 0), np.float32)
    is_read = np.zeros(len(rows), np.bool_)
    for number, row in enumerate(rows):
        if reader is not None and reads(reader, row.language):
            meaning[number], is_read[number] = reader(row.text).ravel(), True
        show("reading", number + 1, len(rows))
    at = {label: number for number, label in enumerate(labels)}
    allowed = np.zeros((len(rows), len(labels)), np.bool_)
    for number, row in enumerate(rows):
        allowed[number, [at[label] for label in row.allowed]] = True
    weight = np.array([row.weight for row in rows], np.float32)
    return Read([features(row.text) for row in rows], meaning, is_read, allowed, weight)


Show = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""

Fold = tuple[NDArray[np.int64], Linear, tuple[Floats, Floats]]
"""Rows, and both opinions that were not taught with them."""


def learn(data: Read, seed: int) -> tuple[Linear, tuple[Floats, Floats]]:
    """Train both opinions."""
    counts = idf(data.places)
    rows = sparse(data.places, counts)
    weights, bias = fit(rows, PLACES, data.allowed, data.weight, replace(WORDS_FIT, seed=seed))
    words = Linear.of(weights, bias, counts)
    labels = data.allowed.shape[1]
    columns = data.meaning.shape[1]
    if not data.is_read.any():
        return words, (np.zeros((1, labels), np.float32), np.zeros(labels, np.float32))
    own = data.rows(np.flatnonzero(data.is_read))
    options = replace(MEANING_FIT, seed=seed)
    head = fit(dense(own.meaning), columns, own.allowed, own.weight, options)
    return words, head


def opinions(words: Linear, head: tuple[Floats, Floats], data: Read) -> dict[str, Floats]:
    """Return each opinion's probabilities over the labels, rows x labels."""
    found = {WORDS: softmax(np.stack([words.score(places) for places in data.places]))}
    if data.meaning.shape[1]:
        found[MEANING] = softmax(data.meaning @ head[0] + head[1])
    return found


def folded(
    synthetic: Read, text: Read, folds: NDArray[np.int64], seed: int, show: Show
) -> list[Fold]:
    """Return, a fold, the rows of the text that are in it and both opinions without them."""
    found = []
    for fold in range(FOLDS):
        show("folds", fold, FOLDS)
        own = np.flatnonzero(folds == fold)
        taught = join(synthetic, text.rows(np.flatnonzero(folds != fold)))
        found.append((own, *learn(taught, seed)))
    show("folds", FOLDS, FOLDS)
    return found


def unseen(text: Read, models: Iterable[Fold]) -> dict[str, Floats]:
    """Return opinions about real text by models that did not see it."""
    found: dict[str, Floats] = {}
    for own, words, head in models:
        for name, p in opinions(words, head, text.rows(own)).items():
            found.setdefault(name, np.zeros(text.allowed.shape, np.float32))[own] = p
    return found


def fitted(learned: Learned, path: Path, shipped: Learned) -> Learned:
    """Return what drawn text taught for an embedding file, with the rest as it ships."""
    if learned.labels != shipped.labels:  # other skills than those that ship
        return replace(learned, reader=mark(path))
    near = {**learned.near, WORDS: shipped.near[WORDS]}
    pools = {name: pool for name, pool in shipped.pools.items() if MEANING not in name}
    both = f"{WORDS}+{MEANING}"
    if both in learned.pools:
        new, before = learned.pools[both], shipped.pools.get(both, learned.pools[both])
        pools[both] = new
        if third := shipped.pools.get(f"{both}+{OTHER}"):  # weighs as much as beside MiniLM
            pools[f"{both}+{OTHER}"] = Pool(
                {**new.weights, OTHER: third.weights[OTHER]},
                new.none + third.none - before.none,
                new.accept,
            )
    return replace(learned, words=shipped.words, pools=pools, near=near, reader=mark(path))


# -- the command -----------------------------------------------------------------------------------


def train(
    actions: Sequence[Action],
    text: Sequence[Row],
    reader: Reader | None,
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
    held = read(rows, labels, reader, show)
    taught = read(synthetic if text else [], labels, reader, show)
    folds = np.array([fold_of(row) for row in rows])
    found = unseen(held, folded(taught, held, folds, seed, show))
    made = pools(found, held, labels)
    if other is not None:
        rest = pooled(made, found, held, labels)
        found[OTHER] = shared(*scores(other, rows, labels), rest, labels.index(NONE))
        made = pools(found, held, labels)
    words, head = learn(join(taught, held), seed)
    best = pooled(made, found, held, labels)
    near = nearness(actions, rows, held, best, labels, words, reader)
    none = labels.index(NONE)
    points = {}
    for name, pool in made.items():
        at = np.flatnonzero(held.is_read) if MEANING in name else np.arange(len(rows))
        p = pool({key: found[key][at] for key in name.split("+")}, none)
        points[name] = curve(p, held.allowed[at], labels, SHARES)
    points["all"] = curve(best, held.allowed, labels, SHARES)
    return Learned(labels, words, head, made, near), points


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, report and write; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m agent.understand.learn.semantic",
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
    parser.add_argument(
        "--embedding", type=Path, metavar="GGUF",
        help="fit what is learned to this Qwen3 embedding model, and write it beside the file",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, help="file to write; ours, or the embedding's, if not")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        actions = loaded(options.plugin)
        labels = [*(action.name for action in actions), NONE]
        text = [row for path in options.real for row in real(path, labels)]
        models, gguf = config.load().models, options.embedding
        reader: Reader | None = Embedding(gguf) if gguf else find(models)
        out = options.out or (gguf.with_suffix(".npz") if gguf else DATA)
        with bar() as show:
            learned, points = train(actions, text, reader, options.other, options.seed, show)
        if gguf:
            learned = (
                replace(learned, reader=mark(gguf))
                if text
                else fitted(learned, gguf, Learned.load(DATA))
            )
        learned.save(out)
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
    print(f"{out} ({out.stat().st_size / 1e6:.1f} MB), {len(labels)} labels")
    if gguf and gguf.resolve() not in [path.resolve() for path in find_embeddings(models)]:
        print(f"Put both files into {models}, with `embed` in their names: then they are used.")
    return 0


def loaded(plugins: Iterable[str]) -> list[Action]:
    """Return the actions of the skills that ship, and of these plugins. Raises PluginError."""
    skills = Skills()
    for name in BUILTIN:
        skills.add(name, source="glasses")
    for wanted in plugins:
        if problem := skills.add(wanted):
            raise PluginError(f"plugin {wanted}: {problem.reason}")
    return [*skills.actions.values()]


@contextmanager
def bar() -> Iterator[Show]:
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
