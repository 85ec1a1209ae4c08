"""Which words of a text fill an action's slots, read from its own sentences and paraphrases.

The pocket Qwen copies the slots of the actions it was trained with. For any other action the same
declaration says enough: a slot with a type of its own (a time, a number, a listed value) is the
longest run of words that the type can read, and free words stand where the sentences have them,
after "to" or "about" in "remind me (to|about) {what}", up to what another slot has taken.

Nothing is made up: every slot is a piece of what was said, and what is not found is left to be
asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agent.derive import grammar, paraphrases
from agent.language.text import readings
from agent.skill.declare import Action
from agent.skill.slots import NOT_LISTED, Measured, listed_as

LONGEST = {"en": 9, "zh": 14}
"""Words, or Chinese characters, that the value of a type may have."""
MOST = 60
"""Words, or Chinese characters, of the longest text that is read."""

_PIECE = {"en": re.compile(r"\S+"), "zh": re.compile(r"[a-zA-Z0-9.:'’-]+|[^\s]")}
_BETWEEN = frozenset(
    ("at", "on", "in", "for", "by", "of", "from", "to", "the", "a", "an", "my", "and")
)
"""Words that lead to a value and are none of what stands before it: "call mom [at] six"."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word, or a Chinese character."""

    start: int
    """Where it begins in the text."""
    end: int
    """Where it ends."""


def spans(action: Action, text: str, language: str) -> dict[str, str]:
    """Return the words of each slot that can be read from a text, as they were said."""
    own = action.languages.get(language)
    if own is None:
        return {}
    said = readings(text, language)[-1]
    pieces = [_Piece(*found.span()) for found in _PIECE[language].finditer(said)]
    if not pieces or len(pieces) > MOST:
        return {}
    said_so = (*own.templates, *paraphrases.templates(action, language))
    around = _around(said_so, tuple(sorted(own.rules.items())))
    reader = _Reader(action, said, pieces, language, around)
    return {
        slot: said[pieces[at[0]].start : pieces[at[-1]].end] for slot, at in reader.read().items()
    }


