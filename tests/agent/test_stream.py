"""A whole stream: answers beside listening, plans made ahead, stop, and the microphone's mark."""

import asyncio
import threading
from decimal import Decimal
from typing import Literal

import pytest

from agent import Context, Proposal, Receipt, Reply, hookimpl, skill
from agent.hearing import Listening
from agent.listen.attention import AttentionOptions
from agent.listen.health import HealthLog
from agent.listen.patience import Patience
from agent.listen.wake import Spotted
from agent.loop import AgentOptions
from agent.testing import lens, make_agent
from agent.turn import kept
from hardware.base import AudioChunk
from hardware.microphone import FileMicrophone
from hardware.speaker import VirtualSpeaker
from tests.speech import ReadingEars, Script, place

PATIENCE = Patience(per_bit_ms=150, dangling_ms=1000, plain_ms=400)
SHORT = AgentOptions(patience=PATIENCE)


Thing = Literal["trees", "birds"]


class Counting:
    """A plugin that counts what it does."""

    __name__ = "counting"

    def __init__(self):
        self.calls: list[str] = []
        self.paid: list[str] = []
        self.cancelled = threading.Event()
        self.working = threading.Event()

        @skill("look at {thing} [and {more}]")
        def look(thing: Thing, ctx: Context, more: Thing | None = None) -> Reply:
            """Look, without an effect."""
            both = thing + (more or "")
            ctx.memory["looked"] = [*ctx.memory.get("looked", []), both]
            self.calls.append(f"look {both}")
            return Reply(f"{both} {len(ctx.memory['looked'])}")

        @skill("skip [twice]", risk="change")
        def skip() -> Reply:
            """Change something."""
            self.calls.append("skip")
            return Reply("Skipped")

        @skill("pay {amount} [now]", risk="money", permissions={"money": "to pay"})
        def pay(amount: Decimal) -> Proposal:
            """Propose a payment."""
            self.calls.append(f"pay {amount}")

            def commit(key: str) -> Receipt:
                self.paid.append(key)
                return Receipt("Paid")

            return Proposal(f"{amount}", amount=amount, payee="Anna", commit=commit)

        @skill("sing [loudly]")
        def sing(ctx: Context) -> Reply:
            """Reach for a device."""
            self.calls.append("sing")
            assert ctx.speaker is not None
            return Reply(f"at {ctx.speaker.volume}")

        @skill("work")
        def work(ctx: Context) -> Reply:
            """Work for long."""
            self.working.set()
            assert ctx.cancel is not None
            while not ctx.cancel.cancelled:
                ctx.cancel._flag.wait(0.01)
            self.cancelled.set()
            return Reply("done")

        self.actions = look, skip, pay, sing, work

    @hookimpl
    def register_skills(self, register):
        register(*self.actions)


@pytest.fixture
def plugin():
    return Counting()


def wearer(tmp_path, plugin, text, **more):
    """An agent that hears a script, and the script's microphone."""
    script = Script(text)
    listening = Listening(vad=lambda mode: script, stop=None, **more.pop("listening", {}))
    more = {"options": SHORT} | more
    agent = make_agent(
        tmp_path, [plugin], transcriber=ReadingEars(script), listening=listening, **more
    )
    return agent, FileMicrophone(script.pcm, pace="fast", tail_ms=0)


async def listen(agent, microphone):
    turns = [turn async for turn in agent.listen(microphone)]
    await agent.close()
    return turns


# -- planning ahead ---------------------------------------------------------------------------


async def test_a_plan_becomes_the_answer_and_is_not_made_twice(tmp_path, plugin):
    agent, microphone = wearer(tmp_path, plugin, ".... look at trees ..........")
    (turn,) = await listen(agent, microphone)
    assert plugin.calls == ["look trees"]
    assert turn.reply.text == "trees 1"
    assert lens(agent) == "trees 1"


async def test_a_plan_that_came_to_nothing_leaves_no_trace(tmp_path, plugin):
    """The wearer breathes after "look at trees", which could stand alone, and goes on."""
    patient = AgentOptions(patience=Patience(per_bit_ms=300, dangling_ms=900))
    agent, microphone = wearer(tmp_path, plugin, ".... look at trees ... and birds ..........", options=patient)  # fmt: skip
    (turn,) = await listen(agent, microphone)
    assert turn.intent.slots == {"thing": "trees", "more": "birds"}
    assert turn.reply.text == "treesbirds 1"  # what the thrown away plan remembered is gone


