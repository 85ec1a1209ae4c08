"""A whole stream: answers beside listening, plans made ahead, stop, and the microphone's mark."""

import threading
import time
from dataclasses import replace
from decimal import Decimal
from typing import Literal

import pytest

from agent import Context, Proposal, Receipt, Reply, hookimpl, skill
from agent.errors import EngineError
from agent.listen.attention import AttentionOptions
from agent.listen.health import HealthLog
from agent.listen.patience import Patience
from agent.listen.phrases import Spotted
from agent.listen.thread import EngineThread
from agent.loop import AgentOptions
from agent.loop.respond import SOMEONE_ELSE
from agent.loop.stream import Listening
from agent.messages import Transcript
from agent.testing import ScriptedVoiceprint, lens, make_agent
from agent.turn import kept
from hardware.base import AudioChunk
from hardware.microphone import FileMicrophone
from hardware.speaker import VirtualSpeaker
from tests.pace import PATIENCE_S
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
        self.tickets = []
        self.cancelled = threading.Event()
        self.working = threading.Event()
        self.enough = threading.Event()

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
            while not (ctx.cancel.cancelled or self.enough.is_set()):
                ctx.cancel._flag.wait(0.01)
            if ctx.cancel.cancelled:
                self.cancelled.set()
            return Reply("done")

        @skill("draw [slowly]")
        def draw(ctx: Context) -> Reply:
            """Light progress beside the answer."""
            self.calls.append("draw")
            self.tickets.append(ctx.show("a line"))
            return Reply("a house")

        self.actions = look, skip, pay, sing, work, draw

    @hookimpl
    def register_skills(self, register):
        register(*self.actions)


@pytest.fixture
def plugin():
    return Counting()


def wearer(tmp_path, plugin, text, **more):
    """An agent that hears a script, and the script's microphone."""
    script = Script(text)
    listening = {"vad": lambda mode: script, "stop": None} | more.pop("listening", {})
    ears = more.pop("ears", ReadingEars)(script)
    agent = make_agent(tmp_path, [plugin], transcriber=ears, **({"options": SHORT} | more))
    agent.listening = Listening(**listening)
    return agent, FileMicrophone(script.pcm, pace="fast", tail_ms=0)


class Until(FileMicrophone):
    """A microphone that lets work end once its sound was taken so far."""

    def __init__(self, microphone, plugin, end_ms):
        super().__init__(microphone._pcm, pace="fast", tail_ms=0)
        self._plugin, self._end_ms = plugin, end_ms

    async def chunks(self):
        async for chunk in super().chunks():
            yield chunk
            if chunk.end_ms >= self._end_ms:
                self._plugin.enough.set()


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


async def test_a_payment_is_never_planned_and_is_paid_once_after_a_yes(tmp_path, plugin):
    agent, microphone = wearer(tmp_path, plugin, f".... pay twenty {'.' * 20} yes ..........")
    plans = planned(agent)
    turns = await listen(agent, microphone)
    assert plans == [None, None]
    assert [turn.error for turn in turns] == [None, None]
    assert len(plugin.paid) == 1
    assert lens(agent).endswith("Paid")


def planned(agent):
    """Every plan that the agent makes, or does not, from now on."""
    plans, plan = [], agent._turns.plan
    agent._turns.plan = lambda said: plans.append(plan(said)) or plans[-1]
    return plans


async def test_while_a_question_is_open_nothing_is_planned(tmp_path, plugin):
    said = f".... look at birds {'.' * 20} pay twenty {'.' * 20} look at trees ...."
    agent, microphone = wearer(tmp_path, plugin, said)
    plans = planned(agent)
    await listen(agent, microphone)
    assert [plan is None for plan in plans] == [False, True, True]


async def test_a_plan_that_was_kept_is_not_called_off(tmp_path, plugin):
    """What an action keeps of its context, a player or a thread, goes on working."""
    kept_contexts = []

    @skill("hum")
    def hum(ctx: Context) -> Reply:
        """Keep the context for later."""
        kept_contexts.append(ctx)
        return Reply("hm")

    plugin.actions = (hum,)
    agent, microphone = wearer(tmp_path, plugin, ".... hum ..........", speaker=VirtualSpeaker())
    await listen(agent, microphone)
    (ctx,) = kept_contexts  # planned, kept, and not run again
    assert not ctx.cancel.cancelled
    ctx.speaker.volume = 7
    assert ctx.speaker.volume == agent.devices.speaker.volume == 7


