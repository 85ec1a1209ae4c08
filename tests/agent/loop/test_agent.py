import asyncio
import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from agent import Context, Proposal, Receipt, Reply, hookimpl, skill
from agent.loop import AgentOptions
from agent.messages import Intent, NotRecognized
from agent.testing import lens, make_agent
from hardware.base import DeviceError
from hardware.microphone import FileMicrophone
from tests.pace import PATIENCE_S


class Plugin:
    """A plugin made of functions."""

    def __init__(self, *functions, name="demo"):
        self.__name__ = name
        self.functions = functions

    @hookimpl
    def register_skills(self, register):
        register(*self.functions)


@skill("greet {name}")
def greet(name: str, ctx: Context) -> Reply:
    """Greet."""
    return Reply(title="Hi", text=ctx.say("Hello {name}", name=name))


@skill("count to {number}")
async def count(number: int) -> Reply:
    """Count."""
    return Reply(" ".join(str(n) for n in range(1, number + 1)))


@skill("where am i")
def where(ctx: Context) -> Reply:
    """Ask without permission."""
    return Reply(str(ctx.location))


@skill("break")
def broken() -> Reply:
    """Raise."""
    raise KeyError("secret")


@skill("leave")
def leave() -> Reply:
    """Call sys.exit."""
    raise SystemExit(3)


@skill("hang")
def hang() -> Reply:
    """Take too long."""
    over.wait(PATIENCE_S)
    return Reply("late")


@skill("wrong")
def wrong() -> Reply:
    """Return nonsense."""
    return 42


@skill("sneak")
def sneak() -> Reply:
    """Propose without being declared for money."""
    return Proposal("x", amount=Decimal(1))


over = threading.Event()
paid = []


@skill("pay {amount}", risk="money", permissions={"money": "to pay"})
def pay(amount: Decimal) -> Proposal:
    """Pay."""

    def commit(key):
        paid.append((key, amount))
        return Receipt(f"Paid {amount}")

    return Proposal(f"{amount}", amount=amount, payee="Anna", commit=commit)


PLUGIN = Plugin(greet, count, where, broken, leave, hang, wrong, sneak, pay)


@pytest.fixture
def agent(tmp_path):
    paid.clear()
    over.clear()
    yield make_agent(tmp_path, [PLUGIN], options=AgentOptions(action_timeout_s=PATIENCE_S))
    over.set()


async def test_say_it_see_it(agent):
    turn = await agent.hear("greet anna")
    assert "Hello anna" in lens(agent)
    assert turn.intent == Intent("demo", "greet", {"name": "anna"})
    times = turn.timings
    assert times.transcript <= times.intent <= times.reply <= times.first_glyph


async def test_coroutines_are_actions_too(agent):
    await agent.hear("count to three")
    assert "1 2 3" in lens(agent)


@pytest.mark.parametrize("said", ["make me a sandwich", "😀", "x" * 500])
async def test_what_no_skill_can_do_gets_a_hint(agent, said):
    turn = await agent.hear(said)
    assert isinstance(turn.intent, NotRecognized)
    assert "Say “help”" in lens(agent)
    assert turn.error is None


async def test_too_long_a_text_is_refused_in_words(agent):
    await agent.hear("a" * 100_000)
    assert "too long" in lens(agent)


@pytest.mark.parametrize(
    ("said", "shown", "error"),
    [
        ("break", "demo failed", "demo.broken raised KeyError at test_agent.py:"),
        ("leave", "demo failed", "demo.leave called sys.exit at test_agent.py:"),
        ("hang", "took too long", "demo.hang took over 0.2 s"),
        ("wrong", "returned int", "demo.wrong returned int: an action returns a Reply or text"),
        ("sneak", "not declared", "demo.sneak proposed a payment but is not declared risk='money'"),
        ("where am i", "never declared", None),
    ],
)
async def test_a_skill_that_misbehaves_never_takes_the_agent_down(agent, said, shown, error):
    if said == "hang":
        agent.options = replace(agent.options, action_timeout_s=0.2)
    turn = await agent.hear(said)
    assert shown in " ".join(lens(agent).split())
    assert turn.error.startswith(error or "demo asked where you are")
    assert "secret" not in lens(agent)
    agent.options = replace(agent.options, action_timeout_s=PATIENCE_S)
    await agent.hear("greet bob")
    assert "Hello bob" in lens(agent)


