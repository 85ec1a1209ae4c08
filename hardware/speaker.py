"""Speakers: the machine's own through PortAudio, none, and a silent double."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from hardware import audio
from hardware.base import SAMPLE_BYTES, DeviceError, Speaker

log = logging.getLogger(__name__)


def find_speaker(device: int | str | None = None) -> Speaker:
    """Return the machine's speaker, or a `NoSpeaker` that knows why there is none."""
    try:
        return SoundDeviceSpeaker(device)
    except DeviceError as error:
        return NoSpeaker(str(error))


class NoSpeaker:
    """What stands in where there is no sound device."""

    name = "none"
    available = False
    playing: Path | None = None
    position_s = 0.0

    def __init__(self, reason: str = "no sound device: connect a speaker or headphones") -> None:
        self.reason = reason
        self.volume = 0

    def play(self, path: Path, at_s: float = 0.0) -> None:
        """Raise DeviceError with the reason."""
        raise DeviceError(self.reason)

    def pause(self) -> None:
        """Do nothing: nothing plays."""

    def resume(self) -> None:
        """Do nothing: nothing is held."""

    def stop(self) -> None:
        """Do nothing: nothing plays."""


class VirtualSpeaker:
    """A double that plays in no time and without a sound, for tests and demos.

    `played` lists every file it was given. `clock` answers seconds; `length_s` is how long each
    file lasts, or None to read it from the file, which then has to exist.
    """

    name = "virtual"
    available = True

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, length_s: float | None = None
    ) -> None:
        self.played: list[Path] = []
        self.volume = 70
        self._clock = clock
        self._fixed_length_s = length_s
        self._path: Path | None = None
        self._length_s = 0.0
        self._held_s = 0.0  # position when it last began to run or was paused
        self._runs_since: float | None = None

    def play(self, path: Path, at_s: float = 0.0) -> None:
        """Pretend to start a file. Raises DeviceError as a real one would."""
        length_s = self._fixed_length_s
        self._length_s = audio.length_s(path) if length_s is None else length_s
        self._path, self._held_s, self._runs_since = path, max(0.0, at_s), self._clock()
        self.played.append(path)

    def pause(self) -> None:
        """Hold the position."""
        if self.playing is not None:
            self._held_s, self._runs_since = self.position_s, None

    def resume(self) -> None:
        """Go on from the held position."""
        if self._path is not None and self._runs_since is None:
            self._runs_since = self._clock()

    def stop(self) -> None:
        """Forget file and position."""
        self._path, self._held_s, self._runs_since = None, 0.0, None

    @property
    def playing(self) -> Path | None:
        """The file that would sound now."""
        return self._path if self._runs_since is not None and not self._finished else None

    @property
    def position_s(self) -> float:
        """Seconds into the current file; its length once it has finished."""
        ran_s = 0.0 if self._runs_since is None else self._clock() - self._runs_since
        return min(self._held_s + ran_s, self._length_s)

    @property
    def _finished(self) -> bool:
        return self.position_s >= self._length_s


class SoundDeviceSpeaker:
    """A speaker or headphones of this machine, through PortAudio; one thread per file.

    `device` is PortAudio's number or part of a name; None is the system's choice.
    Raises DeviceError when PortAudio or the device is missing.
    """

    available = True

    def __init__(self, device: int | str | None = None) -> None:
        sd = audio.sound_devices()
        try:
            info = sd.query_devices(device, kind="output")
        except (sd.PortAudioError, ValueError) as error:  # ValueError: no or several such names
            raise DeviceError(
                "no sound device: connect a speaker or headphones"
                if device is None
                else f"no sound device {device!r}: python -m sounddevice lists them"
            ) from error
        self.name: str = info["name"]
        self.volume = 70
        self._device: int = info["index"]
        self._rate_hz = int(info["default_samplerate"])
        self._channels = min(2, int(info["max_output_channels"]))
        self._track: _Track | None = None

    def play(self, path: Path, at_s: float = 0.0) -> None:
        """Start a file, so many seconds in; at its beginning where it has no such place.

        Raises DeviceError when it or the device is no good.
        """
        self.stop()
        first, sound, skipped = self._opened(path, at_s)
        sd = audio.sound_devices()
        try:
            stream = sd.RawOutputStream(
                samplerate=self._rate_hz,
                device=self._device,
                channels=self._channels,
                dtype="int16",
            )
            stream.start()
        except sd.PortAudioError as error:
            raise DeviceError(
                f"{self.name} refuses to play: close what else uses it, or choose another device"
            ) from error
        self._track = _Track(self, path, stream, chain((first,), sound))
        self._track.frames = skipped
        self._track.start()

    def _opened(self, path: Path, at_s: float) -> tuple[bytes, Iterator[bytes], int]:
        """Decode to a place: its first block, those that follow, and the frames before it."""
        sound = audio.blocks(path, rate_hz=self._rate_hz, channels=self._channels)
        first, frames = next(sound), 0  # decoded here, so that a bad file is the caller's to know
        while frames < at_s * self._rate_hz:
            frames += len(first) // (SAMPLE_BYTES * self._channels)
            if (following := next(sound, None)) is None:
                return self._opened(path, 0.0)
            first = following
        return first, sound, frames

    def pause(self) -> None:
        """Hold the position, within the block that is being played."""
        if self._track is not None:
            self._track.going.clear()

    def resume(self) -> None:
        """Go on from the held position."""
        if self._track is not None:
            self._track.going.set()

    def stop(self) -> None:
        """Silence, position forgotten."""
        if self._track is not None:
            self._track.end()
        self._track = None

    @property
    def playing(self) -> Path | None:
        """The file that sounds now."""
        track = self._track
        if track is None or not track.is_alive() or not track.going.is_set():
            return None
        return track.path

    @property
    def position_s(self) -> float:
        """Seconds into the current file, of what was handed to the device."""
        return 0.0 if self._track is None else self._track.frames / self._rate_hz


class _Track(threading.Thread):
    """One file on its way to the device. Blocking writes pace it; events pause and end it."""

    def __init__(
        self,
        speaker: SoundDeviceSpeaker,
        path: Path,
        stream: Any,  # sounddevice ships no types
        sound: Iterator[bytes],
    ) -> None:
        super().__init__(name="speaker", daemon=True)
        self.path = path
        self.frames = 0
        self.going = threading.Event()
        self.going.set()
        self._ended = threading.Event()
        self._speaker = speaker
        self._stream = stream
        self._sound = sound

    def run(self) -> None:
        """Play to the end, or until `end`; a device that vanishes ends it too."""
        sd = audio.sound_devices()
        try:
            with self._stream:
                for block in self._sound:
                    self._wait_while_paused()
                    if self._ended.is_set():
                        self._stream.abort()
                        return
                    self._stream.write(_scaled(block, self._speaker.volume))
                    self.frames += len(block) // (SAMPLE_BYTES * self._stream.channels)
        except sd.PortAudioError as error:
            log.warning("%s stopped playing: %s", self._speaker.name, error)

    def end(self) -> None:
        """Fall silent and wait until the device is free for the next file."""
        self._ended.set()
        self.going.set()
        self.join()

    def _wait_while_paused(self) -> None:
        if not self.going.is_set():
            self._stream.stop()  # what was written still sounds, so the position stays true
            self.going.wait()
            self._stream.start()


def _scaled(pcm: bytes, volume: int) -> bytes:
    """PCM at `volume` percent of its amplitude."""
    if volume >= 100:
        return pcm
    import numpy as np

    samples = np.frombuffer(pcm, "<i2").astype(np.int32) * max(0, volume) // 100
    return samples.astype("<i2").tobytes()
