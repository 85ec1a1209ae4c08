"""What the arbiter takes: a flood of requests, and how soon an alert is lit in it."""

from __future__ import annotations

import statistics
import time
import tracemalloc

from agent.display.arbiter import Arbiter, Ticket
from agent.display.request import Priority, Request
from agent.messages import Reply
from hardware.base import Frame
from hardware.profiles import load

PER_S = 10_000
"""Requests offered in each second."""
SECONDS = 20
OWNERS = 12
ALERT_EVERY = 5_000


def figures() -> dict[str, float]:
    """Return the figures of the benchmark; the clock is virtual, the work is real.

    Twice, since tracing memory takes more than half of the time.
    """
    traced = _flood(trace=True)
    memory = {name: traced[name] for name in ("flood_memory_growth_kb", "flood_standing")}
    return _flood(trace=False) | memory


def _flood(trace: bool) -> dict[str, float]:
    profile = load("quark-s1")
    lit: list[Frame | None] = [None]

    def light(frame: Frame | None) -> None:
        lit[0] = frame

    arbiter = Arbiter(light, lambda: profile)
    tickets: list[Ticket] = []
    latencies_ms: list[float] = []
    peak_standing, sizes = 0, []
    if trace:
        tracemalloc.start()
    began = time.perf_counter()
    for number in range(PER_S * SECONDS):
        now_ms = number * 1000 / PER_S
        owner = f"skill{number % OWNERS}"
        if number % ALERT_EVERY == ALERT_EVERY - 1:
            asked = time.perf_counter()
            alert = Request(Reply("hot", kind="alert"), f"a{number}", Priority.ALERT, stays_ms=100)
            tickets.append(arbiter.offer(alert, now_ms))
            arbiter.advance(now_ms)
            outcome = tickets[-1].outcome
            assert outcome is not None
            assert outcome.kind == "shown"
            latencies_ms.append((time.perf_counter() - asked) * 1000)
        key = "stream" if number % 2 else ""
        level = Priority.BACKGROUND if number % 3 else Priority.FOREGROUND
        request = Request(Reply(f"line {number}"), owner, level, key=key, stays_ms=4_000)
        tickets.append(arbiter.offer(request, now_ms))
        arbiter.advance(now_ms)
        if number % PER_S == 0:
            peak_standing = max(peak_standing, len(arbiter.standing()))
            ended = sum(t.outcome is not None for t in tickets)
            tickets = [t for t in tickets if t.outcome is None]
            sizes.append(tracemalloc.get_traced_memory()[0])
            assert ended or number == 0
    took_s = time.perf_counter() - began
    tracemalloc.stop()
    arbiter.advance(PER_S * SECONDS + 60_000.0)
    arbiter.close(PER_S * SECONDS + 60_000.0)
    return {
        "flood_per_s": PER_S * SECONDS / took_s,
        "flood_memory_growth_kb": (sizes[-1] - sizes[2]) / 1024,
        "flood_standing": peak_standing,
        "flood_unreported": sum(ticket.outcome is None for ticket in tickets),
        "alert_ms_p50": statistics.median(latencies_ms),
        "alert_ms_max": max(latencies_ms),
    }
