"""Texts as Whisper writes them, held against what can be said."""

import math

import pytest

from agent.errors import SentenceError
from agent.language.saying import Saying
from agent.listen.whisper.rescore import Hypothesis, Sayable, choose
from agent.plugins.skills import Skills

BONUS = math.log(19)


@pytest.fixture(scope="module")
def sayable():
    actions = Skills.discover().actions.values()
    return Sayable([s for a in actions for language in ("en", "zh") for s in a.sayings(language)])


@pytest.mark.parametrize(
    "text",
    [
        "Pay $20 to Anna.",
        "Pay twenty dollars to Anna",
        "Please pay $4.50 to Tom, thanks!",
        "Pay 120 dollars to Maria.",
        "Set the volume to 35%.",
        "Set the volume to 35 percent",
        "Play Ode to Joy.",
        "Translate good morning into Chinese.",
        "支付20元给安娜。",
        "付给安娜两百块",
        "播放音乐",
        "把音量调到50",
        "把good morning翻译成中文",
        "请播放音乐",
    ],
)
def test_what_can_be_said_is_accepted_however_it_is_written(sayable, text):
    assert sayable.accepts(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "Pay a banana.",
        "Pay $20 to nobody I know",
        "Translate into Chinese",
        "pay 20",
        "播放",
        "付给香蕉",
        "Thanks for watching!",
        "20",
    ],
)
def test_the_rest_is_not(sayable, text):
    assert not sayable.accepts(text)


@pytest.mark.parametrize(
    ("template", "text", "accepted"),
    [
        ("wake me at eight thirty", "Wake me at 8:30.", True),
        ("八点半叫我", "8:30叫我", True),
        ("八点三十叫我", "8:30叫我", True),
        ("the second one", "the 2nd one", True),
        ("play 7 rings", "play seven rings", True),
        ("play 7 rings", "play 7 rings", True),
        ("play 7 rings", "play eight rings", False),
        ("百分之五十", "50%", True),
        ("note {words} [now]", "note milk and two eggs", True),
        ("note {words} [now]", "note", False),
        ("note {words} please", "note buy 3 pears please", True),
    ],
)
def test_numbers_and_free_text(template, text, accepted):
    assert Sayable([Saying("x.y", template, {"words": None})]).accepts(text) is accepted


def test_a_wrong_template_is_an_error():
    with pytest.raises(SentenceError, match="no slot 'song'"):
        Sayable([Saying("x.y", "播放{song}", {})])


def heard(*texts_and_probabilities):
    return [Hypothesis(text, math.log(p), 4) for text, p in texts_and_probabilities]


def test_one_that_can_be_said_wins_when_it_is_nearly_as_likely(sayable):
    texts = heard(("pray twenty dollars to Anna", 0.5), ("pay twenty dollars to Anna", 0.1))
    chosen, can_be_said = choose(texts, sayable, BONUS)
    assert (chosen, can_be_said) == (texts[1], True)
    assert chosen.mean == pytest.approx(math.log(0.1) / 4)


@pytest.mark.parametrize(
    "texts",
    [
        heard(("pray twenty dollars to Anna", 0.9), ("pay twenty dollars to Anna", 0.04)),
        heard(("Okay, thank you.", 0.3), ("Pay twenty dollars to Anna.", 0.2)),
        heard(("How tall is the Eiffel tower?", 0.3), ("How tall is an Eiffel tower?", 0.2)),
    ],
    ids=["much less likely", "another sentence", "neither can be said"],
)
def test_the_first_stays(sayable, texts):
    assert choose(texts, sayable, BONUS) == (texts[0], False)
    assert choose(texts, None, BONUS) == (texts[0], False)


def test_of_several_that_can_be_said_the_likeliest_wins(sayable):
    texts = heard(("play musics", 0.3), ("pause music", 0.1), ("play music", 0.2))
    assert choose(texts, sayable, BONUS) == (texts[2], True)
    first = heard(("play music", 0.3), ("pause music", 0.2))
    assert choose(first, sayable, BONUS) == (first[0], True)
