"""The walk that is under way: where it goes, what comes next, and the way back to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from agent import Context, Reply
from agent.skill.incidents import Shape
from hardware.base import DeviceError, Place
from skills.navigate import atlas, cards, incidents, junction
from skills.navigate.atlas import Goals, Map, Way
from skills.navigate.course import Course
from skills.navigate.guide import LOOK_S, Guide
from skills.navigate.streets import TURN_DEG, WALKING_M_S, Point, distance_m, off_line_m

MOVED_M = 15.0
"""Less than this is standing still. A phone is good to 4.9 m under open sky (gps.gov, accuracy)."""
THERE_M = 15.0
"""Nearer than this, the wearer has arrived."""
NEWS, NEWS_M = 5, 3_000.0
"""How many incidents are told, and how far away they may be."""
ASIDE_M = 20.0
"""How far from the line of the way one may be beside the error of the position: a wide street."""

HERE = frozenset(
    ("me", "us", "here", "my location", "my position", "where i am", "我", "我这里", "这里", "这儿")
)
THERE = frozenset(("there", "it", "那里", "那儿"))
_THEN = re.compile(
    r"\s*[,，]?\s*(?:\b(?:(?:and )?(?:then|after that)|and)\b(?: go)?(?: to)?(?: the)?\s+"
    r"|(?:然后|接着|再)[到去]?)"
)
"""Parts two places that are gone to one after the other."""


@dataclass(frozen=True, slots=True)
class Trip:
    """The route that is being walked, as the memory keeps it."""

    goal: str
    """Key of the place."""
    at: Point
    """Where the wearer was when it was last shown."""
    ahead: int
    """How many steps beyond the present one were shown there."""
    later: str = ""
    """Where to go from there, in the wearer's words."""
    line: tuple[Point, ...] = ()
    """Where the way ran when it was last shown."""
    around: tuple[Shape, ...] = ()
    """What it leads around."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the wearer was asked to choose from."""

    goals: tuple[str, ...]
    """Keys of places, in the order they were shown."""
    later: str = ""
    """Where to go from there."""


def current(ctx: Context) -> Trip | None:
    """Return the walk that is under way."""
    trip = ctx.memory.get("trip")
    return trip if isinstance(trip, Trip) else None


def begin(wanted: str, ctx: Context, *, by: str | None = None, near: str | None = None) -> Reply:
    """Start a route to a place, or to the one of a category that is nearest to here or `near`."""
    place = ctx.location
    on = atlas.at(place)
    point = place.lat, place.lon
    here = on.here(point)
    if here.offset_m > atlas.MAP_M:
        return cards.no_map(on, place, ctx)
    if near is not None:
        around = on.goals(near, point)
        if not around.keys:
            return cards.not_on_map(near, ctx)
        here = on.spot(around.keys[0])
    goals, later = on.goals(wanted, here.point), ""
    if not (goals.keys and goals.sure):  # a name may hold an “and”, so all of it comes first
        first, *rest = _THEN.split(wanted, maxsplit=1)
        if rest and (parted := on.goals(first, here.point)).keys:
            goals, later = parted, "".join(rest)
    if not goals.keys:
        return cards.not_on_map(wanted, ctx)
    if not goals.of_kind and (len(goals.keys) > 1 or not goals.sure):
        ctx.memory["choice"] = Choice(goals.keys, later)
        return cards.which(goals.keys, goals.sure, place, on, ctx)
    goal = atlas.closest(goals, here, on)
    return show(Trip(goal or goals.keys[0], point, 0, later), place, ctx, by)


def choose(which: int, ctx: Context) -> Reply:
    """Start the route to one of the places that were asked about; the first is 1."""
    choice = ctx.memory.get("choice")
    if not isinstance(choice, Choice):
        return Reply(ctx.say("There is nothing to choose from."))
    if which > len(choice.goals):
        return Reply(ctx.say("There are only {n}.", n=len(choice.goals)))
    place = ctx.location
    goal = choice.goals[which - 1]
    return show(Trip(goal, (place.lat, place.lon), 0, choice.later), place, ctx)


