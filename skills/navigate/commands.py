"""`glasses maps`: which maps are here, adding one, and removing one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from skills.navigate import maps as kept
from skills.navigate.osm import MapError, Tell

_DOING = {"streets": "reading streets", "places": "reading places"}


@click.group()
def maps() -> None:
    """Add, list and remove maps to walk by; without one there is a made-up town."""


@maps.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", default="", metavar="NAME", help="What to call it; as its file by default.")
def add(file: Path, name: str) -> None:
    """Make a map of FILE, OpenStreetMap data: .osm.pbf, .osm.gz or .osm.

    Extracts of countries and cities are on download.geofabrik.de. What breaks off goes on from
    there when the same command is given again.
    """
    root = kept.folder()
    try:
        with _bar() as tell:
            about = kept.add(file, root, name, tell)
    except MapError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo("\nstopped; the same command goes on from there", err=True)
        raise SystemExit(130) from None
    click.echo(_told(about))
    middle = f"{(about.south + about.north) / 2:.4f},{(about.west + about.east) / 2:.4f}"
    click.echo(f"try it: GLASSES_LOCATION={middle} glasses say 'where am i'")
    click.echo("map data © OpenStreetMap contributors, ODbL 1.0")


@maps.command("list")
def list_maps() -> None:
    """Show the maps that are here."""
    found = list(kept.installed(kept.folder()))
    for about in found:
        click.echo(_told(about))
    if not found:
        click.echo("no maps yet, only a made-up town: glasses maps add FILE.osm.pbf")


@maps.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Remove the map NAME."""
    try:
        kept.remove(name, kept.folder())
    except MapError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{name} is removed")


def _told(about: kept.Installed) -> str:
    box = f"{about.south:.2f}…{about.north:.2f} N, {about.west:.2f}…{about.east:.2f} E"
    return f"{about.name}: {about.streets_km:g} km to walk, {about.places} places, {box}"


@contextmanager
def _bar() -> Iterator[Tell]:
    """Show how far it is; in a pipe, nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _, __: None
        return
    columns = TextColumn("{task.description}"), BarColumn(24), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("reading streets", total=1.0)
        yield lambda doing, done: progress.update(
            task, description=_DOING.get(doing, doing), completed=done
        )
