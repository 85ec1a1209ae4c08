"""Who takes what is said: one skill, in place of commands, until it is told or stopped."""

import asyncio

import pytest

from agent import Context, Reply, hookimpl, skill
from agent.errors import EngineError
from agent.listen.hearing import Heard
from agent.messages import Transcript
from agent.skill.context import Listener
from agent.testing import make_agent, voiced
from agent.testing.clock import VirtualClock
from agent.testing.doubles import ScriptedTranscriber
from agent.turn import Utterance
from hardware.microphone import FileMicrophone
from tests.pace import PATIENCE_S


class Takes(Listener):
    """A listener that notes."""

    def __init__(self, kept=False, stoppable=True, beside=False):
        self.kept, self.stoppable, self.beside = kept, stoppable, beside
        self.said, self.bytes, self.ended = [], 0, 0

    def samples(self, pcm):
        self.bytes += len(pcm)

    def heard(self, ctx, said, continues):
        self.said.append(said.text)

    def over(self):
        self.ended += 1


class Dictation:
    """A skill that takes the floor."""

    __name__ = "dictation"

    def __init__(self):
        self.takes = Takes()

    @skill("take this down", risk="change", permissions={"listen": "to test"})
    def begin(self, ctx: Context) -> Reply:
        """Take the floor."""
        ctx.listen(self.takes)
        return Reply("Go on.")

    @skill("that is all", risk="change", permissions={"listen": "to test"})
    def end(self, ctx: Context) -> Reply:
        """Leave it."""
        ctx.listen(None)
        return Reply("Written down.")

    @skill("take it secretly")
    def secretly(self, ctx: Context) -> Reply:
        """Ask without a permission."""
        ctx.listen(self.takes)
        return Reply("no")

    @hookimpl
    def register_skills(self, register):
        register(self)


class Doors:
    """Another skill."""

    __name__ = "doors"

    @skill("open the door")
    def open(self) -> Reply:
        """Be a command."""
        return Reply("Open.")

    @hookimpl
    def register_skills(self, register):
        register(self)


@pytest.fixture
def clock():
    with_time = VirtualClock(PATIENCE_S)
    yield with_time
    with_time.close()


@pytest.fixture
def dictation():
    return Dictation()


def listened(tmp_path, clock, plugin, texts):
    """Say each text in an utterance of its own; return the agent and the transcripts of its turns."""
    agent = make_agent(tmp_path, [plugin, Doors()], texts=texts)
    pcm = bytes(32_000) + b"".join(voiced(0.8) + bytes(64_000) for _ in texts)

    async def work():
        microphone = FileMicrophone(pcm, tail_ms=0, clock=clock.time)
        turns = [turn.transcript.text async for turn in agent.listen(microphone)]
        await asyncio.sleep(0)
        return turns

    return agent, clock.run(work())


def test_what_is_said_is_taken_and_no_command(tmp_path, clock, dictation):
    texts = ["take this down", "open the door", "dear anna", "that is all", "open the door"]
    agent, turns = listened(tmp_path, clock, dictation, texts)
    assert turns == ["take this down", "that is all", "open the door"]
    assert dictation.takes.said == ["open the door", "dear anna"]
    assert dictation.takes.bytes > 0
    assert dictation.takes.ended == 1
    assert agent.world.floor.held is None


@pytest.mark.parametrize(("stoppable", "ended"), [(True, 1), (False, 0)])
def test_stop_always_works_and_ends_it_where_it_may(tmp_path, clock, dictation, stoppable, ended):
    dictation.takes = Takes(stoppable=stoppable)
    was = []
    over = dictation.takes.over
    dictation.takes.over = lambda: (was.append(len(dictation.takes.said)), over())
    texts = ["take this down", "stop", "dear anna"]
    agent, turns = listened(tmp_path, clock, dictation, texts)
    assert turns[:2] == ["take this down", "stop"]
    assert len(turns) == 2 + ended  # what follows is no longer taken, or is
    assert dictation.takes.ended == ended
    clock.run(agent.close())
    assert dictation.takes.ended == 1  # at the latest with the agent
    assert was == [1 - ended]


