from datetime import timedelta
from decimal import Decimal

import pytest
from unicode_rbnf import RbnfEngine

from agent.understand.numbers import (
    parse_duration,
    parse_money,
    parse_number,
    spoken_duration,
    spoken_money,
    spoken_number,
)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_reads_back_every_number_as_unicode_spells_it(language):
    engine = RbnfEngine.for_language(language)
    for number in [*range(3000), 9999, 10000, 20005, 99999, 123456]:
        for style, words in engine.format_number(number).text_by_ruleset.items():
            if style in ("spellout-cardinal", "spellout-numbering"):
                assert parse_number(words) == number, words


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("20", "20"),
        ("1,200.50", "1200.50"),
        ("a hundred and five", "105"),
        ("twenty-five", "25"),
        ("two point five", "2.5"),
        ("两百五", "250"),
        ("两百零五", "205"),
        ("三万二", "32000"),
        ("三点五", "3.5"),
    ],
)
def test_numbers_as_people_say_them(words, number):
    assert parse_number(words) == Decimal(number)


@pytest.mark.parametrize(
    "words",
    ["", " ", "-5", "twenty thirty", "five twenty", "zero zero", "abc", "1e3", "1.2.3", "12,34",
     "五五", "一百零", "十百", "百", "零零", "hundred", "and five", "nan", "inf", "½"],
)  # fmt: skip
def test_what_is_not_exactly_a_number_is_refused(words):
    with pytest.raises(ValueError, match="not a number"):
        parse_number(words)


@pytest.mark.parametrize(
    ("words", "amount", "currency"),
    [
        ("$20", "20", "USD"),
        ("20", "20", None),
        ("twenty dollars", "20", "USD"),
        ("four dollars and fifty cents", "4.50", "USD"),
        ("$4.50", "4.50", "USD"),
        ("12 euros", "12", "EUR"),
        ("a hundred and five bucks", "105", "USD"),
        ("三块五毛", "3.5", "CNY"),
        ("两百块五", "200.5", "CNY"),
        ("二十块钱", "20", "CNY"),
        ("二十美元", "20", "USD"),
    ],
)
def test_money_keeps_its_currency(words, amount, currency):
    money = parse_money(words)
    assert (money, money.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "words",
    ["", "dollars", "-20 dollars", "12.345", "$20 euros", "twenty dollars and two hundred cents",
     "four fifty", "lots of dollars", "20 dollars or 30 dollars", "4.50 dollars and 20 cents"],
)  # fmt: skip
def test_an_amount_that_could_mean_two_things_is_refused(words):
    with pytest.raises(ValueError, match="not|parts|two"):
        parse_money(words)


@pytest.mark.parametrize(
    ("words", "length"),
    [
        ("ten minutes", timedelta(minutes=10)),
        ("an hour", timedelta(hours=1)),
        ("an hour and a half", timedelta(minutes=90)),
        ("90 s", timedelta(seconds=90)),
        ("半小时", timedelta(minutes=30)),
        ("三分钟", timedelta(minutes=3)),
    ],
)
def test_durations(words, length):
    assert parse_duration(words) == length


def test_every_spoken_form_is_read_by_the_parser_of_its_type():
    """What the speech grammar lets people say, the slot must be able to read."""
    from hassil import parse_sentence
    from hassil.sample import sample_expression

    def said(templates):
        for template in templates:
            for n, text in enumerate(sample_expression(parse_sentence(template).expression)):
                if n % 97 == 0:
                    yield " ".join(text.split())

    for words in said(spoken_number(0, 999)):
        parse_number(words)
    for words in said(spoken_duration()):
        parse_duration(words)
    for words in said(spoken_money()[:1] + spoken_money()[2:]):
        assert parse_money(words) > 0
