"""How well the whole router does on real text that none of its stages was taught with.

`python -m tests.bench.unseen [--pocket FILE]...`, about four minutes and half a minute a pocket
model. The semantic stage is taught five times, each time without a fifth of the text, and that fifth
goes through a router with it; the pocket Qwen never saw any. The weights of the opinions and the
threshold, four numbers, are fitted to what the five said of text they had not seen.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from agent import config
from agent.messages import Intent, NotRecognized, Transcript
from agent.paraphrases import NONE
from agent.plugins import BUILTIN, Skills
from agent.pocket.router import PocketRouter, find
from agent.skill import Action
from agent.understand.corpus import Read, Row, drawn, fold_of, real
from agent.understand.linear import Linear
from agent.understand.measure import Measured, measure, read_cases
from agent.understand.minilm import find as find_minilm
from agent.understand.pooling import pools
from agent.understand.router import Router, Stages
from agent.understand.semantic import DATA as SHIPPED
from agent.understand.semantic import OTHER, Floats, Learned
from agent.understand.text import clean
from agent.understand.train import folded, opinions, read
from tests.shared import DATA

DEV = DATA / "nlu" / "dev.jsonl"
CALLS = Path(__file__).parents[1] / "agent" / "understand" / "calls.jsonl"
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
    folds: Sequence[tuple[Linear, tuple[Floats, Floats]]]
    """Opinions, a fold, that have not seen it."""
    found: Mapping[str, Floats]
    """What they make of it."""


def teach(seed: int = 0) -> Taught:
    """Teach the semantic stage five times."""
    skills = Skills()
    for name in BUILTIN:
        skills.add(name, source="glasses")
    actions = skills.actions
    labels = (*actions, NONE)
    rows = real(DEV, labels)
    reader = find_minilm(config.load().models)
    held = read(rows, labels, reader, _silent)
    taught = read(list(drawn([*actions.values()], seed)), labels, reader, _silent)
    folds = np.array([fold_of(row) for row in rows])
    models, found = [], {}
    for own, words, head in folded(taught, held, folds, seed, _silent):
        models.append((words, head))
        for name, p in opinions(words, head, held.take(own)).items():
            found.setdefault(name, np.zeros(held.allowed.shape, np.float32))[own] = p
    return Taught(actions, rows, held, models, found)


def route(taught: Taught, pocket: Path) -> Measured:
    """Route every text by a router whose semantic stage has not seen it, with this pocket Qwen."""
    labels = (*taught.actions, NONE)
    engine = PocketRouter(pocket)
    said = [engine.call(row.text, taught.actions).probabilities for row in taught.rows]
    other = np.array([[max(p.get(label, 0.0), LEAST) for label in labels] for p in said])
    found = {**taught.found, OTHER: other.astype(np.float32)}
    made = pools(found, taught.held, labels)
    near = Learned.load(SHIPPED).near
    with _models(pocket) as folder:
        routers = []
        for number, (words, head) in enumerate(taught.folds):
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


def percents(measured: Measured) -> dict[str, float]:
    """Return what was measured, in percent."""
    told = measured.summary()
    names = ("skill", "false_accepts", "false_accepts_money", "exact")
    return {
        f"{name}_percent": math.nan if told[name] is None else 100 * told[name] for name in names
    } | {"texts": told["texts"], "calls": told["with_calls"]}


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
