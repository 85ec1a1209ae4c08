"""What can be watched of a hub, and what cannot."""

import urllib.request

import pytest
from opentelemetry import trace as telemetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.agent.serve.hub.test_session import SPOKEN
from tests.pace import soon


async def page(hub, path):
    import asyncio

    url = hub.url.replace("ws", "http", 1) + path
    return await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=60).read().decode())


async def test_health_tells_how_many_there_are(hub):
    here = await hub(sessions=1)
    empty = '{"status":"ok","sessions":0,"most":1,"ready":true}'
    assert await page(here, "/healthz") == empty
    async with here.wearer():
        assert '"sessions":1,"most":1,"ready":false' in await page(here, "/healthz")
    await soon(lambda: here.sessions._count == 0)
    assert await page(here, "/healthz") == empty


async def test_metrics_count_turns_and_tell_nothing_of_them(hub):
    here = await hub(["pay 20 dollars to anna"])
    async with here.wearer("secret-name") as wearer:
        await wearer.speak(SPOKEN)
        await wearer.say("yes")
        told = await page(here, "/metrics")
    assert 'glasses_hub_turns_total{came="answered",kind="sound"} 1.0' in told
    assert 'glasses_hub_turns_total{came="answered",kind="line"} 1.0' in told
    assert "glasses_hub_sessions 1.0" in told
    assert not [word for word in ("anna", "20.0", "secret", "acme") if word in told.lower()]


@pytest.fixture(scope="module")
def spans():
    """What OpenTelemetry was given."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    telemetry.set_tracer_provider(provider)
    return kept


async def test_a_turn_is_a_trace_with_its_stages_and_without_its_words(hub, spans):
    here = await hub(["pay 20 dollars to anna"])
    spans.clear()
    async with here.wearer() as wearer:
        await wearer.speak(SPOKEN)
    found = {span.name: span for span in spans.get_finished_spans()}
    turn = found["turn"]
    assert {"hear", "turn", "intent", "reply"} <= found.keys()
    assert turn.attributes["glasses.action"] == "pay.pay"
    assert turn.attributes["glasses.ears"] == "scripted"
    assert "anna" not in str(turn.to_json()).lower()
    for name, span in found.items():
        if name != "turn":
            assert span.parent.span_id == turn.context.span_id
            assert turn.start_time <= span.start_time <= span.end_time
