"""One reading: the text in lines, and a thread that follows the voice through them."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable
from typing import Protocol

from agent import Reply
from agent.language.aloud import pieces
from agent.skill.context import Listener

WIDE = 30
"""Cells of a line, a Chinese character being two: the smallest usual lens has 32."""
SHOWN = 6
"""Lines that are shown: the one being read, and what follows."""
WAITING = 1000
"""Chunks of sound that may wait to be heard, 20 s; more are dropped."""
AT_ONCE_BYTES = 6400
"""How much is heard at once where more has come, 200 ms."""


class Follows(Protocol):
    """What finds the line that is being read: `agent.listen.sphinx.script.Script`."""

    @property
    def line(self) -> int:
        """The line that is being read, from 0."""
        ...

    def feed(self, pcm: bytes) -> int:
        """Hear the next samples; return that line."""
        ...

    def move(self, line: int) -> None:
        """Go on at a line."""
        ...


class Reading(Listener):
    """A text that is being read aloud: the sound itself is held against it, and nothing is kept."""

    def __init__(
        self,
        lines: list[str],
        show: Callable[[Reply], object],
        follows: Callable[[list[str]], Follows] | None = None,
    ) -> None:
        """Begin at the first line; `show` lights a card, on any thread.

        `follows` builds what follows the voice, by default the embedded engine. Raises EngineError
        where there is none, ValueError for a text that it cannot follow.
        """
        self._lines, self._show = lines, show
        self._script = (follows or _embedded)(lines)
        self._sound: queue.Queue[bytes | int | None] = queue.Queue(WAITING)
        self.ended = False
        """Whether it is over."""
        self.line = 0
        """The line that is lit."""
        self._thread = threading.Thread(target=self._work, name="teleprompter", daemon=True)
        self._thread.start()

    # -- what the floor hands on ----------------------------------------------------------------

    def samples(self, pcm: bytes) -> None:
        """Take the next sound; what cannot be heard in time is left out."""
        try:
            self._sound.put_nowait(pcm)
        except queue.Full:
            return

    def over(self) -> None:
        """End, once what has come is heard."""
        self.ended = True
        self._sound.put(None)

    # -- what the wearer asks for ---------------------------------------------------------------

    def card(self) -> Reply:
        """Return what is shown."""
        text = "\n".join(self._lines[self.line : self.line + SHOWN])
        return Reply(text, title=f"{self.line + 1} / {len(self._lines)}", speech="")

    def moved(self, lines: int) -> Reply:
        """Go so many lines on, or back, and return what is shown then."""
        self.line = max(0, min(len(self._lines) - 1, self.line + lines))
        self._sound.put(self.line)
        return self.card()

    # -- the thread -----------------------------------------------------------------------------

    def _work(self) -> None:
        while (first := self._sound.get()) is not None:
            if isinstance(first, int):
                self._script.move(first)
                continue
            pcm, stop = bytearray(first), False
            while len(pcm) < AT_ONCE_BYTES and not stop:
                following = self._sound.get()
                if isinstance(following, bytes):
                    pcm += following
                    continue
                stop = following is None
                if isinstance(following, int):
                    self._script.move(following)
                    pcm.clear()
            line = self._script.feed(bytes(pcm))
            if line != self.line and not (self.ended or stop):
                self.line = line
                self._show(self.card())
            if stop:
                break

    def wait(self, timeout_s: float) -> None:
        """Wait until all that has come is heard, after `over`."""
        self._thread.join(timeout_s)


def as_lines(text: str) -> list[str]:
    """Return a text as lines for the lens: whole sentences where they fit, without markup."""
    found: list[str] = []
    for piece in pieces(text):
        line = ""
        for word in re.findall(r"[㐀-鿿][，。！？、；：”’）]*|[^\s㐀-鿿]+\s*|\s+", piece):
            if line and _cells(line) + _cells(word.rstrip()) > WIDE:
                found.append(line.strip())
                line = ""
            line += word
        if line.strip():
            found.append(line.strip())
    return [line for line in found if any(map(str.isalnum, line))]


def _cells(text: str) -> int:
    return sum(2 if c > "\u2e80" else 1 for c in text)


def _embedded(lines: list[str]) -> Follows:
    from agent.listen.sphinx.script import Script

    return Script(lines)
