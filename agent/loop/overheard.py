"""What is heard and is no command, while a skill wants it: for captions of what others say.

    utterance ─▶ a question open? one of the agent's own words, or of that skill's? ─▶ a turn
                 else ─▶ the skill's `take` ─▶ lens

What others say opens no turn of any skill meanwhile; of a wearer whose voice is known, whole
commands do.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from agent.act.dispatch import Acting
from agent.act.world import World
from agent.language import controls
from agent.loop.expected import Expectations
from agent.messages import CancelScope, Reply, Transcript
from agent.plugins import offences
from agent.skill.context import Overheard
from agent.understand.dialogue import Dialogue

TAKE_S = 8.0
"""Longest a skill may take for an utterance."""
KNOWN = 0.7
"""How probably it is the wearer who speaks, for their commands to count."""


class Overhearing:
    """Overhears for one agent; one skill has it at a time."""

    def __init__(
        self, world: World, acting: Acting, expected: Expectations, dialogue: Dialogue
    ) -> None:
        """Overhear nothing yet."""
        self._world, self._acting = world, acting
        self._expected, self._dialogue = expected, dialogue
        self.by: tuple[str, str, Overheard] | None = None
        """Which skill wants what is heard, in which language, and by what; None while none does."""
        acting.on_overhear = self.begin

    def begin(self, skill: str, language: str, overheard: Overheard) -> None:
        """Give a skill what is heard from now on, or no more."""
        self.by = None if overheard.take is None else (skill, language, overheard)

    def wants(self, transcript: Transcript) -> bool:
        """Whether an utterance is for the skill that overhears, and not a turn."""
        if self.by is None or not transcript.text or self._expected.asking:
            return False
        if controls.control(transcript.text) is not None:
            return False
        meaning = self._dialogue.foresee(transcript)
        if meaning is None or meaning.stage != "templates":
            return True
        known = transcript.wearer is not None and transcript.wearer > KNOWN
        return not (known or meaning.skill == self.by[0])

    async def take(self, transcript: Transcript) -> Reply | None:
        """Hand an utterance over; return what the skill shows of it. None: it overhears no more."""
        if self.by is None:
            return None
        skill, language, overheard = self.by
        ctx = self._acting.own_context(skill, language)
        if ctx is None or overheard.take is None:
            self.by = None
            return None
        ctx = replace(ctx, cancel=CancelScope(TAKE_S))
        memories, skills = self._acting.memories, self._world.skills
        age = memories.age(skill)
        ran = await skills.runner.run(skill, partial(overheard.take, ctx, transcript), TAKE_S)
        faults = [*offences.faults(ran, f"{skill}'s overhearing", TAKE_S)]
        if not faults and (fault := offences.wrong(skills.actions.values(), skill, ran.value)):
            faults.append(fault)
        if faults:
            skills.offend(skill, "; ".join(faults))
        if faults or ran.value is False:
            self.by = None
            return None
        if memories.age(skill) == age and ctx.memory != memories.of(skill):
            memories.become(skill, ctx.memory)
        return ran.value if isinstance(ran.value, Reply) else Reply()
