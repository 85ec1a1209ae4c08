"""Clients that misbehave: each costs itself its connection, and the next one is served."""

import asyncio
import contextlib
import json
import logging
import random
import tracemalloc

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agent.cli import push
from agent.serve import sockets
from agent.serve.rtvi import protobuf
from agent.testing import ScriptedTranscriber
from tests.agent.serve.rtvi.conftest import QUIET, text
from tests.agent.serve.rtvi.test_talk import PAY, SPOKEN

READY = json.dumps({"label": "rtvi-ai", "type": "client-ready", "id": "1", "data": {}})


def message(kind, data):
    return json.dumps({"label": "rtvi-ai", "type": kind, "id": "1", "data": data})


def sound(**data):
    return message("raw-audio", {"base64Audio": "", "sampleRate": 16_000, "numChannels": 1, **data})


@pytest.fixture
async def glasses(serve):
    return await serve(ScriptedTranscriber([PAY] * 100), builtin=True)


async def rest(client):
    """What comes until the connection is closed, and the code it is closed with."""
    found = []
    try:
        async with asyncio.timeout(20):
            while True:
                found.append(await client.socket.recv())
    except ConnectionClosed:
        return found, client.socket.close_code


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 50_000, "no JSON"),
        ("1e999", "no JSON"),
        ('"client-ready"', "no JSON object"),
        ("[]", "no JSON object"),
        ("{}", "its label is not rtvi-ai"),
        ('{"label": "other", "type": "client-ready"}', "its label is not rtvi-ai"),
        ('{"label": "rtvi-ai"}', "type is no text"),
        ('{"label": "rtvi-ai", "type": 7}', "type is no text"),
        ('{"label": "rtvi-ai", "type": "send-text"}', "content is no text"),
        (message("send-text", ["x"]), "content is no text"),
        (message("send-text", {"content": ["yes"]}), "content is no text"),
        (message("send-text", {"content": "\ud800"}), "no JSON"),
        (message("raw-audio", None), "no base64"),
        (message("raw-audio-batch", {"base64AudioBatch": [7]}), "no base64"),
        (sound(base64Audio="not base64!"), "no base64"),
        (sound(base64Audio="ü"), "no base64"),
        (sound(sampleRate=0), "sound has rate"),
        (sound(sampleRate="16000"), "sound has rate"),
        (sound(sampleRate=True), "sound has rate"),
        (sound(numChannels=99), "sound has channels"),
    ],
)  # fmt: skip
async def test_what_is_no_message_is_one_line(glasses, sent, why):
    async with glasses.talk() as client:
        await client.socket.send(sent)
        (told,), code = await rest(client)
    error = json.loads(told)
    assert (error["type"], error["data"]["fatal"], code) == ("error", True, 1007)
    assert why in error["data"]["error"]
    assert "\n" not in error["data"]["error"]
    assert len(error["data"]["error"]) < 120
    assert await glasses.lives()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\xff" * 20,
        b"\x00",
        b"{}",
        bytes(5_000),
        protobuf.written(READY)[:-3],
        b"\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x",
        b"\x12\x02\x1a\x7f",
        b"\x12\x04\x1a\x00\x20",
        b"\x12\x00",  # sound at no rate
        b"\x12\x04\x18\x01\x20\x01",  # sound that is a number
    ],
)
async def test_a_binary_message_that_is_no_frame_is_one_line(glasses, sent):
    async with glasses.talk() as client:
        await client.socket.send(sent)
        (told,), code = await rest(client)
    error = json.loads(protobuf.read(told))
    assert (error["type"], code) == ("error", 1007)
    assert len(error["data"]["error"]) < 120
    assert await glasses.lives()


async def test_frames_of_other_kinds_are_passed_over(glasses):
    async with glasses.talk() as client:
        for frame in (b"\x0a\x00", b"\x1a\x02\x1a\x00", b"\x2a\x00", b"\x0a\x00\x9d\x06abcd"):
            await client.socket.send(frame)
        await client.socket.send(protobuf.written(READY))
        kinds = [json.loads(protobuf.read(await client.socket.recv()))["type"] for _ in range(2)]
    assert kinds == ["error-response", "bot-ready"]