async def test_yes_pays_once(agent):
    turn = await agent.hear("pay $20")
    assert turn.as_json()["reply"]["proposal"] == {
        "amount": "20.00",
        "currency": "USD",
        "payee": "Anna",
    }
    assert paid == []
    await agent.hear("yes")
    await agent.hear("yes")
    assert [amount for _, amount in paid] == [Decimal(20)]


@pytest.mark.parametrize("answer", ["no", "取消", "stop", "greet bob", "pay $30"])
async def test_anything_but_yes_pays_nothing(agent, answer):
    await agent.hear("pay $20")
    await agent.hear(answer)
    assert paid == []


async def test_going_on_to_something_else_drops_the_proposal(agent):
    await agent.hear("pay $20")
    await agent.hear("greet bob")
    await agent.hear("yes")
    assert paid == []


@pytest.mark.parametrize("covers", ["help", "clear", "what can i say", "清屏"])
async def test_a_proposal_out_of_sight_cannot_be_agreed_to(agent, covers):
    await agent.hear("pay $20")
    await agent.hear(covers)
    assert agent.gate.open is None
    await agent.hear("yes")
    assert paid == []


@pytest.mark.parametrize("pages", ["back", "more", "repeat"])
async def test_turning_pages_leaves_the_question_in_sight(agent, pages):
    await agent.hear("pay $20")
    await agent.hear(pages)
    assert "$20.00" in lens(agent)
    await agent.hear("yes")
    assert len(paid) == 1


async def test_a_proposal_that_could_not_be_shown_cannot_be_agreed_to(agent):
    def refuse(frame):
        raise DeviceError("the lens is dark: charge it")

    show, agent.devices.display.show = agent.devices.display.show, refuse
    turn = await agent.hear("pay $20")
    agent.devices.display.show = show
    assert "dark" in turn.error
    await agent.hear("yes")
    assert paid == []


async def test_a_display_that_cannot_be_cleared_costs_one_line(agent):
    def refuse():
        raise DeviceError("the lens is gone: plug it in")

    agent.devices.display.clear = refuse
    assert "plug it in" in (await agent.hear("clear")).error


async def test_an_unclear_answer_asks_again(agent):
    await agent.hear("pay $20")
    turn = await agent.hear("well maybe")
    assert paid == []
    assert turn.reply.amount == 20


async def test_a_yes_that_changes_the_amount_is_a_new_proposal(agent):
    await agent.hear("pay $20")
    turn = await agent.hear("yes but make it ten")
    assert paid == []
    assert turn.reply.amount == 10
    await agent.hear("yes")
    assert [amount for _, amount in paid] == [10]
    await agent.hear("confirm")
    assert len(paid) == 1


async def test_pages(agent):
    await agent.hear("count to 300")
    first = lens(agent)
    await agent.hear("more")
    second = lens(agent)
    assert first != second
    await agent.hear("back")
    assert lens(agent) == first
    await agent.hear("repeat")
    assert lens(agent) == first
    await agent.hear("back")
    assert "That's all" in lens(agent)


async def test_what_can_be_said_includes_yes_only_while_a_question_is_open(agent):
    def said():
        return {s.template for s in agent.sayings("en")}

    assert "greet {name}" in said()
    assert "yes" not in said()
    await agent.hear("pay $20")
    assert "yes" in said()


def speech(seconds=1.0):
    """Voiced sound that webrtcvad takes for speech: a 150 Hz pulse train with formants."""
    import math
    import struct

    samples = []
    for n in range(int(seconds * 16000)):
        t = n / 16000
        phase = (t * 150) % 1
        envelope = 0.8 + 0.2 * math.sin(2 * math.pi * 4 * t)
        buzz = sum(math.sin(2 * math.pi * f * t) / k for k, f in enumerate((700, 1220, 2600), 1))
        samples.append(int(9000 * envelope * buzz * (1 - phase) ** 3))
    return struct.pack(f"<{len(samples)}h", *(max(-32768, min(32767, s)) for s in samples))


async def test_listen_hears_an_utterance_with_times_in_order(tmp_path):
    agent = make_agent(tmp_path, [PLUGIN], texts=["greet anna"])
    pcm = bytes(16000) + speech() + bytes(32000)
    turns = [turn async for turn in agent.listen(FileMicrophone(pcm, pace="fast"))]
    assert [t.transcript.text for t in turns] == ["greet anna"]
    assert "Hello anna" in lens(agent)
    times = turns[0].timings
    assert times.speech_end == pytest.approx(1500, abs=60)
    assert times.speech_end < times.endpoint <= times.transcript <= times.first_glyph
    await agent.close()


