"""The schedule as iCalendar (RFC 5545): alarms and reminders in a form that any calendar reads.

A reminder is a VTODO that is due, an alarm a VEVENT, each with a VALARM at its time; wall times
are floating, so that seven is seven wherever it is read. Timers and commands are left out: the one
is over soon, and nobody else could do the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from agent.errors import GlassesError
from agent.skill.later import MOST_TEXT, Entry

MOST_ENTRIES = 1000
"""Most entries that are read from one file."""


class CalendarError(GlassesError):
    """It is no iCalendar; the message says what is wrong."""


def written(entries: Iterable[Entry]) -> bytes:
    """Return alarms and reminders as an .ics file."""
    import icalendar

    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//glasses//reminders//EN")
    calendar.add("version", "2.0")
    for entry in entries:
        if entry.kind not in ("alarm", "reminder") or entry.place is not None:
            continue
        one: Any = icalendar.Todo() if entry.kind == "reminder" else icalendar.Event()
        when = entry.wall or entry.instant
        one.add("uid", f"{entry.id}@glasses")
        one.add("dtstamp", datetime.now(UTC))
        one.add("dtstart", when)
        if entry.kind == "reminder":
            one.add("due", when)
        one.add("summary", entry.text or entry.kind)
        if entry.rule:
            one.add("rrule", icalendar.vRecur.from_ical(entry.rule))
        alarm = icalendar.Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("trigger", timedelta(0))
        alarm.add("description", entry.text or entry.kind)
        one.add_component(alarm)
        calendar.add_component(one)
    return bytes(calendar.to_ical())


def read(content: bytes, now: datetime, skill: str, language: str = "en") -> list[Entry]:
    """Return the reminders and alarms of an .ics file that are still to come.

    Of an event that has a VALARM the time of that counts. `now` is local and without a zone.
    Raises CalendarError.
    """
    import icalendar

    try:
        calendar = icalendar.Calendar.from_ical(content)
        parts = [*calendar.walk("VTODO"), *calendar.walk("VEVENT")]
        found = [one for part in parts if (one := _entry(part, now, skill, language)) is not None]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise CalendarError(f"this is no iCalendar ({type(error).__name__})") from None
    if len(found) > MOST_ENTRIES:
        raise CalendarError(f"{len(found)} reminders are too many: {MOST_ENTRIES} at most")
    return found


def _entry(part: Any, now: datetime, skill: str, language: str) -> Entry | None:
    from agent.language import repeats

    start = part.get("DUE") or part.get("DTSTART")
    if start is None or str(part.get("STATUS", "")) in ("COMPLETED", "CANCELLED"):
        return None
    wall = _wall(start.dt)
    for alarm in part.walk("VALARM"):
        trigger = getattr(alarm.get("TRIGGER"), "dt", None)
        if isinstance(trigger, timedelta):
            wall += trigger
        elif isinstance(trigger, datetime):
            wall = _wall(trigger)
        break
    rule = part.get("RRULE").to_ical().decode() if part.get("RRULE") is not None else ""
    if wall <= now:
        later = repeats.after(rule, wall, now) if rule else None
        if later is None:
            return None
        wall = later
    text = " ".join(str(part.get("SUMMARY", "")).split())[:MOST_TEXT]
    kind = "reminder" if part.name == "VTODO" or text not in ("", "alarm") else "alarm"
    text = "" if kind == "alarm" else text
    return Entry("alarm" if kind == "alarm" else "reminder", text, wall=wall, rule=rule,
                 language=language, skill=skill)  # fmt: skip


def _wall(when: date | datetime) -> datetime:
    if not isinstance(when, datetime):
        return datetime.combine(when, time(9))
    return when if when.tzinfo is None else when.astimezone().replace(tzinfo=None)
