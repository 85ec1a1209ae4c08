"""What can be said now: by the skills, to the agent itself, and in answer to an open question.

The speech engine is told of it again whenever it has changed, which is compared, not announced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.act import pin
from agent.act.gate import Open
from agent.act.world import World
from agent.language import controls, times
from agent.language.saying import Saying
from agent.listen.hearing import Told
from agent.listen.thread import EngineThread
from agent.skill.declare import Action
from agent.skill.slots import Choice
from agent.understand.dialogue import Dialogue, Question


@dataclass(frozen=True, slots=True)
class _Known:
    """What the engine was told from: if none of it changed, neither did what can be said."""

    actions: tuple[Action, ...]
    """What was installed; kept, since an id may be given to another."""
    language: str
    """The language to be heard, as in `AgentOptions`."""
    open: tuple[Open | None, Question | None]
    """What was asked."""
    answers: int
    """How many turns had been answered: each may have changed the lists of slots."""
    lists: tuple[tuple[str, ...], ...]
    """What was in these lists."""


class Expectations:
    """What one agent expects to hear."""

    def __init__(self, world: World, dialogue: Dialogue) -> None:
        """Look at the world and at what the dialogue has asked."""
        self._world = world
        self._dialogue = dialogue
        self._installed: Mapping[str, Action] = {}
        self._known: tuple[Action, ...] = ()
        self._before: _Known | None = None
        self.told = Told()
        """What the engine knows of it."""
        self.answers = 0
        """How many turns were answered."""

    @property
    def asking(self) -> bool:
        """Whether the wearer has been asked something and not answered yet."""
        return self._world.gate.open is not None or self._dialogue.question is not None

    def refresh(self) -> None:
        """Look at what is installed now, and let go of what a plugin left that is gone."""
        times.clock.set(self._world.now)
        installed = self._world.skills.actions.now
        if installed is self._installed:  # asked at every chunk, and hardly ever another
            return
        self._installed, known = installed, tuple(installed.values())
        if [*map(id, known)] == [*map(id, self._known)]:
            return  # a plugin that was reloaded has others
        gone = {a.skill for a in self._known} - {a.skill for a in known}
        self._known = known
        gate = self._world.gate
        if gate.open is not None and gate.open.skill in gone:
            gate.drop()  # it was disabled or unloaded
        for skill in gone:
            self._world.lens.withdraw(skill)
            self._world.floor.leave(skill)

    def news(self) -> bool:
        """Say, once, that what can be said has changed since the engine was told."""
        self.refresh()
        before, is_open = self._before, (self._world.gate.open, self._dialogue.question)
        language = self._world.options.language
        same = (
            before is not None
            and before.actions is self._known
            and before.language == language
            and before.open == is_open
        )
        if before is not None and same and before.answers == self.answers:
            return False
        lists = self._lists()
        self._before = _Known(self._known, language, is_open, self.answers, lists)
        return before is None or not same or before.lists != lists

    def _lists(self) -> tuple[tuple[str, ...], ...]:
        """Return what is in all lists that may change while the agent runs."""
        return tuple(
            tuple(action.values(slot.name, language) or ())
            for action in self._known
            for slot in action.declaration.slots
            if isinstance(slot.kind, Choice) and callable(slot.kind.source)
            for language in ("en", "zh")
        )

    def forget(self) -> None:
        """Note that the engine is a new one, which has been told nothing."""
        self._before = None

    def sayings(self, language: str) -> list[Saying]:
        """Return everything that can be said now in one language."""
        actions = [*self._world.skills.actions.values()]
        said = [saying for action in actions for saying in action.sayings(language)]
        own = controls.sayings(language, self.asking)
        return [*said, *own, *self._digits(language), *self._dialogue.sayings(language)]

    def _digits(self, language: str) -> list[Saying]:
        """Return what a PIN may sound like, while one is asked for."""
        opened = self._world.gate.open
        if opened is None or not opened.pin:
            return []
        return [Saying("own.pin", template, {}) for template in pin.sayings(language)]

    async def sayable(self, ears: EngineThread) -> list[Saying]:
        """Return what can be said in the languages that the engine is to hear.

        Raises EngineError where there has never been an engine.
        """
        wanted = self._world.options.language
        if wanted != "auto":
            return self.sayings(wanted)
        known = await ears.languages()
        return [s for language in ("en", "zh") if language in known for s in self.sayings(language)]
