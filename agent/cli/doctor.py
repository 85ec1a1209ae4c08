"""`glasses doctor`: what is installed, what is used of it, and what would do better."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from typing import Any, Literal

from agent import config
from agent.act import dispatch
from agent.act.gate import Gate
from agent.cli import kept, pair
from agent.cli.compose import DEMO_PLACE, place
from agent.cli.compose import voice as spoken
from agent.cli.engines import ears, model, model_choice
from agent.cli.mcp import install
from agent.cli.output import new_console, new_table, print_json
from agent.cli.provided import LENT, Chosen, provided
from agent.config import Config
from agent.errors import ConfigError, EngineError
from agent.listen import voiceprint
from agent.listen.health import HealthLog
from agent.listen.sphinx import enroll
from agent.listen.vad import CascadeVad
from agent.models import store
from agent.models.registry import Kind as Use
from agent.models.registry import amount
from agent.models.store import Choice
from agent.plugins.skills import Skills
from agent.skill.payments import LedgerError
from hardware.base import DeviceError, Devices
from hardware.display import MemoryDisplay
from hardware.location import FixedLocation
from hardware.profiles import load as load_profile

State = Literal["ok", "missing", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of `glasses doctor`."""

    part: str
    """What was looked at."""
    state: State
    """Whether it works, is absent but not needed, or needs mending."""
    used: str
    """What is in use."""
    note: str = ""
    """What to do to make it better."""


def findings(settings: Config, plugins: Sequence[str]) -> Iterable[Finding]:
    """Look at every engine and device, without loading the big ones."""
    from hardware import microphone, raster, speaker, voice

    yield Finding("python", "ok", f"{platform.python_version()} on {platform.machine()}")
    there, why = microphone.available()
    note = "" if there else "`glasses talk` streams spoken examples instead"
    yield Finding("microphone", "ok" if there else "missing", why, note)
    yield _listening(settings)
    note = CascadeVad().note
    detector = f"webrtcvad {_version('webrtcvad-wheels')}" + ("" if note else ", then silero")
    yield Finding("voice activity", "missing" if note else "ok", detector, note)
    yield _opens(settings)
    yield _who(settings)
    for language, name in (("en", "English"), ("zh", "Chinese")):
        yield _speech(settings, language, name)
    yield _model(settings)
    yield from _devices(settings)
    yield _paraphrases(settings)
    yield _pocket(settings)
    profile = load_profile(settings.profile)
    yield Finding("lens", "ok", f"{profile.name}: {profile.columns} × {profile.lines}")
    font = raster.font_for("中")
    note = "" if font else "sudo apt install fonts-noto-cjk, or set GLASSES_FONT"
    yield Finding("Chinese font", "ok" if font else "missing", font or "none", note)
    yield _type()
    out = speaker.find_speaker()
    reason = out.reason if isinstance(out, speaker.NoSpeaker) else ""
    yield Finding("speaker", "ok" if out.available else "missing", out.name, reason)
    says = spoken(settings)
    reason = says.reason if isinstance(says, voice.NoVoice) else ""
    yield Finding("spoken answers", "ok" if says.languages else "missing", says.name, reason)
    espeak = shutil.which("espeak-ng")
    note = "" if espeak else "sudo apt install espeak-ng"
    yield Finding("pronunciation", "ok" if espeak else "missing", espeak or "simple rules", note)
    try:
        where = place(settings).where()
        used = f"{where.lat:.4f}, {where.lon:.4f}{' (simulated)' if where.simulated else ''}"
        yield Finding("location", "ok", used)
    except DeviceError as error:
        yield Finding("location", "problem", "none", str(error))
    installed = Skills.discover(plugins, settings.plugins, apart=settings.alone)
    install(installed, settings)
    try:
        pair.install(installed, settings)
    except (ConfigError, DeviceError) as error:
        yield Finding("real lens", "problem", settings.lens, str(error))
    yield from _provided(installed, settings)
    names = dict.fromkeys(action.skill for action in installed.actions.values())
    yield Finding("skills", "ok", ", ".join(names))
    if installed.alone:
        yield Finding("apart", "ok", ", ".join(installed.alone), "each in a process of its own")
    for plugin, why in installed.readers.items():
        yield Finding("transcripts", "ok", f"read by {plugin}", why)
    for problem in installed.problems:
        yield Finding("plugin", "problem", problem.plugin, problem.reason)
    brought: dict[str, Callable[[], Any]] = {
        kind: partial(provided, installed, kind, settings)
        for kind in LENT
        if installed.providers(kind)
    }
    devices = Devices(MemoryDisplay(profile), FixedLocation(DEMO_PLACE), others=brought)
    for warning in dispatch.warnings(installed.actions.values(), devices):
        yield Finding("skill", "problem", profile.name, warning)
    yield from _payments(settings, installed)
    yield from _kept(settings)


