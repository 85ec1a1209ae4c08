"""One window through the real engine, on models made here."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from agent.errors import EngineError
from agent.listen.whisper.window import (
    SAMPLE_RATE_HZ,
    TOKENS_PER_S,
    WhisperOptions,
    Window,
    compression,
    placement,
)
from hardware.audio import read
from hardware.spoken import __file__ as spoken
from tests.shared import MISSING, orders
from tests.tiny_whisper import LANGUAGES, random_model, scripted_model

pytestmark = pytest.mark.slow

pytest.importorskip("faster_whisper")

PAY = read(Path(spoken).with_name("05-pay.flac"))
END = {"<|endoftext|>": 1.0}
JAZZ = {
    "<|startoftranscript|>": {"<|nospeech|>": 0.2, "<|notimestamps|>": 0.8},
    "<|notimestamps|>": {" play": 0.6, " pray": 0.4},
    " play": {" jazz": 0.9, " jets": 0.1},
    " pray": {" jazz": 1.0},
    " jazz": END,
    " jets": END,
}


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    return random_model(tmp_path_factory.mktemp("models") / "whisper-none.en")


@pytest.fixture(scope="module")
def jazz(tmp_path_factory):
    folder = scripted_model(tmp_path_factory.mktemp("models") / "whisper-jazz.en", JAZZ)
    return Window(folder, WhisperOptions(compute_type="float32"))


def decoded(window, pcm=PAY, best=5, **more):
    return window.decode(pcm, window.windows_s(pcm)[0], best, **more)


def test_random_weights_go_through_the_real_loop_and_are_bounded(noise):
    window = Window(noise, WhisperOptions())
    heard = decoded(window, best=3)
    assert len(heard.hypotheses) == 3
    assert all(h.tokens > 1 and h.log_probability < 0 for h in heard.hypotheses)
    seconds = len(PAY) / 2 / SAMPLE_RATE_HZ
    assert max(h.tokens for h in heard.hypotheses) <= 8 + math.ceil(TOKENS_PER_S * seconds)
    assert all(h.tokens <= 6 for h in decoded(window, max_tokens=6).hypotheses)
    window.close()


def test_several_hypotheses_come_with_their_probabilities(jazz):
    heard = decoded(jazz)
    found = {h.text: math.exp(h.log_probability) for h in heard.hypotheses if not h.cut}
    assert found == pytest.approx(
        {"play jazz": 0.54, "pray jazz": 0.4, "play jets": 0.06}, abs=0.04
    )
    assert heard.hypotheses[0].text == "play jazz"
    assert heard.hypotheses[0].tokens == 3  # with its end
    assert heard.no_speech == pytest.approx(0.2, abs=0.04)
    assert heard.language == "en"


def test_what_nobody_wants_is_not_decoded(jazz):
    assert decoded(jazz, wanted=lambda: False) is None


def test_a_hallucination_loop_is_cut(tmp_path):
    loop = {"<|notimestamps|>": {" thank": 1}, " thank": {" you": 1}, " you": {" thank": 1}}
    window = Window(scripted_model(tmp_path / "loop.en", loop), WhisperOptions())
    first = decoded(window).hypotheses[0]
    assert first.cut
    assert first.tokens <= 8 + math.ceil(TOKENS_PER_S * len(PAY) / 2 / SAMPLE_RATE_HZ)
    assert compression(first.text) > 2.4


def test_the_encoder_gets_little_more_than_there_is(jazz):
    def second(n):
        return bytes(2 * SAMPLE_RATE_HZ * n)

    assert jazz.windows_s(second(2)) == (8, 30)
    assert jazz.windows_s(second(7)) == (14, 30)
    assert jazz.windows_s(second(28)) == (30,)
    assert decoded(jazz, second(30)).hypotheses
    assert jazz.decode(bytes(1600), 10, 1).hypotheses  # 50 ms


def test_the_language_is_the_likelier_of_two(tmp_path):
    languages = {"<|startoftranscript|>": {"<|ja|>": 0.5, "<|zh|>": 0.3, "<|en|>": 0.2}}
    words = {"<|notimestamps|>": {"播放音乐": 1.0}, "播放音乐": END}
    folder = scripted_model(tmp_path / "both", {**languages, **words}, multilingual=True)
    window = Window(folder, WhisperOptions())
    assert window.languages == {"en", "zh"}
    assert window._model.model.num_languages == LANGUAGES
    heard = decoded(window, best=2)
    assert (heard.language, heard.hypotheses[0].text) == ("zh", "播放音乐")
    assert decoded(Window(folder, WhisperOptions(language="en"))).language == "en"


def test_speech_is_told_from_silence_and_noise(jazz):
    draw = np.random.default_rng(0)
    hiss = (draw.standard_normal(2 * SAMPLE_RATE_HZ) * 1000).astype("<i2").tobytes()
    hum = (np.sin(np.arange(2 * SAMPLE_RATE_HZ) / 50) * 8000).astype("<i2").tobytes()
    assert jazz.has_speech(PAY)
    for other in (b"", bytes(100), bytes(64_000), hiss, hum):
        assert not jazz.has_speech(other)


@pytest.mark.skipif(not orders(), reason=MISSING)
def test_recorded_orders_are_speech(jazz):
    assert [o.path.name for o in orders()[::12] if not jazz.has_speech(read(o.path))] == []


def test_device_and_compute_type_are_chosen_by_what_is_there(jazz, noise):
    import ctranslate2

    assert jazz.device == ("cuda" if ctranslate2.get_cuda_device_count() else "cpu")
    assert placement(WhisperOptions(device="cpu")) == ("cpu", "int8")
    assert placement(WhisperOptions(device="cpu", compute_type="float32")) == ("cpu", "float32")
    assert (
        Window(noise, WhisperOptions(device="cpu", compute_type="float32")).compute_type
        == "float32"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            WhisperOptions(device="cpu", compute_type="int3"),
            "cannot compute in 'int3' on cpu: use one",
        ),
        (WhisperOptions(device="toaster"), "cannot run on 'toaster'"),
    ],
)
def test_what_is_not_there_is_one_line(noise, options, message):
    with pytest.raises(EngineError, match=message):
        Window(noise, options)
