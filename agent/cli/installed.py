"""`glasses skills`: every action that is installed, or all about one."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Literal

from agent import config
from agent.cli.mcp import install
from agent.cli.output import new_console, new_table, print_json
from agent.derive import page
from agent.errors import PluginError
from agent.plugins.skills import Skills
from agent.skill.declare import Action, Risk

Form = Literal["table", "json", "schema", "jsgf", "markdown"]
"""How `glasses skills` prints."""


def skills(name: str | None, form: Form, plugins: Sequence[str]) -> None:
    """Print every action, or those of one skill. Raises PluginError for an unknown name."""
    settings = config.load()
    installed = Skills.discover(plugins, settings.plugins, apart=settings.alone)
    install(installed, settings)
    chosen = [a for a in installed.actions.values() if name in (None, a.skill, a.name)]
    if not chosen:
        known = ", ".join(dict.fromkeys(a.skill for a in installed.actions.values()))
        raise PluginError(f"no skill is called {name}; installed: {known}")
    match form:
        case "json":
            for action in chosen:
                print_json(_as_json(action))
        case "schema":
            for action in chosen:
                print_json(action.schema())
        case "jsgf":
            print(page.jsgf(chosen), end="")
        case "markdown":
            print(page.markdown(chosen, installed.readers), end="")
        case "table" if name is None:
            _print_overview(chosen, installed.readers)
        case "table":
            for action in chosen:
                _print_action(action, installed.readers.get(action.skill))
    if form == "table":
        for problem in installed.problems:
            print(f"not loaded: {problem.plugin}: {problem.reason}", file=sys.stderr)


def _print_overview(actions: Iterable[Action], readers: Mapping[str, str]) -> None:
    """One row for each action: what it does, one sentence in each language, its risk.

    Under them are the plugins that are given transcripts, those without an action too.
    """
    from rich.text import Text

    console = new_console()
    for skill, group in groupby(actions, key=lambda action: action.skill):
        members = list(group)
        console.print(Text.assemble((skill, "bold"), "  ", (members[0].source, "dim")))
        table = new_table(3)
        for action in members:
            said = (s.templates[:1] for s in action.languages.values())
            risk = action.declaration.risk
            table.add_row(
                f"  {action.declaration.name}",
                Text.assemble(action.declaration.summary, (_RISKS[risk], "yellow")),
                Text("\n".join(sentence for first in said for sentence in first), style="cyan"),
            )
        console.print(table)
    for plugin, why in readers.items():
        console.print(Text.assemble("reads transcripts  ", (plugin, "bold"), "  ", (why, "dim")))
    console.print("\n[dim]glasses skills NAME tells everything about one.[/]")


def _print_action(action: Action, reads: str | None) -> None:
    """Everything about one action, and why its plugin is given transcripts, where it is."""
    from rich.markup import escape
    from rich.text import Text

    console, declared = new_console(), action.declaration
    console.print(f"[bold]{action.name}[/]  {escape(declared.summary)}")
    if declared.help:
        console.print(Text(declared.help, style="dim"))
    table = new_table(2)
    for language, sentences in action.languages.items():
        for at, sentence in enumerate(sentences.templates):
            table.add_row("" if at else language, Text(sentence, style="cyan"))
    for at, (slot, takes, required) in enumerate(page.slot_rows(action)):
        table.add_row("" if at else "slots", Text(f"{{{slot}}}  {takes}, {required}"))
    table.add_row("risk", f"risk: {declared.risk}{_ENFORCED[declared.risk]}")
    uses = [*declared.permissions.items(), *([("transcripts", reads)] if reads else [])]
    for at, (permission, why) in enumerate(uses):
        table.add_row("" if at else "uses", escape(f"{permission}: {why}"))
    if declared.knows:
        table.add_row("knows", ", ".join(declared.knows))
    table.add_row("from", escape(action.source))
    console.print(table)
    console.print()


_RISKS: dict[Risk, str] = {"none": "", "change": "", "money": "  risk: money"}
_ENFORCED: dict[Risk, str] = {
    "none": ", runs at once",
    "change": ", runs at once",
    "money": ", asks for a yes before anything happens",
}


def _as_json(action: Action) -> dict[str, object]:
    declared = action.declaration
    return {
        "skill": action.skill,
        "action": declared.name,
        "summary": declared.summary,
        "risk": declared.risk,
        "permissions": dict(declared.permissions),
        "knows": list(declared.knows),
        "sentences": {lang: list(s.templates) for lang, s in action.languages.items()},
        "slots": [
            {"name": slot, "takes": takes, "required": required == "required"}
            for slot, takes, required in page.slot_rows(action)
        ],
        "schema": action.schema(),
        "source": action.source,
    }
