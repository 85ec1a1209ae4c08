"""One stream of a microphone, from its first chunk to its last: what `Agent.listen` runs.

    microphone ─▶ intake ─▶ front end ─▶ hearing ─▶ answers
                 (mended)  (bone, air)  (utterances)  (turns)

The microphone is open only while it may be, and while it is, the lens shows it. Listening never
waits for an answer: the wearer can say "stop" to an action that takes long, or go on with a
sentence that seemed over.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from agent.act import pin
from agent.act.chat import Answer
from agent.act.speculation import Plan
from agent.act.world import World
from agent.display.request import Priority
from agent.errors import EngineError
from agent.language.said import said_in
from agent.language.text import language_of
from agent.listen.attention import ALWAYS, Attention, AttentionOptions
from agent.listen.bone import FrontEnd
from agent.listen.endpoint import Endpointer
from agent.listen.health import HealthLog
from agent.listen.hearing import Event, Heard, Hearing, Pause, Resumed
from agent.listen.intake import Intake
from agent.listen.own import AHEAD, OwnVoice
from agent.listen.phrases import Spots, Spotted
from agent.listen.sphinx.spotter import wake_spotter
from agent.listen.sphinx.stopping import SURELY, over_spotter, stop_spotter
from agent.listen.thread import EngineThread
from agent.listen.transcriber import Transcriber
from agent.listen.vad import CascadeVad, Vad
from agent.listen.voiceprint import Voice, Voiceprint
from agent.loop.ducking import Ducking
from agent.loop.turns import Turns
from agent.messages import Reply, Transcript
from agent.turn import Turn, Utterance
from hardware.base import AbsentChunk, AudioChunk, DualChunk, Microphone, sounds

PLAINLY = 0.25
"""Share of the air's power from which speech through the bone is plainly the wearer's: theirs is as
loud on both, and what comes through the air alone is a hundredth of it there."""
SPOKEN = 300.0
"""Least mean amplitude of such speech, of 32,767."""
AIR_VAD_MODE = 3
"""How aggressively speech is told from noise through the air, 0 … 3."""
LOOK_S = 0.5
"""How often to check whether a closed microphone may be opened again."""


@dataclass(frozen=True, slots=True)
class Listening:
    """What streams are heard with besides the speech engine; all but `health` are built for each.

    Raises EngineError, when a stream begins, for what cannot be built.
    """

    front: Callable[[], FrontEnd] | None = None
    """What is to be done with the sound of a bone-conduction microphone; None for one through the
    air, whose sound is as it should be."""
    vad: Callable[[int], Vad] = CascadeVad
    """Tells speech from the rest, given how aggressively, 0 … 3."""
    attention: AttentionOptions = ALWAYS
    """What opens a turn."""
    stop: Callable[[bool], Spots] | None = stop_spotter
    """Hears "stop" beside the speech engine while the agent works, or, given True, plays."""
    over: Callable[[], Spots] | None = over_spotter
    """Hears the same while the agent speaks."""
    health: HealthLog | None = None
    """Keeps the counters of what was wrong with the sound."""
    small: Callable[[], Transcriber] | None = None
    """The speech engine for when power is low; None where the usual one is small enough."""
    voice: Callable[[], Voiceprint] | None = None
    """Gives an engine that knows the wearer's voice; None where nobody is enrolled."""
    allowed: Callable[[], bool] = lambda: True
    """Whether the microphone may be open now: not while power is saved, or the link is lost."""


LISTENING = Listening()


