"""Shops on loopback for tests: one that speaks UCP, and Taobao's gateway, each strict about requests.

Both run in threads of the test's process, and what they say is the test's to choose.
"""

from __future__ import annotations

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
        self.events: list[str] = []

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        """Return status and JSON, or None to hang up."""
        headers = {name.lower(): value for name, value in headers.items()}
        if path == "/.well-known/ucp":
            return 200, self._profile(headers)
        if not (headers.get("ucp-agent", "").startswith('profile="') and headers.get("request-id")):
            return 400, {"detail": "headers are missing"}
        asked = json.loads(body) if body else {}
        match method, path.strip("/").split("/"):
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
        names = ("catalog_search", "catalog_lookup", "checkout", "order", "fulfillment")
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


class TaobaoGateway:
    """TOP's gateway: it refuses a wrong signature, a clock ten minutes off, and too many calls."""

    def __init__(self, secret: str, goods: list[tuple[str, str]]) -> None:
        """`goods` are titles and prices."""
        self.secret = secret
        self.goods = goods
        self.now = time.time
        self.limit = 1_000_000
        self.calls: list[dict[str, str]] = []

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
