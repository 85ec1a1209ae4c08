"""The hooks: everything that a plugin can bring goes through one of them."""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pluggy

if TYPE_CHECKING:
    from agent.skill.context import Context
    from agent.turn import Turn

Kind = Literal[
    "asr",
    "voiceprint",
    "model",
    "display",
    "microphone",
    "speaker",
    "voice",
    "location",
    "camera",
    "imu",
    "battery",
    "light",
    "payment",
    "phone",
    "calendar",
    "places",
    "player",
    "traffic",
]
KINDS: tuple[Kind, ...] = typing.get_args(Kind)
"""What a plugin can provide."""

hookspec = pluggy.HookspecMarker("glasses")
hookimpl = pluggy.HookimplMarker("glasses")


class Register(Protocol):
    """What `register_skills` is given to call."""

    def __call__(self, *things: Any) -> None:
        """Take functions decorated with `@skill`, or objects with such methods."""
        ...


class Provide(Protocol):
    """What `register_devices` is given to call."""

    def __call__(self, kind: Kind, make: Callable[..., Any], name: str = "") -> None:
        """Take what builds an engine or a device of this kind from the Config, when it is needed.

        It raises EngineError or DeviceError where there is none; the next best is used then.
        """
        ...


class RegisterCommand(Protocol):
    """What `register_commands` is given to call."""

    def __call__(self, *commands: Any) -> None:
        """Take click commands or groups, each of a name that `glasses` does not have yet."""
        ...


class Hooks:
    """The hooks of the agent."""

    @hookspec
    def register_skills(self, register: Register) -> None:
        """Call `register(action, …)` with the skill's actions."""

    @hookspec
    def register_devices(self, provide: Provide) -> None:
        """Call `provide(kind, make, name)` for each engine or device the plugin brings."""

    @hookspec
    def register_commands(self, register: RegisterCommand) -> None:
        """Call `register(command)` with click commands for the command line of `glasses`."""

    @hookspec
    def turn_ended(self, turn: Turn) -> None:
        """Look at a turn whose answer is on the lens. What is returned is not used.

        The plugin has to declare `permissions = {"transcripts": "why"}`, as an attribute of its
        module or object: a turn holds what was said and shown, whatever skill it was for.
        """

    @hookspec
    def dashboard(self, ctx: Context) -> str | None:
        """Return a line for the dashboard, or None while there is nothing to say.

        What comes after a tab stands at the right. `ctx` has the skill's memory and its language.
        """


HOOKS = tuple(name for name in vars(Hooks) if not name.startswith("_"))

READING = ("turn_ended",)
"""Hooks that are given what was said and shown: a plugin needs the permission for them."""
TRANSCRIPTS = "transcripts"
"""That permission. It is a plugin's, not an action's: no action is given what others were told."""
