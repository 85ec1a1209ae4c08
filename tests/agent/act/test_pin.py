"""The PIN: what is taken for digits, and what keeps it from being tried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.act.pin import LONGEST_LOCK_S, TRIES, Pin, Taps, digits, sayings, simple
from agent.errors import ConfigError
from agent.language.numbers import ONES


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("1234", "1234"), ("1 2 3 4", "1234"), ("one two three four", "1234"), ("oh one for too", "0142"),
        ("一二三四", "1234"), ("幺两零九", "1209"), ("１２３４", "1234"), ("my pin is 4 7 1 1", "4711"),
        ("密码是四七一一", "4711"), ("1-2-3-4.", "1234"), ("٤٧١١", ""), ("yes", ""), ("pay 1234", ""),
        ("1234 to anna", ""), ("twelve", ""), ("", ""), ("取消", ""),
    ],
)  # fmt: skip
def test_what_is_taken_for_digits(said, meant):
    assert digits(said) == meant


@given(st.text("0123456789", min_size=4, max_size=8))
def test_digits_said_one_by_one_are_what_they_are(pin):
    assert digits(" ".join(ONES[int(digit)] for digit in pin)) == pin
    assert digits("".join("零一二三四五六七八九"[int(digit)] for digit in pin)) == pin


@pytest.mark.parametrize("pin", ["1234", "0000", "9876", "12345678", "7890"])
def test_the_first_that_anybody_would_try_is_refused(tmp_path, pin):
    assert simple(pin)
    with pytest.raises(ConfigError, match="choose another"):
        Pin(tmp_path, lambda: 0.0).choose(pin)


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", "", "١٢٣٥"])
def test_what_is_no_pin_is_refused(tmp_path, pin):
    with pytest.raises(ConfigError, match="4 to 8 digits"):
        Pin(tmp_path, lambda: 0.0).choose(pin)


def test_only_a_hash_is_kept_for_nobody_else_to_read(tmp_path):
    Pin(tmp_path, lambda: 0.0).choose("271828")
    (path,) = tmp_path.iterdir()
    assert "271828" not in path.read_text()
    assert "$argon2id$" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_five_wrong_ones_lock_it_twice_as_long_each_time(tmp_path):
    now = [0.0]
    pin = Pin(tmp_path, lambda: now[0])
    pin.choose("271828")
    assert pin.check("271828") is None
    for wait_s in (60, 120):
        assert [pin.check("1111") for _ in range(TRIES)] == [4, 3, 2, 1, 0]
        assert pin.locked_s() == wait_s
        assert pin.check("271828") == 0, "the right one too"
        now[0] += wait_s
    again = Pin(tmp_path, lambda: now[0])  # as after a loss of power
    assert again.check("271828") is None
    assert again.check("1111") == 4, "a right one forgets the wrong ones"


def test_a_clock_that_lost_its_power_locks_for_no_longer_than_a_day(tmp_path):
    now = [2e9]
    pin = Pin(tmp_path, lambda: now[0])
    pin.choose("271828")
    for _ in range(TRIES):
        pin.check("1111")
    now[0] = 0.0
    assert pin.locked_s() == LONGEST_LOCK_S


def test_a_broken_file_lets_nobody_in(tmp_path):
    pin = Pin(tmp_path, lambda: 0.0)
    pin.choose("271828")
    (tmp_path / "pin.json").write_text("{}")
    assert pin.set
    with pytest.raises(ConfigError, match="glasses pin"):
        pin.check("271828")


def test_taps_are_digits():
    taps = Taps()
    for start, count in ((0.0, 4), (3.0, 7), (8.0, 10), (13.0, 1)):
        for n in range(count):
            dots = taps.tap(start + n * 0.3)
    assert dots == "••••"
    assert taps.take() == "4701"
    assert taps.take() == ""
    for n in range(11):
        taps.tap(n * 0.1)
    assert taps.take() == "", "eleven taps are no digit"


def test_what_is_listened_for_has_as_many_digits_as_a_pin():
    assert len(sayings("en")) == len(sayings("zh")) == 5
