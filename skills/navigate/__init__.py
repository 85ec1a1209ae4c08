"""Walk somewhere, turn by turn: on a map of the wearer's, or in the made-up town that ships."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from agent import Context, OneOf, Reply, hookimpl, skill
from agent.language.folding import spelt
from hardware.base import Place
from skills.navigate import atlas, cards, kinds, look, trip
from skills.navigate import town as towns
from skills.navigate.streets import distance_m, minutes

WHY = "to find the way from where you are"
ASKS = {"location": WHY, "network": "to ask Amap in China, if you have set its key"}

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


_NTH = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth",
)  # fmt: skip


def _which(language: str) -> dict[str, int]:
    """Return what can be said for one of the places that were asked about."""
    if language == "zh":
        return {f"第{spelt(n, 'zh')}个": n for n in range(1, len(_NTH) + 1)}
    numbers = {f"number {spelt(n, 'en')}": n for n in range(1, len(_NTH) + 1)}
    nth = {name: n for n, name in enumerate(_NTH, start=1)}
    return numbers | {f"the {name} {one}": n for name, n in nth.items() for one in ("one", "place")}


Which = Annotated[int, OneOf(_which)]
Destination = Annotated[str, OneOf(atlas.destinations, open=True)]
Category = Annotated[str, OneOf(atlas.categories, open=True)]
Means = Annotated[str, OneOf(_ways)]


@skill(
    "navigate to [the] {place}",
    "take me to [the] {place}",
    "walk me to [the] {place}",
    "(how do i|how can i) get to [the] {place} [(by|on) {by}]",
    "[get|give me|show me] directions to [the] {place}",
    "show me the way to [the] {place}",
    permissions=ASKS,
)
def route(place: Destination, ctx: Context, by: Means | None = None) -> Reply:
    """Show the walking route to a place, turn by turn."""
    return trip.begin(place, ctx, by=by)


@skill(
    "where is the (nearest|closest) {category}",
    "where's the (nearest|closest) {category}",
    "(find|show me) the (nearest|closest) {category}",
    "navigate to the (nearest|closest) {category}",
    "take me to the (nearest|closest) {category}",
    "is there [a|an] {category} (near|close to) [the] {near}",
    "(which|what) {category} is (nearest|closest) to [the] {near}",
    permissions=ASKS,
)
def nearest(category: Category, ctx: Context, near: Destination | None = None) -> Reply:
    """Show the walking route to the nearest place of a kind, seen from the wearer or a place."""
    return trip.begin(
        category, ctx, near=None if near is None or near.casefold() in trip.HERE else near
    )


@skill(
    "(navigate|take me|walk me|go) to {which}",
    permissions=ASKS,
)
def choose(which: Which, ctx: Context) -> Reply:
    """Start the route to one of several places that were asked about."""
    return trip.choose(which, ctx)


@skill(
    "how long does it take [me] to get to [the] {place} [(by|on) {by}]",
    "how long (will|would) it take [me] to get to [the] {place} [(by|on) {by}]",
    "how long does it take to get from [the] {start} to [the] {place} [(by|on) {by}]",
    "how long (does it take to|is the) {by} to [the] {place}",
    "how far [away] is [the] {place} [from [the] {start}]",
    "how far is it [to [the] {place}]",
    "[what is|what's] the distance (to|from [the] {start} to) [the] {place}",
    "distance to [the] {place}",
    permissions=ASKS,
)
def how_long(
    ctx: Context,
    place: Destination | None = None,
    by: Means | None = None,
    start: Destination | None = None,
) -> Reply:
    """Tell how far a place is and how long the walk takes; without one, how far is left to go."""
    if place is None or place.casefold() in trip.THERE:
        going = trip.current(ctx)
        if going is None:
            return Reply(ctx.say("Where to? Say “how far is the station”."))
        place = going.goal
    found = trip.measured(place, start, ctx)
    if isinstance(found, Reply):
        return found
    way, goal, on, lines = found
    lines = [cards.total(way.steps, goal, on, ctx), *lines, *cards.on_foot(by, ctx)]
    return Reply("\n".join(lines), title=ctx.say("{minutes} min", minutes=minutes(way.metres)))


@skill(
    "when (will i|do i|am i going to) (arrive|get there|be there)",
    "what time (will i|do i) (arrive|get there)",
    "(what is|what's) my arrival time",
    permissions=ASKS,
)
def arrival(ctx: Context) -> Reply:
    """Tell the time of arrival on the present route."""
    going = trip.current(ctx)
    if going is None:
        return Reply(ctx.say("No route. Say “navigate to” and a place."))
    return trip.arrival(going, ctx)


@skill(
    "(how is|how's) the traffic [(on|to|near|in|at|around) [the] {place}]",
    "(what is|what's) the traffic like [(on|to|near|in|at|around) [the] {place}]",
    "is there [any|much|heavy] traffic [(on|to|near|in|at|around) [the] {place}]",
    "(is|are) there (an accident|accidents|road works|a road closure) ahead",
    permissions=ASKS,
    knows=("traffic",),
)
def traffic(ctx: Context, place: Destination | None = None) -> Reply:
    """Tell what is in the way around the wearer or a place, where anybody tells of that."""
    return trip.news(place, ctx)


@skill(
    "find (a|another) way (around|round) (it|that|this)",
    "(find|show me|take) (a|another) (way|route) around (it|that|the (incident|closure))",
    "(go|navigate|lead me) around (it|the (incident|closure))",
    "avoid (it|that|the (incident|closure))",
    "(find|take) (a detour|another way|another route|a different route)",
    permissions=ASKS,
)
def way_round(ctx: Context) -> Reply:
    """Show a way around what is in the way ahead."""
    return trip.way_round(ctx)


@skill(
    "next turn",
    "next step",
    "what's next on the route",
    "what is the next (turn|step)",
    "show [me] the next (turn|step)",
    "where do i (turn|go) (now|next)",
    permissions=ASKS,
)
def next_step(ctx: Context) -> Reply:
    """Show the next turn of the route; asked again on the same spot, the one after it."""
    going = trip.current(ctx)
    if going is None:
        return Reply(ctx.say("No route. Say “navigate to” and a place."))
    place = ctx.location
    stood = distance_m(going.at, (place.lat, place.lon)) < trip.MOVED_M
    return trip.show(replace(going, ahead=going.ahead + 1 if stood else 0), place, ctx)


@skill(
    "where am i",
    "where are we",
    "what street is this",
    "(what|which) street am i on",
    "show [me] my (location|position)",
    permissions=ASKS,
    knows=("position",),
)
def where(ctx: Context) -> Reply:
    """Tell the street and the nearest known place."""
    place = ctx.location
    on, here = atlas.at(place), (place.lat, place.lon)
    spot = on.here(here)
    if spot.offset_m > atlas.MAP_M:
        return cards.no_map(on, place, ctx)
    lines = [on.title(ctx.language)]
    if near := on.beside(here):
        away = cards.length(distance_m(here, on.point(near)), ctx)
        name = cards.place_name(near, on, ctx)
        lines.insert(0, ctx.say("{distance} from {place}", distance=away, place=name))
    title = cards.street_name(spot.street, on, ctx)
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


@hookimpl
def dashboard(ctx: Context) -> str | None:
    """Return the next turn of the route, and how far it is."""
    going = trip.current(ctx)
    return trip.glance(going, ctx) if going else None


@hookimpl
def register_commands(register: Callable[..., None]) -> None:
    """Add `glasses maps`."""
    from skills.navigate.commands import maps

    register(maps)


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Add the actions. Raises DataError: without its map the skill is left out."""
    towns.load()
    kinds.kinds()
    register(
        route, nearest, choose, how_long, arrival, traffic, way_round, next_step, where, stop_route
    )
    register(look.building, look.around, look.describe)


class Known:
    """The places of the map one walks on, for other skills: `ctx.device("places")`."""

    def find(self, name: str, near: Place, language: str) -> tuple[str, Place] | None:
        """Return the place that is called so, of several the likeliest and nearest."""
        on, here = atlas.at(near), (near.lat, near.lon)
        goals = on.goals(name, here)
        if not goals.keys or not goals.sure:
            return None
        lat, lon = on.point(goals.keys[0])
        where = Place(lat, lon, simulated=not on.real)
        return on.place_name(goals.keys[0], language), where

    def walk_m(self, here: Place, goal: Place) -> float | None:
        """Return how long the walk is by the map's own streets; None where no map has both ends."""
        return atlas.walk_m((here.lat, here.lon), (goal.lat, goal.lon))


@hookimpl
def register_devices(provide: Callable[..., None]) -> None:
    """Let other skills find the places of the map."""
    provide("places", lambda config: Known(), "the map of navigate")
