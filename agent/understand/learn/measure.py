"""How well a router routes: what is counted, over any object with `route(Transcript)`."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from agent.derive.paraphrases import NONE
from agent.errors import ConfigError
from agent.language.text import language_of
from agent.messages import Intent, Transcript
from agent.skill.slots import to_json
from agent.understand.learn.corpus import meant, read_lines

WORST = 30
"""Cases that are told one by one."""


class Routes(Protocol):
    """What is measured."""

    def route(self, transcript: Transcript) -> Any:
        """Return an Intent; everything else means that nothing was recognised."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A call as it should be, or as it came."""

    name: str
    """`skill.action`."""
    slots: Mapping[str, Any] | None = None
    """Values as JSON has them; None says nothing about them."""

    def fits(self, other: Labelled) -> bool:
        """Whether another call is this one; letter case and outer spaces do not matter."""
        if self.name != other.name:
            return False
        return self.slots is None or _plain(self.slots) == _plain(other.slots or {})


@dataclass(frozen=True, slots=True)
class Case:
    """One text and what it means."""

    text: str
    """As it was written."""
    language: str
    """`en` or `zh`."""
    skill: str
    """Skill, or `none`."""
    action: str | None = None
    """Action of the skill, where it is known."""
    calls: tuple[Labelled, ...] = ()
    """Calls that are right, slots and all; empty where they are not known."""
    also: tuple[str, ...] = ()
    """Other skills that are as right."""

    def is_of(self, skill: str) -> bool:
        """Whether it is right to take the text for this skill, or for `none`."""
        return skill == self.skill or skill in self.also


@dataclass(frozen=True, slots=True)
class Scored:
    """What became of one case."""

    case: Case
    """What was asked."""
    intent: Intent | None
    """What it was taken for; None is nothing."""
    ms: float
    """How long it took."""
    money: bool
    """Whether the action that was found may move money."""

    @property
    def skill(self) -> str:
        """The skill it was taken for, or `none`."""
        return self.intent.skill if self.intent else NONE

    @property
    def stage(self) -> str:
        """The stage that decided, or `none`."""
        return self.intent.stage if self.intent else NONE

    @property
    def call(self) -> Labelled | None:
        """The call it was taken for, with values as JSON has them."""
        if self.intent is None:
            return None
        slots = {k: to_json(v) for k, v in self.intent.slots.items() if v is not None}
        return Labelled(self.intent.name, slots)

    @property
    def exact(self) -> bool:
        """Whether the call is one of those that are right."""
        call = self.call
        return call is not None and any(right.fits(call) for right in self.case.calls)


def read_cases(files: Iterable[Path], calls: Path | None = None) -> list[Case]:
    """Read JSONL of `{text, skill, action?, slots?}`, and calls kept apart by the texts' ids.

    A line of `calls` is `{id, call, slots, also?}`: `id` is the first 12 hex digits of the SHA-1 of
    a text, `also` lists other calls that are right. Raises ConfigError naming the line.
    """
    known: dict[str, tuple[Labelled, ...]] = {}
    for where, line in read_lines(calls) if calls else ():
        try:
            listed = [line, *line.get("also", ())]
            known[line["id"]] = tuple(Labelled(one["call"], one["slots"]) for one in listed)
        except (KeyError, TypeError, AttributeError):
            raise ConfigError(f"{where}: a line is {{id, call, slots, also?}}") from None
    cases = []
    for path in files:
        for where, line in read_lines(path):
            try:
                text, action, right_names = line["text"], line.get("action"), meant(line)
                language = language_of(text)
            except (KeyError, TypeError, AttributeError):
                raise ConfigError(f"{where}: a line is {{text, skill, action?, slots?}}") from None
            right = known.get(hashlib.sha1(text.encode()).hexdigest()[:12], ())
            skill, *also = dict.fromkeys(name.partition(".")[0] for name in right_names)
            if not right and action and "slots" in line:
                right = (Labelled(f"{skill}.{action}", line["slots"]),)
            cases.append(Case(text, language, skill, action, right, tuple(also)))
    return cases


def measure(
    router: Routes,
    cases: Sequence[Case],
    moves_money: Callable[[str], bool],
    advance: Callable[[], None] = lambda: None,
) -> Measured:
    """Route every case. `moves_money` says of an action's name whether it is of risk `money`."""
    outcomes = []
    for case in cases:
        began = time.perf_counter()
        intent = router.route(Transcript(case.text, case.language))
        ms = (time.perf_counter() - began) * 1000
        found = intent if isinstance(intent, Intent) else None
        outcomes.append(Scored(case, found, ms, found is not None and moves_money(found.name)))
        advance()
    return Measured(outcomes)


