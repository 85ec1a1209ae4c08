"""Acting: an intent is run, whatever its skill does, and taken back where its skill says how."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from agent import conduct, needs, plan, prompts
from agent.context import Context
from agent.controls import said_in
from agent.dialogue import Dialogue
from agent.display.request import Priority, Ticket
from agent.errors import Refused
from agent.llm.model import CancelScope
from agent.memory import Memories
from agent.messages import Intent, Proposal, Reply
from agent.plan import Plan
from agent.runner import Outcome
from agent.skill import Action
from agent.turn import Turn
from hardware.base import DeviceError

if TYPE_CHECKING:
    from agent.loop import Agent

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

    def __init__(self, agent: Agent, dialogue: Dialogue, folder: Path) -> None:
        """Get ready; each skill has a folder of its own in `folder`."""
        self._agent = agent
        self._dialogue = dialogue
        self._folder = folder
        self._undo: Undo | None = None
        self.memories = Memories()
        """What skills remember between turns."""

    async def run(
        self, turn: Turn, intent: Intent, planned: Plan | None = None
    ) -> tuple[Turn, Reply]:
        """Run one action; return the turn with what is to be told of it, and the reply."""
        action = self._agent.skills.actions[intent.name]
        turn = replace(turn, intent=intent)
        turn = replace(turn, transcript=replace(turn.transcript, language=intent.language))
        language, limit_s = intent.language, self._agent.options.action_timeout_s
        if missing := needs.lacking(action, self._agent.devices):
            self._undo = None
            error = (
                f"{action.name} needs a {needs.told(missing, 'en')}, which these glasses have not"
            )
            what = needs.told(missing, language)
            text = said_in(language)["lacks"].format(skill=action.skill, what=what)
            return replace(turn, error=error), Reply(text, kind="alert")
        if action.declaration.risk == "change":
            self._agent.final()
        elif self._agent.reopens:
            self.memories.mark(action.skill)  # the wearer may turn out not to have finished
        outcome = None
        if planned is not None and planned.intent == intent and planned.ctx.language == language:
            outcome, ctx = await planned.keep(), planned.ctx
        if outcome is None:
            scope = CancelScope(limit_s)
            ctx = self._context(action, language, scope)
            call = partial(_call, action, intent, ctx)
            try:
                outcome = await self._agent.skills.runner.run(action.skill, call, limit_s)
            except asyncio.CancelledError:
                scope.cancel()
                raise
            if outcome.timed_out:
                scope.cancel()  # its thread cannot be ended, but what it calls on can
        else:
            self.memories.become(action.skill, ctx.memory)
        ctx.over = True
        verdict = conduct.judge(action, outcome, limit_s, said_in(language))
        if outcome.error is not None:
            log.debug("%s failed", action.name, exc_info=outcome.error)
        if verdict.offences:  # one call is one offence, however much was wrong with it
            self._agent.skills.offend(action.skill, "; ".join(verdict.offences))
        if ctx.asked_model:
            turn = replace(turn, model=self._agent.model.name)
        self._dialogue.acted(intent)
        self._undo = verdict.reply.undo and Undo(action.skill, language, verdict.reply.undo)
        return replace(turn, error=verdict.error), verdict.reply

    def ahead(self, intent: Intent) -> Plan | None:
        """Begin to run an action before its turn has ended, where it has no effect."""
        skills, limit_s = self._agent.skills, self._agent.options.action_timeout_s
        action = skills.actions[intent.name]
        if action.declaration.risk != "none" or needs.lacking(action, self._agent.devices):
            return None

        def run(ctx: Context) -> asyncio.Task[Outcome]:
            call = partial(_call, action, intent, ctx)
            return asyncio.create_task(skills.runner.run(action.skill, call, limit_s))

        ctx = self._context(action, intent.language, CancelScope(limit_s))
        return plan.ahead(intent, ctx, run)

    async def take_back(self) -> Reply | None:
        """Undo what was done last, where its skill says how; None where there is nothing."""
        undo, self._undo = self._undo, None
        if undo is None or undo.skill not in {a.skill for a in self._agent.skills.actions.values()}:
            return None
        limit_s = self._agent.options.action_timeout_s
        outcome = await self._agent.skills.runner.run(undo.skill, undo.run, limit_s)
        if faults := conduct.faults(outcome, f"{undo.skill}'s undo", limit_s):
            self._agent.skills.offend(undo.skill, "; ".join(faults))
        said = said_in(undo.language)
        if outcome.error is not None or outcome.timed_out:
            key = "hung" if outcome.timed_out else "failed"
            return Reply(said[key].format(skill=undo.skill), kind="alert")
        return outcome.value if isinstance(outcome.value, Reply) else Reply(said["undone"])

    def own_context(self, skill: str, language: str) -> Context | None:
        """Return what a skill is given outside of a turn; None for a plugin without actions."""
        actions = self._agent.skills.actions.values()
        action = next((a for a in actions if a.skill == skill), None)
        if action is None:
            return None
        ctx = self._context(action, language, CancelScope(0.0))
        permissions = {
            k: v for a in actions if a.skill == skill for k, v in a.declaration.permissions.items()
        }
        return replace(ctx, over=True, permissions=permissions)

    def _context(self, action: Action, language: str, scope: CancelScope) -> Context:
        sentences = action.languages.get(language)
        location = self._agent.devices.location
        return Context(
            skill=action.skill,
            language=language,
            folder=self._folder / action.skill,
            memory=self.memories.of(action.skill),
            responses=sentences.responses if sentences else {},
            permissions=MappingProxyType(action.declaration.permissions),
            engine=self._agent.model,
            prompts=prompts.beside(action.function).render,
            speaker=self._agent.devices.speaker,
            locate=location.where if location else None,
            devices=self._devices(),
            cancel=scope,
            shows=partial(self._shows, action, language),
            clock=self._agent.now,
        )

    def _devices(self) -> Mapping[str, Callable[[], Any]]:
        """Return what gives each device; while power is low the camera gives a reason instead."""
        others = self._agent.devices.others
        if self._agent.senses.step.listening or "camera" not in others:
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
        reply, _ = conduct.checked(action, card)
        if isinstance(reply, Proposal):
            raise Refused(f"{action.name} showed a proposal: an action can only return one")
        level = Priority.BACKGROUND if over else Priority.FOREGROUND
        return self._agent.lens.offer(
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
