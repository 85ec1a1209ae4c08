"""Choosing: what people think in three lines, a comparison, and what costs less."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from agent import Context, Reply, skill
from skills.shop import cards, shops
from skills.shop.product import Product, money, of
from skills.shop.spoken import ProductName, is_pronoun
from skills.shop.summary import Claim, summed_up

COMPARED = 3
"""Most products in one comparison."""


@skill(
    "[what are] the pros and cons of [the] {product}",
    "sum up the reviews [(of|for) [the] {product}]",
    "summarize the reviews [(of|for) [the] {product}]",
    "[what are] the pros and cons",
    "who is [the] {product} good for",
    "should i buy [a|an|the] {product}",
)
def summary(ctx: Context, product: ProductName | None = None) -> Reply:
    """Sum up what people say about a product: what they like, what not, whom it suits."""
    found = named(product, ctx)
    if not isinstance(found, Product):
        return found
    claims = summed_up(found.reviews, ctx)
    ctx.memory["claims"] = [[one.kind, one.text, list(one.reviews)] for one in claims]
    if not claims:
        return cards.reviews(found, ctx)
    lines = [cards.rated(found, ctx), *(_claim(claim, ctx) for claim in claims)]
    return cards.card(ctx, *lines, shop=found.shop)


def _claim(claim: Claim, ctx: Context) -> str:
    count, text = len(claim.reviews), cards.cut(claim.text, 60)
    if claim.kind == "pros":
        return ctx.say("Liked: {text} ({count})", text=text, count=count)
    if claim.kind == "cons":
        return ctx.say("Disliked: {text} ({count})", text=text, count=count)
    return ctx.say("Suits: {text} ({count})", text=text, count=count)


@skill(
    "who (says|said) (so|that)",
    "which (review|reviews) (say|says) (so|that)",
    "where does that come from in the reviews",
)
def who_says(ctx: Context) -> Reply:
    """Show the reviews that the last summary is of, word for word."""
    found, claims = shops.shown(ctx), ctx.memory.get("claims")
    if found is None or not claims:
        return cards.which(ctx)
    numbers = dict.fromkeys(at for _, _, named_ in claims for at in named_)
    said = [
        ctx.say("{stars}/5 {words}", stars=one.stars, words=of(one.words, ctx.language))
        for at in numbers
        if at < len(found.reviews) and (one := found.reviews[at])
    ]
    return cards.card(ctx, *said, shop=found.shop) if said else cards.which(ctx)


@skill(
    "compare [the] {product} (with|and|to) [the] {other}",
    "compare (them|these|those|the first two|the first three)",
    "which [one] [of (them|these)] is better",
)
def compare(
    ctx: Context,
    product: ProductName | None = None,
    other: ProductName | None = None,
) -> Reply:
    """Compare two or three products: price, rating, and what is said against each."""
    if other is None:
        found: list[Product] = [shops.whole(p, ctx) for p in shops.remembered(ctx)[:COMPARED]]
    else:
        found = []
        for name in filter(None, (product, other)):
            one = shops.shown(ctx) if is_pronoun(name) else _first(name, ctx)
            if one is None:
                return cards.nothing(name, ctx)
            found.append(one)
        shops.remember(found, ctx)
    if len(found) < 2:
        return cards.which(ctx)
    return cards.card(ctx, *compared(found, ctx), shop=found[0].shop, listed=True)


def compared(found: Sequence[Product], ctx: Context) -> list[str]:
    """Return a line for each product, the better told in the first."""
    prices = {p.currency for p in found if p.price is not None}
    lines = []
    if len(prices) == 1:
        cheapest = min(found, key=lambda p: p.price if p.price is not None else Decimal("Infinity"))
        lines.append(ctx.say("Cheapest: {name}", name=cards.short(cheapest, ctx, 30)))
    rated = [p for p in found if p.rating is not None]
    if len(rated) > 1 and len({p.rating for p in rated}) > 1:
        best = max(rated, key=lambda p: (p.rating or 0, p.count))
        lines.append(ctx.say("Best rated: {name}", name=cards.short(best, ctx, 30)))
    for one in found:
        price = money(one.price, one.currency, ctx.language)
        name = cards.short(one, ctx, 24)
        lines.append(
            ctx.say("{price}, {rating}/5 {name}", price=price, rating=one.rating or "–", name=name)
        )
    return lines


@skill(
    "[is there] (anything|something) cheaper [than {product}]",
    "(find|show) me (something|anything) cheaper [than {product}]",
    "[are there any] cheaper alternatives [to {product}]",
    "(find|show) me cheaper {product}",
)
def cheaper(ctx: Context, product: ProductName | None = None) -> Reply:
    """List products of the same kind that cost less, the best rated first."""
    found = named(product, ctx)
    if not isinstance(found, Product):
        return found
    less = alternatives(found, ctx)
    if not less:
        return cards.card(ctx, ctx.say("Nothing cheaper here."), cards.priced(found, ctx),
                          shop=found.shop)  # fmt: skip
    shops.remember(less, ctx)
    return cards.shelf(less, ctx)


def alternatives(product: Product, ctx: Context) -> list[Product]:
    """Return what is of the same kind or department, in the same currency, for less."""
    if product.price is None:
        return []
    kind, group = of(product.kind, "en"), of(product.group, "en")
    words = [kind] if product.shop == "demo" else [" ".join(kind.split()[-2:]), kind.split()[-1]]
    for asked in (*words, group.partition(",")[0]):
        found = shops.search(asked, ctx).products if asked else ()
        less = [
            one
            for one in found
            if one.price is not None
            and one.price < product.price
            and one.currency == product.currency
            and (product.shop != "demo" or one.kind == product.kind)
        ]
        if less:
            return sorted(less, key=lambda one: (-(one.rating or 0), one.price))
    return []


def named(product: str | None, ctx: Context) -> Product | Reply:
    """Return the product that is meant, or the card that asks which or says that there is none."""
    if is_pronoun(product):
        return shops.shown(ctx) or cards.which(ctx)
    found = _first(product or "", ctx)
    return found or cards.nothing(product or "", ctx)


def _first(name: str, ctx: Context) -> Product | None:
    found = shops.search(name, ctx).products
    shops.remember(found, ctx)
    return found[0] if found else None
