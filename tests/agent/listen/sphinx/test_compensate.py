"""Cepstra as the decoder's own, and speech in noise taken back towards speech alone."""

import numpy as np
import pytest

from agent.listen.sphinx.acoustic import Aligner
from agent.listen.sphinx.compensate import Compensator
from agent.listen.sphinx.features import NoiseRemoval, cepstra, powers
from hardware.audio import read
from hardware.spoken import clips

LEAD = 16_000


@pytest.fixture(scope="module")
def speech():
    (path,) = [clip for clip in clips() if "navigate" in clip.name]
    return np.frombuffer(read(path), "<i2").astype(np.float64)


def noisy(speech, snr_db, seed=1):
    """Return a second of noise, and the speech in it."""
    noise = np.random.default_rng(seed).normal(size=LEAD + len(speech))
    noise = np.convolve(noise, [1, 0.7, 0.4], "same")  # duller than white
    gain = np.sqrt((speech**2).mean() / (noise**2).mean() / 10 ** (snr_db / 10))
    mixed = noise * gain + np.concatenate([np.zeros(LEAD), speech])
    pcm = np.clip(np.rint(mixed), -32768, 32767).astype("<i2")
    return pcm[:LEAD].tobytes(), pcm[LEAD:].tobytes()


def test_the_cepstra_are_the_decoders(speech):
    aligner = Aligner()
    pcm = speech.astype("<i2").tobytes()
    aligned = aligner.align("navigate to the pharmacy", pcm)
    aligner.close()
    ours = cepstra(NoiseRemoval().clean(powers(speech)))
    theirs = aligned.features[0]
    frames = min(len(ours), len(theirs))
    assert abs(len(ours) - len(theirs)) <= 2
    settled = slice(frames // 2, frames)  # the removal of noise begins from what was heard before
    assert np.abs(ours[settled] - theirs[settled]).max() < 0.05


@pytest.mark.parametrize("snr_db", [18, 12, 6])
def test_noise_is_taken_off(speech, snr_db):
    before, in_noise = noisy(speech, snr_db)
    cleaned, channel = Compensator().clean(before, in_noise)
    alone = cepstra(NoiseRemoval().clean(powers(speech)))
    heard = cepstra(NoiseRemoval().clean(powers(np.frombuffer(in_noise, "<i2").astype(float))))
    loud = alone[:, 0] > np.percentile(alone[:, 0], 50)  # in the pauses there is no speech to find
    error = np.abs(cleaned - alone)[loud].mean()
    assert error < 0.9 * np.abs(heard - alone)[loud].mean()
    assert channel.shape == (13,)


def test_what_is_too_short_comes_as_it_is():
    cleaned, channel = Compensator().clean(b"", bytes(3200))
    assert cleaned.shape == (8, 13)
    assert np.isfinite(channel).all()
    assert len(Compensator().clean(b"", b"")[0]) == 0


def test_silence_is_no_trouble():
    cleaned, channel = Compensator().clean(bytes(32_000), bytes(64_000))
    assert np.isfinite(cleaned).all()
    assert np.isfinite(channel).all()
