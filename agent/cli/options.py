"""What many commands have in common: their options, and errors in one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from agent.cli import streams
from agent.cli.output import discard_lines
from agent.errors import GlassesError
from hardware.base import DeviceError

Command = TypeVar("Command", bound=Callable[..., Any])

LANGUAGE = click.option(
    "--language", type=click.Choice(["en", "zh", "auto"]), help="Language spoken; auto by default."
)


def _run_apart(context: click.Context, parameter: click.Parameter, named: tuple[str, ...]) -> None:
    """Add to the plugins that run apart, wherever the command reads its settings."""
    if not named:
        return
    from agent import config

    try:
        before = config.load().alone
    except GlassesError as error:
        raise click.ClickException(str(error)) from None
    os.environ["GLASSES_APART"] = ",".join(dict.fromkeys([*before, *named]))


def PLUGIN(command: Callable[..., Any]) -> Callable[..., Any]:  # an option as the others
    """Give a command the options that say which plugins there are."""
    apart = click.option(
        "--apart",
        multiple=True,
        metavar="NAME",
        expose_value=False,
        callback=_run_apart,
        help="Run this plugin in a process of its own; may be given several times.",
    )
    plugins = click.option(
        "--plugin",
        "plugins",
        multiple=True,
        metavar="PATH_OR_MODULE",
        help="Load one more skill plugin; may be given several times.",
    )
    return plugins(apart(command))


def certificates(command: Command) -> Command:
    """Add the two options of TLS: `certificate` and `key`."""
    file = click.Path(dir_okay=False, path_type=Path)
    certificate = click.option(
        "--certificate",
        type=file,
        metavar="FILE",
        help="TLS: a PEM file with certificate and key.",
    )
    key = click.option("--key", type=file, metavar="FILE", help="The key, where it is elsewhere.")
    return certificate(key(command))


RECORD = click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what is said and answered to FILE, in the clear, for `glasses replay`.",
)


def as_text(context: click.Context, parameter: click.Parameter, given: Any) -> Any:
    """Make texts of arguments: the shell passes on bytes that are none."""
    if isinstance(given, tuple):
        return tuple(map(streams.text, given))
    return streams.text(given)


def has_folder(out: Path | None) -> None:
    """Raise DeviceError for a file in a folder that is not there: a slip of the keyboard."""
    if out is not None and not out.parent.is_dir():
        raise DeviceError(f"cannot write {out}: there is no folder {out.parent}")


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
            streams.echo()
            sys.exit(130)
        except BrokenPipeError:  # the reader of our output went away, as `| head` does
            discard_lines()
            sys.exit(0)

    return run  # type: ignore[return-value]
