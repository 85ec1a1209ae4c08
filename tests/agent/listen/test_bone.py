"""The front end on sound whose spectrum is known, and the simulation that makes bone-like sound."""

import numpy as np
import pytest

from agent.listen.bone import (
    TAPS,
    BoneFrontEnd,
    FrontEnd,
    minimum_phase,
    restoring,
)
from agent.listen.vad import WebRtcVad
from agent.loop.stream import AIR_VAD_MODE
from agent.testing.bone import BoneSimulation, bone_like, mixed
from hardware.audio import read
from hardware.base import AudioChunk, BoneProfile, DualChunk
from tests.pace import effort
from tests.shared import MISSING, orders

PROFILE = BoneProfile(
    band_hz=2400, gain_db=0.0, vad_mode=3, corner_hz=1000, slope_db_per_octave=12.0, boost_db=12.0
)
RATE = 16_000


def tone(hz, seconds=1.0, level=3000.0):
    n = np.arange(round(seconds * RATE))
    return np.rint(level * np.sin(2 * np.pi * hz / RATE * n)).astype("<i2").tobytes()


def chunks(pcm, size=640):
    return [AudioChunk(pcm[at : at + size], at / 32) for at in range(0, len(pcm), size)]


def heard(front, pcm, size=640):
    """All that the recogniser hears."""
    return b"".join(front.restore(chunk).words for chunk in chunks(pcm, size))


def level_db(pcm, skip=1600):
    samples = np.frombuffer(pcm, "<i2").astype(float)[skip:]
    return 10 * np.log10(np.mean(samples**2))


def gained_db(hz, profile=PROFILE):
    sound = tone(hz, level=300.0)
    return level_db(heard(BoneFrontEnd(profile), sound)) - level_db(sound)


def test_what_was_said_is_what_one_microphone_heard():
    assert isinstance(BoneFrontEnd(PROFILE), FrontEnd)
    chunk = AudioChunk(tone(500, 0.02), 40.0)
    assert chunk.words is chunk.pcm


@pytest.mark.parametrize(
    ("hz", "db"), [(200, 0), (500, 0), (1000, 0), (1414, 6), (2000, 12), (2400, 12), (6000, 0)]
)
def test_the_equaliser_is_the_inverse_of_the_way_within_its_bounds(hz, db):
    assert gained_db(hz) == pytest.approx(db, abs=1.0)


def test_the_boost_is_bounded():
    steep = BoneProfile(4000, 0.0, 3, 500, 18.0, 6.0)
    gains = [gained_db(hz, steep) for hz in range(200, 8000, 300)]
    assert max(gains) < 7
    noise = np.random.default_rng(1).normal(0, 50, RATE).astype("<i2").tobytes()
    assert level_db(heard(BoneFrontEnd(steep), noise)) - level_db(noise) < 6


def test_the_gain_of_the_profile_is_given():
    loud = BoneProfile(2400, 20.0, 3, 1000, 12.0, 12.0)
    assert gained_db(500, loud) == pytest.approx(20, abs=0.5)
    front = BoneFrontEnd(loud)
    values = np.frombuffer(heard(front, tone(500, level=30_000)), "<i2")
    assert (values.min(), values.max()) == (-32768, 32767)  # full scale, not wrapped around


def test_it_adds_no_delay():
    click = np.zeros(640, "<i2")
    click[300] = 10_000
    out = np.frombuffer(heard(BoneFrontEnd(PROFILE), click.tobytes()), "<i2")
    assert np.argmax(np.abs(out)) == 300
    assert not out[:300].any()


@pytest.mark.parametrize("size", [320, 640, 960])
def test_chunk_by_chunk_is_the_same_as_all_at_once(size):
    sound = np.random.default_rng(2).normal(0, 2000, 9600).astype("<i2").tobytes()
    whole = heard(BoneFrontEnd(PROFILE), sound, len(sound))
    assert heard(BoneFrontEnd(PROFILE), sound, size) == whole


