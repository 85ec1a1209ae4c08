"""Synthetic voices that speak the samples, and the noise they speak in."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from agent.errors import EngineError
from hardware.base import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

Group = Literal["natural", "robotic"]
Read = Callable[[Path], bytes]
"""Decodes a sound file to 16 kHz mono int16."""

FLITE = {"slt": "natural", "rms": "natural", "awb": "natural", "kal": "robotic"}
"""flite's general English voices. slt, rms and awb are CLUSTERGEN models of recorded speakers
(CMU ARCTIC); kal is made of diphones and sounds like it, as espeak-ng's formants do."""

ESPEAK = ("en-us", "en-gb", "en-us+f3")
"""espeak-ng's voices: American, British, and a woman's."""

SPEAK_S = 20.0
"""Longest one sentence may take to be synthesised."""

LEAD_S, TAIL_S = 0.3, 0.4
"""Noise before and after a sentence."""

SHORTEST_NOISE_S = 2.0
"""A recording shorter than this is a click or an impulse response, not a noise."""

LEVEL = 3000.0
"""Root mean square that speech is brought to, of 32,768: -21 dBFS, usual for a headset."""

_MISSING = {
    "flite": "no natural voice: sudo apt install flite",
    "espeak-ng": "no robotic voice: sudo apt install espeak-ng",
}


@dataclass(frozen=True, slots=True)
class Voice:
    """A synthetic speaker."""

    name: str
    """`flite slt`."""
    group: Group
    """Natural voices are what a skill is judged by; robotic ones are shown beside them."""

    def speak(self, text: str, read: Read) -> bytes:
        """Return a sentence as 16 kHz mono int16. Raises EngineError when the program fails."""
        program, _, name = self.name.partition(" ")
        with tempfile.TemporaryDirectory(prefix="glasses-voice-") as folder:
            path = Path(folder, "said.wav")
            if program == "flite":
                command = ["flite", "-voice", name, "-t", text, "-o", str(path)]
            else:
                command = ["espeak-ng", "-v", name, "-w", str(path), "--stdin"]
            try:
                subprocess.run(
                    command, input=text.encode(), capture_output=True, timeout=SPEAK_S, check=True
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise EngineError(f"{self.name} cannot say “{text}”: {error}") from error
            return read(path)


def find_voices() -> tuple[list[Voice], list[str]]:
    """Return the voices of this machine, natural ones first, and a line for what is missing."""
    voices: list[Voice] = []
    missing = [_MISSING[program] for program in _MISSING if shutil.which(program) is None]
    listed = _output(["flite", "-lv"]).split()
    voices.extend(
        Voice(f"flite {name}", group)  # type: ignore[arg-type]
        for name, group in FLITE.items()
        if name in listed
    )
    if shutil.which("espeak-ng"):
        voices.extend(Voice(f"espeak-ng {name}", "robotic") for name in ESPEAK)
    return voices, missing


def _output(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SPEAK_S)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


class Noise:
    """What the samples are spoken in."""

    def __init__(
        self, recordings: Sequence[Path] = (), seed: int = 0, read: Read | None = None
    ) -> None:
        """Use recordings, or, without any, babble made from the seed."""
        self.recordings = recordings
        self._seed = seed
        self._read = read

    @classmethod
    def of(cls, path: Path, seed: int, read: Read) -> Noise:
        """Read a sound file, or all in a folder and below. Raises EngineError without any."""
        files = [path] if path.is_file() else sorted(path.rglob("*")) if path.is_dir() else []
        kept = [f for f in files if f.suffix.lower() in (".wav", ".flac", ".ogg", ".mp3")]
        noise = cls(kept, seed, read)
        if not noise._tracks:
            raise EngineError(
                f"--noise {path}: no recording of {SHORTEST_NOISE_S:g} s or more: give a WAV or"
                " FLAC file, or a folder of them"
            )
        return noise

    @cached_property
    def _tracks(self) -> list[NDArray[Any]]:
        import numpy as np

        if self._read is None:
            return [babble(20.0, self._seed)]
        read = [np.frombuffer(self._read(p), "<i2").astype(np.float64) for p in self.recordings]
        return [track for track in read if len(track) >= SHORTEST_NOISE_S * SAMPLE_RATE_HZ]

    def mixed(self, pcm: bytes, snr_db: float | None, turn: int) -> bytes:
        """Return speech at a usual level in noise `snr_db` below it; None is silence around it.

        `turn` chooses the recording and the place in it, so that runs with one seed are the same.
        """
        import numpy as np

        speech = np.frombuffer(pcm, "<i2").astype(np.float64)
        speech *= LEVEL / max(1.0, active_level(speech))
        lead, tail = (np.zeros(int(s * SAMPLE_RATE_HZ)) for s in (LEAD_S, TAIL_S))
        whole = np.concatenate((lead, speech, tail))
        if snr_db is not None:
            rng = np.random.default_rng([self._seed, turn])
            track = self._tracks[turn % len(self._tracks)]
            noise = np.take(track, np.arange(len(whole)) + rng.integers(len(track)), mode="wrap")
            wanted = LEVEL / 10 ** (snr_db / 20)
            whole += noise * wanted / max(1e-9, float(np.sqrt(np.mean(noise**2))))
        whole *= min(1.0, 32767 / max(1.0, float(np.abs(whole).max())))
        return whole.astype("<i2").tobytes()


def active_level(samples: NDArray[Any]) -> float:
    """Return the root mean square of the frames that hold speech.

    In the sense of ITU-T P.56, active speech level, simply: 20 ms frames within 30 dB of the
    loudest. Pauses do not count, so that a sentence with long ones is not spoken louder.
    """
    import numpy as np

    frame = SAMPLE_RATE_HZ // 50
    power = np.mean(samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2, axis=1)
    active = power[power > power.max(initial=0.0) / 1000]
    return float(np.sqrt(active.mean())) if len(active) else 0.0


def babble(seconds: float, seed: int, talkers: int = 8) -> NDArray[Any]:
    """Return noise like that of people talking: speech-shaped, rising and falling as syllables do.

    Each talker is noise with the long-term spectrum of speech, flat to 500 Hz and then falling 9 dB
    an octave (roughly Byrne et al., J. Acoust. Soc. Am. 96, 1994), whose loudness moves at 1 to
    8 Hz, where the modulation of speech is (Houtgast and Steeneken 1985).
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    count = int(seconds * SAMPLE_RATE_HZ)
    hz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ)
    shape = (np.maximum(hz, 500.0) / 500.0) ** -1.5 * (hz > 80)
    syllables = ((hz >= 1) & (hz <= 8)).astype(float)
    total = np.zeros(count)
    for _ in range(talkers):
        voice = np.fft.irfft(np.fft.rfft(rng.standard_normal(count)) * shape, count)
        loudness = np.fft.irfft(np.fft.rfft(rng.standard_normal(count)) * syllables, count)
        total += voice * np.maximum(0.0, 0.6 + loudness / max(1e-9, float(loudness.std())))
    return total / float(np.sqrt(np.mean(total**2)))
