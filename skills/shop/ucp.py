"""A shop that speaks the Universal Commerce Protocol: search, quote, order, status, over REST.

Catalogue answers are checked against `ucp-sdk`; of a checkout and an order only what is used is
read, and strictly, since the versions in use (2026-01-11 and later) differ in the rest. What the
shop says is text from the world, and its totals count only in whole minor units.

The wearer's address and payment instruments are theirs to give, in `buyer.json` of the skill's
folder:

    {"buyer": {"full_name": "…", "email": "…"},
     "address": {"street_address": "…", "postal_code": "…", "address_country": "CN"},
     "instruments": [{"id": "card", "handler_id": "…", "type": "card", "credential": {…}}]}

Without an instrument for one of the shop's payment handlers an order is finished on the phone.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote as quoted
from urllib.parse import urlsplit

from agent import private
from agent.language.world import world_text
from agent.look.meaning import CURRENCIES
from skills.shop.asking import client
from skills.shop.port import Order, Quote, ShopError, Unsure
from skills.shop.product import Product

TIMEOUT_S = 6.0
"""Longest that one request may take."""
MOST_BYTES = 4 * 1024 * 1024
"""Longest answer that is read."""
SERVICE = "dev.ucp.shopping"
AGENT = 'profile="https://glasses.example/ucp/agent.json"'
"""`UCP-Agent`: where a shop may read what this agent can."""
UNSIGNED = "test"
"""`Request-Signature` of the samples: the header has to be there, and this agent has published no
key that it could sign with. A shop that checks it refuses, and says so."""
FIRST = "2026-01-11"
"""The first version; later ones name payments and capabilities otherwise."""
FOUND = 8
"""Most products that are asked for."""

_DECIMALS = dict(CURRENCIES.values())
_STATES = {
    "incomplete": "open", "requires_escalation": "open", "ready_for_complete": "open",
    "in_progress": "open", "complete_in_progress": "working", "completed": "ordered",
    "canceled": "canceled",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """What a shop says about itself, at `/.well-known/ucp`."""

    version: str
    """Version of the protocol it speaks."""
    endpoint: str
    """Where its REST service is."""
    capabilities: frozenset[str]
    """`dev.ucp.shopping.checkout` and the like."""
    handlers: tuple[str, ...]
    """Ids of the payment handlers that it takes."""


class Ucp:
    """One shop. Its methods raise ShopError, and `order` Unsure."""

    def __init__(self, address: str, buyer: Path | None = None) -> None:
        """`address` is that of the shop, https unless it is this machine; ValueError else."""
        parts = urlsplit(address)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not parts.hostname or parts.scheme not in (("https", "http") if local else ("https",)):
            raise ValueError(f"{address!r} is no https address")
        self._root = address.rstrip("/")
        self._origin = (parts.scheme, parts.netloc)
        self.id = f"ucp:{parts.netloc}"
        self.name = parts.netloc
        self._buyer = buyer

    # -- products ---------------------------------------------------------------------------------

    def search(self, text: str, language: str) -> list[Product]:
        """Return what it finds; nothing where it has no catalogue to be searched."""
        return self._products("catalog_search", "/catalog/search", {
            "query": world_text(text, 100),
            "context": {"language": {"zh": "zh-Hans"}.get(language, language)},
            "pagination": {"limit": FOUND},
        })  # fmt: skip

    def by_code(self, code: str, language: str) -> list[Product]:
        """Return what has this bar code, where it is looked up by one."""
        found = self._products("catalog_lookup", "/catalog/lookup", {"ids": [code]})
        return [product for product in found if product.code == code]

    def _products(self, capability: str, path: str, body: Mapping[str, Any]) -> list[Product]:
        if f"{SERVICE}.{capability}" not in self._profile.capabilities:
            return []
        answer = self._ask("POST", path, body)
        from pydantic import ValidationError
        from ucp_sdk.models.schemas.shopping import catalog_lookup, catalog_search

        response: Any = catalog_search.SearchResponse
        if capability == "catalog_lookup":
            response = catalog_lookup.LookupResponse
        try:
            products = response.model_validate(answer).products
        except ValidationError as error:
            raise self._wrong(f"its products are none ({error.error_count()} faults)") from None
        return [self._product(one, variant) for one in products for variant in one.variants[:3]]

    def _product(self, one: Any, variant: Any) -> Product:
        name = one.title
        if variant.title and variant.title not in (one.title, "Default Title"):
            name = f"{one.title} {variant.title}"
        rating = variant.rating or one.rating
        code = next((b.value for b in variant.barcodes or () if b.type != "ISBN"), "")
        there = variant.availability.available if variant.availability else None
        categories = [category.value for category in one.categories or ()]
        return Product(
            number=0,
            brand={"en": ""},
            kind={"en": world_text(name, 120)},
            group={"en": world_text(categories[0], 60) if categories else ""},
            also="",
            price=_amount(_whole(variant.price.amount), variant.price.currency),
            stock=0 if there is False else None,
            currency=variant.price.currency,
            code=world_text(code, 20).zfill(13) if len(code) == 12 else world_text(code, 20),
            rated=_stars(rating) if rating else None,
            ratings=(rating.count or 0) if rating else 0,
            shop=self.id,
            place=world_text(variant.id, 200),
        )

    # -- ordering ---------------------------------------------------------------------------------

    def quote(self, lines: Sequence[tuple[Product, int]]) -> Quote:
        """Open a checkout for these, delivered to the wearer's address, and return its total."""
        items = [
            {"item": {"id": p.place, "title": p.name("en")}, "quantity": count}
            for p, count in lines
        ]
        about: dict[str, Any] = {"line_items": items, "currency": lines[0][0].currency}
        if buyer := self._own.get("buyer"):
            about["buyer"] = buyer
        if self._profile.version == FIRST:
            about["payment"] = {"instruments": [], "handlers": []}
        checkout = self._ask("POST", "/checkout-sessions", about)
        id_ = self._id(checkout)
        if address := self._own.get("address"):
            checkout = self._delivered(id_, checkout, about, address)
        quote = self._quoted(id_, checkout)
        if {p.currency for p, _ in lines} != {quote.currency}:
            raise self._wrong("it asks for another currency")
        return quote

    def _delivered(
        self, id_: str, checkout: Mapping[str, Any], about: Mapping[str, Any], address: Any
    ) -> Mapping[str, Any]:
        """Choose the address, then the cheapest way to deliver there that it offers."""
        lines = [
            {"id": line.get("id"), "item": {"id": line["item"]["id"],
             "title": line["item"].get("title", "")}, "quantity": line["quantity"]}
            for line in _list(checkout, "line_items")
        ]  # fmt: skip
        about = {**about, "id": id_, "line_items": lines}
        place = {"id": "home", **address}
        method: dict[str, Any] = {"type": "shipping", "destinations": [place],
                                  "selected_destination_id": "home"}  # fmt: skip
        path = f"/checkout-sessions/{quoted(id_, safe='')}"
        checkout = self._ask("PUT", path, {**about, "fulfillment": {"methods": [method]}})
        methods = _list(checkout.get("fulfillment") or {}, "methods")
        for offered in methods[:1]:
            groups = []
            for group in _list(offered, "groups"):
                options = _list(group, "options")
                if options and not group.get("selected_option_id"):
                    best = min(options, key=lambda option: _total(option, "total"))
                    group = {**group, "selected_option_id": best.get("id")}
                groups.append(group)
            chosen = {**method, "id": offered.get("id"), "groups": groups}
            checkout = self._ask("PUT", path, {**about, "fulfillment": {"methods": [chosen]}})
        return checkout

    def _quoted(self, id_: str, checkout: Mapping[str, Any]) -> Quote:
        currency = checkout.get("currency")
        if not isinstance(currency, str) or currency not in _DECIMALS:
            raise self._wrong("it names no currency that is known")
        total = _total(checkout, "total")
        extras = tuple(
            (
                world_text(one.get("display_text") or one["type"], 30),
                _amount(one["amount"], currency),
            )
            for one in _list(checkout, "totals")
            if one.get("type") not in ("subtotal", "total") and one.get("amount")
        )
        if total <= 0:
            raise self._wrong("its total is none")
        elsewhere = ""
        if checkout.get("status") == "requires_escalation" or self._instrument is None:
            elsewhere = world_text(checkout.get("continue_url") or self._root, 200)
        return Quote(id_, _amount(total, currency), currency, self.name, extras, elsewhere)

    def order(self, quote: Quote, key: str) -> Order:
        """Complete the checkout under an idempotency key, if its total still is what was shown.

        Raises Unsure when the request was sent and no answer that can be read came back.
        """
        path = f"/checkout-sessions/{quoted(quote.checkout, safe='')}"
        now = self._quoted(quote.checkout, self._ask("GET", path))
        if (now.total, now.currency) != (quote.total, quote.currency):
            raise self._wrong("its price has changed: ask again")
        if self._instrument is None:
            raise self._wrong("there is no way to pay it")
        body: dict[str, Any] = {"payment": {"instruments": [self._instrument]}}
        if self._profile.version == FIRST:
            body = {"payment_data": self._instrument, "risk_signals": {}}
        done = self._ask("POST", f"{path}/complete", body, key=key, sent=True)
        return self._became(done, sent=True)

    def became(self, checkout: str, number: str = "") -> Order:
        """Ask what became of a checkout, and of its order once there is one."""
        if number:
            order = self._ask("GET", f"/orders/{quoted(number, safe='')}")
            events = _list(order.get("fulfillment") or {}, "events")
            types = {event.get("type") for event in events if isinstance(event, dict)}
            if "delivered" in types:
                return Order("delivered", number)
            shipped = types & {"shipped", "in_transit", "out_for_delivery"}
            return Order("shipped" if shipped else "ordered", number)
        found = self._ask("GET", f"/checkout-sessions/{quoted(checkout, safe='')}")
        return self._became(found)

    def _became(self, checkout: Mapping[str, Any], sent: bool = False) -> Order:
        state = _STATES.get(str(checkout.get("status")), "")
        order = checkout.get("order") or {}
        number = world_text(order.get("id") or checkout.get("order_id") or "", 80)
        if not state or (state == "ordered" and not number):
            raise (Unsure if sent else ShopError)(f"{self.name} does not say what became of it")
        currency = str(checkout.get("currency"))
        if state != "ordered":
            if sent and state == "working":
                raise Unsure(f"{self.name} is still working on it")
            if sent:
                raise self._wrong("it did not take the order")
            return Order(state, number)
        try:
            return Order(state, number, _amount(_total(checkout, "total"), currency), currency)
        except (ShopError, KeyError):
            return Order(state, number)

    # -- asking -----------------------------------------------------------------------------------

    @cached_property
    def _profile(self) -> Profile:
        told = self._ask("GET", "/.well-known/ucp", root=True)
        about = told.get("ucp") or {}
        service = (about.get("services") or {}).get(SERVICE)
        service = service[0] if isinstance(service, list) and service else service
        if not isinstance(service, dict):
            raise self._wrong("it offers no shopping")
        endpoint = str((service.get("rest") or service).get("endpoint") or self._root).rstrip("/")
        parts = urlsplit(endpoint)
        if (parts.scheme, parts.netloc) != self._origin and parts.scheme != "https":
            raise self._wrong("its service is at no https address")
        listed = about.get("capabilities") or {}
        names = listed if isinstance(listed, dict) else [c.get("name") for c in listed]
        handlers = about.get("payment_handlers") or {}
        if isinstance(handlers, dict):
            ids = [str(one.get("id")) for of_kind in handlers.values() for one in of_kind]
        ids = ids or [str(h.get("id")) for h in (told.get("payment") or {}).get("handlers") or ()]
        return Profile(str(about.get("version")), endpoint, frozenset(map(str, names)), tuple(ids))

    @property
    def _own(self) -> Mapping[str, Any]:
        """What the wearer gave: buyer, address, instruments. Raises ShopError."""
        from agent import config

        path = self._buyer or config.load().data / "shop" / "buyer.json"
        if not path.exists():
            return {}
        private.close(path)
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise ShopError("buyer.json cannot be read: mend it") from None
        return read if isinstance(read, dict) else {}

    @property
    def _instrument(self) -> Mapping[str, Any] | None:
        """The wearer's first instrument that the shop takes."""
        handlers = self._profile.handlers
        given = _list(self._own, "instruments")
        return next((one for one in given if one.get("handler_id") in handlers), None)

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None,
        key: str = "", root: bool = False, sent: bool = False,
    ) -> Mapping[str, Any]:  # fmt: skip
        """Ask the shop. Raises ShopError; Unsure where `sent` says that it may have effect."""
        import httpx2

        headers = {
            "UCP-Agent": AGENT,
            "Request-Id": str(uuid.uuid4()),
            "Request-Signature": UNSIGNED,
            "Idempotency-Key": key or str(uuid.uuid4()),
        }
        url = f"{self._root if root else self._profile.endpoint}{path}"
        try:
            with client(TIMEOUT_S) as ask:
                answer = ask.request(method, url, json=body, headers=headers)
        except httpx2.ConnectError:
            raise ShopError(f"{self.name} cannot be reached") from None
        except (httpx2.HTTPError, OSError):
            raise (Unsure if sent else ShopError)(f"{self.name} gave no answer") from None
        if 400 <= answer.status_code < 500:
            raise ShopError(f"{self.name}: {_told(answer) or f'refused ({answer.status_code})'}")
        if answer.status_code not in (200, 201):
            raise (Unsure if sent else ShopError)(f"{self.name} failed ({answer.status_code})")
        try:
            if len(answer.content) > MOST_BYTES:
                raise ValueError
            read = json.loads(answer.content, parse_float=Decimal)
        except ValueError:
            read = None
        if not isinstance(read, dict):
            raise (Unsure if sent else ShopError)(f"{self.name} gave no answer that can be read")
        return read

    def _id(self, checkout: Mapping[str, Any]) -> str:
        id_ = checkout.get("id")
        if not isinstance(id_, str) or not 0 < len(id_) <= 200:
            raise self._wrong("its checkout has no id")
        return id_

    def _wrong(self, why: str) -> ShopError:
        return ShopError(f"{self.name}: {why}")


