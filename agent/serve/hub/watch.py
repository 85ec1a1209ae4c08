"""What can be watched of a hub: Prometheus' metrics, and OpenTelemetry's traces of turns.

Nothing of what is said, paid or shown is in either. With several replicas on one machine the
environment variable `PROMETHEUS_MULTIPROC_DIR` names a folder that they share, and each tells of
all (github.com/prometheus/client_python, "Multiprocess Mode").

A turn is a span from the end of speech, or from when its line came, to its answer, with a span for
each stage. They are made by OpenTelemetry's API, where that is installed, and go nowhere unless
whoever starts the hub says so: `opentelemetry-instrument glasses hub`.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.messages import Intent, NotRecognized
from agent.turn import Turn

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)
"""Buckets of the histograms."""


class Watch:
    """The metrics of one replica."""

    def __init__(self) -> None:
        """Count nothing yet."""
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._registry: CollectorRegistry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self._registry, "namespace": "glasses_hub"}
        self.sessions = Gauge("sessions", "Sessions now", multiprocess_mode="livesum", **own)
        self.waiting = Gauge(
            "waiting", "Utterances that wait to be heard", multiprocess_mode="livesum", **own
        )
        self.resumed = Counter("resumed", "Sessions that went on with what had broken off", **own)
        self.refused = Counter("refused", "Connections refused", ["why"], **own)
        self.turns = Counter("turns", "Turns answered", ["kind", "came"], **own)
        self.chunks = Counter("chunks", "Chunks of sound that came", **own)
        self.missing = Counter("chunks_missing", "Chunks of sound that never came", **own)
        self.hearing = Histogram("hearing_seconds", "To hear an utterance", buckets=SECONDS, **own)
        self.answering = Histogram(
            "answering_seconds", "From the end of an utterance or a line to its answer", ["kind"],
            buckets=SECONDS, **own,
        )  # fmt: skip

    def written(self) -> bytes:
        """Return all of it as Prometheus reads it, of all replicas that share a folder."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

        shared = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if not shared:
            return bytes(generate_latest(self._registry))
        for path in Path(shared).glob("gauge_live*_*.db"):  # of replicas that were killed
            with suppress(ValueError):
                pid = int(path.stem.rpartition("_")[2])
                if not Path(f"/proc/{pid}").exists():
                    mark_process_dead(pid, shared)  # type: ignore[no-untyped-call]  # as it comes
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # as it comes
        return bytes(generate_latest(registry))


def trace(turn: Turn, kind: str, hearing_s: float, answering_s: float) -> None:
    """Give a turn that has just ended to OpenTelemetry.

    `answering_s` is how long it took in all, of which `hearing_s` to hear it.
    """
    try:
        from opentelemetry import trace as telemetry
        from opentelemetry.trace import Status, StatusCode
    except ImportError:
        return
    tracer = telemetry.get_tracer("glasses")
    end_ns = time.time_ns()
    began_ns = end_ns - int(answering_s * 1e9)
    span = tracer.start_span("turn", start_time=began_ns, attributes=_attributes(turn, kind))
    within = telemetry.set_span_in_context(span)
    at_ns = began_ns + int(hearing_s * 1e9)
    if hearing_s:
        tracer.start_span("hear", within, start_time=began_ns).end(at_ns)
    stages, before_ms = turn.timings, turn.timings.transcript or 0.0
    for name in ("intent", "reply", "first_glyph"):
        ms = getattr(stages, name)
        if ms is not None and ms >= before_ms:
            start = at_ns + int((before_ms - (stages.transcript or 0.0)) * 1e6)
            stop = at_ns + int((ms - (stages.transcript or 0.0)) * 1e6)
            tracer.start_span(name, within, start_time=start).end(stop)
            before_ms = ms
    if turn.error:
        span.set_status(Status(StatusCode.ERROR))
    span.end(end_ns)


def _attributes(turn: Turn, kind: str) -> dict[str, str]:
    found = {"glasses.kind": kind, "glasses.language": turn.transcript.language}
    match turn.intent:
        case Intent(skill=skill, action=action, stage=stage):
            found |= {"glasses.action": f"{skill}.{action}", "glasses.route": stage}
        case NotRecognized():
            found["glasses.action"] = "none"
    if turn.transcript.engine:
        found["glasses.ears"] = turn.transcript.engine
    if turn.model:
        found["glasses.model"] = turn.model
    return found
