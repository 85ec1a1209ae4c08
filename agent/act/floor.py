"""Who has the floor: the one skill that takes what is said, where one does.

While it is taken, what is heard is no command, but for what the skill itself can be told, the words
that end everything, and the answer to an open question.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from agent.display.lens import Lens
from agent.skill.floor import Listener

log = logging.getLogger(__name__)

KEY, STAYS_S = "floor", 4 * 3600.0
"""Key of the cards of the skill that has the floor, which take the place of one another, and how
long one is lit at most."""


class Floor:
    """The floor of one wearer. `give` and `leave` on any thread, all else on the loop's."""

    def __init__(self, lens: Lens) -> None:
        """Be free; `lens` shows whether what is said is being kept."""
        self.held: tuple[str, Listener] | None = None
        """Which skill has it, and what takes what is said; None where it is free."""
        self._lens = lens

    def of(self, skill: str) -> bool:
        """Whether a skill has it."""
        held = self.held
        return held is not None and held[0] == skill

    def give(self, skill: str, listener: Listener) -> None:
        """Let a skill take what is said from now on, in the place of another."""
        self.leave()
        self.held = skill, listener
        self._lens.recording(listener.recording)

    def leave(self, skill: str = "") -> bool:
        """Be free again, of this skill or of whoever has it; say whether it was taken."""
        held = self.held
        if held is None or (skill and held[0] != skill):
            return False
        self._free()
        self._tried(held, lambda listener: listener.over())
        return True

    def stop(self) -> None:
        """Be free again where a “stop” is enough for that."""
        if self.held is not None and self.held[1].stoppable:
            self.leave()

    def samples(self, pcm: bytes) -> None:
        """Hand on sound."""
        if self.held is not None:
            self._tried(self.held, lambda listener: listener.samples(pcm))

    def heard(self, text: str, language: str, final: bool, continues: bool = False) -> None:
        """Hand on what was heard."""
        if self.held is not None:
            self._tried(self.held, lambda one: one.heard(text, language, final, continues))

    def _tried(self, held: tuple[str, Listener], use: Callable[[Listener], None]) -> None:
        try:
            use(held[1])
        except Exception as error:  # the plugin boundary
            log.warning("%s takes what is said no more: %s", held[0], type(error).__name__)
            log.debug("%s failed", held[0], exc_info=True)
            if self.held is held:
                self._free()

    def _free(self) -> None:
        held, self.held = self.held, None
        self._lens.recording(False)
        if held is not None:
            self._lens.soon(partial(self._lens.withdraw, held[0]))
