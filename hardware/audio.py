"""Sound files to the one format the agent hears: 16 kHz, mono, signed 16-bit little-endian PCM.

Decoding and resampling are FFmpeg's, through PyAV, which faster-whisper brings along anyway; it is
imported on first use. The speaker asks the same functions for its own rate and for stereo.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ, DeviceError

if TYPE_CHECKING:
    from av import AudioFrame, AudioResampler
    from av.container import InputContainer

HEADERLESS = {".raw": ("s16le", 16_000), ".pcm": ("s16le", 16_000), ".ulaw": ("mulaw", 8_000)}
"""FFmpeg format and rate in Hz of the files that do not say it themselves, by suffix; all mono."""

OPPOSED = -0.7
"""Correlation of two channels from which on one of them is upside down, as on a balanced line whose
halves were taken for left and right. Two microphones side by side agree; a room that is heard from
two sides comes near 0."""
KEPT = 0.9
"""Share of what earlier blocks said of the correlation that the next block leaves."""

_LAYOUTS = {1: "mono", 2: "stereo"}


def read(path: Path | str, *, rate_hz: int = SAMPLE_RATE_HZ, channels: int = 1) -> bytes:
    """All of a sound file as 16-bit PCM at `rate_hz`, with 1 or 2 channels (interleaved).

    Any rate, width and number of channels is converted (mono to stereo at -3 dB a side, so that
    it is no louder); a file that was cut off gives what is there. Raises DeviceError when there
    is nothing to hear: no such file, no sound, no samples.
    """
    return b"".join(blocks(path, rate_hz=rate_hz, channels=channels))


def blocks(
    path: Path | str, *, rate_hz: int = SAMPLE_RATE_HZ, channels: int = 1
) -> Iterator[bytes]:
    """Do as `read` does, piece by piece as it is decoded: a song need not fit in memory."""
    path = Path(path)
    av = _av()
    _must_hold_bytes(path)
    resampler = Resampler(rate_hz, channels)
    empty = True
    try:
        with _open(path) as container:
            if not container.streams.audio:
                raise DeviceError(_not_audio(path))
            for frame in _frames(container):
                if pcm := resampler.convert(frame):
                    empty = False
                    yield pcm
    except av.FFmpegError as error:
        raise DeviceError(_not_audio(path)) from error
    if pcm := resampler.flush():
        empty = False
        yield pcm
    if empty:
        raise DeviceError(f"{path} holds no sound, only a header: record it again")


def length_s(path: Path | str) -> float:
    """How long a sound file lasts, in seconds. Raises DeviceError like `read`."""
    rate_hz = 8_000  # whatever decodes fastest: headers are often wrong about the length
    return sum(map(len, blocks(path, rate_hz=rate_hz))) / (SAMPLE_BYTES * rate_hz)


class Resampler:
    """A stream of PCM of any kind to 16-bit PCM at one rate; it keeps what a block leaves over."""

    def __init__(self, rate_hz: int = SAMPLE_RATE_HZ, channels: int = 1) -> None:
        self._rate_hz = rate_hz
        self._channels = channels
        self._av = _av()
        self._mix: _Downmix | None = None
        self._filter = self._new_filter()
        self._input: tuple[str, str, int] | None = None

    def feed(self, pcm: bytes, rate_hz: int, channels: int = 1) -> bytes:
        """Convert the next block of interleaved 16-bit PCM; empty while the filter fills up."""
        frame = self._av.AudioFrame(
            format="s16",
            layout=_LAYOUTS[channels],
            samples=len(pcm) // (SAMPLE_BYTES * channels),
            align=1,
        )
        frame.planes[0].update(pcm)
        frame.sample_rate = rate_hz
        return self.convert(frame)

    def convert(self, frame: AudioFrame) -> bytes:
        """Convert the next decoded frame. Its rate or layout may differ from the last one's."""
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        # Joined MP3 and Ogg files change in the middle, which FFmpeg's filter refuses.
        done = self.flush() if self._input not in (None, kind) else b""
        if self._input is None:
            self._mix = _Downmix() if self._channels < frame.layout.nb_channels == 2 else None
            self._filter = self._new_filter()
        self._input = kind
        frame.pts = None  # a damaged file's times would make the filter insert or drop samples
        return done + self._bytes(frame)

    def flush(self) -> bytes:
        """Return what the filter still holds; afterwards a new stream may be fed."""
        if self._input is None:
            return b""
        rest = self._bytes(None)
        self._input = None
        return rest

    def _new_filter(self) -> AudioResampler:
        layout = _LAYOUTS[2 if self._mix else self._channels]
        made: AudioResampler = self._av.AudioResampler(
            format="s16", layout=layout, rate=self._rate_hz
        )
        return made

    def _bytes(self, frame: AudioFrame | None) -> bytes:
        # A plane is padded to the CPU's alignment: only its first samples are sound.
        width = SAMPLE_BYTES * (2 if self._mix else self._channels)
        pcm = b"".join(
            bytes(out.planes[0])[: out.samples * width] for out in self._filter.resample(frame)
        )
        return self._mix.mono(pcm) if self._mix else pcm


