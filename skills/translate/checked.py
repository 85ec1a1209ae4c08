"""What a translation must not lose: numbers, names, and whether something is denied.

A small model writes fluently and drops a "not", or turns 15 into 50. Here source and target are
read for what can be told without understanding either, in English and Chinese; of other languages
only figures and names in Latin letters can be.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from functools import cache

from agent.language.numbers import ONES, TEENS, parse_number
from skills.translate.known import DAYS, MONTHS, NAMES
from skills.translate.phrasebook import is_chinese

SOUNDS_LIKE = 0.6
"""Likeness of consonants from which a Chinese spelling is taken for a name: 史密斯 for Smith has
0.67, 约翰 for John too."""


@dataclass(frozen=True, slots=True)
class Lost:
    """One thing that a translation has lost or made up."""

    kind: str
    """`number`, `name` or `negation`."""
    what: str
    """It, as it was written."""


def lost(source: str, target: str) -> tuple[Lost, ...]:
    """Return what of a source a target has not, and what it has of its own."""
    there, here = is_chinese(target), is_chinese(source)
    both = there != here  # English and Chinese, whichever way round
    found = [*_numbers_lost(source, target, words=both), *_names_lost(source, target)]
    said, made = _denies(source), _denies(target)
    if both and (bool(said) != bool(made)) and (said or not _may_deny(source)):
        found.append(Lost("negation", said or made))
    return tuple(found)


# -- scripts --------------------------------------------------------------------------------------


def mixed(source: str, target: str) -> bool:
    """Return whether a target mixes scripts: 我对 peanuts过敏.

    Names and abbreviations may stay as they are: they have capitals, or digits.
    """
    if not is_chinese(target):
        return False
    if is_chinese(source):
        return bool(re.search(r"[A-Za-z]{2,}", target)) and bool(re.search(r"[a-z]{2,}", target))
    return bool(re.search(r"(?<![A-Za-z])[a-z]{2,}", target))


# -- numbers --------------------------------------------------------------------------------------

_SMALL = "|".join((*ONES, *TEENS, "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"))
_SPELT = re.compile(
    rf"\b(?:{_SMALL})(?:(?:[ -]|\s+and\s+)(?:{_SMALL}|hundred|thousand|million|billion))*\b"
    r"|\ba (?:hundred|thousand|million)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_ZH_FIGURE = re.compile(r"\d+(?:\.\d+)?[百千万亿]*")
_ZH_SPELT = re.compile(r"[零〇二两俩三四五六七八九十百千万亿一]+(?:点[零一二三四五六七八九]+)?")
_ZH_NONE = re.compile(
    r"三明治|三文鱼|三角|一下|一些|一点儿?|一样|一起|一定|一直|一共|一会儿?|万一|统一|唯一|第一|百货"
    r"|百分之|千万(?=别|不)|(?<!点)十分(?!钟)|四川|四季|七喜|五金|八卦|百事|百度|九龙|三亚|三星|万能"
    r"|(?:星期|周|礼拜)[一二三四五六日天]|十字路口|十字架|四处|一切|一般|万里|二手|二维码|双十一"
)
_ORDINALS = {
    "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10,
}  # fmt: skip
_DOZEN = re.compile(r"\bdozen\b", re.IGNORECASE)
_HALF = re.compile(r"\bhalf\b|半", re.IGNORECASE)


def _numbers_lost(source: str, target: str, words: bool) -> list[Lost]:
    needed, there = _numbers(source, words), _numbers(target, words)
    known = Counter(there.keys())
    gone = []
    for number, said in needed.items():
        if number == 1 and not said.isdigit():
            continue  # "a", "one" and 一 come and go
        if not any(number == one or one in _same(number, source, target) for one in known):
            gone.append(Lost("number", said))
    for number, said in there.items():
        made = number not in needed and not {*needed} & _same(number, target, source)
        if made and said[:1].isascii() and said[:1].isdigit() and not gone and number not in MONTHS:
            gone.append(Lost("number", said))
    return gone


def _same(number: Decimal, one: str, other: str) -> set[Decimal]:
    """Return what else a number may be written as in another language: 3 pm is 15点, 30 is half."""
    found = {number * 12} if _DOZEN.search(one) or _DOZEN.search(other) else set[Decimal]()
    if re.search(r"\bp\.?m\b|afternoon|evening|night|下午|晚上|傍晚|点", f"{one} {other}", re.I):
        found |= {number + 12, number - 12}
    if number in (30, Decimal("0.5")) and (_HALF.search(one) or _HALF.search(other)):
        found |= {Decimal(30), Decimal("0.5")}
    if number == 15:
        found.add(Decimal("0.25"))
    return found


def _numbers(text: str, words: bool) -> dict[Decimal, str]:
    """Return the numbers of a text, each as it was written."""
    found: dict[Decimal, str] = {}

    def add(said: str) -> None:
        try:
            found.setdefault(parse_number(said).normalize(), said)
        except ValueError:
            for part in said.split():
                if part != said and part not in ("and", "a"):
                    add(part)

    if is_chinese(text):
        bare = _ZH_NONE.sub(" ", text)
        for said in _ZH_FIGURE.findall(bare):
            add(said)
        for said in _ZH_SPELT.findall(_ZH_FIGURE.sub(" ", bare)) if words else ():
            add(said)
        if words and "刻" in bare:
            found.setdefault(Decimal(15), "刻")
    else:
        for said in _FIGURE.findall(text):
            add(said)
        for said in _SPELT.findall(text) if words else ():
            add(" ".join(said.casefold().split()))
        if words:
            for word in re.findall(r"[a-z]+", text.casefold()):
                if word in _ORDINALS:
                    found.setdefault(Decimal(_ORDINALS[word]), word)
                if word in MONTHS.values() and _is_month(word, text):
                    number = next(n for n, name in MONTHS.items() if name == word)
                    found.setdefault(Decimal(number), word)
    if words and _HALF.search(text):
        found.setdefault(Decimal("0.5"), _HALF.search(text)[0])  # type: ignore[index]
    return found


def _is_month(word: str, text: str) -> bool:
    """Return whether a word is a month in a text: by "may" and "march" stands a day or a "in"."""
    before = r"(?:in|on|until|by|of|\d+(?:st|nd|rd|th)?)"
    as_month = rf"\b{before} {word}\b|\b{word} \d"
    return word not in ("may", "march") or bool(re.search(as_month, text, re.IGNORECASE))


# -- names ----------------------------------------------------------------------------------------

_CAPITAL = re.compile(r"(?<=[\w,;:] )(?!I\b|I')[A-Z][\w'-]*|\b[A-Z]{2,}\b")
_INTRODUCED = re.compile(r"\b(?:my name is|call me|mr|mrs|ms|miss|dr)\.? ([a-z][\w'-]+)", re.I)
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9'-]+")
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆"
    "范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤"
)
"""The hundred most frequent."""
_ZH_INTRODUCED = re.compile(
    r"(?:我叫|名叫|我姓|名字是)([\u4e00-\u9fff]{1,3})(?=[，。,.！!]|$)"
    rf"|(?:^|[^\u4e00-\u9fff]|[和跟找给叫是在问])([{_SURNAMES}])(?:先生|女士|小姐|老师|医生|经理)"
)


def _names_lost(source: str, target: str) -> list[Lost]:
    gone = [Lost("name", name) for name in _names(source) if not _named(name, target)]
    return [*gone, *_known_lost(source, target)]


def _names(text: str) -> list[str]:
    if is_chinese(text):
        found = [one or other for one, other in _ZH_INTRODUCED.findall(text)]
        return [*(name for name in found if name not in "这那位的"), *_LATIN.findall(text)]
    names = [*_CAPITAL.findall(text), *_INTRODUCED.findall(text)]
    ordinary = {*DAYS, *MONTHS.values(), *NAMES}
    return [name for name in dict.fromkeys(names) if name.casefold() not in ordinary]


def _named(name: str, target: str) -> bool:
    """Return whether a name stands in a target, as it is or as it sounds."""
    plain = re.sub(r"[^a-z0-9\u3400-\u9fff]", "", target.casefold())
    if re.sub(r"[^a-z0-9\u3400-\u9fff]", "", name.casefold().removesuffix("'s")) in plain:
        return True
    if is_chinese(name):
        return "".join(_pinyin(name)) in plain
    return is_chinese(target) and _sounds_like(name, target)


def _known_lost(source: str, target: str) -> list[Lost]:
    """Return places, languages and days of the week that did not come along."""
    gone = []
    for table in (NAMES, DAYS):
        for english, chinese in table.items():
            said = re.search(rf"\b{english}\b", source, re.I)
            if said and is_chinese(target) and not any(one in target for one in chinese):
                gone.append(Lost("name", said[0]))
            here = next((one for one in chinese if one in source), None)
            if here and not is_chinese(target) and target.isascii():
                ways = [key for key, value in table.items() if here in value]
                if not any(re.search(rf"\b{way}", target, re.I) for way in ways):
                    gone.append(Lost("name", here))
    return gone


_SOUNDS = [
    (r"ph", "f"), (r"sh|ch|zh|[jxqszc](?=[eiy])|j", "s"), (r"x", "ks"), (r"th|[dt]", "t"),
    (r"[bp]", "p"), (r"ck|[gkqc]", "k"), (r"[vwf]", "f"), (r"[rl]", "l"), (r"[sz]", "s"),
    (r"m", "m"), (r"ng|n", "n"), (r"[^fsktplmn]", ""),
]  # fmt: skip


def _code(letters: str) -> str:
    """Return the consonants of a word, those that languages exchange made one."""
    done = letters.casefold()
    for pattern, sound in _SOUNDS:
        done = re.sub(pattern, sound, done)
    return re.sub(r"(.)\1+", r"\1", done)


def _sounds_like(name: str, target: str) -> bool:
    wanted = _code(name.removesuffix("'s"))
    if not wanted:
        return True  # "Io": no consonant to go by
    syllables = [_code(one.replace("er", "l") if one == "er" else one) for one in _pinyin(target)]
    for start in range(len(syllables)):
        for end in range(start + 1, min(len(syllables), start + 2 + len(wanted)) + 1):
            heard = re.sub(r"(.)\1+", r"\1", "".join(syllables[start:end]))
            if SequenceMatcher(None, wanted, heard).ratio() >= SOUNDS_LIKE:
                return True
    return False


@cache
def _pinyin(text: str) -> tuple[str, ...]:
    from pypinyin import lazy_pinyin  # 0.1 s, hence late

    chinese = re.findall(r"[\u3400-\u9fff]", text)
    return tuple(syllable for char in chinese for syllable in lazy_pinyin(char))


# -- negation -------------------------------------------------------------------------------------

_NOT = re.compile(
    r"\b(?:not|no|never|none|nothing|nobody|nowhere|neither|nor|without|cannot|can't|don't|doesn't"
    r"|didn't|isn't|aren't|wasn't|weren't|won't|wouldn't|shouldn't|couldn't|haven't|hasn't|hadn't"
    r"|mustn't|needn't|ain't|dont|cant|isnt|doesnt)\b",
    re.IGNORECASE,
)
_NO_NOT = re.compile(
    r"\bwhy (?:not|don't)\b|\bno (?:problem|worries)\b|\bnever mind\b|doesn't matter"
    r"|\bor not\b|\bnot only\b"
    r"|\bno longer\b|\bno (?:one|\d+)\b|\bno\. ?\d"
    r"|\bbus stop\b|\btrain stop\b|\bnext stop\b|\bstop (?:is|here|at)\b"
    r"|\b(?:isn't|aren't|don't|doesn't|won't"
    r"|can't) (?:it|you|they|he|she|we)\b(?=\?|$)",
    re.IGNORECASE,
)
_ZH_NOT = re.compile(r"不|没|无|别|未|非|勿|莫|禁|免|缺|坏了")
_ZH_NO_NOT = re.compile(
    r"(.)不\1|(.)没\2|有没有|不(?:客气|好意思|错|但|仅|过|久|如|管|论|断|同|妨|用谢|得不)|对不起|差不多"
    r"|特别|区别|级别|分别|性别|别(?:人|的|墅|名|处)|非(?:常|洲)|未(?:来|婚)|无(?:线|论|锡|人机)|说不定"
    r"|停车场?|公交?站?停|免(?:费|税)|了不起|不一会|不同|没事|没关系|没问题|吗不|好不好|行不行|要不"
)
_SOFT = re.compile(
    r"\b(?:un|in|im|dis)[a-z]{4,}|\b\w+less\b|\b(?:without|fail|failed|refuse|refused|forbid"
    r"|forbidden|prohibited|lack|lacks|unable|lost|missing|miss|missed|hardly|barely|rarely|empty|out"
    r"|free|sorry|except|few|little|hate|dislike|late|too|avoid|closed|broken|wrong|welcome|problem"
    r"|mind|matter|dead|pity|stop|but|only|must|bad|different|another|other|others|else)\b|-free\b",
    re.IGNORECASE,
)
_ZH_SOFT = re.compile(
    r"迷路|忘|丢|缺|少|禁止|拒绝|失败|坏|讨厌|免|空|完|难|只|除了|以外|停|错|晚|误|失|对不起|没|不"
)


def _denies(text: str) -> str:
    """Return the word by which a text denies something; nothing where it does not."""
    if is_chinese(text):
        found = _ZH_NOT.search(_ZH_NO_NOT.sub(" ", text))
    else:
        found = _NOT.search(_NO_NOT.sub(" ", text.replace("’", "'")))
    return found[0] if found else ""


def _may_deny(text: str) -> bool:
    """Return whether a text says what another language says with a "not": "unhappy", 迷路."""
    return bool((_ZH_SOFT if is_chinese(text) else _SOFT).search(text))
