"""faster-whisper behind the port, on real CTranslate2 models that were made here."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from agent.errors import EngineError, SentenceError
from agent.language.saying import Saying
from agent.listen.transcriber import Transcriber
from agent.listen.whisper.engine import FasterWhisper, WhisperOptions, find_model, once, shown
from hardware.audio import read
from hardware.spoken import __file__ as spoken
from tests.pace import PATIENCE_S, until
from tests.tiny_whisper import random_model, scripted_model

pytestmark = pytest.mark.slow

pytest.importorskip("faster_whisper")

PAY = read(Path(spoken).with_name("05-pay.flac"))
SILENCE = bytes(len(PAY))
END = {"<|endoftext|>": 1.0}
PLAY = Saying("music.play", "play {song}", {"song": ("jazz",)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper of one layer and 64 dimensions with random weights: it hears, but only noise."""
    return random_model(tmp_path_factory.mktemp("models") / "whisper-none.en")


def says(folder: Path, play: float = 0.6, no_speech: float = 0.0, **options) -> FasterWhisper:
    """Return a Whisper that hears "play jazz" or "pray jazz", with these probabilities."""
    table = {
        "<|startoftranscript|>": {"<|nospeech|>": no_speech, "<|notimestamps|>": 1 - no_speech},
        "<|notimestamps|>": {" play": play, " pray": 1 - play},
        " play": {" jazz": 1.0},
        " pray": {" jazz": 1.0},
        " jazz": END,
    }
    table["<|startoftranscript|>"] = {k: v for k, v in table["<|startoftranscript|>"].items() if v}
    # Whole numbers overflow on processors without VNNI, with weights as large as a script's.
    exact = WhisperOptions(**{"compute_type": "float32"} | options)
    return FasterWhisper(scripted_model(folder / "whisper.en", table), exact)


@pytest.fixture(scope="module")
def jazz(tmp_path_factory: pytest.TempPathFactory) -> FasterWhisper:
    return says(tmp_path_factory.mktemp("jazz"))


def quiet(**options) -> WhisperOptions:
    """Return options under which nothing is decoded but what is asked for."""
    return WhisperOptions(**{"partial_every_ms": 0, "compute_type": "float32"} | options)


def hear(whisper: FasterWhisper, pcm: bytes = PAY):
    whisper.start()
    whisper.feed(pcm)
    return whisper.finish()


