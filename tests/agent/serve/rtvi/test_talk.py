"""Talking to the agent in RTVI: through the lane and the gate, and never with the wearer's yes."""

import asyncio
import base64
import json
import threading
import time

import pytest
import websockets.sync.client

from agent import Reply, hookimpl, skill
from agent.act.world import AgentOptions
from agent.errors import EngineError
from agent.listen.sphinx.engine import PocketSphinx
from agent.serve import asking, sockets
from agent.serve.rtvi import protobuf
from agent.testing import ScriptedTranscriber, lens
from agent.version import __version__
from hardware.audio import Resampler, read
from hardware.spoken import clips
from tests.agent.serve.rtvi.conftest import PATIENCE_S, QUIET, Talk, kinds, text

PAY = "pay twenty dollars to anna"
SPOKEN = next(read(path) for path in clips() if path.stem == "05-pay")


@pytest.fixture
async def glasses(serve):
    return await serve(builtin=True)


# -- ready ----------------------------------------------------------------------------------------


async def test_a_bot_is_ready_and_says_what_it_can(glasses):
    async with glasses.talk() as client:
        await client.send("client-ready", {"version": "2.2.0", "about": {"library": "x"}}, id="r7")
        ready = await client.read()
    assert (ready["type"], ready["id"]) == ("bot-ready", "r7")
    assert ready["data"]["version"] == "2.2.0"
    assert ready["data"]["about"] == {"library": "glasses", "library_version": __version__}
    can = ready["data"]["capabilities"]
    assert can.pop("audio_in") is True
    assert set(can.values()) == {False}


async def test_a_client_of_the_version_before_is_told_its_own(glasses):
    async with glasses.talk() as client:
        await client.send("client-ready", {"version": "1.4.0"})
        assert (await client.read())["data"]["version"] == "1.4.0"


@pytest.mark.parametrize("version", ["3.0.0", "99", "", None, 7, "x" * 9_000])
async def test_a_version_that_is_too_new_is_said_so_and_served(glasses, version):
    async with glasses.talk() as client:
        await client.send("client-ready", {"version": version}, id="r")
        refused, ready = await client.read(), await client.read()
        assert (refused["type"], refused["id"]) == ("error-response", "r")
        assert refused["data"]["error"].startswith("these glasses speak RTVI 2.2.0, not ")
        assert len(refused["data"]["error"]) < 120
        assert ready["data"]["version"] == "2.2.0"
        assert text(await client.say("what time is it"))


async def test_the_root_is_the_bot_as_well(glasses):
    async with glasses.talk(f"ws://127.0.0.1:{glasses.port}/") as client:
        assert text(await client.say("what time is it"))


# -- text -----------------------------------------------------------------------------------------


async def test_a_typed_line_is_told_in_the_order_of_the_protocol(glasses):
    async with glasses.talk() as client:
        told = await client.say("translate good morning to chinese")
    assert kinds(told) == [
        "user-input",
        "user-llm-text",
        "bot-llm-started",
        "llm-function-call-started",
        "llm-function-call-in-progress",
        "llm-function-call-stopped",
        "bot-llm-text",
        "bot-transcription",
        "bot-output",
        "bot-llm-stopped",
    ]
    data = {one["type"]: one.get("data") for one in told}
    assert data["user-input"]["input_type"] == "chat"
    assert data["user-input"]["msg_id"] == "1"
    call = data["llm-function-call-in-progress"]
    assert call["function_name"] == data["llm-function-call-started"]["function_name"]
    assert call["function_name"].startswith("translate.")
    assert "good morning" in call["arguments"].values()
    stopped = data["llm-function-call-stopped"]
    assert (stopped["tool_call_id"], stopped["cancelled"]) == (call["tool_call_id"], False)
    assert "早上好" in text(told)
    assert data["bot-output"]["text"] == data["bot-transcription"]["text"] == text(told)
    assert data["bot-output"]["will_be_spoken"] is False
    assert "早上好" in lens(glasses.agent)


async def test_what_lacks_a_word_was_no_call(glasses):
    async with glasses.talk() as client:
        told = await client.say("pay anna")
    assert "llm-function-call-started" not in kinds(told)
    assert text(told)


@pytest.mark.parametrize("words", ["blorf the quux", "", "?", "x" * 50_000])
async def test_what_nobody_understands_is_answered_without_a_call(glasses, words):
    async with glasses.talk() as client:
        told = await client.say(words)
        assert "llm-function-call-started" not in kinds(told)
        assert text(told)
        assert text(await client.say("what time is it"))


async def test_chinese_is_answered_in_chinese(glasses):
    async with glasses.talk() as client:
        assert text(await client.say("付给安娜20元")).startswith("已在眼镜上提出")


@pytest.mark.parametrize("yes", ["yes", "yes please", "是", "pay", "confirm", "okay do it"])
async def test_a_payment_is_proposed_and_no_client_can_say_yes(glasses, yes):
    async with glasses.talk() as client:
        proposed = text(await client.say("pay anna 20 dollars"))
        assert proposed.startswith("Proposed on the glasses; not done before")
        assert "20.00" in proposed
        await client.say(yes)
        assert glasses.agent.gate.teller.ledger.entries() == []
    assert "Paid" in (await glasses.agent.hear("yes")).reply.text


