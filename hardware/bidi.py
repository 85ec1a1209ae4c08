"""Right-to-left rows: from the order in which they are read to the order in which they stand.

The Unicode Bidirectional Algorithm (UAX #9) of python-bidi, and Arabic letters joined by
arabic-reshaper. Both are loaded by the first row that has such letters.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache
from typing import Any, Literal

from wcwidth import iter_graphemes, wcswidth

_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f]")
_MARKS = {0x200E: None, 0x200F: None}
_TAG = "\U0001e8d0"
"""A combining mark that no living script has. It follows what it stands on, from either side."""


def reads_from_right(text: str) -> bool:
    """Say whether a row reads from right to left: by its first letter or mark that tells."""
    if not _RIGHT_TO_LEFT.search(text):
        return False
    strong = (unicodedata.bidirectional(char) for char in text)
    return next((kind != "L" for kind in strong if kind in ("L", "R", "AL")), False)


def visual(text: str, columns: int) -> str:
    """Return a row as it stands from left to right; one that reads from the right ends there.

    Graphemes stay whole. Brackets are mirrored, numbers and arrows are not.
    """
    if not _RIGHT_TO_LEFT.search(text):
        return text.translate(_MARKS)
    from bidi import get_display
    from bidi.mirror import MIRRORED

    side: Literal["L", "R"] = "R" if reads_from_right(text) else "L"
    text = text.translate(_MARKS).encode(errors="replace").decode()  # no lone surrogates
    if _ARABIC.search(text):
        text = _reshaper().reshape(text)
    # The library moves characters, so each grapheme of several travels as one of its kind.
    whole: dict[str, str] = {}
    pools = {kind: iter(_of_kind(kind)) for kind in ("L", "R", "AL", "ON")}
    sent = []
    for grapheme in iter_graphemes(text):
        char = grapheme
        if len(grapheme) > 1:
            pool = pools.get(unicodedata.bidirectional(grapheme[0]), pools["ON"])
            char = next(pool, grapheme[0])
            whole[char] = grapheme
        sent.append(char + _TAG if char in MIRRORED else char)
    shown = _mirrored(get_display("".join(sent), base_dir=side))
    shown = "".join(whole.get(char, char) for char in shown)
    return " " * (columns - wcswidth(shown)) + shown if side == "R" else shown


def _mirrored(shown: str) -> str:
    """Turn the brackets that stand in text from right to left: there, the tag precedes them."""
    from bidi.mirror import MIRRORED

    bracket = f"[{re.escape(''.join(MIRRORED))}]"
    pairs = rf"{_TAG}({bracket})|({bracket}){_TAG}"
    return re.sub(pairs, lambda pair: MIRRORED[pair[1]] if pair[1] else pair[2], shown)


@cache
def _of_kind(kind: str) -> tuple[str, ...]:
    """List characters of one direction that hardly any row has: from beyond the first plane."""
    rare = map(chr, range(0x10000, sys.maxunicode))
    found = (char for char in rare if unicodedata.bidirectional(char) == kind)
    return tuple(char for char, _ in zip(found, range(200), strict=False))


@cache
def _reshaper() -> Any:
    from arabic_reshaper import ArabicReshaper

    return ArabicReshaper({"delete_harakat": False, "support_ligatures": True})
