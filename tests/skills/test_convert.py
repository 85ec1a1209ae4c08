"""Units, currencies and arithmetic."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skills.convert as skill_convert
from agent.plugins.skills import Skills
from agent.testing.conversation import Conversation
from hardware.base import DeviceError
from skills.convert import rates, reckon, units

RATES = {"base": "EUR", "date": "2026-07-14", "rates": {"USD": 1.05, "CNY": 7.65}}


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    folder = tmp_path_factory.mktemp("convert")
    (folder / "rates.json").write_text(json.dumps(RATES))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            rates, "STARTED", {"HOME": str(folder), "GLASSES_RATES": str(folder / "rates.json")}
        )
        patch.setattr(rates.current, "__defaults__", (rates.STARTED,))
        skills = Skills()
        skills.load(skill_convert)
        made = Conversation(skills, folder)
        yield made
        made.close()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("what is fifteen percent of eighty", "= 12"),
        ("what is 7 times 6", "= 42"),
        ("what is 0.1 plus 0.2", "= 0.3"),
        ("what is 2 plus 3 times 4", "= 14"),
        ("what is 2 to the power of 10", "= 1,024"),
        ("what is 7 divided by zero", "That has no answer."),
        ("what is the square root of 2", "= 1.4142136"),
        ("convert ten miles to kilometers", "16.093 km"),
        ("how many feet in a mile", "5,280 ft"),
        ("how many kilometers are in ten miles", "16.093 km"),
        ("what is 72 degrees fahrenheit in celsius", "22.222 °C"),
        ("convert ten miles to kilograms", "mi are not kg."),
        ("convert 100 dollars to yuan", "728.57 CNY"),
        ("what is 20 euros in dollars", "21.00 USD"),
        ("convert 20 euros to baht", "I have no rate from EUR to THB."),
        ("convert sunshine to kilometers", "I can't convert “sunshine”."),
        ("八十的百分之十五是多少", "= 12"),
        ("三斤等于多少公斤", "1.5 公斤"),
        ("一百美元换成人民币", "728.57 CNY"),
        ("8*9", "= 72"),
        ("what's 3+4*5", "= 23"),
        ("a quarter of 60", "= 15"),
        ("15% tip on 40", "= 6"),
        ("convert 3 km to miles", "1.8641 mi"),
        ("6 ft 1 to cm", "185.42 cm"),
        ("30 celcius to fahrenheit", "86 °F"),
        ("五英尺六英寸是多少厘米", "167.64 厘米"),
        ("华氏212度是多少摄氏度", "100 摄氏度"),
        ("30乘以3再减20", "= 70"),
        ("九十的三分之一", "= 30"),
    ],
)
def test_it_is_answered(ask, text, first):
    assert ask(text).reply.text.splitlines()[0] == first


def test_rates_say_of_which_day_they_are(ask):
    assert "Rates of 2026-07-14" in ask("convert 100 dollars to yuan").reply.text


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"base": "EUR", "date": "soon", "rates": {}}',
     b'{"base": "EUR", "date": "2026-07-14", "rates": {"USD": -1}}',
     b'{"base": "EUR", "date": "2026-07-14", "rates": {"USD": "NaN"}}'],
)  # fmt: skip
def test_rates_that_are_none_are_one_line(content):
    with pytest.raises(DeviceError, match="cannot be read: check GLASSES_RATES"):
        rates.read(content)


@given(
    st.floats(1e-6, 1e9),
    st.sampled_from(["meter", "mile", "foot"]),
    st.sampled_from(["kilometer", "inch"]),
)
@settings(deadline=None, max_examples=30)
def test_converting_there_and_back_is_the_same(amount, one, other):
    there = units.converted(Decimal(str(amount)), one, other)
    back = units.converted(there, other, one)
    assert float(back) == pytest.approx(amount, rel=1e-9)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False),
       st.sampled_from(["+", "-", "*", "/", "**"]))  # fmt: skip
@settings(deadline=None)
def test_any_sum_has_an_answer_or_none(a, b, sign):
    result = reckon.value([a, b], [sign])
    assert result is None or reckon.short(result)
