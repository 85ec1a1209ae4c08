"""What the hub itself says to a wearer."""

from __future__ import annotations

SAID = {
    "en": {
        "maybe": "The link broke while this was done, so it may be done already:"
        " look, and say it again if it is not.",
        "quota": "Too many turns in a minute: wait a moment, then say it again.",
        "unkept": "The hub cannot write down what you say, so it was not done: say it again later.",
        "unheard": "The hub could not hear that: say it again in a moment.",
    },
    "zh": {
        "maybe": "处理这句话时连接断开，可能已经完成：请查看，没有完成就再说一遍。",
        "quota": "一分钟内说得太多了：请稍等再说一遍。",
        "unkept": "主机无法记录您说的话，所以没有执行：请稍后再说一遍。",
        "unheard": "主机没能听到这句话：请稍等再说一遍。",
    },
}
"""By language, then by what it is about."""


def said(language: str, what: str) -> str:
    """Return a line in the wearer's language; English while that is not known."""
    return SAID["zh" if language == "zh" else "en"][what]
