"""Shops on loopback for tests: one that speaks UCP, and Taobao's gateway, each strict about requests.

Both run in threads of the test's process, and what they say is the test's to choose.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

VERSION = "2026-04-08"
ENVELOPE = {"version": VERSION, "capabilities": {}}


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the shop of its server, as JSON."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        answer = self.server.shop.answer(self.command, self.path, dict(self.headers), body)  # type: ignore[attr-defined]
        if answer is None:  # it hangs up
            self.close_connection = True
            return
        status, value = answer
        written = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    do_GET = do_POST = do_PUT = _do


@contextmanager
def served(shop: Any) -> Iterator[str]:
    """Serve a shop; yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.shop = shop  # type: ignore[attr-defined]
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class UcpShop:
    """A merchant that speaks UCP, its requests and answers checked against ucp-sdk."""

    def __init__(self, goods: dict[str, tuple[str, int]]) -> None:
        """`goods` are titles and prices in fen, by id."""
        self.goods = goods
        self.delivery = 500
        self.checkouts: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, str] = {}
        self.orders: dict[str, str] = {}
        self.fault = ""
        """`drop` hangs up after it took the order, `refuse` declines, `dearer` charges more."""
        self.handlers = ["wallet"]
        self.address = ""
        self.knows: dict[str, str] = {}
        """An address that the shop has already, under an id of its own; it delivers to no other."""
        self.events: list[str] = []
        self.carts: dict[str, dict[str, Any]] = {}
        self.trusted: dict[str, Any] | None = None
        """A profile of whoever may ask, with its keys; None where nobody has to sign."""

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        """Return status and JSON, or None to hang up."""
        headers = {name.lower(): value for name, value in headers.items()}
        if path == "/.well-known/ucp":
            return 200, self._profile(headers)
        if not (headers.get("ucp-agent", "").startswith('profile="') and headers.get("request-id")):
            return 400, {"detail": "headers are missing"}
        if self.trusted is not None and (
            why := unsigned(self.trusted, method, path, headers, body)
        ):
            return 401, {"code": why, "content": f"the signature: {why}"}
        asked = json.loads(body) if body else {}
        match method, path.strip("/").split("/"):
            case "POST", ["carts"]:
                return 201, self._carted(uuid.uuid4().hex, asked)
            case "PUT", ["carts", id_]:
                if id_ not in self.carts:
                    return 200, {
                        "ucp": {**ENVELOPE, "status": "error"},
                        "messages": [{"type": "error", "code": "not_found", "content": "gone",
                                      "severity": "unrecoverable"}],
                    }  # fmt: skip
                return 200, self._carted(id_, asked)
            case "POST", ["catalog", "search"]:
                return 200, self._found(asked["query"])
            case "POST", ["catalog", "lookup"]:
                return 200, self._found("", asked["ids"])
            case "POST", ["checkout-sessions"]:
                return self._begun(asked)
            case "GET", ["checkout-sessions", id_] if id_ in self.checkouts:
                return 200, self._checked(self.checkouts[id_])
            case "PUT", ["checkout-sessions", id_] if id_ in self.checkouts:
                return self._delivered(self.checkouts[id_], asked)
            case "POST", ["checkout-sessions", id_, "complete"] if id_ in self.checkouts:
                return self._completed(self.checkouts[id_], asked, headers["idempotency-key"])
            case "GET", ["orders", id_] if id_ in self.orders:
                return 200, self._order(id_)
        return 404, {"detail": "there is no such thing"}

    def _profile(self, headers: dict[str, str]) -> dict[str, Any]:
        rest = {"version": VERSION, "transport": "rest", "endpoint": f"http://{headers['host']}"}
        names = ("catalog_search", "catalog_lookup", "cart", "checkout", "order", "fulfillment")
        return {
            "ucp": {
                "version": VERSION,
                "services": {"dev.ucp.shopping": [rest]},
                "capabilities": {f"dev.ucp.shopping.{n}": [{"version": VERSION}] for n in names},
                "payment_handlers": {
                    "com.example.wallet": [{"id": id_, "version": VERSION} for id_ in self.handlers]
                },
            }
        }

    def _found(self, query: str, ids: list[str] | None = None) -> dict[str, Any]:
        from ucp_sdk.models.schemas.shopping import catalog_lookup, catalog_search

        words = query.casefold().split()
        found = []
        for at, (id_, (title, price)) in enumerate(self.goods.items()):
            code = f"{690000000000 + at:013}"
            code = code[:12] + str(
                -sum(int(d) * (3 if n % 2 else 1) for n, d in enumerate(code[:12])) % 10
            )
            if ids is not None and not {id_, code} & set(ids):
                continue
            if ids is None and not all(word in title.casefold() for word in words):
                continue
            cost = {"amount": price, "currency": "CNY"}
            variant = {"id": id_, "title": title, "description": {"plain": title}, "price": cost,
                       "barcodes": [{"type": "EAN", "value": code}],
                       "availability": {"available": True}}  # fmt: skip
            if ids is not None:
                variant["inputs"] = [{"id": ids[0], "match": "exact"}]
            found.append({"id": f"p-{id_}", "title": title, "description": {"plain": title},
                          "price_range": {"min": cost, "max": cost}, "variants": [variant],
                          "rating": {"value": 4.2, "scale_max": 5, "count": 9}})  # fmt: skip
        value = {"ucp": ENVELOPE, "products": found[:8]}
        model = catalog_search.SearchResponse if ids is None else catalog_lookup.LookupResponse
        model.model_validate(value)
        return value

    def _carted(self, id_: str, asked: dict[str, Any]) -> dict[str, Any]:
        from ucp_sdk.models.schemas.shopping.cart import Cart
        from ucp_sdk.models.schemas.shopping.cart_create_request import CartCreateRequest

        CartCreateRequest.model_validate(asked)
        lines = []
        for at, line in enumerate(asked["line_items"]):
            title, price = self.goods[line["item"]["id"]]
            total = [{"type": kind, "amount": price * line["quantity"]}
                     for kind in ("subtotal", "total")]  # fmt: skip
            lines.append({"id": f"l{at}", "quantity": line["quantity"], "totals": total,
                          "item": {"id": line["item"]["id"], "title": title, "price": price}})  # fmt: skip
        goods = sum(line["totals"][-1]["amount"] for line in lines)
        value = {
            "ucp": ENVELOPE, "id": id_, "line_items": lines, "currency": "CNY",
            "totals": [{"type": kind, "amount": goods} for kind in ("subtotal", "total")],
            "continue_url": f"https://shop.example/cart/{id_}",
        }  # fmt: skip
        Cart.model_validate(value)
        self.carts[id_] = value
        return value

    def _begun(self, asked: dict[str, Any]) -> Any:
        from ucp_sdk.models.schemas.shopping.checkout_create_request import CheckoutCreateRequest

        CheckoutCreateRequest.model_validate(asked)
        id_ = uuid.uuid4().hex
        lines = []
        for at, line in enumerate(asked["line_items"]):
            if line["item"]["id"] not in self.goods:
                return 400, {"detail": "no such product"}
            title, price = self.goods[line["item"]["id"]]
            total = price * line["quantity"]
            lines.append({"id": f"l{at}", "quantity": line["quantity"],
                          "item": {"id": line["item"]["id"], "title": title, "price": price},
                          "totals": [{"type": "subtotal", "amount": total},
                                     {"type": "total", "amount": total}]})  # fmt: skip
        self.checkouts[id_] = {
            "ucp": {**ENVELOPE, "payment_handlers": {}}, "id": id_, "line_items": lines,
            "status": "incomplete", "currency": "CNY", "links": [],
            "continue_url": "https://shop.example/continue",
        }  # fmt: skip
        return 201, self._checked(self.checkouts[id_])

    def _delivered(self, checkout: dict[str, Any], asked: dict[str, Any]) -> Any:
        (method,) = asked["fulfillment"]["methods"]
        self.address = method["destinations"][0]["street_address"]
        groups = method.get("groups") or [{"id": "g"}]
        if self.knows and method["selected_destination_id"] != self.knows["id"]:
            known = {**method, "id": "m", "destinations": [self.knows], "groups": [{"id": "g"}]}
            checkout["fulfillment"] = {"methods": [known]}
            return 200, self._checked(checkout)
        option = groups[0].get("selected_option_id")
        offers = [("fast", 1500), ("post", self.delivery)]
        groups[0]["options"] = [
            {"id": name, "title": name, "totals": [{"type": "total", "amount": price}]}
            for name, price in offers
        ]
        checkout["fulfillment"] = {"methods": [{**method, "id": "m", "groups": groups}]}
        if option:
            checkout["delivery"] = dict(offers)[option]
            checkout["status"] = "ready_for_complete"
        return 200, self._checked(checkout)

    def _checked(self, checkout: dict[str, Any]) -> dict[str, Any]:
        from ucp_sdk.models.schemas.shopping.checkout import Checkout

        goods = sum(line["totals"][-1]["amount"] for line in checkout["line_items"])
        delivery = checkout.get("delivery", 0)
        more = 1 if self.fault == "dearer" and checkout["status"] == "completed" else 0
        totals = [{"type": "subtotal", "amount": goods}]
        if delivery:
            totals.append({"type": "fulfillment", "display_text": "Post", "amount": delivery})
        totals.append({"type": "total", "amount": goods + delivery + more})
        value = {key: one for key, one in checkout.items() if key != "delivery"} | {
            "totals": totals
        }
        Checkout.model_validate(value)
        return value

    def _completed(self, checkout: dict[str, Any], asked: dict[str, Any], key: str) -> Any:
        from ucp_sdk.models.schemas.shopping.checkout_complete_request import (
            CheckoutCompleteRequest,
        )

        CheckoutCompleteRequest.model_validate(asked)
        if self.fault == "refuse":
            return 402, {
                "messages": [{"type": "error", "code": "payment_failed", "content": "declined"}]
            }
        if checkout["status"] != "ready_for_complete" and self.keys.get(key) != checkout["id"]:
            return 409, {"detail": "not ready"}
        if key not in self.keys:
            number = f"O-{len(self.orders) + 1}"
            self.keys[key], self.orders[number] = checkout["id"], checkout["id"]
            checkout["status"] = "completed"
            checkout["order"] = {"id": number, "permalink_url": "https://shop.example/o"}
        if self.fault == "drop":
            return None
        return 200, self._checked(checkout)

    def _order(self, number: str) -> dict[str, Any]:
        return {
            "id": number,
            "fulfillment": {"events": [{"id": "e", "type": t} for t in self.events]},
        }


