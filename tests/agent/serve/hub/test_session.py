"""One pair of glasses and its hub: what is answered, once, whatever becomes of the link."""

import asyncio
import contextlib
import json
import threading
from decimal import Decimal

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from agent import Context, Proposal, Reply, hookimpl, skill
from agent.act.ledger import Ledger
from agent.messages import Outcome
from agent.serve.hub import sessions
from agent.serve.hub.journal import Answer, Begun, Journal
from agent.serve.hub.protocol import Cursor
from agent.serve.hub.tenants import Tenant, Tenants
from hardware.audio import read
from hardware.spoken import clips
from tests.agent.serve.hub.wearer import QUIET
from tests.pace import soon

SPOKEN = next(read(path) for path in clips() if path.stem == "05-pay")


class Till:
    """A payment provider that knows each key once."""

    name = "till"

    def __init__(self):
        self.paid = []

    def pay(self, order):
        self.paid.append(order.key)
        return Outcome("paid")

    def ask(self, order):
        return Outcome("paid" if order.key in self.paid else "absent")


class Plugin:
    """What the wearer can do here besides."""

    __name__ = "demo"

    def __init__(self):
        self.till = Till()
        self.done = []
        self.go = threading.Event()

    @hookimpl
    def register_skills(self, register):
        @skill("settle up with {payee}", risk="money", permissions={"money": "to pay"})
        def settle(payee: str) -> Proposal:
            """Pay four dollars."""
            return Proposal(amount=Decimal(4), payee=payee, provider="till")

        @skill("stamp {thing}", risk="change")
        def stamp(thing: str) -> Reply:
            """Do what cannot be undone."""
            self.done.append(thing)
            return Reply(f"Stamped {thing}.")

        @skill("dawdle")
        def dawdle(ctx: Context) -> Reply:
            """Take its time."""
            self.go.wait(20)
            return Reply("At last.")

        register(settle, stamp, dawdle)

    @hookimpl
    def register_devices(self, provide):
        provide("payment", lambda config: self.till, "till")


@pytest.fixture
def plugin():
    made = Plugin()
    yield made
    made.go.set()


def entries(hub, name):
    ledger = Ledger(hub.folder / "ledgers" / "acme" / name)
    found = ledger.entries()
    ledger.close()
    return found


# -- talking --------------------------------------------------------------------------------------


async def test_a_line_is_answered_and_lit(hub):
    here = await hub()
    async with here.wearer() as wearer:
        turn = await wearer.say("translate good morning to chinese")
        assert turn["intent"]["skill"] == "translate"
        await wearer.until(lambda: "早" in "".join(wearer.rows))


async def test_what_is_spoken_is_heard_by_the_shared_ears(hub):
    here = await hub(["what time is it", "translate thank you to chinese"])
    async with here.wearer() as one, here.wearer() as other:
        assert (await one.speak(SPOKEN))["transcript"] == "what time is it"
        turn = await other.speak(SPOKEN)
        assert (turn["transcript"], turn["source"]) == ("translate thank you to chinese", "hub")
        assert turn["engine"]["asr"] == "scripted"


async def test_chinese_is_answered_in_chinese(hub):
    here = await hub()
    async with here.wearer(language="auto") as wearer:
        turn = await wearer.say("现在几点")
        assert turn["language"] == "zh"
        assert turn["intent"]["skill"] == "time"


async def test_an_explicit_yes_pays_once_in_the_writers_ledger(hub, plugin):
    here = await hub(plugins=[plugin])
    async with here.wearer("mine") as wearer:
        turn = await wearer.say("settle up with tom")
        assert turn["reply"]["proposal"]["payee"] == "tom"
        assert plugin.till.paid == []
        await wearer.say("yes")
        await wearer.say("yes")
    (entry,) = entries(here, "mine")
    assert [entry.order.key] == plugin.till.paid
    assert not (here.folder / "glasses/acme/mine/ledger.sqlite").exists()


