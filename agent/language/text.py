"""Cleaning what was typed or heard, before any stage reads it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from agent.language.written import haste

_QUESTION = re.compile(
    r"^(?:(?:and|so|but|well|then|do you know|can you tell me|tell me|at|in|on|to|for|from|by)\W+)*"
    r"(?:who|whom|what|when|where|why|how|which|whose|is|are|am|was|were|do|does|did|can|could"
    r"|should|would|will|has|have|had|may|any|tell me|explain|describe|write|give me|name)\b"
    r"(?:\W+\w+){2}"
    r"|什么|谁|为[什啥]|怎[么样]|多[少久大高远长快深重]|几|[哪啥]|如何|何时|是否|吗[?？]?$|呢[?？]?$"
    r"|有没有|(\w)[不没]\1|了没有?$|讲讲|介绍|解释",
    re.IGNORECASE,
)


MAX_CHARACTERS = 1000
"""Longest utterance that is read; fifteen seconds of fast speech are about 300 characters."""

FULL_WIDTH_DIGITS = "０１２３４５６７８９"

_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_PUNCTUATION = re.compile(
    r"[\"“”‘「」『』《》()（）\[\]{}<>.,;:!?。，、；：！？…*_~`|\\^=]+(?=\s|$|\D)|[?!…]+$"
)
_POWERS = re.compile(r"(?<=\d)\s*(\*\*?|\^)\s*(?=\d)")
"""Signs of a sum that are punctuation anywhere else."""


def clean(text: str) -> str:
    """Return one line of readable text: NFKC, no control or invisible characters, no punctuation.

    Money signs, digits with their points and commas, apostrophes, hyphens and `%` stay. Chinese is
    in simplified characters.
    """
    text = simplified(unicodedata.normalize("NFKC", text).replace("’", "'"))
    kept = (
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char)[0] != "C"
    )
    together = _POWERS.sub(r"\1", "".join(kept))
    return haste(" ".join(_PUNCTUATION.sub(" ", together).split()))


_PARTS = r"[\s,，、;；]"
"""What parts the things of a list."""
_GAP = re.compile(r"\s+|(?<=[\u3400-\u9fff])(?=[\u3400-\u9fff])")
"""Where it may have stood in cleaned words; between Chinese characters nothing is left of it."""


def as_said(words: str, text: str) -> str:
    """Return words of a cleaned text as they stood in the text itself, its commas between them.

    "milk eggs and bread" of "add milk, eggs and bread" is "milk, eggs and bread". Characters that
    were written in their traditional form are again.
    """
    plain = unicodedata.normalize("NFKC", text).replace("’", "'")
    read = simplified(plain)
    if read == plain and not re.search(r"[,，、;；]", text):
        return words
    between = (_PARTS + ("+" if gap else "*") for gap in _GAP.findall(words))
    parts = map(re.escape, _GAP.split(words))
    found = re.search(
        next(parts) + "".join(a + b for a, b in zip(between, parts, strict=True)), read
    )
    if found is None:
        return words
    return " ".join((plain if len(read) == len(plain) else read)[slice(*found.span())].split())


@lru_cache(maxsize=1)
def _to_simplified() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


def simplified(text: str) -> str:
    """Return a text with its Chinese in simplified characters: 計時器 is 计时器."""
    return str(_to_simplified().convert(text)) if _CJK.search(text) else text


def is_plain(text: str) -> bool:
    """Return whether a text is written as people write: no look-alike letters, nothing invisible.

    `clean` reads "𝓹𝓪𝔂" and letters with a zero-width space between them as people see them. A
    payment is not to be read so: whoever writes like that has something to hide. Full-width digits
    are plain in Chinese, whose keyboards write them.
    """
    ordinary = FULL_WIDTH_DIGITS if language_of(text) == "zh" else ""
    return not any(
        unicodedata.category(char)[0] == "C"
        or (char != (folded := unicodedata.normalize("NFKC", char)) and folded.isalnum())
        for char in text
        if not (char.isspace() or char in ordinary)
    )


_ENGLISH_BEGINS = re.compile(
    r"(?:add|are|buy|can|could|delete|did|do|does|find|get|give|how|i|i'm|is|let|listen|make|may"
    r"|navigate|order|pause|pay|play|please|put|read|remove|repeat|say|search|send|set|show|take"
    r"|tell|transfer|translate|turn|what|what's|when|where|where's|which|who|who's|why|will|would"
    r"|you)\b",
    re.IGNORECASE,
)
_CHINESE_BEGINS = re.compile(
    "播放|放|听|来|翻译|把|请|给|向|帮|导航|带|去|到|找|搜|查|买|订|付|支付|转|交|从|在|用|离|怎么|什么"
    "|多少|哪|谁|为什么|最近|最便宜|添加|加|删|这|那|我|你|现在|今天|明天|再|先|显示|看|有没有|告诉|能|可以"
)


def language_of(text: str) -> str:
    """Return the language of a sentence, `en` or `zh`, whatever names of the other are in it.

    The word it begins with tells, where sentences often begin with it: “play 欢乐颂” is English,
    播放Hotel California Chinese. Else most of the letters do.
    """
    chinese = len(_CJK.findall(text))
    if not chinese:
        return "en"
    if _ENGLISH_BEGINS.match(start := text.lstrip()):
        return "en"
    if _CHINESE_BEGINS.match(start):
        return "zh"
    letters = sum(char.isalpha() for char in text) - chinese
    # One Chinese character says about as much as four Latin letters.
    return "zh" if chinese * 4 > letters else "en"


def without(text: str, words: Sequence[str], language: str) -> str:
    """Return a text without some words, wherever they stand."""
    edge = "" if language == "zh" else r"\b"
    either = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return " ".join(re.sub(rf"{edge}(?:{either}){edge}", " ", text, flags=re.IGNORECASE).split())


WAKE_PHRASES = ("okay glasses", "hey glasses")
"""What calls the glasses unless the configuration says otherwise."""
_CALLS = (
    "(?:okay|ok|hey|hi|hello|yo|dear) +glasses",
    "(?:你好|您好|嗨|嘿|喂|小)[,，、 ]*眼镜|眼镜(?=[,，、:：!！ ]|$)",
)
"""Ways to call them that are always heard as such."""


def unaddressed(text: str, phrases: Sequence[str] = WAKE_PHRASES) -> str:
    """Return a text without the words that only call the glasses, at its beginning."""
    own = (r"\s+".join(map(re.escape, phrase.split())) for phrase in phrases if phrase.strip())
    latin, chinese = _CALLS
    either = "|".join(rf"(?:{call})(?![\w'])" for call in (*own, latin))
    return re.sub(
        rf"^[\s,.!]*(?:(?:{either}|{chinese})[\s,.!:;…，。！：；、-]*)+",
        "",
        text,
        flags=re.IGNORECASE,
    )


_POLITE = {
    "en": (
        r"(?:please|hey(?: there)?|hi(?: there)?|hello(?: there)?|okay|ok|so|now|just|well|and"
        r"|kindly"
        r"|excuse me|go ahead and|be so kind as to|be so good as to|do me a favou?r(?: and)?"
        r"|if you (?:don't mind|please|could|can|would)|(?:could|can|would|will) you"
        r"|why (?:do not|don't|won't|can't) (?:you|we)|why not|(?:can't|couldn't|won't"
        r"|wouldn't) you"
        r"|don't you (?:want|like) to|don't forget to|(?:be|make) sure (?:to|you)|remember to"
        r"|i want you to|i'd like you to|i need you to|i want to|i wanna|i'd like to"
        r"|i would like to"
        r"|i'd love to|i need to|let's)",
        r"(?:please|now|right now|for me|thanks(?: a lot| so much| very much)?"
        r"|thank you(?: very much| so much| a lot)?|thx|cheers|if you (?:don't mind|please|could"
        r"|can|would)"
        r"|(?:will|would|could|can) you|if possible|okay|ok)",
    ),
    "zh": (
        r"(?:为什么不|何不|不如|(?:别|不要)忘(?:了|记)|记得|请问?|(?:你好|您好)(?=[\s,，、])|嗨"
        r"|嘿|喂|帮忙|帮我|给我|我想要|我想|我要|我需要|(?:麻烦|拜托|烦请)(?:你|您)?|劳驾(?:你|您)"
        r"|[你您]?(?:能不能|可不可以|可以|能)|那个|那|好的|现在|快|[,，、])",
        r"(?:一下|吧|(?:谢谢|多谢|谢啦|谢了)(?:你|您|啦|了)?|好吗|好不好|行吗|行不行|可以吗"
        r"|可以不|吗|嘛|啊|呀|哦|啦"
        r"|[,，、])",
    ),
}
_HESITATION = re.compile(r"\b(?:uh+|um+|er|erm|hm+)\b|[嗯呃]", re.IGNORECASE)
_ONCE = re.compile(r"^(\w{1,2})一下(?=\w)")
"""一下 right after a verb only softens it: 播放一下音乐."""
_SHORT_IS = re.compile(r"^(when|where|who|how|which|why)'s\b", re.IGNORECASE)
"""How a question often begins; a sentence may have it in full only. Those with “what” have both."""


def readings(text: str, language: str) -> list[str]:
    """Return a cleaned text as it is, then without hesitations and politeness around it.

    What is polite at the ends may be meant in the middle ("translate thank you into Chinese"), so
    only the ends are stripped, and all readings are tried.
    """
    polite_before, polite_after = _POLITE.get(language, _POLITE["en"])
    gap = "" if language == "zh" else r"\b"
    bare = " ".join(_HESITATION.sub(" ", text).split())
    bare = re.sub(rf"^(?:{polite_before}{gap}\s*)+", "", bare, flags=re.IGNORECASE)
    bare = re.sub(rf"(?:\s*{gap}{polite_after})+$", "", bare, flags=re.IGNORECASE).strip()
    shorter, longer = (_ONCE, r"\1") if language == "zh" else (_SHORT_IS, r"\1 is")
    once = shorter.sub(longer, bare)
    return [reading for reading in dict.fromkeys((text, bare, once)) if reading or reading == text]


_REFERS = re.compile(
    r"\b(?:he|she|it|they|him|her|them|his|hers|its|their|there|that|this|those)\b|[他她它]|那[里儿个]|呢$",
    re.IGNORECASE,
)


def refers_back(text: str) -> bool:
    """Return whether a text has a word for what was spoken of before: "when was he born"."""
    return bool(_REFERS.search(text))


_OF_WHOM = re.compile(
    r"^(?:\W*\w+'?\w*){0,3}?\W*\b(?:he|she|him|her|his|hers)\b|^那?么?[他她它]", re.IGNORECASE
)
"""A pronoun among the first four words: nobody can have been named before it."""


def of_whom(text: str) -> bool:
    """Return whether a text is of somebody whom it does not name: "when was he born"."""
    return bool(_OF_WHOM.search(text))


_JOINS = re.compile(r"\b(?:and|then)\b|[,;，；。]|然后|接着|并且|再", re.IGNORECASE)


def joins(text: str) -> bool:
    """Return whether a text has a word that may join two things, or two orders."""
    return bool(_JOINS.search(text))


_OF_ONESELF = re.compile(r"\b(?:i|me|my|mine|we|us|our|ours)\b|[我咱]", re.IGNORECASE)


def of_oneself(text: str) -> bool:
    """Return whether a text speaks of who says it: "where did I park"."""
    return bool(_OF_ONESELF.search(text))


def is_question(text: str) -> bool:
    """Return whether a text asks something, rather than being half heard or said to others."""
    return bool(_QUESTION.search(haste(text)))