class _Reader:
    """Reads one text."""

    def __init__(
        self,
        action: Action,
        said: str,
        pieces: Sequence[_Piece],
        language: str,
        around: Mapping[str, grammar.Around],
    ) -> None:
        self.action, self.said, self.pieces = action, said, pieces
        self.language, self.around = language, around
        self.words = [said[piece.start : piece.end].casefold() for piece in pieces]
        self.required = {slot.name for slot in action.declaration.slots if slot.required}
        self.taken: dict[str, range] = {}

    def read(self) -> dict[str, range]:
        """Return where each slot's words stand, as places of pieces."""
        used: set[int] = set()
        for _, slot, known in sorted(self.typed(), key=lambda one: one[0]):
            if slot not in self.taken and not used & set(known):
                self.taken[slot] = known
                used |= set(known)
        left = [slot for slot in self.around if self.action.kind(slot).is_open]
        while found := [
            (len(place), slot, place)
            for slot in left
            if slot not in self.taken and (place := self.free(slot, used)) is not None
        ]:  # the shortest first: what is left of the others ends where it begins
            _, slot, shortest = min(found, key=lambda one: one[0])
            self.taken[slot] = shortest
            used |= set(shortest)
        return self.taken

    def typed(self) -> Iterator[tuple[tuple[int, bool, int], str, range]]:
        """Yield runs of words that a slot's type or list knows, with what they are sorted by.

        The longest come first, of these such as stand where the sentences have the slot, and of
        two slots the one that is declared first.
        """
        for order, slot in enumerate(self.action.declaration.slots):
            knows = self.knows(slot.name)
            around = self.around.get(slot.name)
            for start in range(len(self.pieces)) if knows is not None else ():
                last = min(len(self.pieces), start + LONGEST[self.language])
                for end in range(last, start, -1):
                    if knows is not None and knows(self.text(start, end)):
                        lone = around is None or self.follows(start, around.before) is None
                        yield (start - end, lone, order), slot.name, range(start, end)
                        break

    def knows(self, slot: str) -> Callable[[str], bool] | None:
        """Return what says whether words are a value of the slot; None where any words are."""
        kind, values = self.action.kind(slot), self.action.values(slot, self.language)
        if values is not None:
            return lambda words: listed_as(words, values) is not NOT_LISTED
        if not isinstance(kind, Measured):
            return None

        def reads(words: str) -> bool:
            try:
                kind.parse(words, self.language)
                return kind.is_all(words, self.said, self.language)
            except ValueError:
                return False

        return reads

    def free(self, slot: str, used: set[int]) -> range | None:
        """Return the longest run of words that stands where the sentences have free ones.

        One that follows a word of theirs comes before one that merely follows another slot.
        """
        before, after = self.around[slot].before, self.around[slot].after
        if slot not in self.required:  # the beginning is no sign of what may be left out
            before -= {grammar.EDGE}
        found: list[tuple[int, int, range]] = []
        for start in range(len(self.pieces)):
            if start in used or (follows := self.follows(start, before)) is None:
                continue
            end = next(
                (at for at in range(start, len(self.pieces)) if at in used), len(self.pieces)
            )
            stops = (stop for stop in range(end, start, -1) if self.leads(stop, after, used))
            stop = self.shortened(slot, start, next(stops, start))
            if stop > start:
                found.append((-follows, start - stop, range(start, stop)))
        return min(found, key=lambda one: one[:2])[2] if found else None

    def shortened(self, slot: str, start: int, stop: int) -> int:
        """Return where free words end that another slot follows: its own words lead to it.

        What is nothing but the sentences' own words is no value.
        """
        following = [other for other, place in self.taken.items() if place.start == stop]
        around = [self.around[other] for other in following if other in self.around]
        leading = _BETWEEN.union(*(one.between for one in around))
        while following and stop > start and self.words[stop - 1] in leading:
            stop -= 1
        own = self.around[slot].leading | self.around[slot].after
        return start if own.issuperset(self.words[start:stop]) else stop

    def follows(self, at: int, before: frozenset[str]) -> int | None:
        """Return how much of the text before a place is one of these words, or None.

        That is 0 for the beginning or a slot that is one of them, 1 for any word, and in Chinese,
        where sentences are longer pieces, as many characters as agree.
        """
        if at == 0:
            return 0 if grammar.EDGE in before else None
        said = self.said[: self.pieces[at - 1].end].casefold()
        if self.language != "zh":
            agree = [1] if self.words[at - 1] in before else []
        else:
            agree = [len(w) for w in before if w and w[0] != "{" and said.endswith(w)]
        slots = [slot for slot, place in self.taken.items() if place.stop == at]
        agree += [0 for slot in slots if f"{{{slot}}}" in before]
        return max(agree, default=None)

    def leads(self, at: int, after: frozenset[str], used: set[int]) -> bool:
        """Whether a place is where free words may end: at one of these words, or another slot."""
        if at == len(self.pieces):
            return grammar.EDGE in after
        if at in used:
            return True
        if self.language != "zh":
            return self.words[at] in after
        said = self.said[self.pieces[at].start :].casefold()
        return any(said.startswith(word) for word in after if word and word[0] != "{")

    def text(self, start: int, end: int) -> str:
        return self.said[self.pieces[start].start : self.pieces[end - 1].end]


def lacking(action: Action, slots: Collection[str], language: str) -> tuple[str, ...]:
    """Return the slots without which no sentence of the action says these, in order.

    "remind me {when} to {what}" and "remind me in {after} to {what}" may leave every slot out by
    their types, and have no sentence with neither.
    """
    required = {slot.name for slot in action.declaration.slots if slot.required}
    own = action.languages.get(language)
    ways = _ways(own.templates, tuple(sorted(own.rules.items()))) if own is not None else ()
    lacks = min((len(way - {*slots}), at) for at, way in enumerate(ways)) if ways else None
    wanted = required | (ways[lacks[1]] if lacks is not None else frozenset())
    return tuple(s.name for s in action.declaration.slots if s.name in wanted - {*slots})


@lru_cache(maxsize=512)
def _ways(
    templates: tuple[str, ...], rules: tuple[tuple[str, str], ...]
) -> tuple[frozenset[str], ...]:
    found = [way for template in templates for way in grammar.needed(template, rules)]
    least = grammar.smallest(found)
    return tuple(way for way in dict.fromkeys(found) if way in least)


@lru_cache(maxsize=512)
def _around(
    templates: tuple[str, ...], rules: tuple[tuple[str, str], ...]
) -> Mapping[str, grammar.Around]:
    found: dict[str, grammar.Around] = {}
    for template in templates:
        for slot, own in grammar.around(template, rules).items():
            found[slot] = grammar.merged(found[slot], own) if slot in found else own
    return found
