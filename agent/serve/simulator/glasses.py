"""One pair of glasses: an agent, and the virtual devices that a page stands in for."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from agent import private
from agent.derive.completion import Completion
from agent.errors import EngineError, GlassesError
from agent.language.text import language_of
from agent.loop.agent import Agent
from agent.messages import NotRecognized, Transcript
from agent.serve.simulator import from_page, to_page
from agent.serve.simulator.body import Body
from agent.serve.simulator.camera import PageCamera
from agent.serve.simulator.from_page import Setting
from agent.serve.simulator.lens import PageLens
from agent.serve.simulator.microphone import PageMicrophone
from agent.serve.simulator.recording import Recording
from agent.serve.simulator.speaker import PageSpeaker
from agent.serve.simulator.to_page import Answered, Heard, Next, Note, ToPage, Welcome
from agent.turn import Turn
from agent.version import __version__
from hardware import profiles, spoken
from hardware.base import DeviceError, Display, Speaker
from hardware.spoken.make import SPOKEN

log = logging.getLogger(__name__)

STILL_S, MOVES_S = 2.7, 1.3
"""How long the head must have been still for a nod to be one (`agent.body.gestures`), and how long
one takes."""
CANCEL_S = 0.5
"""How long listening may take to end before it is told again."""
LINES = 8
"""Typed lines that wait at most; more are refused."""
OPTIONS = 8
"""Most continuations offered at once."""
DRAWN = 8
"""Sentences drawn from a template for an example; the shortest of them reads best."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the composition root builds an agent around."""

    display: Display
    """The page's lens."""
    speaker: Speaker
    """The page's loudspeaker."""
    camera: PageCamera
    """The page's camera, for `Devices.others["camera"]`."""
    body: Body
    """Battery, IMU and light sensor."""
    language: str
    """`auto`, `en` or `zh`."""
    folder: Path
    """Where this pair keeps what outlives its agent."""


@dataclass(frozen=True, slots=True)
class Built:
    """An agent, and what only the composition root knows of it."""

    agent: Agent
    """The agent."""
    ears: str = "none"
    """Name of the speech engine, or why there is none."""
    plugins: tuple[str, ...] = ()
    """Plugins that were asked for by name."""


Make = Callable[[Parts], Built]
"""Builds an agent; called on a thread of its own. Raises GlassesError or DeviceError."""


