"""The command `dev`: the agent runs, and a skill is in use as soon as its files are saved.

What is kept across a reload is all that the agent owns: the conversation, each skill's memory, an
open proposal, the pages on the lens. What the skill's own modules held is made anew.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from agent.errors import GlassesError, PluginError
from agent.plugins import modules
from agent.plugins.skills import ENTRY_POINTS, Problem, Skills
from hardware import reading

POLL_S = 0.1
"""How often the files are looked at; a change counts when it has stood for one more look, so that
a file that is being written is not read half. A save is in use after 0.1 to 0.2 s."""

WATCHED = frozenset({".py", ".yaml", ".yml", ".j2", ".json", ".jsonl", ".toml"})
"""Files that belong to a skill; what it writes beside them in other formats does not reload it."""

Tell = Callable[[str], Awaitable[None]]
"""Shows one line to the author, wherever the cursor is."""

Seen = dict[Path, tuple[int, int, int]]
"""When each file was changed (ns), its size in bytes, and its inode: editors replace files."""


@dataclass(slots=True)
class Target:
    """One skill that is being written."""

    name: str
    """What the agent calls it."""
    root: Path
    """Its file, or the folder of its package."""
    module: str
    """What it is imported as."""
    label: str
    """What the agent calls it as long as it cannot be loaded."""
    again: Callable[[], Any]
    """Imports it."""
    source: str
    """Where it is installed from."""
    seen: Seen = field(default_factory=dict)
    """Its files, as they are in use."""

    def files(self) -> Seen:
        """Return its files as they are now; none when it is not there, as while it is replaced."""
        if self.root.suffix == ".py":
            beside = self.root.parent
            paths = [self.root, *beside.glob("sentences/*"), *beside.glob("prompts/*/*")]
        else:
            paths = [path for path in self.root.rglob("*") if "__pycache__" not in path.parts]
        found: Seen = {}
        for path in paths:
            if path.suffix in WATCHED:
                with suppress(OSError):  # it went away between the two calls
                    stat = path.stat()
                    found[path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        return found

    def load(self, skills: Skills) -> Problem | None:
        """Load it, or load it again; return what is wrong with it, if so."""
        if self.is_loaded(skills):
            return skills.reload(self.name)
        modules.forget(self.module)  # what a broken version had imported before it broke
        importlib.invalidate_caches()
        return skills.add(self.label, self.again, self.source)

    def is_loaded(self, skills: Skills) -> bool:
        """Tell whether a version of it is in use, and not another skill of the same name."""
        if self.name not in skills.plugins:
            return False
        file = getattr(sys.modules.get(self.module), "__file__", None)
        return file is not None and Path(file).resolve().is_relative_to(self.root.resolve())


def targets(wanted: str) -> list[Target]:
    """Return the skills at a path, or the installed one of this name. Raises PluginError."""
    path = Path(wanted).expanduser()
    if path.is_file() and path.suffix == ".py" and path.name != "__init__.py":
        return [_file(path.resolve(), wanted)]
    if path.name == "__init__.py" and path.is_file():
        path = path.parent
    if (path / "__init__.py").is_file():
        return [_file(path.resolve(), wanted)]
    if path.is_dir() and (found := _project(path.resolve())):
        return found
    for point in metadata.entry_points(group=ENTRY_POINTS):
        if wanted == point.name or (point.dist and wanted == point.dist.name):
            return [_entry_point(point)]
    raise PluginError(
        f"{wanted} is no skill: give a Python file, a package, a project with entry points in the"
        f" group {ENTRY_POINTS}, or the name of an installed skill"
    )


def _file(path: Path, wanted: str) -> Target:
    """Return a file or a package that is used where it lies."""
    name = path.stem if path.is_file() else path.name
    return Target(
        name=name.removeprefix("glasses_"),
        root=path,
        module=modules.PREFIX + name,
        label=wanted,
        again=partial(modules.load, str(path)),
        source=wanted,
    )


def _project(folder: Path) -> list[Target]:
    """Return what a project's entry points name, found in the project, installed or not."""
    file = folder / "pyproject.toml"
    try:
        declared = reading.from_toml(reading.read_text(file)).get("project", {})
        points = declared.get("entry-points", {}).get(ENTRY_POINTS, {})
    except FileNotFoundError:
        return []
    except (OSError, reading.Unreadable, AttributeError) as error:
        raise PluginError(f"{file} cannot be read: {error}") from None
    if not points:
        return []
    source = folder / "src" if (folder / "src").is_dir() else folder
    sys.path.insert(0, str(source))  # before what is installed of it
    name = f"{declared.get('name', folder.name)} {declared.get('version', '')} in {folder}"
    return [
        _entry_point(metadata.EntryPoint(point, value, ENTRY_POINTS), name)
        for point, value in points.items()
    ]


