"""The models folder: what is there, whether it was verified, and which of it is used.

A model is a file or a folder in it. Beside each, or inside, is a hidden record of what its bytes
were when they were last checked against a checksum; as long as sizes and times are the recorded
ones nothing is read again. A model without a record was put there by hand: it is hashed once. If it
bears the name of a known model its bytes must be that model's; any other is the user's own.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from agent.errors import EngineError
from agent.models import header, registry
from agent.models.registry import Kind, Model
from hardware import reading

FORMAT = 1
"""Layout of the records; a newer one is not understood, and what it was about is hashed again."""
BY_HAND = "put there by hand"
"""The source of what was not pulled."""
RECORD = ".glasses.json"
"""The record of a folder; of a file `x.gguf` it is `.x.gguf.glasses.json` beside it."""
CHOSEN = ".chosen.json"
"""Where `glasses models use` writes what is used for which kind."""
PULLING = ".pulling"
"""Where models are that are on their way."""

State = Literal["verified", "own", "damaged", "unchecked"]
"""`verified` has the bytes that the registry knows; `own` was put there by hand; `damaged` is
refused; `unchecked` was not hashed since it last changed."""

MEMORY_SHARE = 0.5
"""Share of the machine's memory a model may fill: its context and the rest need theirs."""
HASHED_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """What was seen when a model was hashed."""

    name: str
    """The known model it is; "" for the user's own."""
    source: str
    """Where it came from, in words: `packages`, `put there by hand`."""
    files: Mapping[str, tuple[int, int, str]]
    """Size in bytes, time of the last change in ns, and SHA-256, by name."""
    verified_s: float = 0.0
    """When, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A model that is in the models folder."""

    path: Path
    """Its file or folder."""
    kind: Kind
    """What it is for."""
    state: State
    """Whether it may be loaded."""
    model: Model | None = None
    """What the registry knows of it."""
    source: str = ""
    """Where it came from."""
    problem: str = ""
    """One line: why it is refused."""

    @property
    def name(self) -> str:
        """What it is called in commands."""
        return self.model.name if self.model else self.path.name.removesuffix(".gguf")

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(path.stat().st_size for path in _files(self.path))


@dataclass(frozen=True, slots=True)
class Choice:
    """What is used for one kind of thing, and why."""

    path: Path | None = None
    """None where nothing can be used."""
    used: Installed | None = None
    """What is known of it."""
    why: str = ""
    """In a few words; where nothing is used, why what was chosen is not."""
    problems: tuple[str, ...] = ()
    """A line for each model that is there and refused, and for a choice that cannot be kept."""


# -- what is there --------------------------------------------------------------------------------


def installed(
    models: Path, check: bool = False, only: Collection[Path] | None = None
) -> list[Installed]:
    """Return what is in the models folder, by name; with `check` it is hashed again."""
    return [
        _checked(path, kind) if check else look(path, kind)
        for path in _candidates(models)
        if only is None or path in only
        if (kind := kind_of(path)) is not None
    ]


def kind_of(path: Path) -> Kind | None:
    """Return what a file or folder is a model for, by its shape and name; None for the rest."""
    if known := registry.at(path.name):
        return known.kind
    if path.is_dir():
        if is_whisper(path):
            return "speech"
        return "voice" if any(path.glob("*.onnx.json")) else None
    if path.suffix != ".gguf":
        return "voice" if path.name.endswith(".onnx") and _config(path).is_file() else None
    return "sentences" if header.embeds(path) else "language" if header.speaks(path) else None


def is_whisper(folder: Path) -> bool:
    """Tell a whole Whisper from other models: only its tokenizer has a start of transcript."""
    if not all((folder / name).is_file() for name in WHISPER):
        return False
    with suppress(OSError):
        return b"<|startoftranscript|>" in (folder / "tokenizer.json").read_bytes()
    return False


WHISPER = ("model.bin", "config.json", "tokenizer.json")
"""What a Whisper folder holds. Without tokenizer.json faster-whisper would download one."""


def look(path: Path, kind: Kind) -> Installed:
    """Return what the record says of a model, without reading the model."""
    known = registry.at(path.name)
    if lacking := _lacking(path, known):
        return Installed(path, kind, "damaged", known, problem=lacking)
    record = _read(path)
    if record is None or not _unchanged(path, record):
        return Installed(path, kind, "unchecked", known)
    state: State = "verified" if record.name else "own"
    return Installed(path, kind, state, known if record.name else None, record.source)


