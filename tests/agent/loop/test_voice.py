"""A voice that answers: what is said, when it is silent, and that it never speaks to itself."""

import asyncio
import logging
import shutil
from dataclasses import replace
from decimal import Decimal

import pytest

from agent import Proposal, Reply, hookimpl, skill
from agent.act.mouth import ECHO_S, LOUD, LOUDLY_DB, QUIET, SOFTLY_DB, louder, loudness_db
from agent.act.world import AgentOptions
from agent.errors import EngineError
from agent.listen.own import OwnVoice
from agent.listen.phrases import Spotted
from agent.loop.stream import plainly
from agent.messages import Receipt
from agent.skill.later import Entry, Fired
from agent.testing import make_agent, voiced
from agent.testing.clock import VirtualClock
from hardware.base import DeviceError, DualChunk
from hardware.microphone import FileMicrophone
from hardware.speaker import VirtualSpeaker
from hardware.voice import NoVoice, VirtualVoice
from tests.pace import PATIENCE_S


class Shop:
    """A plugin that answers, and one that pays."""

    @skill("tell me the time")
    def time() -> Reply:
        """Tell a time."""
        return Reply("It is 18:30.\nThe *bus* costs ¥20.")

    @skill("say something short")
    def short() -> Reply:
        """Say its speech."""
        return Reply("1 2 3", speech="One to three.")

    @skill("show a row of stars")
    def stars() -> Reply:
        """Show symbols."""
        return Reply("★★★☆☆")

    @skill("speak russian")
    def russian() -> Reply:
        """Show what no voice says."""
        return Reply("Привет")

    @skill("read me everything")
    def everything() -> Reply:
        """Answer at length."""
        return Reply("All is well here. " * 6000)

    @skill("pay my rent", risk="money", permissions={"money": "to pay"})
    def pay() -> Proposal:
        """Propose."""
        return Proposal(
            "Pay $7.00 to Anna?",
            amount=Decimal("7.00"),
            payee="Anna",
            commit=lambda key: Receipt("Paid $7.00 to Anna."),
        )

    @hookimpl
    def register_skills(self, register):
        """Register them."""
        for name in ("time", "short", "stars", "russian", "everything", "pay"):
            register(getattr(Shop, name))


@pytest.fixture
def clock():
    with_time = VirtualClock(PATIENCE_S)
    yield with_time
    with_time.close()


@pytest.fixture
def make(tmp_path, clock):
    """Return a function that makes an agent with a virtual voice."""

    def build(mode="on", aloud=frozenset(), voice=None, speaker=None, texts=()):
        speaker = speaker or VirtualSpeaker(clock=clock.time)
        agent = make_agent(
            tmp_path,
            [Shop()],
            speaker=speaker,
            texts=texts,
            options=AgentOptions(voice=mode, aloud=aloud),
        )
        agent.devices = replace(agent.devices, voice=voice or VirtualVoice())
        return agent

    return build


def heard(agent, clock, *lines, after_s=30.0):
    """Type lines, wait until all is said, and return what was."""

    async def work():
        for line in lines:
            await agent.hear(line)
            await asyncio.sleep(after_s)

    clock.run(work())
    return [text for text, _ in agent.devices.voice.said]


# -- what is said -----------------------------------------------------------------------------------


def test_an_answer_is_said_sentence_by_sentence_as_people_say_it(make, clock):
    agent = make()
    said = heard(agent, clock, "tell me the time")
    assert said == ["It is six thirty in the evening.", "The bus costs twenty yuan."]
    assert len(agent.devices.speaker.played) == 2
    assert agent.devices.speaker.playing is None
    assert not list(agent.world.folder.rglob("said-*"))  # nothing of it is left on the disk


def test_speech_is_said_in_the_place_of_the_text(make, clock):
    assert heard(make(), clock, "say something short") == ["One to three."]


def test_off_says_nothing(make, clock):
    assert heard(make("off"), clock, "tell me the time") == []


def test_away_speaks_only_while_the_lens_is_away(make, clock):
    agent = make("away")
    assert heard(agent, clock, "say something short") == []
    display = agent.devices.display

    class Gone(type(display)):
        def show(self, frame):
            raise DeviceError("the lens is away: put it on")

    agent.devices = replace(agent.devices, display=Gone(display.profile))
    assert heard(agent, clock, "say something short") == ["One to three."]
    agent.devices = replace(agent.devices, display=display)
    assert heard(agent, clock, "say something short") == ["One to three."]


