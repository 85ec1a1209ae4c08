"""Voice-activity detection, cheapest first: level, then WebRTC's detector, then silero's network.

Each stage is asked only when the one before it lets the sound pass, so that a quiet room costs a
few µs a chunk, and only what may be speech reaches the network (0.28 ms for 32 ms of sound on a
2-core cloud machine). WebRTC's detector alone takes clatter for speech: in kitchen noise at 12 dB
it calls 30 % of the time before a command speech, silero 3 %; and it goes on for some 80 ms after
the last syllable, silero for 50 ms, in noise 110.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from agent.errors import EngineError
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

FRAME_BYTES = frozenset(SAMPLE_RATE_HZ * ms // 1000 * SAMPLE_BYTES for ms in (10, 20, 30))
"""The sizes WebRTC's detector takes: 10, 20 or 30 ms."""

SPEECH = 0.5
"""Probability from which a chunk is speech, silero's own default."""


@runtime_checkable
class Vad(Protocol):
    """Anything that tells speech from the rest, chunk by chunk, in order."""

    def probability(self, pcm: bytes) -> float:
        """How likely this chunk, 16 kHz mono int16, is speech: 0 … 1."""
        ...


class WebRtcVad:
    """WebRTC's Gaussian-mixture detector: 1.3 µs for 20 ms, certain of everything.

    `mode` is its aggressiveness, 0 (lets much through) … 3 (lets least through).
    """

    def __init__(self, mode: int = 3) -> None:
        import webrtcvad

        self._detector = webrtcvad.Vad(mode)

    def is_speech(self, pcm: bytes) -> bool:
        """Whether this chunk is speech. Raises ValueError unless it is 10, 20 or 30 ms long."""
        if len(pcm) not in FRAME_BYTES:
            raise ValueError(f"{len(pcm)} bytes: WebRTC's detector takes 320, 640 or 960")
        return bool(self._detector.is_speech(pcm, SAMPLE_RATE_HZ))

    def probability(self, pcm: bytes) -> float:
        """1 for speech, else 0."""
        return float(self.is_speech(pcm))


class SileroVad:
    """The silero network that faster-whisper's wheel carries (v6, MIT).

    It hears frames of 512 samples with the 64 before them and remembers two states of 128 numbers
    (https://github.com/snakers4/silero-vad). Raises EngineError where it cannot be had.
    """

    FRAME = 512
    CONTEXT = 64

    def __init__(self) -> None:
        import numpy as np

        self._np = np
        self._session = _session()
        self.reset()

    def reset(self) -> None:
        """Forget what was heard, as after a gap."""
        np = self._np
        self._states = np.zeros((1, 1, 128), "f4"), np.zeros((1, 1, 128), "f4")
        self._context = np.zeros(self.CONTEXT, "f4")
        self._waiting = bytearray()
        self._latest = 0.0

    def probability(self, pcm: bytes) -> float:
        """How likely the newest whole frame is speech."""
        np = self._np
        self._waiting += pcm
        size = self.FRAME * SAMPLE_BYTES
        while len(self._waiting) >= size:
            frame = np.frombuffer(bytes(self._waiting[:size]), "<i2").astype("f4") / 32768
            del self._waiting[:size]
            heard = np.concatenate([self._context, frame])[None]
            self._context = frame[-self.CONTEXT :]
            h, c = self._states
            found, h, c = self._session.run(None, {"input": heard, "h": h, "c": c})
            self._states = h, c
            self._latest = float(found.ravel()[0])
        return self._latest


class CascadeVad:
    """Level, then WebRTC, then silero.

    Without silero, which it says in `note`, WebRTC's detector decides alone.
    """

    FLOOR = 16
    """Samples no louder than this (-66 dBFS) are no speech: the noise of a converter."""
    LINGER = 10
    """So many chunks after WebRTC's last speech silero is still asked, 200 ms: it knows better
    where speech ends, and its memory must not be cut in the midst of a word."""

    def __init__(self, mode: int = 3) -> None:
        import numpy as np

        self._np = np
        self._webrtc = WebRtcVad(mode)
        self._since = self.LINGER
        self.note = ""
        self._silero: SileroVad | None = None
        try:
            self._silero = SileroVad()
        except EngineError as error:
            self.note = str(error)

    def probability(self, pcm: bytes) -> float:
        """How likely this chunk is speech; 0 without a further look where a cheap stage says so."""
        samples = self._np.frombuffer(pcm, "<i2")
        loud = samples.max() > self.FLOOR or samples.min() < -self.FLOOR
        if loud and self._webrtc.is_speech(pcm):
            if self._since >= self.LINGER and self._silero is not None:
                self._silero.reset()
            self._since = 0
        else:
            self._since += 1
        if self._since >= self.LINGER:
            return 0.0
        if self._silero is None:
            return float(self._since == 0)
        return self._silero.probability(pcm)


def _session() -> InferenceSession:
    found = importlib.util.find_spec("faster_whisper")  # to find the file, not to load the package
    folders = found.submodule_search_locations if found else None
    models = sorted(Path(folders[0]).glob("assets/silero_vad*.onnx")) if folders else []
    if not models:
        raise EngineError(
            "the silero model is missing, so noise is taken for speech more often: "
            "pip install --force-reinstall faster-whisper"
        )
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineError(
            "onnxruntime is not installed, so noise is taken for speech more often: "
            "pip install onnxruntime"
        ) from error
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would keep the memory of the largest call
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        str(models[-1]), sess_options=options, providers=["CPUExecutionProvider"]
    )
