"""Alipay's OpenAPI, the merchant's side, against a gateway on loopback; codes for the phone."""

import json
import threading
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from agent import Context
from agent.errors import ConfigError, NotCommitted
from agent.messages import Order, Payment
from agent.skill.secrets import Secrets
from hardware.base import DeviceError
from skills.pay import handover
from skills.pay.alipay_merchant import Account, Merchant, account
from skills.pay.message402 import is_signed, sign


def pems():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


OURS, OUR_PUBLIC = pems()
ALIPAYS, ALIPAY_PUBLIC = pems()
ORDER = Order("G1", Decimal("18.00"), "CNY", "us", "us")


class Gateway(BaseHTTPRequestHandler):
    """Checks what is signed, keeps trades, and signs what it answers."""

    def do_GET(self):
        books = self.server
        asked = dict(parse_qsl(urlsplit(self.path).query))
        signature = asked.pop("sign")
        text = "&".join(f"{key}={asked[key]}" for key in sorted(asked))
        method, biz = asked["method"], json.loads(asked["biz_content"])
        if not is_signed(OUR_PUBLIC, text, signature):
            body = {
                "code": "40002",
                "msg": "Invalid Arguments",
                "sub_code": "isv.invalid-signature",
            }
        else:
            body = self.answer(method.rpartition(".")[2], biz, books.trades)
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        signed = sign(books.key, raw)
        if books.mode == "tampers":
            raw = raw.replace("18.00", "81.00")
        out = f'{{"{method.replace(".", "_")}_response":{raw},"sign":"{signed}"}}'
        if books.mode == "junk":
            out = "<html>gateway time-out</html>"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(out.encode())

    def answer(self, what, biz, trades):
        key = biz["out_trade_no"]
        ok = {"code": "10000", "msg": "Success", "out_trade_no": key}
        trade = trades.get(key)
        if what == "precreate":
            trades.setdefault(key, {"amount": biz["total_amount"], "state": "WAIT", "refunds": {}})
            return {**ok, "qr_code": "https://qr.alipay.com/bax0"}
        if trade is None or (what == "query" and trade["state"] == "WAIT"):
            return {
                "code": "40004",
                "msg": "Business Failed",
                "sub_code": "ACQ.TRADE_NOT_EXIST",
                "sub_msg": "交易不存在",
            }
        if what == "query":
            return {
                **ok,
                "trade_no": "2026",
                "trade_status": trade["state"],
                "total_amount": trade["amount"],
            }
        if what == "cancel":
            trade["state"] = "TRADE_CLOSED"
            return {**ok, "retry_flag": "N", "action": "close"}
        given = trade["refunds"]
        given.setdefault(biz["out_request_no"], Decimal(biz["refund_amount"]))
        if sum(given.values()) > Decimal(trade["amount"]):
            del given[biz["out_request_no"]]
            return {"code": "40004", "msg": "Business Failed", "sub_msg": "退款金额超限"}
        return {**ok, "trade_no": "2026", "fund_change": "Y"}

    def log_message(self, *told):
        """Say nothing."""


@pytest.fixture
def gateway():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    server.trades, server.key, server.mode = {}, ALIPAYS, "ok"
    server.url = f"http://127.0.0.1:{server.server_port}/gateway.do"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def merchant(gateway):
    return Merchant(Account("1", OURS, ALIPAY_PUBLIC, gateway.url))


def test_a_code_is_made_scanned_paid_and_given_back_once(merchant, gateway):
    assert merchant.precreate("G1", ORDER.amount, "拿铁").startswith("https://qr.alipay.com/")
    assert merchant.query(ORDER).state == "absent", "nobody has scanned it"
    gateway.trades["G1"]["state"] = "TRADE_SUCCESS"
    said = merchant.query(ORDER)
    assert (said.state, said.reference) == ("paid", "2026")
    assert said.paid == Payment(Decimal("18.00"), "CNY", "us")
    back = replace(ORDER, key="R1", amount=Decimal("10.00"), kind="refund", of="G1")
    assert merchant.refund(back, ORDER).state == "paid"
    assert merchant.refund(back, ORDER).state == "paid", "the same key is the same refund"
    more = replace(back, key="R2")
    assert (merchant.refund(more, ORDER).state, merchant.refund(more, ORDER).text) == (
        "refused",
        "退款金额超限",
    )
    assert gateway.trades["G1"]["refunds"] == {"R1": Decimal("10.00")}


def test_a_code_that_is_not_paid_in_time_is_called_off(merchant, gateway):
    merchant.precreate("G1", ORDER.amount, "拿铁")
    assert merchant.cancel(ORDER).state == "refused"
    assert merchant.query(ORDER).state == "refused"


def test_what_alipay_did_not_sign_is_no_answer(merchant, gateway):
    merchant.precreate("G1", ORDER.amount, "拿铁")
    gateway.trades["G1"]["state"] = "TRADE_SUCCESS"
    for mode in ("tampers", "junk"):
        gateway.mode = mode
        with pytest.raises(OSError, match="answer"):
            merchant.query(ORDER)
    gateway.mode, gateway.key = "ok", OURS
    with pytest.raises(OSError, match="not signed"):
        merchant.query(ORDER)


