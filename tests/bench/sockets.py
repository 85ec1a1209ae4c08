"""How long clients of RTVI and xiaozhi wait: `python -m tests.bench.sockets`.

Starts `glasses rtvi serve` and `xiaozhi serve` in homes of their own, types twenty turns, and
streams the clips that ship at the pace of speech. Prints JSON: medians and 95th percentiles, ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator

import numpy as np
from websockets.asyncio.client import connect

from agent.listen.endpoint import energy_speech_end
from hardware.audio import read
from hardware.spoken import clips
from tests.agent.serve.rtvi.conftest import Talk
from tests.agent.serve.xiaozhi.conftest import Device, opus

TYPED = (
    "translate good morning to chinese", "pay anna 20 dollars", "where am i", "what time is it",
    "付给安娜20元", "search for running shoes", "how much is the desk lamp", "what can you do",
    "navigate to the pharmacy", "play ode to joy",
)  # fmt: skip
ROUNDS = 2
QUIET = np.random.default_rng(7).normal(0, 8, 16_000).astype("<i2").tobytes()
"""A second of a quiet room; digital silence is none, and ears that begin with it err."""
COMMANDS = [path for path in clips() if "unknown" not in path.name]
"""What ears that know commands alone hear something in."""


@contextlib.asynccontextmanager
async def served(protocol: str, path: str) -> AsyncIterator[str]:
    """Run the command meanwhile, and give its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "PATH": os.environ["PATH"]}
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        program = [
            sys.executable,
            "-c",
            "from agent.cli.commands import main; main()",
            protocol,
            "serve",
        ]
        running = subprocess.Popen(
            [*program, "--host", str(port), "--language", "en"], env=environment,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert running.stderr is not None
            assert running.stderr.readline()
            yield f"ws://127.0.0.1:{port}{path}"
        finally:
            running.terminate()
            running.communicate()


async def typed(url: str) -> list[float]:
    """Return how long each typed turn took, from what is sent to the first text."""
    found = []
    async with connect(url) as client:
        talk = Talk(client)
        await talk.say("what time is it")  # what is loaded with the first turn
        for text in TYPED * ROUNDS:
            began = time.perf_counter()
            await talk.send("send-text", {"content": text})
            await talk.until("bot-llm-text")
            found.append(time.perf_counter() - began)
            await talk.until("bot-llm-stopped")
    return found


async def paced(send, pieces: list, piece_s: float) -> float:
    """Send pieces at the pace of speech, and return when the first one began."""
    began = time.perf_counter()
    for number, piece in enumerate(pieces):
        await asyncio.sleep(max(0.0, began + (number + 1) * piece_s - time.perf_counter()))
        await send(piece)
    return began


async def spoken(url: str) -> tuple[list[float], list[float]]:
    """Return how long after the end of speech transcript and answer were there, over RTVI."""
    heard, told = [], []
    for path in COMMANDS:
        pcm = QUIET + read(path) + QUIET * 2
        end_s = energy_speech_end(pcm) / 1000
        async with connect(url) as client:
            talk = Talk(client)
            pieces = [pcm[at : at + 1_280] for at in range(0, len(pcm), 1_280)]
            streaming = asyncio.create_task(paced(talk.sound, pieces, 0.04))
            while (message := await talk.read())["type"] != "user-transcription" or not (
                message["data"]["final"]
            ):
                pass
            transcript = time.perf_counter()
            await talk.until("bot-llm-text")
            answer = time.perf_counter()
            began = await streaming
            heard.append(transcript - began - end_s)
            told.append(answer - began - end_s)
    return heard, told


async def device(url: str) -> list[float]:
    """Return the same up to the transcript, over xiaozhi's protocol."""
    heard = []
    for path in COMMANDS:
        pcm = QUIET + read(path) + QUIET * 2
        end_s = energy_speech_end(pcm) / 1000
        async with connect(url) as client:
            one = Device(client)
            await one.hello()
            await one.listen()
            streaming = asyncio.create_task(paced(one.frame, opus(pcm), 0.06))
            await one.read()
            transcript = time.perf_counter()
            began = await streaming
            heard.append(transcript - began - end_s)
    return heard


def figures(name: str, times_s: list[float]) -> dict[str, float]:
    """Return median and 95th percentile in ms."""
    quantiles = statistics.quantiles(times_s, n=20, method="inclusive")
    return {f"{name}_p50_ms": round(1000 * statistics.median(times_s), 1),
            f"{name}_p95_ms": round(1000 * quantiles[-1], 1)}  # fmt: skip


async def main() -> None:
    """Measure, and print."""
    found: dict[str, float] = {}
    async with served("rtvi", "/ws") as url:
        with contextlib.suppress(TimeoutError):  # ears that have heard nothing yet may miss it
            await spoken(url)
        found |= figures("typed_to_text", await typed(url))
        heard, told = await spoken(url)
        found |= figures("speech_end_to_transcript", heard) | figures("speech_end_to_text", told)
    async with served("xiaozhi", "/xiaozhi/v1/") as url:
        await device(url)
        found |= figures("xiaozhi_speech_end_to_transcript", await device(url))
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    asyncio.run(main())
