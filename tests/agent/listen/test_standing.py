import math

import pytest

from agent.language import controls
from agent.language.saying import Saying
from agent.listen.patience import Sayable, Standing
from agent.plugins.skills import Skills
from tests.shared import PLUGIN


def installed(language, asking=False):
    skills = Skills.discover([str(PLUGIN)])
    said = [s for action in skills.actions.values() for s in action.sayings(language)]
    return Sayable([*said, *controls.sayings(language, asking=asking)])


@pytest.fixture(scope="module")
def english():
    return installed("en", asking=True)


@pytest.fixture(scope="module")
def chinese():
    return installed("zh", asking=True)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("yes", "answer"),
        ("no", "answer"),
        ("Stop.", "answer"),
        ("get me a latte", "complete"),
        ("get me a latte with milk and sugar", "complete"),
        ("navigate to the pharmacy", "complete"),
        ("get me a latte with", "dangling"),
        ("navigate to", "dangling"),
        ("pay twenty", "dangling"),
        ("pay twenty dollars to", "dangling"),
        ("colourless green ideas", "unparsed"),
        ("get me a latte with milk and sugar and tea", "unparsed"),
        ("", "dangling"),
    ],
)
def test_english(english, said, kind):
    assert english.standing(said).kind == kind


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("停", "answer"),
        ("下一首", "complete"),
        ("把早上好翻译成英语", "complete"),
        ("导航到", "dangling"),
        ("付给安娜", "dangling"),
    ],
)
def test_chinese(chinese, said, kind):
    assert chinese.standing(said).kind == kind


def test_the_more_can_follow_the_more_bits(english):
    drink = english.standing("get me a latte")
    one = english.standing("get me a latte with milk")
    both = english.standing("get me a latte with milk and sugar")
    milks, sugars = 36, 18
    assert drink.bits == pytest.approx(math.log2(1 + milks * (1 + sugars) + sugars * (1 + milks)))
    assert one.bits == pytest.approx(math.log2(1 + sugars))
    assert both.bits == 0


def of(*templates, **slots):
    return Sayable([Saying("a.b", t, slots) for t in templates])


def test_free_words_at_the_end_have_no_end():
    expected = of("note {text}", text=None)
    assert expected.standing("note").kind == "dangling"
    assert expected.standing("note milk").kind == "open"
    assert expected.standing("note milk and eggs").kind == "open"


def test_free_words_in_the_middle_end_with_what_follows():
    expected = of("tell {text} to anna", text=None)
    assert expected.standing("tell it all").kind == "dangling"
    assert expected.standing("tell it all to anna").kind == "complete"


def test_what_can_be_said_both_ways_counts_as_whole():
    expected = of("play", "play {song}", song=("jazz", "rock"))
    standing = expected.standing("play")
    assert (standing.kind, standing.bits) == ("complete", pytest.approx(math.log2(3)))
    assert expected.standing("play jazz").bits == 0


def test_nothing_can_be_said():
    assert Sayable(()).standing("hello").kind == "unparsed"


def test_an_answer_may_be_the_beginning_of_a_command():
    expected = Sayable([Saying("agent.stop", "stop", {}), Saying("a.b", "stop the music", {})])
    assert expected.standing("stop") == Standing("answer", bits=1.0)
    assert expected.standing("stop the").kind == "dangling"


def test_a_wake_phrase_says_nothing_of_what_follows():
    said = Sayable([Saying("a.b", "play music", {})])
    assert said.standing("okay glasses").kind == "dangling"
    assert said.standing("okay glasses play music").kind == "complete"