async def test_an_action_that_reaches_for_a_device_is_run_again_in_earnest(tmp_path, plugin):
    agent, microphone = wearer(tmp_path, plugin, ".... sing ..........", speaker=VirtualSpeaker())
    (turn,) = await listen(agent, microphone)
    assert plugin.calls == ["sing", "sing"]
    assert turn.error is None
    assert turn.reply.text.startswith("at ")


async def test_nothing_is_lit_before_the_turn_has_ended(tmp_path, plugin):
    agent, microphone = wearer(tmp_path, plugin, ".... draw .... slowly ..........")
    turns = await listen(agent, microphone)
    assert [turn.reply.text for turn in kept(turns)] == ["a house"]
    assert len(plugin.calls) > len(plugin.tickets) == len(turns)
    assert all(ticket.outcome is not None for ticket in plugin.tickets)


async def test_a_yes_that_began_before_its_question_was_lit_pays_nothing(tmp_path, plugin):
    """The proposal takes long to be made; the wearer says yes to who knows what meanwhile."""
    pay = plugin.actions[2]

    @skill("pay {amount}", risk="money", permissions={"money": "to pay"})
    def slowly(amount: Decimal) -> Proposal:
        """Propose a payment, once the wearer has said yes."""
        assert plugin.enough.wait(PATIENCE_S)
        return pay(amount)

    plugin.actions = (slowly,)
    said = f".... pay twenty {'.' * 8} yes {'.' * 30}"
    options = AgentOptions(patience=Patience(per_bit_ms=60), action_timeout_s=PATIENCE_S)
    agent, microphone = wearer(tmp_path, plugin, said, options=options)
    turns = await listen(agent, Until(microphone, plugin, Script(said).end_ms("yes")))
    assert [turn.transcript.text for turn in turns] == ["pay twenty", "yes"]
    assert plugin.paid == []
    assert agent.gate.open is not None, "the question stands, and asks for a yes of its own"


async def test_a_spoken_yes_to_what_a_nod_has_paid_is_told_so(tmp_path, plugin):
    said = f".... pay twenty {'.' * 20} yes {'.' * 20}"
    agent, microphone = wearer(tmp_path, plugin, said)
    began_ms = Script(said).end_ms("yes") - 100

    class Nodding(FileMicrophone):
        """A microphone whose wearer nods while saying yes."""

        async def chunks(self):
            nod = None
            async for chunk in super().chunks():
                yield chunk
                if nod is None and chunk.end_ms >= began_ms:
                    nod = await agent.gesture("nod", rested=True)
            assert nod is not None

    turns = await listen(agent, Nodding(microphone._pcm, pace="fast", tail_ms=0))
    assert len(plugin.paid) == 1
    assert turns[-1].reply.text == "Paid"


@pytest.mark.parametrize("said", ["no tom", "no thirty"])
@pytest.mark.parametrize("sure", [True, False])
async def test_a_correction_that_was_heard_badly_proposes_no_payment(tmp_path, plugin, said, sure):
    @skill("give {amount} to {who}", risk="money", permissions={"money": "to pay"})
    def give(amount: Decimal, who: Literal["anna", "tom"]) -> Proposal:
        """Propose a payment."""
        return Proposal(f"{amount} {who}", amount=amount, payee=who, commit=plugin.paid.append)

    class Unsure(ReadingEars):
        def finish(self):
            heard = super().finish()
            return heard if sure or "no" not in heard.text else replace(heard, confidence=0.7)

    plugin.actions = (give,)
    words = f".... give twenty to anna {'.' * 20} {said} {'.' * 20}"
    agent, microphone = wearer(tmp_path, plugin, words, ears=Unsure)
    turns = await listen(agent, microphone)
    assert turns[-1].transcript.text == said
    opened = agent.gate.open
    proposed = None if opened is None else opened.proposal.text
    if sure:
        assert proposed in {"20 tom", "30 anna"}
    else:
        assert proposed in {None, "20 anna"}
    assert plugin.paid == []


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