async def test_a_microphone_that_vanishes_is_an_error_and_the_agent_lives_on(tmp_path):
    agent = make_agent(tmp_path, [PLUGIN], texts=["greet anna"])

    class Vanishing(FileMicrophone):
        async def chunks(self):
            async for chunk in super().chunks():
                if chunk.start_ms > 700:
                    raise DeviceError("microphone gone: plug it in")
                yield chunk

    with pytest.raises(DeviceError, match="plug it in"):
        async for _ in agent.listen(Vanishing(speech(2.0), pace="fast")):
            pass
    pcm = bytes(16000) + speech()
    turns = [turn async for turn in agent.listen(FileMicrophone(pcm, pace="fast"))]
    assert [t.transcript.text for t in turns] == ["greet anna"]


async def test_an_engine_that_fails_in_mid_speech_is_a_turn_and_the_next_one_is_heard(tmp_path):
    from agent.errors import EngineError
    from agent.testing import ScriptedTranscriber

    class Failing(ScriptedTranscriber):
        failures = 1

        def feed(self, pcm):
            super().feed(pcm)
            if self.heard_bytes > 16000 and self.failures:
                self.failures -= 1
                raise EngineError("the engine lost its way: say it again")

    agent = make_agent(tmp_path, [PLUGIN], transcriber=Failing(["greet anna"]))
    pcm = bytes(16000) + speech(0.8) + bytes(32000) + speech() + bytes(32000)
    turns = [turn async for turn in agent.listen(FileMicrophone(pcm, pace="fast"))]
    assert turns[0].error == "the engine lost its way: say it again"
    assert [turn.transcript.text for turn in turns] == ["", "greet anna"]
    assert "Hello anna" in lens(agent)


@pytest.mark.parametrize(("confidence", "payments"), [(0.95, 1), (0.5, 0)])
async def test_a_spoken_yes_must_be_clear(tmp_path, confidence, payments):
    from dataclasses import replace

    from agent.testing import ScriptedTranscriber

    class Unsure(ScriptedTranscriber):
        def finish(self):
            return replace(super().finish(), confidence=confidence)

    paid.clear()
    agent = make_agent(tmp_path, [PLUGIN], transcriber=Unsure(["yes"]))
    await agent.hear("pay $20")
    pcm = bytes(16000) + speech() + bytes(32000)
    _ = [turn async for turn in agent.listen(FileMicrophone(pcm, pace="fast"))]
    assert len(paid) == payments
    assert (agent.gate.open is None) == bool(payments)


@pytest.mark.parametrize(("confidence", "proposed"), [(0.95, True), (0.5, False)])
async def test_a_payment_heard_unclearly_is_not_even_proposed(tmp_path, confidence, proposed):
    from dataclasses import replace

    from agent.testing import ScriptedTranscriber

    class Unsure(ScriptedTranscriber):
        def finish(self):
            return replace(super().finish(), confidence=confidence)

    agent = make_agent(tmp_path, [PLUGIN], transcriber=Unsure(["pay $20", "greet anna"]))
    pcm = bytes(16000) + speech() + bytes(32000)
    microphone = FileMicrophone(pcm, pcm, pace="fast")
    turns = [turn async for turn in agent.listen(microphone)]
    assert isinstance(turns[0].reply, Proposal) is proposed
    assert proposed or "catch that" in turns[0].reply.text
    assert "Hello anna" in lens(agent), "what moves no money is answered all the same"


async def test_an_engine_that_hangs_is_replaced(tmp_path):
    from agent.errors import EngineError
    from agent.listen.thread import EngineThread
    from agent.testing import ScriptedTranscriber

    made, late = [], threading.Event()

    def make():
        made.append(ScriptedTranscriber())
        return made[-1]

    ears = EngineThread(make, timeout_s=PATIENCE_S)
    await ears.call(lambda engine: engine.start())
    ears._timeout_s = 0.1
    with pytest.raises(EngineError, match="restarted"):
        await ears.call(lambda engine: late.wait(PATIENCE_S))
    ears._timeout_s = PATIENCE_S
    late.set()
    await ears.call(lambda engine: engine.start())
    assert len(made) == 2
    await asyncio.sleep(0)
    await ears.close()
