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

from agent.language.folding import fold

MAX_PERMUTATION = 7
"""Items in one `(a;b;…)`: the lattice of what was said so far has 2**n states."""


MAX_CHARACTERS = 2000
"""Longest template; the longest that ships has 200."""

MAX_DEPTH = 50
"""Brackets within brackets: hassil and the grammar go down by recursion."""

MAX_RULES = 12
"""Rules within rules."""

_SLOT = re.compile(r"\{([^{}:]+)(?::([^{}]+))?\}")
_RULE = re.compile(r"<([^<>]+)>")

MAX_PARTS = 20_000
"""Parts of a template with its rules unfolded: rules within rules can grow without bound."""

_FULL_WIDTH = str.maketrans("｛｝（）［］｜＜＞", "{}()[]|<>")
_SYNTAX = re.compile(r"[\[\](){}<>|;\\]")
_BESIDE = re.compile(r"\{([^{}]+)\}\s*(?=\{([^{}]+)\})")

_NOTHING, _OPEN, _BOUND = 0, 1, 2  # what an expansion holds: no word, only free text, or a word

Rules = Mapping[str, str]


def check(template: str, rules: Rules | None, is_open: Callable[[str], bool]) -> None:
    """Raise ValueError with the reason when a template cannot be used.

    `rules` are the expansion rules, None while they are not known yet; `is_open` says whether a
    slot takes any words.
    """
    parse(template)
    if rules is None and _RULE.search(template):
        return
    names = slot_names(template, rules)
    _check(template, tuple(sorted((rules or {}).items())), frozenset(filter(is_open, names)))


@lru_cache(maxsize=16384)
def _check(template: str, rules: tuple[tuple[str, str], ...], free: frozenset[str]) -> None:
    """Do what `check` says; once for the same template, rules and slots for any words."""
    parsed, known = parse(template), dict(rules)
    _size(parsed, known, {})
    shapes = _shapes(parsed, known, free.__contains__, ())
    if _NOTHING in shapes:
        raise ValueError("matches the empty string: leave a word that must be said")
    if _OPEN in shapes:
        raise ValueError("matches everything: a slot for any words needs a word beside it")


def check_rule(name: str, rules: Rules) -> None:
    """Raise ValueError when a rule does not parse, contains itself or names an unknown rule."""
    _size(parse(rules[name]), rules, {name: 0})
    _shapes(parse(rules[name]), rules, lambda _: False, (name,))


def check_beside(template: str, rules: Rules, is_free: Callable[[str], bool]) -> None:
    """Raise ValueError where nothing says where one slot for any words ends and the next begins."""
    for text in (template, *rules.values()):
        for pair in _BESIDE.findall(text):
            first, second = (name.rpartition(":")[2] for name in pair)
            if is_free(first) and is_free(second):
                raise ValueError(
                    f"has {{{first}}} beside {{{second}}}, and both take any words: put a word"
                    " between them"
                )


def _size(expression: Any, rules: Rules, known: dict[str, int]) -> int:
    """Count the parts of an expression with its rules unfolded. Raises ValueError for too many."""
    from hassil.expression import Group, RuleReference

    size = 1
    if isinstance(expression, RuleReference) and expression.rule_name in rules:
        name = expression.rule_name
        if name not in known:
            known[name] = 0  # one that contains itself is found by `_shapes`
            known[name] = _size(parse(rules[name]), rules, known)
        size += known[name]
    elif isinstance(expression, Group):
        size += sum(_size(item, rules, known) for item in expression.items)
    if size > MAX_PARTS:
        raise ValueError(f"unfolds into more than {MAX_PARTS:,} parts: use fewer rules in rules")
    return size


def spells(template: str, phrases: tuple[str, ...], rules: Rules) -> list[str]:
    """Return the phrases that a template can say just so, in no slot of it, in their order."""
    from hassil.expression import Alternative, Group, Permutation, RuleReference, TextChunk

    known, begun = _begun(phrases)

    def ends(item: Any, starts: frozenset[str]) -> frozenset[str]:
        """Return what may have been said after an expression that begins after one of `starts`."""
        if not starts:
            return starts
        match item:
            case TextChunk():
                text = _joined(item.original_text)
                return begun.intersection(said + text for said in starts)
            case Alternative():
                return frozenset().union(*(ends(one, starts) for one in item.items))
            case Permutation():
                rest = [(one, ends(one, starts), left) for one, left in item.iterate_permutations()]
                onward = (ends(left, after) if left.items else after for _, after, left in rest)
                return frozenset().union(*onward)
            case Group():
                for one in item.items:
                    starts = ends(one, starts)
                return starts
            case RuleReference():
                return ends(parse(rules[item.rule_name]), starts)
        return frozenset()  # a slot: its values are data

    said = ends(parse(template), frozenset({""}))
    return [phrase for phrase, joined in known.items() if joined in said] if said else []


@lru_cache(maxsize=8)
def _begun(phrases: tuple[str, ...]) -> tuple[dict[str, str], frozenset[str]]:
    """Return phrases as they are compared, and all that one of them may begin with."""
    known = {phrase: _joined(phrase) for phrase in phrases}
    return known, frozenset(said[:end] for said in known.values() for end in range(len(said) + 1))


@lru_cache(maxsize=4096)
def _joined(text: str) -> str:
    return "".join(fold(text).text.casefold().replace("'", "").split())


def is_text(template: str) -> bool:
    """Return whether there is nothing of a template in it."""
    return _SYNTAX.search(template) is None


@lru_cache(maxsize=4096)
def parse(template: str) -> Any:
    """Return hassil's expression of a template, its words folded as what is said is.

    Raises ValueError when it is not a template. What has nothing of a template in it, such as a
    title that came from outside, does not reach the parser.
    """
    from hassil import parse_sentence
    from hassil.errors import HassilError
    from hassil.expression import Sequence, TextChunk
    from hassil.parser import ParseError

    for char in template:
        if ord(char) in _FULL_WIDTH:
            plain = char.translate(_FULL_WIDTH)
            raise ValueError(f"has a full-width {char}, which is no bracket: write {plain}")
    if is_text(template) and template.strip() and len(template) <= MAX_CHARACTERS:
        chunk = TextChunk(text=_chunk(template), original_text=template)
        return Sequence(items=[chunk])
    if len(template) > MAX_CHARACTERS:
        raise ValueError(f"is longer than {MAX_CHARACTERS} characters: split it")
    depth = deepest = 0
    for char in template:
        depth += (char in "([") - (char in ")]")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise ValueError(f"has brackets {deepest} deep: {MAX_DEPTH} are the limit")
    try:
        return _folded(parse_sentence(template).expression)
    except (ParseError, HassilError, AssertionError, ValueError, IndexError):
        raise ValueError(f"is not a template: {_unbalanced(template)}") from None


def _folded(expression: Any) -> Any:
    """Write the words of an expression as they are compared; what it shows stays as it was."""
    from hassil.expression import Group, TextChunk

    if isinstance(expression, TextChunk):
        expression.text = _chunk(expression.original_text)
    elif isinstance(expression, Group):
        for item in expression.items:
            _folded(item)
    return expression


def _chunk(text: str) -> str:
    """Fold a piece of a template; punctuation beside a Chinese character leaves no space."""
    folded = fold(text).text
    if folded.endswith(" ") and not text[-1:].isspace() and not folded[-2:-1].isascii():
        folded = folded[:-1]
    if folded.startswith(" ") and not text[:1].isspace() and not folded[1:2].isascii():
        folded = folded[1:]
    return folded


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
    from agent.skill.template import MAX_PERMUTATION

    return MAX_PERMUTATION
