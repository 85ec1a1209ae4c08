"""What the shop shows: short cards, the answer in the first line.

Every card of the shop is titled as a demo, because nothing in the catalogue is real; the shopping
list is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent import Context, Reply
from skills.shop.catalogue import Product, demo, of

LISTED = 4
"""Most products on one list; the rest come with "next product"."""


def shelf(products: Sequence[Product], ctx: Context) -> Reply:
    """Return a list of products with prices, or the one product there is."""
    if len(products) == 1:
        return detail(products[0], ctx)
    lines = [
        ctx.say("${price} {name}", price=p.price, name=p.name(ctx.language))
        for p in products[:LISTED]
    ]
    if (more := len(products) - LISTED) > 0:
        lines.append("… " + ctx.say("{count} more", count=more))
    return _card(ctx, *lines, listed=True)


def detail(product: Product, ctx: Context) -> Reply:
    """Return one product: price, name, rating, stock."""
    return _card(
        ctx,
        ctx.say("${price} {name}", price=product.price, name=product.name(ctx.language)),
        _standing(product, ctx),
    )


def reviews(product: Product, ctx: Context) -> Reply:
    """Return what people say about one product."""
    said = [
        ctx.say("{stars}/5 {words}", stars=r.stars, words=of(r.words, ctx.language))
        for r in product.reviews
    ]
    heading = ctx.say("{rating}/5 {name}", rating=product.rating, name=product.name(ctx.language))
    return _card(ctx, heading, *said)


def no_orders(product: Product, ctx: Context) -> Reply:
    """Say that nothing can be ordered, and show the product."""
    return _card(
        ctx,
        ctx.say("I can't place orders yet."),
        ctx.say("${price} {name}", price=product.price, name=product.name(ctx.language)),
        _standing(product, ctx),
    )


def nothing(asked: str, ctx: Context) -> Reply:
    """Say that nothing was found, and name what is similar."""
    lines = [ctx.say('No "{asked}" here.', asked=_cut(asked))]
    if near := demo().nearest(asked, ctx.language):
        lines += [ctx.say("Similar:"), *near]
    return _card(ctx, *lines)


def which(ctx: Context) -> Reply:
    """Ask which product, when somebody says “it” before anything was found."""
    return _card(ctx, ctx.say("Which product?"), ctx.say('Say "search for headphones".'))


def last(ctx: Context) -> Reply:
    """Say that there are no more products."""
    return _card(ctx, ctx.say("That was the last one."))


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
    return _note(ctx, ctx.say("I can't place orders yet."), *items)


def unsaved(ctx: Context) -> Reply:
    """Say that the shopping list could not be saved."""
    return _note(ctx, ctx.say("I can't save the list here."))


def _note(ctx: Context, *lines: str) -> Reply:
    return Reply(title=ctx.say("Shopping list"), text="\n".join(lines))


def _standing(product: Product, ctx: Context) -> str:
    if not product.stock:
        return ctx.say("{rating}/5, sold out", rating=product.rating)
    return ctx.say("{rating}/5, {stock} in stock", rating=product.rating, stock=product.stock)


def _card(ctx: Context, *lines: str, listed: bool = False) -> Reply:
    title = ctx.say("Demo shop")
    return Reply(title=title, text="\n".join(lines), kind="list" if listed else "answer")


def _cut(text: str, longest: int = 40) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[:longest]}…"