def test_a_model_is_found_in_the_folder_of_models(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_model(folder) == folder
    assert find_model(folder.parent) == folder
    assert find_model(tmp_path) is None
    assert find_model(tmp_path / "absent") is None
    monkeypatch.setenv("GLASSES_MODELS", str(folder.parent))
    assert find_model() == folder


# -- what is believed --------------------------------------------------------------------------


def test_an_utterance_goes_through_the_model(jazz: FasterWhisper) -> None:
    assert isinstance(jazz, Transcriber)
    assert jazz.name == "faster-whisper whisper.en"
    assert jazz.languages == {"en"}
    heard = hear(jazz)
    assert (heard.text, heard.language, heard.final) == ("play jazz", "en", True)
    assert heard.confidence == pytest.approx(0.6 ** (1 / 3), abs=0.02)  # of three tokens
    assert heard.engine == jazz.name


def test_gibberish_is_nothing(folder: Path) -> None:
    whisper = FasterWhisper(folder)
    assert (hear(whisper).text, hear(whisper).confidence) == ("", 0.0)
    whisper.close()


def test_what_can_be_said_is_preferred_when_it_is_nearly_as_likely(tmp_path: Path) -> None:
    whisper = says(tmp_path, play=0.2)
    assert hear(whisper).text == "pray jazz"
    whisper.expect([PLAY])
    heard = hear(whisper)
    assert heard.text == "play jazz"
    assert heard.confidence == pytest.approx(0.8 ** (1 / 3), abs=0.1)  # so it sounds
    whisper.expect([])
    assert hear(whisper).text == "pray jazz"


def test_what_sounds_like_what_can_be_said_is_it(tmp_path: Path) -> None:
    whisper = says(tmp_path, play=0.001)
    whisper.expect([PLAY])
    assert hear(whisper).text == "play jazz"


def test_what_is_heard_clearly_and_sounds_otherwise_stays(tmp_path: Path) -> None:
    whisper = says(tmp_path, play=0.001)
    whisper.expect([Saying("music.play", "play {song}", {"song": ("rock",)})])
    assert hear(whisper).text == "pray jazz"


def test_a_wrong_sentence_is_an_error_and_the_one_before_stays(jazz: FasterWhisper) -> None:
    jazz.expect([PLAY])
    with pytest.raises(SentenceError, match="no slot"):
        jazz.expect([Saying("music.play", "play {tune}", {})])
    assert hear(jazz).text == "play jazz"


@pytest.mark.parametrize(("no_speech", "text"), [(0.1, "play jazz"), (0.9, "")])
def test_an_unsure_text_is_dropped_where_the_model_hears_silence(tmp_path, no_speech, text) -> None:
    words = {f" {letter}": 0.036 for letter in "abcdefghijklmnopqrstuvwx"} | {" play": 0.04}
    table = {
        "<|startoftranscript|>": {"<|nospeech|>": no_speech, "<|notimestamps|>": 1 - no_speech},
        "<|notimestamps|>": words,
        **{word: {" jazz": 1.0} for word in words},
        " jazz": END,
    }
    whisper = FasterWhisper(scripted_model(tmp_path / "unsure.en", table), quiet(beam_size=25))
    assert hear(whisper).text == ""  # and nothing that can be said
    whisper.expect([PLAY])
    assert hear(whisper).text == text


def test_a_loop_is_nothing_and_is_tried_with_the_whole_window(tmp_path: Path) -> None:
    loop = {"<|notimestamps|>": {" thank": 1.0}, " thank": {" you": 1.0}, " you": {" thank": 1.0}}
    whisper = FasterWhisper(scripted_model(tmp_path / "loop.en", loop), quiet())
    began = whisper.window.decodes
    assert hear(whisper).text == ""
    assert whisper.window.decodes - began == 2


def test_punctuation_alone_is_nothing(tmp_path: Path) -> None:
    dots = {"<|notimestamps|>": {"...": 1.0}, "...": END}
    assert hear(FasterWhisper(scripted_model(tmp_path / "dots.en", dots))).text == ""


def test_silence_and_noise_are_not_even_decoded(jazz: FasterWhisper) -> None:
    noise = (np.random.default_rng(1).standard_normal(32_000) * 3000).astype("<i2").tobytes()
    began = jazz.window.decodes
    for pcm in (b"", b"\0", SILENCE, noise):
        jazz.start()
        jazz.feed(pcm)
        jazz.prepare()
        assert (jazz.finish().text, jazz.finish().confidence) == ("", 0.0)
    assert jazz.window.decodes == began


def test_chinese_is_heard_and_held_against_what_can_be_said(tmp_path: Path) -> None:
    table = {
        "<|startoftranscript|>": {"<|zh|>": 0.6, "<|en|>": 0.4},
        "<|notimestamps|>": {"播放音月": 0.6, "播放音乐": 0.4},
        "播放音月": END,
        "播放音乐": END,
    }
    made = scripted_model(tmp_path / "whisper-both", table, multilingual=True)
    whisper = FasterWhisper(made, WhisperOptions(compute_type="float32"))
    assert whisper.languages == {"en", "zh"}
    assert (hear(whisper).text, hear(whisper).language) == ("播放音月", "zh")
    whisper.expect([Saying("music.play", "播放[一首]音乐", {})])
    assert hear(whisper).text == "播放音乐"
    assert hear(FasterWhisper(made, WhisperOptions(language="en"))).language == "en"


ANY_SONG = Saying("music.play", "play {song}", {"song": None})


def test_words_of_no_list_are_decoded_once_more_told_what_can_be_said(tmp_path: Path) -> None:
    whisper = says(tmp_path, play=0.9, partial_every_ms=0)

    def told(*sayings: Saying) -> tuple[int, tuple[str, ...]]:
        whisper.expect(sayings)
        begun = whisper.window.decodes
        whisper.start()
        whisper.feed(PAY)
        written = whisper.written()
        return whisper.window.decodes - begun, tuple(one.text for one in written.told[:1])

    assert whisper.examples("en") == ""
    assert told() == (1, ())  # nothing can be said
    assert told(PLAY) == (1, ())  # the song is in the list
    assert told(ANY_SONG) == (2, ("play jazz",))
    assert whisper.examples("en") == "Play water."
    assert hear(whisper).text == "play jazz"


def test_what_was_told_comes_before_what_is_written(tmp_path: Path) -> None:
    whisper = says(tmp_path, partial_every_ms=0)
    asked: list[list[int]] = []
    generate = whisper.window._model.model.generate

    class Asked:
        """The model, and what it was asked with."""

        def __getattr__(self, name: str) -> object:
            return getattr(model, name)

        def generate(self, encoded: object, prompts: list[list[int]], **options: object) -> object:
            asked.extend(prompts)
            return generate(encoded, prompts, **options)

    model = whisper.window._model.model
    whisper.window._model.model = Asked()
    whisper.expect([ANY_SONG])
    hear(whisper)
    alone, told = asked
    assert told[-len(alone) :] == alone
    assert len(told) > len(alone)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("Operator Operator", "Operator"),
        ("Play jazz. Play jazz.", "Play jazz."),
        ("Play jazz, play rock.", "Play jazz, play rock."),
        ("播放音乐，播放音乐", "播放音乐"),
        ("", ""),
    ],
)
def test_what_is_written_twice_was_said_once(written: str, told: str) -> None:
    assert once(written).rstrip("，") == told


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("Play jazz.", "Play jazz"),
        ("Is it late?", "Is it late?"),
        ("It is late. Go home.", "It is late. Go home."),
        ("播放音乐。", "播放音乐"),
        ("And then...", "And then..."),
    ],
)
def test_a_sentence_is_shown_without_its_full_stop(written: str, told: str) -> None:
    assert shown(written) == told