class _Downmix:
    """Two channels to one: their mean, or half their difference where one is upside down."""

    def __init__(self) -> None:
        import numpy as np

        self._np = np
        self._left = self._right = self._both = 0.0

    def mono(self, pcm: bytes) -> bytes:
        """Mix the next block of interleaved 16-bit stereo."""
        np = self._np
        left, right = np.frombuffer(pcm, "<i2").reshape(-1, 2).T.astype(np.float32)
        self._left = KEPT * self._left + float(left @ left)
        self._right = KEPT * self._right + float(right @ right)
        self._both = KEPT * self._both + float(left @ right)
        opposed = self._both < OPPOSED * math.sqrt(self._left * self._right)
        mixed = (left - right if opposed else left + right) / 2
        whole: bytes = np.rint(mixed).clip(-32_768, 32_767).astype("<i2").tobytes()
        return whole


def sound_devices() -> ModuleType:
    """Return the sounddevice module, imported on first use since it starts PortAudio.

    Raises DeviceError with the command that installs what is missing.
    """
    try:
        import sounddevice
    except ImportError as error:
        raise DeviceError("sounddevice is not installed: pip install sounddevice") from error
    except OSError as error:  # the wheel for Linux does not carry the C library
        raise DeviceError("PortAudio is not installed: sudo apt install libportaudio2") from error
    module: ModuleType = sounddevice
    return module


def _av() -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise DeviceError("PyAV, which decodes sound, is not installed: pip install av") from error
    return av


def _must_hold_bytes(path: Path) -> None:
    if path.is_dir():
        raise DeviceError(f"{path} is a directory: name a sound file in it")
    if not path.exists():
        raise DeviceError(f"{path} does not exist: check the name")
    if not path.is_file():  # a pipe would block, a device might never end
        raise DeviceError(f"{path} is not a regular file: save the sound to one")
    try:
        with path.open("rb"):
            size = path.stat().st_size
    except OSError as error:
        raise DeviceError(f"{path} cannot be read ({error.strerror}): check the file") from error
    if size == 0:
        raise DeviceError(f"{path} is empty (0 bytes): record it again")


def _not_audio(path: Path) -> str:
    return (
        f"{path} is not audio this machine can decode "
        "(WAV, FLAC, OGG, MP3, raw 16 kHz int16): check the file"
    )


def _open(path: Path) -> InputContainer:
    kind, rate_hz = HEADERLESS.get(path.suffix.lower(), (None, 0))
    # "file:" keeps a name with a colon from being read as a protocol, and the whitelist keeps a
    # playlist in disguise from reaching for the network.
    options = {"protocol_whitelist": "file"} | ({"sample_rate": str(rate_hz)} if rate_hz else {})
    container: InputContainer = _av().open(
        f"file:{path.absolute()}", format=kind, options=options, metadata_errors="ignore"
    )
    return container


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    """Frames of the first sound track, skipping over damaged packets."""
    av = _av()
    stream = container.streams.audio[0]
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):  # the end, or where the file was cut off
            return
        try:
            yield from stream.decode(packet)
        except av.InvalidDataError:
            continue
