"""Guidance while walking: what a look at the position once a second gives to show and to say.

    position ─▶ believable? ─▶ on the way? ─▶ next turn, how far, arrived
                  (jumps)       (else a new way)

What is shown has two rows that matter, as many as a lens shows to somebody who walks: the arrow
with the distance, and what comes there. It is shown anew when the distance on it changes, so that
a lens goes dark where nobody moves. It is said when a stretch begins, and right before its turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from agent import Context, Reply
from agent.skill.incidents import Incident
from hardware.base import DeviceError, Place, Sketch
from skills.navigate import atlas, cards, incidents, junction
from skills.navigate.atlas import Map
from skills.navigate.course import Course
from skills.navigate.streets import WALKING_M_S, Point, Step, bearing_deg, distance_m

LOOK_S = 1.0
"""Between two looks: a step and a half."""
NEAR_M = 20.0
"""From here on a turn is about to come, if the position is not worse than that."""
EARLY_M = 60.0
"""A stretch that is not longer is not announced at its beginning: its turn is about to come."""
FAR_M, FAR_GRAIN_M = 300.0, 50.0
"""Farther than this the distance is rounded so, and the lens is dark between two of them."""
TRAIL = 10
"""So many looks tell in which direction the wearer walks."""
WARNED_M = 500.0
"""So far before it one is told of an incident: in time for another street."""
FASTEST_M_S, AGREE = 70.0, 3
"""Nobody is faster (250 km/h): else the position jumps, unless so many in a row agree on it."""
OFF_LOOKS = 3
"""So many looks off the way are no error of the position: then there is a new way."""


@dataclass(slots=True)
class Told:
    """What was shown and said last."""

    card: tuple[str, str] = ("", "")
    """The two rows that matter."""
    step: int = 0
    """The stretch whose beginning was said."""
    turn: int = -1
    """The stretch whose turn was said."""
    trouble: str = ""
    """What keeps it from guiding, which is told once."""
    incidents: set[str] = field(default_factory=set)
    """Names of what is in the way, each told once."""


@dataclass(slots=True)
class Guide:
    """Goes along with one walk; called for each look, it returns what there is to show.

    `again` begins the way anew from where the wearer is, `arrived` ends it.
    """

    course: Course
    """The way, and where on it the wearer is."""
    goal: str
    """Key of the place that it leads to."""
    again: Callable[[Place, Context], Reply]
    """Finds a new way from a place, and shows it."""
    arrived: Callable[[Place, Context], Reply]
    """Ends the walk, or begins the next one."""
    under_way: Callable[[Context], bool]
    """Whether the walk still goes on, as far as the skill remembers."""
    off_m: float
    """How far off the way one may be beside the error of the position."""
    there_m: float
    """How near the goal one has arrived."""
    told: Told = field(default_factory=Told)
    """What was shown and said last."""
    _last: tuple[datetime, Place] | None = None
    _odd: list[Place] = field(default_factory=list)
    _off: int = 0
    _known: tuple[str, ...] = ()
    _ahead: list[tuple[float, Incident]] = field(default_factory=list)
    _trail: list[Point] = field(default_factory=list)
    _drawn: tuple[int, Sketch] | None = None

    def __call__(self, ctx: Context) -> Reply | bool | None:
        """Look where the wearer is. Raises DeviceError where nothing can tell."""
        if not self.under_way(ctx):
            return False
        place, now = ctx.location, ctx.clock()
        moved_m = self._moved_m(place, now)
        if moved_m is None:
            return self._trouble(ctx.say("Position unclear: it jumps. Walk on."), place, ctx)
        self._last = now, place
        allowed_m = place.error_m + self.off_m
        here = place.lat, place.lon
        self._trail = [*self._trail[1 - TRAIL :], here]
        off = self.course.follow(here, moved_m, allowed_m)
        on = atlas.at(place)
        if off <= allowed_m:
            self._off, self.told.trouble = 0, ""
            if self._is_there(here, on):
                return self.arrived(place, ctx)
            if (warning := self._in_the_way(place, ctx)) is not None:
                return warning
            return self._next(on, place, ctx)
        self._off += 1
        if self._off < OFF_LOOKS:
            return None
        if on.here(here).offset_m > atlas.MAP_M:
            return self._trouble(ctx.say("Off the map: guidance waits."), place, ctx)
        self._off = 0
        if distance_m(self._trail[0], here) > place.error_m:  # where one goes, whatever one sees
            place = replace(place, heading_deg=bearing_deg(self._trail[0], here))
        return self.again(place, ctx)

    def _moved_m(self, place: Place, now: datetime) -> float | None:
        """Return how far the wearer went since the last look; None where nobody is that fast.

        One who is carried somewhere is believed once some positions in a row agree.
        """
        if self._last is None:
            return 0.0
        before, last = self._last
        moved_m = distance_m((last.lat, last.lon), (place.lat, place.lon))
        most_m = FASTEST_M_S * max(1.0, (now - before).total_seconds()) + place.error_m
        if moved_m <= most_m:
            self._odd = []
            return moved_m
        near = (one for one in self._odd if _apart_m(one, place) < FASTEST_M_S)
        self._odd = [*near, place]
        return moved_m if len(self._odd) >= AGREE else None

    def _is_there(self, here: Point, on: Map) -> bool:
        near = distance_m(here, on.point(self.goal)) < self.there_m
        return near or self.course.left_m < self.there_m

    def _in_the_way(self, place: Place, ctx: Context) -> Reply | None:
        """Tell of an incident that comes near, once, and how to ask for a way around it."""
        try:
            told = incidents.now(ctx, place)
        except DeviceError:
            return None  # who asks how the traffic is is told why
        names = tuple(one.id for one in told)
        if names != self._known:
            self._known = names
            self._ahead = incidents.on_way(self.course.points(incidents.NEAR_M), told)
        for far, one in self._ahead:
            away_m = far - self.course.along_m
            if one.id in self.told.incidents or not 0 <= away_m <= WARNED_M:
                continue
            self.told.incidents.add(one.id)
            line = ctx.say(
                "In {distance}: {what}", distance=cards.length(away_m, ctx), what=one.text
            )
            how = ctx.say("Say “find a way around it”.")
            return Reply(f"{line}\n{how}", kind="alert", speech=f"{line}. {how}")
        return None

    def _trouble(self, what: str, place: Place, ctx: Context) -> Reply | None:
        """Tell in one line what is wrong, once until it is right again."""
        if self.told.trouble == what:
            return None
        self.told.trouble = what
        return Reply("\n".join([what, *cards.honest(place, ctx)]), kind="alert", speech=what)

    def _next(self, on: Map, place: Place, ctx: Context) -> Reply | None:
        """Show the next turn where the distance to it has changed, and say it when it matters."""
        left = self._left()
        speech = self._speech(left, on, place, ctx)
        card = self.card(on, ctx)
        if card == self.told.card and not speech:
            return None
        self.told.card = card
        lines = [*card, self._eta(left, ctx), *cards.met(left[:2], ctx)]
        text = "\n".join([*lines, *cards.honest(place, ctx)])
        if self._drawn is None or self._drawn[0] != self.course.now:
            self._drawn = self.course.now, junction.ahead(self.course, self.course.now, on)
        return Reply(text, kind="route", speech=speech, sketch=self._drawn[1])

    def _left(self) -> tuple[Step, ...]:
        """Return what is left of the way, the present step with what is left of it."""
        at, steps = self.course.now, self.course.steps
        return replace(steps[at], metres=self.course.turns_in_m), *steps[at + 1 :]

    def card(self, on: Map, ctx: Context) -> tuple[str, str]:
        """Return the two rows that matter: the arrow and how far it is, and where it goes then."""
        left = self._left()
        away = cards.length(_rounded(left[0].metres), ctx)
        return f"{cards.arrow(left)} {away}", cards.then(left, self.goal, on, ctx)

    def _speech(self, left: tuple[Step, ...], on: Map, place: Place, ctx: Context) -> str:
        step, metres = self.course.now, left[0].metres
        turn = cards.then(left, self.goal, on, ctx)
        if metres <= max(NEAR_M, min(place.error_m, EARLY_M)):
            if self.told.turn >= step:
                return ""
            self.told.step = self.told.turn = step
            return ctx.say("Now {turn}.", turn=turn)
        if step > self.told.step and metres > EARLY_M:
            self.told.step = step
            away = cards.length(_rounded(metres), ctx)
            return ctx.say("In {distance}, {turn}.", distance=away, turn=turn)
        return ""

    def _eta(self, left: tuple[Step, ...], ctx: Context) -> str:
        """Say how far it is in all, and when the wearer will be there at a walker's pace."""
        then = ctx.clock().timestamp() + self.course.left_m / WALKING_M_S
        return ctx.say(
            "{distance} left, there at {time}",
            distance=cards.length(sum(step.metres for step in left), ctx),
            time=f"{datetime.fromtimestamp(then, ctx.clock().tzinfo):%H:%M}",
        )


def _rounded(metres: float) -> float:
    """Round a long way to what is worth a look."""
    return metres if metres < FAR_M else round(metres / FAR_GRAIN_M) * FAR_GRAIN_M


def _apart_m(one: Place, other: Place) -> float:
    return distance_m((one.lat, one.lon), (other.lat, other.lon))