@dataclass(slots=True)
class Measured:
    """What became of all cases."""

    outcomes: list[Scored] = field(default_factory=list)
    """One for each case, in order."""

    def _inside(self) -> list[Scored]:
        return [one for one in self.outcomes if one.case.skill != NONE]

    def _outside(self) -> list[Scored]:
        return [one for one in self.outcomes if one.case.skill == NONE]

    def summary(self) -> dict[str, Any]:
        """Return counts and shares."""
        inside, outside = self._inside(), self._outside()
        accepted = [one for one in outside if one.intent]
        acted = [one for one in inside if one.case.action or one.case.calls]
        called = [one for one in self.outcomes if one.case.calls]
        return {
            "texts": len(self.outcomes),
            "skill": _share(inside, lambda one: one.case.is_of(one.skill)),
            "wrong_skill": _share(inside, _wrong_skill),
            "false_accepts": _share(outside, lambda one: one.intent is not None),
            "false_accepts_money": _share(outside, lambda one: one.money),
            "false_accepts_money_count": sum(one.money for one in accepted),
            "action": _share(acted, _right_action),
            "exact": _share(called, lambda one: one.exact),
            "exact_of_right_action": _share(
                [one for one in called if _right_action(one)], lambda one: one.exact
            ),
            "in_scope": len(inside),
            "out_of_scope": len(outside),
            "with_calls": len(called),
        }

    def skills(self) -> list[dict[str, Any]]:
        """Return for each skill how much of it was found, and how much of what was found is it."""
        names = {one.case.skill for one in self.outcomes} | {one.skill for one in self.outcomes}
        rows = []
        for name in sorted(names, key=lambda name: (name == NONE, name)):
            own = [one for one in self.outcomes if one.case.skill == name]
            found = [one for one in self.outcomes if one.skill == name]
            called = [one for one in own if one.case.calls]
            rows.append(
                {
                    "skill": name,
                    "texts": len(own),
                    "recall": _share(own, lambda one: one.case.is_of(one.skill)),
                    "precision": _share(found, lambda one: one.case.is_of(one.skill)),
                    "exact": _share(called, lambda one: one.exact),
                }
            )
        return rows

    def stages(self) -> list[dict[str, Any]]:
        """Return for each stage how much it decided and how often it was right."""
        rows = []
        for name in dict.fromkeys(one.stage for one in self.outcomes):
            own = [one for one in self.outcomes if one.stage == name]
            called = [one for one in own if one.case.calls]
            rows.append(
                {
                    "stage": name,
                    "texts": len(own),
                    "skill": _share(own, lambda one: one.case.is_of(one.skill)),
                    "exact": _share(called, lambda one: one.exact),
                    "false_accepts": sum(
                        one.case.skill == NONE and one.intent is not None for one in own
                    ),
                    **_times(own),
                }
            )
        return rows

    def confusion(self) -> dict[str, dict[str, int]]:
        """Return how often each skill was taken for each."""
        table: dict[str, Counter[str]] = {}
        for one in self.outcomes:
            table.setdefault(one.case.skill, Counter())[one.skill] += 1
        return {skill: dict(counts.most_common()) for skill, counts in sorted(table.items())}

    def latency(self) -> dict[str, float]:
        """Return percentiles, ms."""
        return _times(self.outcomes)

    def worst(self, limit: int = WORST) -> list[dict[str, Any]]:
        """Return what went wrong, the worst first: money, other skills, false accepts, slots."""
        ranked = sorted(
            ((rank, one) for one in self.outcomes if (rank := _badness(one)) is not None),
            key=lambda pair: pair[0],
        )
        return [
            {
                "text": one.case.text,
                "wanted": _said(one.case.calls[0]) if one.case.calls else _wanted(one.case),
                "got": _said(one.call) if one.call else NONE,
                "stage": one.stage,
                "ms": round(one.ms, 2),
            }
            for _, one in ranked[:limit]
        ]

    def as_json(self) -> dict[str, Any]:
        """Return everything."""
        return {
            **self.summary(),
            "skills": self.skills(),
            "stages": self.stages(),
            "confusion": self.confusion(),
            "latency_ms": self.latency(),
            "worst": self.worst(),
        }


def _wrong_skill(one: Scored) -> bool:
    return one.intent is not None and not one.case.is_of(one.skill)


def _right_action(one: Scored) -> bool:
    if one.intent is None:
        return False
    names = {call.name for call in one.case.calls} or {f"{one.case.skill}.{one.case.action}"}
    return one.intent.name in names


def _badness(one: Scored) -> int | None:
    """Return how bad an outcome is, 0 the worst; None when it is right."""
    wanted = one.case.skill
    if one.intent is None:
        return None if wanted == NONE else 4
    if not one.case.is_of(one.skill):
        return 0 if one.money else 1 if wanted != NONE else 2
    known = one.case.action or one.case.calls
    if known and not (_right_action(one) and (one.exact or not one.case.calls)):
        return 1 if one.money and not _right_action(one) else 3
    return None


def _wanted(case: Case) -> str:
    return f"{case.skill}.{case.action}" if case.action else case.skill


def _said(call: Labelled) -> str:
    return " ".join([call.name, *(f"{k}={v}" for k, v in (call.slots or {}).items())])


def _share(outcomes: Sequence[Scored], test: Callable[[Scored], bool]) -> float | None:
    """Return the share for which it is true; None of nothing."""
    return sum(map(test, outcomes)) / len(outcomes) if outcomes else None


def _times(outcomes: Sequence[Scored]) -> dict[str, float]:
    times = sorted(one.ms for one in outcomes)
    if not times:
        return {}

    def at(share: float) -> float:
        return round(times[min(int(share * len(times)), len(times) - 1)], 3)

    return {"p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": round(times[-1], 3)}


def _plain(slots: Mapping[str, Any]) -> dict[str, str]:
    """Return values as they are compared: 10, 10.0 and "10" are the same."""
    return {
        name: f"{value:g}" if isinstance(value, float) else " ".join(str(value).casefold().split())
        for name, value in slots.items()
    }
