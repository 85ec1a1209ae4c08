"""The acoustic model as numbers: they must be the decoder's own."""

from __future__ import annotations

import pytest

pytest.importorskip("pocketsphinx")

import numpy as np

from agent.language.pronounce import pronounce
from agent.listen.sphinx import acoustic
from agent.listen.sphinx.acoustic import Aligner, Alignment, differences, load, log_likelihoods
from agent.listen.sphinx.decoder import model_folder
from agent.listen.sphinx.enroll import NATS_A_FRAME
from tests.agent.listen.speakers import LINES, needs_voices, said


@pytest.fixture(scope="module")
def aligned() -> Alignment:
    aligner = Aligner()
    alignment = aligner.align(LINES[0], said(LINES[0]))
    aligner.close()
    assert alignment is not None
    return alignment


def test_the_model_is_42_phones_of_three_streams_of_128_gaussians():
    model = load()
    assert model.means.shape == model.variances.shape == (42, 3, 128, 13)
    assert model.log_weights.shape[:2] == (3, 128)
    assert len(model.phones) == 42
    assert {"SIL", "AA", "ZH"} < set(model.phones)
    assert (model.variances > 0).all()


def test_mixture_weights_of_every_senone_sum_to_about_one():
    sums = np.exp(load().log_weights).sum(axis=1)
    assert 0.8 < sums.min() <= sums.max() < 1.1  # kept in steps of a tenth of a nat


def test_differences_span_four_frames_and_second_ones_two_of_those():
    ramp = np.arange(20.0)[:, None] * np.ones(13)
    _, first, second = differences(ramp)
    assert (first[4:-4] == 4).all()
    assert (second[4:-4] == 0).all()
    _, _, second = differences(ramp**2)
    assert (second[4:-4] == 16).all()  # of t²: d = 8t, and from t-1 to t+1 that grows by 16


def test_likelihoods_are_those_of_gaussians():
    x, mean, variance = np.full((1, 13), 2.0), np.zeros((1, 13)), np.full((1, 13), 4.0)
    nats = log_likelihoods(x, mean, variance)
    assert nats[0, 0] == pytest.approx(13 * (-0.5 * np.log(2 * np.pi * 4) - 0.5))


@needs_voices
def test_an_alignment_has_a_state_for_every_frame_and_natural_speech_scores_well(aligned):
    count = aligned.features.shape[1]
    assert aligned.features.shape == (3, count, 13)
    assert len(aligned.senones) == len(aligned.codebooks) == count
    heard = [load().phones[codebook] for codebook in aligned.codebooks]
    order = [p for at, p in enumerate(heard) if at == 0 or heard[at - 1] != p]
    assert "K AE N Y UW" in " ".join(order).replace("SIL ", "")  # can you
    assert aligned.score > NATS_A_FRAME / 2


@needs_voices
def test_another_sentence_does_not_fit():
    aligner = Aligner()
    other = aligner.align(LINES[1], said(LINES[0]))
    longer = aligner.align(f"{LINES[0]} and a bath towel", said(LINES[0]))
    again = aligner.align(LINES[0], said(LINES[0]))
    aligner.close()
    assert other is None or other.score < NATS_A_FRAME
    assert longer is None or longer.score < NATS_A_FRAME
    assert again is not None


@needs_voices
def test_our_scores_are_the_decoders(tmp_path):
    """The decoder logs the score of each senone in each frame; ours differ by rounding alone."""
    from pocketsphinx import Config, Decoder

    pcm = said(LINES[0])
    model = load()
    folder = str(model_folder())
    decoder = Decoder(
        Config(
            hmm=folder, lm=None, dict=None, loglevel="FATAL", bestpath=False, compallsen=True,
            senlogdir=str(tmp_path), mfclogdir=str(tmp_path),
        )
    )  # fmt: skip
    for word in set(LINES[0].split()):
        decoder.add_word(word, pronounce([word])[word].phones[0], False)
    decoder.set_align_text(LINES[0])
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    log = (tmp_path / "000000000.sen").read_bytes()
    senones = model.log_weights.shape[2]
    theirs = np.frombuffer(log[log.index(b"endhdr\n") + 11 :], "<i2").reshape(-1, senones + 1)
    raw = (tmp_path / "000000000.mfc").read_bytes()
    cepstra = np.frombuffer(raw, ">f4", offset=4).reshape(-1, 13).astype(np.float64)
    features = differences(cepstra - cepstra[cepstra[:, 0] >= 0].mean(axis=0))
    phones = [model.phones.index(phone) for phone in ("AA", "IY", "S", "N")]
    ours = np.zeros((len(cepstra), len(phones)))  # the middle states of phones without context
    for at, phone in enumerate(phones):
        for stream in range(3):
            means, variances = model.means[phone, stream], model.variances[phone, stream]
            nats = log_likelihoods(features[stream], means, variances)
            nats[nats < np.sort(nats, axis=1)[:, -4:-3]] = -np.inf  # it takes the best four
            nats += model.log_weights[stream][:, 3 * phone + 1]
            ours[:, at] += np.logaddexp.reduce(nats, axis=1)
    theirs_nats = -acoustic.STEP_NATS * theirs[:, [1 + 3 * phone + 1 for phone in phones]]
    assert len(theirs) == len(cepstra)
    apart = (ours - ours[:, :1]) - (theirs_nats - theirs_nats[:, :1])
    assert np.median(np.abs(apart[:, 1:])) < 0.3  # of differences that go up to 40 nats
