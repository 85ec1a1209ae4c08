"""Everything that can be wrong with a stream, and that it comes out right and is counted."""

import gc
import json
import math
import random
import tracemalloc
from array import array
from dataclasses import asdict
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.listen.health import HealthLog
from agent.listen.intake import CHUNK_BYTES, FOLLOW, NOTE_CHUNKS, Intake, IntakeOptions
from agent.listen.vad import FRAME_BYTES
from hardware.base import AbsentChunk, AudioChunk, DualChunk
from tests.pace import effort

MS = 32  # bytes


def noise(ms=20, seed=0, level=500.0, offset=0.0):
    rng = np.random.default_rng(seed)
    sound = rng.normal(offset, level, ms * 16)
    return np.clip(sound, -32768, 32767).astype("<i2").tobytes()


SOUND = noise()


def stream(count, start_ms=0.0, pcm=SOUND):
    return [AudioChunk(pcm, start_ms + 20.0 * n) for n in range(count)]


def intake(**options):
    told = []
    made = Intake(IntakeOptions(**options), device="mic", tell=told.append)
    return made, told


def through(made, chunks):
    heard = [out for chunk in chunks for out in made.mend(chunk)]
    assert all(len(chunk.pcm) in FRAME_BYTES for chunk in heard)
    return heard


def starts(chunks):
    return [chunk.start_ms for chunk in chunks]


def test_a_clean_chunk_is_passed_on_as_it_is():
    made, told = intake()
    for chunk in stream(200):
        (out,) = made.mend(chunk)
        assert out is chunk
    assert made.health.well
    assert made.health.heard_ms == 4000
    assert made.health.words() == "nothing lost, nothing mended"
    assert told == []


@pytest.mark.parametrize("ms", [10, 20, 30])
def test_every_length_that_detectors_take_is_clean(ms):
    made, _ = intake()
    pcm = noise(ms)
    chunks = [AudioChunk(pcm, float(ms * n)) for n in range(50)]
    assert all(a is b for a, b in zip(through(made, chunks), chunks, strict=True))
    assert made.health.well


def test_a_clean_chunk_costs_next_to_nothing():
    made, chunks = intake()[0], stream(5000)
    turns = iter(range(5))

    def minutes():
        turn = next(turns)
        for chunk in chunks:
            made.mend(AudioChunk(chunk.pcm, chunk.start_ms + 100_000 * turn))

    assert effort(minutes) < 300  # 5 to 11 µs a chunk, of which there are 5000


# ── time ─────────────────────────────────────────────────────────────────────────────────────────


def test_jitter_and_drift_are_no_trouble():
    made, _ = intake()
    rng = random.Random(1)
    chunks = [
        AudioChunk(SOUND, 20.002 * n + rng.uniform(-6, 6))  # 100 ppm and a driver's jitter
        for n in range(10_000)
    ]
    assert all(a is b for a, b in zip(through(made, chunks), chunks, strict=True))
    assert made.health.well
    assert FOLLOW > 0  # without it, the drift of three minutes would be a gap


@pytest.mark.parametrize("gap_ms", [20, 30, 40, 60, 100, 110, 200])
def test_a_short_gap_is_filled_so_that_nothing_drifts(gap_ms):
    made, told = intake()
    heard = through(made, [*stream(5), *stream(5, 100 + gap_ms)])
    assert sum(len(c.pcm) for c in heard) == (200 + gap_ms) * MS
    ends = [0.0, *(c.end_ms for c in heard)]
    assert starts(heard) == pytest.approx(ends[:-1])
    filled = [c for c in heard if not any(c.pcm)]
    assert sum(c.duration_ms for c in filled) == gap_ms
    assert (made.health.dropouts, made.health.filled_ms) == (1, gap_ms)
    assert made.health.words() == f"dropouts 1 ({gap_ms} ms filled)"
    assert told == []


def test_a_long_gap_is_reported_and_not_filled():
    made, told = intake()
    heard = through(made, [*stream(5), *stream(5, 1700.0)])
    assert starts(heard) == [0, 20, 40, 60, 80, 1700, 1720, 1740, 1760, 1780]
    assert (made.health.gaps, made.health.lost_ms, made.health.dropouts) == (1, 1600, 0)
    assert told == ["mic lost 1.6 s of sound"]


