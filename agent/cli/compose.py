"""The composition root: the one place that names concrete devices and engines."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from agent import private
from agent.act import dispatch
from agent.act.mouth import Mode as VoiceMode
from agent.cli import pair, streams
from agent.cli.mcp import install
from agent.config import Config
from agent.errors import ConfigError, EngineError, GlassesError
from agent.listen import voiceprint
from agent.listen.attention import AttentionOptions, Mode
from agent.listen.bone import BoneFrontEnd, FrontEnd
from agent.listen.health import HealthLog
from agent.listen.transcriber import Transcriber
from agent.listen.voiceprint import Voiceprint
from agent.loop.agent import Agent, AgentOptions
from agent.loop.stream import Listening
from agent.models import store
from agent.models.llm.model import Model, NoModel, missing
from agent.plugins.hooks import KINDS, Kind
from agent.plugins.offences import raised
from agent.plugins.skills import Provider, Skills
from agent.skill.payments import PaymentProvider
from agent.skill.secrets import Secrets
from hardware import location, npu
from hardware.base import (
    Battery,
    DeviceError,
    Devices,
    Display,
    Imu,
    LightSensor,
    Location,
    Microphone,
    Place,
    Player,
    Speaker,
    Voice,
)
from hardware.battery import find_battery
from hardware.light import find_light
from hardware.profiles import load_bone
from hardware.speaker import NoSpeaker, find_speaker
from hardware.voice import NoVoice, find_voice

if TYPE_CHECKING:
    from agent.listen.sphinx.engine import PocketSphinx
    from agent.models.llm.options import LlamaOptions

DEMO_PLACE = Place(lat=40.0026, lon=-34.9963, simulated=True)
"""Where the glasses believe to be when nothing can tell: the market square of the made-up town that
ships, which lies in the open Atlantic so that nobody is ever led along invented streets."""


RPC = "rpc://"
"""Before the `host:port` of an RPC server of ggml's, where a device is chosen."""
EVERY_LAYER = 999
"""More layers than a model has."""

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


def _opener(skills: Skills, kind: Kind, config: Config) -> Callable[[], Any]:
    """Return what opens a device when it is first asked for."""

    @cache
    def open_it() -> Any:
        chosen = provided(skills, kind, config)
        if chosen.provider is None:
            raise DeviceError("; ".join(chosen.notes) or f"there is no {kind}")
        return chosen.thing

    return open_it


@dataclass(frozen=True, slots=True)
class Ears:
    """The speech engine that will be used for a language, or why there is none."""

    name: str
    """Engine name, or "none"."""
    make: Callable[[], Transcriber]
    """Builds it; raises EngineError where there is none."""
    note: str = ""
    """One line: what is missing, and how to get it."""
    folder: Path | None = None
    """Its files, where it reads a folder of them."""
    small: Callable[[], Transcriber] | None = None
    """Builds what stands in for it while power is low; None where it is small itself."""
    languages: frozenset[str] = frozenset({"en"})
    """What it will understand."""
    choice: store.Choice = field(default_factory=store.Choice)
    """What was chosen of the models folder, and which models there are refused."""


def ears(config: Config, language: str) -> Ears:
    """Choose the engines: pocketsphinx for English, and Whisper where its weights are on disk."""
    from agent.listen.whisper import engine

    def sphinx() -> PocketSphinx:
        from agent.listen.sphinx import enroll
        from agent.listen.sphinx.engine import PocketSphinx, SphinxOptions

        options = SphinxOptions(wake=_wake_phrases(config))
        try:
            return PocketSphinx(options, voice=enroll.find(config.data))
        except EngineError as error:  # a damaged enrolment
            streams.echo(f"{error}; the voice is not used", err=True)
            return PocketSphinx(options)

    choice = engine.choose_model(config.models, language)
    folder = choice.path
    if config.ears:
        return _far(config, language, sphinx, choice)
    if folder is not None and language == "zh":
        options = engine.WhisperOptions(language)
        alone = partial(engine.FasterWhisper, folder, options)
        name, known = f"faster-whisper {folder.name}", engine.languages(folder)
        return Ears(name, alone, folder=folder, languages=known, choice=choice)
    if folder is not None:
        options = engine.BESIDE_A_GRAMMAR
        if language != "auto":
            options = replace(options, language=language)

        languages = engine.languages(folder) if language == "auto" else frozenset({"en"})

        def pair() -> Transcriber:
            from agent.listen.whisper.pair import Pair

            tiny = (store.here(config.models, name) for name in store.TINY)
            small = next((path for path in tiny if path not in (None, folder)), None)
            return Pair(
                sphinx(),
                partial(engine.FasterWhisper, folder, options),
                languages,
                smaller=partial(engine.FasterWhisper, small, options) if small else None,
                tell=partial(streams.echo, err=True),
            )

        name = f"pocketsphinx and faster-whisper {folder.name}"
        return Ears(name, pair, folder=folder, small=sphinx, languages=languages, choice=choice)
    get = f"`glasses models pull {store.HEARS}`, or put a CTranslate2 Whisper folder in"
    note = f"better, and Chinese: {get} {config.models}"
    if language == "zh":
        reason = f"no engine for Chinese speech: {get} {config.models}"

        def refuse() -> Transcriber:
            raise EngineError(reason)

        return Ears("none", refuse, reason, choice=choice)

    if shutil.which("espeak-ng") is None:
        note = "new words are pronounced by simple rules: sudo apt install espeak-ng"
    return Ears("pocketsphinx", sphinx, note, choice=choice)


