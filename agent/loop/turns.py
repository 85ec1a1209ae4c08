"""Turns: the one lane that every turn goes through, whatever begins it.

    spoken ─┐
    typed  ─┤
    nodded ─┼─▶ ─── one after the other ───▶ respond ─▶ observers ─▶ done
    called ─┤
    resumed ┘

A turn ends before the next begins, so no two of them ever see a proposal, a question or a memory
half changed. Two things alone overtake: "stop" calls off what runs and what waits, and a no
declines the open proposal at once. Neither interrupts a payment that is being made.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from agent.act.chat import Answer
from agent.act.dispatch import Acting
from agent.act.speculation import Plan
from agent.act.world import World
from agent.derive import tools
from agent.errors import EngineError
from agent.language import controls, faults
from agent.language.controls import Own
from agent.language.said import said_in
from agent.listen.endpoint import energy_speech_end
from agent.listen.hearing import Heard
from agent.loop.expected import Expectations
from agent.loop.respond import Responder
from agent.loop.taking import Taking
from agent.messages import Intent, NotRecognized, Reply, Transcript
from agent.plugins import offences
from agent.turn import Clock, Timings, Turn, Utterance
from agent.understand.dialogue import Dialogue

log = logging.getLogger(__name__)

NOISE_MS = 600.0
"""Speech shorter than this that no engine understands is taken for a cough or a knock and gets no
answer, unless a question is open; the shortest commands ("stop", "next song") are understood."""

CALLED_OFF = "called off: the wearer said stop"
"""The error of a turn that another one ended."""

UNKNOWN = 0.5
"""How probably the wearer said what nobody can tell that of."""

Work = Callable[[], Awaitable[Turn | None]]


class Turns:
    """The lane of one agent."""

    def __init__(
        self,
        world: World,
        dialogue: Dialogue,
        acting: Acting,
        expected: Expectations,
        responder: Responder,
        after: Callable[[Turn], None],
        final: Callable[[], None],
        taking: Taking,
    ) -> None:
        """Begin with an empty lane.

        `after` is given each turn, to write down what it has changed; `final` is told that a turn
        has had an effect, so that none may take the place of what came before.
        """
        self.world = world
        self._dialogue = dialogue
        self._acting = acting
        self.expected = expected
        self._responder = responder
        self._after = after
        self._taking = taking
        self._took = False  # what was said last went to the skill that has the floor, wholly
        self._line: list[asyncio.Task[Turn | None]] = []
        self._running: asyncio.Task[Turn | None] | None = None
        self.final = final

    # -- the lane -------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether a turn is being answered, or waits for that."""
        return bool(self._line)

    def waits(self, task: asyncio.Task[Turn | None]) -> bool:
        """Whether a turn has not begun yet."""
        return task in self._line and task is not self._running

    def enter(self, work: Work) -> asyncio.Task[Turn | None]:
        """Put a turn at the end of the lane."""
        task = asyncio.create_task(self._in_turn([*self._line], work))
        self._line.append(task)
        task.add_done_callback(self._line.remove)
        return task

    async def _in_turn(self, before: list[asyncio.Task[Turn | None]], work: Work) -> Turn | None:
        if before:
            await asyncio.wait(before)
        self._running = asyncio.current_task()
        try:
            return await work()
        finally:
            self._running = None

    def cancel(self, task: asyncio.Task[Turn | None]) -> None:
        """End a turn that runs or waits, but for a payment or what a skill is writing down."""
        if task is not self._running or not (self._responder.committing or self._taking.keeping):
            task.cancel()

    def speaking(self, speaks: bool) -> None:
        """Note whether somebody speaks now: an answer of the model's then waits."""
        self._responder.hold(speaks)

    def call_off(self) -> None:
        """End all turns that run or wait, but for a payment that is being made."""
        for task in [*self._line]:
            self.cancel(task)

    async def close(self) -> None:
        """End what runs and what waits; a payment that is being made is waited for."""
        self.call_off()
        if self._line:
            await asyncio.wait(self._line)

    async def _through(self, turn: Turn, work: Work) -> Turn:
        """Put a turn in the lane and wait for it; one that nobody waits for any more is ended."""
        task = self.enter(work)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            self.cancel(task)
            raise
        if task.cancelled():
            return replace(turn, error=CALLED_OFF)
        return task.result() or turn

    # -- what begins a turn ---------------------------------------------------------------------

    async def typed(self, text: str, language: str, source: str, answers: bool = True) -> Turn:
        """Answer one line, as if it had been said; without `answers` by nobody knows whom."""
        if answers:
            return await self.told(Transcript(text, language), source, self._open())
        stranger = UNKNOWN if self.world.options.private else None
        return await self._said(Transcript(text, language, wearer=stranger), None, source, None)

    async def told(self, transcript: Transcript, source: str, seen: str | None) -> Turn:
        """Answer what the wearer said elsewhere, having `seen` what was proposed under that key."""
        return await self._said(transcript, self.own(transcript.text, seen), source, seen)

    def own(self, text: str, seen: str | None = None) -> Own | None:
        """Read a text for what it says to the agent itself, where that matters now.

        It may answer what was `seen` when it began, even if that has been settled meanwhile.
        """
        if not self.busy and not self.expected.asking and seen is None:
            return None
        return controls.own(text, asked=True)

    async def meant(self, own: Own, language: str, source: str) -> Turn:
        """Answer what the wearer meant for the agent itself without a word, as by a nod."""
        return await self._said(Transcript("", language), own, source, self._open())

    def _open(self) -> str | None:
        """Return the key of what is proposed now."""
        opened = self.world.gate.open
        return opened.key if opened else None

    async def _said(
        self, transcript: Transcript, own: Own | None, source: str, seen: str | None
    ) -> Turn:
        clock = _stopwatch()
        timings = Timings(speech_end=0.0, endpoint=0.0, transcript=0.0)
        turn = Turn(source, transcript, timings=timings)
        utterance = Utterance(clock, own, seen, final=self.final)
        self.world.mouth.hush()  # a line that is typed comes before what is still being said
        if (shown := self.overtaken(turn, utterance)) is not None:
            return await self.ended(shown)

        async def work() -> Turn:
            self._another()
            return await self.ended(await self._safely(turn, utterance))

        return await self._through(turn, work)

    async def came(self, turn: Turn) -> Turn | None:
        """Let a turn that came by itself take its place among the others, for who looks at them."""
        task = self.enter(lambda: self.ended(turn))
        await asyncio.wait({task})
        return None if task.cancelled() else task.result()

    async def called(
        self, made: str | Mapping[str, Any], language: str, source: str = "tool call"
    ) -> Turn:
        """Do what a tool call says, under the same rules as if its sentence had been said.

        A call that no action answers gives a turn with an error, and the lens stays as it is.
        """
        utterance = Utterance(_stopwatch(), final=self.final)
        begun = Turn(source, Transcript("", language))

        async def work() -> Turn:
            self._another()
            self.expected.refresh()
            intent = tools.call(self.world.skills.actions, made, language)
            turn = replace(begun, intent=intent)
            if isinstance(intent, NotRecognized):
                return replace(turn, error=intent.reason)
            return await self.ended(await self._safely(turn, utterance, [intent]))

        return await self._through(begun, work)

    def heard(
        self,
        heard: Heard,
        source: str,
        utterance: Utterance,
        plan: Plan | Answer | None,
        replaces: Callable[[], bool],
    ) -> asyncio.Task[Turn | None]:
        """Answer an utterance; None comes of a noise in which nothing was said.

        `replaces` tells, once it is the utterance's turn, whether it continues one which was
        answered.
        """
        turn = self._turn(heard, source, utterance)
        if turn.transcript.text and not heard.error:
            self.world.mouth.hush()
            self._responder.give_way()  # who speaks comes before what is still being said
        if not heard.error and (shown := self.overtaken(turn, utterance)) is not None:
            return asyncio.create_task(self.ended(_timed(shown, heard)))

        async def work() -> Turn | None:
            begun = replace(turn, replaces=replaces())
            answered = await self._answered(begun, heard, utterance, plan)
            return None if answered is None else await self.ended(_timed(answered, heard))

        return self.enter(work)

    def _turn(self, heard: Heard, source: str, utterance: Utterance) -> Turn:
        transcript, wanted = heard.transcript, self.world.options.language
        if wanted != "auto":
            transcript = replace(transcript, language=wanted)
        timings = Timings(endpoint=heard.endpoint_ms, transcript=utterance.clock())
        return Turn(source, transcript, timings=timings)

    async def _answered(
        self, turn: Turn, heard: Heard, utterance: Utterance, plan: Plan | Answer | None
    ) -> Turn | None:
        memories = self._acting.memories
        if heard.error:
            self.expected.forget()
            return self.failed(turn.source, heard.error, utterance.clock)
        if not turn.transcript.text and heard.speech_ms < NOISE_MS and not self.expected.asking:
            return None
        if heard.continues:
            memories.take_back()
            self._dialogue.drop()
        memories.settle()
        took, self._took = self._took, False
        if await self._for_listener(turn.transcript):
            reply = await self._taking.take(turn.transcript, heard.continues and took)
            self._took = True
            if reply is None:
                return None
            return self._responder.show(replace(turn, source="floor"), reply, utterance.clock)
        return await self._safely(turn, utterance, plan=plan)

    async def _for_listener(self, said: Transcript) -> bool:
        """Whether what was said is for the skill that has the floor."""
        if self.world.floor.held is None:
            return False
        return await asyncio.to_thread(self._taking.wants, said)

    def _another(self) -> None:
        """Note that another turn than the last one begins, which nothing can go on with now."""
        self.final()
        self._took = False
        self._acting.memories.settle()

    async def _safely(
        self,
        turn: Turn,
        utterance: Utterance,
        intents: Sequence[Intent] = (),
        plan: Plan | Answer | None = None,
    ) -> Turn:
        """Respond, or do what was meant; a fault of the agent's own ends that turn alone."""
        try:
            if intents:
                return await self._responder.act(turn, intents, utterance)
            return await self._responder.respond(turn, utterance, plan)
        except Exception as error:  # the agent's own last boundary
            fault = offences.raised(error)
            log.error("a turn failed: the agent %s", fault)
            log.debug("a turn failed", exc_info=True)
            broke = Reply(said_in(turn.transcript.language)["broke"], kind="alert")
            turn = replace(turn, error=f"the agent {fault}")
            return self._responder.show(turn, broke, utterance.clock)

    def failed(self, source: str, error: EngineError, clock: Clock) -> Turn:
        """Tell the wearer that the speech engine gave up on an utterance."""
        turn = Turn(source, Transcript(""), error=str(error))
        shown = Reply(faults.told(error, self.world.spoken), kind="alert")
        return self._responder.show(turn, shown, clock)

    # -- what overtakes -------------------------------------------------------------------------

    def overtaken(self, turn: Turn, utterance: Utterance) -> Turn | None:
        """Do at once what waits for no other turn; None where it takes its place in the lane."""
        own = utterance.own
        if own is None:
            return None  # nothing runs, and nothing was asked
        stop = own.control in controls.ENDS
        if stop:
            self.call_off()
        committing = self._responder.committing
        asked = self.world.gate.open is not None or committing
        no = asked and own.answer == "no"
        if not self.busy or not (stop or no):
            return None
        if committing:
            if stop:
                self._responder.hush(own.control)
            shown = self._responder.too_late(turn)
            return self._responder.show(turn, shown, utterance.clock)
        if no and not stop:
            declined = self._responder.declined(turn, utterance)
            return self._responder.show(turn, declined, utterance.clock)
        return None

    # -- around a turn --------------------------------------------------------------------------

    def plan(self, transcript: Transcript) -> Plan | Answer | None:
        """Run what was said ahead of the end of its turn, where that has no effect.

        A question that a model can know is put to it. Not while another turn is answered: what it
        leaves in a memory would be missed.
        """
        if self.world.gate.open is not None or self.busy or self.world.floor.held is not None:
            return None  # what is said may be the answer to a question, or said to somebody else
        intent = self._dialogue.foresee(transcript)
        if intent is None:
            return self._responder.begin(transcript)
        if self._responder.unwarranted(transcript, intent):
            return None
        return self._acting.ahead(intent)

    async def ended(self, turn: Turn) -> Turn:
        """Let the observers look at the turn, and switch off who has offended too often."""
        skills = self.world.skills
        observers = skills.observers()
        outcomes = await asyncio.gather(
            *(
                skills.runner.run(name, partial(see, turn), offences.OBSERVER_S)
                for name, see in observers
            )
        )
        for (name, _), outcome in zip(observers, outcomes, strict=True):
            for offence in offences.faults(outcome, f"{name}.turn_ended", offences.OBSERVER_S):
                skills.offend(name, offence)
        self.expected.answers += 1
        self._after(turn)
        for name in skills.settle():
            if isinstance(turn.intent, Intent) and turn.intent.skill == name:
                turn = self._responder.disabled(turn, name)
        return turn


def _timed(turn: Turn, heard: Heard) -> Turn:
    """Note when speech ended; worked out after the answer is on the lens, for the record."""
    pcm = b"".join(chunk.pcm for chunk in heard.sound)
    spotted_end = heard.start_ms + heard.speech_ms
    speech_end = energy_speech_end(pcm, heard.start_ms) if pcm else spotted_end
    return replace(turn, timings=replace(turn.timings, speech_end=speech_end))


def _stopwatch() -> Clock:
    now_s = asyncio.get_running_loop().time  # the loop's, so that tests can have their own
    began_s = now_s()
    return lambda: (now_s() - began_s) * 1000
