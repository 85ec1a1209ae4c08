"""What each stage of the router costs a call, on one core, the other one busy; what is right."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from agent import config
from agent.language.text import language_of
from agent.messages import Transcript
from agent.plugins.skills import Skills
from agent.understand.router import Router, Stages
from tests.bench import routed
from tests.bench.turns import percentile
from tests.shared import DATA

TEXTS = 600
"""Utterances, evenly from all of the shared ones; without those, the skills' own sentences."""


def figures() -> dict[str, float]:
    """Return p50 and p95 in ms of each stage and of the whole router, and how well they do."""
    from agent.understand.pocket.router import PocketRouter, find
    from agent.understand.semantic import Semantic

    models = config.load().models
    actions = Skills.discover().actions
    router = Router(actions, Stages(models))
    only = Router(actions, Stages(models, semantic=False))
    semantic = Semantic(actions, models)
    pocket = PocketRouter(find(models))
    texts = _texts()
    stages: dict[str, Callable[[str], object]] = {
        "templates": lambda text: only.route(Transcript(text, language_of(text))),
        "semantic": lambda text: semantic.rank(text, language_of(text)),
        "pocket": lambda text: pocket.call(text, actions),
        "router": lambda text: router.route(Transcript(text, language_of(text))),
    }
    found: dict[str, float] = {}
    with _busy():
        for name, stage in stages.items():
            times = _timed(stage, texts)
            found[f"{name}_p50_ms"] = percentile(times, 0.5)
            found[f"{name}_p95_ms"] = percentile(times, 0.95)
    return found | routed.routing() | routed.pocket()


def _timed(stage: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    for text in texts[:20]:  # what is read or compiled once is nobody's latency
        stage(text)
    times = []
    for text in texts:
        began = time.perf_counter()
        stage(text)
        times.append((time.perf_counter() - began) * 1000)
    return times


def _texts() -> list[str]:
    path = DATA / "nlu" / "dev.jsonl"
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["text"] for line in lines[:: max(1, len(lines) // TEXTS)]]
    from agent.derive.paraphrases import examples

    actions = Skills.discover().actions.values()
    return [one.text for action in actions for one in examples(action, "en", 1)][:TEXTS]


@contextmanager
def _busy() -> Iterator[None]:
    """Keep one core at work."""
    other = multiprocessing.get_context("spawn").Process(target=_spin, daemon=True)
    other.start()
    try:
        yield
    finally:
        other.kill()
        other.join()


def _spin() -> None:
    while True:
        pass
