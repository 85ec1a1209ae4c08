"""Getting a model: from the first source that has it, whole, checked, and then into its place.

What is on its way lies in `.pulling/NAME` of the models folder, so that a later pull goes on with
it, and nothing is ever half there under its own name. `python -m agent.models.pull` does it for the
installer, with nothing but the standard library, a JSON object a line.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent import config
from agent.errors import EngineError, GlassesError
from agent.models import registry, sources, store
from agent.models.registry import File, Model
from agent.models.sources import Source, Unavailable

SPARE = 1.05
"""Room that must be free, for each byte that is to come."""
TOLD_S = 0.1
"""How often progress is told."""
WAIT_S = 0.2
"""How often is looked whether another pull has ended."""

Convert = Callable[[Path, Path], None]
"""Makes of a folder of files the one file that is kept. Raises EngineError."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Who is told how a pull goes."""

    say: Callable[[str], None] = lambda line: None
    """Takes one line at a time."""
    progress: Callable[[int, int], None] = lambda done, of: None
    """Takes bytes: so many of so many. May go back, where a source began anew."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What became of a pull."""

    path: Path
    """Where the model is."""
    source: str
    """Where it came from; "" where it was there already."""


def pull(
    model: Model,
    models: Path,
    having: Sequence[Source],
    teller: Teller | None = None,
    convert: Convert | None = None,
    free: Callable[[Path], int] | None = None,
) -> Pulled:
    """Get a model into the models folder, unless it is there, and return where it is.

    `free` says how many bytes a folder has room for. Raises EngineError, one line: no source has
    it, the disk is full, the folder cannot be written. What was had until then stays for the next.
    """
    teller = teller or Teller()
    staging = models / store.PULLING / model.name
    try:
        models.mkdir(parents=True, exist_ok=True)
        if (there := store.here(models, model.name)) is not None:
            return Pulled(there, "")
        staging.mkdir(parents=True, exist_ok=True)
        with _alone(staging.with_name(f"{model.name}.lock"), model, teller):
            if (there := store.here(models, model.name)) is not None:
                return Pulled(there, "")
            staging.mkdir(exist_ok=True)  # another pull may have ended, and cleared up
            source = _fetch(model, staging, having, teller, free or _free)
            path = _settle(model, models, staging, source, convert)
            shutil.rmtree(staging, ignore_errors=True)
            return Pulled(path, source.name)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise EngineError(
                f"{model.name}: the disk is full in {models}; make room, and the same command goes"
                " on from there"
            ) from None
        why = error.strerror or type(error).__name__
        raise EngineError(
            f"{models}: cannot be written ({why}); set GLASSES_MODELS to another folder"
        ) from None


@contextmanager
def _alone(path: Path, model: Model, teller: Teller) -> Iterator[None]:
    """Wait until nobody else pulls this model."""
    with path.open("w") as lock:
        waiting = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    teller.say(f"{model.name} is being pulled already; waiting for that (Ctrl-C)")
                waiting = True
                time.sleep(WAIT_S)
        yield


