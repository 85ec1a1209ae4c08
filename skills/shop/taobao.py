"""Taobao, by its Open Platform (TOP): products, and what the wearer bought, signed by hmac-sha256.

The platform lets nobody order for a buyer, so what is found is bought on the phone. Its keys are
`GLASSES_TAOBAO_KEY`, `GLASSES_TAOBAO_SECRET` and, for the search of the affiliate API,
`GLASSES_TAOBAO_ADZONE`. What was bought is told to who has the buyer's session, an access token
that they grant the application: `glasses secrets put taobao-session`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from agent.environment import STARTED
from agent.language.world import world_text
from skills.shop.asking import client
from skills.shop.port import ShopError, Trade
from skills.shop.product import Product

SEARCH = "taobao.tbk.dg.material.optional"
"""The search of the affiliate API: title, price, volume, shop."""
BOUGHT = "taobao.trades.bought.get"
"""What the buyer of a session bought: the latest first."""
TRADES = 5
"""Most of these that are asked for."""
SESSION = "taobao-session"
"""What the secret of the session is called."""
CHINA = timezone(timedelta(hours=8))
"""TOP's timestamps are those of Beijing."""
TIMEOUT_S = 5.0
"""Longest that one request may take."""
APART_S = 0.1
"""Least time between two requests: ten a second is what a new application may ask."""
WAIT_S = 2.0
"""Longest ban that is waited for; a longer one is told."""
PAGE = 20
"""Products of one page."""
PAGES = 2
"""Most pages that are asked for."""

LIMITED, BAD_TIME = 7, 31
"""Codes of `error_response`: called too often; a timestamp more than ten minutes off."""

_STATES = {
    "TRADE_NO_CREATE_PAY": "unpaid", "WAIT_BUYER_PAY": "unpaid", "WAIT_PRE_AUTH_CONFIRM": "unpaid",
    "PAY_PENDING": "working", "WAIT_SELLER_SEND_GOODS": "ordered", "PAID_FORBID_CONSIGN": "ordered",
    "SELLER_CONSIGNED_PART": "shipped", "WAIT_BUYER_CONFIRM_GOODS": "shipped",
    "TRADE_BUYER_SIGNED": "delivered", "TRADE_FINISHED": "delivered",
    "TRADE_CLOSED": "canceled", "TRADE_CLOSED_BY_TAOBAO": "canceled",
}  # fmt: skip
"""TOP's `Trade.status`, and what it is here."""
_BAN = re.compile(r"(\d{1,6}) (?:more )?seconds?")


@dataclass(frozen=True, slots=True)
class Keys:
    """What an application is known by."""

    key: str
    """`app_key`."""
    secret: str = field(repr=False)
    """What requests are signed with; never sent, never logged."""
    adzone: str = ""
    """Place of advertising, for the affiliate API."""


def signed(parameters: Mapping[str, str], secret: str) -> str:
    """Return TOP's signature: HMAC-SHA256 over names and values, sorted by name, in capitals.

    Source: open.taobao.com, "API 调用方法详解", sign_method=hmac-sha256.
    """
    text = "".join(f"{name}{value}" for name, value in sorted(parameters.items()) if name and value)
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