def _payments(settings: Config, installed: Skills) -> Iterable[Finding]:
    """Say what pays, whether the ledger is whole, and what is still open in it."""
    gate = Gate(settings.data)
    names = ", ".join(dict.fromkeys(one.name for one in installed.providers("payment")))
    pin = "with a PIN above the limit" if gate.pin.set else "no PIN: `glasses pin` chooses one"
    try:
        gate.teller.ledger.verify()
        unknown = gate.unresolved()
        gate.teller.limits()
    except (LedgerError, ConfigError) as error:
        yield Finding("payments", "problem", names, str(error))
        return
    finally:
        gate.teller.close()
    yield Finding("payments", "ok", names or "nothing pays", pin)
    if unknown:
        note = "they are asked about when the glasses start"
        yield Finding("payments", "problem", f"{unknown} of unknown outcome", note)


def _kept(settings: Config) -> Iterable[Finding]:
    """Say what is kept where."""
    things = [one for one in kept.inventory(settings) if one.what]
    told = ", ".join(dict.fromkeys(one.what for one in things)) or "nothing yet"
    note = f"in {settings.data}; `glasses export` hands it over, `glasses forget` erases it"
    yield Finding("kept", "ok", told, note)
    keys = kept.secrets(settings)
    try:
        names = ", ".join(keys.names())
    except ConfigError as error:
        yield Finding("secrets", "problem", keys.where, str(error))
        return
    yield Finding("secrets", "ok", names or "none", f"kept in: {keys.where}")


def _opens(settings: Config) -> Finding:
    """Say what opens a turn, and whose voice the recogniser was fitted to."""
    opens = {"always": "speech", "phrase": f"“{settings.wake_phrase}”, touch", "touch": "touch"}
    try:
        voice = enroll.find(settings.data)
    except EngineError as error:
        return Finding("wearer", "problem", f"turns open by {opens[settings.wake]}", str(error))
    whose = "your voice is enrolled" if voice else "any voice"
    note = "" if voice else "`glasses enroll` fits recognition to yours"
    return Finding("wearer", "ok", f"turns open by {opens[settings.wake]}; {whose}", note)


def _who(settings: Config) -> Finding:
    """Say whether the wearer's voice is known, without which speech cannot pay once enrolled."""
    try:
        profile = voiceprint.find(settings.data)
    except EngineError as error:
        return Finding("voice", "problem", "no payment can be spoken", str(error))
    if profile is None:
        note = "`glasses enroll --voice` lets no other voice pay"
        return Finding("voice", "ok", "anybody may propose a payment", note)
    private = ", ".join(sorted(settings.own))
    wants = f"payments{f' and {private}' if private else ''} want your voice"
    return Finding("voice", "ok", f"{wants} ({profile.engine})")


def _speech(settings: Config, language: str, name: str) -> Finding:
    """Say which engine hears a language, and whether its files are whole."""
    chosen = ears(settings, language)
    state: State = "missing" if chosen.name == "none" else "ok"
    from agent.listen.whisper import folder

    if chosen.choice.problems:
        return Finding(f"speech, {name}", "problem", chosen.name, "; ".join(chosen.choice.problems))
    if (found := chosen.folder or folder.half(settings.models)) is not None:
        try:
            folder.check(found)
        except EngineError as error:
            return Finding(f"speech, {name}", "problem", chosen.name, str(error))
    note = _why("speech", chosen.choice, language)
    if not chosen.folder:
        note = "; ".join(filter(None, (chosen.choice.why, chosen.note)))
    return Finding(f"speech, {name}", state, chosen.name, note)


def _why(kind: Use, choice: Choice, language: str) -> str:
    """Say why a model is used, whether its bytes are known, and what would do better."""
    said = [choice.why]
    if choice.used is not None:
        state = "verified" if choice.used.state == "verified" else "yours, unknown to the registry"
        said.append(f"{state} ({choice.used.source})" if choice.used.model else state)
    if (advised := store.better(kind, choice, language)) is not None:
        said.append(f"better: `glasses models pull {advised.name}` ({amount(advised.size)})")
    return "; ".join(said)


def _model(settings: Config) -> Finding:
    """Say which language model is used, and whether its file is whole."""
    from agent.models import header

    if "://" in settings.model:
        return Finding("model", "ok", model(settings).name, "a server, connected to when asked")
    try:
        choice = model_choice(settings)
        path = choice.path
        if path is not None:
            header.check(path)
    except EngineError as error:
        return Finding("model", "problem", model(settings).name, str(error))
    if path is None:
        advised = next(m for m in store.suitable() if m.kind == "language")
        get = f"`glasses models pull {advised.name}`"
        note = f"{get}, or put a Qwen3 GGUF in {settings.models} or set GLASSES_MODEL"
        if choice.problems:
            return Finding("model", "problem", "none", "; ".join(choice.problems))
        return Finding("model", "missing", "none", note)
    if choice.problems:
        return Finding("model", "problem", model(settings).name, "; ".join(choice.problems))
    return Finding("model", "ok", model(settings).name, _why("language", choice, "auto"))