def test_two_that_changed_places_are_put_in_order():
    made, _ = intake()
    chunks = stream(8)
    swapped = [*chunks[:3], chunks[4], chunks[3], *chunks[5:]]
    assert through(made, swapped) == chunks
    assert (made.health.reordered, made.health.dropouts, made.health.late) == (1, 0, 0)


def test_what_comes_too_late_or_twice_is_dropped():
    made, _ = intake()
    chunks = stream(10)
    late = [*chunks[:3], *chunks[4:7], chunks[3], chunks[6], *chunks[7:]]
    heard = through(made, late)
    assert starts(heard) == starts(chunks)
    assert not any(heard[3].pcm)
    assert (made.health.late, made.health.dropouts) == (2, 1)


@pytest.mark.parametrize("stall_ms", [60, 100, 140, 190])
def test_a_stall_that_delivers_everything_late_loses_nothing(stall_ms):
    """A device that stamps as it delivers: nothing for a while, then all of it at once."""
    made, _ = intake()
    sounds = [noise(seed=n) for n in range(40)]
    stuck = stall_ms // 20
    stamps = [20.0 * n for n in range(10)]
    stamps += [200.0 + stall_ms + 0.3 * n for n in range(stuck)]
    stamps += [20.0 * n for n in range(10 + stuck, 40)]
    chunks = [AudioChunk(pcm, at) for pcm, at in zip(sounds, stamps, strict=True)]
    heard = [*through(made, chunks), *made.flush()]
    assert [c.pcm for c in heard if any(c.pcm)] == sounds
    assert starts(heard) == sorted(starts(heard))
    assert heard[-1].end_ms == pytest.approx(800, abs=25)
    assert made.health.stalls == 1
    assert made.health.late == 0


def test_a_clock_that_goes_back_does_not_take_time_back():
    made, _ = intake()
    heard = through(made, [*stream(100, 5000.0), *stream(100)])
    assert len(heard) == 200
    assert starts(heard) == [5000.0 + 20 * n for n in range(200)]
    assert made.health.jumps == 1


def test_a_clock_that_goes_back_a_little_costs_a_moment():
    made, _ = intake()
    heard = through(made, [*stream(100), *stream(100, 1500.0)])
    assert starts(heard) == sorted(starts(heard))
    assert len(heard) >= 190
    assert (made.health.jumps, made.health.late) == (1, 9)


@pytest.mark.parametrize("start_ms", [math.nan, math.inf, -math.inf])
def test_a_stamp_that_is_no_time(start_ms):
    made, _ = intake()
    odd = AudioChunk(SOUND, start_ms)
    assert made.mend(odd) == ()
    chunks = stream(4)
    assert through(made, [*chunks[:2], odd, *chunks[2:]]) == chunks
    assert made.health.unreadable == 2


def test_the_end_of_the_stream_lets_go_of_what_waits():
    made, _ = intake()
    chunks = stream(5)
    heard = through(made, [*chunks[:3], chunks[4]])
    assert heard == chunks[:3]
    assert made.flush() == (chunks[4],)
    assert made.flush() == ()


# ── size and kind ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [2, 100, 642, 1000, 1024, 4096, 9999 * 2])
def test_wrong_sizes_are_cut_anew_without_losing_a_sample(size):
    made, _ = intake()
    sound = noise(2000, seed=3)
    parts = [sound[at : at + size] for at in range(0, len(sound), size)]
    at = 0.0
    heard = []
    for part in parts:
        heard += made.mend(AudioChunk(part, at))
        at += len(part) / MS
    joined = b"".join(c.pcm for c in heard)
    assert joined == sound[: len(joined)]
    assert len(sound) - len(joined) < CHUNK_BYTES + size
    assert {len(c.pcm) for c in heard} == {CHUNK_BYTES}
    assert starts(heard) == pytest.approx([20.0 * n for n in range(len(heard))])
    assert made.health.resized >= len(parts) - 1
    assert made.health.dropouts == made.health.late == 0


