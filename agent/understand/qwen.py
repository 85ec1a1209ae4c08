"""The third stage: a real Qwen chooses among the likeliest calls, or none.

It is asked where the semantic stage is unsure. A grammar made of the candidates' schemas binds what
it writes to a legal call, it is told to copy, and what it did not copy is not believed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent.derive import tools as derive
from agent.errors import Cancelled, EngineError
from agent.messages import Intent, NotRecognized
from agent.models.llm import prompts
from agent.models.llm.model import Model
from agent.skill.declare import Action

CANDIDATES = 4
"""Actions that are offered: each costs some 60 tokens of prompt."""
MAX_TOKENS = 96
"""Longest call; the longest that an example of the skills makes has 40."""
TIMEOUT_S = 2.0
"""Longest the wearer is kept waiting for it."""

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
    model: Model, text: str, language: str, candidates: Sequence[Action]
) -> Intent | NotRecognized:
    """Return the call that the model reads in a text, or why it makes none. Never raises."""
    offered = [a for a in candidates if a.declaration.risk != "money"][:CANDIDATES]
    if not offered:
        return NotRecognized("nothing to choose among")
    schema = {"anyOf": [*derive.call_schema(offered)["anyOf"], _NO_CALL]}
    tools = "\n".join(
        json.dumps({"type": "function", "function": action.schema()}, ensure_ascii=False)
        for action in offered
    )
    prompt = prompts.render("route", language, tools=tools, said=text)
    try:
        made = model.json(prompt, schema, max_tokens=MAX_TOKENS, timeout_s=TIMEOUT_S)
    except (EngineError, Cancelled) as error:
        return NotRecognized(f"{model.name}: {error}")
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
