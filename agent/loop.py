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
from typing import Any

from agent import conduct, controls, derive, unspoken
from agent.acting import Acting
from agent.context import Context
from agent.dialogue import Dialogue
from agent.errors import EngineError
from agent.gate import Gate
from agent.hearing import Heard
from agent.lens import Lens
from agent.listen.asr import Transcriber
from agent.listen.endpoint import Endpointer
from agent.listen.engine import LOAD_S, EngineThread
from agent.listen.patience import DEFAULT as DEFAULT_PATIENCE
from agent.listen.patience import Patience
from agent.llm.model import Model, NoModel
from agent.messages import Intent, NotRecognized, Reply, Transcript
from agent.plan import Plan
from agent.plugins import Skills
from agent.respond import Clock, Responder
from agent.sayable import Saying
from agent.senses import Senses
from agent.skill import Action
from agent.stream import LISTENING, Listening, Stream
from agent.turn import Timings, Turn
from agent.understand import times
from agent.understand.router import Decision, Router, Stages
from agent.understand.text import language_of
from agent.unspoken import Gesture
from hardware.base import Devices, Microphone

log = logging.getLogger(__name__)

SPARING = "the language model rests while power is low: charge or swap the batteries"

NOISE_MS = 600.0
"""Speech shorter than this that no engine understands is taken for a cough or a knock and gets no
answer, unless a question is open; the shortest commands ("stop", "next song") are understood."""


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
    engine_load_timeout_s: float = LOAD_S
    """Longest a speech engine may take to load; the wearer is told that it does."""
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
        self._model: Model = model or NoModel()
        self.sparing = False
        """Whether power is too low for large engines."""
        self.options = options
        self.gate = Gate(folder)
        self.now: Callable[[], datetime] = datetime.now
        """Wall time that skills are told; tests give their own."""
        self.listening = listening
        stages = Stages(options.models, model=self._model)
        self._router = Router(
            skills.actions, stages, lambda said: controls.control(said) is not None
        )
        self._dialogue = Dialogue(self._router, skills.actions)
        self._known: tuple[Action, ...] = ()
        self._transcriber = transcriber
        self._ears: EngineThread | None = None
        if transcriber is not None:
            limits = options.engine_timeout_s, options.engine_load_timeout_s
            self._ears = EngineThread(transcriber, *limits)
        self.lens = Lens(lambda: self.devices.display)
        self._acting = Acting(self, self._dialogue, folder)
        self._responder = Responder(self, self._dialogue, self._acting)
        self.senses = Senses(self, folder)
        self._stream: Stream | None = None
        self._stale = True  # what can be said has changed since the engine was told
        self.spoken = options.language
        """Language of the last turn, in which gestures are answered and news are told."""

    @property
    def model(self) -> Model:
        """The language model, as far as there is power for it."""
        return NoModel(SPARING) if self.sparing else self._model

    @model.setter
    def model(self, model: Model) -> None:
        self._model = model

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
        self.refresh()
        decision = self._router.decide(Transcript(text, spoken))
        meaning = decision.meaning
        return meaning.language if isinstance(meaning, Intent) else spoken, decision

    def _language(self, text: str, wanted: str | None) -> str:
        wanted = wanted or self.options.language
        return language_of(text) if wanted == "auto" else wanted

    def refresh(self) -> bool:
        """Look at what is installed now; say whether that has changed, as after a reload."""
        times.clock.set(self.now)
        known = tuple(self.skills.actions.values())
        if changed := [*map(id, known)] != [*map(id, self._known)]:
            gone = {a.skill for a in self._known} - {a.skill for a in known}
            self._known = known
            if self.gate.open is not None and self.gate.open.skill in gone:
                self.gate.drop()  # it was disabled or unloaded
            for skill in gone:
                self.lens.withdraw(skill)
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
        self.refresh()
        self._router.warm()
        asyncio.get_running_loop().run_in_executor(None, self._router.load)
        self._stale = True
        self._stream = Stream(self, self._ears, microphone, source, on_transcript, endpointer)
        self.lens.attach()
        self.lens.live(True)
        self.senses.begin()
        try:
            async with aclosing(self._stream.turns()) as turns:
                async for turn in turns:
                    yield turn
        finally:
            self._stream = None
            self.lens.live(False)
            await self.senses.end()

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
        changed = self.refresh() or self._stale
        self._stale = False
        return changed

    async def sayable(self) -> list[Saying]:
        """Return what can be said in the languages that the engine is to hear."""
        wanted = self.options.language
        if wanted != "auto" or self._ears is None:
            return self.sayings(wanted)
        known = await self._ears.languages()
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
        return await self._responder.respond(turn, clock, plan)

    def _failed(self, source: str, error: EngineError, clock: Clock) -> Turn:
        """Tell the wearer that the speech engine gave up on an utterance."""
        turn = Turn(source, Transcript(""), error=str(error))
        return self._responder.answer(turn, Reply(str(error), kind="alert"), clock)

    # -- answering ------------------------------------------------------------------------------

    async def hear(self, text: str, language: str | None = None, source: str = "text") -> Turn:
        """Answer one typed line, as if it had been said."""
        self.lens.attach()
        clock = _stopwatch()
        transcript = Transcript(text, self._language(text, language))
        times = Timings(speech_end=0.0, endpoint=0.0, transcript=0.0)
        return await self.ended(
            await self._responder.respond(Turn(source, transcript, timings=times), clock)
        )

    async def call(self, made: str | Mapping[str, Any], language: str = "en") -> Turn:
        """Do what a tool call says, under the same rules as if its sentence had been said.

        A call that no action answers gives a turn with an error, and the lens stays as it is.
        """
        self.lens.attach()
        clock = _stopwatch()
        self.refresh()
        intent = derive.call(self.skills.actions, made, language)
        turn = Turn("tool call", Transcript("", language), intent=intent)
        if isinstance(intent, NotRecognized):
            return replace(turn, error=intent.reason)
        self.gate.drop()
        return await self.ended(await self._responder.act(turn, [intent], clock))

    async def gesture(self, gesture: Gesture, *, rested: bool = False) -> Turn | None:
        """Take what the wearer did with head or hand, as `agent.unspoken` has it.

        `rested` says that the head was at rest before it, without which no nod pays.
        """
        turn = await unspoken.take(self, gesture, self.spoken, rested=rested)
        if turn is not None and self._stream is not None:
            self._stream.also(turn)
        return turn

    async def again(self, made: Mapping[str, Any], language: str) -> None:
        """Plan once more what a loss of power broke off, and ask again where it asked."""
        turn = await self.call(made, language)
        if self._stream is not None:
            self._stream.also(turn)

    @property
    def proposed(self) -> Intent | None:
        """The call behind the open proposal."""
        return None if self.gate.open is None else self._responder.proposed

    @property
    def committing(self) -> bool:
        """Whether a payment is being made, which nothing may interrupt."""
        return self._responder.committing

    async def spare(self, sparing: bool) -> None:
        """Do with the small engines while power is low, or with all again."""
        self._router.frugal = self.sparing = sparing
        small = self.listening.small
        if self._ears is not None and self._transcriber is not None and small is not None:
            await self._ears.use(small if sparing else self._transcriber)
            self._stale = True

    def context(self, skill: str, language: str) -> Context | None:
        """Return what a skill is given outside of a turn; None for a plugin without actions."""
        return self._acting.own_context(skill, language)

    def plan(self, transcript: Transcript) -> Plan | None:
        """Run what was said ahead of the end of its turn, where that has no effect."""
        if self.gate.open is not None:
            return None  # what is said may be the answer to a question
        intent = self._dialogue.foresee(transcript)
        if intent is None or self._responder.too_unsure(transcript, intent):
            return None
        return self._acting.ahead(intent)

    def stale(self) -> None:
        """Note that what can be said has changed."""
        self._stale = True

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
        self.senses.keep_soon()
        for name in self.skills.settle():
            if isinstance(turn.intent, Intent) and turn.intent.skill == name:
                turn = self._responder.disabled(turn, name)
        return turn

    async def close(self) -> None:
        """Let go of engines; the agent is not used afterwards."""
        self.lens.close()
        if self._ears is not None:
            await self._ears.close()
        self._model.close()
