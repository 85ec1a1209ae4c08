"""The keeper: writes down what must outlive a loss of power, as it changes, and goes on with it.

What is written and how is in `agent.resume`. One thread writes, so that two savings never meet in
one file. A saving that fails is told once and tried again until it succeeds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from agent import resume
from agent.controls import said_in
from agent.display.request import Priority, Ticket
from agent.messages import Reply
from agent.understand.text import language_of
from agent.world import World

log = logging.getLogger(__name__)

Again = Callable[[Mapping[str, Any], str], Awaitable[object]]
"""Plans a call once more, in a language, and asks again where it asks."""


class Keeper:
    """Keeps one agent's state."""

    def __init__(self, world: World, wall: Callable[[], float] = time.time) -> None:
        """Keep it in the world's folder; `wall` gives seconds since 1970, as the ledger's does."""
        self._world = world
        self._wall = wall
        self._path = world.folder / "resume.json"
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keeper")
        self._kept: resume.State | None = None
        self.resumed = False
        """Whether what a loss of power broke off is done with, so that it may be written over."""
        self.owes = False
        """Whether the last saving failed."""
        self._told: Ticket | None = None  # that it did

    async def keep(self) -> None:
        """Write down what must outlive a loss of power, where it has changed."""
        if not self.resumed:
            return  # what is to be resumed is still there
        state = self._state()
        if state == self._kept and not self.owes:
            return
        try:
            await self._alone(resume.save, self._path, state)
        except OSError as error:
            if not self.owes:
                log.warning("%s cannot be written (%s)", self._path, error.strerror)
            self.owes = True
            self._tell()
        else:
            self._kept, self.owes, self._told = state, False, None

    def cut(self) -> None:
        """Be without power, as a simulator is: what was written stays, and nothing more is."""
        self.resumed = False

    async def end(self) -> None:
        """Leave nothing to go on with: the end is meant."""
        if self.resumed:
            with contextlib.suppress(OSError):
                await self._alone(resume.forget, self._path)
        self.resumed, self._kept, self.owes = False, None, False

    async def go_on(self, again: Again) -> None:
        """Show, play and ask again what a loss of power broke off; from now on, keep."""
        try:
            await self._went_on(again)
        finally:
            self.resumed = True
        await self.keep()

    async def _went_on(self, again: Again) -> None:
        world = self._world
        state = await self._alone(resume.load, self._path, self._wall())
        try:  # before anything of it is done: what breaks the agent must not do so for ever
            await self._alone(resume.forget, self._path)
        except OSError as error:
            log.warning("%s cannot be removed (%s): nothing is resumed", self._path, error.strerror)
            return
        if state is None:
            return
        for card in state.cards[-1:]:
            world.lens.answer(card.reply, language_of(f"{card.title} {card.text}"))
        speaker, playing = world.devices.speaker, state.playing
        if playing is not None and speaker is not None and speaker.available:
            try:
                speaker.volume = playing.volume
                speaker.play(Path(playing.path), playing.position_s)
            except Exception as error:  # the plugin boundary
                log.warning("the music does not go on: %s", type(error).__name__)
        # Whoever has said yes has paid, or has not but may have: that is never asked again.
        if state.call is not None and not world.gate.begun_since(state.call.at_s):
            await again(state.call.made, state.call.language)

    def _state(self) -> resume.State:
        world, now_s = self._world, self._wall()
        answers = [r for r in world.lens.standing() if r.priority is Priority.FOREGROUND]
        cards = [resume.Card.of(request.reply, now_s) for request in answers]
        call = None
        if (opened := world.gate.open) is not None:
            call = resume.Call.of(opened.intent, world.skills.actions, now_s)
        shown = tuple(card for card in cards if card is not None)
        return resume.State(shown, call, self._playing(now_s))

    def _playing(self, now_s: float) -> resume.Playing | None:
        speaker = self._world.devices.speaker
        try:
            if speaker is None or (path := speaker.playing) is None:
                return None
            return resume.Playing(str(path), speaker.position_s, speaker.volume, now_s)
        except Exception:  # the plugin boundary
            return None

    def _tell(self) -> None:
        """Tell the wearer once; what had no room on the lens was not told."""
        told = None if self._told is None else self._told.outcome
        if self._told is not None and (told is None or told.kind in ("shown", "replaced")):
            return
        language = self._world.spoken
        card = Reply(said_in(language)["unsaved"])
        self._told = self._world.lens.offer(
            card, Priority.BACKGROUND, language=language, key="unsaved"
        )

    async def _alone(self, work: Callable[..., Any], *given: Any) -> Any:
        """Do it on the one thread; one that was begun is done, even if nobody waits any more."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)
