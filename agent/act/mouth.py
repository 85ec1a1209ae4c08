"""The mouth: what is said aloud of what is shown, sentence by sentence, and when it is silent.

    reply ─▶ sentences ─▶ voice ─▶ as loud as the place asks for ─▶ speaker

One speaker plays one file at a time: music is held while the agent speaks and goes on after it, and
an alarm comes before both, and says between its sounds what it is for. What comes by itself waits
until an answer is said, and is not said to somebody who does not want to be disturbed. What the
microphone hears meanwhile may be the agent itself, and so is
no utterance (`agent.loop.stream`); for that, what sounds is known here sample by sample.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal

from agent import private
from agent.act.schedule import sounds
from agent.language import aloud
from agent.language.said import said_in
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ, DeviceError, Devices, Speaker

log = logging.getLogger(__name__)

Mode = Literal["off", "on", "away"]
"""When answers are said: never, always, or only while nothing can be seen on the lens."""

ECHO_S = 0.4
"""How long after its last sample the agent may still be heard: what a sound device holds back, and
the room."""
POLL_S = 0.01
"""How often it is looked whether a sentence is over, and whether the wearer still speaks."""
MAKE_S = 8.0
"""Longest that a voice may take for a sentence; then the answer is only shown."""
SLACK_S = 1.0
"""How much longer than it lasts a sentence may take to be played."""
EARCON_S = 0.6
"""Longest that a sentence waits for an earcon."""
MOST_WAITING = 4
"""Texts that wait until an answer is said; more are only shown."""

QUIET, LOUD = 60.0, 2000.0
"""Mean amplitude of the surroundings, of 32,767, in a quiet room and on a loud street."""
SOFTLY_DB, LOUDLY_DB = -30.0, -14.0
"""How loud speech is there, of full scale: half a dB for each dB of noise, as people do (Lombard,
“Le signe de l'élévation de la voix”, 1911; 0.5 dB a dB by Lane and Tranel, 1971)."""
PLAINLY_DB = -22.0
"""How loud it is where nothing measures the surroundings."""


class Mouth:
    """Says answers for one agent; belongs to the thread of its loop."""

    def __init__(
        self,
        devices: Callable[[], Devices],
        folder: Path,
        mode: Mode,
        dark: Callable[[], bool],
        rings: Callable[[], bool],
    ) -> None:
        """Be silent; `folder` holds the sounds.

        `dark` says whether nothing can be seen on the lens, `rings` whether an alarm sounds.
        """
        self._devices, self._folder, self._dark, self._rings = devices, folder, dark, rings
        self.mode: Mode = mode
        """When answers are said; the wearer may change it by a word."""
        self.noise: Callable[[], float | None] = lambda: None
        """Mean amplitude of the surroundings; None while nothing is heard."""
        self.waits: Callable[[], bool] = lambda: False
        """Whether somebody speaks: the agent begins no sentence then."""
        self.quiet: Callable[[], bool] = lambda: False
        """Whether the wearer does not want to be disturbed: nothing is said uncalled then."""
        self.others_hear: Callable[[], bool] = lambda: True
        """Whether amounts and codes in what comes by itself are only shown."""
        self._line: deque[aloud.Sentence] = deque()
        self._waiting: dict[str, list[aloud.Sentence]] = {}  # what comes by itself, by its key
        self._over_bell = False  # what is said is what rings
        self._taken = ""  # the part of the text that is in the line, or said
        self._coming = False  # more of it is on its way
        self._news = asyncio.Event()
        self._last = "", ""  # what was said last, in which language
        self._task: asyncio.Task[None] | None = None
        self._sound: Path | None = None  # what the speaker plays for the mouth
        self._own, self._at = b"", 0  # the same, and how much of it has been compared
        self._until_s = float("-inf")  # when its echo is over, by the loop
        self._held: tuple[Path, float] | None = None  # what played before

    @property
    def there(self) -> bool:
        """Whether there is a voice, and something to play it."""
        devices = self._devices()
        speaker, voice = devices.speaker, devices.voice
        return bool(speaker and speaker.available and voice and voice.languages)

    @property
    def audible(self) -> bool:
        """Whether answers are said now."""
        return self.there and (self.mode == "on" or (self.mode == "away" and self._dark()))

    @property
    def speaking(self) -> bool:
        """Whether the agent's voice sounds, or may still be heard in the room."""
        return self._sound is not None or asyncio.get_running_loop().time() < self._until_s

    # -- to say and to be silent ----------------------------------------------------------------

    def say(self, text: str, language: str, more: bool = False) -> None:
        """Say a text in the place of what is said now, but go on where it begins with that.

        With `more` on its way, its whole sentences are said meanwhile. What no voice here can say
        is on the lens, and that is said then; of nothing, an earcon tells that it is done.
        """
        self._last = text, language
        if not self.audible or self._rings():
            self.hush()
            return
        if not (self._coming and text.startswith(self._taken)):
            if self._coming and not more:  # it ended otherwise than it began: enough was said
                self._coming = False
                self._news.set()
                return
            self.hush()
        new = text[len(self._taken) : aloud.whole(text) if more else None]
        left = aloud.MOST_CHARACTERS - len(self._taken)
        said = [self._known(one) for one in aloud.sentences(new[: max(0, left)], language)]
        if said and not self._taken and getattr(self._devices().voice, "slow", False):
            said[:1] = aloud.clauses(said[0])  # the first sound is not waited for
        self._line.extend(one for one in said if one)
        lost = any(not one for one in said)
        over = len(new) > left >= 0
        if over or (lost and not more and not self._taken and not self._line):
            rest = said_in(language)["rest aloud" if over and self._line else "on the lens"]
            self._line.extend(aloud.sentences(rest, language))
        if not self._line and not self._taken and not more:  # there is nothing to say
            self.earcon("done")
        self._taken += new
        self._coming = more
        self._news.set()
        if self._line and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._speak())

    def announce(self, text: str, language: str, key: str) -> None:
        """Say what comes by itself, after an answer that is being said.

        It takes the place of what waits under the same key. Amounts and codes are only shown.
        """
        if not self.audible or self.quiet() or self._rings():
            return
        if key not in self._waiting and len(self._waiting) >= MOST_WAITING:
            return
        self._waiting[key] = self._sayable(text, language)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._speak())

    async def tell(self, text: str, language: str) -> None:
        """Say what rings, between two of its sounds, and return once that is said or cannot be."""
        if not self.audible or self.quiet() or self.waits():
            return
        self.hush()
        self._line.extend(self._sayable(text, language))
        self._over_bell = True
        self._task = task = asyncio.get_running_loop().create_task(self._speak())
        try:
            await asyncio.wait({task})
        finally:
            self._over_bell = False
            if self._task is task:
                self.hush()

    def go_on(self) -> None:
        """Let go on what played before, now that nothing rings."""
        if self._task is None or self._task.done():
            self._give_back(True)

    def again(self) -> None:
        """Say what was said last once more."""
        self.hush()
        self.say(*self._last)

    def hush(self, resume: bool = True) -> None:
        """Be silent at once; what played before goes on, unless that is to be silent too."""
        self._line.clear()
        self._waiting.clear()
        self._taken, self._coming = "", False
        if self._task is not None and not self._task.done():
            self._task.cancel()
        self._task = None
        self._silence()
        self._give_back(resume)

    def earcon(self, name: str) -> None:
        """Make a short sound that says something without a word, where answers are said."""
        if self.mode == "off" or not self.audible or self.speaking or self._rings():
            return
        speaker = self._devices().speaker
        try:
            if speaker is not None and speaker.playing is None:
                speaker.play(sounds.earcon(name, self._folder))
        except Exception as error:  # a speaker may come from a plugin
            log.warning("no sound for “%s”: %s", name, _why(error))

    def own(self, size: int) -> bytes:
        """Return the next so many bytes of what the speaker plays, silence where it is over."""
        part = self._own[self._at : self._at + size]
        self._at += size
        return part + bytes(size - len(part))

    # -- how it is done -------------------------------------------------------------------------

    def _sayable(self, text: str, language: str) -> list[aloud.Sentence]:
        """Return what is said of something that comes by itself, line by line."""
        lens = said_in(language)["on the lens"]
        hidden = self.others_hear()
        lines = (lens if hidden and aloud.private(line) else line for line in text.splitlines())
        said = (self._known(one) for line in lines for one in aloud.sentences(line, language))
        return [one for one in dict.fromkeys(said) if one]

    def _known(self, sentence: aloud.Sentence) -> aloud.Sentence:
        """Leave out what is in a language that the voice does not have."""
        voice = self._devices().voice
        has = voice.languages if voice is not None else frozenset()
        return tuple(run for run in sentence if run.language in has)

    async def _speak(self) -> None:
        """Say what is in the line; the next sentence is made while one sounds."""
        making: asyncio.Future[bytes] | None = None
        try:
            while making is not None or await self._next():
                sound = await (making or self._making())
                making = self._making() if self._line and self._may_sound() else None
                if not await self._play(sound):
                    break
        except Exception as error:  # voice and speaker may come from plugins
            log.warning("the answer is only shown: %s", _why(error))
        finally:
            if making is not None:
                making.cancel()
            if self._task is asyncio.current_task():  # else another answer has begun
                self._line.clear()
                self._waiting.clear()
                self._silence()
                self._give_back(True)

    async def _next(self) -> bool:
        """Wait for a sentence; say whether there is one more."""
        while not self._line and self._coming:
            self._news.clear()
            await self._news.wait()
        if not self._line and self._waiting:
            self._line.extend(self._waiting.pop(next(iter(self._waiting))))
        return bool(self._line)

    def _making(self) -> asyncio.Future[bytes]:
        sentence = self._line.popleft()
        made = asyncio.ensure_future(
            asyncio.wait_for(asyncio.to_thread(self._made, sentence), MAKE_S)
        )
        made.add_done_callback(lambda done: done.cancelled() or done.exception())
        return made

    def _made(self, sentence: aloud.Sentence) -> bytes:
        """Return a sentence as sound, each language in its own voice."""
        voice = self._devices().voice
        if voice is None:
            raise DeviceError("the voice is gone")
        pcm = b"".join(voice.sound(run.text, run.language) for run in sentence)
        return louder(pcm, loudness_db(self.noise()))

    async def _play(self, pcm: bytes) -> bool:
        """Play a sentence to its end; say whether the next may follow."""
        loop, speaker = asyncio.get_running_loop(), self._devices().speaker
        if speaker is None:
            return False
        by_s = loop.time() + EARCON_S
        while self.waits() or (self._is_mine(speaker) and loop.time() < by_s):
            await asyncio.sleep(POLL_S)
        if not pcm or not self._may_sound():
            return not pcm and self._may_sound()
        if (playing := speaker.playing) is not None and not self._is_mine(speaker):
            self._held = playing, speaker.position_s
        self._sound = path = self._written(pcm)
        self._own, self._at = pcm, 0
        long_s = len(pcm) / SAMPLE_BYTES / SAMPLE_RATE_HZ
        speaker.play(path)
        by_s = loop.time() + long_s + SLACK_S
        while (playing := speaker.playing) == path and loop.time() < by_s:
            await asyncio.sleep(POLL_S)
        self._silence()
        if playing is not None and playing != path:  # an alarm, or music that was asked for
            if not self._is_mine(speaker):
                self._held = None
            return False
        return True

    def _may_sound(self) -> bool:
        return self._over_bell or not self._rings()

    def _is_mine(self, speaker: Speaker) -> bool:
        playing = speaker.playing
        return playing is not None and playing.parent == self._folder

    def _written(self, pcm: bytes) -> Path:
        """Write a sentence where only the wearer can read it, for as long as it sounds."""
        path = private.folder(self._folder) / f"said-{os.getpid()}.wav"
        path.unlink(missing_ok=True)
        opener = partial(os.open, mode=0o600)
        with open(path, "wb", opener=opener) as file:
            file.write(sounds.wav(pcm))
        return path

    def _silence(self) -> None:
        """Stop what sounds, and know when its echo is over."""
        path, self._sound = self._sound, None
        if path is None:
            return
        self._until_s = asyncio.get_running_loop().time() + ECHO_S
        speaker = self._devices().speaker
        with suppress(Exception):  # a speaker may come from a plugin, or be gone
            if speaker is not None and speaker.playing == path:
                speaker.stop()
        with suppress(OSError):
            path.unlink(missing_ok=True)

    def _give_back(self, resume: bool) -> None:
        """Let go on what played before."""
        if resume and self._rings():
            return  # it goes on once the alarm has ended
        held, self._held = self._held, None
        if held is None or not resume:
            return
        speaker = self._devices().speaker
        with suppress(Exception):  # as above; and the file may be gone
            if speaker is not None and speaker.playing is None:
                speaker.play(*held)


