"""`glasses pair`: find a real lens, remember it, and show on it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from agent import config, private
from agent.cli import streams
from agent.config import Config
from agent.errors import ConfigError, GlassesError
from agent.loop.agent import Agent
from agent.plugins.hooks import hookimpl
from agent.plugins.skills import Skills
from hardware import reading
from hardware.lenses.kinds import KINDS, Lens, Paired, lacking, recognised
from hardware.wireless import bluetooth
from hardware.wireless.bluetooth import Radio
from hardware.wireless.display import Touch, WirelessDisplay

FILE = "lenses.json"
"""What was paired, in the data folder."""


def pair(name: str | None, seconds: float, radio: Radio | None = None) -> None:
    """Look for lenses, let one be chosen, and remember it. Raises GlassesError or DeviceError."""
    settings = config.load()
    seen = asyncio.run((radio or Radio()).scan(seconds))
    for line in lacking(seen):
        streams.echo(line, err=True)
    found = recognised(seen)
    if not found:
        raise GlassesError(
            f"no lens is in reach, of {len(seen)} devices that have a name: switch it on, take it"
            f" out of its case, and end its maker's app; known are {', '.join(KINDS)}"
        )
    lens = _chosen(found, name)
    _write(settings.data, [*(one for one in paired(settings.data) if one.name != lens.name), lens])
    streams.echo(f"{lens.name} is remembered. To show on it, set GLASSES_LENS, or in config.toml:")
    streams.echo(f"lens = {json.dumps(lens.name, ensure_ascii=False)}")


def _chosen(found: tuple[Paired, ...], name: str | None) -> Paired:
    names = ", ".join(lens.name for lens in found)
    if name is not None:
        for lens in found:
            if lens.name.casefold() == name.casefold():
                return lens
        raise GlassesError(f"{name} is not in reach; what is: {names}")
    if len(found) == 1:
        return found[0]
    if not sys.stdin.isatty():
        raise GlassesError(f"several lenses are in reach, so say which: {names}")
    for number, lens in enumerate(found, 1):
        streams.echo(f"{number}  {lens.name}  {lens.kind}")
    streams.flush()
    return found[click.prompt("Which one", type=click.IntRange(1, len(found))) - 1]


def show() -> None:
    """Print what was paired. Raises ConfigError."""
    settings = config.load()
    for lens in paired(settings.data):
        used = "  in use" if lens.name.casefold() == settings.lens.casefold() else ""
        streams.echo(f"{lens.name}  {lens.kind}  {' '.join(lens.addresses)}{used}")


def forget(name: str) -> None:
    """Forget a lens. Raises ConfigError."""
    settings = config.load()
    lens = _named(settings.data, name)
    _write(settings.data, [one for one in paired(settings.data) if one != lens])
    streams.echo(f"{lens.name} is forgotten")


def paired(folder: Path) -> tuple[Paired, ...]:
    """Return what was paired, the last one last. Raises ConfigError for a file that is damaged."""
    path = folder / FILE
    try:
        read = reading.from_json(reading.read_text(path))
        return tuple(_lens(one) for one in read["lenses"])
    except FileNotFoundError:
        return ()
    except (OSError, reading.Unreadable, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): remove it, and pair again") from None


def install(skills: Skills, settings: Config) -> None:
    """Add the lens of the settings as a plugin with a display, and a microphone where it has one.

    Raises ConfigError for one that was not paired, and DeviceError for one of no known kind.
    """
    if not settings.lens:
        return
    chosen = _named(settings.data, settings.lens)
    lens = Lens(chosen, partial(streams.echo, err=True))
    bluetooth.loop()  # begun here, so that its thread is nobody's plugin's
    skills.load(_Plugin(lens, chosen.name), "GLASSES_LENS")


def feel(agent: Agent) -> None:
    """Let the agent feel touches of a paired lens; on the agent's own loop.

    A key that is held down is push to talk, as on any glasses.
    """
    display, loop = agent.devices.display, asyncio.get_running_loop()
    felt: set[asyncio.Future[Any]] = set()

    def feels(touch: Touch) -> None:
        if touch == "tap" or touch == "double_tap":
            turn = asyncio.ensure_future(agent.gesture(touch))
            felt.add(turn)  # a task that nobody holds may be thrown away
            turn.add_done_callback(felt.discard)
        else:
            agent.hold(touch == "down")

    def touched(touch: Touch) -> None:
        with suppress(RuntimeError):  # the agent's loop has ended
            loop.call_soon_threadsafe(feels, touch)

    if isinstance(display, WirelessDisplay):
        display.on_touch = touched


class _Plugin:
    """A paired lens, as any plugin's devices."""

    __name__ = "paired_lens"

    def __init__(self, lens: Lens, name: str) -> None:
        self._lens = lens
        self._name = name

    @hookimpl
    def register_devices(self, provide: Callable[..., None]) -> None:
        """Provide what the lens has."""
        provide("display", lambda config: self._lens.display(), self._name)
        if self._lens.hears:
            provide("microphone", lambda config: self._lens.microphone(), self._name)


def _named(folder: Path, name: str) -> Paired:
    known = paired(folder)
    for lens in known:
        if lens.name.casefold() == name.casefold():
            return lens
    there = ", ".join(lens.name for lens in known) or "none"
    raise ConfigError(f"no lens {name!r} is paired; paired are: {there}: glasses pair finds one")


def _lens(value: dict[str, Any]) -> Paired:
    lens = Paired(value["kind"], value["name"], tuple(value["addresses"]))
    if not all(type(text) is str for text in (lens.kind, lens.name, *lens.addresses)):
        raise ValueError("a lens in it is not text")
    return lens


def _write(folder: Path, lenses: list[Paired]) -> None:
    whole = json.dumps({"lenses": [asdict(lens) for lens in lenses]}, ensure_ascii=False, indent=2)
    try:
        private.write(folder / FILE, whole + "\n")
    except OSError as error:
        raise ConfigError(f"{folder / FILE} cannot be written: {error.strerror or error}") from None
