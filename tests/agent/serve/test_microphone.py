"""The page as a microphone: one stream on one clock, whatever the network and the page do."""

import asyncio
from contextlib import aclosing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.serve.simulator.microphone import CHUNK_BYTES, KEPT, PageMicrophone
from agent.testing import VirtualClock
from hardware.base import AbsentChunk, Microphone

LOUD = b"\x01\x02" * 320


@pytest.fixture
def clock():
    made = VirtualClock()
    yield made
    made.close()


class Listener:
    """Takes every chunk, as an agent does."""

    def __init__(self, clock):
        self.microphone = PageMicrophone(clock.time)
        self.chunks = []

    async def hear(self, seconds):
        async def take():
            async with aclosing(self.microphone.chunks()) as chunks:
                async for chunk in chunks:
                    self.chunks.append(chunk)

        task = asyncio.create_task(take())
        await asyncio.sleep(seconds)
        task.cancel()

    @property
    def real(self):
        return [chunk for chunk in self.chunks if not isinstance(chunk, AbsentChunk)]


def in_order(chunks):
    return all(a.end_ms <= b.start_ms + 3 for a, b in pairwise(chunks))


def test_it_is_a_microphone():
    assert isinstance(PageMicrophone(), Microphone)


def test_a_closed_one_is_silence_at_the_pace_of_time(clock):
    listener = Listener(clock)
    clock.run(listener.hear(1.0))
    assert len(listener.chunks) == pytest.approx(50, abs=1)
    assert not listener.real


def test_sound_in_real_time_comes_through_untouched(clock):
    listener = Listener(clock)

    async def speak():
        hearing = asyncio.create_task(listener.hear(3.0))
        await asyncio.sleep(0.5)
        listener.microphone.open()
        for number in range(100):
            await asyncio.sleep(0.02)
            listener.microphone.hear(number, LOUD)
        listener.microphone.close()
        await hearing

    clock.run(speak())
    assert [chunk.pcm for chunk in listener.real] == [LOUD] * 100
    assert in_order(listener.chunks)
    assert listener.real[0].end_ms == pytest.approx(520, abs=25)
    assert listener.real[-1].end_ms == pytest.approx(2500, abs=25)
    assert listener.microphone.counts.chunks == 100
    assert listener.microphone.counts.missing == listener.microphone.counts.dropped == 0


def test_a_network_that_stalls_and_catches_up_loses_nothing(clock):
    listener = Listener(clock)

    async def speak():
        hearing = asyncio.create_task(listener.hear(4.0))
        listener.microphone.open()
        for number in range(100):
            if number == 50:
                await asyncio.sleep(0.8)  # then they come all at once
            if not 50 <= number < 90:
                await asyncio.sleep(0.02)
            listener.microphone.hear(number, LOUD)
        listener.microphone.close()
        await hearing

    clock.run(speak())
    assert len(listener.real) == 100
    first = listener.chunks.index(listener.real[0])
    assert listener.chunks[first : first + 100] == listener.real, "silence came between"
    assert in_order(listener.chunks)


def test_sound_from_before_the_key_was_pressed_is_heard_at_once(clock):
    listener = Listener(clock)

    async def speak():
        hearing = asyncio.create_task(listener.hear(1.0))
        await asyncio.sleep(0.51)
        listener.microphone.open()
        for number in range(10):
            listener.microphone.hear(number, LOUD)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(listener.real) == 10
        assert listener.real[-1].end_ms <= listener.microphone.now_ms()
        await hearing

    clock.run(speak())
    assert in_order(listener.chunks)


def test_an_open_one_that_gives_nothing_becomes_silence_so_that_a_sentence_ends(clock):
    listener = Listener(clock)

    async def speak():
        hearing = asyncio.create_task(listener.hear(3.0))
        listener.microphone.open()
        await asyncio.sleep(0.02)
        listener.microphone.hear(0, LOUD)
        await hearing

    clock.run(speak())
    (heard,) = listener.real
    silence = listener.chunks[listener.chunks.index(heard) + 1 :]
    assert silence[0].start_ms == heard.end_ms
    assert in_order(silence)
    assert silence[-1].end_ms == pytest.approx(3000, abs=25), "time stood still"
    assert listener.microphone.now_ms() == pytest.approx(3000, abs=25)


def test_what_never_came_leaves_a_gap_in_time(clock):
    listener = Listener(clock)

    async def speak():
        hearing = asyncio.create_task(listener.hear(1.0))
        listener.microphone.open()
        for number in (0, 1, 2, 8, 9, 3):
            await asyncio.sleep(0.02)
            listener.microphone.hear(number, LOUD)
        await hearing

    clock.run(speak())
    starts = [chunk.start_ms for chunk in listener.real]
    assert len(starts) == 5
    assert starts[3] - starts[2] == pytest.approx(120, abs=5)
    counts = listener.microphone.counts
    assert (counts.missing, counts.late) == (5, 1)


def test_an_agent_far_behind_loses_the_oldest_and_it_is_counted():
    microphone = PageMicrophone()
    microphone.open()
    for number in range(KEPT + 40):
        microphone.hear(number, LOUD)
    assert microphone.counts.dropped == 40


def test_sound_while_closed_is_not_heard():
    microphone = PageMicrophone()
    microphone.hear(0, LOUD)
    assert microphone.counts.late == 1
    assert not microphone._waiting


@given(st.lists(st.integers(0, 3_000), max_size=30))
def test_any_sizes_are_cut_to_chunks_and_half_a_sample_is_cut_off(sizes):
    microphone = PageMicrophone()
    microphone.open()
    for number, size in enumerate(sizes):
        microphone.hear(number, bytes(size))
    even = sum(size & ~1 for size in sizes)
    assert [len(pcm) for pcm, _ in microphone._waiting] == [CHUNK_BYTES] * (even // CHUNK_BYTES)
    assert microphone.counts.odd == sum(size % 2 for size in sizes)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=1_500)), max_size=20))
def test_no_numbers_and_no_sound_break_its_clock(messages):
    clock = VirtualClock()
    try:
        listener = Listener(clock)
        microphone = listener.microphone

        async def speak():
            hearing = asyncio.create_task(listener.hear(2.0))
            microphone.open()
            for number, pcm in messages:
                microphone.hear(number, pcm)
                await asyncio.sleep(0.01)
            await hearing

        clock.run(speak())
        starts = [chunk.start_ms for chunk in listener.chunks]
        assert starts == sorted(starts)
        assert {len(chunk.pcm) for chunk in listener.chunks} <= {CHUNK_BYTES}
    finally:
        clock.close()
