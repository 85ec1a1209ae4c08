"""Responding: what is done about an utterance, from its words to the answer on the lens.

The order of things is here: a yes or no to an open question first, then what was meant, then the
agent's own words, then a question for the language model. Each says what is to be shown, and `show`
lights it. Whatever happens, there is an answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from agent.act import chat, dashboard, floor, grounds, pin
from agent.act.dispatch import Acting
from agent.act.gate import EXPIRES_S, Open
from agent.act.schedule.bell import SNOOZE_MIN
from agent.act.speculation import Plan
from agent.act.wording import SAID
from agent.act.world import World
from agent.derive import page
from agent.display.lens import OWN
from agent.display.request import Priority
from agent.errors import EngineError, GlassesError
from agent.language import controls, faults
from agent.language.courtesy import courtesy
from agent.language.said import said_in
from agent.language.text import (
    MAX_CHARACTERS,
    is_question,
    joins,
    of_oneself,
    of_whom,
    refers_back,
)
from agent.loop import aloud
from agent.loop.expected import Expectations
from agent.loop.resume import Keeper
from agent.messages import Intent, NotRecognized, Proposal, Reply, Transcript, Verdict
from agent.models.llm.model import Message, NoModel
from agent.plugins import offences
from agent.skill.data import DataError
from agent.turn import Clock, Turn, Utterance
from agent.understand.dialogue import Act, Ask, Declined, Dialogue, Obey

if TYPE_CHECKING:
    from agent.understand.knowledge import Needs
    from agent.understand.plan import Planner

log = logging.getLogger(__name__)

SURE = 0.6
"""Confidence under which a spoken yes is not taken for one, and the question stays."""
SURE_OF_MONEY = 0.75
"""Confidence under which a payment is not even proposed: clatter and the speech of others can sound
like one. Of twelve payments by four flite voices ten were heard with 0.84 and more, the other two
with under 0.6."""
SURE_OF_WEARER = 0.7
"""Probability that it is the enrolled voice under which speech pays nothing and does nothing that
is private. What that costs, and whom it keeps out, is measured by tests/bench/voices.py."""
LIKELY_WEARER = 0.5
"""Probability that a spoken yes to a payment has to exceed: half a second of speech tells less, and
what it agrees to was asked for with more."""

JUST_S = 60.0
"""How long ago what a “cancel” takes back may have been done, where nothing runs that it ends."""

SOMEONE_ELSE = "it may have been somebody else's voice"
"""Why it was not done, for people who debug."""


@dataclass(frozen=True, slots=True)
class Page:
    """Another page of what is lit."""

    step: int
    """How many pages further; 0 shows the same one again."""


@dataclass(frozen=True, slots=True)
class Blank:
    """Nothing."""


Shown = Reply | Page | Blank
"""What an utterance leads to on the lens."""


class Responder:
    """Responds for one agent, to one utterance at a time: `agent.loop.turns` sees to that."""

    def __init__(
        self,
        world: World,
        dialogue: Dialogue,
        acting: Acting,
        expected: Expectations,
        keeper: Keeper,
        planner: Planner | None = None,
    ) -> None:
        """Get ready; without a planner, one utterance is one command or some that are foreseen."""
        self._planner = planner
        self._world = world
        self._dialogue = dialogue
        self._acting = acting
        self._expected = expected
        self._keeper = keeper
        self._talking = False  # whether the last answer was the model's
        self._answer: chat.Answer | None = None  # the model's that is coming now
        self._settles = False  # whether the answer is about a payment that was open
        self.committing = False
        """Whether a payment is being made, which nothing may interrupt."""

    def begin(self, transcript: Transcript) -> chat.Answer | None:
        """Put a question to the model before its turn has ended, where it can know the answer."""
        world, text = self._world, transcript.text
        asks = is_question(text) and len(text) <= MAX_CHARACTERS and courtesy(text) is None
        if not asks or self._expected.asking or isinstance(world.model, NoModel):
            return None
        try:
            needs = self._dialogue.needs(transcript, NotRecognized())
            if not self._knowable(transcript, needs) or self._recalled(transcript, needs):
                return None
        except GlassesError:
            return None
        return chat.Answer(world.model, self._messages(transcript), text)

    def _knowable(self, transcript: Transcript, needs: Needs) -> bool:
        """Whether a question may be put to the model, perhaps for what was just said there."""
        fresh = self._world.talk.fresh(_now_s(), transcript.language)
        if not self._talking or not fresh:
            return needs.nothing and not of_whom(transcript.text)
        return needs.nothing or (needs.follows and refers_back(transcript.text))

    def _recalled(self, transcript: Transcript, needs: Needs) -> Intent | None:
        """Return the call that finds what the wearer had remembered, where a question is of that.

        Raises DataError.
        """
        world, text, what = self._world, transcript.text, "personal"
        plainly = needs.what == what and not needs.nothing
        if needs.nothing and not of_oneself(text):
            return None
        if not world.notes.near(text, loosely=plainly):
            return None
        return grounds.taken(world.skills.actions.values(), what, transcript.language, text)

    def _messages(self, transcript: Transcript) -> tuple[Message, ...]:
        """Return a question as the model is asked it. Raises DataError."""
        world, text = self._world, transcript.text
        notes = world.notes.near(text) if world.tells else ()
        known = [note.text for note in notes]
        return chat.asked(world.talk, text, transcript.language, _now_s(), known)

    async def respond(
        self, turn: Turn, utterance: Utterance, plan: Plan | chat.Answer | None = None
    ) -> Turn:
        """Find out what was meant and answer it; `plan` is what was prepared for it."""
        opened = self._world.gate.open
        self._settles = opened is not None and not opened.proposal.asks
        try:
            turn, shown = await self._meant(turn, utterance, plan)
        finally:
            if plan is not None:
                plan.drop()
        return self.show(turn, shown, utterance.clock)

    async def act(self, turn: Turn, intents: Sequence[Intent], utterance: Utterance) -> Turn:
        """Do what was meant, and answer."""
        self._world.gate.drop()  # the wearer went on to something else
        turn, reply = await self._acted(turn, intents, utterance)
        return self.show(turn, reply, utterance.clock)

    # -- what was meant -------------------------------------------------------------------------

    async def _meant(
        self, turn: Turn, utterance: Utterance, plan: Plan | chat.Answer | None
    ) -> tuple[Turn, Shown]:
        world, gate = self._world, self._world.gate
        text, language, own = turn.transcript.text, turn.transcript.language, utterance.own
        self._expected.refresh()
        if gate.open is not None:
            gate.expire()
        if gate.open is not None and gate.open.pin and (digits := pin.digits(text)):
            return await self._unlocked(turn, utterance, digits)
        if own is not None and (gate.open is not None or utterance.seen is not None):
            if own.answer == "yes" and turn.transcript.confidence >= SURE and self._in_sight():
                if someone_else(turn.transcript, LIKELY_WEARER):
                    return replace(turn, intent=NotRecognized(SOMEONE_ELSE)), self._not_you(turn)
                return await self._agreed(turn, utterance)
            if own.answer == "no":
                return await self._refused(turn, utterance)
        if isinstance(world.model, NoModel):
            decision = self._dialogue.decide(turn.transcript)
        else:  # it may be asked to choose, and the microphone must not wait for it
            decision = await asyncio.to_thread(self._dialogue.decide, turn.transcript)
        understood = self._dialogue.understand(turn.transcript, own, decision)
        if own is None and (made := await self._planned(turn.transcript, understood.meant)):
            turn = replace(turn, timings=replace(turn.timings, intent=utterance.clock()))
            return await self._act(turn, utterance, made)
        decision = understood.decision
        turn = replace(turn, intent=decision.meaning, verdicts=decision.verdicts)
        turn = replace(turn, timings=replace(turn.timings, intent=utterance.clock()))
        match understood.meant:
            case Act(intents, instead, left):
                ahead = plan if isinstance(plan, Plan) else None
                return await self._act(turn, utterance, intents, ahead, instead, left)
            case Ask(question) if gate.open is None:
                return turn, Reply(self._dialogue.ask(question, language))
            case Obey("more") if gate.open is None:
                utterance.final()
                return await self._more(turn, utterance.clock)
            case Obey(control):
                return turn, await self._obeyed(turn, control, utterance)
            case Declined():
                return turn, Reply(said_in(language)["stopped"])
        asks = is_question(text) and len(text) <= MAX_CHARACTERS and courtesy(text) is None
        if gate.open is None and asks:
            begun = plan if isinstance(plan, chat.Answer) else None
            return await self._asked(turn, utterance, decision.meaning, begun)
        return turn, self._again(text, language)

    async def _planned(self, transcript: Transcript, meant: object) -> tuple[Intent, ...]:
        """Return a plan for a request of several parts, which nothing else has read whole."""
        if self._world.gate.open is not None or self._planner is None:
            return ()
        if isinstance(meant, Act) and len(meant.intents) > 1:
            return ()  # each of its parts was foreseen
        if not joins(transcript.text) or len(self._planner.parts(transcript)) < 2:
            return ()
        return await asyncio.to_thread(self._planner.plan, transcript)

    async def _act(
        self,
        turn: Turn,
        utterance: Utterance,
        intents: Sequence[Intent],
        plan: Plan | None = None,
        instead: bool = False,
        left: str = "",
    ) -> tuple[Turn, Shown]:
        if any(self.too_unsure(turn.transcript, intent) for intent in intents):
            reason = NotRecognized("heard too unclearly for a payment")
            return replace(turn, intent=reason), self._again("", turn.transcript.language)
        if any(self.not_theirs(turn.transcript, intent) for intent in intents):
            return replace(turn, intent=NotRecognized(SOMEONE_ELSE)), self._not_you(turn)
        if self._world.gate.open is not None:
            self._world.gate.drop()  # the wearer went on to something else
        if instead:
            await self._acting.take_back()
        return await self._acted(turn, intents, utterance, plan, left)

    async def _refused(self, turn: Turn, utterance: Utterance) -> tuple[Turn, Shown]:
        """Take a no, or what it puts in the place of what was proposed: "no, tom"."""
        opened = self._world.gate.open
        if opened is not None and turn.transcript.text:
            changed = self._dialogue.corrected(opened.intent, turn.transcript)
            if changed is not None and not self.unwarranted(turn.transcript, changed):
                return await self._act(turn, utterance, (changed,))
        return turn, self.declined(turn, utterance)

    async def _agreed(self, turn: Turn, utterance: Utterance) -> tuple[Turn, Shown]:
        """Carry the wearer's yes to the gate: to the proposal that they saw, or to none."""
        gate, said = self._world.gate, _gate_language(turn.transcript.language)
        utterance.final()
        if utterance.seen is None:  # it was said before the question could be read
            return turn, self._again("", turn.transcript.language)
        if not self._world.step.listening:  # it may go any moment
            reason = SAID[said]["failed"].format(reason=SAID[said]["flat"])
            return turn, Reply(reason, kind="alert")
        if (asked := gate.ask(utterance.seen, said)) is not None:
            return turn, asked
        accepted = gate.accept(utterance.seen)
        if accepted is None and gate.open is not None:
            return turn, gate.open.proposal  # it was a yes to another one
        if accepted is None:
            return turn, gate.became(utterance.seen, said)
        self.committing = not accepted.proposal.asks
        try:
            return await self._commit(turn, accepted, said)
        finally:
            self.committing = False

    async def _unlocked(self, turn: Turn, utterance: Utterance, digits: str) -> tuple[Turn, Shown]:
        """Take the PIN, which is nowhere written down, and pay where it is right."""
        gate, said = self._world.gate, _gate_language(turn.transcript.language)
        turn = replace(turn, transcript=replace(turn.transcript, text=pin.HIDDEN))
        opened = gate.open
        utterance.final()
        if opened is None or utterance.seen != opened.key:
            return turn, self._again("", turn.transcript.language)
        if someone_else(turn.transcript, LIKELY_WEARER):
            return replace(turn, intent=NotRecognized(SOMEONE_ELSE)), self._not_you(turn)
        wrong = await asyncio.to_thread(gate.unlock, digits, said)
        if wrong is not None:
            return turn, wrong
        return await self._agreed(turn, utterance)

    async def _commit(self, turn: Turn, accepted: Open, said: str) -> tuple[Turn, Reply]:
        world, gate, skill = self._world, self._world.gate, accepted.skill
        limit_s = world.options.commit_timeout_s
        await self._keeper.keep()  # from now on it is in the ledger or nowhere
        outcome = await world.skills.runner.run(
            skill, partial(gate.commit, accepted, said), limit_s, interrupt=False
        )
        if outcome.error is not None:  # the gate's own: a ledger that can no longer be written
            log.error("the ledger failed: %s", type(outcome.error).__name__)
            turn = replace(turn, error=f"the ledger failed: {outcome.error}")
        fault = f"took over {limit_s:g} s" if outcome.timed_out else gate.fault
        if fault:
            turn = replace(turn, error=f"{skill}'s commit {fault}")
            world.skills.offend(skill, f"{skill}'s commit {fault}")
        return turn, outcome.value or gate.unanswered(said)

    def declined(self, turn: Turn, utterance: Utterance) -> Reply:
        """Take the wearer's no to whatever is open; at once, since a no can do no harm."""
        gate, said = self._world.gate, _gate_language(turn.transcript.language)
        utterance.final()
        if gate.open is None and utterance.seen is not None:
            return gate.became(utterance.seen, said)
        return gate.decline(said)

    def too_late(self, turn: Turn) -> Reply:
        """Say that a payment is being made, which no word can stop."""
        return Reply(SAID[_gate_language(turn.transcript.language)]["committing"], kind="alert")

    def _in_sight(self) -> bool:
        """Whether the open question is what is lit; an alert that covers it is taken away."""
        lens, gate = self._world.lens, self._world.gate
        covered = lens.lit is None or lens.lit.priority is not Priority.PROPOSAL
        if covered and gate.open is not None:
            lens.drop_alert()
            return False
        return True

    def too_unsure(self, transcript: Transcript, intent: Intent) -> bool:
        """Say whether it was heard too badly for a payment."""
        action = self._world.skills.actions.get(intent.name)
        money = action is not None and action.declaration.risk == "money"
        return money and transcript.confidence < SURE_OF_MONEY

    def not_theirs(self, transcript: Transcript, intent: Intent) -> bool:
        """Say whether it is the wearer's alone to ask for, and somebody else may have spoken."""
        action = self._world.skills.actions.get(intent.name)
        money = action is not None and action.declaration.risk == "money"
        private = {intent.name, intent.skill} & self._world.options.private
        return bool(money or private) and someone_else(transcript)

    def unwarranted(self, transcript: Transcript, intent: Intent) -> bool:
        """Say whether it was heard too badly, or from too strange a voice, to be done."""
        return self.too_unsure(transcript, intent) or self.not_theirs(transcript, intent)

    def _not_you(self, turn: Turn) -> Reply:
        """Say that it did not sound like the wearer; an open question stays, and says so too."""
        line = said_in(turn.transcript.language)["not you"]
        return Reply(line) if self._world.gate.open is None else self._world.gate.tell(line)

    def _again(self, text: str, language: str) -> Reply:
        """Show the open question once more, or what can be said."""
        gate = self._world.gate
        return gate.open.proposal if gate.open is not None else self._unknown(text, language)

    def _unknown(self, text: str, language: str) -> Reply:
        said = said_in(language)
        if len(text) > MAX_CHARACTERS:
            return Reply(said["too long"].format(limit=MAX_CHARACTERS))
        if is_question(text) and text != "?" and courtesy(text) is None:
            return Reply(said["no model"])
        key = courtesy(text) or ("unknown" if text.strip() else "unheard")
        return Reply(said[key])

    # -- what is done ---------------------------------------------------------------------------

    async def _acted(
        self,
        turn: Turn,
        intents: Sequence[Intent],
        utterance: Utterance,
        plan: Plan | None = None,
        left: str = "",
    ) -> tuple[Turn, Reply]:
        """Run the actions one after the other; the last one's reply is led by the others'.

        `left` was said beside them and not understood, which is told at the end. Whatever becomes
        of them, there is a reply and the agent lives on.
        """
        self._talking = False
        led: list[str] = []
        for intent in intents[:-1]:
            turn, reply = await self._acting.run(turn, intent, utterance)
            led.append(reply.text.partition("\n")[0] or reply.title)
            language = turn.transcript.language
            if not isinstance(reply, Proposal):  # what is done is shown as it is done
                self._world.lens.light(Reply("\n".join(led)), language, key="steps")
            turn = replace(turn, before=(*turn.before, intent))
        turn, reply = await self._acting.run(turn, intents[-1], utterance, plan)
        if led:
            reply = replace(reply, text="\n".join([*led, reply.text]))
        if left:
            told = said_in(turn.transcript.language)["left"].format(words=left)
            reply = replace(reply, text=f"{reply.text}\n{told}".strip())
        if isinstance(reply, Proposal):
            reply = await self._offered(reply, intents[-1], turn.transcript.language)
        return turn, reply

    async def _offered(self, proposal: Proposal, intent: Intent, language: str) -> Reply:
        """Open a proposal, or say why it is not even asked about."""
        gate = self._world.gate
        asked = await asyncio.to_thread(gate.look, proposal, intent.skill, _gate_language(language))
        return asked if isinstance(asked, Reply) else gate.offer(proposal, intent, language, asked)

    async def _asked(
        self,
        turn: Turn,
        utterance: Utterance,
        meaning: Intent | NotRecognized,
        begun: chat.Answer | None,
    ) -> tuple[Turn, Reply]:
        """Answer a question that no skill's sentence foresaw: by who knows, or not at all.

        The language model is asked only what it can know; perhaps its answer has `begun` already.
        """
        world, transcript = self._world, turn.transcript
        actions, language = world.skills.actions.values(), transcript.language
        try:
            needs = self._dialogue.needs(transcript, meaning)
        except EngineError as error:
            return replace(turn, error=str(error)), Reply(faults.told(error, language))
        told = f"a model can know: {needs.none:.0%}"
        verdict = Verdict("knowledge", needs.what, needs.p, told)
        turn = replace(turn, verdicts=(*turn.verdicts, verdict))
        try:
            if (intent := self._recalled(transcript, needs)) is not None:
                return await self._acted(turn, [intent], utterance)
            messages = self._messages(transcript)
        except DataError as error:
            return replace(turn, error=str(error)), Reply(
                faults.told(error, language), kind="alert"
            )
        if self._knowable(transcript, needs):
            if isinstance(world.model, NoModel):
                return turn, self._again(transcript.text, language)
            same = begun is not None and begun.messages == messages
            answer = (
                begun if begun and same else chat.Answer(world.model, messages, transcript.text)
            )
            return await self._chatted(turn, answer, utterance.clock)
        likely = needs.p * (1 - needs.none) >= grounds.SURE
        if likely and (intent := grounds.taken(actions, needs.what, language)) is not None:
            return await self._acted(turn, [intent], utterance)
        self._talking = False
        return turn, grounds.honest(actions, needs.what, needs.p, language)

    async def _chatted(
        self, turn: Turn, answer: chat.Answer, clock: Clock, after: str = ""
    ) -> tuple[Turn, Reply]:
        """Let the language model answer; its words are lit as they come.

        `after` is what it had answered before, where it goes on.
        """
        lens, talk = self._world.lens, self._world.talk
        language = turn.transcript.language
        began: list[float] = []

        def show(text: str) -> None:
            reply = Reply(text, partial=True)
            self._world.mouth.say(text, language, more=True)
            if not lens.fits(reply, language):
                return  # pages are even: what is being read would move
            if began:  # no faster than the lens can take it
                lens.offer(reply, Priority.FOREGROUND, OWN, language, key="stream")
            else:
                lens.light(reply, language, key="stream")
                began.append(clock())

        turn = replace(turn, model=answer.model.name)
        self._answer = answer
        try:
            said = await answer.keep(show)
        except EngineError as error:
            return replace(turn, error=str(error)), Reply(faults.told(error, language))
        finally:
            self._answer = None
        if not said:  # it gave way before its first word
            return turn, Reply(said_in(language)["gave way" if answer.cut else "no answer"])
        whole = after + answer.text
        self._talking = True
        talk.add(chat.Exchange(answer.question, whole, language, _now_s(), answer.whole))
        first = began[0] if began else None
        return replace(turn, timings=replace(turn.timings, first_glyph=first)), Reply(said)

    def give_way(self) -> None:
        """End an answer of the model's that is still coming, within a token."""
        if self._answer is not None:
            self._answer.give_way()

    def hold(self, still: bool) -> None:
        """Let such an answer wait while somebody speaks, or go on."""
        if self._answer is not None:
            self._answer.hold(still)

    async def _more(self, turn: Turn, clock: Clock) -> tuple[Turn, Shown]:
        """Show the next page; where there is none, an answer that was cut goes on."""
        world = self._world
        cut = world.talk.unfinished(_now_s())
        if cut is None or not self._talking or world.lens.more or isinstance(world.model, NoModel):
            return turn, Page(1)
        answer = chat.Answer(world.model, chat.going_on(world.talk, cut), cut.question)
        turn = replace(turn, transcript=replace(turn.transcript, language=cut.language))
        return await self._chatted(turn, answer, clock, cut.answer)

    async def _obeyed(self, turn: Turn, control: controls.Control, utterance: Utterance) -> Shown:
        """Obey one of the agent's own words."""
        world, language = self._world, turn.transcript.language
        utterance.final()
        said = said_in(language)
        match control:
            case "more":
                return Page(1)
            case "back":
                return Page(-1)
            case "repeat":
                return Page(0)
            case "clear":
                world.talk.forget()
                return Blank()
            case "stop" | "quiet":
                ended = control == "quiet" and world.mouth.mode != "off"
                back = controls.CANCELS.search(turn.transcript.text.lower())
                ran = self.hush(control)
                taken = back and not ran  # nothing runs: what was just done is meant
                undone = await self._acting.take_back(JUST_S) if taken else None
                if undone is not None:
                    return undone
                return Reply(said["quiet" if ended else "stopped"], speech="")
            case "aloud":
                if not world.mouth.there:
                    return Reply(said["no voice"])
                world.mouth.mode = "on"
                return Reply(said["aloud"])
            case "snooze":
                rang = self._rang(world.bell.snooze)
                return Reply(said["snoozed" if rang else "silent"].format(minutes=SNOOZE_MIN))
            case "battery":
                charge = dashboard.charge(world.devices.battery)
                return Reply(said["charge" if charge else "no charge"].format(charge=charge))
            case "brighter" | "dimmer":
                wish = world.lens.wish(1 if control == "brighter" else -1)
                return Reply(said["lit"].format(percent=round(wish * 100)))
            case "undo":
                return await self._acting.take_back() or Reply(said["no undo"])
            case "dashboard":
                return await dashboard.card(world, self._acting.own_context, language)
            case "help":
                can = page.abilities(world.skills.actions, language)
                return Reply(said["can"].format(can=can))

    def hush(self, control: controls.Control | None = "stop") -> bool:
        """End what rings, or else what sounds, and take an alert away; “be quiet” is for good.

        Return whether there was something to end.
        """
        self._world.mouth.hush(resume=False)
        if control == "quiet":
            self._world.mouth.mode = "off"
        if self._rang(self._world.bell.stop):
            return True
        speaker = self._world.devices.speaker
        ends = self._world.floor.held is not None or (
            speaker is not None and speaker.playing is not None
        )
        if speaker is not None:
            speaker.stop()
        self._world.floor.stop()
        self._world.lens.drop_alert()
        return ends

    def _rang(self, end: Callable[[], Sequence[object]]) -> bool:
        """End what rings; say whether something did."""
        try:
            return bool(end())
        except OSError as error:  # it is silent, but may be told again
            log.warning("what rang cannot be noted: %s", error)
            return True

    # -- what is shown --------------------------------------------------------------------------

    def show(self, turn: Turn, shown: Shown, clock: Clock) -> Turn:
        """Light what an utterance led to, and note it in the turn."""
        lens, gate = self._world.lens, self._world.gate
        match shown:
            case Blank():
                gate.drop()
                fault = lens.blank()
                if self._world.mouth.mode != "off":
                    self._world.mouth.say("", turn.transcript.language)
                error = f"the display could not be cleared: {fault}" if fault else turn.error
                return replace(turn, error=error)
            case Page(step):
                fault, there = lens.turn(step)
                if not there and gate.open is not None:  # a question stays in sight
                    fault, there = lens.turn(0)
                if there:
                    if step == 0:
                        self._world.mouth.again()
                    return self._lit(turn, fault, clock)
                none = Reply(said_in(turn.transcript.language)["no pages" if step else "no repeat"])
                return self._light(turn, none, clock, passing=True)
            case Reply():
                return self._light(turn, shown, clock)

    def _light(self, turn: Turn, reply: Reply, clock: Clock, passing: bool = False) -> Turn:
        """Light a reply; `passing` lets the one before it come back after it.

        A proposal is open only while it is what the lens shows: any other reply drops it, so that
        a yes can never pay for something out of sight.
        """
        world, gate = self._world, self._world.gate
        if world.bell.ringing:
            world.bell.step_aside()
        if gate.open is not None and reply is not gate.open.proposal:
            gate.drop()
        if gate.open is None:
            world.lens.drop_question()
        turn = replace(turn, reply=reply, timings=replace(turn.timings, reply=clock()))
        stays_ms = EXPIRES_S * 1000 if self._expected.asking else None
        owner = turn.intent.skill if isinstance(turn.intent, Intent) else OWN
        has_floor = world.floor.held is not None and world.floor.fills(owner)
        if has_floor:
            stays_ms = floor.STAYS_S * 1000
        world.spoken = language = turn.transcript.language
        fault, frames, lit = world.lens.light(
            reply, language, owner, passing, stays_ms, floor.KEY if has_floor else ""
        )
        turn = replace(turn, frames=frames)
        if world.mouth.mode != "off":
            aloud.tell(world, turn, reply, self._settles)
        if lit and gate.open is not None and reply is gate.open.proposal:
            gate.shown(gate.open.key)
        return self._lit(turn, fault, clock) if lit or fault is not None else turn

    def _lit(self, turn: Turn, fault: str | None, clock: Clock) -> Turn:
        if fault is not None:
            self._world.gate.drop()  # what was not shown cannot be agreed to
            return replace(turn, error=turn.error or f"the display refused a frame: {fault}")
        first = clock() if turn.timings.first_glyph is None else turn.timings.first_glyph
        return replace(turn, timings=replace(turn.timings, first_glyph=first))

    def disabled(self, turn: Turn, name: str) -> Turn:
        """Tell the wearer that the skill that answered this turn is off from now on."""
        said = said_in(turn.transcript.language)
        off = Reply(said["disabled"].format(skill=name, count=offences.OFFENCES), kind="alert")
        error = f"{turn.error or self._world.skills.offences[name][-1]}; {name} is disabled"
        shown = self.show(replace(turn, error=error), off, lambda: 0.0)
        return replace(shown, timings=turn.timings)


def someone_else(transcript: Transcript, sure: float = SURE_OF_WEARER) -> bool:
    """Say whether it may have been somebody else than the enrolled wearer: not more than `sure`."""
    return transcript.wearer is not None and transcript.wearer <= sure


def _gate_language(language: str) -> str:
    return "zh" if language == "zh" else "en"


def _now_s() -> float:
    return asyncio.get_running_loop().time()
