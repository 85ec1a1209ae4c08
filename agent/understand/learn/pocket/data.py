"""Training samples: sentences drawn from templates, slots filled, blurred as speech is.

Everything is drawn from one seeded generator, so a seed gives the same samples. A draw for the
evaluation takes the words that training never sees.
"""

from __future__ import annotations

import ast
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import click

from agent.skill import template
from agent.understand.learn.pocket import words
from agent.understand.learn.pocket.noise import Noise, Tagged
from agent.understand.learn.pocket.recipe import Blank, Pattern, Recipe
from agent.understand.pocket.layout import NONE
from agent.understand.pocket.reading import spelled, words_of

NONE_SHARE = 0.3
"""Share of the samples that are no action's."""
ENGLISH_SHARE = 0.62
"""Share of the samples in English, where an intent has other languages too."""
CUT_SHARE = 0.015
"""Share of the sentences that end before their last slot: "navigate to"."""
MAX_WORDS = 40
"""Longest sentence, in words or Chinese characters."""
SHAPE_DRAWS = 16
"""Sentences drawn of each template to find the shapes that several actions share."""

_PROSE = frozenset(("text", "message", "note", "sentence", "question"))
"""Slots of these names hold whole sentences."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One utterance and its call."""

    words: tuple[Tagged, ...]
    """As the model reads them, each with its slot or ""."""
    intent: str
    """`skill.action` or `none`."""
    language: str
    """`en`, `zh`, …"""

    @property
    def slots(self) -> dict[str, list[str]]:
        """Words by slot, in the order of the sentence."""
        found: dict[str, list[str]] = {}
        for word, slot in self.words:
            if slot:
                found.setdefault(slot, []).append(word)
        return found


