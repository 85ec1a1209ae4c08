"""Tests that mean the same on a fast machine, a slow one and a busy one.

A test waits for what it waits for, with a limit that only a fault reaches (`until`, `soon`), and
judges cost by work, not by the clock: in yards, the time that a fixed piece of plain Python takes
in the same run (`spending`, `effort`).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 60.0
"""How long a test waits for what comes at once on an idle machine."""

POLL_S = 0.005
"""How often it looks."""

YARD_STEPS = 6_000
"""Steps of the loop that yards are measured by: about a millisecond on a laptop core."""


def until(condition: Callable[[], T], seconds: float = PATIENCE_S) -> T:
    """Wait in this thread until a condition holds, and return what it gave.

    Raises AssertionError when it does not hold in time.
    """
    ends_s = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends_s, f"it did not come within {seconds:g} s"
        time.sleep(POLL_S)
    return found


async def soon(condition: Callable[[], T], seconds: float = PATIENCE_S) -> T:
    """Wait as `until` does, and let the loop go on meanwhile."""
    ends_s = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends_s, f"it did not come within {seconds:g} s"
        await asyncio.sleep(POLL_S)
    return found


def yard_s() -> float:
    """Return the CPU time, in seconds, of a fixed piece of work: what the machine gives now."""
    began_s = time.thread_time()
    words: dict[int, str] = {}
    for step in range(YARD_STEPS):
        words[step % 97] = f"{step} {words.get(step % 89, '')[:8]}"
    return time.thread_time() - began_s


@dataclass(slots=True)
class Spent:
    """What a block of a test has cost."""

    yards: float = 0.0
    """CPU time of this process and of those that it waited for; a yard is about a millisecond."""


@contextmanager
def spending() -> Iterator[Spent]:
    """Measure what the block costs, by the yard of the same moment."""
    spent, yards_s = Spent(), [yard_s(), yard_s()]
    began_s = _cpu_s()
    yield spent
    spent.yards = (_cpu_s() - began_s) / max(*yards_s, yard_s(), yard_s())


def _cpu_s() -> float:
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def effort(work: Callable[[], object], rounds: int = 5) -> float:
    """Return what a call costs, in yards: the least of several rounds."""
    found = []
    for _ in range(rounds):
        with spending() as spent:
            work()
        found.append(spent.yards)
    return min(found)
