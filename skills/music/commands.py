"""`glasses music`: read the tags of the wearer's songs, and see what is there."""

from __future__ import annotations

from pathlib import Path

import click

from hardware.base import DeviceError
from skills.music import library, mpd, tags


@click.group()
def music() -> None:
    """Read the wearer's songs, and show what is there."""


@music.command("scan")
def scan() -> None:
    """Read the tags of all songs in the music folder; files that did not change are kept."""
    from rich.console import Console
    from rich.progress import Progress

    root = library.folder()
    paths = library.files(root)
    if not paths:
        raise click.ClickException(f"no songs in {root}: put some there, or set GLASSES_MUSIC")
    known = tags.kept(root)
    new: list[Path] = [path for path in paths if str(path) not in known]
    with Progress(
        console=Console(stderr=True), disable=not Console(stderr=True).is_terminal
    ) as bar:
        task = bar.add_task("reading tags", total=len(new))
        tags.scan(new, lambda done: bar.update(task, completed=done))
    click.echo(f"{len(paths)} songs in {root}, {len(new)} of them read now")


@music.command("list")
def show() -> None:
    """Say how many songs there are, and where."""
    try:
        every = library.tracks()
    except DeviceError as error:
        raise click.ClickException(str(error)) from None
    where = mpd.SERVER or str(library.folder())
    artists = len({track.artist for track in every if track.artist})
    click.echo(f"{len(every)} songs by {artists} artists, {where} and the tunes that ship")
