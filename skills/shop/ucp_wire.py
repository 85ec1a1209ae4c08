"""Asking a UCP shop: its profile, requests with headers and signature, answers that are JSON."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import Any
from urllib.parse import urlsplit

from agent.errors import ConfigError
from agent.language.world import world_text
from skills.shop.asking import client
from skills.shop.port import ShopError, Unsure
from skills.shop.ucp_key import Signer, is_right, kept

TIMEOUT_S = 6.0
"""Longest that one request may take."""
MOST_BYTES = 4 * 1024 * 1024
"""Longest answer that is read."""
SERVICE = "dev.ucp.shopping"
AGENT = 'profile="https://glasses.example/ucp/agent.json"'
"""`UCP-Agent` where the wearer has published none: nothing is there, and nothing is signed."""
FIRST = "2026-01-11"
"""The first version; later ones name payments and capabilities otherwise."""
UNSIGNED = "test"
"""`Request-Signature` of the first version's samples: a header that has to be there and that nobody
checks. Later versions have RFC 9421 in its place, which is used where the wearer has a key."""
KEYS = 20
"""Most keys of a shop that are looked at."""


class Declined(ShopError):
    """The shop answered, and did not do what it was asked for."""


log = logging.getLogger(__name__)


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
    keys: tuple[Mapping[str, Any], ...] = ()
    """The keys that it signs its answers with, RFC 7517."""


@cache
def ours() -> Signer | None:
    """Return what requests are signed with; None where the wearer has no key."""
    from agent import config
    from agent.skill.secrets import Secrets

    settings = config.load()
    try:
        return kept(Secrets(settings.data, settings.plugins.parent))
    except ConfigError as error:
        log.error("requests to shops are not signed: %s", error)
        return None


class Wire:
    """The way to one shop. Its methods raise ShopError, and Unsure for what may have had effect."""

    def __init__(self, address: str, signer: Callable[[], Signer | None] = ours) -> None:
        """`address` is that of the shop, https unless it is this machine; ValueError else."""
        parts = urlsplit(address)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not parts.hostname or parts.scheme not in (("https", "http") if local else ("https",)):
            raise ValueError(f"{address!r} is no https address")
        self.root = address.rstrip("/")
        self.name = parts.netloc
        self._origin = (parts.scheme, parts.netloc)
        self._signer = signer

    @cached_property
    def profile(self) -> Profile:
        """What the shop says about itself. Raises ShopError."""
        told = self.ask("GET", "/.well-known/ucp", root=True)
        about = _object(told, "ucp")
        services = _object(about, "services")
        offered = listed_in(services, SERVICE)  # one for each transport, REST not always the first
        service = next((one for one in offered if one.get("transport", "rest") == "rest"), None)
        service = service or _object(services, SERVICE)  # the first version had one of all
        if not service:
            raise self.wrong("it offers no shopping")
        endpoint = (_object(service, "rest") or service).get("endpoint")
        endpoint = str(endpoint or self.root).rstrip("/")
        try:
            parts = urlsplit(endpoint)
        except ValueError:
            raise self.wrong("its service is at no address") from None
        if (parts.scheme, parts.netloc) != self._origin and parts.scheme != "https":
            raise self.wrong("its service is at no https address")
        names = _object(about, "capabilities") or [
            one.get("name") for one in listed_in(about, "capabilities")
        ]
        handlers = _object(about, "payment_handlers")
        ids = [one.get("id") for kind in handlers for one in listed_in(handlers, kind)]
        ids = ids or [one.get("id") for one in listed_in(_object(told, "payment"), "handlers")]
        keys = tuple(listed_in(told, "keys")[:KEYS])
        capabilities = frozenset(map(str, names))
        return Profile(
            str(about.get("version")), endpoint, capabilities, tuple(map(str, ids)), keys
        )

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None,
        key: str = "", root: bool = False, sent: bool = False,
    ) -> Mapping[str, Any]:  # fmt: skip
        """Ask the shop. Raises ShopError; Unsure where `sent` says that it may have effect."""
        import httpx2

        signer = self._signer()
        headers = {
            "UCP-Agent": signer.agent if signer else AGENT,
            "Request-Id": str(uuid.uuid4()),
            "Idempotency-Key": key or str(uuid.uuid4()),
        }
        if signer is None or (not root and self.profile.version == FIRST):
            headers["Request-Signature"] = UNSIGNED
        url = f"{self.root if root else self.profile.endpoint}{path}"
        try:
            with client(TIMEOUT_S) as ask:
                request = ask.build_request(method, url, json=body, headers=headers)
                if signer is not None:
                    signer.sign(request)
                answer = ask.send(request)
        except httpx2.ConnectError:
            raise ShopError(f"{self.name} cannot be reached") from None
        except (httpx2.HTTPError, OSError):
            raise (Unsure if sent else ShopError)(f"{self.name} gave no answer") from None
        if not root and is_right(answer, self.profile.keys) is False:
            raise (Unsure if sent else ShopError)(f"{self.name}: its answer is not signed rightly")
        if 400 <= answer.status_code < 500:
            told = _told(answer) or f"refused ({answer.status_code})"
            raise Declined(f"{self.name}: {told}")
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
        about = read.get("ucp")
        if not sent and isinstance(about, dict) and about.get("status") == "error":
            raise Declined(f"{self.name}: {_said(read) or 'refused'}")
        return read

    def wrong(self, why: str) -> ShopError:
        """Return the error of an answer that is wrong."""
        return ShopError(f"{self.name}: {why}")


def _object(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an object inside one; an empty one where there is none."""
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def listed_in(values: Mapping[str, Any], key: str) -> list[Any]:
    """Return the objects of a list, of which nobody knows that it is one."""
    found = values.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _told(answer: Any) -> str:
    """Return what the shop says about a refusal, on one line."""
    try:
        read = answer.json()
    except ValueError:
        return ""
    if not isinstance(read, dict):
        return ""
    return _said(read)


def _said(read: Mapping[str, Any]) -> str:
    told = read.get("detail") or read.get("content")
    told = told or next((m.get("content") for m in listed_in(read, "messages")), "")
    return world_text(told, 100) if isinstance(told, str) else ""
