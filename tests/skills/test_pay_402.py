"""HTTP 402: both sides against each other on loopback, and whatever is wrong is refused."""

import base64
import json
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import skills.pay as pay_skill
from agent.errors import NotCommitted
from agent.messages import Order, Proposal
from agent.plugins.hooks import hookimpl
from agent.skill import command
from agent.skill.command import MOST_BYTES, Command, CommandError
from agent.testing import lens, make_agent
from skills.pay.alipay_bot import AlipayBot, is_cashier
from skills.pay.merchant402 import Merchant, Seller
from skills.pay.message402 import (
    Needed,
    Proof,
    Refused402,
    asks_for,
    is_signed,
    needed,
    pack,
    proof,
    shows,
    sign,
    unpack,
)

pytestmark = pytest.mark.slow  # servers and programs of its own

NOW = datetime(2030, 5, 6, 12, 30, tzinfo=UTC)
PATH = "/report/today"


def pems() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


PRIVATE, PUBLIC = pems()
OTHERS, _ = pems()
SELLER = Seller("天气报告", "2088000000000001", "2021000000000001", "api_mock_service_id", PRIVATE)
ASKED = Needed(
    "T1", Decimal("0.50"), "CNY", PATH, NOW + timedelta(minutes=30), "今日报告", SELLER.name,
    SELLER.seller_id, SELLER.app_id, SELLER.service_id,
)  # fmt: skip


def test_what_a_seller_asks_for_is_read_as_it_was_meant():
    assert needed(asks_for(ASKED, PRIVATE), NOW, PATH, PUBLIC) == ASKED
    assert proof(shows(Proof("p", "t", "s"))) == Proof("p", "t", "s")


def test_a_signature_holds_for_its_text_alone():
    assert is_signed(PUBLIC, "a=1&b=二", sign(PRIVATE, "a=1&b=二"))
    assert not is_signed(PUBLIC, "a=1&b=三", sign(PRIVATE, "a=1&b=二"))
    assert not is_signed(PUBLIC, "a=1", "no base64 !")


# -- what is refused ------------------------------------------------------------------------------


ORIGINAL = asks_for(ASKED, PRIVATE)


def changed(part: str, name: str, value: object) -> str:
    said = unpack(ORIGINAL)
    if value is None:
        del said[part][name]
    else:
        said[part][name] = value
    return pack(said)


def later(**by: int) -> str:
    return asks_for(Needed(**{**_fields(), "pay_before": NOW + timedelta(**by)}), PRIVATE)


def _fields() -> dict[str, object]:
    return {name: getattr(ASKED, name) for name in Needed.__slots__}


def priced(amount: str) -> str:
    said = unpack(ORIGINAL)
    said["protocol"]["amount"] = amount
    signed = {**said["protocol"], **said["method"]}
    from skills.pay.message402 import signed_text

    said["protocol"]["seller_signature"] = sign(PRIVATE, signed_text(signed))
    return pack(said)


