"""The engines that the settings and the models folder come to: ears, and the language model."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli import streams
from agent.config import Config
from agent.errors import EngineError
from agent.listen.transcriber import Transcriber
from agent.models import store
from agent.models.llm.model import Model, NoModel, missing
from agent.skill.secrets import Secrets
from hardware import npu
from hardware.base import DeviceError

if TYPE_CHECKING:
    from agent.listen.sphinx.engine import PocketSphinx
    from agent.models.llm.options import LlamaOptions

RPC = "rpc://"
"""Before the `host:port` of an RPC server of ggml's, where a device is chosen."""
EVERY_LAYER = 999
"""More layers than a model has."""


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

        options = SphinxOptions(wake=wake_phrases(config))
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


def stand_in(config: Config) -> Model | None:
    """Return `small_model`; None where a model that was named is not there."""
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


def wake_phrases(config: Config) -> tuple[str, ...]:
    """Return what wakes the glasses."""
    return tuple(phrase.strip() for phrase in config.wake_phrase.split(",") if phrase.strip())
