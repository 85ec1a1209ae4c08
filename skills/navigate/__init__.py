"""Walk somewhere, turn by turn, on the map that ships."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

from agent import Context, OneOf, Reply, hookimpl, skill
from hardware.base import Place
from skills.navigate import cards
from skills.navigate import town as towns
from skills.navigate.streets import (
    Point,
    Snap,
    Step,
    distance_m,
    minutes,
    shortest,
    snap,
    steps,
)
from skills.navigate.town import Town, shown

WHY = "to find the way from where you are"
MAP_M = 5_000.0
"""Farther than this from every street, the map is of no use to the wearer."""
MOVED_M = 15.0
"""Less than this is standing still. A phone is good to 4.9 m under open sky (gps.gov, accuracy)."""
THERE_M = 15.0
"""Nearer than this, the wearer has arrived."""

_HERE = frozenset(
    ("me", "us", "here", "my location", "my position", "where i am", "我", "我这里", "这里", "这儿")
)
_THERE = frozenset(("there", "it", "那里", "那儿"))
_THEN = re.compile(
    r"\s*[,，]?\s*(?:\b(?:(?:and )?(?:then|after that)|and)\b(?: go)?(?: to)?(?: the)?\s+"
    r"|(?:然后|接着|再)[到去]?)"
)
"""Parts two places that are gone to one after the other."""

_WAYS = {
    "en": {
        "foot": "walk", "walk": "walk", "walking": "walk", "bus": "bus", "car": "car",
        "drive": "car", "driving": "car", "taxi": "car", "train": "train", "bike": "bike",
        "bicycle": "bike", "metro": "metro", "subway": "metro",
    },
    "zh": {
        "走路": "walk", "步行": "walk", "坐公交": "bus", "坐公交车": "bus", "开车": "car",
        "打车": "car", "坐火车": "train", "骑车": "bike", "骑自行车": "bike", "坐地铁": "metro",
    },
}  # fmt: skip


def _ways(language: str) -> dict[str, str]:
    """Return what can be said for a means of transport, with its word in the schema."""
    return _WAYS.get(language, _WAYS["en"])


Destination = Annotated[str, OneOf(towns.destinations, open=True)]
Category = Annotated[str, OneOf(towns.categories, open=True)]
Means = Annotated[str, OneOf(_ways)]


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


@skill(
    "navigate to [the] {place}",
    "take me to [the] {place}",
    "walk me to [the] {place}",
    "(how do i|how can i) get to [the] {place} [(by|on) {by}]",
    "[get|give me|show me] directions to [the] {place}",
    "show me the way to [the] {place}",
    permissions={"location": WHY},
)
def route(place: Destination, ctx: Context, by: Means | None = None) -> Reply:
    """Show the walking route to a place, turn by turn."""
    return _begin(place, ctx, by=by)


@skill(
    "where is the (nearest|closest) {category}",
    "where's the (nearest|closest) {category}",
    "(find|show me) the (nearest|closest) {category}",
    "navigate to the (nearest|closest) {category}",
    "take me to the (nearest|closest) {category}",
    "is there [a|an] {category} (near|close to) [the] {near}",
    "(which|what) {category} is (nearest|closest) to [the] {near}",
    permissions={"location": WHY},
)
def nearest(category: Category, ctx: Context, near: Destination | None = None) -> Reply:
    """Show the walking route to the nearest place of a kind, seen from the wearer or a place."""
    return _begin(category, ctx, near=None if near is None or near.casefold() in _HERE else near)


@skill(
    "how long does it take [me] to get to [the] {place} [(by|on) {by}]",
    "how long (will|would) it take [me] to get to [the] {place} [(by|on) {by}]",
    "how long does it take to get from [the] {start} to [the] {place} [(by|on) {by}]",
    "how long (does it take to|is the) {by} to [the] {place}",
    "how far [away] is [the] {place} [from [the] {start}]",
    "how far is it [to [the] {place}]",
    "[what is|what's] the distance (to|from [the] {start} to) [the] {place}",
    "distance to [the] {place}",
    permissions={"location": WHY},
)
def how_long(
    ctx: Context,
    place: Destination | None = None,
    by: Means | None = None,
    start: Destination | None = None,
) -> Reply:
    """Tell how far a place is and how long the walk takes; without one, how far is left to go."""
    town, trip = towns.load(), ctx.memory.get("trip")
    if place is None or place.casefold() in _THERE:
        if not isinstance(trip, Trip):
            return Reply(ctx.say("Where to? Say “how far is the station”."))
        place = trip.goal
    lines = []
    if start is None or start.casefold() in _HERE:
        at = ctx.location
        here, lines = (at.lat, at.lon), cards.honest(at, ctx)
        spot = snap(town.streets, here)
        if spot.offset_m > MAP_M:
            return cards.no_map(town, at, ctx)
    elif begun := _goals(start, town):
        spot = snap(town.streets, town.point(begun[0]))
        lines = [ctx.say("from {place}", place=cards.place_name(begun[0], town, ctx))]
    else:
        return cards.not_on_map(start, ctx)
    goal = _closest(place, spot, town)
    if goal is None:
        return cards.not_on_map(place, ctx)
    way = _walk(town, spot, goal)
    lines = [cards.total(way, goal, town, ctx), *lines, *cards.on_foot(by, ctx)]
    time = ctx.say("{minutes} min", minutes=minutes(sum(step.metres for step in way)))
    return Reply("\n".join(lines), title=time)


@skill(
    "(how is|how's) the traffic [(on|to|near|in|at|around) [the] {place}]",
    "(what is|what's) the traffic like [(on|to|near|in|at|around) [the] {place}]",
    "is there [any|much|heavy] traffic [(on|to|near|in|at|around) [the] {place}]",
    knows=("traffic",),
)
def traffic(ctx: Context, place: Destination | None = None) -> Reply:
    """Say that there is no traffic news, wherever it is asked for."""
    lines = [ctx.say("I have no traffic news."), ctx.say("I can show you the way on foot.")]
    return Reply("\n".join(lines))


@skill(
    "next turn",
    "next step",
    "what's next on the route",
    "what is the next (turn|step)",
    "show [me] the next (turn|step)",
    "where do i (turn|go) (now|next)",
    permissions={"location": WHY},
)
def next_step(ctx: Context) -> Reply:
    """Show the next turn of the route; asked again on the same spot, the one after it."""
    trip = ctx.memory.get("trip")
    if not isinstance(trip, Trip):
        return Reply(ctx.say("No route. Say “navigate to” and a place."))
    place = ctx.location
    stood = distance_m(trip.at, (place.lat, place.lon)) < MOVED_M
    return _show(replace(trip, ahead=trip.ahead + 1 if stood else 0), place, ctx)


@skill(
    "where am i",
    "where are we",
    "what street is this",
    "(what|which) street am i on",
    "show [me] my (location|position)",
    permissions={"location": WHY},
    knows=("position",),
)
def where(ctx: Context) -> Reply:
    """Tell the street and the nearest known place."""
    town, place = towns.load(), ctx.location
    here = (place.lat, place.lon)
    spot = snap(town.streets, here)
    if spot.offset_m > MAP_M:
        return cards.no_map(town, place, ctx)
    near = min(town.places, key=lambda key: distance_m(here, town.point(key)))
    lines = [
        ctx.say(
            "{distance} from {place}",
            distance=cards.length(distance_m(here, town.point(near)), ctx),
            place=cards.place_name(near, town, ctx),
        ),
        shown(town.name, ctx.language),
    ]
    title = cards.street_name(spot.segment.street, town, ctx)
    return Reply("\n".join(lines + cards.honest(place, ctx)), title=title)


@skill(
    "stop navigation",
    "stop navigating",
    "(end|stop|cancel) the (route|navigation)",
    "(end|cancel) navigation",
)
def stop_route(ctx: Context) -> Reply:
    """Forget the route."""
    if ctx.memory.pop("trip", None) is None:
        return Reply(ctx.say("There is no route to stop."))
    return Reply(ctx.say("Route ended."))


def _begin(wanted: str, ctx: Context, *, by: str | None = None, near: str | None = None) -> Reply:
    """Start a route to a place, or to the one of a category that is nearest to here or `near`."""
    town, place = towns.load(), ctx.location
    here = snap(town.streets, (place.lat, place.lon))
    if here.offset_m > MAP_M:
        return cards.no_map(town, place, ctx)
    if near is not None:
        if not (around := _goals(near, town)):
            return cards.not_on_map(near, ctx)
        here = snap(town.streets, town.point(around[0]))
    goal, later = _closest(wanted, here, town), ""
    if goal is None:  # a name may hold an “and”, so that all of it is looked for first
        first, *rest = _THEN.split(wanted, maxsplit=1)
        goal, later = _closest(first, here, town), "".join(rest)
    if goal is None:
        return cards.not_on_map(wanted, ctx)
    return _show(Trip(goal, (place.lat, place.lon), 0, later), place, ctx, by)


def _closest(wanted: str, here: Snap, town: Town) -> str | None:
    """Return the place that is meant, of several the one with the shortest walk from `here`."""
    goals = _goals(wanted, town)
    if not goals:
        return None
    return min(goals, key=lambda key: sum(step.metres for step in _walk(town, here, key)))


def _goals(wanted: str, town: Town) -> list[str]:
    """Return the places that words, or the key of a place or category, may mean."""
    key = towns.key_of(wanted)
    if key is None:
        return []
    return [key] if key in town.places else _of_category(key, town)


def _of_category(category: str, town: Town) -> list[str]:
    return [key for key, spot in town.places.items() if spot.category == category]


def _walk(town: Town, here: Snap, goal: str) -> list[Step]:
    """Return the steps to a place; the map is one piece, so there always is a way."""
    return steps(shortest(town.streets, here, town.places[goal].at) or ())


def _show(trip: Trip, place: Place, ctx: Context, by: str | None = None) -> Reply:
    """Show the way from here to where a trip goes, or how it goes on after its steps ahead."""
    town, goal, here = towns.load(), trip.goal, (place.lat, place.lon)
    spot = snap(town.streets, here)
    if spot.offset_m > MAP_M:
        return cards.no_map(town, place, ctx)
    if distance_m(here, town.point(goal)) < THERE_M:
        ctx.memory.pop("trip", None)
        if trip.later:
            return _begin(trip.later, ctx, by=by)
        text = "\n".join([cards.place_name(goal, town, ctx), *cards.honest(place, ctx)])
        return Reply(text, title=ctx.say("You have arrived"), kind="route")
    way = _walk(town, spot, goal)
    ahead = min(trip.ahead, max(0, len(way) - 1))
    ctx.memory["trip"] = replace(trip, at=here, ahead=ahead)
    left = way[ahead:]
    arrow = cards.ARROWS[left[1].turn] if len(left) > 1 else cards.GOAL
    lines = [f"{arrow} {cards.then(left, goal, town, ctx)}", cards.total(left, goal, town, ctx)]
    if ahead == 0:
        lines += cards.first(spot, way[0], town, ctx)
    lines += cards.later(trip.later, ctx)
    lines += cards.on_foot(by, ctx) + cards.honest(place, ctx)
    if len(left) > 1:
        lines += cards.following(left[1:], goal, town, ctx)
    return Reply("\n".join(lines), title=cards.length(left[0].metres, ctx), kind="route")


@hookimpl
def dashboard(ctx: Context) -> str | None:
    """Return the next turn of the route, and how far it is."""
    trip = ctx.memory.get("trip")
    if not isinstance(trip, Trip):
        return None
    town, place = towns.load(), ctx.location
    spot = snap(town.streets, (place.lat, place.lon))
    way = _walk(town, spot, trip.goal) if spot.offset_m <= MAP_M else []
    if not way:
        return None
    arrow = cards.ARROWS[way[1].turn] if len(way) > 1 else cards.GOAL
    distance = cards.length(way[0].metres, ctx)
    return f"{arrow} {cards.then(way, trip.goal, town, ctx)}\t{distance}"


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Add the actions. Raises DataError: without its map the skill is left out."""
    towns.load()
    register(route, nearest, how_long, traffic, next_step, where, stop_route)


class Map:
    """The places of the map, by name, for other skills: `ctx.device("places")`."""

    def find(self, name: str, near: Place, language: str) -> tuple[str, Place] | None:
        """Return the place that is called so, of several the nearest as the crow flies."""
        town, key = towns.load(), towns.key_of(name)
        goals = [] if key is None else _goals(key, town)
        if not goals:
            return None
        here = (near.lat, near.lon)
        goal = min(goals, key=lambda one: distance_m(here, town.point(one)))
        lat, lon = town.point(goal)
        return shown(town.places[goal].names, language), Place(lat, lon, simulated=True)


@hookimpl
def register_devices(provide: Callable[..., None]) -> None:
    """Let other skills find the places of the map."""
    provide("places", lambda config: Map(), "the map of navigate")
