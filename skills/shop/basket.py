"""The basket, and ordering what is in it: an order is a Proposal, and the agent alone commits it.

An order is written down before it is sent, with the key it is sent under. If nobody answers then,
"where is my order" asks the shop what became of it; it is never sent a second time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from agent import Context, NotCommitted, Payment, Proposal, Range, Receipt, Reply, private, skill
from agent.language.world import world_text
from skills.shop import cards, shops
from skills.shop.choosing import named
from skills.shop.port import Quote, ShopError, TakesOrders, Unsure
from skills.shop.product import Product, money, of_record
from skills.shop.shopping_list import counted
from skills.shop.spoken import ProductName

NAME = "basket.json"
MOST = 50
"""Most different things in the basket."""
KEPT = 20
"""Orders that are remembered."""

Count = Annotated[int, Range(1, 99)]
Line = tuple[Product, int]


class Basket:
    """The basket of one wearer, and what was ordered; every change replaces the file whole.

    All methods raise OSError where the folder can be neither read nor written.
    """

    def __init__(self, folder: Path) -> None:
        """Keep it in `folder`, which is made when something is put in."""
        self._path = folder / NAME
        self._kept: dict[str, list[Any]] = {"lines": [], "orders": []}
        if self._path.exists():
            private.close(self._path)
            try:
                read = json.loads(self._path.read_text(encoding="utf-8"))
                self._kept = {"lines": list(read["lines"]), "orders": list(read["orders"])}
            except (ValueError, KeyError, TypeError):
                raise OSError(f"{self._path} is damaged: remove it to begin anew") from None

    @property
    def lines(self) -> list[Line]:
        """What is in it, and how many of each."""
        return [(of_record(number, r), count) for number, r, count in self._kept["lines"]]

    @property
    def orders(self) -> list[dict[str, Any]]:
        """What was ordered, the newest first."""
        return list(self._kept["orders"])

    def become(self, lines: Sequence[Line]) -> None:
        """Make the basket this."""
        self._kept["lines"] = [[p.number, p.bare().record(), count] for p, count in lines[:MOST]]
        self._write()

    def note(self, **order: Any) -> None:
        """Write an order down, or what is new about the one of the same key."""
        orders = self._kept["orders"]
        before = next((one for one in orders if one["key"] == order["key"]), None)
        if before is None:
            self._kept["orders"] = [order, *orders][:KEPT]
        else:
            before.update(order)
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
        return _unsaved(ctx)
    reply = _listed(
        basket.lines, ctx, ctx.say("In the basket: {name}", name=_line(found, count, ctx))
    )
    return replace(reply, undo=partial(_restore, before, ctx))


def _with(lines: Sequence[Line], product: Product, count: int) -> list[Line]:
    """Return the lines with so many more of a product."""
    there = {_same(p): (p, n) for p, n in lines}
    _, before = there.get(_same(product), (product, 0))
    there[_same(product)] = (product, min(99, before + count))
    return list(there.values())


def _same(product: Product) -> tuple[str, int, str]:
    return product.shop, product.number, product.place


@skill(
    "(what is|what's) in (my|the) (basket|cart)",
    "(show|read) [me] (my|the) (basket|cart)",
)
def show_basket(ctx: Context) -> Reply:
    """Show what is in the basket, and what it comes to."""
    try:
        return _listed(Basket(ctx.folder).lines, ctx)
    except OSError:
        return _unsaved(ctx)


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
            or (wanted in ("it", "它", "这个") and shown and _same(shown) == _same(line[0]))
        ]
        if not out:
            said = ctx.say("Not in the basket: {name}", name=cards.cut(product))
            return _listed(before, ctx, said)
        basket.become([line for line in before if line not in out])
    except OSError:
        return _unsaved(ctx)
    names = cards.several((cards.short(p, ctx, 30) for p, _ in out), ctx)
    reply = _listed(basket.lines, ctx, ctx.say("Taken out: {name}", name=names))
    return replace(reply, undo=partial(_restore, before, ctx))


@skill("(empty|clear) (my|the) (basket|cart)", risk="change")
def empty_basket(ctx: Context) -> Reply:
    """Empty the basket."""
    try:
        basket = Basket(ctx.folder)
        before = basket.lines
        basket.become(())
    except OSError:
        return _unsaved(ctx)
    return replace(_listed((), ctx), undo=partial(_restore, before, ctx))


def _restore(lines: Sequence[Line], ctx: Context) -> Reply:
    try:
        basket = Basket(ctx.folder)
        basket.become(lines)
    except OSError:
        return _unsaved(ctx)
    return _listed(basket.lines, ctx, ctx.say("Back as it was."))


# -- ordering -------------------------------------------------------------------------------------


@skill(
    "buy [me] [a|an|the|some] {product}",
    "i (want|would like) to buy [a|an|the|some] {product}",
    "buy (it|this|that)",
    risk="money",
    permissions={"money": "to order what you say yes to", "network": "to ask the shop"},
)
def buy(ctx: Context, product: ProductName | None = None) -> Reply:
    """Propose to order one product, where its shop takes orders."""
    found = named(product, ctx)
    if not isinstance(found, Product):
        return found
    return _proposed([(found, 1)], ctx) or cards.no_orders(found, ctx)


@skill(
    "buy (my|the) (basket|cart)",
    "buy (what is|everything) in (my|the) (basket|cart)",
    "check out (my|the) (basket|cart)",
    "place (my|the|an) order",
    risk="money",
    permissions={"money": "to order what you say yes to", "network": "to ask the shop"},
)
def order(ctx: Context) -> Reply:
    """Propose to order what is in the basket."""
    try:
        lines = Basket(ctx.folder).lines
    except OSError:
        return _unsaved(ctx)
    if not lines:
        return _listed((), ctx)
    if (reply := _proposed(lines, ctx)) is not None:
        return reply
    return _listed(lines, ctx, ctx.say("I can't place orders here."))


def _proposed(lines: Sequence[Line], ctx: Context) -> Reply | None:
    """Ask the shop of the first thing for a quote, and propose it; None where it takes no order."""
    known = shops.connected()
    id_ = next((p.shop for p, _ in lines if isinstance(known.get(p.shop), TakesOrders)), None)
    shop = known.get(id_ or "")
    if not isinstance(shop, TakesOrders):
        return None
    title = cards.cut(shops.name_of(id_ or "", ctx), 14)
    wanted = [line for line in lines if line[0].shop == id_]
    try:
        quote = shop.quote(wanted)
    except ShopError as error:
        return Reply(cards.cut(str(error), 120), title=title, kind="alert")
    if quote.elsewhere:
        return cards.note(ctx, title, money(quote.total, quote.currency, ctx.language),
                          ctx.say("This shop takes the order on your phone."),
                          world_text(quote.elsewhere, 90))  # fmt: skip
    said = [_line(product, count, ctx) for product, count in wanted]
    said += [
        ctx.say(
            "{what}: {price}", what=world_text(what, 20), price=money(amount, quote.currency, "en")
        )
        for what, amount in quote.extras
    ]
    if left := len(lines) - len(wanted):
        said.append(ctx.say("{count} of other shops stay.", count=left))
    shown = Payment(quote.total, quote.currency, world_text(quote.payee, 40))
    return Proposal(
        title=ctx.say("Order"),
        text="\n".join(said),
        kind="proposal",
        amount=shown.amount,
        currency=shown.currency,
        payee=shown.payee,
        commit=lambda key, agreed: _commit(key, agreed, (shown, quote, wanted), shop, ctx),
    )


def _commit(
    key: str,
    agreed: Payment,
    proposed: tuple[Payment, Quote, Sequence[Line]],
    shop: TakesOrders,
    ctx: Context,
) -> Receipt:
    """Order it, once, under the key. Raises NotCommitted when it is certain that nothing was."""
    shown, quote, lines = proposed
    if agreed != shown:
        raise NotCommitted(ctx.say("Something else was shown."))
    about = {"shop": lines[0][0].shop, "checkout": quote.checkout, "key": key,
             "total": str(quote.total), "currency": quote.currency}  # fmt: skip
    try:
        basket = Basket(ctx.folder)
        basket.note(**about, state="sent", number="")
    except OSError:
        raise NotCommitted(ctx.say("The order cannot be written down here.")) from None
    try:
        done = shop.order(quote, key)
    except Unsure:
        raise
    except ShopError as error:
        basket.note(key=key, state="failed")
        raise NotCommitted(world_text(error, 120)) from None
    basket.note(key=key, state=done.state, number=done.number)
    ordered = {_same(product) for product, _ in lines}
    basket.become([line for line in basket.lines if _same(line[0]) not in ordered])
    paid = shown
    if done.total is not None and (done.total, done.currency) != (shown.amount, shown.currency):
        paid = Payment(done.total, done.currency, shown.payee)
    text = ctx.say("Ordered. Number {number}.", number=world_text(done.number, 40))
    return Receipt(text, done.number, paid)


@skill(
    "where is my order",
    "what (happened to|about|became of) my [last] order",
    "(track|show) my [last] order",
    "[what is] [the] (status of my order|order status)",
    permissions={"network": "to ask the shop"},
)
def order_status(ctx: Context) -> Reply:
    """Ask the shop what became of the last order."""
    title = ctx.say("Order")
    try:
        basket = Basket(ctx.folder)
    except OSError:
        return _unsaved(ctx)
    if not basket.orders:
        return cards.note(ctx, title, ctx.say("Nothing was ordered yet."))
    last = basket.orders[0]
    total = money(Decimal(last["total"]), last["currency"], ctx.language)
    shop = shops.connected().get(last["shop"])
    state, number, told = last["state"], last["number"], True
    if isinstance(shop, TakesOrders) and state not in ("failed", "delivered", "canceled"):
        try:
            became = shop.became(last["checkout"], number)
            state, number = became.state, became.number or number
            basket.note(key=last["key"], state=state, number=number)
        except (ShopError, OSError):
            told = False
    lines = [_state(state, ctx), f"{total} {shops.name_of(last['shop'], ctx)}"]
    if number:
        lines.append(ctx.say("Number {number}", number=world_text(number, 40)))
    if not told:
        lines.append(ctx.say("The shop cannot be reached now."))
    return cards.note(ctx, title, *lines)


def _state(state: str, ctx: Context) -> str:
    said = {
        "sent": ctx.say("Sent; the shop has not said yet whether it took it."),
        "open": ctx.say("It was not ordered."),
        "failed": ctx.say("It was not ordered."),
        "working": ctx.say("The shop is working on it."),
        "ordered": ctx.say("Ordered."),
        "shipped": ctx.say("It is on its way."),
        "delivered": ctx.say("It was delivered."),
        "canceled": ctx.say("It was cancelled."),
    }
    return said.get(state, said["sent"])


# -- cards ----------------------------------------------------------------------------------------


def _listed(lines: Sequence[Line], ctx: Context, *before: str) -> Reply:
    title = ctx.say("Basket")
    if not lines:
        return cards.note(ctx, title, *before, ctx.say("Your basket is empty."))
    said = [*before, *(_line(product, count, ctx) for product, count in lines)]
    return cards.note(ctx, title, *said, *_totals(lines, ctx), listed=True)


def _line(product: Product, count: int, ctx: Context) -> str:
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


def _unsaved(ctx: Context) -> Reply:
    return cards.note(ctx, ctx.say("Basket"), ctx.say("I can't keep the basket here."))
