"""What would need a biller or a bank: it is understood, and the answer is that there is none.

Nothing here moves or records money, so nothing here has `risk="money"`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from agent import Context, OneOf, Reply, skill

_BILLS = {
    "electric": "电", "electricity": "电", "gas": "燃气", "water": "水", "internet": "网",
    "phone": "电话", "cell phone": "手机", "cable": "有线电视", "credit card": "信用卡",
    "utility": "水电", "insurance": "保险", "heating": "暖气",
}  # fmt: skip
_ACCOUNTS = {
    "checking": "支票", "savings": "储蓄", "money market": "货币市场", "retirement": "退休金",
    "joint": "联名", "business": "公司", "credit card": "信用卡",
}  # fmt: skip


def _said(names: dict[str, str], language: str) -> dict[str, str]:
    """Return what can be said in a language, with the English word for it."""
    if language == "zh":
        return {chinese: english for english, chinese in reversed(names.items())}
    return {english: english for english in names}


def _bills(language: str) -> dict[str, str]:
    return _said(_BILLS, language)


def _accounts(language: str) -> dict[str, str]:
    return _said(_ACCOUNTS, language)


Bill = Annotated[str, OneOf(_bills, open=True)]
Account = Annotated[str, OneOf(_accounts, open=True)]


@skill(
    "pay (my|the) {bill} bill",
    "pay (my|the) {bill} bill (from|with|using) [my] {account} [account]",
    "pay (my|the) (bill|bills) [(from|with|using) [my] {account} [account]]",
    "make a payment on my {bill} bill",
)
def bill(ctx: Context, bill: Bill | None = None, account: Account | None = None) -> Reply:
    """Say that no bill can be paid, since no biller is connected."""
    lines = [
        ctx.say("No biller is connected: nothing was paid."),
        ctx.say("I can only pay someone in your address book."),
    ]
    return Reply("\n".join(lines), title=ctx.say("Not paid"))


@skill(
    "(transfer|move|send) {amount} from [my] {source} [account] to [my] {target} [account]",
    "(transfer|move) money from [my] {source} [account] to [my] {target} [account]",
    "(transfer|move|send) {amount} between [my] {source} [account] and [my] {target} [account]",
    "(transfer|move) {amount} [in|into|to] my {target} account",
    "(transfer|move|send) (money|{amount}) (between [my] accounts|from one account to another)",
    "make a transfer [between [my] accounts]",
)
def transfer(
    ctx: Context,
    amount: Decimal | None = None,
    source: Account | None = None,
    target: Account | None = None,
) -> Reply:
    """Say that nothing moves between accounts, since no bank is connected."""
    lines = [
        ctx.say("No bank is connected: nothing was moved."),
        ctx.say("I can only pay someone in your address book."),
    ]
    return Reply("\n".join(lines), title=ctx.say("Not moved"))
