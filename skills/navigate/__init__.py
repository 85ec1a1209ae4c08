"""Walk somewhere, turn by turn, on the map that ships."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from agent import Context, OneOf, Reply, hookimpl, skill
from hardware.base import Place
from skills.navigate import town as towns
from skills.navigate.streets import (
    Point,
    Snap,
    Step,
    Turn,
    distance_m,
    minutes,
    shortest,
    snap,
    steps,
)
from skills.navigate.town import Town, shown

WHY = "to find the way from where you are"
MAP_M = 5_000.0
"""Farther than this from every street, the map says nothing about where the wearer is."""
OFF_STREET_M = 50.0
"""Farther than this, the way to the first street is mentioned."""
MOVED_M = 15.0
"""Less than this is standing still. A phone is good to 4.9 m under open sky (gps.gov, accuracy)."""
THERE_M = 15.0
"""Nearer than this is arrived."""

ARROWS = {
    Turn.START: "↑",
    Turn.STRAIGHT: "↑",
    Turn.SLIGHT_LEFT: "↖",
    Turn.SLIGHT_RIGHT: "↗",
    Turn.LEFT: "↰",
    Turn.RIGHT: "↱",
    Turn.SHARP_LEFT: "↙",
    Turn.SHARP_RIGHT: "↘",
    Turn.U_TURN: "↶",
}
GOAL = "◎"

Destination = Annotated[str, OneOf(towns.destinations)]
Category = Annotated[str, OneOf(towns.categories)]


@dataclass(frozen=True, slots=True)
class Trip:
    """The route that is being walked, as the memory keeps it."""

    goal: str
    """Key of the place."""
    at: Point
    """Where the wearer was when it was last shown."""
    ahead: int
    """How many steps beyond the present one were shown there."""


@skill(
    "navigate to [the] {place}",
    "take me to [the] {place}",
    "walk me to [the] {place}",
    "(how do i|how can i) get to [the] {place}",
    "[get|give me|show me] directions to [the] {place}",
    "show me the way to [the] {place}",
    permissions={"location": WHY},
)
def route(place: Destination, ctx: Context) -> Reply:
    """Show the walking route to a place, turn by turn."""
    return _begin(place, ctx)


@skill(
    "where is the (nearest|closest) {category}",
    "where's the (nearest|closest) {category}",
    "(find|show me) the (nearest|closest) {category}",
    "navigate to the (nearest|closest) {category}",
    "take me to the (nearest|closest) {category}",
    permissions={"location": WHY},
)
def nearest(category: Category, ctx: Context) -> Reply:
    """Show the walking route to the nearest place of a kind."""
    return _begin(category, ctx)


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
    return _show(trip.goal, trip.ahead + 1 if stood else 0, place, ctx)


@skill(
    "where am i",
    "where are we",
    "what street is this",
    "(what|which) street am i on",
    "show [me] my (location|position)",
    permissions={"location": WHY},
)
def where(ctx: Context) -> Reply:
    """Tell the street and the nearest known place."""
    town, place = towns.load(), ctx.location
    here = (place.lat, place.lon)
    spot = snap(town.streets, here)
    if spot.offset_m > MAP_M:
        return _no_map(town, place, ctx)
    near = min(town.places, key=lambda key: distance_m(here, town.point(key)))
    lines = [
        ctx.say(
            "{distance} from {place}",
            distance=_metres(distance_m(here, town.point(near)), ctx),
            place=_place(near, town, ctx),
        ),
        shown(town.name, ctx.language),
    ]
    title = _street(spot.segment.street, town, ctx)
    return Reply("\n".join(lines + _honest(place, ctx)), title=title)


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


def _begin(wanted: str, ctx: Context) -> Reply:
    """Start a route to a place, or to the nearest of a category."""
    town, place = towns.load(), ctx.location
    here = snap(town.streets, (place.lat, place.lon))
    if here.offset_m > MAP_M:
        return _no_map(town, place, ctx)
    goals = [wanted] if wanted in town.places else _of_category(wanted, town)
    if not goals:
        return Reply(ctx.say("“{place}” is not on my map.", place=wanted))
    goal = min(goals, key=lambda key: sum(s.metres for s in _walk(town, here, key)))
    return _show(goal, 0, place, ctx)


def _of_category(category: str, town: Town) -> list[str]:
    return [key for key, spot in town.places.items() if spot.category == category]


def _walk(town: Town, here: Snap, goal: str) -> list[Step]:
    """Return the steps to a place; the map is one piece, so there always is a way."""
    return steps(shortest(town.streets, here, town.places[goal].at) or ())


def _show(goal: str, ahead: int, place: Place, ctx: Context) -> Reply:
    """Show the way from here to a place, or how it goes on after `ahead` of its steps."""
    town, here = towns.load(), (place.lat, place.lon)
    spot = snap(town.streets, here)
    if spot.offset_m > MAP_M:
        return _no_map(town, place, ctx)
    if distance_m(here, town.point(goal)) < THERE_M:
        ctx.memory.pop("trip", None)
        text = "\n".join([_place(goal, town, ctx), *_honest(place, ctx)])
        return Reply(text, title=ctx.say("You are there"), kind="route")
    way = _walk(town, spot, goal)
    ahead = min(ahead, max(0, len(way) - 1))
    ctx.memory["trip"] = Trip(goal, here, ahead)
    left = way[ahead:]
    arrow = ARROWS[left[1].turn] if len(left) > 1 else GOAL
    lines = [f"{arrow} {_then(left, goal, town, ctx)}", _total(left, goal, town, ctx)]
    if ahead == 0:
        lines += _first(spot, way[0], town, ctx)
    lines += _honest(place, ctx)
    if len(left) > 1:
        lines += _list(left[1:], goal, town, ctx)
    return Reply("\n".join(lines), title=_metres(left[0].metres, ctx), kind="route")


def _then(left: list[Step], goal: str, town: Town, ctx: Context) -> str:
    """Say what comes at the end of the present step."""
    if len(left) == 1:
        return ctx.say("to {place}", place=_place(goal, town, ctx))
    return _turn(left[1].turn, _street(left[1].street, town, ctx), ctx)


def _turn(turn: Turn, street: str, ctx: Context) -> str:
    return {
        Turn.STRAIGHT: ctx.say("straight on into {street}", street=street),
        Turn.SLIGHT_LEFT: ctx.say("bear left into {street}", street=street),
        Turn.SLIGHT_RIGHT: ctx.say("bear right into {street}", street=street),
        Turn.LEFT: ctx.say("left into {street}", street=street),
        Turn.RIGHT: ctx.say("right into {street}", street=street),
        Turn.SHARP_LEFT: ctx.say("sharp left into {street}", street=street),
        Turn.SHARP_RIGHT: ctx.say("sharp right into {street}", street=street),
        Turn.U_TURN: ctx.say("turn back on {street}", street=street),
    }[turn]


def _total(left: list[Step], goal: str, town: Town, ctx: Context) -> str:
    metres = sum(step.metres for step in left)
    return ctx.say(
        "{place}: {distance}, {minutes} min",
        place=_place(goal, town, ctx),
        distance=_metres(metres, ctx),
        minutes=minutes(metres),
    )


def _first(spot: Snap, step: Step, town: Town, ctx: Context) -> list[str]:
    """Say how to set off."""
    street = _street(step.street, town, ctx)
    lines = [ctx.say("Start {way} on {street}", way=_compass(step.bearing_deg, ctx), street=street)]
    if spot.offset_m > OFF_STREET_M:
        distance = _metres(spot.offset_m, ctx)
        lines.insert(0, ctx.say("{street} is {distance} away", street=street, distance=distance))
    return lines


def _list(left: list[Step], goal: str, town: Town, ctx: Context) -> list[str]:
    """List the steps that follow, one a line."""
    lines = [
        f"{ARROWS[step.turn]} {_street(step.street, town, ctx)} {_metres(step.metres, ctx)}"
        for step in left
    ]
    return [*lines, f"{GOAL} {_place(goal, town, ctx)}"]


def _compass(bearing: float, ctx: Context) -> str:
    ways = (
        ctx.say("north"), ctx.say("northeast"), ctx.say("east"), ctx.say("southeast"),
        ctx.say("south"), ctx.say("southwest"), ctx.say("west"), ctx.say("northwest"),
    )  # fmt: skip
    return ways[round(bearing / 45) % 8]


def _metres(metres: float, ctx: Context) -> str:
    """Round to what a walker can use: 5 m when near, then 10 m, then 100 m."""
    if metres < 995:
        grain = 5 if metres < 50 else 10
        return ctx.say("{n} m", n=max(grain, round(metres / grain) * grain))
    return ctx.say("{n} km", n=f"{metres / 1000:.1f}")


def _honest(place: Place, ctx: Context) -> list[str]:
    return [ctx.say("(simulated position)")] if place.simulated else []


def _no_map(town: Town, place: Place, ctx: Context) -> Reply:
    text = ctx.say("My only map is {town}.", town=shown(town.name, ctx.language))
    lines = [text, *_honest(place, ctx)]
    return Reply("\n".join(lines), title=ctx.say("No map here"))


def _street(key: str, town: Town, ctx: Context) -> str:
    return shown(town.street_names[key], ctx.language)


def _place(key: str, town: Town, ctx: Context) -> str:
    return shown(town.places[key].names, ctx.language)


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Add the actions."""
    register(route, nearest, next_step, where, stop_route)
