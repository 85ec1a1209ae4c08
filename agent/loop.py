"""The agent: from a chunk of sound, or a typed line, to a glyph on the lens.

`hear` answers one transcript; `listen` turns a microphone into transcripts and hears each. Both
give a `Turn`. Nothing here knows a concrete skill, engine or device.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from agent import conduct, derive, dialogue, prompts
from agent.context import Context
from agent.display.layout import lay_out
from agent.errors import EngineError
from agent.gate import Gate
from agent.hearing import Heard
from agent.lens import Lens
from agent.listen.asr import Transcriber
from agent.listen.endpoint import Endpointer
from agent.listen.engine import EngineThread
from agent.listen.patience import DEFAULT as DEFAULT_PATIENCE
from agent.listen.patience import Patience
from agent.llm.model import CancelScope, Model, NoModel
from agent.memory import Memories
from agent.messages import Intent, NotRecognized, Proposal, Reply, Transcript
from agent.plan import Plan, ahead
from agent.plugins import Skills
from agent.runner import Outcome
from agent.sayable import Saying
from agent.skill import Action
from agent.stream import LISTENING, Listening, Stream
from agent.turn import Timings, Turn
from agent.understand import times, yesno
from agent.understand.router import Router
from agent.understand.text import MAX_CHARACTERS, language_of
from hardware.base import Devices, Microphone

log = logging.getLogger(__name__)

SURE = 0.6
"""Confidence under which speech moves no money: a yes is not taken for one and the question stays,
and a payment is not even proposed, since speech in clatter can sound like one."""

NOISE_MS = 600.0
"""Speech shorter than this that no engine understands is taken for a cough or a knock and gets no
answer, unless a question is open; the shortest commands ("stop", "next song") are understood."""

Clock = Callable[[], float]
"""Gives the time in ms."""


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """How one agent behaves."""

    language: str = "auto"
    """`en`, `zh`, or `auto`: by the script of typed text, by the engine for speech."""
    action_timeout_s: float = 10.0
    """Longest an action may take."""
    commit_timeout_s: float = 30.0
    """Longest a payment may take; then its outcome is unknown, and the skill goes on with it."""
    engine_timeout_s: float = 8.0
    """Longest one call of a speech engine may take."""
    patience: Patience = DEFAULT_PATIENCE
    """How long a pause must be to end a turn."""


def _stopwatch() -> Clock:
    now_s = asyncio.get_running_loop().time  # the loop's, so that tests can have their own
    began_s = now_s()
    return lambda: (now_s() - began_s) * 1000


class Agent:
    """Owns the loop: ears, router, gate, lens, and what was said before."""

    def __init__(
        self,
        skills: Skills,
        devices: Devices,
        folder: Path,
        model: Model | None = None,
        transcriber: Callable[[], Transcriber] | None = None,
        options: AgentOptions = AgentOptions(),
        listening: Listening = LISTENING,
    ) -> None:
        """Build an agent; `folder` holds what outlives it.

        `transcriber` builds its ears; `listening` is what else it hears with.
        """
        self.skills = skills
        self.devices = devices
        self.model: Model = model or NoModel()
        self.options = options
        self.gate = Gate(folder)
        self.now: Callable[[], datetime] = datetime.now
        """Wall time that skills are told; tests give their own."""
        self._folder = folder
        self.listening = listening
        self._router = Router(skills.actions)
        self._known: tuple[Action, ...] = ()
        self._ears = EngineThread(transcriber, options.engine_timeout_s) if transcriber else None
        self.lens = Lens(lambda: self.devices.display)
        self._memories = Memories()
        self._stream: Stream | None = None
        self._stale = True  # what can be said has changed since the engine was told
        self.committing = False
        """Whether a payment is being made, which nothing may interrupt."""

    # -- what can be said -----------------------------------------------------------------------

    def sayings(self, language: str) -> list[Saying]:
        """Return everything that can be said now, in one language."""
        said = [s for action in self.skills.actions.values() for s in action.sayings(language)]
        return [*said, *dialogue.sayings(language, asking=self.gate.open is not None)]

    def route(self, text: str, language: str | None = None) -> tuple[str, Intent | NotRecognized]:
        """Return the language of a text and what it means, without doing it."""
        spoken = self._language(text, language)
        self._refresh()
        intent = self._router.route(Transcript(text, spoken))
        return intent.language if isinstance(intent, Intent) else spoken, intent

    def _language(self, text: str, wanted: str | None) -> str:
        wanted = wanted or self.options.language
        return language_of(text) if wanted == "auto" else wanted

    def _refresh(self) -> bool:
        """Look at what is installed now; say whether that has changed, as after a reload."""
        times.clock.set(self.now)
        known = tuple(self.skills.actions.values())
        if changed := [*map(id, known)] != [*map(id, self._known)]:
            self._known = known
            if self.gate.open is not None and self.gate.open.skill not in {a.skill for a in known}:
                self.gate.drop()  # it was disabled or unloaded
        return changed

    # -- hearing --------------------------------------------------------------------------------

    async def listen(
        self,
        microphone: Microphone,
        source: str = "microphone",
        on_transcript: Callable[[Transcript], None] | None = None,
        endpointer: Endpointer | None = None,
    ) -> AsyncIterator[Turn]:
        """Yield a turn for every utterance until the microphone's stream ends.

        Raises DeviceError when the microphone vanishes, EngineError when there is no speech engine.
        """
        if self._ears is None:
            raise EngineError("no speech engine: run `glasses doctor` to see what is missing")
        self._refresh()
        self._router.warm()
        self._stale = True
        self._stream = Stream(self, self._ears, microphone, source, on_transcript, endpointer)
        try:
            async with aclosing(self._stream.turns()) as turns:
                async for turn in turns:
                    yield turn
        finally:
            self._stream = None

    def touch(self) -> None:
        """Wake, as the wake phrase does: the wearer has touched the glasses."""
        if self._stream is not None:
            self._stream.attention.touch()

    def hold(self, down: bool) -> None:
        """Push to talk: an utterance from the moment a key is held down until it is let go."""
        if self._stream is not None:
            self._stream.attention.held = down

    @property
    def playing(self) -> bool:
        """Whether something sounds that "stop" would end."""
        speaker = self.devices.speaker
        return speaker is not None and speaker.playing is not None

    def news(self) -> bool:
        """Say, once, that what can be said has changed since the engine was told."""
        changed = self._refresh() or self._stale
        self._stale = False
        return changed

    async def sayable(self) -> list[Saying]:
        """Return what can be said in the languages that the engine is to hear."""
        wanted = self.options.language
        if wanted != "auto" or self._ears is None:
            return self.sayings(wanted)
        known = await self._ears.call(lambda engine: engine.languages)
        return [s for language in ("en", "zh") if language in known for s in self.sayings(language)]

    async def answer(
        self, heard: Heard, source: str, clock: Clock, plan: Plan | None, replaces: bool
    ) -> Turn | None:
        """Answer an utterance; None when there was a noise and nothing was said.

        `replaces` says that it continues one which has been answered.
        """
        if heard.error:
            self._stale = True  # the engine may be another one now, which has been told nothing
            return self._failed(source, heard.error, clock)
        transcript = heard.transcript
        if not transcript.text and heard.speech_ms < NOISE_MS and self.gate.open is None:
            return None
        if self.options.language != "auto":
            transcript = replace(transcript, language=self.options.language)
        times = Timings(endpoint=heard.endpoint_ms, transcript=clock())
        turn = Turn(source, transcript, timings=times, replaces=replaces)
        if heard.continues:
            self._memories.take_back()
        return await self._respond(turn, clock, plan)

    def _failed(self, source: str, error: EngineError, clock: Clock) -> Turn:
        """Tell the wearer that the speech engine gave up on an utterance."""
        turn = Turn(source, Transcript(""), error=str(error))
        return self._answer(turn, Reply(str(error), kind="alert"), clock)

    # -- answering ------------------------------------------------------------------------------

    async def hear(self, text: str, language: str | None = None, source: str = "text") -> Turn:
        """Answer one typed line, as if it had been said."""
        clock = _stopwatch()
        transcript = Transcript(text, self._language(text, language))
        times = Timings(speech_end=0.0, endpoint=0.0, transcript=0.0)
        return await self.ended(await self._respond(Turn(source, transcript, timings=times), clock))

    async def call(self, made: str | Mapping[str, Any], language: str = "en") -> Turn:
        """Do what a tool call says, under the same rules as if its sentence had been said.

        A call that no action answers gives a turn with an error, and the lens stays as it is.
        """
        clock = _stopwatch()
        self._refresh()
        intent = derive.call(self.skills.actions, made, language)
        turn = Turn("tool call", Transcript("", language), intent=intent)
        if isinstance(intent, NotRecognized):
            return replace(turn, error=intent.reason)
        self.gate.drop()
        return await self.ended(await self._act(turn, intent, clock))

    async def _respond(self, turn: Turn, clock: Clock, plan: Plan | None = None) -> Turn:
        """Find out what was meant and answer it; `plan` is what was got ready for it."""
        try:
            return await self._meant(turn, clock, plan)
        finally:
            self._stale = True  # a question may be open now, or no more
            if plan is not None:
                plan.drop()

    async def _meant(self, turn: Turn, clock: Clock, plan: Plan | None) -> Turn:
        self._memories.settle()
        text, language = turn.transcript.text, turn.transcript.language
        self._refresh()
        late = self.gate.expire()
        if self.gate.open is not None or late:
            meant = yesno.answer(text)
            if meant == "yes" and turn.transcript.confidence < SURE:
                meant = "unclear"
            if meant != "unclear":
                return await self._settle(turn, meant, clock)
        intent = self._router.route(turn.transcript)
        if isinstance(intent, Intent) and self._too_unsure(turn.transcript, intent):
            intent = NotRecognized("heard too unclearly for a payment")
            text = ""
        turn = replace(turn, intent=intent, timings=replace(turn.timings, intent=clock()))
        if isinstance(intent, Intent):
            turn = replace(turn, transcript=replace(turn.transcript, language=intent.language))
            self.gate.drop()  # the wearer went on to something else
            return await self._act(turn, intent, clock, plan)
        if (control := dialogue.control(text)) is not None:
            return self._control(turn, control, clock)
        if self.gate.open is not None:
            return self._answer(turn, self.gate.open.proposal, clock)
        return self._answer(turn, self._unknown(text, language), clock)

    def _too_unsure(self, transcript: Transcript, intent: Intent) -> bool:
        risk = self.skills.actions[intent.name].declaration.risk
        return risk == "money" and transcript.confidence < SURE

    async def _settle(self, turn: Turn, meant: yesno.Answer, clock: Clock) -> Turn:
        """Carry the wearer's yes or no to the gate."""
        said = "zh" if turn.transcript.language == "zh" else "en"
        self._final()
        if meant != "yes":
            return self._answer(turn, self.gate.decline(said), clock)
        skill = self.gate.open.skill if self.gate.open else ""
        limit_s = self.options.commit_timeout_s
        self.committing = True
        try:
            outcome = await self.skills.runner.run(
                skill, partial(self.gate.confirm, said), limit_s, interrupt=False
            )
        finally:
            self.committing = False
        if outcome.error is not None:  # the gate's own: a ledger that can no longer be written
            log.error("the ledger failed: %s", type(outcome.error).__name__)
            turn = replace(turn, error=f"the ledger failed: {outcome.error}")
        fault = f"took over {limit_s:g} s" if outcome.timed_out else self.gate.fault
        if fault:
            turn = replace(turn, error=f"{skill}'s commit {fault}")
            self.skills.offend(skill, f"{skill}'s commit {fault}")
        return self._answer(turn, outcome.value or self.gate.unanswered(said), clock)

    def _unknown(self, text: str, language: str) -> Reply:
        said = dialogue.SAID.get(language, dialogue.SAID["en"])
        if len(text) > MAX_CHARACTERS:
            return Reply(said["too long"].format(limit=MAX_CHARACTERS))
        key = "unknown" if text.strip() else "unheard"
        return Reply(said[key].format(can=dialogue.abilities(self.skills.actions, language)))

    async def _act(
        self, turn: Turn, intent: Intent, clock: Clock, plan: Plan | None = None
    ) -> Turn:
        """Run the action; whatever becomes of it, there is a reply and the agent lives on."""
        action = self.skills.actions[intent.name]
        language, limit_s = turn.transcript.language, self.options.action_timeout_s
        said = dialogue.SAID.get(language, dialogue.SAID["en"])
        if action.declaration.risk == "change":
            self._final()
        elif self._stream is not None:
            self._memories.mark(action.skill)  # the wearer may turn out not to have finished
        outcome = None
        if plan is not None and plan.intent == intent and plan.ctx.language == language:
            outcome, ctx = await plan.keep(), plan.ctx
        if outcome is None:
            scope = CancelScope(limit_s)
            ctx = self._context(action, language, scope)
            call = partial(_call, action, intent, ctx)
            try:
                outcome = await self.skills.runner.run(action.skill, call, limit_s)
            except asyncio.CancelledError:
                scope.cancel()
                raise
            if outcome.timed_out:
                scope.cancel()  # its thread cannot be ended, but what it calls on can
        else:
            self._memories.become(action.skill, ctx.memory)
        verdict = conduct.judge(action, outcome, limit_s, said)
        if outcome.error is not None:
            log.debug("%s failed", action.name, exc_info=outcome.error)
        if verdict.offences:  # one call is one offence, however much was wrong with it
            self.skills.offend(action.skill, "; ".join(verdict.offences))
        if ctx.asked_model:
            turn = replace(turn, model=self.model.name)
        if isinstance(verdict.reply, Proposal):
            self.gate.offer(verdict.reply, action.skill, language)
        return self._answer(replace(turn, error=verdict.error), verdict.reply, clock)

    def plan(self, transcript: Transcript) -> Plan | None:
        """Run what was said ahead of the end of its turn, where that has no effect."""
        if self.gate.open is not None:
            return None  # what is said may be the answer to a question
        intent = self._router.route(transcript)
        if not isinstance(intent, Intent) or self._too_unsure(transcript, intent):
            return None
        action, limit_s = self.skills.actions[intent.name], self.options.action_timeout_s
        if action.declaration.risk != "none":
            return None

        def run(ctx: Context) -> asyncio.Task[Outcome]:
            call = partial(_call, action, intent, ctx)
            return asyncio.create_task(self.skills.runner.run(action.skill, call, limit_s))

        return ahead(intent, self._context(action, intent.language, CancelScope(limit_s)), run)

    def _final(self) -> None:
        """Note that what was heard last had an effect, so nothing may take its place."""
        if self._stream is not None:
            self._stream.hearing.forget()

    async def ended(self, turn: Turn) -> Turn:
        """Let the observers look at the turn, and switch off who has offended too often."""
        runner, observers = self.skills.runner, self.skills.observers()
        outcomes = await asyncio.gather(
            *(runner.run(name, partial(see, turn), conduct.OBSERVER_S) for name, see in observers)
        )
        for (name, _), outcome in zip(observers, outcomes, strict=True):
            for offence in conduct.faults(outcome, f"{name}.turn_ended", conduct.OBSERVER_S):
                self.skills.offend(name, offence)
        for name in self.skills.settle():
            if isinstance(turn.intent, Intent) and turn.intent.skill == name:
                turn = self._disabled(turn, name)
        return turn

    def _disabled(self, turn: Turn, name: str) -> Turn:
        """Tell the wearer that the skill that answered this turn is off from now on."""
        said = dialogue.SAID.get(turn.transcript.language, dialogue.SAID["en"])
        off = Reply(said["disabled"].format(skill=name, count=conduct.OFFENCES), kind="alert")
        error = f"{turn.error or self.skills.offences[name][-1]}; {name} is disabled"
        shown = self._answer(replace(turn, error=error), off, _stopwatch())
        return replace(shown, timings=turn.timings)

    def _context(self, action: Action, language: str, scope: CancelScope) -> Context:
        sentences = action.languages.get(language)
        location = self.devices.location
        return Context(
            skill=action.skill,
            language=language,
            folder=self._folder / action.skill,
            memory=self._memories.of(action.skill),
            responses=sentences.responses if sentences else {},
            permissions=MappingProxyType(action.declaration.permissions),
            engine=self.model,
            prompts=prompts.beside(action.function).render,
            speaker=self.devices.speaker,
            locate=location.where if location else None,
            devices=self.devices.others,
            cancel=scope,
            clock=self.now,
        )

    def _control(self, turn: Turn, control: dialogue.Control, clock: Clock) -> Turn:
        """Obey one of the agent's own words."""
        self._final()
        said = dialogue.SAID.get(turn.transcript.language, dialogue.SAID["en"])
        match control:
            case "more" | "back" | "repeat":
                there = self.lens.turn({"more": 1, "back": -1, "repeat": 0}[control])
                if there or self.gate.open is not None:  # a question stays in sight
                    return self._lit(turn, self.lens.again(), clock)
                return self._answer(turn, Reply(said["no pages"]), clock, keep=True)
            case "clear":
                self.gate.drop()
                fault = self.lens.blank()
                error = f"the display could not be cleared: {fault}" if fault else turn.error
                return replace(turn, error=error)
            case "stop":
                if self.devices.speaker is not None:
                    self.devices.speaker.stop()
                return self._answer(turn, Reply(said["stopped"]), clock)
            case "help":
                return self._answer(turn, self._unknown("?", turn.transcript.language), clock)

    # -- showing --------------------------------------------------------------------------------

    def _answer(self, turn: Turn, reply: Reply, clock: Clock, keep: bool = False) -> Turn:
        """Lay a reply out and light its first page; `keep` leaves the pages before it in reach.

        A proposal is open only while it is what the lens shows: any other reply drops it, so that
        a yes can never pay for something out of sight.
        """
        if self.gate.open is not None and reply is not self.gate.open.proposal:
            self.gate.drop()
        times = replace(turn.timings, reply=clock())
        frames = lay_out(reply, self.lens.profile, turn.transcript.language)
        turn = replace(turn, reply=reply, frames=frames, timings=times)
        return self._lit(turn, self.lens.show(frames, keep), clock)

    def _lit(self, turn: Turn, fault: str | None, clock: Clock) -> Turn:
        if fault is not None:
            self.gate.drop()  # what was not shown cannot be agreed to
            return replace(turn, error=turn.error or f"the display refused a frame: {fault}")
        return replace(turn, timings=replace(turn.timings, first_glyph=clock()))

    async def close(self) -> None:
        """Let go of engines; the agent is not used afterwards."""
        if self._ears is not None:
            await self._ears.close()
        self.model.close()


def _call(action: Action, intent: Intent, ctx: Context) -> Any:
    """Call the action, or return the coroutine that it is."""
    arguments = dict(intent.slots)
    if action.declaration.context is not None:
        arguments[action.declaration.context] = ctx
    return action.function(**arguments)
