"""One window of sound through Whisper: encoded once, then decoded to several hypotheses.

faster-whisper loads the model, makes the features and knows the tokens; its `transcribe` keeps only
one hypothesis and cuts decoding at half the length it is told, so the decoding itself is asked of
CTranslate2 here. CTranslate2 lets go of the GIL while it encodes and decodes.
"""

from __future__ import annotations

import json
import logging
import math
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import EngineError
from agent.models.store import WHISPER

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

log = logging.getLogger(__name__)

SAMPLE_RATE_HZ = 16_000
SAMPLE_BYTES = 2
MAX_S = 30.0
"""Whisper hears 30 s at once; what is beyond is not heard."""
FILES = WHISPER
"""What a model folder holds."""
FRAMES_PER_S = 100
"""Columns of the spectrogram that the encoder takes, for a second."""
MAX_LENGTH = 448
"""Tokens of prompt and text that the decoder has positions for."""
MAX_TOLD = MAX_LENGTH // 2 - 1
"""The most of them that may be of what was written before: as many as Whisper was trained with."""
TOKENS_PER_S = 12.0
"""More tokens than anyone says in a second: Mandarin has 5.2 syllables a second and English 6.2
(Pellegrino, Coupé and Marsico 2011, "A cross-language perspective on speech information rate"), and
a Chinese character takes two tokens or fewer, an English syllable about one."""
SPARE_TOKENS = 8
"""On top, for the punctuation and the haste of very short utterances."""
COMPUTE_TYPES = {
    "cpu": ("int8", "int8_float32", "float32"),
    "cuda": ("int8_float16", "float16", "int8", "float32"),
}
"""What is asked of each device, best first: the smallest that CTranslate2 documents as safe."""

VAD_CHUNK = 512
"""Samples that the silero model judges at once, 32 ms."""
VAD_PROBABILITY = 0.5
"""What counts as speech: silero's own default."""


@dataclass(frozen=True, slots=True)
class WhisperOptions:
    """How Whisper decodes."""

    language: str | None = None
    """`en` or `zh`; None asks the model which of the two."""
    device: str | None = None
    """`cpu` or `cuda`; None takes a graphics card where there is one that works."""
    compute_type: str | None = None
    """CTranslate2's: `int8`, `float16`, …; None takes the first of COMPUTE_TYPES that runs here."""
    cpu_threads: int = 2
    """Cores it may use."""
    beam_size: int = 5
    """Hypotheses followed, and compared with what can be said (OpenAI's default is 5)."""
    partial_every_ms: float = 500.0
    """Least new sound between two partial decodes; 0 for none. On a slow machine twice as much
    sound as the last one took time, so that at most half of the time is spent on them."""
    partial_tokens: int = 48
    """Longest text of a partial decode, since one under way cannot be stopped: a dozen seconds."""
    window_s: float = 8.0
    """Least sound, with silence added, that the encoder is given; 30 is what Whisper was trained
    on, and 8 costs a quarter. With 6 five in a hundred noisy orders were lost."""
    window_times: float = 2.0
    """Least window for each second of speech: with less the end of a sentence is misheard. Of 111
    orders, half of them at 12 dB, 97 % come out right as with 2 s more than their speech and at
    least 10, and Mandarin of 7 s as with all 30."""
    chinese_window_s: float = 15.0
    """Least window for Chinese: with 14 s one of five sentences was misheard that comes out right
    with 15 and with 30."""
    told_window_s: float = 16.0
    """Least window for what is decoded once more, told what can be said. Of 57 sentences with free
    words, in five synthetic voices, 36 come out exactly when nothing is told, in a window of 8 s or
    of 30; told, 40 with 16 s, 41 with 22 and with 30."""
    min_speech_ms: float = 64.0
    """Unbroken speech, in silero's opinion, without which nothing is decoded; 0 does not ask.
    Of 82 pieces of recorded noise, 3 s each, it stops 70; of 245 coffee orders none, nor of 62 in
    kitchen noise as loud as they; of 92 digits that were cut out close, 4."""
    max_no_speech: float = 0.6
    """Probability of silence above which an unsure text is dropped (OpenAI's)."""
    min_log_probability: float = -1.0
    """Mean log probability of a token under which a text is unsure (OpenAI's); it is dropped too
    when it cannot be said."""
    max_compression: float = 2.4
    """zlib ratio above which a text is a hallucinated repetition and dropped (OpenAI's)."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One thing that may have been said."""

    text: str
    """As the engine wrote it."""
    log_probability: float
    """Natural logarithm of the probability of all of it, its end included."""
    tokens: int
    """How many tokens it has, its end included."""
    cut: bool = False
    """It had come to no end when it had as many tokens as speech of this length can have."""

    @property
    def mean(self) -> float:
        """Mean log probability of a token; its exponential is the confidence."""
        return self.log_probability / self.tokens


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one window may have said."""

    language: str
    """`en` or `zh`."""
    no_speech: float
    """Probability that there was no speech, 0 … 1."""
    hypotheses: tuple[Hypothesis, ...]
    """The engine's best first; at least one."""


