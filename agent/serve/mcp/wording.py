"""What is said around the tools of MCP servers, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

_SAID = {
    "en": {
        "first": "{server} has not been used for this yet. Allow it?",
        "why": "{tool}: {about}",
        "asks": "{server} asks: {message}",
        "how": "Say “tell {server} …”.",
        "values": "{name}: {values}",
        "or": " or ",
        "nothing asked": "{server} has asked nothing.",
        "not that": "That does not fit. {server} asks: {message}",
        "secret": "{server} asked for a PIN, a password or a card. It was not told.",
        "link": "{server} wanted to open a page. It was not opened.",
        "nothing": "{server} answered nothing.",
        "no amount": "{server} may move money with {tool} and does not say how much. Not done.",
        "parts": "{server} cannot take that amount.",
        "failed": "{server}: {why}",
        "working": "{server} …",
        "sign in": "{server} wants you to sign in. On your computer: glasses mcp login {server}",
        "may pay": "{server} would do this; the amount is what you said.",
        "done": "Done.",
        "off": "{tool} of {server} is switched off.",
    },
    "zh": {
        "first": "{server}还没有用过这项功能，允许吗？",
        "why": "{tool}：{about}",
        "asks": "{server}问：{message}",
        "how": "请说“告诉{server}……”。",
        "values": "{name}：{values}",
        "or": "或",
        "nothing asked": "{server}没有提问。",
        "not that": "不符合要求。{server}问：{message}",
        "secret": "{server}索要 PIN、密码或银行卡，没有告诉它。",
        "link": "{server}想打开网页，没有打开。",
        "nothing": "{server}没有给出内容。",
        "no amount": "{server}的{tool}可能会动用钱，却没说多少，没有执行。",
        "parts": "{server}无法接受这个金额。",
        "failed": "{server}：{why}",
        "working": "{server}…",
        "sign in": "{server}需要登录。请在电脑上运行：glasses mcp login {server}",
        "may pay": "由{server}执行，金额就是您说的。",
        "done": "完成。",
        "off": "{server}的{tool}已关闭。",
    },
}


def said_in(language: str) -> Mapping[str, str]:
    """Return the words of a language, English where it has none."""
    return _SAID.get(language, _SAID["en"])