def _devices(settings: Config) -> Iterable[Finding]:
    """Say what the language model would run on, and what of this machine lies idle."""
    from hardware import npu

    here, ggml = npu.host(), npu.built()
    chosen = store.device(settings.models)
    best = npu.automatic(ggml)
    used = chosen or (best.name if best else "none")
    listed = ", ".join(f"{device.name} ({device.description})" for device in ggml)
    note = (
        f"ggml has {listed}"
        if listed
        else "llama.cpp cannot be loaded: pip install llama-cpp-python"
    )
    kind = npu.kind_of(used)
    if kind not in npu.TRIED and best:
        note += "; not tried on silicon by this project"
    choice = model_choice(settings).path if "://" not in settings.model else None
    if choice is not None and (wrong := npu.suits(kind, choice.name)):
        note += f"; {wrong}"
    yield Finding("model device", "ok" if ggml else "missing", used, note)
    processor = next((device.description for device in here if device.kind == "cpu"), "")
    for advice in npu.idle(here, ggml):
        yield Finding("idle device", "missing", advice.host.description, advice.told)
    yield Finding(
        "processor", "ok", processor, "no other device that ggml knows" if len(here) == 1 else ""
    )


def _paraphrases(settings: Config) -> Finding:
    """Say what reads the words that no sentence foresaw, and which file for it cannot be used."""
    from agent.understand import minilm, source

    used, problems = source.look(settings.models)
    if problems:
        return Finding("paraphrases", "problem", used, "; ".join(problems))
    if used == source.NOTHING:
        return Finding("paraphrases", "missing", used, f"`{minilm.COMMAND}` gets MiniLM")
    return Finding("paraphrases", "ok", used)


def _pocket(settings: Config) -> Finding:
    """Say whose pocket Qwen is used; it is small enough to be loaded."""
    from agent.understand.pocket.router import SHIPPED, PocketRouter, find

    path = find(settings.models)
    try:
        PocketRouter(path).load()
    except EngineError as error:
        used = "none" if path == SHIPPED else "the one that ships"
        return Finding("pocket Qwen", "problem", used, str(error))
    return Finding("pocket Qwen", "ok", "the one that ships" if path == SHIPPED else str(path))


def _type() -> Finding:
    """Say what lenses that are drawn are set in."""
    from hardware import icons, raster

    if (font := raster.set_in()) is None:
        note = "drawn lenses are set in it; sudo apt install fonts-noto-cjk"
        return Finding("type", "missing", "Pillow's own font", note)
    if icons.find() is None:
        note = "arrows are the font's own; pip install fonticon-materialdesignicons7"
        return Finding("type", "missing", f"{font}, no icons", note)
    return Finding("type", "ok", f"{font}, Material Design icons")


def _listening(settings: Config) -> Finding:
    """Say how the sound came in when the agent listened last."""
    health = HealthLog(settings.data).load()
    if health is None:
        return Finding("last listening", "ok", "not yet", "`glasses talk` counts what is lost")
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(health.began_s))
    used = f"{began}, {health.heard_ms / 60_000:.1f} min from {health.device}: {health.words()}"
    advice = health.advice()
    return Finding("last listening", "problem" if advice else "ok", used, advice)


def _provided(installed: Skills, settings: Config) -> Iterable[Finding]:
    """Say which plugins' engines and devices are used; engines are big and not tried."""
    for kind in LENT:
        candidates = installed.providers(kind)
        if not candidates:
            continue
        chosen = Chosen(provider=candidates[0])
        if kind not in ("asr", "model"):
            chosen = provided(installed, kind, settings)
        for note in chosen.notes:
            yield Finding(f"{kind}, plugin", "problem", note)
        if chosen.provider is not None:
            source = f"from {chosen.provider.source}, before all others"
            yield Finding(f"{kind}, plugin", "ok", chosen.provider.name, source)


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "unknown"


def doctor(as_json: bool, plugins: Sequence[str]) -> int:
    """Print the findings as a table, or one JSON object a line.

    Return the exit status: 1 where something needs mending, not where something is missing that
    need not be there.
    """
    rows = list(findings(config.load(), plugins))
    status = int(any(row.state == "problem" for row in rows))
    if as_json:
        for row in rows:
            print_json(asdict(row))
        return status
    from rich.text import Text

    marks = {"ok": "[green]✓[/]", "missing": "[yellow]–[/]", "problem": "[red]✗[/]"}
    table = new_table(3)
    for row in rows:
        said = Text.assemble(row.used, (f"  {row.note}" if row.note else "", "dim"))
        table.add_row(marks[row.state], row.part, said)
    new_console().print(table)
    return status
