"""The ladder, and the brightness of the lens, told what the batteries and the light are at."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.body.light import Brightness, BrightnessOptions, brightness
from agent.body.power import STEPS, Ladder, Notice, PowerOptions
from hardware.base import Power
from hardware.battery import VirtualBattery


def told(ladder, power, seconds=0.0, from_s=None):
    """Tell the same for some seconds, twice a second; return the lines that were said."""
    begin = ladder.now_s if from_s is None else from_s
    lines = []
    for half in range(int(seconds * 2) + 1):
        lines += ladder.read(power, (begin + half / 2) * 1000)
    ladder.now_s = begin + seconds + 0.5
    return [notice.line("en") for notice in lines]


class Told(Ladder):
    """A ladder that remembers how late it is."""

    now_s = 0.0


@pytest.fixture
def ladder():
    ladder = Told()
    assert told(ladder, Power((1.0, 1.0), 30.0)) == []
    return ladder


def both(charge, celsius=30.0, charging=False):
    return Power((charge, charge), celsius, charging)


@pytest.mark.parametrize(
    ("charge", "name", "line"),
    [
        (0.16, "normal", None),
        (0.15, "dimmer", "Battery 15 %: dimmer now."),
        (0.12, "slower", "Battery 12 %: fewer updates now."),
        (0.08, "smaller", "Battery 8 %: simpler speech and answers now."),
        (0.05, "text", "Battery 5 %: text only. Microphone and camera are off."),
        (0.0, "text", "Battery 0 %: text only. Microphone and camera are off."),
    ],
)
def test_steps_by_charge(ladder, charge, name, line):
    assert told(ladder, both(charge), 3) == ([line] if line else [])
    assert ladder.step.name == name


@pytest.mark.parametrize(
    ("celsius", "name", "line"),
    [
        (38.9, "normal", None),
        (39.0, "dimmer", "Glasses at 39 °C: dimmer now."),
        (40.5, "slower", "Glasses at 40 °C: fewer updates now."),
        (41.5, "smaller", "Glasses at 42 °C: simpler speech and answers now."),
        (43.0, "text", "Glasses at 43 °C: text only. Microphone and camera are off."),
    ],
)
def test_steps_by_temperature(ladder, celsius, name, line):
    assert told(ladder, both(1.0, celsius), 3) == ([line] if line else [])
    assert ladder.step.name == name


def test_each_step_gives_up_more_than_the_one_before():
    for above, below in pairwise(STEPS):
        assert below.light <= above.light
        assert below.update >= above.update
        assert below.large_engines <= above.large_engines
        assert below.listening <= above.listening
        assert below != above
    assert not STEPS[-1].listening
    assert STEPS[-1].light > 0


def test_the_first_reading_counts_at_once():
    ladder = Told()
    assert told(ladder, both(0.04)) == ["Battery 4 %: text only. Microphone and camera are off."]


def test_one_bad_reading_is_none(ladder):
    assert told(ladder, both(0.02)) == []
    assert told(ladder, both(0.60), 5) == []
    assert ladder.step.name == "normal"


def test_a_step_up_needs_a_margin_and_time(ladder):
    told(ladder, both(0.15), 3)
    assert told(ladder, both(0.19), 60) == []
    assert told(ladder, both(0.20), 9) == []
    assert told(ladder, both(0.20), 2) == ["Battery 20 %: back to normal."]


def test_steps_up_say_what_is_there_again(ladder):
    told(ladder, both(0.04), 3)
    said = [told(ladder, both(charge), 11) for charge in (0.10, 0.13, 0.17, 0.20)]
    assert said == [
        ["Battery 10 %: microphone and camera are on again."],
        ["Battery 13 %: full speech and answers again."],
        ["Battery 17 %: all updates again."],
        ["Battery 20 %: back to normal."],
    ]


def test_the_lower_of_the_two_counts(ladder):
    told(ladder, both(0.15, 43.5), 3)
    assert ladder.step.name == "text"
    assert told(ladder, both(0.15, 30.0), 11) == ["Glasses at 30 °C: all updates again."]
    assert ladder.step.name == "dimmer"


def test_a_charger_lifts_what_the_battery_asked_for_and_not_what_the_heat_did(ladder):
    told(ladder, both(0.04, 41.0), 3)
    assert told(ladder, both(0.04, 41.0, charging=True), 11) == [
        "Battery 4 %: full speech and answers again."
    ]
    assert ladder.step.name == "slower"


def test_a_loose_contact_of_the_charger_changes_nothing(ladder):
    told(ladder, both(0.04), 3)
    for _ in range(20):
        assert told(ladder, both(0.04, charging=True), 3) == []
        assert told(ladder, both(0.04), 1) == []


@given(st.lists(st.floats(-0.02, 0.02), min_size=60, max_size=60))
def test_a_charge_that_trembles_never_flaps(noise):
    ladder = Told()
    steps = []
    for second, error in enumerate(noise):
        told(ladder, both(0.15 + error), from_s=second)
        steps.append(ladder.step.name)
    assert sum(a != b for a, b in pairwise(steps)) <= 2


@given(st.lists(st.floats(-0.9, 0.9), min_size=60, max_size=60))
def test_a_temperature_that_trembles_never_flaps(noise):
    ladder = Told()
    steps = []
    for second, error in enumerate(noise):
        told(ladder, both(1.0, 39.5 + error), from_s=second)
        steps.append(STEPS.index(ladder.step))
    assert sorted(steps) == steps


@given(
    st.lists(
        st.tuples(
            st.lists(st.none() | st.floats(0, 1), max_size=3).map(tuple),
            st.none() | st.floats(20, 50),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_whatever_comes_a_step_is_said_when_it_changes(readings):
    ladder, before = Ladder(), "normal"
    for number, (cells, celsius, charging) in enumerate(readings):
        notices = ladder.read(Power(cells, celsius, charging), number * 3_000.0)
        steps = [notice for notice in notices if notice.kind == "step"]
        assert [notice.step for notice in steps] == (
            [ladder.step.name] if ladder.step.name != before else []
        )
        before = ladder.step.name
        for notice in notices:
            assert notice.line("en")
            assert notice.line("zh")
            assert "{" not in notice.line("en") + notice.line("zh")


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -math.inf])
def test_a_temperature_that_is_no_number_changes_nothing(ladder, nonsense):
    told(ladder, both(1.0, 43.5), 3)
    assert told(ladder, both(1.0, nonsense), 60) == []
    assert ladder.step.name == "text"


def test_a_charge_that_is_no_number_is_a_cell_that_is_out(ladder):
    assert told(ladder, Power((math.nan, 0.9), 30.0)) == ["Cell 1 is out."]


# -- cells ----------------------------------------------------------------------------------------


def test_a_hot_swap_is_told_and_no_reason_to_go_dark():
    battery, ladder = VirtualBattery((0.3, 0.5)), Told()
    told(ladder, battery.state())
    battery.remove(0)
    assert told(ladder, battery.state(), 30) == ["Cell 1 is out."]
    battery.insert(0, 0.97)
    assert told(ladder, battery.state(), 30) == [
        "Cell 1 is in: 97 %.",
        "Cell 2 is at 50 %: swap that one next.",
    ]
    assert ladder.step.name == "normal"


def test_the_last_cell_is_not_to_be_taken_out():
    battery, ladder = VirtualBattery((0.6, 0.18)), Told()
    told(ladder, battery.state())
    battery.remove(0)
    assert told(ladder, battery.state(), 10) == [
        "Only cell 2 is left, at 18 %: keep it in.",
        "Cell 1 is out.",
    ]
    battery.insert(0, 1.0)
    told(ladder, battery.state(), 1)
    battery.remove(0)
    assert "Only cell 2 is left, at 18 %: keep it in." in told(ladder, battery.state(), 1)


def test_a_last_cell_that_runs_low_is_told_once():
    ladder = Told()
    told(ladder, Power((None, 0.5)))
    lines = [line for n in range(34) for line in told(ladder, Power((None, 0.5 - n / 100)), 5)]
    assert lines == ["Only cell 2 is left, at 20 %: keep it in."]


def test_glasses_with_one_cell_are_not_nagged():
    ladder = Told()
    assert told(ladder, Power((0.18,)), 10) == []


def test_cells_that_differ_are_told_once():
    ladder = Told()
    assert told(ladder, Power((0.9, 0.5)), 60) == ["Cell 2 is at 50 %: swap that one next."]
    assert told(ladder, Power((0.9, 0.55)), 60) == []
    assert told(ladder, Power((0.9, 0.5)), 60) == []
    told(ladder, Power((0.9, 0.85)), 60)
    assert told(ladder, Power((0.9, 0.3)), 60) == ["Cell 2 is at 30 %: swap that one next."]


def test_no_cell_at_all_changes_nothing(ladder):
    assert told(ladder, Power((None, None), 30.0), 60) == ["Cell 1 is out.", "Cell 2 is out."]
    assert (ladder.step.name, ladder.percent) == ("normal", 100)


def test_chinese():
    assert Notice("step", "dimmer", percent=15).line("zh") == "电量 15%：已调暗。"
    hot = Notice("step", "text", cause="temperature", celsius=43.2)
    assert hot.line("zh") == "眼镜温度 43°C：仅显示文字，麦克风和相机已关闭。"
    assert Notice("last", percent=9, cell=1).line("zh") == "只剩电池 1，电量 9%：请勿取出。"


def test_what_is_about_to_be_lost_comes_first():
    urgent = [Notice("step", "text"), Notice("last")]
    calm = [Notice("step", "normal", up=True), Notice("out"), Notice("in"), Notice("differ")]
    assert all(notice.urgent for notice in urgent)
    assert not any(notice.urgent for notice in calm)


def test_other_limits():
    ladder = Ladder(PowerOptions(charge=(0.5, 0.4, 0.3, 0.2)))
    ladder.read(Power((0.35,)), 0)
    assert ladder.step.name == "slower"


# -- the light around -----------------------------------------------------------------------------


def test_brighter_around_is_brighter_on_the_lens():
    lights = [brightness(lux) for lux in (0, 1, 50, 300, 10_000, 100_000, 1e9)]
    assert lights == sorted(lights)
    assert (lights[0], lights[1], lights[-1]) == (0.15, 0.15, 1.0)
    assert lights[3] == pytest.approx(0.15 + 0.85 * math.log10(300) / 5)


@given(st.floats(0, 1e6))
def test_the_lens_is_never_dark_and_never_too_bright(lux):
    assert 0.15 <= brightness(lux) <= 1.0


def test_the_first_reading_is_taken_as_it_is():
    assert Brightness().follow(300, 5_000) == brightness(300)


def test_into_the_sun_quickly_and_into_the_dark_slowly():
    light = Brightness()
    light.follow(100, 0)
    times = {}
    for way, lux in (("up", 50_000), ("down", 1)):
        begin = 0 if way == "up" else 60_000
        for ms in range(begin, begin + 20_000, 100):
            if abs(light.follow(lux, ms) - brightness(lux)) < 0.08:
                times[way] = ms - begin
                break
        light.follow(lux, begin + 59_000)
    assert times["up"] <= 1_200
    assert 3_000 <= times["down"] <= 8_000


def test_flicker_changes_nothing():
    light = Brightness()
    values = {light.follow(300 * (1 + 0.3 * (n % 2)), n * 50) for n in range(200)}
    assert len(values) == 1


def test_no_number_changes_nothing():
    light = Brightness()
    before = light.follow(300, 0)
    assert light.follow(math.nan, 1_000) == before
    assert light.follow(math.inf, 2_000) == before
    assert light.follow(-5, 60_000) == pytest.approx(BrightnessOptions().dimmest)
