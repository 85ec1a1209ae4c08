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
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote as quoted
from urllib.parse import urlsplit

from agent import private
from agent.language.world import world_text
from agent.look.meaning import CURRENCIES
from skills.shop.port import Cart, Order, Quote, ShopError, Unsure
from skills.shop.product import Product
from skills.shop.ucp_key import Signer
from skills.shop.ucp_wire import FIRST, SERVICE, Declined, Wire, listed_in

LINK = 2_000
"""Longest link that is handed on."""
FOUND = 8
"""Most products that are asked for."""

_DECIMALS = dict(CURRENCIES.values())
_STATES = {
    "incomplete": "open", "requires_escalation": "open", "ready_for_complete": "open",
    "in_progress": "open", "complete_in_progress": "working", "completed": "ordered",
    "canceled": "canceled",
}  # fmt: skip


class Ucp:
    """One shop. Its methods raise ShopError, and `order` Unsure."""

    def __init__(
        self, address: str, buyer: Path | None = None, signer: Signer | None = None
    ) -> None:
        """`address` is that of the shop, https unless it is this machine; ValueError else."""
        self._wire = Wire(address) if signer is None else Wire(address, lambda: signer)
        self.name = self._wire.name
        self.id = f"ucp:{self.name}"
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
        if f"{SERVICE}.{capability}" not in self._wire.profile.capabilities:
            return []
        answer = self._wire.ask("POST", path, body)
        from pydantic import ValidationError
        from ucp_sdk.models.schemas.shopping import catalog_lookup, catalog_search

        response: Any = catalog_search.SearchResponse
        if capability == "catalog_lookup":
            response = catalog_lookup.LookupResponse
        try:
            products = response.model_validate(answer).products
        except ValidationError as error:
            raise self._wire.wrong(
                f"its products are none ({error.error_count()} faults)"
            ) from None
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

    # -- a cart -----------------------------------------------------------------------------------

    def cart(self, lines: Sequence[tuple[Product, int]], known: str = "") -> Cart | None:
        """Make a cart of these, or `known` this; None where the shop keeps none."""
        if f"{SERVICE}.cart" not in self._wire.profile.capabilities:
            return None
        items = [{"item": {"id": p.place}, "quantity": count} for p, count in lines]
        body = {"line_items": items}
        if known:
            try:
                there = f"/carts/{quoted(known, safe='')}"
                return self._cart(self._wire.ask("PUT", there, body))
            except Declined:
                pass  # it has expired: a new one is made
        return self._cart(self._wire.ask("POST", "/carts", body))

    def _cart(self, cart: Mapping[str, Any]) -> Cart:
        id_, currency = self._id(cart), cart.get("currency")
        if not isinstance(currency, str) or currency not in _DECIMALS:
            raise self._wire.wrong("it names no currency that is known")
        try:
            total = _amount(_total(cart, "total"), currency)
        except ShopError:
            total = None  # an estimate may lack
        return Cart(id_, total, currency, _link(cart.get("continue_url")))

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
        if self._wire.profile.version == FIRST:
            about["payment"] = {"instruments": [], "handlers": []}
        checkout = self._wire.ask("POST", "/checkout-sessions", about)
        id_ = self._id(checkout)
        if address := self._own.get("address"):
            checkout = self._delivered(id_, checkout, about, address)
        quote = self._quoted(id_, checkout)
        if {p.currency for p, _ in lines} != {quote.currency}:
            raise self._wire.wrong("it asks for another currency")
        return quote

    def _delivered(
        self, id_: str, checkout: Mapping[str, Any], about: Mapping[str, Any], address: Any
    ) -> Mapping[str, Any]:
        """Choose the address, then the cheapest way to deliver there that it offers."""
        lines = [
            {"id": line.get("id"), "item": {"id": line["item"]["id"],
             "title": line["item"].get("title", "")}, "quantity": line["quantity"]}
            for line in listed_in(checkout, "line_items")
        ]  # fmt: skip
        about = {**about, "id": id_, "line_items": lines}
        place = {"id": "home", **address}
        method: dict[str, Any] = {"type": "shipping", "destinations": [place],
                                  "selected_destination_id": "home"}  # fmt: skip
        path = f"/checkout-sessions/{quoted(id_, safe='')}"
        checkout = self._wire.ask("PUT", path, {**about, "fulfillment": {"methods": [method]}})
        offered = _method(checkout)
        home = self._known_as(place, offered)
        if offered and home != "home":  # the shop knows the address, and calls it otherwise
            place = {**place, "id": home}
            method = {**method, "destinations": [place], "selected_destination_id": home}
            chosen = {**method, "id": offered.get("id")}
            checkout = self._wire.ask("PUT", path, {**about, "fulfillment": {"methods": [chosen]}})
            offered = _method(checkout)
        if not offered:
            return checkout
        groups = []
        for group in listed_in(offered, "groups"):
            options = listed_in(group, "options")
            if options and not group.get("selected_option_id"):
                best = min(options, key=lambda option: _total(option, "total"))
                group = {**group, "selected_option_id": best.get("id")}
            groups.append(group)
        chosen = {**method, "id": offered.get("id"), "groups": groups}
        return self._wire.ask("PUT", path, {**about, "fulfillment": {"methods": [chosen]}})

    def _known_as(self, place: Mapping[str, Any], offered: Mapping[str, Any]) -> str:
        """Return what the shop calls the wearer's address. Raises ShopError for another one."""
        known = listed_in(offered, "destinations")
        if not known or any(one.get("id") == "home" for one in known):
            return "home"
        names = ("street_address", "postal_code", "address_country")
        for one in known:
            if all(one.get(name) == place.get(name) for name in names) and one.get("id"):
                return str(one["id"])
        raise self._wire.wrong("it does not deliver to your address")

    def _quoted(self, id_: str, checkout: Mapping[str, Any]) -> Quote:
        currency = checkout.get("currency")
        if not isinstance(currency, str) or currency not in _DECIMALS:
            raise self._wire.wrong("it names no currency that is known")
        total = _total(checkout, "total")
        extras = tuple(
            (
                world_text(one.get("display_text") or one["type"], 30),
                _amount(one["amount"], currency),
            )
            for one in listed_in(checkout, "totals")
            if one.get("type") not in ("subtotal", "total") and one.get("amount")
        )
        if total <= 0:
            raise self._wire.wrong("its total is none")
        elsewhere = ""
        if checkout.get("status") == "requires_escalation" or self._instrument is None:
            elsewhere = world_text(checkout.get("continue_url") or self._wire.root, 200)
        return Quote(id_, _amount(total, currency), currency, self.name, extras, elsewhere)

    def order(self, quote: Quote, key: str) -> Order:
        """Complete the checkout under an idempotency key, if its total still is what was shown.

        Raises Unsure when the request was sent and no answer that can be read came back.
        """
        path = f"/checkout-sessions/{quoted(quote.checkout, safe='')}"
        now = self._quoted(quote.checkout, self._wire.ask("GET", path))
        if (now.total, now.currency) != (quote.total, quote.currency):
            raise self._wire.wrong("its price has changed: ask again")
        if self._instrument is None:
            raise self._wire.wrong("there is no way to pay it")
        body: dict[str, Any] = {"payment": {"instruments": [self._instrument]}}
        if self._wire.profile.version == FIRST:
            body = {"payment_data": self._instrument, "risk_signals": {}}
        done = self._wire.ask("POST", f"{path}/complete", body, key=key, sent=True)
        if done.get("id") != quote.checkout:
            raise Unsure(f"{self.name} answered for another checkout")
        return self._became(done, sent=True)

    def became(self, checkout: str, number: str = "") -> Order:
        """Ask what became of a checkout, and of its order once there is one."""
        if number:
            order = self._wire.ask("GET", f"/orders/{quoted(number, safe='')}")
            events = listed_in(order.get("fulfillment") or {}, "events")
            types = {event.get("type") for event in events if isinstance(event, dict)}
            if "delivered" in types:
                return Order("delivered", number)
            shipped = types & {"shipped", "in_transit", "out_for_delivery"}
            return Order("shipped" if shipped else "ordered", number)
        found = self._wire.ask("GET", f"/checkout-sessions/{quoted(checkout, safe='')}")
        if found.get("id") != checkout:
            raise self._wire.wrong("it told of another checkout")
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
                raise self._wire.wrong("it did not take the order")
            return Order(state, number)
        try:
            return Order(state, number, _amount(_total(checkout, "total"), currency), currency)
        except (ShopError, KeyError):
            return Order(state, number)

    # -- the wearer's own ------

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
        handlers = self._wire.profile.handlers
        given = listed_in(self._own, "instruments")
        return next((one for one in given if one.get("handler_id") in handlers), None)

    def _id(self, checkout: Mapping[str, Any]) -> str:
        id_ = checkout.get("id")
        if not isinstance(id_, str) or not 0 < len(id_) <= 200:
            raise self._wire.wrong("it gives no id")
        return id_


def _method(checkout: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first way to deliver that a checkout offers; nothing where there is none."""
    found = listed_in(checkout.get("fulfillment") or {}, "methods")
    return found[0] if found else {}


def _link(value: Any) -> str:
    """Return a link that may be opened on the phone; empty for any other."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    plain = parts.scheme == "https" and parts.hostname and parts.username is None
    return value if plain and " " not in value and len(value) <= LINK else ""


def _total(values: Mapping[str, Any], kind: str) -> int:
    """Return one of the totals, in minor units. Raises ShopError where it is not there once."""
    found = [one.get("amount") for one in listed_in(values, "totals") if one.get("type") == kind]
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
