"""Slots: what a parameter's type says about how its value is spoken, written and checked.

A skill author writes ordinary annotations; this module turns each into a `SlotKind`, which can
read the words of a transcript, tell the speech grammar how they sound, and give the JSON schema
that binds a model's call.
"""

from __future__ import annotations

import enum
import inspect
import logging
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from agent.understand import numbers

log = logging.getLogger(__name__)

Values = Iterable[str] | Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)  # hashed by identity: `Song | None` hashes it
class OneOf:
    """The values a text slot may take: `song: Annotated[str, OneOf(titles)]`.

    `values` is a list, a mapping from what is said (a hassil template) to the value, or a callable
    giving either; the callable is asked again before each turn, so the list may change, and is
    given the language when it takes a parameter.
    """

    values: Values | Callable[..., Values]
    """What can be said."""
    open: bool = False
    """True when other words are accepted too; the list then only helps recognition."""


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a whole number, both included: `level: Annotated[int, Range(0, 100)]`."""

    low: int
    """Smallest value accepted."""
    high: int
    """Largest value accepted."""


class SlotKind:
    """How the values of a slot are read, spoken and described."""

    def parse(self, text: str, language: str) -> Any:
        """Turn the words of a slot into its value; ValueError when they are not one."""
        raise NotImplementedError

    def spoken(self, language: str) -> tuple[str, ...] | None:
        """Return hassil templates of what can be said, or None when anything can."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of a value."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Text(SlotKind):
    """Free text."""

    def parse(self, text: str, language: str) -> str:
        """Return the text without outer spaces; ValueError when nothing is left."""
        if not (text := text.strip()):
            raise ValueError("nothing was said")
        return text

    def spoken(self, language: str) -> None:
        """Anything can be said."""
        return

    def schema(self) -> dict[str, Any]:
        """Return `{"type": "string"}`."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Choice(SlotKind):
    """One value of a list; the list may change while the agent runs."""

    source: Values | Callable[..., Values]
    """As in `OneOf`."""
    open: bool = False
    """As in `OneOf`."""

    def values(self, language: str) -> dict[str, Any]:
        """Return what can be said now, by hassil template, with the value of each."""
        source = self.source
        if callable(source):
            takes_language = bool(inspect.signature(source).parameters)
            try:
                source = source(language) if takes_language else source()
            except Exception as error:  # a plugin's own code: one bad list must not stop the rest
                log.warning("a slot's list raised %s; it is empty now", type(error).__name__)
                return {}
        if isinstance(source, Mapping):
            return dict(source)
        return {str(value): value for value in source}

    def parse(self, text: str, language: str) -> Any:
        """Return the value said so; an open list returns other text as it is."""
        folded = text.strip().casefold()
        for said, value in self.values(language).items():
            if said.casefold() == folded or str(value).casefold() == folded:
                return value
        if self.open and folded:
            return text.strip()
        raise ValueError(f"{text!r} is not in the list")

    def spoken(self, language: str) -> tuple[str, ...] | None:
        """Return the list's templates; None for an empty open list."""
        said = tuple(self.values(language))
        return said or (None if self.open else ())

    def schema(self) -> dict[str, Any]:
        """Return an enumeration, or any string when the list is open."""
        if self.open:
            return {"type": "string"}
        return {"enum": [_plain(v) for v in dict.fromkeys(self.values("en").values())]}


@dataclass(frozen=True, slots=True)
class Number(SlotKind):
    """A whole or decimal number."""

    whole: bool = True
    """True for `int`, False for `float`."""
    low: int = 0
    """Smallest value accepted."""
    high: int = 999_999
    """Largest value accepted."""

    def parse(self, text: str, language: str) -> int | float:
        """Read digits or number words; ValueError outside the bounds."""
        value = numbers.parse_number(text.strip().removesuffix("%").removesuffix(" percent"))
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            raise ValueError(f"{value} is not between {self.low} and {self.high}")
        return int(value) if self.whole else float(value)

    def spoken(self, language: str) -> tuple[str, ...]:
        """Return number words."""
        return numbers.spoken_number(self.low, self.high)

    def schema(self) -> dict[str, Any]:
        """Return an integer or number with bounds."""
        kind = "integer" if self.whole else "number"
        return {"type": kind, "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class MoneyAmount(SlotKind):
    """An amount of money, `Decimal` in the signature, `Money` in the hand."""

    def parse(self, text: str, language: str) -> numbers.Money:
        """Read an amount above zero with its currency, if one was said."""
        value = numbers.parse_money(text)
        if value <= 0:
            raise ValueError(f"{text!r} is not an amount to pay")
        return value

    def spoken(self, language: str) -> tuple[str, ...]:
        """Return amounts in words."""
        return numbers.spoken_money()

    def schema(self) -> dict[str, Any]:
        """Return a positive number."""
        return {"type": "number", "exclusiveMinimum": 0}


@dataclass(frozen=True, slots=True)
class Duration(SlotKind):
    """A length of time, `timedelta`."""

    def parse(self, text: str, language: str) -> timedelta:
        """Read a length of time."""
        return numbers.parse_duration(text)

    def spoken(self, language: str) -> tuple[str, ...]:
        """Return lengths of time in words."""
        return numbers.spoken_duration()

    def schema(self) -> dict[str, Any]:
        """Return words, since that is how people and models write it."""
        return {"type": "string", "description": "length of time, such as 'ten minutes'"}


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter of an action that the wearer fills."""

    name: str
    """Parameter name."""
    kind: SlotKind
    """How its values are read."""
    required: bool
    """False when the parameter has a default."""


def slot_of(parameter: inspect.Parameter, annotation: Any) -> Slot:
    """Derive a slot from a parameter. Raises TypeError for a type that cannot be spoken."""
    return Slot(
        name=parameter.name,
        kind=_kind_of(annotation),
        required=parameter.default is inspect.Parameter.empty,
    )


def _kind_of(annotation: Any) -> SlotKind:
    if typing.get_origin(annotation) is typing.Annotated:
        base, *extras = typing.get_args(annotation)
        for extra in extras:
            if isinstance(extra, OneOf):
                return Choice(extra.values, extra.open)
            if isinstance(extra, Range):
                return Number(whole=base is int, low=extra.low, high=extra.high)
        return _kind_of(base)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        (inner,) = (a for a in typing.get_args(annotation) if a is not types.NoneType)
        return _kind_of(inner)
    if typing.get_origin(annotation) is Literal:
        return Choice(typing.get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return Choice({str(member.value): member for member in annotation})
    kinds: dict[Any, SlotKind] = {
        str: Text(),
        inspect.Parameter.empty: Text(),
        int: Number(),
        float: Number(whole=False),
        Decimal: MoneyAmount(),
        numbers.Money: MoneyAmount(),
        timedelta: Duration(),
    }
    if annotation not in kinds:
        raise TypeError(f"{annotation!r} is not a type that can be spoken")
    return kinds[annotation]


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value


def to_json(value: Any) -> Any:
    """Return a slot value as JSON has it: numbers for money, seconds for time, values for enums."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    return _plain(value)