async def test_a_yes_that_waits_in_the_lane_is_none(glasses):
    async def one(words):
        async with glasses.talk() as client:
            await client.say(words)

    for _ in range(3):
        await asyncio.gather(*map(one, ["pay anna 20 dollars", "yes", "yes", "yes"]))
    assert glasses.agent.gate.teller.ledger.entries() == []


@skill("read my diary")
def diary() -> Reply:
    """Read."""
    return Reply("dear diary")


async def test_what_is_private_is_not_told_to_a_client(serve):
    class Plugin:
        __name__ = "diary"

        @hookimpl
        def register_skills(self, register):
            register(diary)

    options = AgentOptions(private=frozenset({"diary"}))
    glasses = await serve(plugins=[Plugin()], options=options)
    async with glasses.talk() as client:
        assert "dear" not in text(await client.say("read my diary"))
    assert (await glasses.agent.hear("read my diary")).reply.text == "dear diary"


async def test_an_answer_that_takes_too_long_is_said_so(glasses, monkeypatch):
    async def hang(*args, **kwargs):
        await asyncio.Event().wait()

    monkeypatch.setattr(glasses.agent, "hear", hang)
    monkeypatch.setattr(asking, "HANDLE_S", 0.1)
    async with glasses.talk() as client:
        assert text(await client.say("what time is it")) == "That took too long."


async def test_text_that_is_not_to_be_answered_is_refused(glasses):
    async with glasses.talk() as client:
        await client.send("send-text", {"content": PAY, "options": {"run_immediately": False}})
        refused = await client.read()
    assert refused["type"] == "error-response"
    assert glasses.agent.gate.open is None


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("dtmf", {"buttons": ["1"]}),
        ("send-file", {"content": "x"}),
        ("ui-event", {"event": "x"}),
        ("llm-function-call-result", {"function_name": "pay.pay", "result": "yes"}),
        ("bot-ready", {}),
        ("x" * 9_000, None),
        ("client-message", {"t": "eval-context", "d": {"messages": []}}),
        ("client-message", {"t": ["x"]}),
        ("client-message", None),
    ],
)
async def test_what_glasses_do_not_do_is_one_line_and_the_client_stays(glasses, kind, data):
    async with glasses.talk() as client:
        await client.send(kind, data, id="q1")
        refused = await client.read()
        assert (refused["type"], refused["id"]) == ("error-response", "q1")
        assert len(refused["data"]["error"]) < 120
        assert text(await client.say("what time is it"))


@pytest.mark.parametrize(
    ("kind", "data"), [("disconnect-bot", {}), ("client-message", {"t": "eval-cancel"})]
)
async def test_a_client_ends_its_session(glasses, kind, data):
    async with glasses.talk() as client:
        await client.send(kind, data)
        async with asyncio.timeout(5):
            await client.socket.wait_closed()
        assert client.socket.close_code == 1000
    assert await glasses.lives()


# -- frames ---------------------------------------------------------------------------------------


class Framed(Talk):
    """A client as in browsers: every message is in a frame, and sound is a frame of its own."""

    def __init__(self, socket):
        super().__init__(socket)
        self.socket = self
        self._socket = socket

    async def send(self, kind, data=None, id="1", **more):
        if isinstance(kind, str) and kind.startswith("{"):
            await self._socket.send(protobuf.written(kind))
        else:
            await super().send(kind, data, id, **more)

    async def recv(self):
        return protobuf.read(await self._socket.recv())


async def test_a_client_that_wraps_its_messages_is_answered_in_frames(glasses):
    async with glasses.talk() as plain:
        client = Framed(plain.socket)
        await client.send("client-ready", {"version": "1.0.0"})
        assert (await client.read())["type"] == "bot-ready"
        assert "早上好" in text(await client.say("translate good morning to chinese"))


# -- sound ----------------------------------------------------------------------------------------


async def test_what_is_said_is_transcribed_and_answered(serve):
    glasses = await serve(ScriptedTranscriber([PAY]), builtin=True)
    async with glasses.talk() as client:
        await client.sound(QUIET + SPOKEN + QUIET)
        told = await client.until("bot-llm-stopped")
    assert kinds(told)[:5] == [
        "user-started-speaking",
        "user-stopped-speaking",
        "user-transcription",
        "user-input",
        "user-llm-text",
    ]
    data = {one["type"]: one.get("data") for one in told}
    assert (data["user-transcription"]["text"], data["user-transcription"]["final"]) == (PAY, True)
    assert data["user-input"]["input_type"] == "transcription"
    assert data["llm-function-call-in-progress"]["arguments"]["payee"].lower() == "anna"
    assert "20.00" in text(told)


