"""What can be said for a tool: sentences from its name, its description and its schema.

`maps_weather(city)`, 查询指定城市的天气, becomes “what is the weather in {city}”, 看看{city}的天气,
and always “ask amap for the weather in {city}”, which no other skill can take for its own. They are
written beside the server as any skill's sentence files, so that the wearer can mend them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.serve.mcp import words as known
from agent.serve.mcp.schema import Parameter, words_of
from agent.serve.mcp.words import listed, preposition

_HAN_NOUN = re.compile(r"的([\u4e00-\u9fff]{2,6})$")
_HAN_HEAD = re.compile(r"^([\u4e00-\u9fff]{2,8})(?:\s|API|$|[，。：])")
_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Said:
    """What can be said for one tool."""

    english: tuple[str, ...]
    """Templates, the plain one first, which begins with “ask” and the server's name."""
    chinese: tuple[str, ...] = ()
    """Templates; none where nothing tells what it is called."""
    also: tuple[str, ...] = ()
    """English paraphrases."""


def prefix(names: Iterable[str]) -> str:
    """Return the word that all names of a server begin with, where it says nothing: `maps`."""
    firsts = [words_of(name)[:1] for name in names if len(words_of(name)) > 1]
    first = firsts[0][0] if firsts and firsts[0] else ""
    return first if len(firsts) > 2 and all(one == [first] for one in firsts) else ""


def said(
    server: str, name: str, description: str, found: Sequence[Parameter], shared: str = ""
) -> Said:
    """Return what can be said for a tool. `shared` is what the server's names begin with."""
    words = [w for w in words_of(name) if w not in listed("silent") and w not in (server, shared)]
    words = [word for word in words if word.isascii() and word.isalnum()] or [server]
    required = [one for one in found if one.required]
    optional = [one for one in found if not one.required and one.form != "amount"]
    tail, end = _tail(required, first=True), _optional(optional)
    verb, thing = _parted(words)
    text = " ".join(thing)
    what = f"(to|for) [the] {' '.join(words)}"
    if verb in listed("asks") and text:
        what = f"(for [the]|to {verb} [me] [the]) {text}"
    plain = f"ask {server} {what}{tail}{end}"
    ways: list[str] = []
    also: list[str] = []
    if verb in listed("searches"):
        about = f" {text}" if text else ""
        ways = [f"{verb}{about}{tail}{end}"] if about else []
    elif verb in listed("acts"):
        ways = [f"{verb} [(a|an|the|my)] {text}{tail}{end}" if text else f"{verb}{tail}{end}"]
    else:
        ways = [
            f"[(show|tell|get)] [me] [the] {text}{tail}{end}",
            f"(what is|what's|what are|how is) the {text}{tail}{end}",
        ]
        also = [f"{text}{_tail(required)}", f"i want to know the {text}{tail}"]
        if len(text.split()) == 1 and not required:  # one bare word is anybody's
            ways = ways[1:]
            also = []
    english = [plain, *(way for way in ways if text or tail)]
    return Said(
        tuple(_tidy(one) for one in english),
        tuple(_tidy(one) for one in _chinese(server, verb, words, description, required)),
        tuple(_tidy(one) for one in also),
    )


def _tidy(template: str) -> str:
    return " ".join(template.split())


