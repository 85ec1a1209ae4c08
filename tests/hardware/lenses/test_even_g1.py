"""An Even G1 at the other end of bumble's simulated link, in virtual time."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.testing.clock import VirtualClock
from hardware import profiles, raster
from hardware.base import DeviceError, Frame, Line
from hardware.lenses.even_g1 import codec
from hardware.lenses.even_g1.arm import Arm
from hardware.wireless import display as wireless
from hardware.wireless import written
from hardware.wireless.display import WirelessDisplay
from hardware.wireless.sound import Sound
from tests.hardware.lenses import g1
from tests.hardware.lenses.air import Air, Peripheral
from tests.hardware.lenses.waiting import until
from tests.hardware.lenses.worn import FRAMES, LENS, shows, worn

TEXT = Frame(LENS, (Line("Platform 4", 1.0), Line("leaves at 18:30", 0.6)))
PICTURE = Frame(LENS, (Line("→ 第四站台"), Line("18:30")))


@pytest.fixture
def clock():
    clock = VirtualClock()
    yield clock
    clock.close()


# -- frames ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_card_arrives_as_it_was(clock):
    async def run():
        glasses = await worn()
        for frame in FRAMES:
            glasses.display.show(frame)
            await until(lambda frame=frame: all(shows(arm, frame) for arm in glasses.arms))
        assert glasses.told == []

    clock.run(run())
    assert {written.rows(frame, codec.sets) is None for frame in FRAMES} == {True, False}, (
        "both ways are used"
    )


def test_the_picture_is_a_file_as_the_maker_has_it():
    """Byte for byte the header of EvenDemoApp's `image_1.bmp`, but for the sizes: one more row."""
    header = codec.bmp(raster.render(PICTURE))[:62]
    maker = bytes.fromhex(
        "424d38260000000000003e0000002800000040020000870000000100010000000000"
        "fa250000120b0000120b00000000000000000000ffffff0000000000"
    )
    sizes = {2, 3, 22, 34, 35}
    assert [
        n for n, (a, b) in enumerate(zip(header, maker, strict=True)) if a != b and n not in sizes
    ] == []


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(ValueError, match="576x136, not 640x480"):
        codec.bmp(raster.render(Frame(profiles.load("quark-s1"), ())))


def test_every_card_arrives_as_a_picture_too():
    for frame in FRAMES:
        file = codec.bmp(raster.render(frame))
        packets = codec.picture(file)
        assert all(packet[:2] == bytes((0x15, n)) for n, packet in enumerate(packets))
        assert packets[0][6:] + b"".join(packet[2:] for packet in packets[1:]) == file


@pytest.mark.slow
def test_one_in_a_hundred_is_lost_and_answers_are_late(clock):
    async def run():
        glasses = await worn(lose=0.01, late_s=0.32)
        for frame in FRAMES:
            glasses.display.show(frame)
            await until(lambda frame=frame: all(shows(arm, frame) for arm in glasses.arms), 120)
        sent = [sum(packet[0] == 0x20 for packet in arm.got) for arm in glasses.arms]
        return [arm.pictures for arm in glasses.arms], sent

    lit, sent = clock.run(run())
    assert sum(sent) > sum(lit), "some pictures had to be sent again"


@pytest.mark.parametrize(
    ("text", "is_set"),
    [
        ("Platform 4", True),
        ("第四站台，18:30", True),
        ("→ 200 m", False),
        ("14 °C", False),
        ("naïve", False),
        ("a\tb", False),
        ("m" * 36, True),
        ("m" * 37, False),
        ("i" * 37, True),
        ("中" * 18, True),
    ],
)
def test_text_is_what_the_glasses_are_known_to_have(text, is_set):
    assert codec.sets(text) is is_set


def test_text_is_taken_by_the_left_arm_first(clock):
    async def run():
        glasses = await worn(late_s=0.3)
        order = []
        for arm in glasses.arms:
            arm.cut_before = lambda data, arm=arm: data[0] == 0x4E and order.append(arm.address)
        glasses.display.show(TEXT)
        await until(lambda: glasses.left.text)
        assert glasses.right.text is None
        await until(lambda: glasses.right.text)
        return order

    assert clock.run(run()) == [g1.LEFT, g1.RIGHT]


def test_only_the_newest_frame_is_sent_when_many_come(clock):
    async def run():
        glasses = await worn()
        glasses.display.show(PICTURE)
        for number in range(50):
            glasses.display.show(Frame(LENS, (Line(f"number {number}"),)))
        await until(lambda: all(arm.text and arm.text[-1] == "number 49" for arm in glasses.arms))
        return [sum(data[0] == 0x4E for data in arm.got) for arm in glasses.arms]

    assert clock.run(run()) == [1, 1]


