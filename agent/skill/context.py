"""Context: what an action is given to work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import EngineError, Refused
from hardware.base import DeviceError, Place, Speaker

if TYPE_CHECKING:
    from agent.display.arbiter import Ticket
    from agent.language.world import WorldText
    from agent.messages import CancelScope, Reply, Transcript
    from agent.models.llm.model import Model
    from agent.skill.declare import Permission
    from agent.skill.later import Entry, Later
    from agent.skill.lists import Lists
    from agent.skill.notes import Notes
    from agent.skill.notices import Notices
    from agent.skill.payments import Payments

GUARDED: Mapping[str, Permission] = {
    "camera": "camera", "microphone": "microphone", "calendar": "personal",
}  # fmt: skip
"""Kinds of device that need a permission."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What a skill looks at again and again after its action, such as a walk that is under way."""

    look: Callable[[Context], Reply | bool | None]
    """Returns what there is to show, None while there is nothing, False when it is over."""
    every_s: float
    """Seconds between two looks."""


class Listener:
    """What a skill does with what is said; it says what it wants of that, and leaves the rest."""

    kept: bool = False
    """Whether what is said is kept: the lens shows a mark for as long as it has the floor."""
    stoppable: bool = True
    """Whether “stop” ends it; else only what the skill itself can be told does."""
    beside: bool = False
    """Whether commands go on beside it: the agent's own words, and those of a wearer whose voice is
    known. Its cards come and go then as any answer's do; else they stay, one in another's place."""

    def samples(self, pcm: bytes) -> None:
        """Take the next sound of the microphone, 16 kHz mono 16-bit; also while nobody speaks.

        On the thread of the loop: whatever takes long belongs elsewhere.
        """

    def partly(self, said: Transcript) -> None:
        """Take what has been heard so far. On the thread of the loop as well."""

    def heard(self, ctx: Context, said: Transcript, continues: bool) -> Reply | bool | None:
        """Take what was heard, on a thread of its own, for 8 s at most.

        A reply is lit; None shows nothing, and False gives the floor back. With `continues` it
        takes the place of what was heard last, which it begins with.
        """

    def over(self) -> None:
        """Let go: the floor was given back, or taken away."""

    @property
    def by_words(self) -> bool:
        """Whether it wants words at all, and not the sound alone."""
        return type(self).heard is not Listener.heard


