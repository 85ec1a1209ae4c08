"""The command `new-skill`: write the package of a new skill and say what to type next."""

from __future__ import annotations

import shlex
from pathlib import Path

from agent import config
from agent.cli import scaffold, streams
from agent.plugins.skills import Skills


def new_skill(name: str, into: str) -> None:
    """Write the package. Raises ScaffoldError for a name or a folder that is taken."""
    settings = config.load()
    installed = Skills.discover((), settings.plugins, apart=settings.alone)
    new = scaffold.names(name, {action.skill for action in installed.actions.values()})
    folder = Path(into) / name
    for path in scaffold.create(new, folder):
        streams.echo(f"  {path}")
    streams.echo("Next:")
    streams.echo(f"  cd {shlex.quote(str(folder))}")
    streams.echo('  pip install -e ".[test]" && pytest')
    streams.echo(f'  glasses say "show {new.spoken} for today"')