def test_the_size_may_change_in_the_middle():
    made, _ = intake()
    sound = noise(1000, seed=4)
    sizes = [640] * 10 + [1024] * 5 + [320] * 7 + [640] * 5
    heard, at = [], 0
    for size in sizes:
        heard += made.mend(AudioChunk(sound[at : at + size], at / MS))
        at += size
    joined = b"".join(c.pcm for c in heard)
    assert joined == sound[: len(joined)]
    assert at - len(joined) < CHUNK_BYTES
    assert starts(heard) == pytest.approx([0.0, *(c.end_ms for c in heard[:-1])])


def test_half_a_sample_is_cut_off():
    made, _ = intake()
    heard = through(made, [AudioChunk(SOUND + b"\x01", 0.0), *stream(3, 20.0)])
    assert [c.pcm for c in heard] == [SOUND] * 4
    assert made.health.resized == 1


FLOATS = np.linspace(-1, 1, 320)


@pytest.mark.parametrize(
    ("pcm", "peak"),
    [
        (array("f", FLOATS), 32767),
        (FLOATS, 32767),
        (FLOATS * 4, 32767),
        (np.full(320, np.nan), 0),
        ((FLOATS * 2**31).clip(-(2**31), 2**31 - 1).astype("<i4"), 32767),
        (np.frombuffer(SOUND, "<i2").astype(">i2"), None),
    ],
    ids=["float32", "float64", "too loud", "NaN", "int32", "big-endian"],
)
def test_what_is_not_16_bit_is_converted(pcm, peak):
    made, _ = intake()
    (heard,) = made.mend(AudioChunk(pcm, 0.0))
    assert isinstance(heard.pcm, bytes)
    values = np.frombuffer(heard.pcm, "<i2")
    assert values.max() == (peak if peak is not None else np.frombuffer(SOUND, "<i2").max())
    assert made.health.converted == 1


@pytest.mark.parametrize("kind", [bytearray, memoryview, lambda pcm: memoryview(pcm).cast("h")])
def test_any_16_bit_buffer_is_taken(kind):
    made, _ = intake()
    (heard,) = made.mend(AudioChunk(kind(SOUND), 0.0))
    assert heard.pcm == SOUND
    assert made.health.well


@pytest.mark.parametrize("pcm", [None, "sound", 7, b"", b"\x01", np.zeros(320, complex)])
def test_what_is_no_sound_is_dropped(pcm):
    made, _ = intake()
    assert made.mend(AudioChunk(pcm, 0.0)) == ()
    assert made.health.unreadable == 1
    assert through(made, stream(3)) == stream(3)


# ── level ────────────────────────────────────────────────────────────────────────────────────────


def test_clipped_chunks_are_counted_and_heard():
    made, _ = intake()
    loud = np.clip(np.frombuffer(noise(level=30_000), "<i2") * 2.0, -32768, 32767).astype("<i2")
    peak = np.frombuffer(SOUND, "<i2").copy()
    peak[100] = 32767  # one sample that touches the rail is none
    chunks = [AudioChunk(loud.tobytes(), 0.0), AudioChunk(peak.tobytes(), 20.0), *stream(3, 40.0)]
    assert through(made, chunks) == chunks
    assert made.health.clipped == 1


@pytest.mark.parametrize("offset", [-3000, 300, 3000])
def test_an_offset_is_taken_away_smoothly(offset):
    made, _ = intake()
    chunks = [AudioChunk(noise(seed=n, offset=offset), 20.0 * n) for n in range(300)]
    heard = through(made, chunks)
    assert abs(np.mean([np.frombuffer(c.pcm, "<i2").mean() for c in heard[200:]])) < 10
    # Sample by sample, what was taken away changes by no step that could be heard.
    taken = np.concatenate([
        np.frombuffer(a.pcm, "<i2").astype(float) - np.frombuffer(b.pcm, "<i2")
        for a, b in zip(chunks, heard, strict=True)
    ])  # fmt: skip
    assert np.abs(np.diff(taken)).max() <= 1 + abs(offset) / 1000
    assert made.health.offset > 250


