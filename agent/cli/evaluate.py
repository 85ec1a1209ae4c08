"""`glasses eval route`: how well texts are understood, in numbers and in a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from agent import config
from agent.cli.compose import build
from agent.cli.output import print_json
from agent.derive.paraphrases import NONE
from agent.errors import ConfigError
from agent.loop.agent import Agent
from agent.messages import Intent, NotRecognized, Transcript
from agent.skill.declare import Action
from agent.understand.learn.measure import Case, Measured, measure, read_cases
from hardware.display import MemoryDisplay
from hardware.profiles import load as load_profile


@dataclass(frozen=True, slots=True)
class _Whole:
    """The agent as a router: what `glasses route` answers."""

    agent: Agent

    def route(self, transcript: Transcript) -> Intent | NotRecognized:
        return self.agent.route(transcript.text, transcript.language)[1]


def route(
    files: Sequence[Path],
    calls: Path | None,
    picture: Path | None,
    as_json: bool,
    plugins: Sequence[str],
) -> None:
    """Route every text of the files and report. Raises ConfigError for what cannot be read."""
    cases = read_cases(files, calls)
    if not cases:
        raise ConfigError(f"{', '.join(map(str, files))}: no texts in there")
    settings = config.load()
    agent = build(settings, MemoryDisplay(load_profile(settings.profile)), plugins)
    actions = agent.skills.actions

    def moves_money(name: str) -> bool:
        return name in actions and actions[name].declaration.risk == "money"

    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        bar = progress.add_task("routing", total=len(cases))
        router = _Whole(agent)
        for text, language in (
            ("warm up", "en"),
            ("热身", "zh"),
        ):  # what is read once is no latency
            router.route(Transcript(text, language))
        measured = measure(router, cases, moves_money, lambda: progress.advance(bar))
        if picture is not None:
            bar = progress.add_task("ranking", total=len(cases))
            points = _ranked(cases, actions, settings.models, lambda: progress.advance(bar))
            draw(picture, measured, points)
    if as_json:
        print_json(measured.as_json())
    else:
        show(measured, Console(highlight=False, soft_wrap=True))


def _ranked(
    cases: Sequence[Case], actions: Mapping[str, Action], models: Path, advance: Any
) -> list[tuple[str, str, float]]:
    """Return for each case its skill, the semantic stage's best skill, and its probability."""
    from agent.understand.semantic import Semantic

    semantic = Semantic(actions, models)
    found = []
    for case in cases:
        skills = semantic.rank(case.text, case.language).skills
        best = max((s for s in skills if s != NONE), key=lambda s: skills[s], default=NONE)
        found.append((case.skill, best, skills.get(best, 0.0)))
        advance()
    return found


def curve(ranked: Sequence[tuple[str, str, float]]) -> list[tuple[float, float, float]]:
    """Return (false accepts, right skill, threshold), shares, from the strictest threshold on.

    `ranked` holds the skill of a text, the best one found, and its probability.
    """
    inside = sum(skill != NONE for skill, _, _ in ranked) or 1
    outside = sum(skill == NONE for skill, _, _ in ranked) or 1
    false = right = 0
    points = []
    for skill, best, p in sorted(ranked, key=lambda one: -one[2]):
        false += skill == NONE
        right += skill == best != NONE
        points.append((false / outside, right / inside, p))
    return points


def draw(path: Path, measured: Measured, ranked: Sequence[tuple[str, str, float]]) -> None:
    """Draw the curve of the semantic stage with the whole router as a point on it.

    Raises ConfigError where matplotlib is missing or the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("--picture needs matplotlib: pip install matplotlib") from None
    points = curve(ranked)
    summary = measured.summary()
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(
        [100 * false for false, _, _ in points],
        [100 * right for _, right, _ in points],
        label="semantic stage, every threshold",
    )
    if summary["skill"] is not None and summary["false_accepts"] is not None:
        axes.plot(
            [100 * summary["false_accepts"]], [100 * summary["skill"]], "o", label="whole router"
        )
    axes.axvline(2, color="grey", linewidth=0.8, linestyle=":")
    axes.axhline(97, color="grey", linewidth=0.8, linestyle=":")
    axes.set(
        xlim=(-0.1, 6), ylim=(80, 100.5),
        xlabel="out-of-scope text that is taken for a skill, %",
        ylabel="in-scope text whose skill is found, %",
        title=f"{summary['in_scope']} texts in scope, {summary['out_of_scope']} out of scope",
    )  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"--picture {path} cannot be written: {error}") from None


def show(measured: Measured, console: Console) -> None:
    """Print everything as tables."""
    summary = measured.summary()
    table = Table("", "share", "of", title="Routing")
    table.add_row("right skill, in scope", _percent(summary["skill"]), str(summary["in_scope"]))
    table.add_row("another skill", _percent(summary["wrong_skill"]), str(summary["in_scope"]))
    outside = str(summary["out_of_scope"])
    table.add_row("false accepts", _percent(summary["false_accepts"]), outside)
    table.add_row("  into money", _percent(summary["false_accepts_money"]), outside)
    called = str(summary["with_calls"])
    table.add_row("right action", _percent(summary["action"]), "where it is known")
    table.add_row("call and every slot exact", _percent(summary["exact"]), called)
    table.add_row("  of right actions", _percent(summary["exact_of_right_action"]), called)
    console.print(table)

    table = Table("skill", "texts", "recall", "precision", "exact", title="Skills")
    for row in measured.skills():
        shares = (_percent(row[name]) for name in ("recall", "precision", "exact"))
        table.add_row(row["skill"], str(row["texts"]), *shares)
    console.print(table)

    times = ("p50", "p95", "p99", "max")
    table = Table(
        "stage", "texts", "skill", "exact", "false", *times, title="Stages, times in ms"
    )  # fmt: skip
    table.columns[0].no_wrap = True
    for row in measured.stages():
        table.add_row(
            row["stage"], str(row["texts"]), _percent(row["skill"]), _percent(row["exact"]),
            str(row["false_accepts"]), *(f"{row[name]:.1f}" for name in times),
        )  # fmt: skip
    latency = measured.latency()
    everything = str(summary["texts"])
    table.add_row("all", everything, "", "", "", *(f"{latency[name]:.1f}" for name in times))
    console.print(table)

    confusion = measured.confusion()
    names = list(dict.fromkeys([*confusion, *(n for row in confusion.values() for n in row)]))
    table = Table("is \\ taken for", *names, title="Confusion")
    for skill, row in confusion.items():
        table.add_row(skill, *(str(row.get(name, "")) for name in names))
    console.print(table)

    if worst := measured.worst():
        table = Table("text", "wanted", "got", "stage", title="Worst")
        for row in worst:
            table.add_row(*(_escaped(row[n]) for n in ("text", "wanted", "got", "stage")))
        console.print(table)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