class Taobao:
    """Taobao. Its methods raise ShopError."""

    id = "taobao"
    name = "淘宝"

    def __init__(
        self,
        address: str,
        keys: Keys | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        session: Callable[[], str] = lambda: _session(),
    ) -> None:
        """`address` is the gateway's, https unless it is this machine; ValueError else."""
        parts = urlsplit(address)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not parts.hostname or parts.scheme not in (("https", "http") if local else ("https",)):
            raise ValueError(f"{address!r} is no https address")
        self._address = address
        self._keys = keys or Keys(
            STARTED.get("GLASSES_TAOBAO_KEY", ""),
            STARTED.get("GLASSES_TAOBAO_SECRET", ""),
            STARTED.get("GLASSES_TAOBAO_ADZONE", ""),
        )
        self._now, self._sleep, self._session = now, sleep, session
        self._lock = threading.Lock()
        self._last_s = float("-inf")
        self._ahead_s = 0.0
        """How far the gateway's clock is before ours."""

    def search(self, text: str, language: str) -> list[Product]:
        """Return what it finds, its own order kept."""
        found: list[Product] = []
        for page in range(1, PAGES + 1):
            asked = {"q": world_text(text, 100), "adzone_id": self._keys.adzone}
            answer = self._call(SEARCH, **asked, page_no=str(page), page_size=str(PAGE))
            listed = (answer.get("result_list") or {}).get("map_data") or []
            found += filter(None, map(self._product, listed))
            total = answer.get("total_results")
            if len(listed) < PAGE or not isinstance(total, int) or page * PAGE >= total:
                break
        return found

    def by_code(self, code: str, language: str) -> list[Product]:
        """Return nothing: the platform has no search by bar code."""
        return []

    def _product(self, values: Any) -> Product | None:
        if not isinstance(values, dict):
            return None
        name, id_ = (
            world_text(values.get("title", ""), 120),
            world_text(values.get("item_id", ""), 40),
        )
        price = _price(values.get("zk_final_price"))
        if not name or not id_ or price is None:
            return None
        return Product(
            number=0,
            brand={"en": ""},
            kind={"en": name, "zh": name},
            group={"en": world_text(values.get("category_name", ""), 60)},
            also="",
            price=price,
            stock=None,
            currency="CNY",
            shop=self.id,
            place=id_,
        )

    # -- what was bought --------------------------------------------------------------------------

    def bought(self) -> list[Trade] | None:
        """Return the latest trades of the buyer; None without a session of theirs."""
        session = self._session()
        if not session:
            return None
        answer = self._call(
            BOUGHT, session=session, fields="tid,status,payment,orders.title",
            page_no="1", page_size=str(TRADES),
        )  # fmt: skip
        listed = _inside(answer, "trades", "trade")
        return [trade for one in listed[:TRADES] if (trade := _trade(one)) is not None]

    # -- calls ------------------------------------------------------------------------------------

    def _call(self, method: str, **parameters: str) -> Mapping[str, Any]:
        """Call the gateway; once more after a short ban, or by the gateway's clock. ShopError."""
        if not (self._keys.key and self._keys.secret):
            raise ShopError("淘宝: set GLASSES_TAOBAO_KEY and GLASSES_TAOBAO_SECRET")
        for last in (False, True):
            answer, date = self._sent(method, parameters)
            error = answer.get("error_response")
            if not isinstance(error, dict):
                body = answer.get(f"{method.removeprefix('taobao.').replace('.', '_')}_response")
                if not isinstance(body, dict):
                    raise ShopError("淘宝 gave no answer that can be read")
                return body
            code, why = (
                error.get("code"),
                world_text(error.get("sub_msg") or error.get("msg", ""), 80),
            )
            if not last and code == LIMITED and 0 < (ban_s := _ban_s(why)) <= WAIT_S:
                self._sleep(ban_s)
            elif not last and code == BAD_TIME and date is not None:
                self._ahead_s = date - self._now()
            else:
                raise ShopError(f"淘宝: {why or f'refused ({code})'}")
        raise AssertionError  # the second round returns or raises

    def _sent(
        self, method: str, parameters: Mapping[str, str]
    ) -> tuple[Mapping[str, Any], float | None]:
        """Return the answer, and what time the gateway says that it is."""
        import httpx2

        with self._lock:  # one after another, and not too fast
            if (wait_s := self._last_s + APART_S - self._now()) > 0:
                self._sleep(wait_s)
            self._last_s = self._now()
        at = datetime.fromtimestamp(self._now() + self._ahead_s, UTC).astimezone(CHINA)
        whole = {
            "method": method,
            "app_key": self._keys.key,
            "timestamp": f"{at:%Y-%m-%d %H:%M:%S}",
            "format": "json",
            "v": "2.0",
            "sign_method": "hmac-sha256",
            **{name: value for name, value in parameters.items() if value},
        }
        whole["sign"] = signed(whole, self._keys.secret)
        try:
            with client(TIMEOUT_S) as ask:
                answer = ask.post(self._address, data=whole)
            read = json.loads(answer.content, parse_float=str)
        except httpx2.ConnectError:
            raise ShopError("淘宝 cannot be reached") from None
        except (httpx2.HTTPError, OSError):
            raise ShopError("淘宝 gave no answer") from None
        except ValueError:
            read = None
        if not isinstance(read, dict):
            raise ShopError("淘宝 gave no answer that can be read")
        return read, _time_s(answer.headers.get("date", ""))


def _inside(values: Any, *names: str) -> list[Any]:
    """Return a list that lies in objects; an empty one where it does not."""
    for name in names:
        values = values.get(name) if isinstance(values, dict) else None
    return values if isinstance(values, list) else []


def _trade(values: Any) -> Trade | None:
    if not isinstance(values, dict) or not (number := world_text(values.get("tid") or "", 40)):
        return None
    titles = [
        one.get("title") for one in _inside(values, "orders", "order") if isinstance(one, dict)
    ]
    text = world_text("、".join(title for title in titles if isinstance(title, str)), 120)
    return Trade(number, text, _STATES.get(str(values.get("status")), ""),
                 _price(values.get("payment")), "CNY")  # fmt: skip


def _price(value: Any) -> Decimal | None:
    try:
        price = Decimal(str(value)).quantize(Decimal("0.01"))
        return price if price > 0 else None
    except InvalidOperation:  # of “NaN” the comparison raises it
        return None


def _session() -> str:
    """Return the buyer's session; empty where there is none. Raises ShopError."""
    from agent import config
    from agent.errors import ConfigError
    from agent.skill.secrets import Secrets

    settings = config.load()
    try:
        found = Secrets(settings.data, settings.plugins.parent).get(SESSION)
    except ConfigError as error:
        raise ShopError(f"淘宝: {error}") from None
    return found.value if found else ""


def _ban_s(why: str) -> float:
    found = _BAN.search(why)
    return float(found[1]) if found else 1.0


def _time_s(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return None
