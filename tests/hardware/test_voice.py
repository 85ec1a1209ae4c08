"""espeak-ng, as it is and as it fails."""

import shutil
import stat
import time

import numpy as np
import pytest

from hardware.base import SAMPLE_RATE_HZ, DeviceError
from hardware.voice import EspeakVoice, NoVoice, as_pinyin, find_voice

needs_espeak = pytest.mark.skipif(
    not shutil.which("espeak-ng"), reason="espeak-ng is not installed"
)


@pytest.fixture
def program(tmp_path):
    """Return a function that makes a program of a shell script."""

    def make(script):
        path = tmp_path / "espeak-ng"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


@needs_espeak
@pytest.mark.parametrize(
    ("text", "language"), [("It is six thirty.", "en"), ("现在是六点半。", "zh")]
)
def test_a_sentence_becomes_as_much_sound_as_it_takes_to_say(text, language):
    samples = np.frombuffer(EspeakVoice().sound(text, language), "<i2")
    assert 0.7 * SAMPLE_RATE_HZ < len(samples) < 3 * SAMPLE_RATE_HZ
    assert np.abs(samples).max() > 1000


@needs_espeak
def test_what_looks_like_an_option_or_markup_is_only_said():
    voice = EspeakVoice()
    for text in ("-h --version", "<break time='60s'/> a", "[[aaa]] &amp;", "x" * 240):
        assert 0 < len(voice.sound(text, "en")) < 60 * 2 * SAMPLE_RATE_HZ


def test_one_that_hangs_is_killed(program):
    began = time.monotonic()
    with pytest.raises(DeviceError, match=r"^espeak-ng said nothing within 0\.2 s: "):
        EspeakVoice(program("exec sleep 30"), timeout_s=0.2).sound("hello", "en")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 3", r"failed \(3\)"),
        ("kill -9 $$", r"failed \(-9\)"),
        ("cat", "gave no sound"),
        ("exit 0", "gave no sound"),
    ],
)
def test_one_that_fails_says_so_in_a_line(program, script, why):
    with pytest.raises(DeviceError, match=f"^espeak-ng {why}.*: check it by .espeak-ng hello"):
        EspeakVoice(program(script)).sound("hello", "en")


def test_one_that_is_missing_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    voice = find_voice()
    assert isinstance(voice, NoVoice)
    with pytest.raises(DeviceError, match="sudo apt install espeak-ng"):
        EspeakVoice(str(tmp_path / "espeak-ng")).sound("hello", "en")


def test_a_language_that_it_does_not_have_is_refused():
    with pytest.raises(DeviceError, match="not asked for tlh"):
        EspeakVoice().sound("nuqneH", "tlh")


def test_chinese_is_read_as_pinyin_since_espeak_knows_few_of_its_words():
    assert as_pinyin("你好，世界！") == "ni3 hao3 , shi4 jie4 !"
    assert as_pinyin("去Blue Lagoon吗") == "qu4 Blue Lagoon ma5"


@needs_espeak
def test_no_word_of_chinese_is_spelt_in_letters_and_digits():
    """Spelt, nine syllables took 40 % longer than said."""
    said = len(EspeakVoice().sound("我小时候爷爷有一条小船", "zh")) / 2 / SAMPLE_RATE_HZ
    assert said < 4.5
