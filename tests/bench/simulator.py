"""The simulator: how much a browser adds to the wait, and how many browsers one server hears.

Two things are measured.

Round trip. A real Chromium hears a spoken command through its fake microphone. It takes from the
last sample of speech, on the fake microphone's own time, to the first frame of the browser with the
card in it. The same clip is fed to the same agent directly, at real-time pace, and its own time
from the last sample to the lens is subtracted. The fake microphone begins to play somewhere between
the call of `getUserMedia` and its answer; both ends are reported, the bar holds for the worse one.

Twenty clients. Each wears glasses of its own on one server, in a process apart, and speaks three
commands with pauses, over and over, at real-time pace: 20 ms in each message, 50 a second, all at
once but not in step. A chunk is lost when it is dropped by the server (its agent is over 10 s
behind), or never arrives. Limits: clients and server share this machine and its loopback; each
client speaks about half of the time; the engine is pocketsphinx; nothing is drawn by a browser, and
no music plays, over which the word “stop” would be listened for as well.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agent import config
from agent.listen.endpoint import energy_speech_end
from hardware import spoken
from hardware.audio import read
from hardware.base import CHUNK_MS
from hardware.display import MemoryDisplay
from hardware.microphone import CHUNK_BYTES, FileMicrophone
from hardware.profiles import load as load_profile

CLIP = "03-navigate"
"""A whole command that nothing could follow, so that the wait after it is always the same."""
LEAD_S = 1.5
"""Silence before it."""
RUNS = 7
CLIENTS = 20
SECONDS = 40.0
"""How long the clients speak."""
COMMANDS = ("01-search", "03-navigate", "02-price")
PAUSE_S = 2.5
"""Silence between two commands of a client."""

SERVE = """
import sys
from agent.cli.simulate import run
run(port=int(sys.argv[1]), browser=False)
"""

WATCH = """
window.seen = { lens: [] };
const get = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (get) navigator.mediaDevices.getUserMedia = async (wanted) => {
  seen.asked = performance.now();
  const stream = await get(wanted);
  seen.given = performance.now();
  return stream;
};
new PerformanceObserver((list) => {
  for (const mark of list.getEntries()) {
    if (mark.name === 'loud') seen.loud ??= mark.startTime;
    if (mark.name === 'lens' && mark.detail.length) {
      requestAnimationFrame(() => requestAnimationFrame(
        () => seen.lens.push([performance.now(), mark.detail.join(' ')])));
    }
  }
}).observe({ entryTypes: ['mark'] });
"""


def clip(name: str) -> bytes:
    """Return the PCM of a spoken example."""
    return read(next(path for path in spoken.clips() if path.stem == name))


def figures() -> dict[str, float]:
    """Return the figures; without Chromium or Playwright only those of the clients."""
    return {**round_trip(), **clients()}


# -- round trip -----------------------------------------------------------------------------------


def round_trip() -> dict[str, float]:
    """Return what the browser adds, in ms."""
    chromium = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        return {}
    if chromium is None:
        return {}
    pcm = clip(CLIP)
    direct = asyncio.run(_direct(pcm))
    speech_end_ms = energy_speech_end(pcm)
    least, most, page_ms = [], [], []
    with tempfile.TemporaryDirectory() as folder, _Server(Path(folder)) as server:
        sound = Path(folder) / "command.wav"
        with wave.open(str(sound), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(bytes(int(LEAD_S * 32_000)) + pcm + bytes(320_000))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium,
                args=[
                    "--no-sandbox",
                    "--use-fake-ui-for-media-stream",
                    "--use-fake-device-for-media-stream",
                    f"--use-file-for-fake-audio-capture={sound}%noloop",
                ],
            )
            for _ in range(RUNS):
                context = browser.new_context(viewport={"width": 1280, "height": 800})
                page = context.new_page()
                page.add_init_script(WATCH)
                page.goto(server.address)
                page.wait_for_selector("#status.ready")
                page.wait_for_timeout(2_500)  # the engine gets ready meanwhile
                page.click("#open-mic")
                page.wait_for_function("() => seen.lens.length", timeout=20_000)
                seen = page.evaluate("() => seen")
                context.close()
                spoken_ms = LEAD_S * 1000 + speech_end_ms
                card_ms = seen["lens"][0][0]
                least.append(card_ms - (seen["given"] + spoken_ms))
                most.append(card_ms - (seen["asked"] + spoken_ms))
                page_ms.append(seen["given"] - seen["asked"])
            browser.close()
    return {
        "direct_p50_ms": statistics.median(direct),
        "browser_least_p50_ms": statistics.median(least),
        "browser_most_p50_ms": statistics.median(most),
        "browser_adds_least_ms": statistics.median(least) - statistics.median(direct),
        "browser_adds_most_ms": statistics.median(most) - statistics.median(direct),
        "opening_the_microphone_p50_ms": statistics.median(page_ms),
    }


async def _direct(pcm: bytes) -> list[float]:
    """Return how long it takes from the last sample to the lens without a browser, in ms."""
    from agent.cli.compose import build

    with tempfile.TemporaryDirectory() as folder:
        settings = replace(config.load({"HOME": folder}), data=Path(folder))
        agent = build(settings, MemoryDisplay(load_profile("quark-s1")), language="auto")
        warm = FileMicrophone(bytes(64_000), pace="fast", tail_ms=0)
        _ = [turn async for turn in agent.listen(warm)]
        waits = []
        for _ in range(RUNS):
            microphone = FileMicrophone(bytes(int(LEAD_S * 32_000)) + pcm, pace="realtime")
            async with aclosing(agent.listen(microphone)) as turns:  # type: ignore[type-var]
                async for turn in turns:
                    times = turn.timings
                    if times.first_glyph is not None and times.speech_end is not None:
                        waits.append(times.first_glyph - times.speech_end)
        await agent.close()
    return waits


# -- twenty clients -------------------------------------------------------------------------------


@dataclass(slots=True)
class Client:
    """What one client did and was told."""

    sent: int = 0
    """Chunks."""
    said: int = 0
    """Commands that were said to their end."""
    waits: list[float] = field(default_factory=list)
    """From the last syllable to the lens, by the agent's own clock, of each turn in ms."""
    health: dict[str, Any] = field(default_factory=dict)
    """What the server says of the stream, at the end."""
    late_ms: float = 0.0
    """The most that this client itself fell behind its schedule."""


