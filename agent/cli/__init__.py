"""The command `glasses`: talk to the glasses, try them in text, script them."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Literal, TypeVar

import click

from agent import __version__
from agent.errors import GlassesError
from hardware.base import DeviceError

Command = TypeVar("Command", bound=Callable[..., Any])

LANGUAGE = click.option(
    "--language", type=click.Choice(["en", "zh", "auto"]), help="Language spoken; auto by default."
)
PLUGIN = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="PATH_OR_MODULE",
    help="Load one more skill plugin; may be given several times.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")


def one_line_errors(command: Command) -> Command:
    """Print an error of ours as one line and exit with 1; `--debug` shows the trace."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except (GlassesError, DeviceError) as error:
            if click.get_current_context().find_root().params.get("debug"):
                raise
            raise click.ClickException(" ".join(str(error).split())) from None
        except KeyboardInterrupt:
            click.echo()
            sys.exit(130)
        except BrokenPipeError:  # the reader of our output went away, as `| head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)

    return run  # type: ignore[return-value]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="glasses")
@click.option("--debug", is_flag=True, help="Show traces and log more.")
def main(debug: bool) -> None:
    """Voice agent for AI glasses. Start with `glasses talk` or `glasses repl`."""
    level = logging.DEBUG if debug else logging.ERROR
    logging.basicConfig(level=level, format="%(name)s: %(message)s")


@main.command()
@LANGUAGE
@PLUGIN
@click.option(
    "--demo", is_flag=True, help="Stream the spoken commands that ship, microphone or not."
)
@one_line_errors
def talk(language: str | None, plugins: tuple[str, ...], demo: bool) -> None:
    """Listen, answer, and draw the lens in the terminal."""
    from agent.cli.talk import run

    asyncio.run(run(language, plugins, demo))


@main.command()
@LANGUAGE
@PLUGIN
@one_line_errors
def repl(language: str | None, plugins: tuple[str, ...]) -> None:
    """Type instead of talking; reads from a pipe too."""
    from agent.cli.repl import run

    asyncio.run(run(language, plugins))


@main.command()
@click.argument("text")
@JSON
@LANGUAGE
@PLUGIN
@one_line_errors
def say(text: str, as_json: bool, language: str | None, plugins: tuple[str, ...]) -> None:
    """Answer one TEXT and exit."""
    from agent.cli.machine import say as answer

    sys.exit(asyncio.run(answer(text, as_json, language, plugins)))


@main.command()
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--pace",
    type=click.Choice(["realtime", "fast"]),
    default="fast",
    show_default=True,
    help="Stream as a microphone would, or as fast as it can be heard.",
)
@JSON
@LANGUAGE
@PLUGIN
@one_line_errors
def listen(
    files: tuple[str, ...],
    pace: Literal["realtime", "fast"],
    as_json: bool,
    language: str | None,
    plugins: tuple[str, ...],
) -> None:
    """Hear sound FILES as if they were spoken into the microphone."""
    from agent.cli.machine import listen as hear

    sys.exit(asyncio.run(hear(files, pace, as_json, language, plugins)))


@main.command()
@click.argument("texts", nargs=-1)
@JSON
@LANGUAGE
@PLUGIN
@one_line_errors
def route(
    texts: tuple[str, ...], as_json: bool, language: str | None, plugins: tuple[str, ...]
) -> None:
    """Say which action TEXTS mean, without doing it; without TEXTS, one a line from a pipe."""
    from agent.cli.machine import route as decide

    decide(texts or _lines(), as_json, language, plugins)


@main.command()
@click.argument("name", required=False)
@JSON
@PLUGIN
@one_line_errors
def skills(name: str | None, as_json: bool, plugins: tuple[str, ...]) -> None:
    """List what can be said, or everything about the skill NAME."""
    from agent.cli.report import skills as show

    show(name, as_json, plugins)


@main.command()
@JSON
@PLUGIN
@one_line_errors
def doctor(as_json: bool, plugins: tuple[str, ...]) -> None:
    """Say which engines and devices are in use, what is missing, and how to get it."""
    from agent.cli.report import doctor as show

    show(as_json, plugins)


def _lines() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")


def print_json(record: dict[str, Any]) -> None:
    """Print one record on one line, at once, so that a pipe's reader sees it when it happens."""
    sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
    sys.stdout.flush()
