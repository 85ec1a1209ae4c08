"""Whispers made here: the real format, engine and decode loop, but weights that nobody trained.

`random_model` draws its weights. `scripted_model` has weights set by hand so that it says what a
table of bigrams says: with it, beams, scores and probabilities are the real engine's and known
beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

LANGUAGES = 99
"""Languages of a multilingual Whisper before v3."""
TEXT_TOKENS = 50_257
"""Text tokens of the multilingual vocabulary. The last is empty: CTranslate2 tells by it, and older
versions by the size of the vocabulary, that a model is multilingual."""
TIMESTAMPS = 1501
MELS = 80


@dataclass(frozen=True, slots=True)
class Shape:
    """Dimensions of a Whisper."""

    layers: int
    """Layers of the encoder, and of the decoder."""
    width: int
    """Dimensions of a state."""
    heads: int
    """Attention heads."""


TOY = Shape(1, 64, 2)


def special_tokens(multilingual: bool) -> list[str]:
    """Return the special tokens after the text, in Whisper's order."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    codes = [code for code in _LANGUAGE_CODES if code != "yue"] if multilingual else ["en"]
    return [
        "<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in codes), "<|translate|>",
        "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
    ]  # fmt: skip


def save_tokenizer(folder: Path, words: Sequence[str], multilingual: bool) -> list[str]:
    """Write a byte-level tokenizer whose merges make each of `words`; return the vocabulary."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    merges: dict[tuple[str, str], None] = {}
    for word in words:
        ((piece, _),) = level.pre_tokenize_str(word)
        for end in range(1, len(piece)):
            merges.setdefault((piece[:end], piece[end]))
    text = [*letters, *dict.fromkeys(a + b for a, b in merges)]
    if multilingual:
        text += [f"{letters[n % 256]}~{n}" for n in range(TEXT_TOKENS - 1 - len(text))] + [""]
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(text)}, list(merges)))
    tokenizer.pre_tokenizer = level
    tokenizer.decoder = decoders.ByteLevel()
    special = special_tokens(multilingual)
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    tokenizer.save(str(folder / "tokenizer.json"))
    return [*text, *special, *(f"<|{i * 0.02:.2f}|>" for i in range(TIMESTAMPS))]


class _Weights:
    """Fills the specification of a model, with noise of a given size or with nothing."""

    def __init__(self, shape: Shape, noise: float) -> None:
        self.shape = shape
        self._noise = noise
        self._random = np.random.default_rng(0)

    def __call__(self, *shape: int) -> np.ndarray:
        drawn = self._random.standard_normal(shape, np.float32)
        return drawn * np.float32(self._noise)

    def linear(self, spec: Any, outputs: int, inputs: int | None = None) -> None:
        spec.weight = self(outputs, inputs or self.shape.width)
        spec.bias = self(outputs)

    def norm(self, spec: Any) -> None:
        width = self.shape.width
        spec.gamma, spec.beta = np.ones(width, np.float32), np.zeros(width, np.float32)

    def attention(self, spec: Any, cross: bool = False) -> None:
        width = self.shape.width
        self.norm(spec.layer_norm)
        sizes = (width, 2 * width, width) if cross else (3 * width, width)
        for linear, size in zip(spec.linear, sizes, strict=True):
            self.linear(linear, size)

    def fill(self, spec: Any, tokens: int) -> None:
        width = self.shape.width
        encoder, decoder = spec.encoder, spec.decoder
        encoder.conv1.weight, encoder.conv1.bias = self(width, MELS, 3), self(width)
        encoder.conv2.weight, encoder.conv2.bias = self(width, width, 3), self(width)
        encoder.position_encodings.encodings = self(1500, width)
        decoder.position_encodings.encodings = self(448, width)
        decoder.embeddings.weight = self(tokens, width)
        decoder.projection.weight = self(tokens, width)
        for side in (encoder, decoder):
            self.norm(side.layer_norm)
            for layer in side.layer:
                self.attention(layer.self_attention)
                self.norm(layer.ffn.layer_norm)
                self.linear(layer.ffn.linear_0, 4 * width)
                self.linear(layer.ffn.linear_1, width, 4 * width)
        for layer in decoder.layer:
            self.attention(layer.attention, cross=True)


def _spec(noise: float, tokens: Sequence[str]) -> Any:
    from ctranslate2.specs import WhisperSpec

    spec = WhisperSpec(TOY.layers, TOY.heads, TOY.layers, TOY.heads)
    _Weights(TOY, noise).fill(spec, len(tokens))
    return spec


def _save(spec: Any, folder: Path, tokens: Sequence[str], multilingual: bool) -> None:
    spec.register_vocabulary(list(tokens))
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [tokens.index("<|endoftext|>")]
    spec.config.alignment_heads = [(0, 0)]
    first = tokens.index("<|startoftranscript|>") + 1
    spec.config.lang_ids = list(range(first, first + LANGUAGES)) if multilingual else []
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))


def random_model(folder: Path) -> Path:
    """Make an English Whisper of random weights in `folder`: it hears, but only noise."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = save_tokenizer(folder, (), multilingual=False)
    _save(_spec(0.05, tokens), folder, tokens, multilingual=False)
    return folder


Bigrams = Mapping[str, Mapping[str, float]]
"""For a token, the probabilities of those that may come next; tokens are words or special."""


def scripted_model(folder: Path, bigrams: Bigrams, multilingual: bool = False) -> Path:
    """Make a Whisper that says what `bigrams` say after `<|notimestamps|>`, whatever it hears.

    Its layers hold nothing, so that a state is the embedding of the token before;
    each token of the table has a dimension of its own, and the projection holds the logarithms of
    its probabilities. What no table names comes with probability 0 (e^-30).
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = [*bigrams, *(token for after in bigrams.values() for token in after)]
    words = [token for token in dict.fromkeys(said) if not token.startswith("<|")]
    tokens = save_tokenizer(folder, words, multilingual)
    places = {name: tokens.index(_piece(name)) for name in dict.fromkeys(said)}
    width = TOY.width
    if len(bigrams) >= width:
        raise ValueError(f"{len(bigrams)} tokens do not fit into {width} dimensions")
    spec = _spec(0.0, tokens)
    embeddings = np.zeros((len(tokens), width), np.float32)
    projection = np.zeros((len(tokens), width), np.float32)
    size = math.sqrt(width - 1)  # of the one dimension of a one-hot state after the layer norm
    for dimension, (before, after) in enumerate(bigrams.items()):
        embeddings[places[before], dimension] = width
        projection[:, dimension] = -30 / size
        for token, probability in after.items():
            projection[places[token], dimension] = math.log(probability) / size
    spec.decoder.embeddings.weight = embeddings
    spec.decoder.projection.weight = projection
    _save(spec, folder, tokens, multilingual)
    return folder


def _piece(name: str) -> str:
    """Return a token as the vocabulary spells it."""
    from tokenizers import pre_tokenizers

    if name.startswith("<|"):
        return name
    level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    ((piece, _),) = level.pre_tokenize_str(name)
    return str(piece)