@dataclass(slots=True)
class Context:
    """What one run of an action may use.

    The language of the turn, a model, prompts, a memory that lasts as long as the agent runs, a
    folder for its files, and the devices its permissions name.
    """

    skill: str
    """The skill that runs."""
    language: str
    """Language of the turn, ISO 639-1; reply in it, for instance through `say`."""
    folder: Path
    """A folder of the skill's own that outlives the agent; make it before writing there."""
    memory: dict[str, Any]
    """What the skill wants to remember between turns."""
    responses: Mapping[str, str] = field(default_factory=dict)
    """Translations of what the skill says in this language, by the English text."""
    permissions: Mapping[Permission, str] = field(default_factory=dict)
    """What the action declared, with reasons."""
    engine: Model | None = None
    """The model behind `model`."""
    prompts: Callable[..., str] | None = None
    """`prompts(name, language, **variables)`, the renderer behind `prompt`."""
    speaker: Speaker | None = None
    """Plays sound, where the glasses have a speaker."""
    locate: Callable[[], Place] | None = None
    """Tells where the wearer is; behind `location`."""
    devices: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    """What gives each device that a plugin provides, by kind; behind `device`."""
    clock: Callable[[], datetime] = datetime.now
    """Wall time; tests give their own."""
    teller: Payments | None = None
    """What there is of payments; behind `payments`."""
    asked_model: bool = False
    """Whether the action has taken `model`, for the record of the turn."""
    shows: Callable[[Reply | str, str, float | None, bool], Ticket] | None = None
    """Asks the arbiter for the lens; behind `show`."""
    over: bool = False
    """Whether the action has returned, so that what it shows comes by itself."""
    kept: Notes | None = None
    """What the wearer asked to have remembered; behind `notes`."""
    written: Path | None = None
    """The folder of the wearer's notes and lists; behind `lists`."""
    tells: Callable[[], bool] = lambda: True
    """Whether the model may be told what is the wearer's alone; behind `private_model`."""
    planner: Later | None = None
    """What is to happen later; behind `schedule`."""
    notices: Notices | None = None
    """Notifications; behind `inbox` and `notify`."""
    floor: Callable[[Listener | None], None] | None = None
    """Gives the skill the floor, or takes it; behind `listen`."""
    likeness: Callable[[str, Sequence[str]], list[float]] | None = None
    """Compares texts; behind `alike`."""
    watching: Watch | None = None
    """What is to be looked at from now on, as `watch` has set it."""
    cancel: CancelScope | None = None
    """Called off when the wearer says stop or the action's time is over; hand it to `model`."""

    def say(self, text: str, /, **values: Any) -> str:
        """Return a text in the wearer's language, with `{name}` fields filled in.

        The English text is the key; `responses:` in `sentences/<language>.yaml` translates it.
        """
        return self.responses.get(text, text).format(**values)

    def told(self, fault: Exception) -> str:
        """Return what failed in the wearer's language, as `say` has it where it is the skill's."""
        from agent.language.faults import told

        return told(fault, self.language, self.responses)

    @staticmethod
    def world(text: object, longest: int = 300) -> WorldText:
        """Mark text from the world: a sign, a code, a review, a feed, an answer of a service.

        It comes back on one line, `longest` characters at most, without signs that hide or turn it;
        prompts fence it, and nothing takes it for something that was said.
        """
        from agent.language.world import world_text

        return world_text(text, longest)

    @property
    def model(self) -> Model:
        """The language model. Its calls raise EngineError where none is installed."""
        if self.engine is None:
            from agent.models.llm.model import missing

            raise EngineError(missing())
        self.asked_model = True
        return self.engine

    @property
    def private_model(self) -> Model:
        """The model, for a prompt that holds what the wearer asked to have remembered.

        Raises EngineError where it would leave this device and the wearer has not allowed that.
        """
        if not self.tells():
            raise EngineError("what you had remembered stays here: GLASSES_SHARE=notes allows it")
        return self.model

    @property
    def notes(self) -> Notes:
        """What the wearer had remembered. Raises Refused without the permission `personal`."""
        self._need("personal", "asked for what you had remembered")
        if self.kept is None:
            raise DeviceError("nothing is remembered here")
        return self.kept

    @property
    def lists(self) -> Lists:
        """The wearer's notes and lists, which all skills share. Raises DeviceError without any."""
        if self.written is None:
            raise DeviceError("nothing can be written down here")
        from agent.skill.lists import Lists

        return Lists(self.written)

    def prompt(self, name: str, /, **variables: Any) -> str:
        """Render a prompt file in the language of the turn. Raises PromptError."""
        if self.prompts is None:
            raise EngineError(f"no prompts were given to this agent, so {name} cannot be rendered")
        return self.prompts(name, self.language, **variables)

    def show(self, reply: Reply | str, key: str = "", stays_s: float | None = None) -> Ticket:
        """Ask for the lens beside the answer; on any thread, at any time while the skill is there.

        While the action runs the card is part of its turn, as progress is; afterwards it comes by
        itself and waits in the background, unless its kind is `alert`. A later card of the same
        `key` takes its place. `stays_s` is how long it is lit at most, by default as long as it
        takes to read it twice. The ticket says what became of it: shown, replaced, expired, refused
        or, when the agent ends, still queued.

        Raises Refused for a Proposal, which can only be returned; PluginError for a wrong reply.
        """
        if self.shows is None:
            raise DeviceError("there is no lens here")
        return self.shows(reply, key, stays_s, self.over)

    def watch(self, look: Callable[[Context], Reply | bool | None], every_s: float = 1.0) -> None:
        """Have `look(ctx)` called again and again once the action has ended, until it gives False.

        It is given a context of its own each time, with the skill's memory, and 5 s. A reply that
        it returns comes by itself: its `speech`, where it has one, is said aloud too. A skill
        watches one thing, and a later one takes its place; after a loss of power none is left.
        """
        self.watching = Watch(look, every_s)

    @property
    def location(self) -> Place:
        """Where the wearer is.

        Raises Refused without the permission `location`, DeviceError where nothing can tell.
        """
        self._need("location", "asked where you are")
        if self.locate is None:
            raise DeviceError("nothing here can tell where you are: pair a phone or set a location")
        return self.locate()

    @property
    def payments(self) -> Payments:
        """What was paid, and what became of it. Its calls raise LedgerError.

        Raises Refused without the permission `money`, DeviceError where nothing can be paid.
        """
        self._need("money", "asked for your payments")
        if self.teller is None:
            raise DeviceError("there is no ledger here")
        return self.teller

    @property
    def schedule(self) -> Later:
        """What is to happen by itself later: the skill's own entries, and what rings.

        Raises Refused without the permission `later`, DeviceError where nothing can be planned.
        """
        self._need("later", "asked to do something later")
        if self.planner is None:
            raise DeviceError("nothing can be planned here")
        return self.planner

    def later(self, after: timedelta, text: str = "", command: str = "") -> Entry:
        """Remind the wearer of a text after a length of time, or do what a sentence says then.

        It comes by itself, also after a restart, and is told late where nothing was on. Raises
        Refused without the permission `later`, beyond the skill's budget, for a payment, and for a
        command that no installed skill understands; OSError where it cannot be kept.
        """
        from agent.skill.later import Entry

        planner, at = self.schedule, self.clock().astimezone(UTC) + after
        if not command:
            return planner.add(Entry("reminder", text, instant=at, language=self.language))
        call = planner.understood(command, self.language)
        if call is None:
            raise Refused(f"no installed skill understands {command[:80]!r}")
        return planner.add(Entry("command", command, instant=at, call=call, language=self.language))

    @property
    def inbox(self) -> Notices:
        """Notifications from elsewhere, which wait to be read.

        Raises Refused without the permission `notify`, DeviceError where there are none.
        """
        self._need("notify", "asked for notifications")
        if self.notices is None:
            raise DeviceError("there are no notifications here")
        return self.notices

    def notify(self, text: str, title: str = "") -> str:
        """Send the wearer a notification in the skill's name, at any time; return its name.

        It is under the wearer's rules, and waits to be read where they are not to be disturbed.
        Raises Refused without the permission `notify`, and beyond the skill's budget.
        """
        from agent.skill.notices import Notice

        inbox = self.inbox
        if not inbox.afford(self.skill):
            raise Refused(f"{self.skill} has sent too many notifications: wait an hour")
        return inbox.take(Notice(self.skill, text, title))

    def listen(self, listener: Listener | None) -> None:
        """Be given what is said from now on, in place of commands, or with None no more.

        One skill has the floor at a time, and what it can itself be told is still obeyed, as are
        “stop” and the answer to a question. `Listener` says what it is given, and
        whether that is kept, which the lens then marks. Raises Refused without the permission
        `listen`, DeviceError where nothing is heard.
        """
        self._need("listen", "asked for what is said")
        if self.floor is None:
            raise DeviceError("nothing is heard here")
        self.floor(listener)

    def alike(self, words: str, texts: Sequence[str]) -> list[float]:
        """Return how like each text is to the words, 0 … 1: in meaning where a model reads it.

        Without one it is in words and their parts alone. Some milliseconds a text.
        """
        return [0.0 for _ in texts] if self.likeness is None else self.likeness(words, texts)

    def device(self, kind: str) -> Any:
        """Return a device that a plugin provides: `ctx.device("camera")`.

        Raises Refused for a camera or microphone without the permission of that name, and for the
        calendar without `personal`; DeviceError where there is no such device.
        """
        if kind == "location":
            return self.location
        if permission := GUARDED.get(kind):
            self._need(permission, f"asked for the {kind}")
        if kind not in self.devices:
            raise DeviceError(f"there is no {kind} here: install a plugin that provides one")
        return self.devices[kind]()

    def _need(self, permission: Permission, what: str) -> None:
        if permission not in self.permissions:
            raise Refused(
                f"{self.skill} {what} but never declared it:"
                f' add permissions={{"{permission}": "why"}} to its @skill'
            )
