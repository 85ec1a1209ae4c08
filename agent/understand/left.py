"""What a guessed call leaves out of what was said.

A guess copies the words that it has a slot for and drops the rest: "tomorrow", "and tom", "about".
Of a payment that is not for a guess to drop. So the words that neither the call nor the skill's own
sentences nor politeness account for are found here, and named when the wearer is asked. What stands
right beside a number belongs to it: of "minus twenty", "twenty or thirty" and "20 doubloons" no
"twenty" is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.skill.declare import Action, Sentences
from agent.skill.slots import MoneyAmount, Number


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_SAYS_NOTHING = {
    "en": _words(
        "a all alright amount an and as at be can cash could d do favor favour for from fund funds",
        "get go going gonna gotta hand have hello hey hi i i'd i'll i'm immediately is it just",
        "kindly let let's like ll m make making may me might money must my need now of offer ok",
        "okay on our out over payment please pls quick quickly really right s should so some sum",
        "thank thanks that the them then there this to transaction transfer us very wanna want",
        "we well will with would you your away know",
    ),
    "zh": _words(
        "请 帮忙 帮 麻烦 你 您 我 想要 想 要 需要 能不能 可不可以 可以 能 一下 一笔 笔 吧 谢谢",
        "好吗 行吗 吗 啊 呀 呢 嗯 把 将 用 现在 马上 立刻 就 的 钱 款 去 来 那 那个 好的 好",
        "给 向 到 过去 金额 总共 一共 共 拜托 劳驾",
    ),
}
"""Words that change nothing about a payment."""

_OF_A_NUMBER = {
    "en": _words(
        "minus negative plus and or to by about around roughly approximately nearly almost half",
        "quarter hundred thousand million billion k grand percent point times double twice each",
        "per less more over under odd ish some",
    ),
    "zh": frozenset("负减加或到至约多几左右上下以上以下百千万亿成倍半来乘每"),
}
"""Words that belong to a number which ends in a unit, too: "twenty dollars or thirty"."""

_SIGNS = frozenset(("minus", "negative", "by", "负", "减"))
"""Words that make another number of the one after them, whatever it counts."""

_UNIT = re.compile(r"[^\W\d_]|[$€£¥￥%]")
_NUMBER_WORD = re.compile(
    r"^(?:[-+−–~≈]?[\d.,]+|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen"
    r"|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|[零一二两三四五六七八九十百千万亿]+)$"
)


@dataclass(frozen=True, slots=True)
class Left:
    """What a call leaves out."""

    words: tuple[str, ...]
    """Runs of words that nothing accounts for, in order."""
    unsure: frozenset[str]
    """Slots that do not hold what was said: such words stand right beside their number, or their
    own are a part of others ("anna" of "anna's brother")."""


def left_out(text: str, slots: Mapping[str, str], action: Action, language: str) -> Left:
    """Return what of a text a call with these words in its slots leaves out."""
    chinese = language == "zh"
    pieces = list(text.casefold()) if chinese else text.casefold().split()
    spans = {name: _span(pieces, words, chinese) for name, words in slots.items() if words}
    taken = {at for span in spans.values() for at in span}
    free = [at for at in range(len(pieces)) if at not in taken]
    unread = sorted(set(free) - _accounted(pieces, free, action, language))
    money = action.declaration.risk == "money"

    def unsure(name: str, span: range) -> bool:
        if not span:
            return money
        if not isinstance(action.kind(name), MoneyAmount | Number):
            return False
        if money:
            return _touched(span, set(unread), pieces, taken, language)
        return span.start > 0 and pieces[span.start - 1] in _SIGNS

    doubtful = frozenset(name for name, span in spans.items() if unsure(name, span))
    glue = "" if chinese else " "
    return Left(tuple(glue.join(pieces[at] for at in run) for run in _runs(unread)), doubtful)


def _span(pieces: list[str], words: str, chinese: bool) -> range:
    """Return where words stand in a text; an empty range where they do not."""
    wanted = list("".join(words.casefold().split())) if chinese else words.casefold().split()
    for start in range(len(pieces) - len(wanted) + 1):
        if pieces[start : start + len(wanted)] == wanted:
            return range(start, start + len(wanted))
    return range(0)


def _accounted(pieces: list[str], free: list[int], action: Action, language: str) -> set[int]:
    """Return which of the free places hold words of the action's sentences, or say nothing."""
    sentences = action.languages.get(language) or Sentences()
    own = re.sub(r"\{\w+\}", " ", " ".join((*sentences.templates, *sentences.rules.values())))
    if language != "zh":
        known = {*re.findall(r"[\w'$€£¥]+", own.casefold())} | _SAYS_NOTHING["en"]
        return {at for at in free if pieces[at] in known or _is_mark(pieces[at])}
    known = {*re.findall(r"[\u3400-\u9fff]+", own)} | _SAYS_NOTHING["zh"]
    found: set[int] = set()
    for run in _runs(free):
        line = "".join(pieces[at] for at in run)
        either = "|".join(sorted(map(re.escape, known), key=len, reverse=True))
        found |= {run[at] for match in re.finditer(either, line) for at in range(*match.span())}
        found |= {at for at in run if pieces[at].isspace()}
    return found


def _is_mark(piece: str) -> bool:
    """Return whether it is punctuation, and no sign of a number."""
    return not any(char.isalnum() for char in piece) and piece not in "-+−–~≈"


def _runs(places: Iterable[int]) -> list[list[int]]:
    """Return neighbouring places together."""
    runs: list[list[int]] = []
    for at in places:
        if runs and runs[-1][-1] == at - 1:
            runs[-1].append(at)
        else:
            runs.append([at])
    return runs


def _touched(
    span: range, unread: set[int], pieces: list[str], taken: set[int], language: str
) -> bool:
    """Return whether what stands right before or after a number is part of it."""
    before, after = span.start - 1, span.stop
    if before > 0 and pieces[before] in ("of", "to"):  # "half of twenty", "up to twenty"
        before -= 1
    words = _OF_A_NUMBER["zh" if language == "zh" else "en"]
    if before in unread:
        return True
    if after >= len(pieces) or after in taken:
        return False
    if pieces[after] in words and after not in unread:  # "twenty dollars to anna", "… to thirty"
        return after + 1 in unread and bool(_NUMBER_WORD.match(pieces[after + 1]))
    unit = _UNIT.search(pieces[span.stop - 1]) and not _NUMBER_WORD.match(pieces[span.stop - 1])
    belongs = pieces[after] in words or _NUMBER_WORD.match(pieces[after])
    return after in unread and bool(belongs or not unit)
