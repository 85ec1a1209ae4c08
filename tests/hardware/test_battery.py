"""Batteries: the double, and the real ones on a /sys made of files."""

import pytest

from hardware.base import Battery, DeviceError, Power
from hardware.battery import SystemBattery, VirtualBattery, find_battery


def supply(root, name, **says):
    folder = root / "power_supply" / name
    folder.mkdir(parents=True, exist_ok=True)
    for key, value in {"type": "Battery", **says}.items():
        (folder / key).write_text(f"{value}\n")
    return folder


def zone(root, number, kind, temp):
    folder = root / "thermal" / f"thermal_zone{number}"
    folder.mkdir(parents=True)
    (folder / "type").write_text(f"{kind}\n")
    (folder / "temp").write_text(f"{temp}\n")


def test_both_are_batteries(tmp_path):
    supply(tmp_path, "BAT0", capacity=50)
    assert isinstance(VirtualBattery(), Battery)
    assert isinstance(SystemBattery(tmp_path), Battery)


def test_the_double_says_what_it_was_told():
    battery = VirtualBattery()
    assert battery.state() == Power((1.0, 1.0), 30.0, False)
    battery.charge(0, 0.4)
    battery.remove(1)
    battery.remove(1)
    battery.temperature_c, battery.charging = 41.5, True
    assert battery.state() == Power((0.4, None), 41.5, True)
    battery.insert(1, 0.9)
    assert battery.state().cells == (0.4, 0.9)


def test_the_double_refuses_what_cannot_be():
    battery = VirtualBattery((0.5, None))
    with pytest.raises(DeviceError, match="cell 1 is out"):
        battery.charge(1, 0.5)
    with pytest.raises(DeviceError, match=r"there is no cell 2: they are 0 … 1"):
        battery.remove(2)
    for level in (-0.1, 1.1, float("nan")):
        with pytest.raises(DeviceError, match="0 … 1"):
            battery.charge(0, level)
    assert battery.state().cells == (0.5, None)


def test_two_cells_and_a_warm_frame(tmp_path):
    supply(tmp_path, "left", capacity=80, status="Discharging", temp=331)
    supply(tmp_path, "right", capacity=75, status="Discharging", temp=329)
    zone(tmp_path, 0, "cpu-0-0", 71000)
    zone(tmp_path, 1, "skin-msm-therm", 38500)
    assert SystemBattery(tmp_path).state() == Power((0.8, 0.75), 38.5, False)


def test_without_a_thermometer_on_the_frame_the_warmest_cell_counts(tmp_path):
    supply(tmp_path, "left", capacity=80, temp=331)
    supply(tmp_path, "right", capacity=75, temp=345)
    zone(tmp_path, 0, "x86_pkg_temp", 90000)
    assert SystemBattery(tmp_path).state().temperature_c == 34.5


def test_a_processor_is_no_frame(tmp_path):
    supply(tmp_path, "BAT0", capacity=80)
    zone(tmp_path, 0, "x86_pkg_temp", 90000)
    assert SystemBattery(tmp_path).state().temperature_c is None


def test_a_cell_may_say_that_it_is_out_or_go(tmp_path):
    supply(tmp_path, "left", capacity=80, present=1)
    right = supply(tmp_path, "right", capacity=75, present=1)
    battery = SystemBattery(tmp_path)
    (right / "present").write_text("0\n")
    assert battery.state().cells == (0.8, None)
    for file in right.iterdir():
        file.unlink()
    right.rmdir()
    assert battery.state().cells == (0.8, None)
    supply(tmp_path, "right", capacity=100)
    assert battery.state().cells == (0.8, 1.0)


def test_a_cell_that_comes_later_is_found(tmp_path):
    supply(tmp_path, "left", capacity=80)
    battery = SystemBattery(tmp_path)
    supply(tmp_path, "right", capacity=60)
    assert battery.state().cells == (0.8, 0.6)


@pytest.mark.parametrize("kind", ["energy", "charge"])
def test_older_drivers_give_what_is_left_instead_of_percent(tmp_path, kind):
    supply(tmp_path, "BAT0", **{f"{kind}_now": 300, f"{kind}_full": 1200}, status="Charging")
    assert SystemBattery(tmp_path).state() == Power((0.25,), None, True)


def test_mice_and_mains_are_no_cells(tmp_path):
    supply(tmp_path, "AC", type="Mains", online=1)
    supply(tmp_path, "hid-mouse", scope="Device", capacity=3)
    assert find_battery(tmp_path) is None
    with pytest.raises(DeviceError, match="no battery in .*power_supply"):
        SystemBattery(tmp_path)
    supply(tmp_path, "BAT0", capacity=50)
    assert find_battery(tmp_path).state().cells == (0.5,)


def test_without_a_sys_there_is_no_battery(tmp_path):
    assert find_battery(tmp_path / "none") is None


@pytest.mark.parametrize("says", ["", "many", "9" * 400, "50 %", "\x00\xff"])
def test_nonsense_is_no_charge(tmp_path, says):
    supply(tmp_path, "left", capacity=80)
    supply(tmp_path, "right", capacity=says)
    assert SystemBattery(tmp_path).state().cells == (0.8, None)


def test_a_charge_beyond_the_ends_is_at_the_end(tmp_path):
    supply(tmp_path, "left", capacity=104)
    supply(tmp_path, "right", capacity=-3)
    assert SystemBattery(tmp_path).state().cells == (1.0, 0.0)


def test_batteries_that_are_all_gone_are_an_error(tmp_path):
    left = supply(tmp_path, "left", capacity=80)
    battery = SystemBattery(tmp_path)
    (left / "capacity").unlink()
    with pytest.raises(DeviceError, match="can be read any more"):
        battery.state()
