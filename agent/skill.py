"""The contract of a skill: `@skill` on a function says once what can be said.

    @skill("define {word}", "what does {word} mean")
    def define(word: str, ctx: Context) -> Reply: ...

The decorator leaves the function as it is and attaches a `Declaration`. Registered through the
hook, it becomes an `Action`, from which every other thing is derived.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from agent import slots
from agent.errors import SentenceError
from agent.sayable import Saying
from agent.slots import Slot

Risk = Literal["none", "change", "money"]
Permission = Literal["network", "location", "camera", "microphone", "money", "files"]

RISKS: tuple[Risk, ...] = typing.get_args(Risk)
PERMISSIONS: tuple[Permission, ...] = typing.get_args(Permission)

_MARK = "__glasses_skill__"
_SLOT = re.compile(r"\{([^{}:]+)(?::([^{}]+))?\}")

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `@skill` learned from one function."""

    name: str
    """Action name: the function's."""
    sentences: tuple[str, ...]
    """English hassil templates."""
    slots: tuple[Slot, ...]
    """One for each parameter but the context, in order."""
    risk: Risk
    """What the agent must enforce around it."""
    permissions: Mapping[Permission, str]
    """What it may use, each with a reason the wearer can read."""
    summary: str
    """First line of the docstring: help and tool description."""
    context: str | None
    """Name of the parameter that takes the Context, if there is one."""
    where: str
    """`file:line` of the function, for messages."""


def skill(
    *sentences: str,
    risk: Risk = "none",
    permissions: Mapping[str, str] | None = None,
) -> Callable[[Function], Function]:
    """Declare that a function answers these sentences.

    Parameters of the function are slots; their types say what may fill them, a default makes one
    optional, and a parameter named `ctx` or annotated `Context` is given the Context. `risk` is
    `none`, `change` or `money` (then the function may only return a Proposal). `permissions` maps
    what is used to the reason shown to the wearer.

    Raises SentenceError when sentences and parameters do not fit each other.
    """

    def decorate(function: Function) -> Function:
        setattr(function, _MARK, _declare(function, sentences, risk, dict(permissions or {})))
        return function

    return decorate


def _declare(
    function: Callable[..., Any],
    sentences: tuple[str, ...],
    risk: Risk,
    permissions: dict[str, str],
) -> Declaration:
    code = inspect.unwrap(function).__code__
    where = f"{code.co_filename}:{code.co_firstlineno}"
    name = function.__name__
    if risk not in RISKS:
        raise SentenceError(f"{where}: {name}: risk {risk!r} is not one of {', '.join(RISKS)}")
    for permission in permissions:
        if permission not in PERMISSIONS:
            raise SentenceError(
                f"{where}: {name}: permission {permission!r} is not one of {', '.join(PERMISSIONS)}"
            )
    hints = typing.get_type_hints(function, include_extras=True)
    context, found = None, []
    for parameter in inspect.signature(function).parameters.values():
        annotation = hints.get(parameter.name, parameter.annotation)
        if parameter.name == "self":
            continue
        if parameter.name == "ctx" or getattr(annotation, "__name__", "") == "Context":
            context = parameter.name
            continue
        try:
            found.append(slots.slot_of(parameter, annotation))
        except (TypeError, ValueError) as error:
            raise SentenceError(f"{where}: {name}: parameter {parameter.name}: {error}") from None
    declaration = Declaration(
        name=name,
        sentences=sentences,
        slots=tuple(found),
        risk=risk,
        permissions=typing.cast("dict[Permission, str]", permissions),
        summary=(inspect.getdoc(function) or name).splitlines()[0],
        context=context,
        where=where,
    )
    for sentence in sentences:
        check_sentence(sentence, declaration, where)
    return declaration


