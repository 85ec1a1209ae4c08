"""Which shops there are: the wearer's own catalogue, and shops on the network; else the demo.

GLASSES_SHOPS="ucp=https://shop.example, taobao=https://eco.taobao.com/router/rest"
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent import Context
from agent.environment import STARTED
from skills.shop.catalogue import Catalogue
from skills.shop.demo import demo
from skills.shop.importing import FILE
from skills.shop.port import Shop, ShopError
from skills.shop.product import Product, of_record

SETTING = STARTED.get("GLASSES_SHOPS", "")
"""The shops that are connected, settled at the start: no plugin can name another one later."""
SHOWN = 12
"""Most products that a search keeps for "next"."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought."""

    products: tuple[Product, ...] = ()
    """Best first."""
    failed: tuple[str, ...] = ()
    """Shops that could not be asked."""


def search(text: str, ctx: Context) -> Found:
    """Look in the wearer's catalogue, then in the shops that are connected; else in the demo."""
    own = catalogue(ctx)
    found: list[Product] = own.search(text) if own else []
    failed = []
    for shop in connected().values():
        try:
            found += shop.search(text, ctx.language)
        except ShopError as error:
            log.warning("%s: %s", shop.id, type(error).__name__)
            failed.append(shop.name)
    return Found(tuple(found), tuple(failed))


def by_code(code: str, ctx: Context) -> Found:
    """Look for the product with a bar code."""
    own = catalogue(ctx)
    found: list[Product] = own.by_code(code) if own else []
    failed = []
    for shop in connected().values():
        try:
            found += shop.by_code(code, ctx.language)
        except ShopError:
            failed.append(shop.name)
    return Found(tuple(found), tuple(failed))


def catalogue(ctx: Context) -> Catalogue | None:
    """Return the catalogue on this device; the demo's only where nothing else is there."""
    if (own := _own(ctx.folder / FILE)) is not None:
        return own
    return None if connected() else demo()


def usual(ctx: Context) -> str:
    """Return the shop that is meant where nothing says which."""
    if (ctx.folder / FILE).exists():
        return "own"
    return next(iter(connected()), "demo")


def name_of(shop: str, ctx: Context) -> str:
    """Return the name of a shop to show as a title."""
    if shop == "demo":
        return ctx.say("Demo shop")
    if shop == "own":
        return ctx.say("Your catalogue")
    found = connected().get(shop)
    return found.name if found else shop


def remember(products: Sequence[Product], ctx: Context, at: int = 0) -> None:
    """Keep what was found for follow-ups; a search that finds nothing changes nothing."""
    if products:
        kept = [[p.number, p.bare().record()] for p in products[:SHOWN]]
        ctx.memory.update(found=kept, at=at)


def remembered(ctx: Context) -> list[Product]:
    """Return what was found last, without the reviews."""
    return [of_record(number, record) for number, record in ctx.memory.get("found", ())]


def shown(ctx: Context) -> Product | None:
    """Return the product shown last, with its reviews where they are on this device."""
    found = remembered(ctx)
    return whole(found[ctx.memory["at"]], ctx) if found else None


def whole(product: Product, ctx: Context) -> Product:
    """Return a remembered product as its catalogue has it, with reviews."""
    if product.shop not in ("demo", "own"):
        return product
    kept = catalogue(ctx)
    found = kept.get(product.number) if kept else None
    return found if found is not None and found.shop == product.shop else product


# -- opening them ---------------------------------------------------------------------------------

_opened: dict[Path, tuple[tuple[int, int], Catalogue]] = {}
_lock = threading.Lock()


def _own(path: Path) -> Catalogue | None:
    """Return the wearer's catalogue, opened anew after an import; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    stamp = (stat.st_mtime_ns, stat.st_ino)
    with _lock:
        if path in _opened and _opened[path][0] == stamp:
            return _opened[path][1]
        try:
            found = Catalogue.at(path)
            len(found)
        except sqlite3.Error as error:
            raise ShopError(
                "your catalogue cannot be read: import it again with glasses shop"
            ) from error
        _opened[path] = stamp, found
        return found


_connected: dict[str, Mapping[str, Shop]] = {}


def connected() -> Mapping[str, Shop]:
    """Return the shops of the setting, by their id; one that is none is left out and logged."""
    with _lock:
        if SETTING not in _connected:
            _connected[SETTING] = _connect(SETTING)
        return _connected[SETTING]


def _connect(setting: str) -> Mapping[str, Shop]:
    from skills.shop.taobao import Taobao
    from skills.shop.ucp import Ucp

    kinds = {"ucp": Ucp, "taobao": Taobao}
    found: dict[str, Shop] = {}
    for part in filter(None, map(str.strip, setting.split(","))):
        kind, _, address = part.partition("=")
        try:
            shop: Shop = kinds[kind.strip()](address.strip())
        except (KeyError, ValueError) as error:
            log.error("GLASSES_SHOPS: %s is no shop (%s): write ucp=https://…", kind, error)
            continue
        found[shop.id] = shop
    return found
