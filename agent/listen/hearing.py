"""Hearing: chunks of sound in, utterances out, understood while they are spoken.

One call a chunk. While the wearer speaks, the engine hears along, and what was said so far is held
against what can be said (`agent.listen.patience`); that decides how long a pause must be to end
the turn (`agent.listen.patience`). A turn that ended too soon is told together with what follows.

    chunk ─▶ endpointer ─▶ engine ─▶ partial text ─▶ standing ─▶ how long to wait ─▶ Heard
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from agent.errors import EngineError, GlassesError
from agent.language.saying import Saying
from agent.listen.attention import Attention
from agent.listen.endpoint import Dropped, Ended, Endpointer, Speaking, Started
from agent.listen.patience import DEFAULT as DEFAULT_PATIENCE
from agent.listen.patience import Patience, Sayable, Standing
from agent.listen.thread import EngineThread, MissingEngineError
from agent.listen.transcriber import Transcriber
from agent.listen.voiceprint import Voice
from agent.messages import Transcript
from hardware.base import AudioChunk

Result = TypeVar("Result")

SETTLE_MS = 80.0
"""How long into a pause the newest partial text is believed: the decoder needs some frames to end
the last word, and further on it begins to hear words in the silence."""

REOPEN_MS = 15_000.0
"""Longest sound that is heard again together with what follows it: no command is longer, and talk
that goes on for minutes must not be decoded over and over."""

REPLAY_BYTES = 6_400
"""How much is fed at once when sound is heard again, 200 ms: an engine may hold the GIL."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The wearer has said a whole command and is quiet: time to get the answer ready."""

    transcript: Transcript
    """What was said so far, not final."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The wearer went on: what was got ready is discarded."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An utterance, over."""

    transcript: Transcript
    """What was said; without text when nothing was understood."""
    start_ms: float
    """Start of the sound that belongs to it."""
    speech_ms: float
    """How long it was, from first to last speech."""
    endpoint_ms: float
    """When that was decided, by the microphone's clock."""
    sound: tuple[AudioChunk, ...]
    """The sound that belongs to it, as the microphone gave it."""
    continues: bool = False
    """It includes the utterance before it, whose answer it replaces."""
    error: EngineError | None = None
    """Why there is no transcript."""


Event = Pause | Resumed | Heard | None


@dataclass(slots=True)
class _Utterance:
    """The one that is being spoken."""

    chunks: list[AudioChunk]
    before: _Ended | None  # the one before, when the engine hears both
    standing: Standing | None = None
    confidence: float = 0.0
    silence_ms: float = 0.0
    paused: bool = False
    held: bool = False  # by a key; pauses do not end it
    called: bool = True  # the wearer speaks to the glasses; else it counts only as the rest of one
    partial: Transcript | None = None
    offered: str | None = None  # the text of the last Pause
    shown: str = ""
    error: EngineError | None = None


@dataclass(slots=True)
class _Ended:
    """One that has just ended and may go on."""

    text: str
    endpoint_ms: float
    final: bool = False  # it has had an effect since
    wearer: float | None = None  # how probably the wearer said it
    chunks: list[AudioChunk] = field(default_factory=list)  # its own and all since


@dataclass(slots=True)
class Told:
    """What can be said, and which engine knows: it outlives a stream, as the engine does."""

    sayings: Sequence[Saying] = ()
    """What can be said now."""
    graph: Sayable = field(default_factory=lambda: Sayable(()))
    """The same, ready to be asked about."""
    engine: Transcriber | None = None
    """The engine that was told."""


