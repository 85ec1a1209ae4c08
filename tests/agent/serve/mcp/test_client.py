"""The tools of a server are skills: said, typed, asked about, shown, and never trusted."""

import asyncio
import gc
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agent.language.world import WorldText
from agent.messages import Proposal
from agent.serve.mcp.kept import Server
from tests.agent.serve.mcp.conftest import Worn, free_port, friend, serving, stranger


async def test_a_tool_is_said_and_its_answer_is_text_from_the_world(wear):
    worn = wear(friend())
    turn = await worn("what is the tide in Hangzhou")
    assert turn.intent.name == "friend.get_tide"
    assert turn.intent.slots == {"city": "Hangzhou"}
    assert turn.error is None
    assert "High at 12:05 in Hangzhou" in worn.lens
    assert isinstance(turn.reply.text, WorldText)
    assert (await worn("ask friend for the tide in Bath")).reply.text == "High at 12:05 in Bath"


async def test_chinese_comes_from_a_chinese_description_and_data_is_told_in_lines(wear):
    worn = wear(friend())
    turn = await worn("查一下杭州的潮汐")
    assert turn.intent.name == "friend.tide_table"
    assert "2026-12-01 · high 3 · 晴" in turn.reply.text.splitlines()
    assert turn.reply.text.splitlines()[0].endswith("杭州")


async def test_slots_are_of_the_schema(wear):
    worn = wear(friend())
    turn = await worn("ask friend to set lamp with level forty with room kitchen")
    assert turn.intent.slots == {"level": 40, "room": "kitchen"}
    assert turn.reply.text == "kitchen is at 40"
    turn = await worn("ask friend to set lamp with level 400 with room kitchen")
    assert "kitchen is at" not in worn.lens, "beyond what the schema allows"


async def test_an_unknown_tool_asks_before_its_first_use_and_only_then(wear):
    worn = wear(friend(), allowed=False)
    turn = await worn("what is the tide in Bath")
    assert isinstance(turn.reply, Proposal)
    assert "Allow it?" in turn.reply.text
    assert "Bath" in turn.reply.text, "what it would be told is shown"
    assert (await worn("yes")).reply.text == "High at 12:05 in Bath"
    assert (await worn("what is the tide in Rye")).reply.text == "High at 12:05 in Rye"
    again = Server("friend")
    assert [t.name for t in _kept(worn, again).tools if t.allowed] == ["get_tide"]


async def test_a_no_to_the_first_use_calls_nothing(wear):
    worn = wear(friend(), allowed=False)
    await worn("ask friend to set lamp with level 1 with room hall")
    assert (await worn("no")).reply.text == "Cancelled. Nothing was done."
    assert not [t.name for t in _kept(worn, Server("friend")).tools if t.allowed]
    assert "第一" not in worn.lens
    await worn("查一下杭州的潮汐")
    assert "允许吗" in worn.lens.replace("\n", "")


def _kept(worn, server):
    from agent.serve.mcp import kept

    return kept.read(worn.folder, server.name)


async def test_what_pays_is_proposed_and_paid_once_after_the_gates_yes(wear):
    worn = wear(friend())
    turn = await worn("ask friend to pay bill 20 dollars to Anna")
    assert isinstance(turn.reply, Proposal)
    assert "$20.00 → Anna" in worn.lens
    assert (await worn("ask friend to count paid")).reply.text == "0 paid:"
    await worn("ask friend to pay bill 20 dollars to Anna")
    assert (await worn("yes")).reply.text == "Paid 20.0 to Anna"
    await worn("yes")
    assert (await worn("ask friend to count paid")).reply.text == "1 paid: 20.0 to Anna"
    assert [e.state for e in worn.agent.gate.teller.ledger.entries()] == ["paid"]


async def test_currency_and_key_of_a_payment_are_the_gates(wear):
    worn = wear(friend())
    await worn("ask friend to send money 12.50 euros to Anna")
    assert "€12.50 → Anna" in worn.lens
    assert (await worn("yes")).reply.text == "Sent"
    assert (
        await worn("ask friend to count paid")
    ).reply.text == "1 paid: 1250 EUR to Anna under 32"


async def test_what_may_pay_and_does_not_say_how_much_is_not_done(wear):
    worn = wear(friend())
    turn = await worn("ask friend to checkout")
    assert "does not say how much" in turn.reply.text
    assert (await worn("yes")).reply.text != "Charged"
    assert (await worn("ask friend to count paid")).reply.text == "0 paid:"


async def test_a_failure_is_one_line(wear):
    worn = wear(friend())
    turn = await worn("ask friend to break down")
    assert "the pump is stuck" in turn.reply.text
    assert "\n" not in turn.reply.text
    assert turn.reply.kind == "alert"


