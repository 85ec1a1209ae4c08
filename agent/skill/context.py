"""Context: what an action is given to work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import EngineError, Refused
from hardware.base import DeviceError, Place, Speaker

if TYPE_CHECKING:
    from agent.display.arbiter import Ticket
    from agent.language.world import WorldText
    from agent.messages import CancelScope, Reply
    from agent.models.llm.model import Model
    from agent.skill.declare import Permission

GUARDED: Mapping[str, Permission] = {"camera": "camera", "microphone": "microphone"}
"""Kinds of device that need a permission."""


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
    asked_model: bool = False
    """Whether the action has taken `model`, for the record of the turn."""
    shows: Callable[[Reply | str, str, float | None, bool], Ticket] | None = None
    """Asks the arbiter for the lens; behind `show`."""
    over: bool = False
    """Whether the action has returned, so that what it shows comes by itself."""
    cancel: CancelScope | None = None
    """Called off when the wearer says stop or the action's time is over; hand it to `model`."""

    def say(self, text: str, /, **values: Any) -> str:
        """Return a text in the wearer's language, with `{name}` fields filled in.

        The English text is the key; `responses:` in `sentences/<language>.yaml` translates it.
        """
        return self.responses.get(text, text).format(**values)

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

    @property
    def location(self) -> Place:
        """Where the wearer is.

        Raises Refused without the permission `location`, DeviceError where nothing can tell.
        """
        self._need("location", "asked where you are")
        if self.locate is None:
            raise DeviceError("nothing here can tell where you are: pair a phone or set a location")
        return self.locate()

    def device(self, kind: str) -> Any:
        """Return a device that a plugin provides: `ctx.device("camera")`.

        Raises Refused for a camera or microphone without the permission of that name, DeviceError
        where there is no such device.
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
