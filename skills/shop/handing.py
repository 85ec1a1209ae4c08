"""The basket handed to its shop, to go on with on the phone: a cart there, and no order."""

from __future__ import annotations

from urllib.parse import urlsplit

from agent import Context, Reply, skill
from hardware.base import DeviceError
from skills.shop import cards, shops
from skills.shop.basket import Basket, line_of, listed, unsaved
from skills.shop.port import KeepsCarts, ShopError
from skills.shop.product import money


@skill(
    "open (my|the) (basket|cart) on my phone",
    "send (my|the) (basket|cart) to my phone",
    risk="change",
    permissions={
        "network": "to hand your basket to its shop",
        "personal": "to tell the shop what is in it",
    },
)
def open_basket(ctx: Context) -> Reply:
    """Make a cart of the basket at its shop, and open it on the phone; nothing is ordered."""
    try:
        basket = Basket(ctx.folder)
        lines = basket.lines
    except OSError:
        return unsaved(ctx)
    if not lines:
        return listed((), ctx)
    for id_, shop in shops.connected().items():
        wanted = [line for line in lines if line[0].shop == id_]
        if not wanted or not isinstance(shop, KeepsCarts):
            continue
        title = cards.cut(shop.name, 14)
        try:
            cart = shop.cart(wanted, basket.cart(id_))
        except ShopError as error:
            return Reply(cards.cut(str(error), 120), title=title, kind="alert")
        if cart is None:
            continue
        try:
            basket.remember_cart(id_, cart.id)
        except OSError:
            return unsaved(ctx)
        said = [line_of(product, count, ctx) for product, count in wanted]
        if cart.total is not None:
            total = money(cart.total, cart.currency, ctx.language)
            said.append(ctx.say("{total}, as the shop reckons", total=total))
        return cards.note(
            ctx, title, *said, _opened(cart.link, ctx), ctx.say("It is not ordered yet.")
        )
    return listed(lines, ctx, ctx.say("No shop here keeps a basket."))


def _opened(link: str, ctx: Context) -> str:
    host = urlsplit(link).hostname or ""
    if not link:
        return ctx.say("The shop gives no link to it.")
    try:
        ctx.device("phone").open(link)
    except DeviceError:
        return ctx.say("No phone is paired: find it at {host}.", host=host)
    return ctx.say("Opened on your phone: order at {host}.", host=host)
