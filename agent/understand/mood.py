"""Whether a sentence orders what it names, or forbids it, reports it, asks about it.

The stages that guess weigh words, and "don't clear my list" has all the words of "clear my list".
So before anything is guessed, the clauses that order nothing are taken out:

- **forbidden**: "don't …", "no need to …", "i never said …", "who told you to …", 不要…, 谁让你…:
  no action at all is meant.
- **told**: "did i …", "why did you …", "what if i …", 为什么…: a question, which an action without
  an effect may answer; none that changes anything is meant.

A sentence that a skill declares is none of this: 别放了 stops the music because music says so, and
what stands in an open slot ("translate don't stop into chinese") is that slot's.
"""

from __future__ import annotations

import re
from typing import Literal

from agent.language.text import readings

Mood = Literal["order", "told", "forbidden"]

_NOT = r"(?:do not|do n't|don'?t|dont|not|never)"

_FORBIDDEN = tuple(
    re.compile(pattern)
    for pattern in (
        # Imperatives. "Don't forget to", "don't you want to" and "don't know how to" ask for it.
        r"^(?:no )?(?:do not|do n't|don'?t|dont)\b(?! (?:forget|fail|hesitate|worry|be shy|let me"
        r" forget|know|have|see|hear|understand|remember|like|you (?:want|like|wanna|think|have"
        r"|know)|we\b|i\b|need"
        r" (?!to\b|you)|want (?!to\b|you)))",
        # … also in the middle, where no subject says who does not: "i said don't clear my list".
        r"(?<!\bi)(?<!\bwe)(?<!\byou)(?<!\bthey)(?<!\bpeople)(?<!\bthat)(?<!\bwhich)(?<!\bwho)"
        r"(?<!\bif)(?<!\bwhy)(?<!s) (?:do not|don'?t|dont) (?!forget|fail|hesitate|worry|know"
        r"|have|see"
        r"|hear|mind|need|want|like|you\b|we\b|i\b)\w",
        r"\b(?:try|sure|careful|want|like|prefer|supposed|asked|going|ordered|said|told|meant|you)"
        r" not to\b|\bthat you (?:not|never|don'?t|do not)\b|\byou not (?:to )?\w",
        r"\b(?:must|should|may|can|could|is|are|shall|will) ?(?:not|n'?t|never) (?:to )?be\b",
        r"\b(?:it|that|this)(?:'s| is) not (?:necessary|needed|okay|ok|allowed|right|time|a good)\b"
        r"|\bunnecessary to\b|\bcancel(?:l?ing)? \w+ing\b",
        r"^(?:no )?never\b(?! ?mind)",
        r"^not(?: to)? (?!now|sure|bad)\w",
        r"^(?:let'?s|let us) not\b",
        r"^(?:(?:can|could|would|will) you )?(?:please )?(?:not|never) (?!mind)\w",
        r"^would you mind not\b",
        r"^(?:can|could|would|will|must|should) you (?:please |just |maybe )?(?:not|never)\b"
        r"(?! (?:mind|like|want))",
        r"^(?:avoid|refrain from|hold off|abstain from|stop trying to|forget about) \w",
        r"^(?:under no circumstances|by no means|on no account|in no case|no way)\b",
        r"^no more \w+ing\b",
        # Wishes and permissions that are denied.
        rf"\bi (?:really |just |certainly |definitely |still )?{_NOT} (?:really |ever )?(?:want"
        rf"|wish"
        r"|like|need|ask|tell|order) (?:you |us |it )?to (?!hear|listen)",
        r"\bi (?:would not|wouldn'?t|do not|don'?t) (?:want|like|wish) (?:you|it|us|anyone)\b",
        r"\bi'?d rather (?:you )?(?:not|did not|didn'?t)|\bi would rather (?:you )?(?:not|did)",
        r"\bi (?:will not|won'?t|would not|wouldn'?t|must not|shall not) \w",
        r"\b(?:want|need|like|ask|asked|asking|tell|told|telling|prefer|beg|order) you (?:not to"
        r"|to not|to never|never to)\b",
        r"\bi(?:'m| am| was) not (?:asking|telling|ordering|saying|going)\b",
        r"\b(?:no|not any) (?:need|reason|point|use)(?: for you)? (?:to|in|for)\b",
        r"\byou (?:do not|don'?t|dont) (?:need|have) to\b|\byou (?:need not|needn'?t)\b",
        r"\byou (?:must|should|shall|may|can|are|were|will) ?(?:not|never|n'?t)\b"
        r"|\byou (?:mustn|shouldn|can|aren|weren|won)'?t\b|\byou never\b",
        r"\b(?:better|best|rather|please|and|or|nor|but) (?:do not|don'?t|dont"
        r"|never)\b(?! (?:forget"
        r"|fail|worry|mind|know|have))",
        # Said of an order rather than given as one.
        r"\b(?:who|nobody|no one|someone|somebody|anyone) (?:ever |just )?(?:told|asked|ordered"
        r"|allowed"
        r"|said|says|wants|wanted|made) ",
        r"\bi (?:have |had )?(?:never|did not|didn'?t|haven'?t|hadn'?t) (?:ever )?(?:said|say"
        r"|asked|ask"
        r"|told|tell|wanted|want|meant|mean|ordered|order|agreed|agree)\b",
        r"\b(?:did|have|had) (?:i|we|you|he|she|they|anyone|anybody|someone|somebody) (?:ever |just"
        r" |really )?(?:say|said|ask|asked|tell|told|order|ordered) ",
        r"\b(?:if|when|whenever|unless|until|once|every time|in case|even if) (?:i|we|he|she|they"
        r"|someone|somebody|anyone|anybody|people|you)(?: ever| should| were to)? (?:say|says"
        r"|said|ask"
        r"|asks|asked|tell|tells|told|shout|yell|hear|hears)\b",
        r"^(?:he|she|they|it|people|everyone|everybody|the (?:sign|screen|book|text|page|card))"
        r" (?:just |always |never )?(?:said|says|say|told|tells|tell|reads|asked|asks)\b",
        r"^(?:suppose|supposing|imagine|pretend|let'?s say|assume)\b",
        r"(?<![区特分级性告识个派类辨差离鉴送道惜])别(?![的人墅名针致处样家克忘急担客])|甭|切勿"
        r"|请勿|莫要|休要|禁止"
        r"|(?<![要能会想可该用需许准必])不(?:要(?![紧脸求]|忘|担心|客气)|用(?!谢|客气|担心|了?$)"
        r"|必|许|准"
        r"|需要|应该|该|可以|能(?!不)|得(?!不))|没有?必要|无[需须]|[用犯]不着",
        r"^(?:我|你|您|咱们?|我们)?(?:现在|今天|真的|并|暂时|先|就|才|又|也|可)*不"
        r"(?!是|对|好意思|知道|过|如|错|同|只|管|懂|明白|认识|清楚|喜欢|记得|记住|确定|会说|介意"
        r"|妨|行"
        r"|用了|用谢)(?=.)",
        r"我(?:们)?(?:可|从来|从|并|又|根本|压根|刚才|刚刚)*没(?:有)?(?:说|让|叫|要|想|打算|同意"
        r"|答应|命令)",
        r"(?:谁|没有?人)(?:让|叫|要|说|告诉|允许|准|同意|命令)",
        r"不是(?:让|叫|要|想)(?:你|您)?",
        r"(?:如果|要是|假如|假使|万一|每当|当|只要|除非|就算|即使)(?:我|我们|你|他|她|他们|有人"
        r"|别人|谁)?"
        r"(?:说|让|叫|喊|问|要求)",
        r"^(?:他|她|他们|她们|有人|别人|人家|牌子上?|屏幕上?|书上)(?:刚才|总是|老)?(?:说|让|叫"
        r"|告诉|写)",
        r"我(?:什么时候|几时|何时|哪里|有)(?:说|让|叫)",
    )
)
"""What forbids, or speaks of an order without giving it."""