async def test_messages_cut_at_any_byte_are_one_line_each(glasses):
    whole = message("send-text", {"content": "what time is it"})
    for cut in range(0, len(whole), 7):
        async with glasses.talk() as client:
            await client.socket.send(whole[:cut])
            (told,), code = await rest(client)
        assert (json.loads(told)["type"], code) == ("error", 1007), cut
    assert await glasses.lives()


async def test_rubbish_ends_no_server(glasses, caplog):
    chance = random.Random(7)
    with caplog.at_level(logging.WARNING):
        for _ in range(60):
            async with glasses.talk() as client:
                await client.socket.send(chance.randbytes(chance.randrange(1, 400)))
                await client.socket.close()
    assert [r for r in caplog.records if r.name.startswith("agent")] == []
    assert await glasses.lives()


async def test_a_hundred_megabytes_are_refused_by_their_head(glasses):
    tracemalloc.start()
    try:
        async with glasses.talk() as client:
            with contextlib.suppress(ConnectionClosed):
                await client.socket.send(["x" * (1 << 20)] * 100)
            assert (await rest(client))[1] == 1009
        async with glasses.talk() as client:
            big = "x" * sockets.MOST_BYTES
            await client.socket.send(message("send-text", {"content": big}))
            _, code = await rest(client)
            assert code == 1009
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16 << 20
    assert await glasses.lives()


@pytest.mark.slow
async def test_sound_without_end_is_not_kept(glasses):
    async def speak(client):
        await client.sound(SPOKEN * 20, piece=64_000)  # 39 s, 1.25 MB
        await client.send("client-ready", {"version": "2.2.0"})
        await client.until("bot-ready")

    async with glasses.talk() as client:
        await speak(client)
        tracemalloc.start()
        try:
            for _ in range(4):
                await speak(client)
            grown, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert grown < 3 << 20
    assert await glasses.lives()


async def test_who_says_nothing_is_told_and_let_go(glasses, monkeypatch):
    monkeypatch.setattr(sockets, "HELLO_S", 0.1)
    async with glasses.talk() as client:
        (told,), code = await rest(client)
    assert json.loads(told)["data"]["error"] == "nothing came within 0 s: connect again"
    assert code == 1008


async def test_who_falls_silent_is_told_and_let_go(glasses, monkeypatch):
    monkeypatch.setattr(sockets, "IDLE_S", 0.1)
    async with glasses.talk() as client:
        await client.send("client-ready", {"version": "2.2.0"})
        told, code = await rest(client)
    assert [json.loads(one)["type"] for one in told] == ["bot-ready", "error"]
    assert code == 1008


@pytest.mark.slow
async def test_who_reads_nothing_is_let_go(serve, monkeypatch):
    monkeypatch.setattr(sockets, "WRITE_S", 0.2)
    monkeypatch.setattr(push, "UNREAD_MS", 1_000)
    glasses = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", glasses.port)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    ask = READY.encode()
    frame = bytes([0x81, 0x80 | len(ask)]) + bytes(4) + ask

    async def flood():
        while True:
            writer.write(frame * 500)
            await writer.drain()
            await asyncio.sleep(0)

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(flood(), 15)
    writer.close()
    assert await glasses.lives()


async def test_hanging_up_in_the_middle_of_an_utterance_leaves_the_ears_free(glasses):
    for _ in range(5):
        async with glasses.talk() as client:
            await client.sound(QUIET + SPOKEN[:40_000])
            assert (await client.read())["type"] == "user-started-speaking"
            client.socket.transport.abort()
    async with asyncio.timeout(5):
        while glasses.ears._along is not None:
            await asyncio.sleep(0.01)
    assert glasses.agent.gate.open is None, "half a sentence is none"
    async with glasses.talk() as client:
        await client.sound(QUIET + SPOKEN + QUIET)
        assert "20.00" in text(await client.until("bot-llm-stopped"))


