"""Who goes first, and which model answers: seen from the whole agent."""

import asyncio
import threading
import time

import skills.music as skill_music
import skills.time as skill_time
from agent.act import chat
from agent.body.power import STEPS
from agent.errors import Cancelled
from agent.listen.hearing import Heard
from agent.messages import Transcript
from agent.models import store
from agent.models.llm.model import Message, ScriptedModel
from agent.testing import make_agent
from agent.turn import Utterance


class Endless(ScriptedModel):
    """Goes on talking until it is called off, and says how soon that was."""

    name = "endless"

    def __init__(self):
        super().__init__()
        self.begun = threading.Event()
        self.pieces = 0
        self.ended_s = 0.0

    def stream(self, prompt, *, max_tokens=128, timeout_s=8.0, cancel=None):
        scope = cancel.within(timeout_s)
        self.prompts.append(str(prompt))
        try:
            for self.pieces in range(90):
                scope.check(self.name)
                yield f"word{self.pieces} "
                self.begun.set()
                time.sleep(0.01)
        except Cancelled:
            raise
        finally:
            self.ended_s = time.perf_counter()


def spoken(agent, text):
    heard = Heard(Transcript(text, "en"), 0.0, 500.0, 900.0, sound=())
    utterance = Utterance(lambda: 0.0, None, None, True, lambda: None)
    return agent._turns.heard(heard, "microphone", utterance, None, lambda: False)


async def test_a_long_answer_gives_way_to_who_speaks_within_a_token(tmp_path):
    model = Endless()
    agent = make_agent(tmp_path, [skill_time, skill_music], model=model)
    answering = asyncio.create_task(agent.hear("who wrote hamlet"))
    await asyncio.to_thread(model.begun.wait, 5)
    began_s = time.perf_counter()
    turn = await spoken(agent, "what time is it")
    assert turn.intent.name == "time.clock"
    assert model.ended_s - began_s < 0.25, "a token takes 10 ms"
    cut = await answering
    assert cut.reply.text.startswith("word0")
    assert cut.error is None
    assert model.pieces < 80


async def test_what_gave_way_goes_on_with_more(tmp_path):
    model = Endless()
    agent = make_agent(tmp_path, [skill_time, skill_music], model=model)
    answering = asyncio.create_task(agent.hear("who wrote hamlet"))
    await asyncio.to_thread(model.begun.wait, 5)
    agent._turns._responder.give_way()
    await answering
    assert agent.world.talk.unfinished(asyncio.get_running_loop().time()) is not None


async def test_before_its_first_word_it_says_that_it_gave_way(tmp_path):
    class Mute(Endless):
        def stream(self, prompt, *, max_tokens=128, timeout_s=8.0, cancel=None):
            self.begun.set()
            while True:
                cancel.check(self.name)
                time.sleep(0.005)
                if self.pieces:
                    yield ""

    model = Mute()
    agent = make_agent(tmp_path, [skill_time, skill_music], model=model)
    answering = asyncio.create_task(agent.hear("who wrote hamlet"))
    await asyncio.to_thread(model.begun.wait, 5)
    await spoken(agent, "what time is it")
    assert (await answering).reply.text == "I left that open. Say “more”, or ask again."


async def test_a_noise_does_not_end_an_answer(tmp_path):
    model = Endless()
    agent = make_agent(tmp_path, [skill_time, skill_music], model=model)
    answering = asyncio.create_task(agent.hear("who wrote hamlet"))
    await asyncio.to_thread(model.begun.wait, 5)
    await spoken(agent, "")
    assert (await answering).reply.text.endswith("word89")


async def test_an_answer_waits_while_somebody_speaks():
    model = Endless()
    answer = chat.Answer(model, (Message("user", "x"),), "x")
    await asyncio.to_thread(model.begun.wait, 5)
    answer.hold(True)
    await asyncio.sleep(0.05)
    still = model.pieces
    await asyncio.sleep(0.2)
    assert model.pieces <= still + 1
    answer.hold(False)
    await asyncio.sleep(0.1)
    assert model.pieces > still + 1
    answer.drop()


# -- the ladder -----------------------------------------------------------------------------------


class Sized(ScriptedModel):
    """A model that takes memory, and lets go of it."""

    memory_mb = 1000.0

    def __init__(self, name):
        super().__init__()
        self.name = name
        self.unloaded = 0

    def unload(self):
        self.unloaded += 1


def laddered(tmp_path):
    large, small = Sized("large"), Sized("small")
    agent = make_agent(tmp_path, [skill_time, skill_music], model=large)
    agent._small = small
    agent.model = large
    return agent, large, small


async def test_each_step_of_the_power_has_its_model(tmp_path):
    agent, large, small = laddered(tmp_path)
    names = []
    for step in STEPS:
        agent.world.step = step
        await agent._spare(step)
        names.append((agent.world.model.name, agent.world.rung))
    assert names == [
        ("large", "large"), ("large", "large"), ("small", "small"), ("none", "pocket"), ("none", "templates"),
    ]  # fmt: skip
    assert large.unloaded >= 1
    assert small.unloaded >= 1


async def test_with_the_last_of_the_power_sentences_alone_are_understood(tmp_path):
    agent, _, _ = laddered(tmp_path)
    assert agent.route("could you kill the music")[1].stage == "semantic"
    agent.world.step = STEPS[-1]
    await agent._spare(STEPS[-1])
    assert agent.route("could you kill the music")[1].reason
    assert agent.route("what time is it")[1].name == "time.clock"


async def test_short_memory_is_seen_between_turns(tmp_path, monkeypatch):
    agent, large, _ = laddered(tmp_path)
    free = [100 * 2**20]
    monkeypatch.setattr(store, "available_memory", lambda: free[0])
    agent._mind.options = type(agent._mind.options)(down_ms=0)
    for _ in range(2):
        await agent.hear("what time is it")
    assert agent.world.model.name == "small"
    assert large.unloaded == 1


def test_the_available_memory_is_less_than_all():
    assert 0 < store.available_memory() <= store.machine_memory()
