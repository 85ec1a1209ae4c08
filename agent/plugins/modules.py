"""How a plugin's module is found, imported, forgotten and brought back."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from agent.errors import PluginError

PREFIX = "glasses_plugins."
"""Package that plugins from files are imported under, so that one called json.py does not replace
the standard library's."""


def in_folder(folder: Path | None) -> list[Path]:
    """Return the plugins in a folder, by name: files `*.py` and packages, none that begins `_`."""
    if folder is None or not folder.is_dir():
        return []
    files = folder.glob("*.py")
    packages = (path.parent for path in folder.glob("*/__init__.py"))
    return sorted(path for path in (*files, *packages) if path.name[0] not in "_.")


def load(wanted: str) -> ModuleType:
    """Import a plugin by path or by module name. Raises PluginError where there is none."""
    path = Path(wanted).expanduser()
    if path.is_dir() and (path / "__init__.py").is_file():
        return _from_file(path / "__init__.py")
    if wanted.endswith(".py") or path.is_file():
        if not path.is_file():
            raise PluginError(f"there is no file {wanted}: check the path")
        return _from_file(path)
    try:
        return importlib.import_module(wanted)
    except ModuleNotFoundError as error:
        if error.name and wanted.startswith(error.name):
            raise PluginError(
                f"no module or file named {wanted}: give a path ending in .py or an importable name"
            ) from None
        raise


def _from_file(path: Path) -> ModuleType:
    stem = path.resolve().parent.name if path.name == "__init__.py" else path.stem
    name = PREFIX + stem.replace(".", "_")  # a dot would make a package of "v1.2"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python file")
    before = forget(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # typing.get_type_hints looks the module up by name
    try:
        spec.loader.exec_module(module)
    except BaseException:
        forget(name)
        sys.modules.update(before)
        raise
    return module


def told(error: Exception) -> str:
    """Return what went wrong in a plugin's module and where: `file:line: kind: message`."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    ours = (str(Path(__file__).parents[1]), sysconfig.get_path("stdlib") + "/", "<")
    frames = traceback.extract_tb(error.__traceback__, limit=-50)  # a recursion has thousands
    packages = sysconfig.get_path("purelib")
    for frame in reversed(frames):
        if frame.filename.startswith(packages) or not frame.filename.startswith(ours):
            return f"{frame.filename}:{frame.lineno}: {type(error).__name__}: {error}"
    return f"{type(error).__name__}: {error}"


def forget(name: str) -> dict[str, ModuleType]:
    """Remove a module from memory with all that was imported below it; return what was removed.

    A plugin that is one module of a package takes the package's other modules with it, so that its
    own helpers are read anew too.
    """
    module, parent = sys.modules.get(name), name.rpartition(".")[0]
    root = name if hasattr(module, "__path__") or parent not in sys.modules else parent
    gone = [key for key in list(sys.modules) if key == root or key.startswith(root + ".")]
    return {key: sys.modules.pop(key) for key in gone}


@contextmanager
def anew(name: str) -> Iterator[None]:
    """Forget a module so that it is imported anew inside; it comes back when that fails."""
    before = forget(name)
    for module in before.values():
        # Python takes a compiled file for fresh when second and size of the source are the same.
        if (source := getattr(module, "__file__", None)) and source.endswith(".py"):
            with suppress(OSError, NotImplementedError):
                Path(importlib.util.cache_from_source(source)).unlink()
    importlib.invalidate_caches()
    try:
        yield
    except BaseException:
        forget(name)
        sys.modules.update(before)
        raise
