"""Slots: what a parameter's type says about how its value is spoken, written and checked.

A skill author writes ordinary annotations; this module turns each into a `SlotKind`, which can
read the words of a transcript, tell the speech grammar how they sound, and give the JSON schema
that binds a model's call.
"""

from __future__ import annotations

import enum
import inspect
import logging
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal

from agent.language import currencies, numbers, repeats, times
from agent.language.folding import compared, literal, literals, ways
from agent.language.text import language_of
from agent.skill import template

log = logging.getLogger(__name__)

_PERCENT = re.compile(r"^百分之|\s*(?:%|％|\bper ?cent)$", re.IGNORECASE)

Values = Iterable[str] | Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)  # hashed by identity: `Song | None` hashes it
class OneOf:
    """The values a text slot may take: `song: Annotated[str, OneOf(titles)]`.

    `values` is a list, a mapping from what is said to the value, or a callable giving either; the
    callable is asked again before each turn, so the list may change, and is given the language when
    it takes a parameter. What is said is plain text, compared without accents, case and
    punctuation; only in a mapping written here it may be a hassil template (`(anna|annie)`). In a
    class it may be a method or the name of a method or an attribute of the object that is
    registered.
    """

    values: Values | Callable[..., Values] | str
    """What can be said."""
    open: bool = False
    """True when other words are accepted too; the list then only helps recognition."""


