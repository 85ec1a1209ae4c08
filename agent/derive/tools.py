"""Tool calls, made from what skills declare: as other agents and a language model write them.

`call_schema` and `tool_grammar` (GBNF) bind a model to a legal call, `call` makes of one the Intent
that the words would have made, and `hot_words` biases recognition toward what can be said. One
action's own schema is `Action.schema`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from agent.errors import EngineError
from agent.language.numbers import Money
from agent.language.saying import hot_words
from agent.messages import Intent, NotRecognized
from agent.skill.declare import Action
from agent.skill.slots import to_json
from hardware import reading

__all__ = ["call", "call_schema", "hot_words", "made", "tool_grammar"]


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
    from agent.models.llm.sampling import gbnf

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


def made(intent: Intent, actions: Mapping[str, Action]) -> dict[str, Any] | None:
    """Return an intent as the tool call that makes it; None where its slots would not come back.

    That is so for the objects in a plugin's own list.
    """
    said = {name: value for name, value in intent.slots.items() if value is not None}
    try:
        kept = json.loads(json.dumps({k: _json(v) for k, v in said.items()}, allow_nan=False))
    except (TypeError, ValueError):
        return None
    whole = {"name": intent.name, "arguments": kept}
    again = call(actions, whole, intent.language)
    if isinstance(again, NotRecognized) or _exact(again.slots) != _exact(said):
        return None
    return whole


def _json(value: Any) -> Any:
    """Return a slot's value as JSON: money with its currency, exactly, as it can be said."""
    if isinstance(value, Decimal):
        currency = value.currency if isinstance(value, Money) else None
        return f"{value:f} {currency}" if currency else f"{value:f}"
    return to_json(value)


def _exact(slots: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Return slots such that the same amount in another currency is another."""
    return {
        name: (type(value), value, getattr(value, "currency", None))
        for name, value in slots.items()
        if value is not None
    }
