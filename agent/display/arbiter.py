"""Who is on the lens now: requests compete, and each is told, once, what became of it.

    alert > proposal > foreground > background > dashboard

A card of a higher level covers those below, which go on when it has gone: the time of a covered
card stands still. Within a level what the wearer asked for comes at once; other requests wait until
the card before them could be read, owners taking turns, so that none can keep the lens to itself.
A request of the owner and key of one that waits or is lit takes its place: streamed text coalesces
to what the lens can take, `update_ms`.

A state machine on times that it is given: nothing here waits, draws or logs. `offer` may be called
on any thread and only queues; `advance` lights, and belongs to the thread of the display.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.display.layout import SHORTEST_DWELL_MS, dwell_ms, lay_out
from agent.display.request import Outcome, OutcomeKind, Priority, Request
from hardware.base import DisplayProfile, Frame

WAITING_EACH = 8
"""Requests of one owner that may wait on one level."""
OWNERS = 32
"""Owners that may wait on one level."""
ALARM = "alarm"
"""Owner of what rings, which is one card: however often, it is shown."""
ALERTS, ALERTS_MS = 3, 30_000.0
"""How many alerts one owner may light in how long: more would keep everybody else off the lens."""
LONGEST_TURN_MS = 10_000.0
"""After this long a card makes room for others that wait, however much there is to read."""


@dataclass(slots=True, eq=False)
class _Card:
    """A request that was lit, or is about to be."""

    ticket: Ticket
    pages: tuple[Frame, ...]
    page: int = 0
    by_hand: bool = False
    """The wearer turns the pages, so they no longer turn themselves."""
    seen_ms: float = 0.0
    """How long it has been lit; its owner's time where it took the place of one of its own."""
    page_ms: float = 0.0
    """How long this page has been."""

    @property
    def request(self) -> Request:
        return self.ticket.request

    @property
    def frame(self) -> Frame:
        return self.pages[self.page]

    @property
    def left_ms(self) -> float | None:
        """How long it may still be lit."""
        stays_ms = self.request.stays_ms
        return None if stays_ms is None else stays_ms - self.seen_ms

    @property
    def turns_in_ms(self) -> float | None:
        """How long until the next page comes by itself."""
        if self.by_hand or self.page + 1 >= len(self.pages):
            return None
        return dwell_ms(self.frame) - self.page_ms

    @property
    def unread_ms(self) -> float:
        """How long until it makes room for others of its level."""
        if self.request.priority is Priority.ALERT:
            return SHORTEST_DWELL_MS - self.seen_ms
        return min(reading_ms(self.pages), LONGEST_TURN_MS) - self.seen_ms


class _Level:
    """One level: the card that is lit or covered, those it pushed aside, and who waits."""

    def __init__(self) -> None:
        self.card: _Card | None = None
        self.aside: dict[str, _Card] = {}  # by owner, the one pushed aside last at the end
        self.waiting: dict[str, deque[Ticket]] = {}  # by owner, in the order of their turns

    def tickets(self) -> Iterator[Ticket]:
        for own in self.waiting.values():
            yield from own

    def admit(self, owner: str, ticket: Ticket) -> None:
        """Let a ticket go in; its owner goes to the end of the row."""
        own = self.waiting.pop(owner)
        own.remove(ticket)
        if own:
            self.waiting[owner] = own


def reading_ms(pages: tuple[Frame, ...]) -> float:
    """Return how long it takes to read all of a card."""
    return sum(map(dwell_ms, pages))


class Ticket:
    """What a request's owner holds: `outcome` is None while it waits."""

    __slots__ = ("_done", "outcome", "request", "until_ms")

    def __init__(self, request: Request, now_ms: float) -> None:
        """Wait from now on."""
        self.request = request
        self.until_ms = now_ms + request.waits_ms
        self.outcome: Outcome | None = None
        self._done: threading.Event | None = None

    def wait(self, timeout_s: float | None = None) -> Outcome | None:
        """Block this thread until the outcome is there; None when it is not in time."""
        if self.outcome is None:
            done = self._done = self._done or threading.Event()
            if self.outcome is None:
                done.wait(timeout_s)
        return self.outcome

    def end(self, outcome: Outcome) -> None:
        """Tell what became of it."""
        self.outcome = outcome
        if self._done is not None:
            self._done.set()


