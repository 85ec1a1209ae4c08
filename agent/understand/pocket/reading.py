"""What the pocket model sees of an utterance, and the way back to what was said.

Recognisers and keyboards disagree on case, punctuation and apostrophes, none of which changes what
is meant. The model reads a text without them, and every character it reads remembers where it
stood, so that a slot is given back exactly as it was said: "Play L'Été!" is read as
"play lété", and its song is "L'Été".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.language.text import clean

MAX_CHARACTERS = 400
"""Longest text that is read; fifteen seconds of fast speech are about 300 characters."""

_CJK = r"\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(
    rf"(?P<cjk>[{_CJK}])"
    rf"|\d+(?:[.,:]\d+)*(?:(?![{_CJK}])[^\W\d_])*"
    r"|(?P<symbol>[$€£¥%&+#@])"
    rf"|(?P<word>(?:(?![{_CJK}])[^\W\d_])(?:'?(?![{_CJK}])[^\W_])*)"
)
# "what's" is one word to everybody; "mary's" must let go of "mary".
_ONE_WORD = frozenset(
    ("what", "it", "that", "where", "how", "who", "let", "there", "here", "when", "he", "she")
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word, a number, a symbol or one Chinese character, as the model reads it."""

    text: str
    """Lower case, without apostrophes."""
    start: int
    """Where it begins in the text it was read from."""
    end: int
    """Where it ends there."""

    @property
    def spelled(self) -> str:
        """The word as it stands in the prompt: after a space, unless it is a Chinese character."""
        return self.text if is_chinese(self.text) else f" {self.text}"


def is_chinese(text: str) -> bool:
    """Return whether a text begins with a Chinese character."""
    return bool(text) and ("\u3400" <= text[0] <= "\u9fff" or "\uf900" <= text[0] <= "\ufaff")


def read(text: str) -> tuple[str, list[Word]]:
    """Return the cleaned text and the words that the model reads of it, at most MAX_CHARACTERS."""
    said = clean(text[: 4 * MAX_CHARACTERS])[:MAX_CHARACTERS]
    words: list[Word] = []
    for match in _WORD.finditer(said):
        if match["word"]:
            words += _split(match["word"], match.start())
        else:
            words.append(Word(_lower(match[0]), match.start(), match.end()))
    return said, words


def words_of(text: str) -> list[str]:
    """Return only the words of a text, as the model reads them."""
    return [word.text for word in read(text)[1]]


def spelled(words: list[str]) -> str:
    """Return the prompt that words make: Chinese characters side by side, other words apart."""
    return "".join(word if is_chinese(word) else f" {word}" for word in words)


def _split(word: str, at: int) -> list[Word]:
    lower = _lower(word)
    stem, _, last = lower.rpartition("'")
    if stem and last == "s" and stem not in _ONE_WORD:
        cut = at + len(stem)
        return [Word(stem.replace("'", ""), at, cut), Word("s", cut + 1, at + len(word))]
    return [Word(lower.replace("'", ""), at, at + len(word))]


def _lower(text: str) -> str:
    """Return the text in lower case; a character that would become two stays as it is."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)