def test_the_lens_shows_that_it_is_kept_and_for_how_long(tmp_path, clock, dictation):
    dictation.takes = Takes(kept=True)
    agent = make_agent(tmp_path, [dictation])

    async def work():
        await agent.hear("take this down")
        await asyncio.sleep(0.01)
        assert agent.devices.display.frames[-1].recording
        await agent.hear("clear the screen")
        await asyncio.sleep(0.01)
        assert agent.devices.display.frames[-1].recording
        await agent.hear("that is all")
        await asyncio.sleep(0.5)
        assert not agent.devices.display.frames[-1].recording

    clock.run(work())


def test_what_goes_on_takes_the_place_of_what_was_handed_over_before(tmp_path, clock, dictation):
    agent = make_agent(tmp_path, [dictation, Doors()])
    said = []
    dictation.takes.heard = lambda ctx, heard, continues: said.append((heard.text, continues))

    async def aloud(text):
        heard = Heard(Transcript(text), 0, 900, 900, sound=(), continues=True)
        await agent._turns.heard(heard, "test", Utterance(lambda: 0.0), None, lambda: False)

    async def work():
        await agent.hear("take this down")
        await aloud("dear")  # what it goes on from was no line
        await aloud("dear anna")
        await agent.hear("open the door")
        await aloud("and paul")

    clock.run(work())
    assert said == [("dear", False), ("dear anna", True), ("and paul", False)]


def test_the_floor_is_not_taken_ahead_of_the_turn(tmp_path, clock):
    class Eager:
        __name__ = "eager"

        @skill("listen to me", permissions={"listen": "to test"})
        def begin(self, ctx: Context) -> Reply:
            """Take the floor, though it claims to have no effect."""
            ctx.listen(Takes())
            return Reply("Go on.")

        @hookimpl
        def register_skills(self, register):
            register(self)

    agent = make_agent(tmp_path, [Eager()])

    async def work():
        plan = agent._turns.plan(Transcript("listen to me"))
        await asyncio.wait({plan.running})
        ahead = agent.world.floor.held
        await agent.hear("listen to me")
        return ahead, agent.world.floor.held

    ahead, then = clock.run(work())
    assert ahead is None
    assert then is not None


def test_without_the_permission_nothing_is_taken(tmp_path, clock, dictation):
    agent = make_agent(tmp_path, [dictation])
    turn = clock.run(agent.hear("take it secretly"))
    assert "never declared it" in turn.error
    assert agent.world.floor.held is None


def test_a_listener_that_fails_loses_the_floor_and_the_loop_goes_on(tmp_path, clock, dictation):
    def broken(pcm):
        raise RuntimeError("no")

    dictation.takes.samples = broken
    agent, turns = listened(tmp_path, clock, dictation, ["take this down", "open the door"])
    assert turns == ["take this down", "open the door"]
    assert agent.world.floor.held is None


def test_a_skill_that_is_gone_has_no_floor(tmp_path, clock, dictation):
    agent = make_agent(tmp_path, [dictation])
    clock.run(agent.hear("take this down"))
    assert agent.world.floor.held is not None
    agent.skills.unload("dictation")
    clock.run(agent.hear("help"))
    assert agent.world.floor.held is None


class Sound(Listener):
    """A listener that wants no words."""


@pytest.mark.parametrize(("takes", "told"), [(Sound, 0), (Takes, 1)])
def test_ears_that_fail_are_told_of_only_where_the_skill_needs_them(
    tmp_path, clock, dictation, takes, told
):
    class Failing(ScriptedTranscriber):
        def finish(self):
            if len(self.texts) == 1:
                self.texts.clear()
                raise EngineError("the ears gave up: say it again")
            return super().finish()

    dictation.takes = takes()
    agent = make_agent(tmp_path, [dictation], transcriber=Failing(["take this down", "dear anna"]))
    pcm = bytes(32_000) + (voiced(0.8) + bytes(64_000)) * 2

    async def work():
        microphone = FileMicrophone(pcm, tail_ms=0, clock=clock.time)
        return [turn.error async for turn in agent.listen(microphone)]

    errors = [error for error in clock.run(work()) if error]
    assert len(errors) == told
