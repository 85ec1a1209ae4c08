"""Asking a timetable: what leaves next from a stop, one look-up of the database of a feed."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import cos, hypot, radians
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.language.alike import Alike, written
from skills.travel.gtfs import VERSION, FeedError

SOUND = 0.78
"""Score from which a name of a stop is taken for what was said."""

_LEAVING = """
SELECT leaves, trip, time.stop, place FROM time JOIN trip ON trip.id = time.trip
WHERE time.stop = :stop AND leaves >= :since
    AND service IN (SELECT value FROM json_each(:services)) AND (:mode IS NULL OR mode = :mode)
    AND EXISTS (
        SELECT 1 FROM time AS later WHERE later.trip = time.trip AND later.place > time.place
            AND (:targets IS NULL OR later.stop IN (SELECT value FROM json_each(:targets))))
ORDER BY leaves LIMIT :limit
"""
"""What leaves a stop: of a service that runs, of the mode, that goes on from there, to a target."""


@dataclass(frozen=True, slots=True)
class Departure:
    """One train, bus or other that leaves."""

    at: datetime
    """When, in the time of the feed's zone."""
    mode: str
    """`train`, `bus`, …; empty for what is no journey."""
    line: str
    """What is written on it: `REX 4`, `13A`."""
    to: str
    """Where it says it goes; of what the calendar has, what it is."""
    stop: str
    """Where it leaves."""
    platform: str
    """From which platform; empty where the feed does not tell."""
    where: tuple[float, float] | None
    """Degrees north and east of the stop; None where nothing tells."""
    booked: bool = False
    """Whether it is a journey of the wearer's calendar."""


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

    def where(self, station: int) -> tuple[float, float]:
        """Return degrees north and east of a station."""
        return next((row[2], row[3]) for row in self._stations if row[0] == station)

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
        given = {
            "since": since,
            "services": json.dumps(sorted(running)),
            "mode": mode,
            "targets": None if to is None else json.dumps(self._platforms(to)),
            "limit": limit,
        }
        found: list[tuple[int, int, int, int]] = []
        for stop in self._platforms(stations):
            found += self._base.execute(_LEAVING, {**given, "stop": stop})
        return sorted(found)[:limit]

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
