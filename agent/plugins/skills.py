"""Plugins: the hooks, how plugins are found, and how a broken one is kept from harming the rest.

Four sharp edges of pluggy are handled here: a misspelt hook is refused by name (`check_pending`
after each registration), plugins load one by one so that one failing import cannot stop the
others, each hook implementation is called on its own so that one that raises cannot stop the
rest, and skills are kept in the order plugins were found, not in pluggy's reverse order.
"""

from __future__ import annotations

import difflib
import inspect
import logging
import sys
from collections.abc import (
    Callable,
    ItemsView,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    ValuesView,
)
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from agent.errors import GlassesError, PluginError
from agent.language.controls import own_words
from agent.plugins import apart as separate
from agent.plugins import modules
from agent.plugins.hooks import HOOKS, KINDS, READING, TRANSCRIPTS, Hooks, Kind
from agent.plugins.offences import LISTS_S, OFFENCES, faults, raised
from agent.plugins.runner import Ran, Runner
from agent.skill import template
from agent.skill.declare import Action, Declaration, declarations
from agent.skill.sentences import check_files, languages, place
from agent.skill.slots import Choice, Slot, Values
from agent.version import __version__

if TYPE_CHECKING:
    from agent.skill.context import Context
    from agent.turn import Turn

ENTRY_POINTS = "glasses"
BUILTIN = (
    "skills.shop",
    "skills.pay",
    "skills.translate",
    "skills.navigate",
    "skills.music",
    "skills.time",
    "skills.memory",
    "skills.reminders",
    "skills.convert",
    "skills.weather",
    "skills.notes",
    "skills.calendar",
    "skills.notices",
    "skills.teleprompter",
    "skills.meeting",
    "skills.travel",
)

LOAD_S = 15.0
"""Longest a plugin may take to be imported, and then to register."""

MAX_VALUES = 100_000
"""Most values in a slot's list."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """A plugin that is not in use, and why."""

    plugin: str
    """Its name, as the user wrote it or as it was found."""
    reason: str
    """One line."""


@dataclass(frozen=True, slots=True)
class Provider:
    """An engine or device that a plugin brings."""

    kind: Kind
    """What it is."""
    name: str
    """What `glasses doctor` calls it."""
    make: Callable[..., Any]
    """Builds it from the Config."""
    source: str
    """Where the plugin was installed from."""


@dataclass(slots=True)
class _Installed:
    """One plugin and all that it brought."""

    name: str
    plugin: Any
    source: str
    again: Callable[[], Any] | None
    """Imports it once more; None for an object that was given to `load`."""
    actions: dict[str, Action] = field(default_factory=dict)
    providers: list[Provider] = field(default_factory=list)
    reads: str = ""
    """Why it reads what is said and shown; empty when it does not."""


class Actions(MutableMapping[str, Action]):
    """What can be done now, by name.

    It is replaced as a whole, never changed in place: plugins come and go on one thread while
    another goes through what there is.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.now: Mapping[str, Action] = {}
        """What there is now; another mapping once that changes."""

    def become(self, actions: Mapping[str, Action]) -> None:
        """Be these from now on."""
        self.now = dict(actions)

    def __getitem__(self, name: str) -> Action:
        return self.now[name]

    def __setitem__(self, name: str, action: Action) -> None:
        self.become({**self.now, name: action})

    def __delitem__(self, name: str) -> None:
        self.become({other: action for other, action in self.now.items() if other != name})

    def __iter__(self) -> Iterator[str]:
        return iter(self.now)

    def __len__(self) -> int:
        return len(self.now)

    def items(self) -> ItemsView[str, Action]:
        """Return the pairs that there are now, whatever comes or goes meanwhile."""
        return self.now.items()

    def values(self) -> ValuesView[Action]:
        """Return the actions that there are now, in the same way."""
        return self.now.values()


