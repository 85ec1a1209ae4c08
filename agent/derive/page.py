"""What people read about the installed actions: their slots, a page of Markdown, a JSGF grammar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from types import MappingProxyType

from agent.language.said import SAID
from agent.skill.declare import Action
from agent.skill.slots import Choice, Slot


def jsgf(actions: Iterable[Action]) -> str:
    """Return the English sentences of the actions as a JSGF grammar, for other recognisers."""
    from agent.derive.grammar import to_jsgf

    return to_jsgf([saying for action in actions for saying in action.sayings("en")])


def slot_rows(action: Action) -> list[tuple[str, str, str]]:
    """Return for each slot its name, what it takes, and `required` or `optional`."""
    return [
        (slot.name, _takes(slot), "required" if slot.required else "optional")
        for slot in action.declaration.slots
    ]


def _takes(slot: Slot) -> str:
    kind = slot.kind
    if not isinstance(kind, Choice) or kind.label != "one of":
        return kind.label
    values = list(dict.fromkeys(map(str, kind.schema().get("enum", kind.values("en")))))
    some = ", ".join(values) if 0 < len(values) <= 4 else f"{len(values)} values"
    return f"any words, {some} known" if kind.open else f"one of {some}"


def markdown(actions: Iterable[Action], readers: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return one page about the actions: what can be said, with which slots, at what risk.

    `readers` are the skills that are given transcripts, each with its reason.
    """
    page = ["# Skills\n\nMade by `glasses skills --markdown` from what the skills declare.\n"]
    for skill, group in groupby(actions, key=lambda action: action.skill):
        members = list(group)
        page.append(f"## {skill}\n\nFrom {members[0].source}.\n")
        if why := readers.get(skill):
            page.append(f"Uses transcripts: {why}.\n")
        page += map(_section, members)
    return "\n".join(page)


def _section(action: Action) -> str:
    declared = action.declaration
    parts = [f"### {action.name}", declared.summary, declared.help]
    if rows := slot_rows(action):
        table = ["| slot | takes | |", "|---|---|---|"]
        parts.append("\n".join([*table, *(f"| `{n}` | {_cell(t)} | {r} |" for n, t, r in rows)]))
    if declared.risk != "none":
        parts.append(f"Risk: {declared.risk}.")
    if declared.knows:
        parts.append(f"Answers questions that need: {', '.join(declared.knows)}.")
    for permission, why in declared.permissions.items():
        parts.append(f"Uses {permission}: {why}.")
    for language, sentences in action.languages.items():
        if sentences.templates:
            said = [f"- {language}: `{sentence}`" for sentence in sentences.templates]
            parts.append("\n".join(said))
    return "\n\n".join(filter(None, parts)) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def abilities(actions: Mapping[str, Action], language: str) -> str:
    """Return what the installed skills are called: "shopping, payments, translation, music"."""
    called = dict.fromkeys(action.called(language) for action in actions.values())
    return SAID[language]["comma"].join(called)
