"""What the gate says of payments, in English and Chinese."""

from __future__ import annotations

from agent.act import states
from agent.errors import ConfigError
from agent.language.money import shown, to_minor
from agent.messages import Reply
from agent.skill.payments import Entry, LedgerError

SAID = {
    "en": {
        "declined": "Cancelled. Nothing was paid.",
        "let be": "Cancelled. Nothing was done.",
        "not done": "Not done: {reason}",
        "expired": "Too late: that payment was dropped. Ask again.",
        "failed": "Not paid: {reason}",
        "committing": "A payment is being made and cannot be stopped.",
        "another": "the provider was told of another payment",
        "late": "no answer yet",
        "broke": "the skill failed",
        "no way": "the skill gave no way to carry it out",
        "no provider": "{name} is not connected",
        "silent": "the provider does not answer",
        "unknown": "Payment outcome unknown: {reason}. It is asked again; do not pay again.",
        "payment done": "Paid.",
        "refund done": "Given back.",
        "top-up done": "Done.",
        "pending": "Now confirm it on your phone. I will see when it is paid.",
        "twice": "You paid the same at {time}.",
        "again": "Yes once more pays it again.",
        "pin": "Say your PIN, or tap it.",
        "wrong pin": "Wrong PIN. {left} left.",
        "locked": "the PIN is locked for {minutes} min",
        "no pin": "above {limit} a PIN is needed: set one with “glasses pin”",
        "flat": "the battery is nearly empty",
        "was paid": "It went through: {money} to {payee}.",
        "was refused": "It did not go through: {money} to {payee} was not paid.",
        "damaged": "the ledger is damaged; it was left as it is",
        "newer": "the ledger is of a newer version; update the glasses",
        "busy": "the ledger is in use; try again",
        "read-only": "the ledger cannot be written to",
        "full": "the disk is full or failed",
        "closed": "the ledger cannot be opened",
        "reused": "that key belongs to another payment",
        "known": "that was sent already",
        "payment": "the limit is {limit} a payment",
        "day": "the limit is {limit} a day",
        "payee": "the limit is {limit} a day to one payee",
        "currency": "{currency} cannot be paid here",
        "funds": "there is only {limit} left",
        "amount": "that is not an amount",
        "refund": "only {limit} of it can be given back",
        "limits": "the file of the limits is broken ({error})",
    },
    "zh": {
        "declined": "已取消，没有付款。",
        "let be": "已取消，没有执行。",
        "not done": "没有执行：{reason}",
        "expired": "已超时，付款作废，请重新说。",
        "failed": "未付款：{reason}",
        "committing": "正在付款，无法停止。",
        "another": "付款方收到的是另一笔付款",
        "late": "尚无回应",
        "broke": "技能出错",
        "no way": "该技能无法付款",
        "no provider": "{name}未连接",
        "silent": "付款方没有回应",
        "unknown": "付款结果未知：{reason}。会再次查询，请勿重复付款。",
        "payment done": "已付款。",
        "refund done": "已退款。",
        "top-up done": "已充值。",
        "pending": "请在手机上确认。付好后我会知道。",
        "twice": "{time}已付过相同的一笔。",
        "again": "再说一次“确认”才会再付一笔。",
        "pin": "请说密码，或轻点输入。",
        "wrong pin": "密码错误，还可试{left}次。",
        "locked": "密码已锁定{minutes}分钟",
        "no pin": "超过{limit}需要密码：请用“glasses pin”设置",
        "flat": "电量即将耗尽",
        "was paid": "付款成功：{money}付给{payee}。",
        "was refused": "付款没有成功：{money}没有付给{payee}。",
        "damaged": "账本已损坏，未作改动",
        "newer": "账本来自更新的版本，请先更新眼镜",
        "busy": "账本正被占用，请重试",
        "read-only": "账本无法写入",
        "full": "存储已满或出错",
        "closed": "无法打开账本",
        "reused": "该编号已用于另一笔付款",
        "known": "这笔付款已经发出",
        "payment": "单笔上限{limit}",
        "day": "每日上限{limit}",
        "payee": "同一收款人每日上限{limit}",
        "currency": "这里不能用{currency}付款",
        "funds": "余额只有{limit}",
        "amount": "金额不对",
        "refund": "最多可退{limit}",
        "limits": "限额文件有误（{error}）",
    },
}


def refusal(error: LedgerError | ConfigError, currency: str, language: str) -> str:
    """Return why the ledger refuses, in the wearer's words."""
    said = SAID[language]
    if isinstance(error, ConfigError):
        return said["limits"].format(error=error)
    limit = "" if error.limit is None else shown(to_minor(error.limit, currency), currency)
    return said[error.why].format(limit=limit, currency=currency)


def news(entry: Entry, language: str) -> Reply:
    """Return what the wearer is told of a payment whose outcome has become known."""
    order = entry.order
    money = shown(to_minor(order.amount, order.currency), order.currency)
    key = "was paid" if entry.state in states.MOVED else "was refused"
    text = SAID[language][key].format(money=money, payee=order.payee)
    return Reply(text, kind="answer" if key == "was paid" else "alert")
