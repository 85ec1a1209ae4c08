"""Words to fill slots with, known and unknown, in endless supply.

A slot is learnt as a place in a sentence, not as a list of values, so most fillings are random:
words of the pronunciation dictionary that pocketsphinx's wheel carries (CMUdict, which has the
names of people and places too), words that no dictionary has, and Chinese characters of the first
level of GB 2312 (the 3,755 most used). A tenth of all words is never used in training.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

UNSEEN = 10
"""One word in this many is kept for the evaluation."""

_ONSETS = (
    *("b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z"),
    *("bl", "br", "ch", "cl", "cr", "dr", "fl", "fr", "gl", "gr", "kr", "ph", "pl", "pr", "qu"),
    *("sh", "sk", "sl", "sm", "sn", "sp", "st", "str", "sw", "th", "tr", "tw", "wh", ""),
)
_NUCLEI = (
    *("a", "e", "i", "o", "u", "a", "e", "i", "o", "u"),
    *("ai", "ea", "ee", "ia", "ie", "io", "oa", "oo", "ou", "ue", "y"),
)
_CODAS = (
    *("b", "ck", "d", "ft", "g", "l", "ld", "ll", "m", "mp", "n", "nd", "ng", "nt", "p", "r", "rd"),
    *("rk", "rn", "rt", "s", "sh", "ss", "st", "t", "th", "x", *[""] * 14),
)
_JOINTS = ("of", "the", "and", "of the", "in", "a", "my", "for", "to", "on", "with", "s", "you")
_LEADS = (
    *("hey", "oh", "so", "no", "all", "every", "dear", "when", "if", "into", "over", "under", "i"),
    *("you", "we", "let it", "give me", "call me", "not", "never", "too", "how to", "where"),
    *("new", "old", "good", "big", "little", "first", "next", "last", "more", "only", "it s"),
)
_MEASURES = (
    *("bottles", "boxes", "bags", "packs", "cans", "cups", "pounds", "kilos", "pints", "jars"),
    *("slices", "bars", "rolls", "tubes", "cartons", "bunches", "pairs", "sheets", "sticks"),
)
_COUNTS = ("two", "three", "four", "five", "six", "ten", "twelve", "half a dozen", "2", "3", "6")
_FORMS = (
    "{count} {measure} of {word}",
    "{lead} {word}",
    "{lead} {word} {word}",
    "{word} {word} by {word} {word}",
    "{word} by the {word} {word}",
    "{word} of {word} and {word}",
    "{word} and {word}",
    "{word} s {word}",
    "{word} for the {word}",
    "{word} {word} with {word}",
    "{word} in the {word} {word}",
)
"""What words are put together to, where nothing else has to be told from them."""
_FORMS_ZH = ("给{a}的{b}", "{a}的{b}", "{a}和{b}", "{a}牌{b}", "大{a}", "小{a}")
SMALL = frozenset(" ".join((*_JOINTS, *_LEADS, *_MEASURES, *_COUNTS, *_FORMS)).split())
"""Words that may stand in any slot, in training and in the evaluation alike."""
_ENDINGS_ZH = "店路街站园馆院场山湖桥城楼包机水茶酒面饭菜花车书歌曲"


def is_unseen(word: str) -> bool:
    """Return whether a word is kept from training; the same in every process and run."""
    return zlib.crc32(word.encode()) % UNSEEN == 0


@cache
def dictionary() -> tuple[str, ...]:
    """Return the English words and names of pocketsphinx's dictionary, lower case."""
    import pocketsphinx

    path = Path(pocketsphinx.get_model_path(), "en-us/cmudict-en-us.dict")
    found: dict[str, None] = {}
    for line in path.read_text("utf-8").splitlines():
        word = line.partition(" ")[0]
        if re.fullmatch(r"[a-z]{2,14}", word):
            found[word] = None
    return tuple(found)


