"""Convert units and currencies, and reckon: no model is asked, libraries do it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

from agent import Context, OneOf, Reply, hookimpl, skill
from hardware.base import DeviceError
from skills.convert import rates, reckon, units

WHY = "to read exchange rates, where a feed is set"

Unit = Annotated[str, OneOf(units.said)]
Operation = Annotated[str, OneOf(reckon.operations)]


@skill(
    "convert {what} (to|into|in) {to}",
    "(how many|how much) {to} (is|are) {what}",
    "(how many|how much) {to} [(are|are there|is)] in {what}",
    "(what is|what's|how much is) {what} (in|to) {to}",
    "(what is|what's|how much is) {what} worth in {to}",
    "(how many|how much) {to} (can|could|do|will|would) i (get|have) for {what}",
    "(how many|how much) {to} can i exchange for {what}",
    "(how many|how much) {to} (make|makes) [up] {what}",
    "{count} {unit} is (how many|how much) {to}",
    "change {count} {unit} into {to}",
    "{count} {unit} (in|to|into) {to}",
    "[(what is|what's|how much is|convert)] {count} {unit} {more} [{small}] (in|to|into) {to}",
    "(how do (you|i)|how can i|convert) [convert] {unit} (to|into) {to}",
    "(what is|what's) the (exchange|conversion) rate (between|from|of|for) [the] {unit} (and|to)"
    " [the] {to}",
    "[the] {unit} to {to} [exchange] rate",
    permissions={"network": WHY},
)
def convert(
    ctx: Context,
    to: Unit = "",
    what: str = "",
    count: float | None = None,
    unit: Unit | None = None,
    more: float | None = None,
    small: Unit | None = None,
) -> Reply:
    """Convert an amount to another unit, or money to another currency at a dated rate."""
    found = units.read(what)
    if unit is not None:
        found = units.together(1 if count is None else count, unit, more, small)
    if found is None:
        return _said(ctx.say("I can't convert “{what}”.", what=what))
    amount, unit = found
    if units.is_currency(unit) and units.is_currency(to):
        return _money(amount, unit, to, ctx)
    result = units.converted(amount, unit, to)
    if result is None:
        one, other = units.shown(unit, ctx.language), units.shown(to, ctx.language)
        return _said(ctx.say("{one} are not {other}.", one=one, other=other))
    told = f"{reckon.short(result, 5)} {units.shown(to, ctx.language)}"
    return Reply(f"{told}\n= {reckon.short(amount)} {units.shown(unit, ctx.language)}", speech=told)


def _money(amount: Decimal, unit: str, to: str, ctx: Context) -> Reply:
    try:
        table = rates.current(ctx.folder)
    except DeviceError as error:
        return Reply(ctx.told(error), kind="alert")
    if table is None:
        return _said(ctx.say("I have no exchange rates: set GLASSES_RATES."))
    result = table.converted(amount, unit, to)
    if result is None:
        return _said(ctx.say("I have no rate from {one} to {other}.", one=unit, other=to))
    told = f"{result:,.2f} {to}"
    day = ctx.say("Rates of {day}", day=table.date.isoformat())
    return Reply(f"{told}\n= {amount:,.2f} {unit}\n{day}", speech=told)


@skill(
    "[(what is|what's|how much is|calculate)] {a} {op} {b}",
    "(what is|what's|how much is|calculate) {a} {op} {b} {op2} {c}",
    "[(what does|solve|solve this equation|tell me)] {a} {op} {b} [(equal|equals|make)]",
)
def reckon_out(
    a: float,
    op: Operation,
    b: float,
    ctx: Context,
    op2: Operation | None = None,
    c: float | None = None,
) -> Reply:
    """Reckon: plus, minus, times, divided by, to the power of."""
    terms = [a, b] if op2 is None or c is None else [a, b, c]
    return _result(reckon.value(terms, [op] if op2 is None else [op, op2]), ctx)


@skill(
    "[(what is|what's|how much is|calculate)] {a} percent of {b}",
    "(what is|what's|how much is|calculate) [a] {a} percent tip on {b}",
    "[(a|an|the)] {a} percent tip on {b}",
    "[what is|what's] (a|an) {a} percent tip (for|of) {b}",
    "[(what is|what's|how much is|calculate)] half of {b}",
    "[(what is|what's|how much is|calculate)] {part} of {b}",
)
def percent(
    b: float,
    ctx: Context,
    a: float | None = None,
    part: Annotated[float, OneOf(reckon.parts)] = 0.5,
) -> Reply:
    """Reckon a share of a number: in per cent, or half of it, a third, three quarters."""
    if a is None:
        return _result(reckon.value([b, part], ["*"]), ctx)
    return _result(reckon.value([a, b, 100], ["*", "/"]), ctx)


@skill(
    "[(what is|what's|how much is|calculate)] {a} percent off [of] {b}",
    "(what is|what's) {b} (less|minus) {a} percent",
)
def less(a: float, b: float, ctx: Context) -> Reply:
    """Reckon what is left of a number once a share in per cent is taken off it."""
    return _result(reckon.value([100 - a, b, 100], ["*", "/"]), ctx)


@skill("divide {a} by {b}", "[what is] {a} (divided|split) (into|in) {b} [(equal)] parts")
def divide(a: float, b: float, ctx: Context) -> Reply:
    """Reckon: divided by."""
    return _result(reckon.value([a, b], ["/"]), ctx)


@skill("multiply {a} (by|with) {b}")
def multiply(a: float, b: float, ctx: Context) -> Reply:
    """Reckon: times."""
    return _result(reckon.value([a, b], ["*"]), ctx)


@skill("(what is|what's|calculate) the [square] root of {a}")
def square_root(a: float, ctx: Context) -> Reply:
    """Reckon the square root of a number."""
    return _result(reckon.root(a), ctx)


def _result(result: Decimal | None, ctx: Context) -> Reply:
    if result is None:
        return _said(ctx.say("That has no answer."))
    return _said(f"= {reckon.short(result)}")


def _said(text: str) -> Reply:
    return Reply(text, speech=text.removeprefix("= "))


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Hand the actions to the agent."""
    register(percent, less, square_root, divide, multiply, reckon_out, convert)