@dataclass(frozen=True, slots=True)
class At:
    """How a point in time is read: `when: Annotated[datetime, At(early=True)]`."""

    early: bool = False
    """Whether a bare hour from 4 to 11 is one of the morning, as of who is to be woken."""
    lengths: bool = True
    """Whether it may be said as a length of time from now, such as "in ten minutes"."""


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number, both included: `level: Annotated[int, Range(0, 100)]`."""

    low: int
    """Smallest value accepted."""
    high: int
    """Largest value accepted."""


@contextmanager
def _not_a_value() -> Iterator[None]:
    """Make a ValueError of whatever reading a value raises.

    What people say may be too large for any arithmetic, and the values of a list are a plugin's
    own objects: neither may end the turn.
    """
    try:
        yield
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"cannot be read ({type(error).__name__})") from error


class SlotKind:
    """How the values of a slot are read, spoken and described."""

    def parse(self, text: str, language: str) -> Any:
        """Turn the words of a slot into its value; ValueError when they are not one."""
        with _not_a_value():
            return self._parse(text, language)

    def _parse(self, text: str, language: str) -> Any:
        """Do what `parse` says; whatever it raises is a ValueError there."""
        raise NotImplementedError

    def readable(self, texts: Iterable[str], language: str) -> dict[str, Any]:
        """Return those of several texts that are values, each with its value."""
        found = {}
        for text in texts:
            with suppress(ValueError):
                found[text] = self.parse(text, language)
        return found

    def spoken(self, language: str) -> tuple[str, ...] | None:
        """Return hassil templates of what can be said, or None when anything can."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of a value."""
        raise NotImplementedError

    def from_json(self, value: Any) -> Any:
        """Turn an argument of a tool call into the slot's value; ValueError when it is not one."""
        with _not_a_value():
            return self._from_json(value)

    def _from_json(self, value: Any) -> Any:
        """Do what `from_json` says; whatever it raises is a ValueError there."""
        if not isinstance(value, str):
            raise ValueError("is not text")
        return self._parse(value, language_of(value))

    def is_all(self, words: str, text: str, language: str) -> bool:
        """Whether words that were copied out of a text are all of the value that stands there."""
        return True

    def listed(self, value: Any) -> Any:
        """Return what a sentence file means by the `out` of a list; ValueError when it cannot."""
        raise ValueError("reads its own words and takes no list")

    def bound(self, owner: Any) -> SlotKind:
        """Return the kind for an action that is a method of `owner`."""
        return self

    @property
    def is_open(self) -> bool:
        """Whether it takes any words."""
        return False

    @property
    def label(self) -> str:
        """What people call it, a word or two."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Text(SlotKind):
    """Free text."""

    def _parse(self, text: str, language: str) -> str:
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

    def listed(self, value: Any) -> str:
        """Return the text."""
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not text")
        return value

    @property
    def is_open(self) -> bool:
        """Any words."""
        return True

    @property
    def label(self) -> str:
        """`any words`."""
        return "any words"


NUMBERS = 999_999
"""Largest number where no Range says otherwise."""

LONG_LIST = 200
"""Values beyond which a list is not written into a schema: the model would have to read it all."""


@dataclass(frozen=True, slots=True)
class Choice(SlotKind):
    """One value of a list; the list may change while the agent runs."""

    source: Values | Callable[..., Values] | str
    """As in `OneOf`."""
    open: bool = False
    """As in `OneOf`."""
    label: str = "one of"
    """What people call it."""
    base: Any = None
    """Type of the values, where a sentence file may have to be converted to it."""

    def values(self, language: str) -> dict[str, Any]:
        """Return what can be said now, by hassil template, with the value of each."""
        source = self.source
        if callable(source):
            takes_language = _takes_language(source)
            try:
                source = source(language) if takes_language else source()
            except Exception as error:  # a plugin's own code: one bad list must not stop the rest
                log.warning("a slot's list raised %s; it is empty now", type(error).__name__)
                return {}
        if isinstance(source, Mapping):
            said = tuple(map(str, source))
            # Only what was written in the skill itself can be meant as a template.
            forms = _templates(said) if source is self.source else literals(said)
            pairs = zip(forms, source.values(), strict=True)
        else:
            values = tuple(source)
            pairs = zip(literals(tuple(map(str, values))), values, strict=True)
        found: dict[str, Any] = {}
        for form, value in pairs:
            if form:
                found.setdefault(form, value)
        return found

    def _parse(self, text: str, language: str) -> Any:
        """Return the value said so; an open list returns other text as it is."""
        return self._among(text, self.values(language))

    def readable(self, texts: Iterable[str], language: str) -> dict[str, Any]:
        """Return those that are values; the list is asked once, which may take a plugin a while."""
        values, found = self.values(language), {}
        for text in texts:
            with suppress(ValueError), _not_a_value():
                found[text] = self._among(text, values)
        return found

    def _among(self, text: str, values: Mapping[str, Any]) -> Any:
        if (value := listed_as(text, values)) is not NOT_LISTED:
            return value
        if self.open and text.strip():
            return text.strip()
        raise ValueError(f"{text!r} is not in the list")

    def spoken(self, language: str) -> tuple[str, ...] | None:
        """Return the list's templates; None for an empty open list."""
        said = tuple(self.values(language))
        return said or (None if self.open else ())

    def schema(self) -> dict[str, Any]:
        """Return an enumeration, or any string when the list is open or long."""
        named = self._named("en")
        if self.open or not 0 < len(named) <= LONG_LIST:
            return {"type": "string"}
        return {"enum": list(named)}

    def _from_json(self, value: Any) -> Any:
        """Return the value that the schema calls so, or that is said so in any language."""
        for named, meant in self._named("en").items():
            if named == value and isinstance(named, bool) == isinstance(value, bool):
                return meant
        if not isinstance(value, str):
            raise ValueError("is not in the list")
        return self._parse(value, language_of(value))

    def _named(self, language: str) -> dict[Any, Any]:
        """Return the values by what JSON calls them: as they are, or as they are said."""
        return {_plain(value, said): value for said, value in self.values(language).items()}

    def listed(self, value: Any) -> Any:
        """Return the value of the list that is written so; a callable's list is not asked."""
        if callable(self.source):
            return _converted(value, self.base)
        named = self._named("en")
        for name, meant in named.items():
            if name == value and isinstance(name, bool) == isinstance(value, bool):
                return meant
        if self.open and isinstance(value, str):
            return value
        raise ValueError(f"{value!r} is not one of {', '.join(map(str, named))}")

    def bound(self, owner: Any) -> Choice:
        """Return the list of `owner`, when the source names one of its methods or attributes."""
        source = self.source
        if isinstance(source, str):
            if not hasattr(owner, source):
                kind = "a function" if owner is None else type(owner).__name__
                raise AttributeError(f"OneOf({source!r}): {kind} has no attribute of that name")
            if callable(getattr(owner, source)):
                return replace(self, source=getattr(owner, source))
            return replace(self, source=lambda: getattr(owner, source))
        name = getattr(source, "__name__", "")
        if inspect.isfunction(source) and getattr(type(owner), name, None) is source:
            return replace(self, source=getattr(owner, name))
        return self

    @property
    def is_open(self) -> bool:
        """Whether other words are accepted too."""
        return self.open