@cache
def _halves() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words of the dictionary for training, and those that are kept."""
    kept = tuple(word for word in dictionary() if is_unseen(word))
    return tuple(word for word in dictionary() if not is_unseen(word)), kept


@cache
def characters() -> tuple[str, ...]:
    """Return the Chinese characters of GB 2312's first level."""
    rows = range(0xB0, 0xD8)
    codes = (bytes((row, cell)) for row in rows for cell in range(0xA1, 0xFF))
    return tuple(filter(None, (code.decode("gb2312", "ignore") for code in codes)))


def phrase(
    rng: random.Random,
    language: str,
    unseen: bool,
    common: Sequence[str] = (),
    joined: bool = True,
) -> str:
    """Return one to five random words, or two to six Chinese characters.

    `joined` lets small words stand between them, as in "a box of nails".
    """
    if language == "zh" and rng.random() < 0.85:
        if joined and rng.random() < 0.15:
            a, b = _chinese(rng, unseen), _chinese(rng, unseen)
            return rng.choice(_FORMS_ZH).format(a=a, b=b)
        return _chinese(rng, unseen)
    if joined and rng.random() < 0.2:
        return _put_together(rng, unseen, common)
    count = rng.choices((1, 2, 3, 4, 5), (34, 34, 19, 9, 4))[0]
    words = [_word(rng, unseen, common) for _ in range(count)]
    if joined and count > 1 and rng.random() < 0.12:
        words.insert(rng.randrange(1, count), rng.choice(_JOINTS))
    if rng.random() < 0.04:
        words.append(str(rng.randrange(1, 100)))
    return " ".join(words)


def _put_together(rng: random.Random, unseen: bool, common: Sequence[str]) -> str:
    """Return words in one of _FORMS."""
    made = []
    for piece in rng.choice(_FORMS).split():
        match piece:
            case "{word}":
                made.append(_word(rng, unseen, common))
            case "{lead}":
                made.append(rng.choice(_LEADS))
            case "{count}":
                made.append(rng.choice(_COUNTS))
            case "{measure}":
                made.append(rng.choice(_MEASURES))
            case _:
                made.append(piece)
    return " ".join(made)


def _word(rng: random.Random, unseen: bool, common: Sequence[str]) -> str:
    if common and not unseen and rng.random() < 0.4:
        return rng.choice(common)
    if rng.random() < 0.25:
        return pseudo_word(rng, unseen)
    return rng.choice(_halves()[unseen])


def pseudo_word(rng: random.Random, unseen: bool) -> str:
    """Return a word that sounds like one and is none."""
    while True:
        count = rng.choices((1, 2, 3, 4), (15, 50, 28, 7))[0]
        word = "".join(
            rng.choice(_ONSETS) + rng.choice(_NUCLEI) + rng.choice(_CODAS) for _ in range(count)
        )
        if 2 < len(word) < 15 and is_unseen(word) == unseen:
            return word


def _chinese(rng: random.Random, unseen: bool) -> str:
    while True:
        count = rng.choices((1, 2, 3, 4, 5, 6), (5, 40, 25, 18, 8, 4))[0]
        word = "".join(rng.choice(characters()) for _ in range(count))
        if rng.random() < 0.3:
            word += rng.choice(_ENDINGS_ZH)
        if is_unseen(word) == unseen:
            return word


def amount(rng: random.Random, language: str) -> str:
    """Return an amount of money in digits, as keyboards and large recognisers write it."""
    whole = rng.choice((rng.randrange(1, 21), rng.randrange(1, 100), rng.randrange(1, 1000)))
    number = (
        f"{whole}.{rng.choice(('50', '25', '99', '5', '10'))}" if rng.random() < 0.15 else whole
    )
    if language == "zh":
        return f"{number}{rng.choice(('块', '元', '块钱', '美元', ''))}"
    if rng.random() < 0.5:
        return f"{rng.choice('$$$€£')}{number}"
    return f"{number} {rng.choice(('dollars', 'bucks', 'euros', 'pounds', 'dollars'))}"
