"""Run every benchmark: `make bench`, or `make bench ARGS="--quick"`."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import listening, process, skills
from tests.shared import MISSING, PLUGIN, orders

OUT = Path("bench-results")


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="40 clips instead of all")
    parser.add_argument(
        "--realtime", type=int, default=40, help="clips streamed at real-time pace (default 40)"
    )
    options = parser.parse_args()
    console = Console()
    figures: dict[str, dict[str, float]] = {}
    clips = orders()
    if clips:
        chosen = clips[:: max(1, len(clips) // 40)] if options.quick else clips
        figures["commands"] = _heard(chosen, "fast")
        step = max(1, len(clips) // options.realtime)
        figures["commands, real-time pace"] = _heard(clips[::step], "realtime")
    else:
        console.print(f"Spoken commands are left out: {MISSING}", style="yellow")
    memory = process.peak_memory_mb()  # before other measures load more
    silent, noisy = process.idle_share()
    figures["process"] = {
        "grammar_ready_s": process.grammar_ready_s(str(PLUGIN)),
        "import_agent_s": process.import_agent_s(),
        "repl_first_line_s": process.repl_first_line_s(),
        "listening_to_silence_percent_of_a_core": 100 * silent,
        "listening_to_noise_percent_of_a_core": 100 * noisy,
        "peak_memory_mb": memory,
    }
    figures["500 skills"] = skills.figures()
    OUT.mkdir(exist_ok=True)
    record = {"machine": f"{platform.machine()}, Python {platform.python_version()}", **figures}
    (OUT / "bench.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    console.print(_table(figures))
    console.print(f"Written to {OUT / 'bench.json'}", style="dim")


def _heard(clips: list, pace: str) -> dict[str, float]:
    return listening.summary(asyncio.run(listening.run(clips, [str(PLUGIN)], pace)))


def _table(figures: dict[str, dict[str, float]]) -> Table:
    table = Table("figure", "value", title="glasses bench")
    table.columns[1].justify = "right"
    for section, values in figures.items():
        table.add_section()
        table.add_row(f"[bold]{section}[/]", "")
        for name, value in values.items():
            table.add_row(name.replace("_", " "), f"{value:,.2f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