async def test_ten_at_once_are_all_heard_and_answered(glasses):
    async def one(number):
        async with glasses.talk() as client:
            if number % 2:
                return text(await client.say("translate good morning to chinese"))
            await client.sound(QUIET + SPOKEN + QUIET)
            return text(await client.until("bot-llm-stopped"))

    told = await asyncio.wait_for(asyncio.gather(*map(one, range(10))), 60)
    for number, one_told in enumerate(told):
        assert ("早上好" if number % 2 else "20.00") in one_told


async def test_no_more_than_so_many_come_at_once(glasses):
    held = [glasses.talk() for _ in range(sockets.MOST_CLIENTS)]
    for one in held:
        await one.__aenter__()
    async with glasses.talk() as client:
        (told,), code = await rest(client)
    assert json.loads(told)["data"]["error"] == "16 clients are here already: come again"
    assert code == 1013
    for one in held:
        await one.__aexit__(None, None, None)
    async with asyncio.timeout(5):
        while not await glasses.lives():
            pass


async def test_a_fault_of_our_own_ends_one_client_alone(glasses, monkeypatch, caplog):
    monkeypatch.setattr(glasses.agent, "hear", lambda *args, **kwargs: 1 / 0)
    async with glasses.talk() as client:
        await client.send("send-text", {"content": "my secret words"})
        told, code = await rest(client)
    assert json.loads(told[-1])["data"] == {
        "error": "the glasses failed: connect again",
        "fatal": True,
    }
    assert code == 1011
    assert [r.getMessage() for r in caplog.records if r.name.startswith("agent")] == [
        "RTVI: a client failed: ZeroDivisionError"
    ]
    monkeypatch.undo()
    assert await glasses.lives()


# -- who may come ---------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_this_machine_comes_by_its_own_names(glasses, host):
    headers = {"Origin": f"http://{host}:5173"}
    url = f"ws://{host.strip('[]') if ':' not in host else '127.0.0.1'}:{glasses.port}/ws"
    async with glasses.talk(url, additional_headers=headers) as client:
        await client.send("client-ready", {"version": "2.2.0"})
        assert (await client.read())["type"] == "bot-ready"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "http://["]
)
async def test_a_page_of_somebody_else_does_not(glasses, origin):
    with pytest.raises(InvalidStatus) as refused:
        async with glasses.talk(additional_headers={"Origin": origin}):
            pass
    assert refused.value.response.status_code == 403


async def test_a_name_of_somebody_elses_for_this_machine_does_not(glasses):
    reader, writer = await asyncio.open_connection("127.0.0.1", glasses.port)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b" 403 " in await reader.readline()
    writer.close()


@pytest.mark.parametrize(
    ("query", "header", "comes"),
    [
        ("", "Bearer s3cret", True),
        ("", "bearer s3cret", True),
        ("?token=s3cret", None, True),
        ("?skip_tts=true&token=s3cret", None, True),
        ("?token=s3cret", "Bearer ", True),  # as a client without one sends it
        ("", None, False),
        ("", "Bearer s3cre", False),
        ("", "Basic s3cret", False),
        ("?token=", None, False),
        ("?token=s3cret", "Bearer wrong", False),
        ("?token=%00", None, False),
    ],
)
async def test_bound_elsewhere_whoever_has_the_token_comes(serve, query, header, comes):
    glasses = await serve(token="s3cret")
    headers = {"Origin": "https://app.example"} | ({"Authorization": header} if header else {})
    coming = glasses.talk(glasses.url + query, additional_headers=headers)
    if not comes:
        with pytest.raises(InvalidStatus, match="403"):
            await coming.__aenter__()
        return
    async with coming as client:
        await client.send("client-ready", {"version": "2.2.0"})
        assert (await client.read())["type"] == "bot-ready"
