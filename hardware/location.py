"""Where the wearer is: a fixed place, a recorded walk, or what a receiver tells through gpsd."""

from __future__ import annotations

import json
import math
import re
import socket
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

from hardware import reading
from hardware.base import DeviceError, Location, Place

LONGEST_BYTES = 32 << 20
"""Of a recorded walk: a day at ten fixes a second."""
GPSD_PORT = 2947
FIX_S = 5.0
"""How long the first fix is waited for, and how old the last one may be before it is lost."""
OLDEST_S = 120.0
"""How old what a browser told may be: one that lies still tells nothing new."""
FASTEST_M_S = 70.0
"""A fix that needs more than this (250 km/h) since the last one is a jump of the receiver …"""
AGREE = 3
"""… unless so many in a row agree on it: then the wearer was carried there."""
UERE_M = 5.0
"""Metres of error for one of HDOP: GPS's user range error in the open (GPS SPS standard 2020)."""
_SENTENCE = re.compile(r"^\$(?P<body>\w{2}(?:GGA|RMC),[^*]*)\*(?P<sum>[0-9A-Fa-f]{2})\s*$")


@dataclass(frozen=True, slots=True)
class FixedLocation:
    """Answers one place, always."""

    place: Place
    """The place; `parse` marks those that were typed as simulated."""

    def where(self) -> Place:
        """Return the place."""
        return self.place


@dataclass(frozen=True, slots=True)
class Fix:
    """One position of a recorded walk."""

    at_s: float
    """When, in seconds since its beginning."""
    lat: float
    """Degrees north."""
    lon: float
    """Degrees east."""
    error_m: float = UERE_M
    """How far off it may be."""


class Replay:
    """A recorded walk, walked again from the first time it is asked for."""

    def __init__(self, fixes: Sequence[Fix], clock: Callable[[], float] = time.monotonic) -> None:
        """Walk these, in the order of time. Raises DeviceError where there are none."""
        if not fixes:
            raise DeviceError("a recorded walk without any position: record it again")
        self._fixes = tuple(fixes)
        self._times = [fix.at_s for fix in fixes]
        self._clock = clock
        self._began: float | None = None

    def where(self) -> Place:
        """Return where the walk is by now; the last place of it when it is over."""
        if self._began is None:
            self._began = self._clock()
        now = self._clock() - self._began
        at = bisect_right(self._times, now) - 1
        one = self._fixes[max(0, at)]
        other = self._fixes[min(max(0, at) + 1, len(self._fixes) - 1)]
        took = other.at_s - one.at_s
        share = min(1.0, max(0.0, (now - one.at_s) / took)) if took > 0 else 0.0
        lat = one.lat + share * (other.lat - one.lat)
        lon = one.lon + share * (other.lon - one.lon)
        heading = _heading(one, other) if one is not other else self._last_heading()
        alone = len(self._fixes) == 1
        return Place(lat, lon, heading, simulated=True, error_m=one.error_m, has_heading=not alone)

    def _last_heading(self) -> float:
        return _heading(*self._fixes[-2:]) if len(self._fixes) > 1 else 0.0


def _heading(one: Fix, other: Fix) -> float:
    """Return the direction of a short way; over it the earth is flat."""
    east = (other.lon - one.lon) * math.cos(math.radians(one.lat))
    return math.degrees(math.atan2(east, other.lat - one.lat)) % 360


class Told:
    """Where somebody else says that the wearer is, such as the browser of a page they hold."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know nothing yet."""
        self._clock = clock
        self._place: tuple[float, Place] | None = None
        self.otherwise: Location | None = None
        """Who is asked while nobody tells."""

    def tell(self, place: Place | None) -> None:
        """Say where the wearer is now; None that nobody tells any more."""
        self._place = None if place is None else (self._clock(), place)

    def where(self) -> Place:
        """Return the place that was told. Raises DeviceError where that is too long ago."""
        if self._place is None:
            if self.otherwise is None:
                raise DeviceError("nobody tells where you are: let the page know your position")
            return self.otherwise.where()
        told_s, place = self._place
        if self._clock() - told_s > OLDEST_S:
            raise DeviceError("the page tells no position any more: keep it open, under open sky")
        return place


