"""Sessions: record one to a file, and see later whether the agent still answers the same.

A file is JSON lines. The first is a header that says in plain words what the file holds; then come,
each with `at_ms`, the inputs (`typed`, or `sound`: base64 of 16 kHz mono int16 PCM), what the model
answered (`model`), every `turn` as `glasses say --json` prints it, and every `frame`. Recording
happens only when it is asked for: the file holds speech, transcripts and amounts in the clear.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from agent import private
from agent.config import CHOICES
from agent.errors import Cancelled, GlassesError
from agent.listen.transcriber import Transcriber
from agent.loop.agent import Agent, AgentOptions
from agent.messages import CancelScope
from agent.models.llm.model import Model, Prompt, ScriptedModel, leaves
from agent.plugins.skills import Skills
from agent.testing.clock import BEGINS, VirtualClock
from agent.testing.conversation import Conversation, Doubles
from agent.testing.doubles import ScriptedTranscriber, VirtualLocation
from agent.turn import Turn
from agent.version import __version__
from hardware import profiles, reading
from hardware.base import (
    SAMPLE_BYTES,
    AudioChunk,
    Display,
    DisplayProfile,
    Frame,
    Microphone,
    Place,
)
from hardware.display import MemoryDisplay
from hardware.recorder import GifDisplay
from hardware.speaker import NoSpeaker, VirtualSpeaker

FORMAT = 1
"""Version of the file format."""

NOTICE = (
    "Recorded because the wearer asked for it. This file holds what was said, as text or as sound,"
    " and every answer, amounts and names included, in the clear. Share it with care."
)

SOUND_S = 1.0
"""How much sound goes into one line."""

LAST_S = 4.0
"""How long a film goes on after the last thing that was said."""

MOST_BYTES = 1 << 28
"""Largest file that is read, 256 MiB: two hours of sound."""

MOST_LINE_BYTES = 1 << 22
"""Longest line, 4 MiB; a second of sound takes 43 kB."""

LONGEST_MS = 30 * 86_400_000.0
"""Latest that something is recorded at: a month after the beginning."""

EARLIEST, LATEST = 1970, 9000
"""Years that a clock can show; one without power begins in the first."""

COMPARED = ("transcript", "intent", "reply", "error")
"""Keys of a turn that a replay has to give again; times and engines may differ."""


class SessionError(GlassesError):
    """A session's file cannot be written or read; the message names file, line and reason."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a session was recorded with, and what a replay needs to be the same."""

    profile: str = "quark-s1"
    """Display profile."""
    language: str = "auto"
    """As in AgentOptions."""
    plugins: tuple[str, ...] = ()
    """Plugins given by name, besides the installed ones."""
    place: Place | None = None
    """Where the wearer stood, if known."""
    speaker: bool = True
    """Whether there was a sound device."""


