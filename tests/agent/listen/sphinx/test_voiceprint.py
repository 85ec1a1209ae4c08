"""Who speaks: voices of flite and espeak-ng, and no voice at all."""

import numpy as np
import pytest

pytest.importorskip("pocketsphinx")

from agent.errors import EngineError
from agent.listen.sphinx import pitch, voiceprint
from agent.listen.sphinx.voiceprint import GaussianVoiceprint, hear, probability
from agent.loop.respond import SURE_OF_WEARER
from agent.testing import voiced
from tests.agent.listen.speakers import LINES, needs_voices, said


def engine_of(robot):
    engine = GaussianVoiceprint()
    engine.know(engine.enroll([said(text, robot) for text in LINES[:8]]))
    return engine


@pytest.mark.slow
@needs_voices
@pytest.mark.parametrize("robot", [True, False])
def test_a_voice_is_told_from_another_by_lines_it_was_not_enrolled_with(robot):
    engine = engine_of(robot)
    for text in LINES[8:]:
        assert engine.wearer(said(text, robot)) >= SURE_OF_WEARER
        assert engine.wearer(said(text, not robot)) < SURE_OF_WEARER


@needs_voices
def test_a_quieter_microphone_is_no_other_voice():
    engine = engine_of(False)
    loud = np.frombuffer(said(LINES[9]), "<i2")
    quiet = (loud // 4).astype("<i2").tobytes()
    assert abs(engine.score(hear(quiet)) - engine.score(hear(loud.tobytes()))) < 0.3


def test_too_little_to_enrol_and_too_little_to_tell():
    engine = GaussianVoiceprint()
    with pytest.raises(EngineError, match=r"10 s of speech, there were \d: read more"):
        engine.enroll([voiced(3)])
    with pytest.raises(EngineError, match="no voice is known"):
        engine.wearer(voiced(1))
    engine.know(engine.enroll([voiced(9), voiced(10)]))
    for little in (b"", b"\0", bytes(64_000), voiced(0.2)):
        assert engine.wearer(little) is None


def test_noise_is_no_voice():
    rng = np.random.default_rng(0)
    hiss = rng.normal(0, 3000, 16_000 * 30) * np.repeat(rng.random(300) > 0.5, 1600)
    with pytest.raises(EngineError, match="only noise"):
        GaussianVoiceprint().enroll([np.clip(hiss, -32_000, 32_000).astype("<i2").tobytes()])


def test_the_same_sound_gives_the_same_profile():
    takes = [voiced(9), voiced(10)]
    assert GaussianVoiceprint().enroll(takes) == GaussianVoiceprint().enroll(takes)


def test_a_profile_is_small_and_whole():
    engine = GaussianVoiceprint()
    profile = engine.enroll([voiced(9), voiced(10)])
    assert len(profile) < 100_000
    other = GaussianVoiceprint()
    other.know(profile)
    for cut in (len(profile) // 2, len(profile) - 10):
        with pytest.raises(EngineError, match="glasses enroll --voice"):
            other.know(profile[:cut])


def test_the_more_was_said_the_surer_it_is():
    far = voiceprint.MIDDLE + 0.5
    assert 0.5 < probability(far, 40) < probability(far, 100) < probability(far, 400) <= 1
    assert probability(voiceprint.MIDDLE, 100) == pytest.approx(0.5)
    assert probability(-1e9, 100) < 1e-9
    assert probability(1e9, 100) > 1 - 1e-9


@pytest.mark.parametrize("hz", [90, 120, 180, 220, 300])
def test_the_pitch_of_a_buzz(hz):
    n = np.arange(16_000)
    buzz = sum(np.sin(2 * np.pi * hz * k * n / 16_000) / k for k in range(1, 12)) * 3000
    found = pitch.track(buzz)
    assert len(found) > 20
    assert np.exp(np.median(found)) == pytest.approx(hz, rel=0.05)
    own, other = np.log(hz), np.log(hz * 1.5)
    assert pitch.ratio(found, own) > 0.5 > pitch.ratio(found, other)
    assert pitch.BOUNDS[0] <= pitch.ratio(found, other)


def test_what_has_no_pitch_says_nothing():
    assert pitch.ratio(pitch.track(np.zeros(100)), 5.0) == 0
    assert len(pitch.track(np.random.default_rng(0).normal(0, 1000, 16_000))) < pitch.LEAST
