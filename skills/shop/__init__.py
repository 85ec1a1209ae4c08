"""Find a product, its price and what people say about it, in a demo catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from agent import Context, OneOf, Reply, hookimpl, skill
from skills.shop import cards
from skills.shop.catalogue import Product, demo

_IT = frozenset(
    ("it", "that", "this", "they", "them", "these", "those", "that one", "this one",
     "它", "这个", "那个")
)  # fmt: skip
_PLACES = ("first", "second", "third", "fourth")


def _kinds(language: str) -> list[str]:
    return demo().kinds(language)


ProductName = Annotated[str, OneOf(_kinds, open=True)]
Place = Literal["first", "second", "third", "fourth"]


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
    found = _remember(demo().search(product), ctx)
    return cards.shelf(found, ctx) if found else cards.nothing(product, ctx)


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
    if _is_pronoun(product):
        return cards.detail(shown, ctx) if (shown := _shown(ctx)) else cards.which(ctx)
    return search(product or "", ctx)


@skill(
    "what is the cheapest {product}",
    "what are the cheapest {product}",
    "[find|show] [me] the cheapest {product}",
)
def cheapest(product: ProductName, ctx: Context) -> Reply:
    """List the products of a kind, the cheapest first."""
    found = demo().search(product)
    if not found:
        return cards.nothing(product, ctx)
    same = [p for p in found if p.kind == found[0].kind]
    return cards.shelf(_remember(sorted(same, key=lambda p: p.price), ctx), ctx)


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
    if _is_pronoun(product):
        return cards.reviews(shown, ctx) if (shown := _shown(ctx)) else cards.which(ctx)
    found = _remember(demo().search(product or ""), ctx)
    return cards.reviews(found[0], ctx) if found else cards.nothing(product or "", ctx)


@skill(
    "next product",
    "show [me] another one",
    "show [me] the next (one|product)",
    "show [me] the {place} (one|product)",
)
def another(ctx: Context, place: Place | None = None) -> Reply:
    """Show the next of the products found, or the one at a place in the list."""
    found: Sequence[int] = ctx.memory.get("found", ())
    if not found:
        return cards.which(ctx)
    at = _PLACES.index(place) if place else ctx.memory["at"] + 1
    if at >= len(found):
        return cards.last(ctx)
    ctx.memory["at"] = at
    return cards.detail(demo().products[found[at]], ctx)


@skill(
    "buy [me] [a|an|the|some] {product}",
    "i (want|would like) to buy [a|an|the|some] {product}",
    "buy (it|this|that)",
)
def buy(ctx: Context, product: ProductName | None = None) -> Reply:
    """Say that orders cannot be placed yet, and what the product costs."""
    if _is_pronoun(product):
        return cards.no_orders(shown, ctx) if (shown := _shown(ctx)) else cards.which(ctx)
    found = _remember(demo().search(product or ""), ctx)
    return cards.no_orders(found[0], ctx) if found else cards.nothing(product or "", ctx)


def _is_pronoun(product: str | None) -> bool:
    return product is None or product.strip().casefold() in _IT


def _remember(found: Sequence[Product], ctx: Context) -> Sequence[Product]:
    """Keep what was found for follow-ups; a search that finds nothing changes nothing."""
    if found:
        ctx.memory.update(found=[product.number for product in found], at=0)
    return found


def _shown(ctx: Context) -> Product | None:
    found: Sequence[int] = ctx.memory.get("found", ())
    return demo().products[found[ctx.memory["at"]]] if found else None


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Hand the actions to the agent."""
    register(search, price, cheapest, reviews, another, buy)
