"""One session: a pair of glasses on a socket, its agent, and each of its turns once.

    sound ─▶ cutter ─▶ ears ─┐
                             ├─▶ one turn after the other ─▶ journal ─▶ socket
    lines ───────────────────┘

Only "stop", and a no, overtake. Where the link breaks, the turn that runs is ended and written
down, and what waits is forgotten: the glasses send it again. Where the replica dies in a turn, the
next one finds it begun in the journal once the glasses send it again:

    a yes whose proposal is in the ledger    what became of the payment is told
    what would change something              is not done again: it may have been, and that is told
    all else                                 is answered, a yes by the question, asked anew
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.act.states import MOVED
from agent.act.wording import news
from agent.display.request import Priority
from agent.errors import EngineError
from agent.language import controls
from agent.language.text import language_of
from agent.listen.endpoint import Dropped
from agent.loop.agent import Agent
from agent.messages import Intent, Reply, Transcript
from agent.serve.cutting import Clip, Cut, Cutter, Paused, Spoke, WentOn
from agent.serve.hub.journal import Answer, Begun, Journal, Kind
from agent.serve.hub.lens import HubLens
from agent.serve.hub.pool import Hear
from agent.serve.hub.protocol import Cursor, Hello, Say, Sound, write
from agent.serve.hub.watch import Watch, trace
from agent.serve.hub.words import said
from agent.turn import Turn

log = logging.getLogger(__name__)

SOURCE = "hub"
"""Where turns come from that glasses have begun."""
HEARD = 50
"""Chunks after which glasses are told that nothing was in them: a second."""
MINUTE_S = 60.0
BECAME_S, LOOK_S = 3.0, 0.1
"""How long, and how often, a provider is asked what became of a payment before the wearer is told
that nobody knows yet."""

Tell = Callable[[str], None]
"""Sends a message to the glasses as soon as they take it."""


@dataclass(slots=True, eq=False)
class _Input:
    """Something that is to be answered."""

    kind: Kind
    number: int
    came_s: float
    again: bool
    seen: str | None
    transcript: Transcript | None = None
    hearing: asyncio.Task[Transcript] | None = None
    heard_s: float = 0.0
    early: asyncio.Task[Turn] | None = None


class Session:
    """One session, from its hello until `close`."""

    def __init__(
        self, agent: Agent, lens: HubLens, folder: Path, hello: Hello, tell: Tell, hear: Hear,
        watch: Watch, turns_a_minute: int,
    ) -> None:  # fmt: skip
        """Go on where these glasses were; `folder` is worn."""
        self._agent = agent
        self._lens = lens
        self._journal = Journal(folder)
        self._again = hello.again
        self._language = hello.language
        self._tell = tell
        self._hear = hear
        self._watch = watch
        self._turns_a_minute = turns_a_minute
        self._given: list[float] = []
        self._cutter = Cutter(self._journal.done.sound)
        self._line = self._journal.done.line
        self._told = self._cutter.last
        self._seen: str | None = None
        self._inputs: asyncio.Queue[_Input] = asyncio.Queue()
        self._waiting: list[_Input] = []
        self._now = asyncio.get_running_loop().time
        self._worker: asyncio.Task[None] | None = None
        self._counted = 0
        self._ahead: asyncio.Task[Transcript] | None = None  # hears what may be over
        self._left = self._journal.begun  # what a replica died in
        self._closing = False

    # -- beginning and end ------------------------------------------------------------------------

    def begin(self, through: Cursor) -> None:
        """Welcome the glasses, send what they have not got, and answer from now on."""
        done, resumed = self._journal.done, self._journal.done != Cursor()
        self._tell(write("welcome", sound=done.sound, line=done.line, resumed=resumed))
        for answer in self._journal.missed(through):
            self._send(answer)
        self._agent.wear()
        if resumed:
            self._watch.resumed.inc()
        self._worker = asyncio.create_task(self._work())

    async def close(self, meant: bool) -> None:
        """End: the turn that runs is ended; with `meant` nothing is gone on with next time."""
        self._closing = True
        self._forget()
        for one in self._waiting:
            for task in (one.hearing, one.early if one is not self._waiting[0] else None):
                if task is not None:
                    task.cancel()
        self._inputs.put_nowait(_Input("line", -1, 0.0, False, None))
        if self._worker is not None:
            await asyncio.gather(self._worker, return_exceptions=True)
        with suppress(OSError):
            await self._agent.keep()
        if meant:
            await self._agent.take_off()
        else:
            self._agent.cut()
        try:
            await self._agent.close()
        except EngineError as error:
            log.warning("an agent was left behind: %s", type(error).__name__)

    # -- what comes -------------------------------------------------------------------------------

    @property
    def speaking(self) -> bool:
        """Whether an utterance has begun and is not over."""
        return self._cutter.speaking

    def hear(self, message: Sound) -> None:
        """Hear chunks."""
        self._watch.chunks.inc(len(message.chunks))
        for number, pcm in enumerate(message.chunks, message.number):
            for event in self._cutter.push(number, pcm):
                match event:
                    case Spoke():
                        self._seen = self._open()
                    case Paused(clip):
                        self._ahead = asyncio.create_task(self._hears(clip))
                    case WentOn() | Dropped():
                        self._forget()
                    case Cut():
                        self._utterance(event)
        self._watch.missing.inc(self._cutter.missing - self._counted)
        self._counted = self._cutter.missing
        through = self._cutter.through
        if through - self._told >= HEARD and not any(one.hearing for one in self._waiting):
            self._told = through
            self._tell(write("heard", sound=through))

    def quiet(self) -> None:
        """Take what is being said as over: no sound comes any more."""
        for cut in self._cutter.end():
            self._utterance(cut)

    def say(self, message: Say) -> None:
        """Take a typed line; one that was answered is answered the same."""
        if message.line <= self._line:
            for answer in self._journal.answers:
                if (answer.kind, answer.number) == ("line", message.line):
                    self._send(answer)
            return
        self._line = message.line
        again = message.line <= self._again.line
        language = self._spoken(message.text)
        self._put(
            _Input(
                "line", message.line, self._now(), again, None if again else self._open(),
                Transcript(message.text, language),
            )
        )  # fmt: skip

    def _utterance(self, cut: Cut) -> None:
        again = cut.first <= self._again.sound
        seen = None if again else self._seen
        one = _Input("sound", cut.last, self._now(), again, seen)
        ahead, self._ahead = self._ahead, None
        one.hearing = asyncio.create_task(self._heard(one, cut.clip, ahead))
        one.hearing.add_done_callback(lambda task: self._overtake(one, task))
        self._put(one)

    def _put(self, one: _Input) -> None:
        self._waiting.append(one)
        self._inputs.put_nowait(one)
        if one.transcript is not None:
            self._overtake(one, None)

    def _overtake(self, one: _Input, task: asyncio.Task[Transcript] | None) -> None:
        """Let a stop word or a no that was just understood overtake what runs."""
        if task is not None:
            if task.cancelled() or task.exception() is not None:
                return
            one.transcript = task.result()
        text = one.transcript.text if one.transcript is not None else ""
        if not text or one.again or one not in self._waiting or self._waiting[0] is one:
            return
        own = controls.own(text, asked=True)
        if own is not None and (own.control in controls.ENDS or own.answer == "no"):
            one.early = asyncio.create_task(self._answered(one))

    async def _heard(
        self, one: _Input, clip: Clip, ahead: asyncio.Task[Transcript] | None
    ) -> Transcript:
        """Hear what is over; it may have been heard ahead."""
        heard = await (ahead or self._hears(clip))
        one.heard_s = self._now() - one.came_s
        self._watch.hearing.observe(one.heard_s)
        return heard

    async def _hears(self, clip: Clip) -> Transcript:
        heard = await self._hear(clip)
        wanted = self._language
        return heard if wanted == "auto" else replace(heard, language=wanted)

    def _forget(self) -> None:
        """Hear nothing ahead: they went on."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.cancel()
            ahead.add_done_callback(lambda late: late.cancelled() or late.exception())

    def _open(self) -> str | None:
        opened = self._agent.gate.open
        return None if opened is None else opened.key

    def _spoken(self, text: str) -> str:
        return language_of(text) if self._language == "auto" else self._language

    # -- answering --------------------------------------------------------------------------------

    async def _work(self) -> None:
        await self._agent.went_on()  # a question is asked again before anything answers it
        while (one := await self._inputs.get()).number >= 0 and not self._closing:
            try:
                await self._one(one)
            except Exception as error:  # the session's own last boundary
                log.error("a turn failed: %s", type(error).__name__)
                log.debug("a turn failed", exc_info=True)
                self._tell(write("note", why=said(self._known(), "unheard")))
            finally:
                self._waiting.remove(one)

    async def _one(self, one: _Input) -> None:
        turn = await self._turn(one)
        if turn is None:
            return
        answer = Answer(one.kind, one.number, turn.as_json())
        try:
            await asyncio.to_thread(self._journal.end, answer)
        except OSError as error:
            log.error(
                "the journal cannot be written (%s): it may be answered twice", error.strerror
            )
        took_s = self._now() - one.came_s
        self._watch.answering.labels(one.kind).observe(took_s)
        self._watch.turns.labels(one.kind, "failed" if turn.error else "answered").inc()
        trace(turn, one.kind, one.heard_s, took_s)
        self._send(answer)

    async def _turn(self, one: _Input) -> Turn | None:
        """Return what comes of an input; None where nothing was said."""
        if one.hearing is not None:
            try:
                one.transcript = await one.hearing
            except EngineError as error:
                log.warning("an utterance was not heard: %s", error)
                lost = Turn(SOURCE, Transcript("", self._known()), error="it was not heard")
                return self._instead(lost, "unheard")
            except asyncio.CancelledError:
                return None
        assert one.transcript is not None
        if not one.transcript.text and one.kind == "sound" and not self._agent.asking:
            self._nothing(one)
            return None
        if one.early is not None:
            return await one.early
        left = self._left
        if left is not None and one.kind == left.kind and one.number >= left.number:
            self._left = None
            return await self._after_break(one, left)
        if not self._may():
            return self._instead(Turn(SOURCE, one.transcript, error="over the quota"), "quota")
        heard = one.transcript
        begun = Begun(one.kind, one.number, heard.text, heard.language, one.seen)
        try:
            await asyncio.to_thread(self._journal.begin, begun)
        except OSError as error:
            log.error("the journal cannot be written: %s", error.strerror)
            return self._instead(Turn(SOURCE, heard, error="it cannot be kept"), "unkept")
        return await self._answered(one)

    async def _answered(self, one: _Input) -> Turn:
        assert one.transcript is not None
        turn = await self._agent.heard(one.transcript, SOURCE, one.seen)
        with suppress(OSError):
            await self._agent.keep()  # so that another replica has what is asked now
        return turn

    async def _after_break(self, one: _Input, left: Begun) -> Turn | None:
        """Answer what a replica died in."""
        assert one.transcript is not None
        turn = Turn(SOURCE, one.transcript)
        if left.asked is not None and (reply := await self._became(left.asked, left.language)):
            return self._shown(turn, reply)
        _, meaning = self._agent.route(left.text, left.language)
        if isinstance(meaning, Intent):
            action = self._agent.skills.actions.get(meaning.name)
            if action is not None and action.declaration.risk == "change":
                return self._instead(replace(turn, intent=meaning), "maybe")
        one.seen = None
        return await self._answered(one)

    async def _became(self, key: str, language: str) -> Reply | None:
        """Return what became of a payment that a replica died in; None where none was begun."""
        teller, language = self._agent.gate.teller, "zh" if language == "zh" else "en"
        ends_s = self._now() + BECAME_S
        while (entry := await asyncio.to_thread(teller.ask, key)) is not None:
            if entry.state in MOVED or entry.state == "refused":
                return news(entry, language)
            if self._now() > ends_s:
                return self._agent.gate.unanswered(language)
            await asyncio.sleep(LOOK_S)  # it is being asked about already
        return None

    def _nothing(self, one: _Input) -> None:
        """Note that an utterance was none; the glasses need not send it again."""
        self._watch.turns.labels(one.kind, "nothing").inc()
        self._tell(write("heard", sound=one.number))

    def _instead(self, turn: Turn, what: str) -> Turn:
        return self._shown(turn, Reply(said(self._known(), what), kind="alert"))

    def _shown(self, turn: Turn, reply: Reply) -> Turn:
        self._agent.lens.attach()
        self._agent.lens.offer(reply, Priority.ALERT, language=self._known(), key="hub")
        return replace(turn, reply=reply)

    def _known(self) -> str:
        spoken = self._agent.world.spoken if self._language == "auto" else self._language
        return "zh" if spoken == "zh" else "en"

    def _may(self) -> bool:
        """Take a turn of the quota."""
        now_s = self._now()
        self._given = [at_s for at_s in self._given if now_s - at_s < MINUTE_S]
        if len(self._given) >= self._turns_a_minute:
            return False
        self._given.append(now_s)
        return True

    def _send(self, answer: Answer) -> None:
        if answer.kind == "sound":
            self._told = max(self._told, answer.number)
        fields: dict[str, Any] = {answer.kind: answer.number, "turn": dict(answer.turn)}
        self._tell(write("turn", **fields, asks=self._open()))