def check_sentence(sentence: str, declaration: Declaration, where: str) -> None:
    """Raise SentenceError unless the template parses and its slots are parameters."""
    from hassil import parse_sentence
    from hassil.errors import HassilError
    from hassil.parser import ParseError

    try:
        parse_sentence(sentence)
    except (HassilError, ParseError, AssertionError, ValueError, IndexError) as error:
        raise SentenceError(f"{where}: {sentence!r} is not a template: {error}") from None
    known = {slot.name for slot in declaration.slots}
    if unknown := [name for name in slot_names(sentence) if name not in known]:
        raise SentenceError(
            f"{where}: {sentence!r} has a slot {{{unknown[0]}}}, but {declaration.name} has no"
            f" parameter of that name (it has: {', '.join(sorted(known)) or 'none'})"
        )


def slot_names(sentence: str) -> list[str]:
    """Return the names of the slots in a template, in order."""
    return [slot or listed for listed, slot in _SLOT.findall(sentence)]


@dataclass(frozen=True, slots=True)
class Sentences:
    """What one language adds to an action, from `sentences/<language>.yaml` or the decorator."""

    templates: tuple[str, ...] = ()
    """hassil templates."""
    lists: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Values by slot name, each from what is said to the value; they replace the English ones."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """Expansion rules by name."""
    responses: Mapping[str, str] = field(default_factory=dict)
    """Translations of what the skill says, by the English text."""
    where: str = ""
    """File the sentences came from."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing an installed skill can do."""

    skill: str
    """Name of the skill it belongs to."""
    declaration: Declaration
    """What its author declared."""
    function: Callable[..., Any]
    """What runs."""
    languages: Mapping[str, Sentences]
    """Sentences by language; `en` is the decorator's own."""
    source: str
    """Where it was installed from: package and version, or a file."""

    @property
    def name(self) -> str:
        """`skill.action`."""
        return f"{self.skill}.{self.declaration.name}"

    def kind(self, slot: str) -> slots.SlotKind:
        """Return how a slot's values are read."""
        return next(s.kind for s in self.declaration.slots if s.name == slot)

    def values(self, slot: str, language: str) -> Mapping[str, Any] | None:
        """Return what can be said for a slot and what it means, or None when it is not a list."""
        kind = self.kind(slot)
        if not isinstance(kind, slots.Choice):
            return None
        own = self.languages[language].lists.get(slot) if language in self.languages else None
        return own if own is not None else kind.values(language)

    def sayings(self, language: str) -> Iterable[Saying]:
        """Yield what can be said for this action now, in one language."""
        sentences = self.languages.get(language)
        if sentences is None:
            return
        for template in sentences.templates:
            names = slot_names(template)
            yield Saying(
                intent=self.name,
                template=template,
                slots={name: self._spoken(name, language) for name in names},
                rules=sentences.rules,
            )

    def _spoken(self, slot: str, language: str) -> tuple[str, ...] | None:
        values = self.values(slot, language)
        return tuple(values) if values else self.kind(slot).spoken(language)

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of this action as a tool, in the OpenAI and MCP form."""
        declared = self.declaration
        return {
            "name": self.name,
            "description": declared.summary,
            "parameters": {
                "type": "object",
                "properties": {slot.name: slot.kind.schema() for slot in declared.slots},
                "required": [slot.name for slot in declared.slots if slot.required],
                "additionalProperties": False,
            },
        }


def declarations(thing: Any) -> list[tuple[Declaration, Callable[..., Any]]]:
    """Return the declared functions of what a plugin registers: a function or an object's methods.

    Raises SentenceError when there are none.
    """
    if declared := getattr(thing, _MARK, None):
        return [(declared, thing)]
    methods = [getattr(thing, name) for name in dir(type(thing)) if not name.startswith("__")]
    found = [(getattr(m, _MARK), m) for m in methods if hasattr(m, _MARK)]
    if not found:
        raise SentenceError(f'{thing!r} has no action: decorate a function with @skill("…")')
    return sorted(found, key=lambda pair: pair[0].where)