# -- while it is spoken ------------------------------------------------------------------------


def test_partial_words_appear_once_two_decodes_agree(jazz: FasterWhisper) -> None:
    jazz.start()
    began = jazz.window.decodes
    half = len(PAY) // 4 * 2
    jazz.feed(PAY[:half])
    assert until(lambda: jazz.window.decodes == began + 1)
    jazz._thread.submit(lambda: None).result()
    assert jazz.partial() is None
    jazz.feed(PAY[half:])
    partial = until(jazz.partial)
    assert (partial.text, partial.final, partial.engine) == ("play jazz", False, jazz.name)
    jazz.abort()
    assert jazz.partial() is None


def test_partial_decodes_keep_their_distance_and_stop_in_silence(tmp_path: Path) -> None:
    whisper = says(tmp_path, partial_every_ms=400)
    whisper.start()
    began = whisper.window.decodes
    for at in range(0, len(PAY), 640):
        whisper.feed(PAY[at : at + 640])
        whisper._thread.submit(lambda: None).result()  # so that none is skipped for being busy
    spoken_ms = len(PAY) / 32
    looks = whisper.window.decodes - began
    assert 2 <= looks <= spoken_ms / 400
    for _ in range(100):
        whisper.feed(bytes(640))
        whisper._thread.submit(lambda: None).result()
    assert whisper.window.decodes - began <= looks + 1  # for what was spoken since the last
    off = says(tmp_path, partial_every_ms=0)
    began = off.window.decodes
    off.feed(PAY)
    off._thread.submit(lambda: None).result()
    assert off.window.decodes == began


def test_the_decode_ahead_is_used_when_only_silence_follows(tmp_path: Path) -> None:
    whisper = says(tmp_path, partial_every_ms=0)
    began = whisper.window.decodes
    whisper.start()
    whisper.feed(PAY)
    whisper.prepare()
    assert until(whisper.partial).text == "play jazz"  # known before the end
    for _ in range(15):
        whisper.feed(bytes(640))
        whisper.prepare()
    heard = whisper.finish()
    assert (heard.text, heard.final) == ("play jazz", True)
    assert whisper.window.decodes - began == 1
    assert whisper.finish().text == ""  # nothing is left over


