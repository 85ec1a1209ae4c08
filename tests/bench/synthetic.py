"""Synthetic voices: flite's, and Piper's joe on its own weights with espeak-ng's phonemes."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import wave
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from agent import config
from agent.models import store
from hardware.audio import Resampler
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLITE = ("slt", "rms", "awb", "kal16")
JOE = "piper-en-joe"
RMS = 2_000.0
"""Level of the voices."""
ROOM = 20.0
"""Level of a quiet room: no microphone gives digital silence."""
BEGIN, END, PAD = "^", "$", "_"
"""What Piper's voices want before, after and between phonemes."""


def here() -> tuple[str, ...]:
    """Return the voices of this machine."""
    espeak = shutil.which("espeak-ng") is not None
    joe = espeak and store.here(config.load().models, JOE) is not None
    return (*(FLITE if shutil.which("flite") else ()), *((JOE,) if joe else ()))


def say(text: str, voice: str) -> bytes:
    """Return a text in a voice, levelled and trimmed, 16 kHz mono int16."""
    if voice == JOE:
        return levelled(_joe(text))
    command = ["flite", "-voice", voice, "-t", text, "-o", "/dev/stdout"]
    return levelled(subprocess.run(command, capture_output=True, check=True).stdout)


def levelled(file: bytes) -> bytes:
    """Return a WAV file without the silence around its sound, at `RMS`."""
    with wave.open(io.BytesIO(file)) as sound:
        resampler = Resampler()
        pcm = resampler.feed(sound.readframes(len(file) // 2), sound.getframerate())
    samples = np.frombuffer(pcm + resampler.flush(), "<i2").astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    samples = samples[loud[0] : loud[-1] + 1]
    return to_pcm(samples * RMS / np.sqrt(np.square(samples).mean()))


def in_room(pcm: bytes, before_s: float = 1.0, after_s: float = 0.15) -> bytes:
    """Return speech in a quiet room, with so much of the room before and after it."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    before = round(before_s * SAMPLE_RATE_HZ)
    quiet = room(before_s + len(samples) / SAMPLE_RATE_HZ + after_s)
    sound = np.frombuffer(quiet, "<i2").astype(np.float64)
    sound[before : before + len(samples)] += samples
    return to_pcm(sound)


def room(seconds: float) -> bytes:
    """Return a quiet room."""
    return to_pcm(np.random.default_rng(1).normal(0, ROOM, round(SAMPLE_RATE_HZ * seconds)))


def to_pcm(samples: NDArray[Any]) -> bytes:
    """Return samples as 16-bit PCM."""
    return np.clip(samples, -32_768, 32_767).astype("<i2").tobytes()


@cache
def _piper() -> tuple[Any, dict[str, Any]]:
    import onnxruntime

    onnxruntime.set_seed(1)  # the voice draws its intonation: the same each time
    folder = store.here(config.load().models, JOE)
    assert folder is not None
    path = next(folder.glob("*.onnx"))
    settings = json.loads(path.with_suffix(".onnx.json").read_text("utf-8"))
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]), settings


def _joe(text: str) -> bytes:
    """Return a text in Piper's voice, as a WAV file."""
    session, settings = _piper()
    command = ["espeak-ng", "-q", "--ipa", "-v", settings["espeak"]["voice"], text]
    ipa = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    ids = phoneme_ids(" ".join(ipa.split()), settings["phoneme_id_map"])
    how = settings["inference"]
    (sound,) = session.run(
        None,
        {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array(
                [how["noise_scale"], how["length_scale"], how["noise_w"]], np.float32
            ),
        },
    )
    samples = np.ravel(sound)
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(SAMPLE_BYTES)
        made.setframerate(settings["audio"]["sample_rate"])
        made.writeframes(to_pcm(samples / max(1e-6, np.abs(samples).max()) * 30_000))
    return file.getvalue()


def phoneme_ids(ipa: str, known: dict[str, list[int]]) -> list[int]:
    """Return phonemes as Piper's numbers; those that a voice does not know are left out."""
    pad = known[PAD]
    spoken = [*known[BEGIN], *pad]
    for phoneme in ipa:
        if phoneme in known:
            spoken += [*known[phoneme], *pad]
    return [*spoken, *known[END]]
