"""The basket: what is put in, taken out, shown and emptied."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from agent import Context, Range, Reply, private, skill
from agent.language.world import world_text
from skills.shop import cards, shops
from skills.shop.choosing import named
from skills.shop.product import Product, money, of_record
from skills.shop.shopping_list import counted
from skills.shop.spoken import ProductName

NAME = "basket.json"
MOST = 50
"""Most different things in the basket."""
KEPT = 20
"""Orders of which it is remembered that what was ordered is not in it any more."""

Count = Annotated[int, Range(1, 99)]
Line = tuple[Product, int]
Thing = tuple[str, int, str]
"""What makes a product the same one: its shop, its number and its place there."""


class Basket:
    """The basket of one wearer; every change replaces the file whole.

    All methods raise OSError where the folder can be neither read nor written.
    """

    def __init__(self, folder: Path) -> None:
        """Keep it in `folder`, which is made when something is put in."""
        self._path = folder / NAME
        self._kept: dict[str, Any] = {"lines": [], "ordered": [], "carts": {}}
        if self._path.exists():
            private.close(self._path)
            try:
                read = json.loads(self._path.read_text(encoding="utf-8"))
                self._kept = {
                    "lines": list(read["lines"]),
                    "ordered": list(read.get("ordered", [])),
                    "carts": dict(read.get("carts", {})),
                }
            except (ValueError, KeyError, TypeError):
                raise OSError(f"{self._path} is damaged: remove it to begin anew") from None

    @property
    def lines(self) -> list[Line]:
        """What is in it, and how many of each."""
        return [(of_record(number, r), count) for number, r, count in self._kept["lines"]]

    def become(self, lines: Sequence[Line]) -> None:
        """Make the basket this."""
        self._kept["lines"] = [[p.number, p.bare().record(), count] for p, count in lines[:MOST]]
        self._write()

    def ordered(self, key: str, things: Iterable[Thing]) -> None:
        """Take out what was ordered under a key; what is put in later stays, asked how often."""
        if key in self._kept["ordered"]:
            return
        self._kept["ordered"] = [key, *self._kept["ordered"]][:KEPT]
        gone = set(things)
        self.become([line for line in self.lines if thing(line[0]) not in gone])

    def cart(self, shop: str) -> str:
        """Return what a shop calls the cart that was made of this basket; empty for none."""
        return str(self._kept["carts"].get(shop, ""))

    def remember_cart(self, shop: str, cart: str) -> None:
        """Keep what a shop calls the cart that it was asked to make."""
        self._kept["carts"][shop] = cart
        self._write()

    def _write(self) -> None:
        private.write(self._path, json.dumps(self._kept, ensure_ascii=False))


@skill(
    "(put|add) {product} (in|into|to) (my|the) (basket|cart)",
    "(put|add) [{count}] (of it|of them|it|this|that) (in|into|to) (my|the) (basket|cart)",
    risk="change",
)
def put_in_basket(ctx: Context, product: ProductName | None = None, count: Count = 1) -> Reply:
    """Put a product in the basket, one or several of it."""
    said, name = counted(product) if product else (None, product)
    found = named(name, ctx)  # "two lamps": a slot of open words takes the number too
    if not isinstance(found, Product):
        return found
    count = said or count
    try:
        basket = Basket(ctx.folder)
        before = basket.lines
        basket.become(_with(before, found, count))
    except OSError:
        return unsaved(ctx)
    reply = listed(
        basket.lines, ctx, ctx.say("In the basket: {name}", name=line_of(found, count, ctx))
    )
    return replace(reply, undo=partial(_restore, before, ctx))


def _with(lines: Sequence[Line], product: Product, count: int) -> list[Line]:
    """Return the lines with so many more of a product."""
    there = {thing(p): (p, n) for p, n in lines}
    _, before = there.get(thing(product), (product, 0))
    there[thing(product)] = (product, min(99, before + count))
    return list(there.values())


def thing(product: Product) -> Thing:
    """Return what makes a product the same one."""
    return product.shop, product.number, product.place


@skill(
    "(what is|what's) in (my|the) (basket|cart)",
    "(show|read) [me] (my|the) (basket|cart)",
)
def show_basket(ctx: Context) -> Reply:
    """Show what is in the basket, and what it comes to."""
    try:
        return listed(Basket(ctx.folder).lines, ctx)
    except OSError:
        return unsaved(ctx)


@skill(
    "(take|remove) [the] {product} (out of|from) (my|the) (basket|cart)",
    risk="change",
)
def take_out(product: ProductName, ctx: Context) -> Reply:
    """Take a product out of the basket."""
    try:
        basket = Basket(ctx.folder)
        before = basket.lines
        shown = shops.shown(ctx)
        wanted = world_text(product).casefold()
        out = [
            line
            for line in before
            if wanted in line[0].name(ctx.language).casefold()
            or (wanted in ("it", "它", "这个") and shown and thing(shown) == thing(line[0]))
        ]
        if not out:
            said = ctx.say("Not in the basket: {name}", name=cards.cut(product))
            return listed(before, ctx, said)
        basket.become([line for line in before if line not in out])
    except OSError:
        return unsaved(ctx)
    names = cards.several((cards.short(p, ctx, 30) for p, _ in out), ctx)
    reply = listed(basket.lines, ctx, ctx.say("Taken out: {name}", name=names))
    return replace(reply, undo=partial(_restore, before, ctx))


@skill("(empty|clear) (my|the) (basket|cart)", risk="change")
def empty_basket(ctx: Context) -> Reply:
    """Empty the basket."""
    try:
        basket = Basket(ctx.folder)
        before = basket.lines
        basket.become(())
    except OSError:
        return unsaved(ctx)
    return replace(listed((), ctx), undo=partial(_restore, before, ctx))


def _restore(lines: Sequence[Line], ctx: Context) -> Reply:
    try:
        basket = Basket(ctx.folder)
        basket.become(lines)
    except OSError:
        return unsaved(ctx)
    return listed(basket.lines, ctx, ctx.say("Back as it was."))


# -- cards ----------------------------------------------------------------------------------------


def listed(lines: Sequence[Line], ctx: Context, *before: str) -> Reply:
    """Return the card of a basket, or of the lines of one."""
    title = ctx.say("Basket")
    if not lines:
        return cards.note(ctx, title, *before, ctx.say("Your basket is empty."))
    said = [*before, *(line_of(product, count, ctx) for product, count in lines)]
    return cards.note(ctx, title, *said, *_totals(lines, ctx), listed=True)


def line_of(product: Product, count: int, ctx: Context) -> str:
    """Return one line of it."""
    return ctx.say("{count}× {name}", count=count, name=cards.short(product, ctx, 40))


def _totals(lines: Sequence[Line], ctx: Context) -> list[str]:
    """Return what it comes to, a line for each currency; nothing where a price is not known."""
    if any(product.price is None for product, _ in lines):
        return []
    sums: dict[str, Decimal] = {}
    for product, count in lines:
        before = sums.get(product.currency, Decimal(0))
        sums[product.currency] = before + (product.price or 0) * count
    return [
        ctx.say("Together {total}", total=money(total, currency, ctx.language))
        for currency, total in sums.items()
    ]


def unsaved(ctx: Context) -> Reply:
    """Say that the file cannot be used."""
    return cards.note(ctx, ctx.say("Basket"), ctx.say("I can't keep the basket here."))
