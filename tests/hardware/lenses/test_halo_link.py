"""The maker's own Bluetooth library to the maker's own emulator, over a simulated link."""

import asyncio
from functools import partial

import bleak
import brilliant_ble.brilliant_ble as maker
import pytest

from hardware import profiles, raster
from hardware.base import DeviceError, Frame, Line
from hardware.lenses.halo.glasses import Glasses
from hardware.wireless.display import WirelessDisplay
from tests.hardware.lenses.air import Air
from tests.hardware.lenses.halo import Halo
from tests.pace import PATIENCE_S, soon

pytestmark = pytest.mark.slow
LENS = profiles.load("halo")
HELLO = Frame(LENS, (Line("第四站台"), Line("18:30", 0.5)))
FULL = Frame(LENS, tuple(Line("x" * 20) for _ in range(LENS.lines)))


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """The emulator draws in the time that a busy machine leaves it."""
    monkeypatch.setattr("hardware.lenses.halo.glasses.DONE_S", PATIENCE_S)
    monkeypatch.setattr("hardware.wireless.display.SHOW_S", PATIENCE_S)


@pytest.fixture
async def halo(monkeypatch):
    air = Air()

    class Scanner:
        @staticmethod
        async def find_device_by_filter(fits, timeout, service_uuids):
            return await bleak.BleakScanner.find_device_by_filter(
                fits, min(timeout, 3.0), service_uuids=service_uuids, backend=air.radio.scanner
            )

    monkeypatch.setattr(maker, "BleakScanner", Scanner)
    monkeypatch.setattr(maker, "BleakClient", partial(bleak.BleakClient, backend=air.radio.client))
    halo = Halo(air)
    await halo.come()
    yield halo
    halo.lua.stop()


def worn(told):
    loop = asyncio.get_running_loop()
    display = WirelessDisplay("Halo 08", LENS, [Glasses("Halo 08", "Halo 08")], loop, told.append)
    display.start()
    return display


def pixels(frame):
    return raster.render(frame).convert("RGB").tobytes()


async def test_frames_go_all_the_way(halo):
    told = []
    display = worn(told)
    for frame in (HELLO, FULL, HELLO):
        display.show(frame)
        await soon(lambda frame=frame: halo.pixels == pixels(frame))
    display.clear()
    await soon(lambda: not any(halo.pixels))
    await display.close()
    assert told == []
    assert not halo.connected


async def test_half_a_picture_is_made_whole_by_the_next_link(halo):
    told, seen = [], []
    display = worn(told)
    display.show(HELLO)
    await soon(lambda: halo.pixels == pixels(HELLO))
    halo.cut_before = lambda data: data[:2] == b"\x01\x20" and (seen.append(data) or len(seen) > 20)
    display.show(FULL)
    await soon(lambda: told)
    assert len(seen) > 20, "it broke half-way"
    await soon(lambda: halo.pixels == pixels(FULL))
    await display.close()
    assert [line.partition(":")[0] for line in told] == ["Halo 08", "Halo 08 is back"]


async def test_a_halo_by_another_name_is_left_alone(halo):
    other = Glasses("Halo 09", "Halo 09")
    with pytest.raises(DeviceError, match="No matching device found"):
        await other.open()
    assert halo.got == []
