"""The inbox: notifications from elsewhere, what becomes of each, and those that wait to be read.

What a notification says is text of the world: it is shown and read out, and never followed. Each
source has a rule: its notifications are shown, summed up, or hushed; while the wearer does not want
to be disturbed they are kept. However many come, a bounded number is kept, and one card a source
waits for the lens: the newer takes the place of the older, which is reported.
"""

from __future__ import annotations

import threading
import unicodedata
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Literal

from agent.display.arbiter import Ticket
from agent.display.lens import Lens
from agent.display.request import Outcome, Priority
from agent.language.said import said_in
from agent.language.text import language_of
from agent.messages import Reply
from agent.skill.notices import Notice, Rule

Became = Literal["shown", "queued", "replaced", "expired", "refused", "kept", "hushed", "unknown"]
"""What became of a notification: as on the lens, or kept to be read, or hushed by its rule."""

MOST_KEPT = 100
"""Notifications that wait to be read; older ones go."""
MOST_KNOWN = 4096
"""Notifications whose outcome is remembered."""
MOST_SOURCES = 64
"""Sources that have a rule, or a count."""
MOST_TEXT, MOST_TITLE = 500, 60
"""Characters that are kept of one."""
LEAST_S, A_CHARACTER_S = 6.0, 0.06
"""How long a card stays: some, and what it takes to read it."""
BUDGET, BUDGET_S = 20, 3600.0
"""Notifications that one skill may send in an hour."""


