"""Notes: what the wearer asked to have remembered, in their own words, on this device alone.

One file that only they may read. What belongs to a question is found by meaning where a reader of
sentences is there, and else by the words they share. A skill gets at it by `ctx.notes`, with the
permission `personal`; the agent puts what is near a question into its prompt, as their words.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from agent import private
from agent.language.text import clean, language_of
from agent.skill.data import DataError

NOTES = "notes.jsonl"
"""The file, in the folder of what outlives the agent."""
MOST = 1000
"""Notes that are kept; each is read when something is looked for."""
LONGEST = 300
"""Characters of a note."""

NEAR = 0.5
"""Share of a question's telling words that a note must have to be near it, and no less."""
MEANT = 0.45
"""Cosine of MiniLM's embeddings from which two sentences are about the same: "where is my car" and
"I parked on level 3" have 0.45 to 0.6, unrelated sentences under 0.25."""

Reader = Callable[[str], Any]
"""Reads a text into a vector of length 1; None for a language that it does not know."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to remember."""

    id: int
    """What it is called in lists, from 1; never given twice."""
    text: str
    """The wearer's own words."""
    at: str
    """When it was said last, local time in ISO 8601."""

    @property
    def when(self) -> datetime:
        """`at`, as a time."""
        return datetime.fromisoformat(self.at)


class Notes:
    """The notes of one wearer; from any thread."""

    def __init__(self, path: Path, reader: Callable[[], Reader | None] = lambda: None) -> None:
        """Name the file; `reader` is asked for once something is looked for."""
        self.path = path
        self._reader = reader
        self._lock = threading.RLock()
        self._vectors: dict[str, Any] = {}

    def all(self) -> tuple[Note, ...]:
        """Return all of them, the oldest first. Raises DataError for a file that is damaged."""
        with self._lock:
            try:
                lines = self.path.read_text(encoding="utf-8").splitlines()
            except FileNotFoundError:
                return ()
            except (OSError, UnicodeDecodeError) as error:
                raise DataError(f"{self.path} cannot be read: {error}") from None
            return tuple(self._note(line, at) for at, line in enumerate(lines, 1) if line.strip())

    def _note(self, line: str, at: int) -> Note:
        try:
            read = json.loads(line)
            note = Note(int(read["id"]), str(read["text"]), str(read["at"]))
            _ = note.when
        except (ValueError, TypeError, LookupError):
            raise DataError(f"{self.path}:{at}: not a note; mend or remove the line") from None
        return note

    def add(self, text: str, at: datetime) -> Note:
        """Remember a text. Raises DataError where there is no room, or nothing to remember."""
        text = _readable(text)
        with self._lock:
            known = self.all()
            if len(known) >= MOST:
                raise DataError(f"{MOST} notes are the most: forget some first")
            same = [note for note in known if note.text.casefold() == text.casefold()]
            note = Note(max((n.id for n in known), default=0) + 1, text, _iso(at))
            note = replace(same[0], at=note.at) if same else note
            self._write([*(n for n in known if n.id != note.id), note])
            return note

    def change(self, id: int, text: str, at: datetime) -> Note:
        """Put another text in a note's place. Raises DataError where there is no such note."""
        text = _readable(text)
        with self._lock:
            note = replace(self.get(id), text=text, at=_iso(at))
            self._write(note if one.id == id else one for one in self.all())
            return note

    def get(self, id: int) -> Note:
        """Return a note. Raises DataError where there is none."""
        found = next((note for note in self.all() if note.id == id), None)
        if found is None:
            raise DataError(f"there is no note {id}: `glasses memory list` shows them")
        return found

    def forget(self, ids: Iterable[int]) -> tuple[Note, ...]:
        """Forget notes, and return them: nothing else remembers them."""
        wanted = set(ids)
        with self._lock:
            known = self.all()
            gone = tuple(note for note in known if note.id in wanted)
            if gone:
                self._write(note for note in known if note.id not in wanted)
            return gone

    def put_back(self, notes: Iterable[Note]) -> None:
        """Have notes again as they were, as undoing does."""
        with self._lock:
            back = {note.id: note for note in notes}
            rest = (note for note in self.all() if note.id not in back)
            self._write(sorted([*rest, *back.values()], key=lambda note: note.id))

    def _write(self, notes: Iterable[Note]) -> None:
        lines = [json.dumps(asdict(note), ensure_ascii=False) + "\n" for note in notes]
        self._vectors.clear()
        try:
            private.write(self.path, "".join(lines))
        except OSError as error:
            raise DataError(f"{self.path} cannot be written: {error.strerror}") from None

    # -- what belongs to a question

    def near(self, text: str, most: int = 3, loosely: bool = False) -> tuple[Note, ...]:
        """Return the notes that a text is about, the nearest first; often none.

        `loosely` is enough where it is known that the wearer asks for something of theirs.
        """
        known = self.all()
        if not known:
            return ()
        wanted = telling(text)
        own = [telling(note.text) for note in known]
        often = Counter(word for words in own for word in words)
        weight = {word: 1.0 / math.sqrt(often.get(word, 1)) for word in wanted}
        whole = sum(weight.values())
        asked = self._vector(text)
        found = []
        for note, words in zip(known, own, strict=True):
            shared = sum(weight[word] for word in wanted & words)
            share = shared / whole if whole else 0.0
            meant = self._alike(asked, note.text)
            ease = 0.65 if loosely else 1.0
            if share >= NEAR * ease or meant >= MEANT * ease:
                found.append((share + meant, note.at, note))
        found.sort(key=lambda one: one[:2], reverse=True)
        best = found[0][0] if found else 0.0
        return tuple(note for score, _, note in found[:most] if score >= best / 2)

    def _vector(self, text: str) -> Any:
        if language_of(text) == "zh" or (read := self._reader()) is None:
            return None
        return read(text)

    def _alike(self, asked: Any, text: str) -> float:
        if asked is None:
            return 0.0
        with self._lock:
            if text not in self._vectors:
                self._vectors[text] = self._vector(text)
            own = self._vectors[text]
        return 0.0 if own is None else float(asked @ own)


