"""Timers, alarms, reminders by time and by place, and commands for later.

They are kept by the agent's own schedule, so they come after a restart too; this is what can be
said, and how it is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from agent import Context, OneOf, Range, Reply, hookimpl, skill
from agent.errors import Refused
from agent.language import times, wording
from agent.language.repeats import Repeat
from agent.skill.later import Entry, Kind
from agent.skill.slots import At
from skills.reminders import places, tell

LATER = {"later": "to ring, remind you and do what you asked for when it is time"}
THERE = {**LATER, "location": "to remind you when you come to a place, or leave it"}

FARTHEST = timedelta(days=3660)
"""Beyond ten years nothing is planned."""

Name = Annotated[str, OneOf(tell.names, open=True)]
PlaceName = Annotated[str, OneOf(places.said, open=True)]
Clock = Annotated[datetime, At(lengths=False)]
Hour = Annotated[int, Range(25, 99)]
"""Hours that no clock shows."""
NoDay = Annotated[str, OneOf(tell.no_days)]
"""Days that people say and that no year has."""


# -- timers ---------------------------------------------------------------------------------------


@skill(
    "(set|start|make) [me] [a|an] [new] {after} timer [(for|called) {name}]",
    "(set|start|make) [me] a timer (for|of) {after} [(for|called) {name}]",
    "(set|start|make|create|begin|have|need|give) [me] [(a|the)] [new] timer for {after}",
    "(set|start|make) [a|an|the] {name} timer (for|of) {after}",
    "timer [for] {after}",
    "count down [from] {after}",
    risk="change",
    permissions=LATER,
)
def timer(after: timedelta, ctx: Context, name: Name | None = None) -> Reply:
    """Count a length of time down and ring at its end; several go at once, each by its name."""
    if not timedelta(0) < after <= FARTHEST:
        return _said(ctx.say("I can't count that long."))
    entry = Entry("timer", name or "", instant=_instant(ctx) + after, language=ctx.language)
    length = wording.exactly(after, ctx.language)
    first = ctx.say("{name}: {length}", name=name or ctx.say("Timer"), length=length)
    return _planned(entry, ctx, first, ctx.say("until {time}", time=_at(_now(ctx) + after, ctx)))


@skill(
    "how (long|much time) [is|do i have] (left|remaining) [on] [the|my] [{name}] [timer]",
    "how much time is (left|remaining) [on (the|my) [{name}] timer]",
    "(show|check) [me] (my|the|all) timers",
    "(show|check) [me] [(my|the)] [{name}] timer",
    "timer status",
    "is (my|the) [{name}] timer (done|still running|still going)",
    "(what|which) timers (are (running|set)|do i have)",
    permissions=LATER,
)
def timers_left(ctx: Context, name: Name | None = None) -> Reply:
    """Tell how much time is left of a timer, or of each."""
    found = tell.called(ctx.schedule.waiting("timer"), name)
    if not found:
        return _said(ctx.say("No timer is running."))
    return _list([tell.left(one, ctx) for one in found])


@skill(
    "(cancel|delete|remove|end) [the|my] [{name}] timer",
    "(cancel|delete|remove|end|clear) all [of] [my|the] timers",
    "(stop|turn off) (the|my) [{name}] timer",
    risk="change",
    permissions=LATER,
)
def cancel_timer(ctx: Context, name: Name | None = None) -> Reply:
    """End a timer before its time, or all of them; one that rings is stopped."""
    if not name and ctx.schedule.stop():
        return _said(ctx.say("Stopped."))
    return _cancelled("timer", tell.called(ctx.schedule.waiting("timer"), name), ctx)


@skill(
    "add {after} to [the|my] [{name}] timer",
    "(increase|extend|lengthen) [the|my] [{name}] timer by {after}",
    "{after} more on (the|my) [{name}] timer",
    risk="change",
    permissions=LATER,
)
def more_time(after: timedelta, ctx: Context, name: Name | None = None) -> Reply:
    """Give a timer more time."""
    found = tell.running(ctx.schedule.waiting("timer"), name)[:1]
    if not found or abs(after) > FARTHEST:
        return _said(ctx.say("No timer is running."))
    (entry,) = found
    assert entry.instant is not None
    try:
        ctx.schedule.move(entry.id, entry.instant + after)
    except OSError:
        return _unsaved(ctx)
    left = max(timedelta(), timedelta(seconds=ctx.schedule.left_s(entry)) + after)
    return _said(
        ctx.say(
            "{name}: {length} left",
            name=entry.text or ctx.say("Timer"),
            length=wording.exactly(left, ctx.language),
        )
    )


@skill(
    "(remove|take) {after} (from|off) [the|my] [{name}] timer",
    "(decrease|shorten|reduce) [the|my] [{name}] timer by {after}",
    risk="change",
    permissions=LATER,
)
def less_time(after: timedelta, ctx: Context, name: Name | None = None) -> Reply:
    """Give a timer less time; it rings at once where none is left."""
    return more_time(-after, ctx, name)


@skill(
    "(pause|hold|freeze) [the|my] [{name}] timer",
    "(put|keep) [the|my] [{name}] timer on hold",
    risk="change",
    permissions=LATER,
)
def pause_timer(ctx: Context, name: Name | None = None) -> Reply:
    """Hold a timer: it keeps the time that is left until it goes on."""
    return _switched(tell.running(ctx.schedule.waiting("timer"), name), ctx.schedule.hold, ctx)


@skill(
    "(resume|continue|unpause|restart) [the|my] [{name}] timer",
    "(go on|carry on) with (the|my) [{name}] timer",
    "let (the|my) [{name}] timer (run|go) on",
    risk="change",
    permissions=LATER,
)
def resume_timer(ctx: Context, name: Name | None = None) -> Reply:
    """Let a timer that was held go on."""
    held = [one for one in ctx.schedule.waiting("timer") if one.held_s is not None]
    if not held:
        return _said(ctx.say("No timer is paused."))
    return _switched(tell.called(held, name), ctx.schedule.go_on, ctx)


def _switched(found: Sequence[Entry], switch: Callable[[str], bool], ctx: Context) -> Reply:
    """Hold timers or let them go on, and show them."""
    try:
        changed = {one.id for one in found if switch(one.id)}
    except OSError:
        return _unsaved(ctx)
    if not changed:
        return _said(ctx.say("No timer is running."))
    return _list(
        [tell.left(one, ctx) for one in ctx.schedule.waiting("timer") if one.id in changed]
    )


# -- alarms ---------------------------------------------------------------------------------------


@skill(
    "(set|make|create) [me] an alarm [(for|at)] {when}",
    "(set|make|create|add) [me] [(a|my|the)] [new] alarm [(for|at)] {when}",
    "wake me [up] {when}",
    "get me up [at] {when}",
    "(ensure|make sure) [that] i (get|wake|have to get) up [at] {when}",
    "[new] alarm [(for|at)] {when}",
    risk="change",
    permissions=LATER,
)
def alarm(when: Annotated[datetime, At(early=True)], ctx: Context) -> Reply:
    """Ring at a time, by the clock of wherever the wearer is then."""
    return _timed("alarm", "", when, None, ctx)


@skill(
    "(set|make|create) [me] an alarm [for] {again}",
    "(wake me [up]|alarm) {again}",
    "(set an alarm|wake me [up]) [for|at] {wrong} [o'clock]",
    "(set an alarm|wake me [up]) (for|on) {no_day}",
    risk="change",
    permissions=LATER,
)
def alarm_again(
    ctx: Context,
    again: Repeat | None = None,
    wrong: Hour | None = None,
    no_day: NoDay | None = None,
) -> Reply:
    """Ring again and again, as on weekdays."""
    if wrong is not None or no_day is not None:
        return tell.no_such(wrong, no_day, ctx)
    return _timed("alarm", "", None, again, ctx)


@skill(
    "(what|which) alarms (are set|are on|do i have|did i set|have i set) [(set|today)]",
    "(show|list|tell|give|read|check|see|know) [me] [all] [of] (my|the) alarms"
    " [(that are set|i have|i set)]",
    "(when|what time) (is|does) my [next] alarm [(ring|go off|set for)]",
    "[my] next alarm",
    "(do i have|are there) [any] alarms [set]",
    "(is my alarm|do i have an alarm) [(set|on)]",
    permissions=LATER,
)
def alarms(ctx: Context) -> Reply:
    """Tell which alarms are set."""
    found = ctx.schedule.waiting("alarm")
    return _list([tell.line(one, ctx) for one in found]) if found else _none("alarm", ctx)


@skill(
    "(cancel|delete|remove|turn off) [the|my] [{when}] alarm",
    "(stop|disable|unset|clear|get rid of|switch off) (the|my) [{when}] alarm",
    "(cancel|delete|remove|turn off|disable|get rid of) (the|my) alarm [set] (for|at) {when}",
    "(cancel|delete|remove|turn off|disable|get rid of|clear) all [of] [my|the] alarms",
    "(don't|do not) wake me [up] [{when}]",
    risk="change",
    permissions=LATER,
)
def cancel_alarm(ctx: Context, when: datetime | None = None) -> Reply:
    """Take an alarm back, that of a time or all; one that rings is stopped."""
    if when is None and ctx.schedule.stop():
        return _said(ctx.say("Stopped."))
    waiting = ctx.schedule.waiting("alarm")
    return _cancelled("alarm", tell.at_time(waiting, when), ctx)


@skill(
    "snooze [for] {after}",
    "(wake|remind) me again in {after}",
    risk="change",
    permissions=LATER,
)
def snooze(ctx: Context, after: timedelta = timedelta(minutes=9)) -> Reply:
    """Let what rings come again after a length of time."""
    if not timedelta(0) < after <= timedelta(days=1):
        return _said(ctx.say("I can't wait that long."))
    try:
        if not ctx.schedule.snooze(after.total_seconds() / 60):
            return _said(ctx.say("Nothing rings."))
    except OSError:
        return _unsaved(ctx)
    return _said(ctx.say("Again in {length}", length=wording.exactly(after, ctx.language)))


# -- reminders ------------------------------------------------------------------------------------


@skill(
    "remind me in {after} (to|about|that) {what}",
    "in {after} remind me (to|about|that) {what}",
    "remind me (to|about) {what} in {after}",
    "(set|make|create|add) [me] a reminder (in|for) {after} (to|about|that) {what}",
    "(set|make|create|add) [me] a reminder (to|about) {what} in {after}",
    risk="change",
    permissions=LATER,
)
def remind_in(ctx: Context, what: str = "", after: timedelta | None = None) -> Reply:
    """Remind of something after a length of time."""
    if after is None or not timedelta(0) < after <= FARTHEST:
        return _said(ctx.say("I can't wait that long."))
    days = after if after >= timedelta(days=1) else None
    at = _now(ctx) + after
    if days is not None:  # by the calendar: the day after a change of the clocks too
        entry = Entry("reminder", what, wall=at.replace(microsecond=0), language=ctx.language)
    else:
        entry = Entry("reminder", what, instant=_instant(ctx) + after, language=ctx.language)
    return _planned(entry, ctx, what, _at(at, ctx))


_HALF = re.compile(r"(?: (?:every|each|at|on) \S.*?)? (?:and|or)$|(?:和|跟|还有|以及)$")
"""Ends what a second time was cut off."""


@skill(
    "remind me {when} (to|about|that) {what}",
    "remind me (to|about) {what} {when}",
    "(set|make|create|add) [me] a reminder [for me] [(for|at|on)] {when} (to|about|that) {what}",
    "(set|make|create|add) [me] a reminder [for me] (to|about|for) {what} {when}",
    risk="change",
    permissions=LATER,
)
def remind(what: str, when: Clock, ctx: Context) -> Reply:
    """Remind of something at a time."""
    if _HALF.search(what):  # "at nine and at six": only one of them would be kept
        return _said(
            ctx.say("One time at once, please: “remind me to {what} …”", what=_HALF.sub("", what))
        )
    return _timed("reminder", what, when, None, ctx)


@skill(
    "remind me {again} (to|about|that) {what}",
    "remind me (to|about) {what} {again}",
    "remind me (to|about) {what} [at] {wrong} o'clock",
    "remind me on {no_day} to {what}",
    "remind me to {what} on {no_day}",
    risk="change",
    permissions=LATER,
)
def remind_again(
    ctx: Context,
    what: str = "",
    again: Repeat | None = None,
    wrong: Hour | None = None,
    no_day: NoDay | None = None,
) -> Reply:
    """Remind of something again and again, as every Friday."""
    if wrong is not None or no_day is not None:
        return tell.no_such(wrong, no_day, ctx)
    return _timed("reminder", what, None, again, ctx)


@skill(
    "remind me (to|about) {what} when i (get|come|arrive|am) [back] [to|at|in] [the] {place}",
    "when i (get|come|arrive|am) [back] [to|at|in] [the] {place} remind me (to|about) {what}",
    risk="change",
    permissions=THERE,
)
def remind_there(what: str, place: PlaceName, ctx: Context) -> Reply:
    """Remind of something on coming to a place."""
    return _placed(what, place, False, ctx)


@skill(
    "remind me (to|about) {what} when i leave [the] {place}",
    "when i leave [the] {place} remind me (to|about) {what}",
    risk="change",
    permissions=THERE,
)
def remind_leaving(what: str, place: PlaceName, ctx: Context) -> Reply:
    """Remind of something on leaving a place."""
    return _placed(what, place, True, ctx)


@skill(
    "(remember|save) (this place|where i am) as {place}",
    "call this place {place}",
    risk="change",
    permissions=THERE,
)
def name_place(place: str, ctx: Context) -> Reply:
    """Give the place where the wearer is a name, for reminders."""
    here, place = ctx.location, place.removeprefix("my ")
    try:
        places.keep(ctx.folder, place, here)
    except OSError:
        return _unsaved(ctx)
    honest = ctx.say("(simulated position)") if here.simulated else ""
    told = ctx.say("This place is “{place}” now.", place=place)
    return Reply("\n".join(filter(None, (told, honest))), speech=told)


@skill(
    "(what are|show [me]|list|tell me|read [me]|give me|check|see|know|hear) [all] [of]"
    " (my|the) [current] reminders [list]",
    "(what|which) reminders (are set|do i have|did i set|have i set)",
    "(do i have|are there) [any] reminders",
    "(what is|what's|what did i put) (on|in) my (reminders|list of reminders|reminder list)",
    "(read|show) [me] my reminder list [back to me]",
    permissions=LATER,
)
def reminders(ctx: Context) -> Reply:
    """Tell what the wearer will be reminded of, and what is to be done later."""
    found = ctx.schedule.waiting("reminder", "command")
    return _list([tell.line(one, ctx) for one in found]) if found else _none("reminder", ctx)


@skill(
    "(cancel|delete|remove) (the|my) reminder (to|about) {what}",
    "(cancel|delete|remove) all [of] [my|the] reminders",
    "(cancel|delete|remove) (the|my) [next] reminder",
    risk="change",
    permissions=LATER,
)
def cancel_reminder(ctx: Context, what: str | None = None) -> Reply:
    """Take a reminder back, or all of them."""
    waiting = ctx.schedule.waiting("reminder", "command")
    return _cancelled("reminder", tell.called(waiting, what), ctx)


# -- commands for later ---------------------------------------------------------------------------


@skill(
    "(in|after) {after} {command}",
    "at {when} {command}",
    risk="change",
    permissions=LATER,
)
def do_later(
    ctx: Context, command: str = "", after: timedelta | None = None, when: Clock | None = None
) -> Reply:
    """Do later what another sentence asks for; never a payment."""
    try:
        call = ctx.schedule.understood(command, ctx.language)
    except Refused:
        return _said(ctx.say("I never pay later. Ask me then."))
    if call is None or str(call["name"]).startswith(f"{ctx.skill}."):
        return _said(ctx.say("I can't do “{command}” later.", command=command))
    if after is not None and timedelta(0) < after <= FARTHEST:
        at = _now(ctx) + after
        entry = Entry(
            "command", command, instant=_instant(ctx) + after, call=call, language=ctx.language
        )
    elif when is not None and when > _now(ctx):
        at = when
        entry = Entry("command", command, wall=when, call=call, language=ctx.language)
    else:
        return _said(ctx.say("That has gone by."))
    return _planned(entry, ctx, command, _at(at, ctx))


# -- what they share ------------------------------------------------------------------------------


def _timed(
    kind: Kind, what: str, when: datetime | None, again: Repeat | None, ctx: Context
) -> Reply:
    now, rule, first = _now(ctx), "", when
    if again is not None:
        rule, first = again.rule, again.first
    if first is None:
        return _said(ctx.say("When?"))
    if first.time() == datetime.min.time() and when is not None and first.date() > now.date():
        first = first.replace(hour=9)  # a day was named, and no hour
    if first <= now:
        return _said(ctx.say("That has gone by: {time}", time=_at(first, ctx)))
    if first - now > FARTHEST:
        return _said(ctx.say("I can't wait that long."))
    lines = [_at(first, ctx)]
    if rule:
        lines.append(tell.rule(rule, ctx))
    if (really := times.shown(times.instant(first))) != first:
        lines.append(ctx.say("The clocks go forward then: {time}", time=_at(really, ctx)))
    entry = Entry(kind, what, wall=first, rule=rule, language=ctx.language)
    head = what or ctx.say("Alarm")
    return _planned(entry, ctx, head, *lines)


def _placed(what: str, place: str, leaving: bool, ctx: Context) -> Reply:
    spot = places.find(place, leaving, ctx)
    if spot is None:
        told = ctx.say("I do not know where “{place}” is.", place=place)
        how = ctx.say("Go there and say “call this place {place}”.", place=place)
        return Reply(f"{told}\n{how}", speech=told)
    entry = Entry("reminder", what, place=spot, language=ctx.language)
    if leaving:
        return _planned(entry, ctx, what, ctx.say("on leaving {place}", place=spot.name))
    return _planned(entry, ctx, what, ctx.say("on coming to {place}", place=spot.name))


def _planned(entry: Entry, ctx: Context, *lines: str) -> Reply:
    """Keep an entry and tell it; it can be undone."""
    try:
        kept = ctx.schedule.add(entry)
    except Refused:
        return _said(ctx.say("There are too many: cancel some first."))
    except OSError:
        return _unsaved(ctx)

    def undo() -> Reply | None:
        ctx.schedule.remove(kept.id)
        return None

    shown = "\n".join(filter(None, lines))
    return Reply(shown, speech=shown.replace("\n", ", "), undo=undo)


def _cancelled(kind: Kind, found: Sequence[Entry], ctx: Context) -> Reply:
    if not found:
        return _none(kind, ctx)
    told = [tell.line(one, ctx) for one in found]
    try:
        ctx.schedule.remove(*(one.id for one in found))
    except OSError:
        return _unsaved(ctx)

    def undo() -> Reply | None:
        for one in found:
            ctx.schedule.add(one)
        return None

    return Reply("\n".join([ctx.say("Cancelled:"), *told]), speech=ctx.say("Cancelled:"), undo=undo)


def _none(kind: Kind, ctx: Context) -> Reply:
    match kind:
        case "timer":
            return _said(ctx.say("No timer is running."))
        case "alarm":
            return _said(ctx.say("No alarm is set."))
        case _:
            return _said(ctx.say("There is no reminder."))


def _list(lines: list[str]) -> Reply:
    return Reply("\n".join(lines), kind="list", speech=". ".join(lines))


def _said(text: str) -> Reply:
    return Reply(text, speech=text)


def _unsaved(ctx: Context) -> Reply:
    return Reply(ctx.say("That can't be saved right now."), kind="alert")


def _now(ctx: Context) -> datetime:
    now = ctx.clock()
    return now if now.tzinfo is None else now.astimezone().replace(tzinfo=None)


def _instant(ctx: Context) -> datetime:
    return ctx.clock().astimezone(UTC)


def _at(moment: datetime, ctx: Context) -> str:
    return wording.moment(moment, _now(ctx), ctx.language)


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Hand the actions to the agent."""
    register(timer, timers_left, cancel_timer, more_time, less_time)
    register(pause_timer, resume_timer)
    register(alarm, alarm_again, alarms, cancel_alarm, snooze)
    register(remind_in, remind_there, remind_leaving, remind, remind_again, name_place)
    register(reminders, cancel_reminder, do_later)


@hookimpl
def dashboard(ctx: Context) -> str | None:
    """Return what is next: the timer that ends first, else the next alarm or reminder."""
    waiting = ctx.schedule.waiting()
    if not waiting:
        return None
    first = next((one for one in waiting if one.kind == "timer"), waiting[0])
    return tell.short(first, ctx)
