"""Flights, trains and hotels to be booked: searched at Fliggy's, and opened on the phone.

Nothing is booked from here. Fliggy's program has no order, so there is nothing that could be shown
and confirmed as a Proposal: its page takes the order and the money, on the wearer's phone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from agent import Context, OneOf, Reply, skill
from agent.language import money, wording
from agent.skill.slots import At
from hardware.base import DeviceError
from skills.travel.fliggy import Fliggy, FliggyError, NotInstalled, Offer

WHY = {"network": "to ask Fliggy for the prices"}
FIND = "(find|search for|look for) [me]"
SHOWN = 5
"""Most offers on a card."""

_KINDS = {
    "en": {"flights": "flight", "flight": "flight", "plane tickets": "flight",
           "trains": "train", "train": "train", "train tickets": "train"},
    "zh": {"机票": "flight", "航班": "flight", "飞机票": "flight", "火车票": "train",
           "高铁票": "train"},
}  # fmt: skip
_WHICH = {
    "en": {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5},
    "zh": {"第一个": 1, "第二个": 2, "第三个": 3, "第四个": 4, "第五个": 5},
}

_CITIES = {
    "en": "Beijing Shanghai Guangzhou Shenzhen Hangzhou Chengdu Chongqing Wuhan Nanjing Suzhou"
          " Xiamen Harbin Tianjin Qingdao Guilin Macau Tokyo Osaka Seoul Singapore Bangkok London"
          " Paris Vienna Berlin Frankfurt Munich Zurich Rome Madrid Sydney",
    "zh": "北京 上海 广州 深圳 杭州 成都 重庆 武汉 南京 苏州 西安 厦门 三亚 哈尔滨 天津 青岛 昆明"
          " 长沙 桂林 香港 澳门 台北 东京 大阪 首尔 新加坡 曼谷 伦敦 巴黎 维也纳 柏林",
}  # fmt: skip
"""Cities that speech listens for; any other is taken as it is heard."""


def _cities(language: str) -> list[str]:
    return _CITIES.get(language, _CITIES["en"]).split()


def _kinds(language: str) -> dict[str, str]:
    return _KINDS.get(language, _KINDS["en"])


def _which(language: str) -> dict[str, int]:
    return _WHICH.get(language, _WHICH["en"])


City = Annotated[str, OneOf(_cities, open=True)]
Kind = Annotated[str, OneOf(_kinds)]
Which = Annotated[int, OneOf(_which)]
When = Annotated[datetime, At(lengths=False)]

fliggy = Fliggy()
"""Whom offers are asked of."""


@skill(
    f"{FIND} [(a|the|the cheapest|cheap)] {{kind}} from {{origin}} to {{city}}",
    f"{FIND} [(a|the|the cheapest|cheap)] {{kind}} from {{origin}} to {{city}} [(for|on)] {{day}}",
    f"{FIND} [(a|the|the cheapest|cheap)] {{kind}} [(for|on)] {{day}} from {{origin}} to {{city}}",
    "what do {kind} from {origin} to {city} cost [[(for|on)] {day}]",
    permissions=WHY,
)
def find_tickets(
    kind: Kind, origin: City, city: City, ctx: Context, day: When | None = None
) -> Reply:
    """Search for flights or trains of a day, the cheapest first; today where no day is named."""
    when = (day or ctx.clock()).date()
    which: Any = kind
    return _searched(
        ctx,
        lambda: fliggy.journeys(which, origin, city, when),
        f"{origin} → {city}",
        wording.day_name(when, ctx.language),
    )


@skill(
    f"{FIND} (a hotel|hotels) in {{city}}",
    f"{FIND} (a hotel|hotels) in {{city}} [(for|on)] {{day}}",
    "what do hotels in {city} cost [[(for|on)] {day}]",
    permissions=WHY,
)
def find_hotels(city: City, ctx: Context, day: When | None = None) -> Reply:
    """Search for hotels in a city for one night; tonight where no day is named."""
    when = (day or ctx.clock()).date()
    name = wording.day_name(when, ctx.language)
    return _searched(ctx, lambda: fliggy.hotels(city, when), city, name)


@skill(
    "open the {which} offer on my phone",
    "(book|take) the {which} offer",
    risk="change",
)
def open_offer(which: Which, ctx: Context) -> Reply:
    """Open an offer on the phone, where it is booked and paid; nothing is booked from here."""
    offers = ctx.memory.get("offers", ())
    if not offers:
        return Reply(ctx.say("Which one? Say “find flights from Beijing to Shanghai”."))
    if which > len(offers):
        return Reply(ctx.say("There are only {n}.", n=len(offers)))
    offer: Offer = offers[which - 1]
    nothing = ctx.say("Nothing is booked yet.")
    if not offer.link:
        return Reply(f"{_line(offer, ctx)}\n{ctx.say('Fliggy gave no link to it.')}")
    try:
        ctx.device("phone").open(offer.link)
        told = ctx.say("Opened on your phone: book and pay at {host}.", host=offer.host)
    except DeviceError:
        told = ctx.say("No phone is paired: book it in Fliggy’s app.")
    return Reply("\n".join([_line(offer, ctx), told, nothing]), title=ctx.say("Fliggy"))


def _searched(ctx: Context, ask: Callable[[], list[Offer]], title: str, day: str) -> Reply:
    """Ask Fliggy, and show what it found."""
    try:
        found = ask()[:SHOWN]
    except NotInstalled:
        how = "npm i -g @fly-ai/flyai-cli"
        return Reply(ctx.say("Fliggy is asked by its own program: {how}", how=how), kind="alert")
    except FliggyError as error:
        return Reply(str(error), title=ctx.say("Fliggy"), kind="alert")
    if not found:
        return Reply(f"{day}\n{ctx.say('Fliggy finds nothing.')}", title=title)
    ctx.memory["offers"] = tuple(found)
    lines = [f"{at}. {_line(one, ctx)}" for at, one in enumerate(found, start=1)]
    said = ctx.say(
        "{count} offers; the first: {offer}", count=len(found), offer=_line(found[0], ctx)
    )
    told = ctx.say("By Fliggy. “Open the first offer on my phone.”")
    return Reply("\n".join([day, *lines, told]), title=title, kind="list", speech=said)


def _line(one: Offer, ctx: Context) -> str:
    price = money.shown(money.to_minor(one.price, "CNY"), "CNY") if one.price else ""
    hours = f"{one.begins}–{one.ends}" if one.begins else ""
    way = f"{one.start} → {one.goal}" if one.start and one.goal else ""
    changes = ctx.say("1 change") if one.changes == 1 else ""
    if one.changes > 1:
        changes = ctx.say("{n} changes", n=one.changes)
    if one.begins:
        return "  ".join(filter(None, (hours, price, one.name, way, changes)))
    return "  ".join(filter(None, (one.name, price, one.about)))
