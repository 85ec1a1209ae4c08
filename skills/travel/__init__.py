"""Tell what leaves next: from timetables that the wearer has added, and what they have booked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from agent import Context, OneOf, Reply, hookimpl, skill
from agent.skill.events import Event
from hardware.base import DeviceError, Place
from skills.travel import gtfs, journeys, offers
from skills.travel.gtfs import FeedError
from skills.travel.timetable import Departure, Timetable, away_m

WHY = {
    "location": "to find the stop that is nearest to you",
    "personal": "to know a journey that is in your calendar",
}
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
ON_FOOT = timedelta(hours=2)
"""A longer walk to a departure is none."""

_MODES = {
    "en": {"train": "train", "bus": "bus", "tram": "tram", "streetcar": "tram", "subway": "subway",
           "metro": "subway", "underground": "subway", "ferry": "ferry", "boat": "ferry",
           "flight": "plane", "plane": "plane"},
    "zh": {"火车": "train", "列车": "train", "高铁": "train", "公交": "bus", "公交车": "bus",
           "巴士": "bus", "电车": "tram", "地铁": "subway", "轮渡": "ferry", "船": "ferry",
           "航班": "plane", "飞机": "plane"},
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
    permissions=WHY,
    knows=("timetable",),
)
def departures(
    ctx: Context, mode: Mode | None = None, stop: str | None = None, start: str | None = None
) -> Reply:
    """Tell what leaves next, from the nearest stop or a named one, towards another or anywhere.

    A journey that is booked, by the wearer's calendar, comes first.
    """
    tables, now = _tables(), _now(ctx)
    planned, lost = _planned(now, ctx)
    booked = journeys.booked(planned, tables, mode, stop, start)
    if not tables and booked is None:
        return _none(ctx, lost)
    place = ctx.location if tables and not start else None
    found: list[Departure] = []
    unknown = ""
    for table in tables:
        stations = table.called(start) if start else table.near(place.lat, place.lon)  # type: ignore[union-attr]
        targets = table.called(stop) if stop else None
        if start and not stations:
            unknown = start
        elif stop and not targets:
            unknown = stop
        elif stations:
            found += table.next(stations, now, mode, targets, SHOWN)
    found = sorted(found, key=lambda one: one.at)[:SHOWN]
    if booked is not None:
        found = [booked, *(one for one in found if not _same(one, booked))][:SHOWN]
    if not found:
        if unknown:
            return Reply(ctx.say("“{stop}” is in no timetable here.", stop=_cut(unknown)))
        nothing = ctx.say("Nothing leaves that the timetables know.")
        return Reply("\n".join([nothing, *lost, *_honest(place, ctx)]))
    first = found[0]
    ctx.memory["next"] = first
    where = [ctx.say("from {stop}", stop=first.stop)] if first.stop else []
    text = "\n".join([*(_line(one, ctx) for one in found), *where, *lost, *_honest(place, ctx)])
    minutes = max(0, int((first.at - now).total_seconds() // 60))
    title = ctx.say("in {n} min", n=minutes) if minutes < 100 else f"{first.at:%H:%M}"
    return Reply(text, title=title, speech=_spoken(first, ctx))


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
    "when (must|should|do) i [have to] (leave|go|set off) for (my|the) [next] {event}",
    permissions=WHY,
    knows=("timetable",),
)
def leave(ctx: Context, mode: Mode | None = None, event: str | None = None) -> Reply:
    """Tell when to set off on foot: for the departure asked for last, or what the calendar has."""
    tables, now = _tables(), _now(ctx)
    goal, lost = _goal(event, mode, now, tables, ctx)
    if goal is None:
        if event:
            told = ctx.say(
                "“{event}” is not on your calendar for the next 24 hours.", event=_cut(event)
            )
        else:
            told = ctx.say("Which one? Say “when is the next train”.")
        return Reply("\n".join([told, *lost]))
    place = ctx.location
    end = Place(*goal.where) if goal.where else journeys.spot(goal.stop, place, tables, ctx)
    if end is None:
        name = goal.stop or goal.to
        lines = [_line(goal, ctx), ctx.say("I don't know where “{stop}” is.", stop=_cut(name))]
        return Reply("\n".join(lines), title=f"{goal.at:%H:%M}")
    metres = _walk_m(place, end, ctx)
    walk = timedelta(seconds=metres / WALKING_M_S)
    stop = goal.stop or goal.to
    if walk > ON_FOOT:
        far = ctx.say("{stop} is {n} km away: too far to walk", stop=stop, n=round(metres / 1000))
        lines = [_line(goal, ctx), far, *_honest(place, ctx)]
        return Reply("\n".join(lines), title=f"{goal.at:%H:%M}")
    then = goal.at - walk - timedelta(seconds=SPARE_S)
    minutes = round(walk.total_seconds() / 60)
    late = then <= now
    when = ctx.say("Leave now") if late else ctx.say("Leave at {time}", time=f"{then:%H:%M}")
    lines = [
        when,
        ctx.say("about {n} min on foot to {stop}", n=minutes, stop=stop),
        _line(goal, ctx),
        *_honest(place, ctx),
    ]
    return Reply("\n".join(lines), speech=when)


def _goal(
    event: str | None, mode: str | None, now: datetime, tables: list[Timetable], ctx: Context
) -> tuple[Departure | None, list[str]]:
    """Return what one has to be in time for, and a line where the calendar could not be read."""
    last = ctx.memory.get("next")
    asked = isinstance(last, Departure) and last.at >= now and mode in (None, last.mode)
    if asked and event is None:
        return last, []
    planned, lost = _planned(now, ctx)
    if mode is not None:
        return journeys.booked(planned, tables, mode), lost
    if event is not None:
        found = journeys.meant(event, planned, ctx)
    else:
        found = next((one for one in planned if one.place or one.at or journeys.read(one)), None)
    if found is None:
        return None, lost
    journey = journeys.read(found)
    return (journeys.timed(journey, tables) if journey else journeys.plain(found)), lost


def _planned(now: datetime, ctx: Context) -> tuple[list[Event], list[str]]:
    """Return what the calendar has ahead, and a line where it could not be read."""
    try:
        return journeys.events(ctx, now), []
    except DeviceError:
        return [], [ctx.say("Your calendar cannot be read.")]


def _walk_m(here: Place, goal: Place, ctx: Context) -> float:
    """Return how long the walk is: by the map's streets, else by the straight line."""
    if "places" in ctx.devices:
        metres: float | None = ctx.device("places").walk_m(here, goal)
        if metres is not None:
            return metres
    return DETOUR * away_m(here.lat, here.lon, goal.lat, goal.lon)


