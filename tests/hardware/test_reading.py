"""What comes from outside is read within limits, and what cannot be is one kind of error."""

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware import reading
from hardware.reading import DEEPEST, Unreadable, decode, from_json, from_toml, read_text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("[" * 1_000_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "nested too deeply"),
        ("9" * 5_000, "too many digits"),
        ("[-" + "9" * 101 + "]", "too many digits"),
        ('{"a": 1e999}', "inf is no number"),
        ("[NaN]", "nan is no number"),
        ('{"a": "\\ud800"}', "lone surrogate"),
        ('{"\\udfff": 1}', "lone surrogate"),
    ],
    ids=range(11),
)
def test_json_that_cannot_be_read_says_why(text, why):
    with pytest.raises(Unreadable, match=why):
        from_json(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a = ", "Invalid value"),
        ("a = " + "[" * 30_000, "nested too deeply"),
        ("a = " + "{b = " * 10_000, "nested too deeply|Invalid"),
        ("a" + ".a" * 20_000 + " = 1", "nested too deeply"),
        ("[a" + ".a" * 20_000 + "]", "nested too deeply"),
        ("a" + ".a" * DEEPEST + " = 1", "nested too deeply"),
        ("a = " + "9" * 5_000, "too many digits"),
        ("a = inf", "inf is no number"),
        ("#" * 100_000, "longer than 65,536 characters"),
    ],
    ids=range(9),
)
def test_toml_that_cannot_be_read_says_why_before_it_costs_anything(text, why):
    began = time.process_time()
    with pytest.raises(Unreadable, match=why):
        from_toml(text)
    assert time.process_time() - began < 2


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**90), 10**90)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(values)
def test_what_is_json_is_read_as_it_is(value):
    assert from_json(json.dumps(value)) == value


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_no_text_raises_anything_else(text):
    for read in (from_json, from_toml):
        with suppress(Unreadable):
            read(text)


def test_a_byte_order_mark_is_not_content(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert from_toml(read_text(path)) == {"a": 1}


def test_what_is_too_long_or_no_text_is_refused(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 101)
    with pytest.raises(Unreadable, match="longer than 100 bytes"):
        read_text(path, 100)
    with pytest.raises(Unreadable, match="longer than"):
        read_text(type(path)("/dev/zero"))
    with pytest.raises(Unreadable, match="byte 2 is not UTF-8"):
        decode(b"a\xff")
    assert len(reading.shown("x" * 1000)) == 60