class Window:
    """A loaded model. One thread decodes with it; `has_speech` may be asked from any."""

    def __init__(self, folder: Path, options: WhisperOptions) -> None:
        """Load the model and decode a second of silence, so that the first utterance is not slow.

        Raises EngineError when faster-whisper is not installed or the folder is broken.
        """
        self.options = options
        self.decodes = 0
        """Decodes begun so far."""
        self._model, self.device, self.compute_type = _load(folder, options)
        from faster_whisper.tokenizer import Tokenizer  # after _load, which says when it is missing
        from faster_whisper.vad import get_vad_model

        self.multilingual = bool(self._model.model.is_multilingual)
        self.languages = frozenset({"en", "zh"} if self.multilingual else {"en"})
        self._tokenizers = {
            language: Tokenizer(self._model.hf_tokenizer, self.multilingual, "transcribe", language)
            for language in self.languages
        }
        self._vad: Any = get_vad_model()
        self.has_speech(bytes(VAD_CHUNK * SAMPLE_BYTES))

    def has_speech(self, pcm: bytes) -> bool:
        """Whether `pcm` has as much unbroken speech as the options ask for; about 4 ms a second."""
        import numpy as np

        if not self.options.min_speech_ms:
            return True
        audio = _samples(pcm)
        audio = audio[: len(audio) // VAD_CHUNK * VAD_CHUNK]
        if not len(audio):
            return False
        speech = np.ravel(self._vad(audio)) >= VAD_PROBABILITY
        need = math.ceil(self.options.min_speech_ms * SAMPLE_RATE_HZ / 1000 / VAD_CHUNK)
        runs = np.convolve(speech, np.ones(need), "valid") if len(speech) >= need else speech[:0]
        return bool((runs >= need).any())

    def windows_s(self, pcm: bytes) -> tuple[float, ...]:
        """Return how much sound to give the encoder for `pcm`: the least first, 30 s at last."""
        least = max(self.options.window_s, self.options.window_times * _seconds(pcm))
        return (math.ceil(least), MAX_S) if least < MAX_S else (MAX_S,)

    def decode(
        self,
        pcm: bytes,
        window_s: float,
        best: int,
        max_tokens: int = MAX_LENGTH // 2,
        wanted: Callable[[], bool] = lambda: True,
        told: Callable[[str], str] = lambda language: "",
    ) -> Decoded | None:
        """Decode `pcm`, 16-bit, 50 ms to `window_s` long, to the `best` likeliest texts.

        `told` gives for a language what was written before, as Whisper sees it: more of the kind
        is expected. None when `wanted` says, between encoding and decoding, that nobody wants it
        any more.
        """
        from faster_whisper.audio import pad_or_trim

        self.decodes += 1
        features = self._model.feature_extractor(_samples(pcm))[..., :-1]

        def encode(least_s: float) -> Any:
            return self._model.encode(pad_or_trim(features, round(least_s * FRAMES_PER_S)))

        chinese_s = max(window_s, self.options.chinese_window_s)
        encoded = encode(chinese_s if self.options.language == "zh" else window_s)
        if not wanted():
            return None
        language = self.options.language or self._language(encoded)
        if language == "zh" and self.options.language is None and window_s < chinese_s:
            encoded = encode(chinese_s)  # what it is was not known before
        limit = min(max_tokens, SPARE_TOKENS + math.ceil(TOKENS_PER_S * _seconds(pcm)))
        return self._generate(encoded, language, best, limit, told(language))

    def close(self) -> None:
        """Free the model; up to a second, since CTranslate2 does not while it ends a decode."""
        for _ in range(100):
            self._model.model.unload_model()
            if not self._model.model.model_is_loaded:
                break
            time.sleep(0.01)

    def _language(self, encoded: Any) -> str:
        """Return the likelier of the languages that can be chosen."""
        if not self.multilingual:
            return "en"
        found = dict(self._model.model.detect_language(encoded)[0])
        return max(sorted(self.languages), key=lambda code: found.get(f"<|{code}|>", 0.0))

    def _generate(
        self, encoded: Any, language: str, best: int, limit: int, told: str = ""
    ) -> Decoded:
        from faster_whisper.transcribe import get_suppressed_tokens

        tokenizer = self._tokenizers[language]
        before = tokenizer.encode(f" {told}")[-MAX_TOLD:] if told else []
        prompt = self._model.get_prompt(tokenizer, before, without_timestamps=True)
        limit = min(limit, MAX_LENGTH - len(prompt))
        result = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=best,
            num_hypotheses=best,
            length_penalty=1,
            # CTranslate2 decodes the lesser of half of it and what the prompt leaves of it
            max_length=max(2 * limit, len(prompt) - 1 + limit),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=list(get_suppressed_tokens(tokenizer, [-1])),
        )[0]
        hypotheses = []
        for tokens, score in zip(result.sequences_ids, result.scores, strict=True):
            text = tokenizer.decode(tokens).strip()
            # a score is the sum over the tokens and the end, divided by the tokens alone
            total = score * max(1, len(tokens))
            cut = len(tokens) >= limit
            hypotheses.append(Hypothesis(text, total, len(tokens) + (not cut), cut))
        return Decoded(language, result.no_speech_prob, tuple(hypotheses))


