"""JSON schema becomes slots: what of a tool's arguments can be said, and how it is sent back.

A schema comes from a stranger: it may refer to itself, be nested without end, or say nonsense. What
cannot be said is left out where it is optional; where it is required the tool cannot be said, and
the reason is one line.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from agent.skill.slots import OneOf, Range, to_json

DEEPEST = 8
"""Most references and alternatives that are followed one after the other."""
MOST = 12
"""Most parameters of a tool: nobody says more in a sentence."""
MOST_VALUES = 200
"""Most values of an enumeration that are taken as a list; more are free words."""
LARGEST = 999_999

Form = Literal["text", "number", "whole", "yes", "list", "date", "time", "amount"]
"""How a value is sent."""


class Unsaid(ValueError):
    """A tool cannot be said; the text is why."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument that can be said."""

    slot: str
    """Name of the slot: an identifier."""
    key: str
    """The server's own name of it."""
    about: str
    """What the server says of it."""
    annotation: Any
    """Type of the slot, as a skill's author would write it."""
    form: Form
    """How its value is sent."""
    required: bool
    """Whether the tool does nothing without it."""
    items: Form = "text"
    """How each value of a list is sent."""


def parameters(schema: Mapping[str, Any], money: bool = False) -> tuple[Parameter, ...]:
    """Return the arguments that can be said, required ones first. Raises Unsaid.

    With `money` a number that is an amount is one, with its currency.
    """
    properties = schema.get("properties") or {}
    required = schema.get("required") or []
    if not isinstance(properties, Mapping) or not isinstance(required, list):
        raise Unsaid("its schema is none")
    wanted = {key for key in required if isinstance(key, str)}
    if missing := wanted - {*properties}:
        raise Unsaid(f"its schema wants {_name(min(missing))} and does not say what that is")
    found: list[Parameter] = []
    ordered = sorted(properties.items(), key=lambda pair: pair[0] not in wanted)
    for at, (key, told) in enumerate(ordered):
        slot = identifier(str(key))[:40] or f"value_{at}"
        try:
            found.append(_parameter(schema, slot, str(key), told, key in wanted, money))
        except Unsaid as why:
            if key in wanted:
                raise Unsaid(f"{_name(str(key))} {why}") from None
    if sum(one.required for one in found) > MOST:
        raise Unsaid(f"it wants more than {MOST} values")
    slots = [one.slot for one in found]
    return tuple(one for at, one in enumerate(found) if one.slot not in slots[:at])[:MOST]


def _parameter(
    schema: Mapping[str, Any], slot: str, key: str, told: Any, required: bool, money: bool
) -> Parameter:
    told = resolved(schema, told)
    about = told.get("description") or told.get("title") or ""
    about = " ".join(str(about).split())[:200]
    form, annotation = _kind(schema, told)
    items: Form = "text"
    if form == "list":
        items, _ = _kind(schema, resolved(schema, told.get("items", {})))
        if items not in ("text", "number", "whole"):
            raise Unsaid("is a list of things that cannot be said")
    if money and form in ("number", "whole", "text") and is_amount(key):
        form, annotation = "amount", Decimal
    return Parameter(slot, key, about, annotation, form, required, items)


AMOUNTS = ("amount", "total", "sum", "price", "value", "cost", "金额")


def is_amount(key: str) -> bool:
    """Whether a name is that of an amount of money."""
    return any(word in AMOUNTS for word in words_of(key))


def resolved(schema: Mapping[str, Any], told: Any) -> Mapping[str, Any]:
    """Follow references and the one alternative that is not null. Raises Unsaid."""
    for _ in range(DEEPEST):
        if not isinstance(told, Mapping):
            raise Unsaid("is described by what is no schema")
        if isinstance(reference := told.get("$ref"), str):
            told = {**_referred(schema, reference), **{k: told[k] for k in told if k != "$ref"}}
            continue
        ways = next((told[k] for k in ("anyOf", "oneOf", "allOf") if k in told), None)
        if not isinstance(ways, list):
            return told
        inner = [w for w in ways if not (isinstance(w, Mapping) and w.get("type") == "null")]
        if len(inner) != 1 or not isinstance(inner[0], Mapping):
            raise Unsaid("is one of several kinds")
        rest = {k: v for k, v in told.items() if k not in ("anyOf", "oneOf", "allOf")}
        told = {**rest, **inner[0]}
    raise Unsaid("refers to itself")