class Half(ReadingEars):
    """An engine that understands only what is said of looking."""

    def finish(self):
        heard = super().finish()
        return heard if heard.text.startswith("look") else Transcript("", confidence=0.0)


async def test_a_cough_before_a_command_takes_no_turn_away(tmp_path, plugin):
    said = f".... look at trees {'.' * 20} hm ....... look at birds .........."
    agent, microphone = wearer(tmp_path, plugin, said, ears=Half)
    turns = await listen(agent, microphone)
    assert [turn.transcript.text for turn in kept(turns)] == ["look at trees", "look at birds"]


async def test_only_the_last_turn_is_taken_back(tmp_path, plugin):
    said = (
        f".... look at trees {'.' * 20} hello there my dear ....... look at birds"
        f" {'.' * 20} look at trees .........."
    )
    agent, microphone = wearer(tmp_path, plugin, said, ears=Half)
    turns = await listen(agent, microphone)
    assert [turn.replaces for turn in turns] == [False, False, True, False]
    assert turns[-1].reply.text == "trees 3"


async def test_what_goes_on_with_an_order_still_in_the_queue_is_one_turn(tmp_path, plugin):
    """Said while another action works: nothing was answered that it could replace."""
    hasty = AgentOptions(patience=Patience(per_bit_ms=60), action_timeout_s=PATIENCE_S)
    said = f".... work {'.' * 8} look at trees .... and birds {'.' * 30}"
    agent, microphone = wearer(tmp_path, plugin, said, options=hasty)
    end_ms = Script(said).end_ms("birds") + 700
    turns = await listen(agent, Until(microphone, plugin, end_ms))
    assert [(turn.intent.action, turn.replaces) for turn in turns] == [
        ("work", False),
        ("look", False),
    ]
    assert turns[-1].reply.text == "treesbirds 1"


async def test_an_engine_that_was_replaced_is_told_what_can_be_said(tmp_path, plugin):
    script, made = Script(f".... look at trees {'.' * 20} look at birds .........."), []
    over = threading.Event()

    class Hanging(ReadingEars):
        def finish(self):
            if len(made) == 1:
                over.wait(PATIENCE_S)
            return super().finish()

        def start(self):
            assert self.expected  # a deaf engine would hear nothing
            super().start()

    def make():
        made.append(Hanging(script))
        return made[-1]

    agent, microphone = wearer(tmp_path, plugin, ".... look at trees ....")
    agent._ears = EngineThread(make, timeout_s=1.0)
    agent.listening = Listening(vad=lambda mode: script, stop=None)
    microphone = FileMicrophone(script.pcm, pace="fast", tail_ms=0)
    failed, fine = await listen(agent, microphone)
    over.set()
    assert "no answer within" in failed.error
    assert (len(made), fine.error, fine.transcript.text) == (2, None, "look at birds")


class Healing(ReadingEars):
    """Looks whether it was told what can be said before it is to hear it."""

    def start(self):
        assert self.expected  # a deaf engine would hear nothing
        super().start()


def hearing_through(tmp_path, plugin, said, make, **options):
    script = Script(said)
    agent, _ = wearer(tmp_path, plugin, said, options=AgentOptions(patience=PATIENCE, **options))
    limits = agent.options.engine_timeout_s, agent.options.engine_load_timeout_s
    agent._ears = EngineThread(lambda: make(script), *limits, retry_s=0.0)
    agent.listening = Listening(vad=lambda mode: script, stop=None)
    return agent, FileMicrophone(script.pcm, pace="fast", tail_ms=0)


TWICE = f".... look at trees {'.' * 20} look at birds .........."


async def test_an_engine_that_loads_slowly_hears_what_was_said_meanwhile(
    tmp_path, plugin, monkeypatch
):
    monkeypatch.setattr("agent.listen.thread.TOLD_S", 0.05)
    shown = []

    def slow(script):
        time.sleep(0.5)
        shown.append(lens(agent))
        return Healing(script)

    agent, microphone = hearing_through(
        tmp_path, plugin, ".... look at trees ..........", slow, engine_timeout_s=0.3
    )
    (turn,) = await listen(agent, microphone)
    assert (turn.error, turn.reply.text) == (None, "trees 1")
    assert "still loading" in shown[0]


