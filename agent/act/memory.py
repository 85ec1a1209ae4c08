"""What skills remember between turns, and the way back when a turn had not ended."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any


class Memories:
    """One memory for each skill, for as long as the agent runs."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._of: dict[str, dict[str, Any]] = {}
        self._runs: Counter[str] = Counter()
        self._before: tuple[str, dict[str, Any]] | None = None

    def of(self, skill: str) -> dict[str, Any]:
        """Return a skill's memory, to be written to."""
        return self._of.setdefault(skill, {})

    def written(self, skill: str) -> None:
        """Note that a skill runs, or has run, and may have written to its memory."""
        self._runs[skill] += 1

    def age(self, skill: str) -> int:
        """Return a number that is another once the skill's memory may be."""
        return self._runs[skill]

    def leave(self, skill: str) -> None:
        """Leave a skill's memory to a call that nobody waits for any more, and go on with a copy.

        Its thread cannot be ended, and what it still writes may not take the place of what later
        turns write.
        """
        memory = copied(self.of(skill))
        if memory is not None:
            self.become(skill, memory)

    def become(self, skill: str, memory: dict[str, Any]) -> None:
        """Put another memory in the place of a skill's, as a plan that was kept leaves it."""
        self._of[skill] = memory
        self.written(skill)

    def mark(self, skill: str) -> None:
        """Note a skill's memory as it is, before a turn that may turn out not to have ended."""
        memory = copied(self.of(skill))
        self._before = None if memory is None else (skill, memory)

    def settle(self) -> None:
        """Give up the way back: what follows is another turn."""
        self._before = None

    def take_back(self) -> None:
        """Make it as it was at the mark, where there is one."""
        if self._before is not None:
            skill, self._of[skill] = self._before
            self._before = None
            self.written(skill)


def copied(memory: dict[str, Any]) -> dict[str, Any] | None:
    """Return a deep copy; None where a skill keeps what cannot be copied."""
    try:
        return copy.deepcopy(memory)
    except Exception:  # the plugin boundary: objects there may define how they are copied
        return None
