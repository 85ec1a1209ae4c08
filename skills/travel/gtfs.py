"""Timetables: a GTFS feed becomes a small database, in which the next departure is one look-up.

Format: General Transit Feed Specification, Schedule (gtfs.org). Times count from noon minus twelve
hours of the service day, so that 25:10 is ten past one of the day after.
"""

from __future__ import annotations

import csv
import io
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent import config, private
from agent.environment import STARTED
from agent.errors import GlassesError

AT_ONCE = 50_000
"""Rows that are written together."""
LARGEST = 1 << 30
"""Bytes of a feed; the timetable of a country is smaller."""
MODES = {0: "tram", 1: "subway", 2: "train", 3: "bus", 4: "ferry", 5: "tram", 6: "cable car",
         7: "cable car", 11: "bus", 12: "train"}  # fmt: skip
"""GTFS's route types; extended ones are told by their hundreds."""
_EXTENDED = {1: "train", 2: "bus", 4: "subway", 7: "bus", 9: "tram", 10: "ferry", 13: "cable car"}
_TIME = re.compile(r"\s*(\d{1,3}):(\d\d):(\d\d)\s*")
_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE about (zone TEXT, version INTEGER);
CREATE TABLE stop (id INTEGER PRIMARY KEY, name TEXT, lat REAL, lon REAL, station INTEGER,
    platform TEXT);
