"""Acting: an intent is run, whatever its skill does, and taken back where its skill says how."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, NoReturn

from agent.act import requirements, speculation
from agent.act.memory import Memories, copied
from agent.act.speculation import Plan
from agent.act.world import World
from agent.display.request import Priority, Ticket
from agent.errors import Refused
from agent.language.said import said_in
from agent.llm import prompts
from agent.llm.model import CancelScope
from agent.messages import Intent, Proposal, Reply
from agent.plugins import offences
from agent.plugins.runner import Outcome
from agent.skill.context import Context
from agent.skill.declare import Action
from agent.turn import Turn, Utterance
from agent.understand.dialogue import Dialogue
from hardware.base import DeviceError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Undo:
    """How what was done last is taken back."""

    skill: str
    """Whose action it was."""
    language: str
    """Language it was asked for in."""
    run: Callable[[], Reply | None]
    """Takes it back."""


class Acting:
    """Runs actions for one agent."""

    def __init__(self, world: World, dialogue: Dialogue) -> None:
        """Get ready; each skill has a folder of its own in the world's."""
        self._world = world
        self._dialogue = dialogue
        self._undo: Undo | None = None
        self.memories = Memories()
        """What skills remember between turns."""

    async def run(
        self, turn: Turn, intent: Intent, utterance: Utterance, planned: Plan | None = None
    ) -> tuple[Turn, Reply]:
        """Run one action; return the turn with what is to be told of it, and the reply."""
        world, language = self._world, intent.language
        turn = replace(turn, intent=intent)
        turn = replace(turn, transcript=replace(turn.transcript, language=language))
        action, limit_s = world.skills.actions.get(intent.name), world.options.action_timeout_s
        if action is None:  # it was disabled, reloaded or removed since it was understood
            self._undo = None
            text = said_in(language)["gone"].format(skill=intent.skill)
            return replace(turn, error=f"{intent.name} is no longer there"), Reply(text)
        if missing := requirements.lacking(action, world.devices):
            self._undo = None
            error = (
                f"{action.name} needs a {requirements.told(missing, 'en')}: these glasses have none"
            )
            what = requirements.told(missing, language)
            text = said_in(language)["lacks"].format(skill=action.skill, what=what)
            return replace(turn, error=error), Reply(text, kind="alert")
        if action.declaration.risk == "change":
            utterance.final()
        elif utterance.reopens:
            self.memories.mark(action.skill)  # the wearer may turn out not to have finished
        outcome = None
        if planned is not None and planned.call == (
            intent,
            action,
            self.memories.age(intent.skill),
        ):
            outcome, ctx = await planned.keep(), planned.ctx
        if outcome is None:
            scope = CancelScope(limit_s)
            ctx = self._context(action, language, scope)
            call = partial(_call, action, intent, ctx)
            self.memories.written(action.skill)
            try:
                outcome = await world.skills.runner.run(action.skill, call, limit_s)
            except asyncio.CancelledError:
                scope.cancel()
                self.memories.leave(action.skill)
                raise
            if outcome.timed_out:
                scope.cancel()  # its thread cannot be ended, but what it calls on can
                self.memories.leave(action.skill)
        else:
            self.memories.become(action.skill, ctx.memory)
        ctx.over = True
        verdict = offences.judge(action, outcome, limit_s, language)
        if outcome.error is not None:
            log.debug("%s failed", action.name, exc_info=outcome.error)
        if verdict.offences:  # one call is one offence, however much was wrong with it
            self._world.skills.offend(action.skill, "; ".join(verdict.offences))
        if ctx.asked_model:
            turn = replace(turn, model=self._world.model.name)
        self._dialogue.acted(intent)
        self._undo = verdict.reply.undo and Undo(action.skill, language, verdict.reply.undo)
        return replace(turn, error=verdict.error), verdict.reply

    def ahead(self, intent: Intent) -> Plan | None:
        """Begin to run an action before its turn has ended, where it has no effect."""
        skills, limit_s = self._world.skills, self._world.options.action_timeout_s
        action = skills.actions.get(intent.name)
        if action is None or action.declaration.risk != "none":
            return None
        if requirements.lacking(action, self._world.devices):
            return None

        def run(ctx: Context) -> asyncio.Task[Outcome]:
            call = partial(_call, action, intent, ctx)
            return asyncio.create_task(skills.runner.run(action.skill, call, limit_s))

        ctx = self._context(action, intent.language, CancelScope(limit_s))
        call = intent, action, self.memories.age(action.skill)
        return speculation.ahead(call, ctx, run)

    async def take_back(self) -> Reply | None:
        """Undo what was done last, where its skill says how; None where there is nothing."""
        undo, self._undo = self._undo, None
        if undo is None or undo.skill not in {a.skill for a in self._world.skills.actions.values()}:
            return None
        limit_s = self._world.options.action_timeout_s
        self.memories.written(undo.skill)
        outcome = await self._world.skills.runner.run(undo.skill, undo.run, limit_s)
        if faults := offences.faults(outcome, f"{undo.skill}'s undo", limit_s):
            self._world.skills.offend(undo.skill, "; ".join(faults))
        said = said_in(undo.language)
        if outcome.error is not None or outcome.timed_out:
            key = "hung" if outcome.timed_out else "failed"
            return Reply(said[key].format(skill=undo.skill), kind="alert")
        return outcome.value if isinstance(outcome.value, Reply) else Reply(said["undone"])

    def own_context(self, skill: str, language: str) -> Context | None:
        """Return what a skill is given outside of a turn; None for a plugin without actions.

        Its memory is a copy: a turn may be writing to it meanwhile.
        """
        actions = [*self._world.skills.actions.values()]
        action = next((a for a in actions if a.skill == skill), None)
        if action is None:
            return None
        ctx = self._context(action, language, CancelScope(0.0))
        permissions = {
            k: v for a in actions if a.skill == skill for k, v in a.declaration.permissions.items()
        }
        memory = copied(ctx.memory)
        return replace(ctx, over=True, permissions=permissions, memory=memory or {})

    def _context(self, action: Action, language: str, scope: CancelScope) -> Context:
        sentences = action.languages.get(language)
        location = self._world.devices.location
        return Context(
            skill=action.skill,
            language=language,
            folder=self._world.folder / action.skill,
            memory=self.memories.of(action.skill),
            responses=sentences.responses if sentences else {},
            permissions=MappingProxyType(action.declaration.permissions),
            engine=self._world.model,
            prompts=lambda *a, **b: prompts.beside(action.function).render(*a, **b),
            speaker=self._world.devices.speaker,
            locate=location.where if location else None,
            devices=self._devices(),
            cancel=scope,
            shows=partial(self._shows, action, language),
            clock=self._world.now,
        )

    def _devices(self) -> Mapping[str, Callable[[], Any]]:
        """Return what gives each device; while power is low the camera gives a reason instead."""
        others = self._world.devices.others
        if self._world.step.listening or "camera" not in others:
            return others
        return {**others, "camera": _resting}

    def _shows(
        self,
        action: Action,
        language: str,
        card: Reply | str,
        key: str,
        stays_s: float | None,
        over: bool,
    ) -> Ticket:
        """Ask for the lens in an action's name."""
        reply, _ = offences.checked(action, card)
        if isinstance(reply, Proposal):
            raise Refused(f"{action.name} showed a proposal: an action can only return one")
        level = Priority.BACKGROUND if over else Priority.FOREGROUND
        return self._world.lens.offer(
            reply,
            Priority.ALERT if reply.kind == "alert" else level,
            owner=action.skill,
            language=language,
            key=key,
            stays_s=stays_s,
        )


def _resting() -> NoReturn:
    raise DeviceError("the camera is off while power is low: charge or swap the batteries")


def _call(action: Action, intent: Intent, ctx: Context) -> Any:
    """Call the action, or return the coroutine that it is."""
    arguments = dict(intent.slots)
    if action.declaration.context is not None:
        arguments[action.declaration.context] = ctx
    return action.function(**arguments)
