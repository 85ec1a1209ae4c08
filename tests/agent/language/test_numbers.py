from datetime import timedelta
from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unicode_rbnf import RbnfEngine

from agent.language.currencies import NAMES, SIGNS, SMALL
from agent.language.numbers import (
    MOST_DIGITS,
    beside,
    parse_days,
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
        ("twelve hundred", "1200"),
        ("twenty five hundred and ten", "2510"),
        ("3 hundred", "300"),
        ("1.5 million", "1500000"),
        ("two and a half", "2.5"),
        ("three and three quarters", "3.75"),
        ("3百", "300"),
        ("3百5", "350"),
        ("3万5千", "35000"),
        ("3万2", "32000"),
        ("1.5万", "15000"),
        ("1500万", "15000000"),
        ("3万5000", "35000"),
        ("2.5千", "2500"),
        ("一亿三千万", "130000000"),
        ("壹佰", "100"),
        ("叁仟伍佰元"[:-1], "3500"),
        ("壹萬貳", "12000"),
        ("２０", "20"),
        ("１，２００．５０", "1200.50"),
        ("9" * MOST_DIGITS, "9" * MOST_DIGITS),
    ],
)
def test_numbers_as_people_say_them(words, number):
    assert parse_number(words) == Decimal(number)


@pytest.mark.parametrize(
    "words",
    ["", " ", "-5", "twenty thirty", "five twenty", "zero zero", "abc", "1e3", "1.2.3", "12,34",
     "五五", "一百零", "十百", "百", "零零", "hundred", "and five", "nan", "inf", "½", "a", "half",
     "minus twenty", "negative 20", "负二十", "零下五", "\u221220", "20 hundred", "ten hundred",
     "zero thousand", "1.5 million 3", "a hundred and a", "10万500", "20百", "1.5万3", "万", "亿",
     "5²", "٢٠", "2٠", "9" * (MOST_DIGITS + 1), "9" * 5000, "1." + "0" * 99, "半", "几百",
     "二三十", "twenty or thirty", "1,00", "1_000", "0x10", "two and a half and a half"],
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
        ("fifty cents", "0.50", None),
        ("a penny", "0.01", None),
        ("a hundred and fifty cents", "1.50", None),
        ("50¢", "0.50", None),
        ("a dollar", "1", "USD"),
        ("a buck", "1", "USD"),
        ("a hundred bucks", "100", "USD"),
        ("two and a half dollars", "2.50", "USD"),
        ("a dollar and a half", "1.50", "USD"),
        ("half a dollar", "0.50", "USD"),
        ("a half dollar", "0.50", "USD"),
        ("a quarter of a dollar", "0.25", "USD"),
        ("a dollar fifty", "1.50", "USD"),
        ("twenty dollars ninety nine", "20.99", "USD"),
        ("five dollars five cents", "5.05", "USD"),
        ("three pounds fifty pence", "3.50", "GBP"),
        ("50p", "0.50", "GBP"),
        ("five euro cents", "0.05", "EUR"),
        ("五毛", "0.5", "CNY"),
        ("五毛钱", "0.5", "CNY"),
        ("五角五分", "0.55", "CNY"),
        ("五毛五", "0.55", "CNY"),
        ("五分钱", "0.05", "CNY"),
        ("一块", "1", "CNY"),
        ("两块五", "2.5", "CNY"),
        ("两块半", "2.5", "CNY"),
        ("半块钱", "0.5", "CNY"),
        ("3块5", "3.5", "CNY"),
        ("三块零五", "3.05", "CNY"),
        ("三块五毛二", "3.52", "CNY"),
        ("五元三角二分", "5.32", "CNY"),
        ("二十元整", "20", "CNY"),
        ("20块人民币", "20", "CNY"),
        ("人民币二十元", "20", "CNY"),
        ("五十美分", "0.50", "USD"),
        ("3美元50美分", "3.50", "USD"),
        ("3百美元", "300", "USD"),
        ("1.5万美元", "15000", "USD"),
        ("壹佰圆", "100", "CNY"),
        ("２０美元", "20", "USD"),
        ("20 yen", "20", "JPY"),
        ("20円", "20", "JPY"),
        ("¥20", "20", "CNY"),
        ("¥20日元", "20", "JPY"),
        ("￥20元", "20", "CNY"),
        ("20 canadian dollars", "20", "CAD"),
        ("20 dollars canadian", "20", "CAD"),
        ("$20 cad", "20", "CAD"),
        ("hk$20", "20", "HKD"),
        ("20港币", "20", "HKD"),
        ("20 new taiwan dollars", "20", "TWD"),
        ("二十新台币", "20", "TWD"),
        ("us$20", "20", "USD"),
        ("usd 20", "20", "USD"),
        ("20€", "20", "EUR"),
        ("₹500", "500", "INR"),
        ("500 rupees", "500", "INR"),
        ("2万韩元", "20000", "KRW"),
        ("20 swiss francs", "20", "CHF"),
        ("20 quid", "20", "GBP"),
        ("二十卢布", "20", "RUB"),
        ("20 mexican pesos", "20", "MXN"),
        ("r$20", "20", "BRL"),
        ("二十泰铢", "20", "THB"),
    ],
)
def test_money_keeps_its_currency(words, amount, currency):
    money = parse_money(words)
    assert (money, money.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "words",
    ["", "dollars", "-20 dollars", "12.345", "$20 euros", "twenty dollars and two hundred cents",
     "four fifty", "lots of dollars", "20 dollars or 30 dollars", "4.50 dollars and 20 cents",
     "minus twenty dollars", "negative 20", "-20", "-$20", "$-20", "负二十美元", "负20", "\u2212$20",
     "1.000 dollars", "$1.000", "1.000,50 euros", "1,50", "20 zorkmids", "20比特币", "20津元",
     "20 bitcoin", "a", "half", "cents 20", "$", "块", "half a dollar fifty", "五分五",
     "five dollars and five", "five dollars 5", "2.5 cents", "twenty dollars and a third",
     "$20 yen", "€20 dollars", "20 dollars 5 euros", "a dollar a dollar", "三块五块", "一毛三块",
     "二三十块", "二十多块", "几块", "两三块", "9" * 27, "9" * 5000, "99999999999999999 dollars",
     "five cents five dollars", "$20 $30", "a couple of dollars", "20 30 dollars", "20-30 dollars"],
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
        ("an hour and twenty minutes", timedelta(minutes=80)),
        ("an hour twenty minutes", timedelta(minutes=80)),
        ("1 hour, 20 minutes and 10 seconds", timedelta(seconds=4810)),
        ("two days and three hours", timedelta(days=2, hours=3)),
        ("two and a half hours", timedelta(minutes=150)),
        ("two hours and a half", timedelta(minutes=150)),
        ("a minute and a half", timedelta(seconds=90)),
        ("one minute thirty", timedelta(seconds=90)),
        ("half a minute", timedelta(seconds=30)),
        ("a quarter of an hour", timedelta(minutes=15)),
        ("quarter of an hour", timedelta(minutes=15)),
        ("three quarters of an hour", timedelta(minutes=45)),
        ("1.5 hours", timedelta(minutes=90)),
        ("1h30m", timedelta(minutes=90)),
        ("two weeks", timedelta(weeks=2)),
        ("a week and a half", timedelta(days=10.5)),
        ("a fortnight", timedelta(weeks=2)),
        ("一个半小时", timedelta(minutes=90)),
        ("两个半钟头", timedelta(minutes=150)),
        ("一小时二十分钟", timedelta(minutes=80)),
        ("一个小时零五分钟", timedelta(minutes=65)),
        ("两小时三十分", timedelta(minutes=150)),
        ("一分半钟", timedelta(seconds=90)),
        ("三天半", timedelta(days=3.5)),
        ("一刻钟", timedelta(minutes=15)),
        ("三刻钟", timedelta(minutes=45)),
        ("两个星期", timedelta(weeks=2)),
        ("两周", timedelta(weeks=2)),
        ("３０分钟", timedelta(minutes=30)),
        ("0.5 s", timedelta(seconds=0.5)),
    ],
)
def test_durations(words, length):
    assert parse_duration(words) == length


