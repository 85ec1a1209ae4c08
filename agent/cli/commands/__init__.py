"""The command `glasses`; its commands in groups: options and help here, the rest in `agent.cli`."""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import suppress
from functools import cache
from typing import Any

import click

from agent.cli import streams
from agent.cli.commands import models, servers, skills, talking, wearer
from agent.errors import GlassesError
from agent.version import __version__

LEAVE_S = 0.5
"""How long threads may take to end once a command is done."""


@cache
def brought() -> dict[str, click.Command]:
    """Return the commands that plugins bring, by name."""
    from agent import config
    from agent.plugins.skills import Skills

    try:
        settings = config.load()
        found = Skills.discover((), settings.plugins, apart=settings.alone)
    except GlassesError:  # whatever it is, the command that was asked for will say so
        return {}
    return {name: c for name, c in found.commands().items() if isinstance(c, click.Command)}


class _Commands(click.Group):
    """The commands, as a process that ends when they do; plugins may bring more."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *brought()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; plugins are only asked for one that is not ours."""
        return super().get_command(ctx, cmd_name) or brought().get(cmd_name)

    def main(self, *args: Any, **extra: Any) -> Any:
        if args or extra:  # a test inside its own process
            return super().main(*args, **extra)
        code = self._process()
        streams.discard()
        _leave(code)
        sys.exit(code)

    def _process(self) -> Any:
        """Run the command that was typed, write all it printed, and return the exit status."""
        code: Any = 1
        try:
            try:
                streams.prepare()
                super().main()
            except SystemExit as end:
                code = end.code
            if not code:  # else what went wrong was told already
                streams.flush()
        except BrokenPipeError:
            return 0
        except streams.StreamError as error:
            with suppress(OSError):
                streams.echo(f"Error: {error}", err=True)
            return 1
        return code


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="glasses")
@click.option("--debug", is_flag=True, help="Show traces and log more.")
def main(debug: bool) -> None:
    """Voice agent for AI glasses. Start with `glasses talk` or `glasses repl`."""
    level = logging.DEBUG if debug else logging.ERROR
    logging.basicConfig(level=level, format="%(name)s: %(message)s")


for module in (talking, skills, wearer, models, servers):
    for command in module.COMMANDS:
        main.add_command(command)


def _leave(code: Any) -> None:
    """End the process although a plugin left threads behind that Python would wait for."""
    from agent.plugins.runner import keeps_process

    began = time.monotonic()
    while keeps_process():
        if time.monotonic() - began > LEAVE_S:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else int(code is not None))
        time.sleep(0.01)
