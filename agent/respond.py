"""Responding: what is done about an utterance, from its words to the answer on the lens.

The order of things is here: a yes or no to an open question first, then what was meant, then the
agent's own words, then a question for the language model. Whatever happens, there is an answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from agent import chat, conduct, controls, dashboard
from agent.acting import Acting
from agent.controls import said_in
from agent.dialogue import Dialogue
from agent.display.request import Priority
from agent.errors import EngineError
from agent.gate import EXPIRES_S
from agent.lens import OWN
from agent.llm.model import CancelScope, NoModel
from agent.messages import Intent, NotRecognized, Proposal, Reply, Transcript
from agent.plan import Plan
from agent.turn import Turn
from agent.understand import yesno
from agent.understand.text import MAX_CHARACTERS

if TYPE_CHECKING:
    from agent.loop import Agent

log = logging.getLogger(__name__)

SURE = 0.6
"""Confidence under which speech moves no money: a yes is not taken for one and the question stays,
and a payment is not even proposed, since speech in clatter can sound like one."""

Clock = Callable[[], float]
"""Gives the time in ms."""


class Responder:
    """Responds for one agent."""

    def __init__(self, agent: Agent, dialogue: Dialogue, acting: Acting) -> None:
        """Get ready."""
        self._agent = agent
        self._dialogue = dialogue
        self._acting = acting
        self.proposed: Intent | None = None
        """The call behind the proposal that was made last, until it is settled."""
        self.committing = False
        """Whether a payment is being made, which nothing may interrupt."""

    async def respond(self, turn: Turn, clock: Clock, plan: Plan | None = None) -> Turn:
        """Find out what was meant and answer it; `plan` is what was got ready for it."""
        try:
            return await self._meant(turn, clock, plan)
        finally:
            self._agent.stale()  # a question may be open now, or no more
            if plan is not None:
                plan.drop()

    async def _meant(self, turn: Turn, clock: Clock, plan: Plan | None) -> Turn:
        self._acting.memories.settle()
        text, language = turn.transcript.text, turn.transcript.language
        self._agent.refresh()
        late = self._agent.gate.expire()
        if self._agent.gate.open is not None or late:
            meant = yesno.answer(text)
            if meant == "yes" and (turn.transcript.confidence < SURE or not self._in_sight()):
                meant = "unclear"
            if meant in ("yes", "no"):
                return await self._settle(turn, meant, clock)
        if isinstance(self._agent.model, NoModel):
            understood = self._dialogue.understand(turn.transcript)
        else:  # it may be asked to choose, and the microphone must not wait for it
            understood = await asyncio.to_thread(self._dialogue.understand, turn.transcript)
        decision, intents = understood.decision, understood.intents
        turn = replace(turn, intent=decision.meaning, verdicts=decision.verdicts)
        turn = replace(turn, timings=replace(turn.timings, intent=clock()))
        if any(self.too_unsure(turn.transcript, intent) for intent in intents):
            reason = NotRecognized("heard too unclearly for a payment")
            return self._again(replace(turn, intent=reason), "", clock)
        if intents:
            self._agent.gate.drop()  # the wearer went on to something else
            if understood.instead:
                await self._acting.take_back()
            return await self.act(turn, intents, clock, plan, understood.left)
        if understood.question is not None and self._agent.gate.open is None:
            return self.answer(
                turn, Reply(self._dialogue.ask(understood.question, language)), clock
            )
        if (control := controls.control(text)) is not None:
            return await self._control(turn, control, clock)
        if understood.declined:
            return self.answer(turn, Reply(said_in(language)["stopped"]), clock)
        if (
            self._agent.gate.open is None
            and chat.is_question(text)
            and not isinstance(self._agent.model, NoModel)
        ):
            return await self._chat(turn, clock)
        return self._again(turn, text, clock)

    async def _chat(self, turn: Turn, clock: Clock) -> Turn:
        """Let the language model answer; its lines are lit as they come."""
        began: list[float] = []

        def show(text: str) -> None:
            if began:  # no faster than the lens can take it
                self._agent.lens.offer(
                    Reply(text), Priority.FOREGROUND, OWN, language, key="stream"
                )
            else:
                self._agent.lens.answer(Reply(text), language, key="stream")
                began.append(clock())

        turn = replace(turn, model=self._agent.model.name)
        words, language = turn.transcript.text, turn.transcript.language
        try:
            said = await chat.answer(self._agent.model, words, language, CancelScope(), show)
        except EngineError as error:
            return self.answer(replace(turn, error=str(error)), Reply(str(error)), clock)
        turn = self.answer(turn, Reply(said), clock)
        first = min([*began, turn.timings.first_glyph or clock()])
        return replace(turn, timings=replace(turn.timings, first_glyph=first))

    def _again(self, turn: Turn, text: str, clock: Clock) -> Turn:
        """Show the open question once more, or what can be said."""
        if self._agent.gate.open is not None:
            return self.answer(turn, self._agent.gate.open.proposal, clock)
        return self.answer(turn, self._unknown(text, turn.transcript.language), clock)

    def _in_sight(self) -> bool:
        """Whether the open question is what is lit; an alert that covers it is taken away."""
        lit = self._agent.lens.lit
        covered = lit is None or lit.priority is not Priority.PROPOSAL
        if covered and self._agent.gate.open is not None:
            self._agent.lens.drop_alert()
            return False
        return True

    def too_unsure(self, transcript: Transcript, intent: Intent) -> bool:
        """Say whether it was heard too badly for a payment."""
        risk = self._agent.skills.actions[intent.name].declaration.risk
        return risk == "money" and transcript.confidence < SURE

    async def _settle(self, turn: Turn, meant: yesno.Answer, clock: Clock) -> Turn:
        """Carry the wearer's yes or no to the gate."""
        said = "zh" if turn.transcript.language == "zh" else "en"
        self._agent.final()
        self.proposed = None
        if meant != "yes":
            return self.answer(turn, self._agent.gate.decline(said), clock)
        await self._agent.senses.keep()  # from now on it is in the ledger or nowhere
        skill = self._agent.gate.open.skill if self._agent.gate.open else ""
        limit_s = self._agent.options.commit_timeout_s
        self.committing = True
        try:
            outcome = await self._agent.skills.runner.run(
                skill, partial(self._agent.gate.confirm, said), limit_s, interrupt=False
            )
        finally:
            self.committing = False
        if outcome.error is not None:  # the gate's own: a ledger that can no longer be written
            log.error("the ledger failed: %s", type(outcome.error).__name__)
            turn = replace(turn, error=f"the ledger failed: {outcome.error}")
        fault = f"took over {limit_s:g} s" if outcome.timed_out else self._agent.gate.fault
        if fault:
            turn = replace(turn, error=f"{skill}'s commit {fault}")
            self._agent.skills.offend(skill, f"{skill}'s commit {fault}")
        return self.answer(turn, outcome.value or self._agent.gate.unanswered(said), clock)

    def _unknown(self, text: str, language: str) -> Reply:
        said = said_in(language)
        if len(text) > MAX_CHARACTERS:
            return Reply(said["too long"].format(limit=MAX_CHARACTERS))
        if chat.is_question(text) and text != "?":
            return Reply(
                said["no model"].format(folder=self._agent.options.models or "GLASSES_MODEL")
            )
        key = "unknown" if text.strip() else "unheard"
        return Reply(said[key].format(can=controls.abilities(self._agent.skills.actions, language)))

    async def act(
        self,
        turn: Turn,
        intents: Sequence[Intent],
        clock: Clock,
        plan: Plan | None = None,
        left: str = "",
    ) -> Turn:
        """Run the actions one after the other; the last one's reply is shown, led by the others'.

        `left` was said beside them and not understood, which is told at the end. Whatever becomes
        of them, there is a reply and the agent lives on.
        """
        led: list[str] = []
        for intent in intents[:-1]:
            turn, reply = await self._acting.run(turn, intent)
            led.append(reply.text.partition("\n")[0] or reply.title)
            turn = replace(turn, before=(*turn.before, intent))
        turn, reply = await self._acting.run(turn, intents[-1], plan)
        if led:
            reply = replace(reply, text="\n".join([*led, reply.text]))
        if left:
            told = said_in(turn.transcript.language)["left"].format(words=left)
            reply = replace(reply, text=f"{reply.text}\n{told}".strip())
        if isinstance(reply, Proposal):
            self._agent.gate.offer(reply, intents[-1].skill, turn.transcript.language)
            self.proposed = intents[-1]
        return self.answer(turn, reply, clock)

    def disabled(self, turn: Turn, name: str) -> Turn:
        """Tell the wearer that the skill that answered this turn is off from now on."""
        said = said_in(turn.transcript.language)
        off = Reply(said["disabled"].format(skill=name, count=conduct.OFFENCES), kind="alert")
        error = f"{turn.error or self._agent.skills.offences[name][-1]}; {name} is disabled"
        shown = self.answer(replace(turn, error=error), off, lambda: 0.0)
        return replace(shown, timings=turn.timings)

    async def _control(self, turn: Turn, control: controls.Control, clock: Clock) -> Turn:
        """Obey one of the agent's own words."""
        self._agent.final()
        said = said_in(turn.transcript.language)
        match control:
            case "more" | "back" | "repeat":
                fault, there = self._agent.lens.turn({"more": 1, "back": -1, "repeat": 0}[control])
                if not there and self._agent.gate.open is not None:  # a question stays in sight
                    fault, there = self._agent.lens.turn(0)
                if there:
                    return self._lit(turn, fault, clock)
                return self.answer(turn, Reply(said["no pages"]), clock, passing=True)
            case "clear":
                self._agent.gate.drop()
                fault = self._agent.lens.blank()
                error = f"the display could not be cleared: {fault}" if fault else turn.error
                return replace(turn, error=error)
            case "stop":
                if self._agent.devices.speaker is not None:
                    self._agent.devices.speaker.stop()
                self._agent.lens.drop_alert()
                return self.answer(turn, Reply(said["stopped"]), clock)
            case "undo":
                taken = await self._acting.take_back()
                return self.answer(turn, taken or Reply(said["no undo"]), clock)
            case "dashboard":
                card = await dashboard.card(self._agent, turn.transcript.language)
                return self.answer(turn, card, clock)
            case "help":
                return self.answer(turn, self._unknown("?", turn.transcript.language), clock)

    def answer(self, turn: Turn, reply: Reply, clock: Clock, passing: bool = False) -> Turn:
        """Light a reply; `passing` lets the one before it come back after it.

        A proposal is open only while it is what the lens shows: any other reply drops it, so that
        a yes can never pay for something out of sight.
        """
        if self._agent.gate.open is not None and reply is not self._agent.gate.open.proposal:
            self._agent.gate.drop()
        if self._agent.gate.open is None:
            self._agent.lens.drop_question()
        turn = replace(turn, reply=reply, timings=replace(turn.timings, reply=clock()))
        stays_ms = EXPIRES_S * 1000 if self._agent.asking else None
        owner = turn.intent.skill if isinstance(turn.intent, Intent) else OWN
        self._agent.spoken = language = turn.transcript.language
        fault, frames, lit = self._agent.lens.answer(reply, language, owner, passing, stays_ms)
        turn = replace(turn, frames=frames)
        return self._lit(turn, fault, clock) if lit or fault is not None else turn

    def _lit(self, turn: Turn, fault: str | None, clock: Clock) -> Turn:
        if fault is not None:
            self._agent.gate.drop()  # what was not shown cannot be agreed to
            return replace(turn, error=turn.error or f"the display refused a frame: {fault}")
        return replace(turn, timings=replace(turn.timings, first_glyph=clock()))
