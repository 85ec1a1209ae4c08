"""Frames as text, for lenses that set their own: a row of letters is a hundredth of its picture.

Brightness and columns are the lens's own affair then: a row says what it says, from the left.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from hardware.base import Frame

LISTENING = "*"
"""Stands for the dot that says that the microphone is open; every font has it."""
APART = "  "
"""What is left between two parts of a row: where the second begins, only the lens could tell."""
_GAP = re.compile(r" {2,}")


def is_ascii(text: str) -> bool:
    """Say whether a text is of printable ASCII alone, which every lens with a font can set."""
    return text.isascii() and text.isprintable()


def rows(frame: Frame, sets: Callable[[str], bool] = is_ascii) -> tuple[str, ...] | None:
    """Return the rows of a frame as text; None where only its picture says the same.

    `sets` says whether the lens's own font has all of a text. The mark of an open microphone ends
    the first row, and a row without room for it makes it a picture, as it is always shown.
    """
    texts = [_GAP.sub(APART, line.text.rstrip()) for line in frame.lines]
    if not all(map(sets, texts)):
        return None
    if frame.listening:
        first = texts[0] if texts else ""
        marked = f"{first}{APART}{LISTENING}" if first else LISTENING
        if len(marked) > frame.profile.columns:
            return None
        texts[:1] = [marked]
    return tuple(texts)
