"""What the agent asks back is made of the skills' own sentences."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from agent.derive.page import abilities
from agent.derive.phrase import phrase, shown
from agent.language import times
from agent.language.numbers import Money
from agent.language.repeats import Repeat
from agent.messages import Intent
from agent.plugins.skills import Skills


@pytest.fixture
def still():
    before = times.clock.set(lambda: datetime(2026, 3, 4, 9, 30))
    yield
    times.clock.reset(before)


@pytest.fixture(scope="module")
def actions():
    return Skills.discover().actions


@pytest.mark.parametrize(
    ("name", "slots", "asking", "language", "said"),
    [
        ("pay.pay", {"amount": Decimal(20)}, "payee", "en", "pay $20 to …"),
        ("pay.pay", {"amount": Decimal("20.5"), "payee": "Anna"}, None, "en", "pay Anna $20.50"),
        ("music.play", {"song": "jazz"}, None, "en", "play jazz"),
        ("music.pause", {}, None, "en", "pause music"),
        ("navigate.route", {}, "place", "zh", "导航到…"),
        ("music.volume", {}, "level", "en", "volume …"),
    ],
)
def test_the_shortest_sentence_with_these_slots(actions, name, slots, asking, language, said):
    skill, _, action = name.partition(".")
    assert phrase(actions[name], Intent(skill, action, slots, language=language), asking) == said


def test_other_missing_slots_are_passed_over(actions):
    intent = Intent("pay", "pay", {}, missing=("amount", "payee"))
    assert "…" in phrase(actions["pay.pay"], intent, "amount")


def test_every_action_can_be_said_in_both_languages(actions):
    for action in actions.values():
        for language in ("en", "zh"):
            slots = {s.name: "X" for s in action.declaration.slots if s.required}
            said = phrase(
                action, Intent(action.skill, action.declaration.name, slots, language=language)
            )
            assert said.count("X") == len(slots), (action.name, language, said)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Money("5", "EUR"), "€5"),
        (Money("5.25", "CNY"), "¥5.25"),
        (Decimal(7), "$7"),
        (40, "40"),
        (Money("20", "JPY"), "20 JPY"),
        (Money("0.5"), "$0.50"),
    ],
)
def test_values_as_people_write_them(value, text):
    assert shown(value, "en") == text


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (datetime(2026, 3, 4, 21, 0), "21:00", "晚上9点"),
        (datetime(2026, 3, 5), "tomorrow", "明天"),
        (datetime(2026, 3, 5, 18, 30), "tomorrow 18:30", "明天晚上6点30分"),
        (timedelta(minutes=90), "1 hour 30 minutes", "1小时30分钟"),
        (2.0, "2", "2"),
        (Repeat("FREQ=DAILY", datetime(2026, 3, 4), "every day"), "every day", "every day"),
    ],
)
def test_times_as_people_say_them(still, value, english, chinese):
    assert (shown(value, "en"), shown(value, "zh")) == (english, chinese)


def test_what_the_skills_can_do_is_told_in_words_that_say_it(actions):
    english = abilities(actions, "en").split(", ")
    assert {"shopping", "payments", "translation", "directions", "music", "time"} <= set(english)
    chinese = abilities(actions, "zh").split("、")
    assert {"购物", "付款", "翻译", "导航", "音乐", "时间"} <= set(chinese)
    assert not any(called.isascii() for called in chinese)
    assert len(english) == len(set(english))