class Recorder:
    """Writes one session; `close` it at the end. Everything it wraps works as before.

    `follow` an agent; then wrap its `microphone`, or give each line to `typed`, and each turn to
    `turn`.
    """

    def __init__(
        self, path: Path, setting: Setting, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin the file. Raises SessionError when it cannot be written, or holds something."""
        self.path = path
        self._clock = clock
        self._began_s = clock()
        self._lock = threading.Lock()  # a model answers in a worker thread
        try:
            # The wearer's own business; and what was recorded before is not written over.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._file: TextIO = os.fdopen(descriptor, "w", encoding="utf-8", errors="replace")
            begun = os.fstat(descriptor).st_size
            private.close(path)
        except OSError as error:
            raise SessionError(f"cannot record to {path}: {error.strerror}") from error
        if begun:
            self._file.close()
            raise SessionError(
                f"cannot record to {path}: it holds something already; name another file,"
                " or remove it first"
            )
        place = setting.place
        self._write(
            {
                "glasses_session": FORMAT,
                "notice": NOTICE,
                "version": __version__,
                "recorded": datetime.now().astimezone().isoformat(timespec="seconds"),
                "profile": setting.profile,
                "language": setting.language,
                "plugins": list(setting.plugins),
                "speaker": setting.speaker,
                "place": None if place is None else [place.lat, place.lon, place.heading_deg],
            }
        )

    def typed(self, text: str, language: str | None = None) -> None:
        """Take down a line that was typed."""
        self._event("typed", {"text": text, "language": language})

    def turn(self, turn: Turn) -> None:
        """Take down what came of an utterance."""
        self._event("turn", turn.as_json())

    def microphone(self, microphone: Microphone) -> Microphone:
        """Take down what a microphone hears."""
        return _RecordedMicrophone(microphone, self)

    def follow(self, agent: Agent) -> None:
        """Take down what an agent shows, and what its model answers."""
        shown = _RecordedDisplay(agent.devices.display, self)
        agent.devices = replace(agent.devices, display=shown)
        agent.model = _RecordedModel(agent.model, self)

    def close(self) -> None:
        """End the file."""
        with self._lock:
            self._file.close()

    def _event(self, kind: str, what: Any) -> None:
        self._write({"at_ms": round((self._clock() - self._began_s) * 1000, 1), kind: what})

    def _write(self, record: dict[str, Any]) -> None:
        with self._lock:
            if self._file.closed:  # a thread that was left behind still answers
                return
            try:
                self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
                self._file.flush()
            except OSError as error:
                raise SessionError(f"cannot record to {self.path}: {error.strerror}") from error


class _RecordedMicrophone:
    def __init__(self, microphone: Microphone, recorder: Recorder) -> None:
        self.name = microphone.name
        self._microphone = microphone
        self._recorder = recorder

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        pcm = bytearray()
        try:
            async with aclosing(self._microphone.chunks()) as chunks:
                async for chunk in chunks:
                    pcm += chunk.pcm
                    if len(pcm) >= SOUND_S * 32_000:
                        self._put(pcm)
                    yield chunk
        finally:
            self._put(pcm)

    def _put(self, pcm: bytearray) -> None:
        if pcm:
            self._recorder._event("sound", base64.b64encode(pcm).decode("ascii"))
            pcm.clear()

    def now_ms(self) -> float:
        return self._microphone.now_ms()


class _RecordedDisplay:
    def __init__(self, display: Display, recorder: Recorder) -> None:
        self.profile: DisplayProfile = display.profile
        self._display = display
        self._recorder = recorder

    def show(self, frame: Frame) -> None:
        self._display.show(frame)
        lines = [line.text for line in frame.lines]
        shown = {"page": frame.page, "pages": frame.pages, "lines": lines}
        self._recorder._event("frame", shown)

    def clear(self) -> None:
        self._display.clear()
        self._recorder._event("frame", None)


class _Filmed(MemoryDisplay):
    """A display that is filmed."""

    def __init__(self, profile: DisplayProfile, film: Display) -> None:
        super().__init__(profile)
        self._film = film

    def show(self, frame: Frame) -> None:
        super().show(frame)
        self._film.show(frame)

    def clear(self) -> None:
        super().clear()
        self._film.clear()


class _RecordedModel:
    def __init__(self, model: Model, recorder: Recorder) -> None:
        self.name = model.name
        self.remote = leaves(model)
        self._model = model
        self._recorder = recorder

    def complete(
        self,
        prompt: Prompt,
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> str:
        answer = self._model.complete(
            prompt, max_tokens=max_tokens, timeout_s=timeout_s, cancel=cancel
        )
        self._recorder._event("model", answer)
        return answer

    def stream(
        self,
        prompt: Prompt,
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> Iterator[str]:
        pieces = self._model.stream(
            prompt, max_tokens=max_tokens, timeout_s=timeout_s, cancel=cancel
        )

        def taken() -> Iterator[str]:
            answer = ""
            try:
                for piece in pieces:
                    answer += piece
                    yield piece
            except Cancelled:  # begun ahead, and the wearer went on: a replay begins it too
                self._recorder._event("model", answer)
                raise
            self._recorder._event("model", answer)

        return taken()

    def json(
        self,
        prompt: Prompt,
        schema: Mapping[str, Any],
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> dict[str, Any]:
        answer = self._model.json(
            prompt, schema, max_tokens=max_tokens, timeout_s=timeout_s, cancel=cancel
        )
        self._recorder._event("model", answer)
        return answer

    def close(self) -> None:
        self._model.close()


@dataclass(frozen=True, slots=True)
class Session:
    """A recorded session, read back."""

    setting: Setting
    """What it was recorded with."""
    inputs: tuple[tuple[float, dict[str, Any] | bytes], ...]
    """What was typed (`text`, `language`) or heard (PCM, as one piece), and when in ms."""
    turns: tuple[dict[str, Any], ...]
    """What came of it, as JSON."""
    answers: tuple[str | dict[str, Any], ...] = ()
    """What the model said, in order."""
    began: datetime = BEGINS
    """Wall time at its beginning, in the time zone of the recording machine."""
    cut: int = 0
    """Number of the last line, where it is not whole and was left out; 0 where all are."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay gave."""

    turns: tuple[dict[str, Any], ...]
    """The turns, as JSON."""
    differences: tuple[str, ...] = field(default=())
    """One line for each thing that is not as recorded: `turn 2: intent: …`."""


def read(path: Path) -> Session:
    """Read a session. Raises SessionError with every line that is wrong, by its number.

    A last line that was cut, by a crash or an empty battery, is left out; `Session.cut` says so.
    """
    lines, torn = _lines(path)
    draft = _Draft()
    faults: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            draft.add(_record(line))
        except reading.Unreadable as error:
            faults.append((number, str(error)))
            if draft.setting is None:  # what follows means nothing without a header
                break
    if draft.setting is None and not faults:
        raise SessionError(f"{path} is empty: {_RECORD_ONE}")
    if faults:
        (number, reason), *others = faults
        also = f"; line {', '.join(str(n) for n, _ in others[:20])} too" if others else ""
        raise SessionError(
            f"{path}:{number}: this is not a recorded session ({reason}{also}); {_RECORD_ONE}"
        )
    return draft.session(cut=len(lines) + 1 if torn else 0)


def _lines(path: Path) -> tuple[list[bytes], bool]:
    """Return the lines that are whole, and whether one more was begun. Raises SessionError."""
    try:
        with path.open("rb") as file:
            raw = reading.limited(file, MOST_BYTES)
    except OSError as error:
        raise SessionError(f"cannot read the session {path}: {error.strerror}") from error
    except reading.Unreadable as error:
        raise SessionError(f"cannot read the session {path}: {error}") from None
    *lines, last = raw.rstrip(b"\0").split(b"\n")  # some disks give zeros after a loss of power
    if not last.strip():
        if not lines:
            raise SessionError(f"{path} is empty: {_RECORD_ONE}")
        return lines, False
    try:
        _record(last)
    except reading.Unreadable:
        if lines:
            return lines, True
    return [*lines, last], False


_RECORD_ONE = "record one with `glasses repl --record FILE`"


def _record(line: bytes) -> dict[str, Any]:
    """Return what one line holds. Raises Unreadable."""
    if len(line) > MOST_LINE_BYTES:
        raise reading.Unreadable(f"it is longer than {MOST_LINE_BYTES:,} bytes")
    record = reading.from_json(reading.decode(line))
    if not isinstance(record, dict):
        raise reading.Unreadable("it is not an object")
    return record


class _Draft:
    """A session as far as it was read; every value that a replay uses is looked at."""

    def __init__(self) -> None:
        self.setting: Setting | None = None
        self.began = BEGINS
        self.inputs: list[tuple[float, dict[str, Any] | bytearray]] = []
        self.turns: list[dict[str, Any]] = []
        self.answers: list[str | dict[str, Any]] = []

    def add(self, record: dict[str, Any]) -> None:
        """Take one line. Raises Unreadable."""
        if self.setting is None:
            self.setting, self.began = _header(record)
        elif "typed" in record:
            self.inputs.append((_at_ms(record), _typed(record["typed"])))
        elif "sound" in record:
            at_ms, pcm = _at_ms(record), _sound(record["sound"])
            if self.inputs and isinstance(last := self.inputs[-1][1], bytearray):
                last += pcm
            else:
                self.inputs.append((at_ms, bytearray(pcm)))
        elif "turn" in record:
            self.turns.append(_turn(record["turn"]))
        elif "model" in record:
            self.answers.append(_one(record, "model", str, dict))

    def session(self, cut: int) -> Session:
        """Return it as it was read; a header was taken."""
        assert self.setting is not None
        inputs = (
            (at_ms, bytes(given) if isinstance(given, bytearray) else given)
            for at_ms, given in self.inputs
        )
        return Session(
            self.setting, tuple(inputs), tuple(self.turns), tuple(self.answers), self.began, cut
        )


def _one(record: Any, key: str, *kinds: type | None) -> Any:
    """Return the value of a key, which must be of one of the kinds. Raises Unreadable."""
    if not isinstance(record, dict) or key not in record:
        raise reading.Unreadable(f"{key} is missing")
    value = record[key]
    if not any(value is None if kind is None else type(value) is kind for kind in kinds):
        raise reading.Unreadable(f"{key} cannot be {reading.shown(value)}")
    return value


def _header(record: dict[str, Any]) -> tuple[Setting, datetime]:
    version = _one(record, "glasses_session", int)
    if version != FORMAT:
        raise reading.Unreadable(f"format {version}, this version reads {FORMAT}")
    profile = _one(record, "profile", str)
    if profile not in profiles.names():  # a name: a recording reads no file
        raise reading.Unreadable(f"display profile {reading.shown(profile)} is not known")
    plugins = _one(record, "plugins", list)
    if not all(isinstance(plugin, str) for plugin in plugins):
        raise reading.Unreadable("plugins are not texts")
    setting = Setting(
        profile,
        _language(record, *CHOICES["language"]),
        tuple(plugins),
        _place(_one(record, "place", list, None)),
        _one(record, "speaker", bool),
    )
    return setting, _began(_one(record, "recorded", str))


def _language(record: Any, *known: str | None) -> Any:
    language = _one(record, "language", str, None)
    if language not in known:
        raise reading.Unreadable(f"language cannot be {reading.shown(language)}")
    return language


def _place(given: list[Any] | None) -> Place | None:
    if given is None:
        return None
    bounds = (90.0, 180.0, 360.0)
    if len(given) != 3 or not all(
        type(value) in (int, float) and abs(value) <= most
        for value, most in zip(given, bounds, strict=True)
    ):
        raise reading.Unreadable(f"place cannot be {reading.shown(given)}")
    lat, lon, heading_deg = map(float, given)
    return Place(lat, lon, heading_deg, simulated=True)


def _began(text: str) -> datetime:
    try:
        began = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise reading.Unreadable(f"recorded cannot be {reading.shown(text)}") from None
    if not EARLIEST <= began.year <= LATEST:
        raise reading.Unreadable(f"recorded cannot be in the year {began.year}")
    return began


def _at_ms(record: dict[str, Any]) -> float:
    at_ms = _one(record, "at_ms", int, float)
    if not 0 <= at_ms <= LONGEST_MS:
        raise reading.Unreadable(f"at_ms cannot be {reading.shown(at_ms)}")
    return float(at_ms)


def _typed(said: Any) -> dict[str, Any]:
    text = _one(said, "text", str)
    return {"text": text, "language": _language(said, None, *CHOICES["language"])}


def _sound(said: Any) -> bytes:
    try:
        pcm = base64.b64decode(said, validate=True)
    except (ValueError, TypeError):
        raise reading.Unreadable("sound is not base64") from None
    if not pcm or len(pcm) % SAMPLE_BYTES:
        raise reading.Unreadable("sound is empty, or ends within a sample")
    return pcm


def _turn(turn: Any) -> dict[str, Any]:
    return {
        "transcript": _one(turn, "transcript", str),
        "intent": _one(turn, "intent", dict, None),
        "reply": _one(turn, "reply", dict, None),
        "error": _one(turn, "error", str, None),
        "source": _one(turn, "source", str),
    }


def replay(
    path: Path,
    folder: Path,
    transcriber: Transcriber | None = None,
    skills: Skills | None = None,
    film: Path | None = None,
    models: Path | None = None,
) -> Replay:
    """Give the inputs of a session to a new agent, on virtual time, and compare turn by turn.

    `folder` is where that agent stores things, best an empty one: nothing of the user's own is
    touched, but skills do what they do. Sound is heard by `transcriber`; without one the recorded
    transcripts are taken. `skills` default to those installed now: a recording is data, and the
    plugins that it names are not loaded. What the recorded model answered is answered again. `film`
    is a GIF to write of the lens, `models` the folder of models that the recording agent had.

    Raises DeviceError where the film cannot be written, SessionError for a bad file.
    """
    session = read(path)
    setting = session.setting
    if skills is None:
        skills = Skills.discover()
    clock = VirtualClock()
    shown: Display = MemoryDisplay(profiles.load(setting.profile))
    if film is not None:
        filmed = GifDisplay(film, shown.profile, lambda: clock.time() * 1000)
        shown = _Filmed(filmed.profile, filmed)
    heard = [turn["transcript"] for turn in session.turns if turn["source"] != "text"]
    conversation = Conversation(
        skills,
        folder,
        Doubles(
            clock=clock,
            model=ScriptedModel(session.answers),
            transcriber=transcriber or ScriptedTranscriber(heard),
            display=shown,
            speaker=VirtualSpeaker(clock=clock.time) if setting.speaker else NoSpeaker(),
            location=VirtualLocation(setting.place) if setting.place else None,
        ),
        AgentOptions(language=setting.language, models=models),
    )
    clock.set(session.began)
    try:
        for at_ms, given in session.inputs:
            clock.advance(max(0.0, at_ms / 1000 - clock.time()))
            if isinstance(given, bytes):
                conversation.listen(given)
            else:
                conversation(given["text"], given["language"])
        if film is not None:
            clock.advance(LAST_S)
            filmed.save()
    finally:
        conversation.close()
    turns = tuple(exchange.turn.as_json() for exchange in conversation.exchanges)
    compared = turns[: len(session.turns)] if session.cut else turns
    return Replay(turns, tuple(_differences(session.turns, compared)))


def _differences(
    recorded: Sequence[dict[str, Any]], again: Sequence[dict[str, Any]]
) -> Iterator[str]:
    for number, (old, new) in enumerate(zip(recorded, again, strict=False), 1):
        for key in COMPARED:
            if old[key] != new[key]:
                yield f"turn {number}: {key}: {_short(old[key])} → {_short(new[key])}"
    if len(recorded) != len(again):
        yield f"{len(recorded)} turns were recorded, {len(again)} came now"


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
