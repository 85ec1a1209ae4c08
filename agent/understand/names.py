"""Where a name ends: of "the song yellow submarine" the words to look for are "yellow submarine".

A sentence with an open slot takes all the words that stand there; a learned stage says which of
them are the name. It has seen few names, and cuts them: "every breath you" of "every breath you
take". So only words are left off that speak of a name: articles, and those of the skill's own
sentences, which say "song", "music by", "playlist". Text that is to be translated or written down is
no name, and loses nothing unless all that is left off is of this kind.
"""

from __future__ import annotations

import re
from functools import lru_cache

from agent.skill.declare import Action, Sentences
from agent.skill.slots import Text

ABOUT = frozenset(
    "a an the some any of by from in called named titled sung that goes like tunes songs".split()
)
"""Words of no skill that speak of a name which follows, or precedes."""
PART = frozenset("me you it us him her them my your i".split())
"""Words of many sentences that are part of what is named: "stand by me"."""


def name_of(said: str, guess: str, action: Action, slot: str, language: str) -> str:
    """Return the name among the words of an open slot, of which `guess` is what was taken for it.

    `said` itself where the guess is no part of it.
    """
    at = said.casefold().find(guess.casefold())
    if at < 0 or not guess:
        return said
    before, after = said[:at], said[at + len(guess) :]
    sentences = action.languages.get(language) or Sentences()
    own = _own_words((*sentences.templates, *sentences.rules.values()), language)
    if isinstance(action.kind(slot), Text):
        speaks = all(piece in own for piece in _pieces(before + " " + after, language))
        return guess if speaks else said
    first, last = 0, len(said)
    for piece in re.finditer(_PIECE[language == "zh"], before):
        if piece[0].casefold() not in own:
            break
        first = piece.end()
    for piece in reversed([*re.finditer(_PIECE[language == "zh"], after)]):
        if piece[0].casefold() not in own:
            break
        last = at + len(guess) + piece.start()
    return said[first:last].strip()


_PIECE = (r"\S+", r"\S")
"""What is left off at once: a word, or a Chinese character."""


def _pieces(text: str, language: str) -> list[str]:
    return [piece.casefold() for piece in re.findall(_PIECE[language == "zh"], text)]


@lru_cache(maxsize=256)
def _own_words(templates: tuple[str, ...], language: str) -> frozenset[str]:
    """Return what templates have beside their slots."""
    fixed = re.sub(r"\{[\w:]+\}|<\w+>", " ", " ".join(templates)).casefold()
    if language == "zh":
        return frozenset(re.findall(r"[\u3400-\u9fff]", fixed))
    return (frozenset(re.findall(r"[\w']+", fixed)) | ABOUT) - PART
