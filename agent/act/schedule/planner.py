"""What one skill is given to plan with: its own entries, within a budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from agent.act.schedule.bell import Bell
from agent.act.schedule.store import Schedule
from agent.errors import Refused
from agent.skill.later import MOST_ENTRIES, MOST_TEXT, Entry, Fired, Kind


@dataclass(frozen=True, slots=True)
class Planner:
    """The port `Later`, for one skill."""

    skill: str
    """Whose entries these are."""
    schedule: Schedule
    """Where they are kept."""
    bell: Bell
    """What rings."""
    means: Callable[[str, str], Mapping[str, Any] | None]
    """Returns words in a language as a tool call. Raises Refused for a payment."""

    def add(self, entry: Entry) -> Entry:
        """Keep an entry; return it with its name. Raises Refused where the skill has too many."""
        if len(self.schedule.waiting(self.skill)) >= MOST_ENTRIES:
            raise Refused(f"{self.skill} has {MOST_ENTRIES} things waiting: cancel some first")
        text = "".join(c for c in " ".join(entry.text.split()) if c.isprintable())
        return self.schedule.add(replace(entry, skill=self.skill, text=text[:MOST_TEXT]))[0]

    def waiting(self, *kinds: Kind) -> Sequence[Entry]:
        """Return what is still to come, the next first."""
        return self.schedule.waiting(self.skill, kinds)

    def remove(self, *ids: str) -> int:
        """Let go of entries; return how many there were."""
        return self.schedule.remove(ids, self.skill)

    def move(self, id: str, instant: datetime) -> None:
        """Make an entry due at another moment."""
        self.schedule.move(id, instant)

    def hold(self, id: str) -> bool:
        """Let an entry keep what is left until it is due; say if so."""
        return self.schedule.hold(id)

    def go_on(self, id: str) -> bool:
        """Let an entry that was held be due after what it had left; say if it was held."""
        return self.schedule.go_on(id)

    def ringing(self) -> Sequence[Fired]:
        """Return what sounds, or waits to be seen."""
        return self.bell.ringing

    def stop(self) -> Sequence[Fired]:
        """End what sounds; return it."""
        return self.bell.stop()

    def snooze(self, minutes: float) -> Sequence[Fired]:
        """End what sounds and let it come again so many minutes from now; return it."""
        return self.bell.snooze(minutes)

    def left_s(self, entry: Entry) -> float:
        """Return the seconds until an entry is due, or that it is held with; else infinity."""
        if entry.held_s is not None:
            return entry.held_s
        due_s = self.schedule.due(entry)
        return due_s - self.schedule.now().timestamp() if due_s < math.inf else math.inf

    def understood(self, words: str, language: str) -> Mapping[str, Any] | None:
        """Return words as the tool call they mean. Raises Refused for a payment."""
        return self.means(words, language)