class Skills:
    """The installed plugins: every action, by name, in the order they were found."""

    def __init__(self, load_timeout_s: float = LOAD_S) -> None:
        """Start with none; `load` and `add` bring plugins."""
        self.actions = Actions()
        """What can be done now; without the actions of disabled plugins."""
        self.problems: list[Problem] = []
        """Plugins that are not in use."""
        self.offences: dict[str, list[str]] = {}
        """What each plugin did that none may, one line each."""
        self.refuse_clashes = True
        """Whether a plugin whose sentences clash with a payment is refused; `glasses test` loads
        it to say so."""
        self.runner = Runner()
        self._load_timeout_s = load_timeout_s
        self._installed: dict[str, _Installed] = {}
        self._disabled: set[str] = set()
        self._noted: set[tuple[str, str]] = set()
        self._manager = pluggy.PluginManager("glasses")
        self._manager.add_hookspecs(Hooks)

    @classmethod
    def discover(
        cls,
        extra: Iterable[str] = (),
        folder: Path | None = None,
        load_timeout_s: float = LOAD_S,
        apart: Iterable[str] = (),
    ) -> Skills:
        """Load the built-in skills, installed plugins, the user's folder, then `extra`.

        `extra` holds module names or paths of Python files. A plugin that cannot be loaded is in
        `problems`, except one of `extra`: the user asked for it by name, so PluginError is raised.
        `apart` names plugins that run in a process of their own (`agent.plugins.apart`).
        """
        skills = cls(load_timeout_s)
        alone = set(apart)
        for name in BUILTIN:
            skills.add(name, source="glasses")
        for point in metadata.entry_points(group=ENTRY_POINTS):
            source = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
            here = partial(separate.load, point.module) if point.name in alone else point.load
            skills.add(point.name, here, source)
        for path in modules.in_folder(folder):
            skills.add(str(path), _way(str(path), alone))
        for wanted in extra:
            if problem := skills.add(wanted, _way(wanted, alone)):
                raise PluginError(f"plugin {wanted}: {problem.reason}")
        for name in sorted(alone - {*skills.plugins, *(p.plugin for p in skills.problems)}):
            if not any(_called(problem.plugin) == name for problem in skills.problems):
                others = ", ".join(n for n, s in skills.plugins.items() if s != "glasses") or "none"
                reason = f"no plugin of this name is there to run apart; there are: {others}"
                skills.problems.append(Problem(name, reason))
        return skills

    # -- loading --------------------------------------------------------------------------------

    def add(
        self, wanted: str, again: Callable[[], Any] | None = None, source: str = ""
    ) -> Problem | None:
        """Import and load a plugin by module name or path; return what is wrong with it, if so.

        `again` imports it in another way. The problem is also kept in `problems`.
        """
        again = again or partial(modules.load, wanted)
        self.problems = [p for p in self.problems if p.plugin != wanted]
        problem = self._tried(wanted, lambda: self._add(wanted, again, source or wanted))
        if problem is not None:
            self.problems.append(problem)
        return problem

    def load(self, plugin: Any, source: str = "") -> None:
        """Add one plugin: a module or object with hook implementations.

        Raises PluginError or SentenceError; nothing of the plugin stays behind then.
        """
        self._install(plugin, source, None)

    def unload(self, name: str) -> None:
        """Remove a plugin with all that it brought. Raises PluginError for an unknown name."""
        installed = self._get(name)
        del self._installed[name]
        self._manager.unregister(name=name)
        _end(installed.plugin)
        if installed.again is not None:
            modules.forget(_module_name(installed.plugin))
        self._pardon(name)
        self._gather()

    def reload(self, name: str) -> Problem | None:
        """Import a plugin anew and put it in its own place; a disabled one is enabled again.

        When that fails the version in use stays, and what is wrong is returned. Raises PluginError
        for an unknown name, or for an object that was never imported.
        """
        old = self._get(name)
        if old.again is None:
            raise PluginError(f"{name} was given as an object and cannot be read again")
        return self._tried(name, lambda: self._reload(old))

    def _get(self, name: str) -> _Installed:
        if name not in self._installed:
            known = ", ".join(self._installed) or "none"
            raise PluginError(f"no plugin is called {name}; installed: {known}")
        return self._installed[name]

    def _add(self, label: str, again: Callable[[], Any], source: str) -> None:
        plugin, offences = self._imported(label, again)
        try:
            name = self._install(plugin, source, again)
        except BaseException:
            _end(plugin)
            there = [other.plugin for other in self._installed.values()]
            if plugin not in there:
                modules.forget(module := _module_name(plugin))
                sys.modules.update((module, p) for p in there if _module_name(p) == module)
            raise
        for offence in offences:
            self.offend(name, f"{name} {offence}")

    def _reload(self, old: _Installed) -> None:
        assert old.again is not None
        with modules.anew(_module_name(old.plugin)):
            plugin, offences = self._imported(old.name, old.again)
            if skill_name(plugin) != old.name:
                raise PluginError(f"it is called {skill_name(plugin)} now: start the agent again")
            self._manager.unregister(name=old.name)
            try:
                new = self._take(plugin, old.source, old.again)
            except BaseException:
                self._manager.register(old.plugin, name=old.name)
                raise
        self._installed[old.name] = new
        _end(old.plugin)
        self._pardon(old.name)
        self._gather()
        for offence in offences:
            self.offend(old.name, f"{old.name} {offence}")

    def _imported(self, name: str, load: Callable[[], Any]) -> tuple[Any, tuple[str, ...]]:
        """Import in a thread of its own, so that a module that hangs is left behind."""
        outcome = self.runner.wait(name, load, self._load_timeout_s)
        return self._value(outcome, "its import"), outcome.offences

    def _value(self, outcome: Ran, what: str) -> Any:
        if outcome.timed_out:
            raise PluginError(f"{what} was not done within {self._load_timeout_s:g} s")
        if outcome.error is None:
            return outcome.value
        if isinstance(outcome.error, Exception):
            raise outcome.error
        raise PluginError(f"{what} {raised(outcome.error)}") from outcome.error

    def _tried(self, name: str, work: Callable[[], None]) -> Problem | None:
        """Do it; the plugin boundary, so whatever it raises becomes a Problem."""
        try:
            work()
        except GlassesError as error:
            reason = str(error) or type(error).__name__
        except Exception as error:
            reason = modules.told(error)
            log.debug("plugin %s failed to load", name, exc_info=True)
        else:
            return None
        return Problem(name, " ".join(reason.split()))

    def _install(self, plugin: Any, source: str, again: Callable[[], Any] | None) -> str:
        name = skill_name(plugin)
        if there := self._installed.get(name):
            raise PluginError(
                f"{name} from {source or name} is loaded already, from {there.source}; two plugins"
                " cannot share a name: rename one of them"
            )
        self._installed[name] = self._take(plugin, source or name, again)
        self._gather()
        return name

    def _take(self, plugin: Any, source: str, again: Callable[[], Any] | None) -> _Installed:
        """Register a plugin with pluggy and ask it what it brings."""
        new = _Installed(skill_name(plugin), plugin, source, again)
        try:
            self._manager.register(plugin, name=new.name)
            self._manager.check_pending()
            if not self._manager.get_hookcallers(plugin):
                raise PluginError(f"it has no hook: mark {' or '.join(HOOKS)} with @hookimpl")
            new.reads = self._reads(plugin)
            self._call(new, "register_skills", register=partial(self._register, new))
            check_files(action.declaration for action in new.actions.values())
            self._refuse_own_words(new)
            self._call(new, "register_devices", provide=partial(_provide, new))
            self._refuse_money_clash(new)
        except pluggy.PluginValidationError as error:
            self._manager.unregister(name=new.name)
            raise PluginError(_explain(plugin, error)) from None
        except BaseException:
            self._manager.unregister(name=new.name)
            raise
        return new

    def _reads(self, plugin: Any) -> str:
        """Return why a plugin reads transcripts. Raises PluginError where it does and says not why.

        Refused, and not called with less: every field of a turn tells something of what was said.
        """
        callers = self._manager.get_hookcallers(plugin) or ()
        hooks = [caller.name for caller in callers if caller.name in READING]
        if not hooks:
            return ""
        declared = getattr(plugin, "permissions", None)
        why = declared.get(TRANSCRIPTS) if isinstance(declared, Mapping) else None
        if not isinstance(why, str) or not why.strip():
            raise PluginError(
                f"its {hooks[0]} is given what the wearer says and reads: write"
                f' permissions = {{"{TRANSCRIPTS}": "why"}} beside it, which the wearer reads'
            )
        return why

    def _call(self, new: _Installed, hook: str, **given: Any) -> None:
        """Call one hook of one plugin."""
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            if implementation.plugin is not new.plugin:
                continue
            if implementation.wrapper or implementation.hookwrapper:
                raise PluginError(f"{hook} wraps other plugins' hooks, which is not supported")
            arguments = {name: given[name] for name in implementation.argnames}
            call = partial(implementation.function, **arguments)
            self._value(self.runner.wait(new.name, call, self._load_timeout_s), hook)

    def _refuse_money_clash(self, new: _Installed) -> None:
        """Raise PluginError when one of its sentences also means something where money moves."""
        if new.source == "glasses" or not self.refuse_clashes:
            return  # those that ship are checked by our tests, not at every start
        others = (i for name, i in self._installed.items() if name != new.name)  # not its old self
        pays = any(action.declaration.risk == "money" for action in new.actions.values())
        installed = (action for other in others for action in other.actions.values())
        before = [a for a in installed if pays or a.declaration.risk == "money"]
        if not before:
            return
        from agent.derive.clashes import money_overlaps

        for clash in money_overlaps(new.actions.values(), before):
            owners = " and ".join(f"{side.action} ({side.source})" for side in clash.sides)
            raise PluginError(f"{clash}; where money moves a sentence has one owner: {owners}")

    def _refuse_own_words(self, new: _Installed) -> None:
        """Raise PluginError when a sentence is one of the agent's own words: "stop" has to stop."""
        if new.source == "glasses" or not self.refuse_clashes:
            return  # those that ship are checked by our tests, not at every start
        said = (
            (action, sentences, text)
            for action in new.actions.values()
            for sentences in action.languages.values()
            for text in sentences.templates
        )
        for action, sentences, text in said:
            if taken := template.spells(text, own_words(), sentences.rules):
                raise PluginError(
                    f"{place(text, action.declaration, sentences)}: {text[:80]!r} of {action.name}"
                    f" takes {taken[0]!r}, a word of the agent's own: add what it is about"
                )

    def _register(self, new: _Installed, *things: Any) -> None:
        for thing in things:
            for declaration, function in declarations(thing):
                action = _action(new.plugin, declaration, function, new.source)
                if new.source != "glasses":
                    action = self._guarded(action)
                if action.name in new.actions:
                    raise PluginError(
                        f"{action.name} is declared twice, at {declaration.where} and at"
                        f" {new.actions[action.name].declaration.where}: rename one function"
                    )
                new.actions[action.name] = action

    def _guarded(self, action: Action) -> Action:
        """Return the action with lists that cannot harm: the agent's own loop asks for them."""

        def guard(slot: Slot) -> Slot:
            if not isinstance(slot.kind, Choice) or not callable(slot.kind.source):
                return slot
            source = partial(self._listed, action, slot.name, slot.kind.source, [])
            return replace(slot, kind=replace(slot.kind, source=_of_language(source)))

        slots = tuple(guard(slot) for slot in action.declaration.slots)
        return replace(action, declaration=replace(action.declaration, slots=slots))

    def _listed(
        self,
        action: Action,
        slot: str,
        source: Callable[..., Values],
        hung: list[str],
        language: str,
    ) -> Values:
        """Ask a plugin for the values of a slot; none when it fails, or has hung before."""
        what = f"the list of {action.name}'s {slot}"
        if hung:
            self.offend(action.skill, f"{what} still hangs")
            return ()
        outcome = self.runner.wait(
            action.skill, lambda: _values(source, action.function, language), LISTS_S
        )
        if outcome.timed_out:
            hung.append(slot)
        for fault in faults(outcome, what, LISTS_S):
            self.offend(action.skill, fault)
        values: Values = outcome.value or ()
        return values

    # -- what plugins bring ---------------------------------------------------------------------

    def _gather(self) -> None:
        """Work out `actions` anew: the Router sees the same mapping."""
        there = (i for name, i in self._installed.items() if name not in self._disabled)
        self.actions.become({k: action for i in there for k, action in i.actions.items()})

    @property
    def plugins(self) -> dict[str, str]:
        """The loaded plugins by name, each with where it was installed from."""
        return {name: installed.source for name, installed in self._installed.items()}

    @property
    def alone(self) -> tuple[str, ...]:
        """The plugins that run in a process of their own."""
        return tuple(n for n, i in self._installed.items() if isinstance(i.plugin, separate.Plugin))

    @property
    def readers(self) -> dict[str, str]:
        """The plugins that are given what is said and shown, each with its reason."""
        return {name: i.reads for name, i in self._installed.items() if i.reads}

    def providers(self, kind: Kind) -> list[Provider]:
        """Return who can provide this kind, the plugin that was found last first."""
        found = (p for i in self._installed.values() for p in i.providers if p.kind == kind)
        return [*found][::-1]

    def commands(self) -> dict[str, Any]:
        """Return the click commands that plugins bring, by name; the first of a name is kept.

        Asked for on the command line only. A plugin that fails is in `problems`.
        """
        found: dict[str, Any] = {}

        def register(*commands: Any) -> None:
            for command in commands:
                found.setdefault(str(command.name), command)

        for new in list(self._installed.values()):
            asked = partial(self._call, new, "register_commands", register=register)
            if problem := self._tried(new.name, asked):
                self.problems.append(problem)
        return found

    def observers(self) -> list[tuple[str, Callable[[Turn], Any]]]:
        """Return who looks at turns: plugin and function, in the order they were found."""
        return self._implementing(self._manager.hook.turn_ended)

    def contributors(self) -> list[tuple[str, Callable[[Context], Any]]]:
        """Return who has a line for the dashboard, in the same form."""
        return self._implementing(self._manager.hook.dashboard)

    def _implementing(self, hook: Any) -> list[tuple[str, Callable[[Any], Any]]]:
        names = {id(i.plugin): name for name, i in self._installed.items()}
        found = {names[id(h.plugin)]: h for h in hook.get_hookimpls()}
        return [
            (name, partial(_given, found[name]))
            for name in self._installed
            if name in found and name not in self._disabled
        ]

    # -- what is held against them --------------------------------------------------------------

    def offend(self, name: str, reason: str) -> None:
        """Hold one thing against a plugin; the same thing only once in a turn."""
        if (name, reason) not in self._noted:
            self._noted.add((name, reason))
            self.offences.setdefault(name, []).append(reason)
            log.warning("%s: %s", name, reason)

    def settle(self) -> list[str]:
        """End a turn: disable, and return, the plugins that have offended OFFENCES times."""
        self._noted.clear()
        worn = [
            name
            for name, reasons in self.offences.items()
            if len(reasons) >= OFFENCES and name in self._installed and name not in self._disabled
        ]
        for name in worn:
            self._disabled.add(name)
            last = self.offences[name][-1]
            reason = f"disabled after {OFFENCES} offences, the last: {last}; reload it to try again"
            self.problems.append(Problem(name, reason))
        if worn:
            self._gather()
        return worn

    def _pardon(self, name: str) -> None:
        self._disabled.discard(name)
        self.offences.pop(name, None)
        self.problems = [problem for problem in self.problems if problem.plugin != name]

    def languages(self) -> list[str]:
        """Return the languages that at least one action has sentences in."""
        return sorted({lang for a in self.actions.values() for lang in a.languages})


