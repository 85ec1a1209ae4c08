"""Said: every sampled sentence, as text, must come to its own action with the right slots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agent.derive.sample import Sample
from agent.messages import Intent, NotRecognized, Transcript
from agent.skill.declare import Action
from agent.skill.slots import to_json
from agent.understand.router import Router, Stages

NOW = timedelta(minutes=1)
"""Points of time this near to one another are the same: "in ten minutes" was read twice."""


@dataclass(frozen=True, slots=True)
class Said:
    """What became of one sentence as text."""

    sample: Sample
    """The sentence."""
    wrong: str
    """"" when it arrived, else what it was taken for."""


def check_said(actions: Mapping[str, Action], samples: Iterable[Sample]) -> Iterator[Said]:
    """Route every sentence among all `actions`."""
    router = Router(actions, Stages(semantic=False))
    for sample in samples:
        intent = router.exactly(Transcript(sample.text, sample.language))
        yield Said(sample, mismatch(sample, intent))


def mismatch(
    sample: Sample, intent: Intent | NotRecognized | None, free_matters: bool = True
) -> str:
    """Return "" when a call is the sample's own, else what it is instead, in a few words.

    `free_matters` false forgives what stands in slots of free text.
    """
    if not isinstance(intent, Intent) or intent.missing:
        return "not recognised"
    if intent.name != sample.action:
        return f"{intent.name}{_listed(intent.slots)}"
    wanted, got = dict(sample.slots), dict(intent.slots)
    if not free_matters:
        for name in sample.free:
            if name in got:
                got[name] = wanted.get(name)
    if wanted.keys() == got.keys() and all(_same(wanted[name], got[name]) for name in wanted):
        return ""
    return f"slots{_listed(got)} instead of{_listed(wanted)}"


def _same(wanted: Any, got: Any) -> bool:
    if isinstance(wanted, datetime) and isinstance(got, datetime):
        return abs(wanted - got) <= NOW
    return bool(wanted == got)


def _listed(slots: Mapping[str, Any]) -> str:
    return "".join(f" {name}={to_json(value)}" for name, value in slots.items()) or " none"
