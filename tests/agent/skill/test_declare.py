import enum
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import pytest

from agent import Context, OneOf, Range, Reply, hookimpl, skill
from agent.errors import PluginError, SentenceError
from agent.language import times
from agent.plugins.skills import Skills
from agent.skill import declarations
from agent.testing import lens, make_agent
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
        (bool, "on", True),
        (bool, "no", False),
        (datetime, "tomorrow at eight", datetime(2026, 3, 5, 8)),
    ],
)
def test_types_read_words(annotation, words, value):
    times.clock.set(lambda: datetime(2026, 3, 4, 9, 30))

    def action(slot):
        """Do."""

    action.__annotations__["slot"] = annotation
    assert declared(skill("do {slot}")(action)).slots[0].kind.parse(words, "en") == value


@pytest.mark.parametrize(
    ("annotation", "words"),
    [(str, "  "), (int, "many"), (int, "2.5"), (Decimal, "0"), (Size, "huge"),
     (Annotated[int, Range(1, 5)], "6"), (timedelta, "soon"), (bool, "maybe"), (datetime, "then")],
)  # fmt: skip
def test_types_refuse_other_words(annotation, words):
    def action(slot):
        """Do."""

    action.__annotations__["slot"] = annotation
    with pytest.raises(ValueError, match=r"."):
        declared(skill("do {slot}")(action)).slots[0].kind.parse(words, "en")


@pytest.mark.parametrize(
    ("annotation", "words", "text", "is_all"),
    [
        (int, "five", "set it to two hundred and five", False),
        (int, "two hundred and five", "set it to two hundred and five please", True),
        (int, "20", "set it to -20", False),
        (Decimal, "20", "pay anna €20", False),
        (Decimal, "€20", "pay anna €20", True),
        (Decimal, "twenty dollars", "pay twenty dollars to anna", True),
        (Decimal, "二十", "给安娜付二十五块", False),
        (Decimal, "二十五块", "给安娜付二十五块吧", True),
        (timedelta, "an hour", "a timer for an hour and twenty minutes", False),
        (timedelta, "an hour and twenty minutes", "for an hour and twenty minutes now", True),
        (datetime, "eight", "wake me tomorrow at eight", False),
        (datetime, "tomorrow at eight", "wake me tomorrow at eight", True),
        (str, "jazz", "play more jazz", True),
        (int, "thirty", "set it to twenty", False),
    ],
)
def test_a_part_of_a_value_is_not_all_of_it(annotation, words, text, is_all):
    def action(slot):
        """Do."""

    action.__annotations__["slot"] = annotation
    kind = declared(skill("do {slot}")(action)).slots[0].kind
    assert kind.is_all(words, text, "en") == is_all


class Rude:
    """A plugin's own object in a list."""

    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "annotation",
    [
        int, float, Decimal, timedelta, datetime, bool, Size, Literal["up"],
        Annotated[int, Range(1, 5)], Annotated[str, OneOf({"x": Rude()})],
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "words",
    ["9" * 27, "9" * 5_000, "9" * 30 + " dollars", "9" * 20 + " days", "in " + "9" * 15 + " weeks",
     "0." + "1" * 400, "一" * 5_000, "千万亿" * 300, "nine " * 999, "9e99", "1" + "0" * 14 + " years"],
)  # fmt: skip
def test_words_that_no_arithmetic_can_hold_are_only_no_value(annotation, words):
    def action(slot):
        """Do."""

    action.__annotations__["slot"] = annotation
    kind = declared(skill("do {slot}")(action)).slots[0].kind
    for read in (lambda: kind.parse(words, "en"), lambda: kind.from_json(words)):
        with pytest.raises(ValueError, match=r"."):
            read()


@pytest.mark.parametrize("value", [1e308, -1e308, 10**400, float("nan"), float("inf"), [], {}])
@pytest.mark.parametrize("annotation", [int, float, Decimal, timedelta, datetime])
def test_arguments_that_no_arithmetic_can_hold_are_only_no_value(annotation, value):
    def action(slot):
        """Do."""

    action.__annotations__["slot"] = annotation
    with pytest.raises(ValueError, match=r"."):
        declared(skill("do {slot}")(action)).slots[0].kind.from_json(value)


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("do [it", "the [ is never closed"),
        ("do it] {slot}", "the ] at character 6 closes nothing"),
        ("do {slot", "the { is never closed"),
        (
            "do {other}",
            "has a slot {other}, but action has no parameter of that name (it has: slot)",
        ),
        ("", "is not a template"),
        ("do ()", "is not a template"),
        ("[do] [it]", "matches the empty string"),
        ("(do|)", "matches the empty string"),
        ("?!", "matches the empty string"),
        ("{slot}", "matches everything"),
        ("[please] {slot} [now]", "matches everything"),
        ("(do|{slot})", "matches everything"),
        ("({slot};[now])", "matches everything"),
        ("(a;b;c;d;e;f;g;h)", "8 items in any order"),
        ("(" * 400 + "do" + ")" * 400, "brackets 400 deep"),
        ("do " * 1000, "longer than 2000 characters"),
    ],
)
def test_a_wrong_sentence_is_named_with_file_and_line(sentence, reason):
    def action(slot: str):
        """Do."""

    with pytest.raises(SentenceError) as caught:
        skill(sentence)(action)
    assert reason in str(caught.value)
    line = action.__code__.co_firstlineno
    assert str(caught.value).startswith(f"{__file__}:{line}: ")
    assert "\n" not in str(caught.value)