def _same(one: Departure, other: Departure) -> bool:
    """Say whether a departure of a timetable is a journey that is booked."""
    return one.at == other.at and one.where == other.where and one.platform == other.platform


def _line(one: Departure, ctx: Context) -> str:
    to = f"→ {one.to}" if one.to and (one.line or not one.booked) else one.to
    track = ctx.say("platform {name}", name=one.platform) if one.platform else ""
    booked = ctx.say("(booked)") if one.booked and one.mode else ""
    name = " ".join(filter(None, (one.line, to)))
    return "  ".join(filter(None, (f"{one.at:%H:%M}", name, track, booked)))


def _spoken(one: Departure, ctx: Context) -> str:
    time = f"{one.at:%H:%M}"
    if one.line and one.to:
        return ctx.say("{line} to {to} at {time}.", line=one.line, to=one.to, time=time)
    return f"{one.line or one.to}, {time}"


def _now(ctx: Context) -> datetime:
    """Return the time of the agent's clock, with the zone of the system."""
    now = ctx.clock()
    return now if now.tzinfo else now.astimezone()


def _honest(place: Place | None, ctx: Context) -> list[str]:
    return [ctx.say("(simulated position)")] if place and place.simulated else []


def _none(ctx: Context, lost: list[str]) -> Reply:
    text = [ctx.say("There is no timetable here."), ctx.say("Add one: glasses travel add FEED.zip")]
    return Reply("\n".join([*text, *lost]))


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
    register(offers.find_tickets, offers.find_hotels, offers.open_offer)
