"""The address book: who can be paid, and no one else.

It is `payees.jsonl` beside this file, or the file that `GLASSES_PAYEES` names: one JSON object a
line with an `id` and, by language, names; the first is shown, all can be said.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from agent.environment import STARTED
from agent.language.folding import compared
from hardware import reading

SHIPPED = Path(__file__).with_name("payees.jsonl")
FILE = Path(STARTED.get("GLASSES_PAYEES") or SHIPPED).expanduser()
"""The file in use: what a plugin puts into the environment later gives nobody money."""
LANGUAGES = ("en", "zh")

log = logging.getLogger(__name__)


class AddressBookError(Exception):
    """The address book cannot be read; the message says which line and why."""


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
    """Return the payees by id. Raises AddressBookError."""
    try:
        return _read(FILE, FILE.stat().st_mtime_ns)
    except (OSError, reading.Unreadable) as error:
        raise AddressBookError(f"{FILE}: cannot be read: {error}") from None


def names(language: str) -> dict[str, str]:
    """Return what can be said for a payee, with the id of each; nothing when the book is broken.

    People mix names freely, so all are there, those of the language first.
    """
    try:
        payees = book().values()
    except AddressBookError as error:  # the other skills must go on being understood
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
    for number, line in enumerate(reading.read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        payee = _payee(line, f"{path}:{number}")
        spoken = {compared(said) for names in payee.names.values() for said in names}
        if payee.id in payees or spoken & taken:
            raise AddressBookError(f"{path}:{number}: an id or name of this payee is taken")
        payees[payee.id] = payee
        taken |= spoken
    return payees


def _payee(line: str, where: str) -> Payee:
    try:
        raw = reading.from_json(line)
        if not isinstance(raw, dict):
            raise ValueError('a payee is an object: {"id": …, "en": ["…"], "zh": ["…"]}')
        return Payee(_text(raw.get("id"), "id"), {c: _names(raw[c], c) for c in _spoken_in(raw)})
    except ValueError as error:
        raise AddressBookError(f"{where}: not a payee: {error}") from None


def _spoken_in(raw: dict[str, Any]) -> list[str]:
    if "en" not in raw:
        raise ValueError("there is no English name: en")
    return [code for code in LANGUAGES if code in raw]


def _names(said: Any, code: str) -> tuple[str, ...]:
    """Return names; a text is no list of names: its letters are nobody's. Raises ValueError."""
    if not isinstance(said, list) or not said:
        raise ValueError(f'{code} is a list of names, such as {code}: ["Anna"]')
    return tuple(_text(name, f"each name in {code}") for name in said)


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{what} is text, and not empty")
    return value.strip()
