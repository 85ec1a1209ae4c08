"""What can be said now: by the skills, to the agent itself, and in answer to an open question.

The speech engine is told of it again whenever it has changed, which is compared, not announced.
"""

from __future__ import annotations

from agent import controls
from agent.dialogue import Dialogue, Question
from agent.gate import Open
from agent.listen.engine import EngineThread
from agent.sayable import Saying
from agent.skill import Action
from agent.understand import times
from agent.world import World

_Told = tuple[tuple[Action, ...], tuple[int, Open | None, Question | None]]
"""What was installed, and what else counts. Actions are kept: an id may be given to another."""


class Expectations:
    """What one agent expects to hear."""

    def __init__(self, world: World, dialogue: Dialogue) -> None:
        """Look at the world and at what the dialogue has asked."""
        self._world = world
        self._dialogue = dialogue
        self._known: tuple[Action, ...] = ()
        self._told: _Told | None = None
        self.answers = 0
        """How many turns were answered: after each, the lists of slots may be others."""

    @property
    def asking(self) -> bool:
        """Whether the wearer has been asked something and not answered yet."""
        return self._world.gate.open is not None or self._dialogue.question is not None

    def refresh(self) -> None:
        """Look at what is installed now, and let go of what a plugin left that is gone."""
        times.clock.set(self._world.now)
        known = tuple(self._world.skills.actions.values())
        if _same(known, self._known):
            return
        gone = {a.skill for a in self._known} - {a.skill for a in known}
        self._known = known
        gate = self._world.gate
        if gate.open is not None and gate.open.skill in gone:
            gate.drop()  # it was disabled or unloaded
        for skill in gone:
            self._world.lens.withdraw(skill)

    def news(self) -> bool:
        """Say, once, that what can be said has changed since the engine was told."""
        self.refresh()
        rest = (self.answers, self._world.gate.open, self._dialogue.question)
        before, self._told = self._told, (self._known, rest)
        return before is None or not _same(before[0], self._known) or before[1] != rest

    def forget(self) -> None:
        """Note that the engine has been told nothing: it is another one now."""
        self._told = None

    def sayings(self, language: str) -> list[Saying]:
        """Return everything that can be said now, in one language."""
        actions = [*self._world.skills.actions.values()]
        said = [saying for action in actions for saying in action.sayings(language)]
        own = controls.sayings(language, self.asking)
        return [*said, *own, *self._dialogue.sayings(language)]

    async def sayable(self, ears: EngineThread) -> list[Saying]:
        """Return what can be said in the languages that the engine is to hear.

        Raises EngineError where there has never been an engine.
        """
        wanted = self._world.options.language
        if wanted != "auto":
            return self.sayings(wanted)
        known = await ears.languages()
        return [s for language in ("en", "zh") if language in known for s in self.sayings(language)]


def _same(some: tuple[Action, ...], others: tuple[Action, ...]) -> bool:
    """Whether these are the very same actions; a plugin that was reloaded has others."""
    return [*map(id, some)] == [*map(id, others)]
