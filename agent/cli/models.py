"""`glasses models`: which weights are here, getting more, and which are used."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent import config
from agent.cli import streams
from agent.cli.engines import RPC
from agent.cli.output import new_console, new_table, print_json
from agent.errors import EngineError
from agent.models import pull as pulling
from agent.models import registry, sources, store
from agent.models.pull import Convert, Teller
from agent.models.registry import ANY, Model
from agent.models.store import Installed
from hardware import npu


def show(as_json: bool) -> None:
    """Print the models that are known and those that are here."""
    folder = config.load().models
    rows = list(_rows(folder))
    if as_json:
        for row in rows:
            print_json(row)
        return
    from rich.text import Text

    shown = new_table(6)
    for kind in registry.KINDS:
        for row in (row for row in rows if row["kind"] == kind):
            there = row["state"] is not None
            shown.add_row(
                Text(_MARKS[row["state"]][0], _MARKS[row["state"]][1]),
                Text(row["name"], "bold" if row["used"] else "" if there else "dim"),
                _FOR[kind],
                registry.amount(row["bytes"]),
                _spoken(row["languages"]),
                Text(_state(row), "" if there else "dim"),
            )
    new_console().print(shown)
    new_console().print(Text(f"\nin {folder}; `glasses models pull NAME` gets one", "dim"))


_FOR = {"speech": "hears", "language": "answers", "sentences": "understands", "voice": "speaks"}
_MARKS = {
    "verified": ("✓", "green"),
    "own": ("✓", "yellow"),
    "unchecked": ("?", "yellow"),
    "damaged": ("✗", "red"),
    None: ("–", "dim"),
}


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield a row for each model that is known or here."""
    used = {
        choice.path: choice.why
        for choice in (
            store.choose("speech", folder),
            store.choose("language", folder),
            store.choose("sentences", folder, "en"),
        )
    }
    here = {found.path: found for found in store.installed(folder)}
    for known in registry.models().values():
        found = here.pop(folder / known.place, None)
        yield _row(known.name, known, found, used)
    for found in here.values():
        yield _row(found.name, found.model, found, used)


def _row(
    name: str, known: Model | None, found: Installed | None, used: dict[Path | None, str]
) -> dict[str, Any]:
    kind = found.kind if found else known.kind if known else None
    return {
        "name": name,
        "title": known.title if known else None,
        "kind": kind,
        "bytes": found.size if found else known.size if known else 0,
        "languages": list(known.languages) if known else [],
        "memory_mb": known.memory_mb if known else None,
        "licence": known.licence if known else None,
        "state": found.state if found else None,
        "source": found.source if found else None,
        "used": bool(found and found.path in used),
        "path": str(found.path) if found else None,
        "problem": found.problem or None if found else None,
    }


def _state(row: dict[str, Any]) -> str:
    match row["state"]:
        case None:
            return f"needs {row['memory_mb'] / 1024:.0f} GiB of memory; {row['licence']}"
        case "damaged":
            return str(row["problem"])
        case "unchecked":
            said = "put there by hand or changed; checked before it is used"
        case "own":
            said = "yours, unknown to the registry"
        case _:
            said = f"verified ({row['source']})"
    return f"used; {said}" if row["used"] else said


def _spoken(languages: Sequence[str]) -> str:
    return "99 languages" if ANY in languages else ", ".join(languages) or "?"


def pull(names: Sequence[str], suitable: bool, source: Path | None) -> None:
    """Get models, and exit with 1 where one could not be had."""
    if not names and not suitable:
        raise EngineError("name a model (`glasses models list` shows them), or --suitable")
    chosen = [registry.find(name) for name in names] or store.suitable()
    folder = config.load().models
    having = sources.order(folder=source)
    lacking = pulling.missing(chosen, folder)
    for model in chosen:
        if model not in lacking:
            streams.echo(f"{model.name} is there already: {folder / model.place}")
    if suitable and lacking:
        streams.echo(pulling.announce(lacking))
    failed = [model for model in lacking if not _pulled(model, folder, having)]
    if failed:
        sys.exit(1)


def _pulled(model: Model, folder: Path, having: Sequence[sources.Source]) -> bool:
    """Get one model with a bar; say in a line what became of it."""
    try:
        with _bar(model) as teller:
            got = pulling.pull(model, folder, having, teller, _converter(model))
    except EngineError as error:
        streams.echo(f"Error: {error}", err=True)
        return False
    except KeyboardInterrupt:
        streams.echo(f"\n{model.name}: stopped; the same command goes on from there", err=True)
        sys.exit(130)
    streams.echo(f"{model.name}: {got.path}, verified, from {got.source or 'another pull'}")
    return True


def _converter(model: Model) -> Convert | None:
    if not model.makes:
        return None
    from agent.understand.minilm import convert

    return convert


@contextmanager
def _bar(model: Model) -> Iterator[Teller]:
    """Show bytes, speed and the time that is left; in a pipe, nothing but the lines."""
    screen = new_console(stderr=True)
    if not screen.is_terminal:
        yield Teller(lambda line: streams.echo(line, err=True))
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (BarColumn(24), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(TextColumn("{task.description}"), *columns, console=screen) as progress:
        task = progress.add_task(model.title, total=model.size)
        yield Teller(
            lambda line: progress.console.print(line, markup=False),
            lambda done, of: progress.update(task, completed=done, total=of),
        )


def use(name: str | None, device: str | None) -> None:
    """Keep which model is used, and on what."""
    settings = config.load()
    folder = settings.models
    if name is None and device is None:
        raise EngineError("name a model (`glasses models list` shows them), or --device")
    if device is not None:
        _use_device(settings, device)
    if name is None:
        return
    chosen = store.use(folder, name)
    for found in chosen:
        streams.echo(f"{found.name} {_FOR[found.kind]} from now on: {found.path}")
    if not chosen:
        streams.echo("the best of each kind that memory allows is used again")


def _use_device(settings: config.Config, name: str) -> None:
    """Keep a device that is there."""
    if name != "auto":
        if settings.ggml:
            npu.load(Path(settings.ggml).expanduser())
        wanted = npu.connect(name.removeprefix(RPC)) if name.startswith(RPC) else name
        there = [device.name for device in npu.built()]
        if wanted.casefold() not in map(str.casefold, there):
            raise EngineError(
                f"ggml has no device {name} here: it has {', '.join(there) or 'none'}; `glasses"
                " doctor` says which build would use what lies idle"
            )
    store.use_device(settings.models, name)
    streams.echo(f"language models run on {'the best there is' if name == 'auto' else name}")


def verify(names: Sequence[str], as_json: bool) -> None:
    """Hash models again, and exit with 1 when one is not what its name says."""
    folder = config.load().models
    wanted = [store.by_name(folder, name).path for name in names]
    found = store.installed(folder, check=True, only=wanted or None)
    for row in found:
        if as_json:
            print_json({"name": row.name, "state": row.state, "problem": row.problem or None})
        else:
            words = {"verified": "verified", "own": "yours, unknown to the registry"}
            streams.echo(row.problem or f"{row.name}: {words[row.state]}", err=bool(row.problem))
    if not found and not as_json:
        streams.echo(f"no models in {folder}")
    sys.exit(int(any(row.problem for row in found)))


def remove(name: str) -> None:
    """Remove a model from the models folder."""
    gone = store.remove(config.load().models, name)
    streams.echo(f"{gone.name} is removed: {gone.path}")


def path(name: str | None) -> None:
    """Print where the models are, or where one is."""
    folder = config.load().models
    streams.echo(str(store.by_name(folder, name).path if name else folder))