def _way(wanted: str, alone: set[str]) -> Callable[[], Any] | None:
    """Return how a plugin is loaded that runs apart; None for the others."""
    return partial(separate.load, wanted) if _called(wanted) in alone else None


def _called(wanted: str) -> str:
    """Return the name that a plugin will have, from its path or module name."""
    name = (
        Path(wanted).name if "/" in wanted or wanted.endswith(".py") else wanted.rpartition(".")[2]
    )
    return name.removesuffix(".py").replace(".", "_").removeprefix("glasses_")


def _end(plugin: Any) -> None:
    """End the process of a plugin that runs apart."""
    if isinstance(plugin, separate.Plugin):
        plugin.close()


def _plugin_name(plugin: Any) -> str:
    name = getattr(plugin, "__name__", None) or type(plugin).__name__
    return str(name)


def _module_name(plugin: Any) -> str:
    """Return what the plugin was imported as, whatever it calls itself."""
    spec = getattr(plugin, "__spec__", None)
    return str(spec.name) if spec is not None else _plugin_name(plugin)


def skill_name(plugin: Any) -> str:
    """Return the skill's name: the last part of the plugin's module name, without `glasses_`.

    The prefix keeps a package such as `glasses_json` apart from what else can be imported.
    """
    return _plugin_name(plugin).rpartition(".")[2].removeprefix("glasses_")


