"""The whole loop through an Even G1: said into its arm, heard by the real engine, read on its lens."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from agent import config
from agent.cli.compose import build
from agent.testing.clock import VirtualClock
from hardware.audio import read
from hardware.display import MemoryDisplay
from hardware.lenses.even_g1.arm import Arm
from hardware.profiles import load
from hardware.spoken import clips
from hardware.wireless.display import WirelessDisplay
from hardware.wireless.sound import LinkMicrophone
from tests.hardware.lenses import g1
from tests.hardware.lenses.air import Air
from tests.hardware.lenses.test_even_g1_sound import Speaking
from tests.hardware.lenses.waiting import until
from tests.hardware.lenses.worn import shows
from tests.pace import PATIENCE_S

pytestmark = pytest.mark.slow
QUIET = bytes(32_000)
LOST, LATE_S = 0.01, 0.32


def test_what_is_said_into_the_glasses_is_answered_on_them(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GLASSES_MODELS", str(tmp_path / "none"))
    clip = next(path for path in clips() if "translate" in path.name)
    agent = build(config.load(), MemoryDisplay(load("even-g1")), language="en")
    clock = VirtualClock(patience_s=PATIENCE_S)

    async def run():
        air, loop, told = Air(), asyncio.get_running_loop(), []
        left, right = g1.Arm(air, "L", g1.LEFT), Speaking(air, QUIET + read(clip) + QUIET * 3)
        for arm in (left, right):
            arm.lose, arm.late_s = LOST, LATE_S
            await arm.come()
        sides = [Arm(air.radio, g1.LEFT, "the left arm")]
        sides.append(Arm(air.radio, g1.RIGHT, "the right arm", after=sides[0]))
        display = WirelessDisplay("Even G1 45", load("even-g1"), sides, loop, told.append)
        display.start()
        await until(lambda: left.connected and right.connected)
        await asyncio.sleep(3)
        agent.devices = replace(agent.devices, display=display)
        stream = agent.listen(LinkMicrophone(sides[1], loop, "Even G1 45"))
        async with aclosing(stream) as turns:
            async with asyncio.timeout(60):
                turn = await anext(turns)
        await asyncio.sleep(5)
        lit = [shows(arm, turn.frames[0]) for arm in (left, right)]
        await agent.close()
        await display.close()
        return turn, lit, told

    try:
        turn, lit, told = clock.run(run())
    finally:
        clock.close()
    assert turn.transcript.text == "translate good morning into chinese"
    assert lit == [True, True]
    assert told == []