def test_the_lens_is_dark_when_cleared_and_at_the_end(clock):
    async def run():
        glasses = await worn()
        glasses.display.show(PICTURE)
        await until(lambda: shows(glasses.right, PICTURE) and shows(glasses.left, PICTURE))
        glasses.display.clear()
        await until(lambda: [arm.picture for arm in glasses.arms] == [None, None])
        glasses.display.show(TEXT)
        await until(lambda: all(shows(arm, TEXT) for arm in glasses.arms))
        await glasses.display.close()
        return [arm.text for arm in glasses.arms], [arm.connected for arm in glasses.arms]

    assert clock.run(run()) == ([None, None], [False, False])


def test_links_are_kept_alive(clock):
    async def run():
        glasses = await worn()
        await asyncio.sleep(60)
        return [sum(data[0] == 0x25 for data in arm.got) for arm in glasses.arms]

    assert all(7 <= beats <= 9 for beats in clock.run(run()))


# -- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 1, 25, 50], ids=["first", "second", "half", "last"])
def test_half_a_picture_is_made_whole_by_the_next_link(clock, at):
    async def run():
        glasses = await worn()
        glasses.right.cut_before = lambda data: data[:2] == bytes((0x15, at))
        glasses.display.show(PICTURE)
        await until(lambda: shows(glasses.left, PICTURE))
        assert not shows(glasses.right, PICTURE)
        await until(lambda: shows(glasses.right, PICTURE))
        return glasses.told, glasses.left.pictures

    told, lit = clock.run(run())
    assert told == ["the right arm: the link was lost; it is tried again", "the right arm is back"]
    assert lit == 1, "the other arm was left alone"


def test_one_arm_shows_while_the_other_is_away(clock):
    async def run():
        glasses = await worn()
        await glasses.right.drop(stay=False)
        await asyncio.sleep(60)
        for frame in (TEXT, PICTURE):
            glasses.display.show(frame)
            await until(lambda frame=frame: shows(glasses.left, frame))
        await glasses.right.come()
        await until(lambda: shows(glasses.right, PICTURE))
        return glasses.told

    assert clock.run(run()) == [
        "the right arm: the link was lost; it is tried again",
        "the right arm is back",
    ]


def test_a_link_that_comes_and_goes_is_told_of_once_in_a_while(clock):
    async def run():
        glasses = await worn()
        for _ in range(20):
            await glasses.right.drop()
            await until(lambda: glasses.right.connected)
        glasses.display.show(TEXT)
        await until(lambda: all(shows(arm, TEXT) for arm in glasses.arms))
        return glasses.told, asyncio.get_running_loop().time()

    told, took_s = clock.run(run())
    assert 2 <= len(told) <= 2 * (1 + took_s / wireless.QUIET_S)
    assert told[:2] == [
        "the right arm: the link was lost; it is tried again",
        "the right arm is back",
    ]


def test_a_link_that_came_back_for_a_moment_only_is_told_of(clock):
    async def run():
        glasses = await worn()
        await glasses.right.drop()
        await until(lambda: len(glasses.told) == 2)
        await glasses.right.drop(stay=False)
        await until(lambda: len(glasses.told) == 3)
        return glasses.told[2]

    assert clock.run(run()).startswith("the right arm: it is out of reach")


def test_out_of_reach_for_a_moment_loses_nothing(clock):
    async def run():
        glasses = await worn()
        for arm in glasses.arms:
            await arm.drop(stay=False)
        await asyncio.sleep(wireless.GRACE_S / 2)
        glasses.display.show(TEXT)
        for arm in glasses.arms:
            await arm.come()
        await until(lambda: all(shows(arm, TEXT) for arm in glasses.arms))

    clock.run(run())


def test_out_of_reach_for_long_is_refused_and_never_lit_later(clock):
    async def run():
        glasses = await worn()
        glasses.display.show(TEXT)
        await until(lambda: all(shows(arm, TEXT) for arm in glasses.arms))
        for arm in glasses.arms:
            await arm.drop(stay=False)
        await asyncio.sleep(30)
        with pytest.raises(DeviceError) as refused:
            glasses.display.show(PICTURE)
        for arm in glasses.arms:
            await arm.come()
        await until(lambda: len(glasses.told) == 4)
        await until(lambda: [arm.text for arm in glasses.arms] == [None, None])
        await asyncio.sleep(5)
        assert [arm.picture for arm in glasses.arms] == [None, None], "it is stale by now"
        glasses.display.show(PICTURE)
        await until(lambda: all(shows(arm, PICTURE) for arm in glasses.arms))
        return str(refused.value), glasses.told

    why, told = clock.run(run())
    assert why == (
        "Even G1 45 is gone: it is out of reach, or connected elsewhere: switch it on and bring it near"
    )
    assert sorted(told) == [
        "the left arm is back",
        "the left arm: the link was lost; it is tried again",
        "the right arm is back",
        "the right arm: the link was lost; it is tried again",
    ]


def test_never_reached_is_said_once_and_tried_for_ever(clock):
    async def run():
        glasses = await worn(start=False)
        for arm in glasses.arms:
            await arm.drop(stay=False)
        glasses.display.start()
        await asyncio.sleep(600)
        told = [*glasses.told]
        for arm in glasses.arms:
            await arm.come()
        await until(lambda: glasses.left.connected and glasses.right.connected)
        return told

    assert clock.run(run()) == [
        f"the {side} arm: it is out of reach, or connected elsewhere: switch it on and bring it near;"
        " it is tried again"
        for side in ("left", "right")
    ]


