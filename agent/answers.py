"""The answers of one stream, one after the other, while the microphone goes on.

Listening never waits for an answer: the wearer can say "stop" to an action that takes long, or go
on with a sentence that seemed over.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from agent import controls
from agent.hearing import Event, Heard, Pause, Resumed
from agent.listen.endpoint import energy_speech_end
from agent.messages import Transcript
from agent.plan import Plan
from agent.turn import Turn
from hardware.base import AudioChunk, Microphone

if TYPE_CHECKING:
    from agent.loop import Agent


class Answers:
    """Answers what is heard, in order."""

    def __init__(
        self,
        agent: Agent,
        microphone: Microphone,
        source: str,
        on_transcript: Callable[[Transcript], None] | None = None,
    ) -> None:
        """Answer for `agent`; `on_transcript` is told what was heard."""
        self._agent = agent
        self._microphone = microphone
        self._source = source
        self._on_transcript = on_transcript
        self._plan: Plan | None = None
        self._waiting: deque[tuple[Heard, Plan | None]] = deque()
        self._running: asyncio.Task[Turn | None] | None = None
        self._began = 0.0, 0.0  # when the answer was begun: ms of the stream, s of the loop
        self._done: list[Turn] = []
        self._answered = False  # the utterance before the running one was given a turn

    @property
    def busy(self) -> bool:
        """Whether an answer is being worked out."""
        return self._running is not None

    def take(self, event: Event, chunk: AudioChunk) -> None:
        """Take what a chunk meant."""
        match event:
            case Pause(transcript):
                self._drop_plan()
                self._plan = self._agent.plan(transcript)
            case Resumed():
                self._drop_plan()
            case Heard():
                self._take_heard(event, chunk)

    def _take_heard(self, heard: Heard, chunk: AudioChunk) -> None:
        if self._on_transcript is not None and not heard.error:
            self._on_transcript(heard.transcript)
        if controls.control(heard.transcript.text) == "stop":
            self.call_off()
        elif heard.continues and self._waiting:
            self._forget_last()  # nothing was done for the one that it continues
            heard = replace(heard, continues=False)
        elif heard.continues:
            self._cancel()
        plan, self._plan = self._plan, None
        self._waiting.append((heard, plan))
        self._next(chunk)

    def call_off(self) -> None:
        """Stop working on answers, but for a payment that is being made."""
        while self._waiting:
            self._forget_last()
        self._cancel()

    def _forget_last(self) -> None:
        _, plan = self._waiting.pop()
        if plan is not None:
            plan.drop()

    def _cancel(self) -> None:
        if self._running is not None and not self._agent.committing:
            self._running.cancel()

    async def ready(self, chunk: AudioChunk) -> list[Turn]:
        """Return the turns that are done by the time of the next chunk.

        A recording must not run ahead of the answers to it: while one is worked out, its chunks
        come no faster than a microphone's would. From a microphone this waits for nothing.
        """
        while self._running is not None:
            stream_ms, loop_s = self._began
            due_ms = chunk.end_ms + chunk.duration_ms - stream_ms
            passed_ms = (asyncio.get_running_loop().time() - loop_s) * 1000
            await asyncio.wait({self._running}, timeout=max(0.0, due_ms - passed_ms) / 1000)
            if not self._running.done():
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
        """Return what is still to come when the stream has ended."""
        self._drop_plan()
        while self._running is not None:
            await asyncio.wait({self._running})
            self._end(None)
        return self.done()

    def give_up(self) -> None:
        """Let go of what is not done, as when nobody listens any more."""
        self._drop_plan()
        self.call_off()

    def _next(self, chunk: AudioChunk | None) -> None:
        if self._running is None and self._waiting:
            heard, plan = self._waiting.popleft()
            now_s = asyncio.get_running_loop().time()
            self._began = (chunk.end_ms if chunk else 0.0), now_s
            self._running = asyncio.create_task(self._answer(heard, plan))

    def _end(self, chunk: AudioChunk | None) -> None:
        running, self._running = self._running, None
        assert running is not None
        turn = None if running.cancelled() else running.result()
        self._answered = turn is not None
        if turn is not None:
            self._done.append(turn)
        self._next(chunk)

    async def _answer(self, heard: Heard, plan: Plan | None) -> Turn | None:
        now_ms = self._microphone.now_ms
        replaces = heard.continues and self._answered
        turn = await self._agent.answer(heard, self._source, now_ms, plan, replaces)
        if turn is None:
            return None
        # Only for the record, so it is worked out after the answer is on the lens.
        pcm = b"".join(chunk.pcm for chunk in heard.sound)
        spotted_end = heard.start_ms + heard.speech_ms
        speech_end = energy_speech_end(pcm, heard.start_ms) if pcm else spotted_end
        timed = replace(turn, timings=replace(turn.timings, speech_end=speech_end))
        return await self._agent.ended(timed)

    def _drop_plan(self) -> None:
        if self._plan is not None:
            self._plan.drop()
            self._plan = None
