"""What fits a JSON schema and what does not."""

from typing import Any

import pytest

from agent.errors import EngineError
from agent.models.llm.schema import check_schema, misfit, parse


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer"}, 3, True),
        ({"type": "number"}, 2.5, "2.5"),
        ({"type": "boolean"}, False, 0),
        ({"type": "null"}, None, 0),
        ({"const": 1}, 1, True),
        ({"enum": ["a", 2]}, 2, 3),
        ({"type": "string", "minLength": 1, "maxLength": 2}, "中文", "abc"),
        ({"type": "string"}, "ok", "\ud800"),
        ({"minimum": 1, "maximum": 5}, 5, 5.1),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, ["a"], []),
        ({"type": "array", "items": {"type": "string"}}, ["a", "b"], ["a", 1]),
        ({"anyOf": [{"type": "null"}, {"const": 1}]}, None, 2),
        ({"type": "object", "required": ["a"]}, {"a": 1}, {"b": 1}),
        ({"properties": {"a": {"const": 1}}}, {"a": 1, "b": 2}, {"a": 2}),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}, {"b": 1}),
    ],
)
def test_fit(schema: dict[str, Any], good: object, bad: object) -> None:
    assert misfit(good, schema) is None
    assert misfit(bad, schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"]},
        {"type": "text"},
        {"oneOf": []},
        {"properties": {"a": {"pattern": "x"}}},
        {"items": {"$ref": "#"}},
        {"anyOf": [{"format": "date"}]},
        {"additionalProperties": {"type": "string"}},
        {"properties": {"a": {"type": "string", "maxLength": 20_000}}},
    ],
)
def test_a_schema_beyond_us_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="JSON schema at"):
        check_schema(schema)


def test_errors_do_not_quote_the_answer() -> None:
    for text in ('{"secret": 1', '["secret"]', '{"secret": 1}'):
        with pytest.raises(EngineError) as caught:
            parse(text, {"properties": {}, "additionalProperties": False})
        assert "secret" not in str(caught.value)


def test_raw_line_breaks_in_strings_are_read() -> None:
    assert parse('{"a": "x\ny"}', {"type": "object"}) == {"a": "x\ny"}
