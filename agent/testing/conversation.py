"""A conversation with an agent in process, and what a test can claim about it.

    conversation.says("pay 20 dollars to anna").calls("pay.pay", amount=20).asks().shows("$20.00")

A claim that is wrong raises AssertionError with what was said, what it meant, and the lens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wcwidth import wcswidth

from agent.act.gate import Gate
from agent.listen.transcriber import Transcriber
from agent.loop.agent import Agent, AgentOptions
from agent.messages import Intent, NotRecognized, Proposal, Reply, Transcript
from agent.models.llm.model import Model, ScriptedModel
from agent.plugins.skills import Skills
from agent.skill.slots import to_json
from agent.testing.clock import VirtualClock
from agent.testing.doubles import (
    SCRIPTED,
    ScriptedTranscriber,
    VirtualCamera,
    VirtualLocation,
    voiced,
)
from agent.turn import Timings, Turn
from hardware.base import Battery, Devices, Display, Frame, Imu, LightSensor, Location, Speaker
from hardware.display import MemoryDisplay
from hardware.microphone import FileMicrophone
from hardware.profiles import load as load_profile
from hardware.speaker import VirtualSpeaker

SPEECH_S_PER_CHARACTER = 0.06
"""How long a text takes to say: some 150 words of English a minute."""


@dataclass(frozen=True, slots=True)
class Doubles:
    """The virtual world around one agent; each part may be replaced."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    """Time of the agent, its devices and its actions."""
    model: Model = field(default_factory=ScriptedModel)
    """The language model."""
    transcriber: Transcriber = field(default_factory=ScriptedTranscriber)
    """The ears."""
    display: Display = field(default_factory=lambda: MemoryDisplay(load_profile("quark-s1")))
    """The lens."""
    speaker: Speaker = field(default_factory=VirtualSpeaker)
    """The sound."""
    location: Location | None = field(default_factory=VirtualLocation)
    """Where the wearer is; None when the glasses cannot tell."""
    imu: Imu | None = None
    """How the head moves, such as a VirtualImu."""
    battery: Battery | None = None
    """The cells, such as a VirtualBattery."""
    light: LightSensor | None = None
    """How bright it is, such as a VirtualLight."""
    camera: VirtualCamera | None = None
    """What the wearer looks at; None without a camera."""


class Conversation:
    """Talks to an agent of its own; the fixtures `ask` and `conversation` are one.

    Calling it says something: `ask("play music")`. It works in plain tests and in coroutines,
    where the result may be awaited.
    """

    def __init__(
        self,
        skills: Skills,
        folder: Path,
        doubles: Doubles | None = None,
        options: AgentOptions = AgentOptions(),  # noqa: B008  frozen, so sharing it is safe
    ) -> None:
        """Start an agent with `skills`; `folder` holds what it stores."""
        world = doubles or Doubles()
        if isinstance(world.transcriber, ScriptedTranscriber):  # it hears nothing a second time
            options = replace(options, patience=replace(options.patience, reopen_ms=0.0))
        self.clock = world.clock
        self.model = world.model
        self.transcriber = world.transcriber
        self.display = world.display
        self.speaker = world.speaker
        self.location = world.location
        self.camera = world.camera
        self.exchanges: list[Exchange] = []
        """Everything said so far."""
        self.agent = Agent(
            skills,
            Devices(
                world.display,
                world.location,
                world.speaker,
                world.imu,
                world.battery,
                world.light,
                {"camera": lambda: world.camera} if world.camera else {},
            ),
            folder,
            model=world.model,
            transcriber=lambda: world.transcriber,
            options=options,
            listening=SCRIPTED,
        )
        self.agent.gate = Gate(folder, self.clock.time)
        self.agent.now = self.clock.now
        self.agent.world.uptime = self.clock.time
        skills.runner.new_loop = self.clock.new_loop

    # -- speaking -------------------------------------------------------------------------------

    def __call__(self, text: str, language: str | None = None) -> Exchange:
        """Say `text`, as if it had been understood word for word, and wait for the answer."""
        return self._exchange(self.clock.run(self.agent.hear(text, language)))

    says = __call__

    async def later(self, text: str, language: str | None = None) -> Exchange:
        """Do as a call does, beside what else the test's own event loop does meanwhile."""
        return await asyncio.to_thread(self, text, language)

    def aloud(self, *texts: str) -> Exchange:
        """Speak `texts` one after the other into the microphone; return what came of the last.

        Sound as long as each text goes through voice-activity detection and endpointing; the
        transcriber, which has to be scripted, hears the texts. On the virtual clock it takes no
        time.
        """
        __tracebackhide__ = True
        if not isinstance(self.transcriber, ScriptedTranscriber):
            raise TypeError("aloud() needs a ScriptedTranscriber; give sound to listen()")
        self.transcriber.texts.extend(texts)
        sounds = [voiced(max(0.8, len(text) * SPEECH_S_PER_CHARACTER)) for text in texts]
        heard = self.listen(*sounds)
        if len(heard) != len(texts):
            raise AssertionError(f"{len(texts)} said aloud, {len(heard)} heard: {heard}")
        return heard[-1]

    def listen(self, *sources: Path | str | bytes) -> list[Exchange]:
        """Speak sound files, or 16 kHz mono int16 PCM, into the microphone, in real time."""

        async def hear() -> list[Exchange]:
            microphone = FileMicrophone(*sources, clock=self.clock.time)
            # One by one: an exchange remembers the lens as it was just then.
            return [self._exchange(turn) async for turn in self.agent.listen(microphone)]

        return self.clock.run(hear())

    def advance(self, seconds: float) -> Conversation:
        """Let time pass; whatever is due in it happens."""
        self.clock.advance(seconds)
        return self

    def close(self) -> None:
        """Let go of the agent and its clock."""
        if not self.clock.loop.is_closed():
            self.clock.run(self.agent.close())
            self.clock.close()

    # -- looking --------------------------------------------------------------------------------

    @property
    def frame(self) -> Frame | None:
        """What is on the lens now; None when it is clear."""
        if not isinstance(self.display, MemoryDisplay):
            raise TypeError("only a MemoryDisplay can be looked at")
        return self.display.frames[-1] if self.display.lit else None

    @property
    def lens(self) -> str:
        """What is on the lens now, a row a line; empty when it is clear."""
        frame = self.frame
        return "\n".join(line.text for line in frame.lines) if frame else ""

    @property
    def last(self) -> Exchange:
        """The last exchange."""
        if not self.exchanges:
            raise AssertionError("nothing was said yet")
        return self.exchanges[-1]

    def _exchange(self, turn: Turn) -> Exchange:
        opened = self.agent.gate.open
        frame = self.frame if isinstance(self.display, MemoryDisplay) else None
        exchange = Exchange(self, turn, frame, opened.proposal if opened else None)
        self.exchanges.append(exchange)
        return exchange


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """One thing said, and what came of it; the methods are claims and return the exchange."""

    conversation: Conversation = field(repr=False)
    """Where it was said."""
    turn: Turn
    """The agent's own record."""
    frame: Frame | None
    """What was on the lens right after."""
    proposal: Proposal | None
    """What the wearer was asked to confirm right after, if anything."""

    def __await__(self) -> Any:
        """Return the exchange at once, so that `await ask(…)` reads well in a coroutine."""
        return self
        yield  # makes this a generator, which is what `await` iterates

    # -- looking --------------------------------------------------------------------------------

    @property
    def lens(self) -> str:
        """What was on the lens, a row a line; empty when it was clear."""
        return "\n".join(line.text for line in self.frame.lines) if self.frame else ""

    @property
    def transcript(self) -> Transcript:
        """What was heard."""
        return self.turn.transcript

    @property
    def intent(self) -> Intent | NotRecognized | None:
        """What it meant; None when it only answered a question."""
        return self.turn.intent

    @property
    def slots(self) -> dict[str, Any]:
        """The slots of the intent by name; empty when no action was meant."""
        return dict(self.turn.intent.slots) if isinstance(self.turn.intent, Intent) else {}

    @property
    def reply(self) -> Reply | None:
        """What the wearer got."""
        return self.turn.reply

    @property
    def timings(self) -> Timings:
        """When each stage was done, in ms of virtual time."""
        return self.turn.timings

    @property
    def error(self) -> str | None:
        """What failed, in one line."""
        return self.turn.error

    # -- going on -------------------------------------------------------------------------------

    def then(self, text: str, language: str | None = None) -> Exchange:
        """Say something else, in the same conversation."""
        return self.conversation(text, language)

    def after(self, seconds: float) -> Exchange:
        """Let time pass and look again: the same turn, and the lens as it is then."""
        self.conversation.advance(seconds)
        opened = self.conversation.agent.gate.open
        return replace(
            self, frame=self.conversation.frame, proposal=opened.proposal if opened else None
        )

    # -- claims ---------------------------------------------------------------------------------

    def shows(self, *texts: str) -> Exchange:
        """Claim that each text is on the lens; where lines break does not matter."""
        __tracebackhide__ = True
        for text in texts:
            if not _within(text, self.lens):
                elsewhere = self._page_with(text)
                hint = f"; it is on page {elsewhere}" if elsewhere else ""
                self._fail(f"the lens does not show {text!r}{hint}")
        return self

    def hides(self, *texts: str) -> Exchange:
        """Claim that none of the texts is on the lens."""
        __tracebackhide__ = True
        for text in texts:
            if _within(text, self.lens):
                self._fail(f"the lens shows {text!r}")
        return self

    def calls(self, name: str, /, **slots: Any) -> Exchange:
        """Claim that this was the action (`skill.action`) and these were among its slots."""
        __tracebackhide__ = True
        intent = self.turn.intent
        called = intent.name if isinstance(intent, Intent) else "no action"
        if called != name:
            self._fail(f"{called} was called instead of {name}")
        actual = self.slots
        for slot, wanted in slots.items():
            if slot not in actual:
                self._fail(f"{name} was called without the slot {slot}")
            got = actual[slot]
            if got != wanted and to_json(got) != wanted:
                self._fail(f"slot {slot} of {name} is {got!r}, not {wanted!r}")
        return self

    def asks(self) -> Exchange:
        """Claim that something waits for the wearer's yes or no."""
        __tracebackhide__ = True
        if self.proposal is None:
            self._fail("nothing is asked: there is no open proposal")
        return self

    def asks_nothing(self) -> Exchange:
        """Claim that no proposal is open."""
        __tracebackhide__ = True
        if self.proposal is not None:
            self._fail("a proposal waits for a yes or no")
        return self

    def plays(self, name: str | None = None) -> Exchange:
        """Claim that a file sounds now; `name` is part of its name."""
        __tracebackhide__ = True
        playing = self.conversation.speaker.playing
        if playing is None:
            self._fail(f"nothing plays, {name or 'something'} should")
        elif name is not None and name not in playing.name:
            self._fail(f"{playing.name} plays, {name} should")
        return self

    def is_not_understood(self) -> Exchange:
        """Claim that no action was meant and the wearer was told what can be said."""
        __tracebackhide__ = True
        if not isinstance(self.turn.intent, NotRecognized):
            self._fail("it was understood")
        return self

    def fails(self, text: str = "") -> Exchange:
        """Claim that something went wrong and that `text` is in the message."""
        __tracebackhide__ = True
        if self.turn.error is None:
            self._fail("nothing failed")
        elif text not in self.turn.error:
            self._fail(f"the error is another one than {text!r}")
        return self

    def succeeds(self) -> Exchange:
        """Claim that nothing went wrong."""
        __tracebackhide__ = True
        if self.turn.error is not None:
            self._fail("it failed")
        return self

    def _page_with(self, text: str) -> str:
        for frame in self.turn.frames:
            if _within(text, "\n".join(line.text for line in frame.lines)):
                return f"{frame.page} of {frame.pages}"
        return ""

    def _fail(self, what: str) -> None:
        __tracebackhide__ = True
        raise AssertionError(f"{what}\n{self}")

    def __str__(self) -> str:
        """Tell what was said, what it meant and what is on the lens; failures print this."""
        turn = self.turn
        rows = [("said", turn.transcript.text or "(nothing)"), ("meant", _meaning(turn))]
        rows += [("lens", "\n".join(boxed(self.frame)))]
        if self.proposal is not None:
            asked = self.proposal
            rows.append(("asks", f"{asked.amount:.2f} {asked.currency} to {asked.payee}: yes?"))
        if turn.error:
            rows.append(("error", turn.error))
        earlier = [
            e.turn.transcript.text for e in self.conversation.exchanges if e.turn is not turn
        ]
        rows += [("earlier", text) for text in earlier[-5:]]
        skills = self.conversation.agent.skills
        rows += [("missing", f"{p.plugin}: {p.reason}") for p in skills.problems]
        return "\n".join(
            f"  {label if first else '':<8} {line}".rstrip()
            for label, text in rows
            for first, line in ((n == 0, line) for n, line in enumerate(text.split("\n")))
        )


def boxed(frame: Frame | None) -> list[str]:
    """Draw a frame with a rim, as in a terminal; a clear lens is one line."""
    if frame is None:
        return ["(clear)"]
    columns = frame.profile.columns
    page = f" {frame.page}/{frame.pages} " if frame.pages > 1 else ""
    return [
        "╭" + page.rjust(columns + 2, "─") + "╮",
        *(f"│ {line.text}{' ' * (columns - wcswidth(line.text))} │" for line in frame.lines),
        "╰" + "─" * (columns + 2) + "╯",
    ]


def _meaning(turn: Turn) -> str:
    match turn.intent:
        case Intent(slots=slots) as intent:
            filled = (f"{name}={value!r}" for name, value in slots.items() if value is not None)
            return f"{intent.name}({', '.join(filled)})"
        case NotRecognized(reason=reason):
            return f"not recognized: {reason}"
        case _:
            return "an answer to the agent, or one of its own words"


def _within(text: str, lens: str) -> bool:
    """Find a text however its lines were broken; between Chinese characters there is no space."""
    return any(_joined(text.split(), by) in _joined(lens.split(), by) for by in (" ", ""))


def _joined(words: Iterable[str], by: str) -> str:
    return by.join(words)
