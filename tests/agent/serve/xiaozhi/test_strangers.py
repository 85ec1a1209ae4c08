"""Devices that misbehave: each costs itself its connection, and the next one is served."""

import asyncio
import contextlib
import json
import random

import pytest
from websockets.exceptions import ConnectionClosed

from agent.serve import sockets
from agent.testing import ScriptedTranscriber
from tests.agent.serve.xiaozhi.conftest import told
from tests.agent.serve.xiaozhi.test_device import PAY, QUIET, SPOKEN


@pytest.fixture
async def glasses(serve):
    return await serve(ScriptedTranscriber([PAY] * 100), builtin=True)


async def rest(device):
    """What comes until the connection is closed, and the code it is closed with."""
    found = []
    try:
        async with asyncio.timeout(20):
            while True:
                found.append(json.loads(await device.socket.recv()))
    except ConnectionClosed:
        return found, device.socket.close_code


HELLO = {"type": "hello", "version": 1, "audio_params": {"format": "opus"}}


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ("", "no JSON"),
        (json.dumps(HELLO)[:-4], "no JSON"),
        ("[" * 50_000, "no JSON"),
        ("[]", "no JSON object"),
        ("{}", "type is no text"),
        ('{"type": 7}', "type is no text"),
        ('{"type": "listen", "state": "start"}', "hello first"),
        (b"\xff\xff", "hello first"),
        ({**HELLO, "version": 4}, "versions 1 to 3"),
        ({**HELLO, "version": 0}, "versions 1 to 3"),
        ({**HELLO, "version": "1"}, "versions 1 to 3"),
        ({**HELLO, "version": True}, "versions 1 to 3"),
        ({**HELLO, "version": [9] * 999}, "versions 1 to 3"),
        ({**HELLO, "audio_params": []}, "audio_params"),
        ({**HELLO, "audio_params": {"format": "mp3"}}, "opus and pcm, not 'mp3'"),
        ({**HELLO, "audio_params": {"format": "pcm"}}, "sound has rate"),
        ({**HELLO, "audio_params": {"format": "pcm", "sample_rate": -1}}, "sound has rate"),
    ],
)
async def test_what_is_no_message_is_one_line(glasses, sent, why):
    async with glasses.device(hello=False) as device:
        await device.socket.send(json.dumps(sent) if isinstance(sent, dict) else sent)
        (alert,), code = await rest(device)
    assert (alert["type"], code) == ("alert", 1007)
    assert why in alert["message"]
    assert len(alert["message"]) < 120
    assert await glasses.lives()


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_opus_that_is_none_is_one_line(glasses, version):
    chance = random.Random(7)
    async with glasses.device(hello=False) as device:
        await device.hello(version)
        await device.listen()
        for _ in range(300):
            await device.frame(chance.randbytes(chance.randrange(0, 400)))
        found, code = await rest(device)
    assert found[-1]["message"] == "sound is no Opus"
    assert code == 1007
    assert await glasses.lives()


async def test_a_frame_that_is_none_among_others_is_passed_over(glasses):
    async with glasses.device() as device:
        await device.listen()
        for _ in range(5):
            await device.frame(b"\xff")
            await device.frame(b"")
        await device.speak(QUIET + SPOKEN + QUIET)
        assert "20.00" in told(await device.answer())


@pytest.mark.parametrize("size", [8_193, sockets.MOST_BYTES + 1, 100 << 20])
async def test_a_frame_that_is_too_long_is_refused(glasses, size):
    async with glasses.device() as device:
        with contextlib.suppress(ConnectionClosed):
            await device.socket.send([bytes(min(size, 1 << 20))] * max(1, size >> 20))
        _, code = await rest(device)
    assert code == (1007 if size <= sockets.MOST_BYTES else 1009)
    assert await glasses.lives()


async def test_a_key_that_is_held_for_ever_costs_half_a_minute_of_sound(glasses):
    async with glasses.device() as device:
        await device.listen("manual")
        for _ in range(20):
            await device.speak(SPOKEN)
        await device.send("listen", state="stop")
        assert "20.00" in told(await device.answer())
    engine = await glasses.ears._thread.call(lambda engine: engine)
    assert engine.heard_bytes <= 30 * 32_000


async def test_who_says_nothing_is_told_and_let_go(glasses, monkeypatch):
    monkeypatch.setattr(sockets, "HELLO_S", 0.1)
    async with glasses.device(hello=False) as device:
        (alert,), code = await rest(device)
    assert "nothing came" in alert["message"]
    assert code == 1008


@pytest.mark.parametrize("mode", ["auto", "manual"])
async def test_hanging_up_in_the_middle_of_an_utterance_leaves_the_ears_free(glasses, mode):
    for _ in range(5):
        async with glasses.device() as device:
            await device.listen(mode)
            await device.speak(QUIET + SPOKEN[:40_000])
            device.socket.transport.abort()
    async with asyncio.timeout(5):
        while glasses.ears._along is not None:
            await asyncio.sleep(0.01)
    assert glasses.agent.gate.open is None
    async with glasses.device() as device:
        await device.listen()
        await device.speak(QUIET + SPOKEN + QUIET)
        assert "20.00" in told(await device.answer())


async def test_ten_at_once_are_all_heard_and_answered(glasses):
    async def one(number):
        async with glasses.device() as device:
            await device.listen()
            await device.speak(QUIET + SPOKEN + QUIET)
            return told(await device.answer())

    for answer in await asyncio.wait_for(asyncio.gather(*map(one, range(10))), 60):
        assert "20.00" in answer
