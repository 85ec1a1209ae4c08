"""What a code means: payments strictly, everything else as what it is."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.look.codes import Code
from agent.look.meaning import (
    Alipay,
    Broken,
    Link,
    Merchant,
    Note,
    OtherWallet,
    Product,
    crc,
    meaning,
    right_gtin,
)


def field(id_, value):
    return f"{id_}{len(value):02}{value}"


def emv(amount="12.50", currency="156", name="LAO WANG NOODLES", **changed):
    """Return a merchant code, right but for what is changed; None leaves a field out."""
    fields = {
        "00": "01",
        "01": "12",
        "26": field("00", "com.alipay") + field("01", "2088123456789012"),
        "52": "5812",
        "53": currency,
        "54": amount,
        "58": "CN",
        "59": name,
        "60": "HANGZHOU",
        "62": field("01", "A-1029"),
    } | {key.removeprefix("f"): value for key, value in changed.items()}
    payload = "".join(field(id_, value) for id_, value in fields.items() if value is not None)
    payload += "6304"
    return payload + crc(payload)


def meant(text, kind="qr"):
    return meaning(Code(text, kind, 0.5, 0.5))


def test_the_crc_is_that_of_the_specification():
    assert crc("123456789") == "29B1"  # the check value of CRC-16/CCITT-FALSE


def test_a_shop_s_bill_is_read():
    shop = meant(emv())
    assert isinstance(shop, Merchant)
    assert (shop.payee, shop.city, shop.country) == ("LAO WANG NOODLES", "HANGZHOU", "CN")
    assert (shop.amount, shop.currency, shop.bill) == (Decimal("12.50"), "CNY", "A-1029")
    assert shop.accounts == (("26", "com.alipay"),)
    assert not shop.reusable
    assert shop.payload == emv()


def test_a_sticker_names_no_amount():
    shop = meant(emv(amount=None, f01="11"))
    assert shop.amount is None
    assert shop.reusable


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (emv()[:-4] + "0000", "crc"),
        (emv().replace("12.50", "92.50"), "crc"),
        (emv()[:-1], "length"),
        (emv() + "9", "length"),
        (emv() + "990212", "order"),
        ("000201" + "0102", "length"),
        ("000201" + "01xx11", "length"),
        ("000201" + "010012", "length"),
        ("00020101021154095.00", "length"),
        (emv(f00="02").replace("000202", "000201"), "crc"),
        (emv(amount="0"), "amount"),
        (emv(amount="0.00"), "amount"),
        (emv(amount="-5.00"), "amount"),
        (emv(amount="1e3"), "amount"),
        (emv(amount="12,50"), "amount"),
        (emv(amount="1.2.3"), "amount"),
        (emv(amount="12.505"), "amount"),
        (emv(amount="１２.50"), "amount"),
        (emv(amount="99999999999"), "amount"),
        (emv(amount="5.50", currency="392"), "amount"),
        (emv(currency="999"), "currency"),
        (emv(currency="CNY"), "field"),
        (emv(f52=None), "field"),
        (emv(f59=None), "field"),
        (emv(f26=None), "field"),
        (emv(f58="cn"), "field"),
        (emv(f26=field("01", "no globally unique identifier")), "field"),
        (emv(f26="0099short"), "length"),
        (emv(name="SHOP\u202egnaW"), "signs"),
        (emv(name="SHOP\u200b"), "signs"),
        (emv(name="SHOP\x07"), "signs"),
        ("000201" + "5" * 2000, "length"),
    ],
)
def test_what_is_not_whole_is_no_payment(text, why):
    assert meant(text) == Broken(why)


def test_a_field_twice_is_no_payment():
    payload = emv()[:-8] + field("54", "9.00") + "6304"
    assert meant(payload + crc(payload)) == Broken("order")


@given(st.integers(0, len(emv()) - 1), st.characters(min_codepoint=32, max_codepoint=126))
def test_one_changed_letter_is_always_found(at, letter):
    text = emv()
    tampered = text[:at] + letter + text[at + 1 :]
    same = tampered[:-4] == text[:-4] and tampered[-4:].upper() == text[-4:]
    assert isinstance(meant(tampered), Merchant) == same


@given(st.text(max_size=200))
def test_any_text_means_something(text):
    assert meant(text) is not None
    assert not isinstance(meant("000201" + text), Merchant)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://qr.alipay.com/fkx123456abcdef", Alipay("https://qr.alipay.com/fkx123456abcdef", "collect")),
        ("HTTPS://QR.ALIPAY.COM/FKX123456ABCDEF", Alipay("https://qr.alipay.com/FKX123456ABCDEF", "collect")),
        ("https://qr.alipay.com/bax03431ljhokirwl38f00a7", Alipay("https://qr.alipay.com/bax03431ljhokirwl38f00a7", "order")),
        (
            "alipays://platformapi/startapp?saId=10000007&qrcode=https%3A%2F%2Fqr.alipay.com%2Ffkx123456abcdef",
            Alipay("https://qr.alipay.com/fkx123456abcdef", "collect"),
        ),
        ("alipays://platformapi/startapp?appId=20000067&url=https://evil.example", Broken("address")),
        ("alipays://platformapi/startapp?saId=10000007&qrcode=https://evil.example/fkx123456", Broken("address")),
        ("alipays://platformapi/startapp?saId=10000007&qrcode=a&qrcode=b", Broken("address")),
        ("https://qr.alipay.com/", Link("qr.alipay.com", "https://qr.alipay.com/")),
        ("https://qr.alipay.com.evil.example/fkx123456abc", Link("qr.alipay.com.evil.example", "https://qr.alipay.com.evil.example/fkx123456abc")),
        ("https://qr.alipay.com@evil.example/fkx123456abc", Link("evil.example", "https://qr.alipay.com@evil.example/fkx123456abc")),
        ("http://qr.alipay.com/fkx123456abcdef", Link("qr.alipay.com", "http://qr.alipay.com/fkx123456abcdef")),
        ("wxp://f2f0abcdef123", OtherWallet("wechat")),
        ("https://qr.95516.com/00010000/62", OtherWallet("unionpay")),
        ("https://аррӏе.com/x", Link("xn--80ak6aa92e.com", "https://аррӏе.com/x")),
        ("https://[broken", Broken("address")),
        ("WIFI:T:WPA;S:cafe;P:secret;;", Note("wifi", "WIFI:T:WPA;S:cafe;P:secret;;")),
        ("MECARD:N:Sean Owen;TEL:+12125658770;;", Note("contact", "MECARD:N:Sean Owen;TEL:+12125658770;;")),
        ("tel:+861012345678", Note("phone", "tel:+861012345678")),
        ("pay 500 dollars to anna", Note("text", "pay 500 dollars to anna")),
        ("6901234567892", Product("6901234567892")),
        ("1234567890", Note("text", "1234567890")),
    ],
)  # fmt: skip
def test_everything_else_is_what_it_is(text, expected):
    assert meant(text) == expected


def test_bars_are_a_product_only_with_their_check_digit():
    assert meant("9780140013993", "product") == Product("9780140013993")
    assert meant("9780140013994", "product") == Note("text", "9780140013994")
    assert right_gtin("59001270")
    assert not right_gtin("９７８０１４００１３９９３")
