"""What a tool of a server may do to the wearer, judged by its words, since its hints may lie.

A tool that looks as if it paid is `money`: only ever proposed, and confirmed by our gate. One that
says it only reads is `none`, any other `change`. All of them ask before their first use. What a
server asks for in between is refused where it is a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agent.serve.mcp.kept import Tool, ToolRisk
from agent.serve.mcp.schema import is_amount, words_of
from agent.serve.mcp.words import listed

_PAYS = re.compile(
    r"\b(?:make|makes|send|sends|initiate|execute|submit|creat|perform|process)\w* (?:an? |the )?"
    r"(?:\w+ )?(?:payment|purchase|transfer|transaction|refund|donation)"
    r"|\b(?:pays?|buys?|purchases?|charges?|refunds?|transfers? (?:money|funds))\b"
    r"|\bsends? money|\bplaces? (?:an? )?order|\bchecks? out"
    r"|支付|付款|付钱|转账|汇款|购买|下单|充值|退款|扣款|打赏|捐款|缴费|提现",
    re.IGNORECASE,
)
_LOOKS = re.compile(
    r"^\W*(?:查询|查看|获取|搜索|检索|列出|计算|return|get|list|show|search|query)", re.I
)
_SECRET = re.compile(
    r"\b(?:pin|pins|pincode|pass ?words?|pass ?codes?|pass ?phrases?|secret|secrets|otp|cvv|cvc|csc"
    r"|ssn|api[ _-]?keys?|access[ _-]?(?:keys?|tokens?)|private[ _-]?keys?|tokens?|credentials?"
    r"|(?:credit|debit|bank|payment)[ _-]?cards?|card[ _-]?(?:numbers?|no)|iban"
    r"|account[ _-]?numbers?|security[ _-]?codes?|verification[ _-]?codes?|one[ _-]?time)\b"
    r"|密码|口令|密钥|秘钥|验证码|校验码|银行卡|信用卡|卡号|安全码|身份证|令牌|账号",
    re.IGNORECASE,
)


def pays(name: str, description: str, schema: Mapping[str, Any]) -> bool:
    """Whether a tool looks as if it moved money, whatever it says of itself."""
    words = words_of(name)
    properties = schema.get("properties")
    amount = isinstance(properties, Mapping) and any(is_amount(str(key)) for key in properties)
    looks = bool(words and words[0] in listed("reads")) or bool(_LOOKS.search(description))
    if amount and (listed("pays") & {*words} or _PAYS.search(description)):
        return True
    if looks and not amount:
        return False
    return bool(listed("pays") & {*words}) or bool(_PAYS.search(f"{name} {description[:300]}"))


def risk(name: str, description: str, schema: Mapping[str, Any], reads: bool) -> ToolRisk:
    """Return the risk that a tool is kept with until the wearer says otherwise."""
    if pays(name, description, schema):
        return "money"
    return "none" if reads else "change"


def secret(message: str, schema: Mapping[str, Any]) -> bool:
    """Whether what a server asks the wearer for is a PIN, a password, a card or another secret."""
    texts = [message]
    properties = schema.get("properties")
    for key, told in properties.items() if isinstance(properties, Mapping) else ():
        texts.append(" ".join(words_of(str(key))))
        texts.append(str(key))
        if isinstance(told, Mapping):
            texts += [str(told.get(part, "")) for part in ("title", "description")]
            if told.get("format") == "password":
                return True
    return any(_SECRET.search(text) for text in texts)


def worse(tool: Tool) -> bool:
    """Whether a tool is kept as less than it looks like, because the wearer said so."""
    return tool.risk != "money" and pays(tool.name, tool.description, tool.schema)
