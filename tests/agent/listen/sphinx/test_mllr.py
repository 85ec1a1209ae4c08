"""The linear transform: known ones are found again, and pocketsphinx applies what is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("pocketsphinx")

import numpy as np

from agent.listen.sphinx import mllr
from agent.listen.sphinx.acoustic import Alignment, load
from agent.listen.sphinx.decoder import model_folder
from agent.listen.sphinx.mllr import LEAST_SPREAD, Transform, estimate, nats_a_frame, unchanged
from tests.agent.listen.speakers import LINES, needs_voices, said

pytestmark = pytest.mark.slow


def speaker(
    frames: int, rotation: float = 1.0, shift: float = 0.0, spread: float = 1.0, seed: int = 1
) -> list[Alignment]:
    """Speech drawn from the model itself, every mean of it moved and every variance scaled."""
    model, rng = load(), np.random.default_rng(seed)
    phones = [n for n, phone in enumerate(model.phones) if phone[0] != "+" and phone != "SIL"]
    codebooks = rng.choice(phones, frames)
    senones = 3 * codebooks + rng.integers(0, 3, frames)  # states of phones without context
    features = np.empty((3, frames, 13))
    for at, (codebook, senone) in enumerate(zip(codebooks, senones, strict=True)):
        for stream in range(3):
            weights = np.exp(model.log_weights[stream][:, senone])
            gaussian = rng.choice(128, p=weights / weights.sum())
            mean = rotation * model.means[codebook, stream, gaussian] + shift
            variance = spread * model.variances[codebook, stream, gaussian]
            features[stream, at] = rng.normal(mean, np.sqrt(variance))
    return [Alignment(features, senones, codebooks, -3.0)]


@pytest.fixture
def still(monkeypatch):
    """Leave the mean cepstrum alone: drawn speech has the model's own already."""
    plain = unchanged

    def zero_mean(alignments):
        return replace(plain(alignments), cepstral_mean=np.zeros(13))

    monkeypatch.setattr("agent.listen.sphinx.mllr.unchanged", zero_mean)


def test_a_known_transform_is_found_again():
    """From what each Gaussian was responsible for; the average speaker's share is too small."""
    model, rng = load(), np.random.default_rng(1)
    rotation = np.eye(13) * 0.8 + rng.normal(0, 0.05, (13, 13))
    shift = rng.normal(0, 1, 13)
    means = model.means[:, 1] @ rotation.T + shift
    count = rng.uniform(50, 150, means.shape[:2])
    squares = means**2 + 1.5 * model.variances[:, 1]
    found = mllr._solve(1, count, count[..., None] * means, count[..., None] * squares)
    assert found[0] == pytest.approx(rotation, abs=0.01)
    assert found[1] == pytest.approx(shift, abs=0.01)
    assert found[2] == pytest.approx(np.full(13, 1.5), abs=0.01)


def test_the_average_speaker_is_left_alone(still):
    found = estimate(speaker(4000))
    diagonal = np.array([np.diag(rotation) for rotation in found.rotation])
    assert np.median(np.abs(diagonal - 1)) < 0.05
    assert np.median(np.abs(found.shift)) < 0.1


def test_half_a_second_moves_little_where_a_minute_moves_much(still):
    little = estimate(speaker(50, shift=3.0))
    much = estimate(speaker(4000, shift=3.0))
    apart = [np.abs(t.gaussians()[0] - load().means).mean() for t in (little, much)]
    assert np.isfinite(apart).all()
    assert apart[0] < 0.6 * apart[1]


def test_variances_are_never_narrowed(still):
    found = estimate(speaker(3000, spread=0.5))
    assert (found.spread == LEAST_SPREAD).all()


def test_what_was_read_becomes_likelier_and_what_was_not_read_too(still):
    read, held_out = speaker(3000, shift=3.0), speaker(1000, shift=3.0, seed=2)
    found = estimate(read)
    for alignments in (read, held_out):
        plain = replace(unchanged(alignments), cepstral_mean=np.zeros(13))
        assert nats_a_frame(alignments, found) > nats_a_frame(alignments, plain) + 0.5


@needs_voices
def test_pocketsphinx_applies_what_is_written(tmp_path):
    """No change scores as without; moved means score as means moved in the model's own file."""
    from pocketsphinx import Config, Decoder

    def score(**settings: str) -> float:
        decoder = Decoder(
            Config(hmm=str(model_folder()), lm=None, loglevel="FATAL", bestpath=False, **settings)
        )
        decoder.set_align_text(LINES[0])
        decoder.start_utt()
        decoder.process_raw(said(LINES[0]), full_utt=True)
        decoder.end_utt()
        return sum(np.log(segment.ascore) for segment in decoder.seg())

    none = Transform(
        np.broadcast_to(np.eye(13), (3, 13, 13)), np.zeros((3, 13)), np.ones((3, 13)), np.zeros(13)
    )
    moved = replace(none, rotation=none.rotation * 0.9, shift=none.shift + 0.2)
    none.write(tmp_path / "none")
    moved.write(tmp_path / "moved")
    raw = (model_folder() / "means").read_bytes()
    values = moved.gaussians()[0].astype("<f4").tobytes()
    header = raw[: len(raw) - len(values) - 4].replace(b"chksum0 yes", b"chksum0 no ")
    header = header.replace(b"chksum0", b"comment")  # pocketsphinx sums when it sees the word
    (tmp_path / "means").write_bytes(header + values)
    plain = score()
    assert score(mllr=str(tmp_path / "none")) == plain
    by_file = score(mean=str(tmp_path / "means"))
    assert by_file != plain
    assert score(mllr=str(tmp_path / "moved")) == pytest.approx(by_file, rel=1e-3)
