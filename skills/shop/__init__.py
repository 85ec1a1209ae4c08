"""Find a product, its price and what people say about it, and keep a shopping list.

The products are those of a demo catalogue; the list is the wearer's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

from agent import Context, OneOf, Reply, hookimpl, skill
from skills.shop import cards
from skills.shop.catalogue import Product, demo
from skills.shop.shopping_list import ShoppingList, clean, groceries, split

_IT = frozenset(
    ("it", "that", "this", "they", "them", "these", "those", "that one", "this one",
     "它", "这个", "那个")
)  # fmt: skip
_PLACES = ("first", "second", "third", "fourth")


def _kinds(language: str) -> list[str]:
    return demo().kinds(language)


def _goods(language: str) -> list[str]:
    """Return what speech listens for on a shopping list: groceries, then what the shop has."""
    often = groceries()
    return list(
        dict.fromkeys([*(often.values() if language == "zh" else often), *_kinds(language)])
    )


ProductName = Annotated[str, OneOf(_kinds, open=True)]
Goods = Annotated[str, OneOf(_goods, open=True)]
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


@skill(
    "(buy|order) everything on (my|the) [shopping|grocery] list",
    "(buy|order) [all of] (my|the) [whole|entire] (shopping|grocery) list",
    "(buy|order) (all|all the things|what is) on (my|the) [shopping|grocery] list",
)
def buy_list(ctx: Context) -> Reply:
    """Say that orders cannot be placed yet, and show what would be ordered."""
    return cards.no_order_of(_list(ctx).items(), ctx)


@skill(
    "add [a|an|the|some] {product} to (my|the) [shopping|grocery] list",
    "put [a|an|the|some] {product} on (my|the) [shopping|grocery] list",
    "write {product} on (my|the) [shopping|grocery] list",
    "add [a|an|the|some] {product} to (my|the) list for shopping",
    risk="change",
)
def add_to_list(product: Goods, ctx: Context) -> Reply:
    """Put something on the wearer's shopping list."""
    things, ours = _meant(product, ctx), _list(ctx)
    if not things:
        return cards.which(ctx)
    before = ours.items()
    found = {thing: ours.find(thing) for thing in things}
    new = [thing for thing, there in found.items() if there is None]
    try:
        added = new[: ours.add(*new)]
    except OSError:
        return cards.unsaved(ctx)
    lines = []
    if added:
        lines.append(ctx.say("Added: {item}", item=cards.several(added, ctx)))
    if there := _there(found):
        lines.append(ctx.say("Already on it: {item}", item=cards.several(there, ctx)))
    if len(added) < len(new):
        lines.append(ctx.say("The list is full."))
    reply = cards.listed(lines, ours.items(), ctx)
    return replace(reply, undo=partial(_restore, before, ctx)) if added else reply


@skill(
    "(remove|delete|take [away]) [the] {product} from (my|the) [shopping|grocery] list",
    "take [the] {product} off [of] (my|the) [shopping|grocery] list",
    "(check|cross|tick) [the] {product} off [of] (my|the) [shopping|grocery] list",
    "(check|cross|tick) off [the] {product} on (my|the) [shopping|grocery] list",
    risk="change",
)
def remove_from_list(product: Goods, ctx: Context) -> Reply:
    """Take something off the wearer's shopping list."""
    things, ours = _meant(product, ctx), _list(ctx)
    if not things:
        return cards.which(ctx)
    before = ours.items()
    found = {thing: ours.find(thing) for thing in things}
    try:
        if there := _there(found):
            ours.remove(*there)
    except OSError:
        return cards.unsaved(ctx)
    lines = _missing(found, ctx)
    if there:
        lines.insert(0, ctx.say("Off the list: {item}", item=cards.several(there, ctx)))
    reply = cards.listed(lines, ours.items(), ctx)
    return replace(reply, undo=partial(_restore, before, ctx)) if there else reply


@skill(
    "(what is|what's) on (my|the) [shopping|grocery] list",
    "(show|read) [me] (my|the) (shopping|grocery) list",
    "(is|are) [the|there] {product} on (my|the) [shopping|grocery] list",
    "(did|have) i put [the] {product} on (my|the) [shopping|grocery] list",
    "do i have [the] {product} on (my|the) [shopping|grocery] list",
)
def show_list(ctx: Context, product: Goods | None = None) -> Reply:
    """Show the wearer's shopping list, or say whether something is on it."""
    ours = _list(ctx)
    things = _meant(product, ctx) if product else []
    if not things:
        return cards.whole_list(ours.items(), ctx)
    found = {thing: ours.find(thing) for thing in things}
    lines = _missing(found, ctx)
    if there := _there(found):
        lines.insert(0, ctx.say("On the list: {item}", item=cards.several(there, ctx)))
    return cards.listed(lines, ours.items(), ctx)


@skill(
    "(clear|delete|empty|erase) (my|the) (shopping|grocery) list",
    "(start|make|create) [me] a [new] (shopping|grocery) list",
    "throw away (my|the) (shopping|grocery) list",
    risk="change",
)
def clear_list(ctx: Context) -> Reply:
    """Empty the wearer's shopping list; there is one, so a new one is an empty one."""
    before = _list(ctx).items()
    try:
        count = _list(ctx).clear()
    except OSError:
        return cards.unsaved(ctx)
    return replace(cards.emptied(count, ctx), undo=partial(_restore, before, ctx))


def _restore(items: list[str], ctx: Context) -> Reply:
    """Make the list what it was before the last change."""
    try:
        _list(ctx).restore(items)
    except OSError:
        return cards.unsaved(ctx)
    return cards.listed([ctx.say("Back as it was.")], items, ctx)


def _list(ctx: Context) -> ShoppingList:
    return ShoppingList(ctx.folder)


def _meant(product: str, ctx: Context) -> list[str]:
    """Return the things to write down; "it" is the product shown last, and nothing without one."""
    if not _is_pronoun(product):
        written = _list(ctx).items()
        if clean(product) in written:
            return [clean(product)]
        return split(product, [*_goods("en"), *_goods("zh"), *written])
    shown = _shown(ctx)
    return [shown.name(ctx.language)] if shown else []


def _there(found: Mapping[str, str | None]) -> list[str]:
    """Return what is on the list, as it stands there."""
    return list(dict.fromkeys(item for item in found.values() if item is not None))


def _missing(found: Mapping[str, str | None], ctx: Context) -> list[str]:
    """Return a line that says what is not on the list; none when everything is."""
    absent = [thing for thing, item in found.items() if item is None]
    if not absent:
        return []
    return [ctx.say("Not on the list: {item}", item=cards.several(absent, ctx))]


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
    """Hand the actions to the agent. Raises DataError: without its data the shop is left out."""
    demo(), groceries()
    register(search, price, cheapest, reviews, another, buy)
    register(buy_list, add_to_list, remove_from_list, show_list, clear_list)