def _list(values: Mapping[str, Any], key: str) -> list[Any]:
    found = values.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _total(values: Mapping[str, Any], kind: str) -> int:
    """Return one of the totals, in minor units. Raises ShopError where it is not there once."""
    found = [one.get("amount") for one in _list(values, "totals") if one.get("type") == kind]
    if len(found) != 1 or type(found[0]) is not int:
        raise ShopError("the shop gives no total")
    return found[0]


def _whole(amount: Any) -> int:
    value = getattr(amount, "root", amount)
    return int(value)


def _amount(minor: int, currency: str) -> Decimal:
    """Return an amount in minor units as one of the currency (ISO 4217)."""
    decimals = _DECIMALS.get(currency, 2)
    return Decimal(minor).scaleb(-decimals)


def _stars(rating: Any) -> Decimal | None:
    low, high = Decimal(str(rating.scale_min or 0)), Decimal(str(rating.scale_max))
    if high <= low:
        return None
    share = (Decimal(str(rating.value)) - low) / (high - low)
    return round(1 + 4 * min(Decimal(1), max(Decimal(0), share)), 1)


def _told(answer: Any) -> str:
    """Return what the shop says about a refusal, on one line."""
    try:
        read = answer.json()
    except ValueError:
        return ""
    if not isinstance(read, dict):
        return ""
    told = read.get("detail") or next((m.get("content") for m in _list(read, "messages")), "")
    return world_text(told, 100) if isinstance(told, str) else ""
