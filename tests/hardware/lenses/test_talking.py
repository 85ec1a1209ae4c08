"""The whole loop through an Even G1: said into its arm, heard by the real engine, read on its lens.

The air runs in virtual time and the engine in its own, one after the other, so that neither waits for
the other on a busy machine.
"""

import asyncio

import pytest

from agent import config
from agent.cli.compose import build
from agent.testing.clock import VirtualClock
from hardware.audio import read
from hardware.display import MemoryDisplay
from hardware.microphone import FileMicrophone
from hardware.profiles import load
from hardware.spoken import clips
from tests.hardware.lenses.test_even_g1_sound import heard
from tests.hardware.lenses.waiting import until
from tests.hardware.lenses.worn import shows, worn

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
QUIET = bytes(32_000)
LOST, LATE_S = 0.01, 0.32


def through_the_air(work):
    clock = VirtualClock()
    try:
        return clock.run(work)
    finally:
        clock.close()


def test_what_is_said_into_the_glasses_is_answered_on_them(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GLASSES_MODELS", str(tmp_path / "none"))
    clip = next(path for path in clips() if "translate" in path.name)
    said = QUIET + read(clip) + QUIET
    chunks, _, microphone, _ = through_the_air(
        heard(len(said) / 32_000 + 1, said, lose=LOST, late_s=LATE_S)
    )
    assert microphone.lost > 0, "a tenth of a second is missing here and there"

    async def ask():
        agent = build(config.load(), MemoryDisplay(load("even-g1")), language="en")
        pcm = b"".join(chunk.pcm for chunk in chunks)
        turns = [turn async for turn in agent.listen(FileMicrophone(pcm, pace="fast"))]
        await agent.close()
        return turns

    (turn,) = asyncio.run(ask())
    assert turn.transcript.text == "translate good morning into chinese"

    async def light():
        glasses = await worn(LOST, LATE_S)
        glasses.display.show(turn.frames[0])
        await until(lambda: all(shows(arm, turn.frames[0]) for arm in glasses.arms))
        return glasses.told

    assert through_the_air(light()) == []
