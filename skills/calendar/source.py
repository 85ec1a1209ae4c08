"""Where the calendar comes from: an .ics file, its URL, or a CalDAV server.

What repeats is counted out by `recurring_ical_events`. A calendar may hold fifty thousand events:
what cannot be in the days that are asked for is left out before it is parsed.
"""

from __future__ import annotations

import importlib
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from agent import config, private
from agent.environment import STARTED
from agent.skill import feed
from agent.skill.events import Event
from hardware.base import DeviceError

FRESH_S = 300.0
"""How long a calendar is not asked for again."""
LONGEST = timedelta(days=40)
"""Events that go on for longer are not found once they have begun so long ago."""
LONGEST_S = 8.0
"""Longest a server may take."""

_EVENT = re.compile(rb"BEGIN:VEVENT\r?\n.*?END:VEVENT\r?\n?", re.DOTALL)
_START = re.compile(rb"^DTSTART[^:\r\n]*:(\d{8})", re.MULTILINE)
_AGAIN = re.compile(rb"^R(?:RULE|DATE)", re.MULTILINE)


def setting(environ: Mapping[str, str] = STARTED) -> str:
    """Return the calendar that the settings name; empty for none."""
    return config.load(environ).calendar


def events(source: str, folder: Path, begins: datetime, ends: datetime) -> list[Event]:
    """Return what takes place between two times, in order. Raises DeviceError with one line."""
    if source.startswith(("caldav://", "caldavs://")):
        found = [
            one for text in _searched(source, begins, ends) for one in read(text, begins, ends)
        ]
    else:
        found = read(feed.read(source, folder, FRESH_S).content, begins, ends)
    return sorted(set(found), key=lambda one: (one.begins, not one.whole_day, one.text))


class Mine:
    """The calendar that is set, for other skills: `ctx.device("calendar")`."""

    def __init__(self, folder: Path) -> None:
        """Keep what a server gave in `folder`, as the skill itself does."""
        self._folder = folder

    def between(self, begins: datetime, ends: datetime) -> list[Event]:
        """Return what takes place then; nothing where no calendar is set. Raises DeviceError."""
        where = setting()
        return events(where, self._folder, begins, ends) if where else []


def read(content: bytes, begins: datetime, ends: datetime) -> list[Event]:
    """Read a calendar. Raises DeviceError where it is none."""
    import icalendar
    import recurring_ical_events

    near = _near(content, begins, ends)
    try:
        calendar = icalendar.Calendar.from_ical(near)
        taking_place = recurring_ical_events.of(calendar, skip_bad_series=True).between(
            begins.astimezone(), ends.astimezone()
        )
    except Exception as error:  # the library raises many kinds for what is no calendar
        kind = type(error).__name__
        raise DeviceError(f"the calendar cannot be read ({kind}): check GLASSES_CALENDAR") from None
    return [event for one in taking_place if (event := _event(one)) is not None]


def _near(content: bytes, begins: datetime, ends: datetime) -> bytes:
    """Return a calendar without the events that cannot be in these days."""
    if b"BEGIN:VCALENDAR" not in content:
        raise DeviceError("that is no calendar: check GLASSES_CALENDAR")
    first, last = (
        f"{begins - LONGEST:%Y%m%d}".encode(),
        f"{ends + timedelta(days=1):%Y%m%d}".encode(),
    )

    def kept(found: re.Match[bytes]) -> bytes:
        event = found[0]
        start = _START.search(event)
        again = _AGAIN.search(event) is not None
        within = start is not None and (again or first <= start[1]) and start[1] <= last
        return event if within else b""

    return _EVENT.sub(kept, content)


def _event(found: Any) -> Event | None:
    start = found.get("DTSTART")
    if start is None:
        return None
    end = found.get("DTEND")
    begins, whole = _local(start.dt)
    ends = _local(end.dt)[0] if end is not None else begins
    text, place = (_line(str(found.get(name, ""))) for name in ("SUMMARY", "LOCATION"))
    return Event(text, begins, ends, whole, place, _at(found), str(found.get("UID", "")), start.dt)


def _at(found: Any) -> tuple[float, float] | None:
    """Return where an event is: RFC 5545's GEO, or the `geo:` link that Apple's calendars write."""
    geo, link = found.get("GEO"), str(found.get("X-APPLE-STRUCTURED-LOCATION", ""))
    if geo is not None and not isinstance(geo, list):
        return _on_earth(geo.latitude, geo.longitude)
    if not link.startswith("geo:"):
        return None
    return _on_earth(*link.removeprefix("geo:").split(";")[0].split(",")[:2])


def _on_earth(*degrees: Any) -> tuple[float, float] | None:
    """Return degrees north and east; None for what is no place on earth."""
    try:
        lat, lon = map(float, degrees)
    except (TypeError, ValueError):
        return None
    return (lat, lon) if abs(lat) <= 90 and abs(lon) <= 180 else None  # not a number is none


def _local(when: date | datetime) -> tuple[datetime, bool]:
    """Return a time as clocks here show it, and whether it is a day."""
    if not isinstance(when, datetime):
        return datetime.combine(when, time()), True
    return (when if when.tzinfo is None else when.astimezone().replace(tzinfo=None)), False


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]