def unsigned(
    profile: dict[str, Any], method: str, path: str, headers: dict[str, str], body: bytes
) -> str:
    """Return what is wrong with the signature of a request (RFC 9421, as UCP binds it), or nothing.

    Written from the protocol's text, and not by the library that signs.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    told, given = headers.get("signature-input", ""), headers.get("signature", "")
    if not told.startswith("sig1=(") or not given.startswith("sig1=:"):
        return "signature_missing"
    parameters = told.removeprefix("sig1=")
    inside, _, rest = parameters[1:].partition(")")
    covered = [name.strip('"') for name in inside.split()]
    needed = ["@method", "@authority", "@path", "ucp-agent", "idempotency-key"]
    needed += ["content-digest", "content-type"] if body else []
    if set(needed) - set(covered):
        return "coverage_insufficient"
    keyid = rest.split('keyid="')[1].split('"')[0]
    key = next((key for key in profile["keys"] if key["kid"] == keyid), None)
    if key is None:
        return "key_not_found"
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    if body and headers.get("content-digest") != f"sha-256=:{digest}:":
        return "digest_mismatch"
    derived = {"@method": method, "@authority": headers["host"], "@path": path.partition("?")[0]}
    base = "".join(f'"{name}": {derived.get(name) or headers[name]}\n' for name in covered)
    base += f'"@signature-params": {parameters}'
    raw = base64.b64decode(given.removeprefix("sig1=:").rstrip(":"))
    x, y = (int.from_bytes(base64.urlsafe_b64decode(key[n] + "=="), "big") for n in ("x", "y"))
    halves = [int.from_bytes(raw[at : at + 32], "big") for at in (0, 32)]
    try:
        ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key().verify(
            utils.encode_dss_signature(*halves), base.encode(), ec.ECDSA(hashes.SHA256())
        )
    except InvalidSignature:
        return "signature_invalid"
    return ""


class TaobaoGateway:
    """TOP's gateway: it refuses a wrong signature, a clock ten minutes off, and too many calls."""

    def __init__(self, secret: str, goods: list[tuple[str, str]]) -> None:
        """`goods` are titles and prices."""
        self.secret = secret
        self.goods = goods
        self.now = time.time
        self.limit = 1_000_000
        self.calls: list[dict[str, str]] = []
        self.session = "session"
        self.trades: list[Any] = []

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        """Return status and JSON."""
        asked = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self.calls.append(asked)
        given = asked.pop("sign", "")
        text = "".join(name + asked[name] for name in sorted(asked))
        right = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()
        if asked.get("sign_method") != "hmac-sha256" or not hmac.compare_digest(given, right):
            return 200, {"error_response": {"code": 25, "msg": "Invalid signature"}}
        at = datetime.strptime(asked["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        skew = at - timedelta(hours=8) - datetime.fromtimestamp(self.now(), UTC)
        if abs(skew) > timedelta(minutes=10):
            return 200, {"error_response": {"code": 31, "msg": "Invalid timestamp"}}
        if len(self.calls) > self.limit:
            self.limit = 1_000_000
            why = "This ban will last for 1 more seconds"
            return 200, {"error_response": {"code": 7, "msg": "App Call Limited", "sub_msg": why}}
        if asked["method"] == "taobao.trades.bought.get":
            if asked.get("session") != self.session:
                return 200, {"error_response": {"code": 27, "msg": "Invalid session"}}
            told = {"total_results": len(self.trades), "trades": {"trade": self.trades}}
            return 200, {"trades_bought_get_response": told}
        found = [g for g in self.goods if asked["q"] in g[0]]
        page, size = int(asked["page_no"]), int(asked["page_size"])
        listed = [
            {"item_id": f"i{at}", "title": title, "zk_final_price": price, "category_name": "食品"}
            for at, (title, price) in enumerate(found)
        ][(page - 1) * size : page * size]
        return 200, {
            "tbk_dg_material_optional_response": {
                "total_results": len(found), "result_list": {"map_data": listed}
            }
        }  # fmt: skip
