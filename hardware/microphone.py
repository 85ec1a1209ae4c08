"""Microphones: the live one, one that may vanish and return, and files that pretend to be one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from hardware.audio import Resampler, read, sound_devices
from hardware.base import (
    CHUNK_MS,
    SAMPLE_BYTES,
    SAMPLE_RATE_HZ,
    AbsentChunk,
    AudioChunk,
    DeviceError,
    Microphone,
)

CHUNK_BYTES = SAMPLE_RATE_HZ * CHUNK_MS // 1000 * SAMPLE_BYTES
"""Size of every chunk these microphones yield: 20 ms, 640 bytes."""

VANISHED_AFTER_S = 2.0
"""A device that is silent in the literal sense, no blocks at all, for this long is gone."""

CLOSE_WITHIN_S = 0.5
"""How long closing a device may hold up the event loop; a working one takes some ms."""

RETURN_S = 30.0
"""How long a microphone that vanished is waited for."""

LOOK_S = 1.0
"""How often it is looked for."""

RATE_S = 5.0
"""Over how long the rate of a device is measured."""

RATE_OFF = 0.05
"""By how much, twice running, it must be off to have changed. 44.1 and 48 kHz are 8 % apart,
crystals 0.02 %; a quarter of a second that got lost in one measurement is 5 % once."""

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
        when the device is in use, vanishes, or goes on at another rate.
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
        rate = _Rate(self._rate_hz * self._channels * SAMPLE_BYTES)
        rest = b""
        while True:
            pcm, arrived_s, lost = await self._next(blocks)
            if rate.changed(arrived_s, len(pcm)):
                raise DeviceError(
                    f"microphone {self.name} went on at another rate than {self._rate_hz} Hz:"
                    " start again"
                )
            if resampler is not None:
                pcm = resampler.feed(pcm, self._rate_hz, self._channels)
            stamps.arrived(arrived_s, len(rest) + len(pcm), lost=lost)
            if not rest and len(pcm) == CHUNK_BYTES:  # as most devices give it: not copied again
                yield AudioChunk(pcm, stamps.take())
                continue
            rest += pcm
            whole = len(rest) // CHUNK_BYTES * CHUNK_BYTES
            for at in range(0, whole, CHUNK_BYTES):
                yield AudioChunk(rest[at : at + CHUNK_BYTES], stamps.take())
            rest = rest[whole:]

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


class ReturningMicrophone:
    """A microphone that may vanish and return, heard as one stream on one clock.

    `open_` gives the device, or raises DeviceError while there is none. While it is away the stream
    is silence, `AbsentChunk`s at the pace of time, so that a sentence that was begun comes to its
    end and nothing waits for ever. `tell` is given a line when it goes and one when it is back.
    `clock` answers seconds; a test with virtual time passes its event loop's.

    Raises DeviceError when there is no device at first, and when it stays away for `wait_s`.
    """

    def __init__(
        self,
        open_: Callable[[], Microphone],
        *,
        wait_s: float = RETURN_S,
        tell: Callable[[str], None] = lambda line: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open = open_
        self._wait_s = wait_s
        self._tell = tell
        self._clock = clock
        self._device = open_()
        self._shift_ms = 0.0  # the stream's time less the device's
        self._away: tuple[float, float] | None = None  # stream ms when it went, and by the clock
        self._end_ms = 0.0  # of the last chunk

    @property
    def name(self) -> str:
        """The device's name."""
        return self._device.name

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the stream; its times begin at 0 and go on through every absence."""
        self._shift_ms, self._away, self._end_ms = 0.0, None, 0.0
        while True:
            try:
                async with aclosing(self._device.chunks()) as chunks:
                    async for chunk in chunks:
                        if self._away is not None:
                            self._back(chunk)
                        if self._shift_ms:
                            chunk = replace(chunk, start_ms=chunk.start_ms + self._shift_ms)
                        self._end_ms = chunk.end_ms
                        yield chunk
                return
            except DeviceError as error:
                if not self._end_ms:
                    raise
                async with aclosing(self._waited(error)) as silence:
                    async for chunk in silence:
                        yield chunk

    def now_ms(self) -> float:
        """Now, in ms since the stream began; it never goes back."""
        if self._away is not None:
            return self._away[0] + (self._clock() - self._away[1]) * 1000
        return self._device.now_ms() + self._shift_ms

    def _back(self, first: AudioChunk) -> None:
        """Set the clock of the device that has returned to the stream's."""
        shift_ms = self.now_ms() - self._device.now_ms()
        self._shift_ms = max(shift_ms, self._end_ms - first.start_ms)
        self._away = None
        self._tell(f"listening again: {self.name}")

    async def _waited(self, lost: DeviceError) -> AsyncGenerator[AudioChunk, None]:
        """Yield silence until there is a device again. Raises `lost` when there is none."""
        if self._away is None:
            self._away = self.now_ms(), self._clock()
            self._tell(f"{lost}; waiting {self._wait_s:g} s for it")
        looking = asyncio.ensure_future(self._found(self._away[1] + self._wait_s))
        try:
            while not looking.done():
                due_s = (self._end_ms + CHUNK_MS - self.now_ms()) / 1000
                await asyncio.sleep(max(0.0, due_s))
                chunk = AbsentChunk(bytes(CHUNK_BYTES), self._end_ms)
                self._end_ms = chunk.end_ms
                yield chunk
            device = looking.result()
        finally:
            looking.cancel()
        if device is None:
            raise lost
        self._device = device

    async def _found(self, until_s: float) -> Microphone | None:
        while self._clock() < until_s:
            await asyncio.sleep(LOOK_S)
            try:
                return await asyncio.to_thread(self._open)  # a driver may take its time
            except DeviceError:
                continue
        return None


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


def find_again(device: int | str | None = None) -> LiveMicrophone:
    """Look for devices again and open one: what a `ReturningMicrophone` asks for. Raises like both.

    Nothing may play meanwhile: looking again ends every stream of this process.
    """
    rescan()
    return LiveMicrophone(device)


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


class _Rate:
    """Whether a device still gives as many bytes a second as it was opened for.

    One that changes its clock underneath, as a headset does that goes over to telephony, would be
    heard too slow or too fast.
    """

    def __init__(self, bytes_per_s: int) -> None:
        self._bytes_per_s = bytes_per_s
        self._since_s: float | None = None
        self._size = 0
        self._off = 0

    def changed(self, now_s: float, size: int) -> bool:
        """Take note of a block of `size` bytes; say whether the rate is another by now."""
        if self._since_s is None:
            self._since_s = now_s
            return False
        self._size += size
        passed_s = now_s - self._since_s
        if passed_s < RATE_S:
            return False
        ratio = self._size / (passed_s * self._bytes_per_s)
        self._off = self._off + 1 if abs(ratio - 1) > RATE_OFF else 0
        self._since_s, self._size = now_s, 0
        return self._off >= 2


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
