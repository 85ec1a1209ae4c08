"""A hint of what can be said now, in the words that Whisper is told to have heard before.

Whisper goes on from its prompt, so names in it are spelt as there, and whole sentences set the tone
(OpenAI, "Whisper prompting guide": a list of names, or a made-up transcript). For Chinese, it is
also what makes the characters simplified.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

from agent.language.saying import Saying, hot_words

SENTENCES = 6
"""Whole sentences in a hint, at most; names and hot words follow them."""

_MARKUP = re.compile(r"[\[\](){}<>|;]")


def hints(sayings: Sequence[Saying]) -> dict[str, str]:
    """Return a hint for `en` and for `zh`, each empty when nothing can be said in it."""
    heaviest = sorted(sayings, key=lambda saying: -saying.weight)
    words = _words(heaviest)
    chinese = [saying for saying in heaviest if _chinese(saying.template)]
    english = [saying for saying in heaviest if saying.template.isascii()]
    return {
        "en": _hint(english, [word for word in words if word.isascii()], ". ", ", "),
        "zh": _hint(chinese, [word for word in words if _chinese(word)], "。", "、"),
    }


def _words(sayings: Sequence[Saying]) -> list[str]:
    """Return the names in all lists in turn, so that each list has a share, then the hot words."""
    lists = dict.fromkeys(values for s in sayings for values in s.slots.values() if values)
    rounds = zip_longest(*([v for v in values if not _MARKUP.search(v)] for values in lists))
    names = (name for names in rounds for name in names if name is not None)
    return list(dict.fromkeys([*names, *hot_words(sayings)]))


def _hint(sayings: Sequence[Saying], words: Sequence[str], stop: str, comma: str) -> str:
    plain: dict[str, str] = {}
    for saying in sayings:
        if not _MARKUP.search(saying.template):
            plain.setdefault(saying.intent, saying.template)
    sentences = list(plain.values())[:SENTENCES]
    return stop.join([*sentences, *filter(None, [comma.join(words)]), ""]).strip()


def _chinese(text: str) -> bool:
    return bool(re.search("[\u3400-\u9fff]", text))