def trusted(path: Path, kind: Kind) -> Installed:
    """Return a model that may be loaded: what its record says, or else what hashing it says.

    Raises EngineError, one line, for a model whose bytes are not those of its name.
    """
    found = look(path, kind)
    if found.state == "unchecked":
        found = _checked(path, kind)
    if found.problem:
        raise EngineError(found.problem)
    return found


def _checked(path: Path, kind: Kind) -> Installed:
    """Hash a model and record what it is."""
    known = registry.at(path.name)
    if lacking := _lacking(path, known):
        return Installed(path, kind, "damaged", known, problem=lacking)
    before = _read(path)
    try:
        files = {file.name: _hashed(file) for file in _files(path)}
    except OSError as error:
        problem = f"{path}: cannot be read ({error.strerror})"
        return Installed(path, kind, "damaged", known, problem=problem)
    sums = {name: seen[2] for name, seen in files.items()}
    name, source = "", BY_HAND
    if known is not None:
        match _same(path, known, sums, before):
            case "damaged":
                problem = (
                    f"{path}: not the bytes of {known.name}, so it is not loaded; run `glasses"
                    f" models pull {known.name}`, or give it another name if it is your own"
                )
                return Installed(path, kind, "damaged", known, problem=problem)
            case "verified":
                name, source = known.name, before.source if before else BY_HAND
    record = Record(name, source, files, time.time())
    with suppress(OSError):  # in a folder that cannot be written it is hashed again next time
        write(path, record)
    _remembered[path] = record
    return Installed(path, kind, "verified" if name else "own", known, source)


def _lacking(path: Path, known: Model | None) -> str:
    """Say what a known model lacks; "" where all its files are there."""
    if known is None or not path.is_dir():
        return ""
    there = {file.name for file in _files(path)}
    if any({file.name for file in variant} <= there for variant in known.variants()):
        return ""
    missing = [file.name for file in known.files if file.name not in there]
    return f"{path}: {', '.join(missing)} missing; run `glasses models pull {known.name}`"


def _same(path: Path, known: Model, have: Mapping[str, str], before: Record | None) -> State:
    """Say whether bytes are those of a known model, or may be where nobody knows its checksums."""
    recorded = {name: seen[2] for name, seen in before.files.items()} if before else {}
    if known.makes:  # made here, of bytes that were checked
        made = (known.makes.sha256, recorded.get(path.name))
        return "verified" if have[path.name] in made else "damaged"
    for variant in known.variants():
        right = {file.name: file.sha256 or recorded.get(file.name, "") for file in variant}
        if all(have.get(name) == sum_ for name, sum_ in right.items() if sum_) and right.keys() <= (
            have.keys()
        ):
            return "verified" if all(right.values()) else "own"
    return "damaged"


def by_hand(path: Path) -> bool:
    """Whether what is there was put there by hand and is whole: nothing that a pull may drop."""
    return path.exists() and _read(path) is None and not _lacking(path, registry.at(path.name))


# -- records --------------------------------------------------------------------------------------

_remembered: dict[Path, Record] = {}
"""Records of this process, for folders that cannot be written."""


def write(path: Path, record: Record) -> None:
    """Keep the record of a model. Raises OSError."""
    _replace(_record(path), {"format": FORMAT, **asdict(record)})


def record_of(path: Path, name: str, source: str, sums: Mapping[str, str]) -> Record:
    """Return the record of files whose checksums, by name, were just seen to be right."""
    seen = {file: path / file if path.is_dir() else path for file in sums}
    stats = {file: where.stat() for file, where in seen.items()}
    files = {f: (stats[f].st_size, stats[f].st_mtime_ns, sums[f]) for f in sums}
    return Record(name, source, files, time.time())


def _record(path: Path) -> Path:
    return path / RECORD if path.is_dir() else path.with_name(f".{path.name}{RECORD}")


def _read(path: Path) -> Record | None:
    """Return the record of a model; one that is damaged or newer is as good as none."""
    try:
        read = reading.from_json(reading.read_text(_record(path)))
        if read["format"] != FORMAT:
            return _remembered.get(path)
        files = {n: (int(f[0]), int(f[1]), str(f[2])) for n, f in read["files"].items()}
        return Record(str(read["name"]), str(read["source"]), files, float(read["verified_s"]))
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return _remembered.get(path)


