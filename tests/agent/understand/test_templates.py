from decimal import Decimal
from typing import Annotated, Literal

import pytest

from agent import OneOf, Range, skill
from agent.language.text import clean
from agent.plugins.skills import Skills
from agent.understand.templates import Templates


def installed(*functions):
    skills = Skills()

    class Plugin:
        __name__ = "test.demo"

        from agent import hookimpl

        @hookimpl
        def register_skills(self, register):
            register(*functions)

    skills.load(Plugin())
    return skills.actions


songs = ["ode to joy"]


@skill("play {song}", "play (some|any) music")
def play(song: Annotated[str, OneOf(lambda: songs)] = ""):
    """Play."""


@skill("pay {amount} to {payee}", "give {payee} {amount}")
def pay(amount: Decimal, payee: Annotated[str, OneOf({"(anna|annie)": "Anna"})]):
    """Pay."""


@skill("define {word}")
def define(word: str):
    """Define."""


@skill("volume {level}", "[turn] it {way}")
def volume(level: Annotated[int, Range(0, 100)] = 50, way: Literal["up", "down"] = "up"):
    """Volume."""


ACTIONS = installed(play, pay, define, volume)


def calls(text, language="en"):
    return [
        (m.intent.action, dict(m.intent.slots)) for m in Templates(ACTIONS).match(text, language)
    ]


@pytest.mark.parametrize(
    ("said", "call"),
    [
        ("play ode to joy", ("play", {"song": "ode to joy"})),
        ("Play Ode To Joy please", ("play", {"song": "ode to joy"})),
        ("play some music", ("play", {})),
        ("pay twenty dollars to annie", ("pay", {"amount": Decimal(20), "payee": "Anna"})),
        ("give anna $4.50", ("pay", {"amount": Decimal("4.50"), "payee": "Anna"})),
        ("um could you define photosynthesis", ("define", {"word": "photosynthesis"})),
        ("volume forty", ("volume", {"level": 40})),
        ("volume 40%", ("volume", {"level": 40})),
        ("turn it down", ("volume", {"way": "down"})),
    ],
)
def test_said(said, call):
    assert calls(said)[0] == call


@pytest.mark.parametrize(
    "said",
    ["play thunderstruck", "pay to anna", "pay lots to anna", "pay twenty dollars to bob",
     "don't pay twenty dollars to anna", "volume two hundred", "", "define", "pay -5 to anna",
     "pay twenty dollars to anna and bob"],
)  # fmt: skip
def test_not_said(said):
    assert calls(said) == []


def test_a_list_may_change_while_the_agent_runs():
    templates = Templates(ACTIONS)
    assert templates.match("play greensleeves", "en") == []
    songs.append("greensleeves")
    try:
        assert templates.match("play greensleeves", "en")[0].intent.slots == {
            "song": "greensleeves"
        }
    finally:
        songs.remove("greensleeves")


def test_the_reading_with_the_most_literal_words_wins():
    @skill("define {word}", "define {word} again")
    def again(word: str):
        """Again."""

    (best, *_) = Templates(installed(again)).match("define love again", "en")
    assert best.intent.slots == {"word": "love"}


# -- as engines write -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        "get me a twelve ounce single shot latte",
        "Get me a 12 ounce, single shot latte.",
        "get me a 12-ounce single-shot latte",
        "GET ME A 12-OUNCE SINGLE SHOT LATTE!",
    ],
)
def test_figures_words_and_hyphens_mean_the_same(said):
    sizes = OneOf(["twelve ounce", "16 ounce"])

    @skill("get me a {size} {shots} latte")
    def order(size: Annotated[str, sizes], shots: Annotated[str, OneOf(["single shot"])]):
        """Order one."""

    templates = Templates(installed(order))
    for text, size in (
        (said, "twelve ounce"),
        (said.replace("12", "16").replace("twelve", "sixteen"), "16 ounce"),
    ):
        (match, *_) = templates.match(clean(text), "en")
        assert match.intent.slots == {"size": size, "shots": "single shot"}
        assert not match.free
