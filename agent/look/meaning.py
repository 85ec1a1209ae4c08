"""What a code means: a payment to a shop, a product, a link, a contact or plain text.

Strict where money is concerned: a merchant code of EMVCo ("EMV QR Code Specification for Payment
Systems: Merchant-Presented Mode", v1.1) counts only when its lengths add up, its fields are those
of the specification and its CRC is right. What looks like a payment and fails is `Broken`, with the
reason. Nothing here opens, asks or pays anything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from agent.look.codes import Code

LONGEST = 1024
"""Most characters of a payment code; EMVCo allows 512, an Alipay order string some more."""

CURRENCIES: Mapping[str, tuple[str, int]] = {
    "036": ("AUD", 2), "048": ("BHD", 3), "096": ("BND", 2), "116": ("KHR", 2), "124": ("CAD", 2),
    "144": ("LKR", 2), "156": ("CNY", 2), "203": ("CZK", 2), "208": ("DKK", 2), "344": ("HKD", 2),
    "356": ("INR", 2), "360": ("IDR", 2), "392": ("JPY", 0), "404": ("KES", 2), "410": ("KRW", 0),
    "414": ("KWD", 3), "418": ("LAK", 2), "446": ("MOP", 2), "458": ("MYR", 2), "484": ("MXN", 2),
    "496": ("MNT", 2), "524": ("NPR", 2), "554": ("NZD", 2), "566": ("NGN", 2), "578": ("NOK", 2),
    "586": ("PKR", 2), "604": ("PEN", 2), "608": ("PHP", 2), "643": ("RUB", 2), "682": ("SAR", 2),
    "702": ("SGD", 2), "704": ("VND", 0), "710": ("ZAR", 2), "752": ("SEK", 2), "756": ("CHF", 2),
    "764": ("THB", 2), "784": ("AED", 2), "826": ("GBP", 2), "840": ("USD", 2), "901": ("TWD", 2),
    "949": ("TRY", 2), "978": ("EUR", 2), "986": ("BRL", 2),
}  # fmt: skip
"""Code and decimals of a currency by its number (ISO 4217)."""

Why = Literal["length", "order", "field", "crc", "amount", "currency", "address", "signs"]
"""Why a payment code does not count: `signs` are control or direction marks in a name."""


@dataclass(frozen=True, slots=True)
class Merchant:
    """A shop's payment code by EMVCo, whole and with the right CRC."""

    payee: str
    """Name of the shop as it is written in the code: text from the world."""
    city: str
    """Where it is."""
    country: str
    """ISO 3166 code."""
    currency: str
    """ISO 4217 code."""
    amount: Decimal | None
    """What is to be paid; None where the customer says it."""
    accounts: tuple[tuple[str, str], ...]
    """Payment networks as (id, account or globally unique identifier)."""
    reusable: bool = True
    """A sticker on the counter, not the code of one bill."""
    bill: str = ""
    """Bill number or reference label, if any."""
    payload: str = ""
    """The whole code, as a wallet takes it."""


@dataclass(frozen=True, slots=True)
class Alipay:
    """A code of Alipay's own: it names no payee, the wallet looks it up."""

    url: str
    """`https://qr.alipay.com/…`, checked."""
    form: Literal["collect", "order"]
    """A sticker of someone who collects money, or one order of a shop."""


@dataclass(frozen=True, slots=True)
class OtherWallet:
    """A payment code of a wallet that is not connected here."""

    wallet: Literal["wechat", "unionpay"]
    """Whose it is."""


@dataclass(frozen=True, slots=True)
class Broken:
    """What looks like a payment code and is not a right one."""

    why: Why
    """What is wrong with it."""


@dataclass(frozen=True, slots=True)
class Product:
    """The number of a product."""

    gtin: str
    """EAN-13 (a UPC with a zero before it) or EAN-8, its check digit right."""


@dataclass(frozen=True, slots=True)
class Link:
    """An address on the web; shown, never opened."""

    host: str
    """Where it would lead, in the ASCII form that look-alike letters show in."""
    url: str
    """The whole of it."""


@dataclass(frozen=True, slots=True)
class Note:
    """Anything else: a contact, a Wi-Fi password, a phone number, plain text."""

    form: Literal["contact", "wifi", "phone", "message", "place", "event", "text"]
    """What it is."""
    text: str
    """What it says."""


