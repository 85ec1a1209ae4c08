"""The address book: who can be paid, and no one else.

It is `payees.jsonl` beside this file, or the file that `GLASSES_PAYEES` names: one JSON object a
line with an `id` and, by language, names; the first is shown, all can be said.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from agent.environment import STARTED
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
    """Return what can be said for a payee, with the id of each; nothing when the book is broken."""
    try:
        payees = book().values()
    except AddressBookError as error:  # the other skills must go on being understood
        log.warning("no one can be paid: %s", error)
        return {}
    return {said.lower(): one.id for one in payees for said in one.said(language)}


@lru_cache(maxsize=4)
def _read(path: Path, mtime_ns: int) -> dict[str, Payee]:
    """Read the file once per version of it; two payees must never share a name."""
    payees: dict[str, Payee] = {}
    taken: set[tuple[str, str]] = set()
    for number, line in enumerate(reading.read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        payee = _payee(line, f"{path}:{number}")
        spoken = {(code, said.lower()) for code in LANGUAGES for said in payee.said(code)}
        if payee.id in payees or spoken & taken:
            raise AddressBookError(f"{path}:{number}: an id or name of this payee is taken")
        payees[payee.id] = payee
        taken |= spoken
    return payees


def _payee(line: str, where: str) -> Payee:
    try:
        raw = reading.from_json(line)
        said = {code: tuple(map(str, raw[code])) for code in LANGUAGES if raw.get(code)}
        if not said["en"]:
            raise ValueError("no English name")
        return Payee(str(raw["id"]), said)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AddressBookError(f"{where}: not a payee: {type(error).__name__} {error}") from None
