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
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import cos, hypot, radians
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent import config, private
from agent.environment import STARTED
from agent.errors import GlassesError
from agent.language.alike import Alike, written

AT_ONCE = 50_000
"""Rows that are written together."""
LARGEST = 1 << 30
"""Bytes of a feed; the timetable of a country is smaller."""
DAY_S = 86_400
SOUND = 0.78
"""Score from which a name of a stop is taken for what was said."""
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
CREATE INDEX calling ON time (trip, place);
CREATE INDEX standing ON stop (station);
"""
VERSION = 1

Tell = Callable[[float], None]


class FeedError(GlassesError):
    """A feed cannot be read or used; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Departure:
    """One train, bus or other that leaves."""

    at: datetime
    """When, in the time of the feed's zone."""
    mode: str
    """`train`, `bus`, …"""
    line: str
    """What is written on it: `REX 4`, `13A`."""
    to: str
    """Where it says it goes."""
    stop: str
    """Where it leaves."""
    platform: str
    """From which platform; empty where the feed does not tell."""
    where: tuple[float, float]
    """Degrees north and east of the stop."""


def folder() -> Path:
    """Return where the timetables are: `timetables` in the data folder."""
    return config.load(STARTED).data / "timetables"


# -- reading a feed -------------------------------------------------------------------------------


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


# -- asking ---------------------------------------------------------------------------------------


class Timetable:
    """One feed that was added."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises FeedError where it cannot be read."""
        try:
            self._base = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
            zone, version = self._base.execute("SELECT zone, version FROM about").fetchone()
            rows = self._base.execute(
                "SELECT station, name, avg(lat), avg(lon) FROM stop GROUP BY station, name"
            ).fetchall()
        except (sqlite3.Error, TypeError) as error:
            raise FeedError(
                f"{path.name} is damaged ({error}): `glasses travel add` its feed again"
            ) from None
        if version != VERSION:
            raise FeedError(f"{path.name} is of another version: `glasses travel add` its feed")
        self.zone = ZoneInfo(zone)
        self._stations = rows
        self._alike = Alike([row[1] for row in rows])
        self._active: dict[date, frozenset[int]] = {}

    def called(self, name: str) -> list[int]:
        """Return the stations that a name may mean, those of which it is a part among them.

        “Wien” is Wien Mitte and Wien Hbf; what is only heard so is the one most like it.
        """
        found = self._alike.find(name, limit=40, least=SOUND)
        if not found:
            return []
        names = {self._stations[match.index][1] for match in found}
        if (key := written(name)) and (within := {one for one in names if key in written(one)}):
            names = within
        else:
            best = found[0].score
            names = {self._stations[m.index][1] for m in found if m.score >= best - 0.001}
        return [row[0] for row in self._stations if row[1] in names]

    def near(self, lat: float, lon: float, within_m: float = 1_500.0) -> list[int]:
        """Return the stations near a place, the nearest first; at most twenty."""
        away = sorted((away_m(lat, lon, row[2], row[3]), row[0]) for row in self._stations)
        return [station for metres, station in away[:20] if metres <= within_m]

    def name(self, station: int) -> str:
        """Return what a station is called."""
        return next((str(row[1]) for row in self._stations if row[0] == station), "")

    def running(self, day: date) -> frozenset[int]:
        """Return the services of a day."""
        if day not in self._active:
            written = f"{day:%Y%m%d}"
            regular = self._base.execute(
                "SELECT service FROM days WHERE (mask >> ?) & 1 AND first <= ? AND last >= ?",
                (day.weekday(), written, written),
            )
            found = {row[0] for row in regular}
            for service, runs in self._base.execute(
                "SELECT service, runs FROM special WHERE day = ?", (written,)
            ):
                (found.add if runs else found.discard)(service)
            self._active = {**dict(list(self._active.items())[-6:]), day: frozenset(found)}
        return self._active[day]

    def next(
        self,
        stations: list[int],
        after: datetime,
        mode: str | None = None,
        to: list[int] | None = None,
        limit: int = 3,
    ) -> list[Departure]:
        """Return what leaves next, of a mode and towards stations if those are given.

        Of today's service and of yesterday's after midnight; where nothing more runs, tomorrow's.
        """
        now = after.astimezone(self.zone)
        found: list[tuple[datetime, int, int, int]] = []
        for back in (1, 0, -1):
            if back < 0 and len(found) >= limit:
                break
            day = now.date() - timedelta(days=back)
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=self.zone)
            zero = noon - timedelta(hours=12)
            since = max(0, int((now - zero).total_seconds()))
            for leaves, trip, stop, place in self._leaving(stations, since, day, mode, to, limit):
                found.append((zero + timedelta(seconds=leaves), trip, stop, place))
        found.sort(key=lambda one: one[0])
        return [self._departure(*one) for one in found[:limit]]

    def _leaving(
        self,
        stations: list[int],
        since: int,
        day: date,
        mode: str | None,
        to: list[int] | None,
        limit: int,
    ) -> list[tuple[int, int, int, int]]:
        running = self.running(day)
        if not running:
            return []
        targets = set(self._platforms(to)) if to is not None else None
        found: list[tuple[int, int, int, int]] = []
        for stop in self._platforms(stations):
            many = 0
            rows = self._base.execute(
                "SELECT leaves, trip, place FROM time WHERE stop = ? AND leaves >= ?"
                " ORDER BY leaves",
                (stop, since),
            )
            for leaves, trip, place in rows:
                if self._goes(trip, place, running, mode, targets):
                    found.append((leaves, trip, stop, place))
                    many += 1
                if many == limit:
                    break
        return sorted(found)[:limit]

    def _goes(
        self, trip: int, place: int, running: frozenset[int], mode: str | None, to: set[int] | None
    ) -> bool:
        """Return whether a trip runs, is of the mode, goes on from here, and calls at a target."""
        service, its = self._base.execute(
            "SELECT service, mode FROM trip WHERE id = ?", (trip,)
        ).fetchone()
        if service not in running or (mode is not None and its != mode):
            return False
        later = self._base.execute(
            "SELECT stop FROM time WHERE trip = ? AND place > ?", (trip, place)
        )
        if to is None:
            return later.fetchone() is not None
        return any(row[0] in to for row in later)

    def _platforms(self, stations: list[int]) -> list[int]:
        marks = ",".join("?" * len(stations))
        rows = self._base.execute(f"SELECT id FROM stop WHERE station IN ({marks})", stations)
        return [row[0] for row in rows]

    def _departure(self, at: datetime, trip: int, stop: int, place: int) -> Departure:
        mode, line, head = self._base.execute(
            "SELECT mode, line, headsign FROM trip WHERE id = ?", (trip,)
        ).fetchone()
        name, lat, lon, platform = self._base.execute(
            "SELECT name, lat, lon, platform FROM stop WHERE id = ?", (stop,)
        ).fetchone()
        if not head:
            (head,) = self._base.execute(
                "SELECT stop.name FROM time JOIN stop ON stop.id = time.stop WHERE trip = ?"
                " ORDER BY place DESC LIMIT 1",
                (trip,),
            ).fetchone()
        return Departure(at, mode, line, head, name, platform, (lat, lon))


def away_m(lat: float, lon: float, to_lat: float, to_lon: float) -> float:
    """Return how far two places are apart in metres, where the earth is flat between them."""
    north, east = radians(to_lat - lat), radians(to_lon - lon) * cos(radians(lat))
    return 6_371_008.8 * hypot(north, east)
