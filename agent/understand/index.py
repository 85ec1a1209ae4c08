"""Which sentences an utterance could be, found without looking at the others.

A sentence needs certain words: "(turn|switch) on the lamp" needs "on", "the", "lamp", and one of
"turn" and "switch". The rarest of these leads from the words of an utterance to the few sentences
worth matching, so that one more installed skill costs an utterance nothing that is not about it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from typing import Generic, TypeVar

from hassil import Trie
from hassil.util import CJK_WHITESPACE, normalize_for_matching

Item = TypeVar("Item")

Clauses = Collection[Collection[str]]
"""What a text must contain: a fragment of every clause. hassil's `get_required_clauses`."""


class Index(Generic[Item]):
    """Items, each with the fragments of words that a text about it contains."""

    def __init__(self, items: Iterable[tuple[Item, Clauses]]) -> None:
        """Index `items`; one without clauses is found by every text."""
        self._items: list[tuple[Item, frozenset[str], list[Collection[str]]]] = []
        self._always: list[int] = []
        self._by_fragment: dict[str, list[int]] = defaultdict(list)
        self._fragments = Trie()
        listed = list(items)
        count = Counter(f for _, clauses in listed for clause in clauses for f in clause)
        for fragment in count:
            self._fragments.insert(fragment, fragment)
        for number, (item, clauses) in enumerate(listed):
            needed = frozenset(f for clause in clauses if len(clause) == 1 for f in clause)
            self._items.append((item, needed, [clause for clause in clauses if len(clause) > 1]))
            if not clauses:
                self._always.append(number)
                continue
            for fragment in min(clauses, key=lambda clause: sum(count[f] for f in clause)):
                self._by_fragment[fragment].append(number)

    def find(self, text: str) -> list[Item]:
        """Return the items that have a fragment of every clause in `text`, in their own order."""
        present = {fragment for _, fragment, _ in self._fragments.find(_folded(text))}
        near = set(self._always)
        for fragment in present.intersection(self._by_fragment):
            near.update(self._by_fragment[fragment])
        found = []
        for number in sorted(near):
            item, needed, either = self._items[number]
            if needed <= present and not any(map(present.isdisjoint, either)):
                found.append(item)
        return found


def _folded(text: str) -> str:
    """Return the text as hassil will read it, with and without spaces between Chinese letters."""
    normal = str(normalize_for_matching(text).text).casefold()
    joined = CJK_WHITESPACE.sub("", normal)
    return normal if joined == normal else f"{normal}\n{joined}"
