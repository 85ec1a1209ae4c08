"""Files as microphones, in virtual time; and the live one, on a sound card made of a file."""

import asyncio
import os
import subprocess
import sys
import time
from contextlib import aclosing, closing
from itertools import pairwise
from pathlib import Path

import pytest

from agent.testing import VirtualClock
from hardware.base import CHUNK_MS, AbsentChunk, AudioChunk, DeviceError, Microphone
from hardware.microphone import (
    CHUNK_BYTES,
    LOOK_S,
    RATE_S,
    VANISHED_AFTER_S,
    FileMicrophone,
    ReturningMicrophone,
    _Rate,
    _Stamps,
)
from tests.pace import PATIENCE_S

LOUD = b"\x00\x40" * 320  # one chunk


async def listen(microphone):
    return [chunk async for chunk in microphone.chunks()]


def test_it_is_a_microphone():
    assert isinstance(FileMicrophone(LOUD), Microphone)


async def test_chunks_are_20_ms_in_order_and_end_in_silence():
    chunks = await listen(FileMicrophone(LOUD * 3, pace="fast", tail_ms=100))
    assert [chunk.start_ms for chunk in chunks] == [20.0 * i for i in range(3 + 5)]
    assert {len(chunk.pcm) for chunk in chunks} == {CHUNK_BYTES}
    assert b"".join(chunk.pcm for chunk in chunks) == LOUD * 3 + bytes(CHUNK_BYTES * 5)


@pytest.mark.parametrize(("size", "tail_ms"), [(2, 0.0), (641, 0.0), (639, 19.9), (640, 0.1)])
async def test_what_does_not_fill_a_chunk_is_filled_up(size, tail_ms):
    sound = (LOUD * 2)[:size]
    chunks = await listen(FileMicrophone(sound, pace="fast", tail_ms=tail_ms))
    heard = b"".join(chunk.pcm for chunk in chunks)
    whole = sound[: len(sound) // 2 * 2]
    assert len(heard) % CHUNK_BYTES == 0
    assert heard.rstrip(b"\0") == whole.rstrip(b"\0")
    assert len(heard) >= len(whole) + 32 * tail_ms - 1


async def test_several_sources_each_have_their_silence(tmp_path):
    path = tmp_path / "second.raw"
    path.write_bytes(LOUD)
    microphone = FileMicrophone(LOUD, path, pace="fast", tail_ms=40)
    loud = [any(chunk.pcm) for chunk in await listen(microphone)]
    assert loud == [True, False, False, True, False, False]
    assert microphone.name == "PCM, second.raw"
    assert microphone.duration_ms == 120


async def test_it_can_be_heard_again():
    microphone = FileMicrophone(LOUD * 2, pace="fast", tail_ms=0)
    assert await listen(microphone) == await listen(microphone)


def test_what_cannot_be_heard_is_said_at_once(tmp_path):
    with pytest.raises(DeviceError, match="does not exist"):
        FileMicrophone(tmp_path / "none.wav")
    with pytest.raises(DeviceError, match="no samples"):
        FileMicrophone(b"")


async def test_realtime_comes_when_the_last_sample_would_have():
    microphone = FileMicrophone(LOUD * 8, tail_ms=0)
    began = time.monotonic()
    late_ms = [
        (time.monotonic() - began) * 1000 - chunk.end_ms async for chunk in microphone.chunks()
    ]
    assert len(late_ms) == 8
    assert min(late_ms) > -1.0


def test_realtime_does_not_drift_behind_a_slow_consumer():
    late_ms = []

    async def listen(clock):
        microphone = FileMicrophone(LOUD * 10, tail_ms=0, clock=clock.time)
        async for chunk in microphone.chunks():
            late_ms.append(microphone.now_ms() - chunk.end_ms)
            if chunk.start_ms == 0:
                await asyncio.sleep(0.07)  # three and a half chunks

    with closing(VirtualClock()) as clock:
        clock.run(listen(clock))
    # With pauses of 20 ms between chunks, all would be 50 ms late; the schedule catches up.
    assert late_ms == pytest.approx([0, 50, 30, 10, 0, 0, 0, 0, 0, 0])


def test_fast_takes_no_time_but_lets_others_run():
    ran = 0

    async def other():
        nonlocal ran
        while True:
            ran += 1
            await asyncio.sleep(0)

    async def both():
        task = asyncio.create_task(other())
        chunks = await listen(FileMicrophone(LOUD * 500, pace="fast", tail_ms=0))
        task.cancel()
        return chunks

    with closing(VirtualClock()) as clock:
        assert len(clock.run(both())) == 500
        assert clock.time() == 0  # of ten seconds of sound
    assert ran >= 499


async def test_now_means_the_same_at_every_pace():
    now_s = 100.0
    fast = FileMicrophone(LOUD * 3, pace="fast", tail_ms=0, clock=lambda: now_s)
    assert fast.now_ms() == 0.0
    async with aclosing(fast.chunks()) as chunks:
        await anext(chunks)
        second = await anext(chunks)
        assert fast.now_ms() == second.end_ms == 40.0
        now_s += 0.25  # the recogniser works for 250 ms
        assert fast.now_ms() == pytest.approx(290.0)


async def test_now_in_real_time_is_wall_time():
    now_s = 100.0
    microphone = FileMicrophone(LOUD * 3, tail_ms=0, clock=lambda: now_s)
    async with aclosing(microphone.chunks()) as chunks:
        first = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0)
        now_s += 0.031
        assert microphone.now_ms() == pytest.approx(31.0)
        await first


