"""What a question needs: of questions that were written before anything was learned."""

import json
from pathlib import Path

import pytest

from agent.derive.paraphrases import NONE
from agent.errors import EngineError, SentenceError
from agent.skill.declare import KNOWS
from agent.understand.knowledge import LABELS, Knowledge, Needs
from agent.understand.learn import knowledge as learn

HELD_OUT = Path(__file__).with_name("questions.jsonl")


def asked(language):
    lines = map(json.loads, HELD_OUT.read_text("utf-8").splitlines())
    return [(line["text"], line["needs"] or NONE) for line in lines if line["language"] == language]


def shares(knowledge, language):
    """Return how much a model is asked of what it can and cannot know, and needs told right."""
    found = [(needs, knowledge.needs(text)) for text, needs in asked(language)]
    know = [one.nothing for needs, one in found if needs == NONE]
    cannot = [(one.nothing, one.what == needs) for needs, one in found if needs != NONE]
    told = sum(right for _, right in cannot) / len(cannot)
    return sum(know) / len(know), sum(one for one, _ in cannot) / len(cannot), told


def test_there_are_enough_questions_in_both_languages():
    for language in ("en", "zh"):
        assert len(asked(language)) >= 150
        assert {needs for _, needs in asked(language)} == set(LABELS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_by_words_alone_a_model_is_hardly_ever_asked_what_it_cannot_know(language):
    know, cannot, told = shares(Knowledge(), language)
    assert cannot <= 0.02
    assert know >= 0.9
    assert told >= 0.9


@pytest.mark.real
def test_with_minilm_fewer_are_refused(real_model):
    know, cannot, told = shares(Knowledge(real_model("minilm").parent), "en")
    assert cannot <= 0.02
    assert know >= 0.95
    assert told >= 0.95


@pytest.mark.parametrize(
    "text", ["what time is it", "what's the time", "what day is it today", "现在几点了", "今天几号"]
)
def test_the_time_is_plain_by_words(text):
    assert Knowledge().plainly(text) == "time"


@pytest.mark.parametrize("text", ["", "?", "🙂", "what", "a" * 2000, "\x00\u202e"])
def test_whatever_is_asked_something_is_said(text):
    needs = Knowledge().needs(text)
    assert needs.what in KNOWS
    assert 0 <= needs.none <= 1


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(EngineError, match="cannot be read"):
        Knowledge(data=tmp_path / "none.npz").needs("who wrote hamlet")


# -- what it learns from --------------------------------------------------------------------------


@pytest.mark.parametrize("language", learn.LANGUAGES)
def test_every_need_has_templates_in_both_languages(language):
    _, found = learn.templates(language)
    assert {section for section, _ in found} == set(LABELS)


def test_nothing_of_the_questions_is_learned_by_heart():
    """A short question may be drawn by chance; what is measured is not made of them."""
    drawn = {row.text for row in learn.rows()}
    held = [text for language in ("en", "zh") for text, _ in asked(language)]
    assert sum(text in drawn for text in held) / len(held) < 0.1


def test_rows_are_the_same_in_every_run_and_have_no_syntax_left():
    first, second = list(learn.rows()), list(learn.rows())
    assert first == second
    assert not [row.text for row in first if set("()[]{}|") & set(row.text)]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("# nonsense\n", "is not one of"),
        ("# time\nwhat {x}\n", "no list 'x'"),
        ("# time\nwhat (a|b\n", "brackets"),
    ],
)
def test_a_line_that_cannot_be_read_is_told(tmp_path, monkeypatch, lines, told):
    (tmp_path / "en.txt").write_text(lines, "utf-8")
    monkeypatch.setattr(learn, "files", lambda _: tmp_path)
    with pytest.raises(SentenceError, match=told):
        learn.templates("en")


@pytest.mark.parametrize(
    ("none", "nothing", "follows"), [(0.6, True, True), (0.4, False, True), (0.2, False, False)]
)
def test_in_its_own_conversation_a_model_is_asked_a_little_more(none, nothing, follows):
    needs = Needs("news", p=0.9, none=none, ask_from=0.5)
    assert (needs.nothing, needs.follows) == (nothing, follows)