_TOLD = tuple(
    re.compile(pattern)
    for pattern in (
        r"^(?:and |but |so )?why (?:did|do|does|are|is|were|was|have|has|had|would)\b(?!n'?t| not)",
        r"^(?:when|how often|how many times) (?:did|have|had|was|were)\b",
        r"^(?:did|had) (?:i|we|you|he|she|they|it|the)\b|^have (?:i|we) \b",
        r"^(?:should|shall|must) (?:i|we)\b|^do (?:you|i|we) (?:really )?(?:want|need"
        r"|have) (?:me )?to\b",
        r"^(?:is|was|would) it (?:be )?(?:ok|okay|wise|safe|right|wrong|bad|good|smart) (?:to"
        r"|if)\b",
        r"^(?:what|what would happen|what happens|what will happen) (?:if|when)\b",
        r"^(?:i|we|you|he|she|they)(?:'ve| have|'d| had)? (?:already|just) \w+(?:ed|t|d)\b",
        r"为什么(?!不)|为啥(?!不)|为何(?!不)|干嘛(?:要|又)?(?!不)|怎么又",
        r"^[我你他她]?(?:已经|刚才|刚刚|昨天|前天|上周|早就)[我你他她]?.*了",
        r"^[我你]?(?:该不该|应不应该|要不要|是不是该|是否)",
        r"^(?:如果|要是|假如).*(?:会怎么样|会怎样|怎么办|会发生什么)",
    )
)
"""What asks about something done, or tells of it."""

