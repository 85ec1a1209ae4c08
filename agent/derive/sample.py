"""Sentences that a template allows, with the slots that each must be understood as.

hassil's own sampler lists every sentence in order, which is billions for a grammar of numbers.
This one draws: each time it comes to a choice it takes the branch behind which most is still
unseen, so that a handful of sentences has been through every branch, option and order at least
once. The same seed gives the same sentences.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from hassil import parse_sentence
from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)

from agent.language.saying import Saying
from agent.skill.declare import Action
from agent.skill.slots import Choice, Slot, Text

LIMIT = 40
"""Most sentences drawn from one template, unless asked for more."""

EXTRA = 4
"""Sentences drawn beyond what the branches need, for other combinations and slot values."""

ATTEMPTS = 30
"""Draws of a slot's words before giving up: spoken forms are wider than some kinds' bounds."""

NEUTRAL = {
    "en": ("water", "good morning", "my little brother", "white paper", "summer rain"),
    "zh": ("明天", "早上好", "红色的雨伞", "白纸", "夏天的雨"),
}
"""Fills free text. Of the thousand most frequent words, so that they can be heard, and without
articles, which templates like to eat."""

_ZH_DIGIT = "(一|二|三|四|五|六|七|八|九)"
_ZH_99 = f"({_ZH_DIGIT}|[(二|三|四|五|六|七|八|九)]十[{_ZH_DIGIT}])"
_ZH_999 = f"({_ZH_99}|{_ZH_DIGIT}百|{_ZH_DIGIT}百零{_ZH_DIGIT})"
ZH_FORMS = (
    _ZH_999,
    f"{_ZH_999}(元|块钱|美元|欧元|英镑)",
    f"{_ZH_99}(秒|分钟|个小时|天)",
    "(明天|今天|后天)[(上午|下午){hour}点]".replace("{hour}", _ZH_DIGIT),
)
"""Numbers, money, lengths and points of time as Chinese says them; a kind takes what it reads."""

_CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Sample:
    """One sentence and what it must be understood as."""

    action: str
    """`skill.action` whose template it is of."""
    template: str
    """The hassil template."""
    language: str
    """`en` or `zh`."""
    text: str
    """The sentence."""
    slots: Mapping[str, Any]
    """Values by slot, only of the slots that this sentence has."""
    free: frozenset[str] = frozenset()
    """Slots that hold free text."""


def samples(
    action: Action, language: str, limit: int = LIMIT, seed: int = 0, off_list: bool = True
) -> dict[str, list[Sample]]:
    """Return sentences of each template of an action in one language.

    `off_list` also puts words into open lists that they do not name, which can be typed but not
    be heard. A slot whose list is empty leaves its templates without sentences. Raises
    SentenceError or hassil's ParseError for a template that is wrong.
    """
    found: dict[str, list[Sample]] = {}
    for saying in action.sayings(language):
        rng = random.Random(f"{seed} {saying.template}")
        draw = _Draw(action, saying, language, rng, off_list)
        found[saying.template] = list(draw.several(limit))
    return found


def uncovered(action: Action, language: str, limit: int = LIMIT, seed: int = 0) -> int:
    """Return how many branches of the action's templates `limit` sentences cannot go through."""
    missed = 0
    for saying in action.sayings(language):
        draw = _Draw(action, saying, language, random.Random(f"{seed} {saying.template}"))
        list(draw.several(limit))
        missed += draw.unseen(draw.expression)
    return missed


def forms(action: Action, slot: Slot, language: str) -> tuple[str, ...] | None:
    """Return templates of what can be said for a slot in a language; None is free text."""
    values = action.values(slot.name, language)
    if values:
        return tuple(values)
    spoken = slot.kind.spoken(language)
    if spoken is None or language == "en":
        return spoken
    chinese = tuple(form for form in spoken if _CHINESE.search(form))
    return chinese or tuple(form for form in ZH_FORMS if _reads(slot, form, language))


def localized(action: Action, language: str) -> list[Saying]:
    """Return an action's sayings with slots in the words of their language, not English ones."""
    by_name = {slot.name: slot for slot in action.declaration.slots}
    return [
        replace(
            saying,
            slots={
                name: forms(action, by_name[name], language) if name in by_name else said
                for name, said in saying.slots.items()
            },
        )
        for saying in action.sayings(language)
    ]


def _reads(slot: Slot, form: str, language: str) -> bool:
    """Whether the kind of a slot can read sentences of a form."""
    words = _Walk(random.Random(0), {}).text(_parsed(form))
    try:
        slot.kind.parse(words, language)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=8192)
def _parsed(template: str) -> Expression:
    """Parse once: nodes are told apart by identity."""
    expression: Expression = parse_sentence(template).expression
    return expression


