"""Plugins: the hooks, how plugins are found, and how a broken one is kept from harming the rest.

Four sharp edges of pluggy are handled here: a misspelt hook is refused by name (`check_pending`
after each registration), plugins load one by one so that one failing import cannot stop the
others, each hook implementation is called on its own so that one that raises cannot stop the
rest, and skills are kept in the order plugins were found, not in pluggy's reverse order.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pluggy

from agent.errors import GlassesError, PluginError
from agent.sentences import read_sentences
from agent.skill import Action, Declaration, Sentences, declarations

ENTRY_POINTS = "glasses"
BUILTIN = ("skills.shop", "skills.pay", "skills.translate", "skills.navigate", "skills.music")

log = logging.getLogger(__name__)

hookspec = pluggy.HookspecMarker("glasses")
hookimpl = pluggy.HookimplMarker("glasses")


class Register(Protocol):
    """What `register_skills` is given to call."""

    def __call__(self, *things: Any) -> None:
        """Take functions decorated with `@skill`, or objects with such methods."""
        ...


class Hooks:
    """The hooks of the agent."""

    @hookspec
    def register_skills(self, register: Register) -> None:
        """Call `register(action, …)` with the skill's actions."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A plugin that is not in use, and why."""

    plugin: str
    """Its name, as the user wrote it or as it was found."""
    reason: str
    """One line."""


class Skills:
    """The installed skills: every action, by name, in the order they were found."""

    def __init__(self) -> None:
        """Start with none; `load` adds plugins."""
        self.actions: dict[str, Action] = {}
        self.problems: list[Problem] = []
        self._manager = pluggy.PluginManager("glasses")
        self._manager.add_hookspecs(Hooks)

    @classmethod
    def discover(cls, extra: Iterable[str] = (), folder: Path | None = None) -> Skills:
        """Load the built-in skills, installed plugins, the user's folder, then `extra`.

        `extra` holds module names or paths of Python files. A plugin that cannot be loaded is in
        `problems`, except one of `extra`: the user asked for it by name, so PluginError is raised.
        """
        skills = cls()
        for name in BUILTIN:
            skills._try(name, lambda name=name: importlib.import_module(name), "glasses")  # type: ignore[misc]
        for point in metadata.entry_points(group=ENTRY_POINTS):
            source = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
            skills._try(point.name, point.load, source)
        for path in sorted(folder.glob("*.py")) if folder and folder.is_dir() else ():
            skills._try(str(path), lambda path=path: _from_file(path), str(path))  # type: ignore[misc]
        for wanted in extra:
            skills._try(wanted, lambda wanted=wanted: _import(wanted), wanted)  # type: ignore[misc]
            if skills.problems and skills.problems[-1].plugin == wanted:
                raise PluginError(f"plugin {wanted}: {skills.problems[-1].reason}")
        return skills

    def load(self, plugin: Any, source: str = "") -> None:
        """Add one plugin: a module or object with hook implementations.

        Raises PluginError or SentenceError; nothing of the plugin stays behind then.
        """
        name = _plugin_name(plugin)
        if self._manager.has_plugin(name):
            raise PluginError(f"{name} is loaded already; two plugins cannot share a name")
        try:
            self._manager.register(plugin, name=name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            self._manager.unregister(name=name)
            raise PluginError(_explain(plugin, error)) from None
        implementations = [
            found
            for found in self._manager.hook.register_skills.get_hookimpls()
            if found.plugin is plugin
        ]
        found: dict[str, Action] = {}

        def register(*things: Any) -> None:
            for thing in things:
                for declaration, function in declarations(thing):
                    action = _action(plugin, declaration, function, source or name)
                    if action.name in self.actions or action.name in found:
                        raise PluginError(
                            f"{action.name} is declared by {source or name} and by"
                            f" {(self.actions | found)[action.name].source}; rename one of them"
                        )
                    found[action.name] = action

        try:
            for implementation in implementations:
                implementation.function(register)
        except BaseException:
            self._manager.unregister(name=name)
            raise
        self.actions |= found

    def _try(self, name: str, load: Callable[[], Any], source: str) -> None:
        """Load one plugin; the plugin boundary, so whatever it raises becomes a Problem."""
        try:
            self.load(load(), source)
        except (GlassesError, SystemExit) as error:
            reason = str(error) or type(error).__name__
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            log.debug("plugin %s failed to load", name, exc_info=True)
        else:
            return
        self.problems.append(Problem(name, " ".join(reason.split())))

    def languages(self) -> list[str]:
        """Return the languages that at least one action has sentences in."""
        return sorted({lang for a in self.actions.values() for lang in a.languages})


def _plugin_name(plugin: Any) -> str:
    name = getattr(plugin, "__name__", None) or type(plugin).__name__
    return str(name)


def skill_name(plugin: Any) -> str:
    """Return the skill's name: the last part of the plugin's module name."""
    return _plugin_name(plugin).rpartition(".")[2]


def _import(wanted: str) -> ModuleType:
    path = Path(wanted).expanduser()
    if wanted.endswith(".py") or path.is_file():
        if not path.is_file():
            raise PluginError(f"there is no file {wanted}: check the path")
        return _from_file(path)
    if path.is_dir() and (path / "__init__.py").is_file():
        return _from_file(path / "__init__.py")
    try:
        return importlib.import_module(wanted)
    except ModuleNotFoundError as error:
        if error.name and wanted.startswith(error.name):
            raise PluginError(
                f"no module or file named {wanted}: give a path ending in .py or an importable name"
            ) from None
        raise


def _from_file(path: Path) -> ModuleType:
    # A name of its own, so that a plugin called json.py does not replace the standard library's.
    name = f"glasses_plugins.{path.parent.name if path.name == '__init__.py' else path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # typing.get_type_hints looks the module up by name
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _explain(plugin: Any, error: pluggy.PluginValidationError) -> str:
    known = [name for name in vars(Hooks) if not name.startswith("_")]
    for name, value in inspect.getmembers(plugin, inspect.isroutine):
        if getattr(value, "glasses_impl", None) is not None and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)
            return f"there is no hook {name}; did you mean {nearest[0]}?"
    return str(error)


def _action(
    plugin: Any, declared: Declaration, function: Callable[..., Any], source: str
) -> Action:
    languages = {"en": Sentences(templates=declared.sentences, where=declared.where)}
    folder = Path(inspect.getfile(function)).parent / "sentences"
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        language = path.stem
        read = read_sentences(path, declared)
        if language == "en":
            read = Sentences(
                (*declared.sentences, *read.templates),
                read.lists, read.rules, read.responses, read.where,
            )  # fmt: skip
        if read.templates or read.responses:
            languages[language] = read
    return Action(skill_name(plugin), declared, function, languages, source)