@pytest.mark.parametrize(
    ("on", "off", "lines"),
    [
        ("speak your answers", "be quiet", ("I will speak my answers.", "I will be quiet.")),
        ("speak your answers please", "stop talking", ("I will speak my answers.", "")),
        ("请说出来", "别说了", ("我会把回答说出来。", "我不再出声了。")),
        ("说给我听", "请别说了", ("我会把回答说出来。", "")),
    ],
)
def test_a_word_turns_the_voice_on_and_another_off(make, clock, on, off, lines):
    agent = make("off")
    assert heard(agent, clock, on) == [lines[0]]
    assert agent.world.mouth.mode == "on"
    heard(agent, clock, off, after_s=3)
    assert agent.world.mouth.mode == "off"
    if lines[1]:
        assert agent.devices.display.text.strip() == lines[1]
    assert heard(agent, clock, "say something short") == [lines[0]]


def test_without_a_voice_the_word_says_what_is_missing(make, clock):
    agent = make("off", voice=NoVoice())

    async def work():
        return await agent.hear("speak your answers")

    assert "install espeak-ng" in clock.run(work()).reply.text
    assert agent.world.mouth.mode == "off"


def test_amounts_and_payees_are_said_only_where_that_is_wished(make, clock):
    said = heard(make(), clock, "pay my rent", "yes", after_s=5)
    assert said == ["There is a payment on the lens.", "Yes or no?", "It is on the lens."]


def test_where_it_is_wished_they_are(make, clock):
    said = heard(make(aloud=frozenset({"money"})), clock, "pay my rent", "yes", after_s=5)
    assert said == ["Pay seven dollars to Anna?", "Paid seven dollars to Anna."]


def test_what_no_voice_can_say_is_on_the_lens(make, clock):
    agent = make()
    assert heard(agent, clock, "show a row of stars") == []
    assert heard(agent, clock, "speak russian") == ["It is on the lens."]


def test_of_a_long_answer_the_rest_is_on_the_lens(make, clock):
    said = heard(make(), clock, "read me everything", after_s=400)
    assert 50 < len(said) < 100
    assert said[-1] == "The rest is on the lens."


def test_it_is_said_again_when_asked(make, clock):
    assert heard(make(), clock, "say something short", "repeat that") == ["One to three."] * 2


def test_text_that_grows_is_said_as_it_comes(make, clock):
    agent = make()
    mouth = agent.world.mouth

    async def work():
        for text in ("One", "One is 1.5", "One is 1.5. Two", "One is 1.5. Two is not. Th"):
            mouth.say(text, "en", more=True)
            await asyncio.sleep(1.0)
        before = list(agent.devices.voice.said)
        mouth.say("One is 1.5. Two is not. Three.", "en")
        await asyncio.sleep(20)
        return before

    before = clock.run(work())
    assert [text for text, _ in before] == ["One is one point five.", "Two is not."]
    assert [text for text, _ in agent.devices.voice.said][2:] == ["Three."]


# -- when it is silent ------------------------------------------------------------------------------


def test_stop_ends_it_and_another_answer_takes_its_place(make, clock):
    agent = make()

    async def work():
        await agent.hear("tell me the time")
        await asyncio.sleep(0.2)
        assert agent.world.mouth.speaking
        await agent.hear("stop")
        assert agent.devices.speaker.playing is None
        await asyncio.sleep(ECHO_S + 0.1)
        assert not agent.world.mouth.speaking
        await agent.hear("tell me the time")
        await asyncio.sleep(0.2)
        await agent.hear("say something short")
        await asyncio.sleep(30)

    clock.run(work())
    said = [text for text, _ in agent.devices.voice.said]
    assert said[-1] == "One to three."
    assert "Stopped." not in said


def test_music_goes_on_after_it(make, clock, tmp_path):
    from skills.music.library import tracks

    agent, tune = make(), tracks()[0].path
    speaker = agent.devices.speaker

    async def work():
        speaker.play(tune)
        await asyncio.sleep(3)
        await agent.hear("say something short")
        await asyncio.sleep(0.3)
        assert speaker.playing != tune
        await asyncio.sleep(2)
        assert speaker.playing == tune
        return speaker.position_s

    assert 3 <= clock.run(work()) < 5


def test_no_answer_is_said_while_an_alarm_rings(make, clock):
    agent = make()
    due = Fired(Entry("timer", "tea", held_s=0.0), 0, clock.now())

    async def ring():
        agent.world.bell.ring([due])
        await asyncio.sleep(3)

    clock.run(ring())
    assert heard(agent, clock, "say something short", after_s=3) == ["tea: time is up"]


