"""Acting: an action is run, whatever its skill does, and undone where its skill says how.

A device that an action needs and these glasses do not have is told before it runs. Nothing has to
be declared for that: the permissions of a skill name the devices it uses, and the profile of the
lens says what its glasses have. What a skill remembers is kept between turns.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from agent.act import floor, speculation
from agent.act.schedule.planner import Planner
from agent.act.speculation import Plan
from agent.act.world import World
from agent.derive import tools
from agent.display.arbiter import Ticket
from agent.display.request import Priority
from agent.errors import Refused
from agent.language import faults as fault
from agent.language.said import said_in
from agent.messages import CancelScope, Intent, Proposal, Reply, Transcript
from agent.models.llm import prompts
from agent.plugins import offences
from agent.plugins.runner import Ran
from agent.skill.context import Context, Listener, Watch
from agent.skill.declare import Action
from agent.turn import Turn, Utterance
from agent.understand.dialogue import Dialogue
from hardware.base import DeviceError, Devices

log = logging.getLogger(__name__)

LISTS = "notes"
"""The folder of notes and lists, in that of what outlives the agent."""

DEVICES = ("camera", "microphone", "location")
"""Permissions that name a device."""

NAMES = {"zh": {"camera": "相机", "microphone": "麦克风", "location": "定位"}}
"""What they are called; English has the permission's own name."""


class Memories:
    """What skills remember between turns, and the way back when a turn had not really ended.

    One memory for each skill, for as long as the agent runs.
    """

    def __init__(self) -> None:
        """Remember nothing."""
        self._of: dict[str, dict[str, Any]] = {}
        self._runs: Counter[str] = Counter()
        self._before: tuple[str, dict[str, Any]] | None = None

    def of(self, skill: str) -> dict[str, Any]:
        """Return a skill's memory, which may be written to."""
        return self._of.setdefault(skill, {})

    def written(self, skill: str) -> None:
        """Note that a skill runs, or has run, and may have written to its memory."""
        self._runs[skill] += 1

    def age(self, skill: str) -> int:
        """Return a number that changes whenever the skill's memory may have changed."""
        return self._runs[skill]

    def leave(self, skill: str) -> None:
        """Leave a skill's memory to a call that nobody waits for any more, and go on with a copy.

        Its thread cannot be ended, and what it still writes must not replace what later turns
        write.
        """
        memory = copied(self.of(skill))
        if memory is not None:
            self.become(skill, memory)

    def become(self, skill: str, memory: dict[str, Any]) -> None:
        """Replace a skill's memory, for instance by that of a plan that was kept."""
        self._of[skill] = memory
        self.written(skill)

    def mark(self, skill: str) -> None:
        """Keep a copy of a skill's memory, before a turn that may turn out not to have ended."""
        memory = copied(self.of(skill))
        self._before = None if memory is None else (skill, memory)

    def settle(self) -> None:
        """Give up the way back: what follows is another turn."""
        self._before = None

    def take_back(self) -> None:
        """Make it what it was at the mark, if there is one."""
        if self._before is not None:
            skill, self._of[skill] = self._before
            self._before = None
            self.written(skill)


@dataclass(frozen=True, slots=True)
class Undo:
    """How to undo what was done last."""

    skill: str
    """Whose action it was."""
    language: str
    """Language it was asked for in."""
    run: Callable[[], Reply | None]
    """Undoes it."""
    at_s: float
    """When it was done, on the agent's clock."""


