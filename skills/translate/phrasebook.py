"""The phrase book: everyday sentences, written by us, found by exact meaning only.

One line of `phrasebook.jsonl` is one phrase: the ways to say it in English and in Chinese, the
usual one first, and how the Chinese sounds. A phrase is found whatever its case, punctuation,
contractions or tone marks, and by nothing vaguer: a wrong translation is worse than none.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agent.skill.data import Row, rows

FILE = Path(__file__).with_name("phrasebook.jsonl")
SPOKEN = 100
"""How many phrases, from the top of the file, speech recognition listens for."""

NEAR = 0.5
"""Share of telling words that a phrase must exceed to be offered in place of an unsure translation:
of "I am allergic to peanuts" and "I am allergic to nuts" it is a half and more."""

_CONTRACTIONS = (
    (r"\bwon't\b", "will not"),
    (r"\b(?:can't|cannot)\b", "can not"),
    (r"n't\b", " not"),
    (r"'m\b", " am"),
    (r"'re\b", " are"),
    (r"'s\b", " is"),
    (r"'ll\b", " will"),
    (r"'ve\b", " have"),
    (r"'d\b", " would"),
)
_PLEASE = re.compile(r"^please | please$|^请问?")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One thing to say."""

    en: tuple[str, ...]
    """Ways to say it in English, the usual one first."""
    zh: tuple[str, ...]
    """Ways to say it in Chinese, the usual one first."""
    pinyin: str
    """How the first Chinese one sounds, with tone marks."""
    heard: str = ""
    """The same as English words sound it, where a wearer may repeat it by ear: `ni hao`."""


@dataclass(frozen=True, slots=True)
class PhraseBook:
    """All phrases, in the order of the file."""

    phrases: tuple[Phrase, ...]
    """The most useful first."""
    english: dict[str, Phrase]
    """By normalised English."""
    chinese: dict[str, Phrase]
    """By normalised Chinese, and by pinyin without tones or spaces."""

    def from_english(self, text: str) -> Phrase | None:
        """Return the phrase that an English text says, or None."""
        return self.english.get(normal(text))

    def from_chinese(self, text: str) -> Phrase | None:
        """Return the phrase that a Chinese text, or its pinyin, says, or None."""
        return self.chinese.get(normal(text)) or self.chinese.get(toneless(text))

    def nearest(self, text: str) -> Phrase | None:
        """Return the phrase that shares most of its telling words with a text; None if none does.

        Only to be offered as another phrase, never as what was meant.
        """
        wanted = _telling(text)
        best, most = None, NEAR
        for phrase in self.phrases:
            for said in phrase.zh if is_chinese(text) else phrase.en:
                own = _telling(said)
                share = 2 * len(wanted & own) / max(1, len(wanted) + len(own))
                if share > most:
                    best, most = phrase, share
        return best


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TELLS_NOTHING = _words(
    "i you he she it we they a an the is am are was were be to of in on at for my your this that do"
    " does did have has please can could would like want and or not no there here me"
)


def _telling(text: str) -> frozenset[str]:
    """Return the words, or the Chinese characters, that tell what a text is about."""
    said = normal(text)
    if is_chinese(said):
        return frozenset(re.sub(r"[我你您他她的了吗呢是在有不这那请要想一个]", "", said))
    return frozenset(said.split()) - _TELLS_NOTHING


@cache
def book() -> PhraseBook:
    """Return the phrase book that ships with the skill, read on first use. Raises DataError."""
    return read(FILE)


def read(path: Path) -> PhraseBook:
    """Read a phrase book; a way to say something means one phrase. Raises DataError."""
    phrases: list[Phrase] = []
    english: dict[str, Phrase] = {}
    chinese: dict[str, Phrase] = {}
    sounds: dict[str, Phrase] = {}
    for row in rows(path):
        phrase = _phrase(row)
        phrases.append(phrase)
        # One syllable without its tone could be a dozen words.
        syllables = [toneless(phrase.pinyin)] if len(phrase.zh[0]) > 1 else []
        for known, ways in (
            (english, map(normal, phrase.en)),
            (chinese, map(normal, phrase.zh)),
            (sounds, syllables),
        ):
            for way in dict.fromkeys(ways):
                if known.setdefault(way, phrase) is not phrase:
                    raise row.wrong(f"“{way}” is said in another row already: take one out")
    return PhraseBook(tuple(phrases), english, sounds | chinese)


def _phrase(row: Row) -> Phrase:
    row.only("en", "zh", "pinyin", "heard")
    phrase = Phrase(
        row.texts("en"),
        row.texts("zh"),
        row.text("pinyin"),
        row.text("heard") if "heard" in row.values else "",
    )
    if not all(map(is_chinese, phrase.zh)):
        raise row.wrong("zh is in Chinese characters")
    if any(map(is_chinese, phrase.en)):
        raise row.wrong("en is in English")
    if not toneless(phrase.pinyin):
        raise row.wrong("pinyin is in Latin letters with tone marks, such as nǐ hǎo")
    return phrase


def normal(text: str) -> str:
    """Return the text without case, punctuation, contractions and an outer "please".

    `I'm` is `i am`. Spaces are single between Latin words and none beside Chinese characters.
    """
    text = unicodedata.normalize("NFKC", text).replace("\u2019", "'").casefold()
    for short, long in _CONTRACTIONS:
        text = re.sub(short, long, text)
    words = " ".join(re.findall(r"\w+", text))
    words = re.sub(r"(?<=[\u3400-\u9fff]) | (?=[\u3400-\u9fff])", "", words)
    return _PLEASE.sub("", words) or words


def toneless(pinyin: str) -> str:
    """Return pinyin as bare letters: `nǐ hǎo`, `ni3 hao3` and `Nihao` are `nihao`.

    What has other letters is not pinyin: the result is then empty.
    """
    bare = [c for c in unicodedata.normalize("NFD", pinyin.casefold()) if c.isalpha()]
    return "".join(bare) if all("a" <= c <= "z" for c in bare) else ""


def is_chinese(text: str) -> bool:
    """Return True when the text has a Chinese character."""
    return re.search(r"[\u3400-\u9fff]", text) is not None
