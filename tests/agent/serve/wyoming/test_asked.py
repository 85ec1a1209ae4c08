"""Asking the agent by text: through the lane and the gate, and never with the wearer's yes."""

import asyncio

import pytest
from wyoming.asr import Transcript
from wyoming.ping import Ping

from agent import Reply, hookimpl, skill
from agent.act.world import AgentOptions
from agent.testing import lens
from agent.testing.doubles import ScriptedTranscriber


@pytest.fixture
async def glasses(serve):
    return await serve(builtin=True)


async def test_an_answer_is_told_and_seen(glasses):
    told = await glasses.ask(Transcript("translate good morning to chinese"))
    assert told.type == "handled"
    assert "早上好" in told.data["text"]
    assert "早上好" in lens(glasses.agent)


async def test_chinese_is_answered_in_chinese(glasses):
    told = await glasses.ask(Transcript("付给安娜20元", language="zh-CN"))
    assert told.type == "handled"
    assert told.data["text"].startswith("已在眼镜上提出")
    assert "20" in told.data["text"]


@pytest.mark.parametrize("words", ["blorf the quux", "", "?", "x" * 50_000])
async def test_what_nobody_understands_is_not_handled(glasses, words):
    told = await glasses.ask(Transcript(words))
    assert told.type == "not-handled"
    assert told.data["text"]


async def test_another_language_is_not_handled(glasses):
    told = await glasses.ask(Transcript("bonjour", language="fr-FR"))
    assert (told.type, told.data["text"]) == ("not-handled", "I understand English and Chinese.")


@pytest.mark.parametrize("yes", ["yes", "yes please", "是", "pay", "confirm", "ok", "okay do it"])
async def test_a_payment_is_proposed_and_no_client_can_say_yes(glasses, yes):
    proposed = await glasses.ask(Transcript("pay anna 20 dollars"))
    assert proposed.type == "handled"
    assert proposed.data["text"].startswith("Proposed on the glasses; not done before")
    assert "20.00" in proposed.data["text"]
    assert "Anna" in proposed.data["text"]
    told = await glasses.ask(Transcript(yes))
    assert glasses.agent.gate.teller.ledger.entries() == [], told.data


async def test_the_wearers_own_yes_pays_what_a_client_proposed(glasses):
    await glasses.ask(Transcript("pay anna 20 dollars"))
    assert (await glasses.ask(Transcript("yes"))).type == "not-handled"
    paid = await glasses.agent.hear("yes")
    assert "Paid" in paid.reply.text


async def test_a_clients_yes_that_waits_in_the_lane_is_none(glasses):
    """Both are sent at once: the yes is read before the proposal is open, or after."""
    for _ in range(5):
        await asyncio.gather(
            glasses.ask(Transcript("pay anna 20 dollars")),
            *(glasses.ask(Transcript("yes")) for _ in range(4)),
        )
    assert glasses.agent.gate.teller.ledger.entries() == []


async def test_a_client_gives_no_pin(glasses):
    agent = glasses.agent
    agent.gate.pin.choose("271828")
    await agent.hear("pay anna 250 dollars")
    await agent.hear("yes")
    assert agent.gate.open is not None
    assert agent.gate.open.pin
    told = await glasses.ask(Transcript("two seven one eight two eight"))
    assert told.type == "not-handled"
    assert agent.gate.teller.ledger.entries() == []
    assert "Paid" in (await agent.hear("271828")).reply.text


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

    glasses = await serve(
        ScriptedTranscriber(),
        plugins=[Plugin()],
        options=AgentOptions(private=frozenset({"diary"})),
    )
    told = await glasses.ask(Transcript("read my diary"))
    assert told.type == "not-handled"
    assert "dear" not in told.data["text"]
    assert (await glasses.agent.hear("read my diary")).reply.text == "dear diary"


async def test_an_answer_that_takes_too_long_is_said_so(serve, monkeypatch):
    from agent.serve import asking

    glasses = await serve()

    async def hang(*args, **kwargs):
        await asyncio.Event().wait()

    monkeypatch.setattr(glasses.agent, "hear", hang)
    monkeypatch.setattr(asking, "HANDLE_S", 0.1)
    told = await glasses.ask(Transcript("what time is it"))
    assert (told.type, told.data["text"]) == ("not-handled", "That took too long.")


async def test_a_ping_is_answered(serve):
    glasses = await serve()
    assert (await glasses.ask(Ping("here"))).data == {"text": "here"}