def test_what_is_not_signed_by_us_is_refused(gateway):
    stranger = Merchant(Account("1", ALIPAYS, ALIPAY_PUBLIC, gateway.url))
    with pytest.raises(NotCommitted):
        stranger.precreate("G1", ORDER.amount, "拿铁")
    assert gateway.trades == {}


def test_a_gateway_that_is_not_there_is_no_outcome(gateway):
    merchant = Merchant(Account("1", OURS, ALIPAY_PUBLIC, "http://127.0.0.1:9/gateway.do"))
    with pytest.raises(OSError, match="refused"):
        merchant.query(ORDER)


def notice(key=ALIPAYS, **more):
    form = {"app_id": "1", "out_trade_no": "G1", "trade_no": "2026", "trade_status": "TRADE_SUCCESS",
            "total_amount": "18.00", "charset": "utf-8", **more}  # fmt: skip
    text = "&".join(f"{name}={form[name]}" for name in sorted(form))
    return {**form, "sign": sign(key, text), "sign_type": "RSA2"}


def test_a_notice_counts_only_where_alipay_signed_it_for_this_order(merchant):
    said = merchant.notified(notice(), ORDER)
    assert (said.state, said.paid) == ("paid", Payment(Decimal("18.00"), "CNY", "us"))
    assert merchant.notified(notice(trade_status="WAIT_BUYER_PAY"), ORDER).state == "unknown"
    for wrong in (
        notice(OURS),
        notice(app_id="2"),
        notice(out_trade_no="G2"),
        {**notice(), "total_amount": "0.01"},
        {**notice(), "sign": ""},
        {**notice(), "sign": "###"},
        {**notice(), "sign_type": "MD5"},
        {},
    ):
        with pytest.raises(NotCommitted):
            merchant.notified(wrong, ORDER)


def test_the_keys_are_secrets_and_nothing_shows_them(tmp_path, gateway):
    secrets = Secrets(tmp_path / "data", tmp_path / "settings", None)
    with pytest.raises(ConfigError, match="alipay-app-id, alipay-app-key, alipay-public-key"):
        account(secrets)
    for name, value in (("app-id", "1"), ("app-key", OURS), ("public-key", ALIPAY_PUBLIC)):
        secrets.put(f"alipay-{name}", value)
    found = account(secrets, gateway.url)
    assert "KEY" not in f"{found} {found!r}"
    assert Merchant(found).precreate("G1", ORDER.amount, "x")
    with pytest.raises(ConfigError, match="not https"):
        account(secrets, "http://example.com/gateway.do")
    with pytest.raises(ConfigError, match="put it again"):
        Merchant(replace(found, private_pem="junk"))


# -- a shop's static code -------------------------------------------------------------------------


class Phone:
    """Remembers what it was to open."""

    def __init__(self):
        self.opened = []

    def open(self, link):
        self.opened.append(link)


def context(tmp_path, phone=None):
    def gone():
        raise DeviceError("no phone")

    devices = {"phone": (lambda: phone) if phone else gone}
    return Context("pay", "en", tmp_path, {}, permissions={"money": "x"}, devices=devices)


def test_a_static_code_is_opened_on_the_phone_and_nothing_is_paid(tmp_path):
    phone = Phone()
    reply = handover.offer(
        "https://qr.alipay.com/fkx1?amount=18.00", context(tmp_path, phone), "小面馆"
    )
    assert reply.text.splitlines() == [
        "¥18.00 → 小面馆", "Opened in Alipay on your phone: pay there.", "Nothing is paid yet.",
    ]  # fmt: skip
    assert phone.opened == [
        "alipays://platformapi/startapp?saId=10000007"
        "&qrcode=https%3A%2F%2Fqr.alipay.com%2Ffkx1%3Famount%3D18.00"
    ]


def test_without_a_phone_it_says_where_to_scan_it(tmp_path):
    reply = handover.offer("wxp://f2f0abcdefgh", context(tmp_path))
    assert reply.text.splitlines()[0] == "Scan it with WeChat on your phone: pay there."


@pytest.mark.parametrize(
    "text",
    ["https://evil.com/qr.alipay.com/x", "https://qr.alipay.com.evil.com/abcd", "javascript:alert(1)",
     "alipays://platformapi/startapp?appId=1", "https://qr.alipay.com/a b c d", "", "pay anna 20 dollars",
     "https://qr.alipay.com/abcd\nhttps://evil.com", "intent://x#Intent;scheme=alipays;end", "wxp://"],
)  # fmt: skip
def test_what_is_no_payment_code_is_never_opened(tmp_path, text):
    phone = Phone()
    reply = handover.offer(text, context(tmp_path, phone))
    assert reply.text == "That is no payment code that I know."
    assert phone.opened == []


@pytest.mark.parametrize("amount", ["", "0", "-1", "1.234", "1e3", "1&amount=2"])
def test_an_amount_that_may_be_another_is_not_echoed(amount):
    assert handover.read(f"https://qr.alipay.com/fkx1?amount={amount}").amount is None
