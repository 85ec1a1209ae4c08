"""The agent: from a chunk of sound, or a typed line, to a glyph on the lens.

`hear` answers one transcript; `listen` turns a microphone into transcripts and hears each. Both
give a `Turn`. Nothing here knows a concrete skill, engine or device.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from agent import chat, conduct, controls, derive
from agent.acting import Acting
from agent.controls import said_in
from agent.dialogue import Dialogue
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
from agent.messages import Intent, NotRecognized, Proposal, Reply, Transcript
from agent.plan import Plan
from agent.plugins import Skills
from agent.sayable import Saying
from agent.skill import Action
from agent.stream import LISTENING, Listening, Stream
from agent.turn import Timings, Turn
from agent.understand import times, yesno
from agent.understand.router import Decision, Router, Stages
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
    models: Path | None = None
    """Folder of models that were pulled or trained; None where there is none."""


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
        self.listening = listening
        stages = Stages(options.models, model=self.model)
        self._router = Router(
            skills.actions, stages, lambda said: controls.control(said) is not None
        )
        self._dialogue = Dialogue(self._router, skills.actions)
        self._known: tuple[Action, ...] = ()
        self._ears = EngineThread(transcriber, options.engine_timeout_s) if transcriber else None
        self.lens = Lens(lambda: self.devices.display)
        self._acting = Acting(self, self._dialogue, folder)
        self._stream: Stream | None = None
        self._stale = True  # what can be said has changed since the engine was told
        self.committing = False
        """Whether a payment is being made, which nothing may interrupt."""

    # -- what can be said -----------------------------------------------------------------------

    def sayings(self, language: str) -> list[Saying]:
        """Return everything that can be said now, in one language."""
        said = [s for action in self.skills.actions.values() for s in action.sayings(language)]
        own = controls.sayings(language, self.asking)
        return [*said, *own, *self._dialogue.sayings(language)]

    def route(self, text: str, language: str | None = None) -> tuple[str, Intent | NotRecognized]:
        """Return the language of a text and what it means, without doing it."""
        spoken, decision = self.decide(text, language)
        return spoken, decision.meaning

    def decide(self, text: str, language: str | None = None) -> tuple[str, Decision]:
        """Return the same, and what each stage of the router made of it."""
        spoken = self._language(text, language)
        self._refresh()
        decision = self._router.decide(Transcript(text, spoken))
        meaning = decision.meaning
        return meaning.language if isinstance(meaning, Intent) else spoken, decision

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
        asyncio.get_running_loop().run_in_executor(None, self._router.load)
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
    def asking(self) -> bool:
        """Whether the wearer has been asked something and not answered yet."""
        return self.gate.open is not None or self._dialogue.question is not None

    @property
    def reopens(self) -> bool:
        """Whether the turn that is answered may turn out not to have ended."""
        return self._stream is not None

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
        if not transcript.text and heard.speech_ms < NOISE_MS and not self.asking:
            return None
        if self.options.language != "auto":
            transcript = replace(transcript, language=self.options.language)
        times = Timings(endpoint=heard.endpoint_ms, transcript=clock())
        turn = Turn(source, transcript, timings=times, replaces=replaces)
        if heard.continues:
            self._acting.memories.take_back()
            self._dialogue.drop()
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
        return await self.ended(await self._act(turn, [intent], clock))

    async def _respond(self, turn: Turn, clock: Clock, plan: Plan | None = None) -> Turn:
        """Find out what was meant and answer it; `plan` is what was got ready for it."""
        try:
            return await self._meant(turn, clock, plan)
        finally:
            self._stale = True  # a question may be open now, or no more
            if plan is not None:
                plan.drop()

    async def _meant(self, turn: Turn, clock: Clock, plan: Plan | None) -> Turn:
        self._acting.memories.settle()
        text, language = turn.transcript.text, turn.transcript.language
        self._refresh()
        late = self.gate.expire()
        if self.gate.open is not None or late:
            meant = yesno.answer(text)
            if meant == "yes" and turn.transcript.confidence < SURE:
                meant = "unclear"
            if meant in ("yes", "no"):
                return await self._settle(turn, meant, clock)
        if isinstance(self.model, NoModel):
            understood = self._dialogue.understand(turn.transcript)
        else:  # it may be asked to choose, and the microphone must not wait for it
            understood = await asyncio.to_thread(self._dialogue.understand, turn.transcript)
        decision, intents = understood.decision, understood.intents
        turn = replace(turn, intent=decision.meaning, verdicts=decision.verdicts)
        turn = replace(turn, timings=replace(turn.timings, intent=clock()))
        if any(self._too_unsure(turn.transcript, intent) for intent in intents):
            reason = NotRecognized("heard too unclearly for a payment")
            return self._again(replace(turn, intent=reason), "", clock)
        if intents:
            self.gate.drop()  # the wearer went on to something else
            if understood.instead:
                await self._acting.take_back()
            return await self._act(turn, intents, clock, plan)
        if understood.question is not None and self.gate.open is None:
            return self._answer(
                turn, Reply(self._dialogue.ask(understood.question, language)), clock
            )
        if (control := controls.control(text)) is not None:
            return await self._control(turn, control, clock)
        if understood.declined:
            return self._answer(turn, Reply(said_in(language)["stopped"]), clock)
        if (
            self.gate.open is None
            and chat.is_question(text)
            and not isinstance(self.model, NoModel)
        ):
            return await self._chat(turn, clock)
        return self._again(turn, text, clock)

    async def _chat(self, turn: Turn, clock: Clock) -> Turn:
        """Let the language model answer; its lines are lit as they come."""
        began: list[float] = []

        def show(text: str) -> None:
            self.lens.show(lay_out(Reply(text), self.lens.profile, turn.transcript.language))
            began.append(clock())

        turn = replace(turn, model=self.model.name)
        words, language = turn.transcript.text, turn.transcript.language
        try:
            said = await chat.answer(self.model, words, language, CancelScope(), show)
        except EngineError as error:
            return self._answer(replace(turn, error=str(error)), Reply(str(error)), clock)
        turn = self._answer(turn, Reply(said), clock)
        first = min([*began, turn.timings.first_glyph or clock()])
        return replace(turn, timings=replace(turn.timings, first_glyph=first))

    def _again(self, turn: Turn, text: str, clock: Clock) -> Turn:
        """Show the open question once more, or what can be said."""
        if self.gate.open is not None:
            return self._answer(turn, self.gate.open.proposal, clock)
        return self._answer(turn, self._unknown(text, turn.transcript.language), clock)

    def _too_unsure(self, transcript: Transcript, intent: Intent) -> bool:
        risk = self.skills.actions[intent.name].declaration.risk
        return risk == "money" and transcript.confidence < SURE

    async def _settle(self, turn: Turn, meant: yesno.Answer, clock: Clock) -> Turn:
        """Carry the wearer's yes or no to the gate."""
        said = "zh" if turn.transcript.language == "zh" else "en"
        self.final()
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
        said = said_in(language)
        if len(text) > MAX_CHARACTERS:
            return Reply(said["too long"].format(limit=MAX_CHARACTERS))
        if chat.is_question(text) and text != "?":
            return Reply(said["no model"].format(folder=self.options.models or "GLASSES_MODEL"))
        key = "unknown" if text.strip() else "unheard"
        return Reply(said[key].format(can=controls.abilities(self.skills.actions, language)))

    async def _act(
        self, turn: Turn, intents: Sequence[Intent], clock: Clock, plan: Plan | None = None
    ) -> Turn:
        """Run the actions one after the other; the last one's reply is shown, led by the others'.

        Whatever becomes of them, there is a reply and the agent lives on.
        """
        led: list[str] = []
        for intent in intents[:-1]:
            turn, reply = await self._acting.run(turn, intent)
            led.append(reply.text.partition("\n")[0] or reply.title)
            turn = replace(turn, before=(*turn.before, intent))
        turn, reply = await self._acting.run(turn, intents[-1], plan)
        if led:
            reply = replace(reply, text="\n".join([*led, reply.text]))
        if isinstance(reply, Proposal):
            self.gate.offer(reply, intents[-1].skill, turn.transcript.language)
        return self._answer(turn, reply, clock)

    def plan(self, transcript: Transcript) -> Plan | None:
        """Run what was said ahead of the end of its turn, where that has no effect."""
        if self.gate.open is not None:
            return None  # what is said may be the answer to a question
        intent = self._dialogue.foresee(transcript)
        if intent is None or self._too_unsure(transcript, intent):
            return None
        return self._acting.ahead(intent)

    def final(self) -> None:
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
        said = said_in(turn.transcript.language)
        off = Reply(said["disabled"].format(skill=name, count=conduct.OFFENCES), kind="alert")
        error = f"{turn.error or self.skills.offences[name][-1]}; {name} is disabled"
        shown = self._answer(replace(turn, error=error), off, _stopwatch())
        return replace(shown, timings=turn.timings)

    async def _control(self, turn: Turn, control: controls.Control, clock: Clock) -> Turn:
        """Obey one of the agent's own words."""
        self.final()
        said = said_in(turn.transcript.language)
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
            case "undo":
                taken = await self._acting.take_back()
                return self._answer(turn, taken or Reply(said["no undo"]), clock)
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
