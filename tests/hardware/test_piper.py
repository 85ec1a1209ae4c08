"""Piper voices: how text becomes ids, what goes wrong, and a real one."""

import json
import shutil

import numpy as np
import pytest

from hardware.base import SAMPLE_RATE_HZ, DeviceError
from hardware.piper import PiperVoice, Voices
from hardware.voice import VirtualVoice

needs_espeak = pytest.mark.skipif(
    not shutil.which("espeak-ng"), reason="espeak-ng is not installed"
)
LETTERS = "_^$ !,.?abcdefghijklmnopqrstuvwxyzæðŋɑɐəɚɛɜɡɪɫɹɾʃʊʌʒˈˌː0123456789"


class Session:
    """Notes what it is given; a hundredth of a second a number."""

    def __init__(self):
        self.given = []

    def run(self, names, inputs):
        self.given.append(inputs)
        length = inputs["input"].shape[1] * 220
        return [np.sin(np.arange(length) / 10, dtype=np.float32).reshape(1, 1, length)]


@pytest.fixture
def folder(tmp_path):
    """Return a function that makes the folder of a voice."""

    def make(language="en-us", **more):
        there = tmp_path / "piper-en_US-test"
        there.mkdir(exist_ok=True)
        (there / "test.onnx").write_bytes(b"weights")
        settings = {
            "audio": {"sample_rate": 22050},
            "espeak": {"voice": language},
            "phoneme_id_map": {letter: [n] for n, letter in enumerate(LETTERS)},
        }
        (there / "test.onnx.json").write_text(json.dumps(settings | more))
        return there

    return make


@needs_espeak
def test_clauses_keep_their_stops_and_each_phoneme_has_a_pad(folder):
    session = Session()
    voice = PiperVoice(folder(), make=lambda path: session)
    assert voice.languages == {"en"}
    pcm = voice.sound("yes, stop!", "en")
    (given,) = session.given
    ids = given["input"][0].tolist()
    said = "".join(LETTERS[n] for n in ids)
    assert said.startswith("^_")
    assert said.endswith("$")
    assert said[2:-1:2].replace("ˈ", "") == "jɛs, stɑːp!"
    assert set(said[1:-1:2]) == {"_"}
    assert given["input_lengths"].tolist() == [len(ids)]
    assert len(pcm) / 2 == pytest.approx(len(ids) * 220 * SAMPLE_RATE_HZ / 22050, rel=0.02)
    assert np.abs(np.frombuffer(pcm, "<i2")).max() > 10_000


@needs_espeak
def test_chinese_is_asked_for_as_pinyin(folder):
    session = Session()
    voice = PiperVoice(folder("cmn", num_speakers=3), make=lambda path: session)
    assert voice.languages == {"zh"}
    voice.sound("你好", "zh")
    (given,) = session.given
    assert given["sid"].tolist() == [0]
    said = "".join(LETTERS[n] for n in given["input"][0].tolist())
    assert "n" in said


@pytest.mark.parametrize(
    "more", [{"phoneme_type": "pinyin"}, {"espeak": {}}, {"phoneme_id_map": {}}, {"audio": 3}]
)
def test_what_is_no_voice_is_one_line(folder, more):
    with pytest.raises(DeviceError, match="is no Piper voice"):
        PiperVoice(folder(**more))


def test_an_empty_folder_and_damaged_settings_are_too(tmp_path, folder):
    with pytest.raises(DeviceError, match="no .*onnx in it"):
        PiperVoice(tmp_path)
    there = folder()
    (there / "test.onnx.json").write_text("{")
    with pytest.raises(DeviceError, match="is no Piper voice"):
        PiperVoice(there)


@needs_espeak
def test_damaged_weights_and_a_missing_program_are_one_line_and_the_next_voice_speaks(folder):
    damaged, other = PiperVoice(folder()), VirtualVoice()
    with pytest.raises(DeviceError, match="cannot be loaded"):
        damaged.sound("yes", "en")
    without = PiperVoice(folder(), program="no-such-program")
    with pytest.raises(DeviceError, match="espeak-ng"):
        without.sound("yes", "en")
    with pytest.raises(DeviceError, match="is not asked for zh"):
        damaged.sound("好", "zh")
    both = Voices(damaged, other)
    assert both.languages == {"en", "zh"}
    assert both.sound("yes", "en")
    assert both.sound("好", "zh")
    assert other.said == [("yes", "en"), ("好", "zh")]
    with pytest.raises(DeviceError, match="no voice here has ru"):
        both.sound("да", "ru")


@needs_espeak
def test_a_real_voice_speaks(real_model):
    voice = PiperVoice(real_model("piper-en-joe"))
    short, long = (
        len(voice.sound(text, "en")) / 2 / SAMPLE_RATE_HZ
        for text in ("Yes.", "It is six thirty in the evening, and the bus is late.")
    )
    assert 0.3 < short < 1.5
    assert 2.0 < long < 6.0
