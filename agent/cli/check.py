"""`glasses test`: say, speak and compare everything a skill answers to."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from agent import config
from agent.cli.dev import targets
from agent.cli.engines import ears
from agent.cli.mcp import install
from agent.cli.output import print_json
from agent.config import Config
from agent.derive.sample import LIMIT, Sample, samples
from agent.errors import ConfigError, PluginError
from agent.plugins.skills import Skills
from agent.skill.declare import Action
from agent.testing.check import clashes
from agent.testing.check.heard import SNRS_DB, Surroundings, Take, check_heard, takes
from agent.testing.check.report import MIN_HEARD, STAGES, Report, Stage
from agent.testing.check.said import check_said
from agent.testing.check.voices import Noise, find_voices
from hardware.audio import read
from hardware.base import Devices
from hardware.display import MemoryDisplay
from hardware.microphone import FileMicrophone
from hardware.profiles import load as load_profile

QUIET_AFTER_MS = 1000.0
"""Silence after each spoken sentence and its noise, so that the turn ends whatever the noise."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What to test and how hard; see `glasses test --help`."""

    stages: Sequence[Stage] = STAGES
    """Which of said, heard and clashes."""
    snrs_db: Sequence[float] = SNRS_DB
    """Noise to speak in, beside none."""
    noise: Path | None = None
    """A recording, or a folder of them; None makes babble."""
    samples: int = LIMIT
    """Most sentences of one template, as text."""
    seed: int = 0
    """Of sentences and noise."""
    min_heard: float = MIN_HEARD
    """Share of natural voices in quiet that must arrive."""


def main(
    plugin: str | None,
    only: str | None,
    snr: str,
    noise: str | None,
    junit: str | None,
    samples: int,
    seed: int,
    min_heard: float,
    plugins: Sequence[str],
    as_json: bool,
) -> int:
    """Read what the command line says and run; raises ConfigError for what cannot be meant."""
    stages = tuple(name.strip() for name in only.split(",")) if only else STAGES
    if unknown := [name for name in stages if name not in STAGES]:
        raise ConfigError(f"--only {unknown[0]}: it can be {', '.join(STAGES)}")
    try:
        snrs_db = tuple(float(db) for db in snr.split(",") if db.strip())
    except ValueError:
        raise ConfigError(f"--snr {snr}: give numbers of dB, such as 24,12") from None
    if samples < 1:
        raise ConfigError(f"--samples {samples}: give 1 or more")
    options = CheckOptions(
        stages=cast("tuple[Stage, ...]", stages),
        snrs_db=snrs_db,
        noise=Path(noise).expanduser() if noise else None,
        samples=samples,
        seed=seed,
        min_heard=min_heard / 100,
    )
    return run(plugin, options, plugins, Path(junit).expanduser() if junit else None, as_json)


def run(
    plugin: str | None,
    options: CheckOptions,
    plugins: Sequence[str] = (),
    junit: Path | None = None,
    as_json: bool = False,
) -> int:
    """Test one plugin, or every installed skill; return the exit status."""
    from rich.console import Console

    settings = config.load()
    everything, tested = find(plugin, plugins, settings)
    report = check(everything.actions, tested, options, settings)
    if junit is not None:
        try:
            junit.write_bytes(report.junit())
        except OSError as error:
            raise ConfigError(f"--junit {junit} cannot be written: {error.strerror}") from None
    if as_json:
        print_json(report.as_json())
    else:
        report.show(Console(highlight=False, soft_wrap=True))
    return int(bool(report.failures()))


def find(
    plugin: str | None, plugins: Sequence[str], settings: Config
) -> tuple[Skills, dict[str, Action]]:
    """Return all skills, and the actions to test: of a skill's name, a path, or everything.

    A plugin that clashes with a payment is loaded all the same: it is here to be told so. Raises
    PluginError when there is no such plugin or it cannot be loaded.
    """
    skills = Skills.discover(plugins, settings.plugins, apart=settings.alone)
    install(skills, settings)
    if plugin is None:
        return skills, dict(skills.actions)
    named = {n: a for n, a in skills.actions.items() if plugin in (a.skill, a.name)}
    if named and not Path(plugin).exists():
        return skills, named
    skills.refuse_clashes = False
    found = targets(plugin)
    for target in found:
        if problem := target.load(skills):
            raise PluginError(f"plugin {plugin}: {problem.reason}")
    names = {target.name for target in found}
    return skills, {n: a for n, a in skills.actions.items() if a.skill in names}


def check(
    everything: Mapping[str, Action],
    tested: Mapping[str, Action],
    options: CheckOptions,
    settings: Config,
) -> Report:
    """Go through the stages, with a progress bar where there is a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    said = {
        (action.name, language, template): found
        for action in tested.values()
        for language in action.languages
        for template, found in samples(action, language, options.samples, options.seed).items()
    }
    paying = [name for name, a in everything.items() if a.declaration.risk == "money"]
    report = Report(tested, said, options.stages, options.min_heard, paying=paying)
    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        if "said" in options.stages:
            sentences = [sample for found in said.values() for sample in found]
            bar = progress.add_task("said", total=len(sentences))
            for result in check_said(everything, sentences):
                report.said.append(result)
                progress.advance(bar)
        if "clashes" in options.stages:
            bar = progress.add_task("clashes", total=clashes.pairs(everything, set(tested)))
            report.clashes = clashes.find(everything, set(tested), lambda: progress.advance(bar))
        if "heard" in options.stages:
            spoken, report.not_heard = _takes(tested.values(), options)
            bar = progress.add_task("heard", total=len(spoken) * (1 + len(options.snrs_db)))
            advance = partial(progress.advance, bar)
            asyncio.run(_hear(everything, spoken, options, settings, report, advance))
    return report


def _takes(tested: Iterable[Action], options: CheckOptions) -> tuple[list[Take], str]:
    """Return what to speak, and why nothing can be judged by ear, if so."""
    voices, missing = find_voices()
    natural = any(voice.group == "natural" for voice in voices)
    why = "" if natural else "; ".join(missing) or "flite has none of the voices slt, rms and awb"
    spoken: dict[str, list[Sample]] = {}
    for action in tested:
        if "en" in action.languages:
            found = samples(action, "en", options.samples, options.seed, off_list=False)
            spoken.update({f"{action.name} {template}": s for template, s in found.items()})
    if not spoken:
        why = "there is no English sentence, and only English is spoken"
    return takes(spoken, voices), why


async def _hear(
    everything: Mapping[str, Action],
    spoken: Sequence[Take],
    options: CheckOptions,
    settings: Config,
    report: Report,
    advance: Callable[[], None],
) -> None:
    noise = (
        Noise.of(options.noise, options.seed, read) if options.noise else Noise((), options.seed)
    )
    with tempfile.TemporaryDirectory(prefix="glasses-test-") as folder:
        surroundings = Surroundings(
            ears=ears(settings, "en").make,
            devices=Devices(display=MemoryDisplay(load_profile(settings.profile))),
            folder=Path(folder),
            microphone=lambda pcm: FileMicrophone(pcm, pace="fast", tail_ms=QUIET_AFTER_MS),
            read=read,
        )
        snrs_db = (None, *options.snrs_db)
        async for heard in check_heard(everything, spoken, snrs_db, noise, surroundings):
            report.heard.append(heard)
            advance()