_NO_PAYMENT = (
    re.compile(
        r"\b(?:paid|pays|owes|owed|owing|sent|sends|gave|gives|given|transferred|transfers|lent"
        r"|lends"
        r"|loaned|borrowed|received|receives|got|earned|charged|refunded|returned)\b"
        r"|\b(?!i\b|we\b|you\b|please\b)[\w']+ (?:should|must|has to|have to|needs? to|will"
        r"|would|can|could"
        r"|wants? to|is going to|ought to) (?:pay|send|give|transfer)\b"
        r"|\b(?:pay|send|give|transfer|wire|lend|owe|return) (?:it "
        r"|that )?(?:back )?(?:to )?(?:me|us)\b"
        r"|\b(?:should|shall|must|do|did|may|am|can|could) i\b"
        rf"|\b(?:{_NOT}|no|won'?t|can'?t|cannot|without|cancel|stop|refuse|instead of|isn'?t"
        rf"|doesn'?t)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?<=.)给(?:我|咱)们?(?:付|转|打|发|还)|(?:付|转|打|发|还)给?(?:我|咱)|(?:付|转|给|打"
        r"|发|花|还|借)"
        r"(?:了|过)|欠|收到|收了|[不别没勿甭]|取消|停止"
    ),
)
"""Says of a payment that it was, that it comes in, or that it is not to be."""

_CLAUSES = re.compile(
    r"[,;.:!?…]+(?=\s|$)|[，；。：！？]+|\s+(?=and (?:do not|don'?t|never)\b)|\s+(?:but|just"
    r"|instead|rather)\s+|但是?|而是|只要(?![我你他她])",
    re.IGNORECASE,
)
"""Between these a sentence may turn from what is forbidden to what is ordered. An "and" does not
end a "don't"."""

_GOES_ON = re.compile(r"(?:and|or|nor|either|ever|again)\b|[也或]", re.IGNORECASE)
"""Begins what still belongs to a clause that forbids."""
_LOOKS_ON = re.compile(r"(?:\b(?:do not|don'?t|dont|never|not)|别|不要|不)$", re.IGNORECASE)
"""Ends a clause that has yet to say what it forbids: "please don't, I repeat, …"."""

_ASIDE = re.compile(
    r"^\s*(?:without|instead of|rather than|besides|other than)\s+(?=\w+ing\b)", re.IGNORECASE
)
"""Begins what is set aside before an order: "without playing music take me …"."""

_ENDS = re.compile(
    r"\s+(?P<lead>(?:(?:no|oh|wait|actually|sorry|please|on second thoughts?|hm+|well)\s+)*)"
    r"(?:do not|don'?t|never ?mind|cancel(?: that| it)?|forget (?:it|that|about it)|scratch that"
    r"|just kidding|not|i take (?:it|that) back)$"
    r"|\s*(?P<lead_zh>(?:不|等等|等一下|啊|哦|呃|还是|对不起)*)\s*"
    r"(?:算了吧?|不要了|不用了|别了|取消吧?|开玩笑的?|当我没说|不要|别)$",
    re.IGNORECASE,
)
"""Takes back, at its end, all that was said."""


def mood(text: str) -> Mood:
    """Return what a clause does with the action that it names."""
    ways = [way for lang in ("en", "zh") for way in readings(text.casefold(), lang)]
    if any(pattern.search(way) for pattern in _FORBIDDEN for way in ways):
        return "forbidden"
    return "told" if any(pattern.search(way) for pattern in _TOLD for way in ways) else "order"


def ordered(text: str) -> str:
    """Return the clauses of a text that forbid nothing, all of it where none does; "" for none."""
    clauses = [part for part in map(str.strip, _CLAUSES.split(text)) if part]
    kept: list[str] = []
    waiting = False  # for what it is that is forbidden
    for at, clause in enumerate(clauses):
        if mood(clause) == "forbidden":
            waiting = waiting or _LOOKS_ON.search(clause) is not None
        elif not waiting and not (len(kept) < at and _GOES_ON.match(clause)):
            kept.append(clause)
    return text if len(kept) == len(clauses) else ", ".join(kept)


def set_aside(text: str) -> str | None:
    """Return what follows "without" and the like at the beginning of a text; None without them."""
    return text[found.end() :] if (found := _ASIDE.match(text)) else None


def is_payment(text: str) -> bool:
    """Return whether what is like a payment may be the wearer's order of one.

    Not what was paid, who owes, or what is to be paid to the wearer.
    """
    return not any(pattern.search(text) for pattern in _NO_PAYMENT)


def taken_back(text: str) -> tuple[str, bool] | None:
    """Return what was said before words at the end that take all of it back; None without them.

    And whether these are led up to: "no wait, never mind".
    """
    text = " ".join(text.split())
    found = _ENDS.search(text)
    if found is None or not (before := text[: found.start()].strip()):
        return None
    return before, bool((found["lead"] or found["lead_zh"] or "").strip())
