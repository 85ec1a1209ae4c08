"""Piper voices: a neural voice run by onnxruntime, on the phonemes of espeak-ng.

    text ─▶ espeak-ng: phonemes, clause by clause ─▶ ids ─▶ VITS ─▶ 22,050 Hz ─▶ 16 kHz

A voice is a folder with `*.onnx` and `*.onnx.json`, as rhasspy/piper-voices has them. Piper's own
runtime is under the GPL and brings an espeak-ng in its wheel; here neither is linked: the program
espeak-ng is asked, as for its own voice. How text becomes ids is that of Piper: each phoneme with a
pad after it, between the signs of begin and end (`piper/phoneme_ids.py` of OHF-Voice/piper1-gpl).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from hardware import audio
from hardware.base import DeviceError, Voice
from hardware.voice import MISSING, as_pinyin

TIMEOUT_S = 5.0
"""Longest that espeak-ng may take for the phonemes of a sentence."""
THREADS = 2
"""Threads that a sentence is made with: a model of this size gains nothing from more."""
LONGEST_PHONEMES = 2000
"""Phonemes of a piece; what follows is cut off, some two minutes."""
SCALES = ("noise_scale", 0.667), ("length_scale", 1.0), ("noise_w", 0.8)
"""What the model's own settings are asked for, with Piper's defaults."""

_CLAUSE = re.compile(r"([^,.!?;:，。！？；：]+)([,.!?;:，。！？；：]*)")
_FLAG = re.compile(r"\([a-z-]+\)")
"""espeak-ng's mark of another language."""
_STOPS = str.maketrans("，。！？；：", ",.!?;:")


