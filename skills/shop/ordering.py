"""Ordering: an order is a Proposal, the agent alone commits it, and its ledger knows of it.

Before it is sent it is in the ledger with all that it takes to ask the shop again, so that neither
a crash nor a silent shop loses it, and nothing sends it a second time (`skills.shop.till`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from agent import Context, Payment, Proposal, Reply, skill
from agent.language.world import world_text
from agent.skill.payments import Entry, LedgerError
from skills.shop import cards, shops, till
from skills.shop.basket import Basket, Line, line_of, listed, thing, unsaved
from skills.shop.choosing import named
from skills.shop.port import KnowsTrades, ShopError, TakesOrders
from skills.shop.product import Product, money
from skills.shop.spoken import ProductName

SHOWN = 3
"""Most trades of a shop that a card tells of."""


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
        return unsaved(ctx)
    if not lines:
        return listed((), ctx)
    if (reply := _proposed(lines, ctx)) is not None:
        return reply
    return listed(lines, ctx, ctx.say("I can't place orders here."))


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
        return Reply(cards.cut(ctx.told(error), 120), title=title, kind="alert")
    if quote.elsewhere:
        return cards.note(ctx, title, money(quote.total, quote.currency, ctx.language),
                          ctx.say("This shop takes the order on your phone."),
                          world_text(quote.elsewhere, 90))  # fmt: skip
    said = [line_of(product, count, ctx) for product, count in wanted]
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
        account=f"shop-{id_}",
        provider=till.NAME,
        details={
            "shop": id_ or "",
            "checkout": quote.checkout,
            "things": json.dumps([thing(product) for product, _ in wanted]),
            "language": ctx.language,
        },
    )


@skill(
    "where is my order",
    "what (happened to|about|became of) my [last] order",
    "(track|show) my [last] order",
    "[what is] [the] (status of my order|order status)",
    permissions={"money": "to tell what you ordered", "network": "to ask the shop"},
)
def order_status(ctx: Context) -> Reply:
    """Ask the shop what became of the last order."""
    title = ctx.say("Order")
    try:
        orders = (one for one in ctx.payments.entries() if one.provider == till.NAME)
        last = next(orders, None)
        if last is not None:
            last = ctx.payments.ask(last.order.key) or last
    except LedgerError:
        return cards.note(ctx, title, ctx.say("What was ordered cannot be read."))
    by_hand = _by_hand(ctx)
    if last is None:
        return cards.note(ctx, title, *(by_hand or [ctx.say("Nothing was ordered yet.")]))
    state, told = _became(last)
    shop = shops.name_of(last.order.details.get("shop", ""), ctx)
    total = money(last.order.amount, last.order.currency, ctx.language)
    lines = [_state(state, ctx), f"{total} {shop}"]
    if last.reference:
        lines.append(ctx.say("Number {number}", number=world_text(last.reference, 40)))
    if not told:
        lines.append(ctx.say("The shop cannot be reached now."))
    return cards.note(ctx, title, *lines, *by_hand)


def _by_hand(ctx: Context) -> list[str]:
    """Return what was bought at the shops by hand, two lines each, as far as they tell it."""
    lines = []
    for shop in shops.connected().values():
        if not isinstance(shop, KnowsTrades):
            continue
        try:
            trades = shop.bought() or []
        except ShopError as error:
            lines.append(cards.cut(str(error), 80))
            continue
        for trade in trades[:SHOWN]:
            state = _state(trade.state, ctx) if trade.state else ctx.say("Its state is not known.")
            price = money(trade.total, trade.currency, ctx.language) if trade.total else ""
            lines.append(f"{shop.name}  {cards.cut(trade.text or trade.number, 24)}")
            lines.append("  ".join(filter(None, (state, price))))
    return lines


def _became(entry: Entry) -> tuple[str, bool]:
    """Return what state an order is in, and whether its shop said so just now."""
    if entry.state == "refused":
        return "failed", True
    known = "sent" if entry.state not in ("paid", "settled") else "ordered"
    shop = till.shop_of(entry.order)
    if shop is None:
        return known, False
    try:
        state = shop.became(entry.order.details.get("checkout", ""), entry.reference).state
    except ShopError:
        return known, False
    return known if state == "open" else state, True  # what was sent may be on its way


def _state(state: str, ctx: Context) -> str:
    said = {
        "unpaid": ctx.say("It is not paid yet."),
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
