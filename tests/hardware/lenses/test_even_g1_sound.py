"""The microphone of an Even G1 over bumble's simulated link, in virtual time, with real LC3."""

import asyncio
from contextlib import aclosing

import lc3
import numpy as np
import pytest

from agent.testing.clock import VirtualClock
from hardware.audio import read
from hardware.base import AbsentChunk, Microphone
from hardware.lenses.even_g1.arm import Arm
from hardware.profiles import load
from hardware.spoken import clips
from hardware.wireless.display import WirelessDisplay
from hardware.wireless.sound import LinkMicrophone
from tests.hardware.lenses import g1
from tests.hardware.lenses.air import Air
from tests.hardware.lenses.waiting import until

SPEECH = read(clips()[0])
SECOND = 32_000
"""Bytes of a second."""
MOST_S = 30.0
"""After so long the glasses close their microphone (EvenDemoApp)."""


class Speaking(g1.Arm):
    """A right arm that hears what it is given, a tenth of a second at a time."""

    def __init__(self, air, pcm):
        super().__init__(air, "R", g1.RIGHT)
        self._pcm, self._at, self._number = pcm, 0, 0
        self._encoder = lc3.Encoder(10_000, 16_000)
        self._task, self.opened = None, 0
        self.between = lambda number: [number]
        """Which packets go out in the place of one."""
        self._packets = {}

    def heard(self, data):
        super().heard(data)
        if data[0] == 0x0E:
            if self._task:
                self._task.cancel()
            self._task = None
            if data[1]:
                self.opened += 1
                self._task = asyncio.get_running_loop().create_task(self._speak())

    async def drop(self, stay=True):
        if self._task:
            self._task.cancel()
        await super().drop(stay)

    async def _speak(self):
        for _ in range(round(MOST_S * 10)):
            await asyncio.sleep(0.1)
            for number in self.between(self._number):
                self.say(g1.NOTIFIES, self._packet(number))
            self._number += 1

    def _packet(self, number):
        while number not in self._packets:
            said = self._pcm[self._at : self._at + 3200].ljust(3200, b"\0")
            self._at += 3200
            frames = [self._encoder.encode(said[n : n + 320], 20, 16) for n in range(0, 3200, 320)]
            self._packets[len(self._packets)] = bytes((0xF1, len(self._packets) % 256)) + b"".join(
                frames
            )
        return self._packets[number]


@pytest.fixture
def clock():
    clock = VirtualClock()
    yield clock
    clock.close()


async def heard(seconds, pcm=SPEECH, between=None, meanwhile=None, lose=0.0, late_s=0.0):
    """Listen so long; return the chunks, the arm, the microphone, and what was told."""
    air, told, chunks = Air(), [], []
    speaking = Speaking(air, pcm)
    speaking.lose, speaking.late_s = lose, late_s
    if between:
        speaking.between = between
    await speaking.come()
    loop = asyncio.get_running_loop()
    arm = Arm(air.radio, g1.RIGHT, "the right arm")
    WirelessDisplay("Even G1 45", load("even-g1"), [arm], loop, told.append).start()
    await until(lambda: speaking.connected)
    await asyncio.sleep(2)
    microphone = LinkMicrophone(arm, loop, "Even G1 45")
    beside = loop.create_task(meanwhile(speaking)) if meanwhile else None
    async with aclosing(microphone.chunks()) as stream:
        async for chunk in stream:
            chunks.append(chunk)
            assert chunk.end_ms <= microphone.now_ms() + 250, "no sound comes before its time"
            if chunk.end_ms >= seconds * 1000:
                break
    if beside:
        await beside
    await until(lambda: not speaking.microphone)
    return chunks, speaking, microphone, told


def whole(chunks):
    assert all(len(chunk.pcm) == 640 for chunk in chunks)
    times = [chunk.start_ms for chunk in chunks]
    assert times == [20.0 * n for n in range(len(chunks))], "nothing is missing, nothing is twice"
    return b"".join(chunk.pcm for chunk in chunks)


def likeness(one, other):
    """Correlation of two sounds at the shift where they are most alike."""
    size = min(len(one), len(other)) // 2
    a, b = (np.frombuffer(x[: 2 * size], np.int16).astype(float) for x in (one, other))
    spectrum = np.fft.rfft(a, 2 * size) * np.conj(np.fft.rfft(b, 2 * size))
    return np.fft.irfft(spectrum).max() / (np.linalg.norm(a) * np.linalg.norm(b))


def test_what_was_said_is_heard(clock):
    chunks, speaking, microphone, _ = clock.run(heard(3))
    assert isinstance(microphone, Microphone)
    assert likeness(whole(chunks), SPEECH) > 0.95
    assert (speaking.opened, microphone.lost) == (1, 0)


def test_a_lost_packet_is_a_tenth_of_silence(clock):
    chunks, _, microphone, _ = clock.run(heard(3, between=lambda n: [] if n == 12 else [n]))
    pcm = whole(chunks)
    assert microphone.lost == 1
    assert not any(pcm[12 * 3200 : 13 * 3200])
    assert any(pcm[11 * 3200 : 12 * 3200])
    assert likeness(pcm, SPEECH) > 0.8


@pytest.mark.parametrize(
    "order",
    [{5: [5, 5], 9: [9, 9, 9]}, {7: [8], 8: [7]}, {20: [20, 3]}],
    ids=["twice", "swapped", "old"],
)
def test_packets_twice_or_out_of_order_shift_nothing(clock, order):
    chunks, _, _, _ = clock.run(heard(3, between=lambda n: order.get(n, [n])))
    assert likeness(whole(chunks), SPEECH) > 0.8


def test_packets_that_are_not_whole_are_none(clock):
    async def cut(speaking):
        for length in range(0, 202, 7):
            speaking.say(g1.NOTIFIES, bytes((0xF1, 0)).ljust(length, b"\x55")[:length])
            await asyncio.sleep(0.02)

    chunks, _, _, _ = clock.run(heard(3, meanwhile=cut))
    assert likeness(whole(chunks), SPEECH) > 0.95


@pytest.mark.slow
def test_the_microphone_is_opened_again_when_the_glasses_close_it(clock):
    noise = np.random.default_rng(1).integers(-8000, 8000, 16_000 * 65).astype(np.int16).tobytes()
    chunks, speaking, _, _ = clock.run(heard(62, noise))
    pcm = whole(chunks)
    assert speaking.opened == 3
    silent = [n for n in range(0, len(pcm), SECOND) if not any(pcm[n : n + SECOND])]
    assert silent == [], "each time it was open again within a second"


def test_a_link_that_is_lost_is_silence_until_it_is_back(clock):
    async def drop(speaking):
        await asyncio.sleep(1)
        await speaking.drop(stay=False)
        await asyncio.sleep(3)
        await speaking.come()

    noise = np.random.default_rng(1).integers(-8000, 8000, 16_000 * 20).astype(np.int16).tobytes()
    chunks, speaking, _, told = clock.run(heard(12, noise, meanwhile=drop))
    whole(chunks)
    away = [chunk for chunk in chunks if isinstance(chunk, AbsentChunk)]
    assert 2_500 < sum(chunk.duration_ms for chunk in away) < 8_000
    assert not isinstance(chunks[-1], AbsentChunk)
    assert told == ["the right arm: the link was lost; it is tried again", "the right arm is back"]
    assert speaking.opened >= 2
