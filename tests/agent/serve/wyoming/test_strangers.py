"""Clients that misbehave: each costs itself its connection, and the next one is served."""

import asyncio
import json
import tracemalloc

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, async_read_event

from agent.errors import ConfigError
from agent.listen.wyoming.frames import MOST_HEADER, MOST_PAYLOAD, written
from agent.serve.wyoming import server as server_module
from agent.serve.wyoming.server import Allowed
from agent.testing import ScriptedTranscriber
from tests.agent.serve.wyoming.conftest import heard, say, text

SPOKEN = b"".join(
    written(event)
    for event in (
        Transcribe(language="en"),
        AudioStart(16_000, 2, 1),
        AudioChunk(16_000, 2, 1, bytes(64)),
        AudioStop(),
    )
)


@pytest.fixture
async def glasses(serve):
    made = await serve(ScriptedTranscriber(["hello there"] * 1_000))
    assert await made.lives()
    return made


async def sent(glasses, data, hang_up=False):
    """Send bytes and return the events that come back until the server hangs up."""
    reader, writer = await glasses.raw()
    writer.write(data)
    if hang_up:
        writer.write_eof()
    events = []
    async with asyncio.timeout(10):
        try:
            while (event := await async_read_event(reader)) is not None:
                events.append(event)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # it was let go while it still sent
    writer.close()
    return events


async def test_frames_that_end_at_any_byte_are_thrown_away(glasses):
    for cut in range(len(SPOKEN)):
        events = await sent(glasses, SPOKEN[:cut], hang_up=True)
        assert "error" not in [event.type for event in events], cut
        assert "transcript" not in [event.type for event in events], cut
    whole = await sent(glasses, SPOKEN, hang_up=True)
    assert "transcript" in [event.type for event in whole]
    assert await glasses.lives()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\n", "no Wyoming event"),
        (b"[]\n", "it is no JSON object"),
        (b'"describe"\n', "it is no JSON object"),
        (b"{}\n", "it has no type"),
        (b'{"type": 7}\n', "it has no type"),
        (b"\xff\xfe\n", "not UTF-8"),
        (b"[" * 3_000 + b"\n", "nested too deeply"),
        (b'{"type": "describe", "data": 3}\n', "its data is no object"),
        (b'{"type": "describe", "data_length": -1}\n', "data_length is no length"),
        (b'{"type": "describe", "data_length": "9"}\n', "data_length is no length"),
        (b'{"type": "describe", "data_length": true}\n', "data_length is no length"),
        (b'{"type": "describe", "data_length": 1e99}\n', "data_length is no length"),
        (b'{"type": "describe", "data_length": 2}\n[]', "it is no JSON object"),
        (b'{"type": "audio-chunk", "payload_length": 100000000}\n', "payload_length is more than"),
        (b"x" * (MOST_HEADER + 1), "its header is longer"),
        (b'{"type": "audio-start"}\n', "sound has rate"),
        (b'{"type": "audio-start", "data": {"rate": 0, "width": 2, "channels": 1}}\n', "rate"),
        (b'{"type": "audio-start", "data": {"rate": 16000, "width": 9, "channels": 1}}\n', "width"),
        (b'{"type": "audio-start", "data": {"rate": 16000, "width": 2, "channels": 0}}\n', "channels"),
        (b'{"type": "transcript", "data": {"text": ["yes"]}}\n', "text is no text"),
        (b'{"type": "transcribe", "data": {"language": 3}}\n', "language is no text"),
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n" + written(Transcript("yes")), "no Wyoming event"),
    ],
)  # fmt: skip
async def test_what_is_no_event_is_one_line(glasses, data, why):
    events = await sent(glasses, data)
    (error,) = events
    assert error.type == "error"
    assert why in error.data["text"]
    assert "\n" not in error.data["text"]
    assert len(error.data["text"]) < 200
    assert await glasses.lives()


async def test_a_payload_that_lies_about_its_length_takes_what_follows_and_is_thrown_away(glasses):
    lie = json.dumps({"type": "audio-chunk", "payload_length": 5_000}).encode() + b"\n"
    assert await sent(glasses, lie + SPOKEN, hang_up=True) == []
    short = b'{"type": "audio-start", "data_length": 3}\n' + b'{"rate": 16000}'
    (error,) = await sent(glasses, short, hang_up=True)
    assert "no Wyoming event" in error.data["text"]
    assert await glasses.lives()


async def test_a_hundred_megabytes_are_not_kept(glasses):
    head = written(AudioStart(16_000, 2, 1))
    one = written(AudioChunk(16_000, 2, 1, bytes(MOST_PAYLOAD)))
    tracemalloc.start()
    try:
        async with glasses.client() as client:
            client._writer.write(head)
            for _ in range(100):
                client._writer.write(one)
                await client._writer.drain()
            await client.write_event(AudioStop().event())
            assert text(await heard(client)) == "hello there"
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16 << 20
    assert await glasses.lives()