def test_stamps_follow_wall_time_and_not_jitter():
    stamps, clock_s, worst_ms = _Stamps(), 50.0, 0.0
    for index in range(180_000):  # an hour, by a crystal that is 100 ppm slow
        clock_s += CHUNK_MS / 1000 * 1.0001
        jitter_s = 0.008 if index % 5 else 0.0
        stamps.arrived(clock_s + jitter_s, CHUNK_BYTES)
        start_ms = stamps.take()
        worst_ms = max(worst_ms, abs(stamps.at(clock_s) - CHUNK_MS - start_ms))
    assert worst_ms < 20  # counting alone: 360


def test_stamps_jump_over_what_the_device_lost():
    stamps = _Stamps()
    stamps.arrived(10.0, CHUNK_BYTES)
    assert stamps.take() == 0.0
    stamps.arrived(11.0, CHUNK_BYTES, lost=True)
    assert stamps.take() == pytest.approx(1000.0)


@pytest.mark.parametrize("real_hz", [8_000, 44_100, 96_000])
def test_a_device_that_changes_its_rate_is_found_out(real_hz):
    rate, clock_s, block = _Rate(48_000 * 2), 5.0, 960 * 2
    for _ in range(1500):
        clock_s += 0.02
        assert not rate.changed(clock_s, block)
    changed_s = clock_s
    while not rate.changed(clock_s, block):
        clock_s += 960 / real_hz
        assert clock_s - changed_s < 3 * RATE_S


def test_a_rate_is_not_changed_by_stalls_and_losses():
    rate, clock_s = _Rate(32_000), 5.0
    for n in range(5000):
        clock_s += 0.02 + (0.2 if n % 700 == 0 else 0.0)  # and what came meanwhile is lost
        assert not rate.changed(clock_s + (0.1 if n % 50 < 5 else 0.0), 640)


# ── One that vanishes and returns, in virtual time ──────────────────────────────────────────────


