"""Text as people and engines write it, spelt in the words of the grammar.

Engines write freely: "Pay $20 to Anna." The grammar of `agent.derive.grammar` knows words: `pay
twenty dollars to anna`. So numbers are read aloud, in English and in Chinese, and a Chinese
character is a word of its own, spelt in letters that the grammar takes for English: one graph for
both languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from agent.derive import grammar
from agent.language.saying import Saying

HAN = r"\u3400-\u9fff\uf900-\ufaff"
_NUMBER = r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+|:\d\d)?"
PIECE = re.compile(
    rf"(?P<han>[{HAN}])|(?P<symbol>[$€£¥￥])?(?P<number>{_NUMBER})(?P<after>st\b|nd\b|rd\b|th\b|%)?"
    rf"|(?P<word>[^\s\d{HAN}$€£¥￥]+)"
)
_NAMES = re.compile(r"(\{[^}]*\}|<[^>]*>)")
_UNITS = {"$": "dollar", "€": "euro", "£": "pound"}
_ZH_UNITS = {"$": "美元", "€": "欧元", "£": "英镑", "¥": "元", "￥": "元"}

_LETTERED = re.compile(r"\bu([3-9a-f][0-9a-f]{3})\b")

Words = tuple[str, ...]


def spelt(saying: Saying) -> Saying:
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
    language = "zh" if re.search(f"[{HAN}]", template) else "en"
    parts = _NAMES.split(template)
    parts[::2] = [_spelt_text(text, language) for text in parts[::2]]
    return "".join(parts)


def _spelt_text(text: str, language: str) -> str:
    text = re.sub(
        r"\d+", lambda n: f" {' '.join(_spoken(n[0], language))} " if n[0].isascii() else n[0], text
    )
    return re.sub(f"[{HAN}]", lambda han: f" {_letters(han[0])} ", text)


def _letters(han: str) -> str:
    """Spell a Chinese character so that the grammar takes it for an English word."""
    return f"u{ord(han):x}"


def ways(piece: re.Match[str], languages: Sequence[str] = ("en", "zh")) -> list[Words]:
    """Return the ways to read a piece of text aloud, numbers in these languages."""
    if han := piece["han"]:
        return [(_letters(han),)]
    if number := piece["number"]:
        read = {
            way
            for language, aloud in (("en", _english), ("zh", _chinese))
            if language in languages
            for way in aloud(number, piece["symbol"], piece["after"])
        }
        return sorted(read) or [()]
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
        return tuple(_letters(han) for han in re.findall(f"[{HAN}]", text.replace("〇", "零")))
    return tuple(re.findall(r"[a-z]+", text.lower()))


def unspelt(words: Sequence[str]) -> str:
    """Write words of the grammar as people do: Chinese characters, and no gap between them."""
    text = " ".join(re.sub(_LETTERED, lambda word: chr(int(word[1], 16)), word) for word in words)
    return re.sub(rf"(?<=[{HAN}]) (?=[{HAN}])", "", text)


def is_han(word: str) -> bool:
    """Whether a word of the grammar is a Chinese character."""
    return _LETTERED.fullmatch(word) is not None
