"""A new skill: an installable package with its entry point, sentences in two languages and tests.

The files are templates in `template/`, by Jinja2; a `.j2` is cut off, `package` becomes the name
of the package and `gitignore` gets its dot.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from agent.errors import GlassesError
from agent.version import __version__

PREFIX = "glasses-"
"""Begins the names of distributions, and of packages with `_`, so that `json` can be a skill."""

OURS = f"{PREFIX}agent"
"""The distribution of the agent itself, also where it runs from its sources."""

_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_LONGEST = 40


class ScaffoldError(GlassesError):
    """A new skill cannot have this name or stand in this folder; the message says why."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a new skill is called, everywhere it has a name."""

    skill: str
    """In the agent: `tide_table`."""

    @property
    def distribution(self) -> str:
        """What is installed: `glasses-tide-table`, normalised as PEP 503 does."""
        return PREFIX + self.skill.replace("_", "-")

    @property
    def package(self) -> str:
        """What is imported: `glasses_tide_table`."""
        return self.distribution.replace("-", "_")

    @property
    def spoken(self) -> str:
        """What is said: `tide table`."""
        return self.skill.replace("_", " ")


def names(wanted: str, installed: Collection[str] = ()) -> Names:
    """Return the names of the skill `wanted`, such as `tides`, `tide-table` or `glasses-tides`.

    `installed` holds the names of the skills there are. Raises ScaffoldError for a name that
    cannot be one, or that is taken by a skill or a package.
    """
    plain = wanted.removeprefix(PREFIX).removeprefix("glasses_")
    if not _NAME.fullmatch(plain) or len(plain) > _LONGEST:
        raise ScaffoldError(
            f"{wanted[: _LONGEST + 1]!r} cannot name a skill: use up to {_LONGEST} small letters,"
            " digits and single hyphens, beginning with a letter, such as tide-table"
        )
    found = Names(plain.replace("-", "_"))
    if found.skill in installed:
        raise ScaffoldError(f"a skill called {found.skill} is installed already: choose another")
    for what, name in (("distribution", found.distribution), ("package", found.package)):
        if name == OURS or _is_installed(name):
            raise ScaffoldError(f"a {what} {name} is installed already: choose another name")
    return found


def _is_installed(name: str) -> bool:
    """Tell whether pip, or an import, knows something by this name: it would be replaced."""
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return name.isidentifier() and importlib.util.find_spec(name) is not None
    return True


def create(new: Names, folder: Path) -> list[Path]:
    """Write the package into `folder`, which must not be there yet, and return its files.

    Raises ScaffoldError, and leaves nothing behind, when the folder exists or cannot be written.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    values = {
        "skill": new.skill,
        "distribution": new.distribution,
        "package": new.package,
        "spoken": new.spoken,
        "title": new.spoken.capitalize(),
        "agent_version": __version__,
    }
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise ScaffoldError(f"{folder} exists already: choose another name or --into") from None
    except OSError as error:
        raise ScaffoldError(f"{folder} cannot be made: {error.strerror}") from None
    written = []
    try:
        for parts, template in _templates(files("agent.cli.scaffold") / "template"):
            path = folder.joinpath(*(_renamed(part, new) for part in parts))
            path.parent.mkdir(parents=True, exist_ok=True)
            text = environment.from_string(template.read_text(encoding="utf-8")).render(values)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ScaffoldError(f"{folder} cannot be written: {error.strerror}") from None
    return written


def _templates(
    folder: Traversable, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Traversable]]:
    """Yield every template with the parts of its path."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, (*above, entry.name))
        elif entry.name.endswith(".j2"):
            yield (*above, entry.name), entry


def _renamed(part: str, new: Names) -> str:
    part = part.removesuffix(".j2")
    return {"package": new.package, "gitignore": ".gitignore"}.get(part, part)
