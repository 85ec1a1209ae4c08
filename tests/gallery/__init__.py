"""Pictures of the lens for people to look at."""

from __future__ import annotations

import typing
from pathlib import Path

from agent.cli.render import read_card
from agent.messages import CardKind, Reply

CARDS = Path(__file__).parent / "cards"
"""A card of every kind in every language, in the form that `glasses render` reads."""
LANGUAGES = ("en", "zh")


def cards() -> list[tuple[Reply, str]]:
    """Read every card, each in English and then in Chinese, with the language it asks in."""
    files = [
        CARDS / f"{kind}.{language}.json"
        for kind in typing.get_args(CardKind)
        for language in LANGUAGES
    ]
    return [read_card(file.read_text(encoding="utf-8"), file.name) for file in files]
