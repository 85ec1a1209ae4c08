"""The contract of a skill: `@skill` on a function says once what can be said.

    @skill("define {word}", "what does {word} mean")
    def define(word: str, ctx: Context) -> Reply: ...

The decorator leaves the function as it is and attaches a `Declaration`. Registered through the
hook, it becomes an `Action`, from which every other thing is derived.
"""

from __future__ import annotations

import inspect
import linecache
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from agent.errors import SentenceError
from agent.language.saying import Saying
from agent.skill import slots, template
from agent.skill.slots import Slot
from agent.skill.template import slot_names

Risk = Literal["none", "change", "money"]
Permission = Literal[
    "network",
    "location",
    "camera",
    "microphone",
    "money",
    "files",
    "personal",
    "later",
    "notify",
    "listen",
]

Knows = Literal[
    "time", "weather", "timetable", "traffic", "view", "position", "price", "news", "personal"
]
"""What a question may need that no language model knows."""

RISKS: tuple[Risk, ...] = typing.get_args(Risk)
PERMISSIONS: tuple[Permission, ...] = typing.get_args(Permission)
KNOWS: tuple[Knows, ...] = typing.get_args(Knows)

_MARK = "__glasses_skill__"

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
    help: str
    """The rest of the docstring."""
    context: str | None
    """Name of the parameter that takes the Context, if there is one."""
    where: str
    """`file:line` of the function, for messages."""
    knows: tuple[Knows, ...] = ()
    """What it has that no language model does: it takes such questions over."""


def skill(
    *sentences: str,
    risk: Risk = "none",
    permissions: Mapping[str, str] | None = None,
    knows: Iterable[str] = (),
) -> Callable[[Function], Function]:
    """Declare that a function answers these sentences.

    Parameters of the function are slots; their types say what may fill them, a default makes one
    optional, and a parameter named `ctx` or annotated `Context` is given the Context. `risk` is
    `none`, `change` or `money` (then the function may only return a Proposal). `permissions` maps
    what is used to the reason shown to the wearer. `knows` names what the action has that no
    language model does, of `KNOWS` ("weather"): a question that needs it and that no sentence
    foresaw comes here, without slots; where a slot is required the wearer is told how to ask. Of
    `personal` a required slot `question` is filled with what was asked, where notes are near it.

    Raises SentenceError when sentences and parameters do not fit each other.
    """
    if sentences and not isinstance(sentences[0], str):
        raise SentenceError('write @skill("…") with what can be said, not @skill alone')

    def decorate(function: Function) -> Function:
        setattr(function, _MARK, _declare(function, sentences, risk, permissions or {}, knows))
        return function

    return decorate


def _declare(
    function: Callable[..., Any],
    sentences: tuple[str, ...],
    risk: Risk,
    permissions: Mapping[str, str],
    knows: Iterable[str] = (),
) -> Declaration:
    if not hasattr(inspect.unwrap(function), "__code__"):
        raise SentenceError(f"@skill is for functions and methods, not for {function!r}")
    code = inspect.unwrap(function).__code__
    where = f"{code.co_filename}:{code.co_firstlineno}"
    name = function.__name__
    allowed = _permissions(risk, permissions, f"{where}: {name}")
    context, found = _parameters(function, f"{where}: {name}")
    summary, _, rest = (inspect.getdoc(function) or name).partition("\n")
    declaration = Declaration(
        name=name,
        sentences=sentences,
        slots=found,
        risk=risk,
        permissions=allowed,
        summary=summary,
        help=rest.strip(),
        context=context,
        where=where,
        knows=_knows(knows, f"{where}: {name}"),
    )
    for sentence in sentences:
        check_sentence(sentence, declaration, sentence_place(sentence, declaration))
    return declaration


def _permissions(
    risk: Risk, permissions: Mapping[str, str], where: str
) -> Mapping[Permission, str]:
    """Check what the action may do. Raises SentenceError."""
    if risk not in RISKS:
        raise SentenceError(f"{where}: risk {risk!r} is not one of {', '.join(RISKS)}")
    for permission, reason in permissions.items():
        if permission == "transcripts":
            raise SentenceError(
                f"{where}: permission 'transcripts' is the plugin's, for its turn_ended: write"
                ' permissions = {"transcripts": "why"} in its module'
            )
        if permission not in PERMISSIONS:
            raise SentenceError(
                f"{where}: permission {permission!r} is not one of {', '.join(PERMISSIONS)}"
            )
        if not isinstance(reason, str) or not reason.strip():
            raise SentenceError(
                f"{where}: permission {permission!r} has no reason: say what it is for, since the"
                " wearer reads it"
            )
    if risk == "money" and "money" not in permissions:
        raise SentenceError(
            f'{where}: risk "money" needs the permission: permissions={{"money": "why"}}'
        )
    return typing.cast("Mapping[Permission, str]", dict(permissions))


