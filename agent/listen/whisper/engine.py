"""Recognition by Whisper through faster-whisper, for free speech and for Chinese.

Used when a CTranslate2 Whisper model is on disk; nothing is ever downloaded from here. While speech
is fed, a thread of the engine's own decodes the growing utterance now and then for `partial`, and
from `prepare` on as well as it can for `finish`, which then has little or nothing left to wait for.
"""

from __future__ import annotations

import logging
import math
import os
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

from agent.derive import grammar
from agent.derive.example import examples
from agent.derive.nearest import Nearest
from agent.errors import EngineError
from agent.language.saying import Saying
from agent.language.text import language_of, simplified
from agent.listen.whisper.fusion import Fitted, Said, fuse, retold, worth_telling
from agent.listen.whisper.stable import UNIT, StablePrefix
from agent.listen.whisper.window import (
    MAX_S,
    SAMPLE_BYTES,
    SAMPLE_RATE_HZ,
    Decoded,
    Hypothesis,
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
OVERLAP_BYTES = 200 * BYTES_PER_MS
"""How much silence is looked at again with what follows it: speech may have begun in it."""


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


TOLD = frozenset({"en"})
"""Languages in which it is told what can be said: Chinese commands were not there to measure."""

BESIDE_A_GRAMMAR = WhisperOptions(partial_every_ms=0)
"""For an engine that decides only what a grammar cannot: the partial texts are the grammar's."""


def languages(folder: Path) -> frozenset[str]:
    """Return what a model understands, by the name of its folder."""
    return frozenset({"en"} if folder.name.endswith(".en") else {"en", "zh"})


@dataclass(frozen=True, slots=True)
class Written:
    """What Whisper made of an utterance."""

    versions: tuple[Hypothesis, ...] = ()
    """What it may be, the likeliest first; empty where there was no speech, or only nonsense."""
    language: str = "en"
    """`en` or `zh`."""
    told: tuple[Hypothesis, ...] = ()
    """The same where it was told what can be said: believed only where that is a sentence."""

    @property
    def confidence(self) -> float:
        """How sure Whisper is of the words of the likeliest, 0 … 1."""
        return min(1.0, math.exp(self.versions[0].mean)) if self.versions else 0.0


@dataclass(frozen=True, slots=True)
class _Job:
    """A decode on the engine's thread."""

    length: int
    """Bytes of the utterance that it decodes."""
    result: Future[Written | None]
    """What it heard; None when it was called off, or heard nothing new."""
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
    told: _Job | None = None
    """The one whose text `partial` is."""
    quiet: int = 0
    """Bytes up to which nothing but silence came after that."""

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
        self._sayings: Sequence[Saying] = ()
        self._sentences: dict[str, Nearest] = {}
        self._examples: dict[str, str] = {}
        self._every = int(self.options.partial_every_ms) * BYTES_PER_MS
        self._utterance = _Utterance()

    def expect(self, sayings: Sequence[Saying]) -> None:
        """Prefer what `sayings` allow, from the next decode on; anything can still be heard."""
        grammar.build(sayings)  # says what is wrong with them
        self._sayings, self._sentences, self._examples = sayings, {}, {}
        self._thread.submit(self.nearest, "en")  # before the next decode, and beside the caller
        self._thread.submit(self.nearest, "zh")
        for language in TOLD:
            self._thread.submit(self.examples, language)

    def nearest(self, language: str) -> Nearest:
        """Return what can be said in a language, by its sound. Raises SentenceError."""
        known = self._sentences  # another one once something else is expected
        if language not in known:
            chinese = language == "zh"
            known[language] = Nearest(
                [s for s in self._sayings if (language_of(s.template) == "zh") == chinese]
            )
        return known[language]

    def examples(self, language: str) -> str:
        """Return some of what can be said in a language, with free words in it."""
        known = self._examples
        if language not in known:
            known[language] = " ".join(examples(self._sayings, language))
        return known[language]

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
        utterance = self._utterance
        written = self.ready
        if written is not None and utterance.ahead is not utterance.told:
            heard = self.heard(written, self.fused(None, written))
            utterance.told = utterance.ahead
            utterance.partial = replace(heard, final=False) if heard.text else utterance.partial
        return utterance.partial

    def prepare(self) -> None:
        """Begin the decode that `finish` will ask for, unless one of all the speech is under way.

        Takes a few ms: it asks the silero model whether there was speech since the last call.
        """
        utterance = self._utterance
        if utterance.ahead is not None and not self._spoken_since(utterance.ahead):
            return
        utterance.call_off()
        utterance.ahead = self._submit(self._final)
        utterance.seen = utterance.quiet = utterance.ahead.length

    def finish(self) -> Transcript:
        """Return what was heard: of the decode ahead when only silence came after it, else anew."""
        written = self.written()
        return self.heard(written, self.fused(None, written))

    @property
    def ready(self) -> Written | None:
        """What the decode ahead has heard; None before it is done, or once there is more speech."""
        job = self._utterance.ahead
        if job is None or not job.result.done() or job.off.is_set() or self._spoken_since(job):
            return None
        return None if job.result.exception() else job.result.result()

    def written(self, timeout_s: float | None = None) -> Written:
        """End the utterance and return what Whisper wrote, as `finish` does.

        Raises TimeoutError after `timeout_s`, and EngineError.
        """
        utterance = self._utterance
        job = utterance.ahead
        if job is None or self._spoken_since(job):
            utterance.call_off()
            job = self._submit(self._final)
        self._utterance = _Utterance()
        try:
            return job.result.result(timeout_s) or self._nothing()
        except TimeoutError:
            job.call_off()
            raise
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"{self.name} failed on an utterance: {error}") from error

    def fused(self, fitted: Fitted | None, written: Written) -> Said | None:
        """Return the sentence that this and a grammar engine come to; None where it is none."""
        if not written.versions:
            return None
        nearest = self.nearest(written.language)
        said = fuse(fitted, written.versions, nearest)
        if not written.told or (said is not None and not said.free):
            return said
        return retold(written.versions, written.told, nearest) or said

    def heard(self, written: Written, said: Said | None) -> Transcript:
        """Return the sentence that was said, or else the words as they were written.

        Nothing where Whisper is unsure, or where they are no sentence.
        """
        if said is not None:
            return Transcript(said.text, written.language, said.confidence, engine=self.name)
        text = shown(written.versions[0].text) if written.versions else ""
        text = simplified(text) if written.language == "zh" else text
        unsure = not text or written.versions[0].mean < self.options.min_log_probability
        if unsure or not is_sentence(text):
            return Transcript("", written.language, 0.0, engine=self.name)
        return Transcript(text, written.language, written.confidence, engine=self.name)

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

    def _submit(self, decode: Callable[[_Utterance, bytes, Event], Written | None]) -> _Job:
        """Queue a decode of all that was fed so far."""
        pcm = bytes(self._utterance.pcm[: len(self._utterance.pcm) & ~1])
        off = Event()
        return _Job(len(pcm), self._thread.submit(decode, self._utterance, pcm, off), off)

    def _spoken_since(self, job: _Job) -> bool:
        """Whether there was speech after what a decode has heard; under 64 ms nobody can tell."""
        utterance = self._utterance
        begin = max(job.length, utterance.quiet - OVERLAP_BYTES)
        if self.window.has_speech(bytes(utterance.pcm[begin:])):
            return True
        utterance.quiet = len(utterance.pcm)
        return False

    # -- on the engine's thread -----------------------------------------------------------------

    def _glimpse(self, utterance: _Utterance, pcm: bytes, since: int, off: Event) -> None:
        """Decode once, fast, and publish what this and the decode before agree on."""
        if off.is_set() or not self.window.has_speech(pcm[since:]):
            return
        began_s = time.perf_counter()
        decoded = self.window.decode(
            pcm,
            self.window.windows_s(pcm)[0],
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
            confidence = min(1.0, math.exp(heard.mean))
            utterance.partial = Transcript(
                text, decoded.language, confidence, final=False, engine=self.name
            )

    def _final(self, utterance: _Utterance, pcm: bytes, off: Event) -> Written | None:
        """Decode as well as possible: once more with all of Whisper's window when it went wrong."""
        if off.is_set() or len(pcm) < MIN_BYTES or not self.window.has_speech(pcm):
            return None
        for window_s in self.window.windows_s(pcm):
            decoded = self.window.decode(
                pcm,
                window_s,
                best=self.options.beam_size,
                wanted=lambda: not off.is_set(),
            )
            if decoded is None:
                break
            if sane := self._sane_of(decoded):
                if self._silent(decoded, sane[0]):
                    return self._nothing(decoded.language)
                written = Written(tuple(sane), decoded.language)
                return replace(written, told=self._again(written, pcm, off))
        return None

    def _again(self, written: Written, pcm: bytes, off: Event) -> tuple[Hypothesis, ...]:
        """Decode once more, told what can be said, where that takes words of no list."""
        if written.language not in TOLD:
            return ()
        said = self.fused(None, written)
        told = self.examples(written.language)
        if off.is_set() or not told or (said is not None and not said.free):
            return ()
        if not worth_telling(written.versions[0], self.nearest(written.language)):
            return ()  # free speech, which would wait for it
        window_s = max(self.options.told_window_s, self.window.windows_s(pcm)[0])
        decoded = self.window.decode(
            pcm,
            window_s,
            best=self.options.beam_size,
            wanted=lambda: not off.is_set(),
            told=lambda language: told if language == written.language else "",
        )
        if decoded is None or decoded.language != written.language:
            return ()
        return tuple(self._sane_of(decoded))

    def _sane_of(self, decoded: Decoded) -> list[Hypothesis]:
        """Return what is no nonsense, said once."""
        told = [replace(h, text=once(h.text)) for h in decoded.hypotheses]
        return [h for h in told if self._sane(h)]

    def _sane(self, hypothesis: Hypothesis) -> bool:
        """Whether a text has words and is no loop: it came to an end, and does not repeat."""
        repeats = compression(hypothesis.text) > self.options.max_compression
        return not hypothesis.cut and not repeats and bool(UNIT.search(hypothesis.text))

    def _silent(self, decoded: Decoded, hypothesis: Hypothesis) -> bool:
        """Whether the model says that there was no speech, and is not sure of any."""
        return (
            decoded.no_speech > self.options.max_no_speech
            and hypothesis.mean < self.options.min_log_probability
        )

    def _nothing(self, language: str | None = None) -> Written:
        return Written((), language or self.options.language or "en")


def is_sentence(text: str) -> bool:
    """Whether free speech is more than one word, and was not cut off in its midst.

    A word alone is heard in any noise, and what can be said with one is in the grammar.
    """
    return len(UNIT.findall(text)) > 1 and not text.endswith(("...", "…"))


def once(text: str) -> str:
    """Return a text that says the same twice as one that says it once.

    In a window that is longer than the speech Whisper goes on, and has nothing else to write.
    """
    units = list(UNIT.finditer(text))
    words = [unit[0].casefold() for unit in units]
    half = len(words) // 2
    if not half or words[:half] != words[half:]:
        return text
    return text[: units[half].start()].rstrip(" ,;，；")


def shown(text: str) -> str:
    """Return a text as it is shown: no full stop at the end of a single sentence."""
    text = text.strip()
    ends = text[-1:] in (".", "。") and not text.endswith("..")
    return text[:-1].rstrip() if ends and not re.search(r"[.!?。！？]\s*\S", text[:-1]) else text