def test_an_offset_that_goes_away_lets_the_sound_through_again():
    made, _ = intake()
    with_it = [AudioChunk(noise(seed=n, offset=1000), 20.0 * n) for n in range(200)]
    without = [AudioChunk(noise(seed=n), 4000 + 20.0 * n) for n in range(400)]
    through(made, with_it)
    heard = through(made, without)
    assert heard[0] is not without[0]
    assert all(a is b for a, b in zip(heard[300:], without[300:], strict=True))


def test_speech_has_no_offset():
    from agent.testing import voiced

    made, _ = intake()
    sound = voiced(2.0)
    chunks = [AudioChunk(sound[640 * n : 640 * n + 640], 20.0 * n) for n in range(100)]
    assert all(a is b for a, b in zip(through(made, chunks), chunks, strict=True))
    assert made.health.offset == 0


def test_a_device_that_gives_zeros_is_reported_once():
    made, told = intake(zeros_ms=1000)
    through(made, stream(49, pcm=bytes(640)))
    assert told == []
    through(made, stream(200, 49 * 20.0, bytes(640)))
    assert told == [
        "mic has given no sound at all for 1 s: is it muted, or switched off for privacy?"
    ]
    assert made.health.zeros_ms == 249 * 20
    through(made, stream(10, 249 * 20.0))  # it is back
    through(made, stream(100, 259 * 20.0, bytes(640)))
    assert len(told) == 2
    assert made.health.zeros_ms == 349 * 20


def test_padding_is_not_a_dead_device():
    made, told = intake()
    through(made, [*stream(50), *stream(75, 1000.0, bytes(640)), *stream(50, 2500.0)])
    assert told == []
    assert made.health.well


def test_a_device_that_is_away_is_counted_as_that():
    made, told = intake(zeros_ms=100)
    away = [AbsentChunk(bytes(640), 20.0 * n) for n in range(5, 105)]
    heard = through(made, [*stream(5), *away, *stream(5, 2100.0), AbsentChunk(bytes(640), 2200.0)])
    assert starts(heard) == [20.0 * n for n in range(111)]
    assert (made.health.absences, made.health.absent_ms) == (2, 2020)
    assert made.health.zeros_ms == 0
    assert told == []


# ── all of it ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_time_goes_on_and_sizes_are_right(seed):
    rng = random.Random(seed)
    made, _ = intake()
    at, heard = 0.0, []
    for _ in range(400):
        at += rng.choice([20, 20, 20, 20, 20, 20.3, 19.5, 40, 0, -20, 130, 900, -5000, 7.7])
        size = rng.choice([640, 640, 640, 640, 320, 960, 641, 1, 0, 5000])
        pcm = rng.choice([noise(400, seed=1), bytes(32_000), b"\xff\x7f" * 8000])[:size]
        heard += made.mend(AudioChunk(pcm, at))
    heard += made.flush()
    assert all(len(c.pcm) in FRAME_BYTES for c in heard)
    for before, after in pairwise(heard):
        assert after.start_ms >= before.end_ms - 30  # jitter of 15 ms either way
    assert sum(c.duration_ms for c in heard) == pytest.approx(made.health.heard_ms)


def test_an_hour_keeps_nothing_but_numbers():
    """Speech for ten minutes, then silence, then all of a stream's troubles; a minute each."""
    made, _ = intake()
    rng = random.Random(5)
    troubled = [
        AudioChunk(SOUND[: rng.choice([640, 640, 640, 500])], 20.0 * n + rng.choice([0, 0, 60]))
        for n in range(3000)
    ]
    for chunk in stream(500):
        made.mend(chunk)
    for chunk in troubled[:500]:
        made.mend(AudioChunk(chunk.pcm, 10_000 + chunk.start_ms))
    tracemalloc.start()
    for n in range(3000):
        made.mend(AudioChunk(SOUND, 20_000 + 20.0 * n))
    for n in range(3000):
        made.mend(AudioChunk(bytes(640), 80_000 + 20.0 * n))
    for chunk in troubled:
        made.mend(AudioChunk(chunk.pcm, 140_000 + chunk.start_ms))
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 10_000


