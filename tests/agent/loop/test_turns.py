"""One lane: whatever begins a turn, one ends before the next begins, and a yes pays what was seen.

`Shuffled` is an event loop on which no thread runs: what a thread would do is done on the loop, and
how long it takes to begin and to be noticed is drawn, as is when each input comes. So every order in
which they can meet at an await can come about, and a failing one is repeated exactly.
"""

import asyncio
import itertools
import os
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agent import Context, Proposal, Receipt, Reply, hookimpl, skill
from agent.listen.hearing import Heard
from agent.loop.turns import CALLED_OFF
from agent.messages import Transcript
from agent.models.llm.model import ScriptedModel
from agent.plugins.runner import Runner
from agent.testing.doubles import lens, make_agent
from agent.turn import Utterance
from hardware.speaker import VirtualSpeaker

STEP_S = 0.001
"""What delays are counted in: short, so that nothing runs into a time-out."""
LATEST = 6
"""Steps within which inputs come."""


class Shuffled(asyncio.SelectorEventLoop):
    """A loop whose time jumps, and whose threads are drawn delays."""

    def __init__(self, delays):
        super().__init__()
        self._delays = itertools.cycle(delays or [0])
        self._passed_s = 0.0
        select = self._selector.select

        def jump(timeout=None):
            if timeout:
                self._passed_s += timeout
            return select(0)

        self._selector.select = jump

    def time(self):
        return self._passed_s

    def later(self, function, *arguments):
        return self.call_later(next(self._delays) * STEP_S, function, *arguments)

    def run_in_executor(self, executor, function, *arguments):
        done = self.create_future()

        def finish(value, error):
            if not done.done():
                done.set_exception(error) if error else done.set_result(value)

        def work():  # a thread that was begun goes on, whether or not anybody waits
            try:
                value, error = function(*arguments), None
            except Exception as caught:
                value, error = None, caught
            self.later(finish, value, error)

        self.later(work)
        return done


class Plugin:
    """Pays, remembers and looks; and writes down what was really done."""

    __name__ = "demo"

    def __init__(self):
        self.permissions = {"transcripts": "to see what came of it"}
        self.paid = []
        self.observed = []

    @hookimpl
    def register_skills(self, register):
        @skill("pay {amount}", risk="money", permissions={"money": "to pay"})
        def pay(amount: Decimal) -> Proposal:
            """Pay."""

            def commit(key):
                self.paid.append((key, amount))
                return Receipt(f"Paid {amount}")

            return Proposal(f"{amount}", amount=amount, payee="Anna", commit=commit)

        @skill("remember", risk="change")
        def remember(ctx: Context) -> Reply:
            """Count."""
            n = ctx.memory.get("n", 0)
            ctx.memory["n"] = n + 1
            return Reply(f"remembered {n + 1}")

        @skill("look")
        def look() -> Reply:
            """Look."""
            return Reply("looked")

        register(pay, remember, look)

    @hookimpl
    def turn_ended(self, turn):
        self.observed.append(turn)


class Unthreaded(Runner):
    """A runner whose calls have no thread that could be interrupted."""

    async def run(self, owner, function, timeout_s, interrupt=True):
        return await super().run(owner, function, timeout_s, interrupt=False)


NO_LIMITS = """again_minutes = 0
[limits]
USD = { payment = "1000000", day = "1000000", payee = "1000000", pin = "1000000" }
"""
"""What is asked besides the yes is not what is looked at here."""


