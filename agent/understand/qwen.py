"""The third stage: a real Qwen chooses among the likeliest calls, or none.

It is asked where the semantic stage is unsure. A grammar made of the candidates' schemas binds what
it writes to a legal call, it is told to copy, and what it did not copy is not believed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent.derive import tools as derive
from agent.errors import Cancelled, EngineError
from agent.messages import CancelScope, Intent, NotRecognized
from agent.models.llm import prompts
from agent.models.llm.model import Message, Model, Prompt
from agent.skill.declare import Action

CANDIDATES = 4
"""Actions that are offered: each costs some 60 tokens of prompt."""
MAX_TOKENS = 96
"""Longest call; the longest that an example of the skills makes has 40."""
TIMEOUT_S = 0.6
"""Longest the wearer is kept waiting for it: then they are asked instead."""
PATIENT_S = 8.0
"""Longest for the model itself, should nobody call it off."""
LATE = "took too long to choose"
"""Why there is no choice when that time is over."""

NONE = "none"

_NO_CALL: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"const": NONE},
        "arguments": {"type": "object", "properties": {}, "additionalProperties": False},
    },
    "required": ["name", "arguments"],
    "additionalProperties": False,
}


def choose(
    model: Model,
    text: str,
    language: str,
    candidates: Sequence[Action],
    timeout_s: float | None = None,
) -> Intent | NotRecognized:
    """Return the call that the model reads in a text, or why it makes none. Never raises.

    It has `timeout_s`, and `TIMEOUT_S` where that is not given.
    """
    offered = [a for a in candidates if a.declaration.risk != "money"][:CANDIDATES]
    if not offered:
        return NotRecognized("nothing to choose among")
    schema = {"anyOf": [*derive.call_schema(offered)["anyOf"], _NO_CALL]}
    tools = "\n".join(
        json.dumps({"type": "function", "function": action.schema()}, ensure_ascii=False)
        for action in sorted(offered, key=lambda one: one.name)  # alike prompts are cached
    )
    system = prompts.render("route", language, tools=tools)
    prompt = (Message("system", system), Message("user", prompts.quote(text)))
    try:
        made = _in_time(model, prompt, schema, TIMEOUT_S if timeout_s is None else timeout_s)
    except (EngineError, Cancelled) as error:
        return NotRecognized(f"{model.name}: {error}")
    if made is None:
        return NotRecognized(LATE)
    if made["name"] == NONE:
        return NotRecognized(f"{model.name} chose none")
    call = derive.call({action.name: action for action in offered}, made, language)
    if isinstance(call, NotRecognized):
        return call
    said = text.casefold()
    for name, value in made["arguments"].items():
        if isinstance(value, str) and value.casefold() not in said:
            return NotRecognized(f"{model.name} made up the words for {name}")
    return replace(call, stage="qwen")


def _in_time(
    model: Model, prompt: Prompt, schema: dict[str, Any], timeout_s: float
) -> dict[str, Any] | None:
    """Return what the model makes of a prompt, or None when that time is over.

    On a thread of its own: an engine looks at the clock between tokens, and a prompt has many. It
    is called off then. Raises what the model raises.
    """
    scope, made, failed = CancelScope(), [], []

    def work() -> None:
        try:
            made.append(
                model.json(prompt, schema, max_tokens=MAX_TOKENS, timeout_s=PATIENT_S, cancel=scope)
            )
        except (EngineError, Cancelled) as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="choosing", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive():
        scope.cancel()
        return None
    if failed:
        raise failed[0]
    return made[0] if made else None