class Stream:
    """Hears one microphone for one agent."""

    def __init__(
        self,
        turns: Turns,
        ears: EngineThread,
        microphone: Microphone,
        source: str,
        listening: Listening = LISTENING,
        on_transcript: Callable[[Transcript], None] | None = None,
        endpointer: Endpointer | None = None,
    ) -> None:
        """Get ready. Raises EngineError for a part that cannot be built."""
        self._world, self._expected = world, expected = turns.world, turns.expected
        self._turns = turns
        if on_transcript is not None:
            on_transcript = partial(_unless_pin, world, on_transcript)
        self._on_transcript = on_transcript
        self._ears = ears
        ears.on_loading = self._loading
        self._microphone = microphone
        self._source = source
        self._allowed: Callable[[], bool] = lambda: listening.allowed() and world.step.listening
        self._front = None if listening.front is None else listening.front()
        vad_mode = AIR_VAD_MODE if self._front is None else self._front.vad_mode
        self._latest = AudioChunk(b"", 0.0)  # of those that came through the intake
        self._intake = Intake(device=microphone.name, health_log=listening.health)
        self.attention = Attention(
            listening.attention,
            asked=lambda: expected.asking or world.floor.held is not None,
            spotter=wake_spotter,
        )
        self._voice = None if listening.voice is None else Voice(listening.voice)
        endpointer = endpointer or Endpointer(listening.vad(vad_mode))
        self._mouth = world.mouth
        self._mouth.noise = lambda: endpointer.noise
        self._mouth.waits = lambda: not self.hearing.idle
        self.hearing = Hearing(
            ears,
            endpointer,
            world.options.patience,
            self.attention,
            on_partial=on_transcript,
            now_ms=microphone.now_ms,
            told=expected.told,
            voice=self._voice,
        )
        self._ducking = Ducking(world)
        self._answers = Answers(turns, microphone, source, on_transcript)
        self._make_stop = listening.stop
        self._stops: dict[bool, Spots] = {}  # for work, and for what plays
        self._stop: Spots | None = None  # the one that listens now
        self._make_over = listening.over
        self._over: Spots | None = None  # the one that listens while the agent speaks
        self._own: OwnVoice | None = None
        self._open = True  # for what is said, as far as an earcon has told
        self._seen: str | None = None  # the proposal that was open before somebody spoke

    async def turns(self) -> AsyncGenerator[Turn, None]:
        """Yield a turn for every utterance until the stream ends.

        Raises DeviceError when the microphone vanishes, EngineError when there has never been an
        engine; one that fails makes a turn with an error.
        """
        try:
            while True:
                # A stream that is left, for whatever reason, lets its device go at once.
                async with aclosing(self._microphone.chunks()) as chunks:
                    async for raw in chunks:
                        for turn in await self._chunk(raw):
                            yield turn
                        if not self._allowed():
                            break
                    else:
                        break
                self._world.lens.listening(False)
                while not self._allowed():
                    await asyncio.sleep(LOOK_S)
                    for turn in self._answers.done():
                        yield turn
            for turn in await self._answers.rest():
                yield turn
        finally:
            self._answers.give_up()
            self._ducking.speaking(False)
            self._world.lens.listening(False)
            self._intake.close()
            self._mouth.noise, self._mouth.waits = lambda: None, lambda: False
            if self._voice is not None:
                self._voice.close()

    def also(self, turn: Turn) -> None:
        """Yield a turn that did not come from sound, such as a nod."""
        self._answers.also(turn)

    def _loading(self) -> None:
        """Say that what is said now is heard as soon as the engine is there."""
        language = self._world.spoken
        told = Reply(said_in(language)["loading"])
        self._world.lens.offer(told, Priority.BACKGROUND, language=language, key="loading")

    async def _chunk(self, raw: AudioChunk) -> list[Turn]:
        """Hear one chunk, and return the turns that are done."""
        if self.hearing.idle:
            opened = self._world.gate.open
            self._seen = opened.key if opened else None
            if self._expected.news():
                await self.hearing.expect(await self._expected.sayable(self._ears))
        for mended in self._intake.mend(raw):
            self._latest = mended
            chunk = mended if self._front is None else self._front.restore(mended)
            self._follow(chunk)
            if self._mouth.speaking and not self._wearers(mended, chunk):
                self._answers.note(await self._beside_own(chunk), chunk, self._seen)
                continue
            self._answers.note(await self._heard(chunk), chunk, self._seen)
        self._turns.speaking(not self.hearing.idle)
        self._ducking.speaking(not self.hearing.idle)
        is_open = self.hearing.open and not isinstance(raw, AbsentChunk)
        if is_open and not self._open:
            self._mouth.earcon("listening")
        self._open = is_open
        self._world.lens.listening(is_open)
        return await self._answers.ready(self._latest)

    def _follow(self, chunk: AudioChunk) -> None:
        """Let the skill that has the floor hear along, but not the agent's own voice."""
        taken = self._world.floor.held is not None
        self.hearing.on_partial = self._partial if taken else self._on_transcript
        if taken and not self._mouth.speaking:
            self._world.floor.samples(chunk.pcm)

    def _partial(self, transcript: Transcript) -> None:
        if self._on_transcript is not None:
            self._on_transcript(transcript)
        self._world.floor.partly(transcript)

    async def _heard(self, chunk: AudioChunk) -> Event:
        """Hear a chunk, "stop" before all else while the agent works or plays."""
        playing = sounds(self._world.devices.speaker)
        if playing or self._turns.busy:
            spotted = self._spotted(self._stopper(playing), chunk)
        else:
            spotted = self._stop = None
        if spotted is None:
            return await self.hearing.hear(chunk)
        return await self._stopped(spotted)

    async def _beside_own(self, chunk: AudioChunk) -> Event:
        """Hear nothing but "stop" while the agent itself may be what is heard."""
        if self._own is None:
            self._own = OwnVoice()
        if self._stop is None or self._stop is not self._over:
            self._own.begin()
        sound = self._own.without(chunk.pcm, self._mouth.own(len(chunk.pcm)))
        beside = AudioChunk(sound, chunk.start_ms - AHEAD * chunk.duration_ms)
        spotted = self._spotted(self._stop_over(), beside)
        if spotted is None:
            return None
        surely = spotted.score >= SURELY
        self._mouth.hush(resume=not surely)
        return await self._stopped(spotted) if surely else None

    def _wearers(self, mended: AudioChunk, chunk: AudioChunk) -> bool:
        """Whether a chunk counts although the agent speaks; if so, that ends its speech.

        The wearer may speak already, hold a key, or be plainly heard through the bone.
        """
        speaks = not self.hearing.idle
        if speaks or self.attention.held:
            self._mouth.hush()
            return True
        return isinstance(mended, DualChunk) and plainly(chunk.pcm, mended.air)

    def _spotted(self, stop: Spots | None, chunk: AudioChunk) -> Spotted | None:
        """Return the "stop" that ends with this chunk."""
        if stop is None:
            self._stop = None
            return None
        if stop is not self._stop:
            self._stop = stop
            stop.reset(chunk.start_ms)
        return stop.feed(chunk.pcm)

    async def _stopped(self, spotted: Spotted) -> Heard:
        await self.hearing.interrupt()
        said = Transcript(spotted.phrase, language_of(spotted.phrase), engine="stop words")
        long_ms = spotted.end_ms - spotted.start_ms
        return Heard(said, spotted.start_ms, long_ms, self._microphone.now_ms(), sound=())

    def _stop_over(self) -> Spots | None:
        """Build what hears stop over the agent's voice, once it speaks."""
        if self._over is None and self._make_over is not None:
            try:
                self._over = self._make_over()
            except EngineError:
                self._make_over = None
        return self._over

    def _stopper(self, playing: bool) -> Spots | None:
        """Build what hears stop when it is first needed; without it, the engine alone hears it."""
        if playing not in self._stops and self._make_stop is not None:
            try:
                self._stops[playing] = self._make_stop(playing)
            except EngineError:
                self._make_stop = None
        return self._stops.get(playing)


