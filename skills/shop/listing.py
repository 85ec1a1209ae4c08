"""The shopping list: what is put on it, taken off and looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from agent import Context, Reply, skill
from skills.shop import cards, shops
from skills.shop.shopping_list import ShoppingList, clean, fewer, more, split
from skills.shop.spoken import Goods, goods, is_pronoun

LIST = "(shopping|grocery|groceries|purchase|to buy) list"
"""What the wearer calls it, where other lists are meant elsewhere."""


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
    grown = {there: more(there, thing) for thing, there in found.items() if there is not None}
    grown = {there: now for there, now in grown.items() if now != there}
    try:
        if grown:
            ours.restore([grown.get(item, item) for item in before])
        added = [*new[: ours.add(*new)], *grown.values()]
    except OSError:
        return cards.unsaved(ctx)
    lines = []
    if added:
        lines.append(ctx.say("Added: {item}", item=cards.several(added, ctx)))
    if there := [item for item in _there(found) if item not in grown]:
        lines.append(ctx.say("Already on it: {item}", item=cards.several(there, ctx)))
    if len(added) < len(new) + len(grown):
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
        left = {there: fewer(there, thing) for thing, there in found.items() if there is not None}
        if there := _there(found):
            kept = (left.get(item, item) for item in before)
            ours.restore([item for item in kept if item])
    except OSError:
        return cards.unsaved(ctx)
    lines = _missing(found, ctx)
    if there:
        lines.insert(0, ctx.say("Off the list: {item}", item=cards.several(there, ctx)))
    if some := [item for item in left.values() if item]:
        lines.insert(1, ctx.say("Left: {item}", item=cards.several(some, ctx)))
    reply = cards.listed(lines, ours.items(), ctx)
    return replace(reply, undo=partial(_restore, before, ctx)) if there else reply


@skill(
    "(what is|what's) on (my|the) [shopping|grocery] list",
    f"(what is|what's|what all is) on (my|the) {LIST}",
    f"what (have i got|do i have|did i put) on (my|the) {LIST}",
    f"(what|how many) (items|things) are on (my|the) {LIST}",
    "(show|read|tell|give|hear|see|open|check|list) [me]"
    f" [(everything on|the items (in|on)|what is on|what's on)] (my|the) {LIST} [again]",
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
    return ShoppingList(ctx.folder, ctx.lists if ctx.written else None)


def _meant(product: str, ctx: Context) -> list[str]:
    """Return the things to write down; "it" is the product shown last, and nothing without one."""
    if not is_pronoun(product):
        written = _list(ctx).items()
        if clean(product) in written:
            return [clean(product)]
        return split(product, [*goods("en"), *goods("zh"), *written])
    shown = shops.shown(ctx)
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
