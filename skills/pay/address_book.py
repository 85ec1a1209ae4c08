"""The address book: who can be paid, and no one else.

It is `payees.jsonl` beside this file, or the file that `GLASSES_PAYEES` names: one JSON object a
line with an `id` and, by language, names; the first is shown, all can be said.
"""

from __future__ import annotations

import logging
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from agent.environment import STARTED
from agent.language.folding import compared
from agent.skill.data import DataError, Row, rows

SHIPPED = Path(__file__).with_name("payees.jsonl")
FILE = Path(STARTED.get("GLASSES_PAYEES") or SHIPPED).expanduser()
"""The file in use, settled at the start: no plugin can name another one later."""
LANGUAGES = ("en", "zh")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Payee:
    """Someone who can be paid."""

    id: str
    """What the ledger writes down; stays the same when a name changes."""
    names: dict[str, tuple[str, ...]]
    """What they are called, by language."""

    def shown(self, language: str) -> str:
        """Return the name to show; English where the language has none."""
        return self.said(language)[0]

    def said(self, language: str) -> tuple[str, ...]:
        """Return every name that can be said."""
        return self.names.get(language) or self.names["en"]


def book() -> dict[str, Payee]:
    """Return the payees by id. Raises DataError, which says which row to mend."""
    try:
        changed_ns = FILE.stat().st_mtime_ns
    except OSError as error:
        raise DataError(f"{FILE}: cannot be read: {error.strerror}") from None
    return _read(FILE, changed_ns)


def names(language: str) -> dict[str, str]:
    """Return what can be said for a payee, with the id of each; nothing when the book is broken.

    People mix names freely, so all are there, those of the language first.
    """
    try:
        payees = book().values()
    except DataError as error:  # the other skills must go on being understood
        log.warning("no one can be paid: %s", error)
        return {}
    others = (code for code in LANGUAGES if code != language)
    return {
        said.lower(): one.id
        for code in (language, *others)
        for one in payees
        for said in one.names.get(code, ())
    }


@lru_cache(maxsize=4)
def _read(path: Path, mtime_ns: int) -> dict[str, Payee]:
    """Read the file once per version of it; two payees must never share a name, in any language.

    Names are compared as they are heard, without accents: José is no other name than Jose.
    """
    payees: dict[str, Payee] = {}
    taken: set[str] = set()
    for row in rows(path):
        payee = _payee(row)
        if not all(_is_plain(said) for names in payee.names.values() for said in names):
            raise row.wrong("a name looks like another or hides signs: write it out")
        spoken = {compared(said) for names in payee.names.values() for said in names}
        if payee.id in payees or spoken & taken:
            raise row.wrong("an id or name of this payee is taken: choose another")
        payees[payee.id] = payee
        taken |= spoken
    return payees


SCRIPTS = ("LATIN", "CYRILLIC", "GREEK")
"""Scripts with letters that look alike."""


def _is_plain(name: str) -> bool:
    """Whether a name is what it looks like: no hidden signs, no letter in another's clothes.

    A name of letters that look Latin and are none is refused too: nobody could tell it apart.
    """
    scripts = {unicodedata.name(c, "").partition(" ")[0] for c in name if c.isalpha()}
    disguised = scripts & {"CYRILLIC", "GREEK"} and all(
        c in LIKE_LATIN or not c.isalpha() or unicodedata.name(c, "").startswith("LATIN")
        for c in name
    )
    mixed = len(scripts & set(SCRIPTS)) > 1
    return all(c.isprintable() for c in name) and not mixed and not disguised


LIKE_LATIN = frozenset("АВЕЅZНІЈКМОРСТХУЗаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧονυ")
"""Letters of Cyrillic and Greek that look like Latin ones."""


def _payee(row: Row) -> Payee:
    spoken_in = [code for code in LANGUAGES if code == "en" or code in row.values]
    return Payee(row.text("id"), {code: row.texts(code) for code in spoken_in})