def _explain(plugin: Any, error: pluggy.PluginValidationError) -> str:
    for name, value in inspect.getmembers(plugin, inspect.isroutine):
        if getattr(value, "glasses_impl", None) is not None and name not in HOOKS:
            nearest = difflib.get_close_matches(name, HOOKS, n=1, cutoff=0)
            return f"there is no hook {name}; did you mean {nearest[0]}?"
    return str(error)


def _provide(new: _Installed, kind: Kind, make: Callable[..., Any], name: str = "") -> None:
    if kind not in KINDS:
        nearest = difflib.get_close_matches(str(kind), KINDS, n=1, cutoff=0)
        raise PluginError(f"{kind!r} cannot be provided; did you mean {nearest[0]!r}?")
    if not callable(make):
        raise PluginError(f"what provides {kind} is {make!r}: give what builds it, not the thing")
    name = name or getattr(make, "__name__", "") or new.name
    new.providers.append(Provider(kind, name, make, new.source))


def _given(implementation: Any, argument: Any) -> Any:
    """Call an implementation of a hook with its one argument, if it takes it."""
    return implementation.function(*([argument] if implementation.argnames else []))


def _of_language(source: Callable[[str], Values]) -> Callable[[str], Values]:
    """Return it as a function whose signature has a language, as OneOf wants it."""
    return lambda language: source(language)


def _values(source: Callable[..., Values], function: Callable[..., Any], language: str) -> Values:
    """Call a slot's list: with the skill's own object for a parameter `self`, and the language."""
    wanted = list(inspect.signature(source).parameters)
    owner = getattr(function, "__self__", None)
    own = [owner] if wanted[:1] == ["self"] and owner is not None else []
    values = source(*own, *([language] if len(wanted) > len(own) else []))
    if isinstance(values, str):
        raise TypeError("a text is not a list of values")
    if isinstance(values, Mapping):
        return dict(values)
    found = list(islice(values, MAX_VALUES + 1))
    if len(found) > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES} values")
    return found


def _action(
    plugin: Any, declared: Declaration, function: Callable[..., Any], source: str
) -> Action:
    shown = f"glasses-agent {__version__}" if source == "glasses" else source
    return Action(skill_name(plugin), declared, function, languages(declared), shown)