def test_the_filter_is_short_enough_to_be_one():
    gain = restoring(PROFILE)
    made = np.abs(np.fft.rfft(minimum_phase(gain), 2 * (len(gain) - 1)))
    assert np.max(np.abs(20 * np.log10(made / gain))) < 1.0
    assert len(minimum_phase(gain)) == TAPS


def test_the_times_of_a_chunk_stay():
    chunk = AudioChunk(tone(300, 0.02), 1234.5)
    assert BoneFrontEnd(PROFILE).restore(chunk).start_ms == 1234.5


def test_bone_decides_who_speaks_and_air_what_was_said():
    bone, air = tone(300, 0.02), tone(3000, 0.02)
    both = BoneFrontEnd(PROFILE).restore(DualChunk(bone, 20.0, air))
    assert both.words is air
    alone = BoneFrontEnd(PROFILE).restore(AudioChunk(bone, 20.0))
    assert alone.words is alone.pcm
    assert both.pcm == alone.pcm
    # The air's sound is lost for a moment: the bone's is heard, without a seam in the filter.
    sound = np.random.default_rng(3).normal(0, 2000, 960).astype("<i2").tobytes()
    one, two = BoneFrontEnd(PROFILE), BoneFrontEnd(PROFILE)
    one.restore(DualChunk(sound[:640], 0.0, air))
    two.restore(AudioChunk(sound[:640], 0.0))
    rest = AudioChunk(sound[640:1280], 20.0)
    assert one.restore(rest) == two.restore(rest)


def conversation(front, air_noise, quiet=40):
    """For each of six turns of 35 chunks of speech and some of quiet, which the bone was heard."""
    rng = np.random.default_rng(7)
    used = []
    for n in range(6 * (35 + quiet)):
        level = 3000 if n % (35 + quiet) < 35 else 0
        bone = rng.normal(0, 30 + level / 10, 320).astype("<i2").tobytes()
        air = rng.normal(0, np.hypot(level, air_noise), 320).clip(-32768, 32767).astype("<i2")
        chunk = front.restore(DualChunk(bone, 20.0 * n, air.tobytes()))
        used.append(not isinstance(chunk, DualChunk))
    return np.array(used).reshape(6, -1)


@pytest.mark.parametrize(("snr_db", "bone"), [(24, False), (12, False), (0, True), (-6, True)])
def test_where_the_air_is_full_of_noise_the_bone_tells_what_was_said(snr_db, bone):
    used = conversation(BoneFrontEnd(PROFILE), 3000 * 10 ** (-snr_db / 20))
    assert not used[0].any()  # not known before the wearer has spoken
    assert used[3:].all() == used[3:].any() == bone


@pytest.mark.parametrize("chunks_away", [10, 200])
def test_silence_from_a_device_does_not_disturb_the_judgement(chunks_away):
    front = BoneFrontEnd(PROFILE)
    assert not conversation(front, 200).any()
    for _ in range(chunks_away):
        front.restore(DualChunk(bytes(640), 0.0, bytes(640)))
    assert conversation(front, 6000)[3:].all()


def test_it_is_not_judged_in_the_midst_of_an_utterance():
    assert not conversation(BoneFrontEnd(PROFILE), 6000, quiet=20).any()  # pauses of 0.4 s


def test_a_chunk_costs_little():
    front, chunk = BoneFrontEnd(PROFILE), AudioChunk(tone(700, 0.02), 0.0)

    def second():
        for _ in range(50):
            front.restore(chunk)

    assert effort(second, rounds=20) < 5  # 26 µs a chunk


# ── The simulation ───────────────────────────────────────────────────────────────────────────────

QUIET = BoneSimulation(noise_db=-200, body_db=-200)


