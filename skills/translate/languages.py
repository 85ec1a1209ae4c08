"""Languages other than English and Chinese, and lands where they are spoken, by name only.

The list is closed: with any words for a language, "translate I want to go to bed" would be asked
for in bed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from agent.skill.data import table


@cache
def names() -> Mapping[str, tuple[str, ...]]:
    """Return the Chinese names of each language by its English one, the first of them shown.

    Raises DataError.
    """
    row = table(Path(__file__).with_name("languages.json"))
    return {english: row.texts(english, least=0) for english in row.values}


def said(language: str) -> dict[str, str]:
    """Return what can be said for a language, with its English name in lower case."""
    if language == "zh":
        return {name: english for english, chinese in names().items() for name in chinese}
    return {english: english for english in names()}


def shown(name: str, language: str) -> str:
    """Return the name to show."""
    chinese = names().get(name, ())
    return chinese[0] if language == "zh" and chinese else name.title()