def _referred(schema: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    found: Any = schema
    parts = reference.split("/")
    if parts[0] != "#" or len(parts) > DEEPEST:
        raise Unsaid("is described elsewhere")
    for part in parts[1:]:
        found = found.get(part) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        raise Unsaid("refers to what is not there")
    return found


def _kind(schema: Mapping[str, Any], told: Mapping[str, Any]) -> tuple[Form, Any]:
    """Return how a value is sent, and the type of its slot."""
    kind = told.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), None)
    values = told.get("enum", [told["const"]] if "const" in told else None)
    if isinstance(values, list) and values:
        return _listed(values)
    match kind:
        case "string" if told.get("format") == "date-time":
            return "time", datetime
        case "string" if told.get("format") == "date":
            return "date", datetime
        case "string" | None:
            return "text", str
        case "integer":
            return "whole", _bounded(int, told)
        case "number":
            return "number", _bounded(float, told)
        case "boolean":
            return "yes", bool
        case "array":
            return "list", str
    raise Unsaid(f"is of a kind that cannot be said ({str(kind)[:30]})")


def _listed(values: list[Any]) -> tuple[Form, Any]:
    plain = [v for v in values if isinstance(v, str | int | float) and not isinstance(v, bool)]
    said = {re.sub(r"[_\W]+", " ", str(v)).strip(): v for v in plain if len(str(v)) <= 60}
    said.pop("", None)
    if not said:
        raise Unsaid("has values that cannot be said")
    if len(said) > MOST_VALUES:
        return "text", str
    return "text", Annotated[str, OneOf(said)]


def _bounded(base: type, told: Mapping[str, Any]) -> Any:
    low, high = told.get("minimum", 0), told.get("maximum", LARGEST)
    numbers = all(isinstance(n, int | float) and not isinstance(n, bool) for n in (low, high))
    if not numbers or not -LARGEST <= low <= high <= LARGEST:
        return base
    return Annotated[base, Range(-int(-low // 1), int(high // 1))]


def words_of(name: str) -> list[str]:
    """Return the words of a name: `getCityWeather`, `maps_weather`, `list-orders`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word.lower() for word in re.split(r"[\W_]+", parted) if word]


def identifier(name: str) -> str:
    """Return a name as Python takes it; empty where nothing is left."""
    made = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()
    made = f"n{made}" if made[:1].isdigit() else made
    return f"{made}_" if keyword.iskeyword(made) or made in ("ctx", "self") else made


def _name(key: str) -> str:
    return repr(key[:40])


# -- what is sent ---------------------------------------------------------------------------------

_BETWEEN = re.compile(r"\s*(?:,|，|、|;|；|\band\b|和)\s*")


def arguments(found: Iterable[Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was said as the server wants it; what was not said is left out."""
    sent: dict[str, Any] = {}
    for one in found:
        value = values.get(one.slot)
        if value is not None:
            sent[one.key] = _sent(one, value)
    return sent


def _sent(one: Parameter, value: Any) -> Any:
    match one.form:
        case "list":
            parts = [part for part in _BETWEEN.split(str(value)) if part]
            if one.items == "text":
                return parts
            return [_number(part, one.items) for part in parts]
        case "date":
            return value.date().isoformat()
        case "time":
            return value.isoformat()
    return to_json(value)


def _number(text: str, form: Form) -> Any:
    from agent.language.numbers import parse_number

    value = parse_number(text)
    return int(value) if form == "whole" else float(value)
