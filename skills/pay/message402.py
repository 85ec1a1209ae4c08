"""HTTP 402 as Alipay has it (A2M): what a seller asks for, what a buyer proves, and each signature.

A seller answers 402 with `Payment-Needed`: base64url of JSON, of which eight fields are signed with
RSA2 (SHA256withRSA, PKCS #1 v1.5) over `key=value` sorted by key and joined by `&`. The buyer asks
again with `Payment-Proof` (alipay/ai, aipay-interface-contract). What comes in is words from the
world: it is read strictly, and refused with its reason.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from agent.errors import GlassesError
from agent.language.money import to_minor
from hardware import reading

MOST_CHARACTERS = 8192
"""Longest header that is read."""
LONGEST = timedelta(hours=24)
"""Longest that a seller may leave to pay; what lasts longer is a replay in waiting."""
SIGNED = ("amount", "currency", "goods_name", "out_trade_no", "pay_before", "resource_id",
          "seller_id", "service_id")  # fmt: skip
"""What the seller signs."""

Reason = Literal["form", "field", "amount", "signature", "expired", "resource", "replay", "unknown",
                 "inactive"]  # fmt: skip


class Refused402(GlassesError):
    """A message of the 402 flow was refused; `reason` says why in a word."""

    def __init__(self, reason: Reason, message: str) -> None:
        """Say why."""
        super().__init__(message)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Needed:
    """What a seller asks for."""

    out_trade_no: str
    """The seller's own number of it."""
    amount: Decimal
    """How much, in `currency`."""
    currency: str
    """ISO 4217; Alipay takes CNY."""
    resource_id: str
    """What it is for: the path that was asked for."""
    pay_before: datetime
    """Until when it can be paid."""
    goods_name: str
    """What it is called."""
    seller_name: str
    """Who gets it, as they call themselves."""
    seller_id: str
    """Who that is at Alipay."""
    seller_app_id: str
    """Their application there."""
    service_id: str
    """Their service there."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a buyer shows for it."""

    payment_proof: str
    """Alipay's word that it was paid; only Alipay can tell whether it is."""
    trade_no: str
    """Alipay's number of the payment."""
    client_session: str = ""
    """Alipay's name for the buyer's session."""


# -- both sides -----------------------------------------------------------------------------------


def pack(said: Mapping[str, Any]) -> str:
    """Return a header's value."""
    import json

    raw = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def unpack(header: str) -> dict[str, Any]:
    """Return what a header says. Raises Refused402."""
    if not re.fullmatch(rf"[A-Za-z0-9_-]{{1,{MOST_CHARACTERS}}}={{0,2}}", header):
        raise Refused402("form", "it is no base64url, or too long")
    try:
        bare = header.rstrip("=")
        raw = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
        read = reading.from_json(raw.decode("utf-8"), once=True)
    except (binascii.Error, UnicodeDecodeError, reading.Unreadable, RecursionError):
        raise Refused402("form", "it is no JSON, or says something twice") from None
    if not isinstance(read, dict) or not all(isinstance(v, dict) for v in read.values()):
        raise Refused402("form", "it has not the parts protocol and method")
    return read


def signed_text(fields: Mapping[str, str]) -> str:
    """Return what is signed: fields that are not empty, sorted, as `key=value` joined by `&`."""
    return "&".join(f"{key}={fields[key]}" for key in sorted(SIGNED) if fields.get(key))


def sign(private_pem: str, text: str) -> str:
    """Return an RSA2 signature in base64. Raises ValueError for a key that is none."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = serialization.load_pem_private_key(private_pem.encode("ascii"), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("the key is no RSA key")
    signature = key.sign(text.encode("utf-8"), padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signature).decode("ascii")


def is_signed(public_pem: str, text: str, signature: str) -> bool:
    """Say whether a signature is by that key. Raises ValueError for a key that is none."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = serialization.load_pem_public_key(public_pem.encode("ascii"))
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("the key is no RSA key")
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, text.encode("utf-8"), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


# -- the buyer's side -----------------------------------------------------------------------------


