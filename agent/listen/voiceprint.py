"""Who speaks: the port of engines that know a voice, what is kept of it, and how a stream asks.

    glasses enroll ─▶ Voiceprint.enroll ─▶ one file in the data folder
    utterance ─▶ Voice.of ─▶ the probability that it was the wearer ─▶ Transcript.wearer

Nobody is known until `glasses enroll`. From then on whatever cannot be told, for want of speech, of
a whole file or of an engine, counts as `UNTOLD`, which opens nothing. A voice is never the only
lock: it can be recorded, and a yes is asked for all the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from agent import private
from agent.errors import EngineError

log = logging.getLogger(__name__)

UNTOLD = 0.5
"""The probability where nothing can be told: as likely as not."""
ASK_S = 4.0
"""Longest an engine may take over one utterance; the embedded one takes some 20 ms."""
FORMAT = "glasses-voiceprint-1"
AGAIN = "glasses enroll --voice again, or glasses enroll --forget"


@runtime_checkable
class Voiceprint(Protocol):
    """Tells one enrolled voice from all others.

    Sound is 16 kHz mono 16-bit. Every call may raise EngineError when the engine cannot go on.
    """

    name: str
    """What `glasses doctor` calls it, one word; a profile is good for the engine of this name."""

    def enroll(self, utterances: Sequence[bytes]) -> bytes:
        """Return a profile of the voice that speaks in all of these.

        Raises EngineError when there is too little speech, naming how much is needed.
        """
        ...

    def know(self, profile: bytes) -> None:
        """Take this voice, made by `enroll`, for the wearer's. Raises EngineError for any other."""
        ...

    def wearer(self, pcm: bytes) -> float | None:
        """Return how probably the known voice says this, 0 … 1; None when that cannot be told.

        Calibrated where the wearer and others are equally likely to speak.
        """
        ...


@dataclass(frozen=True, slots=True)
class Profile:
    """What was kept of the wearer's voice."""

    engine: str
    """Name of the engine that made it."""
    content: bytes
    """For that engine alone to read."""


def _file(data: Path) -> Path:
    return data / "enrolled" / "voiceprint"


def enrolled(data: Path) -> bool:
    """Return whether a voice was kept, damaged or not."""
    return _file(data).exists()


def keep(data: Path, profile: Profile) -> Path:
    """Keep a profile in the data folder, in place of an earlier one. Raises EngineError."""
    path = _file(data)
    body = f"{profile.engine}\n".encode() + profile.content
    head = f"{FORMAT} {hashlib.sha256(body).hexdigest()}\n".encode()
    try:
        private.write(path, head + body)
    except OSError as error:
        raise EngineError(f"{path} cannot be written: {error.strerror}") from None
    return path


def find(data: Path) -> Profile | None:
    """Return what was kept; None when nobody is enrolled. Raises EngineError for a damaged file."""
    path = _file(data)
    if not enrolled(data):
        return None
    try:
        private.close(path)
        head, _, body = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise EngineError(f"{path} cannot be read ({error.strerror}): {AGAIN}") from None
    kind, _, digest = head.decode("ascii", "replace").partition(" ")
    if kind != FORMAT and kind.startswith(FORMAT.rstrip("1")):
        raise EngineError(f"{path} is of another version ({kind[:40]}): {AGAIN}")
    if kind != FORMAT or digest != hashlib.sha256(body).hexdigest():
        raise EngineError(f"the voice kept in {path} is damaged: {AGAIN}")
    engine, _, content = body.partition(b"\n")
    return Profile(engine.decode("utf-8", "replace"), content)


def forget(data: Path) -> bool:
    """Remove what was kept; return whether there was anything. Raises EngineError."""
    there = enrolled(data)
    try:
        _file(data).unlink(missing_ok=True)
    except OSError as error:
        raise EngineError(f"{_file(data)} cannot be removed: {error.strerror}") from None
    return there


def known(engine: Voiceprint, data: Path) -> Voiceprint:
    """Let an engine know the voice that was kept. Raises EngineError where it cannot."""
    profile = find(data)
    if profile is None:
        raise EngineError(f"no voice is kept in {data}: glasses enroll --voice")
    if profile.engine != engine.name:
        raise EngineError(
            f"your voice was enrolled with {profile.engine}, and {engine.name} is in use: {AGAIN}"
        )
    engine.know(profile.content)
    return engine


class Voice:
    """Asks an engine who speaks, on a thread of its own."""

    def __init__(self, make: Callable[[], Voiceprint]) -> None:
        """`make` gives an engine that knows the wearer's voice, at once and on that thread.

        It raises EngineError where there is none; then nothing can be told from now on.
        """
        self._engine: Voiceprint | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="voice")
        self._thread.submit(self._load, make)

    async def of(self, pcm: bytes) -> float:
        """Return how probably the wearer says this; UNTOLD where that cannot be told."""
        # Through the loop, so that a loop with a clock of its own knows that there is work.
        asked = asyncio.get_running_loop().run_in_executor(self._thread, self._of, pcm)
        try:
            async with asyncio.timeout(ASK_S):
                return await asyncio.shield(asked)
        except TimeoutError:
            log.warning("who speaks was not told within %g s", ASK_S)
            return UNTOLD

    def _load(self, make: Callable[[], Voiceprint]) -> None:
        try:
            self._engine = make()
        except Exception as error:  # an engine may come from a plugin
            _warn(error)

    def _of(self, pcm: bytes) -> float:
        try:
            told = None if self._engine is None else self._engine.wearer(pcm)
        except Exception as error:  # an engine may come from a plugin
            _warn(error)
            return UNTOLD
        return told if told is not None and 0.0 <= told <= 1.0 else UNTOLD

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False)


def _warn(error: Exception) -> None:
    why = error if isinstance(error, EngineError) else f"the engine raised {type(error).__name__}"
    log.warning("who speaks cannot be told: %s", why)
