"""Find a name by words that look or sound like it: speech recognition misspells what it never saw.

Every name has two keys: its plain letters, and a rough spelling of its sound in which letters that
listeners mix up are one (b and p, d and t, v, w and f, every vowel). Names that share groups of
three letters with what was said are counted at once in arrays, so that 50,000 names take a few
milliseconds; the best of them are then compared letter by letter (rapidfuzz).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from agent.language.folding import compared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST = 0.66
"""Score from which two names may be one: below, a listener would not take them for each other."""
COMPARED = 200
"""Names that are compared letter by letter."""
SOUND = 0.5
"""How much the sound of a name counts beside its letters."""
PART = 0.9
"""Score of words that are a part of a name, beside 1 for all of it."""
SOUND_ALONE = 0.78
"""Score of a name that only sounds alike, beside 1 for one that is also written so."""
LEAST_PART = 4
"""Letters that a part of a name has at least."""

_SOUNDS = (
    ("tsch", "s"), ("sch", "s"), ("tch", "s"), ("dge", "s"), ("eaux", "a"), ("eau", "a"),
    ("ough", "a"), ("igh", "a"), ("sh", "s"), ("chr", "kr"), ("ck", "k"), ("th", "t"), ("ph", "f"),
    ("qu", "kf"), ("dt", "t"), ("tz", "s"), ("ts", "s"), ("kn", "n"), ("wr", "r"), ("x", "ks"),
)  # fmt: skip
_LETTERS = str.maketrans("bdgcqvwzj", "ptkkkffss")
_SOFT_C = re.compile(r"c(?=[eiy])")
_DARK_CH = re.compile(r"(?<=[aou])ch")
_GLIDE = re.compile(r"j(?=[aeiou])|y(?=[aeiou])")
_VOWELS = re.compile(r"[aeiouy]+")
_DOUBLE = re.compile(r"([a-z])\1+")
_HAN = re.compile(r"[㐀-鿿]")
_EASY = re.compile(r"^[A-Za-z]+(?: [A-Za-z]+)+$")
_BARE = re.compile(r"[^\w]|_")
_MERGED = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"), ("l", "n"), ("r", "n"), ("h", "f"))
"""Of Chinese syllables: what many speakers do not tell apart (see `agent.language.sounds`)."""

_BASE = 40
"""Letters, digits, and the two ends of a key, each a number below this."""


@dataclass(frozen=True, slots=True)
class Match:
    """A name that may be meant."""

    index: int
    """Its place in the list."""
    score: float
    """How alike it is, 0 … 1; 1 is written alike."""


@lru_cache(maxsize=4096)
def written(name: str) -> str:
    """Return the plain letters and digits of a name, without spaces: `cafemuller`."""
    return _BARE.sub("", _plain(name)) or _BARE.sub("", name.casefold())


@lru_cache(maxsize=4096)
def sounded(name: str) -> str:
    """Return the rough spelling of how a name sounds: `kafamalar`."""
    plain = _plain(name)
    if _HAN.search(plain):
        return _chinese(plain)
    words = (_word(word) for word in re.findall(r"\w+", plain.replace("_", " ")))
    return _DOUBLE.sub(r"\1", "".join(words))


def _plain(name: str) -> str:
    """Return a name as texts are compared; most names need none of the work for that."""
    return name.casefold() if _EASY.match(name) else compared(name)


def _word(word: str) -> str:
    for spelling, sound in _SOUNDS:
        word = word.replace(spelling, sound)
    word = _DARK_CH.sub("k", word).replace("ch", "s")
    word = _GLIDE.sub("a", _SOFT_C.sub("s", word))
    word = _VOWELS.sub("a", word.translate(_LETTERS)).replace("h", "")
    return _DOUBLE.sub(r"\1", word)


def _chinese(text: str) -> str:
    from pypinyin import lazy_pinyin

    sounds = lazy_pinyin(text, errors=lambda other: _word(_BARE.sub("", other)))
    return "".join(map(_merged, sounds))


def _merged(syllable: str) -> str:
    for one, other in _MERGED:
        syllable = syllable.replace(one, other)
    return syllable


class Alike:
    """A list of names that can be searched by ear."""

    def __init__(self, names: Sequence[str], keys: Iterable[tuple[str, str]] | None = None) -> None:
        """Index names; `keys` are their `written` and `sounded`, where somebody kept them."""
        kept = [(written(name), sounded(name)) for name in names] if keys is None else list(keys)
        self._keys = kept
        self._written = _Trigrams([key[0] for key in kept])
        self._sounded = _Trigrams([key[1] for key in kept])

    def __len__(self) -> int:
        """Return how many names there are."""
        return len(self._keys)

    def find(
        self, said: str, limit: int = 5, least: float = LEAST, parts: bool = True
    ) -> list[Match]:
        """Return the names that what was said may mean, the likeliest first.

        Names of one score stay in the order of the list. `parts` also finds those of which it is
        only a part, and that are only a part of it.
        """
        key, sound = written(said), sounded(said)
        if not key or not self._keys:
            return []
        found = [
            Match(index, score)
            for index in self._candidates(key, sound)
            if (score := likeness(key, sound, *self._keys[index], parts)) >= least
        ]
        found.sort(key=lambda match: (-match.score, match.index))
        return found[:limit]

    def _candidates(self, key: str, sound: str) -> list[int]:
        import numpy as np

        shared = self._written.shared(key) + self._sounded.shared(sound)
        most = min(COMPARED, len(shared))
        best = np.argpartition(-shared, most - 1)[:most]
        return [int(index) for index in best if shared[index] > 0]


def likeness(key: str, sound: str, other_key: str, other_sound: str, parts: bool = True) -> float:
    """Return how alike two names are by their `written` and `sounded`, 0 … 1."""
    from rapidfuzz import fuzz

    if key == other_key:
        return 1.0
    score = (1 - SOUND) * fuzz.ratio(key, other_key) + SOUND * fuzz.ratio(sound, other_sound)
    if len(sound) >= LEAST_PART:
        score = max(score, SOUND_ALONE * fuzz.ratio(sound, other_sound))
    short, long = sorted((key, other_key), key=len)
    if parts and LEAST_PART <= len(short) < len(long):
        part = PART if short in long else 0.75 * PART
        inside = max(fuzz.partial_ratio(key, other_key), fuzz.partial_ratio(sound, other_sound))
        share = len(short) / len(long)
        score = max(score, inside * part * (0.8 + 0.2 * share))
    return min(0.99, score / 100)


class _Trigrams:
    """Which keys have which groups of three letters."""

    def __init__(self, keys: Sequence[str]) -> None:
        import numpy as np

        codes, owners = _codes(keys)
        pairs = np.unique(codes.astype(np.int64) * max(1, len(keys)) + owners)
        self._owners = (pairs % max(1, len(keys))).astype(np.int32)
        self._starts = np.searchsorted(
            pairs // max(1, len(keys)), np.arange(_BASE**3 + 1, dtype=np.int64)
        )
        self._sizes = np.bincount(self._owners, minlength=len(keys)).astype(np.float32)

    def shared(self, key: str) -> NDArray[np.float32]:
        """Return for every key how much of its groups it shares with this one, 0 … 1."""
        import numpy as np

        wanted = np.unique(_codes([key])[0])
        if not len(wanted):  # a name of no sound at all
            return np.zeros(len(self._sizes), np.float32)
        lists = [self._owners[self._starts[code] : self._starts[code + 1]] for code in wanted]
        counts = np.bincount(np.concatenate(lists), minlength=len(self._sizes))
        alike = 2 * counts / (self._sizes + len(wanted))
        inside = 0.8 * counts / len(wanted)  # words that are a part of a longer name
        return np.maximum(alike, inside).astype(np.float32)


def _codes(keys: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the groups of three letters of every key as numbers, and whose each is."""
    import numpy as np

    text = "".join(f"^{key}$" for key in keys)
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    letters = 4 + points % (_BASE - 4)  # other scripts share numbers; letter by letter tells
    letters[points == ord("^")] = 1
    letters[points == ord("$")] = 2
    owner = np.cumsum(letters == 1) - 1
    codes = (letters[:-2] * _BASE + letters[1:-1]) * _BASE + letters[2:]
    inside = owner[:-2] == owner[2:]
    return codes[inside].astype(np.int32), owner[:-2][inside].astype(np.int64)