class Wearer:
    """Does things to an agent, and notes what was open when a yes was given."""

    def __init__(self, folder, delays=(0,), asks_model=False):
        self.plugin = Plugin()
        (folder / "limits.toml").write_text(NO_LIMITS)
        self.agent = make_agent(folder, [self.plugin], speaker=VirtualSpeaker())
        if asks_model:  # then turns are understood on a thread
            self.agent.model = ScriptedModel()
        self.agent.skills.runner = Unthreaded()
        self.agent._router._guess = None  # every sentence here is foreseen, and guessing takes long
        self.loop = Shuffled(delays)
        self.yeses = Counter()
        self.turns = []

    async def do(self, what):
        agent = self.agent
        if what in ("yes", "spoken yes", "nod") and agent.gate.open is not None:
            amount = agent.gate.open.proposal.amount
            assert f"${amount:.2f}" in lens(agent), "what is open is what is lit"
            self.yeses[agent.gate.open.key] += 1
        match what:
            case "nod" | "shake" | "double_tap" | "tap" | "glance":
                turn = await agent.gesture(what, rested=True)
                if turn is None:
                    return
            case "call":
                turn = await agent.call({"name": "demo.pay", "arguments": {"amount": 70}})
            case "resumed":
                turn = await agent.call({"name": "demo.pay", "arguments": {"amount": 80}}, "zh")
            case "reload" | "remove" if "demo" not in agent.skills.plugins:
                return
            case "reload":
                agent.skills.unload("demo")
                agent.skills.load(self.plugin)
                return
            case "remove":
                agent.skills.unload("demo")
                await asyncio.sleep(2 * STEP_S)
                agent.skills.load(self.plugin)
                return
            case _ if what.startswith("spoken "):
                turn = await self.say(what.removeprefix("spoken "))
                if turn is None:
                    return
            case _:
                turn = await agent.hear(what)
        self.turns.append(turn)

    async def say(self, text):
        agent = self.agent
        seen = agent.gate.open.key if agent.gate.open else None
        utterance = Utterance(lambda: 0.0, agent._turns.own(text), seen, True)
        heard = Heard(Transcript(text, engine="scripted"), 0.0, 900.0, 900.0, ())
        task = agent._turns.heard(heard, "microphone", utterance, None, lambda: False)
        await asyncio.wait({task})
        return None if task.cancelled() else task.result()

    def live(self, inputs):
        """Do all inputs, each at its time; return when every turn has ended."""

        async def main():
            self.agent.lens.attach()
            await asyncio.gather(*(self.at(delay, what) for delay, what in inputs))
            while self.agent._turns.busy:
                await asyncio.sleep(STEP_S)
            await asyncio.sleep(10 * LATEST * STEP_S)  # what was called off comes to its end too

        self.loop.run_until_complete(main())
        return self

    async def at(self, delay, what):
        await asyncio.sleep(delay * STEP_S)
        await self.do(what)

    def close(self):
        self.loop.run_until_complete(self.agent.close())
        self.loop.close()

    # -- claims ---------------------------------------------------------------------------------

    def check(self):
        """No payment without its own yes, no lost memory, no lost or doubled answer."""
        paid = Counter(key for key, _ in self.plugin.paid)
        assert all(times == 1 for times in paid.values())
        assert set(paid) <= set(self.yeses), "each was lit when a yes was given"
        done = [turn for turn in self.turns if turn.error != CALLED_OFF]
        counted = [turn.reply.text.partition("\n")[0] for turn in done if remembers(turn)]
        assert all(text.startswith("remembered ") for text in counted)
        assert len(set(counted)) == len(counted)
        kept = self.agent._acting.memories.of("demo").get("n", 0)
        assert kept >= len(counted), "a later turn wrote over what an earlier one remembered"
        assert len({id(turn) for turn in self.plugin.observed}) == len(self.plugin.observed)
        for turn in done:
            if turn.reply is None:
                assert turn.source == "double_tap" or "no tool" in turn.error
            else:
                assert turn.error is None or "no longer there" in turn.error


def remembers(turn):
    done = (*turn.before, turn.intent)
    return any(getattr(intent, "action", None) == "remember" for intent in done) and not turn.error


INPUTS = (
    "pay 20", "pay 90", "yes", "spoken yes", "nod", "no", "spoken no", "shake", "stop",
    "spoken stop", "remember", "spoken remember", "look", "call", "resumed", "double_tap", "help",
    "reload", "remove", "glance", "pay 20 and remember",
)  # fmt: skip

ROUNDS = 8
"""Schedules that one agent lives through, each from an open proposal on."""

schedules = st.tuples(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, LATEST), st.sampled_from(INPUTS)), min_size=2, max_size=6
        ),
        min_size=ROUNDS,
        max_size=ROUNDS,
    ),
    st.lists(st.integers(0, 3), min_size=1, max_size=12),
    st.booleans(),
)


def memory_folder():
    """A folder whose files take no time to be forced to the disk, where there is one."""
    shared = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None)