@pytest.mark.slow
async def test_real_ears_hear_any_rate_and_channels_word_by_word(serve):
    glasses = await serve(PocketSphinx(), builtin=True)
    await glasses.ears.warm()
    high = Resampler(48_000, 2)
    pair = high.feed(QUIET + SPOKEN + QUIET, 16_000) + high.flush()
    for pcm, rate, channels in ((QUIET + SPOKEN + QUIET, 16_000, 1), (pair, 48_000, 2)):
        async with glasses.talk() as client:
            await client.sound(pcm, rate, channels, piece=4_001)
            told = await client.until("bot-llm-stopped")
        heard = [o["data"] for o in told if o["type"] == "user-transcription"]
        assert (heard[-1]["text"], heard[-1]["final"]) == (PAY, True)
        assert all(PAY.startswith(one["text"].strip()) for one in heard)
        assert [one["final"] for one in heard[:-1]] == [False] * (len(heard) - 1)


async def test_sound_that_stays_away_ends_the_utterance(serve, monkeypatch):
    monkeypatch.setattr(sockets, "QUIET_S", 0.2)
    glasses = await serve(ScriptedTranscriber([PAY]), builtin=True)
    async with glasses.talk() as client:
        await client.sound(QUIET + SPOKEN[:40_000])  # muted in the midst of it
        assert "20.00" in text(await client.until("bot-llm-stopped"))


async def test_glasses_that_stood_still_do_not_cut_the_speaker_off(serve):
    glasses = await serve(ScriptedTranscriber([PAY, PAY]), builtin=True)
    speaking, spoken, told = threading.Event(), threading.Event(), []

    def speak():
        """A client in a process of its own, as good as: it goes on while the glasses stand still."""
        with websockets.sync.client.connect(glasses.url) as client:
            pcm = QUIET + SPOKEN + QUIET
            for at in range(0, len(pcm), 1_280):
                audio = base64.b64encode(pcm[at : at + 1_280]).decode()
                data = {"base64Audio": audio, "sampleRate": 16_000, "numChannels": 1}
                sent = {"label": "rtvi-ai", "type": "raw-audio", "id": "1", "data": data}
                client.send(json.dumps(sent))
                if at == 64_000:
                    told.append(json.loads(client.recv(PATIENCE_S))["type"])
                    time.sleep(
                        sockets.QUIET_S / 2
                    )  # what was sent is read, and the glasses wait for more
                    speaking.set()
            spoken.set()
            asked = {"content": "what time is it"}  # answered when all that was said is
            sent = {"label": "rtvi-ai", "type": "send-text", "id": "2", "data": asked}
            client.send(json.dumps(sent))
            while told.count("bot-llm-stopped") < 2:
                told.append(json.loads(client.recv(PATIENCE_S))["type"])

    talking = asyncio.create_task(asyncio.to_thread(speak))
    await asyncio.to_thread(speaking.wait, PATIENCE_S)
    spoken.wait(PATIENCE_S)  # on the loop: it stands still until all is sent, and for longer
    time.sleep(1.5 * sockets.QUIET_S)
    await talking
    assert told.count("user-started-speaking") == 1


async def test_silence_is_nothing(glasses):
    async with glasses.talk() as client:
        await client.sound(QUIET * 3)
        told = await client.say("what time is it")
    assert kinds(told)[0] == "user-input"


async def test_a_batch_is_heard_like_its_pieces(serve):
    glasses = await serve(ScriptedTranscriber([PAY]), builtin=True)
    pcm = QUIET + SPOKEN + QUIET
    pieces = [base64.b64encode(pcm[at : at + 640]).decode() for at in range(0, len(pcm), 640)]
    async with glasses.talk() as client:
        data = {"base64AudioBatch": pieces, "sampleRate": 16_000, "numChannels": 1}
        await client.send("raw-audio-batch", data)
        assert "20.00" in text(await client.until("bot-llm-stopped"))


async def test_without_ears_that_is_said_once_and_what_is_typed_is_answered(serve):
    glasses = await serve(deaf=True, builtin=True)
    async with glasses.talk() as client:
        await client.send("client-ready", {"version": "2.0.0"})
        assert (await client.read())["data"]["capabilities"]["audio_in"] is False
        await client.sound(QUIET)
        error = await client.read()
        assert (error["type"], error["data"]["fatal"]) == ("error", False)
        assert "see glasses doctor" in error["data"]["error"]
        assert kinds(await client.say("what time is it"))[0] == "user-input"


async def test_an_engine_that_fails_is_one_line_and_the_next_is_heard(serve):
    class Fails(ScriptedTranscriber):
        failed = False

        def finish(self):
            if not self.failed:
                self.failed = True
                raise EngineError("the decoder broke")
            return super().finish()

    glasses = await serve(Fails([PAY]), builtin=True)
    async with glasses.talk() as client:
        await client.sound(QUIET + SPOKEN + QUIET)
        assert kinds(told := await client.until("error")) == [
            "user-started-speaking", "user-stopped-speaking", "error",
        ]  # fmt: skip
        assert told[-1]["data"] == {"error": "the decoder broke", "fatal": False}
        await client.sound(SPOKEN + QUIET)
        assert "20.00" in text(await client.until("bot-llm-stopped"))
