"""The agent: from a chunk of sound, or a typed line, to a glyph on the lens.

The face of what is put together here: `hear` answers one typed line, `listen` what a microphone
hears, `call` a tool call, `gesture` a nod. Each gives a `Turn`, and all go through one lane
(`agent.loop.turns`). Nothing here knows a concrete skill, engine or device, and nothing below knows
the agent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.act.dispatch import Acting
from agent.act.gate import Gate
from agent.act.teller import Teller
from agent.act.tills import Tills
from agent.act.world import DEFAULT, AgentOptions, World
from agent.body.mind import Mind, Sizes
from agent.body.power import Rung, Step
from agent.display.lens import Lens
from agent.errors import EngineError, Refused
from agent.language import controls
from agent.language.saying import Saying
from agent.language.text import language_of
from agent.language.world import WorldText
from agent.listen.endpoint import Endpointer
from agent.listen.thread import EngineThread
from agent.listen.transcriber import Transcriber
from agent.loop.alarms import Alarms
from agent.loop.arrears import Arrears
from agent.loop.expected import Expectations
from agent.loop.gestures import Gesture, Gestures
from agent.loop.respond import Responder
from agent.loop.resume import Keeper
from agent.loop.senses import Felt, Senses
from agent.loop.stream import LISTENING, Listening, Stream
from agent.loop.taking import Taking
from agent.loop.turns import Turns
from agent.loop.watches import Watches
from agent.messages import Intent, NotRecognized, Transcript
from agent.models import store
from agent.models.llm.model import Model, NoModel
from agent.plugins.skills import Skills
from agent.turn import Turn
from agent.understand.dialogue import Dialogue
from agent.understand.plan import Planner
from agent.understand.router import Decision, Router, Stages
from hardware.base import DeviceError, Devices, Microphone

SPARING = "the language model rests while power or memory is low: charge or swap the batteries"

__all__ = ["Agent", "AgentOptions"]


class Agent:
    """Ears, router, gate and lens, put together."""

    def __init__(
        self,
        skills: Skills,
        devices: Devices,
        folder: Path,
        model: Model | None = None,
        transcriber: Callable[[], Transcriber] | None = None,
        options: AgentOptions = DEFAULT,
        listening: Listening = LISTENING,
        small: Model | None = None,
    ) -> None:
        """Build an agent; `folder` holds what outlives it.

        `transcriber` builds its ears; `listening` is what else it hears with; `small` is the model
        that stands in for `model` while power, memory or patience is short.
        """
        lens = Lens(lambda: self.world.devices.display)
        self._model = model or NoModel()
        self._small = small
        self._mind = Mind(_sizes(self._model, small))
        teller = Teller(folder, Tills(skills, folder), lambda: self.world.now())
        self.world = World(
            skills, devices, lens, Gate(folder, teller=teller), folder, self._model, options,
            spoken=options.language,
        )  # fmt: skip
        self.listening = listening
        stages = Stages(options.models, ask=lambda: self.world.model,
            sparing=lambda: self.world.rung == "templates")  # fmt: skip
        self._router = Router(skills.actions, stages, controls.is_own)
        self._router.wake = listening.attention.phrases
        self._dialogue = Dialogue(self._router, skills.actions)
        self._transcriber = transcriber
        self._ears: EngineThread | None = None
        if transcriber is not None:
            limits = options.engine_timeout_s, options.engine_load_timeout_s
            self._ears = EngineThread(transcriber, *limits)
        self._stream: Stream | None = None
        self._acting = Acting(self.world, self._dialogue)
        self._expected = Expectations(self.world, self._dialogue)
        keeper = Keeper(self.world)
        planner = Planner(self._router, skills.actions, lambda: self.world.model)
        responder = Responder(
            self.world, self._dialogue, self._acting, self._expected, keeper, planner
        )
        self._turns = Turns(
            self.world, self._dialogue, self._acting, self._expected, responder,
            after=self._after, final=self._final,
            taking=Taking(self.world, self._acting, self._expected, self._dialogue),
        )  # fmt: skip
        self._watches: asyncio.AbstractEventLoop | None = None
        self._alarms = Alarms(self.world, self._turns, self._expected, self._also)
        self._watching = Watches(self.world, self._turns, self._acting, self._also)
        self._gestures = Gestures(self.world, self._turns, self._acting, self._expected)
        felt = Felt(
            lambda gesture, rested: self.gesture(gesture, rested=rested), self._spare, keeper.keep
        )
        self._keeper = keeper
        self._arrears = Arrears(self.world)
        self.senses = Senses(self.world, felt)
        self._feels = False

    # -- what it has ----------------------------------------------------------------------------

    @property
    def skills(self) -> Skills:
        """What is installed."""
        return self.world.skills

    @property
    def lens(self) -> Lens:
        """What is shown."""
        return self.world.lens

    @property
    def gate(self) -> Gate:
        """What waits for a yes."""
        return self.world.gate

    @gate.setter
    def gate(self, gate: Gate) -> None:
        gate.teller = self.world.gate.teller  # who pays stays who it was
        self.world.gate = gate

    @property
    def devices(self) -> Devices:
        """What it sees, hears and shows with."""
        return self.world.devices

    @devices.setter
    def devices(self, devices: Devices) -> None:
        self.world.devices = devices

    @property
    def model(self) -> Model:
        """The language model, whether or not there is power for it."""
        return self._model

    @model.setter
    def model(self, model: Model) -> None:
        self._model = model
        self._mind = Mind(_sizes(model, self._small))
        self._mind.power(self.world.step)
        self._think()

    @property
    def options(self) -> AgentOptions:
        """How it behaves."""
        return self.world.options

    @options.setter
    def options(self, options: AgentOptions) -> None:
        self.world.options = options

    @property
    def now(self) -> Callable[[], datetime]:
        """Wall time that skills are told; tests give their own."""
        return self.world.now

    @now.setter
    def now(self, now: Callable[[], datetime]) -> None:
        self.world.now = now

    # -- what can be said -----------------------------------------------------------------------

    def sayings(self, language: str) -> list[Saying]:
        """Return everything that can be said now in one language."""
        return self._expected.sayings(language)

    def route(self, text: str, language: str | None = None) -> tuple[str, Intent | NotRecognized]:
        """Return the language of a text and what it means, without doing it."""
        spoken, decision = self.decide(text, language)
        return spoken, decision.meaning

    def decide(self, text: str, language: str | None = None) -> tuple[str, Decision]:
        """Return the same, and what each stage of the router made of it."""
        spoken = self._language(text, language)
        self._expected.refresh()
        decision = self._router.decide(Transcript(text, spoken))
        meaning = decision.meaning
        return meaning.language if isinstance(meaning, Intent) else spoken, decision

    def _language(self, text: str, wanted: str | None) -> str:
        wanted = wanted or self.options.language
        return language_of(text) if wanted == "auto" else wanted

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
        self._expected.refresh()
        self._router.warm()
        asyncio.get_running_loop().run_in_executor(None, self._load)
        self._stream = Stream(
            self._turns, self._ears, microphone, source, self.listening, on_transcript, endpointer
        )
        self._attach()
        self.lens.live(True)
        self.wear()
        try:
            async with aclosing(self._stream.turns()) as turns:
                async for turn in turns:
                    yield turn
        finally:
            self._stream = None
            self.lens.live(False)
            await self.take_off()

    def _load(self) -> None:
        """Load what the first words would otherwise wait for; a model that cannot says so later."""
        self._router.load()
        voice = self.world.devices.voice if self.world.mouth.mode != "off" else None
        for engine in (self.world.model, voice):
            load = getattr(engine, "load", None)  # an engine's own: no part of the port
            if load is not None:
                with suppress(EngineError, DeviceError):
                    load()

    def wear(self) -> None:
        """Feel head, light and power from now on, and go on with what a loss of power broke off."""
        self._keeper.begin(self._again)
        self._arrears.begin()
        self._feels = bool(self.devices.imu or self.devices.battery or self.devices.light)
        if self._feels:
            self.senses.begin()

    async def take_off(self) -> None:
        """Stop feeling; an end that is meant leaves nothing to go on with."""
        try:
            await self._arrears.end()
            await self._keeper.end()
        finally:
            if self._feels:
                await self.senses.end()

    def cut(self) -> None:
        """Be without power, as a simulator is: what was written stays, and nothing more is."""
        self._keeper.cut()

    def more_ears(self) -> EngineThread | None:
        """Return ears like its own for sound from elsewhere; None where it has none."""
        if self._transcriber is None:
            return None
        limits = self.options.engine_timeout_s, self.options.engine_load_timeout_s
        return EngineThread(self._transcriber, *limits)

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
        return self._expected.asking

    # -- answering ------------------------------------------------------------------------------

    async def hear(
        self, text: str, language: str | None = None, source: str = "text", answers: bool = True
    ) -> Turn:
        """Answer one typed line, as if it had been said.

        Without `answers` it says neither yes nor no to what is proposed, gives no PIN, and does
        nothing private: whoever sends it is not known to be the wearer.
        Raises Refused for text from the world: what stands on a package says nothing here, not even
        a yes.
        """
        if isinstance(text, WorldText):
            raise Refused("text from the world was handed in as something that the wearer said")
        self._attach()
        await self._arrears.first()
        return await self._turns.typed(text, self._language(text, language), source, answers)

    async def heard(self, transcript: Transcript, source: str, seen: str | None = None) -> Turn:
        """Answer what was heard, or typed, elsewhere by the wearer, as a hub for many glasses does.

        `seen` is the key of what was proposed when they began: a yes is to that, or to nothing.
        """
        self._attach()
        await self._arrears.first()
        return await self._turns.told(transcript, source, seen)

    async def went_on(self) -> None:
        """Return once what a loss of power broke off is gone on with, since `wear`."""
        await self._keeper.went_on()

    async def keep(self) -> None:
        """Return once what must outlive a loss of power is written down."""
        await self._keeper.keep()

    async def call(self, made: str | Mapping[str, Any], language: str = "en") -> Turn:
        """Do what a tool call says, under the same rules as if its sentence had been said.

        A call that no action answers gives a turn with an error, and the lens stays as it is.
        """
        self._attach()
        await self._arrears.first()
        return await self._turns.called(made, language)

    async def gesture(self, gesture: Gesture, *, rested: bool = False) -> Turn | None:
        """React to what the wearer did with head or hand, as `agent.loop.gestures` has it.

        `rested` says that the head was at rest before it, without which no nod pays. A tap that
        turns no page wakes.
        """
        self._attach()
        turn = await self._gestures.mean(gesture, rested=rested)
        if turn is not None:
            self._also(turn)
        elif not await self._gestures.look(gesture) and gesture == "tap":
            self.touch()
        return turn

    async def _again(self, made: Mapping[str, Any], language: str) -> None:
        """Plan once more what a loss of power broke off, and ask again where it asked."""
        self._also(await self.call(made, language))

    def _attach(self) -> None:
        """Belong to the loop that runs now, and watch what is due."""
        self.lens.attach()
        if self._watches is not (loop := asyncio.get_running_loop()):
            self._watches = loop
            self._alarms.begin()
            self._watching.resume()

    def _also(self, turn: Turn) -> None:
        """Let a stream report a turn that did not come from sound."""
        if self._stream is not None:
            self._stream.also(turn)

    def _final(self) -> None:
        """Let nothing replace what was heard last: it has had an effect."""
        if self._stream is not None:
            self._stream.hearing.forget()

    async def _spare(self, step: Step) -> None:
        """Make do with the small engines while power is low, or use all of them again."""
        self._mind.power(step)
        self._think()
        small = self.listening.small
        if self._ears is not None and self._transcriber is not None and small is not None:
            await self._ears.use(self._transcriber if step.large_engines else small)
            self._expected.forget()

    def _after(self, turn: Turn) -> None:
        """Write down what a turn has changed, and see which model may answer the next."""
        self._keeper.keep_soon()
        if isinstance(self._model, NoModel):
            return
        now_ms = asyncio.get_running_loop().time() * 1000
        timings = turn.timings
        if turn.model and timings.first_glyph is not None and timings.intent is not None:
            self._mind.answered((timings.first_glyph - timings.intent) / 1000, now_ms)
        self._mind.memory(store.available_memory() / 2**20, now_ms)
        self._mind.look(now_ms)
        self._think()

    def _think(self) -> None:
        """Let the model that may think now answer, and free the other's memory."""
        rung = self._mind.rung
        before, self.world.rung = self.world.rung, rung
        models: dict[Rung, Model | None] = {"large": self._model, "small": self._small}
        chosen = models.get(rung)
        self.world.model = NoModel(SPARING) if chosen is None else chosen
        for other in models.values() if rung != before else ():
            if other is not chosen and (unload := getattr(other, "unload", None)) is not None:
                unload()

    async def close(self) -> None:
        """Let go of engines, once a payment that is being made has ended; it is not used again."""
        try:
            await self._alarms.end()
            await self._watching.end()
            await self._turns.close()
            self.world.floor.leave()
            self.world.mouth.hush(resume=False)
            await self._arrears.end()
            self.world.gate.teller.close()
            self.lens.close()
            if self._ears is not None:
                await self._ears.close()
        finally:
            try:
                await self._keeper.close()
            finally:
                self._model.close()
                if self._small is not None:
                    self._small.close()


def _sizes(model: Model, small: Model | None) -> Sizes:
    """Return what each model that there is takes of the memory, as far as it says."""
    there: dict[Rung, Model | None] = {"large": model, "small": small}
    return {
        rung: float(getattr(one, "memory_mb", 0.0))
        for rung, one in there.items()
        if one is not None and not isinstance(one, NoModel)
    }
