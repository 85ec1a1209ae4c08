"""What the agent asks back is made of the skills' own sentences."""

from decimal import Decimal

import pytest

from agent.derive.phrase import phrase, shown
from agent.language.numbers import Money
from agent.messages import Intent
from agent.plugins.skills import Skills


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
    assert shown(value) == text
