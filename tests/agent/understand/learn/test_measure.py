"""Counting how well a router routes, on a router that is told what to answer."""

import hashlib
import json
from decimal import Decimal

import pytest

from agent.errors import ConfigError
from agent.language.numbers import Money
from agent.messages import Intent, NotRecognized
from agent.understand.learn.measure import Labelled, measure, read_cases

ANSWERS = {
    "play jazz": Intent("music", "play", {"song": "Jazz "}, "templates"),
    "stop it": Intent("music", "pause", {}, "semantic"),
    "pay bob ten": Intent(
        "pay", "pay", {"amount": Money(Decimal(10)), "payee": "bob"}, "templates"
    ),
    "i owe you": Intent("pay", "pay", {}, "semantic"),
    "find my phone": Intent("shop", "search", {"product": "my phone"}, "templates"),
}


class Told:
    def route(self, transcript):
        return ANSWERS.get(transcript.text, NotRecognized())


LINES = [
    {"text": "play jazz", "skill": "music", "action": "play", "slots": {"song": "jazz"}},
    {"text": "stop it", "skill": "music", "action": "stop_music", "slots": {}},
    {"text": "pay bob ten", "skill": "pay", "action": "pay",
     "slots": {"amount": "10", "payee": "bob"}},
    {"text": "a tune", "skill": "music"},
    {"text": "find my phone", "skill": "none"},
    {"text": "i owe you", "skill": "none"},
    {"text": "hello", "skill": "none"},
    {"text": "good night", "skill": "none"},
]  # fmt: skip


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join(map(json.dumps, LINES)) + "\n\n", "utf-8")
    return path


@pytest.fixture
def measured(file):
    return measure(Told(), read_cases([file]), lambda name: name == "pay.pay")


def test_the_summary(measured):
    summary = measured.summary()
    assert summary["texts"] == 8
    assert summary["skill"] == 3 / 4
    assert summary["wrong_skill"] == 0
    assert summary["false_accepts"] == 2 / 4
    assert summary["false_accepts_money_count"] == 1
    assert summary["action"] == 2 / 3
    assert summary["exact"] == 2 / 3
    assert summary["exact_of_right_action"] == 1


def test_stages_skills_and_confusion(measured):
    stages = {row["stage"]: row for row in measured.stages()}
    assert stages["templates"]["texts"] == 3
    assert stages["templates"]["false_accepts"] == 1
    assert stages["none"]["skill"] == 2 / 3
    skills = {row["skill"]: row for row in measured.skills()}
    assert list(skills)[-1] == "none"
    assert skills["pay"]["precision"] == 1 / 2
    assert skills["shop"] == {
        "skill": "shop", "texts": 0, "recall": None, "precision": 0.0, "exact": None,
    }  # fmt: skip
    assert measured.confusion()["none"] == {"none": 2, "shop": 1, "pay": 1}


def test_the_worst_comes_first(measured):
    worst = measured.worst()
    assert [row["text"] for row in worst] == ["i owe you", "find my phone", "stop it", "a tune"]
    assert worst[2] == {**worst[2], "wanted": "music.stop_music", "got": "music.pause"}
    assert len(measured.worst(1)) == 1


def test_latency_is_in_order(measured):
    times = measured.latency()
    assert 0 <= times["p50"] <= times["p95"] <= times["p99"] <= times["max"]


def test_it_all_is_json(measured):
    assert json.loads(json.dumps(measured.as_json())) == measured.as_json()


def test_nothing_to_measure_is_no_division_by_zero():
    measured = measure(Told(), [], lambda name: False)
    assert measured.summary()["skill"] is None
    assert measured.as_json()["latency_ms"] == {}


def test_calls_may_stand_apart_from_their_texts(file, tmp_path):
    calls = tmp_path / "calls.jsonl"
    line = {
        "id": hashlib.sha1(b"a tune").hexdigest()[:12], "call": "music.play", "slots": {},
        "also": [{"call": "music.resume", "slots": {}}],
    }  # fmt: skip
    calls.write_text(json.dumps(line), "utf-8")
    case = next(case for case in read_cases([file], calls) if case.text == "a tune")
    assert case.calls == (Labelled("music.play", {}), Labelled("music.resume", {}))


@pytest.mark.parametrize(
    ("right", "got", "fits"),
    [
        ({"n": "4.50"}, {"n": "4.50"}, True),
        ({"n": 4}, {"n": "4"}, True),
        ({"n": "10"}, {"n": 10.0}, True),
        ({"song": "Hey  Jude"}, {"song": "hey jude"}, True),
        ({"song": "hey jude"}, {}, False),
        ({}, {"song": "hey jude"}, False),
        (None, {"song": "anything"}, True),
    ],
)
def test_what_is_the_same_call(right, got, fits):
    assert Labelled("a.b", right).fits(Labelled("a.b", got)) is fits
    assert not Labelled("a.b", right).fits(Labelled("a.c", got))


@pytest.mark.parametrize(
    "line", ["{", "[1]", '{"text": "a"}', '{"skill": "a"}', '"a"', '{"text": 3, "skill": "a"}']
)
def test_a_bad_line_is_named(tmp_path, line):
    path = tmp_path / "cases.jsonl"
    path.write_text('{"text": "a", "skill": "none"}\n' + line, "utf-8")
    with pytest.raises(ConfigError, match="cases.jsonl:2"):
        read_cases([path])
