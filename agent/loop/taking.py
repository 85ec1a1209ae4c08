"""What is said goes to the skill that has the floor, and is no command.

    utterance ─▶ a question open? one of the agent's own words, or of that skill's? ─▶ a turn
                 else ─▶ its listener ─▶ lens

What is said opens no turn of any other skill meanwhile. Beside a listener that allows it, as
captions do, all of the agent's own words are obeyed, and whole commands of a wearer whose voice is
known.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from agent.act.dispatch import Acting
from agent.act.world import World
from agent.language import controls
from agent.language.said import said_in
from agent.loop.expected import Expectations
from agent.messages import CancelScope, Reply, Transcript
from agent.plugins import offences
from agent.understand.dialogue import Dialogue

TAKE_S = 8.0
"""Longest a skill may take for an utterance."""
KNOWN = 0.7
"""How probably it is the wearer who speaks, for their commands to count."""


class Taking:
    """Hands over what is said, for one agent."""

    def __init__(
        self, world: World, acting: Acting, expected: Expectations, dialogue: Dialogue
    ) -> None:
        """Have handed over nothing yet."""
        self._world, self._acting = world, acting
        self._expected, self._dialogue = expected, dialogue
        self.keeping = False
        """Whether something is being kept just now, which is not broken off."""

    def wants(self, said: Transcript) -> bool:
        """Whether an utterance is for the skill that has the floor, and not a turn."""
        held = self._world.floor.held
        if held is None or self._expected.asking:
            return False
        control = controls.control(said.text)
        if control in controls.ENDS or (held.listener.beside and control is not None):
            return False
        meaning = self._dialogue.foresee(said) if said.text else None
        if meaning is None or meaning.stage != "templates":
            return True
        wearers = said.wearer is not None and said.wearer > KNOWN
        return meaning.skill != held.skill and not (held.listener.beside and wearers)

    async def take(self, said: Transcript, continues: bool) -> Reply | None:
        """Hand an utterance over, and return what there is to show of it."""
        held, floor = self._world.floor.held, self._world.floor
        if held is None or not said.text or not held.listener.by_words:
            return None
        ctx = self._acting.own_context(held.skill, held.language)
        if ctx is None:
            floor.leave(held.skill)
            return None
        ctx = replace(ctx, cancel=CancelScope(TAKE_S))
        memories, skills = self._acting.memories, self._world.skills
        age, self.keeping = memories.age(held.skill), held.listener.kept
        call = partial(held.listener.heard, ctx, said, continues)
        try:
            ran = await skills.runner.run(held.skill, call, TAKE_S)
        finally:
            self.keeping = False
        faults = [*offences.faults(ran, f"{held.skill}'s listener", TAKE_S)]
        if not faults and (fault := offences.wrong(skills.actions.values(), held.skill, ran.value)):
            faults.append(fault)
        if (faults or ran.value is False) and floor.held is held:
            floor.leave()
        if faults:
            skills.offend(held.skill, "; ".join(faults))
            deaf = said_in(held.language)["deaf"].format(skill=held.skill)
            return Reply(deaf, kind="alert")
        if memories.age(held.skill) == age and ctx.memory != memories.of(held.skill):
            memories.become(held.skill, ctx.memory)
        return ran.value if isinstance(ran.value, Reply) else None