class Steady:
    """A location without the jumps of its receiver."""

    def __init__(self, source: Location, clock: Callable[[], float] = time.monotonic) -> None:
        """Watch `source`."""
        self._source, self._clock = source, clock
        self._last: tuple[float, Place] | None = None
        self._odd: list[Place] = []

    def where(self) -> Place:
        """Return the place; the last believable one while the source jumps. Raises DeviceError."""
        place, now = self._source.where(), self._clock()
        if self._last is not None:
            before, last = self._last
            if _apart_m(last, place) > FASTEST_M_S * max(1.0, now - before):
                near = [odd for odd in self._odd if _apart_m(odd, place) < FASTEST_M_S]
                self._odd = [*near, place]
                if len(self._odd) < AGREE:
                    return last
        self._odd = []
        self._last = now, place
        return place


def _apart_m(one: Place, other: Place) -> float:
    north = math.radians(other.lat - one.lat)
    east = math.radians(other.lon - one.lon) * math.cos(math.radians(one.lat))
    return 6_371_008.8 * math.hypot(north, east)


class Gpsd:
    """What a receiver tells through gpsd, in its JSON of version 3."""

    def __init__(self, host: str = "127.0.0.1", port: int = GPSD_PORT) -> None:
        """Connect when it is first asked."""
        self._address = host, port
        self._lock = threading.Lock()
        self._told = threading.Event()
        self._fix: tuple[float, Place] | None = None
        self._reader: threading.Thread | None = None

    def where(self) -> Place:
        """Return the last fix. Raises DeviceError where there is no gpsd, or no fix."""
        with self._lock:
            if self._reader is None or not self._reader.is_alive():
                self._connect()
        self._told.wait(FIX_S)
        if self._fix is None or time.monotonic() - self._fix[0] > FIX_S:
            raise DeviceError("gpsd has no position now: go under open sky and wait a minute")
        return self._fix[1]

    def _connect(self) -> None:
        host, port = self._address
        try:
            link = socket.create_connection(self._address, timeout=FIX_S)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise DeviceError(f"gpsd at {host}:{port}: {why}: is it running?") from None
        link.settimeout(None)
        link.sendall(b'?WATCH={"enable":true,"json":true}\n')
        self._told.clear()
        self._reader = threading.Thread(target=self._read, args=(link,), name="gpsd", daemon=True)
        self._reader.start()

    def _read(self, link: socket.socket) -> None:
        with link, link.makefile("rb") as lines:
            while line := lines.readline(1 << 16):
                if place := _tpv(line):
                    self._fix = time.monotonic(), place
                    self._told.set()


def _tpv(line: bytes) -> Place | None:
    """Return the place of a TPV report with a fix; None for anything else."""
    try:
        told = json.loads(line)
        if told["class"] != "TPV" or told["mode"] < 2:
            return None
        error = float(told.get("eph") or told.get("epx") or UERE_M)
        place = Place(
            float(told["lat"]),
            float(told["lon"]),
            float(told.get("track", 0.0)),
            error_m=error,
            has_heading="track" in told,
        )
    except (ValueError, TypeError, KeyError):
        return None
    return place if abs(place.lat) <= 90 and abs(place.lon) <= 180 else None


# -- settings -------------------------------------------------------------------------------------


def find(text: str) -> Location:
    """Return what a setting names: `LAT,LON`, a `.gpx` or `.nmea` file, `gpsd://HOST:PORT`.

    Raises DeviceError when it is nothing of these, or cannot be read.
    """
    if text.startswith("gpsd"):
        found = re.fullmatch(r"gpsd(?:://([\w.-]+)(?::(\d{1,5}))?)?", text)
        if not found:
            raise DeviceError(f"{text!r} is no gpsd: write gpsd://HOST or gpsd://HOST:PORT")
        return Steady(Gpsd(found[1] or "127.0.0.1", int(found[2] or GPSD_PORT)))
    if text.lower().endswith((".gpx", ".nmea")):
        path = Path(text).expanduser()
        try:
            written = reading.read_text(path, LONGEST_BYTES)
        except (OSError, reading.Unreadable) as error:
            raise DeviceError(f"{path} cannot be read: {error}") from None
        fixes = gpx(written) if path.suffix.lower() == ".gpx" else nmea(written)
        if not fixes:
            raise DeviceError(f"{path}: there is no position in it")
        return Replay(fixes)
    return FixedLocation(parse(text))


