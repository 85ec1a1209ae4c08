"""The lens: what the agent shows, on time, and the mark of an open microphone.

The arbiter decides who is on the lens; here its decisions are lit, and the loop's clock drives it.
Displays may come from plugins, so whatever one raises is told in a line and never stops the agent.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace

from agent.display.arbiter import Arbiter, Ticket, reading_ms
from agent.display.layout import lay_out
from agent.display.request import Outcome, Priority, Request
from agent.messages import Proposal, Reply
from hardware.base import DeviceError, Display, DisplayProfile, Frame

log = logging.getLogger(__name__)

OWN = "agent"
"""Owner of what the agent itself shows."""
LEAST_MS = 8_000.0
"""Shortest that an answer stays: the wearer may look away first."""
READINGS = 2.0
"""How many times over an answer can be read before it goes."""
WISH = 0.2
"""How much one “brighter” or “dimmer” changes, and the least that is left."""
PASSING_MS = 3_000.0
"""How long a card stays that the reply before it comes back after."""
ANSWER_WAITS_MS = 30_000.0
"""How long an answer waits under an alert."""
WALKING_LINES = 2
"""Rows while the wearer walks, at the bottom: the centre of the view stays clear."""


class Lens:
    """What one display shows. Belongs to the thread of its loop, but for `offer`."""

    def __init__(self, display: Callable[[], Display]) -> None:
        """Show nothing yet; `display` gives the one to use, which may be another tomorrow."""
        self._device = display
        self._fault: str | None = None
        self._fault_now = False  # whether the display refused what came last
        self._listening = False
        self._recording = False
        self._light = 1.0
        self._wish = 1.0
        self._slower = 1.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._woken = False
        self._arbiter = Arbiter(self._show, lambda: self.profile, self._report)
        self.on_outcome: Callable[[Outcome], None] | None = None
        """Told what became of each request, on any thread."""

    @property
    def profile(self) -> DisplayProfile:
        """What the display can show now: less while its wearer walks or power is saved."""
        profile = self._device().profile
        if self._arbiter.quiet:
            profile = replace(profile, lines=min(profile.lines, WALKING_LINES))
        if self._slower != 1.0:
            profile = replace(profile, update_ms=round(profile.update_ms * self._slower))
        return profile

    def attach(self) -> None:
        """Belong to the loop that runs now, so that threads can wake it."""
        self._loop = asyncio.get_running_loop()

    # -- what the wearer asked for --------------------------------------------------------------

    def light(
        self,
        reply: Reply,
        language: str,
        owner: str = OWN,
        passing: bool = False,
        stays_ms: float | None = None,
        key: str = "",
    ) -> tuple[str | None, tuple[Frame, ...], bool]:
        """Show the answer to the wearer, at once unless an alert covers it.

        Returns why the display refused it, its pages as they are laid out, and whether it is lit.
        A `passing` card leaves the reply before it in reach, which comes back after it. What is
        offered later under the same `key` goes on with it.
        """
        pages = lay_out(reply, self.profile, language)
        if stays_ms is None:
            stays_ms = PASSING_MS if passing else max(LEAST_MS, READINGS * reading_ms(pages))
        level = Priority.PROPOSAL if isinstance(reply, Proposal) else Priority.FOREGROUND
        request = Request(
            reply, owner, level, language, key,
            stays_ms=stays_ms, waits_ms=ANSWER_WAITS_MS, at_once=True, passing=passing,
        )  # fmt: skip
        ticket = self._arbiter.offer(request, self._now_ms())
        self.settle()
        outcome = ticket.outcome
        fault = outcome.reason if outcome is not None and outcome.kind == "refused" else None
        return fault, pages, outcome is not None and outcome.kind == "shown"

    def turn(self, step: int) -> tuple[str | None, bool]:
        """Light another page of the last answer; say why it was refused, and whether there is one.

        A step of 0 lights the same page again.
        """
        self._fault = None
        there = self._arbiter.turn(step, self._now_ms())
        self._schedule()
        return self._fault, there

    @property
    def dark(self) -> bool:
        """Whether nothing can be seen: the display refused the last frame, or has no light."""
        return self._fault_now or self._light * self._wish <= 0.0

    def fits(self, reply: Reply, language: str) -> bool:
        """Whether a reply takes one page, to which nothing is added that moves what is read."""
        return len(lay_out(reply, self.profile, language)) == 1

    @property
    def more(self) -> bool:
        """Whether the last answer has a page after the one that is lit."""
        return self._arbiter.more

    def blank(self) -> str | None:
        """Show nothing, but for an open microphone; return why the display refused."""
        self._fault = None
        dark = self.lit is None
        self._arbiter.clear(self._now_ms())
        self.settle()
        if dark:
            self._arbiter.refresh()  # the display may know better
        return self._fault

    def drop_question(self) -> None:
        """Take a proposal away that is no longer open; what comes next is lit in its place."""
        self._arbiter.drop(Priority.PROPOSAL, self._now_ms(), "no longer open")

    def drop(self, level: Priority) -> None:
        """Take away what is on a level."""
        self._arbiter.drop(level, self._now_ms())
        self.settle()

    def drop_alert(self) -> bool:
        """Take an alert away, since the wearer has acted; say whether there was one."""
        there = self.lit is not None and self.lit.priority is Priority.ALERT
        if there:
            self._arbiter.drop(Priority.ALERT, self._now_ms(), "the wearer went on")
            self.settle()
        return there

    # -- what comes by itself -------------------------------------------------------------------

    def offer(
        self,
        reply: Reply,
        level: Priority,
        owner: str = OWN,
        language: str = "en",
        key: str = "",
        stays_s: float | None = None,
        told: Callable[[Outcome], None] | None = None,
    ) -> Ticket:
        """Ask for the lens; on any thread. Without `stays_s` it can be read `READINGS` times.

        `told` is told what became of it.
        """
        if stays_s is None:
            stays_ms = max(LEAST_MS, READINGS * reading_ms(lay_out(reply, self.profile, language)))
        else:
            stays_ms = max(0.0, stays_s) * 1000
        request = Request(reply, owner, level, language, key, stays_ms, told=told)
        ticket = self._arbiter.offer(request, self._now_ms())
        if ticket.outcome is None:
            self._wake()
        return ticket

    def withdraw(self, owner: str) -> None:
        """Take everything of a skill away."""
        self._arbiter.withdraw(owner, self._now_ms())
        self.settle()

    # -- how it is shown ------------------------------------------------------------------------

    @property
    def lit(self) -> Request | None:
        """What is on the lens now."""
        return self._arbiter.lit

    def standing(self) -> list[Request]:
        """Return what is lit, covered or waits, highest first."""
        return self._arbiter.standing()

    def listening(self, is_open: bool) -> None:
        """Show that the microphone is open for what the wearer says, or that it is not."""
        if is_open != self._listening:
            self._listening = is_open
            self._arbiter.refresh()

    def recording(self, is_kept: bool) -> None:
        """Show that what is said is being kept, whatever else is lit; on any thread."""
        if is_kept != self._recording:
            self._recording = is_kept
            self.soon(self._refresh)

    def _refresh(self) -> None:
        self._arbiter.refresh()

    def live(self, is_live: bool) -> None:
        """Let pages turn by themselves, or not, as in text mode."""
        self._arbiter.turns_pages = is_live

    def dim(self, light: float) -> None:
        """Light everything less, 0 … 1."""
        if light != self._light:
            self._light = light
            self._arbiter.refresh()

    def wish(self, steps: int) -> float:
        """Light everything more or less, as the wearer likes it; return the share, 0 … 1."""
        self._wish = max(WISH, min(1.0, self._wish + steps * WISH))
        self._arbiter.refresh()
        return self._wish

    def slow_down(self, times: float) -> None:
        """Update that many times less often, to save power."""
        self._slower = times

    def walking(self, is_walking: bool) -> None:
        """Show two rows and no more than was asked for while the wearer walks."""
        if is_walking != self._arbiter.quiet:
            self._arbiter.quiet = is_walking
            self.settle()

    @property
    def is_walking(self) -> bool:
        """Whether the wearer walks, as far as is known."""
        return self._arbiter.quiet

    def settle(self, due_ms: float = 0.0) -> None:
        """Light what is due now, and come back when something else is.

        A timer says what it was set for: in seconds that is rounded, perhaps to a moment before.
        """
        self._woken = False
        self._arbiter.advance(max(due_ms, self._now_ms()))
        self._schedule()

    def close(self) -> None:
        """Light nothing any more; what waits is told so."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop = None
        self._arbiter.close(self._now_ms())

    def _now_ms(self) -> float:
        """Return the loop's time, which tests make virtual; without a loop, the machine's."""
        if self._loop is None:
            try:
                self.attach()
            except RuntimeError:
                return time.monotonic() * 1000
        assert self._loop is not None
        return self._loop.time() * 1000

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_ms = self._arbiter.due_ms()
        if self._loop is not None and due_ms is not None and not self._loop.is_closed():
            self._timer = self._loop.call_at(due_ms / 1000, self.settle, due_ms)

    def soon(self, work: Callable[[], None]) -> None:
        """Do something on the loop's own thread; on any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)

    def _wake(self) -> None:
        """Settle soon, on the loop's own thread."""
        if self._loop is None or self._loop.is_closed() or self._woken:
            return
        self._woken = True
        self._loop.call_soon_threadsafe(self.settle)

    def _report(self, outcome: Outcome) -> None:
        if self.on_outcome is not None:
            self.on_outcome(outcome)
        if outcome.request.told is not None:
            outcome.request.told(outcome)

    def _show(self, frame: Frame | None) -> str | None:
        """Light a frame, or nothing; return why the display refused."""
        device = self._device()
        if frame is None and not self._listening and not self._recording:
            return self._tried(device.clear)
        lit = Frame(device.profile, ()) if frame is None else frame
        marked = replace(
            lit,
            listening=self._listening,
            recording=self._recording,
            light=self._light * self._wish,
        )
        return self._tried(lambda: device.show(marked))

    def _tried(self, use: Callable[[], None]) -> str | None:
        try:
            use()
        except Exception as error:  # the plugin boundary
            reason = str(error) if isinstance(error, DeviceError) else type(error).__name__
            log.warning("the display refused: %s", reason)
            self._fault, self._fault_now = reason, True
            return reason
        self._fault_now = False
        return None
