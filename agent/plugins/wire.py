"""What a plugin in a process of its own and the agent say to each other: JSON, a message a line.

Never pickle: who writes to the agent is not trusted. Whatever cannot be read is a ValueError.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import chain
from math import isfinite
from typing import Any

from agent import errors
from agent.language.numbers import Money
from agent.language.repeats import Repeat
from agent.messages import Payment, Proposal, Reply
from agent.skill.slots import (
    Again,
    Choice,
    Duration,
    MoneyAmount,
    Number,
    Slot,
    SlotKind,
    Text,
    Time,
)
from hardware import reading
from hardware.base import DeviceError, Stroke

MOST_BYTES = 1 << 20
"""Longest message, 1 MiB."""

_PLAIN = (str, int, float, bool)
_BASES: dict[Any, str] = {str: "str", int: "int", float: "float"}
_ERRORS: dict[str, type[Exception]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.GlassesError)
} | {"DeviceError": DeviceError}


def packed(message: Mapping[str, Any]) -> bytes:
    """Return a message as a line. Raises PluginError where it holds what JSON has not, or much."""
    try:
        line = json.dumps(message).encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise errors.PluginError(
            f"apart, all that is handed over has to be JSON: {error}"
        ) from None
    if len(line) > MOST_BYTES:
        raise errors.PluginError(f"apart, {MOST_BYTES:,} bytes are the most that is handed over")
    return line


def unpacked(line: bytes) -> dict[str, Any]:
    """Return what a line says. Raises ValueError."""
    read = reading.from_json(reading.decode(line))
    if not isinstance(read, dict):
        raise ValueError("it is no object")
    return read


# -- what is raised -------------------------------------------------------------------------------


def raised(error: BaseException) -> list[str] | None:
    """Return one of the agent's own errors: the name of its kind, and its text; None for others."""
    kinds = (kind.__name__ for kind in type(error).__mro__)
    kind = next((kind for kind in kinds if kind in _ERRORS), None)
    return kind and [kind, " ".join(str(error).split())[:500]]  # type: ignore[return-value]


def again(said: Any) -> Exception:
    """Return such an error to raise it here. Raises ValueError."""
    kind, text = map(str, said)
    if kind not in _ERRORS:
        raise ValueError("it is no error of ours")
    return _ERRORS[kind](" ".join(text.split())[:500])


# -- slots ----------------------------------------------------------------------------------------


def slot(one: Slot) -> dict[str, Any]:
    """Return a slot as JSON; the values of a list that is asked for are None."""
    return {"name": one.name, "required": one.required, **_kind(one.kind)}


def _kind(kind: SlotKind) -> dict[str, Any]:
    match kind:
        case Text():
            return {"is": "text"}
        case Number():
            return {"is": "number", "whole": kind.whole, "low": kind.low, "high": kind.high}
        case MoneyAmount():
            return {"is": "money"}
        case Duration():
            return {"is": "duration"}
        case Time():
            return {"is": "time"}
        case Again():
            return {"is": "again"}
        case Choice() if _is_truth(kind):
            return {"is": "bool"}
        case Choice():
            listed = None if callable(kind.source) else values(kind.source)
            base = _BASES.get(kind.base)
            return {"is": "choice", "open": kind.open, "base": base, "values": listed}
    raise errors.PluginError(f"apart, there is no slot such as {kind.label}")


def _is_truth(kind: Choice) -> bool:
    return kind.base is bool and kind.label != "one of"


def values(source: Any) -> list[Any] | dict[str, Any]:
    """Return the values of a list as JSON: a value that it cannot write is what is said for it."""
    if isinstance(source, Mapping):
        return {str(said): _plain(value, str(said)) for said, value in source.items()}
    return [_plain(value, str(value)) for value in source]


def _plain(value: Any, said: str) -> Any:
    if isinstance(value, enum.Enum):
        value = value.value
    return value if isinstance(value, _PLAIN) else said


def value(of: Any) -> Any:
    """Return the value of a slot as JSON."""
    match of:
        case Decimal():
            return [str(of), getattr(of, "currency", None)]
        case timedelta():
            return of.total_seconds()
        case datetime():
            return of.isoformat()
        case Repeat():
            return [of.rule, of.first.isoformat(), of.said]
    return of


def valued(kind: SlotKind, said: Any, language: str) -> Any:
    """Return the value that `value` wrote, for a slot of a kind. Raises ValueError."""
    match kind:
        case MoneyAmount():
            return Money(*said)
        case Duration():
            return timedelta(seconds=said)
        case Time():
            return datetime.fromisoformat(said)
        case Again():
            return Repeat(str(said[0]), datetime.fromisoformat(said[1]), str(said[2]))
        case Choice() if not _is_truth(kind):
            source: Any = kind.source(language) if callable(kind.source) else kind.source
            pairs = source.items() if isinstance(source, Mapping) else ((v, v) for v in source)
            for one, meant in pairs:
                plain = _plain(meant, str(one))
                if plain == said and isinstance(plain, bool) == isinstance(said, bool):
                    return meant
    return said


# -- replies --------------------------------------------------------------------------------------


def reply(of: Reply) -> dict[str, Any]:
    """Return a reply as JSON, without what it can still do."""
    said: dict[str, Any] = {"text": of.text, "title": of.title, "kind": of.kind}
    strokes = [[*map(list, one.points), one.brightness, one.width] for one in of.sketch]
    said |= {"speech": of.speech, "sketch": strokes}
    if isinstance(of, Proposal):
        said |= payment(Payment(of.amount, of.currency, of.payee)) | {"asks": of.asks}
    return said


def replied(said: Any, **more: Any) -> Reply:
    """Return the reply that `reply` wrote, a Proposal where it has an amount. Raises ValueError."""
    fields = {name: said[name] for name in ("text", "title", "kind", "speech")}
    fields["sketch"] = tuple(map(_stroke, said["sketch"]))
    if "amount" not in said:
        return Reply(**fields, **more)
    paid = paying(said)
    shown: dict[str, Any] = {"amount": paid.amount, "currency": paid.currency, "payee": paid.payee}
    shown["asks"] = said.get("asks") is True
    return Proposal(**fields, **shown, **more)


def _stroke(said: Any) -> Stroke:
    *points, brightness, width = said
    stroke = Stroke(tuple((float(x), float(y)) for x, y in points), float(brightness), float(width))
    if len(points) < 2 or not all(map(isfinite, (*chain(*stroke.points), *stroke[1:]))):
        raise ValueError("its sketch has a stroke that is none")
    return stroke


def payment(of: Payment) -> dict[str, Any]:
    """Return a payment as JSON: amounts are exact, as text."""
    return {"amount": str(of.amount), "currency": of.currency, "payee": of.payee}


def paying(said: Any) -> Payment:
    """Return the payment that `payment` wrote. Raises ValueError."""
    try:
        amount = Decimal(str(said["amount"])[:40])
    except InvalidOperation:
        raise ValueError("its amount is no number") from None
    if not amount.is_finite():
        raise ValueError("its amount is no number")
    return Payment(amount, str(said["currency"]), str(said["payee"]))
