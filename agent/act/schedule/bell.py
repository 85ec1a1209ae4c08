"""The bell: what rings now, how it looks, and how it ends.

An alarm is a card of the highest level and a sound; it changes no question, no proposal and no
memory, so that it waits for no turn. What ends it is a turn like any other: a word, a tap, a nod.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from agent.act.schedule import sounds
from agent.act.schedule.store import Schedule
from agent.display.arbiter import ALARM as OWNER
from agent.display.lens import Lens
from agent.display.request import Priority
from agent.language.said import said_in
from agent.messages import Reply
from agent.skill.later import Fired
from hardware.base import DeviceError, Speaker

log = logging.getLogger(__name__)

RINGS_S = 120.0
"""How long an alarm or a timer sounds; then it is only shown."""
STAYS_S = 900.0
"""How long its card stays."""
AGAIN_S = 4.0
"""How often it sounds."""
ALARM_S = 0.8
"""How long it sounds, before it may be said what for."""
WORDS_EVERY = 6
"""How many times it sounds before that is said again."""
SNOOZE_MIN = 9.0
"""How long a snooze is, unless another length is said: as on most alarm clocks."""
ASIDE_S = 10.0
"""How long an answer is seen while an alarm goes on sounding."""
MOST_LINES = 4
"""Most things that one card names."""


class Says(Protocol):
    """What says aloud what rings."""

    @property
    def speaking(self) -> bool:
        """Whether it may be heard just now."""
        ...

    def announce(self, text: str, language: str, key: str) -> None:
        """Say what comes by itself, after what is being said."""
        ...

    async def tell(self, text: str, language: str) -> None:
        """Say what rings, and return once that is said or cannot be."""
        ...

    def go_on(self) -> None:
        """Let go on what played before, now that nothing rings."""
        ...


class Bell:
    """Rings for one agent."""

    def __init__(
        self,
        schedule: Schedule,
        lens: Lens,
        speaker: Callable[[], Speaker | None],
        folder: Path,
        now: Callable[[], datetime],
        mouth: Callable[[], Says],
    ) -> None:
        """Be silent; `folder` holds the sounds, `now` is what clocks here show.

        `mouth` says what rings, where answers are said.
        """
        self._schedule, self._lens, self._speaker, self._now = schedule, lens, speaker, now
        self._folder, self._mouth = folder, mouth
        self._lock = threading.Lock()
        self.ringing: tuple[Fired, ...] = ()
        """What rings, or waits to be seen."""
        self.sounds = False
        """Whether it sounds until it is stopped: what only waits to be seen does not."""
        self._held: tuple[Path, float] | None = None  # what played before it rang
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sounding: asyncio.Task[None] | None = None

    @property
    def in_sight(self) -> bool:
        """Whether what rings is what the wearer sees."""
        lit = self._lens.lit
        return bool(self.ringing) and lit is not None and lit.owner == OWNER

    def ring(self, fired: Sequence[Fired]) -> Reply:
        """Show what is due, and sound; on the thread of the loop. Returns the card."""
        self._loop = asyncio.get_running_loop()
        with self._lock:
            self.ringing += tuple(fired)
        self._loop.call_later(STAYS_S, self._lapse, tuple(fired))
        card = self._show(self._now())
        if any(one.entry.kind != "reminder" and not one.late for one in fired):
            if not self.sounds:
                self.sounds, self._sounding = True, asyncio.create_task(self._sound())
        else:
            if not self._mouth().speaking:
                self._play("chime")
            self._mouth().announce(card.text, fired[0].entry.language, "reminder")
        return card

    def stop(self) -> list[Fired]:
        """End what rings, on any thread; return it. Raises OSError where that cannot be kept."""
        with self._lock:
            ended, self.ringing = [*self.ringing], ()
        if ended:
            self._schedule.told(ended, over=True)
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._silence)
        return ended

    def snooze(self, minutes: float = SNOOZE_MIN) -> list[Fired]:
        """End what rings and let it come again so many minutes from now; return it."""
        ended = self.stop()
        at = self._now().astimezone(UTC) + timedelta(minutes=minutes)
        again = [one.entry for one in ended]
        self._schedule.add(
            *(replace(e, wall=None, instant=at, rule="", place=None, id="") for e in again)
        )
        return ended

    def close(self) -> None:
        """Sound no more."""
        self.sounds = False
        if self._sounding is not None:
            self._sounding.cancel()

    # -- how it looks and sounds ----------------------------------------------------------------

    def _show(self, now: datetime) -> Reply:
        shown = self.ringing[-MOST_LINES:][::-1]
        language = shown[0].entry.language
        said = said_in(language)
        lines = [line(one, now) for one in shown]
        if more := len(self.ringing) - len(shown):
            lines.append(said["more due"].format(count=more))
        card = Reply("\n".join(lines), title=said["alarm title"], kind="alert", speech=lines[0])
        self._lens.offer(card, Priority.ALERT, OWNER, language, key="ringing", stays_s=STAYS_S)
        return card

    def step_aside(self) -> None:
        """Let the wearer see an answer; what sounds is shown again, what does not was seen."""
        if not self.ringing or self._loop is None:
            return
        self._lens.withdraw(OWNER)
        self._loop.run_in_executor(None, self._lapse, self._silent())
        self._loop.call_later(ASIDE_S, self._show_again)

    def _silent(self) -> tuple[Fired, ...]:
        return tuple(one for one in self.ringing if one.entry.kind == "reminder" or one.late)

    def _show_again(self) -> None:
        if self.ringing and self._sounding is not None:
            self._show(self._now())

    def _lapse(self, fired: Sequence[Fired]) -> None:
        """Let go of what nobody has stopped: its card is gone."""
        with self._lock:
            left = [one for one in fired if one in self.ringing]
            self.ringing = tuple(one for one in self.ringing if one not in left)
        with suppress(OSError):
            self._schedule.told(left, over=True)

    def _silence(self) -> None:
        if self.ringing:
            return  # something else began to ring meanwhile
        self._lens.withdraw(OWNER)
        if self._sounding is not None:
            self._sounding.cancel()
        self.sounds, self._sounding = False, None
        speaker, held = self._speaker(), self._held
        self._held = None
        if speaker is None:
            return
        with suppress(DeviceError):
            if speaker.playing is not None and speaker.playing.parent == self._folder:
                speaker.stop()
            if held is not None:
                speaker.play(*held)
                return
        self._mouth().go_on()

    async def _sound(self) -> None:
        for time in range(round(RINGS_S / AGAIN_S)):
            self._play("alarm")
            await asyncio.sleep(ALARM_S)
            if time % WORDS_EVERY == 0:
                await self._mouth().tell(*self._words())
            await asyncio.sleep(AGAIN_S - ALARM_S)
        self._hold_no_more()

    def _words(self) -> tuple[str, str]:
        """Return what is said of what rings, the latest first, and in which language."""
        shown = self.ringing[-MOST_LINES:][::-1]
        lines = [line(one, self._now()) for one in shown]
        return "\n".join(lines), shown[0].entry.language if shown else "en"

    def _hold_no_more(self) -> None:
        self.sounds, self._sounding = False, None
        held, self._held = self._held, None
        speaker = self._speaker()
        if held is not None and speaker is not None:
            with suppress(DeviceError):
                speaker.play(*held)
                return
        self._mouth().go_on()

    def _play(self, name: str) -> None:
        """Sound once; music goes on where it was when the bell falls silent."""
        speaker = self._speaker()
        if speaker is None or not speaker.available:
            return
        try:
            playing = speaker.playing
            if playing is not None and playing.parent != self._folder:
                self._held = playing, speaker.position_s
            speaker.play(sounds.earcon(name, self._folder))
        except (DeviceError, OSError) as error:
            log.warning("an alarm makes no sound: %s", error)


def line(fired: Fired, now: datetime) -> str:
    """Return what is due, as a line for the lens."""
    entry, said = fired.entry, said_in(fired.entry.language)
    text = entry.text or said[entry.kind]
    day = fired.due.date() != now.date()
    at = f"{fired.due:%m-%d %H:%M}" if day else f"{fired.due:%H:%M}"
    if fired.late and entry.kind == "command":
        return said["not done"].format(text=f"{text}, {at}")
    if fired.late:
        times = f" ×{fired.times}" if fired.times > 1 else ""
        return said["missed"].format(text=text, time=at) + times
    if entry.kind == "alarm":
        return f"{at} {text}"
    return said["time is up"].format(text=text) if entry.kind == "timer" else text
