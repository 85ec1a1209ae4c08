"""Signs before the wearer: read from the camera's picture, each text with its translation.

The engine that translated stands on the card, and what none of them knows is marked as such.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from agent import Context, Reply, skill
from agent.look import words
from agent.models.llm.soon import soon
from skills.translate import lexicon
from skills.translate.overlay import Block, grouped
from skills.translate.phrasebook import book, is_chinese

WHY = "to read the sign you look at"
MOST = 10
"""Texts of one picture that are translated."""
ASKED_S = 4.0
"""How long the model may take for all that nobody else knows; it takes some seconds for each."""
LEAST_S = 0.5
"""With less time left it is not asked any more."""
UNKNOWN = "?"
"""Stands in the place of a translation that nobody has."""

Engine = Literal["signs", "phrases", "model", "same", "none"]


@dataclass(frozen=True, slots=True)
class Read:
    """A text and what it means."""

    source: str
    """What stands there: text from the world."""
    target: str
    """What it means in the wearer's language; UNKNOWN where no engine knows."""
    by: Engine
    """Who says so; `same` where it is in the wearer's language."""
    x: float
    """Its left edge, 0 … 1 of the picture."""
    y: float
    """The middle of its first line."""


@skill(
    "(translate|read) (this|that|the) (sign|notice|poster|menu|board|text)",
    "what does (this|that|the) (sign|notice|poster|menu|board) say",
    "what is written (here|there|on (this|that|the) (sign|notice|poster|menu|board))",
    permissions={"camera": WHY},
)
def sign(ctx: Context) -> Reply:
    """Read the sign before the wearer and translate it, source and target together."""
    found = grouped(words.read(ctx.device("camera").take()))
    if not found:
        return Reply(ctx.say("I see no text. Go nearer, hold still, or find more light."))
    texts = read(found[:MOST], ctx)
    lines = [
        text.source if text.by == "same" else f"{text.source} → {text.target}" for text in texts
    ]
    engines = _named({text.by for text in texts}, ctx)
    ctx.memory["last"] = (ctx.say("Sign"), "\n".join(lines))
    return Reply("\n".join([*lines, *engines]), title=ctx.say("Sign"), kind="translation")


def read(blocks: list[Block], ctx: Context) -> list[Read]:
    """Translate texts: each whole, else line by line, else by the model, else not at all."""
    found: list[Read] = []
    until = time.monotonic() + ASKED_S
    for block in blocks:
        whole = looked_up(block.text, ctx.language)
        if whole is None and len(block.lines) > 1:
            parts = [looked_up(line, ctx.language) for line in block.lines]
            if any(parts):
                found += [
                    _text(line, part, block, ctx)
                    for line, part in zip(block.lines, parts, strict=True)
                ]
                continue
        if whole is None and _wordy(block.text):
            whole = by_model(block.text, until - time.monotonic(), ctx, ctx.language)
        found.append(_text(block.text, whole, block, ctx))
    return found


def _text(source: str, known: tuple[str, Engine] | None, block: Block, ctx: Context) -> Read:
    if known is None and not _wordy(source):
        known = source, "same"
    target, by = known or (UNKNOWN, "none")
    return Read(source, target, by, block.x, block.y)


def _wordy(text: str) -> bool:
    """Return whether there is anything to translate: not in numbers, nor in one letter."""
    return sum(char.isalpha() for char in text) > 1 or is_chinese(text)


def looked_up(text: str, language: str) -> tuple[str, Engine] | None:
    """Return what the lexicon or the phrase book says; None where they do not know."""
    chinese = is_chinese(text)
    if chinese == (language == "zh") and (chinese or lexicon.english(text)):
        return text, "same"
    if language == "zh" or chinese:
        if sign := lexicon.translated(text):
            return sign, "signs"
        phrases = book()
        if phrase := phrases.from_chinese(text) if chinese else phrases.from_english(text):
            return (phrase.en if chinese else phrase.zh)[0], "phrases"
    return None


def by_model(text: str, within_s: float, ctx: Context, language: str) -> tuple[str, Engine] | None:
    """Return what the model makes of a text in time; None where its answer is no use."""
    if within_s < LEAST_S:
        return None
    named = ctx.say("Chinese") if language == "zh" else ctx.say("English")
    prompt = ctx.prompt("translate", text=text[:300], language=named)
    answer = soon(ctx.model, prompt, within_s, cancel=ctx.cancel) or ""
    first = next((line.strip() for line in answer.splitlines() if line.strip()), "")
    if not first or is_chinese(first) != (language == "zh"):
        return None
    if first.casefold() == text.casefold():
        return text, "same"
    return first, "model"


def _named(engines: set[Engine], ctx: Context) -> list[str]:
    """Say who translated, and that something could not be."""
    names: dict[Engine, str] = {
        "signs": ctx.say("(sign lexicon)"),
        "phrases": ctx.say("(phrase book)"),
        "model": ctx.say("(by the model, unchecked)"),
        "none": ctx.say("? = no engine here knows it"),
    }
    return [name for engine, name in names.items() if engine in engines]
