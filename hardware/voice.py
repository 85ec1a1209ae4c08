"""Voices: words become sound. espeak-ng, none, and a double.

espeak-ng is a program of its own, found on the PATH and started for each sentence: what it cannot
bear ends it and not the glasses, and one that hangs is killed.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from collections.abc import Callable

from hardware import audio
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ, DeviceError, Voice

TIMEOUT_S = 5.0
"""Longest that a sentence may take; 240 characters take 0.05 s."""
WORDS_PER_MINUTE = 165
"""A little slower than espeak-ng's own 175: it is heard on a street."""

MISSING = "espeak-ng is not installed: sudo apt install espeak-ng"

ESPEAK = {"en": "en-us", "zh": "cmn-latn-pinyin", "ko": "ko", "ru": "ru", "el": "el"}
"""Which of espeak-ng's voices says each language."""


def find_voice() -> Voice:
    """Return espeak-ng's voice, or a `NoVoice` that knows why there is none."""
    program = shutil.which("espeak-ng")
    return NoVoice() if program is None else EspeakVoice(program)


class NoVoice:
    """What stands in where there is no voice."""

    name = "none"
    languages: frozenset[str] = frozenset()

    def __init__(self, reason: str = MISSING) -> None:
        self.reason = reason

    def sound(self, text: str, language: str) -> bytes:
        """Raise DeviceError with the reason."""
        raise DeviceError(self.reason)


class EspeakVoice:
    """The voice of espeak-ng, which is small, quick and has many languages."""

    name = "espeak-ng"
    languages = frozenset(ESPEAK)

    def __init__(self, program: str = "espeak-ng", timeout_s: float = TIMEOUT_S) -> None:
        self._program, self._timeout_s = program, timeout_s

    def sound(self, text: str, language: str) -> bytes:
        """Return a sentence as sound. Raises DeviceError where espeak-ng fails."""
        if language not in ESPEAK:
            raise DeviceError(f"espeak-ng is not asked for {language}: {', '.join(ESPEAK)}")
        if language == "zh":
            text = as_pinyin(text)
        asked = [self._program, "-v", ESPEAK[language], "-s", str(WORDS_PER_MINUTE)]
        try:
            done = subprocess.run(
                [*asked, "--stdin", "--stdout"],
                input=text.encode(),
                capture_output=True,
                timeout=self._timeout_s,
                check=True,
            )
        except FileNotFoundError as error:
            raise DeviceError(MISSING) from error
        except subprocess.TimeoutExpired as error:
            raise DeviceError(
                f"espeak-ng said nothing within {self._timeout_s:g} s: check it by"
                " `espeak-ng hello`, or install it again"
            ) from error
        except (OSError, subprocess.SubprocessError) as error:
            status = getattr(error, "returncode", None) or type(error).__name__
            raise DeviceError(
                f"espeak-ng failed ({status}): check it by `espeak-ng hello`, or install it again"
            ) from error
        return _samples(done.stdout)


def as_pinyin(text: str) -> str:
    """Return Chinese in pinyin with tones, all else as it is: 你好 is "ni3 hao3".

    espeak-ng comes with a dictionary of few Chinese words, as Debian packs it; what it does not
    know it spells in letters and digits. Pinyin it reads as it should.
    """
    from pypinyin import Style, lazy_pinyin

    parts = lazy_pinyin(text.translate(_STOPS), style=Style.TONE3, neutral_tone_with_five=True)
    return " ".join(parts)


_STOPS = str.maketrans("，。！？；：、", ",.!?;:,")


class VirtualVoice:
    """A double: a letter is a twentieth of a second of a low hum. `said` lists what it said."""

    name = "virtual"
    languages = frozenset({"en", "zh"})

    def __init__(self, sound: Callable[[str, str], bytes] | None = None) -> None:
        self.said: list[tuple[str, str]] = []
        self._sound = sound

    def sound(self, text: str, language: str) -> bytes:
        """Note it, and return as much sound as there are letters, or what it was told to."""
        self.said.append((text, language))
        if self._sound is not None:
            return self._sound(text, language)
        hum = b"".join(n.to_bytes(SAMPLE_BYTES, "little") for n in (500, 700, 500, 0) * 4)
        return hum * (len(text) * SAMPLE_RATE_HZ // 20 // 16)


def _samples(whole: bytes) -> bytes:
    """Return the samples of a WAV of unknown length, as programs write to a pipe."""
    try:
        with wave.open(io.BytesIO(whole)) as read:
            rate_hz = read.getframerate()
            if read.getnchannels() != 1 or read.getsampwidth() != SAMPLE_BYTES:
                raise wave.Error("not one channel of 16 bits")
            pcm: bytes = read.readframes(len(whole))
    except (wave.Error, EOFError) as error:
        raise DeviceError(
            "espeak-ng gave no sound: check it by `espeak-ng hello`, or install it again"
        ) from error
    if rate_hz == SAMPLE_RATE_HZ:
        return pcm
    resampler = audio.Resampler()
    return resampler.feed(pcm, rate_hz) + resampler.flush()