async def test_a_spoken_yes_pays_what_was_open_when_it_began(hub, plugin):
    here = await hub(["yes"], plugins=[plugin])
    async with here.wearer() as wearer:
        await wearer.say("settle up with tom")
        await wearer.speak(SPOKEN)
        assert len(plugin.till.paid) == 1


async def test_a_yes_that_came_before_the_question_pays_nothing(hub, plugin):
    here = await hub(plugins=[plugin])
    async with here.wearer() as wearer:
        await wearer.tell("settle up with tom")
        await wearer.tell("yes")  # before the question could be read
        await wearer.until(lambda: len(wearer.answers) == 2)
    assert plugin.till.paid == []


async def test_stop_overtakes_what_runs(hub, plugin):
    here = await hub(plugins=[plugin])
    async with here.wearer() as wearer:
        dawdling = await wearer.tell("dawdle")
        await soon(lambda: here.agents[0]._turns.busy)
        stopping = await wearer.tell("stop")
        await wearer.until(lambda: ("line", stopping) in wearer.answers)
        assert wearer.answers["line", dawdling]["error"] is not None
        assert not plugin.go.is_set()


async def test_noise_is_no_turn(hub):
    here = await hub([""])
    async with here.wearer() as wearer:
        last = await wearer.stream(QUIET + SPOKEN + QUIET * 3)
        await wearer.until(lambda: wearer.through["sound"] > last - 150)
        assert wearer.answers == {}


async def test_silence_need_not_be_kept(hub):
    here = await hub()
    async with here.wearer() as wearer:
        await wearer.stream(QUIET * 6)
        await wearer.until(lambda: len(wearer.kept["sound"]) < 150)


async def test_sound_that_stays_away_has_ended(hub, monkeypatch):
    monkeypatch.setattr(sessions, "QUIET_S", 0.3)
    here = await hub(["what time is it"])
    async with here.wearer() as wearer:
        await wearer.stream(QUIET + SPOKEN)  # a key that is let go: no silence follows
        await wearer.until(lambda: wearer.answers)


async def test_engines_that_fail_cost_one_utterance(hub):
    here = await hub()
    here.ears.finish = lambda: 1 / 0
    async with here.wearer() as wearer:
        assert (await wearer.speak(SPOKEN))["error"] == "it was not heard"
        del here.ears.finish
        here.ears.texts.append("what time is it")
        assert (await wearer.speak(SPOKEN))["error"] is None


async def test_more_turns_than_its_share_are_told_so(hub):
    here = await hub(tenant=Tenant("acme", turns_a_minute=2))
    async with here.wearer() as wearer:
        turns = [await wearer.say("what time is it") for _ in range(3)]
        assert [turn["error"] for turn in turns] == [None, None, "over the quota"]
        assert turns[2]["reply"]["text"].startswith("Too many turns")


# -- coming back ----------------------------------------------------------------------------------


async def test_a_link_that_breaks_is_gone_on_with(hub):
    here = await hub()
    async with here.wearer() as wearer:
        await wearer.say("what time is it")
        for _ in range(3):
            wearer._socket.transport.abort()
            await wearer.say("translate good morning to chinese")
    assert len(wearer.breaks) == 3
    assert [n for _, n in wearer.answers] == [0, 1, 2, 3]


async def test_an_answer_that_did_not_arrive_is_sent_again_and_not_done_again(hub, plugin):
    here = await hub(plugins=[plugin])
    async with here.wearer("mine") as wearer:
        await wearer.say("stamp letters")
    wearer.through, wearer.answers = {"sound": -1, "line": -1}, {}
    async with wearer:
        await wearer.until(lambda: ("line", 0) in wearer.answers)
    assert plugin.done == ["letters"]


