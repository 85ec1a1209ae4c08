"""Prefer, among what Whisper may have heard, what can be said.

Whisper writes freely: "Pay $20 to Anna." The grammar of `agent.derive.grammar` knows words: `pay
twenty dollars to anna`. So numbers are read aloud, in English and in Chinese, and a Chinese
character is a word of its own, spelt in letters that the grammar takes for English: one graph for
both languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache

from agent.derive import grammar
from agent.language.saying import Saying
from agent.language.text import clean, language_of, readings, unaddressed

MIN_LIKENESS = 0.5
"""Share of characters in common (Ratcliff and Obershelp's ratio) under which two hypotheses are
different sentences, and the one that can be said is no reading of the other."""

_HAN = r"\u3400-\u9fff\uf900-\ufaff"
_NUMBER = r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+|:\d\d)?"
_PIECE = re.compile(
    rf"(?P<han>[{_HAN}])|(?P<symbol>[$€£¥￥])?(?P<number>{_NUMBER})(?P<after>st\b|nd\b|rd\b|th\b|%)?"
    rf"|(?P<word>[^\s\d{_HAN}$€£¥￥]+)"
)
_NAMES = re.compile(r"(\{[^}]*\}|<[^>]*>)")
_UNITS = {"$": "dollar", "€": "euro", "£": "pound"}
_ZH_UNITS = {"$": "美元", "€": "欧元", "£": "英镑", "¥": "元", "￥": "元"}

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One thing that may have been said."""

    text: str
    """As the engine wrote it."""
    log_probability: float
    """Natural logarithm of the probability of all of it, its end included."""
    tokens: int
    """How many tokens it has, its end included."""
    cut: bool = False
    """It had come to no end when it had as many tokens as speech of this length can have."""

    @property
    def mean(self) -> float:
        """Mean log probability of a token; its exponential is the confidence."""
        return self.log_probability / self.tokens


class Sayable:
    """Tells whether a text is something that can be said; made once for each list of sayings."""

    def __init__(self, sayings: Sequence[Saying]) -> None:
        """Build the graph. Raises SentenceError when a template is wrong."""
        graph = grammar.build([_spelt(saying) for saying in sayings])
        self._start, self._finals = graph.start, graph.finals
        self._next: dict[int, dict[str, int]] = {}
        for arc in graph.transitions:
            self._next.setdefault(arc.src, {})[arc.word] = arc.dst

    def accepts(self, text: str) -> bool:
        """Whether a sentence allows exactly these words, politeness around them aside."""
        cleaned = clean(unaddressed(text)).lower()
        return any(map(self._reads, readings(cleaned, language_of(cleaned)))) if cleaned else False

    def _reads(self, text: str) -> bool:
        """Follow every way to read the text aloud through the graph at once."""
        reached = {(self._start, False)}
        for piece in _PIECE.finditer(text):
            reached = {
                place for way in _ways(piece) for place in self._walk(frozenset(reached), way)
            }
        return any(not free and state in self._finals for state, free in reached)

    def _walk(self, reached: frozenset[tuple[int, bool]], way: Words) -> set[tuple[int, bool]]:
        """Go on by some words; a place is a state, or within the free text that leads to it."""
        places = set(reached)
        for word in way:
            onward: set[tuple[int, bool]] = set()
            for state, free in places:
                if free:  # one more word of the free text, which may end with it
                    onward |= {(state, True), (state, False)}
                    continue
                after = self._next.get(state, {})
                if word in after:
                    onward.add((after[word], False))
                if grammar.FREE_TEXT in after:
                    onward |= {(after[grammar.FREE_TEXT], True), (after[grammar.FREE_TEXT], False)}
            places = onward
        return places


def choose(
    hypotheses: Sequence[Hypothesis], sayable: Sayable | None, bonus: float
) -> tuple[Hypothesis, bool]:
    """Return the hypothesis to believe, and whether it can be said; the engine's best comes first.

    One that can be said wins over the first when, with `bonus` added to its log probability, it is
    at least as likely, and when it is like it. So `bonus` is also how much less likely it may be at
    most: what Whisper hears clearly stays, in the grammar or not.
    """
    first = hypotheses[0]
    if sayable is None:
        return first, False
    possible = [
        h
        for h in hypotheses
        if h.log_probability + bonus >= first.log_probability
        and likeness(h.text, first.text) >= MIN_LIKENESS
        and sayable.accepts(h.text)
    ]
    best = max(possible, key=lambda h: h.log_probability, default=None)
    return (first, False) if best is None else (best, True)


def likeness(one: str, other: str) -> float:
    """Share of characters that two texts have in common, 0 … 1, punctuation and capitals aside."""
    one, other = clean(one).lower(), clean(other).lower()
    return 1.0 if one == other else SequenceMatcher(None, one, other, autojunk=False).ratio()


def _spelt(saying: Saying) -> Saying:
    """Return the saying with Chinese characters and numbers as words of the grammar."""
    slots = {
        name: values and tuple(_spelt_template(value) for value in values)
        for name, values in saying.slots.items()
    }
    rules = {name: _spelt_template(rule) for name, rule in saying.rules.items()}
    return replace(saying, template=_spelt_template(saying.template), slots=slots, rules=rules)


@lru_cache(maxsize=16384)
def _spelt_template(template: str) -> str:
    """Spell a template; names of slots and rules stay."""
    if template.isascii() and not any(map(str.isdigit, template)):
        return template
    language = "zh" if re.search(f"[{_HAN}]", template) else "en"
    parts = _NAMES.split(template)
    parts[::2] = [_spelt_text(text, language) for text in parts[::2]]
    return "".join(parts)


def _spelt_text(text: str, language: str) -> str:
    text = re.sub(
        r"\d+", lambda n: f" {' '.join(_spoken(n[0], language))} " if n[0].isascii() else n[0], text
    )
    return re.sub(f"[{_HAN}]", lambda han: f" {_letters(han[0])} ", text)


def _letters(han: str) -> str:
    """Spell a Chinese character so that the grammar takes it for an English word."""
    return f"u{ord(han):x}"


def _ways(piece: re.Match[str]) -> list[Words]:
    """Return the ways to read a piece of text aloud."""
    if han := piece["han"]:
        return [(_letters(han),)]
    if number := piece["number"]:
        read = set(_english(number, piece["symbol"], piece["after"]))
        read.update(_chinese(number, piece["symbol"], piece["after"]))
        return sorted(read)
    word = grammar.clean(piece["word"])
    return [(word,) if word else ()]


def _english(number: str, symbol: str | None, after: str | None) -> Iterator[Words]:
    """`$4.50` → four dollars and fifty cents; `2nd` → second; `8:30` → eight thirty."""
    number = number.replace(",", "")
    if not symbol and not after:
        yield (number,)
    whole, _, part = number.partition(":" if ":" in number else ".")
    if symbol:
        unit = _UNITS.get(symbol, "")
        named = unit + "s" * (whole != "1") if unit else "yuan"
        money = (*_spoken(whole, "en"), named)
        yield (*money, "and", *_spoken(part, "en"), "cents") if part.strip("0") else money
    elif ":" in number:
        hour = _spoken(whole, "en")
        yield (*hour, *_spoken(part, "en")) if part != "00" else (*hour, "o'clock")
    elif after and after != "%":
        yield _spoken(whole, "en", ordinal=True)
    else:
        yield (*_spoken(number, "en"), *(("percent",) if after else ()))


def _chinese(number: str, symbol: str | None, after: str | None) -> Iterator[Words]:
    """`$20` → 二十美元; `8:30` → 八点三十 or 八点半; `50%` → 百分之五十."""
    number = number.replace(",", "")
    if after and after != "%":
        return
    whole, _, part = number.partition(":")
    said = _spoken(whole, "zh")
    if part:
        minutes = {"00": ((),), "30": (_spoken(part, "zh"), _han("半"))}.get(
            part, (_spoken(part, "zh"),)
        )
        yield from ((*said, *_han("点"), *minute) for minute in minutes)
    elif after:
        yield (*_han("百分之"), *said)
    else:
        yield (*said, *_han(_ZH_UNITS.get(symbol or "", "")))


def _han(text: str) -> Words:
    return tuple(map(_letters, text))


@lru_cache(maxsize=4096)
def _spoken(number: str, language: str, ordinal: bool = False) -> Words:
    """Return the words of a number: `42` → forty two, or 四十二 spelt in letters."""
    from unicode_rbnf import FormatPurpose, RbnfEngine

    purpose = FormatPurpose.ORDINAL if ordinal else FormatPurpose.CARDINAL
    text = RbnfEngine.for_language(language).format_number(number, purpose=purpose).text
    if language == "zh":
        return tuple(_letters(han) for han in re.findall(f"[{_HAN}]", text.replace("〇", "零")))
    return tuple(re.findall(r"[a-z]+", text.lower()))