class Sampler:
    """Draws samples of some patterns of a recipe."""

    def __init__(
        self,
        recipe: Recipe,
        patterns: Sequence[Pattern],
        seed: str,
        unseen: bool = False,
        noisy: bool = True,
    ) -> None:
        """Draw `unseen` words or those of training; `noisy` blurs, else only politeness is put."""
        self.rng = random.Random(seed)
        self._recipe, self._unseen, self._noisy = recipe, unseen, noisy
        self._groups: dict[str, dict[str, list[Pattern]]] = {}
        for pattern in patterns:
            languages = self._groups.setdefault(pattern.intent, {})
            languages.setdefault(pattern.language, []).append(pattern)
        self._patterns = list(patterns)
        self._intents = [intent for intent in self._groups if intent != NONE]
        self._weights = [
            sum(map(len, self._groups[intent].values())) ** 0.5 for intent in self._intents
        ]
        self._slots = {
            (intent, slot.name): slot for intent, slots in recipe.slots.items() for slot in slots
        }
        self._noise = {one: Noise(one, _split) for one in {p.language for p in patterns}}
        self._sides: dict[tuple[str, str, str], tuple[str, ...]] = {}
        self._shared = shared_shapes(tuple(recipe.patterns))
        self._common = tuple(
            dict.fromkeys(
                word
                for pattern in recipe.patterns
                if pattern.language == "en"
                for word in re.findall(r"[a-z]{3,}", re.sub(r"[{<].*?[}>]", " ", pattern.template))
                if not words.is_unseen(word)
            )
        )

    def __iter__(self) -> Iterator[Sample]:
        """Draw for ever."""
        while True:
            yield self.draw()

    def draw(self) -> Sample:
        """Draw an intent, one of its patterns, and a sentence."""
        intents = self._intents
        none = NONE in self._groups and (not intents or self.rng.random() < NONE_SHARE)
        if none and self._noisy and self.rng.random() < 0.12:
            return self._babble()
        intent = NONE if none else self.rng.choices(intents, self._weights)[0]
        languages = self._groups[intent]
        if "en" in languages and (len(languages) == 1 or self.rng.random() < ENGLISH_SHARE):
            language = "en"
        else:
            language = self.rng.choice([one for one in languages if one != "en"])
        return self.draw_from(self.rng.choice(languages[language]))

    def draw_from(self, pattern: Pattern) -> Sample:
        """Draw a sentence of a pattern."""
        if not self._noisy:
            return self.draw_framed(pattern)[0]
        while True:
            sentence = self.plain(pattern)
            if not sentence:
                continue
            sentence = self._noise[pattern.language].blur(self._cut(sentence, pattern), self.rng)
            if len(sentence) <= MAX_WORDS:
                return Sample(tuple(sentence), pattern.intent, pattern.language)

    def draw_framed(self, pattern: Pattern) -> tuple[Sample, list[Tagged]]:
        """Draw a sentence without noise, at times polite, and the same without politeness."""
        while True:
            bare = self.plain(pattern)
            polite = bare and self.rng.random() < 0.3
            said = self._noise[pattern.language].frame(bare, self.rng) if polite else bare
            if bare and len(said) <= MAX_WORDS:
                return Sample(tuple(said), pattern.intent, pattern.language), bare

    def plain(self, pattern: Pattern) -> list[Tagged]:
        """Draw a sentence of a pattern, word by word with their slots; empty when it cannot be."""
        parts: list[tuple[str, str]] = []
        _expand(_parsed(pattern.template), pattern.rules, self.rng, parts)
        alone = sum(bool(slot) for _, slot in parts) == 1
        shared = _shape(parts) in self._shared
        found: list[Tagged] = []
        for text, slot in parts:
            if slot:
                text = self._fill(pattern, slot, alone, shared)
                if not text:
                    return []
                named = slot if (pattern.intent, slot) in self._slots else ""
                found += [(word, named) for word in _split(text)]
            else:
                found += [(word, "") for word in _split(text)]
        return found

    def _cut(self, sentence: list[Tagged], pattern: Pattern) -> list[Tagged]:
        """Seldom, leave out the slot at the end, as somebody who was not heard out."""
        last = sentence[-1][1]
        if pattern.intent == NONE or not last or self.rng.random() >= CUT_SHARE:
            return sentence
        rest = [(word, slot) for word, slot in sentence if slot != last]
        return rest if len(rest) > 1 else sentence

    def _babble(self) -> Sample:
        """Draw words that mean nothing, or a sentence of our own documentation."""
        language = "en" if self.rng.random() < ENGLISH_SHARE else "zh"
        if language == "en" and self.rng.random() < 0.4:
            text = self.rng.choice(prose())
        else:
            count = self.rng.choice((1, 1, 2, 3))
            text = " ".join(
                words.phrase(self.rng, language, self._unseen, self._common) for _ in range(count)
            )
        found = _split(text)[:MAX_WORDS] or ["hm"]
        return Sample(tuple((word, "") for word in found), NONE, language)

    # -- slots

    def _fill(self, pattern: Pattern, name: str, alone: bool, shared: bool) -> str:
        """Draw what is said for a slot; empty when nothing can be.

        Beside another slot random words are not joined by "of" or "and": nobody could say where
        one slot ends. Where other actions share the sentence's shape (`shared`), only words that
        are listed tell them apart, so no others are drawn.
        """
        rng, language = self.rng, pattern.language
        slot = self._slots.get((pattern.intent, name))
        listed = self._listed(pattern, name)
        if slot is None:  # a range such as {0..100}, or a placeholder among what is none
            found = re.fullmatch(r"(\d+)\.\.(\d+)(?:,\d+)?", name)
            return str(rng.randint(int(found[1]), int(found[2]))) if found else self._any(language)
        said = self._recipe.lists.get((pattern.intent, name, language), ())
        if slot.kind == "closed":
            return self._say(rng.choice(said)) if said else ""
        if slot.kind == "open":
            if shared and listed:
                return self._say(rng.choice(listed))
            return self._words(slot, listed, said, language, alone)
        if listed and rng.random() < 0.3:
            return rng.choice(listed)
        return self._measured(slot, said, language)

    def _words(
        self,
        slot: Blank,
        listed: Sequence[str],
        said: Sequence[str],
        language: str,
        alone: bool,
    ) -> str:
        rng = self.rng
        if slot.name in _PROSE and rng.random() < 0.3:
            other = rng.choice(self._patterns)
            nested = [] if "{" in other.template else [word for word, _ in self.plain(other)]
            # "say hello please": polite words at an edge could be meant for us
            if nested and not self._noise[language].polite & {nested[0], nested[-1]}:
                return spelled(nested).strip()
        known = rng.random()
        for share, options in ((0.45, listed), (0.65 if listed else 0.4, said)):
            if options and known < share:
                return self._say(rng.choice(options))
        return self._any(language, alone)

    def _any(self, language: str, alone: bool = True) -> str:
        return words.phrase(self.rng, language, self._unseen, self._common, alone)

    def _listed(self, pattern: Pattern, name: str) -> Sequence[str]:
        """Return the plain words for a slot on this side of the split."""
        key = (pattern.intent, name, pattern.language)
        if key not in self._sides:
            own = self._recipe.words.get(key, ())
            side = tuple(word for word in own if words.is_unseen(word) == self._unseen)
            self._sides[key] = side or own
        return self._sides[key]

    def _measured(self, slot: Blank, said: Sequence[str], language: str) -> str:
        """Draw a number, an amount or a time, in words or digits."""
        rng = self.rng
        if slot.kind == "money" and rng.random() < 0.4:
            return words.amount(rng, language)
        if slot.kind == "number" and rng.random() < 0.4:
            return str(rng.randint(slot.low, min(slot.high, slot.low + 200)))
        return self._say(rng.choice(said)) if said else ""

    def _say(self, form: str) -> str:
        """Draw from a value, which is a template itself."""
        parts: list[tuple[str, str]] = []
        try:
            _expand(_parsed(form), {}, self.rng, parts)
        except ValueError:  # plain words with a bracket in them
            return form
        return " ".join(text for text, _ in parts).strip()