@pytest.mark.parametrize(
    ("hz", "db"), [(250, 0), (1000, 0), (2000, -12), (2400, -15.2), (4800, -75.2)]
)
def test_it_weakens_as_it_says(hz, db):
    sound = tone(hz, level=20_000)
    assert level_db(bone_like(sound, QUIET)) - level_db(sound) == pytest.approx(db, abs=2.0)


def test_its_noise_is_as_strong_as_it_says():
    sound = tone(500, level=8000)
    for way, db in ((BoneSimulation(body_db=-200), -30), (BoneSimulation(noise_db=-200), -25)):
        noise = np.frombuffer(bone_like(sound, way), "<i2") - np.frombuffer(sound, "<i2").astype(
            int
        )
        assert level_db(noise.astype("<i2").tobytes()) - level_db(sound) == pytest.approx(db, abs=2)


def test_others_are_heard_weakly_and_the_same_again():
    sound, room = tone(500, level=8000), tone(700, level=8000)
    both = bone_like(sound, QUIET, others=room[:4000])
    apart = np.frombuffer(both, "<i2").astype(int) - np.frombuffer(sound, "<i2")
    assert level_db(apart.astype("<i2").tobytes()) - level_db(sound) == pytest.approx(-20, abs=1)
    assert bone_like(sound, seed=4) == bone_like(sound, seed=4) != bone_like(sound, seed=5)
    assert bone_like(b"") == b""


def test_noise_is_mixed_at_its_ratio():
    sound = tone(500, level=3000)
    noise = np.random.default_rng(5).normal(0, 200, 8000).astype("<i2").tobytes()
    both, room = mixed(sound, noise, 6.0)
    assert level_db(sound) - level_db(room) == pytest.approx(6, abs=0.2)
    assert len(both) == len(room) == len(sound)


def test_restored_sound_is_nearer_to_the_original():
    """On a recorded command: the long-term spectrum, 1 to 2.4 kHz."""
    if not orders():
        pytest.skip(MISSING)
    sound = read(orders()[0].path)
    sound = sound[: len(sound) // 640 * 640]

    def spectrum(pcm):
        frames = np.frombuffer(pcm, "<i2").astype(float).reshape(-1, 320)
        power = (np.abs(np.fft.rfft(frames * np.hanning(320), axis=1)) ** 2).mean(axis=0)
        return 10 * np.log10(power[20:48])

    bone = bone_like(sound)
    off_raw = np.abs(spectrum(bone) - spectrum(sound)).mean()
    off_restored = np.abs(spectrum(heard(BoneFrontEnd(PROFILE), bone)) - spectrum(sound)).mean()
    assert off_restored < 0.5 * off_raw


def marks(pcm, front=None):
    """Which frames are taken for speech; without a front end, those of sound through the air."""
    vad = WebRtcVad(AIR_VAD_MODE if front is None else front.vad_mode)
    heard = [chunk if front is None else front.restore(chunk) for chunk in chunks(pcm)]
    return np.array([vad.is_speech(chunk.pcm) for chunk in heard])


def test_the_wearer_is_heard_and_a_neighbour_hardly():
    """What the bone microphone is for; the neighbour is as loud at the glasses as the wearer."""
    if not orders():
        pytest.skip(MISSING)
    air, bone = np.zeros(2), np.zeros(2)
    for number in range(0, 16, 2):
        wearer, neighbour = (read(order.path) for order in orders()[number : number + 2])
        size = min(len(wearer), len(neighbour)) // 640 * 640
        wearer, nothing = wearer[:size], bytes(size)
        _, neighbour = mixed(wearer, neighbour[:size], 0.0)
        sound = bone_like(wearer + nothing, others=nothing + neighbour, seed=number)
        air += marks(wearer + neighbour).reshape(2, -1).sum(axis=1)
        bone += marks(sound, BoneFrontEnd(PROFILE)).reshape(2, -1).sum(axis=1)
    assert bone[0] > 0.9 * air[0]
    assert bone[1] < 0.4 * air[1]
