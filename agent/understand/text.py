"""Cleaning what was typed or heard, before any stage reads it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

MAX_CHARACTERS = 1000
"""Longest utterance that is read; fifteen seconds of fast speech are about 300 characters."""

FULL_WIDTH_DIGITS = "０１２３４５６７８９"

_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_PUNCTUATION = re.compile(
    r"[\"“”‘「」『』《》()（）\[\]{}<>.,;:!?。，、；：！？…*_~`|\\^=]+(?=\s|$|\D)|[?!…]+$"
)


def clean(text: str) -> str:
    """Return one line of readable text: NFKC, no control or invisible characters, no punctuation.

    Money signs, digits with their points and commas, apostrophes, hyphens and `%` stay.
    """
    text = unicodedata.normalize("NFKC", text).replace("’", "'")
    kept = (
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char)[0] != "C"
    )
    return " ".join(_PUNCTUATION.sub(" ", "".join(kept)).split())


def is_plain(text: str) -> bool:
    """Return whether a text is written as people write: no look-alike letters, nothing invisible.

    `clean` reads "𝓹𝓪𝔂" and letters with a zero-width space between them as people see them. A
    payment is not to be read so: whoever writes like that has something to hide. Full-width digits
    are plain in Chinese, whose keyboards write them.
    """
    ordinary = FULL_WIDTH_DIGITS if language_of(text) == "zh" else ""
    return not any(
        unicodedata.category(char)[0] == "C"
        or (char != (folded := unicodedata.normalize("NFKC", char)) and folded.isalnum())
        for char in text
        if not (char.isspace() or char in ordinary)
    )


def language_of(text: str) -> str:
    """Return `zh` when most letters are Chinese characters, else `en`."""
    chinese = len(_CJK.findall(text))
    letters = sum(char.isalpha() for char in text) - chinese
    # One Chinese character says about as much as four Latin letters.
    return "zh" if chinese * 4 > letters else "en"


def without(text: str, words: Sequence[str], language: str) -> str:
    """Return a text without some words, wherever they stand."""
    edge = "" if language == "zh" else r"\b"
    either = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return " ".join(re.sub(rf"{edge}(?:{either}){edge}", " ", text, flags=re.IGNORECASE).split())


_POLITE = {
    "en": (
        r"(?:please|hey|okay|ok|so|now|just|well|and|could you|can you|would you|will you"
        r"|i want you to|i want to|i'd like to|i would like to|i need to|let's)",
        r"(?:please|now|for me|thanks|thank you)",
    ),
    "zh": (
        r"(?:请|帮我|给我|我想要|我想|我要|麻烦你|麻烦|那个|那|好的)",
        r"(?:一下|吧|谢谢|好吗|啊)",
    ),
}
_HESITATION = re.compile(r"\b(?:uh+|um+|er|erm|hm+)\b|[嗯呃]", re.IGNORECASE)


def readings(text: str, language: str) -> list[str]:
    """Return a cleaned text as it is, then without hesitations and politeness around it.

    What is polite at the ends may be meant in the middle ("translate thank you into Chinese"), so
    only the ends are stripped, and both readings are tried.
    """
    polite_before, polite_after = _POLITE.get(language, _POLITE["en"])
    gap = "" if language == "zh" else r"\b"
    bare = " ".join(_HESITATION.sub(" ", text).split())
    bare = re.sub(rf"^(?:{polite_before}{gap}\s*)+", "", bare, flags=re.IGNORECASE)
    bare = re.sub(rf"(?:\s*{gap}{polite_after})+$", "", bare, flags=re.IGNORECASE).strip()
    return [text] if bare in ("", text) else [text, bare]