class Plugged:
    """A microphone that is there at first, away for `away_s` after `vanish_at` chunks, and so on.

    Like a live one, each time it is opened its times begin at 0.
    """

    name = "USB microphone"

    def __init__(self, away_s, vanish_at=50, times=1, ends_at=50):
        self.away_s, self.vanish_at, self.times, self.ends_at = away_s, vanish_at, times, ends_at
        self.clock = asyncio.get_running_loop().time
        self.absent_until_s = 0.0
        self.opened = 0

    def open(self):
        if self.clock() < self.absent_until_s:
            raise DeviceError("no microphone is connected: plug one in, or listen to a file")
        self.opened += 1
        self.began_s = self.clock()
        return self

    async def chunks(self):
        self.began_s = self.clock()
        vanishes = self.times > 0
        for n in range(self.vanish_at if vanishes else self.ends_at):
            due_s = self.began_s + (n + 1) * 0.02
            await asyncio.sleep(max(0.0, due_s - self.clock()))
            yield AudioChunk(LOUD, 20.0 * n)
        if vanishes:
            self.times -= 1
            self.absent_until_s = self.clock() + self.away_s
            raise DeviceError(f"microphone {self.name} vanished while listening")

    def now_ms(self):
        return (self.clock() - self.began_s) * 1000


def returning(**plugged):
    """What is heard of it, how late each chunk came, and what was told."""
    told, chunks, late, now = [], [], [], []

    async def listen():
        device = Plugged(**plugged)
        stream = ReturningMicrophone(device.open, tell=told.append, clock=device.clock)
        assert isinstance(stream, Microphone)
        try:
            async with aclosing(stream.chunks()) as heard:
                async for chunk in heard:
                    chunks.append(chunk)
                    now.append(stream.now_ms())
                    late.append(now[-1] - chunk.end_ms)
        except DeviceError as error:
            told.append(f"given up: {error}")

    with closing(VirtualClock()) as clock:
        clock.run(listen())
    assert now == sorted(now)
    return chunks, late, told


@pytest.mark.parametrize("away_s", [0.3, 2.0, 12.0])
def test_time_goes_on_while_a_device_is_away(away_s):
    chunks, late, told = returning(away_s=away_s)
    assert [c.start_ms for c in chunks] == sorted(c.start_ms for c in chunks)
    assert all(b.start_ms >= a.end_ms - 0.001 for a, b in pairwise(chunks))
    away = [c for c in chunks if isinstance(c, AbsentChunk)]
    assert sum(c.duration_ms for c in away) == pytest.approx(away_s * 1000, abs=LOOK_S * 1000 + 40)
    assert len(chunks) - len(away) == 100
    assert max(b.start_ms - a.end_ms for a, b in pairwise(chunks)) <= 40
    assert max(late) <= 40
    assert told == [
        "microphone USB microphone vanished while listening; waiting 30 s for it",
        "listening again: USB microphone",
    ]


def test_before_it_vanishes_chunks_are_passed_on_as_they_are():
    first = FileMicrophone(LOUD * 3, pace="fast", tail_ms=0)
    chunks = asyncio.run(listen(ReturningMicrophone(lambda: first)))
    assert [c.start_ms for c in chunks] == [0, 20, 40]


def test_it_may_vanish_again_and_again():
    chunks, _, told = returning(away_s=3.0, times=4)
    assert sum(not isinstance(c, AbsentChunk) for c in chunks) == 250
    assert len(told) == 8
    assert all(b.start_ms >= a.end_ms - 0.001 for a, b in pairwise(chunks))


def test_one_that_stays_away_is_given_up():
    chunks, _, told = returning(away_s=1000.0)
    assert chunks[-1].end_ms == pytest.approx(31_000, abs=1100)
    assert told[-1] == "given up: microphone USB microphone vanished while listening"


def test_one_that_never_gave_a_sound_is_given_up_at_once():
    chunks, _, told = returning(away_s=5.0, vanish_at=0)
    assert (chunks, told) == ([], ["given up: microphone USB microphone vanished while listening"])


# ── The live microphone, on a sound card made of a file ──────────────────────────────────────────

CARD = """
pcm.nothing {{ type null }}
pcm.tape {{
    type file
    slave.pcm "nothing"
    file "/dev/null"
    infile "{recording}"
    format "raw"
}}
pcm.!default {{ type plug slave.pcm "tape" }}
"""

