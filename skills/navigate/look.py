"""What the wearer looks at, and what is around: told from the map, and nothing beyond it."""

from __future__ import annotations

from agent import Context, Reply, skill
from agent.models.llm.soon import soon
from hardware.base import Place
from skills.navigate import atlas, cards, facts, kinds
from skills.navigate.places import Site
from skills.navigate.streets import Point, bearing_deg, distance_m

ASKS = {
    "location": "to find on the map what is before you",
    "network": "to ask Amap in China, if you have set its key",
}
SEEN_M = 80.0
"""How far away a building is that one asks about."""
BESIDE_M = 40.0
"""How near one is that is not before the wearer."""
VIEW_DEG = 45.0
"""How far to the side of the heading things are that one looks at."""
WORDED_S = 4.0
"""How long the model may take; the tags alone are told then."""
CANDIDATES = 60
"""The nearest places of the map, among which is what is seen."""
AROUND = 6
"""Places that are listed."""
AROUND_M = 400.0
"""How far they may be."""
_SMALL = frozenset(("bench", "parking", "bicycle parking", "mailbox", "toilet", "bus stop"))
"""Kinds that are no answer to what a building is."""


@skill(
    "(what is|what's) (this|that) (building|house|church|tower|monument|place)",
    "(what|which) (building|house|church|tower|monument) (is this|is that|am i looking at)",
    "(tell me|what do you know) about (this|that) (building|house|church|tower|monument|place)",
    "(what is|what's) (the building|the house) (before|in front of) me",
    permissions=ASKS,
)
def building(ctx: Context) -> Reply:
    """Tell what stands before the wearer: name, kind, year, architect and style as tagged."""
    place = ctx.location
    on = atlas.at(place)
    if on.here((place.lat, place.lon)).offset_m > atlas.MAP_M:
        return cards.no_map(on, place, ctx)
    if not isinstance(on, atlas.RealMap):
        return _in_town(on, place, ctx)
    seen = _seen(on, place)
    if seen is None:
        lines = [ctx.say("The map knows nothing before you."), *cards.honest(place, ctx)]
        return Reply("\n".join(lines))
    name = seen.name(ctx.language)
    told = facts.of(seen, ctx)
    where = _where(seen.at, seen.size_m, place, ctx)
    said = _worded([name, *told], ctx)
    shown = said or two_lines([fact for fact in told if fact.casefold() != name.casefold()])
    if not shown:
        shown = [ctx.say("The map tells no more of it.")]
    lines = [*shown, where, *cards.blind(place, ctx), *cards.honest(place, ctx)]
    return Reply("\n".join(lines), title=name, speech=f"{name}. {' '.join(shown)}")


@skill(
    "(what is|what's) around me",
    "(what is|what's) (nearby|near me|around here|close to me)",
    "what is there around here",
    permissions=ASKS,
)
def around(ctx: Context) -> Reply:
    """List the named places nearest to the wearer, each with its direction and distance."""
    place = ctx.location
    on, here = atlas.at(place), (place.lat, place.lon)
    if on.here(here).offset_m > atlas.MAP_M:
        return cards.no_map(on, place, ctx)
    found = _named_near(on, here, ctx.language)
    if not found:
        return Reply(ctx.say("The map has no place with a name near you."))
    lines = [
        f"{_side(at, place, ctx)} {name} {cards.length(distance_m(here, at), ctx)}"
        for name, at in found
    ]
    text = "\n".join([*lines, *cards.blind(place, ctx), *cards.honest(place, ctx)])
    return Reply(text, title=ctx.say("Around you"))


@skill(
    "describe (where i am|this place|my surroundings|the surroundings)",
    "(tell me|describe) what is around (me|here)",
    "what kind of place is this",
    permissions=ASKS,
)
def describe(ctx: Context) -> Reply:
    """Describe where the wearer is, in two lines from the map."""
    place = ctx.location
    on, here = atlas.at(place), (place.lat, place.lon)
    spot = on.here(here)
    if spot.offset_m > atlas.MAP_M:
        return cards.no_map(on, place, ctx)
    street = cards.street_name(spot.street, on, ctx)
    near = _named_near(on, here, ctx.language)[:3]
    told = [ctx.say("On {street}, {town}", street=street, town=on.title(ctx.language))]
    names = [
        ctx.say("{place} {distance}", place=name, distance=cards.length(distance_m(here, at), ctx))
        for name, at in near
    ]
    if names:
        told.append(ctx.say("Near: {places}", places=", ".join(names)))
    said = _worded(told, ctx)
    text = "\n".join([*(said or told), *cards.honest(place, ctx)])
    return Reply(text, title=street)


