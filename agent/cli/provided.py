"""What plugins bring: the engine or device of each kind that is used, and why others are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from agent.config import Config
from agent.errors import GlassesError
from agent.listen.transcriber import Transcriber
from agent.listen.voiceprint import Voiceprint
from agent.models.llm.model import Model
from agent.plugins.hooks import KINDS, Kind
from agent.plugins.offences import raised
from agent.plugins.skills import Provider, Skills
from agent.skill.payments import PaymentProvider
from hardware.base import (
    Battery,
    DeviceError,
    Display,
    Imu,
    LightSensor,
    Location,
    Microphone,
    Player,
    Speaker,
    Voice,
)

MAKE_S = 10.0
"""Longest a plugin may take to build a device."""

PORTS: dict[Kind, Any] = {
    "asr": Transcriber,
    "voiceprint": Voiceprint,
    "model": Model,
    "display": Display,
    "microphone": Microphone,
    "speaker": Speaker,
    "voice": Voice,
    "location": Location,
    "imu": Imu,
    "battery": Battery,
    "light": LightSensor,
    "payment": PaymentProvider,
    "player": Player,
}
"""What a thing of each kind must be able to do; other kinds are between plugins and skills."""

LENT = tuple(kind for kind in KINDS if kind != "payment")
"""What a skill may ask for by `ctx.device`: no skill calls a payment provider, the gate does."""


@dataclass(slots=True)
class Chosen:
    """What plugins bring of one kind: the one that is used, and why others are not."""

    thing: Any = None
    """The engine or device; None when no plugin has a working one."""
    provider: Provider | None = None
    """Who built it."""
    notes: list[str] = field(default_factory=list)
    """One line for each that could not be built."""


def provided(skills: Skills, kind: Kind, config: Config, here: bool = False) -> Chosen:
    """Build the engine or device that a plugin provides; the plugin that was found last wins.

    `here` builds it on this thread, without a time-out, for engines that belong to their thread.
    """
    chosen = Chosen()
    for provider in skills.providers(kind):
        what = f"{kind} {provider.name} ({provider.source})"
        try:
            chosen.thing = _made(skills, provider, config, here)
        except (GlassesError, DeviceError) as error:
            chosen.notes.append(f"{what}: {' '.join(str(error).split())}")
        except Exception as error:  # the plugin boundary
            chosen.notes.append(f"{what} {raised(error)}")
        else:
            chosen.provider = provider
            break
    return chosen


def _made(skills: Skills, provider: Provider, config: Config, here: bool) -> Any:
    make = partial(provider.make, config)
    if here:
        thing = make()
    else:
        outcome = skills.runner.wait(provider.name, make, MAKE_S)
        if outcome.timed_out:
            raise DeviceError(f"not there within {MAKE_S:g} s")
        if isinstance(outcome.error, Exception):
            raise outcome.error
        if outcome.error is not None:
            raise DeviceError(raised(outcome.error))
        thing = outcome.value
    port = PORTS.get(provider.kind)
    if port is not None and not isinstance(thing, port):
        raise DeviceError(f"{type(thing).__name__} cannot do what a {port.__name__} does")
    return thing


def opener(skills: Skills, kind: Kind, config: Config) -> Callable[[], Any]:
    """Return what opens a device when it is first asked for."""

    @cache
    def open_it() -> Any:
        chosen = provided(skills, kind, config)
        if chosen.provider is None:
            raise DeviceError("; ".join(chosen.notes) or f"there is no {kind}")
        return chosen.thing

    return open_it