class Glasses:
    """A pair that can be worn. `tell` is given what pages are to know, on the loop's thread."""

    def __init__(
        self, make: Make, folder: Path, setting: Setting, tell: Callable[[ToPage], None]
    ) -> None:
        """Lie there, switched off. Raises DeviceError for a profile that there is not."""
        self._make = make
        self._folder = folder
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._pages = tell
        self.setting = setting
        self.body = Body()
        self.camera = PageCamera(lambda number: self.tell(to_page.Look(number)))
        self.speaker = PageSpeaker(self.tell)
        self.lens = PageLens(profiles.load(setting.profile), self.tell)
        self.microphone = PageMicrophone()
        self.turns: list[Turn] = []
        """What was answered, for as long as somebody clears it."""
        self._built: Built | None = None
        self._welcome: Welcome | None = None
        self._completion: Completion | None = None
        self._ready = asyncio.Event()
        self._hears = False
        self._moved_s = -STILL_S  # when the head will have moved last
        self._held = False
        self._typing = asyncio.Lock()
        self._typed = 0
        self._completing = asyncio.Lock()
        self._recording: Recording | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Task[None] | None = None

    # -- power ------------------------------------------------------------------------------------

    @property
    def on(self) -> bool:
        """Whether there is an agent."""
        return self._built is not None

    async def settle(self) -> None:
        """Be on while there is any charge, and off while there is none. Raises like `start`."""
        if self.body.powered and not self.on:
            await self.start()
        elif self.on and not self.body.powered:
            await self.stop(cut=True)
        self.tell(self.state())

    async def start(self) -> None:
        """Switch on: build the agent and greet. Raises GlassesError or DeviceError."""
        private.folder(self._folder)
        profile = profiles.load(self.setting.profile)
        self.lens = PageLens(profile, self.tell, self.body.lost)
        parts = Parts(
            self.lens, self.speaker, self.camera, self.body, self.setting.language, self._folder
        )
        built = await asyncio.to_thread(self._make, parts)
        agent = built.agent
        agent.listening = replace(agent.listening, allowed=self._both(agent.listening.allowed))
        agent.lens.on_outcome = self._came_of
        self._built, self._completion = built, Completion(agent.sayings)
        self._welcome = await asyncio.to_thread(self._greeting, built)
        self._ready.set()
        self._listener = asyncio.create_task(self._listening(agent))
        for message in self.everything():
            self.tell(message)

    async def stop(self, cut: bool = False) -> None:
        """Switch off; `cut` off from power, the next agent goes on where this one was."""
        if cut and self._built is not None:
            self._built.agent.cut()
        self._ready.clear()
        await self._discard_recording()
        self.microphone.close()
        self.speaker.stop()
        built, self._built, self._welcome = self._built, None, None
        while self._listener is not None and not self._listener.done():
            self._listener.cancel()  # Python 3.11's wait_for may swallow one
            await asyncio.wait({self._listener}, timeout=CANCEL_S)
        for task in (waiting := [*self._tasks]):
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if built is not None:
            try:
                await built.agent.close()
            except GlassesError as error:  # an engine that hangs
                log.warning("an agent was left behind: %s", type(error).__name__)
        self.lens.switch_off()

    async def _discard_recording(self) -> None:
        if (path := await self.stop_recording()) is not None:
            path.unlink(missing_ok=True)

    async def change(self, setting: Setting) -> None:
        """Become other glasses, or hear another language. Raises DeviceError, GlassesError."""
        profiles.load(setting.profile)
        await self.stop(cut=True)
        self.setting = setting
        await self.settle()

    def _both(self, allowed: Callable[[], bool]) -> Callable[[], bool]:
        """Open the microphone only while it may be and there is a link to it."""
        return lambda: allowed() and not self.body.lost

    def set_clock(self, began: datetime) -> None:
        """Let skills believe that it was this time when the glasses came on."""
        if self._built is not None:
            first = datetime.now()
            self._built.agent.now = lambda: began + (datetime.now() - first)

    # -- what is told -----------------------------------------------------------------------------

    def tell(self, message: ToPage) -> None:
        """Tell the pages, from any thread."""
        if threading.get_ident() == self._thread:
            self._pages(message)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._pages, message)

    def everything(self) -> list[ToPage]:
        """Return what a page that has just come has to know."""
        known: list[ToPage | None] = [
            self._welcome, self.lens.whole(), self.state(), self.speaker.now()
        ]  # fmt: skip
        return [message for message in known if message is not None]

    def state(self) -> to_page.State:
        """Return how things are with the glasses."""
        return self.body.state(self.on, self._recording is not None)

    def health(self) -> to_page.Health:
        """Return what the microphone's stream went through."""
        counts = self.microphone.counts
        return to_page.Health(counts.chunks, counts.dropped, counts.missing, counts.odd)

    def _greeting(self, built: Built) -> Welcome:
        profile = self.lens.profile
        skills = built.agent.skills
        return Welcome(
            version=__version__,
            profile={**asdict(replace(profile, type=None)), "has": sorted(profile.has)},
            profiles=list(profiles.names()),
            language=self.setting.language,
            skills=[_skill(action) for action in skills.actions.values()],
            problems=[f"{p.plugin}: {p.reason}" for p in skills.problems],
            ears=built.ears,
            model=built.agent.model.name,
            spoken=[
                {"name": path.stem, "text": SPOKEN[path.stem]}
                for path in spoken.clips()
                if path.stem in SPOKEN
            ],
        )

    def _heard(self, transcript: Transcript) -> None:
        self.tell(
            Heard(
                transcript.text,
                transcript.final,
                round(transcript.confidence, 3),
                transcript.engine,
            )
        )

    def _answered(self, turn: Turn) -> None:
        if self._recording is not None:
            self._recording.turn(turn)
        self.turns.append(turn)
        del self.turns[:-100]
        unknown = turn.intent.reason if isinstance(turn.intent, NotRecognized) else None
        verdicts = [asdict(verdict) for verdict in turn.verdicts]
        self.tell(Answered(turn.as_json(), verdicts, unknown, replayed=False))
        self.tell(self.health())

    def _came_of(self, outcome: Any) -> None:
        request = outcome.request
        text = request.reply.title or request.reply.text.partition("\n")[0]
        self.tell(
            to_page.Outcome(
                outcome.kind, request.owner, request.priority.name.lower(), text, outcome.reason
            )
        )

    # -- what is done -----------------------------------------------------------------------------

    def say(self, text: str, language: str | None = None) -> None:
        """Answer a typed line, after those before it."""
        if self._typed >= LINES or not self.body.powered:
            self.tell(Note("busy" if self.body.powered else "off"))
            return
        self._typed += 1
        self._spawn(self._say(text, language))

    async def _say(self, text: str, language: str | None) -> None:
        try:
            async with self._typing:
                await self._ready.wait()
                if (built := self._built) is None:
                    return
                if self._recording is not None:
                    self._recording.typed(text, language)
                self._answered(await built.agent.hear(text, language))
        finally:
            self._typed -= 1

    def listen(self, on: bool) -> None:
        """Open or close the microphone."""
        if on:
            self.microphone.open()
        else:
            self.microphone.close()

    def hold(self, down: bool) -> None:
        """Push to talk."""
        self._held = down
        if self._built is not None:
            self._built.agent.hold(down)

    def hear(self, sound: from_page.Sound) -> None:
        """Take sound from the page."""
        if self._held and self._built is not None:
            self._built.agent.hold(True)  # the stream may have begun after the key was pressed
        self.microphone.hear(sound.number, sound.pcm)

    def gesture(self, message: from_page.Gesture) -> None:
        """Move the head, or touch the temple."""
        if message.name in ("tap", "double_tap"):
            self._spawn(self._touch(message.name))
        else:
            self._spawn(self._move_head(message))

    async def _move_head(self, message: from_page.Gesture) -> None:
        """Move it once it has been still: a nod out of other movement is none, and not felt."""
        if message.name in ("nod", "shake"):
            began_s = max(self._loop.time(), self._moved_s + STILL_S)
            self._moved_s = began_s + MOVES_S
            await asyncio.sleep(began_s - self._loop.time())
        self.body.gesture(message)

    async def _touch(self, name: Any) -> None:
        if (built := self._built) is None:
            return
        turn = await built.agent.gesture(name)
        if turn is not None and not self._hears:  # else it comes with the stream's turns
            self._answered(turn)

    def move(
        self, message: from_page.Cell | from_page.Light | from_page.Temperature | from_page.Walk
    ) -> None:
        """Change the body; `settle` does what it means for the power."""
        self.body.move(message)
        self.tell(self.state())

    def lose(self, lost: bool) -> None:
        """Lose the link to the glasses, or have it back."""
        self.body.lost = lost
        self.lens.lose(lost)
        self.tell(self.state())

    def complete(self, text: str) -> None:
        """Say what can be said now, given what was typed so far."""
        self._spawn(self._complete(text))

    async def _complete(self, text: str) -> None:
        async with self._completing:  # it keeps the graph of what could be said last
            built, completion = self._built, self._completion
            if built is None or completion is None:
                return
            options = await asyncio.to_thread(_options, completion, text)
            self.tell(Next(text, options, built.agent.asking))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- listening --------------------------------------------------------------------------------

    async def _listening(self, agent: Agent) -> None:
        """Hear the microphone and feel the rest, until the glasses are switched off."""
        try:
            self._hears = True
            async for turn in agent.listen(self.microphone, on_transcript=self._heard):
                self._answered(turn)
        except (EngineError, DeviceError) as error:
            self.tell(Note("deaf", str(error)))
        finally:
            self._hears = False
        agent.lens.live(True)  # typed lines and gestures go on
        agent.wear()
        try:
            await asyncio.Event().wait()
        finally:
            await agent.take_off()

    # -- recording --------------------------------------------------------------------------------

    def record(self) -> None:
        """Begin to write down what is said and answered. Raises GlassesError."""
        if self._recording is None and self._built is not None:
            built = self._built
            self._recording = Recording(built.agent, self.setting.language, built.plugins)
            self.microphone.tap = self._recording.hear
            self.tell(self.state())

    async def stop_recording(self) -> Path | None:
        """End the recording and return its file, which is the caller's to remove."""
        recording, self._recording = self._recording, None
        self.microphone.tap = None
        if recording is None:
            return None
        path = await recording.stop()
        self.tell(self.state())
        return path


def _skill(action: Any) -> dict[str, Any]:
    from agent.derive.sample import samples

    languages = [language for language in action.languages if action.sayings(language)]
    drawn = {
        language: [
            min((sample.text for sample in found), key=len, default="")
            for found in samples(action, language, limit=DRAWN, off_list=False).values()
        ]
        for language in languages
    }
    return {
        "name": action.name,
        "summary": action.declaration.summary,
        "risk": action.declaration.risk,
        "sentences": {lang: list(action.languages[lang].templates) for lang in languages},
        "examples": drawn,
    }


def _options(completion: Completion, text: str) -> list[str]:
    if language_of(text) == "zh":
        return completion.continuations(text)[:OPTIONS]
    done, _, begun = text.lstrip().rpartition(" ")
    head = f"{done} " if done else ""
    words = [word for word in completion.words(done) if word.startswith(begun.lower())]
    return [head + word for word in words[:OPTIONS] if word != begun.lower()]
