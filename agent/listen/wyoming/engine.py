"""Free speech by a Wyoming server, where a larger engine runs than glasses can carry.

It stands where Whisper does: alone, or beside a grammar engine (`agent.listen.whisper.pair`), which
hears commands without it. What was said goes out in the pause after it, over a connection of its
own, and everything has a time limit. A server that is away costs one line and that time once: from
then on the local engine hears, where there is one, and every half minute it is looked whether the
server is back.
"""

from __future__ import annotations

import logging
import math
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from threading import Event as Flag
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.derive import grammar
from agent.derive.nearest import Nearest
from agent.errors import ConfigError, EngineError
from agent.language.saying import Saying
from agent.language.text import language_of
from agent.listen.vad import FRAME_BYTES, WebRtcVad
from agent.listen.whisper.engine import MAX_BYTES, FasterWhisper, Written, is_sentence, shown
from agent.listen.whisper.fusion import Fitted, Said, fuse
from agent.listen.whisper.pair import Resting, free
from agent.listen.whisper.window import Hypothesis
from agent.listen.wyoming.frames import Frames, Malformed, written
from agent.messages import Transcript
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from wyoming.event import Eventable

log = logging.getLogger(__name__)

SCHEME = "wyoming"
"""What the address of a server begins with."""
CHUNK_BYTES = 3_200
"""Sound in one event, 100 ms."""
MOST_ANSWER = 4 << 20
"""Most bytes of an answer, whatever is in it."""
MOST_CHARACTERS = 500
"""Longest text that is believed to have been said within 30 s."""
MEAN = math.log(0.55)
"""Mean log probability of a word: the protocol tells none. It is under what a yes or a payment
wants, so a server alone pays nothing; beside the grammar engine both have to agree."""
FRAME = max(FRAME_BYTES)
SPOKEN_FRAMES = 7
"""So many frames of 30 ms with speech after what a request holds make another one: WebRTC's
detector goes on for 80 ms after the last syllable."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is."""

    host: str
    """Name or address."""
    port: int
    """TCP port."""

    @classmethod
    def of(cls, setting: str) -> Address:
        """Read `wyoming://HOST:PORT`. Raises ConfigError."""
        try:
            parts = urlsplit(setting)
            if parts.scheme == SCHEME and parts.hostname and parts.port and not parts.path:
                return cls(parts.hostname, parts.port)
        except ValueError:
            pass
        raise ConfigError(f"ears is {setting!r:.80}: write {SCHEME}://HOST:PORT")

    def __str__(self) -> str:
        """Write it as it is set."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{SCHEME}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class FarOptions:
    """How long a server is waited for."""

    connect_s: float = 1.0
    """Longest that a connection may take: it is in the same house."""
    answer_s: float = 6.0
    """Longest that an answer may take, from its connection on."""
    patience_s: float = 2.0
    """Longest that a turn waits for it once it is over: a pair waits 2.5 s, and the rest is for
    the local engine, if it is there."""
    retry_s: float = 30.0
    """After how long it is looked whether a server is back; twice as long each time that it was
    and failed again."""
    longest_retry_s: float = 600.0
    """But no longer than that."""


@dataclass(slots=True)
class _Job:
    """A request to the server."""

    length: int  # bytes of the utterance that it holds
    result: Future[Written]
    off: Flag  # set when nobody waits for it any more


@dataclass(slots=True)
class _Utterance:
    """What was fed since `start`, and who hears it."""

    pcm: bytearray = field(default_factory=bytearray)
    job: _Job | None = None
    """The last request to the server."""
    local: FasterWhisper | None = None
    """What stands in for the server."""


class Far:
    """A Transcriber on a Wyoming server; see `agent.listen.transcriber` for the contract."""

    def __init__(
        self,
        address: Address,
        language: str | None = None,
        local: Callable[[], FasterWhisper] | None = None,
        options: FarOptions = FarOptions(),
        tell: Callable[[str], None] = log.warning,
    ) -> None:
        """Hear with the server, in one language or as it likes; `local` builds what stands in.

        Nothing is asked of the server before something is said. What goes wrong is told in a line.
        """
        self.address = address
        self.options = options
        self.name = str(address)
        self.languages = frozenset({language} if language else {"en", "zh"})
        self._language = language
        self._local, self._tell = local, tell
        self._standing: Future[FasterWhisper] | None = None
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="wyoming")
        self._told: FasterWhisper | None = None  # the one that knows what can be said
        self._away_s: float | None = None  # when it was last found to be away
        self._retry_s = options.retry_s
        self._looking: Future[bool] | None = None
        self._sayings: Sequence[Saying] = ()
        self._sentences: dict[str, Nearest] = {}
        self._utterance = _Utterance()

    def expect(self, sayings: Sequence[Saying]) -> None:
        """Prefer what `sayings` allow; the server is not told of them, since names are in them."""
        grammar.build(sayings)  # says what is wrong with them
        self._sayings, self._sentences = sayings, {}
        if (local := self._stand_in()) is not None:
            local.expect(sayings)

    def ambient(self, pcm: bytes) -> None:
        """Nothing: the server hears speech alone."""

    def start(self) -> None:
        """Begin an utterance."""
        self.abort()
        self._look()
        if self._away_s is not None and (local := self._stand_in()) is not None:
            self._utterance.local = local
            local.start()

    def feed(self, pcm: bytes) -> None:
        """Keep the next samples, up to 30 s of them."""
        utterance = self._utterance
        utterance.pcm += pcm[: MAX_BYTES - len(utterance.pcm)]
        if utterance.local is not None:
            utterance.local.feed(pcm)

    def partial(self) -> Transcript | None:
        """Return what the request in a pause has come to."""
        ready = self.ready
        if ready is None:
            return None
        heard = self.heard(ready, self.fused(None, ready))
        return replace(heard, final=False) if heard.text else None

    def prepare(self) -> None:
        """Ask the server for what was said so far."""
        if self._utterance.local is not None:
            self._utterance.local.prepare()
        elif self._away_s is None:
            _call_off(self._utterance)
            self._utterance.job = self._ask(bytes(self._utterance.pcm))

    def finish(self) -> Transcript:
        """End the utterance; nothing is heard while a local engine is loaded.

        Raises EngineError where neither server nor local engine hears.
        """
        try:
            heard = self.written()
        except Resting:
            if self._standing is None:
                raise
            heard = Written()
        return self.heard(heard, self.fused(None, heard))

    @property
    def ready(self) -> Written | None:
        """What the request in a pause has come to; None before, or once there is more speech."""
        local, job = self._utterance.local, self._utterance.job
        if local is not None:
            return local.ready
        if job is None or not job.result.done() or _spoken_since(self._utterance, job):
            return None
        return None if job.result.exception() else job.result.result()

    def written(self, timeout_s: float | None = None) -> Written:
        """End the utterance and return what was written of it.

        Raises Resting where neither server nor local engine hears it, within `timeout_s`.
        """
        until_s = time.monotonic() + (timeout_s or self.options.answer_s)
        utterance, self._utterance = self._utterance, _Utterance()
        if utterance.local is not None:
            return utterance.local.written(timeout_s)
        if self._away_s is None:
            try:
                return self._answer(utterance, until_s)
            except (OSError, EngineError) as error:
                self._lost(_reason(error))
            finally:
                _call_off(utterance)
        if self._standing is not None:
            wait({self._standing}, max(0.0, until_s - time.monotonic()))
        local = self._stand_in()
        if local is None:
            raise Resting(f"{self.address} is away: say it again")
        local.start()
        local.feed(bytes(utterance.pcm))
        return local.written(max(0.1, until_s - time.monotonic()))

    def _answer(self, utterance: _Utterance, until_s: float) -> Written:
        """Return what the server makes of an utterance. Raises OSError or EngineError."""
        job = utterance.job
        if job is None or _spoken_since(utterance, job):
            _call_off(utterance)
            job = utterance.job = self._ask(bytes(utterance.pcm))
        limit_s = min(until_s - time.monotonic(), self.options.patience_s)
        answer = job.result.result(max(0.0, limit_s))
        self._retry_s = self.options.retry_s
        return answer

    def fused(self, fitted: Fitted | None, written: Written) -> Said | None:
        """Return the sentence that this and a grammar engine come to; None where it is none."""
        if not written.versions:
            return None
        chinese = written.language == "zh"
        if written.language not in self._sentences:
            said = [s for s in self._sayings if (language_of(s.template) == "zh") == chinese]
            self._sentences[written.language] = Nearest(said)
        return fuse(fitted, written.versions, self._sentences[written.language])

    def heard(self, written: Written, said: Said | None) -> Transcript:
        """Return the sentence that was said, or else the words as they were written."""
        if said is not None:
            return Transcript(said.text, written.language, said.confidence, engine=self.name)
        text = shown(written.versions[0].text) if written.versions else ""
        if not is_sentence(text):
            return Transcript("", written.language, 0.0, engine=self.name)
        return Transcript(text, written.language, written.confidence, engine=self.name)

    def abort(self) -> None:
        """Throw away what was heard; a request under way ends by itself."""
        utterance, self._utterance = self._utterance, _Utterance()
        _call_off(utterance)
        if utterance.local is not None:
            utterance.local.abort()

    def close(self) -> None:
        """Let go of the server, and of what stands in for it, once that is there."""
        self.abort()
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._standing is not None:
            self._standing.add_done_callback(free)

    # -- the server -------------------------------------------------------------------------------

    def _ask(self, pcm: bytes) -> _Job:
        off = Flag()
        return _Job(len(pcm), self._threads.submit(self._asked, pcm, off), off)

    def _asked(self, pcm: bytes, off: Flag) -> Written:
        """Have the server write down what was said. Raises OSError or EngineError."""
        if off.is_set():
            return Written()
        events = _talk(self.address, [*_spoken(pcm, self._language)], self.options, off)
        for kind, data in events:
            if kind == "transcript":
                return _written(data.get("text"), self._language or data.get("language"))
            if kind == "error":
                raise EngineError("it could not hear this")
        raise EngineError("it hung up without an answer")

    def _lost(self, why: str) -> None:
        """Hear without the server from now on, and say so once."""
        self._away_s = time.monotonic()
        meanwhile = "the local engine hears" if self._local else "only commands are heard"
        self._tell(f"{self.address}: {why}; meanwhile {meanwhile}")
        if self._local is not None and self._standing is None:
            self._standing = self._threads.submit(self._local)

    def _look(self) -> None:
        """See, beside everything else, whether a server that was away is back."""
        if self._away_s is None:
            return
        if self._looking is not None and self._looking.done():
            back, self._looking = self._looking.result(), None
            if back:
                self._away_s = None
                self._retry_s = min(2 * self._retry_s, self.options.longest_retry_s)
                self._tell(f"{self.address} is back")
                return
            self._away_s = time.monotonic()
        if self._looking is None and time.monotonic() - self._away_s >= self._retry_s:
            self._looking = self._threads.submit(self._is_there)

    def _is_there(self) -> bool:
        from wyoming.info import Describe

        try:
            told = _talk(self.address, [Describe()], self.options, Flag())
            return any(kind == "info" for kind, _ in told)
        except (OSError, EngineError):
            return False

    def _stand_in(self) -> FasterWhisper | None:
        """Return the local engine, once it is loaded."""
        standing = self._standing
        if standing is None or not standing.done():
            return None
        try:
            local = standing.result()
        except EngineError as error:
            self._standing, self._local = None, None
            self._tell(f"{error}; only commands are heard")
            return None
        if local is not self._told:
            self._told = local
            local.expect(self._sayings)
        return local


def _call_off(utterance: _Utterance) -> None:
    job, utterance.job = utterance.job, None
    if job is not None:
        job.off.set()
        job.result.cancel()


def _spoken_since(utterance: _Utterance, job: _Job) -> bool:
    """Whether there was speech after what a request holds."""
    rest, vad = bytes(utterance.pcm[job.length :]), WebRtcVad()
    frames = (rest[at : at + FRAME] for at in range(0, len(rest) - FRAME + 1, FRAME))
    return sum(map(vad.is_speech, frames)) >= SPOKEN_FRAMES


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _spoken(pcm: bytes, language: str | None) -> Iterator[Eventable]:
    from wyoming.asr import Transcribe
    from wyoming.audio import AudioChunk, AudioStart, AudioStop

    kind = SAMPLE_RATE_HZ, SAMPLE_BYTES, 1
    yield Transcribe(language=language)
    yield AudioStart(*kind)
    for at in range(0, len(pcm), CHUNK_BYTES):
        yield AudioChunk(*kind, pcm[at : at + CHUNK_BYTES])
    yield AudioStop()


def _talk(
    address: Address, said: Sequence[Eventable], options: FarOptions, off: Flag
) -> Iterator[tuple[str, dict[str, object]]]:
    """Send events and yield those that come back. Raises OSError or EngineError."""
    until_s = time.monotonic() + options.answer_s
    with socket.create_connection((address.host, address.port), options.connect_s) as line:
        line.settimeout(options.answer_s)  # of all that is sent
        line.sendall(b"".join(map(written, said)))
        frames, came = Frames(), 0
        while not off.is_set():
            line.settimeout(max(0.01, until_s - time.monotonic()))
            data = line.recv(64 << 10)
            came += len(data)
            if not data:
                return
            if came > MOST_ANSWER:
                raise EngineError(f"its answer is longer than {MOST_ANSWER:,} bytes")
            try:
                for event in frames.feed(data):
                    yield event.type, event.data
            except Malformed as error:
                raise EngineError(f"its answer is no Wyoming event: {error}") from None


def _written(text: object, language: object) -> Written:
    """Return what a server wrote, as far as it is believable. Raises EngineError."""
    if not isinstance(text, str):
        raise EngineError("its transcript has no text")
    words = "".join(c if c.isprintable() else " " for c in text[: 4 * MOST_CHARACTERS])
    words = " ".join(words.split())
    if len(words) > MOST_CHARACTERS:
        raise EngineError(f"its transcript is longer than {MOST_CHARACTERS} characters")
    known = language if language in ("en", "zh") else language_of(words)
    tokens = max(1, len(words.split()))
    versions = (Hypothesis(words, MEAN * tokens, tokens),) if words else ()
    return Written(versions, str(known))