def plainly(bone: bytes, air: bytes) -> bool:
    """Say whether sound is plainly the wearer's: as loud through the bone as through the air."""
    import numpy as np

    within, around = (np.frombuffer(pcm, "<i2").astype(np.float64) for pcm in (bone, air))
    loud = float(np.abs(within).mean()) >= SPOKEN
    return loud and float(within @ within) >= PLAINLY * float(around @ around)


@dataclass(slots=True)
class _Answer:
    """One that is being worked out, or waits for that."""

    task: asyncio.Task[Turn | None]
    plan: Plan | Answer | None
    head: tuple[float, float]  # when it became the first: ms of the stream, s of the loop


class Answers:
    """The answers to one stream, in order."""

    def __init__(
        self,
        turns: Turns,
        microphone: Microphone,
        source: str,
        on_transcript: Callable[[Transcript], None] | None = None,
    ) -> None:
        """Answer through the lane; `on_transcript` is told what was heard."""
        self._turns = turns
        self._microphone = microphone
        self._source = source
        self._on_transcript = on_transcript
        self._plan: Plan | Answer | None = None
        self._line: deque[_Answer] = deque()
        self._done: list[Turn] = []
        self._answered = False  # the utterance before the running one was given a turn

    def note(self, event: Event, chunk: AudioChunk, seen: str | None) -> None:
        """Note what a chunk meant; `seen` is the key of what was proposed when the speech began."""
        match event:
            case Pause(transcript):
                self._drop_plan()
                self._plan = self._turns.plan(transcript)
            case Resumed():
                self._drop_plan()
            case Heard():
                self._note_heard(event, chunk, seen)

    def _note_heard(self, heard: Heard, chunk: AudioChunk, seen: str | None) -> None:
        if self._on_transcript is not None and not heard.error:
            self._on_transcript(heard.transcript)
        held = self._turns.world.floor.held
        if heard.error and held is not None and not held.listener.by_words:
            return  # the skill hears for itself, and what it shows is not covered
        if heard.continues and self._line:
            last = self._line[-1]
            if self._turns.waits(last.task):  # nothing was done for the one that it continues
                heard = replace(heard, continues=False)
            self._turns.cancel(last.task)
        plan, self._plan = self._plan, None
        own = self._turns.own(heard.transcript.text, seen)
        utterance = Utterance(self._microphone.now_ms, own, seen, True, self._turns.final)
        task = self._turns.heard(
            heard, self._source, utterance, plan, lambda: heard.continues and self._answered
        )
        task.add_done_callback(self._ended_one)
        self._line.append(_Answer(task, plan, self._now(chunk)))

    def _ended_one(self, task: asyncio.Task[Turn | None]) -> None:
        self._answered = _turn(task) is not None

    @staticmethod
    def _now(chunk: AudioChunk | None) -> tuple[float, float]:
        return (chunk.end_ms if chunk else 0.0), asyncio.get_running_loop().time()

    async def ready(self, chunk: AudioChunk) -> list[Turn]:
        """Return the turns that are done by the time of the next chunk.

        A recording must not run ahead of the answers to it: while one is worked out, its chunks
        come no faster than a microphone's would. From a microphone this waits for nothing.
        """
        while self._line:
            stream_ms, loop_s = self._line[0].head
            due_ms = chunk.end_ms + chunk.duration_ms - stream_ms
            passed_ms = (asyncio.get_running_loop().time() - loop_s) * 1000
            task = self._line[0].task
            await asyncio.wait({task}, timeout=max(0.0, due_ms - passed_ms) / 1000)
            if not task.done():
                break
            self._end(chunk)
        return self.done()

    def done(self) -> list[Turn]:
        """Return the turns that are done, each once."""
        done, self._done = self._done, []
        return done

    def also(self, turn: Turn) -> None:
        """Take a turn that was answered elsewhere."""
        self._done.append(turn)

    async def rest(self) -> list[Turn]:
        """Return the turns that are still to come when the stream has ended."""
        self._drop_plan()
        while self._line:
            await asyncio.wait({self._line[0].task})
            self._end(None)
        return self.done()

    def give_up(self) -> None:
        """Let go of what is not done, as when nobody listens any more."""
        self._drop_plan()
        for answer in self._line:
            self._turns.cancel(answer.task)

    def _end(self, chunk: AudioChunk | None) -> None:
        ended = self._line.popleft()
        if ended.plan is not None:
            ended.plan.drop()  # of one that was called off before it began
        if (turn := _turn(ended.task)) is not None:
            self._done.append(turn)
        if self._line:
            self._line[0].head = self._now(chunk)

    def _drop_plan(self) -> None:
        if self._plan is not None:
            self._plan.drop()
            self._plan = None


def _unless_pin(world: World, tell: Callable[[Transcript], None], heard: Transcript) -> None:
    """Tell what was heard, but nothing of it while the PIN is asked for."""
    opened = world.gate.open
    tell(replace(heard, text=pin.HIDDEN) if opened is not None and opened.pin else heard)


def _turn(task: asyncio.Task[Turn | None]) -> Turn | None:
    return None if task.cancelled() else task.result()
