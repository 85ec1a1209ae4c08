"""Which of several codes in view is meant: the left one, the middle one or the right one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from agent.look.codes import Code

Side = Literal["left", "middle", "right"]
SIDES: dict[int, tuple[Side, ...]] = {2: ("left", "right"), 3: ("left", "middle", "right")}
"""What so many codes are called, from left to right; of more than three none has a name."""
NEAR_S = 60.0
"""How long the codes of the last picture can be chosen from."""


def keep(seen: Sequence[Code], memory: dict[str, Any], now: float) -> None:
    """Keep the codes that are asked about in a skill's memory; `now` in seconds."""
    memory["codes"] = [now, [[c.text, c.kind, c.x, c.y] for c in seen]]


def kept(memory: dict[str, Any], now: float) -> tuple[Code, ...]:
    """Return the codes that were asked about, while that is fresh."""
    taken, codes = memory.get("codes", (0.0, ()))
    if not 0 <= now - taken <= NEAR_S:
        return ()
    return tuple(Code(text, kind, x, y) for text, kind, x, y in codes)


def chosen(seen: Sequence[Code], side: Side | None) -> Code | None:
    """Return the only code, or the one on that side; None where it is not known which."""
    if len(seen) == 1:
        return seen[0]
    sides = SIDES.get(len(seen), ())
    return seen[sides.index(side)] if side in sides else None