@pytest.mark.parametrize(
    "words",
    ["", "ten", "minutes", "soon", "and ten minutes", "minus five minutes", "负五分钟",
     "an hour an hour", "twenty minutes and an hour", "an hour and ninety minutes",
     "half an hour and ten minutes", "two and a half hours and a half", "几分钟", "两三分钟",
     "三分之一小时", "twenty or thirty minutes", "9" * 15 + " weeks", "9" * 27 + " s", "week",
     "minute twenty", "an hour or so"],
)  # fmt: skip
def test_not_a_duration(words):
    with pytest.raises(ValueError, match="is not a length of time"):
        parse_duration(words)


def test_days_are_kept_apart_from_what_passes_on_a_clock():
    assert parse_days("a day") == (timedelta(days=1), timedelta())
    assert parse_days("24 hours") == (timedelta(), timedelta(hours=24))
    assert parse_days("两天三小时") == (timedelta(days=2), timedelta(hours=3))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*"0123456789.,-$€¥零一二两三十百千万亿点半块毛分个又负小时天刻钟周后整第 ", " a ", " an ", " and ",
             " half ", " quarter ", " hundred ", " thousand ", " million ", " point ", " twenty ",
             " five ", " dollars ", " cents ", " hours ", " minutes ", " yen ", "\ud800", "٣", "²"]
        ),
        max_size=12,
    ).map("".join)
    | st.text(max_size=30)
)  # fmt: skip
def test_any_text_is_a_value_or_a_value_error(text):
    for parse in (parse_number, parse_money, parse_duration):
        try:
            value = parse(text)
        except ValueError:
            continue
        assert type(value)(0) <= value if parse is not parse_duration else value >= timedelta()


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 10**11), st.sampled_from([None, "USD", "EUR", "JPY"]))
def test_an_amount_is_read_back_as_it_is_written(cents, currency):
    written = f"{cents // 100}.{cents % 100:02}"
    for text in (written, f"{int(written[:-3]):,}{written[-3:]}"):
        money = parse_money(f"{text} {currency or ''}")
        assert (money * 100, money.currency) == (cents, currency)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 99_999),
    st.integers(0, 99),
    st.integers(1, 9),
    st.sampled_from([1, 2, 3]),
)
def test_no_decimal_context_of_others_changes_a_number(whole, cents, traps, prec):
    text = f"{whole}.{cents:02}"
    with localcontext(Context(prec=prec, rounding="ROUND_UP", Emax=traps, Emin=-traps)):
        assert str(parse_money(f"${text}")) in (text, text.removesuffix(".00"))
        assert int(parse_number(f"{whole}")) == whole
        assert parse_duration(f"{whole} seconds") == timedelta(seconds=whole)
        assert parse_number("1.5万") == 15_000