@pytest.mark.parametrize("pause", ["..", "....", "......"])
async def test_nothing_with_an_effect_runs_ahead(tmp_path, plugin, pause):
    """Pauses that may or may not end the turn: each command has its effect once."""
    said = f".... skip {pause} twice .......... pay twenty {pause} now .......... "
    agent, microphone = wearer(tmp_path, plugin, said)
    turns = await listen(agent, microphone)
    assert kept(turns)
    assert plugin.calls.count("skip") == 1
    assert plugin.paid == []
    assert agent.gate.open is not None


async def test_a_payment_may_be_planned_and_is_paid_once_after_a_yes(tmp_path, plugin):
    agent, microphone = wearer(tmp_path, plugin, ".... pay twenty .......... yes ..........")
    turns = await listen(agent, microphone)
    assert [turn.error for turn in turns] == [None, None]
    assert len(plugin.paid) == 1
    assert lens(agent).endswith("Paid")


async def test_while_a_question_is_open_nothing_is_planned(tmp_path, plugin):
    agent, microphone = wearer(tmp_path, plugin, f".... pay twenty {'.' * 20} look at trees ....")
    plans = []
    plan = agent.plan
    agent.plan = lambda said: plans.append(plan(said)) or plans[-1]
    await listen(agent, microphone)
    assert [p is None for p in plans] == [False, True]


async def test_an_action_that_reaches_for_a_device_is_run_again_in_earnest(tmp_path, plugin):
    agent, microphone = wearer(tmp_path, plugin, ".... sing ..........", speaker=VirtualSpeaker())
    (turn,) = await listen(agent, microphone)
    assert plugin.calls == ["sing", "sing"]
    assert turn.error is None
    assert turn.reply.text.startswith("at ")


# -- turns that go on -------------------------------------------------------------------------


async def test_a_turn_that_goes_on_replaces_the_answer(tmp_path, plugin):
    hasty = AgentOptions(patience=Patience(per_bit_ms=60))
    agent, microphone = wearer(tmp_path, plugin, ".... look at trees .... and birds ..........", options=hasty)  # fmt: skip
    first, second = await listen(agent, microphone)
    assert (first.replaces, second.replaces) == (False, True)
    assert first.intent.slots == {"thing": "trees"}
    assert second.intent.slots == {"thing": "trees", "more": "birds"}
    assert kept([first, second]) == [second]
    assert second.reply.text == "treesbirds 1"  # and the skill forgot the first
    assert lens(agent) == "treesbirds 1"


async def test_what_had_an_effect_is_never_replaced(tmp_path, plugin):
    hasty = AgentOptions(patience=Patience(per_bit_ms=80, plain_ms=100))
    agent, microphone = wearer(tmp_path, plugin, ".... skip ... twice ..........", options=hasty)
    turns = await listen(agent, microphone)
    assert not any(turn.replaces for turn in turns)
    assert plugin.calls == ["skip"]


# -- stop -------------------------------------------------------------------------------------


async def test_stop_ends_an_action_that_takes_long(tmp_path, plugin):
    agent, microphone = wearer(tmp_path, plugin, f".... work {'.' * 10} stop ..........")
    (turn,) = await listen(agent, microphone)
    assert plugin.cancelled.wait(2)
    assert turn.reply.text == "Stopped."
    assert lens(agent) == "Stopped."


async def test_what_is_said_meanwhile_waits_for_its_turn(tmp_path, plugin):
    slow = AgentOptions(patience=PATIENCE, action_timeout_s=0.3)
    agent, microphone = wearer(tmp_path, plugin, f".... work {'.' * 5} look at trees {'.' * 20}", options=slow)  # fmt: skip
    turns = await listen(agent, microphone)
    assert [turn.intent.action for turn in turns] == ["work", "look"]


class Stopper:
    """Spots a word in the sound of a script."""

    def __init__(self, script, word="stop"):
        self.end = next(last for _, last, said in script.words if said == word)
        self.fed = []

    def feed(self, pcm):
        self.fed.append(place(pcm))
        return Spotted("停止", 0.0, 1.0, 1.0) if place(pcm) == self.end + 3 else None

    def reset(self, start_ms=0.0):
        self.fed.append(0)