def gpx(text: str) -> list[Fix]:
    """Read the track of a GPX file. Raises DeviceError where it is none."""
    import gpxpy
    from gpxpy.gpx import GPXException

    try:
        read = gpxpy.parse(text)
    except (GPXException, ValueError, TypeError) as error:
        why = " ".join(str(error).split())[:120]
        raise DeviceError(f"it cannot be read as GPX: {why}") from None
    points: list[Any] = [
        point for track in read.tracks for part in track.segments for point in part.points
    ]
    points = points or [point for route in read.routes for point in route.points]
    start = next((point.time for point in points if point.time), None)
    fixes = []
    for number, point in enumerate(points):
        at = (point.time - start).total_seconds() if point.time and start else float(number)
        error_m = UERE_M * (point.horizontal_dilution or 1.0)
        fixes.append(Fix(at, point.latitude, point.longitude, error_m))
    return sorted(fixes, key=lambda fix: fix.at_s)


def nmea(text: str) -> list[Fix]:
    """Read the GGA and RMC sentences of a receiver; those with a wrong checksum are left out."""
    fixes: list[Fix] = []
    began: float | None = None
    for line in text.splitlines():
        found = _SENTENCE.match(line)
        if not found or reduce(xor, found["body"].encode()) != int(found["sum"], 16):
            continue
        parts = found["body"].split(",")
        try:
            at, fix = _sentence(parts)
        except (ValueError, IndexError):
            continue
        began = at if began is None else began
        since = (at - began) % 86_400  # of midnight
        if fix is not None and (not fixes or since > fixes[-1].at_s):
            fixes.append(replace(fix, at_s=since))
    return fixes


def _sentence(parts: list[str]) -> tuple[float, Fix | None]:
    """Return the time of day and the fix of a sentence. Raises ValueError or IndexError."""
    when = datetime.strptime(parts[1][:6], "%H%M%S")
    at = when.hour * 3600 + when.minute * 60 + when.second + float("0" + parts[1][6:] or 0)
    if parts[0].endswith("GGA"):
        if parts[6] == "0":
            return at, None
        error = UERE_M * float(parts[8] or 1.0)
        return at, Fix(0.0, _degrees(*parts[2:4]), _degrees(*parts[4:6]), error)
    if parts[2] != "A":
        return at, None
    return at, Fix(0.0, _degrees(*parts[3:5]), _degrees(*parts[5:7]))


def _degrees(written: str, side: str) -> float:
    """Return `ddmm.mmm` or `dddmm.mmm` in degrees."""
    whole, minutes = divmod(float(written), 100)
    return (whole + minutes / 60) * (-1 if side in ("S", "W") else 1)


def parse(text: str) -> Place:
    """Read `LAT,LON` or `LAT,LON,HEADING`, in degrees, as a simulated place.

    Raises DeviceError when it is anything else, or not on this planet.
    """
    try:
        lat, lon, heading_deg = (float(part) for part in f"{text},0".split(",")[:3])
        on_earth = -90 <= lat <= 90 and -180 <= lon <= 180 and 0 <= heading_deg <= 360
    except ValueError:
        on_earth = False
    if not on_earth or text.count(",") > 2:
        raise DeviceError(
            f"{text!r} is not a place: write LAT,LON in degrees, as in 48.41,15.61 "
            "(a heading from 0 to 360 may follow)"
        )
    looks = text.count(",") == 2
    return Place(lat, lon, heading_deg % 360, simulated=True, has_heading=looks)