class Arbiter:
    """Decides for one display."""

    def __init__(
        self,
        light: Callable[[Frame | None], str | None],
        profile: Callable[[], DisplayProfile],
        report: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        """Decide what `light` is given: a frame, or None for nothing; it returns a refusal.

        `profile` tells how to lay cards out now; `report` is told each outcome, on any thread.
        """
        self._light = light
        self._profile = profile
        self._report = report
        self._levels = {priority: _Level() for priority in sorted(Priority, reverse=True)}
        self._lit: _Card | None = None
        self._frame: Frame | None = None  # as the display has it
        self._reach: _Card | None = None  # what "more" and "repeat" are about
        self._now_ms = 0.0
        self._changed_ms = float("-inf")
        self._soonest_ms = float("inf")  # when the first of those that wait has waited too long
        self._alerts: dict[str, deque[float]] = {}
        self._lock = threading.RLock()
        self.quiet = False
        """Whether the wearer moves: what comes by itself waits, but for alerts and directions."""
        self.turns_pages = False
        """Whether pages turn by themselves when they could be read."""

    # -- asking ---------------------------------------------------------------------------------

    def offer(self, request: Request, now_ms: float) -> Ticket:
        """Queue a request. What becomes of it is on the ticket, perhaps already."""
        ticket = Ticket(request, now_ms)
        with self._lock:
            level = self._levels[request.priority]
            own = level.waiting.get(request.owner)
            if request.at_once:
                self._empty(level, now_ms, "a newer answer", keep=request.passing)
            elif own and request.key and (old := _keyed(own, request.key)):
                own[own.index(old)] = ticket
                self._end(old, "replaced", now_ms)
                self._soonest_ms = min(self._soonest_ms, ticket.until_ms)
                return ticket
            elif len(own or ()) >= WAITING_EACH:
                return self._end(ticket, "refused", now_ms, f"{WAITING_EACH} of its own wait")
            elif own is None and len(level.waiting) >= OWNERS:
                return self._end(ticket, "refused", now_ms, f"{OWNERS} others wait")
            if request.priority is Priority.ALERT and not self._may_alert(request.owner, now_ms):
                limit_s = ALERTS_MS / 1000
                return self._end(ticket, "refused", now_ms, f"{ALERTS} alerts in {limit_s:g} s")
            level.waiting.setdefault(request.owner, deque()).append(ticket)
            self._soonest_ms = min(self._soonest_ms, ticket.until_ms)
        return ticket

    def _may_alert(self, owner: str, now_ms: float) -> bool:
        if owner == ALARM:
            return True  # the wearer has asked for each of them
        recent = self._alerts.setdefault(owner, deque())
        while recent and recent[0] <= now_ms - ALERTS_MS:
            recent.popleft()
        if len(recent) >= ALERTS:
            return False
        recent.append(now_ms)
        return True

    # -- time -----------------------------------------------------------------------------------

    def advance(self, now_ms: float) -> None:
        """Let time pass and light what is to be lit now."""
        with self._lock:
            if (lit := self._lit) is not None:
                passed_ms = max(0.0, now_ms - self._now_ms)
                lit.seen_ms += passed_ms
                lit.page_ms += passed_ms
            self._now_ms = now_ms
            if now_ms >= self._soonest_ms:
                self._expire(now_ms)
            while not self._settled(now_ms):
                pass

    def due_ms(self) -> float | None:
        """Return when `advance` has something to do by itself; None for never."""
        with self._lock:
            times = [] if self._soonest_ms == float("inf") else [self._soonest_ms]
            for level in self._levels.values():
                if level.card is None and not level.waiting:
                    continue
                if level.waiting:
                    times.append(self._changed_ms + self._profile().update_ms)
                if (card := level.card) is not None:
                    waits = card.unread_ms if level.waiting else None
                    turns = card.turns_in_ms if self.turns_pages else None
                    left = (card.left_ms, turns, waits)
                    times += [self._now_ms + ms for ms in left if ms is not None]
                if level.card is not None:
                    break
            coming = [time for time in times if time > self._now_ms]
            return min(coming, default=None)

    def _settled(self, now_ms: float) -> bool:
        """Light what is due; False when the display refused it and another may be tried."""
        card = self._top(now_ms)
        if card is None:
            if self._lit is not None:
                self._lit = self._frame = None
                self._light(None)
            return True
        if self.turns_pages and (turns := card.turns_in_ms) is not None and turns <= 0:
            card.page, card.page_ms = card.page + 1, 0.0
        if card is self._lit and card.frame is self._frame:
            return True
        return self._put(card, now_ms)

    def _put(self, card: _Card, now_ms: float) -> bool:
        """Light a card's page; one that the display refuses at first sight is taken away."""
        ticket, request = card.ticket, card.request
        fault = self._light(card.frame)
        if fault is not None and ticket.outcome is None:
            self._levels[request.priority].card = None
            self._end(ticket, "refused", now_ms, fault)
            return False
        self._lit, self._frame, self._changed_ms = card, card.frame, now_ms
        if ticket.outcome is None:
            self._end(ticket, "shown", now_ms)
        if request.priority >= Priority.FOREGROUND and not request.passing:
            self._reach = card
        return True

    def _top(self, now_ms: float) -> _Card | None:
        """Return the card of the highest level that has one, letting in who may come."""
        for level in self._levels.values():
            card = level.card
            if card is not None and card.left_ms is not None and card.left_ms <= 0:
                card = level.card = None
            if (ticket := self._next(level, now_ms)) is not None:
                return self._let_in(level, ticket)
            if card is None and level.aside:
                card = level.card = level.aside.popitem()[1]
            if card is not None:
                self._lay_out_again(card)
                return card
        return None

    def _next(self, level: _Level, now_ms: float) -> Ticket | None:
        """Return who may come in on a level now."""
        early = now_ms < self._changed_ms + self._profile().update_ms
        for owner, own in level.waiting.items():
            ticket = own[0]
            request = ticket.request
            if request.at_once:
                return ticket
            if self.quiet and _unasked(request):
                continue
            if early and request.priority is not Priority.ALERT:
                continue
            card = level.card
            if card is None or card.unread_ms <= 0:
                return ticket
            if owner == card.request.owner and (same := _keyed(own, card.request.key)):
                return same
        return None

    def _let_in(self, level: _Level, ticket: Ticket) -> _Card:
        request = ticket.request
        level.admit(request.owner, ticket)
        card = _Card(ticket, lay_out(request.reply, self._profile(), request.language))
        before = level.card
        if before is not None and request.key and _same(before.request, request):
            # Others that wait do so from when its owner came, not from its last update.
            card.seen_ms = before.seen_ms if level.waiting else 0.0
            card.page = min(before.page, len(card.pages) - 1)
        elif before is not None and _goes_aside(before.request, request):
            level.aside[before.request.owner] = before
        if not request.passing:
            level.aside.pop(request.owner, None)
        level.card = card
        return card

    def _lay_out_again(self, card: _Card) -> None:
        """Fit a card to a lens that has become another, as when its wearer begins to walk."""
        profile = self._profile()
        if card.frame.profile is profile or card.frame.profile == profile:
            return
        share = card.page / len(card.pages)
        card.pages = lay_out(card.request.reply, profile, card.request.language)
        card.page = min(int(share * len(card.pages)), len(card.pages) - 1)

    def _expire(self, now_ms: float) -> None:
        self._soonest_ms = float("inf")
        for level in self._levels.values():
            for owner, own in list(level.waiting.items()):
                for ticket in [t for t in own if t.until_ms <= now_ms]:
                    own.remove(ticket)
                    waited_s = ticket.request.waits_ms / 1000
                    self._end(ticket, "expired", now_ms, f"waited {waited_s:g} s")
                if not own:
                    del level.waiting[owner]
                soonest_ms = min((t.until_ms for t in own), default=float("inf"))
                self._soonest_ms = min(self._soonest_ms, soonest_ms)

    # -- the wearer's hand ----------------------------------------------------------------------

    def turn(self, step: int, now_ms: float) -> bool:
        """Go to another page of the last answer and light it; False when there is none."""
        with self._lock:
            card = self._reach
            if card is None:
                return False
            self._lay_out_again(card)
            if not 0 <= card.page + step < len(card.pages):
                return False
            card.page, card.page_ms, card.by_hand = card.page + step, 0.0, True
            card.seen_ms = 0.0
            level = self._levels[card.request.priority]
            if level.card is not card:
                level.aside.pop(card.request.owner, None)
                level.card = card
            self._frame = None  # light it, even if it is lit
            self.advance(now_ms)
            return True

    @property
    def more(self) -> bool:
        """Whether the last answer has a page after the one that is lit."""
        with self._lock:
            card = self._reach
            return card is not None and card.page + 1 < len(card.pages)

    def drop(self, priority: Priority, now_ms: float, reason: str = "dropped") -> None:
        """Take what is on a level away; those that wait there are told that they were refused."""
        with self._lock:
            self._empty(self._levels[priority], now_ms, reason, kind="refused")
            if self._reach is not None and self._reach.request.priority is priority:
                self._reach = None

    def clear(self, now_ms: float) -> None:
        """Take everything away but what waits in the background."""
        for priority in (Priority.ALERT, Priority.PROPOSAL, Priority.FOREGROUND):
            self.drop(priority, now_ms, "cleared")
        with self._lock:
            for level in self._levels.values():
                level.card = None
                level.aside.clear()

    def withdraw(self, owner: str, now_ms: float) -> None:
        """Take everything of one owner away, as when a skill is switched off."""
        with self._lock:
            for level in self._levels.values():
                for ticket in level.waiting.pop(owner, ()):
                    self._end(ticket, "refused", now_ms, f"{owner} is gone")
                level.aside.pop(owner, None)
                if level.card is not None and level.card.request.owner == owner:
                    level.card = None
            if self._reach is not None and self._reach.request.owner == owner:
                self._reach = None

    def refresh(self) -> str | None:
        """Light what is lit once more, as when the light or the mark of the microphone changed."""
        with self._lock:
            return self._light(self._frame)

    @property
    def lit(self) -> Request | None:
        """What is on the lens."""
        return None if self._lit is None else self._lit.request

    @property
    def pages(self) -> tuple[Frame, ...]:
        """The pages of the last answer, which "more" turns."""
        return () if self._reach is None else self._reach.pages

    def standing(self) -> list[Request]:
        """Return what is lit, covered or waits, highest level first."""
        with self._lock:
            found: list[Request] = []
            for level in self._levels.values():
                cards = [card for card in (level.card, *level.aside.values()) if card is not None]
                found += [card.request for card in cards]
                found += [ticket.request for ticket in level.tickets()]
            return found

    def close(self, now_ms: float) -> None:
        """End: those that wait are told that they still did."""
        with self._lock:
            for level in self._levels.values():
                for ticket in list(level.tickets()):
                    self._end(ticket, "queued", now_ms, "the agent ended")
                level.waiting.clear()

    # -- ends -----------------------------------------------------------------------------------

    def _empty(
        self,
        level: _Level,
        now_ms: float,
        reason: str,
        kind: OutcomeKind = "replaced",
        keep: bool = False,
    ) -> None:
        for ticket in list(level.tickets()):
            self._end(ticket, kind, now_ms, reason)
        level.waiting.clear()
        if not keep:
            level.aside.clear()
            if level.card is not None and level.card is not self._lit:
                level.card = None  # covered, and nobody asks for it any more
            elif level.card is not None and kind == "refused":
                level.card = None

    def _end(self, ticket: Ticket, kind: OutcomeKind, now_ms: float, reason: str = "") -> Ticket:
        outcome = Outcome(ticket.request, kind, now_ms, reason)
        ticket.end(outcome)
        self._report(outcome)
        return ticket


def _unasked(request: Request) -> bool:
    """Whether it comes by itself and can wait until the wearer stands still."""
    return request.priority < Priority.FOREGROUND and request.reply.kind != "route"


def _goes_aside(before: Request, request: Request) -> bool:
    """Whether a card comes back after another that takes its place."""
    if before.passing:
        return False
    return request.passing or not (request.at_once or before.owner == request.owner)


def _same(one: Request, other: Request) -> bool:
    return (one.owner, one.key) == (other.owner, other.key)


def _keyed(own: deque[Ticket], key: str) -> Ticket | None:
    """Find the ticket of a key among those of one owner."""
    return next((t for t in own if key and t.request.key == key), None)
