import enum
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

import pytest

from agent import Context, OneOf, Range, skill
from agent.errors import SentenceError
from agent.skill import declarations
from tests.agent.understand.test_templates import installed


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


def declared(function):
    ((declaration, _),) = declarations(function)
    return declaration


def test_one_declaration_says_it_all():
    @skill(
        "order {count} {size} {drink} [for {who}]", risk="change", permissions={"money": "to buy"}
    )
    def order(
        count: int,
        size: Size,
        drink: Annotated[str, OneOf(["tea", "milk"])],
        ctx: Context,
        who: str | None = None,
    ):
        """Order drinks.

        More text that is not the summary.
        """

    found = declared(order)
    assert (found.name, found.risk, found.context) == ("order", "change", "ctx")
    assert found.summary == "Order drinks."
    assert found.permissions == {"money": "to buy"}
    assert [(s.name, s.required) for s in found.slots] == [
        ("count", True),
        ("size", True),
        ("drink", True),
        ("who", False),
    ]
    assert order.__name__ == "order", "the function stays the author's own"


@pytest.mark.parametrize(
    ("annotation", "words", "value"),
    [
        (str, " photosynthesis ", "photosynthesis"),
        (int, "twenty five", 25),
        (float, "2.5", 2.5),
        (Decimal, "twenty dollars", Decimal(20)),
        (timedelta, "ten minutes", timedelta(minutes=10)),
        (Size, "Large", Size.LARGE),
        (Literal["up", "down"], "UP", "up"),
        (Annotated[int, Range(1, 5)], "five", 5),
        (Annotated[str, OneOf({"big one": "x"})], "Big One", "x"),
        (int | None, "3", 3),
    ],
)
def test_types_read_words(annotation, words, value):
    def action(slot):
        """Do."""

    action.__annotations__["slot"] = annotation
    assert declared(skill("do {slot}")(action)).slots[0].kind.parse(words, "en") == value


@pytest.mark.parametrize(
    ("annotation", "words"),
    [(str, "  "), (int, "many"), (int, "2.5"), (Decimal, "0"), (Size, "huge"),
     (Annotated[int, Range(1, 5)], "6"), (timedelta, "soon")],
)  # fmt: skip
def test_types_refuse_other_words(annotation, words):
    def action(slot):
        """Do."""

    action.__annotations__["slot"] = annotation
    with pytest.raises(ValueError, match=r"."):
        declared(skill("do {slot}")(action)).slots[0].kind.parse(words, "en")


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("do [it", "not a template"),
        ("do {other}", "has a slot {other}"),
        ("do {slot", "not a template"),
    ],
)
def test_a_wrong_sentence_is_named_with_file_and_line(sentence, reason):
    def action(slot: str):
        """Do."""

    with pytest.raises(SentenceError, match=reason) as caught:
        skill(sentence)(action)
    assert __file__ in str(caught.value)
    assert "\n" not in str(caught.value)


def test_wrong_risk_permission_or_type_is_refused():
    def action(slot: bytes):
        """Do."""

    with pytest.raises(SentenceError, match="risk 'free'"):
        skill("do", risk="free")(action)
    with pytest.raises(SentenceError, match="permission 'moon'"):
        skill("do", permissions={"moon": "why"})(action)
    with pytest.raises(SentenceError, match="cannot be spoken|can be spoken"):
        skill("do {slot}")(action)


def test_the_schema_is_a_tool():
    @skill("set {level}")
    def level(level: Annotated[int, Range(0, 10)], mode: Literal["a", "b"] = "a"):
        """Set the level."""

    (action,) = installed(level).values()
    assert action.schema() == {
        "name": "demo.level",
        "description": "Set the level.",
        "parameters": {
            "type": "object",
            "properties": {
                "level": {"type": "integer", "minimum": 0, "maximum": 10},
                "mode": {"enum": ["a", "b"]},
            },
            "required": ["level"],
            "additionalProperties": False,
        },
    }
