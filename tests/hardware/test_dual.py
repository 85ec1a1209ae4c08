"""Two microphones heard as one, in virtual time; each may jitter, drift, lose sound or vanish."""

import asyncio
import random
from contextlib import aclosing, closing

import numpy as np
import pytest

from agent.testing import VirtualClock
from hardware.base import AbsentChunk, AudioChunk, DeviceError, DualChunk, Microphone
from hardware.dual import KEEP_MS, PATIENCE_MS, SLIP_MS, DualMicrophone, _Track

MS = 32
COUNT = 100


def ramp(ms, start_ms=0):
    """Sound whose every sample tells its time: one step a ms."""
    return np.repeat(np.arange(start_ms, start_ms + ms), 16).astype("<i2").tobytes()


class Device:
    """A microphone that gives a ramp, on a clock of its own."""

    def __init__(
        self,
        name,
        began_s=0.0,
        lost=(),
        ends_at=COUNT,
        vanishes=False,
        late_s=lambda n: 0.0,
        ppm=0,
        extra=0,
        dead=(),
        away=(),
    ):
        self.name = name
        self.began_s, self.lost, self.ends_at, self.vanishes = began_s, set(lost), ends_at, vanishes
        self.late_s, self.ppm, self.extra = late_s, ppm, extra
        self.dead, self.away = dead, away
        self.clock = asyncio.get_running_loop().time
        self.zero_s = self.clock()

    async def chunks(self):
        for n in range(self.ends_at + self.extra):
            due_s = self.zero_s + self.began_s + (n + 1) * 0.02 * (1 + self.ppm * 1e-6)
            await asyncio.sleep(max(0.0, due_s + self.late_s(n) - self.clock()))
            if n not in self.lost:
                at_ms = round(self.began_s * 1000 + 20 * n * (1 + self.ppm * 1e-6))  # wall time
                stamp_ms = 20.0 * n * (1 + self.ppm * 1e-6)
                if n in self.away:
                    yield AbsentChunk(bytes(640), stamp_ms)
                else:
                    sound = bytes(640) if n in self.dead else ramp(20, at_ms)
                    yield AudioChunk(sound, stamp_ms)
        if self.vanishes:
            raise DeviceError(f"microphone {self.name} vanished")

    def now_ms(self):
        return (self.clock() - self.zero_s - self.began_s) * 1000


def heard(bone=None, air=None):
    """What comes of two such devices, and what was told."""
    told = []

    async def listen():
        dual = DualMicrophone(
            Device("bone", **bone or {}), Device("air", **{"extra": 5} | (air or {})),
            tell=told.append,
        )  # fmt: skip
        assert isinstance(dual, Microphone)
        assert dual.name == "bone with air"
        chunks, late = [], []
        async with aclosing(dual.chunks()) as stream:
            async for chunk in stream:
                chunks.append(chunk)
                late.append(dual.now_ms() - chunk.end_ms)
        return chunks, late

    with closing(VirtualClock()) as clock:
        chunks, late = clock.run(listen())
    return chunks, late, told


def slips(chunks):
    """How far, in ms, the air's sound lies off the bone's."""
    return [
        np.median(np.frombuffer(c.air, "<i2")) - np.median(np.frombuffer(c.pcm, "<i2"))
        for c in chunks
        if isinstance(c, DualChunk)
    ]


@pytest.mark.parametrize("began_s", [0.0, 0.013, 0.5])
def test_each_chunk_has_the_air_of_its_time(began_s):
    chunks, late, told = heard(bone={"began_s": 0.5}, air={"began_s": began_s, "extra": 40})
    assert len(chunks) == COUNT
    assert all(isinstance(c, DualChunk) and len(c.air) == len(c.pcm) for c in chunks[1:])
    assert max(map(abs, slips(chunks))) <= 1
    assert max(late) <= 20
    assert told == []


def test_air_that_jitters_is_waited_for_and_stays_whole():
    rng = random.Random(2)
    chunks, late, _ = heard(air={"late_s": lambda n: rng.uniform(0, 0.03)})
    assert all(isinstance(c, DualChunk) for c in chunks)
    assert b"".join(c.air for c in chunks) == b"".join(c.pcm for c in chunks)
    assert max(late) <= 35


@pytest.mark.parametrize("ppm", [-2000, 2000])
def test_two_clocks_that_drift_slip_by_little(ppm):
    chunks, late, _ = heard(bone={"ends_at": 1000}, air={"ppm": ppm, "ends_at": 1010})
    off = slips(chunks)
    assert len(off) >= 995  # the air's clock ran off by 40 ms
    assert max(map(abs, off)) <= SLIP_MS + 2
    assert max(late) <= 50


def test_air_that_is_lost_leaves_the_bone_alone():
    chunks, late, _ = heard(air={"lost": [30, 31, 32, 60]})
    assert len(chunks) == COUNT
    assert max(late) <= PATIENCE_MS + 1
    assert max(map(abs, (s for s in slips(chunks[:30] + chunks[34:60] + chunks[62:])))) <= 1


def test_bone_that_is_lost_leaves_a_gap():
    chunks, _, _ = heard(bone={"lost": [30, 31]})
    assert len(chunks) == COUNT - 2
    assert all(isinstance(c, DualChunk) for c in chunks)
    assert max(map(abs, slips(chunks))) <= 1


def test_without_air_it_goes_on():
    chunks, late, told = heard(air={"ends_at": 40, "extra": 0, "vanishes": True})
    assert len(chunks) == COUNT
    assert [isinstance(c, DualChunk) for c in chunks] == [True] * 40 + [False] * 60
    assert told == ["microphone air vanished; the bone microphone is heard alone"]
    assert max(late) <= PATIENCE_MS


@pytest.mark.parametrize("trouble", ["dead", "away"])
def test_an_air_microphone_that_gives_nothing_is_not_listened_to(trouble):
    chunks, _, _ = heard(air={trouble: range(40, 60)})
    assert [type(c) for c in chunks[42:58]] == [AudioChunk] * 16
    assert all(isinstance(c, DualChunk) for c in (*chunks[1:40], *chunks[61:]))
    assert max(map(abs, slips([*chunks[:40], *chunks[61:]]))) <= 1


def test_a_bone_microphone_that_is_away_is_silence():
    chunks, _, _ = heard(bone={"away": range(40, 60)})
    assert all(isinstance(c, AbsentChunk) for c in chunks[40:60])
    assert all(isinstance(c, DualChunk) for c in (*chunks[1:40], *chunks[60:]))
    assert max(map(abs, slips(chunks))) <= 1


def test_without_bone_it_ends():
    with pytest.raises(DeviceError, match="bone vanished"):
        heard(bone={"ends_at": 40, "vanishes": True})


def test_what_waits_is_bounded():
    track = _Track()
    for n in range(10_000):
        track.put(ramp(20), 20.0 * n)
    assert len(track._pcm) <= KEEP_MS * MS
    assert track.cut(0.0, 640) is None
    assert track.cut(199_960.0, 640) is not None


async def test_two_recordings_need_no_clock():
    from hardware.microphone import FileMicrophone

    sound = ramp(1000)
    two = [FileMicrophone(sound, pace="fast", tail_ms=0) for _ in range(2)]
    chunks = [c async for c in DualMicrophone(*two, offset_ms=0.0).chunks()]
    assert len(chunks) == 50
    assert all(c.air == c.pcm for c in chunks)