CREATE TABLE trip (id INTEGER PRIMARY KEY, service INTEGER, mode TEXT, line TEXT, headsign TEXT);
CREATE TABLE time (stop INTEGER, leaves INTEGER, trip INTEGER, place INTEGER);
CREATE TABLE days (service INTEGER, mask INTEGER, first TEXT, last TEXT);
CREATE TABLE special (service INTEGER, day TEXT, runs INTEGER);
"""
_INDEX = """
CREATE INDEX leaving ON time (stop, leaves);
CREATE INDEX calling ON time (trip, place, stop);
CREATE INDEX standing ON stop (station);
"""
VERSION = 1

Tell = Callable[[float], None]


class FeedError(GlassesError):
    """A feed cannot be read or used; the message says which, why, and what to do."""


def folder() -> Path:
    """Return where the timetables are: `timetables` in the data folder."""
    return config.load(STARTED).data / "timetables"


def add(source: Path, root: Path, tell: Tell = lambda _: None) -> tuple[str, int]:
    """Make a timetable of a feed; return its name and how many stop times. Raises FeedError."""
    try:
        size = source.stat().st_size
    except OSError as error:
        raise FeedError(f"{source}: {error.strerror}: name a GTFS feed, a .zip") from None
    if not 0 < size <= LARGEST:
        raise FeedError(
            f"{source.name} is {'empty' if not size else 'too large'}: name a GTFS feed"
        )
    name = re.sub(r"[^\w-]+", "-", source.stem).strip("-").lower() or "feed"
    unfinished = private.folder(root) / f"{name}.new"
    unfinished.unlink(missing_ok=True)
    try:
        base = sqlite3.connect(private.file(unfinished))
        with zipfile.ZipFile(source) as feed, closing(base) as to:
            count = _fill(feed, to, tell)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        unfinished.unlink(missing_ok=True)
        why = " ".join(str(error).split())[:100]
        raise FeedError(f"{source.name} cannot be read as a GTFS feed: {why}") from None
    except (KeyError, ValueError, sqlite3.Error, csv.Error) as error:
        unfinished.unlink(missing_ok=True)
        why = " ".join(str(error).split())[:100]
        raise FeedError(f"{source.name} is no whole GTFS feed: {why}") from None
    unfinished.replace(root / f"{name}.db")
    return name, count


def _fill(feed: zipfile.ZipFile, to: sqlite3.Connection, tell: Tell) -> int:
    to.executescript(_SCHEMA)
    zone = next((row["agency_timezone"] for row in _rows(feed, "agency.txt")), "")
    to.execute("INSERT INTO about VALUES (?, ?)", (_zone(zone), VERSION))
    stops = _stops(feed, to)
    services: dict[str, int] = {}
    _days(feed, to, services)
    trips = _trips(feed, to, services)
    count = _times(feed, to, stops, trips, tell)
    if not count:
        raise ValueError("no departure in stop_times.txt")
    to.executescript(_INDEX)
    to.commit()
    return count


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"agency.txt: agency_timezone {name!r} is none") from None
    return name


def _rows(feed: zipfile.ZipFile, name: str, needed: bool = True) -> Iterator[dict[str, str]]:
    if name not in feed.namelist():
        if needed:
            raise KeyError(f"{name} is missing")
        return
    with feed.open(name) as raw:
        text = io.TextIOWrapper(raw, "utf-8-sig", errors="replace", newline="")
        yield from csv.DictReader(text)


def _stops(feed: zipfile.ZipFile, to: sqlite3.Connection) -> dict[str, int]:
    rows = list(_rows(feed, "stops.txt"))
    numbers = {row["stop_id"]: number for number, row in enumerate(rows, start=1)}
    for row in rows:
        number = numbers[row["stop_id"]]
        station = numbers.get(row.get("parent_station") or "", number)
        place = float(row.get("stop_lat") or 0), float(row.get("stop_lon") or 0)
        name = " ".join((row.get("stop_name") or "").split())
        platform = (row.get("platform_code") or "").strip()
        to.execute(
            "INSERT INTO stop VALUES (?, ?, ?, ?, ?, ?)", (number, name, *place, station, platform)
        )
    return numbers


def _days(feed: zipfile.ZipFile, to: sqlite3.Connection, services: dict[str, int]) -> None:
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    for row in _rows(feed, "calendar.txt", needed=False):
        number = services.setdefault(row["service_id"], len(services) + 1)
        mask = sum((row[day].strip() == "1") << at for at, day in enumerate(names))
        to.execute(
            "INSERT INTO days VALUES (?, ?, ?, ?)",
            (number, mask, row["start_date"].strip(), row["end_date"].strip()),
        )
    for row in _rows(feed, "calendar_dates.txt", needed=False):
        number = services.setdefault(row["service_id"], len(services) + 1)
        runs = int(row["exception_type"].strip() == "1")
        to.execute("INSERT INTO special VALUES (?, ?, ?)", (number, row["date"].strip(), runs))


def _trips(
    feed: zipfile.ZipFile, to: sqlite3.Connection, services: dict[str, int]
) -> dict[str, int]:
    routes = {
        row["route_id"]: (
            _mode(row.get("route_type") or "3"),
            (row.get("route_short_name") or row.get("route_long_name") or "").strip(),
        )
        for row in _rows(feed, "routes.txt")
    }
    trips: dict[str, int] = {}
    for row in _rows(feed, "trips.txt"):
        number = trips[row["trip_id"]] = len(trips) + 1
        mode, line = routes.get(row["route_id"], ("bus", ""))
        service = services.setdefault(row["service_id"], len(services) + 1)
        head = " ".join((row.get("trip_headsign") or "").split())
        to.execute("INSERT INTO trip VALUES (?, ?, ?, ?, ?)", (number, service, mode, line, head))
    return trips


def _mode(written: str) -> str:
    number = int(written)
    return MODES.get(number) or _EXTENDED.get(number // 100, "bus")


def _times(
    feed: zipfile.ZipFile,
    to: sqlite3.Connection,
    stops: dict[str, int],
    trips: dict[str, int],
    tell: Tell,
) -> int:
    """Copy the stop times, of which there may be millions: without a dictionary for each row."""
    if "stop_times.txt" not in feed.namelist():
        raise KeyError("stop_times.txt is missing")
    size = max(1, feed.getinfo("stop_times.txt").file_size)
    with feed.open("stop_times.txt") as raw:
        rows = csv.reader(io.TextIOWrapper(raw, "utf-8-sig", errors="replace", newline=""))
        head = [name.strip() for name in next(rows, [])]
        columns = "trip_id", "stop_id", "departure_time", "arrival_time", "stop_sequence"
        trip, stop, leaves, arrives, place = (head.index(name) for name in columns)
        count, batch = 0, []
        for row in rows:
            seconds = _seconds(row[leaves] or row[arrives])
            if seconds is None or row[stop] not in stops or row[trip] not in trips:
                continue
            batch.append((stops[row[stop]], seconds, trips[row[trip]], int(row[place])))
            if len(batch) == AT_ONCE:
                to.executemany("INSERT INTO time VALUES (?, ?, ?, ?)", batch)
                count, batch = count + len(batch), []
                tell(min(1.0, raw.tell() / size))
        to.executemany("INSERT INTO time VALUES (?, ?, ?, ?)", batch)
    return count + len(batch)


def _seconds(written: str) -> int | None:
    found = _TIME.fullmatch(written)
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3]) if found else None