LISTEN = """
import asyncio, sys
from contextlib import aclosing
from hardware.base import DeviceError
from hardware.microphone import LiveMicrophone, available

async def main():
    microphone = LiveMicrophone()
    if len(sys.argv) > 1:  # as if it could do nothing else
        microphone._rate_hz, microphone._channels = 48_000, 2
    heard, starts = b"", []
    async with aclosing(microphone.chunks()) as chunks:
        async for chunk in chunks:
            assert len(chunk.pcm) == 640
            heard += chunk.pcm
            starts.append(chunk.start_ms)
            if len(starts) == 50:
                break
    assert starts[0] < 0.001 and starts == sorted(starts), starts
    assert 0 < microphone.now_ms() < 60_000
    return max(memoryview(heard).cast("h"))

ok, why = available()
print(ok, why, asyncio.run(main()) if ok else "", sep="|")
print(*available("no such thing"), sep="|")
"""


def run(code, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=Path(__file__).parents[2],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def a_card(tmp_path):
    """Environment in which ALSA's one microphone plays 5 s of a square wave of 8192."""
    if sys.platform != "linux":
        pytest.skip("only ALSA lets a file be a sound card")
    if run("import sounddevice").returncode:
        pytest.skip("PortAudio is not installed: sudo apt install libportaudio2")
    recording = tmp_path / "recording.raw"
    recording.write_bytes((b"\x00\x20" * 40 + b"\x00\xe0" * 40) * 20_000)
    config = tmp_path / "asound.conf"
    config.write_text(CARD.format(recording=recording))
    return {"ALSA_CONFIG_PATH": str(config)}


@pytest.mark.parametrize("arguments", [(), ("48 kHz stereo",)])
def test_live(tmp_path, arguments):
    done = run(LISTEN, *arguments, **a_card(tmp_path))
    assert done.returncode == 0, done.stderr
    found, missing = done.stdout.splitlines()
    ok, name, peak = found.split("|")
    assert (ok, name) == ("True", "default")
    assert 8000 <= int(peak) <= 11_000  # a resampled square wave overshoots
    assert missing.startswith("False|no microphone 'no such thing'")


BLOCKS = """
import asyncio
from hardware.microphone import find_again

async def main():
    microphone, blocks = find_again(), asyncio.Queue()
    given = [bytes([n]) * size for n, size in enumerate((640, 640, 1000, 280, 640, 320, 320, 640))]
    for block in given:
        blocks.put_nowait((block, 1.0, False))
    blocks.put_nowait(None)
    heard = []
    try:
        async for chunk in microphone._stamped(blocks):
            heard.append(chunk)
    except Exception as error:
        print(error)
    assert b"".join(c.pcm for c in heard) == b"".join(given)
    assert {len(c.pcm) for c in heard} == {640}
    print([n for n, c in enumerate(heard) if any(c.pcm is block for block in given)])

asyncio.run(main())
"""


def test_blocks_of_a_chunk_are_not_copied(tmp_path):
    done = run(BLOCKS, **a_card(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[0, 1, 4, 6]"


HANG = """
import asyncio, time
from hardware.base import DeviceError
from hardware.microphone import LiveMicrophone

async def main():
    try:
        async for chunk in LiveMicrophone().chunks():
            pass
    except DeviceError as error:
        print(error, flush=True)

began = time.monotonic()
asyncio.run(main())
print(time.monotonic() - began, flush=True)
"""


def test_a_device_that_hangs_is_given_up(tmp_path):
    environment = a_card(tmp_path)
    recording = tmp_path / "recording.raw"
    recording.unlink()
    os.mkfifo(recording)  # the card waits for samples that never come
    keep_open = os.open(recording, os.O_RDWR)
    process = subprocess.Popen(
        [sys.executable, "-c", HANG],
        cwd=Path(__file__).parents[2],
        env={"PATH": "/usr/bin:/bin", **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line, took_s = process.stdout.readline(), float(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()
        os.close(keep_open)
    assert line == "microphone default vanished while listening: plug it in and start again\n"
    assert VANISHED_AFTER_S <= took_s < PATIENCE_S  # what hangs is not waited for


def test_whatever_this_machine_has_is_said_in_one_line():
    done = run("from hardware.microphone import available; print(*available(), sep='|')")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    there, _, why = line.partition("|")
    assert why
    assert there == "True" or ": " in why  # what is missing, and what to do
