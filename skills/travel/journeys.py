"""Journeys that are booked: what the wearer's calendar says of trains, flights and the like.

A journey is an event at an hour that names a means of transport, a train's number, or a way from
one place to another beside a number (“G11 北京南-上海虹桥”). What a calendar holds is text of the
world.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from agent import Context
from agent.language.world import world_text
from agent.skill.events import Event
from hardware.base import DeviceError, Place
from skills.travel.timetable import Departure, Timetable

AHEAD = timedelta(hours=24)
"""How far ahead a journey is looked for."""
LIKE = 0.45
"""How like an event must be to what the wearer calls it, as when one is taken off the calendar."""
AT_ONCE = 20
"""Departures that are looked at for the one that is booked."""
LONGEST = 60
"""Most characters that are kept of a name."""

_MODES = {
    "train": re.compile(r"\b(?:trains?|rail|eurostar|zug|bahn\w*)\b|火车|高铁|动车|列车", re.I),
    "plane": re.compile(r"\b(?:flights?|plane|flug)\b|航班|飞机|机票", re.I),
    "bus": re.compile(r"\b(?:bus|coach)\b|大巴|巴士|客车", re.I),
    "ferry": re.compile(r"\b(?:ferry|boat)\b|轮渡|渡轮|船票", re.I),
}
"""What is said for a means of transport in calendars."""
_RAIL = re.compile(r"\b(?:RJX?|ICE|IC|EC|EN|NJ|REX|TGV|AVE)\s?\d{1,5}\b")
"""Trains of Europe by their number; short enough to be seldom anything else."""
_CHINA = re.compile(r"(?<![A-Za-z0-9])[GDCZTK]\d{1,4}(?![A-Za-z0-9])")
_FLIGHT = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z]{2}|[A-Z]\d|\d[A-Z])\s?\d{2,4}(?![A-Za-z0-9])")
_AROUND = " :：,，→>-–—"
_WAY = re.compile(r"^(.+?)\s*(?:→|->|—|–|\s-\s|(?<=[^\x00-\x7f])-|-(?=[^\x00-\x7f])|至|到)\s*(.+)$")


def events(ctx: Context, now: datetime) -> list[Event]:
    """Return what the calendar has at an hour within the next day, in order. Raises DeviceError."""
    if "calendar" not in ctx.devices:
        return []
    here = now.astimezone().replace(tzinfo=None)
    found: Sequence[Event] = ctx.device("calendar").between(here, here + AHEAD)
    return [one for one in found if not one.whole_day and one.begins >= here]


def booked(
    found: Sequence[Event],
    tables: Sequence[Timetable],
    mode: str | None = None,
    stop: str | None = None,
    start: str | None = None,
) -> Departure | None:
    """Return the first event that is a journey, of the mode, to and from the stops that are said.

    The timetables tell its platform where one has the same departure.
    """
    for event in found:
        journey = read(event)
        if journey is None or (mode is not None and journey.mode != mode):
            continue
        if (stop and not _named(stop, event, tables)) or (
            start and not _named(start, event, tables)
        ):
            continue
        return timed(journey, tables)
    return None


def read(event: Event) -> Departure | None:
    """Return an event as a journey; None where it is none."""
    text = event.text
    rail, china, flight = _RAIL.search(text), _CHINA.search(text), _FLIGHT.search(text)
    numbers = sorted(filter(None, (rail, china, flight)), key=lambda one: one.start())
    number = numbers[0] if numbers else None  # of “G1234” the train comes before the flight
    rest = text.replace(number[0], " ", 1) if number else text
    rest = " ".join(rest.split()).strip(_AROUND)
    way = _WAY.match(rest)
    named = next((mode for mode, words in _MODES.items() if words.search(text)), None)
    if named is None and rail:
        named = "train"
    elif named is None and way and number:
        named = "train" if number is china else "plane"
    if named is None:
        return None
    line, to = (number[0] if number else ""), (way[2] if way else rest)
    return Departure(
        at=event.begins.astimezone(),
        mode=named,
        line=world_text(line, LONGEST),
        to=world_text(to, LONGEST),
        stop=world_text(event.place or (way[1] if way else ""), LONGEST),
        platform="",
        where=event.at,
        booked=True,
    )


def plain(event: Event) -> Departure:
    """Return any other event as something one has to be in time for."""
    text, place = (world_text(words, LONGEST) for words in (event.text, event.place))
    return Departure(event.begins.astimezone(), "", "", text, place, "", event.at, booked=True)


def timed(journey: Departure, tables: Sequence[Timetable]) -> Departure:
    """Return a journey with what a timetable knows of it: the platform, and where the stop is."""
    for table in tables:
        stations = table.called(journey.stop) if journey.stop else []
        just_before = journey.at - timedelta(seconds=1)
        leaving = table.next(stations, just_before, journey.mode, limit=AT_ONCE) if stations else []
        same = [one for one in leaving if one.at == journey.at and _may_be(one.line, journey.line)]
        if len(same) == 1:  # of two, nobody can tell which platform is meant
            (one,) = same
            line, where = journey.line or one.line, journey.where or one.where
            return replace(one, line=line, to=journey.to or one.to, where=where, booked=True)
        if stations and journey.where is None:
            return replace(journey, where=table.where(stations[0]))
    return journey


def _may_be(line: str, booked: str) -> bool:
    """Say whether a timetable's line may be the booked one: “RJ” may be “RJ 42”, “S 40” may not."""
    one, other = ("".join(words.split()).casefold() for words in (line, booked))
    return not other or one == other or (one.isalpha() and other.startswith(one))


def _named(said: str, event: Event, tables: Sequence[Timetable]) -> bool:
    """Say whether an event names a place, as it is said or as a timetable calls it."""
    text = f"{event.text} {event.place}".casefold()
    names = {table.name(one) for table in tables for one in table.called(said)}
    return any(name.casefold() in text for name in (said, *names) if name)


def meant(words: str, found: Sequence[Event], ctx: Context) -> Event | None:
    """Return the event that the wearer calls so: “the dentist”, “my flight”."""
    mode = next((mode for mode, known in _MODES.items() if known.search(words)), None)
    if mode is not None:
        of_mode = ((event, read(event)) for event in found)
        return next((event for event, one in of_mode if one and one.mode == mode), None)
    for event in found:
        if words.casefold() in event.text.casefold():
            return event
    likeness = ctx.alike(words, [event.text for event in found])
    best = max(zip(likeness, found, strict=True), key=lambda pair: pair[0], default=None)
    return best[1] if best is not None and best[0] >= LIKE else None


def spot(name: str, near: Place, tables: Sequence[Timetable], ctx: Context) -> Place | None:
    """Return where a place is that somebody wrote down: a stop of a timetable, or on the map."""
    for table in tables:
        if stations := table.called(name):
            return Place(*table.where(stations[0]))
    try:
        found = ctx.device("places").find(name, near, ctx.language)
    except DeviceError:
        return None
    return found[1] if found else None