class Hearing:
    """The ears of one stream."""

    def __init__(
        self,
        ears: EngineThread,
        endpointer: Endpointer,
        patience: Patience = DEFAULT_PATIENCE,
        attention: Attention | None = None,
        on_partial: Callable[[Transcript], None] | None = None,
        now_ms: Callable[[], float] | None = None,
        told: Told | None = None,
        voice: Voice | None = None,
    ) -> None:
        """Hear through `ears` while there is `attention`, which without one is always.

        `on_partial` is told what is heard while it is spoken, `told` is what the engine knows.
        `voice` tells whether the wearer speaks; None where nobody is enrolled.

        `now_ms` is the microphone's clock; without, the times of the chunks are.
        """
        self._ears = ears
        self._endpointer = endpointer
        self._patience = patience
        self.attention = attention or Attention()
        self.on_partial = on_partial
        """Told what is heard while it is spoken; it may be another at any time."""
        self._now_ms = now_ms
        self._told = told or Told()
        self._voice = voice
        self._utterance: _Utterance | None = None
        self._ended: _Ended | None = None

    @property
    def idle(self) -> bool:
        """Whether nobody speaks."""
        return self._utterance is None

    @property
    def open(self) -> bool:
        """Whether what is said now counts: there is attention, or an utterance may go on."""
        return self.attention.awake or self._ended is not None or not self.idle

    async def expect(self, sayings: Sequence[Saying]) -> None:
        """Say what can be said from the next utterance on.

        An engine that cannot be told now is told with the next utterance, which fails if it cannot
        then either. Raises MissingEngineError when there has never been an engine, nothing else.
        """
        self._told.sayings, self._told.engine = sayings, None
        try:
            # A busy machine compiles what can be said for longer than it may think of an answer.
            await self._ears.call(self._tell, patient=True)
        except MissingEngineError:
            raise
        except GlassesError:
            self._told.graph = Sayable(())  # nothing is known of any text: silence ends the turns

    def forget(self) -> None:
        """Take what was heard last as final: it had an effect, and nothing may replace it."""
        self._ended = None
        if self._utterance is not None and self._utterance.before is not None:
            self._utterance.before.final = True

    async def hear(self, chunk: AudioChunk) -> Event:
        """Hear the next chunk of the stream."""
        attention, utterance = self.attention, self._utterance
        attention.tick(chunk)
        if utterance is None:
            if not self.open:
                return await self._doze(chunk)
            await self._wait_for_speech(chunk)
            return None
        utterance.chunks.append(chunk)
        await self._hear(utterance, chunk)
        wait_ms = self._patience.wait_ms(utterance.standing, utterance.confidence)
        if utterance.held:
            if not attention.held and (ended := self._endpointer.close(chunk)) is not None:
                return await self._finish(utterance, ended)
            wait_ms = math.inf
        match self._endpointer.push(chunk, wait_ms):
            case Speaking(silence_ms=silence_ms):
                return await self._follow(utterance, silence_ms)
            case Ended() as ended:
                heard = await self._finish(utterance, ended)
                if heard is None and utterance.offered is not None:
                    return Resumed()
                return heard
            case Dropped():
                self._utterance = None
                await self._ask(utterance, lambda engine: engine.abort())
                return Resumed() if utterance.offered else None
        return None

    async def interrupt(self) -> None:
        """Forget the utterance and what came before it: something else was heard in it."""
        utterance, self._utterance, self._ended = self._utterance, None, None
        self._endpointer.reset()
        if utterance is not None:
            await self._ask(utterance, lambda engine: engine.abort())

    async def _doze(self, chunk: AudioChunk) -> Event:
        """Listen for the wake phrase only; what was said after it is heard."""
        match self._endpointer.push(chunk):
            case Started(preroll=preroll):
                passed: tuple[AudioChunk, ...] = preroll
            case Speaking():
                passed = (chunk,)
            case _:
                passed = ()
        event: Event = None
        if (rest := self.attention.listen(chunk, passed)) is not None:
            self._endpointer.reset()
            for later in rest:
                event = await self.hear(later) or event
        return event

    async def _wait_for_speech(self, chunk: AudioChunk) -> None:
        before = self._ended
        if before is not None:
            before.chunks.append(chunk)
            if chunk.end_ms - before.endpoint_ms > self._patience.reopen_ms:
                before = self._ended = None
        if self._endpointer.in_speech:  # it dozed while somebody spoke, and was touched
            self._endpointer.reset()
        event = self._endpointer.push(chunk)
        if held := self.attention.held and not isinstance(event, Started):
            event = self._endpointer.open(chunk)
        if isinstance(event, Started):
            self._utterance = utterance = _Utterance(list(event.preroll), before)
            utterance.held = held or self.attention.held
            utterance.called = self.attention.awake
            heard = before.chunks if before else utterance.chunks
            ambient = b"".join(chunk.words for chunk in event.before)
            await self._ask(utterance, lambda engine: self._begin(engine, heard, ambient))

    async def _hear(self, utterance: _Utterance, chunk: AudioChunk) -> None:
        """Give the engine a chunk, and see what was said so far where that matters."""
        pcm = chunk.words
        wanted = utterance.silence_ms or utterance.offered is not None or self.on_partial
        if not wanted:
            await self._ask(utterance, lambda engine: engine.feed(pcm))
            return
        partial = await self._ask(utterance, lambda engine: _fed(engine, pcm))
        if partial is None:
            return
        if self.on_partial is not None and partial.text != utterance.shown:
            utterance.shown = partial.text
            self.on_partial(partial)
        standing = self._told.graph.standing(partial.text)
        if utterance.silence_ms <= SETTLE_MS or standing.kind in ("answer", "complete"):
            utterance.standing, utterance.confidence = standing, partial.confidence
            utterance.partial = partial

    async def _follow(self, utterance: _Utterance, silence_ms: float) -> Event:
        """Tell of a pause after a whole command, once for each text."""
        utterance.silence_ms = silence_ms
        if not silence_ms:
            utterance.paused = False
            partial = utterance.partial
            if utterance.offered is None or (partial and partial.text == utterance.offered):
                return None  # the same words so far: a breath, or the end of the last one
            utterance.offered = None
            return Resumed()
        if not utterance.paused:
            utterance.paused = True
            await self._ask(utterance, lambda engine: engine.prepare())
        standing, partial = utterance.standing, utterance.partial
        whole = standing is not None and standing.kind in ("answer", "complete")
        if not whole or partial is None or utterance.confidence < self._patience.sure:
            return None
        if utterance.before is not None or partial.text == utterance.offered:
            return None
        utterance.offered = partial.text
        return Pause(partial)

    async def _finish(self, utterance: _Utterance, ended: Ended) -> Heard | None:
        """Return what was heard; None when it was not meant for the glasses."""
        self._utterance = None
        self.attention.slept()
        endpoint_ms = self._now_ms() if self._now_ms else ended.endpoint_ms
        who = self._who(utterance)  # on a thread of its own, while the engine decodes
        transcript = await self._ask(utterance, lambda engine: engine.finish())
        heard = Heard(
            transcript or Transcript("", confidence=0.0),
            utterance.chunks[0].start_ms,
            ended.last_speech_ms - ended.start_ms,
            endpoint_ms,
            tuple(utterance.chunks),
            error=utterance.error,
        )
        if (before := utterance.before) is not None and not heard.error:
            heard = await self._apart(utterance, heard, before)
        self._ended = None
        if not utterance.called and not heard.continues:
            if who is not None:
                who.cancel()
            return None
        wearer = None if who is None else await who
        if (
            wearer is not None
            and heard.continues
            and before is not None
            and before.wearer is not None
        ):
            wearer = min(wearer, before.wearer)  # one sentence of two people is nobody's
        heard = replace(heard, transcript=replace(heard.transcript, wearer=wearer))
        if ended.why == "silence" and self._may_go_on(heard):
            self._ended = _Ended(
                heard.transcript.text, ended.endpoint_ms, wearer=wearer, chunks=[*heard.sound]
            )
        return heard

    def _who(self, utterance: _Utterance) -> asyncio.Task[float] | None:
        """Begin to find out who speaks, where somebody is enrolled."""
        if self._voice is None:
            return None
        sound = b"".join(chunk.words for chunk in utterance.chunks)
        return asyncio.create_task(self._voice.of(sound))

    def _may_go_on(self, heard: Heard) -> bool:
        """Whether speech that follows at once may belong to what was heard."""
        standing = self._told.graph.standing(heard.transcript.text)
        closed = standing.kind == "complete" and not standing.bits
        long_ms = sum(chunk.duration_ms for chunk in heard.sound)
        said_all = closed and self._whole(heard.transcript)
        return not heard.error and not said_all and long_ms <= REOPEN_MS

    async def _apart(self, utterance: _Utterance, heard: Heard, before: _Ended) -> Heard:
        """Find out whether the speech after a turn went on with it or was another.

        `heard` is both, heard as one. It is one when it goes on where the turn had ended, when it
        makes a command and what came after alone does not, or when the turn was not understood.
        """
        whole = self._whole(heard.transcript)
        last_ms = before.chunks[-1].start_ms  # the sound before the new speech is in both
        joined = replace(
            heard,
            start_ms=before.chunks[0].start_ms,
            sound=(*before.chunks, *(c for c in heard.sound if c.start_ms > last_ms)),
            continues=True,
        )
        said, both = before.text.split(), heard.transcript.text.split()
        if before.final:
            alone = await self._ask(utterance, lambda engine: self._again(engine, heard.sound))
            return replace(heard, transcript=alone or heard.transcript, error=utterance.error)
        if whole and len(both) > len(said) > 0 and both[: len(said) - 1] == said[:-1]:
            return joined
        alone = await self._ask(utterance, lambda engine: self._again(engine, heard.sound))
        if alone is None:
            return joined if whole else replace(heard, error=utterance.error)
        if whole and not self._whole(alone):
            return joined
        if not before.text:  # what nobody understood was no turn of its own
            return replace(joined, transcript=alone)
        return replace(heard, transcript=alone)

    def _whole(self, transcript: Transcript) -> bool:
        """Whether this is a command, heard clearly."""
        kind = self._told.graph.standing(transcript.text).kind
        sure = transcript.confidence >= self._patience.sure
        return sure and kind in ("answer", "complete", "open")

    # -- the engine -----------------------------------------------------------------------------

    async def _ask(
        self, utterance: _Utterance, use: Callable[[Transcriber], Result]
    ) -> Result | None:
        """Use the engine for an utterance; once it has failed, the rest of it is not heard."""
        if utterance.error is not None:
            return None
        try:
            return await self._ears.call(use)
        except EngineError as error:
            utterance.error = error
        except GlassesError as error:  # what can be said is wrong, so nothing can be heard
            utterance.error = EngineError(str(error))
        return None

    def _tell(self, engine: Transcriber) -> None:
        """Tell an engine what can be said, unless it knows."""
        told = self._told
        if engine is not told.engine:
            engine.expect(told.sayings)
            told.graph = Sayable(told.sayings)  # on this thread: a large one takes its time
            told.engine = engine

    def _begin(
        self, engine: Transcriber, chunks: Sequence[AudioChunk], ambient: bytes = b""
    ) -> None:
        self._tell(engine)  # it may be another one since
        if ambient:
            engine.ambient(ambient)
        engine.start()
        pcm = b"".join(chunk.words for chunk in chunks)
        for at in range(0, len(pcm), REPLAY_BYTES):
            engine.feed(pcm[at : at + REPLAY_BYTES])

    def _again(self, engine: Transcriber, chunks: Sequence[AudioChunk]) -> Transcript:
        self._begin(engine, chunks)
        return engine.finish()


def _fed(engine: Transcriber, pcm: bytes) -> Transcript | None:
    engine.feed(pcm)
    return engine.partial()