def exported(notes: Iterable[Note]) -> str:
    """Return notes as a Markdown list, to read or keep elsewhere."""
    return "".join(f"- {note.text} ({note.when:%Y-%m-%d %H:%M})\n" for note in notes)


def _iso(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="seconds")


def _readable(text: str) -> str:
    text = " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())
    if not text:
        raise DataError("there is nothing to remember")
    if len(text) > LONGEST:
        raise DataError(f"a note has {LONGEST} characters at most")
    return text


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TELLS_NOTHING = _words(
    "a about an and are at be been can could did do does for from had has have he her his how i i'm"
    " in is it it's me my mine of on our please remember s say said she so tell told that the their"
    " there they this to was we were what what's when where where's which who who's whose why will"
    " with would you your know again mean note notes keep kept leave left put"
)
_TELLS_NOTHING_ZH = re.compile(
    "什么时候|什么|哪里|哪儿|哪个|哪|多少|怎么|为什么|记得|记住|告诉|请|我们|我|你|您|的|了|在|是|吗|呢"
    "|吧|啊|有|和|把|几|谁|那|这|过|说|里|上|放"
)
_LATIN = re.compile(r"[a-z0-9'à-öø-ÿ]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]+")


def telling(text: str) -> frozenset[str]:
    """Return the words of a text that tell what it is about, without their endings.

    Of Chinese, each character that is no particle: words are not parted there.
    """
    text = clean(text).casefold()
    words = {_stem(word) for word in _LATIN.findall(text) if word not in _TELLS_NOTHING}
    chinese = _TELLS_NOTHING_ZH.sub(" ", " ".join(_CHINESE.findall(text)))
    return frozenset(words | {char for char in chinese if char != " "})


def _stem(word: str) -> str:
    word = word.removesuffix("'s")
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word.removesuffix("e") if len(word) > 4 else word
