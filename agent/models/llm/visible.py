"""From the bytes a model says to the text a person may see."""

from __future__ import annotations

import codecs
from collections.abc import Generator, Iterator
from contextlib import closing

_THINK, _END_THINK = "<think>", "</think>"


def visible(pieces: Generator[bytes]) -> Iterator[str]:
    """Yield whole characters, without a leading `<think>` block or space around the answer.

    A character whose bytes are still to come is held back; bytes that are no UTF-8 are dropped.
    An answer cut within its thinking is empty. Closes `pieces` when it is done or dropped.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    held, answering = "", False
    with closing(pieces):
        for piece in pieces:
            held += decoder.decode(piece)
            if not answering:
                held, answering = _skip_thinking(held.lstrip())
            shown = held.rstrip() if answering else ""
            if shown:
                yield shown
                held = held[len(shown) :]
    if held and not answering and not held.startswith(_THINK):
        yield held.rstrip()


def _skip_thinking(text: str) -> tuple[str, bool]:
    """Return what is left of the text's beginning, and whether that is surely the answer."""
    if text.startswith(_THINK):
        _, _, after = text.partition(_END_THINK)
        return (after.lstrip(), True) if after.strip() else (text, False)
    return text, not _THINK.startswith(text)