class Vanishing(VirtualSpeaker):
    """A speaker that is unplugged after its first sentence."""

    def play(self, path, at_s=0.0):
        """Play once."""
        if self.played:
            raise DeviceError("the headphones are gone: plug them in")
        super().play(path, at_s)


@pytest.mark.parametrize("fails", ["speaker", "voice", "bug"])
def test_what_fails_while_it_speaks_is_one_line_and_the_lens_goes_on(make, clock, caplog, fails):
    def refuses(text, language):
        raise DeviceError("espeak-ng failed (1)") if fails == "voice" else KeyError("secret words")

    speaker = Vanishing(clock=clock.time) if fails == "speaker" else None
    voice = VirtualVoice(None if fails == "speaker" else refuses)
    agent = make(speaker=speaker, voice=voice)
    with caplog.at_level(logging.WARNING):
        heard(agent, clock, "tell me the time", after_s=5)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert lines[0].startswith("the answer is only shown: ")
    assert "secret" not in lines[0]
    assert "18:30" in agent.devices.display.text
    assert agent.devices.speaker.playing is None


# -- what the microphone hears meanwhile --------------------------------------------------------------


class Never:
    """Spots nothing."""

    def feed(self, pcm):
        """Nothing."""

    def reset(self, start_ms=0.0):
        """Nothing."""


class Once(Never):
    """Spots "stop" at its 30th chunk."""

    def __init__(self, score):
        self.left, self.score = 30, score

    def feed(self, pcm):
        """Count down."""
        self.left -= 1
        return Spotted("stop", 0.0, 100.0, self.score) if self.left == 0 else None


def listened(agent, clock, microphone, say_s=0.3, over=None):
    """Say a long answer while a microphone is open; return the turns and when it was silent."""
    agent.listening = replace(agent.listening, over=over or Never)
    turns, silent_s = [], []

    async def listen():
        async for turn in agent.listen(microphone):
            turns.append(turn)

    async def work():
        task = asyncio.create_task(listen())
        await asyncio.sleep(say_s)
        agent.world.mouth.say("It goes on and on and on and on and on and on and on.", "en")
        while not task.done():
            await asyncio.sleep(0.02)
            if not agent.devices.speaker.playing and agent.devices.speaker.played:
                silent_s.append(clock.time())
        await task

    began_s = clock.time()
    clock.run(work())
    return turns, (min(silent_s) - began_s if silent_s else None)


@pytest.mark.parametrize("speaks", [True, False])
def test_what_is_heard_while_it_speaks_opens_no_turn(make, clock, speaks):
    agent = make("on" if speaks else "off", texts=["tell me the time"])
    pcm = bytes(32_000) + voiced(1.0) + bytes(96_000)
    turns, _ = listened(agent, clock, FileMicrophone(pcm, tail_ms=0, clock=clock.time))
    assert len(turns) == (0 if speaks else 1)


def test_nothing_that_is_heard_while_it_speaks_pays(make, clock):
    agent = make(texts=["yes", "yes"])
    pcm = bytes(24_000) + voiced(0.6) + bytes(9600) + voiced(0.6) + bytes(64_000)
    clock.run(agent.hear("pay my rent"))
    key = agent.gate.open.key
    turns, _ = listened(agent, clock, FileMicrophone(pcm, tail_ms=0, clock=clock.time))
    assert turns == []
    assert agent.gate.open.key == key


@pytest.mark.parametrize(("score", "turns"), [(30.0, 1), (1.0, 0)])
def test_stop_is_heard_over_it_and_ends_it(make, clock, score, turns):
    agent = make()
    found, silent_s = listened(
        agent, clock, FileMicrophone(bytes(96_000), tail_ms=0, clock=clock.time),
        over=lambda: Once(score),
    )  # fmt: skip
    assert len(found) == turns
    assert silent_s < 1.2


def test_without_what_spots_stop_it_still_speaks(make, clock):
    def missing():
        raise EngineError("no pocketsphinx")

    agent = make()
    pcm = FileMicrophone(bytes(96_000), tail_ms=0, clock=clock.time)
    turns, silent_s = listened(agent, clock, pcm, over=missing)
    assert turns == []
    assert silent_s > 2


class Bone:
    """A microphone through bone and air; the wearer's speech is on both."""

    name = "bone"

    def __init__(self, bone, air, clock):
        self._inner = FileMicrophone(bone, tail_ms=0, clock=clock.time)
        self._air = air

    async def chunks(self):
        """Yield both."""
        at = 0
        async for chunk in self._inner.chunks():
            yield DualChunk(chunk.pcm, chunk.start_ms, self._air[at : at + len(chunk.pcm)])
            at += len(chunk.pcm)

    def now_ms(self):
        """The time."""
        return self._inner.now_ms()