def test_an_arm_that_no_longer_answers_is_connected_anew(clock):
    async def run():
        glasses = await worn()
        glasses.right.mute = True
        glasses.display.show(TEXT)
        await until(lambda: glasses.told, 30)
        glasses.right.mute = False
        await until(
            lambda: len(glasses.told) == 2 and all(shows(arm, TEXT) for arm in glasses.arms)
        )
        return glasses.told

    assert clock.run(run()) == [
        "the right arm: it does not answer; it is tried again",
        "the right arm is back",
    ]


def test_an_arm_that_falls_silent_is_noticed_without_a_frame(clock):
    async def run():
        glasses = await worn()
        glasses.left.mute = True
        await until(lambda: glasses.told, 30)
        glasses.left.mute = False
        await until(lambda: len(glasses.told) == 2)

    clock.run(run())


def test_an_arm_that_is_busy_is_asked_again(clock):
    async def run():
        glasses = await worn()
        glasses.left.refuses = 2
        glasses.display.show(TEXT)
        await until(lambda: all(shows(arm, TEXT) for arm in glasses.arms))
        return glasses.told

    assert clock.run(run()) == []


def test_a_link_for_short_packets_only_is_refused(clock):
    async def run():
        glasses = await worn(start=False)
        glasses.air.mtu = 185
        glasses.display.start()
        await until(lambda: glasses.told)
        return glasses.told[0]

    assert clock.run(run()) == (
        "the left arm: the link carries packets of 182 bytes, and pictures need 200: update BlueZ to 5.62;"
        " it is tried again"
    )


def test_a_stranger_by_the_same_address_is_refused(clock):
    async def run():
        air, told = Air(), []
        stranger = Peripheral(air, "Kettle", g1.LEFT, "180D", "2A39", ["2A37"])
        await stranger.come()
        arm = Arm(air.radio, g1.LEFT, "the left arm")
        display = WirelessDisplay("G1", LENS, [arm], asyncio.get_running_loop(), told.append)
        display.start()
        await until(lambda: told)
        display.show(TEXT)
        await asyncio.sleep(1)
        return told[0], stranger.got

    told, got = clock.run(run())
    assert told == (
        "the left arm: it is no such lens, or its firmware is another: it lacks what it is written to by;"
        " it is tried again"
    )
    assert got == [], "nothing of what the wearer sees is written to it"


# -- what is heard --------------------------------------------------------------------------------

SAID = {
    "taken": (bytes((0x4E, 0xC9)), codec.Answer(0x4E, True)),
    "more": (bytes((0x4E, 0xCB)), codec.Answer(0x4E, True)),
    "refused": (bytes((0x4E, 0xCA)), codec.Answer(0x4E, False)),
    "checked": (bytes((0x16, 1, 2, 3, 4, 0xC9)), codec.Answer(0x16, True)),
    "broken": (bytes((0x16, 0xC9, 2, 3, 4, 0xCA)), codec.Answer(0x16, False)),
    "a beat": (bytes((0x25, 6, 0, 7, 4, 7)), codec.Answer(0x25, True)),
    "a tap": (bytes((0xF5, 1)), codec.Event(1)),
    "sound": (bytes((0xF1, 9)) + bytes(200), Sound(9, (bytes(20),) * 10)),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_cut_short_is_nothing(name):
    whole, meaning = SAID[name]
    assert codec.heard(whole) == meaning
    needed = {"taken": 2, "more": 2, "refused": 2, "a tap": 2}.get(name, len(whole))
    for length in range(needed):
        assert codec.heard(whole[:length]) is None


@given(st.binary(max_size=260))
def test_whatever_an_arm_says_is_something_or_nothing(data):
    match codec.heard(data):
        case Sound() as sound:
            assert (data[0], len(data)) == (0xF1, 202)
            assert b"".join(sound.frames) == data[2:]
        case codec.Answer() as answer:
            assert answer.command == data[0]
        case codec.Event() as event:
            assert data[:2] == bytes((0xF5, event.code))


def test_what_is_unknown_is_nothing():
    known = {data[0] for data, _ in SAID.values()} | {0x0E, 0x15, 0x18, 0x20}
    for first in set(range(256)) - known:
        assert codec.heard(bytes((first, *range(40)))) is None


def test_noise_from_an_arm_changes_nothing(clock):
    async def run():
        glasses = await worn()
        noise = [b"", b"\x4e", b"\x16\xc9", bytes(range(200)), b"\xff" * 240, b"\x4e\xc9" * 3]
        for data in noise:
            glasses.left.say(g1.NOTIFIES, data)
        for frame in (TEXT, PICTURE):
            glasses.display.show(frame)
            await until(lambda frame=frame: all(shows(arm, frame) for arm in glasses.arms))
        return glasses.told

    assert clock.run(run()) == []
