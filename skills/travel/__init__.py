"""Tell what leaves next, from timetables that the wearer has added."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from agent import Context, OneOf, Reply, hookimpl, skill
from hardware.base import DeviceError, Place
from skills.travel import gtfs
from skills.travel.gtfs import Departure, FeedError, Timetable

WHY = "to find the stop that is nearest to you"
WALKING_M_S = 1.3
"""Comfortable gait: 1.27 … 1.46 m/s over ages 20-79 (R. W. Bohannon, Age and Ageing 26, 1997)."""
DETOUR = 1.3
"""How much longer a walk is than the straight line: 1.2 … 1.4 in towns with blocks (ours)."""
SPARE_S = 120
"""How much before the departure one wants to be there."""
SHOWN = 3
"""Departures on a card."""
LONGEST = 40
"""Most characters shown of a stop that nobody knows."""

_MODES = {
    "en": {"train": "train", "bus": "bus", "tram": "tram", "streetcar": "tram", "subway": "subway",
           "metro": "subway", "underground": "subway", "ferry": "ferry", "boat": "ferry"},
    "zh": {"火车": "train", "列车": "train", "高铁": "train", "公交": "bus", "公交车": "bus",
           "巴士": "bus", "电车": "tram", "地铁": "subway", "轮渡": "ferry", "船": "ferry"},
}  # fmt: skip


def _modes(language: str) -> dict[str, str]:
    """Return what can be said for a means of transport, with GTFS's word for it."""
    return _MODES.get(language, _MODES["en"])


Mode = Annotated[str, OneOf(_modes)]


@skill(
    "(when is|when's) the next {mode} [(to|for|towards) {stop}]",
    "(what is|what's) the next {mode} (to|for|towards) {stop}",
    "(when is|when's) the next {mode} from {start} [(to|for|towards) {stop}]",
    "when does the next {mode} (leave|go|come) [(to|for|towards) {stop}]",
    "next {mode} (to|for|towards) {stop}",
    "show [me] the next {mode} departures",
    permissions={"location": WHY},
    knows=("timetable",),
)
def departures(
    ctx: Context, mode: Mode | None = None, stop: str | None = None, start: str | None = None
) -> Reply:
    """Tell what leaves next, from the nearest stop or a named one, towards another or anywhere."""
    tables = _tables()
    if not tables:
        return _none(ctx)
    place = None if start else ctx.location
    unknown = ""
    found: list[Departure] = []
    for table in tables:
        stations = table.called(start) if start else table.near(place.lat, place.lon)  # type: ignore[union-attr]
        targets = table.called(stop) if stop else None
        if start and not stations:
            unknown = start
        elif stop and not targets:
            unknown = stop
        elif stations:
            found += table.next(stations, _now(ctx), mode, targets, SHOWN)
    found = sorted(found, key=lambda one: one.at)[:SHOWN]
    if not found:
        if unknown:
            return Reply(ctx.say("“{stop}” is in no timetable here.", stop=_cut(unknown)))
        return Reply(
            "\n".join([ctx.say("Nothing leaves that the timetables know."), *_honest(place, ctx)])
        )
    ctx.memory["next"] = found[0]
    lines = [_line(one, ctx) for one in found]
    first = found[0]
    where = ctx.say("from {stop}", stop=first.stop)
    text = "\n".join([*lines, where, *_honest(place, ctx)])
    minutes = max(0, int((first.at - _now(ctx)).total_seconds() // 60))
    title = ctx.say("in {n} min", n=minutes) if minutes < 100 else f"{first.at:%H:%M}"
    spoken = ctx.say(
        "{line} to {to} at {time}.", line=first.line, to=first.to, time=f"{first.at:%H:%M}"
    )
    return Reply(text, title=title, speech=spoken)


@skill(
    "(which|what) platform [(does it leave from|is it|do i need)]",
    "from (which|what) platform does (it|the {mode}) leave",
    "where does (it|the {mode}) leave",
    knows=("timetable",),
)
def platform(ctx: Context, mode: Mode | None = None) -> Reply:
    """Tell the platform and the stop of the departure that was asked for last."""
    last = ctx.memory.get("next")
    if not isinstance(last, Departure):
        return Reply(ctx.say("Which one? Say “when is the next train”."))
    title = ctx.say("Platform {name}", name=last.platform) if last.platform else last.stop
    lines = [_line(last, ctx)]
    if last.platform:
        lines.append(ctx.say("from {stop}", stop=last.stop))
    else:
        lines.append(ctx.say("The timetable tells no platform."))
    return Reply("\n".join(lines), title=title)


@skill(
    "when (must|should|do) i [have to] (leave|go|set off) [(for|to catch) (it|the {mode})]",
    permissions={"location": WHY},
    knows=("timetable",),
)
def leave(ctx: Context, mode: Mode | None = None) -> Reply:
    """Tell when to set off on foot for the departure that was asked for last."""
    last = ctx.memory.get("next")
    if not isinstance(last, Departure):
        return Reply(ctx.say("Which one? Say “when is the next train”."))
    place = ctx.location
    metres = DETOUR * gtfs.away_m(place.lat, place.lon, *last.where)
    walk = timedelta(seconds=metres / WALKING_M_S)
    then = last.at - walk - timedelta(seconds=SPARE_S)
    minutes = round(walk.total_seconds() / 60)
    lines = [
        ctx.say("about {n} min on foot to {stop}", n=minutes, stop=last.stop),
        _line(last, ctx),
        *_honest(place, ctx),
    ]
    late = then <= _now(ctx)
    title = ctx.say("Leave now") if late else ctx.say("Leave at {time}", time=f"{then:%H:%M}")
    return Reply("\n".join(lines), title=title, speech=title)


def _line(one: Departure, ctx: Context) -> str:
    name = " ".join(filter(None, (one.line, f"→ {one.to}")))
    track = ctx.say("platform {name}", name=one.platform) if one.platform else ""
    return "  ".join(filter(None, (f"{one.at:%H:%M}", name, track)))


def _now(ctx: Context) -> datetime:
    """Return the time of the agent's clock, with the zone of the system."""
    now = ctx.clock()
    return now if now.tzinfo else now.astimezone()


def _honest(place: Place | None, ctx: Context) -> list[str]:
    return [ctx.say("(simulated position)")] if place and place.simulated else []


def _none(ctx: Context) -> Reply:
    text = [ctx.say("There is no timetable here."), ctx.say("Add one: glasses travel add FEED.zip")]
    return Reply("\n".join(text))


def _cut(words: str) -> str:
    plain = " ".join(words.split())
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}…"


def _tables() -> list[Timetable]:
    """Return the timetables that are here. Raises DeviceError for a damaged one."""
    root = gtfs.folder()
    try:
        return [_opened(path, path.stat().st_mtime_ns) for path in sorted(root.glob("*.db"))]
    except FeedError as error:
        raise DeviceError(str(error)) from None


@lru_cache(maxsize=8)
def _opened(path: Path, stamp: int) -> Timetable:
    return Timetable(path)


@hookimpl
def register_commands(register: Callable[..., None]) -> None:
    """Add `glasses travel`."""
    from skills.travel.commands import travel

    register(travel)


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Add the actions."""
    register(departures, platform, leave)
