"""A pair of glasses and its pages: which of them wears it, and what they do with it.

A pair has any number of pages and one wearer, the page that came, or asked, last. The others are
told so and watch: they see and hear everything, and what is done on them has no effect. When the
wearer's page is closed, or another takes over, its microphone is closed: a sentence that was begun
ends there and is answered as far as it goes, as with any microphone that vanishes. The page before
it wears the glasses then. With no page left a pair is put away after a while (`connections`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.errors import GlassesError
from agent.serve.simulator import from_page, to_page
from agent.serve.simulator.from_page import Setting
from agent.serve.simulator.glasses import Glasses, Make
from agent.serve.simulator.protocol import Junk
from agent.serve.simulator.replay import replay
from agent.serve.simulator.to_page import Look, Note, Play, Replay, Role, ToPage
from agent.testing.session import Session
from hardware.base import DeviceError


class Page:
    """One page, and what waits to be sent to it."""

    def __init__(self, most: int) -> None:
        self.outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._most = most

    def tell(self, message: ToPage) -> None:
        """Send a message; a page that has not taken the last so many of them is let go."""
        if self.outbox.qsize() < self._most:
            self.outbox.put_nowait(to_page.write(message))
        else:
            self.outbox.put_nowait(None)


class Pair:
    """A pair of glasses and the pages on it, the wearer last."""

    def __init__(self, make: Make, folder: Path, setting: Setting) -> None:
        """Begin with no page."""
        self._make = make
        self.pages: list[Page] = []
        self.glasses = Glasses(make, folder, setting, self._tell)
        self.recordings: dict[str, Path] = {}
        self.put_away: asyncio.TimerHandle | None = None
        self._changing = asyncio.Lock()
        self._replay: asyncio.Task[None] | None = None
        self._replaying: Glasses | None = None

    @property
    def wearer(self) -> Page | None:
        """The page that wears them."""
        return self.pages[-1] if self.pages else None

    def _tell(self, message: ToPage) -> None:
        """Pass on what the glasses say; during a replay their pages see the replayed ones."""
        if self._replaying is None:
            self._send(message)

    def _tell_again(self, message: ToPage) -> None:
        if isinstance(message, to_page.Answered):
            message = to_page.Answered(message.turn, message.verdicts, message.unknown, True)
        if not isinstance(message, to_page.Welcome | to_page.State):
            self._send(message)

    def _send(self, message: ToPage) -> None:
        if isinstance(message, Look | Play):
            if self.wearer is not None:
                self.wearer.tell(message)
            elif isinstance(message, Look):
                self.glasses.camera.give(message.request, "no page is open")
            return
        for page in self.pages:
            page.tell(message)

    # -- pages ------------------------------------------------------------------------------------

    def join(self, page: Page) -> None:
        """Let a page wear the glasses."""
        self._let_go()
        self.pages.append(page)
        for message in self.glasses.everything():
            page.tell(message)
        self._roles()

    def wear(self, page: Page) -> None:
        """Let a page that watches wear them."""
        if page is not self.wearer:
            self._let_go()
            self.pages.remove(page)
            self.pages.append(page)
            self._roles()

    def leave(self, page: Page) -> None:
        """Let a page go."""
        if page is self.wearer:
            self._let_go()
        self.pages.remove(page)
        self._roles()

    def _let_go(self) -> None:
        """Close the microphone of the page that wore them until now."""
        self.glasses.hold(False)
        self.glasses.listen(False)

    def _roles(self) -> None:
        for page in self.pages:
            page.tell(Role(page is self.wearer, len(self.pages)))

    # -- what pages do ----------------------------------------------------------------------------

    async def change(self, what: Callable[[], Awaitable[None]]) -> None:
        """Switch the glasses on or off, or change them, one thing after the other."""
        async with self._changing:
            try:
                await what()
            except (GlassesError, DeviceError) as error:
                self._send(Note("broken", str(error)))

    async def receive(self, page: Page, message: from_page.FromPage) -> None:
        """Do what a page says."""
        match message:
            case from_page.Wear():
                self.wear(page)
            case from_page.Hello():
                raise Junk("a page says hello once")
            case _ if page is not self.wearer:
                if not isinstance(message, from_page.Sound):
                    page.tell(Note("watching"))
            case from_page.EndReplay():
                self.end_replay()
            case from_page.Sound() | from_page.Listen() if self._replaying:
                pass
            case from_page.Picture(request, jpeg):
                (self._replaying or self.glasses).camera.give(request, jpeg)
            case from_page.Blind(request, reason):
                (self._replaying or self.glasses).camera.give(request, reason)
            case from_page.Played(key):
                (self._replaying or self.glasses).speaker.played(key)
            case _ if self._replaying:
                page.tell(Note("replaying"))
            case _:
                await self._do(message)

    async def _do(self, message: from_page.FromPage) -> None:
        glasses = self.glasses
        match message:
            case from_page.Sound():
                glasses.hear(message)
            case from_page.Say(text):
                glasses.say(text)
            case from_page.Complete(text):
                glasses.complete(text)
            case from_page.Listen(on):
                glasses.listen(on)
            case from_page.Hold(down):
                glasses.hold(down)
            case from_page.Gesture():
                glasses.gesture(message)
            case from_page.Link(lost):
                glasses.lose(lost)
            case from_page.Setting():
                if message != glasses.setting:
                    await self.change(partial(glasses.change, message))
            case from_page.Position():
                glasses.body.move(message)
            case from_page.Walk() | from_page.Light() | from_page.Cell() | from_page.Temperature():
                glasses.move(message)
                if isinstance(message, from_page.Cell):
                    await self.change(glasses.settle)
            case from_page.Record(on):
                await (self._record() if on else self._recorded())

    async def _record(self) -> None:
        try:
            self.glasses.record()
        except GlassesError as error:
            self._send(Note("broken", str(error)))

    async def _recorded(self) -> None:
        path = await self.glasses.stop_recording()
        if path is not None:
            key = secrets.token_urlsafe(12)
            self.recordings[key] = path
            self._send(to_page.Recorded(key))

    # -- replay -----------------------------------------------------------------------------------

    def play(self, session: Session) -> None:
        """Replay a session on fresh glasses that take the place of these until it is over."""
        self.end_replay()
        self._replay = asyncio.create_task(self._played(session))

    def end_replay(self) -> None:
        """End the replay that goes on."""
        if self._replay is not None:
            self._replay.cancel()

    async def _played(self, session: Session) -> None:
        setting = Setting(session.setting.profile, session.setting.language)
        total = len(session.inputs)
        self._let_go()
        with TemporaryDirectory(prefix="glasses-replay-", ignore_cleanup_errors=True) as folder:
            fresh = Glasses(self._make, Path(folder), setting, self._tell_again)
            self._replaying = fresh
            self._send(Replay(0, total, running=True, differences=[]))
            self._send(fresh.lens.whole())
            ended = Replay(0, total, running=False, differences=[])
            try:
                await fresh.start()
                fresh.set_clock(session.began)
                ended = await replay(session, fresh, self._send)
            except (GlassesError, DeviceError) as error:
                self._send(Note("broken", str(error)))
            finally:
                await fresh.stop()
                self._replaying = None
                self._send(self.glasses.lens.whole())
                self._send(self.glasses.state())
                self._send(ended)

    async def close(self) -> None:
        """Put the glasses away."""
        self.end_replay()
        if self._replay is not None:
            await asyncio.gather(self._replay, return_exceptions=True)
        async with self._changing:
            await self.glasses.stop()
        for path in self.recordings.values():
            path.unlink(missing_ok=True)
