"""How frames fare on their way to real lenses: `python -m tests.bench.lenses`.

Every page of the gallery goes to an Even G1 and to ActiveLook glasses over a simulated Bluetooth link
in virtual time, where packets are lost and answers late as said, and to a Halo on its maker's emulator.
Prints JSON. The simulated air takes no time, so what is told is what the protocols wait for.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

from agent.display.layout import lay_out
from agent.testing.clock import VirtualClock
from hardware import raster
from hardware.lenses.even_g1 import codec
from hardware.profiles import load
from hardware.wireless import written
from tests.gallery import cards
from tests.hardware.lenses import test_activelook, test_halo
from tests.hardware.lenses.waiting import until
from tests.hardware.lenses.worn import FRAMES, shows, worn

Given = TypeVar("Given")

RUNS = 20
"""How often the gallery is shown on an air that loses packets, each with a seed of its own."""
LOST, LATE_S = 0.01, 0.32


def main(runs: int = RUNS) -> None:
    """Measure, and print."""
    print(json.dumps({"gallery pages": len(FRAMES)} | even_g1(1, 0.0, 0.0)))
    print(json.dumps(even_g1(runs, LOST, LATE_S)))
    print(json.dumps(activelook()))
    print(json.dumps(asyncio.run(halo())))


def even_g1(runs: int, lose: float, late_s: float) -> dict[str, Any]:
    """Show the gallery so often, and say how long it took and what had to be sent again."""
    waited_ms: dict[bool, list[float]] = {True: [], False: []}
    ends, lit, told, wrong = 0, 0, 0, 0
    for run in range(runs):

        async def once(seed: int = 2 * run + 2) -> tuple[int, int, int, int]:
            glasses = await worn(lose, late_s, seed=seed)
            await asyncio.sleep(3)
            failed = 0
            for frame in FRAMES:
                began_s = asyncio.get_running_loop().time()
                glasses.display.show(frame)
                try:
                    await until(lambda frame=frame: all(shows(a, frame) for a in glasses.arms), 60)
                except AssertionError:
                    failed += 1
                took_ms = (asyncio.get_running_loop().time() - began_s) * 1000
                waited_ms[written.rows(frame, codec.sets) is None].append(took_ms)
                await asyncio.sleep(1)
            sent = sum(packet == codec.end() for arm in glasses.arms for packet in arm.got)
            return sent, sum(arm.pictures for arm in glasses.arms), len(glasses.told), failed

        sent, shown, said, failed = _virtual(once())
        ends, lit, told, wrong = ends + sent, lit + shown, told + said, wrong + failed
    return {
        "lens": "even-g1",
        "lost": lose,
        "answers late by ms": late_s * 1000,
        "frames": len(FRAMES) * runs,
        "not shown or not equal": wrong,
        "pictures sent": ends,
        "pictures lit": lit,
        "links opened anew": told // 2,
        "picture ms": _spread(waited_ms[True]),
        "text ms": _spread(waited_ms[False]),
    }


def activelook() -> dict[str, Any]:
    """Show the gallery once, and say what went over."""

    async def once() -> tuple[list[int], int, int]:
        glasses, display = await test_activelook.worn()
        sizes, wrong = [], 0
        for frame in test_activelook.FRAMES:
            before = len(glasses.got)
            display.show(frame)
            try:
                await until(lambda frame=frame: test_activelook.shows(glasses, frame))
            except AssertionError:
                wrong += 1
            await asyncio.sleep(1)
            sizes.append(sum(map(len, glasses.got[before:])))
        return sizes, wrong, glasses.stops

    sizes, wrong, stops = _virtual(once())
    return {
        "lens": "activelook",
        "frames": len(sizes),
        "not shown or not equal": wrong,
        "bytes a frame": _spread([float(size) for size in sizes]),
        "times asked to wait": stops,
    }


async def halo() -> dict[str, Any]:
    """Show the gallery once, and compare every pixel."""
    worn_halo = test_halo.Worn()
    await worn_halo.side.open()
    lens, equal, pixels, sizes = load("halo"), 0, 0, []
    for reply, language in cards():
        for frame in lay_out(reply, lens, language):
            before = len(worn_halo.links[0].sent)
            await worn_halo.side.show(frame)
            sizes.append(float(sum(len(p) for _, p in worn_halo.links[0].sent[before:])))
            wanted = raster.render(frame).convert("RGB").tobytes()
            equal += sum(a == b for a, b in zip(wanted, worn_halo.pixels, strict=True))
            pixels += len(wanted)
    await worn_halo.side.close()
    return {
        "lens": "halo",
        "frames": len(sizes),
        "equal": equal / pixels,
        "bytes a frame": _spread(sizes),
    }


def _virtual(work: Coroutine[Any, Any, Given]) -> Given:
    clock = VirtualClock()
    try:
        return clock.run(work)
    finally:
        clock.close()


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50": round(statistics.median(ordered)),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))]),
        "most": round(ordered[-1]),
    }


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