def _parted(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return what a name does, and to what: `text_search` searches a text."""
    if words[0] in listed("asks") | listed("searches") | listed("acts"):
        return words[0], [*words[1:]]
    if words[-1] in listed("searches"):
        return words[-1], [*words[:-1]]
    return "", [*words]


def _before(one: Parameter) -> str:
    return next((before for w in words_of(one.key) if (before := preposition(w))), "")


def _tail(required: Sequence[Parameter], first: bool = False) -> str:
    """Return how the values that are needed follow, each after words of its own."""
    told = ""
    for at, one in enumerate(required):
        before, named = _before(one), " ".join(words_of(one.key)) or "value"
        slot = f"{{{one.slot}}}"
        if one.form == "amount":
            told += f" {slot}" if at == 0 else f" of {slot}"
        elif len(required) == 1:
            near = "(in|at|for|of)" if before in ("in", "at") else f"(for|of|about|with [{named}])"
            told += f" {before if before in ('from', 'to') else near} {slot}"
        elif before:
            told += f" {before} {slot}"
        else:
            told += f" with {named} {slot}"
    return _distinct(told)


def _distinct(told: str) -> str:
    """Return it with no word before two slots: what is between would be anybody's."""
    seen: set[str] = set()
    parts = re.split(r"( [a-z]+ (?=\{))", told)
    for at, part in enumerate(parts):
        if part.strip() and part in seen:
            slot = re.match(r"\{(\w+)\}", parts[at + 1]) if at + 1 < len(parts) else None
            parts[at] = f" with {slot[1].replace('_', ' ').strip()} " if slot else part
        seen.add(part)
    return "".join(parts)


def _optional(optional: Sequence[Parameter]) -> str:
    taken: dict[str, Parameter] = {}
    for one in optional:
        if before := _before(one):
            taken.setdefault(before, one)
    return "".join(f" [{before} {{{one.slot}}}]" for before, one in [*taken.items()][:2])


# -- Chinese --------------------------------------------------------------------------------------


def noun(words: Sequence[str], description: str) -> str:
    """Return what a tool is about, in Chinese; empty where nothing tells."""
    called = next((said for w in reversed(words) if (said := known.noun(w))), "")
    if called or not _HAN.search(description):
        return called
    clause = re.split(r"[，。；\n]", description.strip())[0].strip()
    for pattern in (_HAN_NOUN, _HAN_HEAD):
        if (match := pattern.search(clause)) and match[1] not in listed("vague"):
            return re.sub(r"(?:搜索?|查询)$", "", match[1])
    return ""


def _chinese(
    server: str, verb: str, words: Sequence[str], description: str, required: Sequence[Parameter]
) -> list[str]:
    """Return Chinese templates, where it is known what the tool is called."""
    about = noun(words, description)
    if not about or any(one.form == "amount" for one in required):
        return []
    slots = {_before(one): f"{{{one.slot}}}" for one in required}
    if not required:
        look = f"(查|看|查看|查询|告诉我)[一下]{about}"
        return [look, f"{about}(是什么|怎么样|是多少|有哪些)"] if verb not in listed("acts") else []
    if {*slots} == {"from", "to"} and len(required) == 2:
        return [f"从{slots['from']}(到|去){slots['to']}的{about}"]
    if len(required) > 1 or verb in listed("acts") - listed("reads"):
        return []
    slot = f"{{{required[0].slot}}}"
    if verb in listed("searches") or _before(required[0]) == "for":
        return [f"(搜索|搜|查找|查一下|查){about}{slot}"]
    # Not the value first: that would be anybody's sentence, a payment's too.
    return [f"(查|查询|看|看看|问|告诉我)[一下]{slot}[的]{about}[(怎么样|如何|是什么|是多少)]"]


# -- files ----------------------------------------------------------------------------------------


def files(told: Mapping[str, Said]) -> dict[str, str]:
    """Return the sentence files of a server by path, for its actions by name."""
    import yaml

    def dumped(value: Any) -> str:
        return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=100)

    def sentences(language: str, ways: Mapping[str, Sequence[str]]) -> str:
        intents = {a: {"data": [{"sentences": [*s]}]} for a, s in ways.items() if s}
        return dumped({"language": language, "intents": intents})

    return {
        "sentences/en.yaml": sentences("en", {a: one.english for a, one in told.items()}),
        "sentences/zh.yaml": sentences("zh", {a: one.chinese for a, one in told.items()}),
        "paraphrases/en.yaml": dumped({a: [*one.also] for a, one in told.items() if one.also}),
    }
