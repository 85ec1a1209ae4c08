"""`glasses shop`: make a catalogue of the wearer's own files, or erase it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from agent import config
from agent.errors import GlassesError
from skills.shop.importing import FILE, import_files


@click.group()
def shop() -> None:
    """Import your own catalogue of products; without one there is a demo."""


@shop.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def import_(files: tuple[Path, ...]) -> None:
    """Make the catalogue of CSV or JSON Lines FILES, packed by gzip or not."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("importing", total=None)
            told = import_files(
                files,
                config.load().data / "shop",
                lambda done, of: bar.update(task, completed=done, total=of),
            )
    except (GlassesError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(told)


@shop.command("forget")
def forget() -> None:
    """Erase it; the demo is back then."""
    try:
        (config.load().data / "shop" / FILE).unlink(missing_ok=True)
    except OSError as error:
        raise click.ClickException(str(error)) from None
    click.echo("Your catalogue is erased.")


@shop.command("key")
@click.argument("profile")
def key(profile: str) -> None:
    """Make a key for requests to UCP shops, and print what to publish at PROFILE, an https URL."""
    from agent.skill.secrets import Secrets
    from skills.shop import ucp_key

    settings = config.load()
    try:
        made = ucp_key.made(profile)
        ucp_key.keep(made, Secrets(settings.data, settings.plugins.parent))
    except GlassesError as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(ucp_key.Signer(made).profile(), indent=2))
