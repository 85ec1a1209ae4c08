"""An Even G1 that is worn: both arms on a simulated link, and the display that shows on them."""

import asyncio

from agent.display.layout import lay_out
from hardware import profiles, raster
from hardware.lenses.even_g1 import codec
from hardware.lenses.even_g1.arm import Arm
from hardware.wireless import written
from hardware.wireless.display import WirelessDisplay
from tests.gallery import cards
from tests.hardware.lenses import g1
from tests.hardware.lenses.air import Air
from tests.hardware.lenses.waiting import until

LENS = profiles.load("even-g1")
FRAMES = [page for reply, language in cards() for page in lay_out(reply, LENS, language)]
"""Every page of every card of the gallery."""


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


async def worn(lose=0.0, late_s=0.0, start=True, seed=2):
    """Return the glasses, connected to unless told otherwise."""
    air = Air()
    glasses = Worn(air, await g1.glasses(air, lose, late_s, seed), [])
    if start:
        glasses.display.start()
        await until(lambda: glasses.left.connected and glasses.right.connected)
    return glasses


def shows(arm, frame):
    """Whether an arm shows this frame, to the pixel or to the letter."""
    rows = written.rows(frame, codec.sets)
    if rows is None:
        wanted = raster.render(frame)
        return arm.picture is not None and arm.picture.tobytes() == wanted.tobytes()
    return arm.text is not None and arm.text == ["", "", "", "", ""][len(rows) :] + list(rows)
