"""The composition root: the one place that names concrete devices and engines."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import click

from agent.config import Config
from agent.errors import EngineError
from agent.listen.asr import Transcriber
from agent.llm.model import Model, NoModel
from agent.loop import Agent, AgentOptions
from agent.plugins import Skills
from hardware import location
from hardware.base import Devices, Display, Location, Place
from hardware.speaker import find_speaker

DEMO_PLACE = Place(lat=40.0026, lon=-34.9963, simulated=True)
"""Where the glasses believe to be when nothing can tell: the market square of the made-up town that
ships, which lies in the open Atlantic so that nobody is ever led along invented streets."""


@dataclass(frozen=True, slots=True)
class Ears:
    """The speech engine that will be used for a language, or why there is none."""

    name: str
    """Engine name, or "none"."""
    make: Callable[[], Transcriber]
    """Builds it; raises EngineError where there is none."""
    note: str = ""
    """One line: what is missing, and how to get it."""


def ears(config: Config, language: str) -> Ears:
    """Choose the engine: Whisper when its weights are on disk, else pocketsphinx for English."""
    from agent.listen import whisper

    def sphinx() -> Transcriber:
        from agent.listen.sphinx import PocketSphinx

        return PocketSphinx()

    folder = whisper.find_model(config.models)
    if folder is not None and (language != "zh" or not folder.name.endswith(".en")):
        options = whisper.WhisperOptions(language=None if language == "auto" else language)

        def whisper_or_sphinx() -> Transcriber:
            try:
                return whisper.FasterWhisper(folder, options)
            except EngineError as error:
                if language == "zh":
                    raise
                click.echo(f"{error}; pocketsphinx is used meanwhile", err=True)
                return sphinx()

        return Ears(f"faster-whisper {folder.name}", whisper_or_sphinx)
    note = f"better, and Chinese: put a CTranslate2 Whisper folder in {config.models}"
    if language == "zh":
        reason = (
            f"no engine for Chinese speech: put a CTranslate2 Whisper folder in {config.models}"
        )

        def refuse() -> Transcriber:
            raise EngineError(reason)

        return Ears("none", refuse, reason)

    if shutil.which("espeak-ng") is None:
        note = "new words are pronounced by simple rules: sudo apt install espeak-ng"
    return Ears("pocketsphinx", sphinx, note)


def model(config: Config) -> Model:
    """Return the language model on disk, or one whose every call says that there is none."""
    from agent.llm import store

    try:
        path = store.find_model({**os.environ, "GLASSES_MODELS": str(config.models)})
    except EngineError as error:
        return NoModel(str(error))
    if path is None:
        return NoModel()
    from agent.llm.llama import LlamaModel

    return LlamaModel(path)


def place(config: Config) -> Location:
    """Return where the wearer is set to be. Raises DeviceError for a nonsensical setting."""
    return location.FixedLocation(
        location.parse(config.location) if config.location else DEMO_PLACE
    )


def build(
    config: Config,
    display: Display,
    plugins: Iterable[str] = (),
    language: str | None = None,
) -> Agent:
    """Build the agent that the settings describe. Raises PluginError for a plugin asked for."""
    language = language or config.language
    return Agent(
        Skills.discover(plugins, config.plugins),
        Devices(display=display, location=place(config), speaker=find_speaker()),
        folder=config.data,
        model=model(config),
        transcriber=lambda: ears(config, language).make(),
        options=AgentOptions(language=language),
    )