def tampered() -> Iterator[tuple[str, str, str | Callable[[], str]]]:
    """Yield what is wrong, the reason that is given, and the header; to sign one takes a while."""
    values = {
        "protocol": {"out_trade_no": "T2", "amount": "0.05", "pay_before": ASKED.pay_before.replace(
            minute=59).isoformat(), "resource_id": "/other"},
        "method": {"goods_name": "别的", "service_id": "other"},
    }  # fmt: skip
    for part, fields in values.items():
        for name, value in fields.items():
            yield f"another {name}", "signature", changed(part, name, value)
    yield "another seller", "field", changed("method", "seller_id", "2088999999999999")
    yield "another currency", "signature", changed("protocol", "currency", "USD")
    for name in ("out_trade_no", "amount", "currency", "resource_id", "pay_before",
                 "seller_signature", "seller_unique_id"):  # fmt: skip
        for value in (None, "", "  ", 5, ["x"], {"a": 1}, "x" * 3000, "a\u202eb", "a\nb"):
            yield f"{name} is {str(value)[:9]!r}", "field", changed("protocol", name, value)
    for name in ("seller_name", "seller_id", "seller_app_id", "goods_name", "service_id"):
        for value in (None, "", 0, True, "a\x00b"):
            yield f"{name} is {value!r}", "field", changed("method", name, value)
    yield "signed by another", "signature", partial(asks_for, ASKED, OTHERS)
    yield "signed by RSA", "signature", changed("protocol", "seller_sign_type", "RSA")
    for junk in ("", "AAAA", "no base64 url!", "x" * 9000, base64.urlsafe_b64encode(b"[]").decode(),
                 base64.urlsafe_b64encode(b'{"protocol": 1}').decode(),
                 base64.urlsafe_b64encode(b"{\"a\": {}, \"a\": {}}").decode(),
                 base64.urlsafe_b64encode(b"\xff\xfe").decode()):  # fmt: skip
        yield f"junk {junk[:9]}", "form", junk
    for by in ({"seconds": 0}, {"seconds": -1}, {"days": -400}, {"days": 2}, {"days": 4000}):
        yield f"expired by {by}", "expired", partial(later, **by)
    for amount in (
        "0",
        "0.00",
        "-1",
        "1.234",
        "1,50",
        "１",
        "٢",
        "1e3",
        "NaN",
        "9999999999",
        "+1",
        "0x10",
    ):
        yield f"an amount of {amount}", "amount", partial(priced, amount)


BAD = list(tampered())


