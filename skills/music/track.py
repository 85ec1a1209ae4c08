"""A song: what it is called, and what can be said for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Track:
    """One sound file."""

    path: Path
    """The file."""
    title: str
    """What is shown."""
    artist: str = ""
    """Who plays it, if the file name tells."""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """Other names by language, for the tunes that ship; the first is shown."""
    by: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Who wrote it by language, for the tunes that ship."""
    also: str = ""
    """The title without a number before it that may count tracks or belong to the title."""
    album: str = ""
    """What it is on, if its tags tell."""
    genre: str = ""
    """What kind of music it is, if its tags tell."""
    length_s: float = 0.0
    """How long it is; 0 where nobody knows."""

    def shown(self, language: str) -> str:
        """Return the title to show."""
        return next(iter(self.names.get(language, ())), self.title)

    def author(self, language: str) -> str:
        """Return who plays it or wrote it; "" when that is not known."""
        return self.artist or self.by.get(language, self.by.get("en", ""))

    def said(self, language: str) -> tuple[str, ...]:
        """Return what can be said for it."""
        names = self.names.get(language) or (self.title, self.also)
        return tuple(filter(None, map(sayable, names)))


def sayable(title: str) -> str:
    """Return a title as it is said: lower case words, nothing that means more in a template."""
    bare = re.sub(r"[(\[{<].*?[)\]}>]", " ", title.casefold().replace("’", "'"))
    words = (word.strip("'") for word in re.sub(r"[^\w']|_", " ", bare).split())
    return " ".join(filter(None, words))
