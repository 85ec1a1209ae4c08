"""A device as a pair of ears: its sound through the lane and the gate, its screen for the answer."""

import asyncio
import json
import urllib.request

import pytest

from agent.act.world import AgentOptions
from agent.errors import EngineError
from agent.listen.sphinx.engine import PocketSphinx
from agent.serve import sockets
from agent.serve.xiaozhi import opus as frames
from agent.serve.xiaozhi import server
from agent.testing import ScriptedTranscriber, lens
from hardware.audio import read
from hardware.spoken import clips
from tests.agent.serve.xiaozhi.conftest import opus, told

PAY = "pay twenty dollars to anna"
SPOKEN = next(read(path) for path in clips() if path.stem == "05-pay")
QUIET = bytes(32_640)


@pytest.fixture
async def glasses(serve):
    return await serve(ScriptedTranscriber([PAY] * 20), builtin=True)


async def test_hello_is_answered(glasses):
    async with glasses.device(hello=False) as device:
        hello = await device.hello()
    assert (hello["type"], hello["transport"], hello["version"]) == ("hello", "websocket", 1)
    assert hello["session_id"]
    assert hello["audio_params"] == {
        "format": "opus", "sample_rate": 16_000, "channels": 1, "frame_duration": 60,
    }  # fmt: skip


@pytest.mark.parametrize("version", frames.VERSIONS)
async def test_what_is_said_is_answered_on_the_screen(glasses, version):
    async with glasses.device(hello=False) as device:
        session = (await device.hello(version))["session_id"]
        await device.listen("auto")
        await device.speak(QUIET + SPOKEN + QUIET)
        answer = await device.answer()
    assert [(one["type"], one.get("state")) for one in answer] == [
        ("stt", None), ("tts", "start"), ("llm", None), ("tts", "sentence_start"), ("tts", "stop"),
    ]  # fmt: skip
    assert {one["session_id"] for one in answer} == {session}
    assert answer[0]["text"] == PAY
    assert answer[2]["emotion"] == "neutral"
    assert told(answer).startswith("Proposed on the glasses")
    assert "20.00" in told(answer)
    assert "20.00" in lens(glasses.agent)
    assert glasses.agent.gate.teller.ledger.entries() == []


@pytest.mark.slow
async def test_real_ears_hear_what_came_as_opus(serve):
    glasses = await serve(PocketSphinx(), builtin=True)
    await glasses.ears.warm()
    for mode in ("auto", "manual"):
        async with glasses.device() as device:
            await device.listen(mode)
            await device.speak(QUIET + SPOKEN + QUIET)
            if mode == "manual":
                await device.send("listen", state="stop")
            answer = await device.answer()
        assert answer[0]["text"] == PAY


async def test_a_device_that_says_itself_when_somebody_speaks(glasses):
    async with glasses.device() as device:
        await device.listen("manual")
        await device.speak(SPOKEN)
        await device.speak(QUIET)  # a pause ends nothing
        await device.send("listen", state="stop")
        assert "20.00" in told(await device.answer())
        await device.send("listen", state="stop")  # nothing was begun
        await device.send("listen", state="stop")
        assert "早上好" in told(await device.type("translate good morning to chinese"))


async def test_after_an_answer_auto_waits_to_be_begun_again_and_realtime_does_not(glasses):
    async with glasses.device() as device:
        await device.listen("auto")
        await device.speak((QUIET + SPOKEN + QUIET) * 2)
        await device.answer()
        await device.type("translate good morning to chinese")
        assert glasses.ears._thread is not None
        await device.listen("realtime")
        await device.speak((QUIET + SPOKEN + QUIET) * 2)
        assert (await device.answer())[0]["text"] == PAY
        assert (await device.answer())[0]["text"] == PAY


async def test_sound_before_it_listens_is_not_heard(glasses):
    async with glasses.device() as device:
        await device.speak(QUIET + SPOKEN + QUIET)
        answer = await device.type("translate good morning to chinese")
    assert answer[0]["text"] == "translate good morning to chinese"


async def test_pcm_is_heard_too(glasses):
    async with glasses.device(hello=False) as device:
        await device.hello(format="pcm", sample_rate=16_000)
        await device.listen()
        pcm = QUIET + SPOKEN + QUIET
        for at in range(0, len(pcm), 1_920):
            await device.frame(pcm[at : at + 1_920])
        assert "20.00" in told(await device.answer())


async def test_sound_that_stays_away_ends_the_utterance(glasses, monkeypatch):
    monkeypatch.setattr(sockets, "QUIET_S", 0.2)
    async with glasses.device() as device:
        await device.listen()
        await device.speak(QUIET + SPOKEN[:40_000])
        assert "20.00" in told(await device.answer())


async def test_chinese_is_answered_in_chinese(glasses):
    async with glasses.device() as device:
        assert told(await device.type("付给安娜20元")).startswith("已在眼镜上提出")