def show(trip: Trip, place: Place, ctx: Context, by: str | None = None) -> Reply:
    """Show the way from here to where a trip goes, or how it goes on after its steps ahead."""
    on, goal, here = atlas.at(place), trip.goal, (place.lat, place.lon)
    spot = on.here(here)
    if spot.offset_m > atlas.MAP_M:
        return cards.no_map(on, place, ctx)
    if distance_m(here, on.point(goal)) < THERE_M:
        return _arrived(trip, on, place, ctx, by)
    way = on.way(spot, goal, trip.around)
    if way is None:
        ctx.memory.pop("trip", None)
        return cards.no_way(goal, on, place, ctx)
    if not way.steps:  # the nearest street ends here; the place lies beside it
        return _arrived(trip, on, place, ctx, by)
    ahead = min(trip.ahead, len(way.steps) - 1)
    ctx.memory["trip"] = replace(trip, at=here, ahead=ahead, line=way.line)
    guide(way, goal, on, ctx)
    left = way.steps[ahead:]
    lines = [
        f"{cards.arrow(left)} {cards.then(left, goal, on, ctx)}",
        cards.total(left, goal, on, ctx),
    ]
    lead = ""
    if trip.line and strayed(trip, place):
        back = abs((way.steps[0].bearing_deg - place.heading_deg + 180) % 360 - 180) > TURN_DEG
        lead = ctx.say("Off the way: turn around.") if back else ctx.say("Off the way: a new one.")
        lines.insert(1, lead)
    if ahead == 0:
        lines += cards.first(spot, way.steps[0], on, ctx)
    lines += cards.met(left, ctx) + cards.alone(way, ctx) + cards.later(trip.later, ctx)
    lines += cards.on_foot(by, ctx) + cards.honest(place, ctx)
    if len(left) > 1:
        lines += cards.following(left[1:], goal, on, ctx)
    distance = cards.length(left[0].metres, ctx)
    spoken = ctx.say("In {distance}, {turn}.", distance=distance, turn=lines[0].partition(" ")[2])
    spoken = " ".join(filter(None, (lead, spoken)))
    drawn = junction.ahead(Course(way), ahead, on)
    return Reply("\n".join(lines), title=distance, kind="route", speech=spoken, sketch=drawn)


def news(wanted: str | None, ctx: Context) -> Reply:
    """Tell what is in the way around here or a place, the nearest first."""
    if incidents.teller(ctx) is None:
        lines = [ctx.say("I have no traffic news."), ctx.say("I can show you the way on foot.")]
        return Reply("\n".join(lines))
    place = ctx.location
    point = place.lat, place.lon
    if wanted is not None and wanted.casefold() not in HERE:
        on = atlas.at(place)
        keys = on.goals(wanted, point).keys
        if not keys:
            return cards.not_on_map(wanted, ctx)
        point = on.point(keys[0])
    away = [(incidents.away_m(one, point), one) for one in incidents.now(ctx, place)]
    near = sorted((hit for hit in away if hit[0] <= NEWS_M), key=lambda hit: hit[0])[:NEWS]
    lines = [f"{cards.length(max(1.0, far), ctx)}: {one.text}" for far, one in near]
    if not lines:
        lines = [ctx.say("Nothing is told to be in the way within {distance}.",
                         distance=cards.length(NEWS_M, ctx))]  # fmt: skip
    text = "\n".join([*lines, *cards.honest(place, ctx)])
    return Reply(text, title=ctx.say("Traffic"))


def way_round(ctx: Context) -> Reply:
    """Show a way around what is told of the way ahead; the walk goes on as it was without one."""
    trip = current(ctx)
    if trip is None:
        return Reply(ctx.say("No route. Say “navigate to” and a place."))
    place = ctx.location
    on, here = atlas.at(place), (place.lat, place.lon)
    course = Course(Way((), trip.line))
    course.follow(here, 0.0, place.error_m + ASIDE_M)
    told = [
        one
        for far, one in incidents.on_way(course.points(incidents.NEAR_M), incidents.now(ctx, place))
        if far >= course.along_m
    ]
    if not told:
        return Reply(ctx.say("Nothing is told to be in your way."))
    shapes = tuple(shape for one in told for shape in one.shapes)
    around = tuple(dict.fromkeys((*trip.around, *shapes)))
    if on.way(on.here(here), trip.goal, around) is None:
        return Reply(ctx.say("There is no way around it."))
    return show(replace(trip, ahead=0, around=around, line=()), place, ctx)