def test_speech_after_it_makes_the_decode_ahead_worthless(tmp_path: Path) -> None:
    whisper = says(tmp_path, partial_every_ms=0)
    for again in (False, True):
        began = whisper.window.decodes
        whisper.start()
        whisper.feed(PAY)
        whisper.prepare()
        whisper._thread.submit(lambda: None).result()
        whisper.feed(PAY)
        if again:
            whisper.prepare()
        assert whisper.finish().text == "play jazz"
        assert whisper.window.decodes - began == 2


def test_what_was_thrown_away_is_not_heard(jazz: FasterWhisper) -> None:
    for throw_away in (jazz.abort, jazz.start):
        jazz.start()
        jazz.feed(PAY)
        jazz.prepare()
        throw_away()
        assert jazz.partial() is None
        assert (jazz.finish().text, jazz.finish().confidence) == ("", 0.0)
        jazz._thread.submit(lambda: None).result()
        assert jazz.partial() is None


def test_the_end_waits_for_no_partial_decode_that_has_not_begun(jazz: FasterWhisper) -> None:
    jazz.start()
    over = threading.Event()
    jazz._thread.submit(over.wait, PATIENCE_S)  # a decode under way
    began = jazz.window.decodes
    jazz.feed(PAY)  # time for a partial one
    partial = jazz._utterance.look

    def ends_when_that_is_called_off() -> None:
        until(partial.result.cancelled)
        over.set()

    threading.Thread(target=ends_when_that_is_called_off).start()
    assert jazz.finish().text == "play jazz"
    assert jazz.window.decodes - began == 1


def test_calls_return_at_once_while_it_decodes(jazz: FasterWhisper) -> None:
    jazz.start()
    over = threading.Event()
    busy = jazz._thread.submit(over.wait, PATIENCE_S)  # a decode under way
    for at in range(0, len(PAY), 640):
        jazz.feed(PAY[at : at + 640])
        jazz.partial()
    jazz.prepare()
    jazz.abort()
    assert not busy.done(), "they waited for it"
    over.set()
    assert hear(jazz).text == "play jazz"


def test_beyond_thirty_seconds_it_says_so_and_decodes_the_rest(
    jazz: FasterWhisper, caplog: pytest.LogCaptureFixture
) -> None:
    jazz.start()
    jazz.feed(PAY[: 5 * 32_000 // 4])
    for _ in range(32):
        jazz.feed(bytes(32_000))
    assert jazz.finish().text == "play jazz"
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "faster-whisper whisper.en hears 30 s at once; the rest of the utterance is lost"
    ]


def test_samples_may_come_in_odd_pieces(jazz: FasterWhisper) -> None:
    jazz.start()
    for at in range(0, len(PAY), 333):
        jazz.feed(PAY[at : at + 333])
    jazz.feed(b"\0")
    assert jazz.finish().text == "play jazz"


# -- what can be wrong -------------------------------------------------------------------------


def test_an_engine_that_fails_says_so_and_may_be_asked_again(tmp_path: Path) -> None:
    whisper = says(tmp_path)
    whisper.window.close()  # a model that is gone
    with pytest.raises(EngineError, match="failed on an utterance"):
        hear(whisper)
    whisper.window._model.model.load_model()
    assert hear(whisper).text == "play jazz"


@pytest.mark.parametrize("file", ["model.bin", "config.json", "tokenizer.json"])
def test_a_broken_file_is_one_line_with_a_remedy(folder: Path, tmp_path: Path, file: str) -> None:
    broken = shutil.copytree(folder, tmp_path / "broken")
    (broken / file).write_bytes(b"\x00 not a model")
    with pytest.raises(EngineError, match=r"broken.*put the whole") as failure:
        FasterWhisper(broken)
    assert "\n" not in str(failure.value)
    (broken / file).unlink()
    with pytest.raises(EngineError, match=f"{file} is missing"):
        FasterWhisper(broken)
    assert find_model(tmp_path) is None


def test_a_language_the_model_lacks_is_refused(folder: Path) -> None:
    with pytest.raises(EngineError, match="does not know the language 'zh'"):
        FasterWhisper(folder, WhisperOptions(language="zh"))


def test_the_configuration_is_readable(folder: Path) -> None:
    assert json.loads((folder / "config.json").read_text("utf-8"))["alignment_heads"] == [[0, 0]]