def needed(header: str, now: datetime, resource: str, public_pem: str | None = None) -> Needed:
    """Read what a seller asks for, for a resource that was asked for.

    With the seller's key the signature is looked at; without it Alipay does, when it is paid.
    Raises Refused402.
    """
    read = unpack(header)
    protocol, method = read.get("protocol", {}), read.get("method", {})
    fields = {
        **{name: _text(protocol, name) for name in ("out_trade_no", "amount", "currency",
                                                    "resource_id", "pay_before")},
        **{name: _text(method, name) for name in ("goods_name", "seller_name", "seller_id",
                                                  "seller_app_id", "service_id")},
    }  # fmt: skip
    if protocol.get("seller_sign_type", "RSA2") != "RSA2":
        raise Refused402("signature", "it is not signed with RSA2")
    if _text(protocol, "seller_unique_id") != fields["seller_id"]:
        raise Refused402("field", "it names two sellers")
    signature = _text(protocol, "seller_signature")
    if public_pem is not None and not is_signed(public_pem, signed_text(fields), signature):
        raise Refused402("signature", "the seller's signature is not the seller's")
    pay_before = _time(fields["pay_before"])
    if pay_before <= now:
        raise Refused402("expired", "it could be paid until before now")
    if pay_before - now > LONGEST:
        raise Refused402("expired", "it could be paid for longer than a day")
    if fields["resource_id"] != resource:
        raise Refused402("resource", "it is for something else than was asked for")
    amount = _amount(fields["amount"], fields["currency"])
    plain = {k: v for k, v in fields.items() if k not in ("amount", "pay_before")}
    return Needed(amount=amount, pay_before=pay_before, **plain)


def _text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > 2048:
        raise Refused402("field", f"{name} is missing, or no text")
    if not value.isprintable():
        raise Refused402("field", f"{name} hides signs")
    return value


def _amount(text: str, currency: str) -> Decimal:
    if currency != "CNY":
        raise Refused402("amount", "it is not in CNY")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", text, re.ASCII):
        raise Refused402("amount", "its amount is none")
    amount = Decimal(text)
    if to_minor(amount, currency) <= 0:
        raise Refused402("amount", "its amount is not above zero")
    return amount


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused402("field", "pay_before is no time") from None
    if at.tzinfo is None:
        raise Refused402("field", "pay_before has no offset from UTC")
    return at


# -- the seller's side ----------------------------------------------------------------------------


def asks_for(it: Needed, private_pem: str) -> str:
    """Return the `Payment-Needed` of a seller."""
    fields = {
        "amount": str(it.amount), "currency": it.currency, "goods_name": it.goods_name,
        "out_trade_no": it.out_trade_no, "pay_before": it.pay_before.isoformat(),
        "resource_id": it.resource_id, "seller_id": it.seller_id, "service_id": it.service_id,
    }  # fmt: skip
    protocol = {
        **{k: fields[k] for k in ("out_trade_no", "amount", "currency", "resource_id")},
        "pay_before": fields["pay_before"],
        "seller_signature": sign(private_pem, signed_text(fields)),
        "seller_sign_type": "RSA2",
        "seller_unique_id": it.seller_id,
    }
    method = {
        "seller_name": it.seller_name, "seller_id": it.seller_id, "goods_name": it.goods_name,
        "seller_app_id": it.seller_app_id, "seller_unique_id_key": "seller_id",
        "service_id": it.service_id,
    }  # fmt: skip
    return pack({"protocol": protocol, "method": method})


def proof(header: str) -> Proof:
    """Read what a buyer shows. Raises Refused402."""
    read = unpack(header)
    protocol, method = read.get("protocol", {}), read.get("method", {})
    session = method.get("client_session", "")
    if not isinstance(session, str) or len(session) > 2048:
        raise Refused402("field", "client_session is no text")
    return Proof(_text(protocol, "payment_proof"), _text(protocol, "trade_no"), session)


def shows(it: Proof) -> str:
    """Return the `Payment-Proof` of a buyer."""
    protocol = {"payment_proof": it.payment_proof, "trade_no": it.trade_no}
    return pack({"protocol": protocol, "method": {"client_session": it.client_session}})
