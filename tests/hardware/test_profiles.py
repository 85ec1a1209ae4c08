"""The bone microphone in the profiles: every value read, checked, and said when it is wrong."""

from dataclasses import asdict

import pytest

from hardware import profiles
from hardware.base import DeviceError

GOOD = asdict(profiles.load_bone("quark-s1"))


def test_the_glasses_have_one_and_a_terminal_has_none():
    assert profiles.load_bone("quark-s1").band_hz == 2400
    assert profiles.load_bone("terminal") is None
    assert profiles.load("quark-s1").columns == 32
    for name in profiles.names():
        profiles.load(name)
        profiles.load_bone(name)


def test_an_unknown_profile():
    with pytest.raises(DeviceError, match="no display profile 'nowhere'"):
        profiles.load_bone("nowhere")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vad_mode": 4}, "vad_mode must be a whole number from 0 to 3, is 4"),
        ({"vad_mode": True}, "vad_mode must be a whole number from 0 to 3, is True"),
        ({"band_hz": 2400.5}, "band_hz must be a whole number from 500 to 8000, is 2400.5"),
        ({"gain_db": "loud"}, "gain_db must be a number from -40 to 40, is 'loud'"),
        ({"boost_db": 400}, "boost_db must be a number from 0 to 40, is 400"),
        ({"gian_db": 1}, "unknown key gian_db"),
    ],
)
def test_a_wrong_value_is_named(change, said):
    with pytest.raises(DeviceError) as caught:
        profiles.bone(GOOD | change, "mine.toml")
    assert str(caught.value) == f"mine.toml, [bone_microphone]: {said}"


def test_what_is_missing_is_named():
    values = {key: value for key, value in GOOD.items() if key not in ("gain_db", "band_hz")}
    with pytest.raises(DeviceError, match="missing key band_hz; missing key gain_db"):
        profiles.bone(values, "mine.toml")
    with pytest.raises(DeviceError, match="must be a table"):
        profiles.bone(7, "mine.toml")