def _unchanged(path: Path, record: Record) -> bool:
    """Whether sizes and times are the recorded ones."""
    now = {}
    for file in _files(path):
        stat = file.stat()
        now[file.name] = stat.st_size, stat.st_mtime_ns
    return now == {name: seen[:2] for name, seen in record.files.items()}


def _hashed(path: Path) -> tuple[int, int, str]:
    before = path.stat()
    return before.st_size, before.st_mtime_ns, sha256(path)


def sha256(path: Path) -> str:
    """Return the checksum of a file, in hex. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASHED_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()


def _replace(path: Path, what: Mapping[str, Any]) -> None:
    """Write JSON in the place of a file, whole or not at all. Raises OSError."""
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    try:
        part.write_text(json.dumps(what, indent=1), encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


# -- which one is used ----------------------------------------------------------------------------


def choose(kind: Kind, models: Path, language: str = "auto", memory: int | None = None) -> Choice:
    """Return what is used for one kind of thing: what `glasses models use` named, or else the best.

    The best has the highest rank in the registry among those that speak the language and fill no
    more than half of `memory`, the machine's bytes; one that the registry does not know ranks with
    the largest known one that is no larger. Only what may be loaded is returned; what was put there
    by hand is hashed for that, once.
    """
    room = (memory or machine_memory()) * MEMORY_SHARE
    there = [path for path in _candidates(models) if kind_of(path) == kind]
    ranked = sorted(there, key=lambda path: _merit(path, kind), reverse=True)
    problems = [fault] if (fault := _fault(models)) else []
    wanted = chosen(models).get(kind, "")
    named = next((path for path in ranked if wanted in names(path)), None)
    aside = ""
    if named is not None and not _speaks(named, language):
        aside, named = f"{wanted} was chosen, and does not know the language ({language})", None
    elif wanted and named is None:
        problems.append(f"{wanted} was chosen and is not there; run `glasses models use auto`")
    fitting = [p for p in ranked if p != named and _weight(p) <= room and _speaks(p, language)]
    for path in [*([named] if named else []), *fitting]:
        try:
            found = trusted(path, kind)
        except EngineError as error:
            problems.append(str(error))
        else:
            why = "chosen by `glasses models use`" if path == named else BEST
            return Choice(path, found, f"{why}; {aside}" if aside else why, tuple(problems))
    return Choice(why=aside, problems=tuple(problems))


BEST = "the best here that memory allows"


def _speaks(path: Path, language: str) -> bool:
    """Whether a model knows a language; of one that is not known only its name tells."""
    if (known := registry.at(path.name)) is not None:
        return known.speaks(language)
    return language == "en" or not path.name.endswith(".en")


def better(kind: Kind, choice: Choice, language: str, memory: int | None = None) -> Model | None:
    """Return a known model that would do better on this machine, if there is one."""
    room = (memory or machine_memory()) >> 20
    rank = -1
    if choice.used is not None:
        known = choice.used.model
        rank = known.rank if known else max(registry.of(kind), key=lambda m: m.rank).rank
    fitting = [
        model
        for model in registry.of(kind)
        if model.rank > rank and model.memory_mb <= room and model.speaks(language)
        if not model.heavy
    ]
    return fitting[0] if fitting else None


def suitable(memory: int | None = None) -> list[Model]:
    """Return what suits this machine: the set that an installation gets."""
    large = (memory or machine_memory()) >> 20 >= registry.find(LARGE).memory_mb
    return [registry.find(name) for name in (HEARS, LARGE if large else SMALL, READS)]


TINY = ("whisper-tiny", "whisper-tiny.en")
"""What hears where a larger one is slower than speech."""
HEARS, LARGE, SMALL, READS = "whisper-base", "qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b", "minilm"


def use(models: Path, name: str) -> list[Installed]:
    """Use a model from now on, or with `auto` the best of each kind again; return what was chosen.

    Raises EngineError when it is not there, may not be loaded, or the choice cannot be kept.
    """
    wanted = dict(chosen(models))
    picked: list[Installed] = []
    if name == "auto":
        wanted = {}
    else:
        found = trusted_by_name(models, name)
        wanted[found.kind] = found.name
        picked = [found]
    try:
        on = device(models)
        _replace(
            models / CHOSEN, {"format": FORMAT, "used": wanted} | ({"device": on} if on else {})
        )
    except OSError as error:
        raise EngineError(f"{models / CHOSEN}: cannot be written ({error.strerror})") from None
    return picked


def use_device(models: Path, name: str) -> None:
    """Put language models on a device from now on, or with `auto` on the best there is.

    Raises EngineError where the choice cannot be kept.
    """
    told: dict[str, Any] = {"format": FORMAT, "used": chosen(models)}
    if name != "auto":
        told["device"] = name
    try:
        models.mkdir(parents=True, exist_ok=True)
        _replace(models / CHOSEN, told)
    except OSError as error:
        raise EngineError(f"{models / CHOSEN}: cannot be written ({error.strerror})") from None


def device(models: Path) -> str:
    """Return the device that `glasses models use --device` was told; empty is the best there is."""
    try:
        told = reading.from_json(reading.read_text(models / CHOSEN)).get("device", "")
        return told if isinstance(told, str) else ""
    except (OSError, ValueError, AttributeError):
        return ""


def trusted_by_name(models: Path, name: str) -> Installed:
    """Return a model of the folder that may be loaded. Raises EngineError."""
    found = by_name(models, name)
    return trusted(found.path, found.kind)


def names(path: Path) -> set[str]:
    """Return what a model may be called in commands."""
    known = registry.at(path.name)
    return {path.name, path.name.removesuffix(".gguf"), *([known.name] if known else [])}


def by_name(models: Path, name: str) -> Installed:
    """Return a model of the folder by its name, or its file's. Raises EngineError."""
    for found in installed(models):
        if name in names(found.path):
            return found
    if name in registry.models():
        raise EngineError(f"{name} is not here; run `glasses models pull {name}`")
    registry.find(name)
    raise EngineError(f"{name} is not in {models}")


