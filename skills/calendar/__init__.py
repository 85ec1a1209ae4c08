"""The day's calendar: what is next, what is on a day, and a new event."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

from agent import Context, Proposal, Reply, hookimpl, skill
from agent.language import wording
from agent.language.folding import compared
from agent.messages import Receipt
from agent.skill.events import Event
from agent.skill.slots import At
from hardware.base import DeviceError
from skills.calendar import source
from skills.calendar.source import Mine

WHY = {"network": "to read the calendar that is set"}
AHEAD = timedelta(days=14)
"""How far ahead the next event is looked for."""
LENGTH = timedelta(hours=1)
"""How long a new event is."""
LIKE = 0.45
"""How like an event must be to what is to be taken off."""
SHOWN = 12
"""Most events that one answer shows."""

When = Annotated[datetime, At(lengths=False)]
EVENT, EVENTS = "(event|appointment|meeting)", "(events|appointments|meetings|plans)"
CALENDAR = "(calendar|schedule|agenda)"


@skill(
    "(what is|what's) (next|coming up) [(on|in) my (calendar|schedule|agenda)]",
    f"(what is|what's|which is|when is|where is) (my|the) next {EVENT} [coming up]",
    f"(when|what time) does my next {EVENT} (start|begin)",
    f"(when|what time) (does|is) the {EVENT} [(start|starting|begin)]",
    f"(what|which) day is (my|the) [next] {EVENT} [on]",
    f"when the {EVENT} (start|starts)",
    f"(show|check|tell|read) [me] my (next|upcoming|coming up) {EVENTS}",
    "(do i have|is there) anything coming up",
    "what do i have next",
    permissions=WHY,
)
def next_event(ctx: Context) -> Reply:
    """Tell the next event of the calendar."""
    now = _now(ctx)
    found = _events(now, now + AHEAD, ctx)
    if isinstance(found, Reply):
        return found
    ahead = [one for one in found if one.begins >= now and not one.whole_day]
    going = [one for one in found if one.begins < now < one.ends and not one.whole_day]
    _remember(ahead)
    if not ahead and not going:
        return _said(ctx.say("Nothing is on the calendar."))
    lines = [ctx.say("Now: {event}", event=one.text) for one in going[:1]]
    if ahead:
        first = ahead[0]
        length = wording.exactly(_minutes(first.begins - now), ctx.language)
        lines += [f"{wording.moment(first.begins, now, ctx.language)} {first.text}"]
        lines += [first.place] if first.place else []
        lines += [ctx.say("in {length}", length=length)]
    return Reply("\n".join(lines), speech=". ".join(lines))


@skill(
    f"(what is|what's|whats) [(scheduled|planned|going on)] (on|in) my {CALENDAR}"
    " [(for|on)] [{day}]",
    "(what is|what's) (scheduled|planned) [(for|on)] {day}",
    f"(what is|what's|how is|how's) my {CALENDAR} [(like|looking)] [(for|on)] [{{day}}]",
    f"what is my {EVENT} schedule [like] [(for|on)] [{{day}}]",
    f"what does my ({CALENDAR}|day) look like [(for|on)] [{{day}}]",
    "what do i have [(planned|scheduled)] [(for|on)] {day}",
    f"(show|read|check|open|tell|give) [me] my ({CALENDAR}|{EVENTS}) [(for|on)] [{{day}}]",
    f"what {EVENTS} (do i have|are there) [(scheduled|planned)] [(for|on)] [{{day}}]",
    f"(do i have|are there) [any] {EVENTS} [(scheduled|planned|set)] [(for|on)] [{{day}}]",
    "do i have (anything|something) [(scheduled|planned|to do|on)] [(for|on)] {day}",
    "am i (busy|free) [on] {day}",
    "do i need to (do|be) (anything|anywhere) [on] {day}",
    permissions=WHY,
)
def agenda(ctx: Context, day: When | None = None) -> Reply:
    """Show what is on the calendar of a day, today if none is named."""
    now = _now(ctx)
    begins = datetime.combine((day or now).date(), datetime.min.time())
    found = _events(begins, begins + timedelta(days=1), ctx)
    if isinstance(found, Reply):
        return found
    name = wording.day_name(begins, ctx.language)
    if not found:
        return _said(ctx.say("Nothing is on the calendar.") + f"\n{name}")
    lines = [_line(one, ctx) for one in found[:SHOWN]]
    if more := len(found) - len(lines):
        lines.append(ctx.say("and {count} more", count=more))
    return Reply("\n".join([name, *lines]), kind="list", speech=". ".join(lines))


@skill(
    "(add|put) {what} (to|on|in) my calendar (for|on|at) {when}",
    "(add|put) {what} {when} (to|on|in) my calendar",
    f"(schedule|create|add|book) [(a|an)] {EVENT} [(called|for|about)] {{what}} {{when}}",
    f"(set up|set|arrange|i need to set up) (a|an) {EVENT} (called|for|about|with) {{what}}"
    " {when}",
    "(block|block off) {when} (on|in) my calendar for {what}",
    "add to [my|the] calendar [(a|an)] {what} (for|on|at) {when}",
    f"(schedule|create|add|book) [(a|an)] {EVENT} [(called|for|about)] {{what}} (on|for|at)"
    " {when}",
    "(put|set|mark) {what} (on|in) my calendar (for|on|at) {when}",
    "mark my calendar for {what} (on|at) {when}",
    f"(schedule|create|add|book) [(a|an)] {EVENT} [(on|for|at)] {{when}} [(called|for|about)]"
    " {what}",
    risk="change",
    permissions=WHY,
)
def add_event(what: str, when: When, ctx: Context) -> Reply:
    """Put an event of an hour on the calendar."""
    where = source.setting()
    if not where:
        return _none(ctx)
    if when <= _now(ctx):
        return _said(ctx.say("That has gone by."))
    if what.startswith("with "):  # "schedule a meeting with fred": the sentence has the meeting
        what = f"meeting {what}"
    try:
        source.add(where, ctx.folder, what, when, when + LENGTH)
    except DeviceError as error:
        return Reply(ctx.told(error), kind="alert")
    told = f"{what}\n{wording.moment(when, _now(ctx), ctx.language)}"
    return Reply(told, speech=told.replace("\n", ", "))


@skill(
    f"(cancel|delete|remove|drop) [all] [of] [my|the] {EVENTS} [scheduled] [(for|on|at)] {{day}}",
    f"(cancel|delete|remove|drop) [(my|the|an|a)] {EVENT} [reminder] [scheduled] (for|on|at)"
    f" {{day}} [(in|from|on|off) (my|the|this) {CALENDAR}]",
    "(delete|remove|erase) all calendar (entries|events|items) (for|on) {day}",
    f"(cancel|delete|remove|drop) (my|the) next {EVENT} [(on|in|from) (my|the) {CALENDAR}]",
    f"(cancel|delete|remove|drop) (my|the|this|that|an) {EVENT} [from (my|the|this) {CALENDAR}]",
    f"(cancel|delete|remove|drop) (my|the) {EVENT} (called|about|with|for) {{what}}",
    f"(cancel|delete|remove|erase|drop) {{what}} [{EVENT}] (from|off) (my|the|this) {CALENDAR}",
    "(cancel|delete|remove|drop) {what} scheduled for {day}",
    risk="change",
    permissions=WHY,
)  # fmt: skip
def remove_event(ctx: Context, what: str | None = None, day: When | None = None) -> Reply:
    """Take an event off the calendar; of several only once you say yes."""
    found = _meant(what, day, ctx)
    if isinstance(found, Reply):
        return found
    if not found:
        return _said(ctx.say("Nothing like that is on the calendar."))
    return _asked(found, ctx) if len(found) > 1 else _gone(found, ctx)


@skill(
    f"(clear|empty|erase|wipe) my {CALENDAR} [(for|on|of)] [{{day}}]",
    f"(clear|cancel|delete|remove|erase) (everything|all [the] (data|events|entries))"
    f" (on|from|off) (my|the) {CALENDAR} [(for|on)] [{{day}}]",
    f"(cancel|delete|remove) everything [(for|on)] {{day}} (on|from|off|in) (my|the) {CALENDAR}",
    f"(delete|remove) [all] events from [my|the] {CALENDAR}",
    f"make sure there (is|are) no events on my {CALENDAR} [(for|on)] [{{day}}]",
    risk="change",
    permissions=WHY,
)  # fmt: skip
def clear_day(ctx: Context, day: When | None = None) -> Reply:
    """Take everything of a day off the calendar, once you say yes."""
    if day is None:
        return _said(ctx.say("Say of which day: “clear my calendar for tomorrow”."))
    begins = datetime.combine(day.date(), datetime.min.time())
    found = _events(begins, begins + timedelta(days=1), ctx)
    if isinstance(found, Reply):
        return found
    if not found:
        return _said(ctx.say("Nothing is on the calendar."))
    return _asked(found, ctx)


def _meant(what: str | None, day: datetime | None, ctx: Context) -> list[Event] | Reply:
    """Return the events that are meant: of a day, an hour, by what they are, or the next one."""
    now = _now(ctx)
    begins, length = now, AHEAD
    if day is not None:
        begins, length = datetime.combine(day.date(), datetime.min.time()), timedelta(days=1)
    found = _events(begins, begins + length, ctx)
    if isinstance(found, Reply):
        return found
    if day is not None and day.time() != datetime.min.time():
        found = [one for one in found if one.begins == day]
    if what is not None:
        likeness = ctx.alike(what, [one.text for one in found])
        near = [
            (like, one)
            for like, one in zip(likeness, found, strict=True)
            if like >= LIKE or compared(what) in compared(one.text)
        ]
        best = max(near, key=lambda pair: pair[0], default=None)
        found = [] if best is None else [best[1]]
    elif day is None:
        found = [one for one in found if one.begins >= now and not one.whole_day][:1]
    return found


def _asked(found: list[Event], ctx: Context) -> Reply:
    lines = [_line(one, ctx) for one in found[:SHOWN]]
    if more := len(found) - len(lines):
        lines.append(ctx.say("and {count} more", count=more))
    asked = ctx.say("Take {count} off the calendar?", count=len(found))

    def commit(key: str) -> Receipt:
        return Receipt(_gone(found, ctx).text)

    return Proposal("\n".join([asked, *lines]), commit=commit, asks=True, speech=asked)


def _gone(found: list[Event], ctx: Context) -> Reply:
    where = source.setting()
    try:
        put_back = source.remove(where, found)
    except DeviceError as error:
        return Reply(ctx.told(error), kind="alert")

    def undo() -> Reply | None:
        put_back()
        return None

    names = ", ".join(dict.fromkeys(one.text for one in found[:SHOWN]))
    told = ctx.say("Off the calendar: {event}", event=names)
    return Reply(told, speech=told, undo=undo)


def _events(begins: datetime, ends: datetime, ctx: Context) -> list[Event] | Reply:
    where = source.setting()
    if not where:
        return _none(ctx)
    try:
        return source.events(where, ctx.folder, begins, ends)
    except DeviceError as error:
        return Reply(ctx.told(error), kind="alert")


def _line(event: Event, ctx: Context) -> str:
    when = ctx.say("all day") if event.whole_day else wording.clock(event.begins, ctx.language)
    return f"{when} {event.text}"


def _minutes(length: timedelta) -> timedelta:
    return timedelta(minutes=max(1, round(length.total_seconds() / 60)))


def _none(ctx: Context) -> Reply:
    return _said(ctx.say("No calendar is connected: set GLASSES_CALENDAR."))


def _said(text: str) -> Reply:
    return Reply(text, speech=text.replace("\n", ", "))


def _now(ctx: Context) -> datetime:
    now = ctx.clock()
    return now if now.tzinfo is None else now.astimezone().replace(tzinfo=None)


_lock = threading.Lock()
_ahead: list[Event] = []


def _remember(ahead: list[Event]) -> None:
    with _lock:
        _ahead[:] = ahead[:SHOWN]


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Hand the actions to the agent."""
    register(next_event, agenda, add_event, remove_event, clear_day)


@hookimpl
def register_devices(provide: Callable[..., None]) -> None:
    """Let other skills ask what is on the calendar, such as a journey that is booked."""
    provide("calendar", lambda config: Mine(config.data / "calendar"), "the calendar that is set")


@hookimpl
def dashboard(ctx: Context) -> str | None:
    """Return the next event, of what was read before: the wearer is looking."""
    now = _now(ctx)
    with _lock:
        first = next((one for one in _ahead if one.begins > now), None)
    return (
        None
        if first is None
        else f"{first.text}\t{wording.moment(first.begins, now, ctx.language)}"
    )