def _knows(knows: Iterable[str], where: str) -> tuple[Knows, ...]:
    """Check what the action says that it knows. Raises SentenceError."""
    listed = (knows,) if isinstance(knows, str) else tuple(knows)
    for what in listed:
        if what not in KNOWS:
            raise SentenceError(f"{where}: knows {what!r} is not one of {', '.join(KNOWS)}")
    return typing.cast("tuple[Knows, ...]", listed)


def _parameters(function: Callable[..., Any], where: str) -> tuple[str | None, tuple[Slot, ...]]:
    """Return the name of the context's parameter, and the slots. Raises SentenceError."""
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except (NameError, AttributeError, TypeError, SyntaxError) as error:
        raise SentenceError(
            f"{where}: its annotations cannot be read ({error}): import what they name at the top"
            " of the module, not under TYPE_CHECKING"
        ) from None
    context, found = None, []
    for at, parameter in enumerate(inspect.signature(function).parameters.values()):
        annotation = hints.get(parameter.name, parameter.annotation)
        if at == 0 and parameter.name == "self":
            continue
        if parameter.name == "ctx" or getattr(annotation, "__name__", "") == "Context":
            if context:
                raise SentenceError(f"{where}: {context} and {parameter.name} are both the context")
            context = parameter.name
            continue
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise SentenceError(
                f"{where}: parameter {parameter.name} is {parameter.kind.description}: slots are"
                " given by name"
            )
        try:
            found.append(slots.slot_of(parameter, annotation))
        except (TypeError, ValueError) as error:
            raise SentenceError(f"{where}: parameter {parameter.name}: {error}") from None
    return context, tuple(found)


def sentence_place(sentence: str, declaration: Declaration) -> str:
    """Return `file:line` of a sentence in the decorator, or of the function."""
    file, _, line = declaration.where.rpartition(":")
    for number in range(int(line), int(line) + 100):
        text = linecache.getline(file, number)
        if sentence and sentence in text:
            return f"{file}:{number}"
        if text.lstrip().startswith(("def ", "async def ")):
            break
    return declaration.where


def check_sentence(
    sentence: str,
    declaration: Declaration,
    where: str,
    rules: Mapping[str, str] | None = None,
) -> None:
    """Raise SentenceError unless the template can be used and its slots are parameters.

    `rules` are the expansion rules, None while they are not known: then a template that uses one
    is looked at only as far as it goes.
    """
    kinds = {slot.name: slot.kind for slot in declaration.slots}
    try:
        template.parse(sentence)
    except ValueError as error:
        raise SentenceError(f"{where}: {declaration.name}: {sentence[:80]!r} {error}") from None
    if unknown := [name for name in slot_names(sentence, rules) if name not in kinds]:
        raise SentenceError(
            f"{where}: {sentence[:80]!r} has a slot {{{unknown[0]}}}, but {declaration.name} has no"
            f" parameter of that name (it has: {', '.join(sorted(kinds)) or 'none'})"
        )
    try:
        template.check(sentence, rules, lambda name: kinds[name].is_open)
        free = {name for name, kind in kinds.items() if isinstance(kind, slots.Text)}
        template.check_beside(sentence, rules or {}, lambda name: name in free)
    except ValueError as error:
        raise SentenceError(f"{where}: {declaration.name}: {sentence[:80]!r} {error}") from None