def here(models: Path, name: str) -> Path | None:
    """Return where a known model is that may be loaded; None where there is none."""
    known = registry.find(name)
    path = models / known.place
    if not path.exists():
        return None
    try:
        return trusted(path, known.kind).path
    except EngineError:
        return None


def remove(models: Path, name: str) -> Installed:
    """Remove a model, its record, and what was pulled of it. Raises EngineError."""
    found = by_name(models, name)
    try:
        _record(found.path).unlink(missing_ok=True)
        if found.path.is_dir():
            shutil.rmtree(found.path)
        else:
            found.path.unlink()
        shutil.rmtree(models / PULLING / found.name, ignore_errors=True)
    except OSError as error:
        raise EngineError(f"{found.path}: cannot be removed ({error.strerror})") from None
    return found


def machine_memory() -> int:
    """Return the memory of this machine in bytes."""
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def available_memory() -> int:
    """Return the memory that could be had now without swapping, in bytes."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) << 10
    return machine_memory()


def chosen(models: Path) -> dict[str, str]:
    """Return the names that `glasses models use` was told, by kind."""
    try:
        read = reading.from_json(reading.read_text(models / CHOSEN))
        return {str(kind): str(name) for kind, name in read["used"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _fault(models: Path) -> str:
    """Say that the choice cannot be read; "" where there is none, or it can."""
    path = models / CHOSEN
    if not path.exists() or chosen(models):
        return ""
    with suppress(OSError, ValueError, TypeError, KeyError):
        if reading.from_json(reading.read_text(path))["used"] == {}:
            return ""
    return f"{path} is damaged, so the best is used; run `glasses models use auto`"


def _merit(path: Path, kind: Kind) -> tuple[float, bool, int, str]:
    size = _weight(path)
    known = registry.at(path.name)
    ranks = [m.rank for m in registry.of(kind) if m.size <= size]
    rank = known.rank if known else max(ranks, default=0)
    return rank, "qwen3" in path.name.lower(), size, path.name


def _weight(path: Path) -> int:
    with suppress(OSError):
        return sum(file.stat().st_size for file in _files(path))
    return 0


def _candidates(models: Path) -> list[Path]:
    """Return what may be a model; the folder itself may be one."""
    try:
        inside = sorted(p for p in models.iterdir() if not p.name.startswith("."))
    except OSError:
        return []
    return [*([models] if is_whisper(models) else []), *inside]


def _files(path: Path) -> list[Path]:
    """Return the files of a model, without its record and other hidden ones."""
    if path.is_dir():
        return sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
    return [p for p in (path, _config(path)) if p.is_file()]


def _config(path: Path) -> Path:
    """Return where the settings of a voice are."""
    return path.with_name(f"{path.name}.json")
