"""What commands print: tables for people, and for programs JSON, and nothing else, there."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

import click

from agent.cli import streams

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_lines: list[TextIO] = []
"""Where our JSON goes while a command runs with `--json`, last first; else to standard output."""


def _keep_stdout(context: click.Context, parameter: click.Parameter, as_json: bool) -> bool:
    """Keep standard output for our JSON: what plugins print goes to standard error.

    On the file descriptor, so that native code and child processes cannot get between the lines.
    """
    real = sys.__stdout__
    if as_json and real is not None and sys.stdout is real:  # else a test catches it already
        real.flush()
        own = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
        os.dup2(2, 1)
        _lines.append(own)

        def give_back() -> None:
            sys.stdout.flush()
            _lines.remove(own)
            os.dup2(own.fileno(), 1)
            with suppress(OSError):  # what could not be written was told when it was printed
                own.close()

        context.call_on_close(give_back)
    return as_json


JSON = click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=_keep_stdout,
    help="Print one JSON object a line.",
)


def print_json(record: dict[str, Any]) -> None:
    """Print one record on one line, at once, so that a pipe's reader sees it when it happens."""
    out = _lines[-1] if _lines else sys.stdout
    try:
        out.write(streams.text(json.dumps(record, ensure_ascii=False)) + "\n")
        out.flush()
    except (BrokenPipeError, streams.StreamError):
        raise
    except OSError as error:
        raise streams.StreamError(f"standard output cannot be written: {error.strerror}") from None


def discard_lines() -> None:
    """Let what is still to be printed go: the reader of our output went away."""
    streams.discard(*_lines)


WIDEST = 10_000
"""Columns where there is no terminal: a line of a table stays one line, for `grep` and for eyes."""


def new_console(stderr: bool = False) -> Console:
    """Return a console as wide as the terminal, or one that never breaks a line."""
    from rich.console import Console

    console = Console(highlight=False, stderr=stderr)
    return console if console.is_terminal else Console(highlight=False, width=WIDEST, stderr=stderr)


def new_table(columns: int) -> Table:
    """Return a table without lines whose words are folded on a narrow terminal, never cut off."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for _ in range(columns):
        table.add_column(overflow="fold")
    return table
