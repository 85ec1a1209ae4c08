"""Fliggy: what flights, trains and hotels cost, asked of its own program `flyai`.

It is `@fly-ai/flyai-cli`, which searches and books nothing: each offer carries a link on which it
is booked and paid, at Fliggy's. What it prints is documented in alibaba-flyai/flyai-skill (1.0.15),
one JSON object `{data: {itemList: […]}, status}`; anything else is an error. It is text from the
world. A key is given to it by `flyai config set`, and it works without one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import urlsplit

from agent.errors import GlassesError, NotCommitted
from agent.language.world import world_text
from agent.skill.command import Command, CommandError

Kind = Literal["flight", "train"]

LEAST, BELOW = (0, 0, 1), (2, 0, 0)
"""Versions that are taken: what any of them prints is checked."""
TIMEOUT_S = 8.0
"""Longest that a search may take: an action has ten seconds."""
MOST_BYTES = 512 * 1024
"""Most that it may print: some dozens of offers, each with links."""
MOST = 12
"""Offers that are read."""
LONGEST = 40
"""Most characters that are kept of a name."""
LINK = 2000
"""Longest link that is handed on."""
_PRICE = re.compile(r"[¥￥]?\s*(\d{1,7}(?:\.\d{1,2})?)")
_TIME = re.compile(r"\d{4}-\d\d-\d\d (\d\d:\d\d)(?::\d\d)?")


class FliggyError(GlassesError):
    """Fliggy cannot be asked or gave no right answer; one line."""


class NotInstalled(FliggyError):
    """Its program is not on this machine."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that can be booked at Fliggy's; all of it text from the world."""

    name: str
    """Number and company of a flight or train, name of a hotel."""
    price: Decimal | None
    """In CNY: for one adult, of a hotel for a night; None where it is not told."""
    link: str
    """Where it is booked and paid; https, or empty."""
    begins: str = ""
    """Hour and minute of the departure, there."""
    ends: str = ""
    """Hour and minute of the arrival, there."""
    start: str = ""
    """Station or airport."""
    goal: str = ""
    """Station or airport."""
    changes: int = 0
    """How often one changes."""
    about: str = ""
    """Of a hotel its stars and its score."""

    @property
    def host(self) -> str:
        """Whose link it is."""
        return urlsplit(self.link).hostname or ""


class Fliggy:
    """Asks the program. Its methods raise FliggyError."""

    def __init__(self, command: Command | None = None) -> None:
        """Look for nothing yet."""
        self._command = command or Command("flyai", LEAST, BELOW, TIMEOUT_S, MOST_BYTES)

    def journeys(self, kind: Kind, origin: str, goal: str, day: date) -> list[Offer]:
        """Return flights or trains of a day, the cheapest first."""
        items = self._items(
            f"search-{kind}", "--origin", _word(origin), "--destination", _word(goal),
            "--dep-date", f"{day:%Y-%m-%d}", "--sort-type", "3",
        )  # fmt: skip
        return [offer for item in items if (offer := _journey(item)) is not None]

    def hotels(self, city: str, day: date) -> list[Offer]:
        """Return hotels of a city for the night after a day."""
        items = self._items(
            "search-hotel", "--dest-name", _word(city), "--check-in-date", f"{day:%Y-%m-%d}",
            "--check-out-date", f"{day + timedelta(days=1):%Y-%m-%d}",
        )  # fmt: skip
        return [offer for item in items if (offer := _hotel(item)) is not None]

    def _items(self, *words: str) -> list[Mapping[str, Any]]:
        try:
            printed = self._command.run(*words)
            read = printed.as_json()
        except NotCommitted as error:
            if "not installed" in str(error):
                raise NotInstalled(str(error)) from None
            raise FliggyError(str(error)) from None
        except CommandError as error:
            raise FliggyError(f"flyai: {error}") from None
        if read.get("status") != 0:
            told = world_text(read.get("message") or f"status {read.get('status')}", 80)
            raise FliggyError(f"flyai: {told}")
        data = read.get("data")
        listed = data.get("itemList") if isinstance(data, dict) else None
        if not isinstance(listed, list):
            raise FliggyError("flyai: its answer has no list")
        return _dicts(listed)[:MOST]


def _journey(item: Mapping[str, Any]) -> Offer | None:
    """Return a flight or train; None where its way is not told."""
    ways = _dicts(item.get("journeys"))
    legs = _dicts(ways[0].get("segments")) if ways else []
    if not legs:
        return None
    first, last = legs[0], legs[-1]
    begins, ends = _clock(first.get("depDateTime")), _clock(last.get("arrDateTime"))
    if not begins or not ends:
        return None
    return Offer(
        name=_text(first.get("marketingTransportNo"), first.get("marketingTransportName")),
        price=_price(item.get("adultPrice")),
        link=_link(item.get("jumpUrl")),
        begins=begins,
        ends=ends,
        start=_text(first.get("depStationShortName") or first.get("depStationName"),
                    first.get("depTerm"), joined=""),
        goal=_text(last.get("arrStationShortName") or last.get("arrStationName"),
                   last.get("arrTerm"), joined=""),
        changes=len(legs) - 1,
    )  # fmt: skip


def _hotel(item: Mapping[str, Any]) -> Offer | None:
    name = _text(item.get("name"))
    if not name:
        return None
    about = _text(item.get("star"), item.get("score"))
    return Offer(name, _price(item.get("price")), _link(item.get("detailUrl")), about=about)


def _dicts(values: Any) -> list[Mapping[str, Any]]:
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _text(*values: Any, joined: str = " ") -> str:
    return world_text(joined.join(v for v in values if isinstance(v, str) and v), LONGEST)


def _price(value: Any) -> Decimal | None:
    found = _PRICE.fullmatch(value.strip()) if isinstance(value, str) else None
    price = Decimal(found[1]) if found else None
    return price or None


def _clock(value: Any) -> str:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else ""


def _link(value: Any) -> str:
    """Return a link that may be opened on the phone: https, and of no user."""
    if not isinstance(value, str) or len(value) > LINK or not value.isascii():
        return ""
    if not value.isprintable() or " " in value:
        return ""
    try:
        parts = urlsplit(value)
        ours = parts.scheme == "https" and parts.hostname and parts.port in (None, 443)
    except ValueError:
        return ""
    return value if ours and parts.username is None else ""


def _word(said: str) -> str:
    """Return what was said as a value that is no option of the program."""
    return " ".join(said.split()).lstrip("-")[:LONGEST] or "?"