async def test_a_line_that_comes_twice_is_done_once(hub, plugin):
    here = await hub(plugins=[plugin])
    async with here.wearer() as wearer:
        await wearer.say("stamp letters")
        await wearer._send(json.dumps({"type": "say", "line": 0, "text": "stamp letters"}))
        await wearer.until(lambda: wearer.twice == 1)
    assert plugin.done == ["letters"]


async def test_sound_that_breaks_off_is_heard_once_it_was_sent_again(hub):
    here = await hub(["what time is it"])
    async with here.wearer() as wearer:
        await wearer.stream(QUIET + SPOKEN[: len(SPOKEN) // 2])
        wearer._socket.transport.abort()
        await wearer.stream(SPOKEN[len(SPOKEN) // 2 :] + QUIET)
        await wearer.until(lambda: wearer.answers)
    assert here.ears.heard_bytes > len(SPOKEN)


async def test_the_question_is_asked_again_and_the_yes_to_it_pays(hub, plugin):
    here, there = await hub(plugins=[plugin]), await hub(plugins=[plugin])
    async with here.wearer("mine") as wearer:
        await wearer.say("settle up with tom")
        wearer.url = f"{there.url}/glasses/mine"
        wearer.rows = []
        wearer._socket.transport.abort()
        await wearer.until(lambda: "tom" in "".join(wearer.rows))
        assert plugin.till.paid == []
        await wearer.say("yes")
    assert len(plugin.till.paid) == 1
    assert len(entries(here, "mine")) == 1


async def test_a_yes_sent_before_the_break_does_not_answer_the_question_after_it(hub, plugin):
    here = await hub(plugins=[plugin])
    async with here.wearer("mine") as wearer:
        await wearer.say("settle up with tom")
        await wearer.leave()
        wearer.sent["line"] += 1  # the yes was sent, and the replica died before it came
        wearer.kept["line"].append((wearer.sent["line"], "yes"))
        wearer.welcomed.clear()
        async with wearer:
            turn = await wearer.until(lambda: wearer.answers.get(("line", 1)))
            assert turn["reply"]["proposal"]["payee"] == "tom"
            assert plugin.till.paid == []
            await wearer.say("yes")
    assert len(plugin.till.paid) == 1


async def test_glasses_that_come_by_another_way_are_let_go_by_the_first(hub):
    here, there = await hub(), await hub()
    headers = {"Authorization": f"Bearer {there.key}"}
    async with connect(f"{here.url}/glasses/mine", additional_headers=headers) as first:
        await first.send('{"type": "hello", "version": 1}')
        assert json.loads(await first.recv())["type"] == "welcome"
        async with there.wearer("mine") as again:
            assert (await again.say("what time is it"))["error"] is None
            found = []
            with contextlib.suppress(ConnectionClosed):
                while True:
                    found.append(json.loads(await first.recv()))
    assert found[-1]["type"] == "bye"
    assert "worn elsewhere" in found[-1]["why"]
    assert first.close_code == 4001


async def test_glasses_that_are_taken_off_go_on_with_nothing(hub, plugin):
    here = await hub(plugins=[plugin])
    async with here.wearer("mine") as wearer:
        await wearer.say("settle up with tom")
        await wearer.leave(meant=True)
    assert not (here.folder / "glasses/acme/mine/resume.json").exists()


# -- what a replica died in -----------------------------------------------------------------------


def died(here, text, asked=None, kind="line", number=0):
    """Leave what a replica leaves that is killed in a turn."""
    folder = here.folder / "glasses/acme/mine"
    journal = Journal(folder)
    journal.begin(Begun(kind, number, text, "en", asked))
    return journal


async def again(here, text, number=0):
    """Send a line once more, as glasses do after a break, and return its turn."""
    wearer = here.wearer("mine")
    wearer.sent["line"] = number
    wearer.kept["line"].append((number, text))
    async with wearer:
        return await wearer.until(lambda: wearer.answers.get(("line", number)))


async def test_what_has_no_effect_is_answered(hub):
    here = await hub()
    died(here, "what time is it")
    assert (await again(here, "what time is it"))["error"] is None


async def test_what_may_have_been_done_is_not_done_again_but_told(hub, plugin):
    here = await hub(plugins=[plugin])
    died(here, "stamp letters")
    turn = await again(here, "stamp letters")
    assert turn["reply"]["text"].startswith("The link broke")
    assert plugin.done == []
    async with here.wearer("mine") as wearer:
        await wearer.say("stamp letters")
    assert plugin.done == ["letters"]


async def test_a_yes_that_paid_is_told_and_pays_no_second_time(hub, plugin):
    here = await hub(plugins=[plugin])
    async with here.wearer("mine") as wearer:
        await wearer.say("settle up with tom")
        await wearer.say("yes")
    (entry,) = entries(here, "mine")
    journal = died(here, "yes", entry.order.key, number=1)
    journal.done = Cursor(-1, 0)
    journal.answers = []
    journal.begin(Begun("line", 1, "yes", "en", entry.order.key))
    turn = await again(here, "yes", 1)
    assert "tom" in turn["reply"]["text"]
    assert turn["reply"]["proposal"] is None
    assert len(plugin.till.paid) == 1


async def test_a_payment_that_never_began_is_asked_about_anew(hub, plugin):
    here = await hub(plugins=[plugin])
    async with here.wearer("mine") as wearer:
        await wearer.say("settle up with tom")
    journal = died(here, "yes", "0" * 32, number=1)
    assert journal.done.line == 0
    turn = await again(here, "yes", 1)
    assert turn["reply"]["proposal"]["payee"] == "tom"
    assert plugin.till.paid == []


async def test_a_damaged_journal_is_one_warning(hub, caplog):
    here = await hub()
    folder = here.folder / "glasses/acme/mine"
    folder.mkdir(parents=True)
    for written in (
        "",
        "{",
        "[]",
        '{"version": 2}',
        '{"version": 1, "done": {}}',
        "\0" * 3_000_000,
    ):
        (folder / "hub.json").write_text(written)
        caplog.clear()
        assert Journal(folder).done == Cursor()
        assert "is damaged" in caplog.text
    async with here.wearer("mine") as wearer:
        assert (await wearer.say("what time is it"))["error"] is None


def test_a_journal_keeps_the_last_answers(tmp_path):
    journal = Journal(tmp_path)
    for number in range(40):
        journal.end(Answer("line", number, {"transcript": str(number)}))
    journal = Journal(tmp_path)
    assert journal.done == Cursor(-1, 39)
    assert [one.number for one in journal.missed(Cursor(-1, 36))] == [37, 38, 39]
    assert len(journal.answers) == 16


async def test_a_journal_that_cannot_be_written_does_nothing_and_says_so(hub, plugin):
    here = await hub(plugins=[plugin])
    async with here.wearer("mine") as wearer:
        (here.folder / "glasses/acme/mine/hub.json.new").mkdir()
        turn = await wearer.say("stamp letters")
        assert turn["error"] == "it cannot be kept"
        (here.folder / "glasses/acme/mine/hub.json.new").rmdir()
        assert (await wearer.say("stamp letters"))["error"] is None
    assert plugin.done == ["letters"]


async def test_two_tenants_have_glasses_of_one_name(hub, plugin):
    here = await hub(plugins=[plugin])
    other = Tenants(here.folder).add(Tenant("zeta"))
    async with here.wearer("mine") as wearer:
        await wearer.say("settle up with tom")
        headers = {"Authorization": f"Bearer {other}"}
        async with connect(f"{here.url}/glasses/mine", additional_headers=headers) as socket:
            await socket.send('{"type": "hello", "version": 1}')
            assert json.loads(await socket.recv())["line"] == -1
            await socket.send('{"type": "say", "line": 0, "text": "yes"}')
            async with asyncio.timeout(20):
                while json.loads(await socket.recv())["type"] != "turn":
                    pass
    assert plugin.till.paid == []
