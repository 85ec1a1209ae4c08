"""The answers to one stream, which goes on meanwhile.

Listening never waits for an answer: the wearer can say "stop" to an action that takes long, or go
on with a sentence that seemed over.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.hearing import Event, Heard, Pause, Resumed
from agent.messages import Transcript
from agent.plan import Plan
from agent.turn import Turn, Utterance
from agent.turns import Turns
from hardware.base import AudioChunk, Microphone


@dataclass(slots=True)
class _Answer:
    """One that is being worked out, or waits for that."""

    task: asyncio.Task[Turn | None]
    plan: Plan | None
    head: tuple[float, float]  # when it became the first: ms of the stream, s of the loop


class Answers:
    """Answers what is heard, in order."""

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
        self._plan: Plan | None = None
        self._line: deque[_Answer] = deque()
        self._done: list[Turn] = []
        self._answered = False  # the utterance before the running one was given a turn

    def take(self, event: Event, chunk: AudioChunk, seen: str | None) -> None:
        """Take what a chunk meant; `seen` is the key of what was proposed when the speech began."""
        match event:
            case Pause(transcript):
                self._drop_plan()
                self._plan = self._turns.plan(transcript)
            case Resumed():
                self._drop_plan()
            case Heard():
                self._take_heard(event, chunk, seen)

    def _take_heard(self, heard: Heard, chunk: AudioChunk, seen: str | None) -> None:
        if self._on_transcript is not None and not heard.error:
            self._on_transcript(heard.transcript)
        if heard.continues and self._line:
            last = self._line[-1]
            if self._turns.waits(last.task):  # nothing was done for the one that it continues
                heard = replace(heard, continues=False)
            self._turns.cancel(last.task)
        plan, self._plan = self._plan, None
        utterance = Utterance(self._microphone.now_ms, seen, True, self._turns.final)
        task = self._turns.heard(
            heard, self._source, utterance, plan, lambda: heard.continues and self._answered
        )
        task.add_done_callback(self._note)
        self._line.append(_Answer(task, plan, self._now(chunk)))

    def _note(self, task: asyncio.Task[Turn | None]) -> None:
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
        """Return what is still to come when the stream has ended."""
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


def _turn(task: asyncio.Task[Turn | None]) -> Turn | None:
    return None if task.cancelled() else task.result()