Meaning = Merchant | Alipay | OtherWallet | Broken | Product | Link | Note

_FORMS: Mapping[str, Literal["contact", "wifi", "phone", "message", "place", "event"]] = {
    "begin:vcard": "contact", "mecard:": "contact", "bizcard:": "contact", "wifi:": "wifi",
    "tel:": "phone", "sms:": "message", "smsto:": "message", "mailto:": "message",
    "matmsg:": "message", "geo:": "place", "begin:vevent": "event", "begin:vcalendar": "event",
}  # fmt: skip
_ALIPAY_HOST = "qr.alipay.com"
_ALIPAY_PATH = re.compile(r"/(?P<kind>bax|fkx|tsx|stx|ppx|cpx|mbx)?[0-9a-z]{6,64}", re.IGNORECASE)
"""Paths that Alipay gives out: `bax` is an order (precreate), the others collect."""
_TENPAY = re.compile(r"^(?:wxp://[\w-]+|weixin://wxpay/\S+|https://wx\.tenpay\.com/\S*)$", re.I)
_UNIONPAY = re.compile(r"^https://qr\.95516\.com/\S+$", re.IGNORECASE)
_AMOUNT = re.compile(r"\d{1,10}(?:\.\d{1,3})?|\d{1,10}\.")


class _Wrong(Exception):
    """A payment code that does not count, and why."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


def meaning(code: Code) -> Meaning:
    """Return what a code means; anything can be in it, and nothing in it is an error."""
    text = code.text.strip()
    if code.kind == "product":
        return Product(text) if right_gtin(text) else Note("text", text)
    if text.startswith("000201"):
        return _whole(merchant, text)
    if _TENPAY.match(text):
        return OtherWallet("wechat")
    if _UNIONPAY.match(text):
        return OtherWallet("unionpay")
    lower = text.casefold()
    if lower.startswith(("alipays:", "alipay:")) or "alipay.com" in lower[:LONGEST]:
        return _whole(alipay, text)
    for start, form in _FORMS.items():
        if lower.startswith(start):
            return Note(form, text)
    if re.match(r"https?://", lower):
        return _link(text)
    return Product(text) if right_gtin(text) else Note("text", text)


def _whole(
    read: Callable[[str], Merchant | Alipay], text: str
) -> Merchant | Alipay | Broken | Link:
    if len(text) > LONGEST:
        return Broken("length")
    try:
        return read(text)
    except _Wrong as wrong:
        if wrong.why == "address":  # somewhere at Alipay's, or a place that only says so
            return _link(text) if text.casefold().startswith("http") else Broken("address")
        return Broken(wrong.why)


# -- EMVCo ----------------------------------------------------------------------------------------


def crc(payload: str) -> str:
    """Return CRC-16/CCITT-FALSE of a text in UTF-8, four hexadecimal digits (ISO/IEC 13239)."""
    value = 0xFFFF
    for byte in payload.encode("utf-8", "replace"):
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return f"{value:04X}"


def merchant(payload: str) -> Merchant:
    """Return the merchant code that a text is. Raises _Wrong with what is wrong with it."""
    fields = _fields(payload)
    if next(iter(fields), "") != "00" or fields["00"] != "01":
        raise _Wrong("order")
    if list(fields)[-1] != "63" or len(fields["63"]) != 4:
        raise _Wrong("order")
    if crc(payload[:-4]) != fields["63"].upper():
        raise _Wrong("crc")
    _mandatory(fields)
    currency, decimals = CURRENCIES.get(fields["53"], ("", 0))
    if not currency:
        raise _Wrong("currency")
    accounts = tuple((id_, _account(id_, text)) for id_, text in fields.items() if _network(id_))
    if not accounts:
        raise _Wrong("field")
    extra = _fields(fields["62"]) if "62" in fields else {}
    return Merchant(
        payee=_name(fields["59"]),
        city=_name(fields["60"]),
        country=fields["58"],
        currency=currency,
        amount=_amount(fields["54"], decimals) if "54" in fields else None,
        accounts=accounts,
        reusable=fields.get("01") != "12",
        bill=_name(extra.get("01") or extra.get("05") or " ").strip(),
        payload=payload,
    )


def _fields(text: str) -> dict[str, str]:
    """Take a text of id, length and value apart. Raises _Wrong where they do not add up."""
    found: dict[str, str] = {}
    while text:
        id_, length, rest = text[:2], text[2:4], text[4:]
        if not (id_.isascii() and id_.isdigit() and length.isascii() and length.isdigit()):
            raise _Wrong("length")
        if not 0 < int(length) <= len(rest):
            raise _Wrong("length")
        if id_ in found:
            raise _Wrong("order")  # of two amounts, which?
        found[id_], text = rest[: int(length)], rest[int(length) :]
    return found


_SHAPES = {
    "01": r"1[12]", "52": r"\d{4}", "53": r"\d{3}", "55": r"0[1-3]", "57": r"\d{1,2}(\.\d{1,2})?",
    "58": r"[A-Z]{2}", "59": r".{1,25}", "60": r".{1,15}", "61": r".{1,10}",
}  # fmt: skip


def _mandatory(fields: Mapping[str, str]) -> None:
    if not {"52", "53", "58", "59", "60"} <= set(fields):
        raise _Wrong("field")
    for id_, shape in _SHAPES.items():
        if id_ in fields and not re.fullmatch(shape, fields[id_], re.ASCII):
            raise _Wrong("field")


def _network(id_: str) -> bool:
    return 2 <= int(id_) <= 51


def _account(id_: str, text: str) -> str:
    """Return a network's account; from 26 on it is a template that begins with who it is."""
    if int(id_) < 26:
        return text
    inside = _fields(text)
    if "00" not in inside:
        raise _Wrong("field")
    return inside["00"]


