"""Sessions: record one to a file, and see later whether the agent still answers the same.

A file is JSON lines. The first is a header that says in plain words what the file holds; then come,
each with `at_ms`, the inputs (`typed`, or `sound`: base64 of 16 kHz mono int16 PCM), what the model
answered (`model`), every `turn` as `glasses say --json` prints it, and every `frame`. Recording
happens only when it is asked for: the file holds speech, transcripts and amounts in the clear.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from agent import __version__
from agent.errors import GlassesError
from agent.listen.asr import Transcriber
from agent.llm.model import CancelScope, Model, ScriptedModel
from agent.loop import Agent, AgentOptions
from agent.plugins import Skills
from agent.testing.clock import BEGINS, VirtualClock
from agent.testing.conversation import Conversation, Doubles
from agent.testing.doubles import ScriptedTranscriber, VirtualLocation
from agent.turn import Turn
from hardware.base import AudioChunk, Display, DisplayProfile, Frame, Microphone, Place
from hardware.display import MemoryDisplay
from hardware.profiles import load as load_profile
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
        """Begin the file, over an older one. Raises SessionError when it cannot be written."""
        self.path = path
        self._clock = clock
        self._began_s = clock()
        self._lock = threading.Lock()  # a model answers in a worker thread
        try:
            path.touch(mode=0o600)  # the wearer's own business
            self._file: TextIO = path.open("w", encoding="utf-8")
        except OSError as error:
            raise SessionError(f"cannot record to {path}: {error.strerror}") from error
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
        self._model = model
        self._recorder = recorder

    def complete(
        self,
        prompt: str,
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
        prompt: str,
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
            for piece in pieces:
                answer += piece
                yield piece
            self._recorder._event("model", answer)

        return taken()

    def json(
        self,
        prompt: str,
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


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay gave."""

    turns: tuple[dict[str, Any], ...]
    """The turns, as JSON."""
    differences: tuple[str, ...] = field(default=())
    """One line for each thing that is not as recorded: `turn 2: intent: …`."""


def read(path: Path) -> Session:
    """Read a session. Raises SessionError with the line that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SessionError(f"cannot read the session {path}: {reason}") from error
    inputs: list[tuple[float, dict[str, Any] | bytes]] = []
    turns: list[dict[str, Any]] = []
    answers: list[str | dict[str, Any]] = []
    setting: Setting | None = None
    began = BEGINS
    for number, line in enumerate(text.splitlines(), 1):
        try:
            record = json.loads(line)
            if setting is None:
                setting = _setting(record)
                began = datetime.fromisoformat(record["recorded"]).replace(tzinfo=None)
            elif "typed" in record:
                said = record["typed"]
                inputs.append(
                    (record["at_ms"], {"text": said["text"], "language": said["language"]})
                )
            elif "sound" in record:
                pcm = base64.b64decode(record["sound"], validate=True)
                if inputs and isinstance(last := inputs[-1][1], bytes):
                    inputs[-1] = (inputs[-1][0], last + pcm)
                else:
                    inputs.append((record["at_ms"], pcm))
            elif "turn" in record:
                turns.append({key: record["turn"][key] for key in (*COMPARED, "source")})
            elif "model" in record:
                answers.append(record["model"])
        except (ValueError, TypeError, KeyError, binascii.Error) as error:
            raise SessionError(
                f"{path}:{number}: this is not a recorded session ({type(error).__name__}:"
                f" {error}); record one with `glasses repl --record FILE`"
            ) from None
    if setting is None:
        raise SessionError(f"{path} is empty: record a session with `glasses repl --record FILE`")
    return Session(setting, tuple(inputs), tuple(turns), tuple(answers), began)


def _setting(header: dict[str, Any]) -> Setting:
    if header["glasses_session"] != FORMAT:
        raise ValueError(f"format {header['glasses_session']}, this version reads {FORMAT}")
    place = header["place"]
    return Setting(
        header["profile"],
        header["language"],
        tuple(header["plugins"]),
        None if place is None else Place(place[0], place[1], place[2], simulated=True),
        bool(header["speaker"]),
    )


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
    transcripts are taken. `skills` default to those installed now and the plugins the file names.
    What the recorded model answered is answered again. `film` is a GIF to write of the lens.

    `models` is the folder of models that the recording agent had.

    Raises DeviceError where the film cannot be written, SessionError for a bad file, PluginError
    for a plugin that is missing.
    """
    session = read(path)
    setting = session.setting
    if skills is None:
        skills = Skills.discover(setting.plugins)
    clock = VirtualClock()
    shown: Display = MemoryDisplay(load_profile(setting.profile))
    if film is not None:
        filmed = GifDisplay(film, shown.profile, lambda: clock.time() * 1000)
        shown = _Filmed(shown.profile, filmed)
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
    return Replay(turns, tuple(_differences(session.turns, turns)))


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
