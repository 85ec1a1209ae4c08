"""A meeting as it goes on, and as it stands in its file.

# Meeting of 2026-11-30 15:00

## Summary

- The budget is 40,000 dollars.

## Transcript

- 15:00:12 let us begin
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from agent import Context, Reply, private
from agent.language.world import world_text
from agent.messages import Transcript
from agent.skill.context import Listener

SHOWN = 4
"""Lines of captions that are shown."""
MOST = 10_000
"""Lines of one meeting, some fifteen hours; then no more is written."""
LONGEST = 1000
"""Characters of one."""
TRANSCRIPT = "Transcript"

_LINE = re.compile(r"- (\d\d:\d\d:\d\d) (.*)")


@dataclass(frozen=True, slots=True)
class Said:
    """A meeting that was written down."""

    title: str
    """Its heading."""
    lines: tuple[str, ...]
    """What was said."""
    times: tuple[str, ...]
    """When each line was."""
    head: str = ""
    """What the points are."""
    points: tuple[str, ...] = ()
    """What it comes to."""

    def with_points(self, head: str, points: tuple[str, ...]) -> Said:
        """Return it with what it comes to."""
        return replace(self, head=head, points=points)

    def write(self, path: Path) -> None:
        """Write it as Markdown, whole or not at all. Raises OSError."""
        points = [f"## {self.head}", "", *(f"- {one}" for one in self.points), ""]
        lines = (f"- {at} {text}" for at, text in zip(self.times, self.lines, strict=True))
        body = [f"# {self.title}", "", *(points if self.points else ())]
        private.write(path, "\n".join([*body, f"## {TRANSCRIPT}", "", *lines, ""]))


def read(path: Path) -> Said:
    """Read a meeting; what is no part of one is left out. Raises OSError."""
    head, title = "", path.stem
    points: list[str] = []
    said: list[tuple[str, str]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("# "):
            title = line[2:]
        elif line.startswith("## "):
            head = head if line[3:] == TRANSCRIPT else line[3:]
        elif found := _LINE.fullmatch(line):
            said.append((found[1], found[2]))
        elif line.startswith("- "):
            points.append(line[2:])
    return Said(title, tuple(t for _, t in said), tuple(a for a, _ in said), head, tuple(points))


class Minutes(Listener):
    """A meeting that goes on: what is said is kept."""

    kept, stoppable = True, False

    def __init__(
        self,
        path: Path,
        title: str,
        head: str,
        now: Callable[[], datetime],
        show: Callable[[Reply], object],
    ) -> None:
        """Begin a file at `path`. `show` lights a card headed `head`. Raises OSError."""
        self.path, self._title, self._head = path, title, head
        self._now, self._show, self._began = now, show, now()
        self.lines: list[str] = []
        """What was said."""
        self._times: list[str] = []
        self.ended = False
        """Whether it is over."""
        private.folder(path.parent)
        Said(title, (), ()).write(path)

    def partly(self, said: Transcript) -> None:
        """Show what is being said."""
        if (line := self._line(said)) is not None:
            self._show(self.card(line))

    def heard(self, ctx: Context, said: Transcript, continues: bool) -> Reply | None:
        """Write a line down, and show it."""
        if (line := self._line(said)) is None:
            return None
        goes_on = continues and bool(self.lines)
        if goes_on:
            self.lines[-1] = line
        else:
            self.lines.append(line)
            self._times.append(f"{self._now():%H:%M:%S}")
        try:
            if goes_on:
                Said(self._title, tuple(self.lines), tuple(self._times)).write(self.path)
            else:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(f"- {self._times[-1]} {line}\n")
        except OSError:
            Said(self._title, tuple(self.lines), tuple(self._times)).write(self.path)
        self._show(self.card())
        return None

    def _line(self, said: Transcript) -> str | None:
        """Return what was said as a line, where one more is written."""
        line = str(world_text(said.text, LONGEST))
        return None if self.ended or not line or len(self.lines) >= MOST else line

    def over(self) -> None:
        """Take nothing down any more; one in which nothing was said leaves no file."""
        if not self.ended and not self.lines:
            self.path.unlink(missing_ok=True)
        self.ended = True

    def card(self, now: str = "") -> Reply:
        """Return what is shown: what was said last, the newest first and bright."""
        minutes, seconds = divmod(int((self._now() - self._began).total_seconds()), 60)
        last = [*self.lines[-SHOWN:], *([now] if now else [])]
        return Reply(
            "\n".join(last[::-1]), title=f"● {self._head} {minutes}:{seconds:02}", speech=""
        )
