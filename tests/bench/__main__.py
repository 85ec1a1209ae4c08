"""Run the benchmarks: `make bench`, or `make bench ARGS="--quick --only turns,stop"`.

Prints a table for each section and one of what was asked for, and writes `bench.json` and pictures
into `bench-results/`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agent.errors import EngineError
from tests.bench import bars
from tests.shared import MISSING, PLUGIN

OUT = Path("bench-results")

Sections = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure, and how much of it."""

    quick: bool
    """Some 40 clips of each set, and a short soak."""
    realtime: int
    """Clips of each set that are streamed at the pace of speech."""
    minutes: float | None
    """Length of the soak, an hour where it is None; and of what the ears hear nothing in, 10."""


def _turns(options: Options) -> Sections:
    from tests.bench import curves, listening

    found: Sections = {}
    record: dict[str, object] = {}
    for name, clips in listening.sets(options.quick).items():
        scales = (0.5, 1.0, 2.0) if options.quick else listening.SCALES
        measured = listening.measure(clips, options.realtime, scales)
        found[name] = measured.figures
        found[f"{name}{bars.SLOWLY}"] = measured.realtime
        record[name] = measured.as_json()
        curves.draw_turns(name, measured.curves, OUT / f"turns-{name}.png")
    if record:
        _write("curves.json", record)
    return found


def _recognition(options: Options) -> Sections:
    from tests.bench import curves

    found = _module("recognition")(options)
    for figures in found.values():
        by_noise, clean = curves.by_noise(figures)
        if by_noise:
            curves.draw_noise(by_noise, clean, OUT / "noise.png")
    return found


def _ears(options: Options) -> Sections:
    from tests.bench import curves, ears

    found = ears.figures(ears.Amount(options.quick, options.realtime, options.minutes))
    by_noise, clean = curves.by_noise(found.get(bars.EARS, {}))
    if by_noise:
        curves.draw_noise(by_noise, clean, OUT / "noise-ears.png")
    return found


def _module(name: str) -> Callable[[Options], Sections]:
    """Return what measures the section of a module that has `figures()`."""

    def measure(options: Options) -> Sections:
        figures: dict[str, float] = importlib.import_module(f"tests.bench.{name}").figures()
        return {name: figures} if figures else {}

    return measure


def _voices(options: Options) -> Sections:
    from tests.bench import voices

    if options.quick or not voices.CALLS.is_dir():
        return {}
    judged = voices.trials()
    voices.draw(judged, OUT / "voices.png")
    return {"voices": voices.figures(judged)}


def _voice(options: Options) -> Sections:
    from tests.bench import voice

    return {"voice": voice.figures(options.quick)}


def _prompter(quick: bool) -> dict[str, float]:
    from tests.bench import prompter

    return prompter.figures(quick)


def _stop(options: Options) -> Sections:
    from tests.bench import stop

    return {"stop": stop.figures(options.quick)}


def _soak(options: Options) -> Sections:
    from tests.bench import soak

    minutes = 60.0 if options.minutes is None else options.minutes
    figures = soak.figures(min(minutes, 3.0) if options.quick else minutes)
    return {"soak": figures} if figures else {}


def _process(options: Options) -> Sections:
    from tests.bench import process

    return {"process": process.figures(str(PLUGIN), 5.0 if options.quick else 20.0)}


def _skills(options: Options) -> Sections:
    from tests.bench import skills

    return {"500 skills": skills.figures()}


def _unseen(options: Options) -> Sections:
    return {} if options.quick else _module("unseen")(options)


SECTIONS: dict[str, Callable[[Options], Sections]] = {
    "process": _process,  # first, since what it says of memory is to be the agent's alone
    "turns": _turns,
    "recognition": _recognition,
    "ears": _ears,
    "wake": _module("wake"),
    "stop": _stop,
    "voice": _voice,
    "voices": _voices,
    "prompter": lambda options: {"prompter": _prompter(options.quick)},
    "soak": _soak,
    "skills": _skills,
    "lens": _module("lens"),
    "simulator": _module("simulator"),
    "arbiter": _module("arbiter"),
    "gestures": _module("gestures"),
    "market": _module("market"),
    "understanding": _module("understanding"),
    "unseen": _unseen,
}
"""What can be asked for, and what measures it."""


def main() -> None:
    """Measure, print the tables, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="some clips instead of all")
    parser.add_argument("--only", default=",".join(SECTIONS), help="some of: %(default)s")
    parser.add_argument(
        "--realtime", type=int, default=40,
        help="clips of each set streamed at real-time pace (default 40; quick 8)",
    )  # fmt: skip
    parser.add_argument(
        "--minutes", type=float,
        help="length of the soak (default 60), and of the ears' noise and music (default 10)",
    )  # fmt: skip
    given = parser.parse_args()
    wanted = given.only.split(",")
    if unknown := set(wanted) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}: choose among {', '.join(SECTIONS)}")
    realtime = min(given.realtime, 8) if given.quick else given.realtime
    options = Options(given.quick, realtime, given.minutes)
    console = Console()
    figures: Sections = {}
    for name in wanted:
        found = _measured(name, options, console)
        figures |= found
        for section, values in found.items():
            console.print(_table(section, values))
    console.print(_bars(figures))
    _write("bench.json", {"machine": _machine(), **figures})
    console.print(f"Written to {OUT / 'bench.json'}", style="dim")


def _measured(name: str, options: Options, console: Console) -> Sections:
    """Return the figures of a section, or say why there are none."""
    try:
        found = SECTIONS[name](options)
    except (ModuleNotFoundError, EngineError) as error:  # a package or weights are not here
        console.print(f"{name} is left out: {error}", style="yellow")
        return {}
    if not found:
        console.print(f"{name} is left out: {MISSING}", style="yellow")
    return found


def _table(section: str, values: Mapping[str, float]) -> Table:
    table = Table("figure", "value", title=section, title_style="bold", width=64)
    table.columns[1].justify = "right"
    for name, value in values.items():
        table.add_row(name.replace("_", " "), "–" if math.isnan(value) else f"{value:,.2f}")
    return table


def _bars(figures: bars.Figures) -> Table:
    table = Table("bar", "asked", "seen", "met", title="asked and seen", title_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    words = {True: "[green]yes[/]", False: "[red]no[/]", None: "[dim]not measured[/]"}
    for bar in bars.BARS:
        seen = bar.seen(figures)
        table.add_row(
            bar.what, bar.asked, "–" if seen is None else f"{seen:,.1f}", words[bar.met(figures)]
        )
    return table


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"


def _write(name: str, record: Mapping[str, object]) -> None:
    """Write a record; what is not a number (JSON has no NaN) is null in it."""
    OUT.mkdir(exist_ok=True)
    text = json.dumps(_plain(record), indent=2, allow_nan=False)
    (OUT / name).write_text(text + "\n", encoding="utf-8")


def _plain(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {name: _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
    return value


if __name__ == "__main__":
    main()
