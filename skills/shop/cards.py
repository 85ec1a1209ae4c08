"""What the shop shows: short cards, the answer in the first line, the shop in the title.

Cards of the demo say so, because nothing in its catalogue is real; the shopping list is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent import Context, Reply
from skills.shop import shops
from skills.shop.product import Product, money, of

LISTED = 4
"""Most products on one list; the rest come with "next product"."""


def shelf(products: Sequence[Product], ctx: Context, failed: Sequence[str] = ()) -> Reply:
    """Return a list of products with prices, or the one product there is."""
    if len(products) == 1:
        return detail(products[0], ctx)
    lines = [priced(product, ctx) for product in products[:LISTED]]
    if (more := len(products) - LISTED) > 0:
        lines.append("… " + ctx.say("{count} more", count=more))
    lines += [ctx.say("{shop} cannot be reached.", shop=shop) for shop in failed]
    return card(ctx, *lines, shop=products[0].shop, listed=True)


def detail(product: Product, ctx: Context) -> Reply:
    """Return one product: price, name, rating, stock."""
    return card(ctx, *_about(product, ctx), shop=product.shop)


def priced(product: Product, ctx: Context) -> str:
    """Return a line with price and name."""
    price = money(product.price, product.currency, ctx.language)
    return ctx.say("{price} {name}", price=price, name=short(product, ctx))


def short(product: Product, ctx: Context, longest: int = 60) -> str:
    """Return a product's name, cut: names of shops are as long as they like."""
    return cut(product.name(ctx.language), longest)


def reviews(product: Product, ctx: Context) -> Reply:
    """Return what people say about one product."""
    if not product.reviews:
        return card(ctx, *_about(product, ctx), ctx.say("No reviews here."), shop=product.shop)
    said = [
        ctx.say("{stars}/5 {words}", stars=r.stars, words=cut(of(r.words, ctx.language), 80))
        for r in product.reviews[:LISTED]
    ]
    return card(ctx, rated(product, ctx), *said, shop=product.shop)


def rated(product: Product, ctx: Context) -> str:
    """Return a line with rating and name."""
    return ctx.say("{rating}/5 {name}", rating=product.rating or "–", name=short(product, ctx))


def no_orders(product: Product, ctx: Context) -> Reply:
    """Say that nothing can be ordered, and show the product."""
    return card(
        ctx, ctx.say("I can't place orders here."), *_about(product, ctx), shop=product.shop
    )


def nothing(asked: str, ctx: Context, failed: Sequence[str] = ()) -> Reply:
    """Say that nothing was found, and name what is similar."""
    lines = [ctx.say('No "{asked}" here.', asked=cut(asked))]
    kept = shops.catalogue(ctx)
    if kept is not None and (near := kept.nearest(asked, ctx.language)):
        lines += [ctx.say("Similar:"), *(cut(name) for name in near)]
    lines += [ctx.say("{shop} cannot be reached.", shop=shop) for shop in failed]
    return card(ctx, *lines)


def which(ctx: Context) -> Reply:
    """Ask which product, when somebody says “it” before anything was found."""
    return card(ctx, ctx.say("Which product?"), ctx.say('Say "search for headphones".'))


def last(ctx: Context) -> Reply:
    """Say that there are no more products."""
    return card(ctx, ctx.say("That was the last one."))


def whole_list(items: Sequence[str], ctx: Context) -> Reply:
    """Return the shopping list."""
    if not items:
        return _note(ctx, ctx.say("Your shopping list is empty."))
    return replace(_note(ctx, *items), kind="list")


def several(things: Iterable[str], ctx: Context) -> str:
    """List things on one line."""
    return ctx.say(", ").join(things)


def listed(lines: Sequence[str], items: Sequence[str], ctx: Context) -> Reply:
    """Say what became of some things, and how many are on the shopping list."""
    return _note(ctx, *lines, ctx.say("{count} on the list", count=len(items)))


def emptied(count: int, ctx: Context) -> Reply:
    """Say that the shopping list is empty now, or was before."""
    if not count:
        return whole_list((), ctx)
    return _note(ctx, ctx.say("Emptied: {count} removed.", count=count))


def no_order_of(items: Sequence[str], ctx: Context) -> Reply:
    """Say that the whole list cannot be ordered, and show it."""
    if not items:
        return whole_list(items, ctx)
    return _note(ctx, ctx.say("I can't place orders here."), *items)


def unsaved(ctx: Context) -> Reply:
    """Say that the shopping list could not be saved."""
    return _note(ctx, ctx.say("I can't save the list here."))


def note(ctx: Context, title: str, *lines: str, listed: bool = False) -> Reply:
    """Return a card that is of no shop: of the list, the basket, a code."""
    return Reply(title=title, text="\n".join(lines), kind="list" if listed else "answer")


def _note(ctx: Context, *lines: str) -> Reply:
    return note(ctx, ctx.say("Shopping list"), *lines)


def _about(product: Product, ctx: Context) -> tuple[str, ...]:
    return tuple(filter(None, (priced(product, ctx), _standing(product, ctx))))


def _standing(product: Product, ctx: Context) -> str:
    """Return rating and stock, as far as they are known."""
    rating, stock = product.rating, product.stock
    if stock == 0:
        return ctx.say("{rating}/5, sold out", rating=rating) if rating else ctx.say("Sold out")
    if rating and stock:
        return ctx.say("{rating}/5, {stock} in stock", rating=rating, stock=stock)
    if rating:
        return ctx.say("{rating}/5 by {count}", rating=rating, count=product.count)
    return ctx.say("{stock} in stock", stock=stock) if stock else ""


def card(ctx: Context, *lines: str, shop: str = "", listed: bool = False) -> Reply:
    """Return a card of a shop's; without one it is that of the catalogue in use."""
    title = cut(shops.name_of(shop or shops.usual(ctx), ctx), 14)
    return Reply(title=title, text="\n".join(lines), kind="list" if listed else "answer")


def cut(text: str, longest: int = 40) -> str:
    """Return a text on one line, cut where it is longer."""
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[:longest]}…"