def _far(
    config: Config, language: str, sphinx: Callable[[], PocketSphinx], choice: store.Choice
) -> Ears:
    """Choose a server's ears: beside pocketsphinx, with the Whisper that is here to stand in."""
    from agent.listen.whisper import engine
    from agent.listen.wyoming.engine import Address, Far

    address, folder = Address.of(config.ears), choice.path
    only = None if language == "auto" else language
    known = frozenset({only} if only else {"en", "zh"})
    local: Callable[[], engine.FasterWhisper] | None = None
    if folder is not None:
        options = replace(engine.BESIDE_A_GRAMMAR, language=only)
        local = partial(engine.FasterWhisper, folder, options)
    tell = partial(streams.echo, err=True)
    far = partial(Far, address, only, local, tell=tell)
    if language == "zh":
        return Ears(str(address), far, folder=folder, languages=known, choice=choice)

    def pair() -> Transcriber:
        from agent.listen.whisper.pair import Pair

        return Pair(sphinx(), far, known, tell=tell)

    name = f"pocketsphinx and {address}"
    return Ears(name, pair, folder=folder, small=sphinx, languages=known, choice=choice)


def model(config: Config) -> Model:
    """Return the language model, or one whose every call says that there is none."""
    if config.model.startswith(("http://", "https://")):
        from agent.models.llm.server import ServerModel

        return ServerModel(config.model, config.model_key or _secret(config, "model-key"))
    try:
        path = model_choice(config).path
    except EngineError as error:
        return NoModel(str(error))
    if path is None:
        return NoModel(missing(config.models))
    from agent.models.llm.llama import LlamaModel
    from agent.models.llm.options import LlamaOptions

    options = LlamaOptions(prefixes=config.data / "prefixes")
    try:
        return LlamaModel(path, _on_device(options, config))
    except DeviceError as error:
        streams.echo(f"{error}; meanwhile: the processor", err=True)
        return LlamaModel(path, options)


def _small(config: Config) -> Model | None:
    try:
        return small_model(config)
    except EngineError:  # the model itself says so when it is asked
        return None


def small_model(config: Config) -> Model | None:
    """Return the model that stands in for a larger one; None where that is small, or not there."""
    path = None if "://" in config.model else model_choice(config).path
    small = store.here(config.models, store.SMALL)
    if path is None or small is None or path.stat().st_size <= small.stat().st_size:
        return None
    from agent.models.llm.llama import LlamaModel
    from agent.models.llm.options import LlamaOptions

    return LlamaModel(small, LlamaOptions(prefixes=config.data / "prefixes"))


def _on_device(options: LlamaOptions, config: Config) -> LlamaOptions:
    """Return the options for the device that was chosen. Raises DeviceError where it is not there.

    Without a choice it is the fastest that ggml was built for; never another machine's.
    """
    wanted = store.device(config.models)
    if not wanted and not npu.accelerated():
        return options
    if config.ggml:
        npu.load(Path(config.ggml).expanduser())
    endpoint = wanted.removeprefix(RPC) if wanted.startswith(RPC) else ""
    name = npu.connect(endpoint) if endpoint else wanted
    found = npu.automatic(npu.built())
    if name:
        found = next((d for d in npu.built() if d.name.casefold() == name.casefold()), None)
    if found is None:
        there = ", ".join(device.name for device in npu.built())
        raise DeviceError(f"ggml has no device {name} here (it has {there}): see glasses doctor")
    if not found.accelerates:
        return options
    return replace(
        options,
        gpu_layers=EVERY_LAYER,
        device=npu.handle(found.name) or 0,
        device_name=found.name,
        leaves=bool(endpoint) and not npu.is_here(endpoint),
    )


def _secret(config: Config, name: str) -> str:
    """Return a secret, or nothing where there is none. Raises ConfigError."""
    found = Secrets(config.data, config.plugins.parent).get(name)
    return found.value if found else ""


def model_choice(config: Config) -> store.Choice:
    """Return which GGUF is used, and why. Raises EngineError for a named one that is not there."""
    from agent.models.llm.store import choose

    return choose({"GLASSES_MODEL": config.model, "GLASSES_MODELS": str(config.models)})


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
        others={k: _opener(skills, k, config) for k in LENT if skills.providers(k)},
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
        small=None if far or skills.providers("model") else _small(config),
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
        attention=AttentionOptions(cast(Mode, config.wake), _wake_phrases(config)),
        health=HealthLog(folder),
        small=ear.small,
        voice=_voice(config, skills),
    )


def _wake_phrases(config: Config) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in config.wake_phrase.split(",") if phrase.strip())