class _Walk:
    """Draws text from expressions, remembering which branches were taken and how often."""

    def __init__(self, rng: random.Random, rules: Mapping[str, str]) -> None:
        self.rng = rng
        self.rules = rules
        self.taken: dict[tuple[int, int], int] = {}

    def text(self, expression: Expression) -> str:
        """Draw one text."""
        match expression:
            case TextChunk():
                return str(expression.original_text)
            case Alternative():
                return self.text(expression.items[self.branch(expression)])
            case Permutation():
                first = self.branch(expression)
                rest = [item for at, item in enumerate(expression.items) if at != first]
                self.rng.shuffle(rest)
                return " ".join(map(self.text, [expression.items[first], *rest]))
            case Group():
                return "".join(map(self.text, expression.items))
            case RuleReference():
                return self.text(_parsed(self.rules[expression.rule_name]))
            case ListReference():
                return self.slot(expression)
        return ""

    def slot(self, reference: ListReference) -> str:
        """Draw the words of a slot."""
        return ""

    def branch(self, choice: Group) -> int:
        """Take the branch behind which most is unseen, of equals the one taken least."""
        order = list(range(len(choice.items)))
        self.rng.shuffle(order)
        taken = min(order, key=lambda at: self._rank(choice, at))
        key = (id(choice), taken)
        self.taken[key] = self.taken.get(key, 0) + 1
        return taken

    def _rank(self, choice: Group, at: int) -> tuple[int, int]:
        times = self.taken.get((id(choice), at), 0)
        return -(self.unseen(choice.items[at]) + (times == 0)), times

    def unseen(self, expression: Expression) -> int:
        """Count branches below an expression that were never taken."""
        match expression:
            case Alternative() | Permutation():
                return sum(
                    ((id(expression), at) not in self.taken) + self.unseen(item)
                    for at, item in enumerate(expression.items)
                )
            case Group():
                return sum(map(self.unseen, expression.items))
            case RuleReference():
                return self.unseen(_parsed(self.rules[expression.rule_name]))
        return 0


class _Draw(_Walk):
    """Draws sentences of one template."""

    def __init__(
        self,
        action: Action,
        saying: Saying,
        language: str,
        rng: random.Random,
        off_list: bool = True,
    ) -> None:
        super().__init__(rng, saying.rules)
        self.off_list = off_list
        self.action, self.saying, self.language = action, saying, language
        self.expression = _parsed(saying.template)
        self.by_name = {slot.name: slot for slot in action.declaration.slots}
        self.queues: dict[str, list[str]] = {}
        self.slots: dict[str, Any] = {}
        self.free: set[str] = set()

    def several(self, limit: int) -> Iterator[Sample]:
        """Yield different sentences until every branch was seen, and a few more."""
        known: set[str] = set()
        extra = min(EXTRA, limit)
        for _ in range(limit * 2):
            fresh = self.unseen(self.expression) > 0
            if len(known) >= limit or (not fresh and extra <= 0):
                return
            extra -= not fresh
            sample = self.one()
            if sample is not None and sample.text not in known:
                known.add(sample.text)
                yield sample

    def one(self) -> Sample | None:
        """Draw one sentence; None when a slot of it has no value."""
        self.slots, self.free = {}, set()
        try:
            text = " ".join(self.text(self.expression).split())
        except LookupError:
            return None
        saying = self.saying
        return Sample(
            saying.intent, saying.template, self.language, text, self.slots, frozenset(self.free)
        )

    def slot(self, reference: ListReference) -> str:
        """Draw words that the slot's kind can read, and note their value."""
        slot = self.by_name.get(reference.slot_name)
        if slot is None:  # a range such as {0..100}
            low, high, _ = reference.get_inline_range() or (1, 1, 1)
            return str(self.rng.randint(low, high))
        values = self.action.values(slot.name, self.language)
        neutral = NEUTRAL.get(self.language, NEUTRAL["en"])
        if values:
            is_open = self.off_list and isinstance(slot.kind, Choice) and slot.kind.open
            form = self._next(slot.name, [*values, *neutral[: int(is_open)]])
            if form not in values:
                return self._free(slot, form)
            self.slots[slot.name] = values[form]
            return self._words(form)
        said = forms(self.action, slot, self.language)
        if isinstance(slot.kind, Text) or said is None:
            return self._free(slot, self._next(slot.name, list(neutral)))
        if isinstance(slot.kind, Choice):
            raise LookupError(slot.name)  # the list is empty now
        for _ in range(ATTEMPTS):
            words = self._words(self._next(slot.name, list(said)))
            try:
                self.slots[slot.name] = slot.kind.parse(words, self.language)
            except ValueError:
                continue
            return words
        raise LookupError(slot.name)

    def _free(self, slot: Slot, words: str) -> str:
        self.slots[slot.name] = slot.kind.parse(words, self.language)
        self.free.add(slot.name)
        return words

    def _words(self, form: str) -> str:
        """Draw from a value, which is a template itself; its branches are not the sentence's."""
        return " ".join(_Walk(self.rng, self.rules).text(_parsed(form)).split())

    def _next(self, slot: str, values: Sequence[str]) -> str:
        """Go through the values in a shuffled order, each before any comes again."""
        queue = self.queues.setdefault(slot, [])
        if not queue:
            queue.extend(values)
            self.rng.shuffle(queue)
        return queue.pop()
