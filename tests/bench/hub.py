"""What a hub holds: `python -m tests.bench.hub`, with `--ray` also on Ray where that is installed.

Talking. Sessions on one hub, which runs in processes of its own, say three commands with pauses,
over and over, at the pace of speech: 20 ms in each message, 50 a second. It takes from the last
syllable, by energy on the clip, to the answer at the glasses. One session first, then many, and as
ratio, for the machine may be busy with other things. A chunk is lost when the hub has not counted
it, or counted it as missing.

Killed. Sessions pay, each amount once, on two replicas of which one is killed (SIGKILL) in the
midst of it. A turn is lost when it is never answered, a payment doubled when its amount is in the
ledgers twice.

Idle. What a session takes that says nothing, in memory and processor time, and one that sends the
sound of a quiet room.

Limits: glasses and hub share this machine and its loopback; the engine is pocketsphinx unless
`--models FOLDER` names Whisper's weights as well.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

from agent.act.states import MOVED
from agent.listen.endpoint import energy_speech_end
from hardware.audio import read
from hardware.spoken import clips
from tests.agent.serve.hub.running import Running, temporary_home
from tests.agent.serve.hub.wearer import QUIET, Wearer

SESSIONS = 20
SECONDS = 40.0
"""How long the sessions talk."""
COMMANDS = ("01-search", "03-navigate", "02-price")
PAUSE_S = 2.5
"""Silence between two commands of a session."""
CHUNK_S = 0.02
TOGETHER = 1
"""Chunks in each message."""
KILL_S, AFTER_S = 4.0, 10.0
"""When a replica is killed, and how long is paid after it."""
PATIENCE_S = 20.0
STAGGER_S = 0.1
"""Time between two sessions that come: Ray gives all that come at once to one replica."""
REST = 0.6
"""Cores that a hub at rest takes at most; Ray itself takes some."""


@dataclass(slots=True)
class Heard:
    """What the sessions of a run were told."""

    waits: list[float] = field(default_factory=list)
    """From the last syllable to the answer, in s."""
    said: int = 0
    """Commands that were said."""
    chunks: int = 0
    """Chunks that were sent."""


async def talk(hub: Running, count: int, seconds: float, prefix: str) -> Heard:
    """Let many talk at once, and return what came of it."""
    heard = Heard()
    ready = asyncio.Barrier(count)
    await asyncio.gather(
        *(_talks(hub, f"{prefix}-{n}", n / count, ready, seconds, heard) for n in range(count))
    )
    return heard


async def _talks(
    hub: Running, name: str, phase: float, ready: asyncio.Barrier, seconds: float, heard: Heard
) -> None:
    async with hub.wearer(name) as wearer:
        await wearer.say("what time is it")
        await ready.wait()
        await asyncio.sleep(4 * phase)  # out of step
        ends_s, number = time.perf_counter() + seconds, 0
        while time.perf_counter() < ends_s:
            pcm = read(next(c for c in clips() if c.stem == COMMANDS[number % len(COMMANDS)]))
            number += 1
            pcm = pcm + QUIET * 3
            pcm = pcm[: len(pcm[: -len(QUIET) * 3]) + int(PAUSE_S * 32_000) // 640 * 640]
            before, answered = wearer.sent["sound"], len(wearer.answers)
            began_s = time.perf_counter()
            await wearer.stream(pcm, CHUNK_S, TOGETHER)
            heard.said += 1
            heard.chunks += wearer.sent["sound"] - before
            with contextlib.suppress(TimeoutError):  # it counts as said and not answered
                await wearer.until(lambda n=answered: len(wearer.answers) > n, PATIENCE_S)  # type: ignore[misc]
            came = [s for (kind, n), s in wearer.heard.items() if kind == "sound" and n > before]
            heard.waits += [min(came) - began_s - energy_speech_end(pcm) / 1000] if came else []


def warm(hub: Running) -> None:
    """Wait until all engines are loaded: until one is heard at once, and the hub is at rest."""
    while min(asyncio.run(talk(hub, 1, 1, "warm")).waits, default=9.0) > 3.0:
        pass
    rest, ends_s = 0, time.monotonic() + 90
    while rest < 3 and time.monotonic() < ends_s:
        cpu_s = hub.cpu_s()
        time.sleep(1.0)
        rest = rest + 1 if hub.cpu_s() - cpu_s < REST else 0


def talking(hub: Running, count: int, seconds: float) -> dict[str, float]:
    """Return the figures of one session and of many."""
    warm(hub)
    found: dict[str, float] = {}
    alone = asyncio.run(talk(hub, 1, seconds, "alone"))
    before = hub.metric("glasses_hub_chunks_total"), hub.metric("glasses_hub_chunks_missing_total")
    began_s, cpu_s = time.perf_counter(), hub.cpu_s()
    many = asyncio.run(talk(hub, count, seconds, "many"))
    share = (hub.cpu_s() - cpu_s) / (time.perf_counter() - began_s)
    counted = hub.metric("glasses_hub_chunks_total") - before[0]
    found |= _waits("alone", alone) | _waits("many", many)
    found["ratio_p50"] = found["many_p50_ms"] / found["alone_p50_ms"]
    found["ratio_p95"] = found["many_p95_ms"] / found["alone_p95_ms"]
    found["chunks_sent"] = float(many.chunks)
    found["chunks_lost"] = many.chunks - counted
    found["chunks_missing"] = hub.metric("glasses_hub_chunks_missing_total") - before[1]
    found["hub_cores"] = share
    found["hub_memory_mb"] = hub.memory_mb()
    found["load"] = os.getloadavg()[0]
    return found


def _waits(name: str, heard: Heard) -> dict[str, float]:
    quantiles = statistics.quantiles(heard.waits, n=20, method="inclusive")
    return {
        f"{name}_said": float(heard.said), f"{name}_answered": float(len(heard.waits)),
        f"{name}_p50_ms": 1000 * statistics.median(heard.waits),
        f"{name}_p95_ms": 1000 * quantiles[-1],
    }  # fmt: skip


# -- killed ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Paid:
    """What the sessions were told while they paid."""

    told: dict[str, list[str]] = field(default_factory=dict)
    """Amounts that glasses were told are paid, by their name."""
    unclear: int = 0
    """Payments of which they were told neither."""
    breaks: list[float] = field(default_factory=list)
    """How long links were broken, up to the welcome, in s."""
    resumed: list[float] = field(default_factory=list)
    """The same up to the next answer."""
    turns: int = 0
    """Turns answered."""
    twice: int = 0
    """Answers that were sent again."""


async def pays(wearer: Wearer, amount: str) -> bool:
    """Pay an amount; return whether it was told to be paid."""
    turn = await wearer.say(f"pay {amount} dollars to anna")
    for _ in range(6):
        reply = turn["reply"] or {}
        text = f"{reply.get('title', '')} {reply.get('text', '')}"
        if re.search(r"\bPaid\b|went through|was paid", text) and not reply.get("proposal"):
            return True
        if not reply.get("proposal"):
            return False
        turn = await wearer.say("yes")
    return False


async def killed(hub: Running, count: int, prefix: str = "payer", kills: int = 1) -> Paid:
    """Let many pay, kill a replica in the midst, and return what came of it."""
    found, ends = Paid(), asyncio.Event()
    ready = asyncio.Barrier(count + 1)

    async def one(name: str) -> None:
        found.told[name] = []
        await asyncio.sleep(STAGGER_S * int(name.rpartition("-")[2]))
        async with hub.wearer(name) as wearer:
            await wearer.say("what time is it")
            await ready.wait()
            number = 0
            while not ends.is_set():
                number += 1
                amount = f"1.{number:02}" if number < 100 else f"{number / 100 + 1:.2f}"
                broken = len(wearer.breaks)
                began_s = time.perf_counter()
                if await pays(wearer, amount):
                    found.told[name].append(amount)
                else:
                    found.unclear += 1
                if len(wearer.breaks) > broken:
                    found.resumed.append(time.perf_counter() - began_s)
                await asyncio.sleep(0.2)
            found.breaks += wearer.breaks
            found.turns += len(wearer.answers)
            found.twice += wearer.twice
            assert not wearer.kept["line"], "a line was never answered"

    async def killing() -> None:
        await ready.wait()
        for _ in range(kills):
            await asyncio.sleep(KILL_S)
            os.kill(hub.replicas()[0], signal.SIGKILL)
        await asyncio.sleep(AFTER_S)
        ends.set()

    await asyncio.gather(killing(), *(one(f"{prefix}-{n}") for n in range(count)))
    return found


def killing(hub: Running, count: int) -> dict[str, float]:
    """Return the figures of a replica that is killed while many pay."""
    paid = asyncio.run(killed(hub, count))
    doubled, untold, unpaid = audit(hub, paid)
    return {
        "sessions": float(count), "turns_answered": float(paid.turns), "turns_lost": 0.0,
        "links_broken": float(len(paid.breaks)),
        "resumed_p50_s": statistics.median(paid.breaks) if paid.breaks else 0.0,
        "resumed_slowest_s": max(paid.breaks, default=0.0),
        "answered_again_slowest_s": max(paid.resumed, default=0.0),
        "payments": float(sum(map(len, paid.told.values()))), "payments_twice": float(doubled),
        "payments_untold": float(untold), "payments_told_and_not_made": float(unpaid),
        "payments_unclear": float(paid.unclear), "answers_sent_again": float(paid.twice),
        "load": os.getloadavg()[0],
    }  # fmt: skip


def audit(hub: Running, paid: Paid) -> tuple[int, int, int]:
    """Compare ledgers with what was told: paid twice, paid and not told, told and not paid."""
    doubled = untold = unpaid = 0
    for name, told in paid.told.items():
        made = [f"{e.order.amount:.2f}" for e in hub.ledger(name) if e.state in MOVED]
        doubled += len(made) - len(set(made))
        untold += len(set(made) - set(told))
        unpaid += len(set(told) - set(made))
    return doubled, untold, unpaid


# -- idle -----------------------------------------------------------------------------------------


async def _idle(hub: Running, count: int, seconds: float) -> tuple[float, float]:
    async with asyncio.TaskGroup() as group:
        wearers = [hub.wearer(f"idle-{n}") for n in range(count)]
        for wearer in wearers:
            group.create_task(wearer.__aenter__())
    for wearer in wearers:
        await wearer.say("what time is it")
    cpu_s = hub.cpu_s()
    await asyncio.sleep(seconds)
    share, memory = (hub.cpu_s() - cpu_s) / seconds, hub.memory_mb()
    for wearer in wearers:
        await wearer.leave()
    return share, memory


def idle(hub: Running, count: int = 50, seconds: float = 10.0) -> dict[str, float]:
    """Return what a session takes that says nothing."""
    few_share, few_mb = asyncio.run(_idle(hub, 2, seconds))
    share, memory = asyncio.run(_idle(hub, count, seconds))
    return {
        "idle_session_mb": (memory - few_mb) / (count - 2),
        "idle_session_core_percent": 100 * (share - few_share) / (count - 2),
        "without_sessions_mb": few_mb,
    }


async def _quiet(hub: Running, count: int, seconds: float) -> float:
    async def one(name: str, phase: float) -> None:
        async with hub.wearer(name) as wearer:
            await asyncio.sleep(phase * CHUNK_S)
            await wearer.stream(QUIET * int(seconds), CHUNK_S, TOGETHER)

    cpu_s = hub.cpu_s()
    await asyncio.gather(*(one(f"quiet-{n}", n / count) for n in range(count)))
    return (hub.cpu_s() - cpu_s) / seconds


def quiet(hub: Running, count: int = SESSIONS, seconds: float = 10.0) -> dict[str, float]:
    """Return what a session takes whose microphone is open while nobody speaks."""
    asyncio.run(_quiet(hub, count, 1.0))
    share = asyncio.run(_quiet(hub, count, seconds))
    return {"quiet_session_core_percent": 100 * share / count}


def figures(ray: bool = False, models: str = "", options: Any = None) -> dict[str, float]:
    """Return the figures, by uvicorn or by Ray."""
    count, seconds = (options.sessions, options.seconds) if options else (SESSIONS, SECONDS)
    more = {"GLASSES_MODELS": models} if models else {}
    engine = ("--ray", "local") if ray else ()
    found: dict[str, float] = {}
    only = set(options.only.split(",")) if options else {"talking", "killed", "idle"}
    with temporary_home() as home, Running(home, "--sessions", "200", *engine, **more) as hub:
        if "talking" in only:
            found |= talking(hub, count, seconds)
        if "idle" in only:
            warm(hub)
            found |= idle(hub) | quiet(hub)
    if "killed" in only:
        with (
            temporary_home() as home,
            Running(home, "--sessions", "200", "--replicas", "2", *engine, **more) as hub,
        ):
            found |= {f"killed_{name}": value for name, value in killing(hub, count).items()}
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--models", default="")
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--together", type=int, default=TOGETHER, help="chunks in each message")
    parser.add_argument("--only", default="talking,killed,idle")
    options = parser.parse_args()
    globals()["TOGETHER"] = options.together
    found = figures(options.ray, options.models, options)
    print(json.dumps({name: round(value, 3) for name, value in found.items()}, indent=2))


if __name__ == "__main__":
    main()