def test_wrong_risk_permission_or_type_is_refused():
    def action(slot: bytes):
        """Do."""

    with pytest.raises(SentenceError, match="risk 'free'"):
        skill("do", risk="free")(action)
    with pytest.raises(SentenceError, match="permission 'moon'"):
        skill("do", permissions={"moon": "why"})(action)
    with pytest.raises(SentenceError, match="is the plugin's, for its turn_ended"):
        skill("do", permissions={"transcripts": "why"})(action)
    with pytest.raises(SentenceError, match="cannot be spoken|can be spoken"):
        skill("do {slot}")(action)


def test_the_line_is_that_of_the_sentence():
    with pytest.raises(SentenceError) as caught:

        @skill(
            "do it",
            "do [that",
        )
        def action():
            """Do."""

    source = Path(__file__).read_text("utf-8").splitlines()
    line = int(str(caught.value).removeprefix(f"{__file__}:").partition(":")[0])
    assert '"do [that",' in source[line - 1]


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"permissions": {"location": ""}}, "permission 'location' has no reason"),
        ({"permissions": {"location": None}}, "permission 'location' has no reason"),
        ({"risk": "money"}, 'risk "money" needs the permission'),
    ],
)
def test_a_permission_has_a_reason_and_money_the_permission(declared, reason):
    def action():
        """Do."""

    with pytest.raises(SentenceError, match=reason):
        skill("do", **declared)(action)


def many(*slots):
    """Do."""


def either(slot: int | str):
    """Do."""


def unknown(slot: "Nowhere"):  # noqa: F821
    """Do."""


def two(ctx, other: Context):
    """Do."""


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (many, "slots are given by name"),
        (either, "one type or another"),
        (unknown, "annotations cannot be read"),
        (two, "both the context"),
        (len, "for functions and methods"),
    ],
)
def test_a_function_that_cannot_be_called_by_voice_is_refused(function, reason):
    with pytest.raises(SentenceError, match=reason):
        skill("do")(function)


def test_skill_without_sentences_is_refused():
    def action():
        """Do."""

    with pytest.raises(SentenceError, match="not @skill alone"):
        skill(action)
    with pytest.raises(SentenceError, match="action has no sentence"):
        installed(skill()(action))


def test_a_required_parameter_that_no_sentence_says_is_refused():
    @skill("pay {amount}")
    def pay(amount: Decimal, payee: str):
        """Pay."""

    with pytest.raises(SentenceError, match=r"pay: no sentence says \{payee\}") as caught:
        installed(pay)
    assert str(caught.value).startswith(f"{__file__}:{pay.__code__.co_firstlineno}: ")


def test_two_actions_of_one_name_are_refused_with_both_places():
    def make():
        @skill("do")
        def action():
            """Do."""

        return action

    with pytest.raises(PluginError, match=rf"demo.action is declared twice.*{__file__}:\d+"):
        installed(make(), make())


def test_the_rest_of_the_docstring_is_help():
    @skill("do")
    def action():
        """Do.

        At once, and
        without asking.
        """

    found = declared(action)
    assert (found.summary, found.help) == ("Do.", "At once, and\nwithout asking.")
    (installed_,) = installed(action).values()
    assert installed_.schema()["description"] == "Do.\n\nAt once, and\nwithout asking."


class Counter:
    """A skill with state."""

    def __init__(self):
        self.count = 0
        self.names = ["apples"]

    @property
    def trap(self):
        raise AssertionError("registering a skill runs no property")

    @skill("count {what}")
    async def more(self, what: Annotated[str, OneOf("names")]):
        """Count."""
        self.count += 1
        return Reply(f"{self.count} {what}")

    def things(self):
        return [f"pile of {name}" for name in self.names]

    @skill("drop the {what}", risk="change")
    def drop(self, what: Annotated[str, OneOf(things)], ctx: Context):
        """Drop."""
        self.count = 0
        return Reply(f"dropped {what}", title=ctx.skill)


def plugin_of(*things):
    class Plugin:
        __name__ = "counter"

        @hookimpl
        def register_skills(self, register):
            register(*things)

    return Plugin()


async def test_methods_share_the_state_of_their_object(tmp_path):
    counter = Counter()
    agent = make_agent(tmp_path, plugins=[plugin_of(counter)])
    assert list(agent.skills.actions) == ["counter.more", "counter.drop"], "in the order written"
    for said, shown in [("count apples", "1 apples"), ("count apples", "2 apples"), ("count pears", None),
                        ("drop the pile of apples", "dropped pile of apples"), ("count apples", "1 apples")]:  # fmt: skip
        await agent.hear(said)
        assert shown is None or shown in lens(agent)
    counter.names.append("pears")
    turn = await agent.hear("count pears")
    assert turn.intent.slots == {"what": "pears"}, "the list is the object's, as it is now"


async def test_a_coroutine_is_an_action(tmp_path):
    @skill("wait for {seconds} seconds")
    async def wait(seconds: float):
        """Wait."""
        return Reply(f"waited {seconds}")

    agent = make_agent(tmp_path, plugins=[plugin_of(wait)])
    await agent.hear("wait for five seconds")
    assert "waited 5.0" in lens(agent)


def test_a_list_that_the_object_does_not_have_is_refused():
    @skill("do {what}")
    def action(what: Annotated[str, OneOf("names")]):
        """Do."""

    with pytest.raises(SentenceError, match=r"OneOf\('names'\): a function has no attribute"):
        installed(action)
    with pytest.raises(SentenceError, match=r"Counter is a class: register an object, Counter\(\)"):
        installed(Counter)


def test_the_source_of_what_ships_is_the_distribution():
    from agent import __version__

    sources = {action.source for action in Skills.discover().actions.values()}
    assert f"glasses-agent {__version__}" in sources


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
