"""The plain rule that everybody starts from: a detector of speech and one window of silence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ
from tests.bench.turns import Clip, Outcome, Point, point, sound

START_MS = 60.0
"""Unbroken speech that opens a turn."""
MIN_MS = 80.0
"""A turn with less speech than this in all was a knock and is dropped."""

SILENCE_MS = (100, 150, 200, 250, 300, 400, 500, 600, 800, 1000, 1200, 1400, 1600, 1800)
"""Windows that are swept."""


@dataclass(frozen=True, slots=True)
class Detected:
    """What a detector makes of a clip."""

    flags: Sequence[bool]
    """Whether there is speech, frame by frame."""
    frame_ms: float
    """Length of a frame."""


Detector = Callable[[bytes], Detected]


def webrtcvad(pcm: bytes) -> Detected:
    """Ask WebRTC's detector, at its most aggressive (mode 3), in frames of 20 ms."""
    import webrtcvad as webrtc

    detector, frame = webrtc.Vad(3), SAMPLE_RATE_HZ // 50 * SAMPLE_BYTES
    frames = (pcm[at : at + frame] for at in range(0, len(pcm) - frame + 1, frame))
    return Detected([detector.is_speech(f, SAMPLE_RATE_HZ) for f in frames], 20.0)


def silero(pcm: bytes) -> Detected:
    """Ask the silero model of faster-whisper's wheel, in frames of 512 samples.

    Its state goes from frame to frame and it looks at nothing ahead, as on a stream. Speech begins
    at a probability of 0.5 and ends below 0.35: the defaults of silero's own `VADIterator`.
    """
    import numpy as np
    from faster_whisper.vad import get_vad_model

    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    samples = samples[: len(samples) // 512 * 512]
    probabilities = np.asarray(get_vad_model()(samples)).reshape(-1)
    flags, speech = [], False
    for probability in probabilities:
        speech = bool(probability >= (0.35 if speech else 0.5))
        flags.append(speech)
    return Detected(flags, 512 / SAMPLE_RATE_HZ * 1000)


DETECTORS: dict[str, Detector] = {"webrtcvad": webrtcvad, "silero": silero}


def ends(heard: Detected, silence_ms: float) -> list[float]:
    """Return when each turn ends, in ms, with one window of silence."""
    found: list[float] = []
    run_ms = spoken_ms = quiet_ms = 0.0  # unbroken speech; in the turn: speech, silence by now
    open_ = False
    for number, speech in enumerate(heard.flags, start=1):
        run_ms = run_ms + heard.frame_ms if speech else 0.0
        if not open_:
            open_, spoken_ms, quiet_ms = run_ms >= START_MS, run_ms, 0.0
            continue
        spoken_ms += heard.frame_ms if speech else 0.0
        quiet_ms = 0.0 if speech else quiet_ms + heard.frame_ms
        if quiet_ms >= silence_ms:
            open_ = False
            if spoken_ms >= MIN_MS:
                found.append(number * heard.frame_ms)
    return found


def outcome(found: Sequence[float], speech_end_ms: float) -> Outcome:
    """Judge the ends of a clip as those of the agent's turns are judged."""
    if not found:
        return Outcome(False, None, 0, {})
    early_ms = speech_end_ms - min(found)
    return Outcome(
        False, early_ms if early_ms > 0 else None, 0, {"endpoint": found[-1] - speech_end_ms}
    )


def curve(detector: Detector, clips: Sequence[Clip]) -> list[Point]:
    """Return a point for each window of silence."""
    heard = [(detector(sound(clip)), clip.speech_end_ms) for clip in clips]
    return [
        point(silence_ms, [outcome(ends(one, silence_ms), end_ms) for one, end_ms in heard])
        for silence_ms in SILENCE_MS
    ]
