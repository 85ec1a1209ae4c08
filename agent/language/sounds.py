"""How unlike two sounds are: English phones and Chinese syllables.

The distance of two phones is that of ALINE (G. Kondrak, "A New Algorithm for the Alignment of
Phonetic Sequences", NAACL 2000, tables 1 to 4): articulatory features with values between 0 and 1,
each weighted by how much it matters. A syllable of Mandarin is its initial, its final and its tone,
as `pypinyin` gives them; what speakers of the south do not tell apart counts little.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

GAP = 0.5
"""Cost of a phone too many or too few: two of them are one substitution of unlike phones."""

UNLIKE_CONSONANTS = 60.0
UNLIKE_VOWELS = 15.0
"""ALINE's difference from which two phones count as unlike, cost 1. ALINE compares related
languages, where vowels hardly matter; for a listener they do, hence a scale of their own (ours)."""

_PLACE = {
    "bilabial": 1.0, "labiodental": 0.95, "dental": 0.9, "alveolar": 0.85, "retroflex": 0.8,
    "palato-alveolar": 0.75, "palatal": 0.7, "velar": 0.6, "glottal": 0.1,
}  # fmt: skip
_MANNER = {"stop": 1.0, "affricate": 0.9, "fricative": 0.8, "approximant": 0.6}
_SALIENCE = {"place": 40, "manner": 50, "voice": 10, "nasal": 10, "retroflex": 10, "lateral": 10}
_VOWEL_SALIENCE = {"high": 5, "back": 5, "round": 5, "retroflex": 10, "long": 1}
"""ALINE's table 4: Syllabic, Aspirated and the features that never differ here are left out."""

_CONSONANTS = {
    "P": "bilabial stop", "B": "bilabial stop voice", "T": "alveolar stop",
    "D": "alveolar stop voice", "K": "velar stop", "G": "velar stop voice",
    "CH": "palato-alveolar affricate", "JH": "palato-alveolar affricate voice",
    "F": "labiodental fricative", "V": "labiodental fricative voice", "TH": "dental fricative",
    "DH": "dental fricative voice", "S": "alveolar fricative", "Z": "alveolar fricative voice",
    "SH": "palato-alveolar fricative", "ZH": "palato-alveolar fricative voice",
    "HH": "glottal fricative", "M": "bilabial stop voice nasal", "N": "alveolar stop voice nasal",
    "NG": "velar stop voice nasal", "L": "alveolar approximant voice lateral",
    "R": "retroflex approximant voice retroflex-tongue", "W": "velar approximant voice",
    "Y": "palatal approximant voice",
}  # fmt: skip
_VOWELS: dict[str, tuple[float, float, float, float, float]] = {
    # high, back, round, retroflex, long; high 1 is close, back 1 is front, as in ALINE
    "IY": (1.0, 1.0, 0, 0, 1), "IH": (0.8, 0.9, 0, 0, 0), "EH": (0.5, 1.0, 0, 0, 0),
    "AE": (0.1, 1.0, 0, 0, 0), "AA": (0.0, 0.1, 0, 0, 1), "AO": (0.3, 0.0, 1, 0, 1),
    "AH": (0.4, 0.5, 0, 0, 0), "UH": (0.8, 0.1, 1, 0, 0), "UW": (1.0, 0.0, 1, 0, 1),
    "ER": (0.5, 0.5, 0, 1, 1),
}  # fmt: skip
_DIPHTHONGS = {
    "EY": ("EH", "IH"), "AY": ("AA", "IH"), "AW": ("AA", "UH"), "OW": ("AO", "UH"),
    "OY": ("AO", "IH"),
}  # fmt: skip


@cache
def phone_distance(one: str, other: str) -> float:
    """Return how unlike two ARPAbet phones are, 0 for the same to 1."""
    if one == other:
        return 0.0
    consonants = (one in _CONSONANTS, other in _CONSONANTS)
    if all(consonants):
        return min(1.0, _consonants(one, other) / UNLIKE_CONSONANTS)
    if any(consonants):
        return 1.0
    pairs = zip(
        _DIPHTHONGS.get(one, (one, one)), _DIPHTHONGS.get(other, (other, other)), strict=True
    )
    return min(1.0, sum(_vowels(a, b) for a, b in pairs) / 2 / UNLIKE_VOWELS)