async def test_events_that_nobody_knows_are_passed_over(glasses):
    async with glasses.client() as client:
        for name in ("detect", "synthesize", "run-pipeline", "select-program", "x" * 500, ""):
            await client.write_event(Event(name, {"name": "other"}, b"payload"))
        await client.write_event(AudioStop().event())  # nothing was begun
        await say(client, bytes(3_200))
        assert text(await heard(client)) == "hello there"


async def test_who_says_nothing_is_let_go(glasses, monkeypatch):
    monkeypatch.setattr(server_module, "IDLE_S", 0.1)
    assert await sent(glasses, b"") == []
    assert await glasses.lives()


@pytest.mark.parametrize("begun", [b'{"type": "desc', written(AudioStart(16_000, 2, 1))])
async def test_who_stops_in_the_midst_is_told_and_let_go(glasses, monkeypatch, begun):
    monkeypatch.setattr(server_module, "STALL_S", 0.1)
    *_, error = await sent(glasses, begun)
    assert error.data["text"] == "what was begun has not come to its end: send it again"
    assert await glasses.lives()


async def test_who_trickles_is_let_go_in_the_end(glasses, monkeypatch):
    monkeypatch.setattr(server_module, "BUSY_S", 0.5)
    reader, writer = await glasses.raw()
    began = asyncio.get_running_loop().time()

    async def trickle():
        while True:
            writer.write(b" ")
            await asyncio.sleep(0.05)

    task = asyncio.create_task(trickle())
    async with asyncio.timeout(10):
        event = await async_read_event(reader)
    task.cancel()
    assert event.type == "error"
    assert asyncio.get_running_loop().time() - began < 5
    writer.close()


async def test_who_reads_nothing_is_let_go(glasses, monkeypatch):
    monkeypatch.setattr(server_module, "WRITE_S", 0.2)
    _, writer = await glasses.raw()

    async def ask():
        while True:
            writer.write(b'{"type": "describe"}\n' * 2_000)
            await writer.drain()
            await asyncio.sleep(0)

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(ask(), 20)
    writer.close()
    assert await glasses.lives()


async def test_hanging_up_in_the_middle_of_an_utterance_leaves_the_ears_free(glasses):
    for _ in range(20):
        _, writer = await glasses.raw()
        writer.write(written(AudioStart(16_000, 2, 1)))
        writer.write(written(AudioChunk(16_000, 2, 1, bytes(16_000))))
        await writer.drain()
        writer.transport.abort()
    async with glasses.client() as client:
        await say(client, bytes(3_200))
        assert text(await heard(client)) == "hello there"
    async with asyncio.timeout(5):
        while glasses.server._clients:
            await asyncio.sleep(0.01)
    assert glasses.server.ears._along is None


async def test_no_more_than_so_many_come_at_once(glasses):
    async with asyncio.timeout(5):
        while glasses.server._clients:
            await asyncio.sleep(0.01)
    held = [await glasses.raw() for _ in range(server_module.MOST_CLIENTS)]
    (error,) = await sent(glasses, b"")
    assert error.data["text"] == "16 clients are here already: come again"
    for _, writer in held:
        writer.close()
    async with asyncio.timeout(5):
        while glasses.server._clients:
            await asyncio.sleep(0.01)
    assert await glasses.lives()


async def test_a_fault_of_our_own_ends_one_client_alone(glasses, monkeypatch):
    monkeypatch.setattr(glasses.server, "info", lambda: 1 / 0)
    assert await sent(glasses, b'{"type": "describe"}\n') == []
    monkeypatch.undo()
    assert await glasses.lives()


# -- who may come ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "comes"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.1.5", True),
        ("::ffff:192.168.1.5", True),
        ("192.168.1.6", False),
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("fe80::1%eth0", False),
    ],
)
def test_other_machines_come_by_their_address(host, comes):
    assert (host in Allowed(["192.168.1.5", "10.0.0.0/8"])) is comes


def test_a_name_is_no_address():
    with pytest.raises(ConfigError, match="wyoming_from has 'kitchen': write addresses"):
        Allowed(["kitchen"])


async def test_who_was_not_named_is_told_and_let_go(glasses, monkeypatch):
    monkeypatch.setattr(Allowed, "__contains__", lambda self, host: False)
    (error,) = await sent(glasses, written(Transcript("what time is it")))
    assert error.data["text"] == "127.0.0.1 may not come: name it in GLASSES_WYOMING_FROM"


def test_errors_are_what_the_library_reads():
    assert Error.from_event(Error("x", "glasses").event()).code == "glasses"
