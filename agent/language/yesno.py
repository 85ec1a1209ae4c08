"""Yes and no: what an answer to a question of the agent's means, in English and Chinese.

Money hangs on it, so it is generous with no and strict with yes. Every word gets a role from the
tables below, the longest phrase first; a word that stands in no table is *unknown*. One pass over
the roles then decides:

- **no**: something refuses. Only words that say nothing of their own may come before it ("there is
  no milk at home" refuses nothing); whatever comes after it changes nothing.
- **yes**: something agrees, and every single word of the text has a role that allows it. One
  unknown word, a question, a hedge, a word that leads on to nothing ("yes, and"): not a yes.
- **change**: the wearer wants it otherwise: "no, fifty", "yes but make it ten".
- **unclear**: all else: what is negated twice, refused and then agreed to without a word that takes
  the refusal back, asked, reported, or too long.

A yes after a no stands only when the wearer takes the no back ("no… actually, yes"), with a firm
word, and had not agreed before it. Nothing negated twice is a yes, logic or not.

Only plain letters, digits, Chinese characters and ordinary punctuation are read. Full-width and
other look-alike letters, combining and invisible characters are unknown words, as are quotation
marks: such text is never a yes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from agent.language.text import MAX_CHARACTERS, unaddressed

Answer = Literal["yes", "no", "change", "unclear"]

PHRASES: dict[str, dict[Literal["yes", "no"], tuple[str, ...]]] = {
    "en": {
        "yes": ("yes", "yes please", "confirm", "i confirm", "yes confirm", "yes pay", "yes do it"),
        "no": ("no", "no thanks", "no thank you", "cancel", "cancel that", "don't", "stop",
               "no don't", "never mind", "nevermind", "no cancel", "do not"),
    },
    "zh": {
        "yes": ("是", "是的", "对", "确认", "确定", "好的确认", "是的确认", "同意"),
        "no": ("不", "不是", "不要", "不用", "取消", "算了", "停", "停止", "别", "不要了", "不行"),
    },
}  # fmt: skip
"""What the speech grammar listens for while a question is open: few phrases, easily told apart."""

MAX_WORDS = 20
"""Most words of a yes; "yes please go ahead and send the money, thank you very much" has 11."""

ROLES: dict[str, str] = {
    # Agrees, firmly enough to take a no back.
    "yes": """
        yes, yeah, yep, yup, yea, ya, yah, aye, confirm, confirmed, approve, accept, agreed,
        i agree, i do, yes i am, yes it is, yes that is, i'm sure, i am sure, affirmative,
        correct, exactly, precisely, indeed, absolutely, definitely, certainly, totally,
        of course, for sure, by all means, you bet, that's right, that is right, that's correct,
        that is correct, go ahead, go for it, do it, do that, do so, please do, let's do it,
        let's do that, make it so, make it happen, proceed, continue, pay it, pay that, pay now,
        pay him, pay her, pay them, send it, send that, send the money, buy it, buy that,
        order it, place the order, make the payment, make the transfer, transfer it, i want it,
        i'd like that, i would like that, sounds good, sounds great, looks good, that works,
        works for me, roger that,
        是, 是的, 是啊, 是呀, 对, 对的, 对啊, 对呀, 没错, 正确, 确认, 确认吧, 确定, 确定的, 同意,
        我同意, 当然, 当然可以, 当然是, 要的, 批准, 付吧, 付款吧, 支付吧, 付钱吧, 买吧, 转吧,
        转账吧, 下单吧, 办吧, 做吧, 可以付, 可以付款, 同意付, 同意付款, 同意支付, 确认付,
        确认付款, 确认支付, 确认转账, 我要付款, 就这么办, 就这样办, 就这么定, 係, 係呀, 係啊, 啱,
        冇错""",
    # Agrees, but is also what people say while they think: takes nothing back.
    "ok": """
        ok, okay, okey, okey dokey, sure, sure thing, alright, all right, very well, deal,
        好, 好的, 好啊, 好呀, 好哦, 好喔, 好嘞, 行, 行啊, 行的, 可以, 可以的, 可以啊, 可以呀,
        那好, 那好的, 那行, 那可以""",
    # Refuses.
    "no": """
        no, nope, nah, naw, nay, noo, know, no way, uh uh, nuh uh, never mind, nevermind,
        negative, neither, wrong, incorrect, forget it, forget that, forget about it, skip it,
        drop it, leave it, make it stop, hard pass, later, maybe later, another time,
        some other time, i'm good, im good, i'm fine, i'm okay, i'm ok, maybe not, probably not,
        perhaps not, better not, rather not, guess not, think not, hope not, changed my mind,
        change my mind, change of mind, another day, some other day, don't you dare, don't bother,
        算了, 想算了, 拉倒, 免了, 免谈, 休想, 没门, 拒绝, 错, 错了, 改天, 下次, 以后再说,
        回头再说, 再说吧, 再说""",
    # Refuses when it is about the question: "stop the music" is not.
    "stop": """
        cancel, canceled, cancelled, stop, abort, decline, declined, reject, rejected, refuse,
        deny, denied, quit, skip, halt, scrap, withdraw,
        取消, 取消吧, 取消了, 要取消, 想取消, 停, 停止, 停下, 停一下, 中止, 终止, 撤销, 撤回,
        放弃, 作废""",
    # Negates what follows; with nothing after it, refuses.
    "not": """
        not, do not, don't, dont, don t, never, won't, wont, will not, can't, cant, cannot,
        shouldn't, wouldn't, couldn't, mustn't, isn't, aren't, ain't, wasn't, doesn't, didn't,
        haven't, no longer, would not, should not, could not, i'd rather not, don't want to,
        dont want to, do not want to,
        不, 不要, 不用, 不想, 不是, 不能, 不会, 不需要, 不必, 不许, 不可, 不可以, 也不, 都不, 没,
        没有, 别, 不准, 甭, 勿, 唔, 唔好, 唔要, 唔使, 唔係, 冇""",
    # Takes back what was said, or asks for time.
    "turn": """
        wait, wait a second, wait a sec, wait a minute, wait a moment, hold on, hold up, hang on,
        actually, i mean, i meant, sorry, oops, my mistake, my bad, scratch that, correction,
        on second thought, on second thoughts, one second, one sec, one moment, one minute,
        just a second, just a moment, just a minute, give me a second, give me a moment,
        let me think,
        等等, 等一下, 等一等, 等下, 等会, 等会儿, 稍等, 慢着, 且慢, 其实, 我是说, 我的意思是,
        还是, 对不起, 抱歉, 不好意思, 说错了, 我想想, 让我想想""",
    # Agrees or refuses on a condition; what follows is the change.
    "but": "but, except, however, though, 但是, 但, 不过, 可是, 只是",
    # Wants it otherwise.
    "change": """
        make it, make that, instead, change it, change that, change to, change the amount,
        correct it, correct that, correct the, double it, halve it, the other, different, another,
        改成, 改为, 改到, 改一下, 换成, 换到, 变成, 而是, 另一个, 另外一个, 多付, 少付, 只付""",
    # A number beside an answer is a change; alone it answers nothing.
    "number": """
        zero, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen,
        fourteen, fifteen, sixteen, seventeen, eighteen, nineteen, twenty, thirty, forty, fifty,
        sixty, seventy, eighty, ninety, hundred, thousand, million, half, twice, double, dozen,
        零, 一, 二, 两, 俩, 三, 四, 五, 六, 七, 八, 九, 十, 百, 千, 万, 半""",
    # What the question is about; says neither yes nor no.
    "thing": """
        pay, send, buy, order, transfer, it, that, this, this one, that one, him, her, them,
        payment, the payment, this payment, that payment, my payment, the order, this order,
        my order, the money, the transfer, this transfer, transaction, the transaction,
        this transaction, dollars, dollar, bucks, euros, euro, pounds, yuan, cents,
        付款, 支付, 付钱, 转账, 下单, 购买, 订单, 交易, 这笔, 这个, 这次, 块, 块钱, 元, 美元, 毛""",
    # Leads on: a yes that ends in one is not finished.
    "lead": """
        i, we, i want to, i'm, let's, i said, i say, a, and, so, that's, it's, it is, that is,
        this is,
        我, 我们, 我说, 就, 先, 现在, 马上, 真的, 暂时, 那, 那么, 那就""",
    # Says nothing.
    "filler": """
        please, pls, thanks, thank you, thank you very much, thank you so much, kindly, um, umm,
        uh, er, erm, ah, oh, hm, hmm, well, just, really, now, right now, right away, immediately,
        then, hey, hell, heck, god, gosh, honestly, ahh, ohh, sir, ma'am, madam, boss, man, dude,
        mate, buddy, for me,
        嗯, 呃, 额, 啊, 哦, 呀, 喔, 噢, 哎, 诶, 欸, 的, 请, 麻烦, 麻烦你, 谢谢, 谢谢你, 谢了,
        多谢, 拜托, 唔该""",
    # Looks like an answer or like a change, and is none; asks.
    "doubt": """
        no problem, no problems, no worries, no rush, no hurry, no matter, no idea, no clue,
        no doubt, no question, no objection, no objections, no change, no changes, no one,
        not sure, not so sure, not too sure, not really sure, not certain, not bad, not a problem,
        not an issue, don't know, dont know, don t know, do not know, don't care, don't mind,
        don't worry, don't forget, wouldn't mind, why not, why don't, don't you, didn't you,
        didn't i, isn't it, aren't you, won't you, can't you, or no, or not, yes and no, i know,
        you know, know what, that correct, what, what's, who, who's, how, how's, why, when, where,
        where's, which, whose,
        没问题, 没事, 没事儿, 没关系, 没关係, 没意见, 没所谓, 无所谓, 不要紧, 不知道, 不清楚,
        不确定, 不太确定, 不一定, 不见得, 不好说, 不得不, 不错, 不客气, 不谢, 不急, 要不, 要是,
        别的, 别人, 别急, 别忘了, 别忘, 别担心, 唔知, 唔紧要, 冇问题, 冇所谓, 什么, 怎么, 怎样,
        为什么, 谁, 哪, 哪里, 哪儿, 几, 多少""",
}  # fmt: skip
"""The role of every known word and phrase. Most specific wins: "no way" is one phrase, not two."""

_SIMPLER = str.maketrans(
    "對確認沒錯當這樣買轉賬帳單辦麼麽別會許準還實說對換變為個塊萬兩謝請麻煩託現馬時們問題關係緊無謂"
    "誰幾裡裏後讓應該餘額銷終絕門談頭拋訂購筆錢額誒",
    "对确认没错当这样买转账账单办么么别会许准还实说对换变为个块万两谢请麻烦托现马时们问题关係紧无谓"
    "谁几里里后让应该余额销终绝门谈头抛订购笔钱额诶",
)
"""Traditional characters of the tables' words; 係 is Cantonese and stays."""

