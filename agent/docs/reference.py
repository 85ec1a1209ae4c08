"""What is made of the code for the reference: commands, settings and skills, as Markdown."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import click

from agent.config import CHOICES, Config


def section(name: str, home: Path) -> str:
    """Return what a page asks for with `<!-- made: NAME -->`, as Markdown.

    Commands are run in `home`, an empty folder. Raises KeyError for another name and RuntimeError
    where something cannot be told.
    """
    makers: dict[str, Callable[[], str]] = {
        "commands": commands,
        "settings": settings,
        "skills": lambda: skills(home),
    }
    return makers[name]()


def commands() -> str:
    """Return each command with what its `--help` prints."""
    from agent.cli.commands import main

    found = []
    for path, context in _walk(main, click.Context(main, info_name="glasses", terminal_width=88)):
        text = context.command.get_help(context)
        found.append(f"## {path}\n\n```text\n{text}\n```\n")
    return "\n".join(found)


def _walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Context]]:
    yield context.command_path, context
    if isinstance(command, click.Group):
        for name in sorted(command.commands):  # those that ship; what plugins bring is theirs
            inner = command.commands[name]
            yield from _walk(inner, click.Context(inner, parent=context, info_name=name))


def settings() -> str:
    """Return a table of the settings, from the lines under the fields of `Config`."""
    import griffe

    described = griffe.load("agent.config", search_paths=[Path(inspect.getfile(Config)).parents[1]])
    rows = ["| setting | |", "|---|---|"]
    for field in fields(Config):
        docstring = described["Config"][field.name].docstring
        if docstring is None:
            raise RuntimeError(f"agent/config.py: {field.name} has no line under it")
        variable = f"GLASSES_{field.name.upper()}"
        said = " ".join(docstring.value.split()).replace(f"; `{variable}`.", ".")
        if choices := [choice for choice in CHOICES.get(field.name, ()) if choice]:
            said += f" One of {', '.join(f'`{choice}`' for choice in choices)}."
        if isinstance(field.default, str) and field.default:
            said += f" By default `{field.default}`."
        rows.append(f"| `{field.name}` | {said.replace('|', '&#124;')} |")
    return "\n".join(rows) + "\n"


def skills(home: Path) -> str:
    """Return the page that `glasses skills --markdown` prints, of the skills that ship alone."""
    from click.testing import CliRunner

    from agent.cli.commands import main

    environ = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}
    done = CliRunner().invoke(main, ["skills", "--markdown"], env=environ)
    if done.exit_code:
        raise RuntimeError(f"`glasses skills --markdown` failed: {done.output.strip()}")
    return done.output.partition("\n## ")[1].lstrip() + done.output.partition("\n## ")[2]
