"""An Even G1 at the other end of bumble's simulated link, in virtual time."""

import asyncio

import pytest

from agent.display.layout import lay_out
from agent.testing.clock import VirtualClock
from hardware import profiles, raster
from hardware.base import Frame, Line
from hardware.lenses import written
from hardware.lenses.even_g1 import codec
from hardware.lenses.even_g1.arm import Arm
from hardware.lenses.wireless import WirelessDisplay
from tests.gallery import cards
from tests.hardware.lenses import g1
from tests.hardware.lenses.air import Air

LENS = profiles.load("even-g1")
FRAMES = [page for reply, language in cards() for page in lay_out(reply, LENS, language)]
TEXT = Frame(LENS, (Line("Platform 4", 1.0), Line("leaves at 18:30", 0.6)))
PICTURE = Frame(LENS, (Line("第四站台"), Line("18:30")))


@pytest.fixture
def clock():
    clock = VirtualClock()
    yield clock
    clock.close()


class Worn:
    """The glasses, and the display that shows on them."""

    def __init__(self, air, arms, told):
        self.air, (self.left, self.right), self.told = air, arms, told
        left = Arm(air.radio, g1.LEFT, "the left arm")
        self.sides = left, Arm(air.radio, g1.RIGHT, "the right arm", after=left)
        loop = asyncio.get_running_loop()
        self.display = WirelessDisplay("Even G1 45", LENS, self.sides, loop, told.append)

    @property
    def arms(self):
        return self.left, self.right


async def worn(lose=0.0, late_s=0.0, start=True):
    air = Air()
    glasses = Worn(air, await g1.glasses(air, lose, late_s), [])
    if start:
        glasses.display.start()
        await until(lambda: glasses.left.connected and glasses.right.connected)
    return glasses


async def until(condition, seconds=60):
    """Wait, in virtual time."""
    for _ in range(seconds * 20):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come")


def shows(arm, frame):
    """Whether an arm shows this frame, to the pixel or to the letter."""
    rows = written.rows(frame)
    if rows is None:
        wanted = raster.render(frame)
        return arm.picture is not None and arm.picture.tobytes() == wanted.tobytes()
    return arm.text is not None and arm.text == ["", "", "", "", ""][len(rows) :] + list(rows)


# -- frames ---------------------------------------------------------------------------------------


def test_every_card_arrives_as_it_was(clock):
    async def run():
        glasses = await worn()
        for frame in FRAMES:
            glasses.display.show(frame)
            await until(lambda frame=frame: all(shows(arm, frame) for arm in glasses.arms))
        assert glasses.told == []

    clock.run(run())
    assert {written.rows(frame) is None for frame in FRAMES} == {True, False}, "both ways are used"


def test_every_card_arrives_as_a_picture_too():
    for frame in FRAMES:
        file = codec.bmp(raster.render(frame))
        packets = codec.picture(file)
        assert all(packet[:2] == bytes((0x15, n)) for n, packet in enumerate(packets))
        assert packets[0][6:] + b"".join(packet[2:] for packet in packets[1:]) == file


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
