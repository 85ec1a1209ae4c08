"""A short soak through the real loop, and how one is judged."""

import pytest

from agent.testing.doubles import make_agent
from hardware.audio import length_s, read
from hardware.spoken import clips as spoken
from tests.bench.listening import Wearer
from tests.bench.soak import PIECE_MS, EndlessMicrophone, judge, soak
from tests.bench.turns import Clip
from tests.bench.words import speech_span_ms
from tests.shared import Order

pytestmark = pytest.mark.slow

MINUTES = 2.5


@pytest.fixture
def microphone():
    """Says "translate good morning into chinese" over and over, in a synthetic voice."""
    path = spoken()[3]
    return EndlessMicrophone(
        [Clip(Order(path, "", {}), speech_span_ms(read(path))[1])], MINUTES * 60_000
    )


async def test_minutes_of_sound_lose_no_chunk_and_every_command_is_answered(tmp_path, microphone):
    agent = make_agent(tmp_path, texts=["help"] * 100)
    found = await soak(Wearer(agent), microphone)
    await agent.close()
    assert found.minutes == pytest.approx(MINUTES, abs=0.2)
    assert found.chunks_handed_out == found.chunks_taken > MINUTES * 3000 - 1
    one_ms = length_s(spoken()[3]) * 1000 + 2 * PIECE_MS
    assert found.commands == pytest.approx(MINUTES * 60_000 / one_ms, abs=1)
    assert found.answered_once == found.commands
    assert found.stray == 0
    assert abs(found.drift_ms) <= 20
    assert found.memory_growth_percent < 20  # an hour's growth is for `make bench` to see


def test_what_was_replaced_or_missed_or_too_much_is_counted(microphone):
    microphone.said = [(0.0, 1500.0), (10_000.0, 11_500.0), (20_000.0, 21_500.0)]
    microphone.memory_mb = [100.0, 110.0]
    microphone.handed_out, microphone.taken = 1500, 1499
    found = judge(
        microphone, [(1000.0, False), (1700.0, True), (21_800.0, False), (25_000.0, False)]
    )
    assert (found.commands, found.answered_once, found.stray) == (3, 1, 1)
    assert found.waits_ms == ((0, 200.0), (0, 300.0))
    assert found.drift_ms == 100
    figures = found.figures()
    assert figures["chunks_lost"] == 1
    assert figures["memory_growth_percent"] == pytest.approx(10)


async def test_the_stream_is_made_as_it_goes(microphone):
    chunks = [chunk async for chunk in microphone.chunks()]
    assert [c.start_ms for c in chunks] == [20.0 * n for n in range(len(chunks))]
    assert {len(c.pcm) for c in chunks} == {640}
    assert len(microphone.memory_mb) == 6
    after = int(length_s(spoken()[3]) * 50) + 10
    assert any(chunks[after].pcm)  # no microphone gives digital silence
