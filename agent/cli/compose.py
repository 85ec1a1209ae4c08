"""The composition root: an agent of the devices and engines that were chosen.

With `engines` beside it, this is the one place that names concrete ones.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from agent import private
from agent.act import dispatch
from agent.act.mouth import Mode as VoiceMode
from agent.cli import pair, streams
from agent.cli.engines import Ears, ears, model, model_choice, stand_in, wake_phrases
from agent.cli.mcp import install
from agent.cli.provided import LENT, opener, provided
from agent.config import Config
from agent.errors import ConfigError, EngineError
from agent.listen import voiceprint
from agent.listen.attention import AttentionOptions, Mode
from agent.listen.bone import BoneFrontEnd, FrontEnd
from agent.listen.health import HealthLog
from agent.listen.transcriber import Transcriber
from agent.listen.voiceprint import Voiceprint
from agent.loop.agent import Agent, AgentOptions
from agent.loop.stream import Listening
from agent.models import store
from agent.models.llm.model import Model
from agent.plugins.hooks import Kind
from agent.plugins.skills import Skills
from hardware import location
from hardware.base import DeviceError, Devices, Display, Location, Place, Voice
from hardware.battery import find_battery
from hardware.light import find_light
from hardware.profiles import load_bone
from hardware.speaker import NoSpeaker, find_speaker
from hardware.voice import NoVoice, find_voice

DEMO_PLACE = Place(lat=40.0026, lon=-34.9963, simulated=True)
"""Where the glasses believe to be when nothing can tell: the market square of the made-up town that
ships, which lies in the open Atlantic so that nobody is ever led along invented streets."""


def voice(config: Config) -> Voice:
    """Return what says answers: the Piper voices that are there, and espeak-ng for all else."""
    espeak = find_voice()
    if isinstance(espeak, NoVoice) or (config.voice == "off" and not config.models.is_dir()):
        return espeak
    from hardware.piper import PiperVoice, Voices

    folders = [store.choose("voice", config.models, language).path for language in ("en", "zh")]
    found: list[Voice] = []
    for folder in dict.fromkeys(path for path in folders if path is not None):
        try:
            found.append(PiperVoice(folder))
        except DeviceError as error:
            streams.echo(f"{error}; meanwhile: {espeak.name}", err=True)
    return Voices(*found, espeak) if found else espeak


def place(config: Config) -> Location:
    """Return where the wearer is set to be. Raises DeviceError for a nonsensical setting."""
    return location.find(config.location) if config.location else location.FixedLocation(DEMO_PLACE)


def settle() -> None:
    """Spare Python's cycle collector what is loaded by now and stays until the process ends.

    It looks through every object it knows once in a while, and for a tenth of a second nothing
    else moves then: not the lens, nor the microphone.
    """
    gc.collect()
    gc.freeze()


def build(
    config: Config,
    display: Display,
    plugins: Iterable[str] = (),
    language: str | None = None,
    folder: Path | None = None,
    far: Model | None = None,
    skills: Skills | None = None,
) -> Agent:
    """Build the agent that the settings describe. Raises PluginError for a plugin asked for.

    What plugins provide is used before what ships, and before `display`. `folder` is where the
    agent keeps what is its own, `config.data` unless another is given; the wearer's enrolled voice
    is always in `config.data`. `far` is a model to use whatever the settings say, as many agents
    share one; `skills` are what `plugins` names, where they have been loaded already.
    """
    folder = folder or config.data
    if folder.is_dir():
        private.folder(folder)  # an earlier version left it open to others
    config = replace(config, language=language or config.language)
    if skills is None:
        skills = Skills.discover(plugins, config.plugins, apart=config.alone)
    install(skills, config, begin=True)
    pair.install(skills, config)

    ear = ears(config, config.language)
    for problem in ear.choice.problems:
        streams.echo(problem, err=True)

    def use(kind: Kind, otherwise: Callable[[], Any]) -> Any:
        chosen = provided(skills, kind, config)
        for note in chosen.notes:
            streams.echo(note, err=True)
        return otherwise() if chosen.provider is None else chosen.thing

    def hear() -> Transcriber:
        chosen = provided(skills, "asr", config, here=True)
        for note in chosen.notes:
            streams.echo(note, err=True)
        return chosen.thing or ear.make()

    def answer() -> Model:
        with suppress(EngineError):  # the model itself says so when it is asked
            for problem in () if "://" in config.model else model_choice(config).problems:
                streams.echo(problem, err=True)
        return model(config)

    devices = Devices(
        display=use("display", lambda: display),
        location=use("location", lambda: place(config)),
        speaker=use("speaker", find_speaker),
        voice=use("voice", partial(voice, config)),
        imu=use("imu", lambda: None),
        battery=use("battery", find_battery if config.sensors == "system" else lambda: None),
        light=use("light", find_light if config.sensors == "system" else lambda: None),
        others={k: opener(skills, k, config) for k in LENT if skills.providers(k)},
    )
    for lacking in (devices.voice, devices.speaker) if config.voice != "off" else ():
        if isinstance(lacking, (NoVoice, NoSpeaker)):
            streams.echo(f"voice: {lacking.reason}; answers are only shown", err=True)
    for warning in dispatch.warnings(skills.actions.values(), devices):
        streams.echo(warning, err=True)
    return Agent(
        skills,
        devices,
        folder=folder,
        model=far or use("model", answer),
        transcriber=hear,
        options=AgentOptions(
            language=config.language,
            models=config.models,
            private=_private(skills, config),
            share=frozenset(filter(None, (config.share,))),
            voice=cast(VoiceMode, config.voice),
            aloud=frozenset(filter(None, (config.aloud,))),
        ),
        listening=_listening(config, folder, ear, skills),
        small=None if far or skills.providers("model") else stand_in(config),
    )


def _private(skills: Skills, config: Config) -> frozenset[str]:
    """Return what the wearer keeps private, and say what of it nothing is called."""
    known = {*skills.actions, *(action.skill for action in skills.actions.values())}
    for name in sorted(config.own - known):
        streams.echo(f"private: no skill or action is called {name}: see glasses skills", err=True)
    if config.own and not voiceprint.enrolled(config.data):
        streams.echo("private has no effect until a voice is enrolled: glasses enroll", err=True)
    return config.own


def voice_engine(skills: Skills, config: Config) -> Voiceprint:
    """Return the engine that knows voices, a plugin's before the embedded one."""
    chosen = provided(skills, "voiceprint", config, here=True)
    for note in chosen.notes:
        streams.echo(note, err=True)
    if chosen.provider is not None:
        engine: Voiceprint = chosen.thing
        return engine
    from agent.listen.sphinx.voiceprint import GaussianVoiceprint

    return GaussianVoiceprint()


def _voice(config: Config, skills: Skills) -> Callable[[], Voiceprint] | None:
    """Return what gives an engine that knows the wearer; None where nobody is enrolled."""
    if not voiceprint.enrolled(config.data):
        return None

    def know() -> Voiceprint:
        try:
            return voiceprint.known(voice_engine(skills, config), config.data)
        except EngineError as error:
            streams.echo(f"{error}; until then no payment can be spoken", err=True)
            raise

    return know


def _listening(config: Config, folder: Path, ear: Ears, skills: Skills) -> Listening:
    """Build what the agent hears with besides the speech engine, from the settings."""
    front: Callable[[], FrontEnd] | None = None
    if config.microphone == "bone":
        bone = load_bone(config.profile)
        if bone is None:
            raise ConfigError(
                f"microphone is 'bone', and profile {config.profile} has none: set it to 'air'"
            )
        front = partial(BoneFrontEnd, bone)
    return Listening(
        front=front,
        attention=AttentionOptions(cast(Mode, config.wake), wake_phrases(config)),
        health=HealthLog(folder),
        small=ear.small,
        voice=_voice(config, skills),
    )
