"""What the map shows: directions, distances and times, in the words of the wearer's language."""

from __future__ import annotations

from collections.abc import Sequence

from agent import Context, Reply
from hardware.base import Place
from skills.navigate import osm
from skills.navigate.atlas import Here, Map, Way
from skills.navigate.streets import Step, Turn, distance_m, minutes

OFF_STREET_M = 50.0
"""Farther than this, the way to the first street is mentioned."""
LONGEST = 40
"""Most characters shown of a place that is not on the map."""

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


def arrow(left: Sequence[Step]) -> str:
    """Return the arrow of what comes at the end of the present step."""
    return ARROWS[left[1].turn] if len(left) > 1 else GOAL


def then(left: Sequence[Step], goal: str, on: Map, ctx: Context) -> str:
    """Say what comes at the end of the present step."""
    if len(left) == 1:
        return ctx.say("to {place}", place=place_name(goal, on, ctx))
    return _turn(left[1].turn, street_name(left[1].street, on, ctx), ctx)


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


def total(left: Sequence[Step], goal: str, on: Map, ctx: Context) -> str:
    """Say how far it is to a place and how long that takes on foot."""
    metres = sum(step.metres for step in left)
    return ctx.say(
        "{place}: {distance}, {minutes} min",
        place=place_name(goal, on, ctx),
        distance=length(metres, ctx),
        minutes=minutes(metres),
    )


def first(spot: Here, step: Step, on: Map, ctx: Context) -> list[str]:
    """Say how to set off."""
    street = street_name(step.street, on, ctx)
    lines = [ctx.say("Head {way} on {street}", way=compass(step.bearing_deg, ctx), street=street)]
    if spot.offset_m > OFF_STREET_M:
        away = length(spot.offset_m, ctx)
        lines.insert(0, ctx.say("{street} is {distance} away", street=street, distance=away))
    return lines


def following(left: Sequence[Step], goal: str, on: Map, ctx: Context) -> list[str]:
    """List the steps that follow, one a line."""
    lines = [
        f"{ARROWS[step.turn]} {street_name(step.street, on, ctx)} {length(step.metres, ctx)}"
        for step in left
    ]
    return [*lines, f"{GOAL} {place_name(goal, on, ctx)}"]


def compass(bearing: float, ctx: Context) -> str:
    """Name a direction."""
    ways = (
        ctx.say("north"), ctx.say("northeast"), ctx.say("east"), ctx.say("southeast"),
        ctx.say("south"), ctx.say("southwest"), ctx.say("west"), ctx.say("northwest"),
    )  # fmt: skip
    return ways[round(bearing / 45) % 8]


def length(metres: float, ctx: Context) -> str:
    """Round to what a walker can use: 5 m when near, then 10 m, then 100 m."""
    if metres < 995:
        grain = 5 if metres < 50 else 10
        return ctx.say("{n} m", n=max(grain, round(metres / grain) * grain))
    return ctx.say("{n} km", n=f"{metres / 1000:.1f}")


def on_foot(by: str | None, ctx: Context) -> list[str]:
    """Say that there are only walking routes, to somebody who wants another kind."""
    return [] if by in (None, "walk") else [ctx.say("(walking routes only)")]


def honest(place: Place, ctx: Context) -> list[str]:
    """Say so when the position is made up."""
    return [ctx.say("(simulated position)")] if place.simulated else []


def alone(way: Way, ctx: Context) -> list[str]:
    """Say so when the way is the map's own because a router does not answer."""
    return [ctx.say("({router} is away: own map)", router=way.lost)] if way.lost else []


def blind(place: Place, ctx: Context) -> list[str]:
    """Say so when nobody knows where the wearer looks."""
    return [] if place.has_heading else [ctx.say("(heading unknown: by the compass)")]


def no_map(on: Map, place: Place, ctx: Context) -> Reply:
    """Return the card for somebody who is nowhere near the map."""
    text = ctx.say("I only have a map of {town}.", town=on.title(ctx.language))
    more = ctx.say("Add one: glasses maps add FILE")
    return Reply("\n".join([text, more, *honest(place, ctx)]), title=ctx.say("No map here"))


def no_way(goal: str, on: Map, place: Place, ctx: Context) -> Reply:
    """Return the card for a place that the streets do not lead to."""
    text = ctx.say("The map has no way on foot to {place}.", place=place_name(goal, on, ctx))
    return Reply("\n".join([text, *honest(place, ctx)]))


def which(goals: Sequence[str], sure: bool, at: Place, on: Map, ctx: Context) -> Reply:
    """Ask which of several places is meant, the nearest of one name first."""
    here = (at.lat, at.lon)
    lines = [
        f"{n} {place_name(goal, on, ctx)} {length(distance_m(here, on.point(goal)), ctx)}"
        for n, goal in enumerate(goals, start=1)
    ]
    title = ctx.say("Which one?") if sure else ctx.say("Did you mean")
    how = ctx.say("Say “navigate to number one”.")
    return Reply("\n".join([*lines, how, *honest(at, ctx)]), title=title)


def later(wanted: str, ctx: Context) -> list[str]:
    """Say where the way goes on to afterwards, in the wearer's words."""
    return [ctx.say("then: {place}", place=_cut(wanted))] if wanted else []


def not_on_map(wanted: str, ctx: Context) -> Reply:
    """Return the card for a place that the map does not have."""
    return Reply(ctx.say("“{place}” is not on my map.", place=_cut(wanted)))


def _cut(wanted: str) -> str:
    words = " ".join(wanted.split())
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"


def street_name(key: str, on: Map, ctx: Context) -> str:
    """Return the name of a street; of one without a name, what it is."""
    return on.street_name(key, ctx.language) or _forms(ctx).get(key, ctx.say("the street"))


def _forms(ctx: Context) -> dict[str, str]:
    """Return what ways without a name are, by the key that `Roads` gives them."""
    return {
        f"f{osm.FOOTWAY}": ctx.say("the footway"),
        f"f{osm.PATH}": ctx.say("the path"),
        f"f{osm.TRACK}": ctx.say("the track"),
        f"f{osm.STEPS}": ctx.say("the steps"),
        f"f{osm.CROSSING}": ctx.say("the crossing"),
        f"f{osm.SERVICE}": ctx.say("the side road"),
        f"f{osm.SQUARE}": ctx.say("the square"),
    }


def met(way: Sequence[Step], ctx: Context) -> list[str]:
    """Say what is met on a way that walkers want to know before."""
    return [ctx.say("(with steps)")] if any("steps" in step.notes for step in way) else []


def place_name(key: str, on: Map, ctx: Context) -> str:
    """Return the name of a place."""
    return on.place_name(key, ctx.language)