@dataclass(slots=True)
class _Count:
    """Bytes that arrived."""

    of: int
    teller: Teller
    done: int = 0
    told_s: float = 0.0

    def step(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if now - self.told_s >= TOLD_S or self.done >= self.of:
            self.told_s = now
            self.teller.progress(min(self.done, self.of), self.of)


@dataclass(frozen=True, slots=True)
class _Came:
    """Where the files came from, and what their checksums are."""

    name: str
    folder: Path
    sums: Mapping[str, str]


def _fetch(
    model: Model,
    staging: Path,
    having: Sequence[Source],
    teller: Teller,
    free: Callable[[Path], int],
) -> _Came:
    """Ask the sources one after the other until one gave the right bytes."""
    tried = []
    for source in having:
        files = source.offers(model)
        if files is None:
            continue
        folder = staging / source.way
        folder.mkdir(exist_ok=True)
        size = sum(file.size for file in files)
        for _ in range(2):
            resumed = _weight(folder)
            _room(model, staging, size - resumed, free)
            try:
                expected = source.fetch(model, folder, _Count(size, teller).step)
            except Unavailable as error:
                tried.append(f"{source.name}: {error}")
                break
            wrong, sums = _verified(folder, files, expected)
            if not wrong:
                return _Came(source.name, folder, sums)
            shutil.rmtree(folder)
            folder.mkdir()
            if not resumed:  # else the wrong bytes may be those of an earlier pull
                teller.say(f"{source.name} gave other bytes as {wrong}; they are removed")
                tried.append(f"{source.name}: other bytes")
                break
    reasons = "; ".join(tried) or "no source is known"
    raise EngineError(f"{model.name} cannot be had: {reasons}")


def _room(model: Model, folder: Path, missing: int, free: Callable[[Path], int]) -> None:
    needed, room = int(max(0, missing) * SPARE), free(folder)
    if needed > room:
        raise EngineError(
            f"{model.name} needs {needed:,} bytes of disk, and {room:,} are free in"
            f" {folder.parents[1]}; make room or set GLASSES_MODELS to another folder"
        )


def _verified(
    folder: Path, files: Sequence[File], expected: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """Return the first file that is not what it must be, and the SHA-256 of all."""
    sums = {}
    for file in files:
        path = folder / file.name
        if not path.is_file():
            return file.name, {}
        sums[file.name] = store.sha256(path)
        wanted = file.sha256 or expected.get(file.name, "")
        found = sums[file.name] if len(wanted) == 64 else _git(path)
        if found != wanted:
            return file.name, {}
    return "", sums


def _git(path: Path) -> str:
    """Return what git calls a file: the SHA-1 of its length and itself."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    digest.update(path.read_bytes())
    return digest.hexdigest()


def _settle(
    model: Model, models: Path, staging: Path, came: _Came, convert: Convert | None
) -> Path:
    """Put what was checked into its place, with a record of it."""
    path = models / model.place
    new = came.folder if model.folder else came.folder / model.files[0].name
    sums = dict(came.sums)
    if model.makes:
        if convert is None:
            raise EngineError(f"{model.name} must be converted: `glasses models pull {model.name}`")
        new = staging / model.makes.name
        convert(came.folder, new)
        sums = {new.name: store.sha256(new)}
    if model.folder:
        for left in new.iterdir():
            if left.name not in sums:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        store.write(new, store.record_of(new, model.name, came.name, sums))
    if store.by_hand(path):  # other bytes, which may be dear to somebody
        path.replace(_aside(path))
    elif path.is_dir():  # half of one
        old = staging / "old"
        shutil.rmtree(old, ignore_errors=True)
        path.replace(old)
    new.replace(path)
    if not model.folder:
        store.write(path, store.record_of(path, model.name, came.name, sums))
    return path


def _aside(path: Path) -> Path:
    """Return a name beside it that is not taken."""
    names = (f"{path.stem}.yours{number or ''}{path.suffix}" for number in range(1000))
    return next(p for name in names if not (p := path.with_name(name)).exists())


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _weight(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


# -- several at once ------------------------------------------------------------------------------


def missing(names: Sequence[Model], models: Path) -> list[Model]:
    """Return those that are not in the models folder, or not whole."""
    return [model for model in names if store.here(models, model.name) is None]


def announce(wanted: Sequence[Model]) -> str:
    """Say what is about to be pulled, and how much: `1.3 GB: Whisper base, Qwen3 0.6B`."""
    size = sum(model.size for model in wanted)
    return f"{registry.amount(size)}: {', '.join(model.title for model in wanted)}"


def wanted(said: str) -> list[Model]:
    """Read what is to be pulled: nothing or `auto` for what suits this machine, `none`, or names.

    Raises EngineError for a name that is not known.
    """
    names = re.split(r"[\s,]+", said.strip())
    if names in ([""], ["auto"]):
        return store.suitable()
    return [] if names == ["none"] else [registry.find(name) for name in names]


def main(arguments: Sequence[str] | None = None) -> int:
    """Pull for the installer: what needs no conversion of what $MODELS says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args(arguments)

    def tell(**what: object) -> None:
        print(json.dumps(what), flush=True)

    try:
        models = config.load().models
        chosen = [model for model in wanted(os.environ.get("MODELS", "")) if not model.makes]
        lacking = missing(chosen, models)
        having = sources.order()
    except (GlassesError, OSError) as error:
        tell(said=str(error))
        return 1
    if not lacking:
        return 0
    total, before = sum(model.size for model in lacking), 0
    failed: dict[str, str] = {}
    tell(begins=announce(lacking), of=total)
    try:
        for model in lacking:
            began = before

            def progress(done: int, of: int) -> None:
                tell(done=began + done * model.size // max(1, of), of=total)  # noqa: B023

            teller = Teller(lambda line: tell(said=line), progress)
            try:
                pull(model, models, having, teller)
            except EngineError as error:
                failed[model.name] = str(error)
            before += model.size
    except KeyboardInterrupt:
        tell(said="the models are pulled in part; `make models` goes on from there")
        return 130
    if failed:
        others = "".join(f", nor {name}" for name in list(failed)[1:])
        tell(said=f"{next(iter(failed.values()))}{others}")
    if came := [model.title for model in lacking if model.name not in failed]:
        tell(ends=f"Models: {', '.join(came)} pulled into {models} and verified")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
