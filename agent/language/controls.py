"""What can always be said, whatever is installed: the agent's own few words, and what it can do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from agent.language import yesno
from agent.language.courtesy import courtesy
from agent.language.saying import Saying
from agent.language.text import clean, readings, unaddressed

Control = Literal[
    "more",
    "back",
    "repeat",
    "clear",
    "stop",
    "snooze",
    "undo",
    "dashboard",
    "battery",
    "brighter",
    "dimmer",
    "aloud",
    "quiet",
    "help",
]

CONTROLS: dict[str, dict[Control, tuple[str, ...]]] = {
    "en": {
        "more": ("more", "next page", "show more"),
        "back": ("back", "go back", "previous page"),
        "repeat": ("repeat", "repeat that", "say that again"),
        "clear": ("clear", "clear the screen", "close that"),
        "stop": ("stop", "cancel", "never mind"),
        "snooze": ("snooze", "not now"),
        "undo": ("undo", "undo that", "take that back"),
        "dashboard": ("dashboard", "show the dashboard", "home screen"),
        "battery": ("battery", "how much battery is left"),
        "brighter": ("brighter",),
        "dimmer": ("dimmer",),
        "aloud": ("speak your answers",),
        "quiet": ("be quiet", "stop talking"),
        "help": ("help", "what can i say", "what can you do"),
    },
    "zh": {
        "more": ("更多", "下一页", "继续看"),
        "back": ("返回", "上一页"),
        "repeat": ("重复", "再说一遍"),
        "clear": ("清屏", "关掉"),
        "stop": ("停", "停止", "取消", "算了"),
        "snooze": ("稍后提醒", "等会儿再说"),
        "undo": ("撤销", "撤回", "撤销刚才的"),
        "dashboard": ("主页", "首页", "仪表盘"),
        "battery": ("电量", "还有多少电"),
        "brighter": ("亮一点",),
        "dimmer": ("暗一点",),
        "aloud": ("请说出来",),
        "quiet": ("别说了",),
        "help": ("帮助", "我能说什么", "你会什么", "你能做什么"),
    },
}

ALSO: dict[Control, tuple[str, ...]] = {
    "stop": (
        "stop it", "stop that", "stop this", "stop now", "stop stop", "cancel it", "cancel that",
        "nevermind", "never mind that", "no worries", "it's nothing", "leave it", "forget about it",
        "shut up", "quiet", "silence", "hush", "enough", "that's enough", "that is enough", "abort",
        "quit", "halt", "not yet", "hang on not yet", "hold on not yet", "wait not yet",
        "forget it", "forget that",
        "没事", "没事了", "没什么", "没什么事", "不用管了", "不必了", "当我没说", "别管了",
        "不买了", "算了不买了", "算了不要了", "先不买了", "先不要了", "我不要了", "不弄了", "停下",
        "停下来", "停一下", "停一停", "停停", "停停停", "快停", "快停下", "别讲了", "闭嘴", "住口",
        "住嘴", "安静", "安静点", "安静一点", "够了", "中止", "终止", "打住", "放弃", "停止吧",
        "取消吧", "停吧", "不要了",
    ),
    "snooze": (
        "snooze it", "remind me later",
        "贪睡", "再睡一会", "再睡会儿", "过会儿再叫我",
    ),
    "undo": (
        "remove it", "delete it", "delete that", "remove that", "take it out", "take it off",
        "take that off", "scratch that", "i changed my mind", "changed my mind", "get rid of it",
        "get rid of that", "reverse that", "revert that", "undo it", "take it back",
        "删掉", "删掉它", "删掉这个", "删了吧", "删了它", "删除它", "去掉", "去掉它", "去掉这个",
        "不要这个了", "不要它了", "我改主意了", "我反悔了", "取消这个", "取消它", "取消刚才的",
        "刚才的不算", "撤销它", "撤销一下", "撤回一下",
    ),
    "battery": (
        "how much battery do i have", "battery level", "how much charge is left",
        "how much power is left", "what's my battery", "what is my battery", "battery status",
        "check the battery", "how's the battery", "how is the battery",
        "电池", "电池电量", "还有电吗", "剩多少电", "电池还剩多少", "还有多少电量", "电量多少",
        "还剩多少电",
    ),
    "brighter": (
        "turn up the brightness", "turn the brightness up", "brightness up", "more brightness",
        "too dark", "it's too dark", "make it brighter", "increase the brightness",
        "再亮一点", "亮一些", "亮点", "太暗了", "看不清", "提高亮度", "增加亮度", "调高亮度",
        "调亮", "调亮一点",
    ),
    "dimmer": (
        "turn down the brightness", "turn the brightness down", "brightness down",
        "less brightness", "too bright", "it's too bright", "lower the brightness",
        "make it dimmer", "reduce the brightness",
        "再暗一点", "暗一些", "暗点", "太亮了", "降低亮度", "调低亮度", "调暗", "调暗一点",
    ),
    "aloud": (
        "speak the answers", "say your answers", "say your answers out loud", "speak out loud",
        "read your answers aloud", "read your answers out loud", "answer out loud", "speak to me",
        "talk to me", "turn your voice on", "turn on your voice",
        "说出来", "把回答说出来", "说给我听", "念出来", "念给我听", "读出来", "读给我听",
        "出声回答", "打开语音",
    ),
    "quiet": (
        "stop speaking", "don't speak", "do not speak", "don't talk", "do not talk", "keep quiet",
        "stay quiet", "turn your voice off", "turn off your voice",
        "不要说了", "不要再说了", "别再说了", "不用说了", "不要出声", "别出声", "关闭语音",
    ),
    "repeat": (
        "huh", "what", "what was that", "pardon", "pardon me", "come again", "sorry what",
        "say what", "i didn't hear you", "i didn't hear that", "i didn't catch that", "once more",
        "what did you just say", "what did you say", "repeat it", "say it again",
        "啥", "什么", "你说什么", "说什么", "没听清", "听不懂", "没听懂", "我没听懂", "我没听清",
        "没听见", "再来一遍", "你刚才说什么", "你刚才说了什么", "再说一次", "重复一遍", "重复一下",
    ),
    "back": (
        "go back one page", "the previous page",
        "返回上一页",
    ),
    "more": (
        "the next page", "show me more",
        "看更多",
    ),
    "clear": (
        "close it", "clear it", "clear screen", "go away", "hide that", "hide it", "hide this",
        "dismiss", "dismiss that",
        "走开", "消失", "收起来", "关掉它", "清一下屏",
    ),
    "help": (
        "what do you do", "what are you able to do", "what can i ask", "what can i ask you",
        "how do you work", "what are my options", "help me", "what can i say to you",
        "你会干嘛", "你会干什么", "你能干嘛", "你能干什么", "你有什么功能", "有什么功能", "怎么用",
        "我该怎么说", "你会做什么", "你能做些什么", "帮帮我",
    ),
    "dashboard": (
        "show me the dashboard", "go to the dashboard",
        "回主页", "回首页",
    ),
}  # fmt: skip
"""Other ways to say them. They are understood in text, but not listened for: a small grammar hears
better."""


ENDS: frozenset[Control] = frozenset(("stop", "quiet"))
"""Words that end what runs: “be quiet” stops as “stop” does, and no answer is said after it."""


_LEADS = re.compile(
    r"^(?:(?:actually|oh|ok|okay|alright|all right|wait|hey|no|right|well|yes|yeah) +)+(?=\w)"
    r"|^(?:哦|噢|好的?|那|不|等等|等一下|行)[\s,，]+"
)
"""What people begin with, and what changes nothing about one of the agent's words after it."""