@lru_cache(maxsize=65536)
def _parsed(text: str) -> Any:
    """Parse each template once; there are more than `agent.skill.template` keeps."""
    return template.parse(text)


@lru_cache(maxsize=65536)
def _split(text: str) -> list[str]:
    return words_of(text)


@cache
def prose() -> tuple[str, ...]:
    """Return sentences of this package's own documentation, which ask for nothing."""
    found: dict[str, None] = {}
    for path in sorted(Path(__file__).parents[3].rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef | ast.Module):
                for sentence in re.split(r"[.;:\n]\s+", ast.get_docstring(node) or ""):
                    if 2 < len(sentence.split()) < 14 and "`" not in sentence:
                        found[" ".join(sentence.split())] = None
    return tuple(found)


def _expand(
    expression: Any, rules: Mapping[str, str], rng: random.Random, parts: list[tuple[str, str]]
) -> None:
    """Draw one text of a hassil expression, as pieces of plain text and slots."""
    from hassil.expression import (
        Alternative,
        Group,
        ListReference,
        Permutation,
        RuleReference,
        TextChunk,
    )

    expand = partial(_expand, rules=rules, rng=rng, parts=parts)
    match expression:
        case TextChunk():
            if parts and not parts[-1][1]:  # "product[s]" is one word
                parts[-1] = (parts[-1][0] + expression.original_text, "")
            else:
                parts.append((expression.original_text, ""))
        case ListReference():
            parts.append(("", expression.slot_name))
        case RuleReference():
            expand(_parsed(rules[expression.rule_name]))
        case Alternative():
            expand(rng.choice(expression.items))
        case Permutation():
            items = list(expression.items)
            rng.shuffle(items)
            for at, item in enumerate(items):
                if at:
                    parts.append((" ", ""))
                expand(item)
        case Group():
            for item in expression.items:
                expand(item)


def _shape(parts: Sequence[tuple[str, str]]) -> str:
    """Return a sentence with its slots blank, whatever their names."""
    words = [word for text, slot in parts for word in (("{}",) if slot else _split(text))]
    return " ".join(words)


@lru_cache(maxsize=4)
def shared_shapes(patterns: tuple[Pattern, ...]) -> frozenset[str]:
    """Return the shapes with slots that templates of more than one intent can produce."""
    rng = random.Random("shapes")
    owners: dict[str, str] = {}
    shared: set[str] = set()
    for pattern in patterns:
        for _ in range(SHAPE_DRAWS if "{" in pattern.template else 0):
            parts: list[tuple[str, str]] = []
            _expand(_parsed(pattern.template), pattern.rules, rng, parts)
            shape = _shape(parts)
            if "{}" in shape and owners.setdefault(shape, pattern.intent) != pattern.intent:
                shared.add(shape)
    return frozenset(shared)


@click.command()
@click.option("--count", default=40, show_default=True, metavar="N", help="How many.")
@click.option("--seed", default=0, show_default=True, metavar="N", help="Where chance starts.")
@click.option("--plain", is_flag=True, help="Without the noise of speech.")
@click.option("--plugin", "plugins", multiple=True, help="Load one more skill plugin.")
def main(count: int, seed: int, plain: bool, plugins: tuple[str, ...]) -> None:
    """Print training samples as JSONL: text, language, action and slots."""
    from agent.plugins.skills import Skills
    from agent.understand.learn.pocket.recipe import collect

    recipe = collect(Skills.discover(plugins).actions.values())
    for sample in islice(Sampler(recipe, recipe.patterns, str(seed), noisy=not plain), count):
        row = {
            "text": spelled([word for word, _ in sample.words]).strip(),
            "language": sample.language,
            "action": sample.intent,
            "slots": {slot: spelled(found).strip() for slot, found in sample.slots.items()},
        }
        click.echo(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
