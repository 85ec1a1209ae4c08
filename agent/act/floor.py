"""Who has the floor: the one skill that is given what is said, where one is.

What it is given and what stays a command is decided where turns are (`agent.loop.taking`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from agent.display.lens import Lens
from agent.messages import Transcript
from agent.skill.context import Listener

log = logging.getLogger(__name__)

KEY, STAYS_S = "floor", 4 * 3600.0
"""Key of the cards of the skill that has the floor, which take the place of one another, and how
long one is lit at most."""


@dataclass(frozen=True, slots=True)
class Held:
    """The floor as it is held."""

    skill: str
    """By which skill."""
    language: str
    """In which language it was asked for."""
    listener: Listener
    """What is given what is said."""


class Floor:
    """The floor of one wearer. `give` and `leave` on any thread, all else on the loop's."""

    def __init__(self, lens: Lens) -> None:
        """Be free; `lens` shows whether what is said is being kept."""
        self.held: Held | None = None
        """Who has it; None where it is free."""
        self._lens = lens

    def fills(self, skill: str) -> bool:
        """Whether a skill has it with cards that stay."""
        held = self.held
        return held is not None and held.skill == skill and not held.listener.beside

    def give(self, skill: str, language: str, listener: Listener) -> None:
        """Let a skill be given what is said from now on, in the place of another."""
        self.leave()
        self.held = Held(skill, language, listener)
        self._lens.recording(listener.kept)

    def leave(self, skill: str = "") -> bool:
        """Be free again, of this skill or of whoever has it; say whether it was taken."""
        held = self.held
        if held is None or (skill and held.skill != skill):
            return False
        self._free(held)
        self._tried(held, held.listener.over)
        return True

    def stop(self) -> None:
        """Be free again where a “stop” is enough for that."""
        if self.held is not None and self.held.listener.stoppable:
            self.leave()

    def samples(self, pcm: bytes) -> None:
        """Hand on sound."""
        if self.held is not None:
            self._tried(self.held, partial(self.held.listener.samples, pcm))

    def partly(self, said: Transcript) -> None:
        """Hand on what has been heard so far."""
        if self.held is not None:
            self._tried(self.held, partial(self.held.listener.partly, said))

    def _tried(self, held: Held, use: Callable[[], None]) -> None:
        try:
            use()
        except Exception as error:  # the plugin boundary
            log.warning("%s hears no more: %s", held.skill, type(error).__name__)
            log.debug("%s failed", held.skill, exc_info=True)
            if self.held is held:
                self._free(held)

    def _free(self, held: Held) -> None:
        self.held = None
        self._lens.recording(False)
        if not held.listener.beside:
            self._lens.soon(partial(self._lens.withdraw, held.skill))
