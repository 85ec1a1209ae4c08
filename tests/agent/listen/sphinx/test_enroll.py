"""Enrolment: which sentences, which takes, what is kept, and that it helps."""

from __future__ import annotations

import json
import struct

import pytest

pytest.importorskip("pocketsphinx")

import numpy as np

from agent.errors import EngineError
from agent.language.pronounce import pronounce
from agent.listen.sphinx import enroll
from agent.listen.sphinx.acoustic import Aligner
from agent.listen.sphinx.enroll import (
    Chooser,
    Comparison,
    Take,
    choose,
    fault,
    find,
    forget,
    save,
    trimmed,
)
from agent.listen.sphinx.mllr import Transform, estimate
from tests.agent.listen.speakers import LINES, needs_voices, said

GAIN = Comparison(22, 60.0, 12, 21, -180.0, -166.0)


def phones(texts) -> list[str]:
    sounds = pronounce({word for text in texts for word in text.split()})
    return [p for text in texts for w in text.split() for p in sounds[w].phones[0].split()]


def transform(seed: int = 0) -> Transform:
    rng = np.random.default_rng(seed)
    return Transform(*(rng.normal(size=shape) for shape in ((3, 13, 13), (3, 13), (3, 13), 13)))


@pytest.fixture(scope="module")
def aligner():
    made = Aligner()
    yield made
    made.close()


def test_chosen_sentences_take_the_time_asked_for_and_are_the_same_each_time():
    chosen = choose(LINES, speech_s=10)
    assert len(phones(chosen)) / enroll.PHONES_A_SECOND == pytest.approx(10, abs=4)
    assert chosen == choose(reversed(LINES), speech_s=10)
    assert len(set(chosen)) == len(chosen)


def test_every_sound_that_can_be_read_is_read_before_sounds_come_again():
    dull = [f"show me the way to the bank number {n}" for n in ("one", "two", "three")]
    rare = ["enjoy the vision of a huge toy", "choose a jar of orange juice"]
    chosen = choose([*dull, *rare], speech_s=5)
    assert set(rare) < set(chosen[:3])


def test_all_of_too_few_sentences_are_chosen():
    assert sorted(choose(LINES, speech_s=1000)) == sorted(LINES)
    assert choose([]) == []


@pytest.mark.parametrize(
    ("wrong", "pcm"),
    [
        ("quiet", bytes(64_000)),
        ("quiet", b""),
        ("noisy", struct.pack("<32000h", *np.random.default_rng(1).integers(-5000, 5000, 32_000))),
    ],
)
def test_what_nobody_read_is_not_a_take(aligner, wrong, pcm):
    assert fault(Take(LINES[0], trimmed(pcm)), aligner) == (wrong, None)


@needs_voices
def test_a_clipped_take_another_line_and_a_good_take(aligner):
    pcm = said(LINES[0])
    loud = np.clip(np.frombuffer(pcm, "<i2").astype(np.int32) * 20, -32_768, 32_767)
    assert fault(Take(LINES[0], loud.astype("<i2").tobytes()), aligner)[0] == "clipped"
    assert fault(Take(LINES[1], pcm), aligner)[0] == "other words"
    assert fault(Take(LINES[0], pcm[: len(pcm) // 2]), aligner)[0] == "other words"
    wrong, alignment = fault(Take(LINES[0], pcm), aligner)
    assert wrong is None
    assert alignment is not None
    assert enroll.speech_s([alignment]) == pytest.approx(len(pcm) / 32_000 - 0.6, abs=0.4)


@needs_voices
def test_silence_around_a_take_is_cut_to_what_utterances_have():
    pcm = said(LINES[0])
    padded = pcm[:6_400] * 10 + pcm + pcm[-6_400:] * 15
    assert len(padded) - len(pcm) == 160_000
    assert len(trimmed(padded)) == pytest.approx(len(trimmed(pcm)), abs=1_600)
    assert 0.8 * len(pcm) < len(trimmed(pcm)) <= len(pcm)


@needs_voices
@pytest.mark.slow
def test_a_voice_that_was_not_understood_is_understood_afterwards(aligner, tmp_path):
    """A robot's voice, on sentences that it did not enrol with, in the engine's own options."""
    judged = [
        (take, fault(take, aligner)) for take in (Take(t, said(t, robot=True)) for t in LINES[:9])
    ]
    takes = [take for take, (wrong, _) in judged if wrong is None]
    alignments = [found for _, (_, found) in judged if found is not None]
    assert len(takes) >= 7
    comparison = enroll.compare(takes, alignments, LINES, tmp_path)
    assert comparison.takes == len(takes)
    assert comparison.nats_after > comparison.nats_before + 3
    assert comparison.understood_after >= comparison.understood_before
    assert comparison.better

    save(tmp_path, estimate(alignments), comparison, "test")
    kept = find(tmp_path)
    assert kept is not None
    assert kept.comparison == comparison
    assert Chooser(LINES, kept.settings()).hear(said(LINES[2], robot=True)) == LINES[2]


def test_nothing_is_better_that_loses_a_sentence_or_makes_the_sound_less_likely():
    assert GAIN.better
    assert not Comparison(22, 60.0, 22, 21, -180.0, -166.0).better
    assert not Comparison(22, 60.0, 20, 21, -166.0, -180.0).better


def test_a_voice_is_kept_found_and_forgotten(tmp_path):
    assert find(tmp_path) is None
    assert not forget(tmp_path)
    saved = save(tmp_path, transform(), GAIN, "USB microphone")
    assert find(tmp_path) == saved
    assert saved.settings()["mllr"].startswith(str(tmp_path))
    assert len(saved.settings()["cmninit"].split(",")) == 13
    newer = save(tmp_path, transform(1), GAIN, "USB microphone")
    assert find(tmp_path) == newer != saved
    assert forget(tmp_path)
    assert find(tmp_path) is None
    assert [*(tmp_path / "enrolled").iterdir()] == []


@pytest.mark.parametrize("damage", ["cut", "not a number", "gone", "json", "mean"])
def test_a_damaged_voice_is_named_and_never_loaded(tmp_path, damage):
    kept = save(tmp_path, transform(), GAIN, "test")
    about = kept.mllr.with_name("voice.json")
    text = kept.mllr.read_text()
    if damage == "cut":
        kept.mllr.write_text(text[: len(text) // 2])
    elif damage == "not a number":
        first, _, rest = text.partition(".")
        kept.mllr.write_text(f"{first[:-1]}nan {rest.partition(' ')[2]}")
    elif damage == "gone":
        kept.mllr.unlink()
    elif damage == "json":
        about.write_text("[]")
    else:
        about.write_text(json.dumps(json.loads(about.read_text()) | {"cepstral_mean": [1.0]}))
    with pytest.raises(EngineError, match="glasses enroll --forget"):
        find(tmp_path)
    assert forget(tmp_path)


def test_half_a_pair_is_none(tmp_path):
    """As power that goes between the two files leaves it."""
    save(tmp_path, transform(), GAIN, "test")
    (tmp_path / "enrolled" / "voice.json").unlink()
    assert find(tmp_path) is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "enrolled").write_text("a file is in the way")
    with pytest.raises(EngineError, match="enrolled cannot be written"):
        save(tmp_path, transform(), GAIN, "test")
