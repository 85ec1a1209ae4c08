"""What an action may not do, how the wearer is told, and how often it is forgiven."""

from __future__ import annotations

import inspect
import traceback
import typing
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from agent.errors import GlassesError, PluginError, Refused
from agent.language import faults as fault
from agent.language.said import said_in
from agent.messages import CardKind, Proposal, Reply
from agent.plugins.runner import Ran
from agent.skill.declare import Action
from hardware.base import DeviceError

OFFENCES = 3
"""A plugin that has done this many things that none may do is disabled until it is reloaded."""

MAX_TEXT = 4_000
"""Most characters of a reply's text: over ten pages of a lens. The rest is cut."""

MAX_TITLE = 200
"""Most characters of a title or a payee."""

LISTS_S = 0.5
"""Longest a slot's list may take: it is asked for while the wearer waits."""

OBSERVER_S = 1.0
"""Longest an observer of turns may take."""


class Elsewhere(Exception):
    """What a plugin did in a process of its own; its text is what `raised` would say of it."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is shown for one call of an action, and what is held against it."""

    reply: Reply
    """The action's, or an apology that names the skill."""
    error: str | None = None
    """One line when something was wrong, for the turn."""
    offences: tuple[str, ...] = ()
    """What it did that no plugin may, one line each; a missing model or device is not one."""


def judge(action: Action, outcome: Ran, timeout_s: float, language: str) -> Judgement:
    """Turn what became of a call into a reply; apologies are in a language."""
    also = tuple(f"{action.name} {what}" for what in outcome.offences)
    if outcome.timed_out:
        reply = Reply(said_in(language)["hung"].format(skill=action.called(language)), kind="alert")
        return _bad(reply, f"{action.name} took over {timeout_s:g} s", also)
    error = outcome.error
    if error is None:
        try:
            reply, cut = checked(action, outcome.value)
        except PluginError as wrong:
            return _bad(Reply(str(wrong), title=action.skill, kind="alert"), str(wrong), also)
        offences = (*cut, *also)
        return Judgement(reply, offences[0] if offences else None, offences)
    if isinstance(error, (GlassesError, DeviceError)):
        text = " ".join(str(error).split())
        shown = fault.told(text, language, action.responses(language))
        reply = Reply(_cut(shown, MAX_TEXT), title=action.called(language), kind="alert")
        if isinstance(error, (Refused, PluginError)):
            return _bad(reply, text, also)
        return Judgement(reply, text, also)
    reply = Reply(said_in(language)["failed"].format(skill=action.called(language)), kind="alert")
    return _bad(reply, f"{action.name} {raised(error, action.function)}", also)


def faults(outcome: Ran, what: str, timeout_s: float) -> tuple[str, ...]:
    """Return what a call did that none may, where the call has no answer to give."""
    found = [f"{what} {offence}" for offence in outcome.offences]
    if outcome.timed_out:
        found.append(f"{what} took over {timeout_s:g} s")
    elif outcome.error is not None:
        found.append(f"{what} {raised(outcome.error)}")
    return tuple(found)


def _bad(reply: Reply, error: str, also: tuple[str, ...]) -> Judgement:
    return Judgement(reply, error, (error, *also))


def raised(error: BaseException, function: Any = None) -> str:
    """Say what was raised and where, without its text, which may hold what the wearer said."""
    if isinstance(error, Elsewhere):
        return str(error)
    what = "called sys.exit" if isinstance(error, SystemExit) else f"raised {type(error).__name__}"
    frames = traceback.extract_tb(error.__traceback__, limit=-50)  # a recursion has thousands
    code = getattr(inspect.unwrap(function), "__code__", None) if function else None
    own = [f for f in frames if code and f.filename == code.co_filename]
    place = (own or frames)[-1:]
    return f"{what} at {Path(place[0].filename).name}:{place[0].lineno}" if place else what


def _check_proposal(action: Action, proposal: Proposal) -> None:
    """Refuse a payment that nothing foresaw, and one that passes for a question."""
    pays = action.declaration.risk == "money"
    if not pays and not proposal.asks:
        raise PluginError(f"{action.name} proposed a payment but is not declared risk='money'")
    if proposal.asks and (pays or proposal.amount or proposal.payee or proposal.provider):
        raise PluginError(f"{action.name} only asks, and yet it pays: what pays asks by itself")


def checked(action: Action, result: Any) -> tuple[Reply, tuple[str, ...]]:
    """Return the reply, bounded, and what had to be cut. Raises PluginError for a wrong one."""
    if isinstance(result, str):
        result = Reply(result)
    if not isinstance(result, Reply):
        kind = type(result).__name__
        raise PluginError(f"{action.name} returned {kind}: an action returns a Reply or text")
    if isinstance(result, Proposal):
        _check_proposal(action, result)
    fields: dict[str, Any] = {"text": str, "title": str, "speech": (str, type(None))}
    if isinstance(result, Proposal):
        fields |= {"amount": Decimal, "currency": str, "payee": str}
    for name, wanted in fields.items():
        if not isinstance(value := getattr(result, name), wanted):
            raise PluginError(f"{action.name} returned a reply whose {name} is {_kind(value)}")
    if result.kind not in typing.get_args(CardKind):
        raise PluginError(f"{action.name} returned a reply of an unknown kind")
    limits = {"title": MAX_TITLE, "text": MAX_TEXT, "speech": MAX_TEXT, "payee": MAX_TITLE}
    shorter: dict[str, Any] = {}
    told: list[str] = []
    for name, limit in limits.items():
        if len(text := getattr(result, name, None) or "") > limit:
            shorter[name] = _cut(text, limit)
            told.append(
                f"{action.name} replied with a {name} of {len(text):,} characters:"
                f" {limit:,} at most"
            )
    return replace(result, **shorter), tuple(told)


def _kind(value: Any) -> str:
    return f"{type(value).__name__}, which it cannot be"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def wrong(actions: Iterable[Action], skill: str, value: Any) -> str | None:
    """Say what is wrong with what a skill shows outside of its actions; None where nothing is."""
    if value is None or value is False:
        return None
    action = next((one for one in actions if one.skill == skill), None)
    if isinstance(value, Proposal) or action is None:
        return f"{skill} proposed something by itself: only an action can"
    try:
        _, cut = checked(action, value)
    except PluginError as error:
        return str(error)
    return cut[0] if cut else None
