"""Everything that is made from what skills declare, in one place; nothing here is written twice.

- tools: `Action.schema`, and `call_schema` and `tool_grammar` (GBNF), which bind a model to a legal
  call; `call` makes of such a call the Intent that the words would have made
- speech: `jsgf` and `hot_words`
- typing: `Completion`
- reading: `slot_rows` and `markdown`

The text route is in `agent.understand`, the decoder's graph in `agent.listen.grammar`, sentences
that test a skill in `agent.check`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any

from agent.errors import EngineError
from agent.language.saying import Saying, hot_words
from agent.messages import Intent, NotRecognized
from agent.skill import template
from agent.skill.declare import Action
from agent.skill.slots import Choice, Slot
from hardware import reading

__all__ = [
    "Completion",
    "call",
    "call_schema",
    "hot_words",
    "jsgf",
    "markdown",
    "slot_rows",
    "tool_grammar",
]

COMPLETIONS = 40
"""Most continuations offered at once."""


# -- tools ----------------------------------------------------------------------------------------


def call_schema(actions: Iterable[Action]) -> dict[str, Any]:
    """Return the JSON schema of a call of one of the actions: `{"name": …, "arguments": {…}}`."""
    return {
        "anyOf": [
            {
                "type": "object",
                "properties": {
                    "name": {"const": action.name},
                    "arguments": action.schema()["parameters"],
                },
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
            for action in actions
        ]
    }


def tool_grammar(actions: Iterable[Action]) -> str:
    """Return the GBNF grammar under which a model can only write a call of one of the actions.

    Raises EngineError without llama-cpp-python, or when there is no action.
    """
    from agent.llm.sampling import gbnf

    schema = call_schema(actions)
    if not schema["anyOf"]:
        raise EngineError("no action is installed, so there is no call to make a grammar for")
    return gbnf(json.dumps(schema, ensure_ascii=False))


def call(
    actions: Mapping[str, Action], made: str | Mapping[str, Any], language: str = "en"
) -> Intent | NotRecognized:
    """Read a tool call, an object or its JSON: the Intent it makes, or why it makes none.

    `arguments` may be JSON text, as OpenAI has it. Values are checked and converted as words are:
    enums, money with its currency, lengths and points of time. The Intent runs under the same
    risk tier as if it had been said.
    """
    try:
        read = reading.from_json(made) if isinstance(made, str) else reading.checked(made)
        arguments = read.get("arguments") or {}
        if isinstance(arguments, str):
            arguments = reading.from_json(arguments)
        action = actions.get(str(read.get("name")))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return NotRecognized('a tool call is an object: {"name": …, "arguments": {…}}')
    if action is None:
        return NotRecognized(f"there is no tool {str(read.get('name'))[:80]!r}")
    if not isinstance(arguments, Mapping):
        return NotRecognized(f"{action.name}: the arguments are not an object")
    slots = {slot.name: slot for slot in action.declaration.slots}
    values: dict[str, Any] = {}
    for name, value in arguments.items():
        if name not in slots:
            return NotRecognized(f"{action.name} has no argument {str(name)[:80]!r}")
        if value is None and not slots[name].required:
            continue  # models write null for what they leave out
        try:
            values[name] = slots[name].kind.from_json(value)
        except ValueError as error:
            return NotRecognized(f"{action.name}: {name}: {error}")
    if missing := [name for name, slot in slots.items() if slot.required and name not in values]:
        return NotRecognized(f"{action.name} lacks {', '.join(missing)}")
    return Intent(action.skill, action.declaration.name, values, "tool call", language)


# -- speech ---------------------------------------------------------------------------------------


def jsgf(actions: Iterable[Action]) -> str:
    """Return the English sentences of the actions as a JSGF grammar, for other recognisers."""
    from agent.listen.grammar import to_jsgf

    return to_jsgf([saying for action in actions for saying in action.sayings("en")])


# -- typing ---------------------------------------------------------------------------------------


class Completion:
    """What can be typed next.

    English by words, from the graph that speech is recognised by; Chinese, which has no spaces, by
    the text so far.
    """

    def __init__(self, sayings: Callable[[str], Sequence[Saying]]) -> None:
        """Complete what `sayings(language)` says can be said now."""
        self._sayings = sayings
        self._key: object = None
        self._next: dict[int, list[tuple[str, int]]] = {}
        self._start = 0

    def words(self, text: str) -> list[str]:
        """Return the English words that can follow, given the whole words typed so far."""
        from agent.listen.grammar import FREE_TEXT

        self._refresh()
        states = {self._start}
        for word in text.lower().split():
            states = {
                to
                for state in states
                for label, to in self._next.get(state, ())
                if label in (word, FREE_TEXT)
            } | {s for s in states if any(w == FREE_TEXT for w, _ in self._next.get(s, ()))}
        found = {w for s in states for w, _ in self._next.get(s, ()) if w != FREE_TEXT}
        return sorted(found)

    def _refresh(self) -> None:
        from agent.listen.grammar import build

        sayings = self._sayings("en")
        if self._key == sayings:
            return
        graph = build(sayings)
        self._key, self._start, self._next = sayings, graph.start, {}
        for transition in graph.transitions:
            self._next.setdefault(transition.src, []).append((transition.word, transition.dst))

    def continuations(self, text: str, language: str = "zh") -> list[str]:
        """Return longer texts that begin with `text`, each as far as there is no choice."""
        longer = (t for t in continuations(self._sayings(language), text) if len(t) > len(text))
        return sorted(dict.fromkeys(longer))[:COMPLETIONS]


def continuations(sayings: Iterable[Saying], text: str) -> Iterator[str]:
    """Yield texts that begin with `text`, each as far as there is no choice; also `text` itself.

    By characters, for languages without spaces; `text` has none.
    """
    for saying in sayings:
        walk = _continue([template.parse(saying.template)], "", text, saying)
        yield from islice(walk, COMPLETIONS)


def _continue(items: Sequence[Any], done: str, typed: str, saying: Saying) -> Iterator[str]:
    """Expand as far as what was typed goes, then on to the next choice."""
    from hassil.expression import Alternative, Permutation, RuleReference, TextChunk
    from hassil.expression import Sequence as HassilSequence

    if not items:
        yield done
        return
    head, rest = items[0], items[1:]
    if isinstance(head, TextChunk):
        text = done + head.original_text.replace(" ", "")
        if text.startswith(typed) or typed.startswith(text):
            yield from _continue(rest, text, typed, saying)
        return
    if len(done) > len(typed) and not isinstance(head, HassilSequence):
        yield done
        return
    if isinstance(head, Alternative):
        for item in head.items:
            yield from _continue([item, *rest], done, typed, saying)
    elif isinstance(head, Permutation):
        for item, others in head.iterate_permutations() if head.items else ():
            yield from _continue([item, others, *rest], done, typed, saying)
        if not head.items:
            yield from _continue(rest, done, typed, saying)
    elif isinstance(head, HassilSequence):
        yield from _continue([*head.items, *rest], done, typed, saying)
    elif isinstance(head, RuleReference):
        rule = template.parse(saying.rules[head.rule_name])
        yield from _continue([rule, *rest], done, typed, saying)
    else:
        yield from _continue_slot(head.slot_name, rest, done, typed, saying)


def _continue_slot(
    slot: str, rest: Sequence[Any], done: str, typed: str, saying: Saying
) -> Iterator[str]:
    values = saying.slots.get(slot)
    for value in values or ():
        yield from _continue([template.parse(value), *rest], done, typed, saying)
    if values is None:
        for end in range(len(done) + 1, len(typed) + 1):
            yield from _continue(rest, typed[:end], typed, saying)


# -- people ---------------------------------------------------------------------------------------


def slot_rows(action: Action) -> list[tuple[str, str, str]]:
    """Return for each slot its name, what it takes, and `required` or `optional`."""
    return [
        (slot.name, _takes(slot), "required" if slot.required else "optional")
        for slot in action.declaration.slots
    ]


def _takes(slot: Slot) -> str:
    kind = slot.kind
    if not isinstance(kind, Choice) or kind.label != "one of":
        return kind.label
    values = list(dict.fromkeys(map(str, kind.schema().get("enum", kind.values("en")))))
    some = ", ".join(values) if 0 < len(values) <= 4 else f"{len(values)} values"
    return f"any words, {some} known" if kind.open else f"one of {some}"


def markdown(actions: Iterable[Action]) -> str:
    """Return one page about the actions: what can be said, with which slots, at what risk."""
    page = ["# Skills\n\nMade by `glasses skills --markdown` from what the skills declare.\n"]
    for skill, group in groupby(actions, key=lambda action: action.skill):
        members = list(group)
        page.append(f"## {skill}\n\nFrom {members[0].source}.\n")
        page += map(_section, members)
    return "\n".join(page)


def _section(action: Action) -> str:
    declared = action.declaration
    parts = [f"### {action.name}", declared.summary, declared.help]
    if rows := slot_rows(action):
        table = ["| slot | takes | |", "|---|---|---|"]
        parts.append("\n".join([*table, *(f"| `{n}` | {_cell(t)} | {r} |" for n, t, r in rows)]))
    if declared.risk != "none":
        parts.append(f"Risk: {declared.risk}.")
    for permission, why in declared.permissions.items():
        parts.append(f"Uses {permission}: {why}.")
    for language, sentences in action.languages.items():
        if sentences.templates:
            said = [f"- {language}: `{sentence}`" for sentence in sentences.templates]
            parts.append("\n".join(said))
    return "\n\n".join(filter(None, parts)) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