def test_every_currency_is_read_by_each_of_its_names():
    for name, code in NAMES.items():
        money = parse_money(f"20 {name}" if name.isascii() else f"二十{name}")
        assert (money, money.currency) == (20, code)
    for sign, (code, *_) in SIGNS.items():
        assert parse_money(f"{sign}20").currency == code
        assert parse_money(f"20 {sign}").currency == code
    for name, (code, hundredths) in SMALL.items():
        money = parse_money(f"9 {name}")
        assert (money * 100, money.currency) == (9 * hundredths, code)


@pytest.mark.parametrize(
    ("words", "text", "before", "after"),
    [
        ("20", "pay -20 to anna", ["", "-", "pay -"], ["", " to", " to anna"]),
        ("二十", "付负二十元", ["", "负", "付负"], ["", "元"]),
        ("Twenty", "twenty", [""], [""]),
        ("one", "anyone, pay one", ["", "pay ", ", pay ", "anyone, pay "], [""]),
    ],
)
def test_what_stands_beside_a_number(words, text, before, after):
    assert beside(words, text) == (before, after)
    assert beside("thirty", text) is None
    assert beside("", text) is None


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
    for language in ("en", "zh"):
        for words in said(spoken_duration(language)):
            assert parse_duration(words) > timedelta()
        for words in said(spoken_money(language)):
            assert parse_money(words) > 0