@pytest.mark.parametrize(("reason", "header"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_message_that_is_not_the_sellers_is_refused_with_its_reason(reason, header):
    with pytest.raises(Refused402) as refused:
        needed(header if isinstance(header, str) else header(), NOW, PATH, PUBLIC)
    assert refused.value.reason == reason


def test_there_are_a_hundred_of_them_and_more():
    assert len(BAD) >= 100


def test_money_for_something_else_than_was_asked_for_is_refused():
    with pytest.raises(Refused402) as refused:
        needed(asks_for(ASKED, PRIVATE), NOW, "/other", PUBLIC)
    assert refused.value.reason == "resource"


# -- a merchant and Alipay on loopback ------------------------------------------------------------


class Alipay:
    """Alipay's word: proofs that it has given out, by what they are for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def verify(self, shown: Proof) -> dict[str, object]:
        path = self.folder / f"{shown.trade_no}.json"
        if not path.exists() or not shown.trade_no.isalnum():
            return {"active": False}
        said = json.loads(path.read_text("utf-8"))
        active = said["paid"] and shown.payment_proof == said["proof"]
        return {**said, "active": active, "trade_no": shown.trade_no}


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        merchant: Merchant = self.server.merchant
        shown = self.headers.get("Payment-Proof")
        if self.path == "/free":
            self.say(200, b"free")
        elif shown is None:
            header = merchant.asks(self.path, "今日报告", Decimal("0.50"))
            self.say(402, b"", header)
        else:
            try:
                merchant.takes(shown, self.path)
            except Refused402 as error:
                self.say(400, error.reason.encode())
            else:
                self.say(200, "今天晴".encode())

    def say(self, status: int, body: bytes, header: str = "") -> None:
        self.send_response(status)
        if header:
            self.send_header("Payment-Needed", header)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *told: object) -> None:
        """Say nothing."""


@pytest.fixture
def alipay(tmp_path):
    (tmp_path / "alipay").mkdir()
    return Alipay(tmp_path / "alipay")


@pytest.fixture
def shop(alipay):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.merchant = Merchant(SELLER, alipay.verify, lambda: datetime.now(UTC))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def paid(alipay: Alipay, order: Needed, trade: str, **more: object) -> Proof:
    """Have an order paid at Alipay, and return the proof that it gives."""
    said = {"proof": f"proof {trade}", "paid": True, "out_trade_no": order.out_trade_no,
            "resource_id": order.resource_id, "amount": str(order.amount), **more}  # fmt: skip
    (alipay.folder / f"{trade}.json").write_text(json.dumps(said))
    return Proof(f"proof {trade}", trade)


@pytest.fixture
def merchant(alipay):
    return Merchant(SELLER, alipay.verify, lambda: NOW)


def test_what_was_paid_for_is_given_once(merchant, alipay):
    order = needed(merchant.asks(PATH, "x", Decimal(1)), NOW, PATH, PUBLIC)
    shown = shows(paid(alipay, order, "A1"))
    assert merchant.takes(shown, PATH) == order
    for again in (shown, shows(paid(alipay, order, "A2"))):
        with pytest.raises(Refused402) as refused:
            merchant.takes(again, PATH)
        assert refused.value.reason == "replay"


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"paid": False}, "inactive"), ({"out_trade_no": "other"}, "unknown"), ({"amount": "0.01"}, "amount"),
     ({"resource_id": "/other"}, "resource"), ({"proof": "other"}, "inactive")],
)  # fmt: skip
def test_a_proof_of_something_else_is_refused(merchant, alipay, more, reason):
    order = needed(merchant.asks(PATH, "x", Decimal(1)), NOW, PATH, PUBLIC)
    with pytest.raises(Refused402) as refused:
        merchant.takes(shows(paid(alipay, order, "A1", **more)), PATH)
    assert refused.value.reason == reason


def test_a_proof_of_long_ago_and_one_for_another_page_are_refused(alipay):
    at = [NOW]
    merchant = Merchant(SELLER, alipay.verify, lambda: at[0])
    order = needed(merchant.asks(PATH, "x", Decimal(1)), NOW, PATH, PUBLIC)
    shown = shows(paid(alipay, order, "A1"))
    with pytest.raises(Refused402) as refused:
        merchant.takes(shown, "/other")
    assert refused.value.reason == "resource"
    at[0] += timedelta(hours=2)
    with pytest.raises(Refused402) as refused:
        merchant.takes(shown, PATH)
    assert refused.value.reason == "expired"


# -- the wearer's wallet --------------------------------------------------------------------------

BOT = '''#!{python}
"""Prints what alipay-bot is documented to print (alipay/payment-skills)."""
import base64, json, sys, time, urllib.request
from pathlib import Path
folder, mode = Path({folder!r}), Path({folder!r} + "/mode").read_text()
words = sys.argv[1:]
with (folder / "log").open("a") as log: log.write(json.dumps(words) + "\\n")
def after(name): return words[words.index(name) + 1]
if words == ["--version"]: print(mode.split()[1] if mode.startswith("version") else "1.0.12")
elif mode == "hangs" and words != ["check-wallet"]: time.sleep(60)
elif mode == "floods" and words != ["check-wallet"]:
    while True: sys.stdout.write("x" * 4096)
elif mode == "exits" and words != ["check-wallet"]: sys.exit(3)
elif words[0] == "check-wallet": print(json.dumps(dict(code=200, access_url="" if mode != "unbound" else "https://x", message="ok")))
elif words[0] == "submit-payment":
    amount = "9.99" if mode == "lies" else "20.00"
    print(f"**✓ 支付已提交**\\n**订单金额**：**¥{{amount}}**\\n- 请 [点击此处](https://u.alipay.cn/_abc123) 打开")
elif words[0] == "query-payment-status":
    print(dict(paid="**✓ 支付已完成**\\n感谢您的支付！", closed="**✗ 支付已关闭**").get(mode, "支付状态确认超时"))
elif words[0] == "402-buyer-pay":
    text = Path(after("-f")).read_text()
    asked = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    it = asked["protocol"]
    if mode == "refuses": print("创单失败: 10001 - 签名验证不通过"); sys.exit(1)
    trade = "2026041400828113409771"
    (folder / f"{{trade}}.json").write_text(json.dumps(dict(proof="P" + trade, paid=False,
        out_trade_no=it["out_trade_no"], resource_id=it["resource_id"], amount=it["amount"])))
    print(f"**✓ 支付待确认**\\n**商品名称**：x\\n**支付金额**：{{it['amount']}} CNY\\n**交易号**：{{trade}}")
elif words[0] == "402-query-payment-status":
    trade = after("-t"); said = json.loads((folder / f"{{trade}}.json").read_text())
    if not said["paid"]: print(json.dumps(dict(success=False, errorCode="WAIT", errorMsg="wait")))
    else:
        shown = base64.urlsafe_b64encode(json.dumps(dict(protocol=dict(payment_proof=said["proof"], trade_no=trade),
            method=dict(client_session="s"))).encode()).decode().rstrip("=")
        try:
            with urllib.request.urlopen(urllib.request.Request(after("-r"), headers={{"Payment-Proof": shown}})) as page:
                body = page.read().decode()
            print(json.dumps(dict(success=True, tradeNo="other" if mode == "lies" else trade,
                resourceResponse=dict(status=200, headers=dict(), body=body))))
        except OSError as error: print(json.dumps(dict(success=False, errorCode="RETRY", errorMsg=str(error))))
elif words[0] == "402-buyer-fulfillment-ack": print(json.dumps(dict(success=True)))
'''


class Bot:
    """The stand-in, and how it behaves."""

    def __init__(self, folder: Path, alipay: Alipay) -> None:
        self.folder = alipay.folder
        self.path = folder / "alipay-bot"
        self.path.write_text(BOT.format(python=sys.executable, folder=str(self.folder)))
        self.path.chmod(0o755)
        self.mode("ok")
        self.command = Command(str(self.path), (1, 0, 12), (2, 0, 0), timeout_s=15.0)

    def mode(self, how: str) -> None:
        (self.folder / "mode").write_text(how)

    def confirm_on_the_phone(self) -> None:
        for path in self.folder.glob("2026*.json"):
            path.write_text(json.dumps({**json.loads(path.read_text()), "paid": True}))

    def asked(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]


@pytest.fixture
def bot(tmp_path, alipay):
    return Bot(tmp_path, alipay)


CASHIER = "https://cashierx.alipay.com/pay.htm?orderId=abc&sign=x%2By"


def cashier_order(link: str = CASHIER, **more: object) -> Order:
    fields: dict[str, object] = {"details": {"link": link}, **more}
    return Order("k1", Decimal("20.00"), "CNY", "淘宝", "alipay-cashier", **fields)


def test_a_cashier_link_is_handed_over_and_asked_about(bot):
    wallet = AlipayBot(bot.command)
    said = wallet.pay(cashier_order())
    assert (said.state, said.reference) == ("unknown", "https://u.alipay.cn/_abc123")
    assert bot.asked()[-1][:3] == ["submit-payment", "--payment-link", CASHIER]
    order = cashier_order(reference=said.reference)
    for mode, state in (("ok", "unknown"), ("paid", "paid"), ("closed", "refused")):
        bot.mode(mode)
        assert wallet.ask(order).state == state


@pytest.mark.parametrize(
    "link",
    ["https://evil.com/cashier.alipay.com?orderId=1", "https://cashier.alipay.com.evil.com/?orderId=1",
     "http://cashier.alipay.com/?orderId=1", "https://cashier.alipay.com/pay.htm", "--help",
     "https://user@cashier.alipay.com/?orderId=1", "https://cashier.alipay.com:444/?orderId=1",
     "https://cashier.alipay.com/?orderId=1\n--payment-link=x", "https://cаshier.alipay.com/?a=1",
     "https://cashier.alipay.com/?a=" + "x" * 3000, "https://[/?a=1"],
)  # fmt: skip
def test_no_other_link_is_handed_over(bot, link):
    assert not is_cashier(link)
    with pytest.raises(NotCommitted):
        AlipayBot(bot.command).pay(cashier_order(link))


@pytest.mark.parametrize("mode", ["unbound", "version 2.0.0", "version 1.0.11", "version x"])
def test_a_wallet_that_is_not_ready_or_not_known_pays_nothing(bot, mode):
    bot.mode(mode)
    with pytest.raises(NotCommitted):
        AlipayBot(bot.command).pay(cashier_order())
    assert "submit-payment" not in {words[0] for words in bot.asked()}


def test_a_program_that_is_not_there_pays_nothing():
    with pytest.raises(NotCommitted, match="not installed"):
        AlipayBot(Command("no-such-alipay-bot", (1,), (2,))).pay(cashier_order())


@pytest.mark.parametrize(
    ("mode", "why"),
    [("hangs", "no answer within"), ("floods", "printed too much"), ("exits", "not known here")],
)
def test_a_program_that_hangs_floods_or_exits_leaves_it_unknown(bot, mode, why):
    wallet = AlipayBot(bot.command)
    wallet._ready()
    bot.mode(mode)
    if mode == "hangs":
        bot.command._timeout_s = 0.6
        with pytest.raises(CommandError, match=why):
            bot.command.run("submit-payment")
        return
    with pytest.raises(CommandError, match=why):
        wallet.pay(cashier_order())


def test_a_program_that_lies_about_the_amount_is_told(bot):
    bot.mode("lies")
    assert "another amount" in AlipayBot(bot.command).pay(cashier_order()).text


def test_words_are_words_and_no_shell_reads_them(bot):
    order = cashier_order()
    hostile = Order("k", order.amount, "CNY", "$(touch /tmp/x); `id` --help", "a", order.details)
    AlipayBot(bot.command).pay(hostile)
    assert bot.asked()[-1][-1] == "付款 20.00 CNY 给 $(touch /tmp/x); `id` --help"
    assert len(bot.asked()[-1]) == 5


def test_what_it_prints_is_bounded():
    assert MOST_BYTES <= 1 << 20
    assert "DASHSCOPE_API_KEY" not in command.KEPT


def with_bot(bot: Bot) -> object:
    class Plugin:
        """Brings the stand-in in the place of the program."""

        __name__ = "pay"

        @hookimpl
        def register_skills(self, register):
            pay_skill.register_skills(register)

        @hookimpl
        def register_devices(self, provide):
            provide("payment", lambda config: AlipayBot(bot.command), "alipay")

    return Plugin()


async def pay_link(agent, link, language="en"):
    """Call it as a tool: no ear hears a link."""
    made = {"name": "pay.pay_link", "arguments": {"link": link}}
    return await agent.call(made, language)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_page_that_asks_for_money_is_paid_for_once(tmp_path, bot, shop, language):
    agent = make_agent(tmp_path / "data", [with_bot(bot)])
    turn = await pay_link(agent, shop + PATH, language)
    assert isinstance(turn.reply, Proposal), turn.reply
    assert "¥0.50 → 天气报告" in lens(agent)
    await agent.hear("yes" if language == "en" else "确认")
    assert ("on your phone" if language == "en" else "在手机上确认") in lens(agent)
    (entry,) = agent.gate.teller.entries()
    assert (entry.state, entry.reference) == ("unknown", "2026041400828113409771")
    await agent._arrears.ask()
    assert agent.gate.unresolved() == 1, "not confirmed on the phone yet"
    bot.confirm_on_the_phone()
    await agent._arrears.ask()
    (entry,) = agent.gate.teller.entries()
    assert entry.state == "paid"
    assert bot.asked()[-1] == ["402-buyer-fulfillment-ack", "-t", entry.reference]
    await agent.close()


async def test_a_seller_that_alipay_refuses_is_not_paid(tmp_path, bot, shop):
    agent = make_agent(tmp_path / "data", [with_bot(bot)])
    bot.mode("refuses")
    await pay_link(agent, f"{shop}{PATH}")
    turn = await agent.hear("yes")
    assert turn.reply.text == "Not paid: Alipay did not take the order"
    assert [one.state for one in agent.gate.teller.entries()] == ["refused"]


async def test_a_page_that_costs_nothing_or_is_not_there_is_told(tmp_path, bot, shop):
    agent = make_agent(tmp_path / "data", [with_bot(bot)])
    for link, told in (
        (f"{shop}/free", "The page asks for no money."),
        ("http://127.0.0.1:9/x", "The page cannot be reached."),
        ("http://example.com/x", "The page cannot be reached."),
        ("file:///etc/passwd", "The page cannot be reached."),
    ):
        turn = await pay_link(agent, link)
        assert turn.reply.text == told
        assert agent.gate.open is None
