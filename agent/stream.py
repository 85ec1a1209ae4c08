"""One stream of a microphone, from its first chunk to its last: what `Agent.listen` runs.

    microphone ─▶ intake ─▶ front end ─▶ hearing ─▶ answers
                 (mended)  (bone, air)  (utterances)  (turns)

The microphone is open only while it may be, and while it is, the lens shows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent import controls
from agent.answers import Answers
from agent.display.request import Priority
from agent.errors import EngineError
from agent.hearing import Event, Heard, Hearing
from agent.listen.asr import Transcriber
from agent.listen.attention import ALWAYS, Attention, AttentionOptions, Spots
from agent.listen.bone import AirFrontEnd, FrontEnd
from agent.listen.endpoint import Endpointer
from agent.listen.engine import EngineThread
from agent.listen.health import HealthLog
from agent.listen.intake import Intake
from agent.listen.stopping import stop_spotter
from agent.listen.vad import CascadeVad, Vad
from agent.messages import Reply, Transcript
from agent.turn import Turn
from agent.understand.text import language_of
from hardware.base import AbsentChunk, AudioChunk, Microphone

if TYPE_CHECKING:
    from agent.loop import Agent

LOOK_S = 0.5
"""How often it is looked whether a closed microphone may be opened again."""


@dataclass(frozen=True, slots=True)
class Listening:
    """What streams are heard with besides the speech engine; all but `health` are built for each.

    Raises EngineError, when a stream begins, for what cannot be built.
    """

    front: Callable[[], FrontEnd] = AirFrontEnd
    """Which microphone it is, and what is to be done with its sound."""
    vad: Callable[[int], Vad] = CascadeVad
    """Tells speech from the rest, given how aggressively, 0 … 3."""
    attention: AttentionOptions = ALWAYS
    """What opens a turn."""
    stop: Callable[[bool], Spots] | None = stop_spotter
    """Hears "stop" beside the speech engine while the agent works, or, given True, plays."""
    health: HealthLog | None = None
    """Keeps the counters of what was wrong with the sound."""
    small: Callable[[], Transcriber] | None = None
    """The speech engine for when power is low; None where the usual one is small enough."""
    allowed: Callable[[], bool] = lambda: True
    """Whether the microphone may be open now: not while power is saved, or the link is lost."""


LISTENING = Listening()


class Stream:
    """Hears one microphone for one agent."""

    def __init__(
        self,
        agent: Agent,
        ears: EngineThread,
        microphone: Microphone,
        source: str,
        on_transcript: Callable[[Transcript], None] | None = None,
        endpointer: Endpointer | None = None,
    ) -> None:
        """Get ready. Raises EngineError for a part that cannot be built."""
        self._agent = agent
        ears.on_loading = self._loading
        self._microphone = microphone
        listening = agent.listening
        self._allowed: Callable[[], bool] = lambda: (
            listening.allowed() and agent.senses.step.listening
        )
        self._front = listening.front()
        self._latest = AudioChunk(b"", 0.0)  # of those that came through the intake
        self._intake = Intake(device=microphone.name, health_log=listening.health)
        self.attention = Attention(listening.attention, asked=lambda: agent.asking)
        self.hearing = Hearing(
            ears,
            endpointer or Endpointer(listening.vad(self._front.vad_mode)),
            agent.options.patience,
            self.attention,
            on_partial=on_transcript,
            now_ms=microphone.now_ms,
        )
        self._answers = Answers(agent, microphone, source, on_transcript)
        self._make_stop = listening.stop
        self._stops: dict[bool, Spots] = {}  # for work, and for what plays
        self._stop: Spots | None = None  # the one that listens now

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
                self._agent.lens.listening(False)
                while not self._allowed():
                    await asyncio.sleep(LOOK_S)
                    for turn in self._answers.done():
                        yield turn
            for turn in await self._answers.rest():
                yield turn
        finally:
            self._answers.give_up()
            self._agent.lens.listening(False)
            self._intake.close()

    def also(self, turn: Turn) -> None:
        """Yield a turn that came of no sound, such as a nod."""
        self._answers.also(turn)

    def _loading(self) -> None:
        """Say that what is said now is heard as soon as the engine is there."""
        language = self._agent.spoken
        said = controls.said_in(language)["loading"]
        self._agent.lens.offer(Reply(said), Priority.BACKGROUND, language=language, key="loading")

    async def _chunk(self, raw: AudioChunk) -> list[Turn]:
        """Hear one chunk, and return the turns that are done."""
        agent, answers = self._agent, self._answers
        if self.hearing.idle and agent.news():
            await self.hearing.expect(await agent.sayable())
        for mended in self._intake.take(raw):
            self._latest = mended
            chunk = self._front.take(mended)
            answers.take(await self._heard(chunk), chunk)
        agent.lens.listening(self.hearing.open and not isinstance(raw, AbsentChunk))
        return await answers.ready(self._latest)

    async def _heard(self, chunk: AudioChunk) -> Event:
        """Hear a chunk, "stop" before all else while the agent works or plays."""
        playing = self._agent.playing
        if (stop := self._stopper(playing) if playing or self._answers.busy else None) is None:
            self._stop = None
            return await self.hearing.take(chunk)
        if stop is not self._stop:
            self._stop = stop
            stop.reset(chunk.start_ms)
        if (spotted := stop.feed(chunk.pcm)) is None:
            return await self.hearing.take(chunk)
        await self.hearing.interrupt()
        said = Transcript(spotted.phrase, language_of(spotted.phrase), engine="stop words")
        long_ms = spotted.end_ms - spotted.start_ms
        return Heard(said, spotted.start_ms, long_ms, self._microphone.now_ms(), sound=())

    def _stopper(self, playing: bool) -> Spots | None:
        """Build what hears stop when it is first needed; without it, the engine alone hears it."""
        if playing not in self._stops and self._make_stop is not None:
            try:
                self._stops[playing] = self._make_stop(playing)
            except EngineError:
                self._make_stop = None
        return self._stops.get(playing)