def _worded(told: list[str], ctx: Context) -> list[str]:
    """Return the facts in two lines by the model, where there is one that says nothing beyond."""
    if len(told) < 2:
        return []
    prompt = ctx.prompt("look", facts="; ".join(told))
    answer = soon(ctx.model, prompt, WORDED_S, cancel=ctx.cancel)
    if answer is None:
        return []
    lines = [line.strip() for line in answer.splitlines() if line.strip()][:2]
    return lines if lines and facts.grounded(" ".join(lines), told) else []


def two_lines(told: list[str]) -> list[str]:
    """Return facts in two lines, the most telling in the first."""
    half = (len(told) + 1) // 2
    return [", ".join(part) for part in (told[:half], told[half:]) if part]


def _seen(on: atlas.RealMap, place: Place) -> Site | None:
    """Return the place before the wearer, else one that is very near, else none."""
    here = (place.lat, place.lon)
    near = [
        (max(0.0, distance_m(here, site.at) - site.size_m), site)
        for site in on.places.near(here, within_m=3 * SEEN_M, limit=CANDIDATES)
        if site.kind not in _SMALL and not kinds.is_long(site.kind)
    ]
    before = [(away, site) for away, site in near if away <= SEEN_M and _faces(site, place)]
    beside = [(away, site) for away, site in near if away <= BESIDE_M]
    chosen = before or beside
    return min(chosen, key=lambda one: (one[0], one[1].size_m))[1] if chosen else None


def _faces(site: Site, place: Place) -> bool:
    here = (place.lat, place.lon)
    if distance_m(here, site.at) <= site.size_m:
        return True  # within its walls
    if not place.has_heading:
        return False
    aside = abs((bearing_deg(here, site.at) - place.heading_deg + 180) % 360 - 180)
    return aside <= VIEW_DEG


def _in_town(on: atlas.Map, place: Place, ctx: Context) -> Reply:
    here = (place.lat, place.lon)
    key = on.beside(here)
    if key is None or distance_m(here, on.point(key)) > SEEN_M:
        text = ctx.say("The map knows nothing before you.")
        return Reply("\n".join([text, *cards.honest(place, ctx)]))
    lines = [_where(on.point(key), 0.0, place, ctx), *cards.honest(place, ctx)]
    return Reply("\n".join(lines), title=cards.place_name(key, on, ctx))


def _named_near(on: atlas.Map, here: Point, language: str) -> list[tuple[str, Point]]:
    found: dict[str, Point] = {}
    for key in on.near(here, AROUND_M):
        found.setdefault(on.place_name(key, language), on.point(key))
    return list(found.items())[:AROUND]


def _where(at: Point, size_m: float, place: Place, ctx: Context) -> str:
    """Say in which direction something is, and how far."""
    here = (place.lat, place.lon)
    away = distance_m(here, at)
    if away <= max(size_m, 3.0):
        return ctx.say("you are at it")
    if not place.has_heading:
        return f"{_side(at, place, ctx)}, {cards.length(away, ctx)}"
    sides = (
        ctx.say("ahead"),
        ctx.say("to the right"),
        ctx.say("behind you"),
        ctx.say("to the left"),
    )
    turn = (bearing_deg(here, at) - place.heading_deg) % 360
    return f"{sides[round(turn / 90) % 4]}, {cards.length(away, ctx)}"


def _side(at: Point, place: Place, ctx: Context) -> str:
    """Return an arrow from where the wearer looks; of the compass where nobody knows that."""
    bearing = bearing_deg((place.lat, place.lon), at)
    if not place.has_heading:
        return cards.compass(bearing, ctx)
    return "↑↗→↘↓↙←↖"[round((bearing - place.heading_deg) % 360 / 45) % 8]