class Measured(SlotKind):
    """A kind whose values have parts: half of "minus two hundred and five" is another number."""

    def is_all(self, words: str, text: str, language: str) -> bool:
        """Whether no sign stands before the words, and none beside them makes another value."""
        beside = numbers.beside(words, text)
        if beside is None:
            return False
        before, after = beside
        if any(map(numbers.is_sign, before[1:2])):
            return False
        meant = self._readable(words, language)
        longer = (f"{left}{words}{right}" for left in before for right in after)
        return all(self._readable(one, language) in (None, meant) for one in longer)

    def _readable(self, text: str, language: str) -> Any:
        """Return a value and what else tells it from others; None where there is none."""
        try:
            value = self.parse(text, language)
        except ValueError:
            return None
        return value, getattr(value, "currency", None)


@dataclass(frozen=True, slots=True)
class Number(Measured):
    """A whole or decimal number."""

    whole: bool = True
    """True for `int`, False for `float`."""
    low: int = 0
    """Smallest value accepted."""
    high: int = NUMBERS
    """Largest value accepted."""

    def _parse(self, text: str, language: str) -> int | float:
        """Read digits or number words; ValueError outside the bounds."""
        return self._within(numbers.parse_number(_PERCENT.sub("", text.strip())))

    def _within(self, value: Decimal) -> int | float:
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            raise ValueError(f"{value} is not {self.label}")
        return int(value) if self.whole else float(value)

    def spoken(self, language: str) -> tuple[str, ...]:
        """Return number words."""
        return numbers.spoken_number(self.low, self.high, language)

    def schema(self) -> dict[str, Any]:
        """Return an integer or number with bounds."""
        kind = "integer" if self.whole else "number"
        return {"type": kind, "minimum": self.low, "maximum": self.high}

    def _from_json(self, value: Any) -> int | float:
        """Take a number within the bounds, or its words."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError("is not a number")
        if isinstance(value, str):
            return self._parse(value, language_of(value))
        return self._within(_decimal(value))

    def listed(self, value: Any) -> int | float:
        """Return the number."""
        return self._from_json(value)

    @property
    def label(self) -> str:
        """`a whole number from 0 to 100`."""
        return f"a {'whole ' if self.whole else ''}number from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class MoneyAmount(Measured):
    """An amount of money: declared as `Decimal`, and given as `Money`."""

    def _parse(self, text: str, language: str) -> numbers.Money:
        """Read an amount above zero with its currency, if one was said."""
        value = numbers.parse_money(text)
        if value <= 0:
            raise ValueError(f"{text!r} is not an amount to pay")
        return value

    def is_all(self, words: str, text: str, language: str) -> bool:
        """Whether that is so, and after a bare number no word that might be a currency."""
        if not Measured.is_all(self, words, text, language):
            return False
        _, after = numbers.beside(words, text) or ([], [])
        bare = self._readable(f"{words} {currencies.HOME}", language) is not None
        return not (bare and any(map(numbers.is_unit, after[1:2])))

    def spoken(self, language: str) -> tuple[str, ...]:
        """Return amounts in words."""
        return numbers.spoken_money(language)

    def schema(self) -> dict[str, Any]:
        """Return words, since the currency belongs to an amount."""
        return {"type": "string", "description": "amount and currency, such as '20 dollars'"}

    def _from_json(self, value: Any) -> numbers.Money:
        """Read words, or take a number of no currency."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(_decimal(value))
        return typing.cast("numbers.Money", SlotKind._from_json(self, value))

    @property
    def label(self) -> str:
        """`money`."""
        return "money"


