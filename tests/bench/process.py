"""What the agent costs: start-up, import, idle listening, memory."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hardware.base import SAMPLE_RATE_HZ

RUNS = 5


def _median_s(command: list[str], stdin: str = "") -> float:
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run(command, input=stdin, text=True, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def import_agent_s() -> float:
    """Return the seconds `import agent` takes, without the interpreter's own start."""
    code = (
        "import time; t = time.perf_counter(); import agent; d = time.perf_counter() - t;"
        " import sys; loaded = {'numpy', 'PIL', 'pocketsphinx', 'llama_cpp', 'faster_whisper'};"
        " assert not loaded & set(sys.modules), loaded & set(sys.modules); print(d)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], text=True, check=True, capture_output=True)
            for _ in range(RUNS)]  # fmt: skip
    return statistics.median(float(run.stdout) for run in runs)


def repl_first_line_s() -> float:
    """Return the seconds from starting `glasses repl` until it has answered its first line."""
    glasses = str(Path(sys.executable).parent / "glasses")
    return _median_s([glasses, "repl"], "help\n:quit\n")


def figures(plugin: str, seconds: float = 20.0) -> dict[str, float]:
    """Return the figures of the benchmark; `seconds` are listened to silence, and to noise."""
    silent, noisy = idle_share(seconds)
    return {
        "listening_to_silence_percent_of_a_core": 100 * silent,
        "listening_to_noise_percent_of_a_core": 100 * noisy,
        "peak_memory_mb": peak_memory_mb(),
        "grammar_ready_s": grammar_ready_s(plugin),
        "import_agent_s": import_agent_s(),
        "repl_first_line_s": repl_first_line_s(),
    }


def idle_share(seconds: float) -> tuple[float, float]:
    """Return the share of one core used while listening: to a quiet room, and to room noise.

    Both are white noise: at -75 dBFS, since no microphone gives digital silence, and at -50 dBFS,
    louder than a quiet room and quieter than speech.
    """
    from hardware.microphone import FileMicrophone
    from tests.bench.listening import make_agent

    samples = int(seconds * SAMPLE_RATE_HZ)
    noise = random.Random(1)

    def room(dbfs: float) -> bytes:
        level = 32768 * 10 ** (dbfs / 20)
        heard = (round(noise.gauss(0, level)) for _ in range(samples))
        return b"".join(sample.to_bytes(2, "little", signed=True) for sample in heard)

    async def share(pcm: bytes) -> float:
        with tempfile.TemporaryDirectory() as folder:
            agent = make_agent((), Path(folder))
            microphone = FileMicrophone(pcm, pace="realtime", tail_ms=0)
            warm = FileMicrophone(bytes(64000), pace="fast", tail_ms=0)
            _ = [turn async for turn in agent.listen(warm)]
            began, cpu = time.perf_counter(), time.process_time()
            _ = [turn async for turn in agent.listen(microphone)]
            used = (time.process_time() - cpu) / (time.perf_counter() - began)
            await agent.close()
        return used

    return asyncio.run(share(room(-75))), asyncio.run(share(room(-50)))


READY = """
import asyncio, sys, time
from agent import config
from agent.cli.compose import build
from hardware.display import MemoryDisplay
from hardware.microphone import FileMicrophone
from hardware.profiles import load

async def main():
    agent = build(config.load(), MemoryDisplay(load("quark-s1")), [sys.argv[1]], "en")
    async for _ in agent.listen(FileMicrophone(bytes(640), pace="fast", tail_ms=0)):
        pass
    print(time.time() - float(sys.argv[2]))

asyncio.run(main())
"""


def grammar_ready_s(plugin: str) -> float:
    """Return the seconds from starting a process until it can hear everything installed."""
    times = []
    for _ in range(RUNS):
        command = [sys.executable, "-c", READY, plugin, str(time.time())]
        done = subprocess.run(command, text=True, check=True, capture_output=True)
        times.append(float(done.stdout))
    return statistics.median(times)


def peak_memory_mb() -> float:
    """Return the peak resident memory of this process in MB."""
    scale = 1024 if os.uname().sysname == "Linux" else 1024 * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