def control(text: str) -> Control | None:
    """Return which of the agent's own words this is, if it is nothing else, politeness aside."""
    said = _LEADS.sub("", clean(unaddressed(text)).casefold())
    for language in CONTROLS:
        for reading in readings(said, language):
            if (meaning := _meanings().get(reading)) is not None:
                return meaning
    return None


def is_own(text: str) -> bool:
    """Say whether a text is the agent's own: one of its words, or a courtesy."""
    return control(text) is not None or courtesy(text) is not None


CANCELS = re.compile(r"\bcancel\b|取消|不[要买弄]了|算了")
"""Of the words that stop what runs those that also take back what was just done."""


@cache
def own_words() -> tuple[str, ...]:
    """Return the agent's own words, alone and said politely: no skill may take them."""
    tables: list[Mapping[Any, tuple[str, ...]]] = [*CONTROLS.values(), *yesno.PHRASES.values()]
    said = [phrase for table in tables for phrases in table.values() for phrase in phrases]
    agreed = re.split(r",\s+", yesno.ROLES["ok"].strip())
    plain = dict.fromkeys([*said, *agreed, "yeah", "yep", "yup", "nope", "nah"])
    return tuple(
        polite
        for word in plain
        for polite in (
            (word, f"please {word}", f"{word} please")
            if word.isascii()
            else (word, f"请{word}", f"{word}吧")
        )
    )


@cache
def _meanings() -> dict[str, Control]:
    """Return what each of the agent's own words means."""
    tables = (*CONTROLS.values(), ALSO)
    return {said: meaning for words in tables for meaning, ways in words.items() for said in ways}


@dataclass(frozen=True, slots=True)
class Own:
    """What an utterance says to the agent itself, whatever skills make of it."""

    control: Control | None = None
    """Which of its own words it is."""
    answer: yesno.Answer = "unclear"
    """What it answers, where something was asked."""


def own(text: str, asked: bool) -> Own:
    """Read a text for what it says to the agent itself; `asked` says that it may be an answer."""
    return Own(control(text), yesno.answer(text) if asked else "unclear")


def sayings(language: str, asking: bool) -> Iterable[Saying]:
    """Yield the agent's own sentences; yes and no only while a question is open."""
    for meaning, phrases in CONTROLS.get(language, {}).items():
        for phrase in phrases:
            yield Saying(f"agent.{meaning}", phrase, {}, weight=0.5)
    if asking:
        for answer, phrases in yesno.PHRASES.get(language, {}).items():
            for phrase in phrases:
                yield Saying(f"agent.{answer}", phrase, {}, weight=4.0)