class Inbox:
    """Takes notifications for one wearer. Safe across threads."""

    def __init__(
        self,
        lens: Lens,
        now_s: Callable[[], float],
        language: Callable[[], str],
        say: Callable[[str, str, str], None] = lambda text, language, key: None,
    ) -> None:
        """Show on `lens`; `now_s` is a clock that nobody sets.

        `say` says a text in a language, in the place of what waits to be said under the same key.
        """
        self._say = say
        self._lens, self._now_s, self._language = lens, now_s, language
        self._lock = threading.Lock()
        self._unread: deque[Notice] = deque(maxlen=MOST_KEPT)
        self._tickets: OrderedDict[str, Ticket | Became] = OrderedDict()
        self._counts: dict[str, int] = {}
        self._spent: dict[str, deque[float]] = {}
        self._answers: dict[str, deque[tuple[str, str]]] = {}
        self._quiet_until_s = float("-inf")
        self._number = 0
        self.rules: dict[str, Rule] = {}
        """By source, as they were set."""

    def take(self, notice: Notice) -> str:
        """Take a notification; return the name that `became` knows it by."""
        notice = _plain(notice)
        with self._lock:
            self._number += 1
            notice = replace(notice, id=f"n{self._number}")
            rule = self.rules.get(notice.source, "show")
            if rule == "hush":
                self._note(notice.id, "hushed")
                return notice.id
            self._unread.append(notice)
            if self._now_s() < self._quiet_until_s:
                self._note(notice.id, "kept")
                return notice.id
            waiting = self._counts.get(notice.source, 0) + 1
            if len(self._counts) >= MOST_SOURCES and notice.source not in self._counts:
                self._counts.clear()
            self._counts[notice.source] = waiting
        card = self._card(notice, waiting if rule == "summarise" else 1)
        stays_s = LEAST_S + A_CHARACTER_S * len(card.text)  # laying it out would take too long
        language = language_of(card.text)
        said = partial(self._said, card, language)
        ticket = self._lens.offer(
            card, Priority.BACKGROUND, "inbox", language, notice.source, stays_s, said
        )
        with self._lock:
            self._note(notice.id, ticket)
        return notice.id

    def _said(self, card: Reply, language: str, outcome: Outcome) -> None:
        """Say what is lit, and what nobody can see since the lens is away."""
        if outcome.kind == "shown" or (outcome.kind == "refused" and self._lens.dark):
            text = f"{card.title}.\n{card.text}"
            self._lens.soon(partial(self._say, text, language, card.title))

    def _card(self, notice: Notice, count: int) -> Reply:
        if count > 1:
            said = said_in(self._language())
            return Reply(said["several"].format(count=count), title=notice.source)
        head = f"{notice.title}: " if notice.title else ""
        return Reply(f"{head}{notice.text}", title=notice.source)

    def became(self, id: str) -> Became:
        """Return what became of a notification so far."""
        with self._lock:
            found = self._tickets.get(id, "unknown")
        if isinstance(found, Ticket):
            return "queued" if found.outcome is None else found.outcome.kind
        return found

    def afford(self, skill: str) -> bool:
        """Whether a skill may send another notification; it is counted if so."""
        with self._lock:
            spent = self._spent.setdefault(skill, deque())
            while spent and spent[0] <= self._now_s() - BUDGET_S:
                spent.popleft()
            if len(spent) >= BUDGET:
                return False
            spent.append(self._now_s())
            return True

    # -- what the wearer does -------------------------------------------------------------------

    def unread(self) -> list[Notice]:
        """Return what waits to be read, the latest first, and count it as read."""
        with self._lock:
            found = [*self._unread][::-1]
            self._unread.clear()
            self._counts.clear()
        return found

    def clear(self) -> int:
        """Let go of what waits to be read; return how much that was."""
        return len(self.unread())

    def sources(self) -> list[str]:
        """Return who has sent something that waits, or has a rule, the latest first."""
        with self._lock:
            found = [one.source for one in self._unread][::-1]
            return list(dict.fromkeys([*found, *self.rules]))

    @property
    def waiting(self) -> int:
        """How many wait to be read."""
        return len(self._unread)

    def quiet(self, seconds: float) -> None:
        """Show nothing for so long; 0 ends it."""
        with self._lock:
            self._quiet_until_s = self._now_s() + seconds

    @property
    def is_quiet(self) -> bool:
        """Whether the wearer does not want to be disturbed."""
        return self._now_s() < self._quiet_until_s

    def rule(self, source: str, rule: Rule) -> None:
        """Show, sum up or hush what comes from a source."""
        with self._lock:
            if len(self.rules) < MOST_SOURCES or source in self.rules:
                self.rules[source] = rule

    def answer(self, notice: Notice, text: str) -> bool:
        """Leave an answer for the source; say whether it takes one."""
        if not notice.answers:
            return False
        with self._lock:
            own = self._answers.setdefault(notice.source, deque(maxlen=MOST_KEPT))
            own.append((notice.id, text))
        return True

    def answers(self, source: str) -> list[tuple[str, str]]:
        """Return the answers that wait for a source, each with what it answers, and drop them."""
        with self._lock:
            return [*self._answers.pop(source, ())]

    def _note(self, id: str, what: Ticket | Became) -> None:
        self._tickets[id] = what
        while len(self._tickets) > MOST_KNOWN:
            self._tickets.popitem(last=False)


def _plain(notice: Notice) -> Notice:
    """Return a notification as plain text of one line, not too long."""
    return replace(
        notice,
        source=_line(notice.source, MOST_TITLE) or "?",
        title=_line(notice.title, MOST_TITLE),
        text=_line(notice.text, MOST_TEXT),
    )


def _line(text: str, most: int) -> str:
    """Drop control and format characters, and what is too long, before anything else is done."""
    cut = text[: most * 4]
    kept = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in cut)
    words = " ".join(kept.split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def read(message: Mapping[str, object]) -> Notice:
    """Read a notification from JSON. Raises ValueError that says what is wrong."""
    unknown = set(message) - {"source", "title", "text", "answers"}
    if unknown:
        raise ValueError("a notification has source, text, title and answers, and nothing else")
    for name in ("source", "text", "title"):
        if not isinstance(message.get(name, ""), str):
            raise ValueError(f"{name} is text")
    source, text = str(message.get("source", "")), str(message.get("text", ""))
    if not source.strip() or not text.strip():
        raise ValueError("a notification has a source and a text")
    answers = message.get("answers", False)
    if not isinstance(answers, bool):
        raise ValueError("answers is true or false")
    return Notice(source, text, str(message.get("title", "")), answers)