def compression(text: str) -> float:
    """Return how often a text repeats itself, as OpenAI measures it: its size over zlib's."""
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded))


def placement(options: WhisperOptions) -> tuple[str, str]:
    """Return the device and the compute type to use. Raises EngineError for what is not here."""
    import ctranslate2

    device = options.device or ("cuda" if ctranslate2.get_cuda_device_count() else "cpu")
    if device not in COMPUTE_TYPES or (
        device == "cuda" and not ctranslate2.get_cuda_device_count()
    ):
        raise EngineError(f"Whisper cannot run on '{device}': there is none; use device cpu")
    supported = ctranslate2.get_supported_compute_types(device)
    wanted = (options.compute_type,) if options.compute_type else COMPUTE_TYPES[device]
    for compute_type in wanted:
        if compute_type in supported:
            return device, compute_type
    raise EngineError(
        f"Whisper cannot compute in '{wanted[0]}' on {device}: use one of {sorted(supported)}"
    )


def _seconds(pcm: bytes) -> float:
    return len(pcm) / SAMPLE_BYTES / SAMPLE_RATE_HZ


def _samples(pcm: bytes) -> Any:
    """16-bit samples as floats, -1 … 1."""
    import numpy as np

    return np.frombuffer(pcm, "<i2", len(pcm) // SAMPLE_BYTES).astype(np.float32) / 32768


def _load(folder: Path, options: WhisperOptions) -> tuple[WhisperModel, str, str]:
    """Load and warm the model; on the CPU when a graphics card that nobody asked for fails."""
    try:
        import faster_whisper  # noqa: F401 - only to say in one line that it is missing
    except ImportError as error:
        raise EngineError("faster-whisper is not installed: pip install faster-whisper") from error
    for file in FILES:
        if not (folder / file).is_file():
            raise EngineError(f"{folder} is no Whisper model: {file} is missing; {_REMEDY}")
    device, compute_type = placement(options)
    try:
        return _open(folder, options, device, compute_type), device, compute_type
    except EngineError as error:
        if device == "cpu" or options.device is not None:
            raise
        log.warning("%s; the CPU is used instead", error)
    device = "cpu"
    compute_type = COMPUTE_TYPES[device][0]
    return _open(folder, options, device, compute_type), device, compute_type


def _open(folder: Path, options: WhisperOptions, device: str, compute_type: str) -> WhisperModel:
    from faster_whisper import WhisperModel

    try:
        json.loads((folder / "config.json").read_text("utf-8"))
        model = WhisperModel(
            str(folder),
            device=device,
            compute_type=compute_type,
            cpu_threads=options.cpu_threads,
            local_files_only=True,
        )
        _warm(model, options)
    except Exception as error:  # tokenizers raises bare Exception on a broken file
        reason = " ".join(str(error).split())
        raise EngineError(f"{folder} cannot be loaded: {reason}; {_REMEDY}") from error
    return model


def _warm(model: WhisperModel, options: WhisperOptions) -> None:
    """Encode silence and decode a few tokens: memory is taken and weights are laid out now."""
    from faster_whisper.audio import pad_or_trim

    frames = math.ceil(options.window_s) * FRAMES_PER_S
    silence = model.feature_extractor(_samples(bytes(SAMPLE_RATE_HZ * SAMPLE_BYTES)))
    encoded = model.encode(pad_or_trim(silence, frames))
    start = model.hf_tokenizer.token_to_id("<|startoftranscript|>")
    model.model.generate(encoded, [[start]], beam_size=options.beam_size, max_length=8)


_REMEDY = "put the whole CTranslate2 model there again, or remove the folder"
