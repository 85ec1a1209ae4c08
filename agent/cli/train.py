"""The command `train`: teach a model the sentences of the installed skills."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent import config
from agent.cli import streams
from agent.cli.mcp import install
from agent.errors import EngineError
from agent.plugins.skills import Skills
from agent.understand.learn.pocket.recipe import collect
from agent.understand.pocket.router import OWN, SHIPPED, find

NEEDED = ("torch", "gguf", "tokenizers")
ON_MIN, ANEW_MIN = 10.0, 25.0
"""Time that going on from a model takes, and starting from nothing, on two cores."""
LINE_S = 20.0
"""Where there is no terminal, one line this often."""


def train(
    minutes: float | None,
    real: Path | None,
    anew: bool,
    holdout: bool,
    seed: int,
    out: Path | None,
    plugins: Sequence[str],
) -> None:
    """Train and write the model; None is as long as it takes. Raises EngineError.

    Without `anew` it goes on from the model in use. What it writes is used from then on.
    """
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise EngineError(
            f"training needs {', '.join(missing)}; run: pip install 'glasses-agent[train]'"
        )
    from agent.understand.learn.pocket.training import Options, train

    settings = config.load()
    skills = Skills.discover(plugins, settings.plugins, apart=settings.alone)
    install(skills, settings)
    for problem in skills.problems:
        streams.echo(f"without {problem.plugin}: {problem.reason}", err=True)
    recipe = collect(skills.actions.values())
    before = find(settings.models)
    start = None if anew or not before.is_file() else before
    target = out or settings.models / OWN
    streams.echo(
        f"{len(recipe.patterns):,} sentences of {len(recipe.slots) - 1} actions,"
        f" {f'going on from {start}' if start else 'from nothing'}"
    )
    minutes = minutes or (ON_MIN if start else ANEW_MIN)
    checkpoint = target.with_suffix(".checkpoint.gguf")
    options = Options(minutes, seed, holdout=holdout, real=real, start=start, checkpoint=checkpoint)
    with _progress(minutes) as report:
        trained = train(recipe, options, report)
    trained.save(target)
    checkpoint.unlink(missing_ok=True)
    streams.echo(f"{target} ({target.stat().st_size / 1e6:.1f} MB)")
    if target != SHIPPED:
        streams.echo("It is used from now on; remove the file to go back to the one that ships.")


def embedding(
    gguf: Path, real: Path | None, seed: int, out: Path | None, plugins: Sequence[str]
) -> None:
    """Fit the semantic stage to an embedding model, instead of training the pocket one.

    Exits with status 1 where it cannot be read.
    """
    from agent.understand.learn.semantic import main

    arguments = ["--embedding", str(gguf), "--seed", str(seed)]
    arguments += [] if real is None else ["--real", str(real)]
    arguments += [] if out is None else ["--out", str(out)]
    for plugin in plugins:
        arguments += ["--plugin", plugin]
    if status := main(arguments):
        raise SystemExit(status)


@contextmanager
def _progress(minutes: float) -> Iterator[Callable[[float, float, int], None]]:
    """Show a bar with the loss and the time left; plain lines where there is no terminal."""
    if not sys.stderr.isatty():
        told = 0.0

        def line(share: float, loss: float, seen: int) -> None:
            nonlocal told
            if time.monotonic() - told > LINE_S or share >= 1:
                told = time.monotonic()
                left = 60 * minutes * (1 - share)
                streams.echo(
                    f"{100 * share:3.0f} %  loss {loss:.3f}  {seen:,} examples  {left:.0f} s left",
                    err=True,
                )

        yield line
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("training"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("loss {task.fields[loss]:.3f}, {task.fields[seen]:,} examples"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=1.0, loss=float("nan"), seen=0)
        yield lambda share, loss, seen: bar.update(task, completed=share, loss=loss, seen=seen)
