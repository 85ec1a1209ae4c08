"""Taking in a server: its tools are looked at, judged, and what can be said for them is derived."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from agent import private
from agent.derive.clashes import money_overlaps
from agent.errors import ConfigError, SentenceError
from agent.language.controls import own_words
from agent.serve.mcp import kept, saying, schema
from agent.serve.mcp.kept import Server, Tool
from agent.serve.mcp.saying import Said
from agent.serve.mcp.skill import TELL, named, said_parameters
from agent.skill import template
from agent.skill.declare import Action, Declaration, Sentences, check_sentence
from agent.skill.slots import slot_of


def take(
    server: Server, tools: Iterable[Tool], installed: Iterable[Action]
) -> tuple[Server, Mapping[str, Said]]:
    """Return a server with the tools that it has now, and what can be said for each action.

    What the wearer had decided of a tool stays while the tool is the same. A sentence that is also
    one of a payment's among `installed`, or one of the agent's own words, is left out.
    """
    pays = [action for action in installed if action.declaration.risk == "money"]
    tools = tuple(_decided(server, tool) for tool in tools)
    shared = saying.prefix(tool.name for tool in tools)
    found: dict[str, Said] = {}
    judged: dict[str, Tool] = {}
    for name, tool in named(tools).items():
        try:
            if tool.unsaid:
                raise schema.Unsaid(tool.unsaid)
            found[name] = _said(server.name, name, tool, shared, pays)
            judged[tool.name] = replace(tool, unsaid="")
        except (schema.Unsaid, SentenceError) as why:
            judged[tool.name] = replace(tool, unsaid=" ".join(str(why).split())[:200])
    double = "it is called as another of its tools"
    taken = tuple(judged.get(tool.name, replace(tool, unsaid=double)) for tool in tools)
    return replace(server, tools=taken), found


def _decided(server: Server, tool: Tool) -> Tool:
    """Return a tool with what the wearer has decided of it, where it is still the same."""
    before = server.tool(tool.name)
    if before is None or before.print != tool.print:
        return tool
    return replace(tool, risk=before.risk, allowed=before.allowed)


def _said(server: str, name: str, tool: Tool, shared: str, pays: list[Action]) -> Said:
    """Return what can be said for a tool. Raises Unsaid or SentenceError where nothing can."""
    found = said_parameters(tool)
    told = saying.said(server, tool.name, tool.description, found, shared)
    if tool.risk == "money":  # a payment is asked for by the server's name alone
        told = Said(told.english[:1])
    slots = tuple(
        slot_of(
            inspect.Parameter(
                one.slot, inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if one.required else None,
            ),
            one.annotation,
        )
        for one in found
    )  # fmt: skip
    declared = Declaration(
        name=name, sentences=(), slots=slots, risk="change", permissions={}, summary="", help="",
        context=None, where=f"{server}:1",
    )  # fmt: skip

    def clean(sentences: Iterable[str], language: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(s for s in sentences if _fits(s, language, declared, pays)))

    first, *more = told.english
    check_sentence(first, declared, f"{server}: {tool.name}")
    return Said((first, *clean(more, "en")), clean(told.chinese, "zh"), clean(told.also, "en"))


def _fits(sentence: str, language: str, declared: Declaration, pays: list[Action]) -> bool:
    """Whether a sentence can be used and is nobody's who pays, nor the agent's own."""
    try:
        check_sentence(sentence, declared, declared.name)
    except SentenceError:
        return False
    if template.spells(sentence, tuple(own_words()), {}):
        return False
    alone = Action("mcp", declared, lambda: None, {language: Sentences((sentence,))}, "mcp")
    return next(iter(money_overlaps([alone], pays)), None) is None


def write(settings: Path, server: Server, told: Mapping[str, Said]) -> None:
    """Keep a server and what can be said for it. Raises ConfigError."""
    folder = kept.folder(settings, server.name)
    told = {
        **told,
        TELL: Said((), (f"告诉{server.name}{{answer}}",)),
    }
    try:
        for path, text in saying.files(told).items():
            private.write(folder / path, text)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}") from None
    kept.write(settings, server)
