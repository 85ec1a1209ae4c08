"""Tell time and date, here and elsewhere, count to a time or a day, and know holidays and the sun.

The time is that of the agent's clock, in the zone of the system. No model is asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from agent import Context, OneOf, Range, Reply, hookimpl, skill
from agent.language import times, wording
from skills.time import festivals, home, places, sky, zones
from skills.time.places import Spot

WHY = "to know when the sun rises and sets where you are"
WARM_AFTER_S = 3.0
"""How long after the start the libraries are loaded, so that it delays nothing."""
FAR = timedelta(days=2)
"""From here on a length of time is told in days."""

_MONTHS = ("february", "april", "june", "september", "november")


def _units(language: str) -> dict[str, str]:
    chinese = {"天": "days", "小时": "hours", "分钟": "minutes", "周": "weeks", "个星期": "weeks"}
    return chinese if language == "zh" else {name: name for name in wording.UNITS}


def _suns(language: str) -> dict[str, str]:
    if language == "zh":
        return {"日出": "sunrise", "日落": "sunset", "天黑": "sunset", "天亮": "sunrise"}
    return {"sunrise": "sunrise", "sunset": "sunset"}


def _festivals(language: str) -> dict[str, str]:
    return festivals.said(language)


AnyPlace = Annotated[str, OneOf(places.said, open=True)]
KnownPlace = Annotated[str, OneOf(places.said)]
Festival = Annotated[str, OneOf(_festivals)]
Unit = Annotated[str, OneOf(_units)]
Sun = Annotated[str, OneOf(_suns)]
Year = Annotated[int, Range(1, 9999)]
NoDay = Annotated[
    str,
    OneOf(
        {
            "(february|feb) [the] (30|30th|thirtieth)": "2-30",
            "[the] (30|30th|thirtieth) [of] (february|feb)": "2-30",
            **{
                form: f"{number}-31"
                for name, number in zip(_MONTHS, (2, 4, 6, 9, 11), strict=True)
                for form in (
                    f"{name} [the] (31|31st|thirty first)",
                    f"[the] (31|31st|thirty first) [of] {name}",
                )
            },
        }
    ),
]
"""Days that people say and that no year has, as month and day."""


def _leap_days(language: str) -> list[str]:
    if language == "zh":
        return ["二月二十九", "2月29"]
    return [f"{month} {day}" for month in ("february", "feb") for day in ("29", "29th")] + [
        "february twenty ninth", "29 february", "29th of february", "february the 29th",
    ]  # fmt: skip


LeapDay = Annotated[str, OneOf(_leap_days)]
"""29 February, said with a year that may not have one."""


# -- the time -------------------------------------------------------------------------------------


@skill(
    "what time is it [(now|right now|please)]",
    "(what is|what's) the time [(now|right now|please)]",
    "(what is|what's) the current time",
    "(tell|give|show) me the [current] time",
    "let me know the [current] time",
    "do you have the time",
    "(do you know|can you tell me|tell me|let me know|i need to know) what time it is [now]",
    "what time is it [(right now|now)] in [the] {place}",
    "(what is|what's) the [current] time in [the] {known}",
    "what time [do] they have in {place}",
    "(tell|give|show) me the [current] time in {place}",
    "(let me know|report) the [current] time in {place}",
    "[the] [current] time in {known} [please]",
    "(what is|what's) [the] {known} time",
    "what time is it {known} time",
    "what time (is it|will it be|would it be) in {after}",
    "what time (is it|will it be|is) {after} from now",
    "what is the time in {after}",
    knows=("time",),
)
def clock(
    ctx: Context,
    place: AnyPlace | None = None,
    known: KnownPlace | None = None,
    after: timedelta | None = None,
) -> Reply:
    """Tell the time, here or in a place, now or after a length of time."""
    wanted, now = place or known, _now(ctx)
    if after is not None:
        return _later(now, after, ctx)
    if wanted is None:
        shown, spoken = _clock(now, ctx), wording.spoken_clock(now, ctx.language)
        return Reply(
            ctx.say("It is {time}", time=shown), speech=ctx.say("It is {time}", time=spoken)
        )
    spot = places.find(wanted)
    zone = places.zone(spot.zone) if spot else None
    if spot is None or zone is None:
        return _unknown(wanted, ctx)
    there, name = zones.there(ctx.clock(), zone), spot.shown(ctx.language)

    def told(time: str) -> str:
        if there.date() == now.date():
            return ctx.say("It is {time} in {place}", time=time, place=name)
        day = wording.weekday(there, ctx.language)
        return ctx.say("It is {time} on {day} in {place}", time=time, day=day, place=name)

    spoken = wording.spoken_clock(there, ctx.language)
    return Reply(told(_clock(there, ctx)), speech=told(spoken))


def _later(now: datetime, after: timedelta, ctx: Context) -> Reply:
    try:
        then = (now.astimezone(UTC) + after).astimezone(now.tzinfo)  # the clocks may change
    except OverflowError:
        return _said(ctx.say("I do not know when that is."))
    if then.date() == now.date():
        shown, spoken = _clock(then, ctx), wording.spoken_clock(then, ctx.language)
        return Reply(
            ctx.say("Then it is {time}", time=shown),
            speech=ctx.say("Then it is {time}", time=spoken),
        )
    day = wording.day_name(then, ctx.language)
    return _said(ctx.say("Then it is {time}, {day}", time=_clock(then, ctx), day=day))


@skill(
    "what (day and time|time and day|time and date|date and time) is it [(now|today)]",
    "(what are|what is|what's|tell me) the (date and time|time and date|time and day)",
    knows=("time",),
)
def moment(ctx: Context) -> Reply:
    """Tell the time and the date, and that it is here: somewhere else may have been meant."""
    now, language = _now(ctx), ctx.language
    day, spoken = wording.day_name(now, language), wording.spoken_clock(now, language)
    return Reply(
        ctx.say("Here it is {time}, {day}.", time=_clock(now, ctx), day=day),
        speech=ctx.say("Here it is {time}, {day}.", time=spoken, day=day),
    )


# -- days -----------------------------------------------------------------------------------------


@skill(
    "what day is it",
    "what day of the week is it",
    "what weekday is it",
    "(what is|what's) the (date|day)",
    "(what is|what's) (today's date|today's day)",
    "what date is it",
    "today is (which|what) (date|day)",
    "what day of the week are we on",
    "(tell|give) me (the date|today's date)",
    "(tell me|let me know|do you know) what the date is",
    "(tell me|let me know|do you know) what (the date|the date is|day is|day it is) {day}",
    "what (date|day) will it be {day}",
    "{day} what will the date be",
    "which day is it",
    "what (day|date|weekday) (is|will be) {day}",
    "what (day|date|weekday) (is it|will it be) {day}",
    "(what is|what's) the (date|day) [(on|of)] {day}",
    "what (day of the week|weekday) (is|will be|is it on|does it fall on) {day}",
    "(what|which) day [of the week] does {day} fall on",
    "what will the date be {day}",
    "what (day [of the week]|date) was [it [on]] {past}",
    "what (day [of the week]|date) (is|was|will be) ({wrong}|[the] {leap} {year})",
    knows=("time",),
)
def which_day(
    ctx: Context,
    day: datetime | None = None,
    past: datetime | None = None,
    wrong: NoDay | None = None,
    leap: LeapDay | None = None,
    year: Year | None = None,
) -> Reply:
    """Tell the date and the day of the week, of today or of another day."""
    if wrong is not None:
        return _no_such(wrong, ctx)
    if year is not None and not _is_leap(year):
        return _no_leap_day(year, ctx)
    if year is not None:
        day = datetime(year, 2, 29)
    today = _now(ctx).date()
    asked = _gone_by(past, ctx).date() if past is not None else day.date() if day else today
    name = wording.day_name(asked, ctx.language)
    if asked == today:
        return _said(ctx.say("It is {day}", day=name))
    if asked < today:
        return _said(ctx.say("That was {day}", day=name))
    return _said(ctx.say("That is {day}", day=name))


@skill(
    "what week is it",
    "(what|which) week [number] (is it|is this|are we in)",
    "(what|which) week of the year is it",
    "(what is|what's) the week number",
    knows=("time",),
)
def week(ctx: Context) -> Reply:
    """Tell the number of the week (ISO 8601: weeks begin on Monday, the first has 4 January)."""
    return _said(ctx.say("Week {number}", number=_now(ctx).isocalendar().week))


@skill(
    "is (it|this|this year) a leap year",
    "is {year} a leap year",
    "(was|will) {year} [be] a leap year",
    "when is the next leap year",
    knows=("time",),
)
def leap_year(ctx: Context, year: Year | None = None) -> Reply:
    """Tell whether a year is a leap year, and which is the next."""
    asked = year if year is not None else _now(ctx).year
    if _is_leap(asked):
        return _said(ctx.say("Yes, {year} is a leap year: 366 days.", year=asked))
    later = next((one for one in range(asked + 1, asked + 9) if _is_leap(one)), None)
    told = ctx.say("No, {year} is not: 365 days.", year=asked)
    if later is not None and later <= 9999:
        told += "\n" + ctx.say("The next leap year is {year}.", year=later)
    return _said(told)


# -- counting -------------------------------------------------------------------------------------


@skill(
    "how long [is it] (until|till|to) {when}",
    "how long [is it] (until|till|to|before) [the [next]] {festival}",
    "how long [is it] (until|till|to|before) [the [next]] {sun}",
    "how much time [is (left|there|it)] (until|till|before) {when}",
    "how much time [is (left|there|it)] (until|till|before) {sun}",
    "how many {unit} [(is it|are there|are left)] (until|till|to|before) {when}",
    "how many {unit} [(is it|are there|are left)] (until|till|to|before) {festival}",
    "how many {unit} [(is it|are there|are left)] (until|till|to|before) {sun}",
    "how (long|many {unit}) (until|till|to) ({wrong}|[the] {leap} {year})",
    permissions={"location": WHY},
    knows=("time",),
)
def until(
    ctx: Context,
    when: datetime | None = None,
    festival: Festival | None = None,
    sun: Sun | None = None,
    unit: Unit | None = None,
    wrong: NoDay | None = None,
    leap: LeapDay | None = None,
    year: Year | None = None,
) -> Reply:
    """Tell how long it is until a time, a day, a holiday, sunrise or sunset."""
    if wrong is not None:
        return _no_such(wrong, ctx)
    if year is not None and not _is_leap(year):
        return _no_leap_day(year, ctx)
    if year is not None:
        when = datetime(year, 2, 29)
    now, honest = _now(ctx), ""
    if festival is not None:
        day = festivals.on_or_after(festival, now.date(), home.country(ctx.language))
        if day is None:
            return _said(ctx.say("I do not know when that is."))
        if day == now.date():
            return _said(ctx.say("{festival} is today.", festival=_festival(festival, ctx)))
        when, unit = datetime(day.year, day.month, day.day), unit or "days"
    elif sun is not None:
        place = ctx.location
        found = sky.next_sun(sun, ctx.clock().astimezone(), place)
        if found is None:
            return _no_sun(sun, ctx)
        when, honest = zones.there(found, None), _honest(place.simulated, ctx)
    if when is None:
        return _said(ctx.say("I do not know when that is."))
    if when.replace(second=0) < now.replace(second=0, microsecond=0):
        whole = "days" if when.time() == datetime.min.time() else None
        return _said(ctx.say("That was {ago} ago.", ago=_length(when, now, unit or whole, ctx)))
    told = _length(now, when, unit, ctx)
    if (really := times.shown(times.instant(when))) > when.replace(tzinfo=None):
        forward = ctx.say("The clocks go forward then: {time}", time=_clock(really, ctx))
        return Reply(f"{told}\n{forward}", speech=f"{told}. {forward}")
    lines = [told, _when(when, now, ctx), honest]
    return Reply("\n".join(filter(None, lines)), speech=told)


@skill(
    "how long (is it|has it been|was it) since {when}",
    "how long since {when}",
    "how long since {festival}",
    "how long ago (is|was) {when}",
    "how long ago (is|was) {festival}",
    "how long (is it|has it been) since {festival}",
    "how many {unit} (is it|has it been|have passed|ago was) [since] {when}",
    "how many {unit} (is it|has it been|have passed|ago was) [since] {festival}",
    "how many {unit} since ({when}|{festival})",
    knows=("time",),
)
def since(
    ctx: Context,
    when: datetime | None = None,
    festival: Festival | None = None,
    unit: Unit | None = None,
) -> Reply:
    """Tell how long ago a time, a day or a holiday was."""
    now = _now(ctx)
    if festival is not None:
        day = festivals.on_or_before(festival, now.date(), home.country(ctx.language))
        if day is None:
            return _said(ctx.say("I do not know when that is."))
        when, unit = datetime(day.year, day.month, day.day), unit or "days"
    if when is None:
        return _said(ctx.say("I do not know when that is."))
    when = _gone_by(when, ctx)
    told = _length(when, now, unit, ctx)
    return Reply(f"{told}\n{_when(when, now, ctx)}", speech=told)


# -- zones ----------------------------------------------------------------------------------------


@skill(
    "(what is|what's) the time difference (to|with|from|between here and) [the] {place}",
    "[what is the] time difference (to|with|from) {place}",
    "(what is|what's) the time difference between [the] {other} and [the] {place}",
    "how (far|many hours) (ahead|behind) is {place}",
    "how many hours ahead of us is {place}",
    knows=("time",),
)
def difference(place: AnyPlace, ctx: Context, other: KnownPlace | None = None) -> Reply:
    """Tell how far the clocks of a place are ahead, and what they show."""
    there, here = places.find(place), places.find(other) if other is not None else None
    if there is None or (other is not None and here is None):
        return _unknown(place if there is None else other or "", ctx)
    zone, from_zone = places.zone(there.zone), places.zone(here.zone) if here else None
    if zone is None:
        return _unknown(place, ctx)
    now = zones.instant(ctx.clock())
    ahead = zones.offset(now, zone) - zones.offset(now, from_zone)
    name, long = there.shown(ctx.language), wording.length(abs(ahead), ctx.language)
    base = here.shown(ctx.language) if here else ctx.say("you")
    values = {"place": name, "length": long, "here": base}
    if not ahead:
        told = ctx.say("{place} has the same time as {here}", place=name, here=base)
    elif ahead > timedelta():
        told = ctx.say("{place} is {length} ahead of {here}", **values)
    else:
        told = ctx.say("{place} is {length} behind {here}", **values)
    shown = zones.there(now, zone)
    day = wording.weekday(shown, ctx.language)
    time = ctx.say("{day}, {time}", day=day, time=_clock(shown, ctx))
    return Reply(f"{told}\n{name} {time}", speech=told)


@skill(
    "what time zone (am i in|is this|are we in|do we have|is it)",
    "(what is|what's) (my|the|our) time zone",
    "(what|which) time zone is {place} [in]",
    "(what is|what's) the time zone (of|for) {place}",
    "{known} is in (what|which) time zone",
    knows=("time",),
)
def time_zone(
    ctx: Context, place: AnyPlace | None = None, known: KnownPlace | None = None
) -> Reply:
    """Tell the time zone, here or of a place, as hours from UTC."""
    now, wanted = zones.instant(ctx.clock()), place or known
    if wanted is None:
        return _said(zones.name(zones.offset(now, None)))
    spot = places.find(wanted)
    zone = places.zone(spot.zone) if spot else None
    if spot is None or zone is None:
        return _unknown(wanted, ctx)
    name = zones.name(zones.offset(now, zone))
    return _said(ctx.say("{place}: {zone}", place=spot.shown(ctx.language), zone=name))


@skill(
    "when (do|will|are) the clocks [be] (change|changed|go forward|go back|put forward|put back)"
    " [in {place}]",
    "when (does|will) (daylight saving|daylight savings|summer time|winter time) [time]"
    " (start|begin|end|change) [in {place}]",
    "when (is|does) the [next] (time|clock) change [happen] [in {place}]",
    "is it (daylight saving|daylight savings|summer time) [time] [now]",
    knows=("time",),
)
def clock_change(
    ctx: Context, place: AnyPlace | None = None, known: KnownPlace | None = None
) -> Reply:
    """Tell when the clocks are changed next, for daylight saving or back, and by how much."""
    place = place or known
    spot = places.find(place) if place is not None else None
    if place is not None and spot is None:
        return _unknown(place, ctx)
    zone = places.zone(spot.zone) if spot else None
    where = spot.shown(ctx.language) if spot else ctx.say("here")
    change = zones.next_change(ctx.clock(), zone)
    if change is None:
        return _said(ctx.say("The clocks are not changed {where}.", where=_at(spot, where, ctx)))
    values = {
        "length": wording.length(abs(change.by), ctx.language),
        "day": wording.day_name(change.shown, ctx.language),
        "time": _clock(change.shown, ctx),
    }
    if change.by > timedelta():
        told = ctx.say("The clocks go forward {length} on {day} at {time}", **values)
    else:
        told = ctx.say("The clocks go back {length} on {day} at {time}", **values)
    return Reply(f"{told}\n{where}" if spot else told, speech=told)


# -- holidays and the sun -------------------------------------------------------------------------


@skill(
    "is it a [(public|bank|national)] holiday",
    "is {day} a [(public|bank|national)] holiday",
    "is there a [(public|bank|national)] holiday [on] {day}",
    knows=("time",),
)
def holiday(ctx: Context, day: datetime | None = None) -> Reply:
    """Tell whether a day is a public holiday, and which."""
    today = _now(ctx).date()
    asked, country = day.date() if day is not None else today, home.country(ctx.language)
    try:
        name = festivals.public(country, asked.year, ctx.language).get(asked)
    except ValueError:
        return _no_country(country, ctx)
    if name:
        return _said(ctx.say("Yes: {name} ({country})", name=name, country=country))
    if asked == today:
        return _said(ctx.say("No public holiday today ({country})", country=country))
    name = wording.day_name(asked, ctx.language)
    return _said(ctx.say("No public holiday on {day} ({country})", day=name, country=country))


@skill(
    "when is the next [(public|bank|national)] holiday",
    "(what is|what's) the next [(public|bank|national)] holiday",
    "(what is|what's) the date of the next [closest] [(public|bank|national)] holiday",
    "i (want to|wanna|would like to) know the next [(public|bank|national)] holiday",
    "how (long|many {unit}) [is it] (until|till|to) the next [(public|bank|national)] holiday",
    knows=("time",),
)
def next_holiday(ctx: Context, unit: Unit | None = None) -> Reply:
    """Tell the next public holiday, its day, and how long until then."""
    now, country = _now(ctx), home.country(ctx.language)
    try:
        found = festivals.next_public(country, now.date(), ctx.language)
    except ValueError:
        return _no_country(country, ctx)
    if found is None:
        return _said(ctx.say("I do not know when that is."))
    day, name = found
    told = ctx.say("{name}: {day}", name=name, day=wording.day_name(day, ctx.language))
    midnight = datetime(day.year, day.month, day.day)
    ahead = _length(now, midnight, unit or "days", ctx)
    return Reply(
        f"{told}\n{ctx.say('in {length} ({country})', length=ahead, country=country)}", speech=told
    )


@skill(
    "when is [the [next]] {festival} [this year]",
    "(what|which) (day|date|day of the week) is {festival} [this year]",
    "(what is|what's) the date of {festival}",
    "what is the date {festival} falls on",
    "(what|which) (day|date) does {festival} fall on [this year]",
    "when (was|will) {festival} [be] [this year]",
    knows=("time",),
)
def festival_day(festival: Festival, ctx: Context) -> Reply:
    """Tell which day a holiday or a festival is next."""
    now = _now(ctx)
    day = festivals.on_or_after(festival, now.date(), home.country(ctx.language))
    name = _festival(festival, ctx)
    if day is None:
        return _said(ctx.say("I do not know when that is."))
    if day == now.date():
        return _said(ctx.say("{festival} is today.", festival=name))
    told = ctx.say("{name}: {day}", name=name, day=wording.day_name(day, ctx.language))
    ahead = wording.count((day - now.date()).days, "days", ctx.language)
    return Reply(f"{told}\n{ctx.say('in {length}', length=ahead)}", speech=told)


@skill(
    "(when is|what time is) [the] {sun}",
    "(when is|what time is) [the] {sun} [on] {day}",
    "(when|what time) does the sun (set|go down) [{day}]",
    "(when|what time) will the sun (set|go down) [{day}]",
    "(when|what time) does it get dark [{day}]",
    "(when is|what time is) [the] {sun} in {known}",
    permissions={"location": WHY},
    knows=("time",),
)
def sun_time(
    ctx: Context,
    sun: Sun | None = None,
    day: datetime | None = None,
    known: KnownPlace | None = None,
) -> Reply:
    """Tell when the sun sets or rises, where the wearer is or in a place, today or another day."""
    if known is not None:
        return _sun_there(sun or "sunset", known, ctx)
    return _sun(sun or "sunset", day, ctx)


def _sun_there(event: str, known: str, ctx: Context) -> Reply:
    spot = places.find(known)
    zone = places.zone(spot.zone) if spot else None
    here = sky.position((*spot.capital, *spot.en)) if spot else None
    if spot is None or zone is None:
        return _unknown(known, ctx)
    if here is None:
        name = spot.shown(ctx.language)
        return _said(ctx.say("I do not know where “{place}” is: name a large city.", place=name))
    today = zones.there(ctx.clock(), zone).date()
    found = sky.sun(event, today, here, zone)
    if found is None:
        return _no_sun(event, ctx)
    time, name = _clock(zones.there(found, zone), ctx), spot.shown(ctx.language)
    if event == "sunset":
        return _said(ctx.say("Sunset in {place}: {time}", place=name, time=time))
    return _said(ctx.say("Sunrise in {place}: {time}", place=name, time=time))


@skill(
    "(when|what time) does the sun (rise|come up)",
    "(when|what time) will the sun (rise|come up) [{day}]",
    "(when|what time) does it get light [{day}]",
    "(when|what time) does the sun (rise|come up) [on] {day}",
    permissions={"location": WHY},
    knows=("time",),
)
def sun_up(ctx: Context, day: datetime | None = None) -> Reply:
    """Tell when the sun rises where the wearer is, today or on another day."""
    return _sun("sunrise", day, ctx)


def _sun(event: str, day: datetime | None, ctx: Context) -> Reply:
    now, place = _now(ctx), ctx.location
    asked = day.date() if day is not None else now.date()
    found = sky.sun(event, asked, place)
    if found is None:
        return _no_sun(event, ctx)
    at = zones.there(found, None)
    time = _clock(at, ctx)
    if event == "sunset":
        told = ctx.say("Sunset: {time}", time=time)
    else:
        told = ctx.say("Sunrise: {time}", time=time)
    date_line = wording.day_name(at, ctx.language) if at.date() != now.date() else ""
    lines = [told, date_line, _honest(place.simulated, ctx)]
    return Reply("\n".join(filter(None, lines)), speech=told)


# -- what they share ------------------------------------------------------------------------------


def _now(ctx: Context) -> datetime:
    """Return what the agent's clock shows, in the system's zone and without it."""
    now = ctx.clock()
    return now if now.tzinfo is None else now.astimezone().replace(tzinfo=None)


def _clock(at: datetime, ctx: Context) -> str:
    return wording.clock(at, ctx.language, home.twelve_hours())


def _said(text: str) -> Reply:
    """Return a reply that is read out as it stands."""
    return Reply(text, speech=text.replace("\n", " "))


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _gone_by(when: datetime, ctx: Context) -> datetime:
    """Return the last such day or time: a date without a year was read as the next one."""
    now = _now(ctx)
    if when <= now:
        return when
    if when - now <= timedelta(days=1) and when.time() != datetime.min.time():
        return when - timedelta(days=1)
    if when - now <= timedelta(days=7):
        return when - timedelta(days=7)
    for year in range(when.year - 1, max(when.year - 10, 0), -1):
        try:
            earlier = when.replace(year=year)
        except ValueError:  # 29 February
            continue
        if earlier <= now:
            return earlier
    return when


def _length(begin: datetime, end: datetime, unit: str | None, ctx: Context) -> str:
    """Return how long it is between two times of the system's zone, as it passes.

    Days are counted by the calendar, and what is shorter as it passes: on a day on which the clocks
    are changed, noon is not twelve hours after midnight.
    """
    days = (end.date() - begin.date()).days
    passes = times.instant(_minute(end)) - times.instant(_minute(begin))
    if unit == "weeks":
        return _weeks(days, ctx)
    if unit in ("hours", "minutes"):
        return wording.count(int(passes.total_seconds()) // wording.UNITS[unit], unit, ctx.language)
    whole = days >= FAR.days and end.time() == datetime.min.time()
    if unit == "days" or whole or passes >= FAR:
        return wording.count(days, "days", ctx.language)
    return wording.length(passes, ctx.language)


def _weeks(days: int, ctx: Context) -> str:
    weeks, rest = divmod(days, 7)
    parts = [wording.count(weeks, "weeks", ctx.language)] if weeks else []
    if rest or not weeks:
        parts.append(wording.count(rest, "days", ctx.language))
    return ("" if ctx.language == "zh" else " ").join(parts)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _when(at: datetime, now: datetime, ctx: Context) -> str:
    """Return what was counted to: an hour of today, or a day."""
    time = _clock(at, ctx)
    if at.date() == now.date():
        return time
    day = wording.day_name(at, ctx.language)
    if at.time() == datetime.min.time():
        return day
    return ctx.say("{day}, {time}", day=day, time=time)


def _festival(festival: str, ctx: Context) -> str:
    return festivals.shown(festival, ctx.language)


def _at(spot: Spot | None, where: str, ctx: Context) -> str:
    return ctx.say("in {place}", place=where) if spot else where


def _honest(simulated: bool, ctx: Context) -> str:
    return ctx.say("(simulated position)") if simulated else ""


def _no_sun(event: str, ctx: Context) -> Reply:
    if event == "sunset":
        return _said(ctx.say("The sun does not set here then."))
    return _said(ctx.say("The sun does not rise here then."))


def _no_such(wrong: str, ctx: Context) -> Reply:
    month, day = wrong.split("-")
    name = date(2000, int(month), 1).strftime("%B")
    return _said(ctx.say("There is no {day} {name}.", day=day, name=_month(int(month), name, ctx)))


def _no_leap_day(year: int, ctx: Context) -> Reply:
    return _said(ctx.say("There is no 29 February {year}: it is no leap year.", year=year))


def _month(number: int, name: str, ctx: Context) -> str:
    return f"{number}月" if ctx.language == "zh" else name


def _unknown(place: str, ctx: Context) -> Reply:
    told = ctx.say("I do not know the time zone of “{place}”: name a large city.", place=place)
    return _said(told)


def _no_country(country: str, ctx: Context) -> Reply:
    return _said(
        ctx.say("I know no holidays of “{country}”: set GLASSES_COUNTRY.", country=country)
    )


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Add the actions. Raises DataError: without its places the skill is left out."""
    places.spots()
    register(  # `moment` first: it takes what asks for the time in other words
        moment, clock, which_day, week, leap_year, until, since, difference, time_zone,
        clock_change, holiday, next_holiday, festival_day, sun_time, sun_up,
    )  # fmt: skip
    _warm_soon()


def _warm_soon() -> None:
    """Load the libraries a moment later, once a process."""
    if not _warming:
        _warming.append(timer := threading.Timer(WARM_AFTER_S, _warm))
        timer.daemon = True
        timer.start()


def _warm() -> None:
    """Load what the first questions would wait for: a fifth of a second."""
    festivals.warm()
    places.find("london")
    for spot in places.spots():
        places.zone(spot.zone)
    sky.warm()


_warming: list[threading.Timer] = []
