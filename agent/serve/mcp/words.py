"""The words that tools are judged and spoken by: `words.yaml`, read once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def _table() -> Mapping[str, Any]:
    import yaml

    read: Mapping[str, Any] = yaml.safe_load(
        Path(__file__).with_name("words.yaml").read_text("utf-8")
    )
    return read


@cache
def listed(name: str) -> frozenset[str]:
    """Return one of the lists: `pays`, `reads`, `asks`, `searches`, `acts`, `silent`, `vague`."""
    return frozenset(map(str, _table()[name]))


def noun(word: str) -> str:
    """Return what a word of a tool's name is called in Chinese; empty where that is not known."""
    return str(_table()["nouns"].get(word, ""))


@cache
def _prepositions() -> Mapping[str, str]:
    return {w: before for before, words in _table()["prepositions"].items() for w in words}


def preposition(word: str) -> str:
    """Return what stands in English before a value of this name: `in` a city; empty for others."""
    return _prepositions().get(word, "")
