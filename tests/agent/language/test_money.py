from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ConfigError
from agent.language.money import MOST, currency, digits, from_minor, shown, to_minor


@given(st.integers(-MOST + 1, MOST - 1), st.sampled_from(["USD", "CNY", "JPY", "KWD"]))
def test_minor_units_come_back_exactly_whatever_context_is_set(minor, code):
    with localcontext(Context(prec=2)):
        assert to_minor(from_minor(minor, code), code) == minor


@pytest.mark.parametrize(
    ("amount", "code", "minor"),
    [("20.50", "USD", 2050), ("500", "JPY", 500), ("1.234", "KWD", 1234), ("2E+2", "CNY", 20000)],
)
def test_each_currency_has_its_own_parts(amount, code, minor):
    assert to_minor(Decimal(amount), code) == minor


@pytest.mark.parametrize(
    ("amount", "code"),
    [("0.005", "USD"), ("0.5", "JPY"), ("NaN", "USD"), ("-Infinity", "CNY"), ("1e13", "USD"),
     ("1e999999", "USD"), ("1", "usd"), ("1", "US"), ("1", "")],
)  # fmt: skip
def test_what_is_no_amount_of_a_currency_is_refused(amount, code):
    with pytest.raises(ValueError, match="amount|parts|currency"):
        to_minor(Decimal(amount), code)


def test_a_float_is_refused():
    with pytest.raises(TypeError, match="is a float"):
        to_minor(20.5, "USD")


@pytest.mark.parametrize(
    ("minor", "code", "text"),
    [(2050, "USD", "$20.50"), (120000, "CNY", "¥1,200.00"), (5, "CNY", "¥0.05"),
     (500, "JPY", "JP¥500"), (-2050, "USD", "-$20.50"), (800, "HKD", "HKD 8.00")],
)  # fmt: skip
def test_how_amounts_are_shown(minor, code, text):
    assert shown(minor, code) == text
    assert digits(code) in (0, 2)


@pytest.mark.parametrize(
    ("language", "environ", "code"),
    [
        ("zh", {}, "CNY"),
        ("en", {}, "USD"),
        ("zh", {"LANG": "en_US.UTF-8"}, "CNY"),
        ("zh", {"LANG": "zh_HK.UTF-8"}, "HKD"),
        ("en", {"LANG": "en_GB.UTF-8"}, "GBP"),
        ("en", {"LC_MONETARY": "de_DE.UTF-8", "LANG": "en_US"}, "EUR"),
        ("en", {"GLASSES_COUNTRY": "CN", "LANG": "en_US"}, "CNY"),
        ("en", {"GLASSES_CURRENCY": "sgd"}, "SGD"),
        ("zh", {"GLASSES_CURRENCY": "USD"}, "USD"),
        ("en", {"LANG": "C.UTF-8"}, "USD"),
    ],
)
def test_the_currency_is_the_wearers(tmp_path, language, environ, code):
    assert currency(language, {"HOME": str(tmp_path), **environ}) == code


def test_a_currency_that_is_none_is_told(tmp_path):
    with pytest.raises(ConfigError, match="three letters"):
        currency("en", {"HOME": str(tmp_path), "GLASSES_CURRENCY": "yuan"})
