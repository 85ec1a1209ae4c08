"""Files as microphones, in virtual time; and the live one, on a sound card made of a file."""

import asyncio
import os
import subprocess
import sys
import time
from contextlib import aclosing
from pathlib import Path

import pytest

from hardware.base import CHUNK_MS, DeviceError, Microphone
from hardware.microphone import (
    CHUNK_BYTES,
    CLOSE_WITHIN_S,
    VANISHED_AFTER_S,
    FileMicrophone,
    _Stamps,
)

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


async def test_realtime_does_not_drift_behind_a_slow_consumer():
    clock = asyncio.get_running_loop().time
    microphone = FileMicrophone(LOUD * 10, tail_ms=0, clock=clock)
    late_ms = []
    async for chunk in microphone.chunks():
        late_ms.append(microphone.now_ms() - chunk.end_ms)
        if chunk.start_ms == 0:
            await asyncio.sleep(0.07)  # three and a half chunks
    # With pauses of 20 ms between chunks, all would be 50 ms late; the schedule catches up.
    assert late_ms[1] >= 45
    assert late_ms[-1] < 30


async def test_fast_takes_no_time_but_lets_others_run():
    ran = 0

    async def other():
        nonlocal ran
        while True:
            ran += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    began = time.monotonic()
    chunks = await listen(FileMicrophone(LOUD * 500, pace="fast", tail_ms=0))
    task.cancel()
    assert len(chunks) == 500
    assert time.monotonic() - began < 5  # of ten seconds of sound
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
    assert VANISHED_AFTER_S <= took_s < VANISHED_AFTER_S + CLOSE_WITHIN_S + 2


def test_whatever_this_machine_has_is_said_in_one_line():
    done = run("from hardware.microphone import available; print(*available(), sep='|')")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    there, _, why = line.partition("|")
    assert why
    assert there == "True" or ": " in why  # what is missing, and what to do
