"""What the map shows: directions, distances and times, in the words of the wearer's language."""

from __future__ import annotations

from agent import Context, Reply
from hardware.base import Place
from skills.navigate.streets import Snap, Step, Turn, minutes
from skills.navigate.town import Town, shown

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


def then(left: list[Step], goal: str, town: Town, ctx: Context) -> str:
    """Say what comes at the end of the present step."""
    if len(left) == 1:
        return ctx.say("to {place}", place=place_name(goal, town, ctx))
    return _turn(left[1].turn, street_name(left[1].street, town, ctx), ctx)


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


def total(left: list[Step], goal: str, town: Town, ctx: Context) -> str:
    """Say how far it is to a place and how long that takes on foot."""
    metres = sum(step.metres for step in left)
    return ctx.say(
        "{place}: {distance}, {minutes} min",
        place=place_name(goal, town, ctx),
        distance=length(metres, ctx),
        minutes=minutes(metres),
    )


def first(spot: Snap, step: Step, town: Town, ctx: Context) -> list[str]:
    """Say how to set off."""
    street = street_name(step.street, town, ctx)
    lines = [ctx.say("Head {way} on {street}", way=_compass(step.bearing_deg, ctx), street=street)]
    if spot.offset_m > OFF_STREET_M:
        away = length(spot.offset_m, ctx)
        lines.insert(0, ctx.say("{street} is {distance} away", street=street, distance=away))
    return lines


def following(left: list[Step], goal: str, town: Town, ctx: Context) -> list[str]:
    """List the steps that follow, one a line."""
    lines = [
        f"{ARROWS[step.turn]} {street_name(step.street, town, ctx)} {length(step.metres, ctx)}"
        for step in left
    ]
    return [*lines, f"{GOAL} {place_name(goal, town, ctx)}"]


def _compass(bearing: float, ctx: Context) -> str:
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


def no_map(town: Town, place: Place, ctx: Context) -> Reply:
    """Return the card for somebody who is nowhere near the map."""
    text = ctx.say("I only have a map of {town}.", town=shown(town.name, ctx.language))
    lines = [text, *honest(place, ctx)]
    return Reply("\n".join(lines), title=ctx.say("No map here"))


def later(wanted: str, ctx: Context) -> list[str]:
    """Say where the way goes on to afterwards, in the wearer's words."""
    return [ctx.say("then: {place}", place=_cut(wanted))] if wanted else []


def not_on_map(wanted: str, ctx: Context) -> Reply:
    """Return the card for a place that the map does not have."""
    return Reply(ctx.say("“{place}” is not on my map.", place=_cut(wanted)))


def _cut(wanted: str) -> str:
    words = " ".join(wanted.split())
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"


def street_name(key: str, town: Town, ctx: Context) -> str:
    """Return the name of a street."""
    return shown(town.street_names[key], ctx.language)


def place_name(key: str, town: Town, ctx: Context) -> str:
    """Return the name of a place."""
    return shown(town.places[key].names, ctx.language)