_WORD = re.compile(
    r"(?P<word>[A-Za-z']+)|(?P<number>[0-9]+(?:[.,][0-9]+)*)|(?P<asked>[?？])"
    r"|(?P<pause>[,.!;:…，。！；：、\n]+)|(?P<nothing>[ \t\r\u3000~$€£¥–—-]+)|(?P<one>.)",
    re.DOTALL,
)
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}")
_NEGATIONS = frozenset("不没唔")
_ASKING = frozenset("吗嗎嘛么麼")


def answer(text: str) -> Answer:
    """Return what the words answer; both languages are always understood."""
    if len(text) > MAX_CHARACTERS:
        return "unclear"
    heard, words = _Heard(), 0
    for clause, asked in _clauses(unaddressed(text)):
        words += len(clause)
        for role, phrase in [("doubt", "?")] if asked else _roles(clause):
            heard.hear(role, phrase)
        heard.settle()
    meant = heard.meaning()
    return meant if meant != "yes" or words <= MAX_WORDS else "unclear"


def correction(text: str) -> str | None:
    """Return what follows the words that correct: "fifty" of "no, make it fifty"; None without.

    They are those that turn round, change or refuse, after any that agree: 可以，但改成三十. Words
    that only agree correct where a yes or no says so: "okay, thirty".
    """
    plain = text.replace("’", "'").translate(_SIMPLER)
    opening, turns = _openings()
    found = opening.match(plain)
    if found is None or not (rest := text[found.end() :].strip()):
        return None
    return rest if turns.search(found[0]) or answer(text) == "change" else None