def clients(count: int = CLIENTS, seconds: float = SECONDS) -> dict[str, float]:
    """Return what became of the sound of many clients at once."""
    with tempfile.TemporaryDirectory() as folder, _Server(Path(folder)) as server:
        began, cpu = time.perf_counter(), server.cpu_s()
        found = asyncio.run(_all(server.address, count, seconds))
        share = (server.cpu_s() - cpu) / (time.perf_counter() - began)
        memory = server.memory_mb()
    waits = sorted(wait for client in found for wait in client.waits)
    sent = sum(client.sent for client in found)
    heard = sum(client.health.get("chunks", 0) for client in found)
    return {
        "clients": float(count),
        "chunks_sent": float(sent),
        "chunks_lost": float(sent - heard),
        "chunks_dropped": float(sum(client.health.get("dropped", 0) for client in found)),
        "commands_said": float(sum(client.said for client in found)),
        "turns_answered": float(len(waits)),
        "clients_wait_p50_ms": statistics.median(waits) if waits else float("nan"),
        "clients_wait_p95_ms": waits[int(0.95 * len(waits))] if waits else float("nan"),
        "clients_own_lateness_ms": max(client.late_ms for client in found),
        "server_cores": share,
        "server_memory_mb": memory,
    }


async def _all(address: str, count: int, seconds: float) -> list[Client]:
    ready = asyncio.Barrier(count)
    return list(
        await asyncio.gather(*(_one(address, n, ready, count, seconds) for n in range(count)))
    )


async def _one(
    address: str, number: int, ready: asyncio.Barrier, count: int, seconds: float
) -> Client:
    """Wear a pair of glasses, and speak to it for a while."""
    from websockets.asyncio.client import connect

    client = Client()
    url = address.replace("http", "ws") + "socket"
    async with connect(url, max_size=1 << 24, compression=None) as socket:
        await socket.send(json.dumps({"type": "hello", "version": 1, "pair": f"client-{number}"}))
        welcomed, warm = asyncio.Event(), asyncio.Event()

        async def listen() -> None:
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "welcome":
                    welcomed.set()
                elif message["type"] == "health":
                    client.health = message
                    warm.set()  # a turn is over: the engine is there
                elif message["type"] == "answered":
                    times = message["turn"]["timings_ms"]
                    if message["turn"]["source"] == "microphone" and times["first_glyph"]:
                        client.waits.append(times["first_glyph"] - times["speech_end"])

        listening = asyncio.create_task(listen())
        await welcomed.wait()
        await _speak(socket, clip(CLIP) + bytes(64_000), client)
        await warm.wait()
        await ready.wait()
        client.waits.clear()  # from here on it counts
        client.late_ms = 0.0
        await asyncio.sleep(4 * number / count)  # out of step
        script = b"".join(clip(name) + bytes(int(PAUSE_S * 32_000)) for name in COMMANDS)
        script = script[: len(script) // CHUNK_BYTES * CHUNK_BYTES]
        lengths = [len(clip(name)) + int(PAUSE_S * 32_000) for name in COMMANDS]
        total = int(seconds * 1000 / CHUNK_MS) * CHUNK_BYTES
        pcm = (script * (total // len(script) + 1))[:total]
        await _speak(socket, pcm, client)
        ends = [sum(lengths[: n + 1]) for n in range(len(lengths))]
        rounds, rest = divmod(total, len(script))
        client.said = rounds * len(COMMANDS) + sum(rest >= end for end in ends)
        await asyncio.sleep(3)
        await socket.send(json.dumps({"type": "say", "text": "help"}))  # brings the last figures
        await asyncio.sleep(2)
        listening.cancel()
    return client


async def _speak(socket: Any, pcm: bytes, client: Client) -> None:
    """Send sound at the pace of time."""
    from agent.serve.simulator import from_page

    await socket.send(json.dumps({"type": "listen", "on": True}))
    began = time.perf_counter()
    for index in range(len(pcm) // CHUNK_BYTES):
        due = began + (index + 1) * CHUNK_MS / 1000
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        client.late_ms = max(client.late_ms, (time.perf_counter() - due) * 1000)
        at = index * CHUNK_BYTES
        await socket.send(from_page.sound(index, pcm[at : at + CHUNK_BYTES]))
        client.sent += 1
    await socket.send(json.dumps({"type": "listen", "on": False}))


class _Server:
    """`glasses simulate` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        import socket

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/"
        self._folder = folder

    def __enter__(self) -> _Server:
        import os
        import urllib.error
        import urllib.request

        environ = {**os.environ, "HOME": str(self._folder), "XDG_DATA_HOME": str(self._folder)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(self.port)], env=environ, stdout=subprocess.DEVNULL
        )
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{self.address}health").close()
            except urllib.error.URLError:
                time.sleep(0.05)
            else:
                return self
        raise RuntimeError("the simulator did not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def cpu_s(self) -> float:
        """Return the processor time of the server so far, in s (Linux)."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def memory_mb(self) -> float:
        """Return its resident memory in MB (Linux)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{name:34} {value:12.1f}")