def try_schedules(count):
    paid = []

    @settings(
        max_examples=count // ROUNDS, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    @given(schedules)
    def lives(schedule):
        rounds, delays, asks_model = schedule
        with memory_folder() as folder:
            wearer = Wearer(Path(folder), delays, asks_model)
            try:
                for inputs in rounds:
                    before = len(wearer.plugin.paid)
                    wearer.live([(0, "pay 50"), *((9 + delay, what) for delay, what in inputs)])
                    wearer.check()
                    paid.append(len(wearer.plugin.paid) > before)
            finally:
                wearer.close()

    lives()
    assert len(paid) >= count
    assert count / 20 < sum(paid) < count * 0.9, "some pay and some do not"


@pytest.mark.slow
def test_no_interleaving_pays_without_its_own_yes():
    try_schedules(400)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_interleaving_of_twenty_thousand_pays_without_its_own_yes():
    try_schedules(20_000)


# -- two of everything at once, each with its outcome -------------------------------------------------


@pytest.fixture
def wearer():
    with memory_folder() as folder:
        wearer = Wearer(Path(folder), [1])
        yield wearer
        wearer.check()
        wearer.close()


def said(wearer, number=-1):
    return wearer.turns[number].reply.text


def amounts(wearer):
    return [int(amount) for _, amount in wearer.plugin.paid]


def at_once(wearer, *what, then=()):
    """Ask for $20, and once that is lit, do several things in the same moment."""
    wearer.live([(0, "pay 20")])
    wearer.turns.clear()
    wearer.live([*((0, one) for one in what), *then])


def test_two_yeses_pay_once_and_both_are_told_so(wearer):
    at_once(wearer, "yes", "spoken yes")
    assert amounts(wearer) == [20]
    assert [turn.reply.text for turn in wearer.turns] == ["Paid 20", "Paid 20"]


def test_a_yes_and_a_nod_pay_once_and_both_are_told_so(wearer):
    at_once(wearer, "nod", "yes")
    assert amounts(wearer) == [20]
    assert [turn.reply.text for turn in wearer.turns] == ["Paid 20", "Paid 20"]


def test_a_no_that_comes_with_a_yes_is_too_late_and_is_told_so(wearer):
    at_once(wearer, "yes", then=[(1, "no")])
    assert amounts(wearer) == [20]
    assert {turn.transcript.text: turn.reply.text for turn in wearer.turns} == {
        "no": "A payment is being made and cannot be stopped.",
        "yes": "Paid 20",
    }


def test_a_no_overtakes_the_yes_that_waits(wearer):
    at_once(wearer, "look", "yes", "no")
    assert amounts(wearer) == []
    assert said(wearer, 0) == "Cancelled. Nothing was paid.", "it came first"


def test_a_yes_and_another_payment_pay_the_first_and_ask_for_the_second(wearer):
    at_once(wearer, "yes", "pay 90")
    assert amounts(wearer) == [20]
    assert wearer.agent.gate.open.proposal.amount == 90


def test_another_payment_and_a_yes_pay_nothing_and_ask_for_the_second(wearer):
    at_once(wearer, "pay 90", "yes")
    assert amounts(wearer) == []
    assert wearer.agent.gate.open.proposal.amount == 90
    assert said(wearer) == "90", "the question is shown again"


def test_a_yes_before_its_question_is_not_a_yes_to_it(wearer):
    wearer.live([(0, "pay 20"), (0, "yes")])
    assert amounts(wearer) == []
    assert wearer.agent.gate.open.proposal.amount == 20


def test_a_nod_during_a_typed_line_waits_for_it(wearer):
    at_once(wearer, "look", "nod")
    assert amounts(wearer) == [], "the line had put the question away"
    assert said(wearer, 0) == "looked"
    assert said(wearer, 1) == "Too late: that payment was dropped. Ask again."


def test_a_tool_call_during_speech_waits_for_it_and_asks(wearer):
    at_once(wearer, "spoken yes", "call")
    assert amounts(wearer) == [20]
    assert [said(wearer, 0), said(wearer, 1)] == ["Paid 20", "70"]
    assert wearer.agent.gate.open.proposal.amount == 70


def test_a_reload_during_a_turn_leaves_no_dangling_name(wearer):
    at_once(wearer, "look", then=[(1, "reload")])
    assert said(wearer) == "looked"


def test_a_plugin_that_goes_between_meaning_and_doing_is_told_to_be_gone():
    with memory_folder() as folder:
        wearer = Wearer(Path(folder), [2], asks_model=True)
        wearer.live([(0, "look"), (3, "remove")])  # understood at 2, which is noticed at 4
        assert said(wearer) == "demo is no longer installed."
        wearer.check()
        wearer.close()


def test_a_stop_during_a_commit_is_told_that_it_is_too_late(wearer):
    at_once(wearer, "yes", "look", then=[(1, "stop")])
    assert amounts(wearer) == [20]
    outcomes = {turn.transcript.text: turn for turn in wearer.turns}
    assert outcomes["stop"].reply.text == "A payment is being made and cannot be stopped."
    assert outcomes["yes"].reply.text == "Paid 20"
    assert outcomes["look"].error == CALLED_OFF, "what waits is ended all the same"


def test_a_stop_ends_what_runs_and_what_waits(wearer):
    at_once(wearer, "look", "remember", "spoken look", "stop")
    assert [turn.error for turn in wearer.turns].count(CALLED_OFF) == 2
    assert said(wearer) == "Cancelled. Nothing was paid."
    assert wearer.agent.gate.open is None
    wearer.live([(0, "look"), (0, "stop")])
    assert said(wearer) == "Stopped."


def test_what_a_called_off_action_still_writes_takes_nothing_away(wearer):
    wearer.loop._delays = itertools.cycle([3])
    wearer.live([(0, "remember"), (1, "stop"), (4, "remember"), (8, "remember"), (12, "remember")])
    assert wearer.agent._acting.memories.of("demo")["n"] >= 3


def test_a_fault_of_the_agents_own_ends_one_turn(wearer):
    wearer.agent._dialogue.understand = lambda *given: {}["gone"]
    wearer.live([(0, "look")])
    turn = wearer.turns.pop()
    assert turn.error.startswith("the agent raised KeyError at test_turns.py")
    assert turn.reply.text == "Sorry, something went wrong in the agent itself."
    del wearer.agent._dialogue.understand
    wearer.live([(0, "look")])
    assert said(wearer) == "looked"