@pytest.mark.parametrize("yes", ["yes", "是", "确认"])
async def test_no_device_can_say_yes(glasses, yes):
    async with glasses.device() as device:
        await device.type("pay anna 20 dollars")
        await device.type(yes)
    assert glasses.agent.gate.teller.ledger.entries() == []
    assert "Paid" in (await glasses.agent.hear("yes")).reply.text


@pytest.mark.parametrize("word", ["你好小智", "你好，小智！", "Hi, ESP", "Jarvis", "hey glasses"])
async def test_a_wake_word_alone_is_not_answered(glasses, word):
    async with glasses.device() as device:
        await device.send("listen", state="detect", text=word)
        answer = await device.type("translate good morning to chinese")
    assert answer[0]["text"] == "translate good morning to chinese"


async def test_what_nobody_understands_is_told_with_another_face(glasses):
    async with glasses.device() as device:
        answer = await device.type("blorf the quux")
    assert answer[2]["emotion"] == "confused"
    assert told(answer)


async def test_a_device_that_heard_nothing_is_told_so_and_goes_on(serve):
    glasses = await serve(ScriptedTranscriber([""]), builtin=True)
    async with glasses.device() as device:
        await device.listen()
        await device.speak(QUIET + SPOKEN + QUIET)
        answer = await device.answer()
    assert [one.get("state") for one in answer] == [None, "start", "stop"]


async def test_abort_ends_what_is_said(glasses):
    async with glasses.device() as device:
        await device.send("abort", reason="wake_word_detected")
        assert (await device.read())["state"] == "stop"


@pytest.mark.parametrize("kind", ["mcp", "iot", "goodbye", "x" * 500, ""])
async def test_what_nobody_here_knows_is_passed_over(glasses, kind):
    async with glasses.device() as device:
        await device.send(kind, payload={"method": "tools/list"})
        await device.send("listen", state="pause")
        assert told(await device.type("translate good morning to chinese"))


@pytest.mark.parametrize(("language", "status"), [("auto", "Glasses"), ("zh", "眼镜")])
async def test_without_ears_that_is_shown_and_what_is_typed_is_answered(serve, language, status):
    options = AgentOptions(language=language)
    glasses = await serve(deaf=True, builtin=True, options=options)
    async with glasses.device() as device:
        await device.listen()
        alert = await device.read()
        assert (alert["type"], alert["status"]) == ("alert", status)
        assert "see glasses doctor" in alert["message"]
        await device.speak(SPOKEN)
        assert told(await device.type("把早上好翻译成英文"))


async def test_an_engine_that_fails_is_one_line_and_the_next_is_heard(serve):
    class Fails(ScriptedTranscriber):
        failed = False

        def finish(self):
            if not self.failed:
                self.failed = True
                raise EngineError("the decoder broke")
            return super().finish()

    glasses = await serve(Fails([PAY]), builtin=True)
    async with glasses.device() as device:
        await device.listen("realtime")
        await device.speak(QUIET + SPOKEN + QUIET)
        assert (await device.answer())[-1]["message"] == "the decoder broke"
        await device.speak(QUIET + SPOKEN + QUIET)
        assert "20.00" in told(await device.answer())


# -- where it is ----------------------------------------------------------------------------------


def ask(url, method="POST", **headers):
    request = urllib.request.Request(
        url, b"{}" if method == "POST" else None, headers, method=method
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


async def test_a_device_is_told_where_the_socket_is(glasses):
    for method in ("POST", "GET"):
        found = await asyncio.to_thread(
            ask, f"http://127.0.0.1:{glasses.port}/xiaozhi/ota/", method
        )
        assert found["websocket"] == {"url": glasses.url, "token": ""}
        assert found["server_time"]["timestamp"] > 1_700_000_000_000


async def test_with_a_token_only_its_address_tells_it(serve):
    glasses = await serve(token="s3cret")
    base = f"http://127.0.0.1:{glasses.port}{server.OTA}"
    for url in (base, f"{base}wrong/"):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            await asyncio.to_thread(ask, url)
    found = await asyncio.to_thread(ask, f"{base}s3cret/")
    assert found["websocket"]["token"] == "s3cret"
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus, match="403"):
        await glasses.device().__aenter__()
    headers = {"Authorization": f"Bearer {found['websocket']['token']}"}
    async with glasses.device(additional_headers=headers) as device:
        assert told(await device.type("what time is it"))


def test_frames_are_as_long_as_their_heads_say():
    sound = opus(SPOKEN[:19_200])[0]
    assert frames.sound(sound, 1) == sound
    for version, head in ((2, b"\0\2\0\1" + bytes(11) + b"\1"), (3, b"\1\0\0\1")):
        assert frames.sound(head + b"x", version) == b"", "no sound"
        for wrong in (head, head[:-1], head + b"xy"):
            with pytest.raises(ValueError, match="a frame "):
                frames.sound(wrong, version)
