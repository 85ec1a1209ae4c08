"""`glasses memory`: what the wearer asked to have remembered, to read, mend, export or forget."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from agent import config, private
from agent.cli import streams
from agent.cli.output import print_json
from agent.errors import ConfigError
from agent.skill.notes import NOTES, Notes, exported


def _notes() -> Notes:
    return Notes(config.load().data / NOTES)


def show(as_json: bool) -> None:
    """Print all notes, the oldest first."""
    found = _notes().all()
    for note in found:
        if as_json:
            print_json(asdict(note))
        else:
            streams.echo(f"{note.id:4}  {note.when:%Y-%m-%d %H:%M}  {note.text}")
    if not found and not as_json:
        streams.echo('nothing is remembered; say "remember that …", or `glasses memory add TEXT`')


def add(text: str) -> None:
    """Remember a text."""
    streams.echo(f"{_notes().add(text, datetime.now()).id} is remembered")


def edit(id: int, text: str) -> None:
    """Put another text in a note's place."""
    streams.echo(f"{_notes().change(id, text, datetime.now()).id} is changed")


def forget(ids: Sequence[int], everything: bool) -> None:
    """Forget notes. Raises DataError for one that is not there, before any is forgotten."""
    notes = _notes()
    if not ids and not everything:
        raise ConfigError("name the notes to forget (`glasses memory list` shows them), or --all")
    wanted = [note.id for note in (notes.all() if everything else map(notes.get, ids))]
    streams.echo(f"forgotten: {len(notes.forget(wanted))}")


def export(out: Path | None, as_json: bool) -> None:
    """Write all notes, as Markdown or JSON, to a file that only the wearer may read."""
    found = _notes().all()
    listed = [asdict(note) for note in found]
    text = json.dumps(listed, ensure_ascii=False, indent=1) + "\n" if as_json else exported(found)
    if out is None:
        streams.echo(text.rstrip("\n"))
        return
    try:
        private.write(out, text)
    except OSError as error:
        raise ConfigError(f"{out} cannot be written: {error.strerror}") from None
    streams.echo(f"{len(found)} notes are in {out}")
