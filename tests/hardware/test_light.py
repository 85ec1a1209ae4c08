"""Light sensors: the double, and the real ones on a /sys made of files."""

import pytest

from hardware.base import DeviceError, LightSensor
from hardware.light import IioLight, VirtualLight, find_light


def sensor(root, number=0, **says):
    folder = root / f"iio:device{number}"
    folder.mkdir(parents=True)
    for key, value in says.items():
        (folder / key).write_text(f"{value}\n")
    return folder


def test_both_are_light_sensors(tmp_path):
    assert isinstance(VirtualLight(), LightSensor)
    assert isinstance(IioLight(sensor(tmp_path, in_illuminance_input=1)), LightSensor)


def test_the_double_is_as_bright_as_it_is_told():
    light = VirtualLight()
    assert light.lux == 300.0
    light.lux = 40_000.0
    assert light.lux == 40_000.0


def test_a_driver_that_gives_lux(tmp_path):
    light = IioLight(sensor(tmp_path, name="tsl2583", in_illuminance_input="212.5"))
    assert (light.name, light.lux) == ("tsl2583", 212.5)


def test_a_driver_that_gives_counts(tmp_path):
    says = {"in_illuminance_raw": 800, "in_illuminance_scale": 0.25, "in_illuminance_offset": 8}
    assert IioLight(sensor(tmp_path, **says)).lux == 202.0
    assert IioLight(sensor(tmp_path, 1, in_illuminance0_raw=70)).lux == 70.0


def test_the_first_that_measures_light_is_found(tmp_path):
    assert find_light(tmp_path / "none") is None
    sensor(tmp_path, 0, name="bmi270", in_accel_x_raw=4)
    assert find_light(tmp_path) is None
    sensor(tmp_path, 1, name="als", in_illuminance_raw=9)
    assert find_light(tmp_path).name == "als"


def test_what_measures_no_light_is_refused(tmp_path):
    with pytest.raises(DeviceError, match="iio:device0: no light sensor"):
        IioLight(sensor(tmp_path, in_accel_x_raw=4))


@pytest.mark.parametrize("says", ["", "bright", "nan", "inf"])
def test_a_sensor_that_talks_nonsense_cannot_be_read(tmp_path, says):
    light = IioLight(sensor(tmp_path, name="als", in_illuminance_input=says))
    with pytest.raises(DeviceError, match="als: the light sensor cannot be read"):
        _ = light.lux


def test_a_sensor_that_goes_cannot_be_read(tmp_path):
    folder = sensor(tmp_path, in_illuminance_raw=9)
    light = IioLight(folder)
    (folder / "in_illuminance_raw").unlink()
    with pytest.raises(DeviceError, match="cannot be read"):
        _ = light.lux


def test_it_is_never_darker_than_dark(tmp_path):
    says = {"in_illuminance_raw": 2, "in_illuminance_offset": -5}
    assert IioLight(sensor(tmp_path, **says)).lux == 0.0
