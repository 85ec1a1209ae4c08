"""How what is planned is told, and found again by what it is called."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from agent import Context, Reply
from agent.language import numbers, times, wording
from agent.language.folding import compared
from agent.skill.later import Entry


def names(language: str) -> list[str]:
    """Return what timers are often called, for speech to listen for."""
    if language == "zh":
        return ["茶", "鸡蛋", "面条", "洗衣", "蛋糕"]
    return ["tea", "egg", "pasta", "pizza", "laundry", "oven"]


def no_days(language: str) -> dict[str, str]:
    """Return the days that no year has, as they are said, each as month and day."""
    if language == "zh":
        ends = {"二": ("三十", "三十一", "30", "31"), "四": ("三十一", "31")}
        ends |= dict.fromkeys(("六", "九", "十一"), ends["四"])
        return {
            f"{month}月{day}{unit}": f"{month}月-{day}{unit}"
            for month, days in ends.items() for day in days for unit in "号日"
        }  # fmt: skip
    ends = {"february": ("30th", "31st"), "april": ("31st",), "june": ("31st",)}
    ends |= {"september": ("31st",), "november": ("31st",)}
    words = {"30th": ("30", "30th", "thirtieth"), "31st": ("31", "31st", "thirty first")}
    return {
        form: f"{month.title()}-{day}"
        for month, days in ends.items() for day in days for word in words[day]
        for form in (f"{month} {word}", f"{month} the {word}", f"{word} of {month}",
                     f"the {word} of {month}", f"{word} {month}")
    }  # fmt: skip


def no_such(hour: int | None, day: str | None, ctx: Context) -> Reply:
    """Say that there is no such hour, or day."""
    if hour is not None:
        told = ctx.say("There is no {hour} o'clock.", hour=hour)
    else:
        month, number = str(day).split("-")
        told = ctx.say("There is no {day} {month}.", day=number, month=month)
    return Reply(told, speech=told)


def called(waiting: Sequence[Entry], name: str | None) -> list[Entry]:
    """Return the entries of a name; all where none is given.

    A timer of no name is called by the length of time that it had: that is not kept, so that it is
    the one that has the least left of those that may be meant.
    """
    if name is None:
        return list(waiting)
    wanted = compared(name)
    exact = [one for one in waiting if compared(one.text) == wanted]
    if exact:
        return exact
    within = [one for one in waiting if one.text and wanted in compared(one.text)]
    if within:
        return within
    try:
        numbers.parse_duration(name)
    except ValueError:
        return []
    return [one for one in waiting if not one.text][:1]


def running(waiting: Sequence[Entry], name: str | None) -> list[Entry]:
    """Return the entries of a name that are not held."""
    return called([one for one in waiting if one.held_s is None], name)


def at_time(waiting: Sequence[Entry], when: datetime | None) -> list[Entry]:
    """Return the alarms of a time of day; all where none is given."""
    if when is None:
        return list(waiting)
    day = [one for one in waiting if one.wall == when]
    return day or [
        one
        for one in waiting
        if one.wall is not None and one.wall.minute == when.minute
        and one.wall.hour % 12 == when.hour % 12
    ]  # fmt: skip


def left(entry: Entry, ctx: Context) -> str:
    """Return how much time an entry has left."""
    length = wording.exactly(timedelta(seconds=ctx.schedule.left_s(entry)), ctx.language)
    name = entry.text or ctx.say("Timer")
    if entry.held_s is not None:
        return ctx.say("{name}: paused, {length} left", name=name, length=length)
    return ctx.say("{name}: {length} left", name=name, length=length)


def line(entry: Entry, ctx: Context) -> str:
    """Return an entry as a line: when, and what for."""
    if entry.kind == "timer":
        return left(entry, ctx)
    when = _when(entry, ctx)
    said = f"{when} {entry.text}".strip()
    return f"{said} ({rule(entry.rule, ctx)})" if entry.rule else said


def short(entry: Entry, ctx: Context) -> str:
    """Return an entry for the dashboard, its time at the right."""
    if entry.kind == "timer":
        seconds = max(0, round(ctx.schedule.left_s(entry)))
        hours, rest = divmod(seconds, 3600)
        minutes = f"{rest // 60:02}" if hours else f"{rest // 60}"
        clock = f"{f'{hours}:' if hours else ''}{minutes}:{rest % 60:02}"
        return f"{entry.text or ctx.say('Timer')}\t{clock}"
    name = entry.text or ctx.say("Alarm")
    return f"{name}\t{_when(entry, ctx)}"


def _when(entry: Entry, ctx: Context) -> str:
    if entry.place is not None:
        if entry.place.leaving:
            return ctx.say("on leaving {place}", place=entry.place.name)
        return ctx.say("on coming to {place}", place=entry.place.name)
    now = ctx.clock().replace(tzinfo=None)
    seconds = ctx.schedule.left_s(entry)
    at = entry.wall or (times.shown(entry.instant) if entry.instant is not None else now)
    return wording.moment(at, now, ctx.language) if seconds < math.inf else ""


_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def rule(text: str, ctx: Context) -> str:
    """Return how something comes again."""
    parts = dict(part.split("=", 1) for part in text.split(";"))
    every, days = int(parts.get("INTERVAL", "1")), parts.get("BYDAY", "")
    match parts["FREQ"]:
        case "DAILY":
            return ctx.say("every day") if every == 1 else ctx.say("every {n} days", n=every)
        case "WEEKLY" if days == ",".join(_DAYS[:5]):
            return ctx.say("on weekdays")
        case "WEEKLY":
            monday = datetime(2024, 1, 1)
            shown = (
                wording.weekday(monday + timedelta(days=_DAYS.index(day)), ctx.language)
                for day in days.split(",")
            )
            named = ("、" if ctx.language == "zh" else ", ").join(shown)
            if every > 1:
                return ctx.say("every {n} weeks on {days}", n=every, days=named)
            return ctx.say("every {days}", days=named)
        case "MONTHLY":
            return ctx.say("every month")
        case "YEARLY":
            return ctx.say("every year")
        case "HOURLY":
            return ctx.say("every hour") if every == 1 else ctx.say("every {n} hours", n=every)
        case _:
            return ctx.say("every {n} minutes", n=every)
