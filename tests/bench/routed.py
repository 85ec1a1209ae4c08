"""How well what ships routes: real text where it is here, and what the pocket Qwen gets right alone.

The semantic stage that ships was taught with the shared real text, so what the whole router makes of
it tells whether a file went stale, not how well new text is understood: hence `seen` in the names.
How well new text is understood is what `tests.bench.unseen` measures.
"""

from __future__ import annotations

import math
from itertools import islice
from pathlib import Path

from agent import config
from agent.cli.compose import build
from agent.loop import Agent
from agent.messages import Intent, NotRecognized, Transcript
from agent.plugins.skills import Skills
from agent.understand.learn.measure import Measured, measure, read_cases
from agent.understand.learn.pocket.evaluate import Unseen, ask, known_shapes
from agent.understand.learn.pocket.recipe import collect
from agent.understand.pocket.router import PocketRouter, find
from hardware.display import MemoryDisplay
from hardware.profiles import load as load_profile
from tests.shared import DATA

DEV = DATA / "nlu" / "dev.jsonl"
CALLS = Path(__file__).parents[1] / "agent" / "understand" / "calls.jsonl"
SENTENCES = 400
"""Sentences of each kind that the pocket Qwen is asked for."""
SEED = 0


class _Whole:
    """The agent as a router: what `glasses route` answers."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def route(self, transcript: Transcript) -> Intent | NotRecognized:
        return self._agent.route(transcript.text, transcript.language)[1]


def routing() -> dict[str, float]:
    """Return what `glasses eval route` counts on the shared real text; nothing where it is not."""
    if not DEV.is_file():
        return {}
    settings = config.load()
    agent = build(settings, MemoryDisplay(load_profile(settings.profile)), ())
    actions = agent.skills.actions
    measured = measure(
        _Whole(agent),
        read_cases([DEV], CALLS),
        lambda name: name in actions and actions[name].declaration.risk == "money",
    )
    return {f"seen_{name}": value for name, value in percents(measured).items()}


def percents(measured: Measured) -> dict[str, float]:
    """Return what was counted: texts, calls, and the rest in percent."""
    told = measured.summary()
    names = ("skill", "false_accepts", "false_accepts_money", "exact")
    return {
        f"{name}_percent": math.nan if told[name] is None else 100 * told[name] for name in names
    } | {"texts": told["texts"], "calls": told["with_calls"]}


def pocket() -> dict[str, float]:
    """Return how many calls of the pocket Qwen, alone, are exact.

    Only a model that was trained on today's sentences can tell what it has learnt, and only one
    that held some out what it has not; otherwise the figure is not a number.
    """
    recipe = collect(Skills.discover().actions.values())
    router = PocketRouter(find(config.load().models))
    today = router.sentences == recipe.fingerprint
    found = {"pocket_known_shapes_percent": math.nan, "pocket_held_out_percent": math.nan}
    if today:
        known = ask(router, "known", islice(known_shapes(recipe, SEED), SENTENCES))
        found["pocket_known_shapes_percent"] = 100 * known.exact / known.total
    if today and router.holdout:
        held = ask(router, "held out", islice(Unseen(recipe, SEED), SENTENCES))
        found["pocket_held_out_percent"] = 100 * held.exact / held.total
    return found