def check_spoken(declaration: Declaration, languages: Mapping[str, Sentences]) -> None:
    """Raise SentenceError when an action cannot be said, or a required slot is in no sentence."""
    own = languages.get("en", Sentences())
    for sentence in declaration.sentences:
        if "<" in sentence:  # the rest was checked when it was declared
            check_sentence(sentence, declaration, sentence_place(sentence, declaration), own.rules)
    said = [(t, s.rules) for s in languages.values() for t in s.templates]
    if not said:
        raise SentenceError(
            f'{declaration.where}: {declaration.name} has no sentence: write @skill("…") with what'
            " can be said"
        )
    spoken = {name for sentence, rules in said for name in slot_names(sentence, rules)}
    for slot in declaration.slots:
        if slot.required and slot.name not in spoken:
            raise SentenceError(
                f"{declaration.where}: {declaration.name}: no sentence says {{{slot.name}}}: put"
                f" it in one, or give the parameter {slot.name} a default"
            )


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
    skip_words: tuple[str, ...] = ()
    """Words that say nothing: an utterance is also read without them, for this skill."""
    name: str = ""
    """What the skill is called in this language; without it, by its own name."""


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

    def called(self, language: str) -> str:
        """Return what the wearer reads its skill called in a language."""
        sentences = self.languages.get(language)
        return (sentences.name if sentences else "") or self.skill

    def responses(self, language: str) -> Mapping[str, str]:
        """Return the translations of what its skill says, by the English text."""
        sentences = self.languages.get(language)
        return sentences.responses if sentences else {}

    def kind(self, slot: str) -> slots.SlotKind:
        """Return how a slot's values are read."""
        return next(s.kind for s in self.declaration.slots if s.name == slot)

    def values(self, slot: str, language: str) -> Mapping[str, Any] | None:
        """Return what can be said for a slot and what it means, or None when it is not a list."""
        own = self.languages[language].lists.get(slot) if language in self.languages else None
        if own is not None:
            return own
        kind = self.kind(slot)
        return kind.values(language) if isinstance(kind, slots.Choice) else None

    def sayings(self, language: str) -> Iterable[Saying]:
        """Yield what can be said for this action now, in one language."""
        sentences = self.languages.get(language)
        if sentences is None:
            return
        spoken: dict[str, tuple[str, ...] | None] = {}  # each list is asked once
        for sentence in sentences.templates:
            names = slot_names(sentence, sentences.rules)
            spoken |= {n: self._spoken(n, language) for n in names if n not in spoken}
            yield Saying(
                intent=self.name,
                template=sentence,
                slots={name: spoken[name] for name in names},
                rules=sentences.rules,
                open=frozenset(name for name in names if self._takes_more(name)),
            )

    def _takes_more(self, slot: str) -> bool:
        return any(s.name == slot for s in self.declaration.slots) and self.kind(slot).is_open

    def _spoken(self, slot: str, language: str) -> tuple[str, ...] | None:
        values = self.values(slot, language)
        return tuple(values) if values else self.kind(slot).spoken(language)

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of this action as a tool, in the OpenAI and MCP form."""
        declared = self.declaration
        return {
            "name": self.name,
            "description": "\n\n".join(filter(None, (declared.summary, declared.help))),
            "parameters": {
                "type": "object",
                "properties": {slot.name: slot.kind.schema() for slot in declared.slots},
                "required": [slot.name for slot in declared.slots if slot.required],
                "additionalProperties": False,
            },
        }


def declarations(thing: Any) -> list[tuple[Declaration, Callable[..., Any]]]:
    """Return the declared functions of what a plugin registers: a function or an object's methods.

    Methods come in the order they were written. Raises SentenceError when there are none.
    """
    if isinstance(thing, type):
        raise SentenceError(f"{thing.__name__} is a class: register an object, {thing.__name__}()")
    if declared := getattr(thing, _MARK, None):
        return [(_bound(declared, getattr(thing, "__self__", None)), thing)]
    names = [
        name
        for name in dir(type(thing))
        if hasattr(inspect.getattr_static(type(thing), name), _MARK)  # runs no property
    ]
    found = [(getattr(getattr(thing, name), _MARK), getattr(thing, name)) for name in names]
    if not found:
        raise SentenceError(f'{thing!r} has no action: decorate a function with @skill("…")')
    found.sort(key=lambda pair: (pair[0].where.rpartition(":")[0], _line(pair[0])))
    return [(_bound(declaration, thing), method) for declaration, method in found]


def _line(declaration: Declaration) -> int:
    return int(declaration.where.rpartition(":")[2])


def _bound(declaration: Declaration, owner: Any) -> Declaration:
    """Return a declaration whose slot lists are those of the object, where they name one."""
    try:
        found = tuple(replace(slot, kind=slot.kind.bound(owner)) for slot in declaration.slots)
    except (AttributeError, ValueError) as error:
        raise SentenceError(f"{declaration.where}: {declaration.name}: {error}") from None
    return replace(declaration, slots=found)
