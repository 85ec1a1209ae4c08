"""faster-whisper behind the port, on a real but untrained CTranslate2 model made here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from agent.errors import EngineError
from agent.listen.asr import Transcriber
from agent.listen.whisper import FasterWhisper, WhisperOptions, find_model
from agent.sayable import Saying

pytest.importorskip("faster_whisper")

SPECIAL = [
    "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|translate|>",
    "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
]  # fmt: skip
WIDTH, MELS = 64, 80


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper of one layer and 64 dimensions with random weights: it hears, but only noise."""
    folder = tmp_path_factory.mktemp("models") / "whisper-none.en"
    folder.mkdir()
    _save_model(folder, _save_tokenizer(folder))
    return folder


def _save_tokenizer(folder: Path) -> list[str]:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer.save(str(folder / "tokenizer.json"))
    return [*letters, *SPECIAL, *(f"<|{i * 0.02:.2f}|>" for i in range(1501))]


def _save_model(folder: Path, tokens: list[str]) -> None:
    from ctranslate2.specs import WhisperSpec

    random = np.random.default_rng(0)

    def weights(*shape: int) -> np.ndarray:
        return (random.standard_normal(shape) * 0.05).astype(np.float32)

    def linear(spec: object, outputs: int, inputs: int = WIDTH) -> None:
        spec.weight, spec.bias = weights(outputs, inputs), weights(outputs)  # type: ignore[attr-defined]

    def norm(spec: object) -> None:
        spec.gamma, spec.beta = np.ones(WIDTH, np.float32), weights(WIDTH)  # type: ignore[attr-defined]

    spec = WhisperSpec(1, 2, 1, 2)
    spec.encoder.conv1.weight, spec.encoder.conv1.bias = weights(WIDTH, MELS, 3), weights(WIDTH)
    spec.encoder.conv2.weight, spec.encoder.conv2.bias = weights(WIDTH, WIDTH, 3), weights(WIDTH)
    spec.encoder.position_encodings.encodings = weights(1500, WIDTH)
    spec.decoder.position_encodings.encodings = weights(448, WIDTH)
    spec.decoder.embeddings.weight = weights(len(tokens), WIDTH)
    spec.decoder.projection.weight = weights(len(tokens), WIDTH)
    for side in (spec.encoder, spec.decoder):
        norm(side.layer_norm)
        layer = side.layer[0]
        norm(layer.self_attention.layer_norm)
        linear(layer.self_attention.linear[0], 3 * WIDTH)
        linear(layer.self_attention.linear[1], WIDTH)
        norm(layer.ffn.layer_norm)
        linear(layer.ffn.linear_0, WIDTH)
        linear(layer.ffn.linear_1, WIDTH)
    attention = spec.decoder.layer[0].attention
    norm(attention.layer_norm)
    linear(attention.linear[0], WIDTH)
    linear(attention.linear[1], 2 * WIDTH)
    linear(attention.linear[2], WIDTH)
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.alignment_heads = [(0, 0)]
    spec.config.lang_ids = []
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))


def second_of_noise() -> bytes:
    return (np.random.default_rng(1).standard_normal(16_000) * 3000).astype("<i2").tobytes()


def test_a_model_is_found_in_the_folder_of_models(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_model(folder) == folder
    assert find_model(folder.parent) == folder
    assert find_model(tmp_path) is None
    assert find_model(tmp_path / "absent") is None
    monkeypatch.setenv("GLASSES_MODELS", str(folder.parent))
    assert find_model() == folder


def test_an_utterance_goes_through_the_model(folder: Path) -> None:
    whisper = FasterWhisper(folder, WhisperOptions(min_log_probability=-100, max_compression=1e9))
    assert isinstance(whisper, Transcriber)
    assert whisper.name == "faster-whisper whisper-none.en"
    assert whisper.languages == {"en"}
    whisper.expect([Saying("music.play", "play {song}", {"song": ("hey jude",)})])
    whisper.start()
    whisper.feed(second_of_noise())
    assert whisper.partial() is None
    heard = whisper.finish()
    assert heard.text  # gibberish, but of this model's making
    assert heard.final
    assert heard.language == "en"
    assert 0 < heard.confidence < 1
    assert heard.engine == whisper.name
    whisper.close()


def test_gibberish_is_nothing_under_the_usual_guards(folder: Path) -> None:
    whisper = FasterWhisper(folder)
    whisper.start()
    whisper.feed(second_of_noise())
    assert whisper.finish().text == ""


def test_what_was_thrown_away_is_not_heard(folder: Path) -> None:
    whisper = FasterWhisper(folder)
    whisper.start()
    whisper.feed(second_of_noise())
    whisper.abort()
    assert (whisper.finish().text, whisper.finish().confidence) == ("", 0.0)


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
