"""Recognition by Whisper through faster-whisper, for free speech and for Chinese.

Used when a CTranslate2 Whisper model is on disk; nothing is ever downloaded from here. Speech is
buffered and decoded at its end. CTranslate2 releases the GIL while it decodes.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import EngineError
from agent.messages import Transcript
from agent.sayable import Saying, hot_words

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

SAMPLE_RATE_HZ = 16_000
MAX_S = 30.0
"""Whisper hears 30 s at once; what is beyond is not heard."""
FILES = ("model.bin", "config.json", "tokenizer.json")
"""What a model folder holds. Without tokenizer.json faster-whisper would download one."""


@dataclass(frozen=True, slots=True)
class WhisperOptions:
    """How Whisper decodes."""

    language: str | None = None
    """`en` or `zh`; None asks the model which of the two, at the price of a second encoding."""
    beam_size: int = 1
    """Hypotheses kept; 5 is a little better and slower."""
    cpu_threads: int = 2
    """Cores it may use."""
    hotwords: int = 100
    """Words of what can be said now that the decoder is told of, at most."""
    max_no_speech: float = 0.6
    """Probability of silence above which a segment is dropped when it is also unsure (OpenAI's)."""
    min_log_probability: float = -1.0
    """Mean log probability of a token under which a segment is unsure (OpenAI's)."""
    max_compression: float = 2.4
    """gzip ratio above which a segment is a hallucinated repetition and dropped (OpenAI's)."""


def find_model(folder: Path | None = None) -> Path | None:
    """Find a CTranslate2 Whisper model in `folder`, or in one of its folders, first by name.

    Without `folder` it looks in $GLASSES_MODELS, else in ~/.local/share/glasses/models.
    """
    if folder is None:
        home = Path.home() / ".local" / "share" / "glasses" / "models"
        folder = Path(os.environ.get("GLASSES_MODELS") or home)
    if not folder.is_dir():
        return None
    candidates = (folder, *sorted(path for path in folder.iterdir() if path.is_dir()))
    return next((path for path in candidates if _is_model(path)), None)


def _is_model(folder: Path) -> bool:
    """Tell Whisper from other models: only its tokenizer has a start of transcript."""
    if not all((folder / file).is_file() for file in FILES):
        return False
    return b"<|startoftranscript|>" in (folder / "tokenizer.json").read_bytes()


class FasterWhisper:
    """A Transcriber on faster-whisper; see `agent.listen.asr` for the contract."""

    def __init__(self, folder: Path, options: WhisperOptions | None = None) -> None:
        """Load the model in `folder` as int8 on the CPU.

        Raises EngineError when faster-whisper is not installed or the folder is broken.
        """
        self.options = options or WhisperOptions()
        self._model = _load(folder, self.options.cpu_threads)
        self.name = f"faster-whisper {folder.name}"
        multilingual = bool(self._model.model.is_multilingual)
        self.languages = frozenset({"en", "zh"} if multilingual else {"en"})
        if self.options.language not in {None, *self.languages}:
            raise EngineError(f"{self.name} does not know the language '{self.options.language}'")
        self._heard = bytearray()
        self._hotwords: str | None = None

    def expect(self, sayings: Sequence[Saying]) -> None:
        """Prefer the words of `sayings`; others can still be heard."""
        self._hotwords = " ".join(hot_words(sayings)[: self.options.hotwords]) or None

    def start(self) -> None:
        """Begin an utterance."""
        self._heard.clear()

    def feed(self, pcm: bytes) -> None:
        """Keep the next samples, up to 30 s of them."""
        if len(self._heard) < MAX_S * SAMPLE_RATE_HZ * 2:
            self._heard += pcm

    def partial(self) -> Transcript | None:
        """Nothing: Whisper is decoded at the end."""
        return None

    def finish(self) -> Transcript:
        """Decode what was heard."""
        import numpy as np

        samples = np.frombuffer(bytes(self._heard[: len(self._heard) & ~1]), dtype="<i2")
        self._heard.clear()
        if not len(samples):
            return Transcript("", confidence=0.0, engine=self.name)
        audio = samples.astype(np.float32) / 32768
        try:
            return self._decode(audio)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"{self.name} failed on an utterance: {error}") from error

    def abort(self) -> None:
        """Throw away what was heard."""
        self._heard.clear()

    def close(self) -> None:
        """Free the model."""
        self._heard.clear()
        self._model.model.unload_model()

    def _decode(self, audio: Any) -> Transcript:
        language = self.options.language or self._language(audio)
        segments, _ = self._model.transcribe(
            audio,
            language=language,
            beam_size=self.options.beam_size,
            temperature=0.0,
            hotwords=self._hotwords,
            vad_filter=False,
            without_timestamps=True,
            condition_on_previous_text=False,
            no_speech_threshold=self.options.max_no_speech,
            log_prob_threshold=self.options.min_log_probability,
            compression_ratio_threshold=self.options.max_compression,
        )
        kept = [s for s in segments if s.compression_ratio <= self.options.max_compression]
        text = "".join(s.text for s in kept).strip()
        if not text:
            return Transcript("", language, 0.0, engine=self.name)
        tokens = sum(len(s.tokens) for s in kept) or 1
        certainty = sum(s.avg_logprob * len(s.tokens) for s in kept) / tokens
        return Transcript(text, language, min(1.0, math.exp(certainty)), engine=self.name)

    def _language(self, audio: Any) -> str:
        """Return the likelier of the languages that can be chosen."""
        if len(self.languages) == 1:
            return next(iter(self.languages))
        _, _, pairs = self._model.detect_language(audio)
        probabilities: dict[str, float] = dict(pairs)
        return max(self.languages, key=lambda language: probabilities.get(language, 0.0))


def _load(folder: Path, cpu_threads: int) -> WhisperModel:
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise EngineError("faster-whisper is not installed: pip install faster-whisper") from error
    for file in FILES:
        if not (folder / file).is_file():
            raise EngineError(f"{folder} is no Whisper model: {file} is missing; {_REMEDY}")
    try:
        json.loads((folder / "config.json").read_text("utf-8"))
        return WhisperModel(
            str(folder),
            device="cpu",
            compute_type="int8",
            cpu_threads=cpu_threads,
            local_files_only=True,
        )
    except Exception as error:  # tokenizers raises bare Exception on a broken file
        reason = " ".join(str(error).split())
        raise EngineError(f"{folder} cannot be loaded: {reason}; {_REMEDY}") from error


_REMEDY = "put the whole CTranslate2 model there again, or remove the folder"