async def test_progress_is_lit_and_stop_ends_the_call(wear):
    worn = wear(friend())
    running = asyncio.create_task(worn("ask friend for slow work with seconds 6"))
    until = time.monotonic() + 5
    while "step" not in worn.lens and time.monotonic() < until:
        await asyncio.sleep(0.02)
    assert "step" in worn.lens
    began = time.monotonic()
    await worn("stop")
    assert (await running).error.startswith("called off")
    assert time.monotonic() - began < 1
    assert (await worn("what is the tide in Rye")).reply.text == "High at 12:05 in Rye"


async def test_a_question_is_shown_and_answered_a_value_at_a_time(wear):
    worn = wear(friend())
    turn = await worn("ask friend to find table")
    assert "friend asks: Which table do you want?" in turn.reply.text
    assert "inside or outside" in turn.reply.text
    assert "That does not fit" in (await worn("tell friend upstairs")).reply.text
    assert "People" in (await worn("tell friend outside")).reply.text
    assert (await worn("tell friend four")).reply.text == "A table outside for 4"
    assert (await worn("tell friend five")).reply.text == "friend has asked nothing."


async def test_a_question_of_yes_or_no_is_answered_by_yes(wear):
    worn = wear(friend())
    turn = await worn("ask friend to wipe disk")
    assert isinstance(turn.reply, Proposal)
    assert "Wipe everything?" in turn.reply.text
    assert (await worn("yes")).reply.text == "accept True"


async def test_a_question_left_open_is_no_answer_for_the_next_call(wear):
    worn = wear(friend())
    await worn("ask friend to wipe disk")
    assert (await worn("what is the tide in Rye")).reply.text == "High at 12:05 in Rye"
    assert (await worn("yes")).reply.text != "accept True"


async def test_a_pin_is_never_asked_for(wear):
    worn = wear(friend())
    turn = await worn("ask friend to unlock door")
    assert "It was not told" in turn.reply.text
    assert worn.agent.gate.open is None
    assert "PIN" in (await worn("ask friend to unlock door", "zh")).reply.text


async def test_the_same_over_http(wear, over_http):
    worn = wear(Server("friend", url=over_http))
    assert (await worn("what is the tide in Rye")).reply.text == "High at 12:05 in Rye"
    turn = await worn("ask friend to find table")
    assert "Which table" in turn.reply.text
    await worn("tell friend inside")
    assert (await worn("tell friend two")).reply.text == "A table inside for 2"


async def test_a_budget_is_kept(wear):
    worn = wear(replace(friend(), calls_an_hour=2))
    for _ in range(2):
        await worn("what is the tide in Rye")
    turn = await worn("what is the tide in Rye")
    assert "was called 2 times in this hour" in turn.reply.text
    assert turn.reply.kind == "alert"


@pytest.mark.parametrize("text", ["pay bill 20 dollars to Anna", "yes", "tell friend yes"])
async def test_nothing_else_pays(wear, text):
    worn = wear(friend())
    await worn(text)
    assert (await worn("ask friend to count paid")).reply.text == "0 paid:"


async def test_a_server_over_http_that_was_begun_anew_is_used_again(wear, tmp_path):
    port = free_port()
    running = serving(port)
    worn = wear(Server("friend", url=f"http://127.0.0.1:{port}/mcp"))
    assert (await worn("what is the tide in Rye")).reply.text == "High at 12:05 in Rye"
    running.kill()
    running.wait()
    turn = await worn("what is the tide in Rye")
    assert turn.reply.kind == "alert"
    assert "\n" not in turn.reply.text
    running = serving(port)
    try:
        assert (await worn("what is the tide in Rye")).reply.text == "High at 12:05 in Rye"
    finally:
        running.kill()
        running.wait()


async def test_a_key_is_in_no_log(wear, over_http, caplog):
    caplog.set_level("DEBUG")
    worn = wear(Server("friend", url=f"{over_http}?key=s3cret"))
    await worn("what is the tide in Rye")
    assert "s3cret" not in caplog.text
    assert "High at" not in caplog.text


async def test_a_server_ends_with_the_agent_that_used_it(tmp_path):
    worn = Worn(tmp_path, [stranger("kind", "marked", str(tmp_path))])
    assert (await worn("ask stranger to do it")).reply.text == "did it"

    def runs() -> bool:
        command = str(tmp_path).encode()
        processes = (path / "cmdline" for path in Path("/proc").glob("[0-9]*"))
        return any(command in read(one) for one in processes)

    def read(path: Path) -> bytes:
        try:
            return path.read_bytes() if int(path.parent.name) != os.getpid() else b""
        except OSError:
            return b""

    assert runs()
    await worn.agent.close()
    del worn
    until = time.monotonic() + 5
    while runs() and time.monotonic() < until:
        gc.collect()
        await asyncio.sleep(0.05)
    assert not runs()
