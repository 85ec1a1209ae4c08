"""Lenses are known by what they say over the air, and worn by the address that was paired."""

import asyncio
import sys
import threading

import pytest
from bumble.core import UUID, AdvertisingData

from agent.testing.clock import VirtualClock
from hardware import profiles
from hardware.base import DeviceError, Display, Frame, Line, Microphone
from hardware.lenses import kinds
from hardware.lenses.activelook.glasses import commands
from hardware.lenses.even_g1.arm import Arm
from hardware.lenses.halo.glasses import Glasses as Halo
from hardware.lenses.kinds import Lens, Paired, lacking, recognised
from hardware.wireless import bluetooth
from hardware.wireless.bluetooth import Radio, Seen
from hardware.wireless.sound import LinkMicrophone
from tests.hardware.lenses import g1, look
from tests.hardware.lenses.air import Air, Peripheral
from tests.pace import PATIENCE_S, until

HALO = "7A230001-5475-A6A4-654C-8431F6AD49C4"
G1 = Paired("even-g1", "Even G1 45", (g1.LEFT, g1.RIGHT))


def seen(*names, **more):
    return [Seen(f"00:0{n}", name, **more) for n, name in enumerate(names)]


def test_every_kind_is_found_over_the_air():
    async def run():
        air = Air()
        told = [(AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(UUID(HALO)))]
        await g1.glasses(air)
        for other in (
            look.Glasses(air),
            Peripheral(air, "Halo 08", "F0:F1:F2:F3:F4:21", HALO, "2A39", ["2A37"], told),
            Peripheral(air, "Kettle", "F0:F1:F2:F3:F4:31", "180D", "2A39", ["2A37"]),
        ):
            await other.come()
        return await air.radio.scan(5.0)

    clock = VirtualClock()
    try:
        found = clock.run(run())
    finally:
        clock.close()
    assert len(found) == 5
    assert set(recognised(found)) == {
        G1,
        Paired("halo", "Halo 08", ("F0:F1:F2:F3:F4:21",)),
        Paired("activelook", "A.LooK 000128", (look.ADDRESS,)),
    }


@pytest.mark.parametrize(
    "name",
    [
        "",
        "G1",
        "G1_45",
        "G1_45_L",
        "G1_45_X_1",
        "Even G2_45_L_1",
        "xG1_45_L_1",
        "Halo 08",
        "A.LooK 1",
    ],
)
def test_a_name_alone_is_not_enough(name):
    other = seen(name, "G1_45_R_1")
    assert recognised(other) == ()


def test_the_strongest_arms_of_a_number_are_a_pair():
    near = seen("G1_7_R_a", "G1_9_L_b", "G1_7_L_c", "G1_7_R_d")
    assert recognised(near) == (Paired("even-g1", "Even G1 7", ("00:02", "00:00")),)
    assert lacking(near) == (
        "Even G1 9: only its left arm is in reach; open it beside this machine",
    )


def test_a_name_from_the_air_is_one_short_line():
    assert bluetooth.printable("\x1b[31mHalo\n\x00 08" + "x" * 500) == "[31mHalo 08" + "x" * 29


@pytest.mark.parametrize(
    "paired",
    [Paired("even-g1", "G", ("1",)), Paired("g9", "G", ("1",)), Paired("activelook", "G", ())],
)
def test_a_kind_that_is_not_known_is_refused(paired):
    with pytest.raises(DeviceError, match="G is of no kind that is known, '.*': pair it again"):
        Lens(paired, print)


# -- worn -----------------------------------------------------------------------------------------