async def test_stop_is_heard_beside_the_engine_while_something_plays(tmp_path, plugin):
    text = f".... look at trees {'.' * 10} hey stop now {'.' * 10}"
    script = Script(text)
    stopper = Stopper(script)
    speaker = VirtualSpeaker(length_s=600.0)
    agent, microphone = wearer(tmp_path, plugin, text, speaker=speaker)
    object.__setattr__(agent.listening, "stop", lambda: stopper)
    speaker.play(tmp_path)
    turns = await listen(agent, microphone)
    assert speaker.playing is None
    stopped = [turn for turn in turns if turn.transcript.text == "停止"]
    assert [turn.reply.text for turn in stopped] == ["已停止。"]
    assert stopper.fed[-1] == stopper.end + 3  # and no longer than it has something to stop


# -- the microphone ---------------------------------------------------------------------------


async def test_the_lens_shows_an_open_microphone(tmp_path, plugin):
    agent, microphone = wearer(tmp_path, plugin, ".... look at trees ..........")
    marks = []
    async for _ in agent.listen(microphone):
        marks.append(agent.devices.display.listening)
    assert marks == [True]
    assert not agent.devices.display.listening
    assert lens(agent) == "trees 1"
    await agent.close()


async def test_asleep_no_mark_is_shown(tmp_path, plugin):
    agent, microphone = wearer(tmp_path, plugin, ".... look at trees ..........", listening={"attention": AttentionOptions("touch")})  # fmt: skip
    assert await listen(agent, microphone) == []
    assert not any(frame.listening for frame in agent.devices.display.frames)


async def test_a_microphone_that_may_not_be_open_is_closed_and_opened_again(tmp_path, plugin):
    script = Script(".... look at trees ..........")
    opened, allowed = [], []

    class Microphone(FileMicrophone):
        async def chunks(self):
            opened.append("open")
            try:
                async for chunk in super().chunks():
                    yield chunk
                    if len(opened) == 1 and chunk.end_ms >= 200:
                        allowed.append(False)
            finally:
                opened.append("closed")

    looks = iter([False, True])

    def may() -> bool:
        return next(looks, True) if allowed and allowed.pop() is False else True

    agent = make_agent(
        tmp_path,
        [plugin],
        transcriber=ReadingEars(script),
        options=SHORT,
        listening=Listening(vad=lambda mode: script, stop=None, allowed=may),
    )
    microphone = Microphone(script.pcm, pace="fast", tail_ms=0)
    turns = await listen(agent, microphone)
    assert opened == ["open", "closed", "open", "closed"]
    assert [turn.reply.text for turn in turns] == ["trees 1"]


async def test_push_to_talk_and_touch_without_a_stream_do_nothing(tmp_path, plugin):
    agent, _ = wearer(tmp_path, plugin, "....")
    agent.touch()
    agent.hold(True)
    await agent.close()


async def test_trouble_is_mended_counted_and_kept(tmp_path, plugin):
    log = HealthLog(tmp_path)
    script = Script(".... look at trees ..........")
    agent, _ = wearer(tmp_path, plugin, ".... look at trees ..........", listening={"health": log})

    class Leaky(FileMicrophone):
        async def chunks(self):
            async for chunk in super().chunks():
                if chunk.start_ms == 1200:
                    continue  # lost
                if chunk.start_ms == 1300:
                    chunk = AudioChunk(chunk.pcm[:-1], chunk.start_ms)
                yield chunk

    turns = await listen(agent, Leaky(script.pcm, pace="fast", tail_ms=0))
    assert len(turns) == 1
    health = log.load()
    assert health.dropouts == 1
    assert health.resized >= 1


async def test_listening_goes_on_while_an_answer_is_worked_out(tmp_path, plugin):
    """Chunks are taken at the pace of a microphone, none later."""
    agent, microphone = wearer(tmp_path, plugin, f".... work {'.' * 10} stop ....")
    taken = []

    class Watched(FileMicrophone):
        async def chunks(self):
            async for chunk in super().chunks():
                taken.append((chunk.end_ms, asyncio.get_running_loop().time(), plugin.working.is_set()))  # fmt: skip
                yield chunk

    await listen(agent, Watched(microphone._pcm, pace="fast", tail_ms=0))
    during = [(ms, s) for ms, s, working in taken if working]
    spent_ms = (during[-1][1] - during[0][1]) * 1000
    assert spent_ms < (during[-1][0] - during[0][0]) + 500