class Acting:
    """Runs actions for one agent."""

    def __init__(self, world: World, dialogue: Dialogue) -> None:
        """Get ready; each skill has a folder of its own in the world's."""
        self._world = world
        self._dialogue = dialogue
        self._undo: Undo | None = None
        self.memories = Memories()
        """What skills remember between turns."""
        self.on_watch: Callable[[str, str, Watch], None] = lambda skill, language, watch: None
        """Given what a skill wants to look at from now on, in which language."""

    async def run(
        self, turn: Turn, intent: Intent, utterance: Utterance, planned: Plan | None = None
    ) -> tuple[Turn, Reply]:
        """Run one action; return the turn with what it has to say about it, and the reply."""
        world, language = self._world, intent.language
        turn = replace(turn, intent=intent)
        turn = replace(turn, transcript=replace(turn.transcript, language=language))
        action, limit_s = world.skills.actions.get(intent.name), world.options.action_timeout_s
        if action is None:  # it was disabled, reloaded or removed since it was understood
            self._undo = None
            text = said_in(language)["gone"].format(skill=intent.skill)
            return replace(turn, error=f"{intent.name} is no longer there"), Reply(text)
        if missing := lacking(action, world.devices):
            self._undo = None
            error = f"{action.name} needs a {told(missing, 'en')}: these glasses have none"
            what = told(missing, language)
            text = said_in(language)["lacks"].format(skill=action.called(language), what=what)
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
        if ctx.watching is not None and verdict.error is None:
            self.on_watch(action.skill, language, ctx.watching)
        if ctx.asked_model:
            turn = replace(turn, model=self._world.model.name)
        self._dialogue.acted(intent)
        self._undo = verdict.reply.undo and Undo(
            action.skill, language, verdict.reply.undo, world.uptime()
        )
        return replace(turn, error=verdict.error), verdict.reply

    def ahead(self, intent: Intent) -> Plan | None:
        """Begin to run an action before its turn has ended, where it has no effect."""
        skills, limit_s = self._world.skills, self._world.options.action_timeout_s
        action = skills.actions.get(intent.name)
        if action is None or action.declaration.risk != "none":
            return None
        if lacking(action, self._world.devices):
            return None

        def run(ctx: Context) -> asyncio.Task[Ran]:
            call = partial(_call, action, intent, ctx)
            return asyncio.create_task(skills.runner.run(action.skill, call, limit_s))

        ctx = self._context(action, intent.language, CancelScope(limit_s))
        call = intent, action, self.memories.age(action.skill)
        memory = copied(ctx.memory)
        return None if memory is None else speculation.ahead(call, ctx, memory, run)

    async def take_back(self, within_s: float = math.inf) -> Reply | None:
        """Undo what was done last, where its skill says how; None if there is nothing to undo.

        `within_s` is how long ago it may have been done.
        """
        if self._undo is not None and self._world.uptime() - self._undo.at_s > within_s:
            return None
        undo, self._undo = self._undo, None
        actions = [*self._world.skills.actions.values()]
        action = next((a for a in actions if undo is not None and a.skill == undo.skill), None)
        if undo is None or action is None:
            return None
        called = action.called(undo.language)
        limit_s = self._world.options.action_timeout_s
        self.memories.written(undo.skill)
        outcome = await self._world.skills.runner.run(undo.skill, undo.run, limit_s)
        if isinstance(outcome.error, DeviceError):  # no fault of the skill's
            told = fault.told(outcome.error, undo.language, action.responses(undo.language))
            return Reply(told, title=called, kind="alert")
        if faults := offences.faults(outcome, f"{undo.skill}'s undo", limit_s):
            self._world.skills.offend(undo.skill, "; ".join(faults))
        said = said_in(undo.language)
        if outcome.error is not None or outcome.timed_out:
            key = "hung" if outcome.timed_out else "failed"
            return Reply(said[key].format(skill=called), kind="alert")
        return outcome.value if isinstance(outcome.value, Reply) else Reply(said["undone"])

    def own_context(self, skill: str, language: str) -> Context | None:
        """Return what a skill is given outside of a turn; None for a plugin without actions.

        Its memory is a copy where it can be copied: a turn may be writing to it meanwhile.
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
        ctx = replace(ctx, over=True, permissions=permissions)
        return ctx if memory is None else replace(ctx, memory=memory)

    def _context(self, action: Action, language: str, scope: CancelScope) -> Context:
        location = self._world.devices.location
        return Context(
            skill=action.skill,
            language=language,
            folder=self._world.folder / action.skill,
            memory=self.memories.of(action.skill),
            responses=action.responses(language),
            permissions=MappingProxyType(action.declaration.permissions),
            engine=self._world.model,
            prompts=lambda *a, **b: prompts.beside(action.function).render(*a, **b),
            speaker=self._world.devices.speaker,
            locate=location.where if location else None,
            devices=self._devices(),
            cancel=scope,
            shows=partial(self._shows, action, language),
            kept=self._world.notes,
            written=self._world.folder / LISTS,
            tells=lambda: self._world.tells,
            clock=self._world.now,
            teller=self._world.gate.teller,
            notices=self._world.inbox,
            likeness=partial(_alike, self._world.options.models),
            floor=partial(self._floor, action.skill, language),
            planner=Planner(action.skill, self._world.schedule, self._world.bell, self._means),
        )

    def _floor(self, skill: str, language: str, listener: Listener | None) -> None:
        if listener is None:
            self._world.floor.leave(skill)
        else:
            self._world.floor.give(skill, language, listener)

    def _means(self, words: str, language: str) -> Mapping[str, Any] | None:
        """Return words as the tool call they mean; None where none does. Raises Refused."""
        actions = self._world.skills.actions.now
        meaning = self._dialogue.decide(Transcript(words, language)).meaning
        if not isinstance(meaning, Intent) or meaning.missing or meaning.name not in actions:
            return None
        if actions[meaning.name].declaration.risk == "money":
            raise Refused("a payment is never made later: ask for it then")
        return tools.made(meaning, actions)

    def _devices(self) -> Mapping[str, Callable[[], Any]]:
        """Return what gives each device; while power is low the camera raises, and says why."""
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
        has_floor = self._world.floor.fills(action.skill)
        level = Priority.BACKGROUND if over and not has_floor else Priority.FOREGROUND
        return self._world.lens.offer(
            reply,
            Priority.ALERT if reply.kind == "alert" else level,
            owner=action.skill,
            language=language,
            key=floor.KEY if has_floor else key,
            stays_s=floor.STAYS_S if has_floor else stays_s,
        )


def _alike(models: Path | None, words: str, texts: Sequence[str]) -> list[float]:
    """Compare texts; what reads them is loaded when it is first asked."""
    from agent.understand.likeness import alike

    return alike(words, texts, models)


def _resting() -> NoReturn:
    raise DeviceError("the camera is off while power is low: charge or swap the batteries")


def _call(action: Action, intent: Intent, ctx: Context) -> Any:
    """Call the action, or return the coroutine that it is."""
    arguments = dict(intent.slots)
    if action.declaration.context is not None:
        arguments[action.declaration.context] = ctx
    return action.function(**arguments)


# -- what an action needs -------------------------------------------------------------------------


def lacking(action: Action, devices: Devices) -> tuple[str, ...]:
    """Return the devices an action needs that neither the glasses nor a plugin have."""
    there = {*devices.display.profile.has, *devices.others}
    if devices.location is not None:
        there.add("location")
    needed = action.declaration.permissions
    return tuple(kind for kind in DEVICES if kind in needed and kind not in there)


def told(missing: Iterable[str], language: str) -> str:
    """Return missing devices in words."""
    names = NAMES.get(language, {})
    *most, last = (names.get(kind, kind) for kind in missing)
    both, between = ("和", "、") if language == "zh" else (" and ", ", ")
    return both.join(filter(None, [between.join(most), last]))


def warnings(actions: Iterable[Action], devices: Devices) -> Iterator[str]:
    """Yield a line for each skill with actions that cannot work on these glasses."""
    by_skill: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for action in actions:
        if missing := lacking(action, devices):
            by_skill.setdefault((action.skill, missing), []).append(action.name)
    for (skill, missing), names in by_skill.items():
        what = told(missing, "en")
        yield (
            f"{skill} needs a {what}, and {devices.display.profile.name} has none:"
            f" {', '.join(names)} will not work"
        )


def copied(memory: dict[str, Any]) -> dict[str, Any] | None:
    """Return a deep copy; None if a skill keeps something that cannot be copied."""
    try:
        return copy.deepcopy(memory)
    except Exception:  # the plugin boundary: objects there may define how they are copied
        return None
