"""Sentence templates: what is in one, and why one cannot be used.

A template is hassil's: `[optional]`, `(a|b)`, `(any;order)`, `{slot}`, `<rule>`. Everything that
would make it useless or dangerous when somebody speaks is refused here, as a ValueError whose text
is the reason; who calls adds the file and the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

MAX_CHARACTERS = 2000
"""Longest template; the longest that ships has 200."""

MAX_DEPTH = 50
"""Brackets within brackets: hassil and the grammar go down by recursion."""

MAX_RULES = 12
"""Rules within rules."""

_SLOT = re.compile(r"\{([^{}:]+)(?::([^{}]+))?\}")
_RULE = re.compile(r"<([^<>]+)>")

_NOTHING, _OPEN, _BOUND = 0, 1, 2  # what an expansion holds: no word, only free text, or a word

Rules = Mapping[str, str]


def check(template: str, rules: Rules | None, is_open: Callable[[str], bool]) -> None:
    """Raise ValueError with the reason when a template cannot be used.

    `rules` are the expansion rules, None while they are not known yet; `is_open` says whether a
    slot takes any words.
    """
    parsed = parse(template)
    if rules is None and _RULE.search(template):
        return
    shapes = _shapes(parsed, rules or {}, is_open, ())
    if _NOTHING in shapes:
        raise ValueError("matches the empty string: leave a word that must be said")
    if _OPEN in shapes:
        raise ValueError("matches everything: a slot for any words needs a word beside it")


def check_rule(name: str, rules: Rules) -> None:
    """Raise ValueError when a rule does not parse, contains itself or names an unknown rule."""
    _shapes(parse(rules[name]), rules, lambda _: False, (name,))


@lru_cache(maxsize=4096)
def parse(template: str) -> Any:
    """Return hassil's expression of a template. Raises ValueError when it is not one."""
    from hassil import parse_sentence
    from hassil.errors import HassilError
    from hassil.parser import ParseError

    if len(template) > MAX_CHARACTERS:
        raise ValueError(f"is longer than {MAX_CHARACTERS} characters: split it")
    depth = deepest = 0
    for char in template:
        depth += (char in "([") - (char in ")]")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise ValueError(f"has brackets {deepest} deep: {MAX_DEPTH} are the limit")
    try:
        return parse_sentence(template).expression
    except (ParseError, HassilError, AssertionError, ValueError, IndexError):
        raise ValueError(f"is not a template: {_unbalanced(template)}") from None


def _unbalanced(template: str) -> str:
    """Say which bracket is wrong."""
    pairs, stack = {")": "(", "]": "[", "}": "{", ">": "<"}, ""
    for at, char in enumerate(re.sub(r"\\.", "  ", template), start=1):
        if char in pairs.values():
            stack += char
        elif char in pairs:
            if not stack.endswith(pairs[char]):
                return f"the {char} at character {at} closes nothing"
            stack = stack[:-1]
    return f"the {stack[-1]} is never closed" if stack else "brackets or separators hold nothing"


def slot_names(template: str, rules: Rules | None = None) -> tuple[str, ...]:
    """Return the slots of a template and of the rules it uses, in order, each once."""
    return _slot_names(template, tuple(sorted((rules or {}).items())))


@lru_cache(maxsize=16384)
def _slot_names(template: str, rules: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    known, seen, names = dict(rules), set[str](), list[str]()

    def walk(text: str) -> None:
        names.extend(slot or listed for listed, slot in _SLOT.findall(text))
        for rule in _RULE.findall(text) if known else ():
            if rule not in seen:
                seen.add(rule)
                walk(known.get(rule, ""))

    walk(template)
    return tuple(dict.fromkeys(names))


def _shapes(
    expression: Any, rules: Rules, is_open: Callable[[str], bool], inside: tuple[str, ...]
) -> frozenset[int]:
    """Return what the expansions of an expression hold."""
    from hassil.expression import (
        Alternative,
        Group,
        ListReference,
        Permutation,
        RuleReference,
        TextChunk,
    )

    def inner(item: Any) -> frozenset[int]:
        return _shapes(item, rules, is_open, inside)

    match expression:
        case TextChunk():
            return frozenset({_BOUND if re.search(r"\w", expression.text) else _NOTHING})
        case ListReference():
            return frozenset({_OPEN if is_open(expression.slot_name) else _BOUND})
        case RuleReference():
            name = expression.rule_name
            if name in inside:
                raise ValueError(
                    f"the rule <{name}> contains itself: {' → '.join(inside)} → {name}"
                )
            if name not in rules:
                known = ", ".join(f"<{rule}>" for rule in sorted(rules)) or "none"
                raise ValueError(f"there is no rule <{name}> (there is: {known})")
            if len(inside) >= MAX_RULES:
                raise ValueError(f"the rule <{name}> is {MAX_RULES} rules deep: unfold some")
            return _shapes(parse(rules[name]), rules, is_open, (*inside, name))
        case Alternative():
            return frozenset().union(*map(inner, expression.items))
        case Permutation() if len(expression.items) > _max_permutation():
            raise ValueError(
                f"{len(expression.items)} items in any order are more than {_max_permutation()}:"
                " split the sentence"
            )
        case Group():
            shapes = frozenset({_NOTHING})
            for item in expression.items:
                shapes = frozenset(max(a, b) for a in shapes for b in inner(item))
            return shapes
    raise ValueError(f"is not a template: {type(expression).__name__} cannot be said")


def _max_permutation() -> int:
    from agent.listen.grammar import MAX_PERMUTATION

    return MAX_PERMUTATION
