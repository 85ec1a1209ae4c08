"""The agent: from a chunk of sound, or a typed line, to a glyph on the lens.

`hear` answers one transcript; `listen` turns a microphone into transcripts and hears each. Both
give a `Turn`. Nothing here knows a concrete skill, engine or device.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
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
from agent.listen.asr import Transcriber
from agent.listen.endpoint import (
    Dropped,
    Ended,
    Endpointer,
    Event,
    Idle,
    Speaking,
    Started,
    energy_speech_end,
)
from agent.listen.engine import EngineThread
from agent.listen.vad import WebRtcVad
from agent.llm.model import CancelScope, Model, NoModel
from agent.messages import Intent, NotRecognized, Proposal, Reply, Transcript
from agent.plugins import Skills
from agent.sayable import Saying
from agent.skill import Action
from agent.turn import Timings, Turn
from agent.understand import times, yesno
from agent.understand.router import Router
from agent.understand.text import MAX_CHARACTERS, language_of
from hardware.base import DeviceError, Devices, Frame, Microphone

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
    ) -> None:
        """Build an agent; `folder` holds what outlives it, `transcriber` builds its ears."""
        self.skills = skills
        self.devices = devices
        self.model: Model = model or NoModel()
        self.options = options
        self.gate = Gate(folder)
        self.now: Callable[[], datetime] = datetime.now
        """Wall time that skills are told; tests give their own."""
        self._folder = folder
        self._router = Router(skills.actions)
        self._known: tuple[Action, ...] = ()
        self._ears = EngineThread(transcriber, options.engine_timeout_s) if transcriber else None
        self._memory: dict[str, dict[str, Any]] = {}
        self._shown: tuple[Frame, ...] = ()
        self._page = 0

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
        endpointer = endpointer or Endpointer(WebRtcVad())
        self._refresh()
        self._router.warm()
        await self._expect()
        said = _Said()
        async with aclosing(microphone.chunks()) as chunks:  # lets a device go at once
            async for chunk in chunks:
                event = endpointer.push(chunk)
                if isinstance(event, Idle | Started) and self._refresh():
                    await self._expect()
                try:
                    await self._follow(event, said, on_transcript)
                except EngineError as error:
                    said.error = error  # told when the wearer has finished
                if isinstance(event, Ended):
                    endpoint = Timings(endpoint=microphone.now_ms())
                    said.speech_ms = event.last_speech_ms - event.start_ms
                    turn = await self._spoken(
                        source, said, endpoint, microphone.now_ms, on_transcript
                    )
                    if turn is None:
                        continue
                    # Only for the record, so it is worked out after the answer is on the lens.
                    speech_end = energy_speech_end(bytes(said.pcm), said.start_ms)
                    yield await self._ended(
                        replace(turn, timings=replace(turn.timings, speech_end=speech_end))
                    )
                    await self._expect()

    async def _follow(
        self, event: Event, said: _Said, on_transcript: Callable[[Transcript], None] | None
    ) -> None:
        """Give the engine what belongs to the utterance, as it is spoken."""
        assert self._ears is not None
        if said.error and not isinstance(event, Started):
            return
        match event:
            case Started(preroll=chunks):
                said.error = None
                said.start_ms = chunks[0].start_ms
                said.pcm = bytearray().join(chunk.pcm for chunk in chunks)
                await self._ears.call(lambda engine: _begin(engine, bytes(said.pcm)))
            case Speaking(chunk=chunk) | Ended(chunk=chunk):
                said.pcm += chunk.pcm
                await self._ears.call(lambda engine: engine.feed(chunk.pcm))
                if on_transcript and (partial := await self._ears.call(lambda e: e.partial())):
                    on_transcript(partial)
            case Dropped():
                await self._ears.call(lambda engine: engine.abort())
            case Idle():
                pass

    async def _expect(self) -> None:
        """Tell the engine what can be said now."""
        assert self._ears is not None
        language = "en" if self.options.language == "auto" else self.options.language
        sayings = self.sayings(language)
        await self._ears.call(lambda engine: engine.expect(sayings))

    async def _spoken(
        self,
        source: str,
        said: _Said,
        times: Timings,
        clock: Clock,
        on_transcript: Callable[[Transcript], None] | None,
    ) -> Turn | None:
        """Get the transcript and answer it; None when there was a noise and nothing was said."""
        assert self._ears is not None
        if said.error:
            return self._failed(source, said.error, clock)
        try:
            transcript = await self._ears.call(lambda engine: engine.finish())
        except EngineError as error:
            return self._failed(source, error, clock)
        if not transcript.text and said.speech_ms < NOISE_MS and self.gate.open is None:
            return None
        if self.options.language != "auto":
            transcript = replace(transcript, language=self.options.language)
        times = replace(times, transcript=clock())
        if on_transcript:
            on_transcript(transcript)
        return await self._respond(Turn(source, transcript, timings=times), clock)

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
        return await self._ended(
            await self._respond(Turn(source, transcript, timings=times), clock)
        )

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
        return await self._ended(await self._act(turn, intent, clock))

    async def _respond(self, turn: Turn, clock: Clock) -> Turn:
        """Find out what was meant and answer it."""
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
            return await self._act(turn, intent, clock)
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
        if meant != "yes":
            return self._answer(turn, self.gate.decline(said), clock)
        skill = self.gate.open.skill if self.gate.open else ""
        limit_s = self.options.commit_timeout_s
        outcome = await self.skills.runner.run(
            skill, partial(self.gate.confirm, said), limit_s, interrupt=False
        )
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

    async def _act(self, turn: Turn, intent: Intent, clock: Clock) -> Turn:
        """Run the action; whatever becomes of it, there is a reply and the agent lives on."""
        action = self.skills.actions[intent.name]
        language, limit_s = turn.transcript.language, self.options.action_timeout_s
        said = dialogue.SAID.get(language, dialogue.SAID["en"])
        scope = CancelScope(limit_s)
        ctx = self._context(action, language, scope)
        call = partial(_call, action, intent, ctx)
        outcome = await self.skills.runner.run(action.skill, call, limit_s)
        if outcome.timed_out:
            scope.cancel()  # its thread cannot be ended, but what it calls on can
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

    async def _ended(self, turn: Turn) -> Turn:
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
            memory=self._memory.setdefault(action.skill, {}),
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
        said = dialogue.SAID.get(turn.transcript.language, dialogue.SAID["en"])
        match control:
            case "more" | "back" | "repeat":
                step = {"more": 1, "back": -1, "repeat": 0}[control]
                if not 0 <= self._page + step < len(self._shown):
                    if self.gate.open is not None:
                        return self._light(turn, clock)  # the question stays in sight
                    return self._answer(turn, Reply(said["no pages"]), clock, keep=True)
                self._page += step
                return self._light(turn, clock)
            case "clear":
                self._shown = ()
                self.gate.drop()
                return self._cleared(turn)
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
        frames = lay_out(reply, self.devices.display.profile, turn.transcript.language)
        turn = replace(turn, reply=reply, frames=frames, timings=times)
        if keep:
            return self._light(turn, clock, frames)
        self._shown, self._page = frames, 0
        return self._light(turn, clock)

    def _light(self, turn: Turn, clock: Clock, frames: tuple[Frame, ...] | None = None) -> Turn:
        frame = frames[0] if frames else self._shown[self._page]
        try:
            self.devices.display.show(frame)
        except Exception as error:  # a display may come from a plugin
            self.gate.drop()  # what was not shown cannot be agreed to
            reason = str(error) if isinstance(error, DeviceError) else type(error).__name__
            log.warning("the display refused a frame: %s", reason)
            return replace(turn, error=turn.error or f"the display refused a frame: {reason}")
        return replace(turn, timings=replace(turn.timings, first_glyph=clock()))

    def _cleared(self, turn: Turn) -> Turn:
        try:
            self.devices.display.clear()
        except Exception as error:  # a display may come from a plugin
            reason = str(error) if isinstance(error, DeviceError) else type(error).__name__
            return replace(turn, error=f"the display could not be cleared: {reason}")
        return turn

    async def close(self) -> None:
        """Let go of engines; the agent is not used afterwards."""
        if self._ears is not None:
            await self._ears.close()
        self.model.close()


@dataclass(slots=True)
class _Said:
    """The utterance so far."""

    start_ms: float = 0.0
    speech_ms: float = 0.0
    pcm: bytearray = field(default_factory=bytearray)
    error: EngineError | None = None


def _begin(engine: Transcriber, pcm: bytes) -> None:
    engine.start()
    engine.feed(pcm)


def _call(action: Action, intent: Intent, ctx: Context) -> Any:
    """Call the action, or return the coroutine that it is."""
    arguments = dict(intent.slots)
    if action.declaration.context is not None:
        arguments[action.declaration.context] = ctx
    return action.function(**arguments)
