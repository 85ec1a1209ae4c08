"""The weather where the wearer is, now and on a day of the week ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from agent import Context, Reply, hookimpl, skill
from agent.language import wording
from agent.language.folding import compared
from agent.skill.slots import At
from hardware.base import DeviceError, Place
from skills.weather import provider
from skills.weather.provider import Day, Forecast

WHY = {
    "location": "to know whose weather is asked for",
    "network": "to ask the weather feed that is set",
}

When = Annotated[datetime, At(lengths=False)]
SKY = "(warm|cold|hot|cool|nice|sunny|windy|cloudy|chilly|foggy|freezing|humid|stormy|clear)"
"""What people ask whether it will be."""
HERE = frozenset({"here", "my location", "my current location", "my area", "town", "这里", "本地"})
"""Places that are no other."""
FALLS = "(rain|snow|a storm|a snowstorm|a thunderstorm)"


@skill(
    "(what is|what's|how is|how's) the (weather|forecast|temperature) [(like|looking)] [outside]"
    " [(for|on)] [{day}]",
    "what will the weather be [like] [on] [{day}]",
    "[(tell|show|check)] [me] [the] (weather|forecast|weather (forecast|report)) [(for|on)]"
    " [{day}]",
    "give me the (weather|forecast|weather (forecast|report)) [(for|on)] [{day}]",
    "(how (warm|hot|cold)|what temperature) (is|will) it [(be|get)] [outside] [{day}]",
    f"(is it|will it be|is it going to be) {SKY} [(out|outside)] [{{day}}]",
    "(what is|what's) (today's|the) high and low [temperature] [{day}]",
    "how does it feel outside",
    permissions=WHY,
)
def weather(ctx: Context, day: When | None = None) -> Reply:
    """Tell the weather, now or on a day."""
    told = _asked(day, ctx)
    if isinstance(told, Reply):
        return told
    lines = _lines(*told, day, ctx)
    return Reply("\n".join([*lines, *_honest(ctx)]), speech=". ".join(lines))


def _lines(found: Forecast, ahead: Day | None, day: datetime | None, ctx: Context) -> list[str]:
    """Return the weather now with that of the day, or of a day ahead."""
    if day is None or (ahead is not None and ahead.date == ctx.clock().date()):
        sky = provider.sky(found.code, ctx.language)
        now = ctx.say("{sky}, {degrees}°", sky=sky, degrees=round(found.temperature_c))
        return [now, *([_day(ahead, ctx)] if ahead else [])]
    assert ahead is not None
    return [wording.day_name(ahead.date, ctx.language), _day(ahead, ctx)]


@skill(
    "what is it like outside [(now|right now)]",
    permissions=WHY,
    knows=("weather",),
)
def outside(ctx: Context) -> Reply:
    """Tell the weather now, and that it is of here: somewhere else may have been meant."""
    told = _asked(None, ctx)
    if isinstance(told, Reply):
        return told
    found, _ = told
    sky = provider.sky(found.code, ctx.language)
    line = ctx.say("{sky}, {degrees}°, here and now", sky=sky, degrees=round(found.temperature_c))
    return Reply("\n".join([line, *_honest(ctx)]), speech=line)


@skill(
    "(will|is) it [going to] (rain|snow|storm) [{day}]",
    "(will it be|is it going to be) (rainy|snowy|wet) [{day}]",
    "is it (raining|snowing) [outside]",
    f"(will there be|is there going to be|is there) [any] {FALLS} [{{day}}]",
    "(do i need|should i (take|bring|wear|pack)) (an umbrella|a coat|a jacket|a raincoat) [{day}]",
    permissions=WHY,
)
def rain(ctx: Context, day: When | None = None) -> Reply:
    """Tell whether it will rain, today or on a day."""
    told = _asked(day or ctx.clock().replace(tzinfo=None), ctx)
    if isinstance(told, Reply):
        return told
    _, ahead = told
    assert ahead is not None
    if ahead.rain is None:
        line = _day(ahead, ctx)
    elif ahead.rain >= LIKELY:
        line = ctx.say("Yes, probably: {percent} %", percent=ahead.rain)
    elif ahead.rain >= UNLIKELY:
        line = ctx.say("Perhaps: {percent} %", percent=ahead.rain)
    else:
        line = ctx.say("Hardly: {percent} %", percent=ahead.rain)
    shown = [line, wording.day_name(ahead.date, ctx.language), *_honest(ctx)]
    return Reply("\n".join(shown), speech=line)


@skill(
    "(what is|what's|how is|how's) the (weather|forecast|temperature) [(like|looking)]"
    " (in|at|near|around) {place} [{day}]",
    "(what is|what's) the (weather|forecast) (for|of) {place} [{day}]",
    "what will the weather be [like] (in|at|near|around) {place} [{day}]",
    "what will the weather be [like] {day} (in|at|near|around) {place}",
    "[(tell me|show me|give me|check)] [the]"
    " (weather|forecast|weather (forecast|report)|temperature)"
    " (in|at|for) {place} [{day}]",
    "(how (warm|hot|cold)|what temperature) (is|will) it [(be|get)] (in|at) {place} [{day}]",
    "(will it|is it going to) (rain|snow|storm) (in|at) {place} [{day}]",
    "(will it|is it going to) (rain|snow|storm) {day} (in|at) {place}",
    f"(is it|will it be|is it going to be) ({SKY}|rainy|snowy|wet) (in|at) {{place}} [{{day}}]",
    f"(will there be|is there going to be|is there) [any] {FALLS} (in|at) {{place}} [{{day}}]",
    permissions=WHY,
)
def elsewhere(place: str, ctx: Context, day: When | None = None) -> Reply:
    """Tell the weather of another place, where the feed can find it; else that of here."""
    if compared(place) in HERE:
        return weather(ctx, day)
    if not provider.searches():
        here = weather(ctx, day)
        told = ctx.say("I know only the weather here, not that of {place}.", place=place)
        return replace(here, text=f"{told}\n{here.text}", speech=told)
    try:
        found = provider.find(place, ctx.language, ctx.folder)
    except DeviceError as error:
        return Reply(ctx.told(error), kind="alert")
    if found is None:
        told = ctx.say("I found no place called {place}.", place=place)
        return Reply(told, speech=told)
    asked = _asked(day, ctx, found.place)
    if isinstance(asked, Reply):
        return asked
    lines = _lines(*asked, day, ctx)
    return Reply("\n".join(lines), title=found.name, speech=". ".join([found.name, *lines]))


LIKELY, UNLIKELY = 60, 25
"""Probability of rain, in per cent, from which it is called so."""


def _asked(
    day: datetime | None, ctx: Context, there: Place | None = None
) -> tuple[Forecast, Day | None] | Reply:
    """Return the forecast and the day of it that was asked for, or why there is none."""
    try:
        if there is None:
            found = provider.current(ctx.location, ctx.folder)
        else:
            found = provider.forecast(there, ctx.folder)
    except DeviceError as error:
        return Reply(ctx.told(error), kind="alert")
    if found is None:
        told = ctx.say("No weather is connected: set GLASSES_WEATHER.")
        return Reply(told, speech=told)
    date = day.date() if day is not None else ctx.clock().date()
    ahead = next((one for one in found.days if one.date == date), None)
    if ahead is None and day is not None:
        told = ctx.say(
            "The forecast does not reach to {day}.", day=wording.day_name(date, ctx.language)
        )
        return Reply(told, speech=told)
    return found, ahead


def _day(day: Day, ctx: Context) -> str:
    told = ctx.say(
        "{sky}, {low} to {high}°",
        sky=provider.sky(day.code, ctx.language), low=round(day.low_c), high=round(day.high_c),
    )  # fmt: skip
    return told if day.rain is None else f"{told}, ☂ {day.rain} %"


def _honest(ctx: Context) -> list[str]:
    return [ctx.say("(simulated position)")] if ctx.location.simulated else []


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Hand the actions to the agent."""
    register(weather, outside, rain, elsewhere)


@hookimpl
def dashboard(ctx: Context) -> str | None:
    """Return the weather now, of what was read before: the wearer is looking."""
    found = provider.last(ctx.location)
    if found is None:
        return None
    return f"{provider.sky(found.code, ctx.language)}\t{round(found.temperature_c)}°"
