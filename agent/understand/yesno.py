"""Yes and no: the answer to a question the agent asked.

Only a phrase from these lists, and nothing else with it, is an answer; anything else is unclear,
and unclear is never yes.
"""

from __future__ import annotations

from typing import Literal

from agent.understand.text import clean

Answer = Literal["yes", "no", "unclear"]

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
"""Every phrase that answers a question, by language."""


def answer(text: str) -> Answer:
    """Return what the words answer; both languages are always understood."""
    said = clean(text).casefold()
    bare = said.replace(" ", "")
    for phrases in PHRASES.values():
        for meaning, known in phrases.items():
            if said in known or bare in (p for p in known if not p.isascii()):
                return meaning
    return "unclear"
