"""`glasses reminders`: what is to come, and iCalendar in and out."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from agent.act.schedule import ical
from agent.act.schedule.store import Schedule
from agent.cli import streams
from agent.language import text, wording
from agent.skill.later import Entry

SKILL = "reminders"
"""Whose the entries are that a file brings."""
MOST_BYTES = 8 << 20
"""Largest file that is read."""


def run(data: Path, out: Path | None, read: Path | None) -> None:
    """List what is to come; write it to a file, or take what a file holds.

    Raises CalendarError, and OSError for a file that can be neither read nor written.
    """
    schedule, now = Schedule(data), datetime.now()
    try:
        if read is not None:
            if read.stat().st_size > MOST_BYTES:
                raise ical.CalendarError(f"{read} is larger than {MOST_BYTES >> 20} MiB")
            entries = ical.read(read.read_bytes(), now, SKILL)
            schedule.add(*entries)
            streams.echo(f"{read}: {len(entries)} reminders taken", err=True)
        waiting = schedule.waiting()
        if out is not None:
            out.write_bytes(ical.written(waiting))
            return
        for one in waiting:
            streams.echo(_line(one, now))
    finally:
        schedule.close()


def _line(entry: Entry, now: datetime) -> str:
    language = text.language_of(entry.text)
    at = entry.wall or (entry.instant and entry.instant.astimezone().replace(tzinfo=None))
    place = entry.place.name if entry.place else ""
    if entry.held_s is not None:
        place = f"paused, {wording.exactly(timedelta(seconds=entry.held_s), language)} left"
    when = wording.moment(at, now, language) if at else place
    return "  ".join(part for part in (entry.kind, when, entry.text, entry.rule) if part)
