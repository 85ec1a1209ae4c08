"""Where a name ends: of "the song yellow submarine" the words to look for are "yellow submarine".

A sentence with an open slot takes all the words that stand there; a learned stage says which of
them are the name. It has seen few names, and cuts them: "every breath you" of "every breath you
take". So only what speaks of a name is left off, from both ends up to the first other word:
articles, and words of the skill's own sentences, which say "song", "music by", "playlist". And what
is quoted is the name.
"""

from __future__ import annotations

import re
from functools import lru_cache

from agent.skill.declare import Action, Sentences

ABOUT = frozenset(
    (
        "a", "an", "the", "some", "any", "of", "by", "from", "in", "called", "named", "titled",
        "sung", "that", "goes", "like", "tunes", "songs", "way", "route",
    )
)  # fmt: skip
"""Words of no skill that speak of a name which follows, or precedes."""
PART = frozenset(("me", "you", "it", "us", "him", "her", "them", "my", "your", "i"))
"""Words of many sentences that are part of what is named: "stand by me"."""
OPENED, CLOSED = re.compile(r"""(?:^|\s)["'“‘「《]$"""), re.compile(r"""["'”’」》](?:\s|$)""")
"""The mark before what is quoted, at the end of a text, and the one after it, at the beginning."""
_PIECE = {"en": re.compile(r"\S+"), "zh": re.compile(r"\S")}
"""What is left off at once: a word, or a Chinese character."""


def name_of(said: str, guess: str, action: Action, language: str) -> str:
    """Return the name among the words of an open slot, of which `guess` was taken for it."""
    at = said.casefold().find(guess.casefold())
    if at < 0 or not guess:
        return said
    before, after = said[:at], said[at + len(guess) :]
    if OPENED.search(before) and CLOSED.match(after):
        return guess
    sentences = action.languages.get(language) or Sentences()
    own = _own_words((*sentences.templates, *sentences.rules.values()), language)
    pieces = [(piece[0].casefold(), piece.span()) for piece in _PIECE[language].finditer(said)]
    first = next(n for n, (word, (_, end)) in enumerate(pieces) if end > at or word not in own)
    last = next(
        n
        for n, (word, (begin, _)) in reversed([*enumerate(pieces)])
        if begin < at + len(guess) or word not in own
    )
    return said[pieces[first][1][0] : pieces[last][1][1]]


@lru_cache(maxsize=256)
def _own_words(templates: tuple[str, ...], language: str) -> frozenset[str]:
    """Return what templates have beside their slots, and what speaks of any name."""
    fixed = re.sub(r"\{[\w:]+\}|<\w+>", " ", " ".join(templates)).casefold()
    if language == "zh":
        return frozenset(re.findall(r"[\u3400-\u9fff]", fixed))
    return (frozenset(re.findall(r"[\w']+", fixed)) | ABOUT) - PART