def add(source: str, folder: Path, text: str, begins: datetime, ends: datetime) -> None:
    """Put an event on the calendar. Raises DeviceError where that is not possible."""
    import icalendar

    event = icalendar.Event()
    event.add("uid", str(uuid.uuid4()))
    event.add("dtstamp", datetime.now().astimezone())
    event.add("dtstart", begins.astimezone())
    event.add("dtend", ends.astimezone())
    event.add("summary", text)
    if source.startswith(("caldav://", "caldavs://")):
        whole = icalendar.Calendar.new(subcomponents=[event])
        with _connected(source) as calendar:
            calendar.save_event(whole.to_ical().decode())
        return
    if "://" in source:
        raise DeviceError("a calendar that is only read has no room: set a file or a CalDAV server")
    path = Path(source).expanduser()
    try:
        content = path.read_bytes() if path.exists() else icalendar.Calendar.new().to_ical()
        head, sign, tail = content.rpartition(b"END:VCALENDAR")
        if not sign:
            raise DeviceError("that is no calendar: check GLASSES_CALENDAR")
        private.write(path, head + event.to_ical() + sign + tail)
    except OSError as error:
        raise DeviceError(f"{path} cannot be written: {error.strerror}") from None


def remove(source: str, gone: Sequence[Event]) -> Callable[[], None]:
    """Take events off the calendar; return what puts them back.

    Of what comes again only that one time goes. Both raise DeviceError where that is not possible.
    """
    if source.startswith(("caldav://", "caldavs://")):
        return _removed_there(source, gone)
    if "://" in source:
        raise DeviceError("a calendar that is only read stays as it is: change it where it is kept")
    path = Path(source).expanduser()
    try:
        before = path.read_bytes()
        after = before
        for one in gone:
            after = _off(after, one)
        if after == before:
            raise DeviceError("that is not on the calendar any more")
        private.write(path, after)
    except OSError as error:
        raise DeviceError(f"{path} cannot be written: {error.strerror}") from None

    def put_back() -> None:
        try:
            if path.read_bytes() != after:
                raise DeviceError("the calendar was changed since: nothing is put back")
            private.write(path, before)
        except OSError as error:
            raise DeviceError(f"{path} cannot be written: {error.strerror}") from None

    return put_back


def _off(content: bytes, gone: Event) -> bytes:
    """Return a calendar without one time of an event."""
    return _EVENT.sub(lambda found: _without(found[0], gone), content)


def _without(block: bytes, gone: Event) -> bytes:
    """Return an event of a file without one of its times: nothing where it has no other."""
    import icalendar

    if gone.uid.encode() not in block.replace(b"\r\n ", b"").replace(b"\n ", b""):
        return block
    try:
        event: Any = icalendar.Event.from_ical(block)
    except ValueError:
        return block
    if str(event.get("UID", "")) != gone.uid:
        return block
    if not _AGAIN.search(block):
        return b"" if event.get("DTSTART") and event["DTSTART"].dt == gone.start else block
    event.add("exdate", gone.start)
    whole: bytes = event.to_ical()
    return whole


def _removed_there(source: str, gone: Sequence[Event]) -> Callable[[], None]:
    before: list[str] = []
    with _connected(source) as calendar:
        for one in gone:
            kept = calendar.event_by_uid(one.uid)
            text = str(kept.data)
            before.append(text)
            if _AGAIN.search(text.encode()):
                kept.data = _off(text.encode(), one).decode()
                kept.save()
            else:
                kept.delete()

    def put_back() -> None:
        with _connected(source) as calendar:
            for text in before:
                calendar.save_event(text)

    return put_back


# -- a server -------------------------------------------------------------------------------------


class _connected:
    """The first calendar of a server, and its errors as one line."""

    def __init__(self, source: str) -> None:
        """Take apart `caldav://user:password@host/path`."""
        parts = urlsplit(source)
        scheme = "https" if parts.scheme == "caldavs" else "http"
        self._host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
        self._url = f"{scheme}://{self._host}{port}{parts.path}"
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._client: Any = None

    def __enter__(self) -> Any:
        """Connect. Raises DeviceError."""
        caldav: Any = importlib.import_module("caldav")  # its names are found when they are used
        try:
            self._client = caldav.DAVClient(
                url=self._url, username=self._user, password=self._password, timeout=LONGEST_S
            )
            calendars = self._client.principal().calendars()
        except Exception as error:  # the library and what it stands on raise many kinds
            self._close()
            raise self._told(error) from None
        if not calendars:
            self._close()
            raise DeviceError(f"{self._host} has no calendar of this user's: make one there")
        return calendars[0]

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """Disconnect; what went wrong meanwhile is a DeviceError."""
        self._close()
        if error is not None and not isinstance(error, DeviceError):
            raise self._told(error) from None

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _told(self, error: BaseException) -> DeviceError:
        if "Authorization" in type(error).__name__:
            return DeviceError(f"{self._host} refused the password: check GLASSES_CALENDAR")
        return DeviceError(f"{self._host} did not give its calendar ({type(error).__name__})")


def _searched(source: str, begins: datetime, ends: datetime) -> Iterator[bytes]:
    with _connected(source) as calendar:
        found = calendar.search(start=begins.astimezone(), end=ends.astimezone(), event=True)
        texts = [str(one.data).encode() for one in found]
    yield from texts
