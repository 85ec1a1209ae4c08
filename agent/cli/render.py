r"""`glasses render`: one card on one lens, as a picture, a film or in the terminal.

A card is a JSON object, as a skill's reply would be:

    {"title": "London", "text": "Cloudy, 14 °C.\nWind 12 km/h"}
    {"kind": "proposal", "text": "Flat white", "amount": "4.50", "currency": "USD", "payee": "Cafe"}

`text` is the answer; `kind` one of the card kinds, `answer` when left out; `title` a short heading;
`language` that of the question under a proposal, `en` or `zh`. With `amount` or `payee` the card is
a proposal. An amount is text or a number, in `currency`, USD when left out.
"""

from __future__ import annotations

import difflib
import json
import typing
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TextIO

from agent.cli import streams
from agent.display.layout import dwell_ms, lay_out
from agent.errors import GlassesError
from agent.messages import CardKind, Proposal, Reply
from hardware import profiles, raster, reading
from hardware.base import Frame
from hardware.display import PngDisplay, TerminalDisplay
from hardware.recorder import write_gif

TEXTS = ("kind", "title", "text", "language", "currency", "payee")
"""Keys of a card whose values are text."""

MOST = 10**12
"""Largest amount: what is more is a slip of the keyboard."""


def render(source: str, profile: str, out: Path | None, stream: TextIO | None = None) -> None:
    """Lay out the card in the file `source`, `-` for standard input, and draw all its pages.

    `out` ends in `.png`, and further pages become `card-2.png` and so on beside it; or in `.gif`,
    and each page stays for as long as it takes to read. None draws in the terminal. Raises
    GlassesError or DeviceError.
    """
    lens = profiles.load(profile)
    if out is not None:
        lens = raster.in_type(lens)
    reply, language = read_card(_text(source), "standard input" if source == "-" else source)
    pages = lay_out(reply, lens, language)
    if out is None:
        _draw(pages, stream)
    elif out.suffix.lower() == ".gif":
        write_gif(out, lens, [(page, dwell_ms(page)) for page in pages])
        streams.echo(f"{out}: {_count(pages)}")
    elif out.suffix.lower() == ".png":
        for page in pages:
            file = out if page.page == 1 else out.with_stem(f"{out.stem}-{page.page}")
            display = PngDisplay(file, lens)
            display.show(page)
            boxes = display.missing_glyphs
            streams.echo(f"{file}: page {page.page} of {page.pages}{_missing(boxes)}")
    else:
        raise GlassesError(f"cannot write {out}: -o takes a name that ends in .png or .gif")


def read_card(text: str, source: str) -> tuple[Reply, str]:
    """Return the reply that a card describes, and its language. Raises GlassesError."""
    try:
        card = reading.from_json(text, finite=False)  # of an amount it is told better
    except reading.Unreadable as error:
        raise GlassesError(f"{source} is not JSON: {error}") from None
    if not isinstance(card, dict):
        raise GlassesError(f'{source} is not a card: it must be an object, such as {{"text": …}}')
    problems = list(_problems(card))
    if problems:
        raise GlassesError(f"{source}: {'; '.join(problems)}")
    known = {key: card[key] for key in ("kind", "title", "text") if key in card}
    if card.get("kind") == "proposal" or card.keys() & {"amount", "payee"}:
        reply: Reply = Proposal(
            **known | {"kind": "proposal"},
            amount=Decimal(str(card.get("amount", 0))),
            currency=card.get("currency", "USD"),
            payee=card.get("payee", ""),
        )
    else:
        reply = Reply(**known)
    return reply, card.get("language", "en")


def _problems(card: Mapping[str, Any]) -> typing.Iterator[str]:
    """Say what is wrong with a card, a few words for each thing."""
    keys = (*TEXTS, "amount")
    for key in sorted(card.keys() - set(keys)):
        near = difflib.get_close_matches(key, keys, 1)
        yield f"unknown key {key!r}" + (f", did you mean {near[0]!r}?" if near else "")
    for key in TEXTS:
        if not isinstance(card.get(key, ""), str):
            yield f"{key} must be text, is {json.dumps(card[key])[:40]}"
    kind = card.get("kind", "answer")
    if isinstance(kind, str) and kind not in typing.get_args(CardKind):
        yield f"kind must be one of {', '.join(typing.get_args(CardKind))}, is {kind!r}"
    if not _is_amount(card.get("amount", 0)):
        yield f"amount must be a number from 0 to {MOST:,}, or text that is one"


def _is_amount(amount: Any) -> bool:
    if isinstance(amount, bool) or not isinstance(amount, (int, float, str)):
        return False
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        return False
    return 0 <= value <= MOST if value.is_finite() else False


def _text(source: str) -> str:
    try:
        if source == "-":
            return reading.decode(streams.whole(reading.MOST_BYTES))
        return reading.read_text(Path(source))
    except streams.StreamError:
        raise
    except OSError as error:
        raise GlassesError(f"cannot read the card {source}: {error.strerror}") from error
    except reading.Unreadable as error:
        raise GlassesError(f"cannot read the card {source}: {error}") from None


def _draw(pages: tuple[Frame, ...], stream: TextIO | None) -> None:
    display = TerminalDisplay(pages[0].profile, stream)
    for page in pages:
        display.show(page)
        display.settle()


def _count(pages: tuple[Frame, ...]) -> str:
    return "1 page" if len(pages) == 1 else f"{len(pages)} pages"


def _missing(boxes: int) -> str:
    return f", {boxes} glyphs in no font, drawn as boxes" if boxes else ""