@pytest.fixture
def links():
    """Return a loop on a thread of its own, as the links have one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(PATIENCE_S), loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _glasses():
    air = Air()
    return air, await g1.glasses(air)


@pytest.mark.slow
def test_a_lens_is_shown_on_from_any_thread(links):
    run, loop = links
    air, arms = run(_glasses())
    told = []
    lens = Lens(G1, told.append, air.radio, loop)
    display = lens.display()
    assert isinstance(display, Display)
    assert isinstance(lens.microphone(), Microphone)
    assert display.profile.name == "even-g1"
    display.show(Frame(display.profile, (Line("hello"),)))
    until(lambda: [arm.text and arm.text[-1] for arm in arms] == ["hello", "hello"])
    lens.close()
    assert [arm.text for arm in arms] == [None, None], "it is dark at the end"
    assert told == []


@pytest.mark.slow
def test_touches_of_either_arm_are_felt(links):
    run, loop = links
    air, arms = run(_glasses())
    felt = []
    lens = Lens(G1, print, air.radio, loop)
    lens.display().on_touch = felt.append
    until(lambda: all(any(data[0] == 0x25 for data in [*arm.got]) for arm in arms))

    async def touch(arm, code):
        arm.say(g1.NOTIFIES, bytes((0xF5, code)))

    told = ((0, 99), (0, 1), (1, 1), (0, 0), (0, 23), (0, 24))
    for count, (arm, code) in enumerate(told):
        run(touch(arms[arm], code))
        until(lambda count=count: len(felt) == count)
    lens.close()
    assert felt == ["tap", "tap", "double_tap", "down", "up"]


@pytest.mark.slow
def test_a_lens_out_of_reach_is_shown_on_once_it_is_there(links, monkeypatch):
    monkeypatch.setattr(kinds, "REACH_S", 0.5)
    run, loop = links
    air, arms = run(_glasses())
    for arm in arms:
        run(arm.drop(stay=False))
    told = []
    lens = Lens(G1, told.append, air.radio, loop)
    display = lens.display()
    frame = Frame(display.profile, (Line("hello"),))
    display.show(frame)
    for arm in arms:
        run(arm.come())
    until(lambda: [arm.text and arm.text[-1] for arm in arms] == ["hello", "hello"])
    lens.close()
    assert [line.partition(":")[0] for line in told[:2]] == [
        "the left arm of Even G1 45",
        "the right arm of Even G1 45",
    ]


def test_a_machine_without_bluetooth_says_so_in_one_line(links):
    class Dead:
        def __init__(self, *given, **extra):
            raise FileNotFoundError(2, "No such file or directory")

    lens = Lens(G1, print, Radio(None, Dead), links[1])
    with pytest.raises(DeviceError) as refused:
        lens.display()
    assert str(refused.value) == (
        "cannot look for lenses: no Bluetooth here (No such file or directory): sudo apt install bluez"
    )


def test_a_lens_without_a_microphone_says_so(links):
    lens = Lens(Paired("activelook", "Engo", ("1",)), print, loop=links[1])
    assert not lens.hears
    with pytest.raises(DeviceError, match="Engo has no microphone that can be listened to"):
        lens.microphone()


@pytest.mark.parametrize(
    ("library", "use", "line"),
    [
        ("bleak", lambda: asyncio.run(Radio().scan(1)), "Bluetooth needs bleak: pip install bleak"),
        ("lc3", lambda: _first_chunk(), "the microphone of a lens needs lc3py: pip install lc3py"),
        ("heatshrink2", lambda: list(commands(GREY)), "pictures for ActiveLook need heatshrink2: pip install heatshrink2"),
        ("brilliant_msg", lambda: asyncio.run(Halo("x", "x").open()), "a Halo needs brilliant-msg: pip install brilliant-msg"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)  # fmt: skip
def test_a_library_that_is_missing_is_one_line(library, use, line, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(DeviceError) as missing:
        use()
    assert str(missing.value) == line


GREY = Frame(profiles.load("activelook"), (Line("中"),))


def _first_chunk():
    async def first():
        loop = asyncio.get_running_loop()
        arm = Arm(Radio(), g1.RIGHT, "the right arm")
        async for _ in LinkMicrophone(arm, loop, "Even G1 45").chunks():
            return

    asyncio.run(first())
