"""Text from the world: what a stranger wrote on a package, in a code, a review or an answer.

It is marked where it comes in. A marked text is an ordinary `str` to whatever shows it; a prompt
fences it by itself, and neither the router nor the agent takes it for something the wearer said. An
f-string makes an unmarked text of it: mark what was put together again.
"""

from __future__ import annotations

import unicodedata

LONGEST = 300
"""Most characters that are kept, where nothing else is said."""


class WorldText(str):
    """A text from the world: data, never an instruction."""

    __slots__ = ()


def world_text(text: object, longest: int = LONGEST) -> WorldText:
    """Return text from the world, marked: on one line, cut, without signs that hide or turn it."""
    words = str(text)[: 4 * longest]
    if words.isascii() and words.isprintable():
        if "  " not in words:
            return WorldText(words.strip()[:longest].rstrip())
    else:
        words = unicodedata.normalize("NFC", words)
        words = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in words)
    return WorldText(" ".join(words.split())[:longest].rstrip())