@pytest.mark.parametrize("failing", ["expect", "languages", "load", "start", "feed", "finish"])
async def test_an_engine_that_fails_makes_a_turn_and_is_replaced(tmp_path, plugin, failing):
    made = []

    class Failing(Healing):
        def expect(self, sayings):
            if failing == "expect":
                raise OSError("broken")
            super().expect(sayings)

        def __getattribute__(self, name):
            if name == failing == "languages":
                raise OSError("broken")
            return super().__getattribute__(name)

    def make(script):
        made.append(failing)
        # It is asked for its languages, told what can be said, and told again with the first words.
        broken = len(made) <= (3 if failing == "load" else 2)
        if broken and failing == "load":
            raise OSError("no memory")
        return (Failing if broken else Healing)(script, fails=[failing] if len(made) == 1 else ())

    agent, microphone = hearing_through(tmp_path, plugin, TWICE, make)
    turns = await listen(agent, microphone)
    assert turns[-1].transcript.text == "look at birds"
    failed = [turn for turn in turns if turn.error]
    assert len(failed) == (failing != "languages")  # of which nothing is heard
    for turn in failed:
        assert "say it again" in turn.error or "cannot" in turn.error


async def test_a_missing_engine_ends_listening_at_once(tmp_path, plugin):
    def none(script):
        raise EngineError("pocketsphinx is not installed: pip install pocketsphinx")

    agent, microphone = hearing_through(tmp_path, plugin, TWICE, none)
    with pytest.raises(EngineError, match="pip install"):
        await listen(agent, microphone)


# -- stop -------------------------------------------------------------------------------------


async def test_stop_ends_an_action_that_takes_long(tmp_path, plugin):
    agent, microphone = wearer(tmp_path, plugin, f".... work {'.' * 10} stop ..........")
    (turn,) = await listen(agent, microphone)
    assert plugin.cancelled.wait(PATIENCE_S)
    assert turn.reply.text == "Stopped."
    assert lens(agent) == "Stopped."


async def test_what_is_said_meanwhile_waits_for_its_turn(tmp_path, plugin):
    slow = AgentOptions(patience=PATIENCE, action_timeout_s=PATIENCE_S)
    said = f".... work {'.' * 5} look at trees {'.' * 20}"
    agent, microphone = wearer(tmp_path, plugin, said, options=slow)
    end_ms = Script(said).end_ms("trees") + 600
    turns = await listen(agent, Until(microphone, plugin, end_ms))
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
    kinds = []
    listening = {"stop": lambda playing: kinds.append(playing) or stopper}
    agent, microphone = wearer(tmp_path, plugin, text, speaker=speaker, listening=listening)
    speaker.play(tmp_path)
    turns = await listen(agent, microphone)
    assert speaker.playing is None
    stopped = [turn for turn in turns if turn.transcript.text == "停止"]
    assert [turn.reply.text for turn in stopped] == ["已停止。"]
    assert stopped[0].timings.speech_end == 1.0  # as spotted
    assert kinds == [True]
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
    marks = []

    class Watched(FileMicrophone):
        async def chunks(self):
            async for chunk in super().chunks():
                yield chunk
                marks.append(agent.devices.display.listening)

    assert await listen(agent, Watched(microphone._pcm, pace="fast", tail_ms=0)) == []
    assert set(marks) == {False}


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
    )
    agent.listening = Listening(vad=lambda mode: script, stop=None, allowed=may)
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
    """Every chunk of the pause is taken while it works, which ends only by what comes after."""
    agent, microphone = wearer(tmp_path, plugin, f".... work {'.' * 10} stop ....")
    agent.options = replace(agent.options, action_timeout_s=PATIENCE_S)
    taken = []

    class Watched(FileMicrophone):
        async def chunks(self):
            async for chunk in super().chunks():
                if plugin.working.is_set() and not plugin.cancelled.is_set():
                    taken.append(chunk.end_ms)
                yield chunk

    (turn,) = await listen(agent, Watched(microphone._pcm, pace="fast", tail_ms=0))
    assert turn.reply.text == "Stopped."
    assert taken == [taken[0] + 20.0 * n for n in range(len(taken))]
    assert len(taken) >= 20, "less than the last 200 ms of the pause and the word"


# -- who speaks -----------------------------------------------------------------------------------

PAYS = f".... pay twenty {'.' * 20} yes .........."


