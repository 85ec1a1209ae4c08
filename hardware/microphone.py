"""Microphones: the live one, and files that pretend to be one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any, Literal

from hardware.audio import Resampler, read, sound_devices
from hardware.base import CHUNK_MS, SAMPLE_BYTES, SAMPLE_RATE_HZ, AudioChunk, DeviceError

CHUNK_BYTES = SAMPLE_RATE_HZ * CHUNK_MS // 1000 * SAMPLE_BYTES
"""Size of every chunk these microphones yield: 20 ms, 640 bytes."""

VANISHED_AFTER_S = 2.0
"""A device that is silent in the literal sense, no blocks at all, for this long is gone."""

CLOSE_WITHIN_S = 0.5
"""How long closing a device may hold up the event loop; a working one takes some ms."""

_SLEW = 0.01
"""Share of the difference to wall time a stamp makes up per block: settles within 10 s or so,
while one late callback moves it by a fraction of a ms."""


_Block = tuple[bytes, float, bool]
"""PCM as the device gave it, when it arrived by the monotonic clock, and whether some was lost."""


class FileMicrophone:
    """Sound files, or PCM, heard as if somebody spoke them just now.

    `sources` are paths or bytes of 16 kHz mono int16, heard one after the other, each followed by
    `tail_ms` of silence, since a real microphone does not end with the last word. At pace
    `realtime` a chunk comes when its last sample would have been captured; at `fast`, at once.
    `clock` answers seconds; a test with virtual time passes its event loop's.

    Raises DeviceError, at once, when a source cannot be decoded.
    """

    def __init__(
        self,
        *sources: Path | str | bytes,
        pace: Literal["realtime", "fast"] = "realtime",
        tail_ms: float = 1500.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = ", ".join("PCM" if isinstance(s, bytes) else Path(s).name for s in sources)
        self._pcm = b"".join(_padded(source, tail_ms) for source in sources)
        self._realtime = pace == "realtime"
        self._clock = clock
        self._began_s: float | None = None
        self._handed_out: tuple[float, float] | None = None  # stream ms, and when by the clock

    @property
    def duration_ms(self) -> float:
        """Length of the stream in ms, silences included."""
        return len(self._pcm) / CHUNK_BYTES * CHUNK_MS

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the stream in chunks of 20 ms, from its beginning each time it is called."""
        self._began_s = self._clock()
        self._handed_out = None
        for index in range(len(self._pcm) // CHUNK_BYTES):
            start = index * CHUNK_BYTES
            chunk = AudioChunk(self._pcm[start : start + CHUNK_BYTES], float(index * CHUNK_MS))
            # Against the schedule and not the last chunk, so that delays do not add up. A sleep
            # of 0 still lets the event loop do its other work.
            due_s = self._began_s + chunk.end_ms / 1000
            await asyncio.sleep(max(0.0, due_s - self._clock()) if self._realtime else 0.0)
            self._handed_out = chunk.end_ms, self._clock()
            yield chunk

    def now_ms(self) -> float:
        """Now, in ms since the stream began; 0 before it has. See `Microphone.now_ms`."""
        if self._began_s is None:
            return 0.0
        since = (0.0, self._began_s)
        if not self._realtime and self._handed_out is not None:
            since = self._handed_out
        return since[0] + (self._clock() - since[1]) * 1000


class LiveMicrophone:
    """A microphone of this machine, through PortAudio.

    `device` is PortAudio's number or part of a name; None is the system's choice. PortAudio looks
    for devices once, when it starts: one plugged in later is seen by the next process.

    Raises DeviceError when PortAudio or the device is missing.
    """

    def __init__(self, device: int | str | None = None) -> None:
        info = _find(device)
        self.name: str = info["name"]
        self._device: int = info["index"]
        self._rate_hz, self._channels = _capture_format(info)
        self._stamps = _Stamps()

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield chunks of 20 ms until the consumer stops, which is when the device is let go.

        Whoever may stop before the end wraps this in `contextlib.aclosing`. Raises DeviceError
        when the device is in use or vanishes.
        """
        sd = sound_devices()
        loop = asyncio.get_running_loop()
        blocks: asyncio.Queue[_Block | None] = asyncio.Queue()

        def hand_over(block: _Block | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(blocks.put_nowait, block)

        def captured(data: Any, _frames: int, _time: Any, status: Any) -> None:
            # In PortAudio's own thread: copy, stamp, and out.
            hand_over((bytes(data), time.monotonic(), bool(status.input_overflow)))

        try:
            stream = sd.RawInputStream(
                samplerate=self._rate_hz,
                blocksize=self._rate_hz * CHUNK_MS // 1000,
                device=self._device,
                channels=self._channels,
                dtype="int16",
                latency="low",
                callback=captured,
                finished_callback=lambda: hand_over(None),
            )
            try:
                stream.start()
                async for chunk in self._stamped(blocks):
                    yield chunk
            finally:
                _close(stream)
        except sd.PortAudioError as error:
            raise DeviceError(
                f"microphone {self.name} cannot be used ({_first_line(error)}): "
                "close what else listens, or choose another device"
            ) from error

    def now_ms(self) -> float:
        """Now, in ms since the stream began; 0 before it has."""
        return self._stamps.at(time.monotonic())

    async def _stamped(
        self, blocks: asyncio.Queue[_Block | None]
    ) -> AsyncGenerator[AudioChunk, None]:
        """Blocks as the device gives them to chunks as the agent wants them."""
        as_is = (self._rate_hz, self._channels) == (SAMPLE_RATE_HZ, 1)
        resampler = None if as_is else Resampler()
        self._stamps = stamps = _Stamps()
        rest = b""
        while True:
            pcm, arrived_s, lost = await self._next(blocks)
            if resampler is not None:
                pcm = resampler.feed(pcm, self._rate_hz, self._channels)
            stamps.arrived(arrived_s, len(rest) + len(pcm), lost=lost)
            rest += pcm
            while len(rest) >= CHUNK_BYTES:
                yield AudioChunk(rest[:CHUNK_BYTES], stamps.take())
                rest = rest[CHUNK_BYTES:]

    async def _next(self, blocks: asyncio.Queue[_Block | None]) -> _Block:
        gone = DeviceError(
            f"microphone {self.name} vanished while listening: plug it in and start again"
        )
        if blocks.empty():
            try:
                async with asyncio.timeout(VANISHED_AFTER_S):
                    block = await blocks.get()
            except TimeoutError as error:
                raise gone from error
        else:
            block = blocks.get_nowait()
        if block is None:  # PortAudio ended the stream of its own accord
            raise gone
        return block


def available(device: int | str | None = None) -> tuple[bool, str]:
    """Whether there is such a microphone: True and its name, or False and why, in one line."""
    try:
        return True, str(_find(device)["name"])
    except DeviceError as error:
        return False, str(error)


def rescan() -> None:
    """Look for devices again. Raises DeviceError without PortAudio.

    PortAudio looks when it starts and never again, so it is stopped and started; no stream may be
    open.
    """
    sd = sound_devices()
    sd._terminate()
    sd._initialize()


class _Stamps:
    """When chunks were captured: the count of samples, slewed towards wall time.

    Counting alone drifts, by up to 0.4 s an hour between two crystals of 50 ppm each; arrival
    alone jitters with the system's load.
    """

    def __init__(self) -> None:
        self._began_s: float | None = None
        self._next_ms = 0.0

    def at(self, now_s: float) -> float:
        """Stream time of a moment by the monotonic clock, in ms."""
        return 0.0 if self._began_s is None else (now_s - self._began_s) * 1000

    def arrived(self, now_s: float, size: int, *, lost: bool = False) -> None:
        """Take note that with a block `size` bytes wait to be stamped; `lost`: some never came."""
        waiting_ms = size / (SAMPLE_BYTES * SAMPLE_RATE_HZ) * 1000
        if self._began_s is None:
            self._began_s = now_s - waiting_ms / 1000
        late_ms = self.at(now_s) - waiting_ms - self._next_ms
        self._next_ms += max(late_ms, 0.0) if lost else late_ms * _SLEW

    def take(self) -> float:
        """Start of the next chunk, in ms."""
        start_ms = self._next_ms
        self._next_ms += CHUNK_MS
        return max(0.0, start_ms)


def _padded(source: Path | str | bytes, tail_ms: float) -> bytes:
    """PCM of one source and its silence, in whole chunks."""
    pcm = source[: len(source) & ~1] if isinstance(source, bytes) else read(source)
    if not pcm:
        raise DeviceError("the PCM to listen to holds no samples: pass 16 kHz mono int16")
    tail = round(tail_ms * SAMPLE_RATE_HZ / 1000) * SAMPLE_BYTES
    short = -(len(pcm) + tail) % CHUNK_BYTES
    return pcm + bytes(tail + short)


def _find(device: int | str | None) -> dict[str, Any]:
    """PortAudio's description of an input device. Raises DeviceError when there is none."""
    sd = sound_devices()
    try:
        info: dict[str, Any] = sd.query_devices(device, kind="input")
    except (sd.PortAudioError, ValueError) as error:  # ValueError: no or several such names
        if device is None:
            raise DeviceError(
                "no microphone is connected: plug one in, or listen to a file"
            ) from error
        raise DeviceError(
            f"no microphone {device!r} ({_first_line(error)}): "
            "python -m sounddevice lists the devices"
        ) from error
    return info


def _close(stream: Any) -> None:
    """Close the stream, but do not wait for a device that hangs: its driver may never return."""
    closing = threading.Thread(target=stream.close, name="microphone-close", daemon=True)
    closing.start()
    closing.join(CLOSE_WITHIN_S)


def _capture_format(info: dict[str, Any]) -> tuple[int, int]:
    """Rate in Hz and channels to ask for: ours if the device can, else its own."""
    sd = sound_devices()
    try:
        sd.check_input_settings(
            device=info["index"], channels=1, dtype="int16", samplerate=SAMPLE_RATE_HZ
        )
    except sd.PortAudioError:
        return int(info["default_samplerate"]), min(2, info["max_input_channels"])
    return SAMPLE_RATE_HZ, 1


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(":. ")
