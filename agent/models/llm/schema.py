"""JSON schema, the part of it that a grammar can bind a model to and that we check afterwards.

Keywords: type, properties, required, additionalProperties (true or false), items, minItems,
maxItems, enum, const, anyOf, minLength, maxLength (lengths up to 1000), minimum, maximum; title,
description, default and examples say nothing. Any other keyword is an error, since skipping it
would promise a check that nobody makes. Meanings are those of JSON Schema 2020-12.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agent.errors import EngineError

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_SILENT = {"title", "description", "default", "examples"}
_KNOWN = _SILENT | {
    *("type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems"),
    *("enum", "const", "anyOf", "minLength", "maxLength", "minimum", "maximum"),
}
_LONGEST = 1000  # llama.cpp's grammar parser overflows its stack on some 10,000 repetitions


def check_schema(schema: Mapping[str, Any], at: str = "$") -> None:
    """Raise EngineError naming the place and the keyword when the schema uses more than we know."""
    unknown = sorted(set(schema) - _KNOWN)
    if unknown:
        raise EngineError(f"JSON schema at {at}: unsupported keyword {', '.join(unknown)}")
    kind = schema.get("type", "object")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise EngineError(f"JSON schema at {at}: unsupported type {kind!r}")
    if not isinstance(schema.get("additionalProperties", False), bool):
        raise EngineError(f"JSON schema at {at}: additionalProperties must be true or false")
    for keyword in ("minLength", "maxLength", "minItems", "maxItems"):
        if schema.get(keyword, 0) > _LONGEST:
            raise EngineError(f"JSON schema at {at}: {keyword} is at most {_LONGEST}")
    for name, part in schema.get("properties", {}).items():
        check_schema(part, f"{at}.{name}")
    for part in schema.get("anyOf", ()):
        check_schema(part, at)
    if "items" in schema:
        check_schema(schema["items"], f"{at}[]")


def parse(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read an object that fits the schema. Raises EngineError without quoting the text."""
    try:
        # The grammar allows raw line breaks inside strings, hence not strict.
        value = json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        raise EngineError(
            f"the model's answer is not complete JSON ({error.msg} at character {error.pos}); "
            "allow more tokens or a smaller schema"
        ) from None
    if not isinstance(value, dict):
        raise EngineError("the model's answer is JSON but not an object")
    problem = misfit(value, schema)
    if problem:
        raise EngineError(f"the model's answer does not fit its schema: {problem}")
    return value


def misfit(value: object, schema: Mapping[str, Any], at: str = "$") -> str | None:
    """Say where and how the value breaks the schema, without quoting it; None when it fits."""
    if "type" in schema and not _is(value, schema["type"]):
        return f"{at} is not of type {schema['type']}"
    if "const" in schema and not _same(value, schema["const"]):
        return f"{at} is not the constant"
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        return f"{at} is not one of the listed values"
    if "anyOf" in schema and all(misfit(value, part, at) for part in schema["anyOf"]):
        return f"{at} fits none of the alternatives"
    if isinstance(value, dict):
        return _object_misfit(value, schema, at)
    if isinstance(value, list):
        return _array_misfit(value, schema, at)
    if isinstance(value, str):
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            return f"{at} is not valid Unicode"
        return _range_misfit(len(value), schema, "Length", at)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        return None if low <= value <= high else f"{at} is out of range"
    return None


def _object_misfit(value: dict[str, Any], schema: Mapping[str, Any], at: str) -> str | None:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"{at}.{name} is missing"
    for name, part in value.items():
        if name in properties:
            problem = misfit(part, properties[name], f"{at}.{name}")
            if problem:
                return problem
        elif not schema.get("additionalProperties", True):
            return f"{at} has a property that is not declared"
    return None


def _array_misfit(value: list[Any], schema: Mapping[str, Any], at: str) -> str | None:
    problems = (misfit(one, schema.get("items", {}), f"{at}[{i}]") for i, one in enumerate(value))
    return next(filter(None, problems), None) or _range_misfit(len(value), schema, "Items", at)


def _range_misfit(size: int, schema: Mapping[str, Any], what: str, at: str) -> str | None:
    fits = schema.get(f"min{what}", 0) <= size <= schema.get(f"max{what}", size)
    return None if fits else f"{at} is too short or too long"


def _is(value: object, kind: str) -> bool:
    # In JSON a truth value is not a number; in Python it is.
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _same(value: object, other: object) -> bool:
    return value == other and isinstance(value, bool) == isinstance(other, bool)