def _amount(text: str, decimals: int) -> Decimal:
    if not _AMOUNT.fullmatch(text) or not text.isascii():
        raise _Wrong("amount")
    amount = Decimal(text)
    written = text.partition(".")[2].rstrip("0")
    if amount <= 0 or len(written) > decimals:
        raise _Wrong("amount")
    return amount


def _name(text: str) -> str:
    """Return a name on one line; one that hides something is none. Raises _Wrong."""
    if any(unicodedata.category(letter)[0] == "C" for letter in text):
        raise _Wrong("signs")
    return " ".join(unicodedata.normalize("NFC", text).split())


# -- Alipay, links, products ----------------------------------------------------------------------


def alipay(text: str) -> Alipay:
    """Return the Alipay code that a text is. Raises _Wrong.

    Two forms: the address itself, and the deep link that carries it to the app
    (`alipays://platformapi/startapp?saId=10000007&qrcode=…`).
    """
    address = text
    if re.match(r"alipays?:", text, re.IGNORECASE):
        deep = urlsplit(text)
        asked = parse_qs(deep.query, keep_blank_values=True)
        if (deep.netloc.casefold(), deep.path) != ("platformapi", "/startapp"):
            raise _Wrong("address")
        if asked.get("saId") != ["10000007"] or len(asked.get("qrcode", ())) != 1:
            raise _Wrong("address")  # another page of the app, whatever it does
        address = asked["qrcode"][0]
    try:
        parts = urlsplit(address)
        known = parts.scheme.casefold() == "https" and parts.netloc.casefold() == _ALIPAY_HOST
    except ValueError:
        raise _Wrong("address") from None
    path = _ALIPAY_PATH.fullmatch(parts.path)
    if not known or path is None or not address.isascii() or any(map(str.isspace, address)):
        raise _Wrong("address")
    order = (path["kind"] or "").casefold() == "bax"
    return Alipay(f"https://{_ALIPAY_HOST}{parts.path}", "order" if order else "collect")


def _link(text: str) -> Link | Broken:
    try:
        host = urlsplit(text).hostname or ""
        host = host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        return Broken("address")
    return Link(host, text) if host else Broken("address")


def right_gtin(text: str) -> bool:
    """Say whether a text is 8 or 13 digits with the right check digit (GS1, modulo 10)."""
    if not re.fullmatch(r"[0-9]{8}|[0-9]{13}", text, re.ASCII):
        return False
    digits = [int(digit) for digit in reversed(text)]
    return (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 == 0
