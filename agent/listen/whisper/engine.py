"""Recognition by Whisper through faster-whisper, for free speech and for Chinese.

Used when a CTranslate2 Whisper model is on disk; nothing is ever downloaded from here. While speech
is fed, a thread of the engine's own decodes the growing utterance now and then for `partial`, and
from `prepare` on as well as it can for `finish`, which then has little or nothing left to wait for.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

from agent.derive import grammar
from agent.errors import EngineError
from agent.language.saying import Saying
from agent.listen.whisper.hints import hints
from agent.listen.whisper.rescore import Hypothesis, Sayable, choose
from agent.listen.whisper.stable import UNIT, StablePrefix
from agent.listen.whisper.window import (
    MAX_S,
    SAMPLE_BYTES,
    SAMPLE_RATE_HZ,
    Decoded,
    WhisperOptions,
    Window,
    compression,
)
from agent.messages import Transcript
from agent.models import store

__all__ = ["FasterWhisper", "WhisperOptions", "choose_model", "find_model"]

log = logging.getLogger(__name__)

BYTES_PER_MS = SAMPLE_RATE_HZ * SAMPLE_BYTES // 1000
MAX_BYTES = int(MAX_S * 1000) * BYTES_PER_MS
MIN_BYTES = 50 * BYTES_PER_MS
"""Less is no speech, and no spectrogram can be made of it."""
EXPECTATIONS = 8
"""How many lists of sayings stay compiled; the least recently used goes first."""


def find_model(folder: Path | None = None, language: str = "auto") -> Path | None:
    """Return the folder of the Whisper that is used; None where there is none; see `choose_model`.

    Without `folder` it looks in $GLASSES_MODELS, else in ~/.local/share/glasses/models.
    """
    home = Path.home() / ".local" / "share" / "glasses" / "models"
    return choose_model(folder or Path(os.environ.get("GLASSES_MODELS") or home), language).path


def choose_model(folder: Path, language: str = "auto") -> store.Choice:
    """Return the Whisper that is used for a language, and why.

    One for English alone is used for `auto` only where there is no other.
    """
    choice = store.choose("speech", folder, language)
    if choice.path is None and language == "auto":
        english = store.choose("speech", folder, "en")
        return replace(english, why="the only one here, for English alone")
    return choice


@dataclass(frozen=True, slots=True)
class _Expected:
    """What can be said now, as the decoder uses it."""

    sayable: Sayable | None = None
    """What a hypothesis is held against; None before anything was expected."""
    hint: dict[str, list[int]] = field(default_factory=dict)
    """Tokens before the transcript, by language."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A decode on the engine's thread."""

    length: int
    """Bytes of the utterance that it decodes."""
    result: Future[Transcript | None]
    """Its transcript; None when it was called off, or heard nothing new."""
    off: Event
    """Set when nobody waits for it any more."""

    def call_off(self) -> None:
        """Skip it if it has not begun, else drop what it finds; what it computes goes on."""
        self.off.set()
        self.result.cancel()


@dataclass(slots=True)
class _Utterance:
    """What was fed since `start`, and what is being made of it."""

    pcm: bytearray = field(default_factory=bytearray)
    stable: StablePrefix = field(default_factory=StablePrefix)
    full: bool = False
    """More was fed than Whisper can hear."""
    partial: Transcript | None = None
    seen: int = 0
    """Bytes that the last partial decode, or the last final one, has heard."""
    look: _Job | None = None
    """The last partial decode."""
    ahead: _Job | None = None
    """The final decode that `prepare` has begun."""

    def call_off(self) -> None:
        for job in (self.look, self.ahead):
            if job is not None:
                job.call_off()


