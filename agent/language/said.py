"""What the agent itself says, by language."""

from __future__ import annotations

from collections.abc import Mapping

SAID: dict[str, dict[str, str]] = {
    "en": {
        "unknown": "I can {can}",
        "not you": "That did not sound like you.\nSay it again, or type it.",
        "unheard": "Sorry, I didn't catch that.\nI can {can}",
        "comma": ", ",
        "too long": "That was too long to read: {limit} characters at most.",
        "ask": "{phrase}?",
        "which": "{options}?",
        "or": ", or ",
        "left": "Not understood: {words}",
        "cannot": "{question}\nI can't do “{words}”.",
        "undone": "Undone.",
        "no undo": "There is nothing to undo.",
        "no model": "Questions need a language model.\nGet it: `glasses models pull --suitable`",
        "failed": "Sorry, {skill} failed. Nothing was lost.",
        "hung": "Sorry, {skill} took too long and was stopped.",
        "disabled": "Sorry, {skill} failed {count} times and is switched off.",
        "lacks": "{skill} needs a {what}, and these glasses do not have one.",
        "broke": "Sorry, something went wrong in the agent itself.",
        "gone": "{skill} is no longer installed.",
        "unsaved": "The lens can't be saved right now. If the power fails, it is lost.",
        "unfelt": "The {what} cannot be read. Trying again.",
        "battery": "battery",
        "head": "motion sensor",
        "light": "light sensor",
        "stopped": "Stopped.",
        "nothing": "There is nothing to show.",
        "no pages": "That's all.",
        "loading": "I am still loading.\nI will hear you in a moment.",
    },
    "zh": {
        "unknown": "我可以：{can}",
        "not you": "听起来不像您本人。\n请再说一遍，或者打字输入。",
        "unheard": "抱歉，没听清。\n我可以：{can}",
        "comma": "、",
        "too long": "太长了，最多 {limit} 个字符。",
        "ask": "{phrase}？",
        "which": "{options}？",
        "or": "，还是",
        "left": "没有听懂：{words}",
        "cannot": "{question}\n我做不到“{words}”。",
        "undone": "已撤销。",
        "no undo": "没有可以撤销的操作。",
        "no model": "回答问题需要语言模型。\n运行 `glasses models pull --suitable` 即可获取。",
        "failed": "抱歉，{skill} 出错了，没有丢失任何内容。",
        "hung": "抱歉，{skill} 太久没有回应，已被停止。",
        "disabled": "抱歉，{skill} 出错 {count} 次，已停用。",
        "lacks": "{skill} 需要{what}，这副眼镜没有。",
        "broke": "抱歉，系统内部出错了。",
        "gone": "{skill} 已被移除。",
        "unsaved": "镜片上的内容暂时无法保存，断电会丢失。",
        "unfelt": "无法读取{what}，正在重试。",
        "battery": "电池",
        "head": "动作传感器",
        "light": "光线传感器",
        "stopped": "已停止。",
        "nothing": "没有可显示的内容。",
        "no pages": "没有更多了。",
        "loading": "语音识别还在加载。\n您说的话稍后就会听到。",
    },
}
"""What the agent itself says, by language."""


def said_in(language: str) -> Mapping[str, str]:
    """Return the agent's own words in a language, English where it has none."""
    return SAID.get(language, SAID["en"])
