"""What fails is told in the language that was spoken, and English stays English."""

import re

import pytest

from agent.language.faults import FAULTS, told
from agent.models.llm.model import missing

CHINESE = re.compile(r"[\u3400-\u9fff]")


@pytest.mark.parametrize(
    "fault",
    [
        "there is no camera here: install a plugin that provides one",
        "there is no sonar here: install a plugin that provides one",
        "api.example.org did not answer: try again in a moment",
        "/data/rates.json cannot be read: Permission denied",
        missing("/home/anna/models"),
        "a fault that nobody has foreseen",
    ],
)
def test_a_fault_is_told_in_chinese(fault):
    assert CHINESE.search(told(fault, "zh"))
    assert told(fault, "en") == fault


def test_names_in_a_fault_stay():
    assert "api.example.org" in told("api.example.org did not answer: try again in a moment", "zh")
    assert "odd {braces}" in told("odd {braces}", "zh")


def test_a_skills_own_words_go_first():
    assert told("the pump is dry", "zh", {"the pump is dry": "水泵没水了"}) == "水泵没水了"


def test_what_is_chinese_already_stays():
    assert told("没有扬声器", "zh") == "没有扬声器"


@pytest.mark.parametrize(("english", "chinese"), FAULTS["zh"].items())
def test_each_blank_of_a_translation_is_in_the_original(english, chinese):
    assert set(re.findall(r"{(\w+)}", chinese)) <= set(re.findall(r"{(\w+)}", english))
