"""Looking: a product by its bar code or by what stands on it, and any other code as what it is.

Nothing that is read here is followed: a link is not opened, a payment is not made, and what a code
or a package says chooses no action.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent import Context, Reply, skill
from agent.errors import EngineError
from agent.language.world import world_text
from agent.look import choice, codes, words
from agent.look.choice import SIDES, Side
from agent.look.codes import Code
from agent.look.meaning import (
    Alipay,
    Broken,
    Link,
    Meaning,
    Merchant,
    Note,
    OtherWallet,
    Product,
    Why,
    meaning,
)
from skills.shop import cards, shops
from skills.shop.product import money

SHOWN = 5
"""Most lines of a package on a card."""


@skill(
    "scan (this|that|it|this product)",
    "scan (the|this) (code|barcode|bar code|qr code)",
    "scan the {side} (one|code|barcode|bar code)",
    "(what is|what's) this (code|barcode|bar code|qr code)",
    "what does this (code|barcode|bar code|qr code) say",
    "(read|look at) (this|the) (code|barcode|bar code|qr code)",
    "the {side} code",
    permissions={"camera": "to see the code"},
)
def scan(ctx: Context, side: Side | None = None) -> Reply:
    """Read a code: find the product it is of, or say what else it is."""
    try:
        seen = choice.kept(ctx.memory, ctx.clock().timestamp()) if side else ()
        seen = seen or codes.read(ctx.device("camera").take())
    except EngineError as error:
        return cards.note(ctx, ctx.say("Code"), _unread(error, ctx))
    if not seen:
        return cards.note(ctx, ctx.say("Code"), ctx.say("No code can be read."),
                          ctx.say("Hold it nearer, flat and still."))  # fmt: skip
    meant = choice.chosen(seen, side)
    return _which(seen, ctx) if meant is None else _shown(meaning(meant), ctx)


def _which(seen: Sequence[Code], ctx: Context) -> Reply:
    """Ask which of several codes is meant."""
    sides = SIDES.get(len(seen), ())
    title = ctx.say("{count} codes", count=len(seen))
    if not sides:
        return cards.note(ctx, title, ctx.say("Too many to choose from: hold one nearer."))
    choice.keep(seen, ctx.memory, ctx.clock().timestamp())
    names = {"left": ctx.say("Left"), "middle": ctx.say("Middle"), "right": ctx.say("Right")}
    lines = [
        ctx.say("{side}: {what}", side=names[side], what=_brief(meaning(code), ctx))
        for side, code in zip(sides, seen, strict=True)
    ]
    return cards.note(ctx, title, *lines, ctx.say('Which? Say "the left code".'))


def _unread(error: EngineError, ctx: Context) -> str:
    return ctx.say("The picture cannot be read.") if "picture" in str(error) else ctx.told(error)


# -- what a code is -------------------------------------------------------------------------------


def _brief(what: Meaning, ctx: Context) -> str:
    """Return a few words for a code."""
    match what:
        case Product():
            return ctx.say("product {code}", code=what.gtin)
        case Merchant():
            return ctx.say("payment to {payee}", payee=world_text(what.payee, 24))
        case Alipay() | OtherWallet():
            return ctx.say("payment code")
        case Broken():
            return ctx.say("broken payment code")
        case Link():
            return ctx.say("link to {host}", host=world_text(what.host, 24))
        case Note():
            return _quoted(what.text, 24, ctx)


def _shown(what: Meaning, ctx: Context) -> Reply:
    """Return the card that says what a code is."""
    match what:
        case Product():
            return _product(what.gtin, ctx)
        case Merchant():
            return _merchant(what, ctx)
        case Alipay():
            form = ctx.say("It is one order of a shop.")
            if what.form == "collect":
                form = ctx.say("Who is paid is told by Alipay alone.")
            return cards.note(ctx, ctx.say("Alipay code"), form, _unpaid(ctx))
        case OtherWallet():
            wallet = ctx.say("WeChat Pay") if what.wallet == "wechat" else ctx.say("UnionPay")
            told = ctx.say("For {wallet}: not connected here.", wallet=wallet)
            return cards.note(ctx, ctx.say("Payment code"), told)
        case Broken():
            return cards.note(ctx, ctx.say("Not a payment"), _why(what.why, ctx),
                              ctx.say("Do not pay it."))  # fmt: skip
        case Link():
            where, whole = world_text(what.host, 60), world_text(what.url, 90)
            return cards.note(ctx, ctx.say("Link"), where, whole, ctx.say("Not opened."))
        case Note():
            return cards.note(ctx, _form(what, ctx), _quoted(what.text, 160, ctx))


def _product(code: str, ctx: Context) -> Reply:
    found = shops.by_code(code, ctx)
    if found.products:
        shops.remember(found.products, ctx)
        return cards.shelf(found.products, ctx, found.failed)
    lines = [ctx.say("product {code}", code=code), ctx.say("Not in the catalogue.")]
    lines += [ctx.say("{shop} cannot be reached.", shop=shop) for shop in found.failed]
    return cards.note(ctx, ctx.say("Code"), *lines)


def _merchant(what: Merchant, ctx: Context) -> Reply:
    payee = ctx.say(
        "To: {payee}, {city}", payee=world_text(what.payee, 40), city=world_text(what.city, 20)
    )
    amount = ctx.say("You say the amount, in {currency}.", currency=what.currency)
    if what.amount is not None:
        amount = money(what.amount, what.currency, ctx.language)
    return cards.note(ctx, ctx.say("Payment code"), amount, payee, _unpaid(ctx))


def _unpaid(ctx: Context) -> str:
    return ctx.say("Nothing is paid by looking.")


def _why(why: Why, ctx: Context) -> str:
    said = {
        "length": ctx.say("Its lengths do not add up."),
        "order": ctx.say("Its parts are out of order or twice there."),
        "field": ctx.say("A part is missing or wrong."),
        "crc": ctx.say("Its check sum is wrong: it was changed."),
        "amount": ctx.say("Its amount is none."),
        "currency": ctx.say("Its currency is not known."),
        "address": ctx.say("It leads somewhere else."),
        "signs": ctx.say("A name hides signs."),
    }
    return said[why]


def _form(what: Note, ctx: Context) -> str:
    said = {
        "contact": ctx.say("Contact"),
        "wifi": ctx.say("Wi-Fi"),
        "phone": ctx.say("Phone number"),
        "message": ctx.say("Message"),
        "place": ctx.say("Place"),
        "event": ctx.say("Event"),
        "text": ctx.say("It says"),
    }
    return said[what.form]


def _quoted(text: str, longest: int, ctx: Context) -> str:
    return ctx.say("“{text}”", text=world_text(text, longest))


# -- what stands on a package ---------------------------------------------------------------------


@skill(
    "read (this|the) (package|label|box|bottle|packet)",
    "what does (this|the) (package|label|box|bottle|packet) say",
    "(what|which) product is this",
    "(find|look up) this product",
    permissions={"camera": "to read what stands there"},
)
def read_package(ctx: Context) -> Reply:
    """Read what stands on a package, and find the product that it is."""
    try:
        picture = ctx.device("camera").take()
        for code in codes.read(picture):
            if (
                isinstance(what := meaning(code), Product)
                and shops.by_code(what.gtin, ctx).products
            ):
                return _product(what.gtin, ctx)
        lines = words.read(picture)
    except EngineError as error:
        return cards.note(ctx, ctx.say("Package"), _unread(error, ctx))
    if not lines:
        return cards.note(ctx, ctx.say("Package"), ctx.say("No text can be read."),
                          ctx.say("Hold it nearer, flat and still."))  # fmt: skip
    large = [line.text for line in sorted(lines, key=lambda line: -line.height)]
    kept = shops.catalogue(ctx)
    found = kept.read_off("\n".join(line.text for line in lines)) if kept else []
    if not found and shops.connected():
        found = list(shops.search(world_text(" ".join(large[:2]), 60), ctx).products)
    if found:
        shops.remember(found, ctx)
        return cards.shelf(found, ctx)
    return cards.note(ctx, ctx.say("Package"), *(world_text(text, 60) for text in large[:SHOWN]),
                      ctx.say("Not in the catalogue."))  # fmt: skip
