"""How well the whole router does on real text that none of its stages was taught with.

`python -m tests.bench.unseen [--pocket FILE]...`, about four minutes and half a minute a pocket
model. The semantic stage is taught five times, each time without a fifth of the text, and that fifth
goes through a router with it; the pocket Qwen never saw any. The weights of the opinions and the
thresholds, a handful of numbers, are fitted to what the five said of text they had not seen.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from agent import config
from agent.derive.paraphrases import NONE
from agent.language.text import clean
from agent.messages import Intent, NotRecognized, Transcript
from agent.skill import Action
from agent.understand.learn.corpus import Read, Row, drawn, fold_of, real
from agent.understand.learn.measure import Measured, measure, read_cases
from agent.understand.learn.pooling import pooled, pools
from agent.understand.learn.semantic import Fold, folded, loaded, read, unseen
from agent.understand.learned import DATA as SHIPPED
from agent.understand.learned import OTHER, Learned, shared
from agent.understand.minilm import find as find_minilm
from agent.understand.pocket.router import PocketRouter, find
from agent.understand.router import Router, Stages
from tests.bench.routed import CALLS, DEV, percents

LEAST = 1e-6
"""Probability that the router takes none of the pocket's opinions to be below."""


@dataclass(frozen=True, slots=True)
class Taught:
    """Five semantic stages, each without a fifth of the text."""

    actions: Mapping[str, Action]
    """Those that ship."""
    rows: Sequence[Row]
    """The text."""
    held: Read
    """The same as numbers."""
    models: Sequence[Fold]
    """Opinions, a fold, that have not seen it."""


def teach(seed: int = 0) -> Taught:
    """Teach the semantic stage five times."""
    actions = {action.name: action for action in loaded(())}
    labels = (*actions, NONE)
    rows = real(DEV, labels)
    reader = find_minilm(config.load().models)
    held = read(rows, labels, reader, _silent)
    taught = read(list(drawn([*actions.values()], seed)), labels, reader, _silent)
    folds = np.array([fold_of(row) for row in rows])
    return Taught(actions, rows, held, folded(taught, held, folds, seed, _silent))


def route(taught: Taught, pocket: Path) -> Measured:
    """Route every text by a router whose semantic stage has not seen it, with this pocket Qwen."""
    labels = (*taught.actions, NONE)
    engine = PocketRouter(pocket)
    said = [engine.call(row.text, taught.actions).probabilities for row in taught.rows]
    other = np.array([[max(p.get(label, 0.0), LEAST) for label in labels] for p in said])
    found = unseen(taught.held, taught.models)
    rest = pooled(pools(found, taught.held, labels), found, taught.held, labels)
    knows = np.array([label in engine.actions or label == NONE for label in labels])
    found[OTHER] = shared(other.astype(np.float32), knows, rest, labels.index(NONE))
    made = pools(found, taught.held, labels)
    near = Learned.load(SHIPPED).near
    with _models(pocket) as folder:
        routers = []
        for number, (_, words, head) in enumerate(taught.models):
            learned = folder / f"{number}.npz"
            Learned(labels, words, head, made, near).save(learned)
            routers.append(Router(taught.actions, Stages(folder, learned=learned)))
        return measure(
            _Folds(routers, {row.text: fold_of(row) for row in taught.rows}),
            read_cases([DEV], CALLS),
            lambda name: taught.actions[name].declaration.risk == "money",
        )


def figures() -> dict[str, float]:
    """Return what `glasses eval route` counts; nothing where there is no real text."""
    if not DEV.is_file():
        return {}
    return percents(route(teach(), find(config.load().models)))


class _Folds:
    """Asks the router that has not seen a text."""

    def __init__(self, routers: Sequence[Router], folds: Mapping[str, int]) -> None:
        self._routers, self._folds = routers, folds

    def route(self, transcript: Transcript) -> Intent | NotRecognized:
        return self._routers[self._folds[clean(transcript.text)]].route(transcript)


@contextmanager
def _models(pocket: Path) -> Iterator[Path]:
    """A folder of models as the user's, with this pocket Qwen."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for path in config.load().models.glob("*"):
            if path.name != "pocket":
                (folder / path.name).symlink_to(path)
        (folder / "pocket").mkdir()
        (folder / "pocket" / "pocket-qwen.gguf").symlink_to(pocket.resolve())
        yield folder


def _silent(what: str, done: int, of: int) -> None:
    """Nobody watches."""


def main() -> None:
    """Print a table for each pocket model, and the calls that are wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pocket", type=Path, action="append")
    parser.add_argument("--worst", type=int, default=0, help="also print that many mistakes")
    options = parser.parse_args()
    taught = teach()
    for pocket in options.pocket or [find(config.load().models)]:
        measured = route(taught, pocket)
        print(pocket.name, measured.summary(), sep="\n", flush=True)
        for line in measured.worst(options.worst):
            print(" | ".join(map(str, line.values())))


if __name__ == "__main__":
    main()