class PiperVoice:
    """One Piper voice, of one language."""

    slow = True
    """A sentence takes as long as a good part of itself to make: the first is said in clauses."""

    def __init__(
        self,
        folder: Path,
        program: str = "espeak-ng",
        make: Callable[[Path], Any] | None = None,
    ) -> None:
        """Read what the voice is; its weights are loaded with the first sentence.

        `make` loads them, by default onnxruntime: what it returns has `run(None, inputs)`. Raises
        DeviceError for a folder that holds no voice.
        """
        self._make = make or _onnx
        self._model = next(iter(sorted(folder.glob("*.onnx"))), None)
        try:
            if self._model is None:
                raise ValueError("no *.onnx in it")
            settings = json.loads(Path(f"{self._model}.json").read_text(encoding="utf-8"))
            self._ids: Mapping[str, Sequence[int]] = settings["phoneme_id_map"]
            self._rate_hz = int(settings["audio"]["sample_rate"])
            self._speaks = str(settings["espeak"]["voice"])
            given = settings.get("inference", {})
            self._scales = [float(given.get(name, default)) for name, default in SCALES]
            self._speakers = int(settings.get("num_speakers", 1))
            self._chains = [*self._ids["^"], *self._ids["_"]], [*self._ids["$"]]
            if settings.get("phoneme_type", "espeak") != "espeak":
                raise ValueError("its phonemes are not espeak-ng's")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DeviceError(
                f"{folder} is no Piper voice ({' '.join(str(error).split())[:80]}):"
                " `glasses models pull` gets one"
            ) from None
        language = self._speaks.partition("-")[0]
        self.languages = frozenset({"zh" if language in ("cmn", "zh") else language})
        self.name = f"piper {folder.name.removeprefix('piper-')}"
        self._program, self._lock = program, threading.Lock()
        self._session: Any = None

    def load(self) -> None:
        """Load the weights, some 0.5 s, before they are needed. Raises DeviceError."""
        with self._lock:
            if self._session is not None or self._model is None:
                return
            try:
                self._session = self._make(self._model)
            except Exception as error:  # onnxruntime's own errors have no common base
                raise DeviceError(
                    f"{self.name} cannot be loaded ({type(error).__name__}): `glasses models pull`"
                    " gets it again"
                ) from error

    def sound(self, text: str, language: str) -> bytes:
        """Return a sentence as sound. Raises DeviceError where it fails."""
        if language not in self.languages:
            known = ", ".join(self.languages)
            raise DeviceError(f"{self.name} is not asked for {language}: {known}")
        ids = self._numbers(self._phonemes(text))
        self.load()
        return self._sound(ids)

    def _phonemes(self, text: str) -> str:
        """Return what espeak-ng makes of a text, with its stops after each clause."""
        clauses = [(said, stop[:1]) for said, stop in _CLAUSE.findall(text) if said.strip()]
        asked = "\n\n".join(" ".join(said.split()) for said, _ in clauses)
        voice = self._speaks
        if "zh" in self.languages:
            asked = "\n\n".join(map(as_pinyin, asked.split("\n\n")))
            voice = "cmn-latn-pinyin"
        try:
            done = subprocess.run(
                [self._program, "-v", voice, "--ipa", "-q", "--stdin"],
                input=asked, capture_output=True, text=True, timeout=TIMEOUT_S, check=True,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise DeviceError(MISSING) from error
        except (OSError, subprocess.SubprocessError) as error:
            raise DeviceError(
                f"espeak-ng gave no phonemes ({type(error).__name__}): check it by"
                " `espeak-ng hello`"
            ) from error
        lines = [line for line in _FLAG.sub("", done.stdout).split("\n") if line.strip()]
        if len(lines) != len(clauses):
            return " ".join(line.strip() for line in lines)
        stops = (stop.translate(_STOPS) for _, stop in clauses)
        return " ".join(line.strip() + stop for line, stop in zip(lines, stops, strict=True))

    def _numbers(self, phonemes: str) -> list[int]:
        begin, end = self._chains
        pad = self._ids["_"]
        known = (self._ids[one] for one in phonemes[:LONGEST_PHONEMES] if one in self._ids)
        return [*begin, *chain.from_iterable((*ids, *pad) for ids in known), *end]

    def _sound(self, ids: list[int]) -> bytes:
        import numpy as np

        given = {
            "input": np.array([ids], dtype=np.int64),
            "input_lengths": np.array([len(ids)], dtype=np.int64),
            "scales": np.array(self._scales, dtype=np.float32),
        }
        if self._speakers > 1:
            given["sid"] = np.array([0], dtype=np.int64)
        try:
            made = self._session.run(None, given)[0].squeeze()
        except Exception as error:  # as above
            raise DeviceError(
                f"{self.name} failed ({type(error).__name__}): `glasses models pull` gets it again"
            ) from error
        pcm = (np.clip(made, -1.0, 1.0) * 32767).astype("<i2").tobytes()
        resampler = audio.Resampler()
        return resampler.feed(pcm, self._rate_hz) + resampler.flush()


def _onnx(path: Path) -> Any:
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # a device id, sent to its maker
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Voices:
    """Several voices as one: each language is said by the first that has it."""

    def __init__(self, *voices: Voice) -> None:
        """Prefer the earlier ones."""
        self._voices = voices
        self.languages = frozenset[str]().union(*(one.languages for one in voices))
        self.name = " and ".join(one.name for one in voices)
        self.slow = any(getattr(one, "slow", False) for one in voices)

    def load(self) -> None:
        """Load what would otherwise be loaded with the first sentence. Raises DeviceError."""
        for one in self._voices:
            if (load := getattr(one, "load", None)) is not None:
                load()

    def sound(self, text: str, language: str) -> bytes:
        """Return a sentence as sound, by the next voice where one fails. Raises DeviceError."""
        able = [one for one in self._voices if language in one.languages]
        for at, one in enumerate(able):
            try:
                return one.sound(text, language)
            except DeviceError:
                if at == len(able) - 1:
                    raise
        raise DeviceError(f"no voice here has {language}: {', '.join(sorted(self.languages))}")