@dataclass(frozen=True, slots=True)
class Duration(Measured):
    """A length of time, `timedelta`."""

    def _parse(self, text: str, language: str) -> timedelta:
        """Read a length of time."""
        return numbers.parse_duration(text)

    def spoken(self, language: str) -> tuple[str, ...]:
        """Return lengths of time in words."""
        return numbers.spoken_duration(language)

    def schema(self) -> dict[str, Any]:
        """Return words, since that is how people and models write it."""
        return {"type": "string", "description": "length of time, such as 'ten minutes'"}

    def _from_json(self, value: Any) -> timedelta:
        """Read words, or take a number of seconds."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = f"{_decimal(value)} s"
        return typing.cast("timedelta", SlotKind._from_json(self, value))

    @property
    def label(self) -> str:
        """`a length of time`."""
        return "a length of time"


@dataclass(frozen=True, slots=True)
class Time(Measured):
    """A point in time, `datetime`: local, without a zone."""

    at: At = At()
    """How it is read."""

    def _parse(self, text: str, language: str) -> datetime:
        """Read a point in time as seen from now."""
        if not self.at.lengths and times.is_length(text):
            raise ValueError("is a length of time from now")
        return times.parse_time(text, times.now(), self.at.early)

    def spoken(self, language: str) -> tuple[str, ...]:
        """Return points in time in words."""
        return times.spoken_time(language, self.at.lengths)

    def schema(self) -> dict[str, Any]:
        """Return words or ISO 8601: the agent knows what day it is, the model does not."""
        return {"type": "string", "description": "time, such as 'tomorrow at eight' or ISO 8601"}

    @property
    def label(self) -> str:
        """`a point in time`."""
        return "a point in time"


@dataclass(frozen=True, slots=True)
class Again(Measured):
    """A time that comes again, `Repeat`."""

    def _parse(self, text: str, language: str) -> repeats.Repeat:
        """Read such a time as seen from now."""
        return repeats.parse_repeat(text, times.now())

    def spoken(self, language: str) -> tuple[str, ...]:
        """Return such times in words."""
        return repeats.spoken_repeat(language)

    def schema(self) -> dict[str, Any]:
        """Return words, since that is how people and models write it."""
        return {"type": "string", "description": "such as 'every weekday at seven'"}

    @property
    def label(self) -> str:
        """`a time that comes again`."""
        return "a time that comes again"


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
            if isinstance(extra, At):
                return Time(extra)
            if isinstance(extra, OneOf):
                if not (callable(extra.values) or extra.values or extra.open):
                    raise ValueError("OneOf holds nothing: give values, or what returns them")
                return Choice(extra.values, extra.open, base=base)
            if isinstance(extra, Range):
                if extra.low > extra.high:
                    raise ValueError(f"no number is in Range({extra.low}, {extra.high}): low first")
                return Number(whole=base is int, low=extra.low, high=extra.high)
        return _kind_of(base)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        inner = [a for a in typing.get_args(annotation) if a is not types.NoneType]
        if len(inner) != 1:
            raise TypeError(f"{annotation} is one type or another: choose one")
        return _kind_of(inner[0])
    if typing.get_origin(annotation) is Literal:
        return Choice(typing.get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return Choice({literal(str(member.value)): member for member in annotation})
    if annotation is bool:
        return Choice(_on_off, label="on or off", base=bool)
    kinds: dict[Any, SlotKind] = {
        str: Text(),
        inspect.Parameter.empty: Text(),
        int: Number(),
        float: Number(whole=False),
        Decimal: MoneyAmount(),
        numbers.Money: MoneyAmount(),
        timedelta: Duration(),
        datetime: Time(),
        repeats.Repeat: Again(),
    }
    if annotation not in kinds:
        raise TypeError(f"{annotation!r} is not a type that can be spoken")
    return kinds[annotation]


def _on_off(language: str) -> dict[str, bool]:
    """Return what a truth value is called; the schema calls it true or false."""
    if language == "zh":
        return {"开": True, "关": False, "是": True, "否": False, "打开": True, "关闭": False}
    return {"on": True, "off": False, "yes": True, "no": False, "true": True, "false": False}


@lru_cache(maxsize=1024)
def _templates(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return each text as it is where it is a template of words, else what says it."""

    def form(text: str) -> str:
        if not re.search(r"[\[(]", text):
            return literal(text)
        try:
            template.check(text, {}, lambda _: True)
        except ValueError:
            return literal(text)
        return literal(text) if template.slot_names(text) else text

    return tuple(map(form, texts))