def speaks(tmp_path, plugin, text, *told, **more):
    """An agent whose wearer is enrolled, and how probably it is the wearer who says each thing."""
    knows = {"voice": lambda: ScriptedVoiceprint(told)}
    return wearer(tmp_path, plugin, text, listening=knows | more.pop("listening", {}), **more)


@pytest.mark.parametrize("told", [0.0, 0.5, 0.7, None, float("nan"), 2.0])
async def test_another_voice_proposes_no_payment(tmp_path, plugin, told):
    agent, microphone = speaks(tmp_path, plugin, ".... pay twenty ..........", told)
    (turn,) = await listen(agent, microphone)
    assert plugin.calls == []
    assert agent.gate.open is None
    assert turn.intent.reason == SOMEONE_ELSE
    assert lens(agent) == "That did not sound like you.\nSay it again, or type it."


async def test_the_wearer_proposes_and_agrees(tmp_path, plugin):
    agent, microphone = speaks(tmp_path, plugin, PAYS, 0.9, 0.6)
    proposed, paid = await listen(agent, microphone)
    assert (proposed.transcript.wearer, paid.transcript.wearer) == (0.9, 0.6)
    assert len(plugin.paid) == 1


async def test_another_voice_agrees_to_nothing_and_the_question_stays(tmp_path, plugin):
    said = f"{PAYS} {'.' * 10} yes {'.' * 20} yes .........."
    agent, microphone = speaks(tmp_path, plugin, said, 0.9, 0.1, None, 0.9)
    _, strange, short, own = await listen(agent, microphone)
    assert strange.intent.reason == short.intent.reason == SOMEONE_ELSE
    for refused in (strange, short):
        assert isinstance(refused.reply, Proposal)
        assert refused.reply.amount == 20
        assert refused.reply.text.count("did not sound like you") == 1
    assert own.reply.text == "Paid"
    assert len(plugin.paid) == 1


async def test_a_sentence_of_two_people_is_nobodys(tmp_path, plugin):
    """The wearer says the first half, and somebody else "now"."""
    said = f".... pay twenty {'.' * 6} now .........."
    agent, microphone = speaks(tmp_path, plugin, said, 0.1, 0.9)
    turns = await listen(agent, microphone)
    assert turns[-1].transcript.text == "pay twenty now"
    assert turns[-1].transcript.wearer == 0.1
    assert agent.gate.open is None


async def test_another_voice_may_say_everything_else(tmp_path, plugin):
    agent, microphone = speaks(tmp_path, plugin, ".... skip ..........", 0.0)
    await listen(agent, microphone)
    assert plugin.calls == ["skip"]


@pytest.mark.parametrize("name", ["counting", "counting.look"])
@pytest.mark.parametrize("told", [0.1, 0.9])
async def test_what_is_private_wants_the_wearer(tmp_path, plugin, name, told):
    options = replace(SHORT, private=frozenset({name}))
    said = ".... look at trees .........."
    agent, microphone = speaks(tmp_path, plugin, said, told, options=options)
    (turn,) = await listen(agent, microphone)
    assert (turn.reply.text == "trees 1") == (told == 0.9)


async def test_typed_lines_and_nods_are_not_speech(tmp_path, plugin):
    agent, _ = speaks(tmp_path, plugin, "....", 0.0)
    assert isinstance((await agent.hear("pay twenty")).reply, Proposal)
    await agent.gesture("nod", rested=True)
    assert len(plugin.paid) == 1
    await agent.close()


@pytest.mark.parametrize("fault", [EngineError("damaged"), RuntimeError("broke")])
async def test_a_voice_that_cannot_be_known_opens_nothing(tmp_path, plugin, fault):
    def broken():
        raise fault

    agent, microphone = speaks(tmp_path, plugin, PAYS, listening={"voice": broken})
    turns = await listen(agent, microphone)
    assert plugin.calls == []
    assert turns[0].transcript.wearer == 0.5


async def test_without_an_enrolled_voice_everybody_is_heard(tmp_path, plugin):
    agent, microphone = wearer(tmp_path, plugin, PAYS)
    turns = await listen(agent, microphone)
    assert [turn.transcript.wearer for turn in turns] == [None, None]
    assert len(plugin.paid) == 1