@cache
def _openings() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what words may come before a correction, and those of them that make it one."""

    def either(*phrases: str) -> str:
        words = sorted({one.strip() for line in phrases for one in line.split(",")}, key=len)
        return "|".join(
            re.escape(word) + (r"\b" if word.isascii() else "") for word in reversed(words) if word
        )

    turning = either(ROLES["turn"], ROLES["but"], ROLES["change"], _CORRECTS)
    leading = either(ROLES["yes"], ROLES["ok"], ROLES["filler"])
    opening = rf"^(?:(?:{turning}|{leading})(?:\s+(?:it )?(?:to|as)\b)?[\s,.，。、；;…!！]*)+"
    return re.compile(opening, re.IGNORECASE), re.compile(turning, re.IGNORECASE)


_CORRECTS = """
    no, nope, nah, wrong, not that, that's wrong, i said, rather, it's, it is, should be, i want it,
    不, 不是, 不对, 错了, 错, 说错了, 我说的是, 应该是, 要的是, 是, 而是, 换
"""
"""Corrects, besides what ROLES has, at the beginning of a text."""


@dataclass(slots=True)
class _Heard:
    """What was said so far, a phrase at a time."""

    meant: Answer | None = None
    """What it means by now."""
    negation: str = ""
    """The negation that still looks for what it negates."""
    explained: bool = True
    """Every word so far has a role that a yes allows."""
    doubted: bool = False
    """Something was asked, or looked like an answer and was none."""
    agreed: bool = False
    """There was a yes, whatever became of it."""
    firm: bool = False
    """There was a no that stands whatever it is about."""
    turned: bool = False
    """A word that takes back stands open: the next answer counts."""
    condition: bool = False
    """There was a "but"."""
    altered: bool = False
    """Something else is wanted."""
    number: bool = False
    """There was a number."""
    last: str = ""
    """The role before this one, fillers left out."""

    def hear(self, role: str, phrase: str) -> None:
        """Take in one phrase."""
        negated = bool(self.negation)
        match role:
            case "filler":
                return
            case "not" if phrase != self.negation and negated:  # "don't don't" undoes nothing
                self._unsure()
            case "not" | "no" | "stop" | "change" if not self._heeded():
                pass
            case "not":
                self.negation = phrase
            case "no" | "stop" | "change" if negated:
                self._unsure()
            case "no" | "stop":
                self._refuse(firm=role == "no")
            case "change":
                self.altered = True
            case "yes" | "ok" if negated:
                self._refuse()
            case "yes" | "ok" if self._leans(role, phrase):
                self.explained = False
            case "yes" | "ok":
                self._agree(firm=role == "yes")
            case "turn":
                self.turned = True
            case "but":
                self.condition = True
            case "number":
                self.number = True
                self.settle()
            case "doubt" | "unknown":
                self.explained = False
                self.doubted |= role == "doubt"
        if role in ("thing", "number", "unknown") and self.condition and not negated:
            self.altered |= self.meant is not None
        self.last = role

    def _heeded(self) -> bool:
        """Return whether a refusal or a change said now is about the question."""
        return self.explained or self.meant is not None or bool(self.negation)

    def settle(self) -> None:
        """End a clause: a negation that found nothing to negate refuses."""
        if self.negation:
            self._refuse()

    def meaning(self) -> Answer:
        """Return what it all means."""
        corrected = self.altered or (self.number and (self.turned or self.meant is not None))
        if corrected and not self.doubted:
            return "change"
        if self.meant == "no" and (self.firm or self.explained):
            return "no"
        finished = self.last not in ("lead", "turn", "but")
        return "yes" if self.meant == "yes" and self.explained and finished else "unclear"

    def _leans(self, role: str, phrase: str) -> bool:
        """Return whether what looks like a yes belongs to the words before it.

        "payment confirmed" is read from a screen, "that's okay" is polite for no, and 我是, 就好,
        现在是 go on.
        """
        if self.last == "lead":
            return role == "ok" or len(phrase) == 1
        return self.last == "thing" and self.meant is None

    def _refuse(self, firm: bool = True) -> None:
        self.meant, self.negation = "no", ""
        self.firm |= firm
        self.turned = self.condition = False

    def _agree(self, firm: bool) -> None:
        if self.condition or (self.turned and not firm):  # "wait, okay" asks for time
            fits = False
        elif self.meant == "no":
            fits = self.turned and not self.agreed
        else:
            fits = self.meant != "unclear"
        self.meant = "yes" if fits else "unclear"
        self.agreed, self.turned = True, False

    def _unsure(self) -> None:
        self.meant, self.negation = "unclear", ""


def _clauses(text: str) -> Iterator[tuple[list[str], bool]]:
    """Yield the words of each clause, and whether it is a question."""
    clause: list[str] = []
    for found in _WORD.finditer(text.replace("’", "'")):
        if found.lastgroup in ("pause", "asked"):
            yield clause, found.lastgroup == "asked" or _asks(clause)
            clause = []
        elif found.lastgroup == "word":
            # Lower case only what is ASCII: the Kelvin sign is a k to `lower`, not to us.
            clause.append(_DRAWN_OUT.sub(r"\1", found[0].lower()))
        elif found.lastgroup != "nothing":
            clause.append(found[0].translate(_SIMPLER))
    yield clause, _asks(clause)


def _asks(clause: list[str]) -> bool:
    return bool(clause) and clause[-1] in _ASKING


def _roles(clause: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each phrase of a clause with its role, the longest phrase at every place."""
    known, longest = _table()
    at = 0
    while at < len(clause):
        size, role = 1, "number" if clause[at][0].isdigit() else "unknown"
        if len(clause) > at + 2 and clause[at + 1] in _NEGATIONS and clause[at] == clause[at + 2]:
            # 好不好, 是不是: a question. 不不要, 不不不: a no in front of another one.
            size, role = (1, "no") if clause[at] in _NEGATIONS else (3, "doubt")
        elif clause[at : at + 2] == ["不", "不"]:
            role = "no"
        else:
            for length in range(min(longest, len(clause) - at), 0, -1):
                if found := known.get(tuple(clause[at : at + length])):
                    size, role = length, found
                    break
        yield role, " ".join(clause[at : at + size])
        at += size


@cache
def _table() -> tuple[dict[tuple[str, ...], str], int]:
    """Return the role of every phrase by its words, and the most words of one."""
    known: dict[tuple[str, ...], str] = {}
    for role, phrases in ROLES.items():
        for phrase in phrases.split(","):
            ((words, _),) = _clauses(phrase.replace("\n", " "))
            if known.setdefault(tuple(words), role) != role:
                raise ValueError(f"{phrase.strip()!r} is both {known[tuple(words)]} and {role}")
    return known, max(map(len, known))
