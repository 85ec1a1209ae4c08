"""What makes each turn of a pair of glasses happen once, whichever replica they are on.

Before a turn runs it is written down as begun, after it with its answer, each time whole and forced
to the disk (`hub.json` in the glasses' folder). What glasses send again is then one of three:

    answered   it is not run again, and the answer is sent again
    begun      a replica died in it: see `Session`
    unknown    it is run

One turn runs at a time, so at most one is begun. Sound is known by the number of its last chunk.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from agent import private
from agent.serve.hub.protocol import Cursor
from hardware import reading

log = logging.getLogger(__name__)

VERSION = 1
"""Of the file; another is not read."""
ANSWERS = 16
"""Answers that are kept for glasses that did not get them."""
MOST_BYTES = 2_000_000
"""A longer file is not ours."""

Kind = Literal["sound", "line"]


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn that was begun."""

    kind: Kind
    """What it came from."""
    number: int
    """Of its last chunk, or of the line."""
    text: str
    """What was said."""
    language: str
    """In which language."""
    asked: str | None = None
    """Key of the proposal that was open when it was said: a yes may have paid it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A turn that is over."""

    kind: Kind
    """What it came from."""
    number: int
    """Of its last chunk, or of the line."""
    turn: Mapping[str, Any]
    """As `Turn.as_json`."""


class Journal:
    """The journal of one pair of glasses. To be used by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Read what is there; a file that is damaged is one warning, and left as if there was none.

        What was answered may then be answered again, but never paid again: that is the ledger's.
        """
        self._path = folder / "hub.json"
        self.done = Cursor()
        """What is answered, all up to it."""
        self.begun: Begun | None = None
        """What was begun and not ended, by a replica that is no more."""
        self.answers: list[Answer] = []
        """The last answers, oldest first."""
        try:
            self._read()
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            log.warning("%s is damaged: its glasses begin anew", self._path)

    def begin(self, begun: Begun) -> None:
        """Write down that a turn runs now. Raises OSError; nothing was written then."""
        self._write(self.done, begun, self.answers)

    def end(self, answer: Answer) -> None:
        """Write down what came of it. Raises OSError; nothing was written then."""
        answers = [*self.answers, answer][-ANSWERS:]
        self._write(_further(self.done, answer), None, answers)

    def missed(self, through: Cursor) -> list[Answer]:
        """Return the answers that glasses have not got which know what came up to a point."""
        return [one for one in self.answers if one.number > getattr(through, one.kind)]

    def _write(self, done: Cursor, begun: Begun | None, answers: list[Answer]) -> None:
        found = {
            "version": VERSION,
            "done": asdict(done),
            "begun": None if begun is None else asdict(begun),
            "answers": [asdict(one) for one in answers],
        }
        private.write(self._path, json.dumps(found))
        self.done, self.begun, self.answers = done, begun, answers

    def _read(self) -> None:
        with self._path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise ValueError("it is too long")
        found = reading.from_json(reading.decode(raw))
        if found["version"] != VERSION:
            raise ValueError("it is of another version")
        begun = found["begun"]
        self.done = Cursor(int(found["done"]["sound"]), int(found["done"]["line"]))
        self.begun = None if begun is None else Begun(**begun)
        self.answers = [Answer(**one) for one in found["answers"]]


def _further(done: Cursor, answer: Answer) -> Cursor:
    if answer.kind == "sound":
        return Cursor(max(done.sound, answer.number), done.line)
    return Cursor(done.sound, max(done.line, answer.number))
