"""Find a product by words, bar code or what stands on it, hear what people think, and order it.

The products are those of the wearer's own catalogue and of the shops that are connected; of a demo
catalogue where there is neither. The list and the basket are the wearer's own.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import Context, Reply, hookimpl, skill
from skills.shop import cards, demo, shops
from skills.shop.basket import empty_basket, put_in_basket, show_basket, take_out
from skills.shop.choosing import cheaper, compare, summary, who_says
from skills.shop.handing import open_basket
from skills.shop.listing import add_to_list, buy_list, clear_list, remove_from_list, show_list
from skills.shop.looking import read_package, scan
from skills.shop.ordering import buy, order, order_status
from skills.shop.shopping_list import groceries
from skills.shop.spoken import PLACES, Place, ProductName, is_pronoun
from skills.shop.till import NAME, Till


@skill(
    "search [for] [a|an|the|some] {product}",
    "(find|show) me [a|an|the|some] {product}",
    "find [a|an|the|some] {product}",
    "(look|shop) for [a|an|the|some] {product}",
    "(i am|i'm) looking for [a|an|the|some] {product}",
    "do you sell {product}",
    "(can|could) you find [me] [a|an|the|some] {product}",
)
def search(product: ProductName, ctx: Context) -> Reply:
    """Find products by name and list them with prices."""
    found = _found(product, ctx)
    if not found.products:
        return cards.nothing(product, ctx, found.failed)
    return cards.shelf(found.products, ctx, found.failed)


@skill(
    "how much (is|are) [a|an|the] {product}",
    "how much (does|do) [a|an|the] {product} cost",
    "what (does|do) [a|an|the] {product} cost",
    "[what is|what's|tell me] the price of [a|an|the] {product}",
    "price of {product}",
    "how expensive (is|are) [a|an|the] {product}",
    "(can|could) you tell me what [a|an|the] {product} (cost|costs)",
    "how much (is|are) (it|that|this|they|these)",
    "what does it cost",
)
def price(ctx: Context, product: ProductName | None = None) -> Reply:
    """Say what a product costs; without a name, the one shown last."""
    if is_pronoun(product):
        return cards.detail(shown, ctx) if (shown := shops.shown(ctx)) else cards.which(ctx)
    return search(product or "", ctx)


@skill(
    "what is the cheapest {product}",
    "what are the cheapest {product}",
    "[find|show] [me] the cheapest {product}",
)
def cheapest(product: ProductName, ctx: Context) -> Reply:
    """List the products of a kind, the cheapest first."""
    found = shops.search(product, ctx).products
    if not found:
        return cards.nothing(product, ctx)
    same = [p for p in found if p.price is not None and p.currency == found[0].currency]
    if found[0].shop == "demo":
        same = [p for p in found if p.kind == found[0].kind]
    same.sort(key=lambda p: p.price or 0)
    shops.remember(same, ctx)
    return cards.shelf(same or found, ctx)


@skill(
    "what do people (say|think) about [the] {product}",
    "(is|are) [the] {product} any good",
    "how good (is|are) [the] {product}",
    "reviews (of|for) [the] {product}",
    "(read|show) [me] [the] reviews (of|for) [the] {product}",
    "(can|could) you read [me] the reviews (of|for) [the] {product}",
    "(read|show) [me] [the] reviews",
    "what do people (say|think) about (it|that|this|them)",
    "(is it|are they) any good",
)
def reviews(ctx: Context, product: ProductName | None = None) -> Reply:
    """Show what people say about a product; without a name, the one shown last."""
    if is_pronoun(product):
        return cards.reviews(shown, ctx) if (shown := shops.shown(ctx)) else cards.which(ctx)
    found = _found(product or "", ctx).products
    return cards.reviews(found[0], ctx) if found else cards.nothing(product or "", ctx)


@skill(
    "next product",
    "show [me] another one",
    "show [me] the next (one|product)",
    "show [me] the {place} (one|product)",
)
def another(ctx: Context, place: Place | None = None) -> Reply:
    """Show the next of the products found, or the one at a place in the list."""
    found = shops.remembered(ctx)
    if not found:
        return cards.which(ctx)
    at = PLACES.index(place) if place else ctx.memory["at"] + 1
    if at >= len(found):
        return cards.last(ctx)
    ctx.memory["at"] = at
    return cards.detail(found[at], ctx)


def _found(asked: str, ctx: Context) -> shops.Found:
    """Search, and keep what was found for follow-ups."""
    found = shops.search(asked, ctx)
    shops.remember(found.products, ctx)
    return found


@hookimpl
def register_commands(register: Callable[..., None]) -> None:
    """Add `glasses shop`."""
    from skills.shop.commands import shop

    register(shop)


@hookimpl
def register_devices(provide: Callable[..., None]) -> None:
    """Bring what carries orders out."""
    provide("payment", lambda config: Till(config.data / "shop"), NAME)


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Hand the actions to the agent. Raises DataError: without its data the shop is left out."""
    demo.demo(), groceries()
    register(search, price, cheapest, reviews, another)
    register(summary, who_says, compare, cheaper)
    register(scan, read_package)
    register(buy, put_in_basket, show_basket, take_out, empty_basket, order, order_status)
    register(open_basket)
    register(buy_list, add_to_list, remove_from_list, show_list, clear_list)
