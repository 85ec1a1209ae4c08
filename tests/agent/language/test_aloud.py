"""What is written, as it is said."""

import pytest

from agent.language import spelled
from agent.language.aloud import LONGEST, MOST_CHARACTERS, clauses, sentences, whole


def said(text, language):
    return " / ".join(
        " | ".join(f"{run.language}: {run.text}" for run in sentence)
        for sentence in sentences(text, language)
    )


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("¥20", "zh", "zh: 二十元"),
        ("¥20", "en", "en: twenty yuan"),
        ("$20.50, $1.00, £0.01", "en", "en: twenty dollars fifty cents, one dollar, one penny"),
        ("HKD 8.00", "en", "en: eight Hong Kong dollars"),
        ("12.5元，2个，22个", "zh", "zh: 十二点五元，两个，二十二个"),
        ("18:30", "en", "en: six thirty in the evening"),
        ("18:30", "zh", "zh: 晚上六点半"),
        ("6:05 at 12:00", "en", "en: six oh five at twelve o'clock"),
        ("9:05", "zh", "zh: 九点零五分"),
        ("21°", "en", "en: twenty-one degrees"),
        ("今天21°", "zh", "zh: 今天二十一度"),
        ("-5°C, 12 km/h", "en", "en: minus five degrees Celsius, twelve kilometres per hour"),
        ("-3°", "zh", "zh: 零下三度"),
        ("80%", "zh", "zh: 百分之八十"),
        ("3–5 km", "en", "en: three to five kilometres"),
        ("2026-11-30", "en", "en: November thirtieth, twenty twenty-six"),
        ("30 November 2026", "en", "en: November thirtieth, twenty twenty-six"),
        ("2026年11月30日", "zh", "zh: 二零二六年十一月三十日"),
        ("call 13800138000", "en", "en: call one three eight zero zero one three eight zero zero zero"),
        ("去Blue Lagoon喝咖啡", "zh", "zh: 去 | en: Blue Lagoon | zh: 喝咖啡"),
        ("你好 means hello", "en", "zh: 你好 | en: means hello"),
        ("3 × 4 = 12", "en", "en: three times four equals twelve"),
        ("Привет", "en", "ru: Привет"),
    ],
)  # fmt: skip
def test_numbers_units_and_languages_are_said_as_people_say_them(text, language, words):
    assert said(text, language) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# Title\n- one **bold**\n- two [link](http://a.b/c)", "en: Title / en: one bold / en: two link"),
        ("see https://example.org/x?y=1 now", "en: see now"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "en: a, b / en: one, two"),
        ("\x1b[31mred\x1b[0m\x00\u202e ends", "en: red ends"),
        ("Dr. Smith paid 3.5. Then left", "en: Dr. Smith paid three point five. / en: Then left"),
    ],
)  # fmt: skip
def test_markup_and_control_characters_are_not_said(text, words):
    assert said(text, "en") == words


@pytest.mark.parametrize("text", ["", "★☆ ---\n***", "\x00\x07\u200b", "。。。！？", "🎉🎉"])
def test_of_mere_symbols_nothing_is_said(text):
    assert sentences(text, "en") == sentences(text, "zh") == []


@pytest.mark.parametrize("text", ["word " * 20_000, "好" * 100_000, "(" * 100_000, "1:" * 50_000])
def test_a_huge_text_is_said_in_part_and_in_pieces(text):
    found = sentences(text, "en")
    assert sum(len(run.text) for one in found for run in one) <= 8 * MOST_CHARACTERS
    if text[0].isalpha():
        assert found
        assert max(len(run.text) for one in found for run in one) <= LONGEST


def test_a_growing_text_is_said_up_to_its_last_whole_sentence():
    assert whole("It is 3.5 km. And th") == len("It is 3.5 km.")
    assert whole("It is 3") == 0
    assert whole("It is 3.") == 0  # perhaps 3.5
    assert whole("好的。然后") == len("好的。")


@pytest.mark.parametrize(
    ("number", "english", "chinese"),
    [
        (0, "zero", "零"),
        (10, "ten", "十"),
        (110, "one hundred ten", "一百一十"),
        (1005, "one thousand five", "一千零五"),
        (10_001, "ten thousand one", "一万零一"),
        (100_200, "one hundred thousand two hundred", "十万零二百"),
        (200_000_000, "two hundred million", "二亿"),
        (-7, "minus seven", "负七"),
    ],
)
def test_whole_numbers_in_words(number, english, chinese):
    assert (spelled.cardinal(number, "en"), spelled.cardinal(number, "zh")) == (english, chinese)


def test_every_number_below_ten_thousand_is_read_back():
    from agent.language.numbers import parse_number

    for number in range(0, 10_000, 7):
        for language in ("en", "zh"):
            assert parse_number(spelled.cardinal(number, language)) == number


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("It is six thirty, and the bus is late.", ["It is six thirty,", "and the bus is late."]),
        ("It is late.", ["It is late."]),
        ("Yes, it is.", ["Yes, it is."]),
        ("现在是六点半整，公交车晚点了。", ["现在是六点半整，", "公交车晚点了。"]),
    ],
)
def test_a_first_clause_can_be_said_on_its_own(text, parts):
    (sentence,) = sentences(text, "en")
    said = [" ".join(run.text for run in one) for one in clauses(sentence)]
    assert said == parts
