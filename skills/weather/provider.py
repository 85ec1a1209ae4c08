"""Where the weather comes from: a file or a feed, in the form of Open-Meteo.

`GLASSES_WEATHER` is a JSON file of that form, or the address of the feed without a question, such
as `https://api.open-meteo.com/v1/forecast`; what is asked is added here. Other places than the
wearer's are found by `GLASSES_WEATHER_PLACES`, in the form of Open-Meteo's geocoding; for the feed
of Open-Meteo it need not be set.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from agent import config
from agent.environment import STARTED
from agent.language.world import world_text
from agent.skill import feed
from hardware import reading
from hardware.base import DeviceError, Place

FRESH_S = 900.0
"""How long a forecast is not asked for again."""
GRID_DEG = 0.1
"""Places are told to the feed no closer than this: some 10 km, which weather does not notice."""

KEPT_S = 30 * 86_400.0
"""How long it is remembered where a place is."""
OPEN_METEO = "https://api.open-meteo.com/"
PLACES = "https://geocoding-api.open-meteo.com/v1/search"
"""Open-Meteo, and where it finds places."""

_SKY = (
    ((0,), "clear", "晴"),
    ((1, 2), "partly cloudy", "多云"),
    ((3,), "overcast", "阴"),
    ((45, 48), "fog", "雾"),
    ((51, 53, 55, 56, 57), "drizzle", "毛毛雨"),
    ((61, 63, 66, 80, 81), "rain", "雨"),
    ((65, 67, 82), "heavy rain", "大雨"),
    ((71, 73, 75, 77, 85, 86), "snow", "雪"),
    ((95, 96, 99), "thunderstorm", "雷阵雨"),
)
"""Weather codes of the World Meteorological Organization (table 4677), and what they are called."""


@dataclass(frozen=True, slots=True)
class Day:
    """The weather of a day."""

    date: date
    """Which."""
    code: int
    """The sky, as the WMO codes it."""
    low_c: float
    """Lowest temperature in °C."""
    high_c: float
    """Highest temperature in °C."""
    rain: int | None = None
    """How likely rain or snow is, in per cent; None where that is not told."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The weather now, and of the days ahead."""

    temperature_c: float
    """Now, in °C."""
    code: int
    """The sky now, as the WMO codes it."""
    days: tuple[Day, ...] = ()
    """From today on."""


@dataclass(frozen=True, slots=True)
class Found:
    """A place that was found by its name."""

    name: str
    """What it is called, with its country."""
    place: Place
    """Where it is."""


_lock = threading.Lock()
_last: dict[tuple[float, float], Forecast] = {}


def current(place: Place, folder: Path, environ: Mapping[str, str] = STARTED) -> Forecast | None:
    """Return the forecast of where the wearer is, as `forecast` does, and keep it for `last`."""
    found = forecast(place, folder, environ)
    if found is not None:
        with _lock:
            _last.clear()
            _last[_rounded(place.lat), _rounded(place.lon)] = found
    return found


def forecast(place: Place, folder: Path, environ: Mapping[str, str] = STARTED) -> Forecast | None:
    """Return the forecast of a place; None where no source is set. Raises DeviceError."""
    source = config.load(environ).weather
    if not source:
        return None
    if "://" in source:
        source = _asked(
            source,
            latitude=_rounded(place.lat),
            longitude=_rounded(place.lon),
            current="temperature_2m,weather_code",
            daily="weather_code,temperature_2m_max,temperature_2m_min,"
            "precipitation_probability_max",
            timezone="auto",
        )
    return read(feed.read(source, folder, FRESH_S).content)


def searches(environ: Mapping[str, str] = STARTED) -> str:
    """Return the address that finds places by name; empty where other places are not known."""
    set_up = config.load(environ)
    if not set_up.weather.startswith(("http://", "https://")):
        return ""
    return set_up.weather_places or (PLACES if set_up.weather.startswith(OPEN_METEO) else "")


def find(
    name: str, language: str, folder: Path, environ: Mapping[str, str] = STARTED
) -> Found | None:
    """Return the place of a name, the best known of several; None where none is called so.

    Raises DeviceError where no place can be looked for, or the answer is none.
    """
    asked = _asked(searches(environ), name=name, count=1, language=language, format="json")
    try:
        found = reading.from_json(reading.decode(feed.read(asked, folder, KEPT_S).content))
        best = next(iter(found.get("results") or ()), None)
        if best is None:
            return None
        lat, lon = float(best["latitude"]), float(best["longitude"])
        if not (abs(lat) <= 90 and abs(lon) <= 180):
            raise ValueError("is nowhere")
        told = [str(best.get(key) or "") for key in ("name", "country")]
        return Found(world_text(", ".join(filter(None, told)), 60), Place(lat, lon))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DeviceError("the place cannot be read: check GLASSES_WEATHER_PLACES") from None


def _asked(source: str, **what: object) -> str:
    return source + ("&" if "?" in source else "?") + urlencode(what)


def last(place: Place) -> Forecast | None:
    """Return what was read last for a place, at once."""
    with _lock:
        return _last.get((_rounded(place.lat), _rounded(place.lon)))


def _rounded(degrees: float) -> float:
    return round(round(degrees / GRID_DEG) * GRID_DEG, 1)


def read(content: bytes) -> Forecast:
    """Read a forecast. Raises DeviceError where it is none."""
    try:
        found = reading.from_json(reading.decode(content))
        now, daily = found["current"], found.get("daily") or {}
        days = zip(
            daily.get("time", ()), daily.get("weather_code", ()),
            daily.get("temperature_2m_min", ()), daily.get("temperature_2m_max", ()),
            daily.get("precipitation_probability_max") or [None] * len(daily.get("time", ())),
            strict=True,
        )  # fmt: skip
        read_days = tuple(
            Day(date.fromisoformat(day), int(code), _number(low), _number(high), _percent(rain))
            for day, code, low, high, rain in days
        )
        return Forecast(_number(now["temperature_2m"]), int(now["weather_code"]), read_days)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DeviceError("the weather cannot be read: check GLASSES_WEATHER") from None


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or not -100 < number < 100:
        raise ValueError("is no temperature")
    return number


def _percent(value: Any) -> int | None:
    return None if value is None else max(0, min(100, int(value)))


def sky(code: int, language: str) -> str:
    """Return what a sky is called."""
    for codes, english, chinese in _SKY:
        if code in codes:
            return chinese if language == "zh" else english
    return "—"
