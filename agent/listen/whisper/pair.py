"""One pair of ears: the grammar hears what can be said, Whisper all else.

    sound ─┬─▶ grammar, word by word ──▶ partial text ──┬─▶ sure ──────────────▶ what was said
           └─▶ Whisper, begun in the pause ─────────────┴─▶ fused by their sound ─▶ or free speech

The grammar engine streams, and a result that it is sure of waits for nobody. Whisper works on its
own thread, from the first moment of a pause on, and decides only what the grammar cannot: speech
that fits no sentence well, words that are in no list, other languages. It is loaded beside the
first commands: those that the grammar is sure of do not wait for it. Where it is not there, or has
failed, the grammar engine hears alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Protocol

from agent.errors import EngineError
from agent.language.saying import Saying
from agent.listen.patience import Sayable
from agent.listen.sphinx.engine import PocketSphinx
from agent.listen.whisper.engine import MAX_BYTES, FasterWhisper, Written
from agent.listen.whisper.fusion import Fitted, Said
from agent.messages import Transcript

log = logging.getLogger(__name__)


class Resting(EngineError):
    """The other engine hears nothing of this utterance, and may hear the next again."""


class Free(Protocol):
    """What a pair asks of the engine that hears all else: Whisper, or a server with one."""

    name: str
    """What it is called."""

    @property
    def ready(self) -> Written | None:
        """What was written since `prepare`; None before it is done, or once there is more."""
        ...

    def expect(self, sayings: Sequence[Saying]) -> None:
        """Prefer what can be said."""
        ...

    def start(self) -> None:
        """Begin an utterance."""
        ...

    def feed(self, pcm: bytes) -> None:
        """Hear the next samples."""
        ...

    def prepare(self) -> None:
        """Begin to work."""
        ...

    def written(self, timeout_s: float | None = None) -> Written:
        """End the utterance. Raises TimeoutError, Resting, or EngineError when it is broken."""
        ...

    def fused(self, fitted: Fitted | None, written: Written) -> Said | None:
        """Return the sentence that both come to; None where it is none."""
        ...

    def heard(self, written: Written, said: Said | None) -> Transcript:
        """Return the sentence, or else the words as they were written."""
        ...

    def abort(self) -> None:
        """Throw the utterance away."""
        ...

    def close(self) -> None:
        """Free it."""
        ...


@dataclass(frozen=True, slots=True)
class PairOptions:
    """When the two engines wait for each other."""

    sure: float = 0.95
    """Confidence from which the grammar engine is not checked: three in four of 245 orders have
    more, and of these 99 % are right; at 12 dB six in ten, 95 %."""
    sure_open: float = 0.99
    """The same of a sentence that may hold words of no list: the grammar puts the likest in their
    place, and the long rest of the sentence fits all the same."""
    sure_alone: float = 0.6
    """The same while Whisper is still being loaded."""
    patience_s: float = 2.5
    """Longest that a turn waits for Whisper once it is over; then the grammar engine decides."""
    loading_s: float = 3.0
    """Longest that it waits for Whisper to be loaded, before that: with `patience_s` well under the
    8 s after which an engine that does not answer is begun anew, and would load for ever."""
    slow_times: int = 3
    """Turns in a row that Whisper is too late for, after which a smaller one is used."""


class Pair:
    """A Transcriber on two; see `agent.listen.transcriber` for the contract."""

    def __init__(
        self,
        grammar: PocketSphinx,
        make: Callable[[], Free],
        languages: frozenset[str],
        options: PairOptions = PairOptions(),
        smaller: Callable[[], Free] | None = None,
        tell: Callable[[str], None] = log.warning,
    ) -> None:
        """Hear with `grammar`, and with what `make` builds once it has, on a thread of its own.

        `languages` are those that the other will understand. `smaller` builds what is used where
        that is slower than people speak. What goes wrong is told in a line.
        """
        self.options = options
        self.name = grammar.name
        self.languages = grammar.languages | languages
        self._grammar = grammar
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="whisper-load")
        self._loading: Future[Free] | None = self._thread.submit(make)
        self._whisper: Free | None = None
        self._sayings: Sequence[Saying] = ()
        self._closed = Sayable(())
        self._smaller, self._tell, self._late_times = smaller, tell, 0
        self._missed = bytearray()  # what was said while it was loaded
        self._fused: tuple[Written, str, Transcript] | None = None

    def load(self, timeout_s: float | None = None) -> None:
        """Wait until Whisper is there, or has failed."""
        if self._loading is not None:
            wait({self._loading}, timeout_s)
        self._loaded()

    def expect(self, sayings: Sequence[Saying]) -> None:
        """Say what can be said from the next utterance on."""
        self._grammar.expect([_in_lists(saying) for saying in sayings])
        self._sayings = sayings
        self._closed = Sayable([saying for saying in sayings if not saying.open])
        if self._whisper is not None:
            self._whisper.expect(sayings)

    def ambient(self, pcm: bytes) -> None:
        """Take note of the sound before an utterance."""
        self._grammar.ambient(pcm)

    def start(self) -> None:
        """Begin an utterance."""
        self._fused = None
        self._missed.clear()
        self._grammar.start()
        if (whisper := self._loaded()) is not None:
            whisper.start()

    def feed(self, pcm: bytes) -> None:
        """Hear the next samples."""
        self._grammar.feed(pcm)
        if self._whisper is not None:
            self._whisper.feed(pcm)
        elif self._loading is not None and len(self._missed) < MAX_BYTES:
            self._missed += pcm

    def partial(self) -> Transcript | None:
        """Return the grammar's words so far; in a pause, once Whisper is done, those of both."""
        heard = self._grammar.partial()
        written = self._whisper.ready if self._whisper is not None else None
        if written is None:
            return heard
        text = heard.text if heard else ""
        if self._fused is None or self._fused[0] is not written or self._fused[1] != text:
            fitted = Fitted(text, heard.confidence) if heard else Fitted()
            self._fused = written, text, self._both(fitted, written)
        both = self._fused[2]
        return replace(both, final=False) if both.text else heard

    def prepare(self) -> None:
        """Let Whisper begin."""
        if self._whisper is not None:
            self._whisper.prepare()

    def finish(self) -> Transcript:
        """End the utterance."""
        heard = self._grammar.finish()
        best = self._grammar.best
        sure = self._sure_from(heard.text)
        written = self._whisper.ready if self._whisper is not None else None
        if written is None and heard.text and heard.confidence >= sure:
            if self._whisper is not None:
                self._whisper.abort()
            return heard
        whisper = self._whisper or self._late()
        if whisper is None:
            return heard
        try:
            written = written or whisper.written(self.options.patience_s)
        except TimeoutError:
            self._too_late(whisper)
            return heard
        except Resting:
            return heard
        except EngineError as error:
            self._lost(error)
            return heard
        finally:
            whisper.abort()
        self._late_times = 0
        return self._both(Fitted(best.text, best.confidence), written)

    def abort(self) -> None:
        """Throw the utterance away."""
        self._grammar.abort()
        if self._whisper is not None:
            self._whisper.abort()

    def close(self) -> None:
        """Free both engines."""
        self._grammar.close()
        loading, self._loading = self._loading, None
        self._thread.shutdown(wait=False, cancel_futures=True)
        if loading is not None:  # it may be loading still; then it is freed when it is there
            loading.add_done_callback(free)
        elif self._whisper is not None:
            self._whisper.close()
        self._whisper = None

    def _loaded(self) -> Free | None:
        """Return Whisper if it is there by now."""
        loading = self._loading
        if loading is None or not loading.done():
            return self._whisper
        self._loading = None
        try:
            self._whisper = loading.result()
        except EngineError as error:
            self._lost(error)
            return None
        self._whisper.expect(self._sayings)
        self.name = f"{self._grammar.name} and {self._whisper.name}"
        return self._whisper

    def _sure_from(self, text: str) -> float:
        """Return the confidence from which the grammar engine is not checked."""
        if self._whisper is None:
            return self.options.sure_alone
        if self._closed.standing(text).kind in ("answer", "complete"):
            return self.options.sure
        return self.options.sure_open

    def _late(self) -> Free | None:
        """Return Whisper, and what was said while it was loaded with it, if it comes in time."""
        if self._loading is None:
            return None
        self.load(self.options.loading_s)
        if self._whisper is not None:
            self._whisper.start()
            self._whisper.feed(bytes(self._missed))
        return self._whisper

    def _lost(self, error: EngineError) -> None:
        self._whisper, self.name = None, self._grammar.name
        self._tell(f"{error}; what is no command is not heard until the next start")

    def _too_late(self, whisper: Free) -> None:
        """Use a smaller Whisper where this one is slower than people speak."""
        self._late_times += 1
        if self._late_times < self.options.slow_times:
            return
        slow = f"{whisper.name} is slower than speech on this machine"
        self._whisper, self.name, self._late_times = None, self._grammar.name, 0
        self._thread.submit(whisper.close)
        if self._smaller is None:
            self._tell(f"{slow}: only commands are heard; `glasses models pull whisper-tiny`")
        else:
            self._tell(f"{slow}: a smaller one is used")
            self._loading, self._smaller = self._thread.submit(self._smaller), None

    def _both(self, fitted: Fitted, written: Written) -> Transcript:
        """Return what both come to."""
        assert self._whisper is not None
        heard = self._whisper.heard(written, self._whisper.fused(fitted, written))
        return replace(heard, engine=self.name)


def _in_lists(saying: Saying) -> Saying:
    """Return what of a saying the grammar engine hears: free text is Whisper's.

    A thousand words in each place of it cost the grammar engine half as much time again.
    """
    return replace(saying, slots={n: () if v is None else v for n, v in saying.slots.items()})


def free(loading: Future[FasterWhisper] | Future[Free]) -> None:
    """Free an engine that has been loaded."""
    if not loading.cancelled() and loading.exception() is None:
        loading.result().close()