def _entry_point(point: metadata.EntryPoint, source: str = "") -> Target:
    package = point.module.partition(".")[0]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise PluginError(f"{point.name} is {point.value}, and there is no package {package}")
    root = Path(spec.origin)
    if not source and point.dist:
        source = f"{point.dist.name} {point.dist.version}"
    return Target(
        name=(point.attr or point.module).rpartition(".")[2].removeprefix("glasses_"),
        root=root.parent if root.name == "__init__.py" else root,
        module=point.module,
        label=point.name,
        again=point.load,
        source=source or point.value,
    )


async def watch(found: Sequence[Target], skills: Skills, tell: Tell) -> None:
    """Load what is not loaded, then reload each target whenever its files have changed."""
    for target in found:
        target.seen = target.files()
        if not target.is_loaded(skills) and (problem := target.load(skills)):
            await tell(f"✗ {target.name}: {problem.reason}")
        await tell(f"watching {shown(target.root)}")
    latest = [target.seen for target in found]
    while True:
        await asyncio.sleep(POLL_S)
        for index, target in enumerate(found):
            try:
                now = target.files()
            except OSError:  # a folder went away while it was read
                continue
            if now and now != target.seen and now == latest[index]:
                changed = {path for path, _ in now.items() ^ target.seen.items()}
                target.seen = now
                await tell(_reload(target, skills, changed))
            latest[index] = now


def _reload(target: Target, skills: Skills, changed: Iterable[Path]) -> str:
    """Load the new version and say in one line what became of it."""
    began = time.perf_counter()
    kept = "; the version before stays in use" if target.is_loaded(skills) else ""
    try:
        problem = target.load(skills)
    except GlassesError as error:
        problem = Problem(target.name, " ".join(str(error).split()))
    if problem is not None:
        return f"✗ {target.name}: {problem.reason}{kept}"
    if broken := _broken_prompt(changed):
        return f"✗ {target.name}: {broken}"
    names = ", ".join(sorted({path.name for path in changed})[:3])
    return f"✓ {target.name} reloaded ({names}) in {(time.perf_counter() - began) * 1000:.0f} ms"


def _broken_prompt(changed: Iterable[Path]) -> str:
    """Return what is wrong with a prompt, if one is; no version of them is kept in memory."""
    from jinja2 import Environment, TemplateSyntaxError

    from agent.models.llm.prompts import declared

    for path in sorted(changed):
        if path.suffix == ".j2" and path.is_file():
            text = path.read_text(encoding="utf-8-sig", errors="replace")
            try:
                Environment().parse(text)
                declared(path, text)
            except TemplateSyntaxError as error:
                return f"{path}:{error.lineno}: {error.message}"
            except GlassesError as error:
                return f"{path}:1: {error}"
    return ""


def shown(path: Path) -> str:
    """Return a path as short as it can be from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


async def run(paths: Sequence[str], language: str | None, talk: bool) -> None:
    """Run the agent with the skills at `paths`. Raises PluginError where there is none."""
    found = [target for path in paths for target in targets(path)]
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    meanwhile = partial(watch, found)
    if talk:
        from agent.cli.talk import run as listen

        await listen(language, (), demo=False, meanwhile=meanwhile)
    else:
        from agent.cli.repl import run as read

        await read(language, (), meanwhile=meanwhile)