@pytest.mark.parametrize("wearer", [True, False])
def test_the_wearer_through_the_bone_ends_it_and_is_heard(make, clock, wearer):
    agent = make(texts=["tell me the time"])
    air = bytes(32_000) + voiced(1.0) + bytes(96_000)
    bone = air if wearer else bytes(len(air))
    turns, silent_s = listened(agent, clock, Bone(bone, air, clock))
    assert len(turns) == wearer
    assert (silent_s < 1.3) == wearer


def test_it_waits_while_somebody_speaks(make, clock):
    agent = make(texts=["nothing of that kind"])
    pcm = voiced(1.5) + bytes(96_000)
    mouth = agent.world.mouth
    began = []

    async def listen():
        async for _ in agent.listen(FileMicrophone(pcm, tail_ms=0, clock=clock.time)):
            pass

    async def work():
        task = asyncio.create_task(listen())
        await asyncio.sleep(0.5)
        mouth.say("Hello there.", "en")
        await asyncio.sleep(0.8)
        began.append(mouth.speaking)
        await task

    clock.run(work())
    assert began == [False]


def test_sound_is_plainly_the_wearers_as_loud_through_the_bone_as_through_the_air():
    loud, soft = voiced(0.02), bytes(640)
    assert plainly(loud, loud)
    assert not plainly(soft, loud)
    assert not plainly(soft, soft)


def test_the_agents_own_voice_is_taken_out_and_what_is_louder_left_in():
    import numpy as np

    rng = np.random.default_rng(1)

    def noise(level):
        return rng.normal(0, level, 320).round().astype("<i2").tobytes()

    own = OwnVoice()
    alone = [own.without(noise(300), noise(3000)) for _ in range(100)]
    assert not any(any(pcm) for pcm in alone)
    beside = [own.without(noise(2000), noise(3000)) for _ in range(10)]
    assert sum(any(pcm) for pcm in beside) >= 9
    after = [own.without(noise(300), noise(3000)) for _ in range(60)]
    assert not any(any(pcm) for pcm in after[-20:])


# -- how loud, and what makes a sound -----------------------------------------------------------------


def test_it_speaks_as_loud_as_the_place_asks_for():
    import numpy as np

    levels = [loudness_db(noise) for noise in (0.0, QUIET, 300.0, LOUD, 20_000.0)]
    assert levels == sorted(levels)
    assert (levels[0], levels[-1]) == (SOFTLY_DB, LOUDLY_DB)

    def peak(pcm):
        return int(np.abs(np.frombuffer(pcm, "<i2").astype(int)).max())

    assert peak(louder(voiced(0.5), SOFTLY_DB)) < peak(louder(voiced(0.5), LOUDLY_DB)) <= 32_000
    assert louder(bytes(640), 0.0) == bytes(640)
    assert louder(b"", 0.0) == b""


def test_the_level_of_the_place_is_what_the_stream_measures(make, clock):
    import numpy as np

    agent, seen = make("off"), []
    hiss = np.random.default_rng(0).normal(0, 1500, 32_000).round().astype("<i2").tobytes()

    async def work():
        async for _ in agent.listen(FileMicrophone(hiss, tail_ms=0, clock=clock.time)):
            pass

    async def look():
        task = asyncio.create_task(work())
        await asyncio.sleep(1.5)
        seen.append(agent.world.mouth.noise())
        await task

    clock.run(look())
    assert 900 < seen[0] < 1500
    assert agent.world.mouth.noise() is None


def test_earcons_say_done_and_error_only_where_answers_are_said(make, clock):
    agent = make()
    heard(agent, clock, "clear the screen", "show a row of stars", after_s=2)
    assert [path.stem for path in agent.devices.speaker.played] == ["done", "done"]
    agent.devices.speaker.played.clear()
    agent.world.mouth.mode = "off"
    heard(agent, clock, "clear the screen", after_s=2)
    assert agent.devices.speaker.played == []


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
def test_its_own_voice_says_nothing_to_it_and_stop_is_heard_over_it():
    pytest.importorskip("pocketsphinx")
    from tests.bench import voice

    assert voice.own_turns(2) == (0, 0)
    assert voice.own_turns(2, deaf=True)[0] > 0
    if shutil.which("flite"):
        took = voice.stopped_ms(2)
        assert all(ms is not None and ms <= voice.HEARD_MS for ms in took)
