"""How words sound, in the ARPAbet phones of pocketsphinx's English model.

A word is looked up in the CMU dictionary, then in `pronunciations.dict` beside this file (words of
the shipped skills), then asked of espeak-ng, and at last spelt out by a few letter rules. It never
fails, and the answer says where it came from. `7`, `$5` and `check-in` sound like their words.

    python -m agent.language.pronounce WORD ...

prints dictionary lines for the words that the CMU dictionary lacks, for `pronunciations.dict`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from pathlib import Path
from typing import Literal

Source = Literal["dictionary", "shipped", "espeak-ng", "letters"]

SHIPPED = Path(__file__).with_name("pronunciations.dict")
ESPEAK_TIMEOUT_S = 5.0
MAX_VARIANTS = 6
"""Pronunciations kept for one word; `2000s` and the like have many combinations."""

_IPA = {
    "tʃ": "CH", "dʒ": "JH", "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "oʊ": "OW", "ɔɪ": "OY",
    "ɔɹ": "AO R", "oɹ": "AO R", "ɜɹ": "ER", "əɹ": "ER", "n̩": "AH N", "l̩": "AH L",
    "a": "AA", "ɑ": "AA", "ɒ": "AA", "æ": "AE", "ʌ": "AH", "ə": "AH", "ɐ": "AH", "ɔ": "AO",
    "b": "B", "d": "D", "ð": "DH", "ɛ": "EH", "e": "EY", "ɚ": "ER", "ɜ": "ER", "f": "F",
    "ɡ": "G", "g": "G", "h": "HH", "ɪ": "IH", "ᵻ": "IH", "i": "IY", "j": "Y", "k": "K",
    "x": "K", "l": "L", "ɫ": "L", "m": "M", "n": "N", "ŋ": "NG", "o": "OW", "p": "P",
    "ɹ": "R", "r": "R", "s": "S", "ʃ": "SH", "t": "T", "ɾ": "T", "ʔ": "T", "θ": "TH",
    "ʊ": "UH", "u": "UW", "v": "V", "w": "W", "z": "Z", "ʒ": "ZH", "y": "UW", "ø": "ER",
}  # fmt: skip
"""espeak-ng's en-us IPA without stress and length marks, in ARPAbet; a flap is a T, as in CMU's."""

_LETTERS = {
    "tion": "SH AH N", "ough": "OW", "augh": "AO", "eigh": "EY", "igh": "AY", "tch": "CH",
    "sch": "SH", "dge": "JH", "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "wh": "W",
    "ck": "K", "qu": "K W", "ng": "NG", "kn": "N", "wr": "R", "gh": "G", "ee": "IY",
    "ea": "IY", "oo": "UW", "ou": "AW", "ow": "OW", "oa": "OW", "oi": "OY", "oy": "OY",
    "ai": "EY", "ay": "EY", "ei": "EY", "ey": "IY", "ie": "IY", "au": "AO", "aw": "AO",
    "er": "ER", "ir": "ER", "ur": "ER", "ar": "AA R", "or": "AO R", "a": "AE", "b": "B",
    "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH",
    "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R",
    "s": "S", "t": "T", "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip
"""Most usual sound of English spellings: a last resort where espeak-ng is not installed."""

_SYMBOLS = {
    "&": "and", "%": "percent", "+": "plus", "@": "at", "=": "equals", "°": "degrees",
    "#": "number", "$": "dollars", "€": "euros", "£": "pounds",
}  # fmt: skip
_CURRENCY = re.compile(r"^([$€£])(\d+)(?:\.(\d\d))?$")
_PIECE = re.compile(r"\d+(?:\.\d+)?(?:st|nd|rd|th)?|[^\W\d_]+(?:'[^\W\d_]+)*'?|[&%+@=°#$€£]")


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """How one word sounds."""

    phones: tuple[str, ...]
    """One string of space-separated ARPAbet phones for each way to say it, the usual one first."""
    source: Source
    """Where it came from; for words made of several, the least certain of its parts."""


def pronounce(words: Iterable[str]) -> dict[str, Pronunciation]:
    """Return how each word sounds; espeak-ng is started at most once, for all that need it."""
    spoken = {word: _spoken(word) for word in words}
    parts = {part for ways in spoken.values() for way in ways for part in way}
    sounds = _sounds(parts)
    return {
        word: _joined([[sounds[p] for p in way] for way in ways]) for word, ways in spoken.items()
    }


def _spoken(word: str) -> list[list[str]]:
    """Return the ways to read a written word aloud, each a list of plain words."""
    if word in cmu_dictionary() or word in _shipped():
        return [[word]]
    if money := _CURRENCY.match(word):
        symbol, whole, cents = money.groups()
        unit = _SYMBOLS[symbol]
        if int(whole) == 1:
            unit = unit.removesuffix("s")
        if not cents or cents == "00":
            return [[*_number(whole), unit]]
        return [
            [*_number(whole), unit, "and", *_number(cents), "cents"],
            [*_number(whole), unit, *_number(cents)],
            [*_number(whole), *_number(cents)],
        ]
    pieces = _PIECE.findall(word) or ["silence"]
    ways = [[]] if len(pieces) > 1 or not pieces[0].isdigit() else _years(pieces[0])
    plain = [w for p in pieces for w in (_number(p) if p[0].isdigit() else [_SYMBOLS.get(p, p)])]
    return [plain, *filter(None, ways)]


def _years(digits: str) -> list[list[str]]:
    """`1984` is also said as two numbers, `007` as digits."""
    ways = []
    if len(digits) == 4 and digits[0] != "0" and digits[2] != "0":
        ways.append([*_number(digits[:2]), *_number(digits[2:])])
    if len(digits) > 1 and (digits[0] == "0" or len(digits) > 2):
        ways.append([w for d in digits for w in _number(d)])
    return ways


@lru_cache(maxsize=4096)
def _number(digits: str) -> tuple[str, ...]:
    """`42` → forty two, `2nd` → second."""
    from unicode_rbnf import FormatPurpose, RbnfEngine

    engine = RbnfEngine.for_language("en")
    ordinal = digits[-1].isalpha()
    number = digits[:-2] if ordinal else digits
    purpose = FormatPurpose.ORDINAL if ordinal else FormatPurpose.CARDINAL
    text = engine.format_number(number, purpose=purpose).text
    return tuple(re.findall(r"[a-z]+", text.lower()))


def _sounds(words: Iterable[str]) -> dict[str, Pronunciation]:
    """Look plain words up; those that nobody knows go to espeak-ng together."""
    known: dict[str, Pronunciation] = {}
    unknown = []
    for word in words:
        if phones := cmu_dictionary().get(word):
            known[word] = Pronunciation(phones, "dictionary")
        elif phones := _shipped().get(word):
            known[word] = Pronunciation(phones, "shipped")
        else:
            unknown.append(word)
    return {**known, **_guess(tuple(sorted(unknown)))}


def _joined(ways: Sequence[Sequence[Pronunciation]]) -> Pronunciation:
    """One pronunciation from ways to say a word, each a sequence of plain words."""
    order: list[Source] = ["dictionary", "shipped", "espeak-ng", "letters"]
    cap = max(1, MAX_VARIANTS // len(ways))
    phones: list[str] = []
    for way in ways:
        choices = product(*(part.phones[: cap if len(way) == 1 else 2] for part in way))
        phones.extend(" ".join(choice) for choice in islice(choices, cap))
    source = max((part.source for way in ways for part in way), key=order.index)
    return Pronunciation(tuple(dict.fromkeys(phones)), source)


class _Dictionary(Mapping[str, tuple[str, ...]]):
    """A dictionary file, searched line by line instead of read whole.

    A start needs some 500 of 126,000 words: sorting the file's lines and looking those up takes a
    fifth of the time of taking every line apart.
    """

    def __init__(self, path: Path) -> None:
        self._lines = path.read_text("utf-8").splitlines()
        self._lines.sort()

    def __getitem__(self, word: str) -> tuple[str, ...]:
        at = bisect_left(self._lines, f"{word} ")
        phones = []
        for line in (*self._lines[at : at + 1], *self._variants(word)):
            head, _, said = line.partition(" ")
            if head.partition("(")[0] == word and said:
                phones.append(said)
        if not phones:
            raise KeyError(word)
        return tuple(phones)

    def _variants(self, word: str) -> list[str]:
        at = bisect_left(self._lines, f"{word}(")
        end = bisect_left(self._lines, f"{word})")  # ")" follows "(" in every character set
        return self._lines[at:end]

    def __iter__(self) -> Iterator[str]:
        heads = (line.partition(" ")[0] for line in self._lines)
        return (head for head in heads if head and head != ";;;" and head[-1] != ")")

    def __len__(self) -> int:
        return sum(1 for _ in self)


@lru_cache(maxsize=1)
def cmu_dictionary() -> Mapping[str, tuple[str, ...]]:
    """Return the CMU dictionary of pocketsphinx's wheel; empty without pocketsphinx."""
    try:
        from pocketsphinx import get_model_path
    except ImportError:
        return {}
    return _Dictionary(Path(get_model_path("en-us/cmudict-en-us.dict")))