def _consonants(one: str, other: str) -> float:
    (place_a, manner_a, *marks_a), (place_b, manner_b, *marks_b) = (
        _CONSONANTS[phone].split() for phone in (one, other)
    )
    difference = _SALIENCE["place"] * abs(_PLACE[place_a] - _PLACE[place_b])
    difference += _SALIENCE["manner"] * abs(_MANNER[manner_a] - _MANNER[manner_b])
    for mark in set(marks_a) ^ set(marks_b):
        difference += _SALIENCE[mark.removesuffix("-tongue")]
    return difference


def _vowels(one: str, other: str) -> float:
    weights = _VOWEL_SALIENCE.values()
    return sum(
        weight * abs(a - b)
        for weight, a, b in zip(weights, _VOWELS[one], _VOWELS[other], strict=True)
    )


@dataclass(frozen=True, slots=True)
class Syllable:
    """One syllable of Mandarin."""

    initial: str
    """`zh`, or "" for none."""
    final: str
    """`uang`, with `v` for ü."""
    tone: int
    """1 to 4; 5 is neutral."""


Unit = str | Syllable
"""What is compared: an ARPAbet phone, or a syllable."""

TONE = 0.15
"""Another tone: speech recognition errs on it, and people with an accent do."""
UNLIKE_PART = 1.0
"""An initial or a final that is another."""
MERGED_PART = 0.25
"""One that many speakers do not tell from it."""
SYLLABLE_GAP = 1.25
"""A syllable too many or too few."""

VOWEL_GAP = 0.8
"""The same of a full vowel, which makes a syllable."""
WEAK_GAP = 0.3
"""The same of what people leave out: a final t or d, an h, an unstressed vowel."""
_FULL_VOWELS = frozenset({*_VOWELS, *_DIPHTHONGS} - {"AH", "IH", "ER"})
_WEAK = frozenset({"T", "D", "HH", "AH", "IH"})

_MERGED_INITIALS = (
    {"zh", "z"}, {"ch", "c"}, {"sh", "s"}, {"n", "l"}, {"f", "h"}, {"r", "l"},
)  # fmt: skip
_MERGED_FINALS = (
    {"in", "ing"}, {"en", "eng"}, {"an", "ang"}, {"ian", "iang"}, {"uan", "uang"},
    {"uen", "ueng"}, {"un", "uen"}, {"ong", "eng"}, {"o", "uo"}, {"v", "u"}, {"ve", "ue"},
)  # fmt: skip
"""The mergers that Chinese input methods offer as "fuzzy pinyin"."""


def weight(unit: Unit) -> float:
    """Return how much of a sentence a unit is, counted in phones."""
    return 2.0 if isinstance(unit, Syllable) else 1.0


def gap(unit: Unit) -> float:
    """Return what one unit too many or too few costs."""
    if isinstance(unit, Syllable):
        return SYLLABLE_GAP
    return VOWEL_GAP if unit in _FULL_VOWELS else WEAK_GAP if unit in _WEAK else GAP


@cache
def unlike(one: Unit, other: Unit) -> float:
    """Return how unlike two units are: 0 for the same, as many as they weigh at most."""
    if isinstance(one, str) and isinstance(other, str):
        return phone_distance(one, other)
    if isinstance(one, Syllable) and isinstance(other, Syllable):
        parts = _part(one.initial, other.initial, _MERGED_INITIALS)
        parts += _part(one.final, other.final, _MERGED_FINALS)
        return parts + TONE * (one.tone != other.tone)
    return 2.0


def _part(one: str, other: str, merged: tuple[set[str], ...]) -> float:
    if one == other:
        return 0.0
    return MERGED_PART if {one, other} in merged else UNLIKE_PART


@lru_cache(maxsize=8192)
def syllables(han: str) -> tuple[Syllable, ...]:
    """Return how a Chinese character may be read, the usual way first; nothing if nobody knows."""
    from pypinyin import Style, pinyin

    tones = pinyin(
        han, style=Style.TONE3, heteronym=True, neutral_tone_with_five=True, errors="ignore"
    )
    found = (_syllable(sound) for sound in (tones[0] if tones else ()))
    return tuple(dict.fromkeys(found))


def _syllable(sound: str) -> Syllable:
    """`zhuang4` → zh, uang, 4."""
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    plain, tone = sound[:-1], int(sound[-1])
    return Syllable(to_initials(plain, strict=False), to_finals(plain, strict=False), tone)