def guide(way: Way, goal: str, on: Map, ctx: Context) -> None:
    """Go along with the wearer from now on."""

    def is_under_way(ctx: Context) -> bool:
        going = current(ctx)
        return going is not None and going.goal == goal

    def again(place: Place, ctx: Context) -> Reply:
        going = current(ctx)
        assert going is not None
        return show(replace(going, ahead=0), place, ctx)

    def arrived(place: Place, ctx: Context) -> Reply:
        going = current(ctx)
        assert going is not None
        return _arrived(going, atlas.at(place), place, ctx, None)

    going = Guide(Course(way), goal, again, arrived, is_under_way, ASIDE_M, THERE_M)
    going.told.card = going.card(on, ctx)  # the wearer is about to see as much
    ctx.watch(going, LOOK_S)


def _arrived(trip: Trip, on: Map, place: Place, ctx: Context, by: str | None) -> Reply:
    ctx.memory.pop("trip", None)
    if trip.later:
        return begin(trip.later, ctx, by=by)
    text = "\n".join([cards.place_name(trip.goal, on, ctx), *cards.honest(place, ctx)])
    title = ctx.say("You have arrived")
    return Reply(text, title=title, kind="route", speech=title)


def strayed(trip: Trip, place: Place) -> bool:
    """Return whether the wearer is off the way by more than the position may be wrong."""
    return off_line_m((place.lat, place.lon), trip.line) > place.error_m + ASIDE_M


def glance(trip: Trip, ctx: Context) -> str | None:
    """Return the next turn and how far it is, in one line with a tab between."""
    place = ctx.location
    on = atlas.at(place)
    spot = on.here((place.lat, place.lon))
    way = on.way(spot, trip.goal) if spot.offset_m <= atlas.MAP_M else None
    if way is None or not way.steps:
        return None
    turn = cards.then(way.steps, trip.goal, on, ctx)
    return f"{cards.arrow(way.steps)} {turn}\t{cards.length(way.steps[0].metres, ctx)}"


def arrival(trip: Trip, ctx: Context) -> Reply:
    """Tell when the wearer will be there at a walker's pace."""
    place = ctx.location
    on = atlas.at(place)
    here = on.here((place.lat, place.lon))
    way = on.way(here, trip.goal) if here.offset_m <= atlas.MAP_M else None
    if way is None:
        return cards.no_map(on, place, ctx)
    then = ctx.clock() + timedelta(seconds=way.metres / WALKING_M_S)
    lines = [cards.total(way.steps, trip.goal, on, ctx), *cards.honest(place, ctx)]
    time = f"{then:%H:%M}"
    return Reply(
        "\n".join(lines), title=time, speech=ctx.say("You will be there at {time}.", time=time)
    )


def measured(
    wanted: str, start: str | None, ctx: Context
) -> tuple[Way, str, Map, list[str]] | Reply:
    """Return the walk to a place from here or from `start`, its goal, and lines about its start."""
    if start is None or start.casefold() in HERE:
        place = ctx.location
        on, point = atlas.at(place), (place.lat, place.lon)
        here, lines = on.here(point), cards.honest(place, ctx)
        if here.offset_m > atlas.MAP_M:
            return cards.no_map(on, place, ctx)
    else:
        on, point = _map_of(ctx)
        begun = on.goals(start, point)
        if not begun.keys:
            return cards.not_on_map(start, ctx)
        here = on.spot(begun.keys[0])
        lines = [ctx.say("from {place}", place=cards.place_name(begun.keys[0], on, ctx))]
    trip = current(ctx)
    goals = Goals((trip.goal,)) if trip and wanted == trip.goal else on.goals(wanted, here.point)
    goal = atlas.closest(goals, here, on)
    if goal is None:
        return cards.not_on_map(wanted, ctx)
    way = on.way(here, goal)
    if way is None:
        return cards.no_way(goal, on, Place(*point), ctx)
    return way, goal, on, lines


def _map_of(ctx: Context) -> tuple[Map, Point]:
    """Return the map around the wearer; between two places of the town nobody need be there."""
    try:
        place = ctx.location
    except DeviceError:
        town = atlas.town()
        return town, town.point("market-square")
    return atlas.at(place), (place.lat, place.lon)
