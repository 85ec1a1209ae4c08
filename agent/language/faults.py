"""What failed, in the wearer's language.

An error is raised in English, wherever it happens and whoever was asked in which language; it is
told to the wearer here. A skill's own faults are translated beside what else it says, in the
`responses` of its sentence files; the agent's and the devices' are below, with a blank where the
English has a name or a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

FAULTS: dict[str, dict[str, str]] = {
    "zh": {
        # Devices and what the agent lends to skills.
        "there is no camera here: install a plugin that provides one":
            "这里没有相机，请安装提供相机的插件。",
        "there is no microphone here: install a plugin that provides one":
            "这里没有麦克风，请安装提供麦克风的插件。",
        "there is no player here: install a plugin that provides one":
            "这里没有播放器，请安装提供播放器的插件。",
        "there is no {kind} here: install a plugin that provides one":
            "这里没有“{kind}”，请安装提供它的插件。",
        "the camera is off while power is low: charge or swap the batteries":
            "电量不足，相机已关闭，请充电或更换电池。",
        "there is no camera here": "这里没有相机。",
        "there is no lens here": "这里没有镜片。",
        "there is no ledger here": "这里没有付款记录。",
        "there are no notifications here": "这里没有通知。",
        "nothing here can tell where you are: pair a phone or set a location":
            "无法得知您的位置，请连接手机或设置位置。",
        "nothing is remembered here": "这里不能记事。",
        "nothing can be written down here": "这里不能做笔记。",
        "nothing can be planned here": "这里不能设提醒。",
        "nothing is heard here": "这里没有麦克风。",
        # What is read over the network or from the disk.
        "{host} did not answer: try again in a moment": "{host} 没有回应，请稍后再试。",
        "{host} sends too much, or too slowly": "{host} 发来的内容太多或太慢。",
        "{host} {told}: check the address and the network": "连不上 {host}，请检查地址和网络。",
        "{path} cannot be read: {why}": "{path} 无法读取。",
        "{path} cannot be written: {why}": "{path} 无法写入。",
        "{path} is larger than {size} MiB": "{path} 超过 {size} MiB，太大了。",
        # The language model.
        "no language model: put a Qwen3 GGUF in {folder} or set GLASSES_MODEL=/path/to.gguf;"
        " `glasses models pull --suitable` gets one":
            "没有语言模型，运行 `glasses models pull --suitable` 即可获取。",
        "what you had remembered stays here: GLASSES_SHARE=notes allows it":
            "您记下的内容不会外传，设置 GLASSES_SHARE=notes 可以允许。",
        "{model}: the model is closed": "语言模型已关闭。",
        "{model}: the prompt is {count} tokens long and at most {most} fit; ask about less text":
            "内容太长，语言模型读不下，请少问一些。",
        "{model}: {what} ({error}); is the server running?": "语言模型服务器没有回应，它在运行吗？",
        "{model}: refused with {code}: {why}": "语言模型服务器拒绝了请求（{code}）。",
        "{model}: broke off in the middle; ask again": "语言模型中途断开，请再问一次。",
        "GLASSES_MODEL={name}: no such file; name a GGUF file or unset it":
            "找不到 GLASSES_MODEL 指定的模型文件。",
    },
}  # fmt: skip
"""The faults of the agent and of the devices by language, what is said of each by its English."""

OTHER: dict[str, str] = {"zh": "这件事没办成。\n（{fault}）"}
"""What leads a fault that nobody has translated: what went wrong is kept, for who can mend it."""


def told(fault: object, language: str, responses: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return what failed in one language; `responses` are a skill's translations, which go first.

    English stays as it is, and so does what already is in the language.
    """
    text = " ".join(str(fault).split())
    if text in responses:
        return responses[text]
    known = FAULTS.get(language)
    if known is None or _CHINESE.search(text):
        return text
    for pattern, said in _patterns(language):
        if found := pattern.fullmatch(text):
            return said.format(**found.groupdict())
    return OTHER[language].format(fault=text)


_CHINESE = re.compile(r"[\u3400-\u9fff]")
_BLANK = re.compile(r"\\\{(\w+)\\\}")


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the faults of a language as what finds them, in order."""
    return tuple(
        (re.compile(_BLANK.sub(r"(?P<\1>.+?)", re.escape(english))), said)
        for english, said in FAULTS[language].items()
    )