def loudness_db(noise: float | None) -> float:
    """Return how loud to speak, in dB of full scale, where the surroundings are so loud."""
    if noise is None:
        return PLAINLY_DB
    share = math.log(max(noise, QUIET) / QUIET) / math.log(LOUD / QUIET)
    return SOFTLY_DB + min(1.0, share) * (LOUDLY_DB - SOFTLY_DB)


def louder(pcm: bytes, level_db: float) -> bytes:
    """Return sound at a mean level of so many dB of full scale, less where it would be clipped."""
    import numpy as np

    samples = np.frombuffer(pcm[: len(pcm) // SAMPLE_BYTES * SAMPLE_BYTES], "<i2").astype(float)
    if not samples.any():
        return pcm
    wanted = 32767 * 10 ** (level_db / 20)
    heard = samples[np.abs(samples) > 0.02 * np.abs(samples).max()]
    gain = min(wanted / np.sqrt(np.square(heard).mean()), 32000 / np.abs(samples).max())
    return bytes((samples * gain).round().astype("<i2").tobytes())


def _why(error: Exception) -> str:
    """Return a line of what failed; of a plugin's own error no more than its kind."""
    if isinstance(error, TimeoutError):
        return f"the voice said nothing within {MAKE_S:g} s"
    return str(error) if isinstance(error, (DeviceError, OSError)) else type(error).__name__
