"""`glasses travel`: which timetables are here, adding one, and removing one."""

from __future__ import annotations

from pathlib import Path

import click

from skills.travel import gtfs


@click.group()
def travel() -> None:
    """Add, list and remove timetables."""


@travel.command("add")
@click.argument("feed", type=click.Path(path_type=Path))
def add(feed: Path) -> None:
    """Make a timetable of FEED, a GTFS .zip; mobilitydatabase.org lists those of the world."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    try:
        with Progress(console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("reading times", total=1.0)
            name, count = gtfs.add(
                feed, gtfs.folder(), lambda done: bar.update(task, completed=done)
            )
    except gtfs.FeedError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{name}: {count} stop times")


@travel.command("list")
def show() -> None:
    """Show the timetables that are here."""
    found = sorted(gtfs.folder().glob("*.db"))
    for path in found:
        click.echo(path.stem)
    if not found:
        click.echo("no timetables yet: glasses travel add FEED.zip")


@travel.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Remove the timetable NAME."""
    path = gtfs.folder() / f"{name}.db"
    if path not in gtfs.folder().glob("*.db"):
        have = ", ".join(sorted(found.stem for found in gtfs.folder().glob("*.db"))) or "none"
        raise click.ClickException(f"no timetable is called {name}; there are: {have}")
    path.unlink()
    click.echo(f"{name} is removed")