def _takes_language(source: Callable[..., Values]) -> bool:
    """Return whether a list wants to know the language; asked with every utterance."""
    if isinstance(source, types.MethodType):
        return _parameters(source.__func__) > 1
    if isinstance(source, types.FunctionType):
        return _parameters(source) > 0
    return bool(inspect.signature(source).parameters)


@lru_cache(maxsize=256)
def _parameters(function: Callable[..., Any]) -> int:
    return len(inspect.signature(function).parameters)


NOT_LISTED = object()
"""What `listed_as` returns where nothing of a list is said so."""


def listed_as(words: str, values: Mapping[str, Any]) -> Any:
    """Return the value of a list that is said so, or written so; NOT_LISTED where none is."""
    wanted = compared(words)
    said = _compared(tuple(values))
    if wanted in said:
        return values[said[wanted]]
    for value in values.values():
        if isinstance(value, str) and compared(value) == wanted:
            return value
    return NOT_LISTED


@lru_cache(maxsize=1024)
def _compared(said: tuple[str, ...]) -> dict[str, str]:
    """Return what is said by how it is compared; of those alike the first."""
    return {compared(way): text for text in reversed(said) for way in (*ways(text), text)}


def _converted(value: Any, base: Any) -> Any:
    """Return the `out` of a sentence file as a value of a type; ValueError when it is none."""
    if (
        isinstance(base, type)
        and isinstance(value, base)
        and isinstance(value, bool) == (base is bool)
    ):
        return value
    if base is bool:
        words = {**_on_off("en"), **_on_off("zh")}
        if not isinstance(value, str) or value.casefold() not in words:
            raise ValueError(f"{value!r} is neither on nor off: write true or false")
        return words[value.casefold()]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is neither text nor a number: put it in quotes")
    if base is str:
        return str(value)
    if base in (int, float):
        return Number(base is int, -NUMBERS, NUMBERS).from_json(value)
    return value


def _plain(value: Any, said: str) -> Any:
    """Return what JSON calls a value: itself where it can be written, else what is said for it."""
    if isinstance(value, enum.Enum):
        value = value.value
    return value if isinstance(value, str | int | float) else said


def _decimal(value: float) -> Decimal:
    try:
        made = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("is not a number") from None
    if not made.is_finite():
        raise ValueError("is not a number")
    return made


def to_json(value: Any) -> Any:
    """Return a slot value as JSON has it: numbers for money, seconds for time, values for enums.

    Money of another currency than `HOME` is text, `20 EUR`: a number alone would be taken for it.
    """
    if isinstance(value, numbers.Money) and value.currency not in (None, currencies.HOME):
        return f"{value:f} {value.currency}"
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, repeats.Repeat):
        return value.said
    return value.value if isinstance(value, enum.Enum) else value
