"""What can be said, what a text means, and skills of one's own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click

from agent.cli import streams
from agent.cli.options import LANGUAGE, PLUGIN, as_text, one_line_errors
from agent.cli.output import JSON


@click.command()
@click.argument("name", required=False)
@click.option("--json", "form", flag_value="json", help="Print one JSON object a line.")
@click.option("--schema", "form", flag_value="schema", help="Print the JSON tool schemas.")
@click.option("--jsgf", "form", flag_value="jsgf", help="Print the English grammar as JSGF.")
@click.option("--markdown", "form", flag_value="markdown", help="Print a page of documentation.")
@PLUGIN
@one_line_errors
def skills(name: str | None, form: str | None, plugins: tuple[str, ...]) -> None:
    """List what can be said, or everything about the skill NAME."""
    from agent.cli.installed import skills as show

    show(name, form or "table", plugins)  # type: ignore[arg-type]  # the flags' values


@click.command()
@click.argument("texts", nargs=-1, callback=as_text)
@click.option("--explain", is_flag=True, help="Say what each stage of the router made of it.")
@JSON
@LANGUAGE
@PLUGIN
@one_line_errors
def route(
    texts: tuple[str, ...],
    explain: bool,
    as_json: bool,
    language: str | None,
    plugins: tuple[str, ...],
) -> None:
    """Say which action TEXTS mean, without doing it; without TEXTS, one a line from a pipe."""
    from agent.cli.machine import route as decide

    decide(texts or streams.lines(), as_json, language, plugins, explain)


@click.command()
@JSON
@LANGUAGE
@one_line_errors
def yesno(as_json: bool, language: str | None) -> None:
    """Say of each line from a pipe whether it means yes, no, change or unclear.

    As the agent hears an answer to its question; English and Chinese are always understood.
    """
    from agent.cli.yesno import run

    run(streams.lines(), as_json)


@click.command("new-skill")
@click.argument("name")
@click.option("--into", default=".", metavar="FOLDER", help="Where to make it; here by default.")
@one_line_errors
def new_skill(name: str, into: str) -> None:
    """Write an installable package for a new skill NAME, such as tides."""
    from agent.cli.new_skill import new_skill as write

    write(name, into)


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@LANGUAGE
@click.option("--talk", is_flag=True, help="Listen instead of reading typed lines.")
@one_line_errors
def dev(paths: tuple[str, ...], language: str | None, talk: bool) -> None:
    """Run the agent and reload the skill at PATH, here by default, whenever it is saved.

    PATH is a file, a package, a project with an entry point, or the name of an installed skill.
    """
    from agent.cli.dev import run

    asyncio.run(run(paths or (".",), language, talk))


@click.command("test")
@click.argument("plugin", required=False)
@click.option(
    "--only", metavar="STAGES", help="Which of said,heard,clashes; all of them by default."
)
@click.option(
    "--snr",
    metavar="DB,DB",
    default="24,12",
    show_default=True,
    help="Noise to speak in beside none: how far it is below the speech.",
)
@click.option(
    "--noise", metavar="PATH", help="A recording of noise, or a folder of them; babble by default."
)
@click.option("--junit", metavar="FILE", help="Also write JUnit XML.")
@click.option("--samples", metavar="N", default=40, show_default=True, help="Most of one template.")
@click.option("--seed", metavar="N", default=0, show_default=True, help="Of sentences and noise.")
@click.option(
    "--min-heard",
    metavar="PERCENT",
    type=click.FloatRange(0, 100),
    default=90.0,
    show_default=True,
    help="Share of natural voices that must arrive in quiet.",
)
@JSON
@PLUGIN
@one_line_errors
def check(plugin: str | None, **options: Any) -> None:
    """Say, speak and compare every sentence of PLUGIN, a path or a skill's name, or of all skills.

    Each sentence must come to its own action as text, by synthetic voices in quiet, and must not be
    taken for one of another skill. Exits with 1 when not. Nothing is carried out.
    """
    from agent.cli.check import main as test

    sys.exit(test(plugin, **options))


@click.command()
@click.option(
    "--real",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help='Also learn from real utterances, one {"text", "skill"} a line.',
)
@click.option(
    "--minutes",
    type=click.FloatRange(0.05, 240),
    help="Time to train; 10 by default, 25 with --anew.",
)
@click.option("--anew", is_flag=True, help="Start from nothing, not from the model in use.")
@click.option(
    "--embedding",
    type=click.Path(path_type=Path),
    metavar="GGUF",
    help="Fit what is learned to this Qwen3 embedding model instead.",
)
@click.option("--holdout", is_flag=True, help="Keep a fifth of the sentences for an evaluation.")
@click.option("--seed", default=0, show_default=True, metavar="N", help="Where chance starts.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it.")
@PLUGIN
@one_line_errors
def train(
    real: Path | None,
    minutes: float | None,
    anew: bool,
    embedding: Path | None,
    holdout: bool,
    seed: int,
    out: Path | None,
    plugins: tuple[str, ...],
) -> None:
    """Teach the pocket model your own skills; it is used from then on.

    Needs `pip install 'glasses-agent[train]'`; on two cores ten minutes are enough. With
    --embedding nothing needs installing, and how long it takes is that model's to say.
    """
    from agent.cli.train import embedding as fit
    from agent.cli.train import train as run

    if embedding is not None:
        fit(embedding, real, seed, out, plugins)
        return
    run(minutes, real, anew, holdout, seed, out, plugins)


@click.group("eval")
def evaluate() -> None:
    """Measure how well the agent does."""


@evaluate.command("route")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option(
    "--calls",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="JSONL of {id, call, slots, also?}: right calls, kept apart from their texts.",
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw the curve of right skills over false accepts; needs matplotlib.",
)
@JSON
@PLUGIN
@one_line_errors
def evaluate_route(
    files: tuple[Path, ...],
    calls: Path | None,
    picture: Path | None,
    as_json: bool,
    plugins: tuple[str, ...],
) -> None:
    """Route the texts of FILEs, JSONL of {text, skill, action?, slots?}, and count what is right.

    The skill `none` marks what belongs to no skill.
    """
    from agent.cli.evaluate import route as run

    run(files, calls, picture, as_json, plugins)


@evaluate.command("questions")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@JSON
@PLUGIN
@one_line_errors
def evaluate_questions(files: tuple[Path, ...], as_json: bool, plugins: tuple[str, ...]) -> None:
    """Ask the questions of FILEs, JSONL of {text, needs, answer?, after?}, and judge the answers.

    `needs` names what must be at hand ("weather"), null what a model can know; then `answer` is a
    pattern that a right answer has. `after` lists what was asked before it.
    """
    from agent.cli.questions import run

    run(files, as_json, plugins)


COMMANDS = [skills, route, yesno, new_skill, dev, check, train, evaluate]
"""What `glasses` has of this file."""