def test_the_counters_are_kept_when_there_is_trouble_and_at_the_end(tmp_path):
    now_s = 0.0
    log = HealthLog(tmp_path, lambda: now_s)
    made = Intake(device="mic", health_log=log, tell=lambda line: None)
    file = tmp_path / "listening.json"
    for chunk in stream(NOTE_CHUNKS):
        made.mend(chunk)
    first = file.read_text()
    now_s = 60.0
    for chunk in stream(NOTE_CHUNKS, NOTE_CHUNKS * 20.0):
        made.mend(chunk)
    assert file.read_text() == first  # nothing new to tell
    for chunk in stream(2 * NOTE_CHUNKS, NOTE_CHUNKS * 40.0 + 40.0):
        made.mend(chunk)
    assert HealthLog(tmp_path).load().dropouts == 1
    made.close()
    assert HealthLog(tmp_path).load() == made.health


# ── hostile chunks ───────────────────────────────────────────────────────────────────────────────

ODD_TIMES = [
    math.nan, math.inf, -math.inf, 1e308, -1e308, 1e15, 1e12, -1.0, 5e-324, 2**63, 10**400, None,
    "20", True, 1j, np.float32(40), np.nan, b"", Decimal("nan"),
]  # fmt: skip
LONG = noise(400)
ODD_SOUNDS = [
    *(LONG[:n] for n in (0, 1, 2, 319, 320, 639, 641, 960, 5000)),
    None, "sound", 7, np.zeros(320), array("f", [math.nan] * 320), [1, 2],
]  # fmt: skip
NO_CHUNKS = [None, b"sound", 7, SOUND, (SOUND, 0.0)]


def hostile(rng, at_ms):
    """A chunk that may be anything, most often nearly right."""

    def sound():
        return SOUND if rng.random() < 0.7 else rng.choice(ODD_SOUNDS)

    time_ms = at_ms if rng.random() < 0.6 else rng.choice(ODD_TIMES)
    match rng.choice(["air", "air", "air", "dual", "absent", "none"]):
        case "none":
            return rng.choice(NO_CHUNKS)
        case "dual":
            return DualChunk(sound(), time_ms, sound())
        case "absent":
            return AbsentChunk(sound(), time_ms)
    return AudioChunk(sound(), time_ms)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.floats(), min_size=20, max_size=20))
def test_no_chunk_whatever_it_is_stops_listening(seed, times):
    """Twenty thousand of them: what comes out is sound, with times that can be calculated with."""
    rng, (made, _) = random.Random(seed), intake()
    chunks = [hostile(rng, rng.choice([20.0 * n, at_ms])) for n, at_ms in enumerate(times)]
    heard = [out for chunk in chunks for out in made.mend(chunk)]
    heard += made.flush()
    for chunk in heard:
        assert math.isfinite(chunk.start_ms)
        assert type(chunk.pcm) is bytes
        assert len(chunk.pcm) in FRAME_BYTES
        if isinstance(chunk, DualChunk):
            assert len(chunk.air) == len(chunk.pcm)
    assert math.isfinite(made.health.lost_ms)
    assert json.dumps(asdict(made.health), allow_nan=False)


@pytest.mark.parametrize("odd", [1e12, 9e9, -9e9, math.nan, 1e308, -1e308, 1e17])
def test_a_single_odd_stamp_costs_no_more_than_its_chunk(odd):
    made, _ = intake()
    sounds = [noise(seed=n) for n in range(40)]
    chunks = [AudioChunk(pcm, 20.0 * n) for n, pcm in enumerate(sounds)]
    chunks[20] = AudioChunk(sounds[20], odd)
    heard = through(made, chunks)
    assert [c.pcm for c in heard if c.pcm not in sounds] in ([], [bytes(640)])
    assert starts(heard) == pytest.approx([20.0 * n for n in range(40)])
    assert not made.health.well


@pytest.mark.parametrize("air", [b"", b"\x01", SOUND[:-2], SOUND + b"\x01", None, "air", [1]])
def test_air_that_does_not_fit_the_bone_is_left_out(air):
    made, _ = intake()
    (heard,) = made.mend(DualChunk(SOUND, 0.0, air))
    assert type(heard) is AudioChunk
    assert heard.pcm == SOUND
    assert not made.health.well
    whole = DualChunk(SOUND, 20.0, SOUND)
    assert made.mend(whole) == (whole,)