@lru_cache(maxsize=1)
def _shipped() -> Mapping[str, tuple[str, ...]]:
    return _Dictionary(SHIPPED) if SHIPPED.exists() else {}


@lru_cache(maxsize=256)
def _guess(words: tuple[str, ...]) -> Mapping[str, Pronunciation]:
    """Pronounce unknown words by espeak-ng, or by letter rules where it is not installed."""
    if not words:
        return {}
    guessed: dict[str, Pronunciation] = {}
    for word, ipa in zip(words, _espeak(words), strict=True):
        phones = _match(re.sub("[ˈˌːˑ‿ _-]", "", ipa), _IPA)
        guessed[word] = Pronunciation((phones,), "espeak-ng") if phones else spell(word)
    return guessed


def _espeak(words: tuple[str, ...]) -> list[str]:
    """IPA of each word from espeak-ng, "" where there is none."""
    try:
        done = subprocess.run(
            ["espeak-ng", "-q", "--ipa", "-v", "en-us"],
            input="\n".join(words) + "\n",
            capture_output=True,
            text=True,
            timeout=ESPEAK_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return [""] * len(words)
    lines = done.stdout.splitlines()
    return lines if len(lines) == len(words) else [""] * len(words)


def spell(word: str) -> Pronunciation:
    """Pronounce by letter rules alone; a word without a Latin letter is `AH`."""
    plain = unicodedata.normalize("NFKD", word.lower())
    if len(plain) > 3 and plain[-1] == "e" and plain[-2] not in "aeiou":
        plain = plain[:-1]
    doubled = re.sub(r"([b-df-hj-np-tv-z])\1", r"\1", plain)
    return Pronunciation((_match(doubled, _LETTERS) or "AH",), "letters")


def _match(text: str, sounds: Mapping[str, str]) -> str:
    """Replace the longest known piece each time, skipping what no piece fits."""
    phones, at = [], 0
    while at < len(text):
        for length in (4, 3, 2, 1):
            if sound := sounds.get(text[at : at + length]):
                phones.append(sound)
                at += length - 1
                break
        at += 1
    return " ".join(phones)


def main(words: Sequence[str]) -> None:
    """Print a dictionary line for each way to say each word that the CMU dictionary lacks."""
    unknown = sorted({word.lower() for word in words} - cmu_dictionary().keys())
    for word, pronunciation in pronounce(unknown).items():
        for number, phones in enumerate(pronunciation.phones, start=1):
            print(f"{word}{f'({number})' if number > 1 else ''} {phones}")


if __name__ == "__main__":
    main(sys.argv[1:])