class FasterWhisper:
    """A Transcriber on faster-whisper; see `agent.listen.transcriber` for the contract.

    Its decodes never overlap and none can be stopped midway: one that was called off ends after
    the step it is in, the encoding or the decoding. So `finish` after `prepare` waits for that
    decode alone; without, for what is left of a step and a decode of its own.
    """

    def __init__(self, folder: Path, options: WhisperOptions | None = None) -> None:
        """Load the model in `folder`, and decode silence so that it is warm.

        Raises EngineError when faster-whisper is not installed, the folder is broken, or the
        options ask for a device, a compute type or a language that is not there.
        """
        self.options = options or WhisperOptions()
        self.name = f"faster-whisper {folder.name}"
        self.window = Window(folder, self.options)
        """The loaded model, for `glasses doctor` and benchmarks."""
        self.languages = self.window.languages
        if self.options.language not in {None, *self.languages}:
            raise EngineError(f"{self.name} does not know the language '{self.options.language}'")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="whisper")
        self._expected = _Expected()
        self._seen: OrderedDict[Hashable, _Expected] = OrderedDict()
        self._every = int(self.options.partial_every_ms) * BYTES_PER_MS
        self._utterance = _Utterance()

    def expect(self, sayings: Sequence[Saying]) -> None:
        """Prefer what `sayings` allow, from the next decode on; anything can still be heard."""
        key = tuple(saying.intent for saying in sayings), grammar.content(sayings)
        if key not in self._seen:
            sayable = Sayable(sayings) if sayings else None
            self._seen[key] = _Expected(sayable, self.window.hint(hints(sayings)))
        self._seen.move_to_end(key)
        self._expected = self._seen[key]
        while len(self._seen) > EXPECTATIONS:
            self._seen.popitem(last=False)

    def ambient(self, pcm: bytes) -> None:
        """Nothing: Whisper was trained in noise."""

    def start(self) -> None:
        """Begin an utterance."""
        self.abort()

    def feed(self, pcm: bytes) -> None:
        """Keep the next samples, up to 30 s of them, and decode what there is when it is time."""
        utterance = self._utterance
        heard = utterance.pcm
        room = MAX_BYTES - len(heard)
        heard += pcm[:room]
        if len(pcm) > room and not utterance.full:
            utterance.full = True
            log.warning(
                "%s hears %g s at once; the rest of the utterance is lost", self.name, MAX_S
            )
        if self._every and len(heard) - utterance.seen >= self._every:
            self._look()

    def partial(self) -> Transcript | None:
        """Return the newest words that two decodes agree on, or those of the decode ahead."""
        return self._utterance.partial

    def prepare(self) -> None:
        """Begin the decode that `finish` will ask for, unless one of all the speech is under way.

        Takes a few ms: it asks the silero model whether there was speech since the last call.
        """
        utterance = self._utterance
        if utterance.ahead is not None and not self._spoken_since(utterance.ahead):
            return
        utterance.call_off()
        utterance.ahead = self._submit(self._final)
        utterance.seen = utterance.ahead.length

    def finish(self) -> Transcript:
        """Return what was heard: of the decode ahead when only silence came after it, else anew."""
        utterance = self._utterance
        job = utterance.ahead
        if job is None or self._spoken_since(job):
            utterance.call_off()
            job = self._submit(self._final)
        self._utterance = _Utterance()
        try:
            return job.result.result() or self._nothing()
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"{self.name} failed on an utterance: {error}") from error

    def abort(self) -> None:
        """Throw away what was heard; a decode under way is not waited for."""
        self._utterance.call_off()
        self._utterance = _Utterance()

    def close(self) -> None:
        """Free the model, once a decode under way has ended."""
        self.abort()
        self._thread.shutdown(cancel_futures=True)
        self.window.close()

    def _look(self) -> None:
        """Begin a partial decode, unless there is one, or a final one that is still right."""
        utterance = self._utterance
        if utterance.look is not None and not utterance.look.result.done():
            return
        if (ahead := utterance.ahead) is not None and not ahead.result.done():
            if not self._spoken_since(ahead):
                return
            ahead.call_off()
            utterance.ahead = None
        since, utterance.seen = utterance.seen, len(utterance.pcm)
        utterance.look = self._submit(
            lambda utterance, pcm, off: self._glimpse(utterance, pcm, since, off)
        )

    def _submit(self, decode: Callable[[_Utterance, bytes, Event], Transcript | None]) -> _Job:
        """Queue a decode of all that was fed so far."""
        pcm = bytes(self._utterance.pcm[: len(self._utterance.pcm) & ~1])
        off = Event()
        return _Job(len(pcm), self._thread.submit(decode, self._utterance, pcm, off), off)

    def _spoken_since(self, job: _Job) -> bool:
        """Whether there was speech after what a decode has heard; under 64 ms nobody can tell."""
        return self.window.has_speech(bytes(self._utterance.pcm[job.length :]))

    # -- on the engine's thread -----------------------------------------------------------------

    def _glimpse(self, utterance: _Utterance, pcm: bytes, since: int, off: Event) -> None:
        """Decode once, fast, and publish what this and the decode before agree on."""
        if off.is_set() or not self.window.has_speech(pcm[since:]):
            return
        began_s = time.perf_counter()
        decoded = self.window.decode(
            pcm,
            self.window.windows_s(pcm)[0],
            self._expected.hint,
            best=1,
            max_tokens=self.options.partial_tokens,
            wanted=lambda: not off.is_set(),
        )
        took_ms = (time.perf_counter() - began_s) * 1000
        self._every = int(max(self.options.partial_every_ms, 2 * took_ms)) * BYTES_PER_MS
        if decoded is None or off.is_set():
            return
        heard = decoded.hypotheses[0]
        if self._silent(decoded, heard) or compression(heard.text) > self.options.max_compression:
            return
        if text := utterance.stable.push(heard.text):
            found = self._transcript(text, decoded.language, heard)
            utterance.partial = replace(found, final=False)

    def _final(self, utterance: _Utterance, pcm: bytes, off: Event) -> Transcript | None:
        """Decode as well as possible: once more with all of Whisper's window when it went wrong."""
        if off.is_set() or len(pcm) < MIN_BYTES or not self.window.has_speech(pcm):
            return None
        for window_s in self.window.windows_s(pcm):
            decoded = self.window.decode(
                pcm,
                window_s,
                self._expected.hint,
                best=self.options.beam_size,
                wanted=lambda: not off.is_set(),
            )
            if decoded is None:
                break
            if sane := [h for h in decoded.hypotheses if self._sane(h)]:
                found = self._believed(decoded, sane)
                if found.text and not off.is_set():
                    utterance.stable.push(found.text)
                    utterance.partial = replace(found, final=False)
                return found
        return None

    def _sane(self, hypothesis: Hypothesis) -> bool:
        """Whether a text is no loop: it has come to an end, and does not repeat itself."""
        return not hypothesis.cut and compression(hypothesis.text) <= self.options.max_compression

    def _believed(self, decoded: Decoded, sane: Sequence[Hypothesis]) -> Transcript:
        """Choose among hypotheses; nothing when it is unsure and is silence or cannot be said."""
        chosen, sayable = choose(sane, self._expected.sayable, self.options.bonus)
        unsure = chosen.mean < self.options.min_log_probability and not sayable
        if unsure or self._silent(decoded, chosen) or not UNIT.search(chosen.text):
            return self._nothing(decoded.language)
        return self._transcript(chosen.text, decoded.language, chosen)

    def _silent(self, decoded: Decoded, hypothesis: Hypothesis) -> bool:
        """Whether the model says that there was no speech, and is not sure of any."""
        return (
            decoded.no_speech > self.options.max_no_speech
            and hypothesis.mean < self.options.min_log_probability
        )

    def _transcript(self, text: str, language: str, heard: Hypothesis) -> Transcript:
        return Transcript(text, language, min(1.0, math.exp(heard.mean)), engine=self.name)

    def _nothing(self, language: str | None = None) -> Transcript:
        return Transcript("", language or self.options.language or "en", 0.0, engine=self.name)
